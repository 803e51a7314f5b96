#include "decide_part.h"

static const char *
rule_of(enum iprev_result result)
{
	static const char *const rules[] = { "iprev-temperror", "iprev-pass",
	    "iprev-fail", "iprev-temperror", "iprev-permerror" };

	return rules[result];
}

static enum auth_action
action_of(const struct auth_check_conf *conf, enum iprev_result result)
{
	switch (result) {
	case IPREV_PASS:
		return AUTH_ACCEPT;
	case IPREV_FAIL:
	case IPREV_PERMERROR:
		return (enum auth_action)conf->iprev_fail;
	case IPREV_TEMPERROR:
	case IPREV_PENDING:
		break;
	}
	return (enum auth_action)conf->iprev_temperror;
}

/* RFC 7372, 3.3. */
bool
iprev_judge(const struct job *job, struct judgement *j_r)
{
	const struct auth_check_conf *conf = job->conf;
	const struct auth_answers *seen = job->answers;
	const struct iprev_answer *r = &seen->name;

	*j_r = (struct judgement){ .action = action_of(conf, r->result),
	    .rule = rule_of(r->result), .reason = r->reason, .code = "7.25",
	    .option = r->result == IPREV_PASS ? NULL :
	    r->result == IPREV_FAIL || r->result == IPREV_PERMERROR ?
	    "iprev_fail" : "iprev_temperror",
	    .text = arena_printf(job->arena, "iprev %s: %.*s",
	    iprev_result_name(r->result), SLICE_ARG(r->reason)) };
	return true;
}

void
iprev_results(const struct job *job, struct authres *w)
{
	const struct auth_answers *seen = job->answers;

	authres_result(w, "iprev", iprev_result_name(seen->name.result));
	if (seen->name.result != IPREV_PASS)
		authres_reason(w, seen->name.reason);
	authres_value(w, "policy.iprev", ip_format(job->arena,
	    &job->client->ip));
}

void
iprev_tell(const struct job *job, struct plan *p)
{
	const struct auth_answers *seen = job->answers;
	struct slice result = slice_of(iprev_result_name(seen->name.result));

	(void)job;
	plan_finding(p, "iprev", result);
	plan_fact(p, "gatehouse.iprev.result", result);
	plan_fact(p, "gatehouse.iprev.name", seen->name.name);
	plan_fact(p, "gatehouse.iprev.reason", seen->name.reason);
}
