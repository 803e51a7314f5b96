/*
 * gatehouse antivirus status: how the engines of antivirus-multiscan are.
 *
 * Each daemon that hosts it writes a file into its state folder every
 * second; this reads them. The exit status is for monitoring.
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/clock.h"
#include "conf/house.h"
#include "tools/verb.h"

enum { FOLDERS = 100, STALE = 60 };

struct report {
	struct arena *a;
	const char *config, *state;
	bool json;
	struct buf out;
	json_t *all;			/* an array of what was read */
	unsigned wrong;			/* things that are not well */
};

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state", required_argument, NULL, 's' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse antivirus status [OPTION]...\n"
	    "\n"
	    "Says how the engines of antivirus-multiscan are: version and age "
	    "of signatures,\n"
	    "the last self-test, what was scanned. Exit status 0: all is "
	    "well; 1: too few\n"
	    "engines work, one is down or its signatures are too old, or the "
	    "daemon has not\n"
	    "written for a minute; 66: no daemon has ever written.\n"
	    "\n"
	    "  --config DIR   folder with gatehouse.conf\n"
	    "  --state DIR    folder of the daemons' state, instead of "
	    "state_directory\n"
	    "  --json         one JSON array");
	return EX_OK;
}

static int64_t
number(const json_t *of, const char *key)
{
	return json_integer_value(json_object_get(of, key));
}

static struct slice
text(struct report *r, const json_t *of, const char *key)
{
	const char *s = json_string_value(json_object_get(of, key));

	return verb_safe(r->a, slice_of(s != NULL ? s : ""));
}

/* "3 h"; what lies in the future is none. */
static struct slice
span(struct report *r, int64_t seconds)
{
	if (seconds < 0)
		seconds = 0;
	if (seconds < 120)
		return arena_printf(r->a, "%lld s", (long long)seconds);
	if (seconds < 7200)
		return arena_printf(r->a, "%lld min",
		    (long long)(seconds / 60));
	if (seconds < 172800)
		return arena_printf(r->a, "%lld h",
		    (long long)(seconds / 3600));
	return arena_printf(r->a, "%lld days", (long long)(seconds / 86400));
}

/* Counts that are not 0, by name. */
static void
add_counts(struct report *r, json_t *counts)
{
	const char *key, *comma = "";
	json_t *value;

	json_object_foreach(counts, key, value) {
		if (json_integer_value(value) == 0)
			continue;
		buf_addf(&r->out, "%s%.*s %lld", comma, SLICE_ARG(
		    verb_safe(r->a, slice_of(key))),
		    (long long)json_integer_value(value));
		comma = ", ";
	}
	if (comma[0] == '\0')
		buf_adds(&r->out, "none");
}

static void
add_signatures(struct report *r, const json_t *e, int64_t max_age,
    int64_t now, bool *old_r)
{
	int64_t newest = number(e, "newest"), age = now - newest;

	*old_r = newest > 0 && max_age > 0 && age > max_age;
	if (number(e, "signatures") > 0)
		buf_addf(&r->out, ", %lld signatures",
		    (long long)number(e, "signatures"));
	if (newest > 0)
		buf_addf(&r->out, ", the newest %.*s old%s",
		    SLICE_ARG(span(r, age)), *old_r ? " (TOO OLD)" : "");
	else
		buf_adds(&r->out, ", age unknown");
}

/* Does it count as one that works? */
static bool
add_engine(struct report *r, const json_t *e, int64_t max_age, int64_t now)
{
	bool up = json_is_true(json_object_get(e, "up")), old;
	int64_t tested = number(e, "tested");
	struct slice trouble = text(r, e, "trouble");

	buf_addf(&r->out, "  engine %.*s: %s, %.*s", SLICE_ARG(text(r, e,
	    "name")), up ? "up" : "DOWN", SLICE_ARG(text(r, e, "version")));
	add_signatures(r, e, max_age, now, &old);
	if (tested > 0)
		buf_addf(&r->out, "; self-test %s %.*s ago",
		    json_is_true(json_object_get(e, "passed")) ? "passed" :
		    "FAILED", SLICE_ARG(span(r, now - tested)));
	buf_adds(&r->out, "\n    scans: ");
	add_counts(r, json_object_get(e, "scans"));
	buf_addc(&r->out, '\n');
	if (trouble.len > 0)
		buf_addf(&r->out, "    last trouble: %.*s\n",
		    SLICE_ARG(trouble));
	r->wrong += !up || old;
	return up && !old;
}

static void
add_daemon(struct report *r, const char *name, const json_t *s)
{
	int64_t now = clock_wall(), age = now - number(s, "time");
	int64_t scans = number(s, "scans"), hits = number(s, "cache_hits");
	int64_t works = 0;
	const json_t *e;
	size_t i;

	buf_addf(&r->out, "%s (process %lld), as of %.*s ago%s\n", name,
	    (long long)number(s, "pid"), SLICE_ARG(span(r, age)),
	    age > STALE ? ": IT DOES NOT RUN" : "");
	r->wrong += age > STALE;
	json_array_foreach(json_object_get(s, "engines"), i, e)
		works += add_engine(r, e, number(s, "max_signature_age"), now);
	if (works < number(s, "min_engines")) {
		buf_addf(&r->out, "  %lld ENGINES WORK, %lld are asked for\n",
		    (long long)works, (long long)number(s, "min_engines"));
		r->wrong++;
	}
	buf_addf(&r->out, "  messages %lld, of which %lld are under way; "
	    "scans %lld, %lld waiting\n", (long long)number(s, "messages"),
	    (long long)number(s, "under_way"), (long long)scans,
	    (long long)number(s, "waiting"));
	buf_addf(&r->out, "  answered from the cache %lld (%lld %%)\n",
	    (long long)hits, (long long)(scans + hits > 0 ? 100 * hits /
	    (scans + hits) : 0));
	buf_adds(&r->out, "  unpacking: ");
	add_counts(r, json_object_get(s, "unpack"));
	buf_addc(&r->out, '\n');
}

static int
read_one(struct report *r, const char *name)
{
	const char *path = arena_printf(r->a, "%s/%s/antivirus.json",
	    r->state, name).ptr;
	json_error_t error;
	FILE *f = fopen(path, "re");
	json_t *s;

	if (f == NULL)
		return errno == ENOENT || errno == ENOTDIR ? EX_OK :
		    verb_fails(EX_NOINPUT, "%s: %s", path, strerror(errno));
	s = json_loadf(f, JSON_REJECT_DUPLICATES, &error);
	fclose(f);
	if (!json_is_object(s)) {
		json_decref(s);
		return verb_fails(EX_NOINPUT, "%s: it is no status", path);
	}
	json_object_set_new(s, "daemon", json_string(name));
	json_array_append_new(r->all, s);
	add_daemon(r, name, s);
	return EX_OK;
}

static int
read_all(struct report *r)
{
	struct dirent **entries;
	const char *dir = r->state != NULL ? r->state : "";
	int n = scandir(dir, &entries, NULL, alphasort);
	int status = EX_OK;

	if (n < 0)
		return verb_fails(EX_NOINPUT, "%s: %s", dir,
		    strerror(errno));
	for (int i = 0; i < n; i++) {
		if (entries[i]->d_name[0] != '.' && i < FOLDERS &&
		    status == EX_OK)
			status = read_one(r, arena_str(r->a,
			    slice_of(entries[i]->d_name)));
		free(entries[i]);
	}
	free(entries);
	return status;
}

static int
print(struct report *r)
{
	char *dump;

	if (r->json) {
		dump = json_dumps(r->all, JSON_INDENT(2));
		buf_clear(&r->out);
		buf_addf(&r->out, "%s\n", dump != NULL ? dump : "[]");
		free(dump);
	}
	return verb_print(&r->out);
}

static int
find_state(struct report *r)
{
	struct house_conf house;
	struct conf_section sections[] = { { house_options, &house },
	    { NULL, NULL } };
	struct slice why;

	if (r->state != NULL)
		return EX_OK;
	if (conf_load(r->a, verb_house_file(verb_conf_dir(r->config), r->a),
	    sections, &why) != RC_OK)
		return verb_fails(EX_CONFIG, "%.*s", SLICE_ARG(why));
	r->state = house.state_directory;
	return EX_OK;
}

static int
report(struct report *r)
{
	int status = find_state(r);

	if (status == EX_OK)
		status = read_all(r);
	if (status == EX_OK && json_array_size(r->all) == 0)
		status = verb_fails(EX_NOINPUT, "no daemon below %s has "
		    "written how its engines are", r->state);
	if (status == EX_OK)
		status = print(r);
	return status != EX_OK ? status : r->wrong > 0 ? EXIT_UNEXPECTED :
	    EX_OK;
}

int
verb_antivirus(int argc, char **argv, struct arena *a)
{
	struct report r = { .a = a, .out = buf_in(a) };
	int o, status;

	optind = 1;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'c': r.config = optarg; break;
		case 's': r.state = optarg; break;
		case 'j': r.json = true; break;
		case 'h': return help();
		default: return EX_USAGE;
		}
	}
	if (argc - optind != 1 || strcmp(argv[optind], "status") != 0)
		return verb_fails(EX_USAGE, "antivirus: \"status\" is wanted; "
		    "gatehouse antivirus --help says more");
	r.all = json_array();
	status = report(&r);
	json_decref(r.all);
	return status;
}
