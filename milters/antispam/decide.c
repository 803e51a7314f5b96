#include "decide.h"

#include <stdio.h>
#include <string.h>

#include "graymail_check.h"
#include "outbound.h"
#include "nets.h"
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
	struct antispam_answers *seen = job->answers;
	struct spam_look look = { .job = job, .msg = job->msg,
	    .shared = shared, .conf = job->conf };

	nets_message(job);
	if (resolve(job, seen, why_r) != RC_OK)
		return RC_RETRY;
	if (antispam_judge(&look, seen, why_r) != RC_OK)
		return RC_RETRY;
	outbound_look(&look, seen);
	return RC_OK;
}

/* ---- one recipient ---- */

/* What a class of mail is called, and which options are about it. */
struct of_class {
	const char *rule, *tag_rule, *option, *words;
	enum cause cause;
};

static const struct of_class of_class[CLASSES] = {
	[CLASS_SPAM] = { "spam", "spam-tag", "act_at", "spam", CAUSE_SPAM },
	[CLASS_PHISHING] = { "phishing", "phishing-tag", "phishing_at",
	    "phishing", CAUSE_PHISHING },
	[CLASS_FRAUD] = { "fraud", "fraud-tag", "fraud_at", "fraud",
	    CAUSE_FRAUD },
	[CLASS_GRAYMAIL] = { "graymail", "graymail-tag", "graymail_at",
	    "graymail", CAUSE_GRAYMAIL },
};

static struct slice
words_of(const struct job *job, enum mail_class of)
{
	const struct antispam_answers *seen = job->answers;
	struct buf out = buf_in(job->arena);

	buf_addf(&out, "%s with %u %%", of_class[of].words,
	    seen->percent[of]);
	if (of == CLASS_GRAYMAIL) {
		buf_adds(&out, ": ");
		buf_add(&out, seen->gray.words);
	}
	for (size_t i = 0; of != CLASS_GRAYMAIL && i < seen->nreasons &&
	    i < 3; i++) {
		buf_adds(&out, i == 0 ? ": " : ", ");
		buf_add(&out, slice_sub(seen->reasons[i].words, 0, 120));
	}
	if (seen->missed.len > 0)
		buf_addf(&out, " (no answer: %.*s)", SLICE_ARG(seen->missed));
	return buf_slice(&out);
}

/* The sender is not told why, nor how likely: he would try until it fits. */
static void
act(const struct job *job, struct verdict *v, enum mail_class of, int action)
{
	v->reason = words_of(job, of);
	v->rule = of_class[of].rule;
	v->cause = of_class[of].cause;
	switch ((enum spam_action)action) {
	case SPAM_TAG:
		v->action = ACCEPT;
		v->cause = CAUSE_NONE;
		v->rule = of_class[of].tag_rule;
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

/* Lists come first. True: they have decided. */
static bool
judge_listed(const struct job *job, const struct antispam_own *own,
    struct verdict *v)
{
	const struct spam_listed *l = &own->listed;

	if (l->what == LISTED_NOT)
		return false;
	if (l->what == LISTED_BLOCK)
		act(job, v, CLASS_SPAM, own->conf.blocked);
	v->rule = l->what == LISTED_BLOCK ? "blocked" : "allowed";
	v->reason = arena_printf(job->arena, "the sender is on %s list: %.*s",
	    l->what == LISTED_BLOCK ? "a block" : "an allow",
	    SLICE_ARG(l->entry));
	if (v->action == REJECT)
		v->reply = SLICE("5.7.1 sender is not wanted here");
	return true;
}

/* That class is as likely as these options want it. */
static bool
at_least(const struct antispam_answers *seen, enum mail_class of, unsigned at)
{
	return seen->percent[of] > 0 && seen->percent[of] >= at;
}

/* The sender passes DMARC, and is one whose mail these options take for no
 * fraud. */
static bool
no_fraud(const struct antispam_answers *seen, const struct antispam_conf *own)
{
	return seen->from.dmarc && fraud_listed(&own->fraud_allow,
	    &seen->from);
}

static bool
fraud_at_least(const struct antispam_answers *seen,
    const struct antispam_conf *own)
{
	unsigned percent = own->reply_to_test ? seen->percent[CLASS_FRAUD] :
	    seen->straight;

	return percent > 0 && percent >= own->fraud_at && !no_fraud(seen, own);
}

/* What is done with inbound mail, and with which mark. True: it is of that
 * class for him. */
static bool
judge_class(const struct job *job, const struct antispam_conf *own,
    struct verdict *v, enum mail_class of, const char **tag)
{
	const struct antispam_answers *seen = job->answers;
	const struct {
		unsigned at;
		int action;
		const char *tag;
	} set[CLASSES] = {
		[CLASS_SPAM] = { own->act_at, own->action, own->subject_tag },
		[CLASS_PHISHING] = { own->phishing_at, own->phishing_action,
		    own->phishing_tag },
		[CLASS_FRAUD] = { own->fraud_at, own->fraud_action,
		    own->fraud_tag },
		[CLASS_GRAYMAIL] = { own->graymail_at, own->graymail_action,
		    own->graymail_tag },
	};

	if (of == CLASS_FRAUD ? !fraud_at_least(seen, own) :
	    !at_least(seen, of, set[of].at))
		return false;
	if (of == CLASS_SPAM && graymail_spared(job, seen->percent))
		return false;
	act(job, v, of, set[of].action);
	if (v->action == ACCEPT)
		*tag = set[of].tag;
	return true;
}

/* Lists, then what is worst, then how likely spam it is. The option that
 * decided, or NULL: nothing is done. */
static const char *
judge_in(const struct job *job, const struct antispam_own *own,
    struct verdict *v, const char **tag)
{
	const struct antispam_answers *seen = job->answers;
	static const enum mail_class order[] = { CLASS_FRAUD, CLASS_PHISHING,
	    CLASS_SPAM };

	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		if (judge_class(job, &own->conf, v, order[i], tag))
			return of_class[order[i]].option;
	if (at_least(seen, CLASS_SPAM, own->conf.tag_at)) {
		act(job, v, CLASS_SPAM, SPAM_TAG);
		*tag = own->conf.subject_tag;
		return "tag_at";
	}
	return judge_class(job, &own->conf, v, CLASS_GRAYMAIL, tag) ?
	    of_class[CLASS_GRAYMAIL].option : NULL;
}

/* What is done for one of whom these options are. *tag is set where his copy is
 * to be marked. */
static void
judge_one(const struct job *job, const struct antispam_own *own,
    struct verdict *v, const char **tag)
{
	const struct antispam_answers *seen = job->answers;
	const struct antispam_conf *conf = job->conf;
	const char *option = NULL;

	if (job->direction != DIRECTION_IN) {
		if (outbound_held(job, own, v)) {
			option = "outbound_burst_action";
		} else if (at_least(seen, CLASS_SPAM, own->conf.out_at)) {
			act(job, v, CLASS_SPAM, own->conf.out_action);
			option = "outbound_at";
		}
	} else if (judge_listed(job, own, v)) {
		if (own->listed.what == LISTED_BLOCK && v->action == ACCEPT)
			*tag = own->conf.subject_tag;
	} else {
		option = judge_in(job, own, v, tag);
	}
	if (option != NULL)
		v->scope = job_decided(job, &own->who, option, conf->scopes);
}

/* ---- the message ---- */

static const char field_name[] = "X-Gatehouse-Spam";

static void
add_field(const struct job *job, struct plan *p)
{
	const struct antispam_answers *seen = job->answers;
	struct buf out = buf_in(job->arena);

	buf_addf(&out, " %u %%", seen->percent[CLASS_SPAM]);
	for (int of = CLASS_SPAM + 1; of < CLASSES; of++)
		if (seen->percent[of] > 0)
			buf_addf(&out, ", %s %u %%", class_name(of),
			    seen->percent[of]);
	for (size_t i = 0; i < seen->nreasons; i++) {
		struct slice words = seen->reasons[i].words;

		buf_adds(&out, i == 0 ? ";\r\n\t" : ",\r\n\t");
		for (size_t k = 0; k < words.len && k < 100; k++)
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
	static const char *const keys[CLASSES] = { "gatehouse.spam.percent",
	    "gatehouse.spam.phishing", "gatehouse.spam.fraud",
	    "gatehouse.spam.graymail" };
	const struct antispam_answers *seen = job->answers;
	enum mail_class class = antispam_class(seen);
	struct buf reasons = buf_in(job->arena);

	for (int of = 0; of < CLASSES; of++)
		if (of == CLASS_SPAM || seen->percent[of] > 0)
			plan_fact(p, keys[of], arena_printf(job->arena, "%u",
			    seen->percent[of]));
	plan_fact(p, "gatehouse.spam.class", slice_of(class_name(class)));
	plan_fact(p, "gatehouse.spam.score", arena_printf(job->arena, "%.2f",
	    seen->score));
	for (size_t i = 0; i < seen->nreasons; i++)
		buf_addf(&reasons, "%s%.*s %+.2f", i == 0 ? "" : "; ",
		    SLICE_ARG(seen->reasons[i].words),
		    seen->reasons[i].weight);
	if (reasons.len > 0)
		plan_fact(p, "gatehouse.spam.reasons", buf_slice(&reasons));
	if (seen->missed.len > 0)
		plan_fact(p, "gatehouse.spam.missed", seen->missed);
	if (seen->account.blocked)
		plan_fact(p, seen->account.begins ? "gatehouse.spam.burst" :
		    "gatehouse.spam.account", seen->account.words);
	graymail_tell(p, &seen->gray);
	plan_finding(p, "percent", arena_printf(job->arena, "%u",
	    seen->percent[CLASS_SPAM]));
	plan_finding(p, "class", slice_of(class_name(class)));
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
		judge_one(job, &seen->own[i], plan_recipient(p, i), &tag);
	}
	if (tag[0] != '\0')
		subject_tag(p, job->msg, slice_of(tag));
}

/* A draft for the spam check (gatehouse-spamcheck) goes to nobody else: it is
 * what its sender wants judged, and held it would never be. */
static bool
is_draft(const struct job *job)
{
	const struct envelope *e = job->envelope;
	bool any = false;

	for (size_t i = 0; i < e->nrecipients; i++) {
		if (!counts(&e->recipients[i]))
			continue;
		if (!conf_list_has_nocase(&job->house->spamcheck,
		    e->recipients[i].address))
			return false;
		any = true;
	}
	return any;
}

struct plan *
antispam_decide(const struct job *job)
{
	const struct antispam_answers *seen = job->answers;
	const struct antispam_conf *conf = job->conf;
	struct plan *p = plan_new(job->arena, job->msg);
	const char *none = "";

	plan_accept(p, is_draft(job) ? "spamcheck" : "none",
	    words_of(job, CLASS_SPAM));
	add_facts(job, p);
	remove_fields(job, p);
	if (is_draft(job))
		return p;
	if (job->direction == DIRECTION_IN) {
		judge_recipients(job, p);
		if (conf->header)
			add_field(job, p);
	} else {
		judge_one(job, &seen->own[0], &p->all, &none);
	}
	return p;
}
