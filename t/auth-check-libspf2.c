/*
 * libspf2 as a second opinion: all cases of t/spf, put to both evaluators.
 * Where they differ this table says so and why; where it says so they must
 * differ, so that a new libspf2 is noticed.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "milters/auth-check/spf_libspf2.h"
#include "t/spf-cases.h"
#include "t/tap.h"

static const struct known {
	const char *name;
	enum spf_result says;		/* libspf2 */
} known[] = {
	/* it loses letters, or expands otherwise */
	{ "internationalized/helo-macro-u-label", SPF_FAIL },
	{ "syntax/escapes", SPF_SOFTFAIL },
	{ "syntax/percent-at-end", SPF_FAIL },
	{ "syntax/parentheses", SPF_FAIL },
	{ "syntax/percent-inside", SPF_FAIL },
	{ "syntax/keep-more-than-all", SPF_PERMERROR },
	{ "syntax/keep-huge", SPF_PERMERROR },
	{ "syntax/all-delimiters", SPF_PERMERROR },
	{ "syntax/upper-r", SPF_PERMERROR },
	{ "appendix-a-dnsbl/mobile", SPF_FAIL },
	{ "appendix-a-dnsbl/remote", SPF_FAIL },
	/* it takes modifiers that are malformed or stand twice, not all
	   good ones */
	{ "reading/modifier-error-behind-match", SPF_PASS },
	{ "reading/modifier-name", SPF_PERMERROR },
	{ "reading/unknown-modifier-bad-macro", SPF_FAIL },
	{ "reading/redirect-with-colon", SPF_FAIL },
	{ "redirect/twice", SPF_PASS },
	{ "redirect/twice-any-case", SPF_PASS },
	{ "exp/empty-domain", SPF_FAIL },
	{ "exp/twice", SPF_FAIL },
	{ "exp/only-toplabel", SPF_FAIL },
	{ "exp/is-no-unknown-modifier", SPF_NEUTRAL },
	{ "exp/r-not-in-name", SPF_FAIL },
	/* it takes domains that end in no top label, or are empty */
	{ "reading/domain-error-behind-match", SPF_PASS },
	{ "a/empty-domain", SPF_FAIL },
	{ "a/empty-domain-length", SPF_FAIL },
	{ "a/only-toplabel", SPF_FAIL },
	{ "a/only-toplabel-dot", SPF_FAIL },
	{ "a/address-as-name", SPF_FAIL },
	{ "a/toplabel-begins-dash", SPF_FAIL },
	{ "a/toplabel-ends-dash", SPF_FAIL },
	{ "a/toplabel-underscore", SPF_FAIL },
	{ "a/port", SPF_FAIL },
	{ "mx/empty-domain", SPF_FAIL },
	{ "mx/only-toplabel", SPF_FAIL },
	{ "mx/address-as-name", SPF_FAIL },
	{ "ptr/takes-no-length", SPF_FAIL },
	{ "ptr/empty-domain", SPF_FAIL },
	{ "ptr/only-toplabel", SPF_PASS },
	{ "exists/empty-domain", SPF_FAIL },
	{ "exists/takes-no-length", SPF_FAIL },
	{ "syntax/text-behind-macro", SPF_FAIL },
	{ "syntax/dot-behind-macro", SPF_FAIL },
	{ "syntax/digits-behind-macro", SPF_FAIL },
	/* it takes bytes that may not stand in a record */
	{ "reading/utf-8", SPF_FAIL },
	{ "reading/byte-in-modifier", SPF_PASS },
	{ "reading/nul", SPF_PASS },
	/* it follows redirect where it stands, not at the end */
	{ "all/ends-redirect-before", SPF_PASS },
	{ "redirect/only-when-nothing-matches", SPF_FAIL },
	/* it refuses the length 0 */
	{ "a/zero-is-any", SPF_PERMERROR },
	{ "a/zero-not-ipv6", SPF_PERMERROR },
	{ "a/zero6-is-any", SPF_PERMERROR },
	{ "a/zero6-not-ipv4", SPF_PERMERROR },
	{ "a/zero6-not-mapped", SPF_PERMERROR },
	{ "a/zero-without-address", SPF_PERMERROR },
	{ "mx/zero", SPF_PERMERROR },
	{ "mx/zero-not-ipv6", SPF_PERMERROR },
	{ "mx/zero6", SPF_PERMERROR },
	{ "mx/zero6-not-ipv4", SPF_PERMERROR },
	{ "ip4/zero", SPF_PERMERROR },
	{ "ip4/zero-not-ipv6", SPF_PERMERROR },
	{ "ip6/zero", SPF_PERMERROR },
	{ "ip6/zero-not-ipv4", SPF_PERMERROR },
	{ "ip6/zero-not-mapped", SPF_PERMERROR },
	/* it takes numbers with leading zeros */
	{ "a/length-many-zeros", SPF_FAIL },
	{ "a/length-leading-zero", SPF_FAIL },
	{ "a/length6-leading-zero", SPF_FAIL },
	{ "ip4/leading-zero", SPF_PASS },
	{ "ip6/leading-zero", SPF_FAIL },
	/* it reads PTR names in its own way */
	{ "ptr/servfail-no-match", SPF_TEMPERROR },
	{ "ptr/sick-name-skipped", SPF_TEMPERROR },
	{ "validated/domain-itself-first", SPF_PASS },
	/* it stops at the first mail server in trouble */
	{ "mx/match-behind-silence", SPF_TEMPERROR },
	/* it takes a number of any length */
	{ "ip4/long-number", SPF_FAIL },
	/* it does not cut long names from the left */
	{ "truncation/left-labels-go", SPF_FAIL },
	{ "truncation/left-labels-go-2", SPF_FAIL },
	/* it counts terms and names in its own way */
	{ "lookups/nested-eleven", SPF_PASS },
	{ "many/eleven-mail-servers", SPF_PASS },
	{ "many/eleventh-ptr-name", SPF_PERMERROR },
	/* it knows no limit of void lookups */
	{ "voids/three", SPF_PASS },
	{ "voids/all-kinds", SPF_PASS },
	{ "voids/name-without-records", SPF_PASS },
	{ "voids/over-includes", SPF_PASS },
	{ "voids/ptr-is-a-term", SPF_PASS },
	/* it says neutral for records of more than some 63 terms */
	{ "everyday/eighty-networks", SPF_NEUTRAL },
};

struct tally {
	struct map *known;
	unsigned same, differ;
};

static void
query_of(const struct spf_case *c, struct spf_query *q)
{
	*q = (struct spf_query){ .helo = c->helo, .sender = c->from,
	    .receiver = SLICE("mx.receiver.example"), .now = 1700000000,
	    .voids = SPF_VOIDS };
	ip_parse(c->ip, &q->ip);
}

static void
compare(const struct spf_case *c, struct tally *tally)
{
	struct arena *a = arena_new();
	struct slice name = arena_printf(a, "%.*s/%.*s",
	    SLICE_ARG(c->zone->name), SLICE_ARG(c->name));
	const struct known *k = map_remove(tally->known, name);
	union { const struct spf_zone *in; void *out; } zone = { c->zone };
	struct spf_query q;
	struct spf_answer own, other;

	query_of(c, &q);
	spf_check(a, &q, spf_zone_lookup, zone.out, &own);
	spf_libspf2_check(a, &q, spf_zone_lookup, zone.out, &other);
	if (k == NULL && own.result == other.result)
		tally->same++;
	else if (k != NULL && other.result == k->says &&
	    own.result != other.result)
		tally->differ++;
	else
		tap_ok(false, "%.*s: own %s, libspf2 %s", SLICE_ARG(name),
		    spf_result_name(own.result),
		    spf_result_name(other.result));
	arena_free(a);
}

static int
only_cases(const struct dirent *d)
{
	return slice_ends(slice_of(d->d_name), SLICE(".cases"));
}

static void
compare_all(struct arena *a, struct tally *tally)
{
	struct spf_cases cases;
	struct dirent **names;
	char path[4096];
	int n;

	snprintf(path, sizeof path, "%s/t/spf", tap_src());
	n = scandir(path, &names, only_cases, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof path, "%s/t/spf/%s", tap_src(),
		    names[i]->d_name);
		spf_cases_read(a, path, &cases);
		for (size_t k = 0; k < cases.count; k++)
			compare(&cases.cases[k], tally);
		free(names[i]);
	}
	if (n > 0)
		free(names);
}

/* An answer that is pending ends the round; the next one goes further. */
struct late {
	const struct spf_zone *zone;
	unsigned known, asked;
};

static bool
late_lookup(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *r)
{
	struct late *l = arg;
	union { const struct spf_zone *in; void *out; } zone = { l->zone };

	return l->asked++ < l->known &&
	    spf_zone_lookup(zone.out, name, type, r);
}

static void
restarts(struct arena *a)
{
	struct spf_cases cases;
	char path[4096];
	bool same = true;

	snprintf(path, sizeof path, "%s/t/spf/8-appendix.cases", tap_src());
	spf_cases_read(a, path, &cases);
	for (size_t k = 0; k < cases.count; k++) {
		struct late l = { .zone = cases.cases[k].zone };
		union { const struct spf_zone *in; void *out; } zone = {
		    l.zone };
		struct spf_answer once, late;
		struct spf_query q;

		query_of(&cases.cases[k], &q);
		spf_libspf2_check(a, &q, spf_zone_lookup, zone.out, &once);
		do {
			l.asked = 0;
			spf_libspf2_check(a, &q, late_lookup, &l, &late);
		} while (late.result == SPF_PENDING && ++l.known < 100);
		same = same && late.result == once.result;
	}
	tap_ok(same, "answers that come one by one change nothing");
}

static bool
left_over(struct slice key, void *value, void *arg)
{
	(void)value;
	(void)arg;
	tap_ok(false, "no such case any more: %.*s", SLICE_ARG(key));
	return true;
}

int
main(void)
{
	struct arena *a = arena_new();
	struct tally tally = { .known = map_new() };
	union { const struct known *in; void *out; } k;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		k.in = &known[i];
		map_put(tally.known, slice_of(k.in->name), k.out);
	}
	compare_all(a, &tally);
	tap_ok(tally.same > 300, "%u cases judged alike", tally.same);
	tap_is_int(tally.differ, sizeof known / sizeof *known,
	    "known differences, as known");
	map_each(tally.known, left_over, NULL);
	restarts(a);
	map_free(tally.known);
	arena_free(a);
	return tap_done();
}
