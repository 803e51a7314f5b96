/* main.cf and master.cf: read as Postfix does, changed in place, undone. */
#include <stdio.h>
#include <string.h>

#include "t/tap.h"
#include "tools/maincf-edit.h"

static struct arena *a;

/* --- reading ----------------------------------------------------------- */

static const struct {
	const char *name, *file, *want;	/* "name=value;" of each line */
} params[] = {
	{ "nothing", "", "" },
	{ "one", "a = b\n", "a=b;" },
	{ "no spaces, no end", "a=b", "a=b;" },
	{ "empty value", "a =\nb = c\n", "a=;b=c;" },
	{ "goes on", "a = b\n  c\n\td\n", "a=b  c\td;" },
	{ "a comment in between", "a = b,\n# no\n  c\n", "a=b,  c;" },
	{ "an indented one", "a = b\n   # no\n  c\n", "a=b  c;" },
	{ "an empty line in between", "a = b\n\n  c\n", "a=b  c;" },
	{ "an empty line ends nothing", "a = b\n\nc = d\n", "a=b;c=d;" },
	{ "CRLF", "a = b\r\n  c\r\nd = e\r\n", "a=b\r  c;d=e;" },
	{ "the name alone on its line", "a\n =\n b\n", "a=b;" },
	{ "no parameter", "a b\nc = d\n", "!;c=d;" },
	{ "equal signs in the value", "a = b=c = d\n", "a=b=c = d;" },
	{ "begins with a blank", " a = b\n", "a=b;" },
	{ "comments only", "# a = b\n  # c = d\n\n", "" },
	{ "form feed is white space", "a = b\n\fc\n", "a=b\fc;" },
};

static void
reads(void)
{
	for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
		struct cf_walk w = cf_walk(slice_of(params[i].file), a);
		struct buf got = buf_in(a);
		struct cf_line line;

		while (cf_next(&w, &line)) {
			struct slice name, value;

			if (!cf_param(&line, &name, &value))
				buf_adds(&got, "!;");
			else
				buf_addf(&got, "%.*s=%.*s;", SLICE_ARG(name),
				    SLICE_ARG(value));
		}
		tap_is(buf_slice(&got), slice_of(params[i].want), "%s",
		    params[i].name);
	}
}

static void
places(void)
{
	struct slice file = SLICE("# x\na = 1\nb = 2\n\n# y\n  3\n# z\nc = 4"),
	    value;
	struct cf_line line;

	tap_ok(cf_find(file, SLICE("b"), a, &line, &value) &&
	    line.number == 3, "a line knows its number");
	tap_is(slice_sub(file, line.from, line.to - line.from),
	    SLICE("b = 2\n\n# y\n  3\n"), "and its bytes, not what follows");
	tap_ok(cf_find(SLICE("a = 1\na = 2\n"), SLICE("a"), a, &line, &value) &&
	    slice_eq(value, SLICE("2")), "the last one counts");
	tap_ok(!cf_find(file, SLICE("d"), a, &line, &value), "none is none");
}

static const struct {
	const char *name, *file, *want;	/* "name type command | args" */
} services[] = {
	{ "plain", "smtp inet n - y - - smtpd\n", "smtp inet smtpd|" },
	{ "options", "smtp inet n - y - - smtpd -o a=b\n  -o c=d -v\n",
	  "smtp inet smtpd|a=b|c=d|-v" },
	{ "braces", "25 inet n - y - - smtpd -o { a = b, c } -oe=f\n",
	  "25 inet smtpd|a=b, c|e=f" },
	{ "braces in braces",
	  "25 inet n - y - - smtpd -o { a = ${s?{1}:{2}} } -o b=${c?{d}}\n",
	  "25 inet smtpd|a=${s?{1}:{2}}|b=${c?{d}}" },
	{ "a comment among them",
	  "25 inet n - y - - smtpd\n  -o a=b\n# -o c=d\n  -o e=f\n",
	  "25 inet smtpd|a=b|e=f" },
	{ "an -o at the end", "25 inet n - y - - smtpd -o\n",
	  "25 inet smtpd|-o" },
	{ "a brace that nobody closes", "25 inet n - y - - smtpd -o { a = b\n",
	  "25 inet smtpd|{ a=b" },
	{ "pipe", "x unix - n n - - pipe flags=DR argv=/bin/x ${a}\n",
	  "x unix pipe|flags=DR|argv=/bin/x|${a}" },
	{ "too few columns", "smtp inet n - y - -\n", "!" },
};

static void
reads_services(void)
{
	for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
		struct cf_walk w = cf_walk(slice_of(services[i].file), a);
		struct buf got = buf_in(a);
		struct cf_service s;
		struct cf_line line;

		cf_next(&w, &line);
		if (!cf_service(&line, a, &s)) {
			buf_addc(&got, '!');
		} else {
			buf_addf(&got, "%.*s %.*s %.*s%s", SLICE_ARG(s.name),
			    SLICE_ARG(s.type), SLICE_ARG(s.command),
			    s.nargs == 0 ? "|" : "");
			for (size_t j = 0; j < s.nargs; j++) {
				buf_addc(&got, '|');
				if (s.args[j].name.len == 0) {
					buf_add(&got, s.args[j].raw);
					continue;
				}
				buf_addf(&got, "%.*s=%.*s",
				    SLICE_ARG(s.args[j].name),
				    SLICE_ARG(s.args[j].value));
			}
		}
		tap_is(buf_slice(&got), slice_of(services[i].want), "%s",
		    services[i].name);
	}
}

/* --- changing, and back ------------------------------------------------ */

static struct recipe_entry some[] = {
	{ RECIPE_MAIN, NULL, "alpha", "1", "why alpha", RECIPE_SET,
	  RECIPE_MUST, NULL, RECIPE_BOTH, false },
	{ RECIPE_MAIN, NULL, "beta", "2, 3", "why beta", RECIPE_SET,
	  RECIPE_MUST, NULL, RECIPE_BOTH, false },
	{ RECIPE_MAIN, NULL, "gamma", "4", "why gamma", RECIPE_DEFAULT,
	  RECIPE_MAY, NULL, RECIPE_BOTH, false },
	{ RECIPE_MASTER, "smtp/inet", NULL, "inet n - y - - smtpd", "the door",
	  RECIPE_SET, RECIPE_MUST, NULL, RECIPE_BOTH, false },
	{ RECIPE_MASTER, "smtp/inet", "x", "1 2", "why x", RECIPE_SET,
	  RECIPE_MUST, NULL, RECIPE_BOTH, false },
	{ RECIPE_MASTER, "9999/inet", NULL, "inet n - y - - smtpd", "ours",
	  RECIPE_SET, RECIPE_MUST, NULL, RECIPE_BOTH, true },
};

static const struct recipe recipe = { .entries = some,
    .nentries = sizeof some / sizeof some[0] };

static const char *const mains[] = {
	"", "\n", "a", "# only\n# comments\n", "alpha = 1\nbeta = 2, 3\n",
	"alpha = 0\n", "alpha = 0", "alpha=0\r\nb = c\r\n",
	"alpha = 0\r\nb = c",
	"beta = 0\n   1\n# in\n\n   2\n# behind\nb = c\n",
	"alpha = 1\nalpha = 2\nalpha = 3\n", "gamma = 9\n", "beta = 2,   3\n",
	"x = y\n# the end", "alpha = 0\n  # indented", "alpha\n = 7\nbeta\n",
	"alpha = 0\nbeta = 0\nalpha = 9\nbeta = 9",
};

static struct slice
value_of(struct slice file, const char *name)
{
	struct cf_line line;
	struct slice value;

	return cf_find(file, slice_of(name), a, &line, &value) ? value :
	    SLICE("(none)");
}

static void
main_and_back(void)
{
	for (size_t i = 0; i < sizeof mains / sizeof mains[0]; i++) {
		struct cf_changes changes = { buf_in(a) };
		struct slice own = slice_of(mains[i]), back, why;
		struct slice new = cf_edit_main(a, own, &recipe, &changes);
		bool there = !slice_eq(value_of(own, "gamma"),
		    SLICE("(none)"));

		tap_ok(slice_eq(value_of(new, "alpha"), SLICE("1")) &&
		    slice_starts(value_of(new, "beta"), SLICE("2,")),
		    "main.cf %zu is as it should be", i);
		tap_is(value_of(new, "gamma"), there ? SLICE("9") :
		    SLICE("4"), "what is only a default stays his");
		tap_ok(cf_undo(a, "main.cf", new, SLICE(""), &back, &why) ==
		    RC_OK && slice_eq(back, own), "and goes back");
		tap_is(cf_edit_main(a, back, &recipe, &changes), new,
		    "and there again");
	}
}

static const char *const masters[] = {
	"", "smtp inet n - y - - smtpd", "smtp inet n - y - - smtpd\n",
	"# c\r\nsmtp inet n - y - - smtpd\r\n  -o x=9 -v\r\n# d\r\n",
	"25 inet n - n - - smtpd\n  -o y=1\n# mid\n  -o { x = 1 2 }\n",
	"smtp inet n - y - - smtpd -o x=5\nsmtp inet n - y - - smtpd -o x=6\n",
	"127.0.0.1:smtp inet n - y - - smtpd\n# no end",
};

static void
master_and_back(void)
{
	for (size_t i = 0; i < sizeof masters / sizeof masters[0]; i++) {
		struct cf_changes changes = { buf_in(a) };
		struct slice own = slice_of(masters[i]), new, back, why,
		    again;
		enum rc rc = cf_edit_master(a, own, &recipe, &changes, &new,
		    &why);

		if (i == 6) {
			tap_is(rc == RC_BAD ? why : SLICE("taken"),
			    SLICE("master.cf, line 1: 127.0.0.1:smtp listens "
			    "on the port of smtp already; name another one, "
			    "or the same address, in postfix.conf"),
			    "another address of that port");
			continue;
		}
		tap_ok(rc == RC_OK && slice_search(new,
		    SLICE("-o { x = 1 2 }")) < new.len &&
		    slice_search(new, SLICE("x=9")) >=
		    slice_search(new, SLICE("-v")) - 10,
		    "master.cf %zu is as it should be", i);
		tap_ok(cf_undo(a, "master.cf", new, SLICE(""), &back, &why) ==
		    RC_OK && slice_eq(back, own), "and goes back");
		tap_ok(cf_edit_master(a, back, &recipe, &changes, &again,
		    &why) == RC_OK && slice_eq(again, new),
		    "and there again");
	}
}

static void
kept_arguments(void)
{
	struct cf_changes changes = { buf_in(a) };
	struct slice new, why;

	cf_edit_master(a, SLICE("smtp inet n - n - 7 smtpd -v -o x=5\n"
	    "  -o y=6 -oz=7\n"), &recipe, &changes, &new, &why);
	tap_ok(slice_search(new, SLICE("# the door\n"
	    "smtp inet n - n - 7 smtpd\n  -v\n  -o y=6\n  -oz=7\n# why x\n"
	    "  -o { x = 1 2 }\n#gatehouse# end\n")) < new.len,
	    "columns and other arguments are kept");
	tap_is(cf_edit_master(a, SLICE("9999 inet n - n - - smtpd\n"),
	    &recipe, &changes, &new, &why) == RC_BAD ? why : SLICE(""),
	    SLICE("master.cf, line 1: 9999/inet is not ours, and the recipe "
	    "needs a service of its own there; name another one in "
	    "postfix.conf"), "a service in our way");
	tap_is(cf_edit_master(a, SLICE("smtp inet n - n - - spawn\n"),
	    &recipe, &changes, &new, &why) == RC_BAD ? why : SLICE(""),
	    SLICE("master.cf, line 1: smtp/inet runs spawn, and the recipe "
	    "wants smtpd there"), "one that does something else");
}

/* --- somebody else's changes ------------------------------------------- */

static struct slice
replaced(struct slice text, const char *what, const char *with)
{
	size_t at = slice_search(text, slice_of(what));
	struct buf out = buf_in(a);

	buf_add(&out, slice_sub(text, 0, at));
	buf_adds(&out, with);
	buf_add(&out, slice_after(text, at + strlen(what)));
	return buf_slice(&out);
}

static const struct {
	const char *name, *what, *with, *want;	/* NULL: refused */
} edits[] = {
	{ "beside ours", "b = c\n", "b = d\n", "b = d\nalpha = 0" },
	{ "our value", "alpha = 1\n", "alpha = 5\n", NULL },
	{ "our comment", "# why alpha\n", "# so\n", NULL },
	{ "a line of ours gone", "# why beta\n", "", NULL },
	{ "what it was", "was:alpha = 0", "was:alpha = 3", NULL },
	{ "no end", "#gatehouse# end\n", "", NULL },
	{ "no begin", "#gatehouse# begin alpha", "# x", NULL },
	{ "a value that goes on", "beta = 2, 3\n", "beta = 2, 3\n  4\n", NULL },
	{ "added between ours", "beta = 2, 3\n", "beta = 2, 3\nhis = 1\n",
	  "b = c\nalpha = 0\nhis = 1\n" },
	{ "an empty line", "# why beta\n", "\n# why beta\n",
	  "b = c\nalpha = 0\n\n" },
	{ "added behind all", "@end", "his = 1\n",
	  "b = c\nalpha = 0\nhis = 1\n" },
};

static void
others(void)
{
	struct cf_changes changes = { buf_in(a) };
	struct slice new = cf_edit_main(a, SLICE("b = c\nalpha = 0"), &recipe,
	    &changes);

	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
		struct slice back = SLICE(""), why = SLICE("");
		struct slice is = replaced(new, edits[i].what,
		    edits[i].with);
		enum rc rc = cf_undo(a, "main.cf", is, new, &back, &why);

		if (edits[i].want == NULL)
			tap_ok(rc == RC_BAD && why.len > 0 &&
			    slice_starts(why, SLICE("main.cf: ")),
			    "refused: %s", edits[i].name);
		else
			tap_is(back, slice_of(edits[i].want), "kept: %s",
			    edits[i].name);
	}
	struct slice back, why;
	tap_ok(cf_undo(a, "main.cf", replaced(new, "alpha = 1\n",
	    "alpha = 5\n"), new, &back, &why) == RC_BAD && slice_search(why,
	    SLICE("-alpha = 1\n+alpha = 5\n")) < why.len, "with a diff");
}

static void
maps(void)
{
	struct recipe_entry e = { RECIPE_MAP, "x", NULL, "a b\n", "why",
	    RECIPE_SET, RECIPE_MUST, NULL, RECIPE_BOTH, false };
	struct slice text = cf_map_text(a, &e);

	tap_ok(cf_map_good(a, text), "a map is known again");
	tap_ok(!cf_map_good(a, replaced(text, "a b", "a c")),
	    "but not changed");
	tap_ok(!cf_map_good(a, SLICE("")) && !cf_map_good(a, SLICE("x\n")),
	    "nor another file");
}

int
main(void)
{
	a = arena_new();
	reads();
	places();
	reads_services();
	main_and_back();
	master_and_back();
	kept_arguments();
	others();
	maps();
	arena_free(a);
	return tap_done();
}
