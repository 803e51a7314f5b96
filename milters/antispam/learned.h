/*
 * learned - the examples that a site has given, for the trainer
 *
 * One file of records, each the features of a message (hashes, no text), its
 * label, when it was given, and what knows the message again. Records are
 * appended; each is checked by its sum, and a torn end is cut off by the next
 * writer. What is given again with the other label is a correction: of one
 * message the last record counts.
 *
 * learned_add	appends, synced. RC_RETRY with *why_r: disk, lock
 * learned_read	all that counts, as examples for train.h, oldest first. Memory
 *		is the arena's. Damaged records are left out and counted
 * learned_trim	rewrites the file with what counts and is not older than
 *		max_age, at most `most` messages of each label, the newest ones
 * learned_forget	takes one message out
 *
 * learned_give	a file that root has made belongs to who owns its folder, as
 *		the timer that trains runs under his name. Best effort
 *
 * One writer at a time: the file is locked (flock) for each call.
 */
#ifndef ANTISPAM_LEARNED_H
#define ANTISPAM_LEARNED_H

#include "base/rc.h"
#include "train.h"

enum { LEARNED_ID = 16 };

struct learned_record {
	unsigned char id[LEARNED_ID];	/* of the message */
	int64_t given;			/* seconds since 1970 */
	uint64_t group;			/* train_group() */
	bool spam;
};

struct learned {
	struct example *examples;
	struct learned_record *records;	/* of each */
	size_t n, spam;
	size_t damaged;			/* records that were left out */
};

enum rc learned_add(const char *path, const struct learned_record *record,
    const struct features *f, struct arena *a, struct slice *why_r);
enum rc learned_read(const char *path, struct learned *l_r, struct arena *a,
    struct slice *why_r);
enum rc learned_trim(const char *path, int64_t now, int64_t max_age,
    size_t most, struct arena *a, struct slice *why_r);
void learned_give(int fd, const char *path);
enum rc learned_forget(const char *path, const unsigned char id[LEARNED_ID],
    struct arena *a, struct slice *why_r);

#endif
