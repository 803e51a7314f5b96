/*
 * book - what was given to the sandbox, and what it said
 *
 * A file of its own, sandbox.db. It is what a kill must not forget: which tasks
 * are under way for which files, and which mail waits for them. Lost, it is
 * made anew from the quarantine, and files are given to the sandbox again.
 *
 * A file is known by its SHA-256; it is in the book once, however many messages
 * have it.
 *
 * book_open	RC_BAD, RC_RETRY as db_open
 * book_wants	an object has this part; again: nothing new. The name is for
 *		people
 * book_known	does the book know what is to be looked at in the object?
 * book_parts	each part of the object, with what is known of its file
 * book_due	files with a task, whose time to be asked has come
 * book_tasked	it became these tasks; ask not before `next`
 * book_later	ask, or give it again, not before `next`. failed: one try more
 *		is used up, and its tasks are forgotten
 * book_judged	the verdict on a file; its tasks are done
 * book_clear	verdicts older than `oldest` go (and those that nobody could
 *		give after BOOK_NONE seconds), and mail that is not in the list
 *		any more: all whose last book_seen is before `now`
 * book_seen	the object still waits
 * book_counts	for the status
 *
 * All return RC_OK, RC_RETRY or RC_BAD, with the reason in *why_r of
 * book_why(). One thread.
 */
#ifndef SANDBOX_BOOK_H
#define SANDBOX_BOOK_H

#include "services/sandbox/answer.h"

enum { BOOK_NONE = 3600 };

struct book;

struct book_part {
	struct slice sha256, name;
	bool judged;
	enum answer_verdict verdict;
	int64_t score;			/* -1: none */
	struct slice family;		/* or why there is no verdict */
	struct slice tasks;		/* empty: not given yet */
	int64_t next;			/* not before; s since 1970 */
	unsigned tries;			/* used up */
	int64_t since;			/* when it was given */
};

struct book_counts {
	uint64_t mails, files, tasks, verdicts[VERDICTS];
};

enum rc book_open(const char *path, struct book **book_r, struct arena *a,
    struct slice *why_r);
void book_close(struct book *b);
struct slice book_why(struct book *b, struct arena *a);

enum rc book_wants(struct book *b, struct slice object, struct slice sha256,
    struct slice name);
enum rc book_seen(struct book *b, struct slice object, int64_t now,
    bool *known_r);
enum rc book_parts(struct book *b, struct slice object, struct arena *a,
    bool (*visit)(const struct book_part *part, void *arg), void *arg);
enum rc book_due(struct book *b, int64_t now, unsigned limit, struct arena *a,
    bool (*visit)(const struct book_part *part, void *arg), void *arg);
enum rc book_tasked(struct book *b, struct slice sha256, struct slice tasks,
    int64_t now, int64_t next);
enum rc book_later(struct book *b, struct slice sha256, int64_t next,
    bool failed);
enum rc book_judged(struct book *b, struct slice sha256,
    enum answer_verdict verdict, int64_t score, struct slice family,
    int64_t now);
enum rc book_clear(struct book *b, int64_t oldest, int64_t now);
enum rc book_counts(struct book *b, struct book_counts *counts_r);

#endif
