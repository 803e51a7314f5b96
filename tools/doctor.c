/* gatehouse doctor: what is wrong here, why it matters, what to type. */
#include "tools/doctor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "tools/maincf.h"
#include "tools/verb.h"

static const struct doctor_check *const checks[] = {
	&doctor_config, &doctor_rights, &doctor_daemons, &doctor_journal,
	&doctor_postfix, &doctor_sockets, &doctor_milters, &doctor_listeners,
	&doctor_scope, &doctor_maps, &doctor_recipe, &doctor_queue,
	&doctor_policy, &doctor_store, &doctor_track, &doctor_splitter,
	&doctor_sandbox, &doctor_spamcheck,
	&doctor_directory, &doctor_dns, &doctor_outbound, &doctor_spam,
	&doctor_clock,
	&doctor_disk,
};

enum { NCHECKS = sizeof checks / sizeof checks[0], PATIENCE = 8 };

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "postfix", required_argument, NULL, 'p' },
	{ "only", required_argument, NULL, 'o' },
	{ "skip", required_argument, NULL, 's' },
	{ "timeout", required_argument, NULL, 't' },
	{ "now", required_argument, NULL, 'n' },
	{ "list", no_argument, NULL, 'l' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "json", no_argument, NULL, 'j' },
	{ "manual", no_argument, NULL, 'm' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse doctor [OPTION]...\n"
	    "\n"
	    "Looks at configuration, daemons, sockets, Postfix, DNS, clock and "
	    "disks. Says what\n"
	    "is wrong, why it matters and what to type; changes nothing. Exit "
	    "status, as\n"
	    "monitoring wants it: 0 all is well, 1 warning, 2 critical, 3 "
	    "something could not\n"
	    "be looked at. It wants root.\n"
	    "\n"
	    "  --only CHECK   only this one; may be given several times\n"
	    "  --skip CHECK   all but this one; may be given several times\n"
	    "  --list         which checks there are, and what they may find\n"
	    "  --verbose      also what was looked at and is right\n"
	    "  --json         one JSON object\n"
	    "  --timeout SEC  for all of it, at most; 8\n"
	    "  --config DIR   instead of " SYSCONFDIR "/gatehouse\n"
	    "  --postfix DIR  configuration of that Postfix, instead of its "
	    "own default\n"
	    "  --now TIME     what the clock shall say, in seconds since 1970");
	return EX_OK;
}

struct options {
	const char *config, *postfix;
	uint64_t seconds;
	bool only[NCHECKS], skip[NCHECKS], some;
	bool list, manual, verbose, json;
};

static int
find_check(const char *name)
{
	for (int i = 0; i < NCHECKS; i++)
		if (strcmp(checks[i]->id, name) == 0)
			return i;
	return -1;
}

static int
pick(struct options *o, bool picked[NCHECKS], const char *name)
{
	int n = find_check(name);

	if (n < 0)
		return verb_fails(EX_USAGE, "doctor: there is no check \"%s\"; "
		    "gatehouse doctor --list", name);
	picked[n] = true;
	o->some |= picked == o->only;
	return EX_OK;
}

static int
set_number(const char *option, const char *text, uint64_t max, uint64_t *n_r)
{
	if (slice_number(slice_of(text), max, n_r) && *n_r > 0)
		return EX_OK;
	return verb_fails(EX_USAGE, "doctor: %s wants a number from 1 to %llu",
	    option, (unsigned long long)max);
}

static int
read_options(int argc, char **argv, struct options *o)
{
	uint64_t now;
	int c, status = EX_OK;

	*o = (struct options){ .seconds = PATIENCE };
	optind = 1;
	while (status == EX_OK &&
	    (c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'c': o->config = optarg; break;
		case 'p': o->postfix = optarg; break;
		case 'o': status = pick(o, o->only, optarg); break;
		case 's': status = pick(o, o->skip, optarg); break;
		case 't':
			status = set_number("--timeout", optarg, 3600,
			    &o->seconds);
			break;
		case 'n':
			status = set_number("--now", optarg, INT64_MAX, &now);
			if (status == EX_OK)
				clock_pin((int64_t)now);
			break;
		case 'l': o->list = true; break;
		case 'm': o->manual = true; break;
		case 'v': o->verbose = true; break;
		case 'j': o->json = true; break;
		case 'h': return -1;
		default: return EX_USAGE;
		}
	}
	if (status == EX_OK && optind < argc)
		return verb_fails(EX_USAGE, "doctor: no such argument: %s",
		    argv[optind]);
	return status;
}

static void
load_house(struct doctor *d, struct arena *a)
{
	struct house_conf *house = arena_alloc(a, sizeof *house);
	const struct conf_section sections[] = { { house_options, house },
	    { NULL, NULL } };

	if (conf_load_trusted(a, verb_house_file(d->conf_dir, a), sections,
	    &d->house_why) == RC_OK && house_finish(house, a,
	    &d->house_why) == RC_OK)
		d->house = house;
}

/* Are there marks of postfix-config in main.cf? */
static bool
was_applied(const struct postconf *pc, struct arena *a)
{
	const char *path = arena_printf(a, "%.*s/main.cf", SLICE_ARG(
	    postconf_value(pc, NULL, "config_directory", a))).ptr;
	FILE *f = fopen(path, "re");
	char line[sizeof CF_MARK];
	bool found = false;
	int c = '\n';

	while (f != NULL && !found && c != EOF &&
	    fgets(line, sizeof line, f) != NULL) {
		found = strcmp(line, CF_MARK) == 0;
		/* The rest of a longer line. */
		c = (unsigned char)line[strlen(line) - 1];
		while (c != '\n' && c != EOF)
			c = getc(f);
	}
	if (f != NULL)
		fclose(f);
	return found;
}

/* What all checks share is gathered before them; it has half of the time. */
static void
load(struct doctor *d, const struct options *o, struct arena *a)
{
	struct postconf *pc;

	d->conf_dir = verb_conf_dir(o->config);
	d->conf_given = o->config != NULL;
	d->postfix_dir = o->postfix;
	d->root = geteuid() == 0;
	d->patience = (int64_t)o->seconds * 1000;
	d->until = deadline_in(d->patience);
	load_house(d, a);
	if (postconf_load(o->postfix, deadline_in(d->patience / 2), a, &pc,
	    &d->postfix_why) != RC_OK)
		return;
	d->postfix = pc;
	d->applied = was_applied(pc, a);
}

static int
status_of(enum doctor_severity worst)
{
	switch (worst) {
	case DOCTOR_WARNING: return 1;
	case DOCTOR_CRITICAL: return 2;
	case DOCTOR_UNKNOWN: return 3;
	default: return 0;
	}
}

static int
diagnose(const struct options *o, const struct doctor_check *const *list,
    size_t count, struct arena *a)
{
	struct doctor_report *reports = arena_array(a, NCHECKS,
	    sizeof *reports);
	struct doctor d = { .house_why = SLICE(""), .postfix_why = SLICE("") };
	struct buf out = buf_in(a);
	int status;

	signal(SIGPIPE, SIG_IGN);
	load(&d, o, a);
	doctor_run(&d, list, count, reports, a);
	if (o->json)
		doctor_json(&out, reports, count);
	else
		doctor_text(&out, reports, count, o->verbose);
	status = verb_print(&out);
	return status != EX_OK ? 3 : status_of(doctor_worst(reports, count));
}

int
verb_doctor(int argc, char **argv, struct arena *a)
{
	const struct doctor_check *list[NCHECKS];
	struct options o;
	struct buf out = buf_in(a);
	size_t count = 0;
	int status = read_options(argc, argv, &o);

	if (status != EX_OK)
		return status < 0 ? help() : status;
	if (o.config != NULL && access(o.config, R_OK | X_OK) != 0)
		return verb_fails(EX_NOINPUT, "%s: %s", o.config,
		    strerror(errno));
	for (int i = 0; i < NCHECKS; i++)
		if (!o.skip[i] && (o.only[i] || !o.some))
			list[count++] = checks[i];
	if (!o.list && !o.manual)
		return diagnose(&o, list, count, a);
	if (o.manual)
		doctor_manual(&out, list, count);
	else
		doctor_list(&out, list, count, o.json);
	return verb_print(&out);
}
