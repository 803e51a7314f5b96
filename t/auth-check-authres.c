/* Authentication-Results: what is written, and whose a field claims to be. */
#include <stdio.h>

#include "milters/auth-check/authres.h"
#include "t/tap.h"

static const char *const claim_names[] = { "other", "ours", "broken" };

static const struct {
	const char *name;
	struct slice body;
	enum authres_claim want;
} claims[] = {
#define CLAIM(name, body, want)	{ name, { body, sizeof body - 1 }, want }
	/* plainly ours */
	CLAIM("plain", " mx.example.org; spf=pass", AUTHRES_OURS),
	CLAIM("no space", "mx.example.org;spf=pass", AUTHRES_OURS),
	CLAIM("no results", " mx.example.org; none", AUTHRES_OURS),
	CLAIM("alone", " mx.example.org", AUTHRES_OURS),
	CLAIM("upper case", " MX.Example.ORG; spf=pass", AUTHRES_OURS),
	CLAIM("version", " mx.example.org 1; spf=pass", AUTHRES_OURS),
	CLAIM("other version", " mx.example.org 99 ; spf=pass", AUTHRES_OURS),
	CLAIM("folded", "\r\n\tmx.example.org;\r\n\tspf=pass", AUTHRES_OURS),
	CLAIM("LF folds", "\n mx.example.org\n ; spf=pass", AUTHRES_OURS),
	CLAIM("comment before", " (hi) mx.example.org; spf=pass", AUTHRES_OURS),
	CLAIM("comment behind", " mx.example.org(x)1; spf=pass", AUTHRES_OURS),
	CLAIM("nested comment", " (a (b) \\) c) mx.example.org; x",
	    AUTHRES_OURS),
	CLAIM("quoted", " \"mx.example.org\"; spf=pass", AUTHRES_OURS),
	CLAIM("quoted pairs", " \"mx\\.example\\.org\"; spf=pass",
	    AUTHRES_OURS),
	/* for lax readers */
	CLAIM("no semicolon", " mx.example.org spf=pass", AUTHRES_OURS),
	CLAIM("final dot", " mx.example.org.; spf=pass", AUTHRES_OURS),
	CLAIM("final dots", " mx.example.org..; spf=pass", AUTHRES_OURS),
	CLAIM("equals", " mx.example.org=1; spf=pass", AUTHRES_OURS),
	CLAIM("slash", " mx.example.org/1; spf=pass", AUTHRES_OURS),
	CLAIM("colon", " mx.example.org: spf=pass", AUTHRES_OURS),
	CLAIM("comma", " mx.example.org, spf=pass", AUTHRES_OURS),
	CLAIM("NUL behind", " mx.example.org\0; spf=pass", AUTHRES_OURS),
	CLAIM("NUL before", "\0mx.example.org; spf=pass", AUTHRES_OURS),
	CLAIM("NUL inside", " mx.exa\0mple.org; spf=pass", AUTHRES_OURS),
	CLAIM("bell inside", " mx.example\x07.org; spf=pass", AUTHRES_OURS),
	CLAIM("CR behind", " mx.example.org\rspf=pass", AUTHRES_OURS),
	CLAIM("vertical tab", " \x0bmx.example.org\x0b; spf=pass",
	    AUTHRES_OURS),
	CLAIM("comment inside", " mx.(x)example.org; spf=pass", AUTHRES_OURS),
	CLAIM("semicolon first", "; mx.example.org; spf=pass", AUTHRES_OURS),
	CLAIM("brackets", " <mx.example.org>; spf=pass", AUTHRES_OURS),
	CLAIM("backslash", " \\mx.example.org; spf=pass", AUTHRES_OURS),
	CLAIM("open quote", " \"mx.example.org; spf=pass", AUTHRES_OURS),
	CLAIM("fold inside quotes", " \"\r\n mx.example.org\"; spf=pass",
	    AUTHRES_OURS),
	CLAIM("second name of ours", " old.example.org; spf=pass",
	    AUTHRES_OURS),
	CLAIM("U-label of ours", " b\xc3\xbc" "cher.example; spf=pass",
	    AUTHRES_OURS),
	CLAIM("U-label, upper case", " B\xc3\x9c" "CHER.example; spf=pass",
	    AUTHRES_OURS),
	CLAIM("A-label of ours", " xn--bcher-kva.example; spf=pass",
	    AUTHRES_OURS),
	/* somebody else's */
	CLAIM("other", " mx.example.net; spf=pass", AUTHRES_OTHER),
	CLAIM("longer", " mx.example.org.evil.example; spf=pass",
	    AUTHRES_OTHER),
	CLAIM("longer by a letter", " mx.example.orgs; spf=pass",
	    AUTHRES_OTHER),
	CLAIM("longer by a dash", " mx.example.org-x; spf=pass",
	    AUTHRES_OTHER),
	CLAIM("prefixed", " amx.example.org; spf=pass", AUTHRES_OTHER),
	CLAIM("below us", " a.mx.example.org; spf=pass", AUTHRES_OTHER),
	CLAIM("above us", " example.org; spf=pass", AUTHRES_OTHER),
	CLAIM("ours in a comment", " mx.example.net (mx.example.org); none",
	    AUTHRES_OTHER),
	CLAIM("ours in a value", " mx.example.net; spf=pass "
	    "smtp.helo=mx.example.org", AUTHRES_OTHER),
	CLAIM("other, version", " mx.example.net 1; dkim=none", AUTHRES_OTHER),
	CLAIM("other, quoted", " \"mx.example.net\" ; none", AUTHRES_OTHER),
	CLAIM("other, U-label", " m\xc3\xbc.example; none", AUTHRES_OTHER),
	/* nobody's */
	CLAIM("empty", "", AUTHRES_BROKEN),
	CLAIM("only blanks", " \r\n\t", AUTHRES_BROKEN),
	CLAIM("no name", "; spf=pass", AUTHRES_BROKEN),
	CLAIM("a result for a name", " spf=pass smtp.mailfrom=x.example",
	    AUTHRES_BROKEN),
	CLAIM("other, no semicolon", " mx.example.net spf=pass",
	    AUTHRES_BROKEN),
	CLAIM("encoded word", " =?utf-8?q?mx.example.org?=; spf=pass",
	    AUTHRES_BROKEN),
	CLAIM("comment does not end", " (mx.example.org; spf=pass",
	    AUTHRES_BROKEN),
	CLAIM("quote does not end", " \"mx.example.net; spf=pass",
	    AUTHRES_BROKEN),
	CLAIM("empty quotes", " \"\"; spf=pass", AUTHRES_BROKEN),
};

static void
read_claims(struct arena *a)
{
	const struct slice ids[] = { SLICE("mx.example.org"),
	    SLICE("old.example.org"), SLICE("xn--bcher-kva.example"),
	    SLICE("") };

	for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
		enum authres_claim got = authres_claim(a, claims[i].body, ids,
		    sizeof ids / sizeof *ids);

		tap_ok(got == claims[i].want, "%s: %s", claims[i].name,
		    claim_names[claims[i].want]);
		if (got != claims[i].want)
			tap_diag("got %s", claim_names[got]);
	}
}

static struct slice
value(struct arena *a, struct slice s)
{
	struct authres w;

	authres_begin(&w, a, SLICE("m.org"));
	authres_result(&w, "spf", "pass");
	authres_value(&w, "smtp.helo", s);
	return slice_after(authres_end(&w),
	    sizeof " m.org;\r\n\tspf=pass smtp.helo=" - 1);
}

static struct slice
address(struct arena *a, struct slice local, struct slice domain)
{
	struct authres w;

	authres_begin(&w, a, SLICE("m.org"));
	authres_result(&w, "spf", "pass");
	authres_address(&w, "smtp.mailfrom", local, domain);
	return slice_after(authres_end(&w),
	    sizeof " m.org;\r\n\tspf=pass smtp.mailfrom=" - 1);
}

static void
write_values(struct arena *a)
{
	tap_is(value(a, SLICE("mail.example")), SLICE("mail.example"),
	    "a host name");
	tap_is(value(a, SLICE("[192.0.2.1]")), SLICE("\"[192.0.2.1]\""),
	    "a literal is quoted");
	tap_is(value(a, SLICE("")), SLICE("\"\""), "nothing is quoted");
	tap_is(value(a, SLICE("x; dkim=pass")), SLICE("\"x; dkim=pass\""),
	    "a semicolon is quoted");
	tap_is(value(a, SLICE("a\"b\\c")), SLICE("\"a\\\"b\\\\c\""),
	    "quotes and backslashes are escaped");
	tap_is(value(a, SLICE("a\r\nX-Evil: 1")), SLICE("\"a??X-Evil: 1\""),
	    "line ends are gone");
	tap_is(value(a, SLICE("a\0b\xc3\xbc")), SLICE("\"a?b??\""),
	    "so are NUL and other bytes");
	tap_is(address(a, SLICE("bob"), SLICE("x.example")),
	    SLICE("bob@x.example"), "an address");
	tap_is(address(a, SLICE("b=a+c/d"), SLICE("x.example")),
	    SLICE("b=a+c/d@x.example"), "an odd local part");
	tap_is(address(a, SLICE("a b"), SLICE("x.example")),
	    SLICE("\"a b\"@x.example"), "one that must be quoted");
	tap_is(address(a, SLICE("a..b"), SLICE("x.example")),
	    SLICE("\"a..b\"@x.example"), "dots must be apart");
	tap_is(address(a, SLICE("a;spf=x"), SLICE("x.example")),
	    SLICE("\"a;spf=x\"@x.example"), "a semicolon in a local part");
	tap_is(address(a, SLICE("\"a\""), SLICE("x.example")),
	    SLICE("\"\\\"a\\\"\"@x.example"), "quotes are escaped once more");
	tap_is(address(a, SLICE("\xc3\xbc"), SLICE("x.example")),
	    SLICE("x.example"), "a local part outside ASCII is left out");
	tap_is(address(a, SLICE("a\r\nb"), SLICE("x.example")),
	    SLICE("x.example"), "so is one with line ends");
	tap_is(address(a, SLICE(""), SLICE("x.example")), SLICE("x.example"),
	    "and an empty one");
	tap_is(address(a, SLICE("bob"), SLICE("[192.0.2.1]")),
	    SLICE("\"[192.0.2.1]\""), "a domain that is none is quoted");
}

static void
write_fields(struct arena *a)
{
	struct authres w;
	struct slice body, rest, line;
	size_t longest = 0;
	char *text;

	authres_begin(&w, a, SLICE("mx.example.org"));
	tap_is(authres_end(&w), SLICE(" mx.example.org; none"), "no results");

	authres_begin(&w, a, SLICE("mx.example.org"));
	authres_result(&w, "spf", "fail");
	authres_reason(&w, SLICE("192.0.2.1 is not allowed to send mail for "
	    "sender.example (mechanism -all)"));
	authres_address(&w, "smtp.mailfrom", SLICE("bob"),
	    SLICE("sender.example"));
	authres_result(&w, "spf", "pass");
	authres_value(&w, "smtp.helo", SLICE("mail.sender.example"));
	tap_is(authres_end(&w), SLICE(" mx.example.org;\r\n"
	    "\tspf=fail reason=\"192.0.2.1 is not allowed to send mail for\r\n"
	    "\tsender.example (mechanism -all)\" "
	    "smtp.mailfrom=bob@sender.example;\r\n"
	    "\tspf=pass smtp.helo=mail.sender.example"), "two results");

	text = arena_alloc(a, 5001);
	for (size_t i = 0; i < 5000; i++)
		text[i] = "ab\r\n\0\"\\;( "[i % 10];
	authres_begin(&w, a, slice_make(text, 5000));
	authres_result(&w, "spf", "pass");
	authres_reason(&w, slice_make(text, 5000));
	authres_value(&w, "smtp.helo", slice_make(text, 5000));
	authres_address(&w, "smtp.mailfrom", slice_make(text, 5000),
	    slice_make(text, 5000));
	body = rest = authres_end(&w);
	tap_ok(body.len < 4000, "whatever it is given, it stays short");
	tap_ok(!slice_has(body, '\0'), "and without NUL");
	while (slice_line(&rest, &line))
		if (line.len > longest)
			longest = line.len;
	tap_ok(longest <= 78, "no line over 78 bytes");
	tap_is(authres_fold(a, "X-Tag", SLICE("a  b\r\nc")),
	    SLICE(" a b??c"), "words of another field");
}

int
main(void)
{
	struct arena *a = arena_new();

	read_claims(a);
	write_values(a);
	write_fields(a);
	arena_free(a);
	return tap_done();
}
