/* What passes for something else in a reader's eyes, and what does not. */
#include "text/lookalike.h"

#include <string.h>

#include "base/arena.h"
#include "t/tap.h"

static struct arena *a;

static void
skeletons(void)
{
	static const struct { const char *text, *skeleton; bool mixed; } c[] = {
		{ "John  Smith", "john smith", false },
		{ "  \xc3\x89lise M\xc3\xbcller ", "elise muller", false },
		{ "e\xcc\x81lise", "elise", false },
		{ "\xd0\x88\xd0\xbe" "hn \xd0\x85mith", "john smith", true },
		{ "J\xce\xbfhn", "john", true },
		{ "\xef\xbc\xaa\xef\xbd\x8f\xef\xbd\x88\xef\xbd\x8e", "john",
		  false },
		{ "\xf0\x9d\x90\x89\xf0\x9d\x90\xa8\xf0\x9d\x90\xa1"
		  "\xf0\x9d\x90\xa7", "john", false },
		{ "jo\xe2\x80\x8bhn", "john", false },
		{ "jo\xc2\xadhn", "john", false },
		{ "\xe2\x80\xae" "john", "john", false },
		{ "jo\xff" "hn", "john", false },
		{ "\xe5\xb1\xb1\xe7\x94\xb0", "\xe5\xb1\xb1\xe7\x94\xb0",
		  false },
		{ "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd Smith", "\xd0\x98" "bah "
		  "smith", false },
		{ "", "", false },
		{ "O\xe2\x80\x99Neil", "o'neil", false },
	};

	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		struct slice text = slice_of(c[i].text);

		if (i != 12)
			tap_is(look_skeleton(a, text),
			    slice_of(c[i].skeleton), "%s", c[i].text);
		tap_ok(look_mixed(text) == c[i].mixed, "mixed: %d",
		    c[i].mixed);
	}
}

static void
hosts(void)
{
	static const char *const alike[][2] = {
		{ "rnicros0ft.com", "microsoft.com" },
		{ "xn--pple-43d.com", "apple.com" },
		{ "vvebbank.de", "webbank.de" },
		{ "PAYPA1.com", "paypal.com" },
		{ "clata.org", "data.org" },
	};

	for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
		tap_is(look_host(a, slice_of(alike[i][0])), look_host(a,
		    slice_of(alike[i][1])), "%s", alike[i][0]);
	tap_ok(!slice_eq(look_host(a, SLICE("google.com")), look_host(a,
	    SLICE("goggle.com"))), "another one");
	tap_is(look_host(a, SLICE("xn--\xff.b")), SLICE("xn--.b"),
	    "labels that are none");
}

static void
distances(void)
{
	static const struct { const char *one, *two; unsigned is; } c[] = {
		{ "", "", 0 }, { "a", "", 1 }, { "kitten", "sitting", 3 },
		{ "example", "exmaple", 1 }, { "abcd", "acbd", 1 },
		{ "example", "examples", 1 }, { "abc", "xyz", 3 },
	};
	char longest[LOOK_DISTANCE + 1];

	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		struct slice one = slice_of(c[i].one), two = slice_of(c[i].two);

		tap_is_int(look_distance(one, two, 5), c[i].is, "%s and %s",
		    c[i].one, c[i].two);
		tap_is_int(look_distance(two, one, 5), c[i].is, "and back");
	}
	tap_is_int(look_distance(SLICE("abc"), SLICE("xyz"), 1), 2,
	    "more than most");
	memset(longest, 'x', sizeof longest);
	tap_is_int(look_distance(slice_make(longest, sizeof longest),
	    SLICE("x"), 3), 4, "too long");
	tap_is_int(look_distance(slice_make(longest, sizeof longest - 1),
	    slice_make(longest, sizeof longest - 2), 3), 1, "just not");
}

static void
domains(void)
{
	static const struct { const char *one, *suffix, *of, *of_suffix;
	    enum look is; } c[] = {
		{ "acme.com", "com", "acme.com", "com", LOOK_SAME },
		{ "acrne.com", "com", "acme.com", "com", LOOK_CONFUSABLE },
		{ "xn--cme-5cd.com", "com", "acme.com", "com",
		  LOOK_CONFUSABLE },
		{ "acme.co.uk", "co.uk", "acme.com", "com", LOOK_ENDING },
		{ "acrne.net", "net", "acme.com", "com", LOOK_CONFUSABLE },
		{ "akme.com", "com", "acme.com", "com", LOOK_NOT },
		{ "gatehuose.test", "test", "gatehouse.test", "test",
		  LOOK_TYPO },
		{ "gatehouses.test", "test", "gatehouse.test", "test",
		  LOOK_TYPO },
		{ "gateh0use.test", "test", "gatehouse.test", "test",
		  LOOK_CONFUSABLE },
		{ "gatehouse-pay.com", "com", "gatehouse.test", "test",
		  LOOK_PART },
		{ "my-gatehouse.com", "com", "gatehouse.test", "test",
		  LOOK_PART },
		{ "lighthouse.test", "test", "gatehouse.test", "test",
		  LOOK_NOT },
		{ "abc-x.de", "de", "abc.de", "de", LOOK_NOT },
		{ "com", "com", "acme.com", "com", LOOK_NOT },
	};

	for (size_t i = 0; i < sizeof c / sizeof *c; i++)
		tap_is_int(look_domain(a, slice_of(c[i].one),
		    slice_of(c[i].suffix), slice_of(c[i].of),
		    slice_of(c[i].of_suffix)), c[i].is, "%s for %s",
		    c[i].one, c[i].of);
}

int
main(void)
{
	a = arena_new();
	skeletons();
	hosts();
	distances();
	domains();
	arena_free(a);
	return tap_done();
}
