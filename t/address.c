/* Addresses: what is allowed, what is not, and what clients may see. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "text/address.h"
#include "t/tap.h"

static struct arena *arena;

/* "name|local|domain|group flags" of each mailbox, ends of them with ';'. */
static struct slice
render(struct slice in, unsigned *flags_r)
{
	struct buf b = buf_in(arena);
	struct address_list list;
	struct address a;

	address_open(&list, arena, in);
	while (address_next(&list, &a)) {
		buf_add(&b, a.name);
		buf_addc(&b, '|');
		buf_add(&b, a.local);
		buf_addc(&b, '|');
		buf_add(&b, a.domain);
		if (a.group.ptr != NULL) {
			buf_addc(&b, '|');
			buf_add(&b, a.group);
		}
		for (unsigned bit = 1; bit != 0; bit <<= 1) {
			if ((a.flags & bit) != 0) {
				buf_addc(&b, ' ');
				buf_adds(&b, address_flag_name(bit));
			}
		}
		buf_addc(&b, ';');
	}
	*flags_r = list.flags;
	return buf_slice(&b);
}

#define IN(lit)	{ "" lit, sizeof (lit) - 1 }

static const struct {
	const char *name;
	struct slice in, want;
} lists[] = {
	{ "nothing", IN(""), IN("") },
	{ "blanks", IN(" \r\n\t "), IN("") },
	{ "plain", IN("a@example.org"), IN("|a|example.org;") },
	{ "angle", IN("<a@example.org>"), IN("|a|example.org;") },
	{ "name", IN("Bob B. Bold <a@b>"), IN("Bob B. Bold|a|b;") },
	{ "quoted name", IN("\"Bold, \\\"Bob\\\" <x@y>\" <a@b>"),
	  IN("\"Bold, \\\"Bob\\\" <x@y>\"|a|b;") },
	{ "two", IN("a@b, C <c@d>"), IN("|a|b;C|c|d;") },
	{ "folded", IN("A\r\n B <a@b>,\r\n\tc@d\r\n"),
	  IN("A\r\n B|a|b;|c|d;") },
	{ "encoded name", IN("=?utf-8?Q?J=C3=B6rg?= <j@b>"),
	  IN("=?utf-8?Q?J=C3=B6rg?=|j|b;") },
	{ "UTF-8", IN("J\xc3\xb6rg <j\xc3\xb6@\xc3\xbc.example>"),
	  IN("J\xc3\xb6rg|j\xc3\xb6|\xc3\xbc.example utf8;") },
	{ "name in a comment", IN("a@b (Bob (the \\) builder))"),
	  IN("|a|b comment;") },
	{ "comments between", IN("a(x)@(y)b(z).(w)c"),
	  IN("|a|b.c comment;") },
	{ "blanks between", IN("a @ b . c"), IN("|a|b.c;") },
	{ "quoted local part", IN("\"john doe\"@b"),
	  IN("|john doe|b quoted;") },
	{ "at in quotes", IN("<\"a@x\"@b>"), IN("|a@x|b quoted;") },
	{ "fold in quotes", IN("\"a\r\n b\"@c"), IN("|a b|c quoted;") },
	{ "escaped line end", IN("\"a\\\r\n b\"@c"),
	  IN("|a\r b|c quoted control;") },
	{ "empty quotes", IN("\"\"@b"), IN("||b quoted;") },
	{ "literal", IN("a@[192.0.2.1]"), IN("|a|[192.0.2.1] literal;") },
	{ "folded literal", IN("a@[192.0\n .2\r\n\t.1]"),
	  IN("|a|[192.0 .2\t.1] literal;") },
	{ "IPv6 literal", IN("a@[IPv6:2001:db8::1]"),
	  IN("|a|[IPv6:2001:db8::1] literal;") },
	{ "group", IN("Team: a@b, C <c@d>; e@f"),
	  IN("|a|b|Team group;C|c|d|Team group;|e|f;") },
	{ "empty group", IN("undisclosed-recipients:;"), IN("") },
	{ "empty group, then one", IN("none:;, a@b"), IN("|a|b;") },
	{ "route", IN("<@r.example,@s.example:a@b>"), IN("|a|b route;") },
	{ "route of one", IN("X <@r:a@b>"), IN("X|a|b route;") },
	{ "empty entries", IN(",a@b,, c@d,"), IN("|a|b;|c|d;") },
	{ "brackets in a name", IN("[list] Bob <a@b>"), IN("[list] Bob|a|b;") },

	{ "null", IN("<>"), IN("|| null;") },
	{ "bare word", IN("root"), IN("|root| no-domain;") },
	{ "no local part", IN("@b"), IN("||b no-local;") },
	{ "no domain", IN("a@"), IN("|a| no-domain;") },
	{ "two ats", IN("a@b@c"), IN("|a@b|c two-ats;") },
	{ "two ats in angle", IN("<a@b@c>"), IN("|a@b|c two-ats;") },
	{ "first dot", IN(".a@b"), IN("|.a|b dots;") },
	{ "dots in a row", IN("a..b@c"), IN("|a..b|c dots;") },
	{ "final dot", IN("a@b."), IN("|a|b. dots;") },
	{ "blank inside", IN("john doe@b"), IN("|john doe|b spaced;") },
	{ "open angle", IN("X <a@b, c@d"), IN("X|a|b unclosed;|c|d;") },
	{ "open quote", IN("\"X <a@b>"), IN("|X <a@b>| quoted no-domain "
	  "unclosed;") },
	{ "open comment", IN("a(.b@c"), IN("|a| comment no-domain unclosed;") },
	{ "open group", IN("Team: a@b"), IN("|a|b|Team group unclosed;") },
	{ "open literal", IN("a@[192.0.2.1"),
	  IN("|a|[192.0.2.1 stray;") },
	{ "stray bracket", IN("a@b>"), IN("|a|b> stray;") },
	{ "two angles", IN("<a@b><c@d>"), IN("|a|b trailing;|c|d;") },
	{ "words behind", IN("<a@b> x"), IN("|a|b trailing;") },
	{ "doubled angles", IN("<<a@b>>"), IN("|a|b stray trailing;") },
	{ "address as name", IN("a@b <c@d>"), IN("a@b|c|d name-at;") },
	{ "NUL", IN("a@b\0@c"), IN("|a@b\0|c two-ats control;") },
	{ "NUL in name", IN("A\0B <a@b>"), IN("A\0B|a|b control;") },
	{ "bare LF", IN("a@b\nBcc: c@d"),
	  IN("|a@b Bcc:c|d two-ats spaced stray control;") },
	{ "Latin-1", IN("J\xf6rg <a@b>"), IN("J\xf6rg|a|b 8bit;") },
	{ "encoded local part", IN("=?utf-8?Q?a=40b?=@c"),
	  IN("|=?utf-8?Q?a=40b?=|c encoded;") },
	{ "quoted domain", IN("a@\"b\""), IN("|a|b quoted stray;") },
	{ "backslash", IN("a\\@b@c"), IN("|a\\@b|c two-ats stray;") },
	{ "semicolon", IN("a@b; c@d"), IN("|a|b stray;|c|d;") },
	{ "only specials", IN(")]>"), IN("|)]>| no-domain stray;") },
};

static void
read_lists(void)
{
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		unsigned flags;

		tap_is(render(lists[i].in, &flags), lists[i].want, "list: %s",
		    lists[i].name);
	}
}

static void
list_flags(void)
{
	struct address_list list;
	struct address a;
	unsigned flags;

	render(SLICE("undisclosed-recipients:;"), &flags);
	tap_is_int(flags, ADDRESS_GROUP, "an empty group leaves its flag");
	render(SLICE("a@b,,c@d"), &flags);
	tap_is_int(flags, ADDRESS_EMPTY, "so does an empty entry");
	render(SLICE("(unclosed"), &flags);
	tap_is_int(flags, ADDRESS_COMMENT | ADDRESS_UNCLOSED,
	    "and a comment that never ends");
	address_open(&list, arena, SLICE(" Bob (x) <a@b> (y(z)) , c@d"));
	address_next(&list, &a);
	tap_is(a.raw, SLICE("Bob (x) <a@b> (y(z))"), "raw");
	tap_is(a.comment, SLICE("y(z)"), "the last comment");
	address_next(&list, &a);
	tap_is(a.raw, SLICE("c@d"), "raw of the next");
	tap_ok(a.comment.ptr == NULL && a.name.ptr == NULL &&
	    a.group.ptr == NULL, "absent is absent");
	tap_ok(!address_next(&list, &a) && !address_next(&list, &a),
	    "the end stays the end");
	for (unsigned i = 0; i < 22; i++)
		if (i != 7 && address_flag_name(1u << i) == NULL)
			tap_ok(false, "no name for bit %u", i);
	tap_ok(address_flag_name(1u << 22) == NULL, "no more names");
}

/* All that a client might show or answer to. */
static const struct {
	const char *name;
	struct slice in, want;
} guesses[] = {
	{ "none", IN("Bob"), IN("") },
	{ "plain", IN("Bob <a@b.example>"), IN("a@b.example;") },
	{ "in the name", IN("\"admin@bank.example\" <x@evil.example>"),
	  IN("admin@bank.example;x@evil.example;") },
	{ "in a comment", IN("x@evil.example (admin@bank.example)"),
	  IN("x@evil.example;admin@bank.example;") },
	{ "behind a NUL", IN("admin@bank.example\0@evil.example"),
	  IN("admin@bank.example;@evil.example;") },
	{ "two ats", IN("a@b@c"), IN("a@b;b@c;") },
	{ "a(.b", IN("a(.b@bank.example"), IN(".b@bank.example;") },
	{ "route", IN("<@bank.example,@any:x@evil.example>"),
	  IN("@bank.example;@any;x@evil.example;") },
	{ "quoted local part", IN("\"a b\"@c"), IN("\"a b\"@c;") },
	{ "blanks", IN("a @\r\n b."), IN("a@b;") },
	{ "literal", IN("a@[192.0.2.1]x"), IN("a@[192.0.2.1];") },
	{ "UTF-8", IN("j\xc3\xb6@\xc3\xbc.example"),
	  IN("j\xc3\xb6@\xc3\xbc.example;") },
	{ "only ats", IN("@@@@"), IN("") },
};

static void
guess(void)
{
	for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++) {
		struct slice rest = guesses[i].in, local, domain;
		struct buf b = buf_in(arena);

		while (address_guess(&rest, &local, &domain)) {
			buf_add(&b, local);
			buf_addc(&b, '@');
			buf_add(&b, domain);
			buf_addc(&b, ';');
		}
		tap_is(buf_slice(&b), guesses[i].want, "guess: %s",
		    guesses[i].name);
	}
}

static const struct {
	struct slice path, local, domain;
	bool found;
} paths[] = {
	{ IN("<a@b>"), IN("a"), IN("b"), true },
	{ IN("a@b"), IN("a"), IN("b"), true },
	{ IN("<A.b+c@EXAMPLE.org>"), IN("A.b+c"), IN("EXAMPLE.org"), true },
	{ IN("<>"), IN(""), { NULL, 0 }, false },
	{ IN(""), IN(""), { NULL, 0 }, false },
	{ IN("<postmaster>"), IN("postmaster"), { NULL, 0 }, false },
	{ IN("<\"a@x\"@b>"), IN("\"a@x\""), IN("b"), true },
	{ IN("<\"a\\\"@x\"@b>"), IN("\"a\\\"@x\""), IN("b"), true },
	{ IN("<a@b@c>"), IN("a@b"), IN("c"), true },
	{ IN("<@r,@s:a@b>"), IN("a"), IN("b"), true },
	{ IN("<\"@r:a\"@b>"), IN("\"@r:a\""), IN("b"), true },
	{ IN("<a@[IPv6:::1]>"), IN("a"), IN("[IPv6:::1]"), true },
	{ IN("<a@>"), IN("a"), IN(""), true },
	{ IN("<\"a@b>"), IN("\"a@b"), { NULL, 0 }, false },
};

static void
split(void)
{
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		struct slice local, domain;
		bool found = address_split(paths[i].path, &local, &domain);

		tap_ok(found == paths[i].found &&
		    slice_eq(local, paths[i].local) &&
		    slice_eq(domain, paths[i].domain) &&
		    (domain.ptr == NULL) == !found, "path %.*s",
		    SLICE_ARG(paths[i].path));
	}
	tap_is(address_unquote(arena, SLICE("\"a \\\"b\\\\\"")),
	    SLICE("a \"b\\"), "unquoted");
	tap_is(address_unquote(arena, SLICE("a.b")), SLICE("a.b"), "as it is");
	tap_is(address_print(arena, SLICE("a.b"), SLICE("c")), SLICE("a.b@c"),
	    "printed");
	tap_is(address_print(arena, SLICE("a \"b\\"), SLICE("c")),
	    SLICE("\"a \\\"b\\\\\"@c"), "printed in quotes");
	tap_is(address_print(arena, SLICE("a..b"), SLICE("")),
	    SLICE("\"a..b\""), "dots in quotes");
	tap_is(address_print(arena, SLICE("a\r\nX: "), SLICE("c\0")),
	    SLICE("\"a??X: \"@c?"), "no line ends");
}

#define L31	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define L63	L31 L31 "a"

static const struct {
	struct slice in;
	const char *want;
} domains[] = {
	{ IN("Example.ORG"), "example.org" },
	{ IN("example.org."), "example.org" },
	{ IN("localhost"), "localhost" },
	{ IN("_spf.example.org"), "_spf.example.org" },
	{ IN("xn--bcher-kva.example"), "xn--bcher-kva.example" },
	{ IN("B\xc3\xbc" "cher.example"), "xn--bcher-kva.example" },
	{ IN("bu\xcc\x88" "cher.example"), "xn--bcher-kva.example" },
	{ IN("fa\xc3\x9f.example"), "xn--fa-hia.example" },
	{ IN("\xe4\xbe\x8b\xe3\x80\x82\xe4\xbe\x8b\xe3\x80\x82"),
	  "xn--fsq.xn--fsq" },
	{ IN(L63 ".example"), L63 ".example" },
	{ IN(L63 "." L63 "." L63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), L63 "." L63 "." L63 "."
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	{ IN(L63 "." L63 "." L63 "." "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), NULL },
	{ IN(L63 "a.example"), NULL },
	{ IN(""), NULL }, { IN("."), NULL }, { IN("a..b"), NULL },
	{ IN(".a"), NULL }, { IN("a.."), NULL }, { IN("a b"), NULL },
	{ IN("[192.0.2.1]"), NULL }, { IN("a\0b"), NULL },
	{ IN("a/b"), NULL }, { IN("a\nb"), NULL }, { IN("b\xfc"), NULL },
	{ IN("\xe2\x84\x80.example"), NULL },	/* maps to "a/c" */
	{ IN("a\xe2\x80\xae" "b.example"), NULL },	/* bidi override */
};

static void
ascii(void)
{
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
		struct slice got = SLICE_NONE;

		if (!domain_ascii(arena, domains[i].in, &got))
			got = SLICE_NONE;
		tap_is(got, slice_of(domains[i].want), "domain %zu", i);
	}
}

/* However it is made, a megabyte is read in a blink. */
static void
huge(void)
{
	static const char *const units[] = {
		",", "(", "\"", "<", "@", "[", "a,", "a@b,", "<a@b>", "\\",
		"a ", ":", ";", "a:;", "()", "\r\n ", "@[", "\"\"", "<@a,",
	};
	char *text = arena_alloc(arena, 1 << 20);

	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		struct slice in = slice_make(text, 1 << 20), rest = in, x, y;
		int64_t begun = tap_worked();
		struct address_list list;
		struct address a;

		for (size_t n = 0; n < in.len; n++)
			text[n] = units[i][n % strlen(units[i])];
		address_open(&list, arena, in);
		while (address_next(&list, &a))
			;
		while (address_guess(&rest, &x, &y))
			;
		address_split(in, &x, &y);
		tap_ok(tap_worked() - begun < 3000 &&
		    list.count <= ADDRESS_MAX, "1 MB of \"%s\"", i == 15 ?
		    "CRLF" : units[i]);
	}
}

int
main(void)
{
	arena = arena_new();
	read_lists();
	list_flags();
	guess();
	split();
	ascii();
	huge();
	arena_free(arena);
	return tap_done();
}
