#include "decide.h"

#include "options.h"
#include "wait.h"

/* Named in full, since log lines and reports are searched for them. */
static const char *const rules[LACKS] = { "clean", "not-scanned-engine",
    "not-scanned-crash", "not-scanned-limit", "not-scanned-encrypted",
    "not-scanned-ambiguous", "not-scanned-unreadable" };

static enum antivirus_action
action_of(const struct antivirus_conf *conf, enum lack lack)
{
	const int actions[LACKS] = { ANTIVIRUS_ACCEPT, conf->engine_lack,
	    conf->crash_lack, conf->limit_lack, conf->encrypted_lack,
	    conf->ambiguous_lack, conf->unreadable_lack };

	return (enum antivirus_action)actions[lack];
}

static void
tag(struct plan *p, const struct antivirus_conf *conf, struct slice text)
{
	patch_insert(&p->edits, slice_of(conf->header), arena_printf(p->arena,
	    " %.*s", SLICE_ARG(text)));
}

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
static void
act(struct plan *p, enum antivirus_action action, enum cause cause,
    const char *rule, struct slice reason)
{
	switch (action) {
	case ANTIVIRUS_REJECT:
		plan_reject(p, rule, reason, cause == CAUSE_VIRUS ?
		    SLICE("5.7.1 message refused: it contains a virus") :
		    SLICE("5.7.1 message refused: it cannot be scanned for "
		    "viruses"));
		break;
	case ANTIVIRUS_TEMPFAIL:
		plan_tempfail(p, rule, reason, SLICE("4.7.1 the message "
		    "cannot be scanned for viruses now; try again later"));
		break;
	case ANTIVIRUS_DISCARD:
		plan_discard(p, rule, reason);
		p->all.cause = cause;
		break;
	case ANTIVIRUS_QUARANTINE:
		plan_hold(p, cause, rule, reason);
		break;
	default:
		plan_accept(p, rule, reason);
	}
}

static struct plan *
infected(struct plan *p, const struct job *job, const struct ledger *l,
    const struct ledger_row *row, size_t engine)
{
	const struct antivirus_conf *conf = job->conf;
	struct slice name = row->scans[engine].text;
	enum antivirus_action action = wait_action(job,
	    (enum antivirus_action)(job->direction == DIRECTION_OUT ?
	    conf->infected_out : conf->infected_in));
	struct slice reason = row->path.len > 0 ? arena_printf(p->arena,
	    "%.*s in %.*s, says %s", SLICE_ARG(name), SLICE_ARG(row->path),
	    l->names[engine]) : arena_printf(p->arena, "%.*s, says %s",
	    SLICE_ARG(name), l->names[engine]);

	plan_fact(p, "gatehouse.antivirus.name", name);
	plan_fact(p, "gatehouse.antivirus.item", row->path);
	plan_fact(p, "gatehouse.antivirus.engine", slice_of(l->names[engine]));
	plan_finding(p, "virus", name);
	act(p, action, CAUSE_VIRUS, "virus", reason);
	if (action <= ANTIVIRUS_TAG)
		tag(p, conf, SLICE("infected"));
	return p;
}

/* The strongest of what the lacks call for; its reason is told. */
static struct plan *
lacking(struct plan *p, const struct job *job,
    const struct ledger_lack all[LACKS])
{
	const struct antivirus_conf *conf = job->conf;
	enum lack which = LACK_NONE;
	enum antivirus_action action;

	for (int i = LACK_NONE + 1; i < LACKS; i++)
		if (all[i].lack != LACK_NONE && (which == LACK_NONE ||
		    action_of(conf, (enum lack)i) > action_of(conf, which)))
			which = (enum lack)i;
	action = wait_action(job, action_of(conf, which));
	if (action == ANTIVIRUS_TEMPFAIL && wait_over(job))
		action = ANTIVIRUS_TAG;
	plan_fact(p, "gatehouse.antivirus.lack", slice_of(lack_name(which)));
	plan_finding(p, "not-scanned", slice_of(lack_name(which)));
	act(p, action, CAUSE_UNSCANNABLE, rules[which], all[which].text);
	if (action == ANTIVIRUS_TAG)
		tag(p, conf, arena_printf(p->arena, "not scanned; reason=%s",
		    lack_name(which)));
	return p;
}

struct plan *
antivirus_decide(const struct job *job)
{
	const struct antivirus_conf *conf = job->conf;
	const struct antivirus_answers *seen = job->answers;
	const struct ledger *l = &seen->ledger;
	const struct ledger_demand demand = { .engines = conf->min_engines,
	    .age = conf->max_age / 1000, .now = job->now };
	struct plan *p = plan_new(job->arena, job->msg);
	struct ledger_lack all[LACKS];
	const struct ledger_row *row;
	size_t engine;

	remove_forged(p, job, conf);
	wait_remember(p, job);
	plan_coverage(p, ledger_text(l));
	plan_fact(p, "gatehouse.antivirus.items", arena_printf(p->arena,
	    "%zu", l->nrows));
	plan_fact(p, "gatehouse.antivirus.us", arena_printf(p->arena, "%lld",
	    (long long)seen->us));
	if (ledger_worst(l, &row, &engine))
		return infected(p, job, l, row, engine);
	if (ledger_lacks(l, &demand, all) != LACK_NONE) {
		lacking(p, job, all);
	} else {
		plan_finding(p, "virus", SLICE("none"));
		plan_accept(p, "clean", SLICE("no engine found anything"));
		if (conf->header_always)
			tag(p, conf, SLICE("clean"));
	}
	if (p->all.action == ACCEPT)
		wait_decide(p, job, l, seen->own);
	return p;
}
