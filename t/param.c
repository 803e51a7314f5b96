/* Parameters of Content-Type and Content-Disposition (RFC 2045, 2231). */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "t/tap.h"
#include "text/param.h"

/*
 * What was read as one line: the value, then name=value[charset]{other}!flags
 * of each parameter, each behind a bar; flags of the whole last.
 */
static struct slice
print(struct arena *a, struct slice body)
{
	struct params params;
	struct buf b = buf_in(a);

	params_read(a, body, &params);
	buf_add(&b, params.value);
	for (const struct param *p = params.first; p != NULL; p = p->next) {
		buf_addc(&b, '|');
		buf_add(&b, p->name);
		buf_addc(&b, '=');
		buf_add(&b, p->value);
		if (p->charset.ptr != NULL)
			buf_addf(&b, "[%.*s]", SLICE_ARG(p->charset));
		if (p->other.ptr != NULL) {
			buf_addc(&b, '{');
			buf_add(&b, p->other);
			buf_addc(&b, '}');
		}
		if (p->flags != 0)
			buf_addf(&b, "!%u", p->flags);
	}
	if ((params.flags & PARAM_LIMIT) != 0)
		buf_adds(&b, "|limit");
	return buf_slice(&b);
}

static const struct { const char *what; struct slice body, want; } cases[] = {
	{ "empty", SLICE(""), SLICE("") },
	{ "no parameter", SLICE(" Text/HTML"), SLICE("text/html") },
	{ "a token", SLICE(" text/plain; charset=UTF-8"),
	  SLICE("text/plain|charset=UTF-8") },
	{ "no blanks", SLICE("a/b;c=d;e=f"), SLICE("a/b|c=d|e=f") },
	{ "blanks everywhere", SLICE("  a / b ; C = d ; e = f ; "),
	  SLICE("a/b|c=d|e=f") },
	{ "folds", SLICE(" a/b;\r\n\tc=d;\r\n e=\"f\r\n g\""),
	  SLICE("a/b|c=d|e=f g") },
	{ "quoted", SLICE("a/b; c=\"d;e=(f)\""), SLICE("a/b|c=d;e=(f)") },
	{ "quoted, empty", SLICE("a/b; c=\"\"; d=e"), SLICE("a/b|c=|d=e") },
	{ "escapes", SLICE("a/b; c=\"d\\\"e\""),
	  SLICE("a/b|c=d\"e{d\\\"e}") },
	{ "a path", SLICE("a/b; c=\"C:\\x.exe\""),
	  SLICE("a/b|c=C:x.exe{C:\\x.exe}") },
	{ "comments",
	  SLICE("(x) a/b (y (z) \\) ; c=d) ; (w) e (v) = (u) f (t)"),
	  SLICE("a/b|e=f{f (t)}") },
	{ "an open comment", SLICE("a/b; c=d; (e=f"), SLICE("a/b|c=d") },
	{ "an open quote", SLICE("a/b; c=\"d; e=f"),
	  SLICE("a/b|c=d; e=f{d}!8|e=f") },
	{ "unquoted blanks", SLICE("a/b; name=a b.pdf; c=d"),
	  SLICE("a/b|name=a b.pdf{a}!8|c=d") },
	{ "unquoted =", SLICE("a/b; boundary=--=_x=y"),
	  SLICE("a/b|boundary=--=_x=y{--}!8") },
	{ "no semicolon", SLICE("text/plain charset=x"),
	  SLICE("text/plain|charset=x") },
	{ "no =", SLICE("a/b; c; d=e"), SLICE("a/b|c=!8|d=e") },
	{ "no value", SLICE("a/b; c=; d=e"), SLICE("a/b|c=|d=e") },
	{ "no name", SLICE("a/b; =c; d=e"), SLICE("a/b|=c!8|d=e") },
	{ "junk behind a quote", SLICE("a/b; c=\"d\"e; f=g"),
	  SLICE("a/b|c=d!8|f=g") },
	{ "many semicolons", SLICE("a/b;;; ;c=d;;"), SLICE("a/b|c=d") },
	{ "two of a name", SLICE("a/b; c=1; C=2; d=3"),
	  SLICE("a/b|c=1|c=2!16|d=3") },
	{ "NUL", SLICE("a/b; c=\"d\0e\"; f=g\0h"),
	  SLICE("a/b|c=d\0e|f=g\0h") },

	{ "extended", SLICE("a; f*=utf-8'de'%C3%A4%20x"),
	  SLICE("a|f=\xc3\xa4 x[utf-8]!1") },
	{ "extended without charset",
	  SLICE("a; f*=''%41"), SLICE("a|f=A[]!1") },
	{ "extended without quotes", SLICE("a; f*=%41"), SLICE("a|f=A!9") },
	{ "a bad escape", SLICE("a; f*=x''%4g%4"),
	  SLICE("a|f=%4g%4[x]!33") },
	{ "sections", SLICE("a; f*0=ab; f*1=\"c d\"; f*2=e"),
	  SLICE("a|f=abc de!2") },
	{ "sections in any order", SLICE("a; f*1=b; x=y; f*0=a"),
	  SLICE("a|f=ab!2|x=y") },
	{ "mixed sections", SLICE("a; f*0*=utf-8''%41; f*1=%42; f*2*=%43"),
	  SLICE("a|f=A%42C[utf-8]!3") },
	{ "a gap", SLICE("a; f*0=a; f*2=c"), SLICE("a|f=a{ac}!6") },
	{ "no first section", SLICE("a; f*1=b; f*2=c"), SLICE("a|f=bc!6") },
	{ "a section twice", SLICE("a; f*0=a; f*1=b; f*1=x"),
	  SLICE("a|f=ab{abx}!6") },
	{ "both forms", SLICE("a; f=x; f*=utf-8''y"),
	  SLICE("a|f=x|f=y[utf-8]!17") },
	{ "a star that is no section", SLICE("a; f*x=1; *=2"),
	  SLICE("a|f*x=1!8|*=2") },
	{ "a huge section", SLICE("a; f*99999999999=1"), SLICE(
	  "a|f*99999999999=1!8") },
};

static void
table(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		tap_is(print(a, cases[i].body), cases[i].want, "%s",
		    cases[i].what);
	arena_free(a);
}

static void
finds(void)
{
	struct arena *a = arena_new();
	struct params params;
	const struct param *p;

	params_read(a, SLICE("a/b; c=1; d=2; C=3"), &params);
	p = params_find(&params, SLICE("C"));
	tap_ok(p != NULL && slice_eq(p->value, SLICE("1")), "the first");
	p = params_next(p);
	tap_ok(p != NULL && slice_eq(p->value, SLICE("3")), "the next");
	tap_ok(params_next(p) == NULL, "no more");
	tap_ok(params_find(&params, SLICE("e")) == NULL, "none");
	tap_is_int((long long)params.count, 3, "counted");
	tap_is_int(params.flags, PARAM_DUPLICATE, "flag of the whole");
	arena_free(a);
}

/* 1 MB of each: bounded, and linear. */
static void
hostile(void)
{
	static const char *const patterns[] = { ";a=\"", "(", ";a*0=\"\\\"",
	    ";a=b", ";", "a=\"x;", ";*", "(;)", ";a*1=x", ";a=\"\\\";" };
	struct arena *a = arena_new();
	size_t len = 1 << 20;
	char *ptr = arena_alloc(a, len);

	for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
		size_t n = strlen(patterns[i]);
		struct params params;

		for (size_t at = 0; at < len; at++)
			ptr[at] = patterns[i][at % n];
		params_read(a, slice_make(ptr, len), &params);
		tap_ok(params.count <= PARAMS_MAX, "bounded: %s", patterns[i]);
	}
	arena_free(a);
}

int
main(void)
{
	table();
	finds();
	hostile();
	return tap_done();
}
