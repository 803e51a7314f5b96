#include "decide.h"

#include "options.h"
#include "wait.h"

/* What becomes of it for those who have the same options. */
struct judgement {
	enum antivirus_action action;
	const char *rule;
	const char *option;		/* that said so; NULL: none */
	enum cause cause;
	enum lack lack;
	struct slice reason;
	struct slice tag;		/* value of the header field; empty:
					   none */
	struct verdict verdict;
};

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

/* Options for outbound mail may say "same". */
static const char *
option_of(const struct antivirus_conf *conf, enum lack lack, bool out)
{
	static const char *const options[LACKS][2] = {
		[LACK_ENGINE] = { "engine_trouble", "engine_trouble_outbound" },
		[LACK_CRASH] = { "crash", "crash_outbound" },
		[LACK_LIMIT] = { "limit", "limit_outbound" },
		[LACK_ENCRYPTED] = { "encrypted", "encrypted_outbound" },
		[LACK_AMBIGUOUS] = { "ambiguous", "ambiguous_outbound" },
		[LACK_UNREADABLE] = { "unreadable", "unreadable_outbound" },
	};

	return options[lack][out && antivirus_outbound(conf, lack)];
}

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
	    .option = job->direction == DIRECTION_OUT ? "infected_outbound" :
	    "infected", .cause = CAUSE_VIRUS, .reason = row->path.len > 0 ?
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
	    .option = option_of(conf, which, out), .cause = cause,
	    .lack = which,
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

enum rc
antivirus_resolve(struct job *job, struct slice *why_r)
{
	const struct antivirus_conf *conf = job->conf;
	struct antivirus_answers *seen = job->answers;

	return owners_resolve(job, antivirus_options, conf->scopes,
	    sizeof *conf, job->direction == DIRECTION_OUT, &seen->owners,
	    why_r);
}

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

static const struct judgement *
strongest(const struct judgement *each, size_t n)
{
	const struct judgement *found = &each[0];

	for (size_t i = 1; i < n; i++)
		if (stronger(&each[i], found))
			found = &each[i];
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
    const struct judgement *each, size_t n, const struct judgement *told)
{
	size_t i = 0;

	while (i < n && each[i].action != ANTIVIRUS_TAG)
		i++;
	if (i < n)
		told = &each[i];
	if (told->tag.len > 0)
		patch_insert(&p->edits, slice_of(conf->header), arena_printf(
		    p->arena, " %.*s", SLICE_ARG(told->tag)));
}

static struct slice
level_of(const struct job *job, size_t owner, const struct judgement *j)
{
	const struct antivirus_answers *seen = job->answers;
	const struct antivirus_conf *conf = job->conf;

	return owners_level(job, &seen->owners, owner, j->option,
	    conf->scopes);
}

/* Who gets another verdict than the one that is told. */
static void
differ(const struct job *job, struct plan *p, const struct owner_groups *g,
    const struct judgement *each, const struct judgement *told)
{
	bool first = true;

	if (g->of == NULL) {
		p->all.scope = level_of(job, 0, told);
		return;
	}
	for (size_t i = 0; i < job->envelope->nrecipients; i++) {
		const struct judgement *j;
		struct verdict *own;

		if (g->of[i] == OWNER_NONE)
			continue;
		j = &each[g->of[i]];
		if (j == told) {
			verdict_level(&p->all, level_of(job, i, j), first);
			first = false;
			continue;
		}
		own = plan_recipient(p, i);
		*own = j->verdict;
		own->scope = level_of(job, i, j);
	}
}

struct plan *
antivirus_decide(const struct job *job)
{
	struct plan *p = plan_new(job->arena, job->msg);
	const struct antivirus_answers *seen = job->answers;
	const struct judgement *told;
	struct judgement *each;
	struct owner_groups g;

	owners_group(job, &seen->owners, sizeof(struct antivirus_conf), &g);
	each = arena_array(job->arena, g.n, sizeof *each);
	for (size_t i = 0; i < g.n; i++) {
		each[i] = judge(job, g.conf[i]);
		each[i].verdict = verdict_of(&each[i]);
	}
	told = strongest(each, g.n);
	remove_forged(p, job, job->conf);
	wait_remember(p, job);
	tell(p, job, told);
	p->all = told->verdict;
	differ(job, p, &g, each, told);
	tag(p, job->conf, each, g.n, told);
	wait_decide(p, job);
	return p;
}
