/*
 * DMARC over tables of DNS answers: t/dmarc/NAME.cases. Each case is also run
 * with answers that come late: all of a round at once, or one at a time, the
 * newest or the oldest question first. The result must not depend on it, and
 * one round must do.
 *
 * With --clauses it prints doc/dmarc-clauses, which must be the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "milters/auth-check/dmarc_walk.h"
#include "t/dmarc-cases.h"
#include "t/tap.h"

enum { QUESTIONS = 1 + 8 * (1 + DMARC_IDENTIFIERS) };

/* A lookup whose answers come late. */
struct late {
	const struct dmarc_zone *zone;
	struct arena *arena;
	struct slice wanted[QUESTIONS];	/* "type name", in their order */
	bool known[QUESTIONS];
	size_t count;
	bool flood;			/* over the limit */
};

static bool
late_lookup(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *r)
{
	struct late *l = arg;
	struct slice key = arena_printf(l->arena, "%d %.*s", (int)type,
	    SLICE_ARG(name));
	union { const struct dmarc_zone *in; void *out; } zone = { l->zone };
	size_t i = 0;

	while (i < l->count && !slice_eq(l->wanted[i], key))
		i++;
	if (i == QUESTIONS) {
		l->flood = true;
		return false;
	}
	if (i == l->count)
		l->wanted[l->count++] = key;
	return l->known[i] && dmarc_zone_lookup(zone.out, name, type, r);
}

/* Answers arrive: all, the newest, or the oldest. False: none was wanted. */
static bool
arrive(struct late *l, char order)
{
	size_t n = l->count, done = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = order == 'n' ? n - 1 - i : i;

		if (l->known[at])
			continue;
		l->known[at] = true;
		done++;
		if (order != 'a')
			break;
	}
	return done > 0;
}

static struct slice
render(struct arena *a, const struct dmarc_answer *r)
{
	const char *override = dmarc_override_name(r->override);
	struct buf b = buf_in(a);

	buf_addf(&b, " want=%s rule=%s policy=%s published=%s source=%s",
	    dmarc_result_name(r->result), r->rule,
	    dmarc_policy_name(r->policy), dmarc_policy_name(r->published),
	    dmarc_source_name(r->source));
	buf_addf(&b, " override=%s record=%.*s org=%.*s signer=%.*s "
	    "mail-from=%s exists=%s list=%s ", override != NULL ? override : "",
	    SLICE_ARG(r->record_domain), SLICE_ARG(r->organization),
	    SLICE_ARG(r->dkim_domain), r->spf_aligned ? "yes" : "no",
	    r->exists ? "yes" : "no", r->by_list ? "yes" : "no");
	return buf_slice(&b);
}

static bool
run_late(struct arena *a, const struct dmarc_case *c, char order,
    struct dmarc_answer *r, size_t *asked_r, unsigned *rounds_r)
{
	struct late l = { .zone = c->zone, .arena = a };

	*rounds_r = 0;
	do {
		dmarc_check(a, &c->query, late_lookup, &l, r);
		if (r->result != DMARC_PENDING)
			break;
		++*rounds_r;
	} while (arrive(&l, order));
	*asked_r = l.count;
	return !l.flood;
}

static void
check_late(struct arena *a, const struct dmarc_case *c, struct slice want,
    unsigned rounds_wanted, size_t questions_wanted)
{
	static const char orders[] = "ano";
	struct dmarc_answer r;
	unsigned rounds;
	size_t asked;

	for (size_t i = 0; orders[i] != '\0'; i++) {
		if (!run_late(a, c, orders[i], &r, &asked, &rounds))
			tap_ok(false, "%.*s: too many questions",
			    SLICE_ARG(c->name));
		if (!slice_eq(render(a, &r), want))
			tap_ok(false, "%.*s: answers that come late make it "
			    "%.*s", SLICE_ARG(c->name),
			    SLICE_ARG(render(a, &r)));
		if (orders[i] != 'a')
			continue;
		if (rounds > rounds_wanted)
			tap_ok(false, "%.*s: %u rounds", SLICE_ARG(c->name),
			    rounds);
		if (questions_wanted > 0 && asked != questions_wanted)
			tap_ok(false, "%.*s: %zu questions",
			    SLICE_ARG(c->name), asked);
	}
}

static void
run(const struct dmarc_case *c)
{
	struct arena *a = arena_new();
	union { const struct dmarc_zone *in; void *out; } zone = { c->zone };
	uint64_t rounds = 1, questions = 0;
	struct dmarc_answer r;
	struct slice got;
	bool good = true;

	dmarc_check(a, &c->query, dmarc_zone_lookup, zone.out, &r);
	got = render(a, &r);
	for (size_t i = 0; i < c->nwants; i++) {
		struct slice value, key = slice_cut(c->wants[i], '=', &value);

		if (slice_eq(key, SLICE("rounds")))
			slice_number(value, 9, &rounds);
		else if (slice_eq(key, SLICE("questions")))
			slice_number(value, QUESTIONS, &questions);
		else if (slice_search(got, arena_printf(a, " %.*s ",
		    SLICE_ARG(c->wants[i]))) == got.len)
			good = false;
	}
	if (!tap_ok(good, "%.*s/%.*s", SLICE_ARG(c->zone->name),
	    SLICE_ARG(c->name))) {
		for (size_t i = 0; i < c->nwants; i++)
			tap_diag("wanted %.*s", SLICE_ARG(c->wants[i]));
		tap_diag("got%.*s(%.*s)", SLICE_ARG(got), SLICE_ARG(r.reason));
	}
	check_late(a, c, got, (unsigned)rounds, (size_t)questions);
	arena_free(a);
}

static const struct {
	const char *clause, *title;
} clauses[] = {
	{ "3.2.13", "Non-existent domains" },
	{ "4.4", "Identifier alignment explained" },
	{ "4.4.1", "DKIM-authenticated identifiers" },
	{ "4.4.2", "SPF-authenticated identifiers" },
	{ "4.5", "DMARC policy record explained" },
	{ "4.7", "DMARC policy record format" },
	{ "4.7:adkim", "adkim, aspf" },
	{ "4.7:np", "np" },
	{ "4.7:p", "p" },
	{ "4.7:psd", "psd" },
	{ "4.7:sp", "sp" },
	{ "4.7:t", "t" },
	{ "4.7:v", "v" },
	{ "4.8", "Formal definition" },
	{ "4.10", "DNS tree walk" },
	{ "4.10.1", "DMARC policy discovery" },
	{ "4.10.2", "Identifier alignment evaluation" },
	{ "5.3.5", "Determine DMARC pass or fail" },
	{ "5.3.6", "Apply policy: DNS errors" },
	{ "A.4", "Domain existence test" },
	{ "A.6", "Removal of pct" },
	{ "7489:3.1", "RFC 7489: identifier alignment" },
	{ "7489:3.2", "RFC 7489: organizational domain" },
	{ "7489:6.3", "RFC 7489: general record format" },
	{ "7489:6.6.3", "RFC 7489: policy discovery" },
	{ "7489:6.6.4", "RFC 7489: message sampling" },
};

/* The names of the cases of one clause, in lines of eighty columns. */
static size_t
add_clause(struct buf *out, struct slice clause, const struct dmarc_case *c)
{
	size_t column = 80, n = 0;

	for (; c != NULL; c = c->next) {
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

/* What doc/dmarc-clauses has to be; *known_r: cases of clauses in the table. */
static void
make_table(struct buf *out, const struct dmarc_case *cases, size_t *known_r)
{
	*known_r = 0;
	buf_adds(out, "Clauses of RFC 9989 (DMARC) and the tests that hold us "
	    "to them\n\nA test is SCENARIO/NAME in t/dmarc/*.cases. Printed "
	    "by\nt/auth-check-dmarc.t --clauses, which also checks it. The "
	    "record's syntax (4.6,\n4.7, 4.8) is tested in "
	    "t/auth-check-dmarc-record.c, the author domain (4.2,\n4.4, "
	    "5.3.1, 11.5) in t/auth-check-from.c.\n");
	for (size_t i = 0; i < sizeof clauses / sizeof *clauses; i++) {
		buf_addf(out, "\n%s  %s", clauses[i].clause, clauses[i].title);
		*known_r += add_clause(out, slice_of(clauses[i].clause),
		    cases);
		buf_addc(out, '\n');
	}
}

static void
check_table(const struct dmarc_case *cases)
{
	struct buf table = { 0 };
	char path[4096];
	struct slice doc;
	size_t known, all = 0;

	make_table(&table, cases, &known);
	for (const struct dmarc_case *c = cases; c != NULL; c = c->next)
		all++;
	tap_is_int((long long)known, (long long)all,
	    "each case names a clause of the table");
	snprintf(path, sizeof path, "%s/doc/dmarc-clauses", tap_src());
	doc = tap_file(path);
	tap_ok(slice_eq(doc, buf_slice(&table)), "doc/dmarc-clauses is what "
	    "t/auth-check-dmarc.t --clauses prints");
	free((void *)(uintptr_t)doc.ptr);
	buf_free(&table);
}

/* ---- asked for before the signatures are known ---- */

static void
check_early(struct arena *a, const struct dmarc_case *cases)
{
	unsigned more = 0;

	for (const struct dmarc_case *c = cases; c != NULL; c = c->next) {
		struct late l = { .zone = c->zone, .arena = a };
		struct dmarc_query q = c->query;
		struct dmarc_answer r;
		size_t before;

		/* A long one's own name is not on the author's way. */
		if (slice_eq(c->zone->name, SLICE("long")) ||
		    c->query.ndkim != 1 || c->query.spf.domain.len > 0 ||
		    !walk_within(c->query.domain, c->query.dkim[0].domain))
			continue;
		q.ndkim = 0;
		dmarc_check(a, &q, late_lookup, &l, &r);
		arrive(&l, 'a');
		before = l.count;
		dmarc_check(a, &c->query, late_lookup, &l, &r);
		more += r.result == DMARC_PENDING || l.count != before;
	}
	tap_is_int(more, 0, "a signer at or above the author asks no more than "
	    "the author alone");
}

/* ---- several authors, or none ---- */

static const struct {
	const char *name, *head, *want;
} froms[] = {
	{ "one author", "From: a@good.example\r\n", " want=pass rule=dkim " },
	{ "two fields, the victim's policy counts",
	  "From: a@good.example\r\nFrom: a@victim.example\r\n",
	  " want=fail rule=two-from policy=reject " },
	{ "two authors, the victim's policy counts",
	  "From: a@good.example, b@victim.example\r\n",
	  " want=fail rule=authors policy=reject " },
	{ "the strictest of several",
	  "From: b@mild.example, b@victim.example, c@none.example\r\n",
	  " want=fail rule=authors policy=reject " },
	{ "of several with the same policy, the first",
	  "From: b@mild.example, b@none.example\r\n",
	  " want=fail rule=authors policy=quarantine " },
	{ "two fields that would both pass",
	  "From: a@good.example\r\nFrom: b@good.example\r\n",
	  " want=permerror rule=two-from policy=none " },
	{ "a sick name among them",
	  "From: a@good.example, b@sick.example\r\n",
	  " want=temperror rule=authors policy=none " },
	{ "no author", "Subject: x\r\n",
	  " want=permerror rule=no-from policy=none " },
};

#define LIT(text)	{ "" text, sizeof (text) - 1 }

static void
check_froms(struct arena *a)
{
	static struct dmarc_zone_record records[] = {
		{ .name = LIT("_dmarc.good.example"), .type = DNS_TXT,
		  .text = LIT("v=DMARC1; p=reject") },
		{ .name = LIT("_dmarc.victim.example"), .type = DNS_TXT,
		  .text = LIT("v=DMARC1; p=reject") },
		{ .name = LIT("_dmarc.mild.example"), .type = DNS_TXT,
		  .text = LIT("v=DMARC1; p=quarantine") },
		{ .name = LIT("_dmarc.sick.example"), .type = DNS_TXT,
		  .status = DNS_TIMEOUT },
	};
	struct dmarc_zone zone = { .arena = a };
	struct dmarc_identifier dkim = { SLICE("good.example"), false };
	struct dmarc_query q = { .dkim = &dkim, .ndkim = 1 };
	struct dmarc_answer r;
	struct from from;

	for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
		records[i].next = zone.records;
		zone.records = &records[i];
	}
	for (size_t i = 0; i < sizeof froms / sizeof *froms; i++) {
		struct slice got;

		from_read(a, slice_of(froms[i].head), &from);
		dmarc_check_from(a, &from, &q, dmarc_zone_lookup, &zone, &r);
		got = render(a, &r);
		if (!tap_ok(slice_starts(got, slice_of(froms[i].want)),
		    "%s", froms[i].name))
			tap_diag("got%.*s(%.*s)", SLICE_ARG(got),
			    SLICE_ARG(r.reason));
	}
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	char path[4096];
	struct suffixes *list;
	struct dmarc_case *cases;
	struct buf table = { 0 };
	struct slice why = SLICE("");
	size_t known;

	snprintf(path, sizeof path, "%s/t/dmarc/suffixes", tap_src());
	list = suffixes_open(path, a, &why);
	if (list == NULL) {
		tap_ok(false, "%.*s", SLICE_ARG(why));
		return tap_done();
	}
	cases = dmarc_cases_read(a, list);
	if (argc > 1 && strcmp(argv[1], "--clauses") == 0) {
		make_table(&table, cases, &known);
		fwrite(table.ptr, 1, table.len, stdout);
		buf_free(&table);
	} else {
		for (const struct dmarc_case *c = cases; c != NULL; c = c->next)
			run(c);
		check_early(a, cases);
		check_froms(a);
		check_table(cases);
	}
	suffixes_close(list);
	arena_free(a);
	return argc > 1 ? 0 : tap_done();
}
