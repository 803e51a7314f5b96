/* Header fields: folds, odd line ends, lines that are none. */
#include <stdio.h>

#include "t/tap.h"
#include "text/field.h"

static const struct {
	const char *what;
	struct slice block, name, body, value, rest;
} cases[] = {
	{ "a plain field", SLICE("Subject: hi\r\nTo: x\r\n"),
	  SLICE("Subject"), SLICE(" hi"), SLICE("hi"), SLICE("To: x\r\n") },
	{ "LF only", SLICE("Subject: hi\nTo: x\n"),
	  SLICE("Subject"), SLICE(" hi"), SLICE("hi"), SLICE("To: x\n") },
	{ "folded", SLICE("A: b\r\n\tc\r\n d\r\nE: f"),
	  SLICE("A"), SLICE(" b\r\n\tc\r\n d"), SLICE("b\tc d"),
	  SLICE("E: f") },
	{ "nothing before the fold", SLICE("A:\r\n b"),
	  SLICE("A"), SLICE("\r\n b"), SLICE("b"), SLICE("") },
	{ "a fold of blanks only", SLICE("A: b\r\n \t\r\n c\r\n"),
	  SLICE("A"), SLICE(" b\r\n \t\r\n c"), SLICE("b \t c"), SLICE("") },
	{ "no line end", SLICE("A: b"),
	  SLICE("A"), SLICE(" b"), SLICE("b"), SLICE("") },
	{ "no value", SLICE("A:\r\n"),
	  SLICE("A"), SLICE(""), SLICE(""), SLICE("") },
	{ "no space behind the colon", SLICE("A:b\r\n"),
	  SLICE("A"), SLICE("b"), SLICE("b"), SLICE("") },
	{ "colons in the value", SLICE("A: b: c\r\n"),
	  SLICE("A"), SLICE(" b: c"), SLICE("b: c"), SLICE("") },
	{ "a blank before the colon", SLICE("From \t: b\r\n"),
	  SLICE("From"), SLICE(" b"), SLICE("b"), SLICE("") },
	{ "NUL in the value", SLICE("A: b\0c\r\n"),
	  SLICE("A"), SLICE(" b\0c"), SLICE("b\0c"), SLICE("") },
	{ "bare CR in the value", SLICE("A: b\rc\r\n"),
	  SLICE("A"), SLICE(" b\rc"), SLICE("b\rc"), SLICE("") },
	{ "blank in the name", SLICE("a b: c\r\nD: e\r\n"),
	  SLICE(""), SLICE(""), SLICE(""), SLICE("D: e\r\n") },
	{ "NUL in the name", SLICE("a\0b: c\r\n"),
	  SLICE(""), SLICE(""), SLICE(""), SLICE("") },
	{ "8 bits in the name", SLICE("\xc3\xa4: c\r\n"),
	  SLICE(""), SLICE(""), SLICE(""), SLICE("") },
	{ "no name", SLICE(": c\r\n"),
	  SLICE(""), SLICE(""), SLICE(""), SLICE("") },
	{ "no colon", SLICE("hello\r\n"),
	  SLICE(""), SLICE(""), SLICE(""), SLICE("") },
	{ "a colon only in the fold", SLICE("hello\r\n a: b\r\nC: d"),
	  SLICE(""), SLICE(""), SLICE(""), SLICE("C: d") },
	{ "a fold of nothing", SLICE(" a: b\r\n c\r\nC: d"),
	  SLICE(""), SLICE(""), SLICE(""), SLICE("C: d") },
	{ "an empty line stands alone", SLICE("\r\n a\r\n"),
	  SLICE(""), SLICE(""), SLICE(""), SLICE(" a\r\n") },
};

static void
table(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice rest = cases[i].block;
		struct field f;

		tap_ok(field_next(&rest, &f), "%s", cases[i].what);
		tap_is(f.name, cases[i].name, "- name");
		tap_is(f.body, cases[i].body, "- body");
		tap_is(field_value(a, &f), cases[i].value, "- value");
		tap_is(rest, cases[i].rest, "- rest");
		tap_is_int((long long)(f.raw.len + rest.len),
		    (long long)cases[i].block.len, "- nothing lost");
	}
	arena_free(a);
}

static void
ends(void)
{
	struct slice rest = SLICE("");
	struct field f;
	size_t seen = 0;

	tap_ok(!field_next(&rest, &f), "nothing in an empty block");
	rest = SLICE_NONE;
	tap_ok(!field_next(&rest, &f), "nothing in an absent one");
	rest = SLICE("A: b\r\n\r\n\nx\r\nC: d\r\n e");
	while (field_next(&rest, &f))
		seen++;
	tap_is_int((long long)seen, 5, "all lines of a block are seen");
}

int
main(void)
{
	table();
	ends();
	return tap_done();
}
