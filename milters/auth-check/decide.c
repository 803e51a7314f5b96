#include "decide.h"

#include "authres.h"

/* What decided: one identity, its result, and what is done about it. */
struct finding_of {
	enum auth_action action;
	const char *rule;
	bool helo;
	const struct spf_answer *answer;
};

static const char *
rule_of(enum spf_result result)
{
	static const char *const rules[] = { "spf-none", "spf-neutral",
	    "spf-pass", "spf-softfail", "spf-fail", "spf-temperror",
	    "spf-permerror", "spf-temperror" };

	return rules[result];
}

/* MAIL FROM decides, unless the HELO name failed and that weighs more. */
static struct finding_of
strongest(const struct auth_check_conf *conf, const struct auth_answers *seen)
{
	struct finding_of f = { .action = AUTH_ACCEPT, .rule = "spf-helo",
	    .helo = true, .answer = &seen->helo_answer };

	if (seen->mail)
		f = (struct finding_of){
		    .action = auth_check_action(conf, seen->mail_answer.result),
		    .rule = rule_of(seen->mail_answer.result),
		    .answer = &seen->mail_answer };
	if (seen->helo && seen->helo_answer.result == SPF_FAIL &&
	    (!seen->mail || (enum auth_action)conf->spf_helo_fail > f.action))
		f = (struct finding_of){
		    .action = (enum auth_action)conf->spf_helo_fail,
		    .rule = "spf-helo-fail", .helo = true,
		    .answer = &seen->helo_answer };
	return f;
}

/*
 * "5.7.23 SPF fail: ..." (RFC 7372, 3.2). What the domain itself wants said
 * stands behind its name: it is not our word (RFC 7208, 6.2).
 */
static struct slice
reply(struct arena *a, const struct finding_of *f, char class)
{
	const struct spf_answer *r = f->answer;
	bool error = r->result == SPF_TEMPERROR || r->result == SPF_PERMERROR;
	struct buf out = buf_in(a);

	buf_addf(&out, "%c.7.%s SPF %s%s: %.*s", class, error ? "24" : "23",
	    f->helo ? "HELO " : "", spf_result_name(r->result),
	    SLICE_ARG(r->reason));
	if (r->explanation.len > 0)
		buf_addf(&out, "; %.*s says: %.*s", SLICE_ARG(r->decided),
		    SLICE_ARG(r->explanation));
	return buf_slice(&out);
}

static bool
from_trusted(const struct job *job)
{
	const struct auth_check_conf *conf = job->conf;

	return conf_nets_hold(&conf->authres_trusted, &job->client->ip);
}

/* Fields that claim to be ours, highest first (PITFALLS, L12). */
static unsigned
remove_forged(const struct job *job, struct plan *p)
{
	const struct auth_check_conf *conf = job->conf;
	const struct message *m = job->msg;
	struct slice *ids = arena_array(job->arena,
	    conf->authres_names.count + 1, sizeof *ids);
	unsigned removed = 0;

	ids[0] = slice_of(job->house->authserv_id);
	for (size_t i = 0; i < conf->authres_names.count; i++)
		ids[i + 1] = conf->authres_names.items[i];
	for (size_t i = m->nfields; i-- > 0;) {
		const struct field *f = &m->fields[i];
		enum authres_claim claim = AUTHRES_OTHER;

		if (slice_eq_nocase(f->name, SLICE("Authentication-Results")))
			claim = authres_claim(job->arena, f->body, ids,
			    conf->authres_names.count + 1);
		else if (slice_eq_nocase(f->name, slice_of(conf->tag_header)))
			claim = AUTHRES_OURS;
		if (claim == AUTHRES_OURS || (claim == AUTHRES_BROKEN &&
		    conf->authres_broken == AUTH_BROKEN_REMOVE))
			removed += patch_delete(&p->edits, i);
	}
	return removed;
}

static void
add_method(struct authres *w, const struct spf_answer *r, bool helo,
    const struct job *job)
{
	struct slice local;
	size_t at = slice_find_last(job->envelope->sender, '@');

	authres_result(w, "spf", spf_result_name(r->result));
	if (r->result != SPF_PASS && r->result != SPF_NONE)
		authres_reason(w, r->reason);
	if (helo) {
		authres_value(w, "smtp.helo", job->client->helo);
		return;
	}
	if (at == job->envelope->sender.len) {
		authres_value(w, "smtp.mailfrom", job->envelope->sender);
		return;
	}
	local = slice_sub(job->envelope->sender, 0, at);
	authres_address(w, "smtp.mailfrom", local, r->domain);
}

/* MAIL FROM first: of two results of one method some readers take the first. */
static void
add_results(const struct job *job, struct plan *p,
    const struct auth_answers *seen)
{
	struct authres w;
	bool null_path = job->envelope->sender.len == 0;

	authres_begin(&w, job->arena, slice_of(job->house->authserv_id));
	if (seen->mail)
		add_method(&w, &seen->mail_answer, null_path, job);
	if (seen->helo)
		add_method(&w, &seen->helo_answer, true, job);
	patch_insert(&p->edits, SLICE("Authentication-Results"),
	    authres_end(&w));
}

static void
add_tag(const struct job *job, struct plan *p, const struct finding_of *f)
{
	const struct auth_check_conf *conf = job->conf;
	struct slice words = arena_printf(job->arena, "%s (%.*s)", f->rule,
	    SLICE_ARG(f->answer->reason));

	patch_insert(&p->edits, slice_of(conf->tag_header),
	    authres_fold(job->arena, conf->tag_header, words));
	plan_finding(p, "tag", slice_of(f->rule));
}

static void
tell_mail(struct plan *p, const struct auth_answers *seen)
{
	const struct spf_answer *r = &seen->mail_answer;
	struct slice result = slice_of(spf_result_name(r->result));

	plan_finding(p, "spf", result);
	plan_finding(p, "spf-domain", r->domain);
	plan_fact(p, "gatehouse.spf.result", result);
	plan_fact(p, "gatehouse.spf.domain", r->domain);
	plan_fact(p, "gatehouse.spf.mechanism", r->mechanism);
	plan_fact(p, "gatehouse.spf.reason", r->reason);
	plan_fact(p, "gatehouse.spf.lookups",
	    arena_printf(p->arena, "%u", r->lookups));
	plan_fact(p, "gatehouse.spf.void_lookups",
	    arena_printf(p->arena, "%u", r->voids));
	plan_fact(p, "gatehouse.spf.waited_ms",
	    arena_printf(p->arena, "%lld", (long long)(seen->waited / 1000)));
}

static void
tell_helo(struct plan *p, const struct spf_answer *r)
{
	struct slice result = slice_of(spf_result_name(r->result));

	plan_finding(p, "helo", result);
	plan_finding(p, "helo-domain", r->domain);
	plan_fact(p, "gatehouse.spf.helo.result", result);
	plan_fact(p, "gatehouse.spf.helo.domain", r->domain);
	plan_fact(p, "gatehouse.spf.helo.reason", r->reason);
}

static struct plan *
act(const struct job *job, struct plan *p, const struct finding_of *f)
{
	struct slice reason = f->answer->reason;

	switch (f->action) {
	case AUTH_REJECT:
		return plan_reject(p, f->rule, reason,
		    reply(job->arena, f, '5'));
	case AUTH_TEMPFAIL:
		return plan_tempfail(p, f->rule, reason,
		    reply(job->arena, f, '4'));
	case AUTH_QUARANTINE:
		return plan_quarantine(p, f->rule, reason);
	case AUTH_TAG:
		add_tag(job, p, f);
		break;
	case AUTH_ACCEPT:
		break;
	}
	return plan_accept(p, f->rule, reason);
}

/* Why nothing was asked, in plain words. */
static struct slice
skipped_reason(const struct auth_answers *seen)
{
	static const struct { const char *rule, *reason; } reasons[] = {
		{ "outbound", "mail of our own is not checked" },
		{ "local", "it did not come over the network" },
		{ "trusted", "the client is one of trusted_networks" },
		{ "spf-off", "SPF is switched off" },
	};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (slice_eq(slice_of(reasons[i].rule),
		    slice_of(seen->skipped)))
			return slice_of(reasons[i].reason);
	return SLICE("nothing was asked");
}

struct plan *
auth_check_decide(const struct job *job)
{
	const struct auth_answers *seen = job->answers;
	struct plan *p = plan_new(job->arena, job->msg);
	struct finding_of f;
	unsigned removed;

	plan_coverage(p, SLICE("envelope and header"));
	if (job->direction == DIRECTION_OUT)
		return plan_accept(p, seen->skipped, skipped_reason(seen));
	removed = from_trusted(job) ? 0 : remove_forged(job, p);
	plan_fact(p, "gatehouse.authres.removed",
	    arena_printf(job->arena, "%u", removed));
	if (seen->ask == NULL)
		return plan_accept(p, seen->skipped, skipped_reason(seen));
	f = strongest(job->conf, seen);
	if (seen->mail)
		tell_mail(p, seen);
	if (seen->helo)
		tell_helo(p, &seen->helo_answer);
	act(job, p, &f);
	add_results(job, p, seen);
	return p;
}
