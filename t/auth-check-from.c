/*
 * The From reader: what is one author, and what could be read as another.
 * "Composition kills", Mailsploit and their like must never end in a DMARC
 * pass for a domain that the reader of the mail does not see (RFC 9989, 4.2,
 * 5.3.1, 11.5).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "milters/auth-check/dmarc.h"
#include "t/tap.h"

static struct arena *arena;

#define IN(lit)	{ "" lit "\r\n", sizeof (lit) + 1 }

/* want: "state domain,domain rule"; in each, someone at evil.example, whose
 * SPF and DKIM pass, would like to be taken for victim.example. */
static const struct {
	const char *name;
	struct slice head;
	const char *want;
	unsigned flags;			/* all of FROM_* */
} cases[] = {
	/* What is allowed. */
	{ "address alone", IN("From: a@evil.example"),
	  "one evil.example -", 0 },
	{ "name and address", IN("From: Eve E. <a@evil.example>"),
	  "one evil.example -", 0 },
	{ "quoted name", IN("From: \"Eve, E.\" <a@evil.example>"),
	  "one evil.example -", 0 },
	{ "quotes in a quoted name",
	  IN("From: \"Eve \\\"E\\\"\" <a@evil.example>"),
	  "one evil.example -", 0 },
	{ "encoded name", IN("From: =?utf-8?q?E=C3=A9ve?= <a@evil.example>"),
	  "one evil.example -", 0 },
	{ "folded", IN("From: Eve\r\n <a@evil.example>"),
	  "one evil.example -", 0 },
	{ "folded within", IN("From: Eve <a@\r\n evil.example>"),
	  "one evil.example -", 0 },
	{ "comment", IN("From: a@evil.example (Eve)"),
	  "one evil.example -", 0 },
	{ "letter case", IN("fRoM: a@Evil.EXAMPLE"),
	  "one evil.example -", 0 },
	{ "blank before the colon", IN("From : a@evil.example"),
	  "one evil.example -", 0 },
	{ "final dot", IN("From: a@evil.example."),
	  "one evil.example -", FROM_MALFORMED },
	{ "quoted local part", IN("From: \"a b\"@evil.example"),
	  "one evil.example -", 0 },
	{ "several of one domain",
	  IN("From: a@evil.example, b@Evil.example"),
	  "one evil.example -", FROM_AUTHORS },
	{ "U-label", IN("From: a@b\xc3\xbc" "cher.example"),
	  "one xn--bcher-kva.example -", FROM_IDN },
	{ "upper-case U-label", IN("From: a@B\xc3\x9c" "CHER.Example"),
	  "one xn--bcher-kva.example -", FROM_IDN },
	{ "A-label", IN("From: a@XN--Bcher-kva.example"),
	  "one xn--bcher-kva.example -", FROM_IDN },
	{ "ideographic dots",
	  IN("From: a@evil\xe3\x80\x82" "example"),
	  "one evil.example -", 0 },
	{ "one label", IN("From: a@localhost"), "one localhost -", 0 },
	{ "the address as its own name",
	  IN("From: \"a@evil.example\" <a@evil.example>"),
	  "one evil.example -", 0 },
	{ "the address as its own name, without quotes",
	  IN("From: a@evil.example <a@evil.example>"),
	  "one evil.example -", FROM_MALFORMED },
	{ "no Resent-From", IN("Resent-From: a@victim.example\r\n"
	  "From: a@evil.example\r\nX-From: b@victim.example"),
	  "one evil.example -", 0 },
	{ "mbox line", IN("From a@victim.example Mon Jan  1 10:00:00 2024\r\n"
	  "From: a@evil.example"), "one evil.example -", 0 },

	/* Sloppy, and clear all the same. */
	{ "comma in a name", IN("From: Eve, Inc. <a@evil.example>"),
	  "one evil.example -", FROM_MALFORMED },
	{ "trailing word", IN("From: <a@evil.example> Eve"),
	  "one evil.example -", FROM_MALFORMED },
	{ "Latin-1 name", IN("From: \xc9ve <a@evil.example>"),
	  "one evil.example -", FROM_MALFORMED },
	{ "at sign in a name", IN("From: \"Tea @ 5.30\" <a@evil.example>"),
	  "one evil.example -", 0 },
	{ "dots in the local part", IN("From: a..b.@evil.example"),
	  "one evil.example -", FROM_MALFORMED },

	/* A display name is a display name (RFC 9989, 11.4), and is flagged. */
	{ "name shows another address",
	  IN("From: \"b@victim.example\" <a@evil.example>"),
	  "one evil.example -", FROM_NAME },
	{ "via", IN("From: \"b@victim.example via Tracker\" <a@evil.example>"),
	  "one evil.example -", FROM_NAME },
	{ "in brackets",
	  IN("From: \"Bob (b@victim.example)\" <a@evil.example>"),
	  "one evil.example -", FROM_NAME },
	{ "encoded name shows another address",
	  IN("From: =?utf-8?b?YkB2aWN0aW0uZXhhbXBsZQ==?= <a@evil.example>"),
	  "one evil.example -", FROM_NAME },
	{ "wide at sign",
	  IN("From: b\xef\xbc\xa0victim.example <a@evil.example>"),
	  "one evil.example -", FROM_NAME },

	/* No author. */
	{ "no From", IN("Subject: x"), "none  no-from", 0 },
	{ "empty", IN("From:"), "none  no-author", 0 },
	{ "only a name", IN("From: Eve"), "none  no-author", FROM_MALFORMED },
	{ "null path", IN("From: <>"), "none  no-author", FROM_MALFORMED },
	{ "empty group", IN("From: undisclosed:;"), "none  group",
	  FROM_MALFORMED },
	{ "literal", IN("From: a@[192.0.2.1]"), "none  literal",
	  FROM_MALFORMED },
	{ "bad domain", IN("From: a@exa_mple..com"), "none  bad-domain",
	  FROM_MALFORMED },
	{ "no UTF-8", IN("From: a@\xff.example"), "none  bad-domain",
	  FROM_MALFORMED },
	{ "percent", IN("From: a@ev%il.example"), "none  bad-domain",
	  FROM_MALFORMED },

	/* Several. */
	{ "two authors", IN("From: a@evil.example, b@victim.example"),
	  "several evil.example,victim.example authors", FROM_AUTHORS },
	{ "two fields", IN("From: a@evil.example\r\nFrom: b@victim.example"),
	  "ambiguous evil.example,victim.example two-from",
	  FROM_AUTHORS | FROM_MALFORMED },
	{ "two fields, other order",
	  IN("From: b@victim.example\r\nTo: x@y.example\r\n"
	  "from: a@evil.example"),
	  "ambiguous victim.example,evil.example two-from",
	  FROM_AUTHORS | FROM_MALFORMED },
	{ "the same field twice",
	  IN("From: a@evil.example\r\nFrom: a@evil.example"),
	  "ambiguous evil.example two-from", FROM_AUTHORS | FROM_MALFORMED },
	{ "one of two is empty", IN("From:\r\nFrom: a@evil.example"),
	  "ambiguous evil.example two-from", FROM_MALFORMED },
	{ "a field with a byte in its name",
	  IN("\x01" "From: b@victim.example\r\nFrom: a@evil.example"),
	  "ambiguous victim.example,evil.example odd-from",
	  FROM_AUTHORS | FROM_MALFORMED },
	{ "a blank within the name",
	  IN("Fr om: b@victim.example\r\nFrom: a@evil.example"),
	  "ambiguous victim.example,evil.example odd-from",
	  FROM_AUTHORS | FROM_MALFORMED },
	{ "a NUL behind the name",
	  IN("From\0: b@victim.example\r\nFrom: a@evil.example"),
	  "ambiguous victim.example,evil.example odd-from",
	  FROM_AUTHORS | FROM_MALFORMED },
	{ "six authors", IN("From: a@evil.example,b@b.example,c@c.example,"
	  "d@d.example,e@e.example,f@victim.example"),
	  "several evil.example,b.example,c.example,d.example,e.example,+ "
	  "authors", FROM_AUTHORS },

	/* One field, two readings. */
	{ "group", IN("From: victim.example: a@evil.example;"),
	  "ambiguous evil.example group", FROM_MALFORMED },
	{ "an address as the group's name",
	  IN("From: b@victim.example: a@evil.example;"),
	  "ambiguous evil.example,victim.example two-ats",
	  FROM_MALFORMED },
	{ "comment after the at sign",
	  IN("From: b@(victim.example)evil.example"),
	  "one evil.example -", 0 },
	{ "address in a comment",
	  IN("From: a@evil.example (b@victim.example)"),
	  "ambiguous evil.example,victim.example other-address",
	  FROM_MALFORMED },
	{ "address in a comment first",
	  IN("From: (b@victim.example) a@evil.example"),
	  "ambiguous evil.example,victim.example other-address",
	  FROM_MALFORMED },
	{ "comment that does not close",
	  IN("From: a@evil.example(.victim.example"),
	  "ambiguous evil.example unclosed", FROM_MALFORMED },
	{ "a(.b", IN("From: b@victim.example(.evil.example"),
	  "ambiguous victim.example unclosed", FROM_MALFORMED },
	{ "angle that does not close", IN("From: Eve <a@evil.example"),
	  "ambiguous evil.example unclosed", FROM_MALFORMED },
	{ "quote that does not close",
	  IN("From: \"b@victim.example <a@evil.example>"),
	  "ambiguous victim.example unclosed", FROM_MALFORMED },
	{ "name without quotes",
	  IN("From: b@victim.example <a@evil.example>"),
	  "ambiguous evil.example,victim.example other-address",
	  FROM_MALFORMED | FROM_NAME },
	{ "brackets in a quoted name",
	  IN("From: \"<b@victim.example>\" <a@evil.example>"),
	  "ambiguous evil.example,victim.example other-address",
	  FROM_MALFORMED | FROM_NAME },
	{ "quotes in quotes",
	  IN("From: \"x\\\" b@victim.example\\\"\" <a@evil.example>"),
	  "ambiguous evil.example,victim.example other-address",
	  FROM_MALFORMED | FROM_NAME },
	{ "two angles", IN("From: <b@victim.example> <a@evil.example>"),
	  "several victim.example,evil.example authors",
	  FROM_AUTHORS | FROM_MALFORMED },
	{ "trailing address", IN("From: <a@evil.example> b@victim.example"),
	  "ambiguous evil.example,victim.example other-address",
	  FROM_MALFORMED },
	{ "two at signs", IN("From: b@victim.example@evil.example"),
	  "ambiguous evil.example,victim.example two-ats", FROM_MALFORMED },
	{ "two at signs, other order",
	  IN("From: <a@evil.example@victim.example>"),
	  "ambiguous victim.example,evil.example two-ats", FROM_MALFORMED },
	{ "at sign in a quoted local part",
	  IN("From: \"b@victim.example\"@evil.example"),
	  "ambiguous evil.example,victim.example other-address",
	  FROM_MALFORMED },
	{ "escaped at sign",
	  IN("From: \"b\\@victim.example \"@evil.example"),
	  "ambiguous evil.example,victim.example other-address",
	  FROM_MALFORMED },
	{ "route", IN("From: <@victim.example:a@evil.example>"),
	  "ambiguous evil.example,victim.example route", FROM_MALFORMED },
	{ "route of two",
	  IN("From: <@evil.example,@b.example:b@victim.example>"),
	  "ambiguous victim.example,evil.example route", FROM_MALFORMED },
	{ "blank in the domain",
	  IN("From: b@victim.example .evil.example"),
	  "ambiguous victim.example.evil.example,victim.example "
	  "other-address", FROM_MALFORMED },
	{ "comma in the angle", IN("From: <b@victim.example,a@evil.example>"),
	  "ambiguous victim.example,evil.example bad-domain",
	  FROM_AUTHORS | FROM_MALFORMED },
	{ "semicolon", IN("From: b@victim.example; a@evil.example"),
	  "several victim.example,evil.example authors",
	  FROM_AUTHORS | FROM_MALFORMED },
	{ "NUL in the address", IN("From: b@victim.example\0@evil.example"),
	  "ambiguous evil.example,victim.example control",
	  FROM_MALFORMED },
	{ "NUL behind the address",
	  IN("From: <b@victim.example>\0<a@evil.example>"),
	  "ambiguous victim.example,evil.example control",
	  FROM_AUTHORS | FROM_MALFORMED },
	{ "bare CR", IN("From: b@victim.example\r<a@evil.example>"),
	  "ambiguous evil.example,victim.example control",
	  FROM_MALFORMED | FROM_NAME },
	{ "encoded address (Mailsploit)",
	  IN("From: =?utf-8?b?YkB2aWN0aW0uZXhhbXBsZQ==?=@evil.example"),
	  "ambiguous evil.example,victim.example encoded-address",
	  FROM_MALFORMED },
	{ "encoded address and NUL (Mailsploit)",
	  IN("From: =?utf-8?b?YkB2aWN0aW0uZXhhbXBsZQ==?=\r\n"
	  " =?utf-8?Q?=00?= <a@evil.example>"),
	  "ambiguous evil.example encoded-break",
	  FROM_MALFORMED | FROM_NAME },
	{ "encoded address and line end (Mailsploit)",
	  IN("From: =?utf-8?Q?b=40victim.example=0A?= <a@evil.example>"),
	  "ambiguous evil.example encoded-break",
	  FROM_MALFORMED | FROM_NAME },
	{ "encoded angle address",
	  IN("From: =?utf-8?Q?<b=40victim.example>?= <a@evil.example>"),
	  "ambiguous evil.example,victim.example encoded-address",
	  FROM_MALFORMED },
	{ "encoded angle address, escaped",
	  IN("From: =?utf-8?Q?=3Cb=40victim.example=3E?= <a@evil.example>"),
	  "ambiguous evil.example,victim.example encoded-address",
	  FROM_MALFORMED | FROM_NAME },
	{ "encoded angle address, cut by the bracket",
	  IN("From: =?utf-8?q?=<b=40victim.example>?= <a@evil.example>"),
	  "ambiguous evil.example,victim.example encoded-address",
	  FROM_MALFORMED },
	{ "encoded mailbox, then another",
	  IN("From: =?utf-8?Q?=3Cb=40victim.example=3E?=, <a@evil.example>"),
	  "ambiguous evil.example,victim.example encoded-address",
	  FROM_MALFORMED },
	{ "encoded domain",
	  IN("From: b@=?utf-8?Q?victim.example?= <a@evil.example>"),
	  "ambiguous evil.example,victim.example encoded-address",
	  FROM_MALFORMED | FROM_NAME },
};

static struct slice
render(const struct from *f)
{
	struct buf b = buf_in(arena);

	buf_addf(&b, "%s ", from_state_name(f->state));
	for (size_t i = 0; i < f->ndomains; i++)
		buf_addf(&b, "%s%.*s", i > 0 ? "," : "",
		    SLICE_ARG(f->domains[i]));
	buf_addf(&b, "%s %s", f->more ? ",+" : "",
	    f->rule != NULL ? f->rule : "-");
	return buf_slice(&b);
}

/* Everybody has a record, and evil.example's mail passes. */
static bool
lookup(void *arg, struct slice name, enum dns_type type, struct dns_answer *r)
{
	static struct dns_record records[1];

	(void)arg;
	*r = (struct dns_answer){ .status = DNS_NODATA };
	if (type != DNS_TXT || slice_eq(name, SLICE("_dmarc.example")))
		return true;
	records[0].data = SLICE("v=DMARC1; p=reject");
	*r = (struct dns_answer){ .records = records, .count = 1 };
	return true;
}

static void
check_pass(const char *name, const struct from *f)
{
	struct dmarc_identifier evil = { SLICE("evil.example"), false };
	struct dmarc_query q = { .spf = evil, .dkim = &evil, .ndkim = 1 };
	struct dmarc_answer r;
	bool clear;

	dmarc_check_from(arena, f, &q, lookup, NULL, &r);
	clear = f->state == FROM_ONE &&
	    slice_eq(f->domain, SLICE("evil.example"));
	if ((r.result == DMARC_PASS) != clear)
		tap_ok(false, "%s: %s", name, dmarc_result_name(r.result));
	/* The victim's policy is not dodged either. */
	for (size_t i = 0; i < f->ndomains; i++)
		if (slice_eq(f->domains[i], SLICE("victim.example")) &&
		    (r.result != DMARC_FAIL || r.policy != DMARC_REJECT))
			tap_ok(false, "%s: not refused", name);
}

static void
run(size_t i)
{
	struct slice got;
	struct from f;

	from_read(arena, cases[i].head, &f);
	got = render(&f);
	if (!tap_ok(slice_eq(got, slice_of(cases[i].want)) &&
	    f.flags == cases[i].flags, "%s", cases[i].name))
		tap_diag("got \"%.*s\" flags %u (%.*s), wanted \"%s\" flags %u",
		    SLICE_ARG(got), f.flags, SLICE_ARG(f.reason),
		    cases[i].want, cases[i].flags);
	check_pass(cases[i].name, &f);
}

/* ---- size ---- */

static void
check_size(const char *name, const char *once, size_t times,
    const char *want)
{
	struct buf b = { 0 };
	int64_t begin;
	struct from f;

	buf_adds(&b, "From: a@evil.example, ");
	for (size_t i = 0; i < times; i++)
		buf_adds(&b, once);
	buf_adds(&b, "\r\n");
	begin = tap_worked();
	from_read(arena, buf_slice(&b), &f);
	begin = tap_worked() - begin;
	tap_is_str(f.rule, want, "%s: %zu bytes", name, b.len);
	if (!tap_ok(begin < 2000, "%s: in time", name))
		tap_diag("%lld ms", (long long)begin);
	buf_free(&b);
}

int
main(void)
{
	arena = arena_new();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		run(i);
	check_size("authors", "b@victim.example,", 60000, "too-many");
	check_size("at signs", "@", 1000000, "two-ats");
	check_size("domains", "(@b\xc3\xbc.example)", 50000, "other-address");
	check_size("names that are none", "(@b\xc3\xbc..x)", 50000, NULL);
	check_size("comments", "(", 1000000, "unclosed");
	check_size("encoded words", "=?utf-8?q?a=40b?= ", 50000,
	    "encoded-address");
	arena_free(arena);
	return tap_done();
}
