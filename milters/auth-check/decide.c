#include "decide_part.h"

void
part_word(struct buf *list, struct slice word)
{
	if (list->len > 0)
		buf_addc(list, ' ');
	if (word.len == 0)
		buf_addc(list, '-');
	for (size_t i = 0; i < word.len; i++)
		buf_addc(list, word.ptr[i] == ' ' ? '_' : word.ptr[i]);
}

/* In the order in which a rule is named. */
static const struct {
	part_judge *judge;
	size_t asked;			/* where it says so in auth_answers */
} judges[] = {
	{ dmarc_judge, offsetof(struct auth_answers, dmarc) },
	{ spf_judge, offsetof(struct auth_answers, mail) },
	{ spf_judge, offsetof(struct auth_answers, helo) },
	{ dkim_judge, offsetof(struct auth_answers, dkim) },
	{ arc_judge, offsetof(struct auth_answers, arc) },
	{ iprev_judge, offsetof(struct auth_answers, iprev) },
	{ backscatter_judge, offsetof(struct auth_answers, backscatter) },
};

static bool
asked(const struct auth_answers *seen, size_t offset)
{
	return *(const bool *)((const char *)seen + offset);
}

static struct judgement
strongest(const struct job *job)
{
	const struct auth_answers *seen = job->answers;
	struct judgement best = { .rule = "none",
	    .reason = SLICE("nothing speaks for it or against it") }, j;
	bool any = false;

	for (size_t i = 0; i < sizeof judges / sizeof *judges; i++) {
		if (!asked(seen, judges[i].asked) || !judges[i].judge(job, &j))
			continue;
		if (!any || j.action > best.action)
			best = j;
		any = true;
	}
	return best;
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

/* One field for all methods. */
static void
add_results(const struct job *job, struct plan *p)
{
	const struct auth_check_conf *conf = job->conf;
	const struct auth_answers *seen = job->answers;
	struct authres w;

	if (conf->received_spf && (seen->mail || seen->helo))
		patch_insert(&p->edits, SLICE("Received-SPF"),
		    spf_received(job));
	authres_begin(&w, job->arena, slice_of(job->house->authserv_id));
	if (seen->mail || seen->helo)
		spf_results(job, &w);
	if (seen->dkim)
		dkim_results(job, &w);
	if (seen->dmarc)
		dmarc_results(job, &w);
	if (seen->arc)
		arc_results(job, &w);
	if (seen->iprev)
		iprev_results(job, &w);
	patch_insert(&p->edits, SLICE("Authentication-Results"),
	    authres_end(&w));
}

static void
tell(const struct job *job, struct plan *p, const struct judgement *done)
{
	const struct auth_answers *seen = job->answers;

	if (seen->mail || seen->helo)
		spf_tell(job, p);
	if (seen->dkim)
		dkim_tell(job, p);
	if (seen->dmarc)
		dmarc_tell(job, p);
	if (seen->dmarc)
		dmarc_tell_done(job, p, done);
	if (seen->arc)
		arc_tell(job, p);
	if (seen->iprev)
		iprev_tell(job, p);
	if (seen->bounce != NULL && seen->bounce->kind != BOUNCE_NONE)
		backscatter_tell(job, p);
	plan_fact(p, "gatehouse.auth.waited_ms",
	    arena_printf(p->arena, "%lld", (long long)(seen->waited / 1000)));
	plan_fact(p, "gatehouse.auth.waited_more_ms",
	    arena_printf(p->arena, "%lld", (long long)(seen->waited -
	    seen->waited_spf) / 1000));
}

static void
add_tag(const struct job *job, struct plan *p, const struct judgement *j)
{
	const struct auth_check_conf *conf = job->conf;
	struct slice words = arena_printf(job->arena, "%s (%.*s)", j->rule,
	    SLICE_ARG(j->reason));

	patch_insert(&p->edits, slice_of(conf->tag_header),
	    authres_fold(job->arena, conf->tag_header, words));
	plan_finding(p, "tag", slice_of(j->rule));
}

static struct slice
reply(struct arena *a, const struct judgement *j, char class)
{
	return arena_printf(a, "%c.%s %.*s", class, j->code,
	    SLICE_ARG(j->text));
}

/* The option that said what is to be done: most have the name of their rule. */
static const char *
option_of(const struct job *job, const struct judgement *j)
{
	char *name;

	if (j->option != NULL)
		return j->option;
	name = arena_str(job->arena, slice_of(j->rule));
	for (char *p = name; *p != '\0'; p++)
		if (*p == '-')
			*p = '_';
	return name;
}

static struct verdict
verdict_of(const struct job *job, const struct judgement *j)
{
	struct verdict v = { .action = ACCEPT, .rule = j->rule,
	    .reason = j->reason, .reply = SLICE(""), .scope = SLICE("") };


	switch (j->action) {
	case AUTH_REJECT:
		v.action = REJECT;
		v.reply = reply(job->arena, j, '5');
		v.cause = j->cause;
		break;
	case AUTH_TEMPFAIL:
		v.action = TEMPFAIL;
		v.reply = reply(job->arena, j, '4');
		break;
	case AUTH_QUARANTINE:
		v.action = QUARANTINE;
		v.cause = j->cause != CAUSE_NONE ? j->cause : CAUSE_POLICY;
		break;
	case AUTH_TAG:
	case AUTH_ACCEPT:
		break;
	}
	return v;
}

/* ---- recipients who differ ---- */

/* Which of two says what became of the message: putting off puts off all of
 * it, else the stricter one; of equals the first recipient's. */
static bool
stricter(const struct judgement *j, const struct judgement *than)
{
	if (j->action == than->action)
		return dmarc_disposition(j) > dmarc_disposition(than);
	if (than->action == AUTH_TEMPFAIL)
		return false;
	return j->action == AUTH_TEMPFAIL || j->action > than->action;
}

static const struct group *
strictest(const struct groups *groups)
{
	const struct group *found = &groups->each[0];

	for (size_t i = 1; i < groups->n; i++)
		if (stricter(&groups->each[i].judgement, &found->judgement))
			found = &groups->each[i];
	return found;
}

/*
 * What was done to the message. After its last dot SMTP knows no refusal for
 * some recipients: such a message is held for them, or all of it where there is
 * no store (milter/hold.h), unless mixed_reject refuses it as a whole.
 */
static struct judgement
done(const struct job *job, const struct groups *groups,
    const struct group *told)
{
	struct judgement j = told->judgement;
	bool all = true;

	for (size_t i = 0; i < groups->n; i++)
		all = all && groups->each[i].judgement.action == AUTH_REJECT;
	if (j.action != AUTH_REJECT || all ||
	    (job->store && job->house->mixed_reject == MIXED_REJECT_ALL))
		return j;
	j.action = AUTH_QUARANTINE;
	j.rule = "recipients differ";
	return j;
}

static bool
same(const struct verdict *a, const struct verdict *b)
{
	return a->action == b->action && a->cause == b->cause &&
	    slice_eq(slice_of(a->rule), slice_of(b->rule)) &&
	    slice_eq(a->reason, b->reason) && slice_eq(a->reply, b->reply);
}

static void
act(const struct job *job, struct plan *p, const struct groups *groups,
    const struct group *told)
{
	bool first = true;
	size_t tagged = 0;

	p->all = told->verdict;
	for (size_t i = 0; groups->of != NULL &&
	    i < job->envelope->nrecipients; i++) {
		const struct group *g;
		struct verdict *own;
		struct slice level;

		if (groups->of[i] == OWNER_NONE)
			continue;
		g = &groups->each[groups->of[i]];
		level = decide_level(job, i, option_of(job, &g->judgement));
		if (same(&g->verdict, &p->all)) {
			verdict_level(&p->all, level, first);
			first = false;
			continue;
		}
		own = plan_recipient(p, i);
		*own = g->verdict;
		own->scope = level;
	}
	/* The field is the message's: all who get it get the tag. */
	while (tagged < groups->n &&
	    groups->each[tagged].judgement.action != AUTH_TAG)
		tagged++;
	if (tagged < groups->n)
		add_tag(&groups->each[tagged].job, p,
		    &groups->each[tagged].judgement);
}

static void
judge(const struct job *job, struct plan *p)
{
	const struct group *told;
	struct judgement j;
	struct groups groups;

	decide_groups(job, &groups);
	for (size_t i = 0; i < groups.n; i++) {
		struct group *g = &groups.each[i];

		g->judgement = strongest(&g->job);
		g->verdict = verdict_of(&g->job, &g->judgement);
	}
	told = strictest(&groups);
	j = done(job, &groups, told);
	tell(&told->job, p, &j);
	act(job, p, &groups, told);
	add_results(&told->job, p);
}

/* Why nothing was asked, in plain words. */
static struct slice
skipped_reason(const struct auth_answers *seen)
{
	static const struct { const char *rule, *reason; } reasons[] = {
		{ "outbound", "mail of our own is not checked" },
		{ "local", "it did not come over the network" },
		{ "trusted", "the client is one of trusted_networks" },
		{ "off", "all checks are switched off" },
	};

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (slice_eq(slice_of(reasons[i].rule),
		    slice_of(seen->skipped)))
			return slice_of(reasons[i].reason);
	return SLICE("nothing was asked");
}

/* Ours goes on top; one that somebody else wrote goes. */
static struct plan *
send_out(const struct job *job, struct plan *p)
{
	const struct auth_answers *seen = job->answers;

	if (seen->sent_proof.ptr != NULL) {
		for (size_t i = job->msg->nfields; i-- > 0;)
			if (slice_eq_nocase(job->msg->fields[i].name,
			    SLICE(PROOF_FIELD)))
				patch_delete(&p->edits, i);
		patch_insert(&p->edits, SLICE(PROOF_FIELD),
		    arena_printf(job->arena, " %.*s",
		    SLICE_ARG(seen->sent_proof)));
	}
	return plan_accept(p, seen->skipped, skipped_reason(seen));
}

struct plan *
auth_check_decide(const struct job *job)
{
	const struct auth_answers *seen = job->answers;
	struct plan *p = plan_new(job->arena, job->msg);
	unsigned removed;

	plan_coverage(p, seen->hashes ?
	    SLICE("envelope, header and hash of the body") :
	    SLICE("envelope and header"));
	if (job->direction == DIRECTION_OUT)
		return send_out(job, p);
	removed = from_trusted(job) ? 0 : remove_forged(job, p);
	plan_fact(p, "gatehouse.authres.removed",
	    arena_printf(job->arena, "%u", removed));
	if (seen->skipped != NULL)
		return plan_accept(p, seen->skipped, skipped_reason(seen));
	judge(job, p);
	return p;
}
