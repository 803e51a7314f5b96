/*
 * gatehouse harvest: the table of harvest protection, beside the daemon.
 *
 * Each daemon that hosts auth-check has a table of its own, in its folder
 * below state_directory: all are shown, and an entry is forgotten in all.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "conf/house.h"
#include "milter/settings.h"
#include "milters/auth-check/harvest_early.h"
#include "milters/auth-check/harvest_file.h"
#include "text/json.h"
#include "tools/verb.h"

enum { FOLDERS = 100 };

struct harvest_verb {
	struct arena *a;
	const char *config, *state, *what, *which;
	bool json, all, help;
	struct harvest_policy policy;
	struct network net;
	struct buf out;
	struct json w;
	unsigned tables, found;
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state", required_argument, NULL, 's' },
	{ "all", no_argument, NULL, 'a' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse harvest list [OPTION]...\n"
	    "       gatehouse harvest forget [OPTION]... ADDRESS|NETWORK\n"
	    "\n"
	    "Shows who is slowed or refused for asking for unknown recipients "
	    "(auth-check,\n"
	    "option harvest), or forgets a client: its address, the networks "
	    "that it is in, and\n"
	    "what lies inside a network. A running daemon sees it at once. "
	    "Exit status 1:\n"
	    "there was nothing to forget.\n"
	    "\n"
	    "  --all          list: clean sources too\n"
	    "  --config DIR   folder with gatehouse.conf and auth-check.conf\n"
	    "  --state DIR    folder of the daemons' state, instead of "
	    "state_directory\n"
	    "  --json         list: one JSON array");
	return EX_OK;
}

static int
read_line(struct harvest_verb *v, int argc, char **argv)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'c': v->config = optarg; break;
		case 's': v->state = optarg; break;
		case 'a': v->all = true; break;
		case 'j': v->json = true; break;
		case 'h': v->help = true; return EX_OK;
		default: return EX_USAGE;
		}
	}
	v->what = argv[optind];
	v->which = v->what != NULL ? argv[optind + 1] : NULL;
	if (v->what != NULL && strcmp(v->what, "list") == 0 &&
	    v->which == NULL)
		return EX_OK;
	if (v->which == NULL || strcmp(v->what, "forget") != 0 ||
	    argv[optind + 2] != NULL)
		return verb_fails(EX_USAGE, "harvest: list, or forget and an "
		    "address, is wanted; gatehouse harvest --help says more");
	if (!net_parse_loose(slice_of(v->which), &v->net))
		return verb_fails(EX_USAGE, "harvest: \"%s\" is no address "
		    "and no network", v->which);
	net_mask(&v->net);
	return EX_OK;
}

static int
read_conf(struct harvest_verb *v)
{
	static struct milter_conf milter;
	static struct auth_check_conf conf;
	struct house_conf house;
	struct conf_section ours[] = { { house_options, &house },
	    { NULL, NULL } };
	struct conf_section auth[] = { { milter_options, &milter },
	    { auth_check_options, &conf }, { NULL, NULL } };
	const char *dir = verb_conf_dir(v->config), *file = NULL;
	struct slice why;

	if (dir != NULL)
		file = arena_printf(v->a, "%s/auth-check.conf", dir).ptr;
	if (file != NULL && access(file, F_OK) != 0)
		file = NULL;
	if (conf_load(v->a, verb_house_file(dir, v->a), ours, &why) != RC_OK ||
	    conf_load(v->a, file, auth, &why) != RC_OK)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	v->policy = harvest_policy_of(&conf);
	if (v->state == NULL)
		v->state = house.state_directory;
	return EX_OK;
}

static struct slice
time_text(struct arena *a, int64_t when)
{
	time_t t = (time_t)when;
	struct tm tm;
	char text[32];

	if (gmtime_r(&t, &tm) == NULL)
		return SLICE("?");
	strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return arena_copy(a, slice_of(text));
}

static void
put_entry(const struct harvest_view *view, void *arg)
{
	struct harvest_verb *v = arg;
	struct slice source = net_format(v->a, &view->source);
	struct slice since = time_text(v->a, view->since);

	if (view->state == HARVEST_CLEAN && !v->all)
		return;
	v->found++;
	if (!v->json) {
		buf_addf(&v->out, "%-6s %8.1f %8.1f  %.*s  %.*s\n",
		    harvest_state_name(view->state), view->refused,
		    view->accepted, SLICE_ARG(since), SLICE_ARG(source));
		return;
	}
	json_begin_object(&v->w);
	json_put(&v->w, "source", source);
	json_put(&v->w, "state", slice_of(harvest_state_name(view->state)));
	json_put(&v->w, "since", since);
	json_put(&v->w, "refused", arena_printf(v->a, "%.3f", view->refused));
	json_put(&v->w, "accepted", arena_printf(v->a, "%.3f",
	    view->accepted));
	json_end(&v->w);
}

/* The table of one daemon; a folder without one is no trouble. */
static int
visit_folder(struct harvest_verb *v, const char *name)
{
	bool list = strcmp(v->what, "list") == 0;
	const char *path = arena_printf(v->a, "%s/%s/harvest", v->state,
	    name).ptr;
	struct harvest_table *t;
	struct slice why;

	if (access(path, F_OK) != 0 && errno != EACCES)
		return EX_OK;
	t = harvest_map(path, !list, v->a, &why);
	if (t == NULL)
		return verb_fails(EX_NOINPUT, "%.*s", SLICE_ARG(why));
	v->tables++;
	if (!list) {
		v->found += harvest_forget(t, &v->net);
		return EX_OK;
	}
	if (harvest_guarded(t))
		fprintf(stderr, "gatehouse: %s: nobody has been accepted "
		    "lately, so nobody is slowed or refused: is a recipient "
		    "map empty?\n", name);
	harvest_each(t, &v->policy, clock_wall(), put_entry, v);
	return EX_OK;
}

static int
visit_all(struct harvest_verb *v)
{
	struct dirent **entries;
	int n = scandir(v->state, &entries, NULL, alphasort);
	int status = EX_OK;

	if (n < 0)
		return verb_fails(EX_NOINPUT, "%s: %s", v->state,
		    strerror(errno));
	for (int i = 0; i < n; i++) {
		if (status == EX_OK && entries[i]->d_name[0] != '.' &&
		    i < FOLDERS)
			status = visit_folder(v, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	if (status == EX_OK && v->tables == 0)
		fprintf(stderr, "gatehouse: %s: no daemon has a table there\n",
		    v->state);
	return status;
}

int
verb_harvest(int argc, char **argv, struct arena *a)
{
	struct harvest_verb v = { .a = a, .out = buf_in(a) };
	int status = read_line(&v, argc, argv);

	if (status == EX_OK && v.help)
		return help();
	if (status == EX_OK)
		status = read_conf(&v);
	if (status != EX_OK)
		return status;
	json_init(&v.w, &v.out);
	json_pretty(&v.w);
	if (v.json)
		json_begin_array(&v.w);
	status = visit_all(&v);
	if (v.json) {
		json_end(&v.w);
		buf_addc(&v.out, '\n');
	}
	if (status == EX_OK && strcmp(v.what, "list") == 0)
		status = verb_print(&v.out);
	else if (status == EX_OK && v.found == 0)
		status = EXIT_UNEXPECTED;
	return status;
}
