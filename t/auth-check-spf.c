/*
 * The SPF evaluator over tables of DNS answers: t/spf/NAME.cases, or the
 * files named. Each case is also run with answers that come late, in every
 * order of arrival that the evaluator itself asks for, looking ahead or not:
 * the result must not depend on it.
 *
 * With --clauses it prints doc/spf-clauses, which must be the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <dirent.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/map.h"
#include "t/spf-cases.h"
#include "t/tap.h"

/* A lookup whose answers come one at a time. */
struct late {
	const struct spf_zone *zone;
	struct arena *arena;
	struct map *known, *wanted;
	struct slice newest;
	bool all;			/* all that is wanted comes at once */
	unsigned asked;
};

static struct slice
question(struct arena *a, struct slice name, enum dns_type type)
{
	struct buf b = buf_in(a);

	buf_addf(&b, "%d ", (int)type);
	for (size_t i = 0; i < name.len; i++)
		buf_addc(&b, ascii_lower(name.ptr[i]));
	return buf_slice(&b);
}

static bool
late_lookup(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *answer_r)
{
	struct late *l = arg;
	struct slice key = question(l->arena, name, type);
	union { const struct spf_zone *in; void *out; } zone = { l->zone };

	if (map_get(l->known, key) != NULL)
		return spf_zone_lookup(zone.out, name, type, answer_r);
	if (map_get(l->wanted, key) == NULL) {
		l->asked++;
		map_put(l->wanted, key, l);
	}
	l->newest = key;
	return false;
}

static bool
arrive(struct slice key, void *value, void *arg)
{
	struct late *l = arg;

	map_put(l->known, key, value);
	return false;
}

/* Rounds until it is decided; false when it does not end. */
static bool
check_late(struct arena *a, const struct spf_case *c,
    const struct spf_query *q, bool all, struct spf_answer *r,
    unsigned *asked_r)
{
	struct late l = { .zone = c->zone, .arena = a, .all = all,
	    .known = map_new(), .wanted = map_new() };
	unsigned rounds = 0;

	do {
		l.newest = SLICE_NONE;
		spf_check(a, q, late_lookup, &l, r);
		if (l.all)
			map_each(l.wanted, arrive, &l);
		else if (l.newest.ptr != NULL)
			map_put(l.known, l.newest, &l);
	} while (r->result == SPF_PENDING && ++rounds < 300);
	*asked_r = l.asked;
	map_free(l.known);
	map_free(l.wanted);
	return rounds < 300;
}

static bool
same(const struct spf_answer *x, const struct spf_answer *y)
{
	return x->result == y->result && slice_eq(x->reason, y->reason) &&
	    slice_eq(x->explanation, y->explanation) &&
	    x->lookups == y->lookups && x->voids == y->voids;
}

static bool
right(const struct spf_case *c, const struct spf_answer *r)
{
	if (!spf_cases_wanted(c->want, r->result))
		return false;
	if (c->exp.ptr != NULL && !slice_eq(c->exp, r->explanation))
		return false;
	if (c->mech.ptr != NULL && !slice_eq(c->mech, r->mechanism))
		return false;
	if (c->domain.ptr != NULL && !slice_eq(c->domain, r->decided))
		return false;
	if (c->lookups >= 0 && (unsigned)c->lookups != r->lookups)
		return false;
	return c->voids < 0 || (unsigned)c->voids == r->voids;
}

static void
run(const struct spf_case *c)
{
	struct arena *a = arena_new();
	struct spf_query q = { .helo = c->helo, .sender = c->from,
	    .receiver = SLICE("mx.receiver.example"), .now = 1700000000,
	    .voids = SPF_VOIDS, .explain = true };
	struct spf_answer r, late;
	union { const struct spf_zone *in; void *out; } zone = { c->zone };
	unsigned plain, ahead;

	if (!ip_parse(c->ip, &q.ip))
		tap_diag("bad ip in %.*s", SLICE_ARG(c->name));
	spf_check(a, &q, spf_zone_lookup, zone.out, &r);
	if (!tap_ok(right(c, &r), "%.*s/%.*s: %.*s", SLICE_ARG(c->zone->name),
	    SLICE_ARG(c->name), SLICE_ARG(c->want)))
		tap_diag("got %s (%.*s) mech \"%.*s\" exp \"%.*s\" of %.*s, "
		    "%u lookups, %u voids", spf_result_name(r.result),
		    SLICE_ARG(r.reason), SLICE_ARG(r.mechanism),
		    SLICE_ARG(r.explanation), SLICE_ARG(r.decided), r.lookups,
		    r.voids);
	if (!check_late(a, c, &q, false, &late, &plain) || !same(&r, &late))
		tap_ok(false, "%.*s: answers that come late change it to %s "
		    "(%.*s)", SLICE_ARG(c->name),
		    spf_result_name(late.result), SLICE_ARG(late.reason));
	q.ahead = true;
	if (!check_late(a, c, &q, false, &late, &ahead) || !same(&r, &late) ||
	    !check_late(a, c, &q, true, &late, &ahead) || !same(&r, &late))
		tap_ok(false, "%.*s: looking ahead changes it to %s (%.*s)",
		    SLICE_ARG(c->name), spf_result_name(late.result),
		    SLICE_ARG(late.reason));
	if (ahead > plain + 10 * SPF_AHEAD)
		tap_ok(false, "%.*s: %u questions ahead of %u",
		    SLICE_ARG(c->name), ahead, plain);
	arena_free(a);
}

static const struct {
	const char *clause, *title;
} clauses[] = {
	{ "7208:2.3", "The HELO identity" },
	{ "7208:2.4", "The MAIL FROM identity" },
	{ "7208:3.1", "DNS resource records: ASCII only" },
	{ "7208:3.2", "Multiple DNS records" },
	{ "7208:3.3", "Multiple strings in one record" },
	{ "7208:4.3", "Initial processing" },
	{ "7208:4.4", "Record lookup" },
	{ "7208:4.5", "Selecting records" },
	{ "7208:4.6", "Record evaluation: errors anywhere" },
	{ "7208:4.6.1", "Term evaluation: syntax" },
	{ "7208:4.6.2", "Mechanisms and qualifiers" },
	{ "7208:4.6.4", "DNS lookup limits" },
	{ "7208:4.7", "Default result" },
	{ "7208:4.8", "Domain specification: names that are none" },
	{ "7208:5", "Mechanism definitions: errors, IPv4-mapped clients" },
	{ "7208:5.1", "all" },
	{ "7208:5.2", "include" },
	{ "7208:5.3", "a" },
	{ "7208:5.4", "mx" },
	{ "7208:5.5", "ptr" },
	{ "7208:5.6", "ip4, ip6 and prefix lengths" },
	{ "7208:5.7", "exists" },
	{ "7208:6", "Modifier definitions" },
	{ "7208:6.1", "redirect" },
	{ "7208:6.2", "exp" },
	{ "7208:7.1", "Macros: formal specification" },
	{ "7208:7.2", "Macro definitions" },
	{ "7208:7.3", "Macro processing details" },
	{ "7208:7.4", "Expansion examples" },
	{ "7208:8.5", "Result handling: softfail" },
	{ "7208:10.1.2", "Administrator's considerations: no mail at all" },
	{ "7208:12", "Collected ABNF" },
	{ "7208:A.1", "Appendix A.1: simple examples" },
	{ "7208:A.2", "Appendix A.2: multiple domains" },
	{ "7208:A.3", "Appendix A.3: DNS blacklist style" },
	{ "8616:4", "RFC 8616: internationalized local parts" },
};

/* The names of the cases of one clause, in lines of eighty columns. */
static size_t
add_clause(struct buf *out, struct slice clause, const struct spf_cases *cases)
{
	size_t column = 80, n = 0;

	for (size_t i = 0; i < cases->count; i++) {
		const struct spf_case *c = &cases->cases[i];
		size_t len = c->zone->name.len + 1 + c->name.len;

		if (!slice_eq(c->clause, clause))
			continue;
		if (column + 1 + len > 79) {
			buf_adds(out, "\n\t");
			column = 8;
		} else {
			buf_addc(out, ' ');
			column++;
		}
		buf_addf(out, "%.*s/%.*s", SLICE_ARG(c->zone->name),
		    SLICE_ARG(c->name));
		column += len;
		n++;
	}
	return n;
}

/* What doc/spf-clauses has to be; *known_r: cases of clauses in the table. */
static void
make_table(struct buf *out, const struct spf_cases *files, size_t nfiles,
    size_t *known_r)
{
	*known_r = 0;
	buf_adds(out, "Clauses of RFC 7208 (SPF) and the tests that hold us "
	    "to them\n\nA test is SCENARIO/NAME in t/spf/*.cases. Printed by\n"
	    "t/auth-check-spf.t --clauses, which also checks it.\n");
	for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++) {
		struct slice rfc, section;

		rfc = slice_cut(slice_of(clauses[i].clause), ':', &section);
		buf_addf(out, "\n%s%.*s  %s", slice_eq(rfc, SLICE("7208")) ?
		    "" : "RFC 8616, ", SLICE_ARG(section), clauses[i].title);
		for (size_t k = 0; k < nfiles; k++)
			*known_r += add_clause(out,
			    slice_of(clauses[i].clause), &files[k]);
		buf_addc(out, '\n');
	}
}

static int
only_cases(const struct dirent *d)
{
	return slice_ends(slice_of(d->d_name), SLICE(".cases"));
}

/* All files of t/spf, by name. */
static size_t
read_folder(struct arena *a, struct spf_cases *files, size_t max)
{
	struct dirent **names;
	char path[4096];
	int n;

	snprintf(path, sizeof path, "%s/t/spf", tap_src());
	n = scandir(path, &names, only_cases, alphasort);
	if (n <= 0 || (size_t)n > max) {
		tap_ok(false, "%d files of cases in %s", n, path);
		return 0;
	}
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/t/spf/%s", tap_src(),
		    names[i]->d_name);
		spf_cases_read(a, path, &files[i]);
		free(names[i]);
	}
	free(names);
	return (size_t)n;
}

static void
run_all(const struct spf_cases *files, size_t nfiles)
{
	for (size_t i = 0; i < nfiles; i++)
		for (size_t k = 0; k < files[i].count; k++)
			run(&files[i].cases[k]);
}

static void
check_table(const struct spf_cases *files, size_t nfiles)
{
	struct buf table = { 0 };
	char path[4096];
	struct slice doc;
	size_t known, all = 0;

	make_table(&table, files, nfiles, &known);
	for (size_t i = 0; i < nfiles; i++)
		all += files[i].count;
	tap_is_int((long long)known, (long long)all,
	    "each case names a clause of the table");
	snprintf(path, sizeof path, "%s/doc/spf-clauses", tap_src());
	doc = tap_file(path);
	tap_ok(slice_eq(doc, buf_slice(&table)), "doc/spf-clauses is what "
	    "t/auth-check-spf.t --clauses prints");
	free((void *)(uintptr_t)doc.ptr);
	buf_free(&table);
}

/* ---- the examples of RFC 7208, 7.4, from the shared data ---- */

struct example {
	struct slice explanation, ip, sender, helo;
};

static struct slice
option(struct slice line, struct slice name)
{
	size_t at = slice_search(line, name);
	struct slice value = slice_after(line, at + name.len), rest;

	if (at == line.len)
		return SLICE("");
	if (slice_starts(value, SLICE("\"")))
		return slice_cut(slice_after(value, 1), '"', &rest);
	return slice_trim(slice_cut(value, ' ', &rest));
}

/* A world in which every domain refuses all, and explains it so; the client
 * is mx.example.org. */
static bool
example_lookup(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *r)
{
	static struct dns_record records[1];
	const struct example *x = arg;

	*r = (struct dns_answer){ .records = records, .count = 1 };
	records[0].data = SLICE("v=spf1 -all exp=explain.example.com");
	if (slice_eq(name, SLICE("explain.example.com")))
		records[0].data = x->explanation;
	else if (type == DNS_PTR)
		records[0].data = SLICE("mx.example.org");
	else if (type == DNS_A)
		records[0].data = SLICE("\xc0\x00\x02\x03");
	return true;
}

static void
run_example(struct arena *a, const struct example *x, struct slice want)
{
	struct spf_query q = { .helo = x->helo, .sender = x->sender,
	    .voids = SPF_VOIDS, .explain = true };
	union { const struct example *in; void *out; } arg = { x };
	struct spf_answer r;

	ip_parse(x->ip, &q.ip);
	spf_check(a, &q, example_lookup, arg.out, &r);
	if (!tap_ok(slice_eq_nocase(r.explanation, want), "%.*s is %.*s",
	    SLICE_ARG(x->explanation), SLICE_ARG(want)))
		tap_diag("got %.*s", SLICE_ARG(r.explanation));
}

static void
run_examples(struct arena *a)
{
	char path[4096];
	struct slice file, rest, line;
	struct example x = { .ip = SLICE("") };

	if (tap_data() == NULL) {
		tap_skip(1, "no shared data: RFC examples not run");
		return;
	}
	snprintf(path, sizeof path, "%s/rfc-vectors/spf/test_rfc_examples.txt",
	    tap_data());
	file = rest = tap_file(path);
	while (slice_line(&rest, &line)) {
		if (slice_starts(line, SLICE("spfquery")))
			x = (struct example){
			    .explanation = option(line,
				SLICE("-default-explanation=")),
			    .ip = option(line, SLICE("-ip=")),
			    .sender = option(line, SLICE("-sender=")),
			    .helo = option(line, SLICE("-helo ")) };
		else if (slice_starts(line, SLICE("smtp-comment")))
			run_example(a, &x, slice_trim(slice_after(line,
			    slice_find_last(line, '/') + 1)));
	}
	free((void *)(uintptr_t)file.ptr);
}

/* ---- what the evaluator costs ---- */

static void
measure(const struct spf_cases *files, size_t nfiles)
{
	struct arena *a = arena_new();
	int64_t begin = clock_mono_us(), end;
	unsigned n = 0;

	for (unsigned round = 0; round < 5; round++)
		for (size_t i = 0; i < nfiles; i++)
			for (size_t k = 0; k < files[i].count; k++) {
				const struct spf_case *c = &files[i].cases[k];
				union { const struct spf_zone *in; void *out; }
				    zone = { c->zone };
				struct spf_query q = { .helo = c->helo,
				    .sender = c->from, .voids = SPF_VOIDS };
				struct spf_answer r;

				arena_reset(a);
				ip_parse(c->ip, &q.ip);
				spf_check(a, &q, spf_zone_lookup, zone.out,
				    &r);
				n++;
			}
	end = clock_mono_us();
	tap_diag("%.1f us a case, the table's lookups included",
	    (double)(end - begin) / n);
	arena_free(a);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct spf_cases files[64];
	struct buf table = { 0 };
	size_t nfiles, known;

	if (argc > 1 && strcmp(argv[1], "--clauses") == 0) {
		nfiles = read_folder(a, files, 64);
		make_table(&table, files, nfiles, &known);
		fwrite(table.ptr, 1, table.len, stdout);
		return 0;
	}
	for (int i = 1; i < argc; i++) {
		spf_cases_read(a, argv[i], &files[0]);
		run_all(files, 1);
	}
	if (argc == 1) {
		nfiles = read_folder(a, files, 64);
		run_all(files, nfiles);
		check_table(files, nfiles);
		run_examples(a);
		measure(files, nfiles);
	}
	arena_free(a);
	return tap_done();
}
