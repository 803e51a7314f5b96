#include "decide_part.h"

enum { SHOWN = 20 };			/* signatures, of those a message has */

/* One word for all of them: the best of what passed, else the worst news. */
static const struct dkim_signature *
telling(const struct auth_answers *seen)
{
	static const enum dkim_result order[] = { DKIM_PASS, DKIM_TEMPERROR,
	    DKIM_FAIL, DKIM_POLICY, DKIM_NEUTRAL, DKIM_PERMERROR };

	for (size_t i = 0; i < sizeof order / sizeof *order; i++)
		for (size_t s = 0; s < seen->nsignatures; s++)
			if (seen->signatures[s].result == order[i])
				return &seen->signatures[s];
	return NULL;
}

/* Of signatures that do not pass, the one about which most is done. */
static const struct dkim_signature *
gravest(const struct auth_check_conf *conf, const struct auth_answers *seen)
{
	const struct dkim_signature *worst = telling(seen);

	for (size_t i = 0; i < seen->nsignatures; i++)
		if (auth_check_dkim_action(conf, seen->signatures[i].result) >
		    auth_check_dkim_action(conf, worst->result))
			worst = &seen->signatures[i];
	return worst;
}

static const char *
rule_of(enum dkim_result result)
{
	static const char *const rules[] = { "dkim-none", "dkim-pass",
	    "dkim-fail", "dkim-policy", "dkim-neutral", "dkim-temperror",
	    "dkim-permerror" };

	return rules[result];
}

/* RFC 7372, 3.1: 20 none passed, 21 none acceptable. */
bool
dkim_judge(const struct job *job, struct judgement *j_r)
{
	const struct auth_check_conf *conf = job->conf;
	const struct auth_answers *seen = job->answers;
	const struct dkim_signature *sig = telling(seen);

	*j_r = (struct judgement){ .action = (enum auth_action)conf->dkim_none,
	    .rule = "dkim-none", .reason = SLICE("it has no DKIM signature"),
	    .code = "7.20", .text = SLICE("DKIM none: the message has no "
	    "DKIM signature") };
	if (sig == NULL)
		return true;
	if (sig->result != DKIM_PASS)
		sig = gravest(conf, seen);
	j_r->action = auth_check_dkim_action(conf, sig->result);
	j_r->rule = rule_of(sig->result);
	j_r->reason = sig->result == DKIM_PASS ? arena_printf(job->arena,
	    "signed by %.*s", SLICE_ARG(sig->domain)) :
	    arena_printf(job->arena, "signature of %.*s: %.*s",
	    SLICE_ARG(sig->domain), SLICE_ARG(sig->reason));
	if (sig->result == DKIM_POLICY)
		j_r->code = "7.21";
	j_r->text = arena_printf(job->arena, "DKIM %s: %.*s",
	    dkim_result_name(sig->result), SLICE_ARG(j_r->reason));
	return true;
}

static void
add_signature(struct authres *w, const struct dkim_signature *sig)
{
	authres_result(w, "dkim", dkim_result_name(sig->result));
	if (sig->result != DKIM_PASS && sig->reason.len > 0)
		authres_reason(w, sig->reason);
	if (sig->domain.len == 0)
		return;
	authres_value(w, "header.d", sig->domain);
	if (sig->selector.len > 0)
		authres_value(w, "header.s", sig->selector);
	authres_value(w, "header.a",
	    slice_of(dkim_algorithm_name(sig->algorithm)));
	if (sig->b_short.len > 0)
		authres_value(w, "header.b", sig->b_short);
}

void
dkim_results(const struct job *job, struct authres *w)
{
	const struct auth_answers *seen = job->answers;

	if (seen->nsignatures == 0)
		authres_result(w, "dkim", "none");
	for (size_t i = 0; i < seen->nsignatures && i < SHOWN; i++)
		add_signature(w, &seen->signatures[i]);
}

/* Keys by number: gatehouse.dkim.1.result ... (doc/journal). */
static void
tell_one(struct plan *p, size_t n, const char *what, struct slice value)
{
	plan_fact(p, arena_printf(p->arena, "gatehouse.dkim.%zu.%s", n,
	    what).ptr, value);
}

static void
tell_signature(struct plan *p, size_t n, const struct dkim_signature *s)
{
	tell_one(p, n, "result", slice_of(dkim_result_name(s->result)));
	if (s->domain.len > 0) {
		tell_one(p, n, "domain", s->domain);
		tell_one(p, n, "selector", s->selector);
		tell_one(p, n, "algorithm",
		    slice_of(dkim_algorithm_name(s->algorithm)));
	}
	if (s->rule != NULL)
		tell_one(p, n, "rule", slice_of(s->rule));
	tell_one(p, n, "reason", s->reason);
	if (s->key_bits > 0)
		tell_one(p, n, "bits", arena_printf(p->arena, "%u",
		    s->key_bits));
}

void
dkim_tell(const struct job *job, struct plan *p)
{
	const struct auth_answers *seen = job->answers;
	const struct dkim_signature *sig = telling(seen);
	struct slice result = slice_of(dkim_result_name(sig != NULL ?
	    sig->result : DKIM_NONE));

	plan_finding(p, "dkim", result);
	if (sig != NULL && sig->result == DKIM_PASS)
		plan_finding(p, "dkim-domain", sig->domain);
	plan_fact(p, "gatehouse.dkim.result", result);
	plan_fact(p, "gatehouse.dkim.count",
	    arena_printf(p->arena, "%zu", seen->nsignatures));
	for (size_t i = 0; i < seen->nsignatures && i < SHOWN; i++)
		tell_signature(p, i + 1, &seen->signatures[i]);
}
