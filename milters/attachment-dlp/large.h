/*
 * large - mail too large to carry: attachments become links (R18, R19)
 *
 * Above a size (large_at) the attachments of a message that are over another
 * (large_part) go into the store, and a note with a link stands in place of
 * each. They are removed as remove.h does it: a text of the letter, what only a
 * careless reader sees, and a picture of the letter (below multipart/related or
 * multipart/alternative) stay where they are. What is signed or encrypted is
 * delivered as it is, or refused (large_sealed).
 *
 * Whose settings: as with lists (judge.h), of those who get the message; what
 * is large for one of them is large for all of them.
 *
 * A link has one token, whoever of the message's recipients uses it. It is
 * made from the seal key, the file and the envelope: a message that comes again
 * has the same links, and nobody without the key can make one. Why not one for
 * each recipient: a milter has one body for all, and a copy of a large message
 * for each is what this option is to avoid. Each mailbox has its own count of
 * downloads; where there are several, who asks has to have shown whose he is.
 *
 * large_check	options that are wrong together, or that want a portal while
 *		there is none. RC_BAD with *why_r
 * large_ask	in ask(), after the lists: seen->large and its notes. RC_RETRY:
 *		trouble of ours
 * step_large	from that to the plan. Rules: large-mail, large-sealed
 */
#ifndef ATTACHMENT_LARGE_H
#define ATTACHMENT_LARGE_H

#include "decide.h"
#include "milter/seal.h"

struct large_file {
	struct large_file *next;
	const struct part *part;
	struct slice path;		/* for people */
	struct slice note;		/* in its place */
	struct plan_file file;
};

struct large_answers {
	struct large_file *files;
	size_t count;
	uint64_t bytes;			/* of all of them, decoded */
	uint64_t size;			/* of the message */
	size_t whose;			/* recipient whose settings count */
	const struct item *sealed;	/* large, and cannot be taken out */
	bool *refused;			/* by recipient, for that */
};

enum rc large_check(const struct attachment_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r);
enum rc large_ask(struct job *job, struct attachment_answers *seen,
    const struct seal_key *key, struct slice *why_r);
step_work step_large;

#endif
