/*
 * gatehouse antivirus status: how the engines of antivirus-multiscan are, what
 * waits for a second look, and how the sandbox is.
 *
 * Each daemon that hosts it writes a file into its state folder every
 * second, and so does gatehouse-sandbox; this reads them, and asks
 * gatehouse-store. The exit status is for monitoring.
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "conf/house.h"
#include "tools/quarantine.h"
#include "tools/verb.h"

enum { FOLDERS = 100, STALE = 60, STORE_MS = 5000 };

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
	    "the last self-test, what was scanned; how much mail waits for a "
	    "second scan or\n"
	    "for a sandbox, and how that is. Exit status 0: all is well; 1: "
	    "too few engines\n"
	    "work, one is down or its signatures are too old, the sandbox "
	    "does not answer, or a\n"
	    "daemon has not written for a minute; 66: no daemon has ever "
	    "written.\n"
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

/* *status_r NULL: there is no such file. */
static int
read_file(struct report *r, const char *name, const char *file,
    json_t **status_r)
{
	const char *path = arena_printf(r->a, "%s/%s/%s", r->state, name,
	    file).ptr;
	json_error_t error;
	FILE *f = fopen(path, "re");
	json_t *s;

	*status_r = NULL;
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
	*status_r = s;
	return EX_OK;
}

static int
read_one(struct report *r, const char *name)
{
	json_t *s;
	int status = read_file(r, name, "antivirus.json", &s);

	if (s != NULL)
		add_daemon(r, name, s);
	return status;
}

/* ---- what waits ---- */

static void
add_waiting(struct report *r, const json_t *all, const char *cause,
    const char *for_what)
{
	const json_t *c = json_object_get(all, cause);
	int64_t now = clock_wall(), next = number(c, "next");

	buf_addf(&r->out, "%s: %lld messages wait %s", cause,
	    (long long)number(c, "count"), for_what);
	if (number(c, "count") > 0)
		buf_addf(&r->out, ", the oldest for %.*s", SLICE_ARG(span(r,
		    now - number(c, "oldest"))));
	if (next > 0)
		buf_addf(&r->out, "; %s in %.*s", strcmp(cause, "deferred") ==
		    0 ? "the next is scanned" : "the next deadline is",
		    SLICE_ARG(span(r, next - now)));
	buf_addc(&r->out, '\n');
}

/* Only where there is a quarantine; it was told why it does not answer. */
static void
ask_waiting(struct report *r)
{
	struct asking q = { .a = r->a, .config = r->config,
	    .state = r->state };
	const char *sock = arena_printf(r->a, "%s/store/sock", r->state).ptr;

	if (access(sock, F_OK) != 0)
		return;
	if (asking_open(&q, STORE_MS) != EX_OK) {
		r->wrong++;
		return;
	}
	asking_begin(&q, "waiting");
	if (asking_ask(&q) == EX_OK) {
		add_waiting(r, q.answer, "deferred", "to be scanned again");
		add_waiting(r, q.answer, "sandbox", "for a sandbox");
		json_object_set_new(q.answer, "daemon", json_string("store"));
		json_array_append(r->all, q.answer);
	} else {
		r->wrong++;
	}
	asking_close(&q);
}

static int
read_sandbox(struct report *r)
{
	int64_t now = clock_wall(), age;
	bool up, runs;
	json_t *s;
	int status = read_file(r, "sandbox", "status.json", &s);

	if (s == NULL)
		return status;
	age = now - number(s, "time");
	up = json_is_true(json_object_get(s, "up"));
	runs = age <= STALE;
	buf_addf(&r->out, "gatehouse-sandbox, as of %.*s ago%s\n  %.*s: %s "
	    "for %.*s", SLICE_ARG(span(r, age)), runs ? "" :
	    ": IT DOES NOT RUN", SLICE_ARG(text(r, s, "url")), up ? "up" :
	    "DOWN", SLICE_ARG(span(r, now - number(s, "since"))));
	if (!up)
		buf_addf(&r->out, " (%.*s)", SLICE_ARG(text(r, s, "why")));
	buf_addf(&r->out, "\n  files %lld, of which it has %lld; known: clean "
	    "%lld, suspicious %lld, malicious %lld, no answer %lld\n",
	    (long long)number(s, "files"), (long long)number(s, "tasks"),
	    (long long)number(s, "clean"), (long long)number(s, "suspicious"),
	    (long long)number(s, "malicious"), (long long)number(s, "none"));
	r->wrong += !up || !runs;
	return status;
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
	if (status == EX_OK) {
		ask_waiting(r);
		status = read_sandbox(r);
	}
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
