#include "t/probe/probe.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct probe_conf {
	struct scopes *scopes;
	bool strip;
	int verdict;
	unsigned together;
	int64_t delay;
	const char *mark;
	const char *cause;
};

#define PLACE(field)	offsetof(struct probe_conf, field)

static const char *const verdicts[] = { "accept", "reject", "quarantine",
	"discard", NULL };

static const struct conf_option options[] = {
	{ "scope", CONF_SCOPES, PLACE(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },
	{ "strip", CONF_BOOL | CONF_SCOPED | CONF_FORM, PLACE(strip), "false",
	  0, 0, "Each \"probe\" in the body becomes \"PROBE!\".", NULL },
	{ "verdict", CONF_ENUM | CONF_SCOPED, PLACE(verdict), "accept", 0, 0,
	  "What becomes of mail for him.", verdicts },
	{ "together", CONF_COUNT, PLACE(together), "0", 0, 100000,
	  "ask waits until so many messages are in it at the same time, or "
	  "its deadline is near.", NULL },
	{ "delay", CONF_TIME, PLACE(delay), "0ms", 0, 600000,
	  "How long ask waits then.", NULL },
	{ "mark", CONF_STRING | CONF_SCOPED | CONF_FORM, PLACE(mark), "", 0, 100,
	  "Value of an X-Mark field put on top of each message; empty: none.",
	  NULL },
	{ "cause", CONF_STRING, PLACE(cause), "", 0, 100,
	  "Cause of what is held, whatever the message says; empty: that.",
	  NULL },
	{ .name = NULL }
};

/* How many messages were in ask at the same time. */
static atomic_uint inside, most;

/* The words of all X-Probe fields that are for this filter. */
struct words {
	const struct job *job;
	size_t field;			/* the next one to look at */
	struct slice rest;
};

static bool
next_word(struct words *w, struct slice *word_r)
{
	const struct message *m = w->job->msg;
	struct slice name = slice_of(w->job->filter);

	for (;;) {
		struct slice own;

		while (w->rest.ptr == NULL) {
			if (w->field == m->nfields)
				return false;
			if (slice_eq_nocase(m->fields[w->field].name,
			    SLICE("X-Probe")))
				w->rest = m->fields[w->field].body;
			w->field++;
		}
		*word_r = slice_trim(slice_cut(w->rest, ' ', &w->rest));
		if (!slice_has(*word_r, '/'))
			return true;
		struct slice whose = slice_cut(*word_r, '/', &own);

		if (slice_eq(whose, name) || (w->job->pass == 2 &&
		    slice_eq(whose, SLICE("second")))) {
			*word_r = own;
			return true;
		}
	}
}

/* answers is there when the body may stay away. */
static void
field(struct job *job, struct slice name, struct slice body)
{
	if (!slice_eq_nocase(name, SLICE("X-Probe")))
		return;
	while (body.ptr != NULL)
		if (slice_eq(slice_trim(slice_cut(body, ' ', &body)),
		    SLICE("skip")))
			job->answers = job->arena;
}

static bool
wants_body(const struct job *job)
{
	return job->answers == NULL;
}

static bool
asked_for(const struct job *job, const char *word)
{
	struct words words = { .job = job };
	struct slice w;

	while (next_word(&words, &w))
		if (slice_eq(w, slice_of(word)))
			return true;
	return false;
}

/* A session that had to wait for another one to end would never be met. */
static void
meet(const struct job *job)
{
	const struct probe_conf *conf = job->conf;
	unsigned now = atomic_fetch_add(&inside, 1) + 1;
	unsigned seen = atomic_load(&most);

	while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
		;
	while (atomic_load(&most) < conf->together &&
	    deadline_left(job->deadline) > 1000)
		poll(NULL, 0, 5);
}

static enum rc
ask(struct job *job, struct slice *why_r)
{
	const struct probe_conf *conf = job->conf;
	enum rc rc = RC_OK;

	meet(job);
	if (conf->delay > 0)
		poll(NULL, 0, (int)conf->delay);
	if (asked_for(job, "late"))
		poll(NULL, 0, (int)deadline_left(job->deadline) + 50);
	while (asked_for(job, "hang"))
		poll(NULL, 0, 1000);
	if (asked_for(job, "crash"))
		raise(SIGKILL);
	if (asked_for(job, "trouble")) {
		*why_r = SLICE("asked for trouble");
		rc = RC_RETRY;
	}
	atomic_fetch_sub(&inside, 1);
	return rc;
}

static void
edit_fields(const struct job *job, struct plan *p)
{
	const struct message *m = job->msg;

	for (size_t i = 0; i < m->nfields; i++) {
		if (asked_for(job, "change") &&
		    slice_eq_nocase(m->fields[i].name, SLICE("X-Change")))
			patch_change(&p->edits, i,
			    SLICE(" changed\r\n\tand folded"));
		if (asked_for(job, "delete") &&
		    slice_eq_nocase(m->fields[i].name, SLICE("X-Delete")))
			patch_delete(&p->edits, i);
	}
	if (asked_for(job, "append"))
		patch_append(&p->edits, SLICE("X-Appended"), SLICE(" by probe"));
	if (asked_for(job, "insert"))
		patch_insert(&p->edits, SLICE("X-Inserted"), SLICE(" by probe"));
}

static void
edit_body(const struct job *job, struct plan *p, bool strip)
{
	struct slice body = job->msg->body;
	size_t at = 0;

	if (asked_for(job, "empty")) {
		patch_body(&p->edits, 0, body.len, SLICE(""));
		return;
	}
	if (asked_for(job, "grow"))
		patch_body(&p->edits, body.len, 0, body);
	while ((strip || asked_for(job, "body")) && at < body.len) {
		at += slice_search(slice_after(body, at), SLICE("probe"));
		if (at < body.len)
			patch_body(&p->edits, at, 5, SLICE("PROBE!"));
		at += 5;
	}
}

static void
edit_envelope(const struct job *job, struct plan *p)
{
	if (asked_for(job, "sender"))
		plan_sender(p, SLICE("probe@example.net"));
	if (asked_for(job, "recipient") && job->envelope->nrecipients > 0)
		plan_rewrite_recipient(p,
		    job->envelope->recipients[0].address,
		    SLICE("other@example.net"));
}

/* ACTION:ADDRESS or ACTION:ADDRESS:CAUSE, for one recipient. */
static void
for_one(const struct job *job, struct plan *p, struct slice word)
{
	struct slice what = slice_cut(word, ':', &word);
	struct slice address = slice_cut(word, ':', &word);
	enum action action = QUARANTINE;

	if (!slice_eq(what, SLICE("hold")) && !action_parse(what, &action))
		return;
	for (size_t i = 0; i < job->envelope->nrecipients; i++) {
		struct verdict *v;

		if (!slice_eq(job->envelope->recipients[i].address, address))
			continue;
		v = plan_recipient(p, i);
		v->action = action;
		v->rule = "probe-one";
		v->reason = SLICE("asked for this one");
		v->cause = CAUSE_NONE;
		if (word.ptr != NULL)
			cause_parse(word, &v->cause);
	}
}

static void
recipients(const struct job *job, struct plan *p)
{
	const struct probe_conf *conf = job->conf;
	struct words words = { .job = job };
	struct slice w;

	cause_parse(slice_of(conf->cause), &p->all.cause);
	while (next_word(&words, &w)) {
		if (slice_starts(w, SLICE("cause:")) && conf->cause[0] == '\0')
			cause_parse(slice_after(w, 6), &p->all.cause);
		else if (slice_has(w, ':'))
			for_one(job, p, w);
	}
}

static struct plan *
verdict(const struct job *job, struct plan *p)
{
	if (asked_for(job, "reject"))
		return plan_reject(p, "reject", SLICE("asked to reject"),
		    SLICE("5.7.1 refused by probe"));
	if (asked_for(job, "tempfail"))
		return plan_tempfail(p, "tempfail", SLICE("asked to defer"),
		    SLICE("4.7.1 deferred by probe"));
	if (asked_for(job, "discard"))
		return plan_discard(p, "discard", SLICE("asked to discard"));
	if (asked_for(job, "hold"))
		return plan_quarantine(p, "hold", SLICE("asked to hold"));
	if (asked_for(job, "mixed"))
		plan_recipient(p, 0)->action = QUARANTINE;
	return plan_accept(p, "accept", SLICE("nothing asked"));
}

/* What is set for that recipient. */
static struct probe_conf
set_for(const struct job *job, struct slice address)
{
	const struct probe_conf *conf = job->conf;
	struct probe_conf own = *conf;
	struct policy_who who;
	struct slice why;

	if (job_settings(job, address, options, conf->scopes, sizeof own,
	    &own, &who, &why) != RC_OK)
		own.mark = "trouble";
	return own;
}

static void
by_policy(const struct job *job, struct plan *p)
{
	static const enum action actions[] = { ACCEPT, REJECT, QUARANTINE,
	    DISCARD };
	const struct envelope *e = job->envelope;

	for (size_t i = 0; i < e->nrecipients; i++) {
		int verdict = set_for(job, e->recipients[i].address).verdict;
		struct verdict *v;

		if (verdict == 0)
			continue;
		v = plan_recipient(p, i);
		v->action = actions[verdict];
		v->rule = "probe-policy";
		v->reason = SLICE("so it is set for him");
		v->reply = SLICE("5.7.1 refused by policy");
	}
}

static struct plan *
decide(const struct job *job)
{
	const struct envelope *e = job->envelope;
	struct probe_conf own = set_for(job, e->nrecipients > 0 ?
	    e->recipients[0].address : SLICE("")), *conf = &own;
	struct plan *p = plan_new(job->arena, job->msg);
	bool body = strcmp(job->filter, "probe-head") != 0;

	plan_fact(p, "gatehouse.probe.together", arena_printf(job->arena,
	    "%u", atomic_load(&most)));
	plan_fact(p, "gatehouse.probe.found", job_finding(job,
	    SLICE("probe-head"), SLICE("probe")));
	plan_coverage(p, body ? SLICE("whole message") : SLICE("headers"));
	if (conf->mark[0] != '\0')
		patch_insert(&p->edits, SLICE("X-Mark"), arena_printf(
		    job->arena, " %s", conf->mark));
	if (asked_for(job, "finding"))
		plan_finding(p, "probe", SLICE("a;b=c%\r\n\xc3\xa9"));
	edit_fields(job, p);
	if (body)
		edit_body(job, p, conf->strip);
	else if (asked_for(job, "forbidden"))
		patch_body(&p->edits, 0, 0, SLICE("x"));
	edit_envelope(job, p);
	p = verdict(job, p);
	recipients(job, p);
	by_policy(job, p);
	return p;
}

const struct filter probe_filter = {
	.name = "probe", .options = options,
	.conf_size = sizeof(struct probe_conf),
	.needs = NEED_BODY | EDITS_HEADERS | EDITS_BODY | EDITS_ENVELOPE |
	    HOLDS,
	.ask = ask, .decide = decide,
};

const struct filter probe_head_filter = {
	.name = "probe-head", .options = options,
	.conf_size = sizeof(struct probe_conf),
	.needs = EDITS_HEADERS | EDITS_ENVELOPE | HOLDS,
	.ask = ask, .decide = decide,
};

const struct filter probe_light_filter = {
	.name = "probe-light", .options = options,
	.conf_size = sizeof(struct probe_conf),
	.needs = NEED_BODY | EDITS_HEADERS | EDITS_BODY | EDITS_ENVELOPE |
	    HOLDS,
	.field = field, .wants_body = wants_body,
	.ask = ask, .decide = decide,
};
