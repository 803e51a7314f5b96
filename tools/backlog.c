/* gatehouse backlog: what waits in Postfix's queue, and let go in batches. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "base/clock.h"
#include "base/map.h"
#include "text/json.h"
#include "tools/run.h"
#include "tools/verb.h"

static const struct option longs[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "rate", required_argument, NULL, 'r' },
	{ "batch", required_argument, NULL, 'b' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "postfix", required_argument, NULL, 'p' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse backlog list [--json] [--postfix DIR]\n"
	    "       gatehouse backlog release DOMAIN...|--all [--rate N] "
	    "[--batch N]\n"
	    "                         [--dry-run] [--json] [--postfix DIR]\n"
	    "\n"
	    "list says for which domains mail waits: how much, and since when. "
	    "release has\n"
	    "Postfix try it now, oldest first, in batches: a server that is "
	    "back is not run\n"
	    "over. It stops when a whole batch comes back.\n"
	    "\n"
	    "  --rate N       messages a minute (600)\n"
	    "  --batch N      messages at once (50)\n"
	    "  --dry-run      only say how many\n"
	    "  --postfix DIR  instead of /etc/postfix");
	return EX_OK;
}

struct waiting {
	const char *id;
	int64_t arrived;
};

struct site {
	struct slice domain;
	size_t messages;
	int64_t oldest;
	const char *reason;
};

struct backlog {
	struct arena *a;
	const char *postfix;
	bool all, dry, json, list;
	unsigned rate, batch;
	char **domains;
	int ndomains;

	struct buf waiting;		/* of struct waiting */
	struct map *sites;
	struct map *ids;		/* all that waits, for the next look */
};

/* --- what postqueue -j says -------------------------------------------- */

static struct slice
domain_of(const char *address)
{
	struct slice s = slice_of(address != NULL ? address : "");

	return slice_after(s, slice_find_last(s, '@') + 1);
}

static bool
wanted(const struct backlog *b, struct slice domain)
{
	if (b->all)
		return true;
	for (int i = 0; i < b->ndomains; i++)
		if (slice_eq_nocase(domain, slice_of(b->domains[i])))
			return true;
	return false;
}

static void
count_site(struct backlog *b, struct slice domain, int64_t arrived,
    const char *reason)
{
	struct site *s = map_get(b->sites, domain);

	if (s == NULL) {
		s = arena_alloc(b->a, sizeof *s);
		s->domain = arena_copy(b->a, domain);
		s->oldest = arrived;
		map_put(b->sites, domain, s);
	}
	s->messages++;
	if (arrived <= s->oldest || s->reason == NULL) {
		s->oldest = arrived < s->oldest ? arrived : s->oldest;
		s->reason = arena_str(b->a, slice_of(reason));
	}
}

/* A message counts once for each domain that it waits for. */
static bool
count_recipients(struct backlog *b, json_t *rcpts, int64_t arrived)
{
	struct slice last = SLICE_NONE;
	bool any = false;

	for (size_t i = 0; i < json_array_size(rcpts); i++) {
		json_t *r = json_array_get(rcpts, i);
		const char *reason = json_string_value(json_object_get(r,
		    "delay_reason"));
		struct slice domain = domain_of(json_string_value(
		    json_object_get(r, "address")));

		if (!wanted(b, domain))
			continue;
		any = true;
		if (last.ptr == NULL || !slice_eq_nocase(last, domain))
			count_site(b, domain, arrived, reason != NULL ?
			    reason : "");
		last = domain;
	}
	return any;
}

static void
take_line(void *arg, struct slice line)
{
	struct backlog *b = arg;
	json_t *m = json_loadb(line.ptr, line.len, 0, NULL);
	const char *queue = json_string_value(json_object_get(m,
	    "queue_name"));
	const char *id = json_string_value(json_object_get(m, "queue_id"));
	int64_t arrived = json_integer_value(json_object_get(m,
	    "arrival_time"));

	if (queue != NULL && id != NULL && strcmp(queue, "deferred") == 0 &&
	    count_recipients(b, json_object_get(m, "recipients"), arrived)) {
		struct waiting w = { arena_str(b->a, slice_of(id)), arrived };

		buf_add(&b->waiting, slice_make(&w, sizeof w));
		map_put(b->ids, slice_of(id), b);
	}
	json_decref(m);
}

static int
look(struct backlog *b)
{
	const char *const argv[] = { "postqueue", "-c", b->postfix, "-j",
	    NULL };
	struct run_result r = { 0 };
	struct slice why = SLICE("");

	map_free(b->sites);
	map_free(b->ids);
	b->sites = map_new();
	b->ids = map_new();
	buf_clear(&b->waiting);
	if (run_lines(b->a, argv, take_line, b, &r, &why) != RC_OK)
		return verb_fails(EX_TEMPFAIL, "backlog: %.*s",
		    SLICE_ARG(why));
	if (r.status != 0)
		return verb_fails(EX_TEMPFAIL, "backlog: postqueue: %.*s",
		    SLICE_ARG(slice_trim(r.err)));
	return EX_OK;
}

/* --- list -------------------------------------------------------------- */

struct sites {
	const struct site **items;
	size_t n;
};

static bool
collect(struct slice key, void *value, void *arg)
{
	struct sites *s = arg;

	(void)key;
	s->items[s->n++] = value;
	return true;
}

static int
by_number(const void *x, const void *y)
{
	const struct site *a = *(const struct site *const *)x;
	const struct site *b = *(const struct site *const *)y;

	if (a->messages != b->messages)
		return a->messages < b->messages ? 1 : -1;
	return slice_cmp(a->domain, b->domain);
}

static struct sites
sorted(struct backlog *b)
{
	struct sites s = { arena_array(b->a, map_count(b->sites) + 1,
	    sizeof *s.items), 0 };

	map_each(b->sites, collect, &s);
	qsort(s.items, s.n, sizeof *s.items, by_number);
	return s;
}

static int
list(struct backlog *b)
{
	struct buf out = buf_in(b->a);
	struct sites s = sorted(b);
	struct json w;

	json_init(&w, &out);
	if (b->json) {
		json_pretty(&w);
		json_begin_array(&w);
	}
	for (size_t i = 0; i < s.n; i++) {
		const struct site *site = s.items[i];
		int64_t age = clock_wall() - site->oldest;

		if (!b->json) {
			buf_addf(&out, "%6zu  %3lldh%02lldm  %.*s  %.*s\n",
			    site->messages, (long long)(age / 3600),
			    (long long)(age / 60 % 60), SLICE_ARG(verb_safe(
			    b->a, site->domain)), SLICE_ARG(verb_safe(b->a,
			    slice_of(site->reason))));
			continue;
		}
		json_begin_object(&w);
		json_put(&w, "domain", site->domain);
		json_put_int(&w, "messages", (int64_t)site->messages);
		json_put_int(&w, "oldest", site->oldest);
		json_put(&w, "reason", slice_of(site->reason));
		json_end(&w);
	}
	if (b->json) {
		json_end(&w);
		buf_addc(&out, '\n');
	}
	return verb_print(&out);
}

/* --- release ----------------------------------------------------------- */

static int
by_age(const void *x, const void *y)
{
	const struct waiting *a = x, *b = y;

	if (a->arrived != b->arrived)
		return a->arrived < b->arrived ? -1 : 1;
	return strcmp(a->id, b->id);
}

/* A message that is gone by now is no trouble: it was delivered. */
static void
let_go(struct backlog *b, const char *id)
{
	const char *const argv[] = { "postqueue", "-c", b->postfix, "-i", id,
	    NULL };
	struct run_result r;
	struct slice why = SLICE("");

	if (run_program(b->a, argv, &r, &why) != RC_OK)
		verb_fails(EX_TEMPFAIL, "backlog: %.*s", SLICE_ARG(why));
}

static void
pause_for(const struct backlog *b, size_t n)
{
	uint64_t ms = (uint64_t)n * 60000 / b->rate;
	struct timespec t = { .tv_sec = (time_t)(ms / 1000),
	    .tv_nsec = (long)(ms % 1000 * 1000000) };

	while (nanosleep(&t, &t) != 0)
		;
}

static size_t
came_back(struct backlog *b, const struct waiting *items, size_t n)
{
	size_t back = 0;

	for (size_t i = 0; i < n; i++)
		back += map_get(b->ids, slice_of(items[i].id)) != NULL;
	return back;
}

static int
tell(struct backlog *b, size_t all, size_t done, bool stopped)
{
	struct buf out = buf_in(b->a);
	struct json w;

	if (!b->json) {
		buf_addf(&out, "%zu of %zu messages %s\n", b->dry ? all : done,
		    all, b->dry ? "would be tried" : stopped ?
		    "tried; the last batch came back, so no more" : "tried");
		return verb_print(&out);
	}
	json_init(&w, &out);
	json_begin_object(&w);
	json_put_int(&w, "waiting", (int64_t)all);
	json_put_int(&w, "tried", (int64_t)done);
	json_put_bool(&w, "stopped", stopped);
	json_end(&w);
	buf_addc(&out, '\n');
	return verb_print(&out);
}

static int
release(struct backlog *b)
{
	struct slice first = arena_copy(b->a, buf_slice(&b->waiting));
	const struct waiting *items = (const void *)first.ptr;
	size_t n = first.len / sizeof *items, done = 0;
	bool stopped = false;
	int status;

	while (!b->dry && done < n && !stopped) {
		size_t now = n - done < b->batch ? n - done : b->batch;

		for (size_t i = 0; i < now; i++)
			let_go(b, items[done + i].id);
		done += now;
		if (done == n)
			break;
		pause_for(b, now);
		status = look(b);
		if (status != EX_OK)
			return status;
		stopped = came_back(b, items + done - now, now) == now;
	}
	status = tell(b, n, done, stopped);
	return status != EX_OK ? status : stopped ? EX_TEMPFAIL : EX_OK;
}

/* --- the verb ---------------------------------------------------------- */

static bool
number(const char *text, unsigned max, unsigned *n_r)
{
	uint64_t n;

	if (!slice_number(slice_of(text), max, &n) || n == 0)
		return false;
	*n_r = (unsigned)n;
	return true;
}

static int
read_options(int argc, char **argv, struct backlog *b)
{
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'a': b->all = true; break;
		case 'n': b->dry = true; break;
		case 'j': b->json = true; break;
		case 'p': b->postfix = optarg; break;
		case 'h': help(); return -1;
		case 'r':
			if (!number(optarg, 1000000, &b->rate))
				return verb_fails(EX_USAGE, "backlog: --rate "
				    "is a number, 1 to 1000000");
			break;
		case 'b':
			if (!number(optarg, 10000, &b->batch))
				return verb_fails(EX_USAGE, "backlog: --batch "
				    "is a number, 1 to 10000");
			break;
		default: return EX_USAGE;
		}
	}
	if (optind >= argc || (strcmp(argv[optind], "list") != 0 &&
	    strcmp(argv[optind], "release") != 0))
		return verb_fails(EX_USAGE, "backlog: list or release?");
	b->list = strcmp(argv[optind], "list") == 0;
	b->domains = argv + optind + 1;
	b->ndomains = argc - optind - 1;
	if (!b->list && !b->all && b->ndomains == 0)
		return verb_fails(EX_USAGE, "backlog: release wants domains, "
		    "or --all");
	b->all = b->all || (b->list && b->ndomains == 0);
	return EX_OK;
}

int
verb_backlog(int argc, char **argv, struct arena *a)
{
	struct backlog b = { .a = a, .postfix = "/etc/postfix", .rate = 600,
	    .batch = 50 };
	int status = read_options(argc, argv, &b);

	if (status != EX_OK)
		return status < 0 ? EX_OK : status;
	status = look(&b);
	if (b.waiting.len > 0)
		qsort(b.waiting.ptr, b.waiting.len / sizeof(struct waiting),
		    sizeof(struct waiting), by_age);
	if (status == EX_OK)
		status = b.list ? list(&b) : release(&b);
	map_free(b.sites);
	map_free(b.ids);
	buf_free(&b.waiting);
	return status;
}
