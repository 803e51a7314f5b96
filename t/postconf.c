/* What postconf(1) says: parameters, services, $name, lists of milters. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "t/tap.h"
#include "tools/child.h"
#include "tools/postconf.h"

static const char main_cf[] =
	"compatibility_level = 3.6\n"
	"mydomain = example.org\n"
	"myhostname = mx.$mydomain\n"
	"empty =\n"
	"loop = a$loop\n"
	"left = $right\n"
	"right = $left\n"
	"milter_default_action = tempfail\n"
	"milter_connect_timeout = 30s\n"
	"milter_command_timeout = 30s\n"
	"milter_content_timeout = 300s\n"
	"list = {unix:a, content_timeout=1m}, inet:b:1\n"
	"smtpd_milters =\n"
	"no equals sign\n"
	" = no name\n"
	"braces = {{a} {b}}\n";

static const char master[] =
	"smtp       inet  n       -       y       -       -       smtpd\n"
	"127.0.0.1:26 inet n - - - - smtpd -v\n"
	"pickup     unix  n       -       n       60      1       pickup\n"
	"short line\n";

static const char options[] =
	"smtp/inet/smtpd_milters = $list\n"
	"smtp/inet/milter_default_action = accept\n"
	"127.0.0.1:26/inet/mydomain = example.net\n";

static struct postconf *
load(struct arena *a)
{
	return postconf_read(slice_of(main_cf), slice_of(master),
	    slice_of(options), SLICE("hash\nbtree\n\n"),
	    SLICE("postconf: warning: main.cf: unused parameter: x=y\n"), a);
}

static const struct {
	const char *what, *text, *want;
} expansions[] = {
	{ "no dollar", "plain", "plain" },
	{ "a name", "$mydomain.", "example.org." },
	{ "in braces", "x${mydomain}x", "xexample.orgx" },
	{ "in brackets", "x$(mydomain)x", "xexample.orgx" },
	{ "of a name", "$myhostname", "mx.example.org" },
	{ "an unknown one", "a$nothing b", "a b" },
	{ "two dollars", "$$mydomain", "$mydomain" },
	{ "a dollar at the end", "a$", "a$" },
	{ "an open brace", "${mydomain", "${mydomain" },
	{ "set?", "${mydomain?yes}", "yes" },
	{ "not set?", "${empty?yes}", "" },
	{ "set?{}:{}", "${empty?{yes}:{no}}", "no" },
	{ "set? text: in it", "${mydomain?{a:b}:{c}}", "a:b" },
	{ "unset:", "${empty:$mydomain}", "example.org" },
	{ "set:", "${mydomain:x}", "" },
	{ "equal", "${{$mydomain} == {example.org} ? {yes} : {no}}", "yes" },
	{ "not equal", "${{$mydomain} != {example.org} ? {yes} : {no}}",
	  "no" },
	{ "numbers", "${{10} > {9} ? {yes} : {no}}", "yes" },
	{ "texts", "${{b} >= {a} ? {yes}}", "yes" },
	{ "levels", "${{$compatibility_level} <level {3.10} ? {old} : {new}}",
	  "old" },
	{ "levels as Postfix has them",
	  "${{$compatibility_level} <level {2} ? {$mydomain} :}", "" },
	{ "no such operator", "${{a} ~ {b} ? {c}}", "${{a} ~ {b} ? {c}}" },
};

static void
expands(void)
{
	struct arena *a = arena_new();
	struct postconf *pc = load(a);

	for (size_t i = 0; i < sizeof expansions / sizeof *expansions; i++)
		tap_is(postconf_expand(pc, NULL, slice_of(expansions[i].text),
		    a), slice_of(expansions[i].want), "%s",
		    expansions[i].what);
	tap_ok(postconf_value(pc, NULL, "loop", a).len <= POSTCONF_DEPTH,
	    "a loop ends");
	tap_is(postconf_value(pc, NULL, "left", a), SLICE(""),
	    "one of two as well");
	arena_free(a);
}

/* What doubles at each level must not take all memory. */
static void
bounded(const char *last)
{
	struct arena *a = arena_new();
	struct buf text = buf_in(a);
	struct postconf *pc;

	for (int i = 0; i < 29; i++)
		buf_addf(&text, "p%d = $p%d $p%d $p%d\n", i, i + 1, i + 1,
		    i + 1);
	buf_addf(&text, "p29 = %s\n", last);
	pc = postconf_read(buf_slice(&text), SLICE(""), SLICE(""), SLICE(""),
	    SLICE(""), a);
	tap_ok(postconf_value(pc, NULL, "p0", a).len <= POSTCONF_VALUE,
	    "what grows without end is cut (\"%s\")", last);
	arena_free(a);
}

static void
services(void)
{
	struct arena *a = arena_new();
	struct postconf *pc = load(a);
	const struct postconf_service *s = pc->services;

	tap_is_int((long long)pc->nservices, 3, "three services");
	tap_ok(s[0].chroot && !s[1].chroot && !s[2].chroot, "one in a chroot");
	tap_is(s[1].args, SLICE("-v"), "arguments");
	tap_is(postconf_value(pc, &s[1], "myhostname", a),
	    SLICE("mx.example.net"), "an option counts inside of another");
	tap_is(postconf_value(pc, &s[0], "myhostname", a),
	    SLICE("mx.example.org"), "but for its service only");
	tap_ok(postconf_own(pc, &s[0], SLICE("smtpd_milters")) &&
	    !postconf_own(pc, &s[1], SLICE("smtpd_milters")),
	    "who has an option of his own");
	tap_ok(postconf_main(pc, "no").ptr == NULL &&
	    postconf_main(pc, "empty").ptr != NULL,
	    "absent is not empty");
	tap_is_int((long long)pc->ntypes, 2, "two types");
	tap_is(pc->complaints[0], SLICE("main.cf: unused parameter: x=y"),
	    "a complaint");
	arena_free(a);
}

static void
milters(void)
{
	struct arena *a = arena_new();
	struct postconf *pc = load(a);
	struct postconf_milter m[POSTCONF_MILTERS];
	size_t n = postconf_milters(pc, &pc->services[0], "smtpd_milters", a,
	    m);

	tap_is_int((long long)n, 2, "two milters");
	tap_is(m[0].endpoint, SLICE("unix:a"), "the first");
	tap_is_int(m[0].content, 60000, "has a time of its own");
	tap_is_int(m[0].command, 30000, "and one of main.cf");
	tap_is(m[1].endpoint, SLICE("inet:b:1"), "the second");
	tap_is_int(m[1].content, 300000, "has that of main.cf");
	tap_is(m[1].action, SLICE("accept"), "and the action of its service");
	tap_is_int((long long)postconf_milters(pc, &pc->services[1],
	    "smtpd_milters", a, m), 0, "the other service has none");
	arena_free(a);
}

static const struct {
	const char *text;
	bool good;
	int64_t ms;
} times[] = {
	{ "30s", true, 30000 }, { "5m", true, 300000 },
	{ "2", true, 2000 }, { "1h", true, 3600000 },
	{ "1d", true, 86400000 }, { "1w", true, 604800000 },
	{ "", false, 0 }, { "s", false, 0 }, { "1x", false, 0 },
	{ "-1s", false, 0 }, { "99999999999s", false, 0 },
};

static void
words(void)
{
	struct arena *a = arena_new();
	struct slice rest = SLICE(" a, b\tc ,,{d, e} { {f} } {g"), word;
	bool braced;

	for (const char *w = "abc"; *w != '\0'; w++)
		tap_ok(postconf_word(&rest, &word, &braced) && !braced &&
		    word.len == 1 && word.ptr[0] == *w, "word %c", *w);
	tap_ok(postconf_word(&rest, &word, &braced) && braced,
	    "braces keep together");
	tap_is(word, SLICE("d, e"), "what is in them");
	postconf_word(&rest, &word, &braced);
	tap_is(word, SLICE("{f}"), "and what is in those");
	postconf_word(&rest, &word, &braced);
	tap_is(word, SLICE("g"), "and without an end");
	tap_ok(!postconf_word(&rest, &word, &braced), "no more");
	tap_is(postconf_packed(SLICE("a, b  c,{ d, { e f } }"), a),
	    SLICE("a,b,c,{d,{e,f}}"), "without blanks");
	tap_is(postconf_packed(SLICE("${stress?{1}:{8}}"), a),
	    SLICE("${stress?{1}:{8}}"), "without any it stays");
	arena_free(a);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		int64_t ms = 0;
		bool good = postconf_time(slice_of(times[i].text), 's', &ms);

		tap_ok(good == times[i].good && ms == times[i].ms,
		    "the time \"%s\"", times[i].text);
	}
}

static bool
same_words(struct slice a, struct slice b)
{
	struct slice x, y;
	bool more;

	while ((more = postconf_word(&a, &x, NULL)) &&
	    postconf_word(&b, &y, NULL))
		if (!slice_eq(x, y))
			return false;
	return !more && !postconf_word(&b, &y, NULL);
}

/* All parameters of the real one, as it replaces names itself. */
static void
as_postfix(void)
{
	char dir[] = "/tmp/gatehouse-postconf-XXXXXX", file[100];
	struct arena *a = arena_new();
	const char *const argv[] = { "postconf", "-x", "-c", dir, NULL };
	struct child c = { .argv = argv };
	struct slice why = SLICE(""), rest, line;
	struct postconf *pc;
	static const char *const names[] = { "main", "master" };
	size_t same = 0, other = 0;
	FILE *f;

	if (mkdtemp(dir) == NULL)
		return;
	for (int i = 0; i < 2; i++) {
		/* Postfix waits while a file is as young as this. */
		const struct timespec past[2] = { { .tv_sec = 1 },
		    { .tv_sec = 1 } };

		snprintf(file, sizeof file, "%s/%s.cf", dir, names[i]);
		f = fopen(file, "w");
		if (f != NULL)
			fclose(f);
		utimensat(AT_FDCWD, file, past, 0);
	}
	if (child_run(&c, deadline_in(20000), a, &why) != RC_OK ||
	    c.status != 0 || postconf_load(dir, deadline_in(20000), a, &pc,
	    &why) != RC_OK) {
		tap_skip(1, "NO POSTCONF");
	} else {
		for (rest = c.out; slice_line(&rest, &line);) {
			struct slice value, name = slice_trim(slice_cut(line,
			    '=', &value));

			/* Names that only a daemon gives a value. */
			if (slice_has(value, '$') || slice_eq(name,
			    SLICE("process_id")))
				continue;
			if (same_words(postconf_value(pc, NULL, arena_str(a,
			    name), a), value))
				same++;
			else if (other++ < 5)
				tap_diag("%.*s", SLICE_ARG(line));
		}
		tap_ok(same > 500 && other == 0, "%zu parameters as postconf "
		    "-x has them, %zu otherwise", same, other);
	}
	for (int i = 0; i < 2; i++) {
		snprintf(file, sizeof file, "%s/%s.cf", dir, names[i]);
		unlink(file);
	}
	rmdir(dir);
	arena_free(a);
}

int
main(void)
{
	as_postfix();
	expands();
	bounded("x");
	bounded("");
	services();
	milters();
	words();
	return tap_done();
}
