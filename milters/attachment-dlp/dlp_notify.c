#include "dlp_notify.h"

#include "copy.h"
#include "notice/letter.h"
#include "notice/machine.h"
#include "notice/zone.h"

enum { RECIPIENTS = 20 };		/* that a mail names */

/* What the rule does, as the mail says it. What is done in the end may be more,
 * when another rule is stronger. */
static const char *
done_by(const struct dlp_rule *rule)
{
	if (rule->action == DLP_HOLD || (rule->action == DLP_BLOCK &&
	    rule->notify))
		return "held";
	return rule->action == DLP_BLOCK ? "blocked" : "delivered";
}

static void
say_envelope(struct buf *out, const struct envelope *e)
{
	buf_addf(out, "From: %.*s\n", SLICE_ARG(e->sender));
	for (size_t i = 0; i < e->nrecipients && i < RECIPIENTS; i++)
		buf_addf(out, "To: %.*s\n",
		    SLICE_ARG(e->recipients[i].address));
	if (e->nrecipients > RECIPIENTS)
		buf_addf(out, "To: %zu more\n", e->nrecipients - RECIPIENTS);
	buf_addf(out, "Queue ID: %.*s\n", SLICE_ARG(e->queue_id));
}

/* No subject and no names of files: these may be what must not leave. */
static struct slice
text_of(const struct job *job, const struct dlp_result *r, bool attached)
{
	const struct dlp_rule *rule = r->rule;
	struct buf out = buf_in(job->arena);
	struct slice found = dlp_told(job->arena, r);

	buf_addf(&out, "Rule %.*s found what must not leave:\n\n    %.*s\n\n",
	    SLICE_ARG(rule->name), SLICE_ARG(found));
	buf_addf(&out, "By this rule the message is %s.\n\n", done_by(rule));
	say_envelope(&out, job->envelope);
	if (attached)
		buf_adds(&out, "\nThe message is attached as it was. It holds "
		    "the values themselves.\n");
	return buf_slice(&out);
}

static struct slice
whole_message(const struct job *job)
{
	struct buf out = buf_in(job->arena);

	buf_add(&out, job->msg->head);
	buf_adds(&out, "\r\n");
	buf_add(&out, job->msg->body);
	return buf_slice(&out);
}

static enum rc
tell(const struct job *job, const struct dlp_result *r, const char *server,
    const struct slice *to, size_t n, struct slice attached,
    struct slice *why_r)
{
	struct arena *a = job->arena;
	const struct zone *utc;
	struct buf out = buf_in(a);
	bool body8 = false;
	struct letter l = {
		.from = arena_printf(a, "postmaster@%s",
		    job->house->hostname).ptr,
		.from_name = SLICE("Gatehouse"), .to = to[0],
		.subject = arena_printf(a, "Data loss rule %.*s: %s",
		    SLICE_ARG(r->rule->name), done_by(r->rule)),
		.text = text_of(job, r, attached.ptr != NULL),
		.html = SLICE_NONE, .attached = attached,
		.message_id = letter_id(a, arena_printf(a, "%s %.*s %.*s",
		    job->identity, SLICE_ARG(r->rule->name), SLICE_ARG(to[0])),
		    job->house->hostname),
		.language = SLICE("en"), .hostname = job->house->hostname,
	};

	if (zone_open(a, "UTC", &utc, why_r) != RC_OK)
		return RC_RETRY;
	l.date = zone_date(a, utc, job->now);
	letter_write(&out, a, &l, &body8);
	return copy_letter(job, server, to, n, buf_slice(&out), body8, why_r);
}

static bool
sender_told(const struct job *job)
{
	return job->direction != DIRECTION_IN && notice_stop_reason(job->arena,
	    job->envelope->sender, job->msg->head) == NULL;
}

enum rc
dlp_notify(const struct job *job, const struct attachment_answers *seen,
    const char *server, struct slice *why_r)
{
	const struct slice *sender = &job->envelope->sender;
	struct slice message = SLICE_NONE;

	if (seen->dlp == NULL || job->pass == 2 || job->release != NULL)
		return RC_OK;
	for (unsigned i = 0; i < seen->dlp->found.n; i++) {
		const struct dlp_result *r = &seen->dlp->found.of[i];
		const struct conf_list *to = &r->rule->notify_to;

		if (!r->matched || !r->rule->enforce ||
		    !dlp_concerns(r->rule, job, seen))
			continue;
		if (to->count > 0 && message.ptr == NULL)
			message = whole_message(job);
		if (to->count > 0 && tell(job, r, server, to->items, to->count,
		    message, why_r) != RC_OK)
			return RC_RETRY;
		if (r->rule->notify_sender && sender_told(job) && tell(job, r,
		    server, sender, 1, SLICE_NONE, why_r) != RC_OK)
			return RC_RETRY;
	}
	return RC_OK;
}
