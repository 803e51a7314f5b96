/* Steps of decide.h for mail that goes out, and for its bounces. */
#include "envelope.h"
#include "limits.h"
#include "mime/message.h"
#include "outbound_run.h"
#include "senders.h"

static void
fact_number(struct plan *p, const char *key, uint64_t value)
{
	plan_fact(p, key, arena_printf(p->arena, "%llu",
	    (unsigned long long)value));
}

/* ---- limits ---- */

static void
answer_limit(struct plan *p, const struct limits_verdict *v)
{
	struct slice reply = arena_printf(p->arena, "%d%.*s",
	    v->action == LIMIT_TEMPFAIL ? 4 : 5, SLICE_ARG(v->reply));

	if (v->action == LIMIT_TEMPFAIL)
		plan_tempfail(p, v->rule, v->reason, reply);
	else if (v->action == LIMIT_DROP)
		plan_discard(p, v->rule, v->reason);
	else
		plan_reject(p, v->rule, v->reason, reply);
}

enum step
step_limits(struct work *w)
{
	const struct outbound_seen *seen = w->seen->outbound;
	const struct job *job = w->job;
	struct limits_seen amounts;
	struct limits_verdict verdict;

	if (seen == NULL)
		return STEP_ON;
	amounts = (struct limits_seen){
	    .recipients = job->envelope->nrecipients,
	    .before = seen->tally.before, .all = seen->all,
	    .size = message_size(job->msg) };
	if (seen->conf->outbound.visible_max > 0)
		amounts.visible = limits_visible(job->msg, job->arena);
	if (seen->tally.before > 0)
		fact_number(w->plan, "gatehouse.recipients.before",
		    seen->tally.before);
	if (!limits_judge(&seen->conf->outbound, &amounts, job->arena,
	    &verdict))
		return STEP_ON;
	fact_number(w->plan, "gatehouse.recipients.all", seen->all);
	answer_limit(w->plan, &verdict);
	return STEP_DONE;
}

/* ---- registered senders ---- */

/* One mailbox alone: what several read is the name of none of them. */
static bool
leads_to_him(void *arg, struct slice address)
{
	const struct job *job = arg;
	const struct predelivery_answers *answers = job->answers;
	const struct slice *his = &answers->outbound->sender.address;
	struct slice *members;
	size_t n;

	return policy_members(job->policy, job->arena, address, &members,
	    &n) == RC_OK && n == 1 && slice_eq(members[0], scope_address(
	    job->arena, *his, house_match(job->house)));
}

enum step
step_senders(struct work *w)
{
	const struct outbound_seen *seen = w->seen->outbound;
	const struct job *job = w->job;
	struct senders_verdict verdict;
	struct senders_query q;

	if (seen == NULL || seen->conf->outbound.senders == SEVERITY_OFF)
		return STEP_ON;
	q = (struct senders_query){ .conf = &seen->conf->outbound,
	    .house = job->house, .sender = &seen->sender,
	    .path = job->envelope->sender, .msg = job->msg,
	    .alias = leads_to_him, .arg = (void *)(uintptr_t)job };
	senders_judge(&q, job->arena, &verdict);
	if (verdict.rule == NULL)
		return STEP_ON;
	plan_fact(w->plan, "gatehouse.senders.rule", slice_of(verdict.rule));
	plan_fact(w->plan, "gatehouse.senders.reason", verdict.reason);
	if (seen->conf->outbound.senders == SEVERITY_WARN)
		return STEP_ON;
	plan_reject(w->plan, verdict.rule, verdict.reason, verdict.reply);
	return STEP_DONE;
}

/* ---- lint ---- */

/* A header that tells; what the sender wrote under its name goes. */
static void
write_header(struct work *w, const char *name, struct slice broken)
{
	const struct message *msg = w->job->msg;

	for (size_t i = 0; i < msg->nfields; i++)
		if (slice_eq_nocase(msg->fields[i].name, slice_of(name)))
			patch_delete(&w->plan->edits, i);
	if (broken.len > 0)
		patch_insert(&w->plan->edits, slice_of(name),
		    arena_printf(w->plan->arena, " %.*s", SLICE_ARG(broken)));
}

static struct slice
why_refused(struct arena *a, const struct outbound_seen *seen, unsigned id)
{
	return arena_printf(a, "%.*s (%s)", SLICE_ARG(seen->lint[id].why),
	    lint_name(id));
}

enum step
step_lint(struct work *w)
{
	const struct outbound_seen *seen = w->seen->outbound;
	struct plan *p = w->plan;
	struct lint_verdict v;
	struct slice why;

	if (seen == NULL)
		return STEP_ON;
	if (seen->bulk.len > 0)
		plan_fact(p, "gatehouse.lint.bulk", seen->bulk);
	v = (struct lint_verdict){ .refuse = LINT_RULES,
	    .broken = SLICE(""), .unknown = SLICE("") };
	if (seen->linted)
		lint_judge(&seen->conf->outbound, seen->lint, p->arena, &v);
	if (v.broken.len > 0)
		plan_fact(p, "gatehouse.lint.broken", v.broken);
	if (v.unknown.len > 0)
		plan_fact(p, "gatehouse.lint.unknown", v.unknown);
	if (v.refuse < LINT_RULES) {
		why = why_refused(p->arena, seen, v.refuse);
		plan_reject(p, "lint", why, arena_printf(p->arena,
		    "5.7.1 refused: %.*s", SLICE_ARG(why)));
		return STEP_DONE;
	}
	if (seen->conf->outbound.lint_header[0] != '\0')
		write_header(w, seen->conf->outbound.lint_header, v.broken);
	return STEP_ON;
}

/* ---- bounces ---- */

/* Where it cannot be told, the mailbox keeps it. */
static bool
goes_back(const struct work *w, struct slice address)
{
	const struct sender whose = { .address = address };
	const struct predelivery_conf *conf;
	struct slice why;

	return outbound_settings(w->job->arena, w->job->policy, w->conf,
	    &whose, &conf, &why) == RC_OK && conf->outbound.bounce_return;
}

static bool
ours(const struct house_conf *house, struct slice address)
{
	return conf_list_has_nocase(&house->domains, slice_after(address,
	    slice_find_last(address, '@') + 1));
}

/* A bounce goes back where its key says, if that is one of us: who could
 * write any MAIL FROM must not have it forwarded to a stranger. */
static void
take_back(struct work *w)
{
	const struct job *job = w->job;

	for (size_t i = 0; i < job->envelope->nrecipients; i++) {
		struct slice to = job->envelope->recipients[i].address;
		struct slice original;
		enum envelope_state state = envelope_original(job->arena,
		    w->seen->bounce_key, to, job->now, &original);

		if (state == ENVELOPE_PLAIN)
			continue;
		plan_fact(w->plan, "gatehouse.bounce.key",
		    state == ENVELOPE_GOOD ? SLICE("good") :
		    state == ENVELOPE_OLD ? SLICE("old") : SLICE("forged"));
		if (state != ENVELOPE_GOOD)
			continue;
		plan_fact(w->plan, "gatehouse.bounce.original", original);
		if (goes_back(w, to) &&
		    ours(job->house, original))
			plan_rewrite_recipient(w->plan, to, original);
	}
}

enum step
step_bounce(struct work *w)
{
	const struct outbound_seen *seen = w->seen->outbound;

	/* A rule that has given it a sender knows better. */
	if (seen != NULL && seen->bounce && w->plan->sender.ptr == NULL)
		plan_sender(w->plan, seen->path);
	else if (seen == NULL && w->seen->bounce_key != NULL &&
	    w->job->envelope->sender.len == 0)
		take_back(w);
	return STEP_ON;
}
