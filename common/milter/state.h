/*
 * state - what a session holds of the message under way
 *
 * For the files that share it, and nobody else: session.c (events, and who
 * answers), course.c (filters decide, edits go out), hold.c (what is kept back
 * for whom), release.c (what was released is let through).
 */
#ifndef MILTER_STATE_H
#define MILTER_STATE_H

#include "milter/apply.h"
#include "milter/seal.h"
#include "milter/session.h"

struct held;
struct report;

struct session {
	struct host *host;
	const struct engine_ops *ops;
	void *ctx;
	unsigned needs;			/* that the engine negotiated */
	struct arena *connection;	/* lives as long as the session */
	struct arena *arena;		/* lives as long as the message */
	struct client client;

	/* The message under way; all zero when there is none. */
	struct settings *set;
	struct client origin;		/* client, or who the seal says */
	struct envelope envelope;
	size_t room;			/* for recipients */
	struct gather gather;
	struct job *jobs;		/* one for each instance */
	struct message *msg;		/* as the next filter finds it */
	struct message *first;		/* as the first one finds it */
	unsigned char hash[GATHER_HASH];	/* that it is known again by */
	int slot;			/* in the in-flight table, or -1 */
	struct seal seal;
	struct step *steps, **last_step;
	deadline_t deadline;
	const char *trouble;		/* static text, or NULL */
	bool body_changed;
	bool body_begun;		/* a piece of it came ... */
	bool body_left;			/* ... and no filter wanted it */
	bool overran;			/* a filter came back too late */
};

/* What one filter decided, and what came of it. */
struct outcome {
	struct envelope envelope;	/* as the filter found it */
	struct plan *plan;
	struct verdict verdict;		/* for those who are left, or all */
	const struct verdict *each;	/* of each recipient; NULL: none differs */
	struct held *held;		/* kept back, by this filter */
	struct held *files;		/* of those who get it (files.h) */
	const struct plan_address *addresses;	/* changes of the envelope */
	int64_t us;
};

/* session.c */
/* Our trouble as a verdict: plan_for_trouble(). */
struct verdict session_trouble(struct session *s, const char *why);
void session_new_identity(char identity[33]);
void session_add_recipient(struct session *s,
    const struct recipient *recipient);
/* The jobs anew, for a client that is known only now. */
void session_begin_again(struct session *s);
/* The body was asked for, and wanted; it may be empty all the same. */
bool session_has_body(const struct session *s);
/* Of the whole message; 0 when nobody wanted the body. */
uint64_t session_size(const struct session *s);
void session_tell(struct session *s, const struct report *r);

/* Fields of ours come on top of what a message may bring. */
extern const struct message_limits course_limits;

/* course.c: from a message that has been read to its answer. */
enum answer course_run(struct session *s);
/* Takes over what earlier filters of ours found. */
void course_adopt(struct session *s, const struct seal *seal);

#endif
