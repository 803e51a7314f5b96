#include "decide_part.h"

enum { RUA_MAX = 4000 };		/* bytes of report addresses told */

/* ---- what is done about a policy ---- */

static bool
list_passed(const struct job *job)
{
	const struct auth_check_conf *conf = job->conf;
	const struct auth_answers *seen = job->answers;

	if (seen->mail && seen->mail_answer.result == SPF_PASS &&
	    conf_list_has_nocase(&conf->dmarc_lists, seen->mail_answer.domain))
		return true;
	for (size_t i = 0; i < seen->nsignatures; i++)
		if (seen->signatures[i].result == DKIM_PASS &&
		    conf_list_has_nocase(&conf->dmarc_lists,
		    seen->signatures[i].domain))
			return true;
	return false;
}

static void
soften(const struct auth_check_conf *conf, struct dmarc_outcome *o)
{
	if (conf->dmarc_policy == AUTH_FOLLOW)
		return;
	o->policy = conf->dmarc_policy == AUTH_SOFTEN &&
	    o->policy == DMARC_REJECT ? DMARC_QUARANTINE : DMARC_NO_POLICY;
	o->override = DMARC_LOCAL_POLICY;
	o->option = "dmarc_policy";
	o->comment = conf->dmarc_policy == AUTH_SOFTEN ?
	    SLICE("policies are softened here") :
	    SLICE("policies are not applied here");
}

/* Reasons to do less than is asked for, the surest first. */
static void
relax(const struct job *job, struct dmarc_outcome *o)
{
	const struct auth_check_conf *conf = job->conf;
	const struct auth_answers *seen = job->answers;
	struct slice comment;

	if (conf_nets_hold(&conf->dmarc_forwarders, &job->client->ip)) {
		o->policy = DMARC_NO_POLICY;
		o->override = DMARC_TRUSTED_FORWARDER;
		o->option = "dmarc_forwarders";
		o->comment = SLICE("the client is one of dmarc_forwarders");
	} else if (list_passed(job)) {
		o->policy = DMARC_NO_POLICY;
		o->override = DMARC_MAILING_LIST;
		o->option = "dmarc_lists";
		o->comment = SLICE("it comes from one of dmarc_lists");
	} else if (arc_vouches(job, seen->policy.domain, &comment)) {
		o->policy = DMARC_NO_POLICY;
		o->override = DMARC_LOCAL_POLICY;
		o->option = "arc_trusted";
		o->comment = comment;
	} else {
		soften(conf, o);
	}
}

static enum auth_action
action_of(const struct auth_check_conf *conf, enum dmarc_policy policy)
{
	switch (policy) {
	case DMARC_REJECT:
		return (enum auth_action)conf->dmarc_reject;
	case DMARC_QUARANTINE:
		return (enum auth_action)conf->dmarc_quarantine;
	case DMARC_NO_POLICY:
		break;
	}
	return (enum auth_action)conf->dmarc_none;
}

static const char *
option_of(enum dmarc_policy policy)
{
	return policy == DMARC_REJECT ? "dmarc_reject" :
	    policy == DMARC_QUARANTINE ? "dmarc_quarantine" : "dmarc_none";
}

/* Of a temperror nobody knows whether it is a fail; unless there would be
 * nothing to do about one. */
static enum auth_action
temperror_action(const struct auth_check_conf *conf,
    const struct dmarc_answer *r, const char **option_r)
{
	*option_r = r->found ? "dmarc_temperror" : "dmarc_temperror_unknown";
	if (!r->found)
		return (enum auth_action)conf->dmarc_temperror_unknown;
	if (r->published == DMARC_NO_POLICY ||
	    conf->dmarc_policy == AUTH_IGNORE) {
		*option_r = "dmarc_policy";
		return AUTH_ACCEPT;
	}
	return (enum auth_action)conf->dmarc_temperror;
}

void
dmarc_outcome(const struct job *job, struct dmarc_outcome *o)
{
	const struct auth_check_conf *conf = job->conf;
	const struct auth_answers *seen = job->answers;
	const struct dmarc_answer *r = &seen->policy;
	enum dmarc_policy ours;

	*o = (struct dmarc_outcome){ .policy = r->policy,
	    .override = r->override, .comment = SLICE(""),
	    .action = AUTH_ACCEPT };
	if (r->result == DMARC_TEMPERROR)
		o->action = temperror_action(conf, r, &o->option);
	else if (r->result == DMARC_PERMERROR)
		o->action = (enum auth_action)conf->dmarc_permerror;
	if (r->result == DMARC_PERMERROR)
		o->option = "dmarc_permerror";
	if (r->result != DMARC_FAIL)
		return;
	if (auth_check_override(conf, r->domain, &ours)) {
		if (ours != r->policy) {
			o->override = DMARC_LOCAL_POLICY;
			o->option = "dmarc_overrides";
			o->comment = SLICE("one of dmarc_overrides");
		}
		o->policy = ours;
	} else if (r->policy != DMARC_NO_POLICY) {
		relax(job, o);
	}
	o->action = action_of(conf, o->policy);
	if (o->option == NULL)
		o->option = option_of(o->policy);
	/* Who is let through on purpose is not tagged for what he failed. */
	if (o->policy == DMARC_NO_POLICY && o->comment.len > 0)
		o->action = AUTH_ACCEPT;
}

/* ---- judgement ---- */

static const char *
rule_of_fail(const struct dmarc_outcome *o)
{
	if (o->override == DMARC_TRUSTED_FORWARDER)
		return "dmarc-trusted-forwarder";
	if (o->override == DMARC_MAILING_LIST)
		return "dmarc-mailing-list";
	if (o->policy == DMARC_REJECT)
		return "dmarc-reject";
	if (o->policy == DMARC_QUARANTINE)
		return "dmarc-quarantine";
	return o->override == DMARC_LOCAL_POLICY ? "dmarc-local-policy" :
	    "dmarc-fail";
}

static const char *
rule_of(const struct auth_answers *seen, const struct dmarc_outcome *o)
{
	switch (seen->policy.result) {
	case DMARC_PASS:
		return "dmarc-pass";
	case DMARC_FAIL:
		return rule_of_fail(o);
	case DMARC_PERMERROR:
		return seen->from.state == FROM_ONE ? "dmarc-permerror" :
		    "dmarc-from";
	case DMARC_TEMPERROR:
	case DMARC_PENDING:
	case DMARC_NONE:
		break;
	}
	return "dmarc-temperror";
}

static struct slice
reason(const struct job *job, const struct dmarc_outcome *o)
{
	const struct auth_answers *seen = job->answers;

	if (o->comment.len == 0)
		return seen->policy.reason;
	return arena_printf(job->arena, "%.*s; policy %s: %.*s",
	    SLICE_ARG(seen->policy.reason), dmarc_policy_name(o->policy),
	    SLICE_ARG(o->comment));
}

/* "DMARC reject: example.com asks ..."; the policy is the one that is done,
 * which may be ours. */
static struct slice
text(const struct job *job, const struct dmarc_outcome *o)
{
	const struct auth_answers *seen = job->answers;
	const struct dmarc_answer *r = &seen->policy;

	if (r->result != DMARC_FAIL)
		return arena_printf(job->arena, "DMARC %s: %.*s",
		    dmarc_result_name(r->result), SLICE_ARG(r->reason));
	if (o->override == DMARC_LOCAL_POLICY)
		return arena_printf(job->arena, "DMARC %s: mail of %.*s that "
		    "fails DMARC is not taken here: %.*s",
		    dmarc_policy_name(o->policy), SLICE_ARG(r->domain),
		    SLICE_ARG(r->reason));
	return arena_printf(job->arena, "DMARC %s: %.*s asks to %s mail that "
	    "fails DMARC (%s=%s): %.*s", dmarc_policy_name(o->policy),
	    SLICE_ARG(r->record_domain), r->published == DMARC_REJECT ?
	    "reject" : r->published == DMARC_QUARANTINE ? "quarantine" :
	    "report", dmarc_source_name(r->source),
	    dmarc_policy_name(r->published), SLICE_ARG(r->reason));
}

/* Nothing is said about it, unless something is to be done. */
static bool
no_policy(const struct job *job, struct judgement *j_r)
{
	const struct auth_check_conf *conf = job->conf;
	const struct auth_answers *seen = job->answers;

	*j_r = (struct judgement){ .rule = "dmarc-none", .code = "7.1",
	    .option = "dmarc_missing",
	    .action = (enum auth_action)conf->dmarc_missing,
	    .reason = seen->policy.reason,
	    .text = arena_printf(job->arena, "DMARC none: %.*s: %.*s",
	    SLICE_ARG(seen->policy.domain), SLICE_ARG(seen->policy.reason)) };
	return j_r->action != AUTH_ACCEPT;
}

bool
dmarc_judge(const struct job *job, struct judgement *j_r)
{
	const struct auth_answers *seen = job->answers;
	struct dmarc_outcome o;

	if (seen->policy.result == DMARC_NONE)
		return no_policy(job, j_r);
	dmarc_outcome(job, &o);
	*j_r = (struct judgement){ .action = o.action,
	    .rule = rule_of(seen, &o), .option = o.option,
	    .reason = reason(job, &o),
	    .code = "7.1", .text = text(job, &o) };
	return true;
}

/* ---- what is told ---- */

void
dmarc_results(const struct job *job, struct authres *w)
{
	const struct auth_answers *seen = job->answers;
	const struct dmarc_answer *r = &seen->policy;
	struct dmarc_outcome o;

	authres_result(w, "dmarc", dmarc_result_name(r->result));
	if (r->result != DMARC_PASS && r->result != DMARC_NONE) {
		dmarc_outcome(job, &o);
		authres_reason(w, reason(job, &o));
	}
	if (r->domain.len > 0)
		authres_value(w, "header.from", r->domain);
	if (r->found)
		authres_value(w, "policy.dmarc",
		    slice_of(dmarc_policy_name(r->published)));
}

/* fo=, as it is written. */
static struct slice
fo_of(struct arena *a, unsigned fo)
{
	static const char letters[] = "01ds";
	struct buf out = buf_in(a);

	for (unsigned i = 0; i < 4; i++)
		if (fo & (1u << i))
			buf_addf(&out, "%s%c", out.len > 0 ? ":" : "",
			    letters[i]);
	return buf_slice(&out);
}

static struct slice
rua_of(struct arena *a, const struct dmarc_record *d)
{
	struct buf list = buf_in(a);

	for (const struct dmarc_uri *u = d->rua; u != NULL &&
	    list.len + u->text.len < RUA_MAX; u = u->next)
		part_word(&list, u->text);
	return buf_slice(&list);
}

static struct slice
psd_of(enum dmarc_psd psd)
{
	return psd == DMARC_PSD_Y ? SLICE("y") : psd == DMARC_PSD_N ?
	    SLICE("n") : SLICE("u");
}

/* policy_published of RFC 9990: tags that are not there are not told. */
static void
tell_record(struct plan *p, const struct dmarc_answer *r, bool walk)
{
	const struct dmarc_record *d = &r->record;
	struct slice rua = rua_of(p->arena, d);

	plan_fact(p, "gatehouse.dmarc.record.discovery", r->by_list ?
	    SLICE("psl") : SLICE("treewalk"));
	plan_fact(p, "gatehouse.dmarc.record.p",
	    slice_of(dmarc_policy_name(d->p)));
	if (d->has_sp)
		plan_fact(p, "gatehouse.dmarc.record.sp",
		    slice_of(dmarc_policy_name(d->sp)));
	if (d->has_np && walk)
		plan_fact(p, "gatehouse.dmarc.record.np",
		    slice_of(dmarc_policy_name(d->np)));
	plan_fact(p, "gatehouse.dmarc.record.adkim", d->strict_dkim ?
	    SLICE("s") : SLICE("r"));
	plan_fact(p, "gatehouse.dmarc.record.aspf", d->strict_spf ?
	    SLICE("s") : SLICE("r"));
	if (d->fo != 0)
		plan_fact(p, "gatehouse.dmarc.record.fo",
		    fo_of(p->arena, d->fo));
	if (walk) {
		plan_fact(p, "gatehouse.dmarc.record.t", d->testing ?
		    SLICE("y") : SLICE("n"));
		plan_fact(p, "gatehouse.dmarc.record.psd", psd_of(d->psd));
	} else {
		plan_fact(p, "gatehouse.dmarc.record.pct",
		    arena_printf(p->arena, "%u", d->pct));
	}
	if (rua.len > 0)
		plan_fact(p, "gatehouse.dmarc.record.rua", rua);
}

static void
tell_from(struct plan *p, const struct from *from)
{
	struct buf domains = buf_in(p->arena);

	if (from->state == FROM_ONE) {
		plan_fact(p, "gatehouse.from.domain", from->domain);
		return;
	}
	for (size_t i = 0; i < from->ndomains; i++)
		part_word(&domains, from->domains[i]);
	plan_fact(p, "gatehouse.from.rule", slice_of(from->rule));
	plan_fact(p, "gatehouse.from.reason", from->reason);
	plan_fact(p, "gatehouse.from.domains", buf_slice(&domains));
}

static struct slice
aligned(const struct dmarc_answer *r)
{
	return r->spf_aligned && r->dkim_aligned ? SLICE("spf dkim") :
	    r->spf_aligned ? SLICE("spf") : r->dkim_aligned ? SLICE("dkim") :
	    SLICE("");
}

void
dmarc_tell(const struct job *job, struct plan *p)
{
	const struct auth_check_conf *conf = job->conf;
	const struct auth_answers *seen = job->answers;
	const struct dmarc_answer *r = &seen->policy;
	struct slice result = slice_of(dmarc_result_name(r->result));
	struct slice policy = slice_of(dmarc_policy_name(r->published));

	plan_finding(p, "dmarc", result);
	if (r->domain.len > 0)
		plan_finding(p, "dmarc-from", r->domain);
	tell_from(p, &seen->from);
	plan_fact(p, "gatehouse.dmarc.result", result);
	plan_fact(p, "gatehouse.dmarc.rule", slice_of(r->rule));
	plan_fact(p, "gatehouse.dmarc.reason", r->reason);
	if (!r->found)
		return;
	plan_finding(p, "dmarc-policy", policy);
	plan_fact(p, "gatehouse.dmarc.domain", r->record_domain);
	if (r->organization.len > 0)
		plan_fact(p, "gatehouse.dmarc.org", r->organization);
	plan_fact(p, "gatehouse.dmarc.policy", policy);
	plan_fact(p, "gatehouse.dmarc.policy_from",
	    slice_of(dmarc_source_name(r->source)));
	plan_fact(p, "gatehouse.dmarc.aligned", aligned(r));
	tell_record(p, r, conf->dmarc_mode == DMARC_RFC9989);
}

enum dmarc_policy
dmarc_disposition(const struct judgement *done)
{
	if (done->action == AUTH_REJECT)
		return DMARC_REJECT;
	if (done->action == AUTH_QUARANTINE || (done->action == AUTH_TAG &&
	    slice_eq(slice_of(done->rule), SLICE("dmarc-quarantine"))))
		return DMARC_QUARANTINE;
	return DMARC_NO_POLICY;
}

void
dmarc_tell_done(const struct job *job, struct plan *p,
    const struct judgement *done)
{
	const struct auth_answers *seen = job->answers;
	enum dmarc_policy what = dmarc_disposition(done);
	struct dmarc_outcome o;

	if (!seen->policy.found)
		return;
	dmarc_outcome(job, &o);
	plan_fact(p, "gatehouse.dmarc.disposition",
	    slice_of(dmarc_policy_name(what)));
	/* The answer is another one than that policy asks for, and nothing
	 * above says why: settings of this site do. */
	if (o.override == DMARC_AS_PUBLISHED && what != seen->policy.policy) {
		o.override = DMARC_LOCAL_POLICY;
		o.comment = slice_of(done->rule);
	}
	if (o.override == DMARC_AS_PUBLISHED)
		return;
	plan_fact(p, "gatehouse.dmarc.override",
	    arena_printf(p->arena, "%s%s%.*s",
	    dmarc_override_name(o.override), o.comment.len > 0 ? ": " : "",
	    SLICE_ARG(o.comment)));
}
