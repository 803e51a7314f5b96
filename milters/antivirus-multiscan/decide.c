#include "decide.h"

#include "decide_part.h"
#include "wait.h"

/* Named in full, since log lines and reports are searched for them. */
static const char *const rules[LACKS] = { "clean", "not-scanned-engine",
    "not-scanned-crash", "not-scanned-limit", "not-scanned-encrypted",
    "not-scanned-ambiguous", "not-scanned-unreadable" };

/* What others claim under our name goes. */
static void
remove_forged(struct plan *p, const struct job *job,
    const struct antivirus_conf *conf)
{
	for (size_t i = 0; i < job->msg->nfields; i++)
		if (slice_eq_nocase(job->msg->fields[i].name,
		    slice_of(conf->header)))
			patch_delete(&p->edits, i);
}

/* The engine is not named outside: who sends it need not learn who looked. */
static struct verdict
verdict_of(const struct judgement *j)
{
	struct verdict v = { .action = ACCEPT, .rule = j->rule,
	    .reason = j->reason };

	switch (j->action) {
	case ANTIVIRUS_REJECT:
		v.action = REJECT;
		v.cause = j->cause;
		v.reply = j->cause == CAUSE_VIRUS ?
		    SLICE("5.7.1 message refused: it contains a virus") :
		    SLICE("5.7.1 message refused: it cannot be scanned for "
		    "viruses");
		break;
	case ANTIVIRUS_TEMPFAIL:
		v.action = TEMPFAIL;
		v.reply = SLICE("4.7.1 the message cannot be scanned for "
		    "viruses now; try again later");
		break;
	case ANTIVIRUS_DISCARD:
	case ANTIVIRUS_QUARANTINE:
		v.action = j->action == ANTIVIRUS_DISCARD ? DISCARD :
		    QUARANTINE;
		v.cause = j->cause;
		break;
	default:
		break;
	}
	return v;
}

/* ---- one set of options ---- */

static struct judgement
infected(const struct job *job, const struct antivirus_conf *conf,
    const struct ledger_row *row, size_t engine)
{
	const struct antivirus_answers *seen = job->answers;
	struct slice name = row->scans[engine].text;
	const char *who = seen->ledger.names[engine];
	enum antivirus_action action = wait_action(job,
	    (enum antivirus_action)(job->direction == DIRECTION_OUT ?
	    conf->infected_outbound : conf->infected));

	return (struct judgement){ .action = action, .rule = "virus",
	    .cause = CAUSE_VIRUS, .reason = row->path.len > 0 ?
	    arena_printf(job->arena, "%.*s in %.*s, says %s", SLICE_ARG(name),
	    SLICE_ARG(row->path), who) : arena_printf(job->arena,
	    "%.*s, says %s", SLICE_ARG(name), who),
	    .tag = action <= ANTIVIRUS_TAG ? SLICE("infected") : SLICE("") };
}

/* The strongest of what the lacks call for; its reason is told. */
static struct judgement
lacking(const struct job *job, const struct antivirus_conf *conf,
    const struct ledger_lack all[LACKS])
{
	const struct antivirus_answers *seen = job->answers;
	bool out = job->direction == DIRECTION_OUT;
	enum antivirus_action action = ANTIVIRUS_ACCEPT;
	enum cause cause = CAUSE_UNSCANNABLE;
	enum lack which = LACK_NONE;

	for (int i = LACK_NONE + 1; i < LACKS; i++) {
		enum antivirus_action own = antivirus_action(conf,
		    (enum lack)i, out);

		if (all[i].lack == LACK_NONE ||
		    (which != LACK_NONE && own <= action))
			continue;
		which = (enum lack)i;
		action = own;
	}
	action = wait_action(job, action);
	if (action == ANTIVIRUS_TEMPFAIL && wait_over(job))
		action = ANTIVIRUS_TAG;
	/* It would come again, and crash somebody, for days. */
	if (action == ANTIVIRUS_TEMPFAIL && which == LACK_CRASH &&
	    seen->ledger.strikes > LEDGER_STRIKES) {
		action = ANTIVIRUS_QUARANTINE;
		cause = CAUSE_POISON;
	}
	return (struct judgement){ .action = action, .rule = rules[which],
	    .cause = cause, .lack = which,
	    .reason = all[which].text, .tag = action == ANTIVIRUS_TAG ?
	    arena_printf(job->arena, "not scanned; reason=%s",
	    lack_name(which)) : SLICE("") };
}

static struct judgement
judge(const struct job *job, const struct antivirus_conf *conf)
{
	const struct antivirus_answers *seen = job->answers;
	const struct ledger *l = &seen->ledger;
	struct ledger_demand demand = { .engines = conf->min_engines,
	    .age = conf->max_age / 1000, .now = job->now };
	struct ledger_lack all[LACKS];
	const struct ledger_row *row;
	size_t engine;

	if (job->direction == DIRECTION_OUT && conf->min_engines_outbound > 0)
		demand.engines = conf->min_engines_outbound;
	if (ledger_worst(l, &row, &engine))
		return infected(job, conf, row, engine);
	if (ledger_lacks(l, &demand, all) != LACK_NONE)
		return lacking(job, conf, all);
	return (struct judgement){ .action = ANTIVIRUS_ACCEPT,
	    .rule = rules[LACK_NONE],
	    .reason = SLICE("no engine found anything"),
	    .tag = conf->header_always ? SLICE("clean") : SLICE("") };
}

/* ---- all of them ---- */

/* Which of two says what became of the message: putting off puts off all of
 * it, else the stronger one; of equals the first recipient's. */
static bool
stronger(const struct judgement *j, const struct judgement *than)
{
	if (than->action == ANTIVIRUS_TEMPFAIL ||
	    j->action == ANTIVIRUS_TEMPFAIL)
		return than->action != ANTIVIRUS_TEMPFAIL;
	return j->action > than->action;
}

static const struct group *
strongest(const struct groups *groups)
{
	const struct group *found = groups->first;

	for (const struct group *g = found->next; g != NULL; g = g->next)
		if (stronger(&g->judgement, &found->judgement))
			found = g;
	return found;
}

static void
tell(struct plan *p, const struct job *job, const struct judgement *j)
{
	const struct antivirus_answers *seen = job->answers;
	const struct ledger *l = &seen->ledger;
	const struct ledger_row *row;
	size_t engine;

	plan_coverage(p, ledger_text(l));
	plan_fact(p, "gatehouse.antivirus.items", arena_printf(p->arena,
	    "%zu", l->nrows));
	plan_fact(p, "gatehouse.antivirus.us", arena_printf(p->arena, "%lld",
	    (long long)seen->us));
	if (ledger_worst(l, &row, &engine)) {
		struct slice name = row->scans[engine].text;

		plan_fact(p, "gatehouse.antivirus.name", name);
		plan_fact(p, "gatehouse.antivirus.item", row->path);
		plan_fact(p, "gatehouse.antivirus.engine",
		    slice_of(l->names[engine]));
		plan_finding(p, "virus", name);
	} else if (j->lack != LACK_NONE) {
		plan_fact(p, "gatehouse.antivirus.lack",
		    slice_of(lack_name(j->lack)));
		plan_finding(p, "not-scanned", slice_of(lack_name(j->lack)));
	} else {
		plan_finding(p, "virus", SLICE("none"));
	}
}

/* The field is the message's: all who get it get the tag of whoever wants
 * one. */
static void
tag(struct plan *p, const struct antivirus_conf *conf,
    const struct groups *groups, const struct group *told)
{
	const struct group *g = groups->first;

	while (g != NULL && g->judgement.action != ANTIVIRUS_TAG)
		g = g->next;
	if (g == NULL)
		g = told;
	if (g->judgement.tag.len > 0)
		patch_insert(&p->edits, slice_of(conf->header), arena_printf(
		    p->arena, " %.*s", SLICE_ARG(g->judgement.tag)));
}

struct plan *
antivirus_decide(const struct job *job)
{
	struct plan *p = plan_new(job->arena, job->msg);
	const struct group *told;
	struct groups groups;

	antivirus_groups(job, &groups);
	for (struct group *g = groups.first; g != NULL; g = g->next) {
		g->judgement = judge(job, g->conf);
		g->verdict = verdict_of(&g->judgement);
	}
	told = strongest(&groups);
	remove_forged(p, job, job->conf);
	wait_remember(p, job);
	tell(p, job, &told->judgement);
	p->all = told->verdict;
	for (size_t i = 0; groups.of != NULL &&
	    i < job->envelope->nrecipients; i++)
		if (groups.of[i] != NULL && groups.of[i] != told)
			*plan_recipient(p, i) = groups.of[i]->verdict;
	tag(p, job->conf, &groups, told);
	wait_decide(p, job);
	return p;
}
