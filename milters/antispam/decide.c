#include "decide.h"

#include <stdio.h>
#include <string.h>

#include "verdict/subject.h"

static bool
counts(const struct recipient *r)
{
	return !slice_eq(r->mailer, SLICE("error"));
}

static enum rc
resolve(struct job *job, struct antispam_answers *seen, struct slice *why_r)
{
	const struct antispam_conf *conf = job->conf;
	const struct envelope *e = job->envelope;
	bool in = job->direction == DIRECTION_IN;
	size_t n = in ? e->nrecipients : 1;
	enum rc rc = RC_OK;

	seen->own = arena_array(job->arena, n + 1, sizeof *seen->own);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		struct antispam_own *own = &seen->own[i];

		if (in && !counts(&e->recipients[i]))
			continue;
		rc = job_settings(job, in ? e->recipients[i].address :
		    job_sender(job), antispam_options, conf->scopes,
		    sizeof *conf, &own->conf, &own->who, why_r);
		if (rc == RC_OK && in)
			rc = listed_look(job, &own->who, &own->listed, why_r);
	}
	return rc;
}

enum rc
antispam_look(struct job *job, struct slice *why_r)
{
	const struct antispam_shared *shared = job->shared;
	struct antispam_answers *seen = arena_alloc(job->arena, sizeof *seen);

	job->answers = seen;
	if (resolve(job, seen, why_r) != RC_OK)
		return RC_RETRY;
	antispam_judge(job->msg, shared->model, seen);
	return RC_OK;
}

/* ---- one recipient ---- */

static struct slice
words_of(const struct job *job)
{
	const struct antispam_answers *seen = job->answers;
	struct buf out = buf_in(job->arena);

	buf_addf(&out, "spam with %u %%", seen->percent);
	for (size_t i = 0; i < seen->nreasons && i < 3; i++) {
		buf_adds(&out, i == 0 ? ": " : ", ");
		buf_add(&out, slice_sub(seen->reasons[i].words, 0, 60));
	}
	return buf_slice(&out);
}

/* The sender is not told why, nor how likely: he would try until it fits. */
static void
act(const struct job *job, struct verdict *v, int action)
{
	v->reason = words_of(job);
	v->rule = "spam";
	v->cause = CAUSE_SPAM;
	switch ((enum spam_action)action) {
	case SPAM_TAG:
		v->action = ACCEPT;
		v->cause = CAUSE_NONE;
		v->rule = "spam-tag";
		break;
	case SPAM_QUARANTINE:
		v->action = QUARANTINE;
		break;
	case SPAM_REJECT:
		v->action = REJECT;
		v->reply = SLICE("5.7.1 message is taken for spam");
		break;
	case SPAM_TEMPFAIL:
		v->action = TEMPFAIL;
		v->reply = SLICE("4.7.1 message is taken for spam, try later");
		break;
	case SPAM_DISCARD:
		v->action = DISCARD;
		break;
	}
}

static bool
wants_tag(const struct antispam_answers *seen,
    const struct antispam_conf *conf)
{
	return seen->percent >= conf->tag_at ||
	    (seen->percent >= conf->act_at && conf->action == SPAM_TAG);
}

/* Lists come first. True: they have decided. */
static bool
judge_listed(const struct job *job, const struct antispam_own *own,
    struct verdict *v)
{
	const struct spam_listed *l = &own->listed;

	if (l->what == LISTED_NOT)
		return false;
	if (l->what == LISTED_BLOCK)
		act(job, v, own->conf.blocked);
	v->rule = l->what == LISTED_BLOCK ? "blocked" : "allowed";
	v->reason = arena_printf(job->arena, "the sender is on %s list: %.*s",
	    l->what == LISTED_BLOCK ? "a block" : "an allow",
	    SLICE_ARG(l->entry));
	if (v->action == REJECT)
		v->reply = SLICE("5.7.1 sender is not wanted here");
	return true;
}

/* What is done for one of whom these options are; true: his copy is marked. */
static bool
judge_one(const struct job *job, const struct antispam_own *own,
    struct verdict *v)
{
	const struct antispam_answers *seen = job->answers;
	const struct antispam_conf *conf = job->conf;
	bool in = job->direction == DIRECTION_IN;
	unsigned at = in ? own->conf.act_at : own->conf.out_at;
	int action = in ? own->conf.action : own->conf.out_action;

	if (in && judge_listed(job, own, v))
		return own->listed.what == LISTED_BLOCK &&
		    v->action == ACCEPT;
	if (seen->percent >= at)
		act(job, v, action);
	else if (in && wants_tag(seen, &own->conf))
		act(job, v, SPAM_TAG);
	else
		return false;
	v->scope = job_decided(job, &own->who, in ? "act_at" : "outbound_at",
	    conf->scopes);
	return v->action == ACCEPT;
}

/* ---- the message ---- */

static const char field_name[] = "X-Gatehouse-Spam";

static void
add_field(const struct job *job, struct plan *p)
{
	const struct antispam_answers *seen = job->answers;
	struct buf out = buf_in(job->arena);

	buf_addf(&out, " %u %%", seen->percent);
	for (size_t i = 0; i < seen->nreasons; i++) {
		struct slice words = seen->reasons[i].words;

		buf_adds(&out, i == 0 ? ";\r\n\t" : ",\r\n\t");
		for (size_t k = 0; k < words.len && k < 60; k++)
			buf_addc(&out, words.ptr[k] > ' ' &&
			    words.ptr[k] < 0x7f ? words.ptr[k] : '_');
		buf_addf(&out, " %+.1f", seen->reasons[i].weight);
	}
	patch_insert(&p->edits, slice_of(field_name), buf_slice(&out));
}

/* What the message brings under our name is a lie, or of yesterday. */
static void
remove_fields(const struct job *job, struct plan *p)
{
	const struct message *msg = job->msg;

	for (size_t i = msg->nfields; i > 0; i--)
		if (slice_eq_nocase(msg->fields[i - 1].name,
		    slice_of(field_name)))
			patch_delete(&p->edits, i - 1);
}

static void
add_facts(const struct job *job, struct plan *p)
{
	const struct antispam_answers *seen = job->answers;
	struct buf reasons = buf_in(job->arena);

	plan_fact(p, "gatehouse.spam.percent", arena_printf(job->arena, "%u",
	    seen->percent));
	plan_fact(p, "gatehouse.spam.score", arena_printf(job->arena, "%.2f",
	    seen->score));
	for (size_t i = 0; i < seen->nreasons; i++)
		buf_addf(&reasons, "%s%.*s %+.2f", i == 0 ? "" : "; ",
		    SLICE_ARG(seen->reasons[i].words),
		    seen->reasons[i].weight);
	if (reasons.len > 0)
		plan_fact(p, "gatehouse.spam.reasons", buf_slice(&reasons));
	plan_finding(p, "percent", arena_printf(job->arena, "%u",
	    seen->percent));
}

/* Inbound: each recipient by his own settings. The mark is put where any of
 * them wants it; who wants another form gets it by the splitter. */
static void
judge_recipients(const struct job *job, struct plan *p)
{
	const struct antispam_answers *seen = job->answers;
	const struct envelope *e = job->envelope;
	const char *tag = "";

	for (size_t i = 0; i < e->nrecipients; i++) {
		if (!counts(&e->recipients[i]))
			continue;
		if (judge_one(job, &seen->own[i], plan_recipient(p, i)))
			tag = seen->own[i].conf.subject_tag;
	}
	if (tag[0] != '\0')
		subject_tag(p, job->msg, slice_of(tag));
}

struct plan *
antispam_decide(const struct job *job)
{
	const struct antispam_answers *seen = job->answers;
	const struct antispam_conf *conf = job->conf;
	struct plan *p = plan_new(job->arena, job->msg);

	plan_accept(p, "none", arena_printf(job->arena, "spam with %u %%",
	    seen->percent));
	add_facts(job, p);
	remove_fields(job, p);
	if (job->direction == DIRECTION_IN) {
		judge_recipients(job, p);
		if (conf->header)
			add_field(job, p);
	} else {
		judge_one(job, &seen->own[0], &p->all);
	}
	return p;
}
