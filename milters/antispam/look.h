/*
 * look - a message as the checks beside the classifier see it
 *
 * A check adds clues (clue.h) for what it sees. All run in ask(), in the order
 * of checks.c. What takes time was begun in begin() or by an earlier call; a
 * check waits for it no longer than job->deadline.
 *
 * RC_RETRY with *why_r is trouble of ours: the message is answered 4xx. A
 * source that only helps (a list, another filter) and did not answer is no
 * trouble: it adds no clue, and its name is put into `missed`, which the log
 * and the journal say.
 *
 * Tools that have only a file call with job NULL: then there is no client, no
 * envelope and nothing that was asked.
 */
#ifndef ANTISPAM_LOOK_H
#define ANTISPAM_LOOK_H

#include "base/buf.h"
#include "clue.h"
#include "content/links.h"
#include "graymail.h"
#include "milter/filter.h"
#include "options.h"
#include "sketch.h"

struct antispam_shared;
struct fraud_from;

struct spam_look {
	struct job *job;		/* NULL: there is none */
	struct message *msg;
	const struct content *content;
	const struct content_links *links;	/* where the texts lead */
	const struct antispam_shared *shared;
	const struct antispam_conf *conf;
	const struct fraud_from *from;	/* who it is from, and is it proven */
	double score;			/* the classifier's, in log-odds */
	struct clues *clues;
	struct buf missed;		/* "list zen, rspamd" */
	struct graymail gray;		/* by graymail_check */
	struct sketch text;		/* by campaign_check */
	bool has_text;			/* long enough for that */
};

/* Notes a source that did not answer. */
void look_missed(struct spam_look *look, struct slice source);

typedef enum rc spam_check(struct spam_look *look, struct slice *why_r);

/* All of them; the first trouble ends it. */
enum rc checks_run(struct spam_look *look, struct slice *why_r);

#endif
