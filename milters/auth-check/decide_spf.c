#include "decide_part.h"

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
 * "SPF fail: ..." behind 5.7.23 (RFC 7372, 3.2). What the domain itself wants
 * said stands behind its name: it is not our word (RFC 7208, 6.2).
 */
static struct slice
text(struct arena *a, const struct finding_of *f)
{
	const struct spf_answer *r = f->answer;
	struct buf out = buf_in(a);

	buf_addf(&out, "SPF %s%s: %.*s", f->helo ? "HELO " : "",
	    spf_result_name(r->result), SLICE_ARG(r->reason));
	if (r->explanation.len > 0)
		buf_addf(&out, "; %.*s says: %.*s", SLICE_ARG(r->decided),
		    SLICE_ARG(r->explanation));
	return buf_slice(&out);
}

bool
spf_judge(const struct job *job, struct judgement *j_r)
{
	struct finding_of f = strongest(job->conf, job->answers);
	bool error = f.answer->result == SPF_TEMPERROR ||
	    f.answer->result == SPF_PERMERROR;

	*j_r = (struct judgement){ .action = f.action, .rule = f.rule,
	    .reason = f.answer->reason, .code = error ? "7.24" : "7.23",
	    .text = text(job->arena, &f) };
	return true;
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
void
spf_results(const struct job *job, struct authres *w)
{
	const struct auth_answers *seen = job->answers;

	if (seen->mail)
		add_method(w, &seen->mail_answer,
		    job->envelope->sender.len == 0, job);
	if (seen->helo)
		add_method(w, &seen->helo_answer, true, job);
}

/* key="value", the value fit to stand there (RFC 7208, 9.1). */
static void
add_pair(struct buf *out, const char *key, struct slice value)
{
	buf_addf(out, "; %s=\"", key);
	for (size_t i = 0; i < value.len && i < DNS_NAME_MAX; i++) {
		char c = value.ptr[i];

		if (c == '"' || c == '\\')
			buf_addc(out, '\\');
		buf_addc(out, c > ' ' && c <= '~' ? c : '?');
	}
	buf_addc(out, '"');
}

/* Parentheses would end the comment. */
static struct slice
comment(struct arena *a, struct slice reason)
{
	struct slice s = arena_copy(a, reason);
	struct buf out = buf_in(a);

	for (size_t i = 0; i < s.len; i++)
		buf_addc(&out, s.ptr[i] == '(' ? '[' : s.ptr[i] == ')' ? ']' :
		    s.ptr[i] == '\\' ? '/' : s.ptr[i]);
	return buf_slice(&out);
}

struct slice
spf_received(const struct job *job)
{
	const struct auth_answers *seen = job->answers;
	const struct spf_answer *r = seen->mail ? &seen->mail_answer :
	    &seen->helo_answer;
	bool helo = !seen->mail || job->envelope->sender.len == 0;
	struct buf out = buf_in(job->arena);

	buf_addf(&out, "%s (%s: %.*s) receiver=%s",
	    spf_result_name(r->result), job->house->hostname,
	    SLICE_ARG(comment(job->arena, r->reason)), job->house->hostname);
	buf_addf(&out, "; client-ip=%.*s",
	    SLICE_ARG(ip_format(job->arena, &job->client->ip)));
	add_pair(&out, "envelope-from", job->envelope->sender);
	add_pair(&out, "helo", job->client->helo);
	buf_addf(&out, "; identity=%s", helo ? "helo" : "mailfrom");
	return authres_fold(job->arena, "Received-SPF", buf_slice(&out));
}

static void
tell_mail(struct plan *p, const struct spf_answer *r)
{
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
}

void
spf_tell(const struct job *job, struct plan *p)
{
	const struct auth_answers *seen = job->answers;
	const struct spf_answer *r = &seen->helo_answer;
	struct slice result = slice_of(spf_result_name(r->result));

	if (seen->mail) {
		tell_mail(p, &seen->mail_answer);
		plan_fact(p, "gatehouse.spf.scope", job->envelope->sender.len
		    > 0 ? SLICE("mfrom") : SLICE("helo"));
	}
	if (!seen->helo)
		return;
	plan_finding(p, "helo", result);
	plan_finding(p, "helo-domain", r->domain);
	plan_fact(p, "gatehouse.spf.helo.result", result);
	plan_fact(p, "gatehouse.spf.helo.domain", r->domain);
	plan_fact(p, "gatehouse.spf.helo.reason", r->reason);
}
