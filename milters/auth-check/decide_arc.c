#include "decide_part.h"

enum { NAMED = 10 };			/* seals named in a comment */

static const char *
status_name(enum arc_status status)
{
	return status == ARC_NONE ? "none" : status == ARC_PASS ? "pass" :
	    "fail";
}

/* Who sealed it last, where that can be read. */
static struct slice
newest(struct arena *a, const struct arc_chain *c)
{
	struct slice domain = c->highest == 0 || c->sets == NULL ?
	    SLICE_NONE : c->sets[c->highest - 1].seal.domain;

	return domain.len == 0 ? SLICE("") : arena_printf(a,
	    "chain sealed last by %.*s: ", SLICE_ARG(domain));
}

/* RFC 8617, 11.2: 5.7.29. A chain whose keys DNS did not give is no fail. */
bool
arc_judge(const struct job *job, struct judgement *j_r)
{
	const struct auth_check_conf *conf = job->conf;
	const struct auth_answers *seen = job->answers;
	const struct arc_chain *c = &seen->chain;

	if (c->status == ARC_NONE)
		return false;
	*j_r = (struct judgement){ .action = AUTH_ACCEPT, .rule = "arc-pass",
	    .reason = SLICE("the chain of seals is whole"), .code = "7.29",
	    .text = SLICE("") };
	if (c->status == ARC_PASS)
		return true;
	j_r->rule = c->temporary ? "arc-temporary" : "arc-fail";
	j_r->option = c->temporary ? "arc_temperror" : "arc_fail";
	j_r->reason = c->reason;
	j_r->text = arena_printf(job->arena, "ARC %s: %.*s%.*s",
	    c->temporary ? "temperror" : "fail",
	    SLICE_ARG(newest(job->arena, c)), SLICE_ARG(c->reason));
	j_r->action = (enum auth_action)(c->temporary ? conf->arc_temperror :
	    conf->arc_fail);
	return true;
}

/* RFC 8617, 10.2 */
void
arc_results(const struct job *job, struct authres *w)
{
	const struct auth_answers *seen = job->answers;
	const struct arc_chain *c = &seen->chain;

	if (c->status == ARC_NONE)
		return;
	authres_result(w, "arc", status_name(c->status));
	if (c->status == ARC_FAIL)
		authres_reason(w, c->reason);
	authres_value(w, "smtp.remote-ip", ip_format(job->arena,
	    &job->client->ip));
	if (c->status == ARC_PASS)
		authres_value(w, "header.oldest-pass",
		    arena_printf(job->arena, "%u", c->oldest_pass));
}

void
arc_tell(const struct job *job, struct plan *p)
{
	const struct auth_answers *seen = job->answers;
	const struct arc_chain *c = &seen->chain;
	struct slice result = slice_of(status_name(c->status));
	struct buf sealers = buf_in(job->arena);

	if (c->status != ARC_NONE)
		plan_finding(p, "arc", result);
	plan_fact(p, "gatehouse.arc.result", result);
	if (c->status == ARC_NONE)
		return;
	plan_fact(p, "gatehouse.arc.sets",
	    arena_printf(job->arena, "%u", c->count));
	if (c->status == ARC_FAIL) {
		plan_fact(p, "gatehouse.arc.rule", slice_of(c->rule));
		plan_fact(p, "gatehouse.arc.reason", c->reason);
		return;
	}
	for (unsigned i = c->count; i > 0; i--)
		part_word(&sealers, c->sets[i - 1].seal.domain);
	plan_fact(p, "gatehouse.arc.sealer", c->sets[c->count - 1].seal.domain);
	plan_fact(p, "gatehouse.arc.sealers", buf_slice(&sealers));
	plan_fact(p, "gatehouse.arc.oldest_pass",
	    arena_printf(job->arena, "%u", c->oldest_pass));
}

/* As RFC 8617, 7.2.2, has it in reports. */
static struct slice
seals(struct arena *a, const struct arc_chain *c)
{
	struct buf out = buf_in(a);

	buf_adds(&out, "arc=pass");
	for (unsigned i = c->count, n = 0; i > 0 && n < NAMED; i--, n++) {
		const struct dkim_signature *seal = &c->sets[i - 1].seal;

		buf_addf(&out, " as[%u].d=%.*s as[%u].s=%.*s", i,
		    SLICE_ARG(seal->domain), i, SLICE_ARG(seal->selector));
	}
	return buf_slice(&out);
}

/*
 * From the newest seal down, as long as the sealers are trusted: what one of
 * these says it saw itself. Behind the first who is not, anything may have
 * been written by anybody.
 */
bool
arc_vouches(const struct job *job, struct slice domain,
    struct slice *comment_r)
{
	const struct auth_check_conf *conf = job->conf;
	const struct auth_answers *seen = job->answers;
	const struct arc_chain *c = &seen->chain;

	if (!seen->arc || c->status != ARC_PASS || domain.len == 0)
		return false;
	for (unsigned i = c->count; i > 0; i--) {
		const struct arc_set *set = &c->sets[i - 1];

		if (!conf_list_has_nocase(&conf->arc_trusted,
		    set->seal.domain))
			return false;
		if (!authres_says(job->arena, set->results, SLICE("dmarc"),
		    SLICE("pass"), SLICE("header.from"), domain))
			continue;
		*comment_r = seals(job->arena, c);
		return true;
	}
	return false;
}
