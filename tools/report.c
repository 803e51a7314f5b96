/*
 * gatehouse report: finished deliveries as CSV (RFC 4180), one line a
 * recipient; counts; and files for each day.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/map.h"
#include "tools/csv.h"
#include "tools/tracked.h"

enum { LAST_DAYS = 7, KEEP_MOST = 183 };

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "state", required_argument, NULL, 's' },
	{ "day", required_argument, NULL, 'd' },
	{ "from", required_argument, NULL, 'f' },
	{ "to", required_argument, NULL, 't' },
	{ "counts", no_argument, NULL, 'n' },
	{ "daily", required_argument, NULL, 'D' },
	{ "keep", required_argument, NULL, 'k' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse report [--day DATE | --from TIME --to TIME] "
	    "[--counts]\n"
	    "       gatehouse report --daily DIR [--keep DAYS]\n"
	    "\n"
	    "Writes what was finished in that time (yesterday, when none is "
	    "given) as CSV,\n"
	    "a line a recipient; no subject and nothing of the content. A "
	    "value that a\n"
	    "spreadsheet would take for a formula has a ' before it.\n"
	    "\n"
	    "  --counts       only how many: day, direction, fate, cause\n"
	    "  --daily DIR    one file a day below DIR, for each of the last "
	    "7 days that has\n"
	    "                 none yet; files older than --keep go\n"
	    "  --keep DAYS    180; at most 183 (they are personal data)\n"
	    "  --config DIR --state DIR");
	return EX_OK;
}

struct report {
	struct arena *a;
	const char *config, *state, *daily;
	int64_t from, to;		/* ms; to: not any more */
	unsigned keep;			/* days */
	bool counts;
	struct db *db;
	struct map *sums;
};

/* --- rows ---------------------------------------------------------------- */

static const char *const heads[] = { "time", "finished", "direction",
	"queue_id", "message_id", "from", "to", "original_to", "size", "client",
	"ip", "fate", "dsn", "relay", "reply", "verdict", "rule", "cause",
	"virus" };

enum { HEADS = sizeof heads / sizeof heads[0] };

/*
 * Final states only: by when the last word was said, not by when the message
 * came. A message can wait for days, so days before are looked at too.
 */
static const char sql[] = "SELECT m.mid, r.t, m.direction, m.qid, m.msgid,"
	" m.sender, r.rcpt, r.orig, m.size, m.client, m.ip, r.fate, r.dsn,"
	" r.relay, r.reply, f.verdict, f.rule, f.cause, f.virus FROM message m"
	" CROSS JOIN recipient r ON r.mid = m.mid LEFT JOIN finding f ON"
	" f.fid = (SELECT x.fid FROM finding x WHERE x.mid = m.mid"
	" ORDER BY x.virus IS NULL, x.cause IS NULL, x.verdict = 'accept',"
	" x.fid LIMIT 1)"
	" WHERE m.mid < ?2 AND r.t >= ?3 AND r.t < ?4 AND r.fate IN"
	" (2, 5, 6, 7, 8, 9, 10, 11, 15) AND ?1 NOT NULL"
	/* What came back to us at once (gatehouse-splitter, a content filter)
	 * ends there. */
	" AND NOT (r.next NOT NULL AND EXISTS (SELECT 1 FROM message c WHERE"
	" c.day IN (r.t / 86400000, (r.t - 600000) / 86400000) AND"
	" c.qid = r.next AND c.parent = m.qid)) ORDER BY m.mid,"
	" r.rcpt";

enum { DIRECTION = 2, FATE = 11, CAUSE = 17 };

static struct slice
cell(struct report *p, struct db_query *q, int i)
{
	struct slice text;

	if (i < 2)
		return tracked_stamp(p->a, i == 0 ?
		    track_ms(db_column_int(q, 0)) : db_column_int(q, 1));
	if (i == FATE)
		return slice_of(track_end_name((enum track_end)
		    db_column_int(q, i)));
	text = db_column(q, i, p->a);
	return text.ptr != NULL ? text : SLICE("");
}

static void
count(struct report *p, struct db_query *q)
{
	struct slice direction = cell(p, q, DIRECTION);
	struct slice key = arena_printf(p->a, "%.*s\n%.*s\n%.*s\n%.*s",
	    SLICE_ARG(slice_sub(cell(p, q, 1), 0, 10)),
	    SLICE_ARG(direction), SLICE_ARG(cell(p, q, FATE)),
	    SLICE_ARG(cell(p, q, CAUSE)));
	uintptr_t n = (uintptr_t)map_get(p->sums, key);

	map_put(p->sums, key, (void *)(n + 1));
}

static int
rows(struct report *p, FILE *to, int64_t from, int64_t until)
{
	struct db_query *q = db_query(p->db, sql);
	struct buf line = { 0 };
	struct arena *keep = p->a;
	struct slice why;
	enum db_step step;

	p->a = arena_new();
	csv_row(&line, heads, HEADS);
	db_int(q, 1, 0);
	db_int(q, 2, track_mid(until));
	db_int(q, 3, from);
	db_int(q, 4, until);
	while ((step = db_next(q)) == DB_ROW) {
		if (p->counts) {
			count(p, q);
			continue;
		}
		for (int i = 0; i < HEADS; i++)
			csv_cell(&line, cell(p, q, i), i + 1 == HEADS);
		fwrite(line.ptr, 1, line.len, to);
		buf_clear(&line);
		arena_reset(p->a);
	}
	if (!p->counts && line.len > 0)
		fwrite(line.ptr, 1, line.len, to);
	buf_free(&line);
	arena_free(p->a);
	p->a = keep;
	if (step == DB_FAILED) {
		db_trouble(p->db, p->a, &why);
		return verb_fails(EX_NOINPUT, "%.*s", SLICE_ARG(why));
	}
	return EX_OK;
}

/* --- counts -------------------------------------------------------------- */

struct sum {
	struct slice key;
	uintptr_t n;
};

struct sum_list {
	struct arena *a;
	struct sum *list;
	size_t count;
};

static bool
collect(struct slice key, void *value, void *arg)
{
	struct sum_list *l = arg;

	l->list[l->count++] = (struct sum){ arena_copy(l->a, key),
	    (uintptr_t)value };
	return true;
}

static int
by_key(const void *a, const void *b)
{
	const struct sum *x = a, *y = b;

	return slice_cmp(x->key, y->key);
}

static void
print_counts(struct report *p, FILE *to)
{
	static const char *const names[] = { "day", "direction", "fate",
	    "cause", "count" };
	struct buf out = buf_in(p->a);
	struct sum_list l = { .a = p->a };

	l.list = arena_array(p->a, map_count(p->sums) + 1, sizeof *l.list);
	map_each(p->sums, collect, &l);
	qsort(l.list, l.count, sizeof *l.list, by_key);
	csv_row(&out, names, 5);
	for (size_t i = 0; i < l.count; i++) {
		struct slice rest = l.list[i].key;

		for (int n = 0; n < 4; n++)
			csv_cell(&out, slice_cut(rest, '\n', &rest), false);
		csv_cell(&out, arena_printf(p->a, "%llu",
		    (unsigned long long)l.list[i].n), true);
	}
	fwrite(out.ptr, 1, out.len, to);
}

/* --- a file a day -------------------------------------------------------- */

static const char *
day_name(struct report *p, int64_t day)
{
	return arena_printf(p->a, "gatehouse-%.*s.csv",
	    SLICE_ARG(slice_sub(tracked_stamp(p->a, day * TRACK_DAY_MS), 0,
	    10))).ptr;
}

static int
file_fails(const char *name)
{
	return verb_fails(EX_CANTCREAT, "%s: %s", name, strerror(errno));
}

/* Under another name until it is whole. */
static int
write_day(struct report *p, int dir, int64_t day)
{
	const char *name = day_name(p, day);
	const char *part = arena_printf(p->a, ".%s.part", name).ptr;
	FILE *f = NULL;
	int fd, status;

	unlinkat(dir, part, 0);
	fd = openat(dir, part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd >= 0)
		f = fdopen(fd, "w");
	if (f == NULL)
		return file_fails(part);
	status = rows(p, f, day * TRACK_DAY_MS, (day + 1) * TRACK_DAY_MS);
	if (status == EX_OK && (fflush(f) != 0 || fsync(fd) != 0))
		status = file_fails(part);
	if (fclose(f) != 0 && status == EX_OK)
		status = file_fails(part);
	if (status == EX_OK && renameat(dir, part, dir, name) != 0)
		status = file_fails(name);
	if (status != EX_OK)
		unlinkat(dir, part, 0);
	return status;
}

/* Only files that have the name of one of ours, by the day in it. */
static void
drop_old(struct report *p, int dir, int64_t today)
{
	DIR *d = fdopendir(dup(dir));
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		struct slice name = slice_of(e->d_name);
		int64_t ms;

		if (name.len != sizeof "gatehouse-2026-01-01.csv" - 1 ||
		    !slice_starts(name, SLICE("gatehouse-")) ||
		    !slice_ends(name, SLICE(".csv")) ||
		    !tracked_when(arena_str(p->a, slice_sub(name, 10, 10)),
		    &ms))
			continue;
		if (ms / TRACK_DAY_MS < today - (int64_t)p->keep)
			unlinkat(dir, e->d_name, 0);
	}
	if (d != NULL)
		closedir(d);
}

static int
daily(struct report *p)
{
	int64_t today = clock_wall() / 86400;
	int dir = open(p->daily, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = EX_OK;

	if (dir < 0)
		return file_fails(p->daily);
	for (int64_t day = today - LAST_DAYS; status == EX_OK && day < today;
	    day++)
		if (faccessat(dir, day_name(p, day), F_OK, 0) != 0)
			status = write_day(p, dir, day);
	drop_old(p, dir, today);
	close(dir);
	return status;
}

/* --- the verb ------------------------------------------------------------ */

static int
run(struct report *p)
{
	int status;

	if (p->daily != NULL)
		return daily(p);
	p->sums = map_new();
	status = rows(p, stdout, p->from, p->to);
	if (status == EX_OK && p->counts)
		print_counts(p, stdout);
	map_free(p->sums);
	if (status == EX_OK && (fflush(stdout) != 0 || ferror(stdout)))
		status = verb_fails(EX_IOERR, "standard output: %s",
		    strerror(errno));
	return status;
}

static int
take_time(struct report *p, int o)
{
	int64_t ms;

	if (!tracked_when(optarg, &ms))
		return verb_fails(EX_USAGE, "report: \"%s\" is no time",
		    optarg);
	if (o != 't')
		p->from = ms;
	if (o == 't')
		p->to = ms;
	if (o == 'd')
		p->to = ms + TRACK_DAY_MS;
	return EX_OK;
}

static int
options(struct report *p, int argc, char **argv)
{
	uint64_t n;
	int o, status = EX_OK;

	optind = 1;
	while (status == EX_OK &&
	    (o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'c': p->config = optarg; break;
		case 's': p->state = optarg; break;
		case 'n': p->counts = true; break;
		case 'D': p->daily = optarg; break;
		case 'd': case 'f': case 't':
			status = take_time(p, o);
			break;
		case 'k':
			if (!slice_number(slice_of(optarg), KEEP_MOST, &n))
				status = verb_fails(EX_USAGE, "report: --keep "
				    "wants days, at most %d", KEEP_MOST);
			else
				p->keep = (unsigned)n;
			break;
		case 'h': help(); return -1;
		default: return EX_USAGE;
		}
	}
	if (status == EX_OK && optind < argc)
		status = verb_fails(EX_USAGE, "report: what is \"%s\"?",
		    argv[optind]);
	return status;
}

int
verb_report(int argc, char **argv, struct arena *a)
{
	int64_t today = clock_wall() / 86400 * TRACK_DAY_MS;
	struct report p = { .a = a, .from = today - TRACK_DAY_MS, .to = today,
	    .keep = 180 };
	int status = options(&p, argc, argv);
	bool absent;

	if (status != EX_OK)
		return status < 0 ? EX_OK : status;
	status = tracked_state(p.config, p.state, &p.state, a);
	if (status == EX_OK)
		status = tracked_open(p.state, &p.db, &absent, a);
	if (status == EX_OK && absent)
		status = verb_fails(EX_NOINPUT, "%s/track/track.db is not "
		    "there; is gatehouse-track installed?", p.state);
	if (status != EX_OK)
		return status;
	status = run(&p);
	db_close(p.db);
	return status;
}
