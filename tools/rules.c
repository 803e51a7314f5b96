/*
 * gatehouse rules: what the rules of predelivery make of a message, or what is
 * wrong with them. Without side effects.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "log/log.h"
#include "milter/settings.h"
#include "milters/predelivery/filter.h"
#include "milters/predelivery/rules_do.h"
#include "milters/predelivery/shared.h"
#include "tools/rules.h"
#include "tools/verb.h"

enum { RECIPIENTS = 1000, FINDINGS = 100, MESSAGE = 100 << 20 };

struct asked {
	struct arena *a;
	const char *config, *path;
	struct client client;
	struct envelope envelope;
	struct recipient recipients[RECIPIENTS];
	struct finding findings[FINDINGS];
	size_t nfindings;
	enum direction direction;
	bool has_direction, json, all, help;
};

static const struct option longs[] = {
	{ "from", required_argument, NULL, 'f' },
	{ "to", required_argument, NULL, 'r' },
	{ "ip", required_argument, NULL, 'i' },
	{ "user", required_argument, NULL, 'u' },
	{ "direction", required_argument, NULL, 'd' },
	{ "finding", required_argument, NULL, 'k' },
	{ "now", required_argument, NULL, 't' },
	{ "config", required_argument, NULL, 'c' },
	{ "all", no_argument, NULL, 'a' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse rules test [OPTION]... MESSAGE\n"
	    "       gatehouse rules check [--config DIR]\n"
	    "\n"
	    "test: for each recipient each rule that matches MESSAGE (a file, "
	    "or - for\n"
	    "standard input), which of its conditions hold, and what is done. "
	    "check: reads\n"
	    "the rules as the daemon would, and says file, line, what is "
	    "wrong and what\n"
	    "would be right.\n"
	    "\n"
	    "  --from F           reverse-path; <> or nothing is the empty "
	    "one\n"
	    "  --to R             recipient; may be given several times\n"
	    "  --ip IP            who sends it\n"
	    "  --user U           the login of who sends it\n"
	    "  --direction in|out instead of what networks says\n"
	    "  --finding F.K=V    what filter F found, by its key K\n"
	    "  --now TIME         the clock: seconds since 1970, or "
	    "2026-11-22T03:20:00Z\n"
	    "  --all              rules that do not match, too\n"
	    "  --config DIR       folder with gatehouse.conf and "
	    "predelivery.conf\n"
	    "  --json             one JSON object");
	return EX_OK;
}

/* ---- the command line ---- */

static int
add_recipient(struct asked *q, const char *address)
{
	if (q->envelope.nrecipients == RECIPIENTS)
		return verb_fails(EX_USAGE, "--to: more than %d", RECIPIENTS);
	q->recipients[q->envelope.nrecipients++] = (struct recipient){
	    verb_path(slice_of(address)), SLICE("smtp"), SLICE("") };
	return EX_OK;
}

/* "auth-check.dmarc=fail" */
static int
add_finding(struct asked *q, const char *text)
{
	struct slice value = SLICE_NONE, key;
	struct slice filter = slice_cut(slice_of(text), '.', &key);
	struct finding *f = &q->findings[q->nfindings];

	if (key.ptr != NULL)
		key = slice_cut(key, '=', &value);
	if (key.ptr == NULL || value.ptr == NULL || q->nfindings == FINDINGS)
		return verb_fails(EX_USAGE, "--finding %s: wants "
		    "FILTER.KEY=VALUE, at most %d times", text, FINDINGS);
	*f = (struct finding){ filter, key, value };
	q->nfindings++;
	return EX_OK;
}

static int
set_direction(struct asked *q, const char *text)
{
	if (strcmp(text, "in") != 0 && strcmp(text, "out") != 0)
		return verb_fails(EX_USAGE, "--direction %s: in or out", text);
	q->has_direction = true;
	q->direction = text[0] == 'i' ? DIRECTION_IN : DIRECTION_OUT;
	return EX_OK;
}

static int
set_ip(struct asked *q, const char *text)
{
	if (!ip_parse(slice_of(text), &q->client.ip))
		return verb_fails(EX_USAGE, "--ip %s: is no address", text);
	return EX_OK;
}

static int
take(struct asked *q, int o)
{
	switch (o) {
	case 'f': q->envelope.sender = verb_path(slice_of(optarg)); break;
	case 'r': return add_recipient(q, optarg);
	case 'i': return set_ip(q, optarg);
	case 'u': q->client.user = slice_of(optarg); break;
	case 'd': return set_direction(q, optarg);
	case 'k': return add_finding(q, optarg);
	case 't': return verb_clock(optarg);
	case 'c': q->config = optarg; break;
	case 'a': q->all = true; break;
	case 'j': q->json = true; break;
	case 'h': q->help = true; break;
	default: return EX_USAGE;
	}
	return EX_OK;
}

/* ---- the settings of the daemon ---- */

static int
load(struct asked *q, struct settings **set_r)
{
	const struct filter *const one[] = { &predelivery_filter, NULL };
	const char *dir = verb_conf_dir(q->config);
	struct settings_source source = {
		.house_file = verb_house_file(dir, q->a), .conf_dir = dir,
		.name = "predelivery", .filters = one, .optional = true,
		.trusted = true,
	};
	struct slice why = SLICE("");
	enum rc rc = settings_load(&source, NULL, set_r, q->a, &why);

	return rc == RC_OK ? EX_OK : verb_fails(verb_status(rc), "%.*s",
	    SLICE_ARG(why));
}

static int
check(struct asked *q)
{
	const struct predelivery_shared *shared;
	unsigned of[3] = { 0, 0, 0 };
	struct buf out = buf_in(q->a);
	struct settings *set;
	int status = load(q, &set);

	if (status != EX_OK)
		return status;
	shared = set->instances[0].shared;
	for (unsigned i = 0; i < shared->rules->n; i++)
		of[shared->rules->all[i].mode]++;
	buf_addf(&out, "%u rules in %u sets are right: %u active, %u shadow, "
	    "%u off\n", shared->rules->n, shared->rules->nsets,
	    of[RULE_ACTIVE], of[RULE_SHADOW], of[RULE_OFF]);
	for (unsigned i = 0; i < shared->rules->nsets; i++)
		buf_addf(&out, "  set %.*s: %u\n",
		    SLICE_ARG(shared->rules->sets[i].name),
		    shared->rules->sets[i].end -
		    shared->rules->sets[i].first);
	settings_drop(set);
	return verb_print(&out);
}

/* ---- one message ---- */

static int
read_message(struct asked *q, struct message *msg)
{
	struct slice file, head, body;
	int status = verb_read(q->path, q->a, &file);

	if (status != EX_OK)
		return status;
	if (file.len > MESSAGE)
		return verb_fails(EX_DATAERR, "%s: larger than %d MB", q->path,
		    MESSAGE >> 20);
	message_split(q->a, file, &head, &body);
	message_read(msg, q->a, head, body, NULL);
	return EX_OK;
}

static void
begin(struct asked *q, struct settings *set, struct message *msg,
    struct job *job)
{
	const struct instance *in = &set->instances[0];

	q->envelope.recipients = q->recipients;
	*job = (struct job){ .filter = "predelivery", .arena = q->a,
	    .house = &set->house, .conf = in->conf, .shared = in->shared,
	    .policy = set->policy, .view = in->view, .client = &q->client,
	    .envelope = &q->envelope, .msg = msg, .findings = q->findings,
	    .nfindings = q->nfindings, .now = clock_wall(),
	    .store = set->store, .deadline = DEADLINE_NEVER };
	job->direction = q->has_direction ? q->direction :
	    conf_nets_hold(&set->house.networks, &q->client.ip) ||
	    q->client.user.len > 0 ? DIRECTION_OUT : DIRECTION_IN;
}

static int
judge(struct asked *q, const struct job *job, struct buf *out)
{
	const struct predelivery_shared *shared = job->shared;
	struct predelivery_answers *seen = arena_alloc(q->a, sizeof *seen);
	struct rules_for *of = arena_array(q->a,
	    job->envelope->nrecipients + 1, sizeof *of);
	struct facts *facts = arena_alloc(q->a, sizeof *facts);
	struct job own = *job;
	struct rules_told told = { .job = &own, .rules = shared->rules,
	    .of = of, .facts = facts, .outcome = &seen->rules,
	    .all = q->all };
	struct slice why = SLICE("");

	if (rules_whose(job, of, &why) != RC_OK)
		return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
	facts_init(facts, job, shared->countries, 0);
	rules_run(shared->rules, facts, of, &seen->rules);
	own.answers = seen;
	told.plan = predelivery_decide(&own);
	rules_tell(&told, q->json, out);
	return EX_OK;
}

static int
test(struct asked *q)
{
	struct buf out = buf_in(q->a);
	struct settings *set;
	struct message msg;
	struct job job;
	int status = read_message(q, &msg);

	if (status == EX_OK)
		status = load(q, &set);
	if (status != EX_OK)
		return status;
	if (q->envelope.nrecipients == 0)
		add_recipient(q, "postmaster@localhost");
	begin(q, set, &msg, &job);
	status = judge(q, &job, &out);
	settings_drop(set);
	return status == EX_OK ? verb_print(&out) : status;
}

int
verb_rules(int argc, char **argv, struct arena *a)
{
	struct asked *q = arena_alloc(a, sizeof *q);
	const char *verb;
	int o, status, left;

	q->a = a;
	q->envelope.sender = q->client.user = q->envelope.queue_id =
	    q->client.name = q->client.helo = SLICE("");
	optind = 1;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		status = take(q, o);
		if (status != EX_OK)
			return status;
	}
	if (q->help)
		return help();
	left = argc - optind;
	verb = left > 0 ? argv[optind] : "";
	if (strcmp(verb, "check") == 0 && left == 1)
		return check(q);
	if (strcmp(verb, "test") == 0 && left == 2) {
		q->path = argv[optind + 1];
		return test(q);
	}
	return verb_fails(EX_USAGE, "rules: \"test MESSAGE\" or \"check\" is "
	    "wanted; gatehouse rules --help says more");
}
