/*
 * outbound_run - the steps of outbound.h in the life of a message
 *
 * outbound_mail	hook at MAIL FROM: SIZE=
 * outbound_begin, outbound_field, outbound_ask
 *			find out who sends, count recipients, ask DNS; what they
 *			find is seen->outbound, NULL for mail that comes in
 * step_limits, step_senders, step_lint, step_bounce
 *			steps of decide.h, in this order. step_bounce takes
 *			bounces back to whose they are inbound
 *
 * outbound_state	opens the count of recipients and the key of bounce
 *			addresses in the daemon's state folder, or takes them
 *			over from before (NULL: none). RC_BAD or RC_RETRY with
 *			*why_r
 * outbound_close	gives them back
 * outbound_settings	the options of that sender, all of predelivery.conf. A
 *			client that is known by its network has those of the
 *			client's scope. RC_RETRY with *why_r
 * outbound_survey	what anybody's options are, for the view
 */
#ifndef PREDELIVERY_OUTBOUND_RUN_H
#define PREDELIVERY_OUTBOUND_RUN_H

#include "decide.h"
#include "lint_asking.h"
#include "milter/seal.h"
#include "sender.h"
#include "tally_file.h"

/* Part of what all messages share. */
struct outbound_shared {
	struct tally_file *tally;	/* NULL: no daemon */
	struct seal_key key;		/* of bounce addresses; len 0: none */
};

/* What is set for anybody: job->view. */
struct outbound_view {
	int64_t keep;			/* s; the longest recipients_window */
};

struct outbound_seen {
	struct slice trouble;		/* of ours; or SLICE_NONE */
	const struct predelivery_conf *conf;	/* the sender's */
	struct sender sender;
	struct slice path;		/* MAIL FROM as it will go out */
	bool bounce;			/* and that is another one */
	struct tally_view tally;
	uint64_t all;			/* recipients, with earlier ones */

	struct lint_asking dns;
	struct lint_domains domains;
	struct slice bulk;		/* why it is bulk mail, or empty */
	bool linted;
	struct lint_result lint[LINT_RULES];
};

void outbound_mail(struct early *e);
void outbound_begin(struct job *job, const struct outbound_shared *shared);
void outbound_field(struct job *job, struct slice name, struct slice body);
enum rc outbound_ask(struct job *job, const struct outbound_shared *shared,
    struct slice *why_r);

step_work step_limits, step_senders, step_lint, step_bounce;

enum rc outbound_state(const struct predelivery_conf *conf,
    struct outbound_shared *shared, const struct outbound_shared *before,
    const char *dir, struct arena *a, struct slice *why_r);
void outbound_close(struct outbound_shared *shared);

enum rc outbound_settings(struct arena *a, const struct policy *policy,
    const struct predelivery_conf *conf, const struct sender *sender,
    const struct predelivery_conf **conf_r, struct slice *why_r);
enum rc outbound_survey(const struct predelivery_conf *conf,
    const struct policy *policy, struct arena *a,
    struct outbound_view **view_r, struct slice *why_r);

#endif
