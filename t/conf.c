/* The configuration: every kind, every refusal with the words it uses. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/conf.h"
#include "t/tap.h"

struct sample {
	bool flag;
	unsigned count;
	uint64_t size;
	int64_t time;
	const char *string;
	const char *path, *no_path;
	int choice;
	struct conf_list list;
	struct conf_nets nets;
	struct conf_list domains;
	const char *server;
};

static const char *const choices[] = { "accept", "tag", "reject", NULL };

#define AT(field)	offsetof(struct sample, field)

static const struct conf_option options[] = {
	{ "flag", CONF_BOOL, AT(flag), "true", 0, 0, "A flag.", NULL },
	{ "count", CONF_COUNT, AT(count), "200", 1, 10000, "A count.", NULL },
	{ "size", CONF_SIZE, AT(size), "10M", 1024, 1 << 30, "A size.", NULL },
	{ "time", CONF_TIME, AT(time), "2s", 10, 86400000,
	  "A time. It ends.", NULL },
	{ "string", CONF_STRING, AT(string), "a \"b\\c", 2, 10, "A text.",
	  NULL },
	{ "path", CONF_PATH, AT(path), "/var", 0, 0, "A path.", NULL },
	{ "no_path", CONF_PATH, AT(no_path), "", 0, 0, "A path or none.",
	  NULL },
	{ "choice", CONF_ENUM, AT(choice), "tag", 0, 0, "A choice.", choices },
	{ "list", CONF_LIST, AT(list), "postfix, root", 1, 3, "A list.", NULL },
	{ "networks", CONF_NETWORKS, AT(nets), "127.0.0.0/8, ::1", 0, 0,
	  "Networks.", NULL },
	{ "domains", CONF_DOMAINS, AT(domains), "", 0, 0, "Domains.", NULL },
	{ "server", CONF_SERVER, AT(server), "", 0, 0, "A server.", NULL },
	{ 0 }
};

static struct arena *a;
static struct sample got;
static const struct conf_section sections[] = { { options, &got },
    { NULL, NULL } };
static char dir[] = "/tmp/gatehouse-conf.XXXXXX";

static struct slice
parse(struct slice text)
{
	struct slice why = SLICE("");

	arena_reset(a);
	memset(&got, 0, sizeof got);
	if (conf_parse(a, "F", text, sections, &why) == RC_OK)
		return SLICE("ok");
	return why;
}

#define BAD(kind, text, why)	{ kind, text, sizeof text - 1, why }
#define COUNT_WANTS	"; it wants a whole number, 1 to 10000"
#define SIZE_WANTS	"; it wants bytes, or a size as \"64k\", \"10M\", " \
			"\"2G\", 1k to 1G"
#define TIME_WANTS	"; it wants a time as \"250ms\", \"30s\", \"5m\", " \
			"\"4h\", \"7d\", 10ms to 1d"
#define TEXT_WANTS	"; it wants text in double quotes, 2 to 10 bytes"
#define LIST_WANTS	"it wants a list as [ \"a\", \"b\" ], 1 to 3 items"
#define CHOICE_WANTS	"t wants one of \"accept\", \"tag\", \"reject\""
#define SERVER_WANTS	"; it wants an address and a port as " \
			"\"192.0.2.53:53\" or \"[2001:db8::53]:53\""
#define NETWORK_WANTS	", which is no network; write it as " \
			"\"192.0.2.0/24\", \"2001:db8::/32\" or one address"
#define SYNTAX		"syntax error; a setting is written name = value; " \
			"and a list [ \"a\", \"b\" ]"

/* What is refused, and in which words. */
static const struct {
	const char *name, *text;
	size_t len;
	const char *why;
} refused[] = {
	BAD("unknown, with one that is near", "\n\ncuont = 5;",
	    "F:3: unknown option cuont; did you mean count?"),
	BAD("unknown, letter case counts", "Flag = true;",
	    "F:1: unknown option Flag; did you mean flag?"),
	BAD("unknown, with none near", "elephant = 5;",
	    "F:1: unknown option elephant; --manual lists those there are"),
	BAD("a group is unknown too", "scope = { count = 5; };",
	    "F:1: unknown option scope; --manual lists those there are"),

	BAD("bool from text", "flag = \"yes\";",
	    "F:1: flag is \"yes\"; it wants true or false"),
	BAD("bool from a number", "flag = 1;",
	    "F:1: flag is 1; it wants true or false"),
	BAD("bool from a bare word", "flag = yes;", "F:1: yes is no value; "
	    "text is written in double quotes: \"yes\""),

	BAD("count from text", "count = \"12\";",
	    "F:1: count is \"12\"" COUNT_WANTS),
	BAD("count below", "count = 0;", "F:1: count is 0" COUNT_WANTS),
	BAD("count above", "count = 10001;",
	    "F:1: count is 10001" COUNT_WANTS),
	BAD("count negative", "count = -5;", "F:1: count is -5" COUNT_WANTS),
	BAD("count with a fraction", "count = 1.5;",
	    "F:1: count is 1.5" COUNT_WANTS),
	BAD("count from a list", "count = [ 1 ];",
	    "F:1: count is a list" COUNT_WANTS),
	BAD("count from a group", "count = { a = 1; };",
	    "F:1: count is a group" COUNT_WANTS),
	BAD("count over 32 bits, which libconfig cuts",
	    "flag = true;\ncount = 5000000000;",
	    "F:2: 5000000000 does not fit in 32 bits; write 5000000000L"),
	BAD("just over", "count = 2147483648;",
	    "F:1: 2147483648 does not fit in 32 bits; write 2147483648L"),
	BAD("hexadecimal", "count = 0xffffffff;",
	    "F:1: 0xffffffff does not fit in 32 bits; write 0xffffffffL"),
	BAD("wide, but too large", "count = 5000000000L;",
	    "F:1: count is 5000000000" COUNT_WANTS),
	BAD("over 64 bits", "count = 9223372036854775808L;",
	    "F:1: 9223372036854775808L does not fit in 64 bits"),
	BAD("far over 64 bits", "count = 99999999999999999999;",
	    "F:1: 99999999999999999999 does not fit in 64 bits"),
	BAD("hexadecimal over 64 bits", "count = 0x8000000000000000L;",
	    "F:1: 0x8000000000000000L does not fit in 64 bits"),
	BAD("a number with letters", "count = 12a;", "F:1: 12a is no number; "
	    "text, sizes and times are written in double quotes: \"12a\""),

	BAD("size without quotes", "size = 10M;", "F:1: 10M is no number; "
	    "text, sizes and times are written in double quotes: \"10M\""),
	BAD("size of an unknown unit", "size = \"10X\";",
	    "F:1: size is \"10X\"" SIZE_WANTS),
	BAD("size below", "size = 1023;", "F:1: size is 1023" SIZE_WANTS),
	BAD("size above", "size = \"2G\";", "F:1: size is \"2G\"" SIZE_WANTS),
	BAD("size overflows", "size = \"99999999999999G\";",
	    "F:1: size is \"99999999999999G\"" SIZE_WANTS),
	BAD("size negative", "size = \"-1k\";",
	    "F:1: size is \"-1k\"" SIZE_WANTS),
	BAD("size empty", "size = \"\";", "F:1: size is \"\"" SIZE_WANTS),
	BAD("size of a unit alone", "size = \"k\";",
	    "F:1: size is \"k\"" SIZE_WANTS),

	BAD("time without a unit", "time = \"5\";",
	    "F:1: time is \"5\"" TIME_WANTS),
	BAD("time as a number", "time = 5;", "F:1: time is 5" TIME_WANTS),
	BAD("time below", "time = \"9ms\";", "F:1: time is \"9ms\"" TIME_WANTS),
	BAD("time above", "time = \"2d\";", "F:1: time is \"2d\"" TIME_WANTS),
	BAD("time overflows", "time = \"999999999999999d\";",
	    "F:1: time is \"999999999999999d\"" TIME_WANTS),
	BAD("time with a blank", "time = \"5 s\";",
	    "F:1: time is \"5 s\"" TIME_WANTS),

	BAD("text too short", "string = \"x\";",
	    "F:1: string is \"x\"" TEXT_WANTS),
	BAD("text too long", "string = \"12345678901\";",
	    "F:1: string is \"12345678901\"" TEXT_WANTS),
	BAD("text from a number", "string = 5;",
	    "F:1: string is 5" TEXT_WANTS),
	BAD("a line end in a text", "string = \"a\\nb\";",
	    "F:1: string holds a control character; remove it"),
	BAD("a NUL in a text, which libconfig drops", "string = \"a\\x00b\";",
	    "F:1: \\x00 has no place in a text"),
	BAD("Latin-1", "string = \"caf\xe9\";",
	    "F:1: string is not UTF-8; save the file as UTF-8"),
	BAD("overlong UTF-8", "string = \"a\xc0\xaf\";",
	    "F:1: string is not UTF-8; save the file as UTF-8"),
	BAD("a surrogate", "string = \"a\xed\xa0\x80\";",
	    "F:1: string is not UTF-8; save the file as UTF-8"),

	BAD("path empty", "path = \"\";",
	    "F:1: path is \"\"; it wants a path in double quotes"),
	BAD("path from a number", "path = 1;",
	    "F:1: path is 1; it wants a path in double quotes"),

	BAD("choice near one", "choice = \"rejct\";", "F:1: choice is "
	    "\"rejct\"; did you mean \"reject\"? I" CHOICE_WANTS),
	BAD("choice near none", "choice = \"elephant\";",
	    "F:1: choice is \"elephant\"; i" CHOICE_WANTS),
	BAD("choice from a number", "choice = 1;",
	    "F:1: choice is 1; i" CHOICE_WANTS),

	BAD("list from text", "list = \"postfix\";",
	    "F:1: list is \"postfix\"; " LIST_WANTS),
	BAD("list of numbers", "list = [ 1 ];",
	    "F:1: list holds 1; " LIST_WANTS),
	BAD("list too short", "list = [ ];",
	    "F:1: list has 0 items; " LIST_WANTS),
	BAD("list too long", "list = [ \"a\", \"b\", \"c\", \"d\" ];",
	    "F:1: list has 4 items; " LIST_WANTS),
	BAD("list with an empty item", "list = [ \"a\",\n\"\" ];",
	    "F:2: list holds an empty text; remove it"),
	BAD("list in a list", "list = ( ( \"a\" ) );",
	    "F:1: list holds a list; " LIST_WANTS),
	BAD("list with a lost comma, which libconfig joins",
	    "list = [ \"a\"\n\"b\" ];",
	    "F:2: a comma is missing before \"b\""),
	BAD("list with one comma too many", "list = [ \"a\", ];",
	    "F:1: a comma stands before ]; no item follows it"),
	BAD("list of kinds", "list = [ \"a\", 1 ];", "F:1: a list mixes text, "
	    "numbers and booleans; write all of it as text in double quotes"),

	BAD("no network", "networks = [ \"192.0.2\" ];",
	    "F:1: networks holds \"192.0.2\"" NETWORK_WANTS),
	BAD("prefix too long", "networks = [ \"192.0.2.0/33\" ];",
	    "F:1: networks holds \"192.0.2.0/33\"" NETWORK_WANTS),
	BAD("bits behind the prefix",
	    "networks = [ \"10.0.0.0/8\",\n\"192.0.2.77/26\" ];",
	    "F:2: networks holds \"192.0.2.77/26\", with bits set behind its "
	    "prefix; write \"192.0.2.64/26\" or one address"),

	BAD("domain with a blank", "domains = [ \"exa mple.org\" ];",
	    "F:1: domains holds \"exa mple.org\", which is no domain name; "
	    "write it as \"example.org\""),
	BAD("domain with an empty label", "domains = [ \"example..org\" ];",
	    "F:1: domains holds \"example..org\", which has an empty label; "
	    "write it as \"example.org\""),
	BAD("domain with a dot before", "domains = [ \".example.org\" ];",
	    "F:1: domains holds \".example.org\", which has an empty label; "
	    "write it as \"example.org\""),
	BAD("address as a domain", "domains = [ \"192.0.2.1\" ];",
	    "F:1: domains holds \"192.0.2.1\", which is no domain name; "
	    "write it as \"example.org\""),
	BAD("wildcard", "domains = [ \"*.example.org\" ];",
	    "F:1: domains holds \"*.example.org\", which is no domain name; "
	    "write it as \"example.org\""),
	BAD("hyphen at an end", "domains = [ \"a-.example\" ];",
	    "F:1: domains holds \"a-.example\", which is no domain (string "
	    "start/ends with forbidden hyphen); write it as \"example.org\""),
	BAD("label of 64", "domains = [ \"a123456789b123456789c123456789d123456"
	    "789e123456789f123456789g1234.example\" ];",
	    "F:1: domains holds \"a123456789b123456789c123456789d123456789e1234"
	    "56789f123456...\", which is no domain (domain label longer than 63 "
	    "characters); write it as \"example.org\""),

	BAD("server without a port", "server = \"192.0.2.53\";",
	    "F:1: server is \"192.0.2.53\"" SERVER_WANTS),
	BAD("server by name", "server = \"ns.example:53\";",
	    "F:1: server is \"ns.example:53\"" SERVER_WANTS),
	BAD("server without brackets", "server = \"2001:db8::53:53\";",
	    "F:1: server is \"2001:db8::53:53\"" SERVER_WANTS),
	BAD("port zero", "server = \"192.0.2.53:0\";",
	    "F:1: server is \"192.0.2.53:0\"" SERVER_WANTS),
	BAD("port too large", "server = \"192.0.2.53:65536\";",
	    "F:1: server is \"192.0.2.53:65536\"" SERVER_WANTS),
	BAD("IPv4 in brackets", "server = \"[192.0.2.53]:53\";",
	    "F:1: server is \"[192.0.2.53]:53\"" SERVER_WANTS),
	BAD("half a bracket", "server = \"[:53\";",
	    "F:1: server is \"[:53\"" SERVER_WANTS),

	BAD("set twice", "count = 1;\nflag = true;\ncount = 1;",
	    "F:3: count is set a second time; the first is in F:1"),
	BAD("set twice in a group", "scope = { a = 1; a = 1; };",
	    "F:1: a setting of this group is set a second time; remove one of "
	    "them"),
	BAD("text without an end", "string = \"abc;\ncount = 1;\n",
	    "F:1: this text has no end on its line; close it with a double "
	    "quote"),
	BAD("comment without an end", "count = 1;\n/* count",
	    "F:2: this comment has no end; close it with */"),
	BAD("a lone slash", "path = /var;", "F:1: a lone / has no place here; "
	    "text goes in double quotes"),
	BAD("bracket without an end", "list = [ \"a\";\n",
	    "F:2: [ opened before is never closed"),
	BAD("bracket of another kind", "list = [ \"a\" );",
	    "F:1: ) closes nothing"),
	BAD("bracket without a beginning", "\n};", "F:2: } closes nothing"),
	BAD("brackets without bound", "list = ((((((((((((((((((((",
	    "F:1: brackets inside brackets, more than 16 deep"),
	BAD("typographic quotes", "string = \xe2\x80\x9c""ab\xe2\x80\x9d;",
	    "F:1: byte 0xe2 has no place here; text is written in double "
	    "quotes"),
	BAD("byte order mark", "\xef\xbb\xbf" "count = 1;", "F:1: byte 0xef "
	    "has no place here; text is written in double quotes"),
	BAD("single quotes", "string = 'ab';", "F:1: byte 0x27 has no place "
	    "here; text is written in double quotes"),
	BAD("NUL", "count = 1;\n\0count = 2;",
	    "F:2: the file holds a NUL byte; it is no text"),
	BAD("a name alone", "count;", "F:1: " SYNTAX),
	BAD("no value", "count = ;", "F:1: " SYNTAX),
	BAD("no name", "= 5;", "F:1: " SYNTAX),
	BAD("a name in quotes", "\"count\": 5;", "F:1: \"count\" is no name; "
	    "a setting is written name = value;"),
	BAD("text behind a number", "count = 5 \"x\";", "F:1: \"x\" is no "
	    "name; a setting is written name = value;"),
	BAD("two ends", "count = 5;;", "F:1: " SYNTAX),
	BAD("include in memory", "@include \"x\"",
	    "F:1: @include has no place here"),
	BAD("another word", "@exclude \"x\"", "F:1: only @include \"file\", on "
	    "a line of its own, begins with @"),
	BAD("include behind a setting", "count = 1; @include \"x\"",
	    "F:1: only @include \"file\", on a line of its own, begins "
	    "with @"),
};

static void
refusals(void)
{
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct slice text = { refused[i].text, refused[i].len };

		tap_is(parse(text), slice_of(refused[i].why), "%s",
		    refused[i].name);
		tap_ok(got.count == 200 && got.flag, "nothing of it is used");
	}
}

/* A file of many names, each of them once. */
static void
many_names(void)
{
	struct buf b = { 0 };

	for (int i = 0; i < 1100; i++)
		buf_addf(&b, "a%d = 1;\n", i);
	tap_is(parse(buf_slice(&b)), SLICE("F:1001: more than 1000 settings"),
	    "settings without bound");
	buf_free(&b);
}

static bool
items_are(const struct conf_list *list, const char *one, const char *two)
{
	return list->count == 2 && slice_eq(list->items[0], slice_of(one)) &&
	    slice_eq(list->items[1], slice_of(two)) &&
	    list->items[0].ptr[list->items[0].len] == '\0';
}

static void
are_defaults(const char *what)
{
	struct ip home = { AF_INET, { 127, 1, 2, 3 } }, away = home;

	away.bytes[0] = 128;
	tap_ok(got.flag && got.count == 200 && got.size == 10 << 20 &&
	    got.time == 2000, "%s: numbers", what);
	tap_ok(strcmp(got.string, "a \"b\\c") == 0 &&
	    strcmp(got.path, "/var") == 0 && got.no_path[0] == '\0' &&
	    got.choice == 1 && got.server[0] == '\0', "%s: texts", what);
	tap_ok(items_are(&got.list, "postfix", "root") &&
	    got.domains.count == 0, "%s: lists", what);
	tap_ok(got.nets.count == 2 && conf_nets_hold(&got.nets, &home) &&
	    !conf_nets_hold(&got.nets, &away), "%s: networks", what);
}

/* The sample with each default made to count. */
static struct slice
uncommented(struct slice sample)
{
	struct buf b = buf_in(a);
	struct slice line;

	while (slice_line(&sample, &line)) {
		if (line.len > 1 && line.ptr[0] == '#' && line.ptr[1] != ' ')
			line = slice_after(line, 1);
		buf_add(&b, line);
		buf_addc(&b, '\n');
	}
	return buf_slice(&b);
}

static void
defaults(void)
{
	struct buf sample = { 0 }, bare = { 0 };
	struct slice why;

	tap_is_int(conf_load(a, NULL, sections, &why), RC_OK, "no file");
	are_defaults("no file");
	tap_is(parse(SLICE("")), SLICE("ok"), "an empty file");
	are_defaults("an empty file");
	conf_sample(&sample, "sample.conf", sections);
	tap_is(parse(buf_slice(&sample)), SLICE("ok"), "the sample loads");
	are_defaults("the sample");
	buf_add(&bare, uncommented(buf_slice(&sample)));
	tap_ok(bare.len < sample.len, "there is something to uncomment");
	tap_is(parse(buf_slice(&bare)), SLICE("ok"), "and without comments");
	are_defaults("and without comments");
	buf_free(&sample);
	buf_free(&bare);
}

static void
bad_default(void)
{
	static const struct conf_option wrong[] = {
		{ "count", CONF_COUNT, AT(count), "0", 1, 5, "A count.", NULL },
		{ 0 }
	};
	static const struct conf_section only[] = { { wrong, &got },
	    { NULL, NULL } };
	struct slice why;

	tap_is_int(conf_load(a, NULL, only, &why), RC_BAD, "a default that "
	    "its own check refuses");
	tap_is(why, SLICE("default:1: count is 0; it wants a whole number, "
	    "1 to 5"), "is said");
}

static void
numbers(void)
{
	tap_is(parse(SLICE("flag = FALSE; count = 10000")), SLICE("ok"),
	    "letter case of a bool, no semicolon at the end");
	tap_ok(!got.flag && got.count == 10000, "are set");
	tap_is(parse(SLICE("count = 7L; size = 4096")), SLICE("ok"), "wide");
	tap_ok(got.count == 7 && got.size == 4096, "is set");
	tap_is(parse(SLICE("count = 0x10; size = \"4K\"")), SLICE("ok"), "hex");
	tap_ok(got.count == 16 && got.size == 4096, "is set");
	tap_is(parse(SLICE("size = \"1G\"; time = \"1d\";")), SLICE("ok"),
	    "at their maximum");
	tap_ok(got.size == 1 << 30 && got.time == 86400000, "are set");
	tap_is(parse(SLICE("size = \"1024\"; time = \"10ms\";")), SLICE("ok"),
	    "at their minimum");
	tap_ok(got.size == 1024 && got.time == 10, "are set");
	tap_is(parse(SLICE("time = \"5m\"")), SLICE("ok"), "minutes");
	tap_is_int(got.time, 300000, "are not months");
	tap_is(parse(SLICE("time = \"4h\"")), SLICE("ok"), "hours");
	tap_is_int(got.time, 14400000, "are set");
}

static void
texts(void)
{
	tap_is(parse(SLICE("string = \"caf\xc3\xa9\t\\\"\\\\\";")), SLICE("ok"),
	    "UTF-8, tab, quote and backslash");
	tap_is_str(got.string, "caf\xc3\xa9\t\"\\", "are kept");
	tap_is(parse(SLICE("string = \"ab\"\n  \"cd\";")), SLICE("ok"),
	    "neighbours are joined outside lists");
	tap_is_str(got.string, "abcd", "to one");
	tap_is(parse(SLICE("string = \"# // /*\";")), SLICE("ok"),
	    "no comment begins in a text");
	tap_is_str(got.string, "# // /*", "kept");
	tap_is(parse(SLICE("path = \"a/b\"; no_path = \"\"; "
	    "choice = \"reject\"; server = \"192.0.2.53:5353\";")),
	    SLICE("ok"), "other kinds");
	tap_is_str(got.path, "a/b", "path");
	tap_is_int(got.choice, 2, "choice");
	tap_is_str(got.server, "192.0.2.53:5353", "server");
	tap_is(parse(SLICE("server = \"[2001:db8::53]:53\";")), SLICE("ok"),
	    "server with an IPv6 address");
	tap_is(parse(SLICE("string : \"ab\", flag : false,\r\n"
	    "// one\r\n# two\r\n/* three\r\n */ count : 5")), SLICE("ok"),
	    "colons, commas, comments, CRLF");
	tap_is_int(got.count, 5, "all read");
}

static void
lists(void)
{
	tap_is(parse(SLICE("list = ( \"a\", \"b\" );")), SLICE("ok"),
	    "a list in parentheses");
	tap_ok(items_are(&got.list, "a", "b"), "is read");
	tap_ok(conf_list_has(&got.list, SLICE("a")) &&
	    !conf_list_has(&got.list, SLICE("A")) &&
	    conf_list_has_nocase(&got.list, SLICE("B")) &&
	    !conf_list_has_nocase(&got.list, SLICE("c")), "and searched");
	tap_is(parse(SLICE("domains = [ \"EXAMPLE.Org\",\n"
	    "  \"B\xc3\x9c" "cher.example\" ];")), SLICE("ok"), "domains");
	tap_ok(items_are(&got.domains, "example.org",
	    "xn--bcher-kva.example"), "become A-labels in lower case");
	tap_is(parse(SLICE("domains = [ \"stra\xc3\x9f" "e.example\", "
	    "\"a_b.xn--bcher-kva.example\" ];")), SLICE("ok"),
	    "sharp s, underscore, A-label");
	tap_ok(items_are(&got.domains, "xn--strae-oqa.example",
	    "a_b.xn--bcher-kva.example"), "non-transitional");
	tap_is(parse(SLICE("networks = [ ];")), SLICE("ok"), "no networks");
	tap_is_int((long long)got.nets.count, 0, "none");
}

/* A file of the test's folder. */
static const char *
put(const char *name, const char *text)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % 8];
	FILE *f;

	snprintf(path, sizeof paths[0], "%s/%s", dir, name);
	f = fopen(path, "w");
	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		tap_ok(false, "can write %s", path);
	chmod(path, 0644);
	return path;
}

static const char *
load(const char *path, bool trusted)
{
	struct slice why = SLICE("");
	char *seen;

	arena_reset(a);
	if ((trusted ? conf_load_trusted : conf_load)(a, path, sections,
	    &why) == RC_OK)
		return "ok";
	/* The folder's name differs each time: it becomes D. */
	seen = arena_str(a, why);
	for (char *at; (at = strstr(seen, dir)) != NULL;) {
		*at = 'D';
		memmove(at + 1, at + sizeof dir - 1, strlen(at + sizeof dir - 1)
		    + 1);
	}
	return seen;
}

static void
includes(void)
{
	const char *main_path;

	mkdir(arena_printf(a, "%s/sub", dir).ptr, 0755);
	put("sub/one.conf", "count = 5;\n@include \"two.conf\"\nflag = false;");
	put("sub/two.conf", "size = \"2k\";");
	main_path = put("main.conf", "string = \"ab\";\n"
	    "  @include \"sub/one.conf\"\r\n\ntime = \"5s\";\n");
	tap_is_str(load(main_path, false), "ok", "includes");
	tap_ok(got.count == 5 && got.size == 2048 && !got.flag &&
	    got.time == 5000 && strcmp(got.string, "ab") == 0, "all are read");

	put("sub/two.conf", "\nsize = \"2X\";");
	tap_is_str(load(main_path, false), "D/sub/two.conf:2: size is \"2X\""
	    SIZE_WANTS, "an error in an include has its file and line");
	put("sub/two.conf", "size = \"2k\"");
	put("main.conf", "@include \"sub/one.conf\"\n\ntime = \"5\";\n");
	tap_is_str(load(main_path, false), "D/main.conf:3: time is \"5\""
	    TIME_WANTS, "and so has one behind it");
	put("main.conf", "size = 4096;\n@include \"sub/one.conf\"\n");
	tap_is_str(load(main_path, false), "D/sub/two.conf:1: size is set a "
	    "second time; the first is in D/main.conf:1", "set twice");
}

static void
bad_includes(void)
{
	const char *main_path = put("main.conf", "\n@include \"none.conf\"\n");

	tap_is_str(load(main_path, false), "D/main.conf:2: included file "
	    "D/none.conf: cannot be opened: No such file or directory; name a "
	    "file that is there", "an include that is not there");
	put("main.conf", "@include \"sub/*.conf\"\n");
	tap_is_str(load(main_path, false), "D/main.conf:1: @include takes no "
	    "patterns (\"sub/*.conf\"); write a line for each file", "a glob");
	put("main.conf", "@include sub/one.conf\n");
	tap_is_str(load(main_path, false), "D/main.conf:1: @include wants a "
	    "file in double quotes: @include \"other.conf\"", "no quotes");
	put("main.conf", "@include \"a\" \"b\"\n");
	tap_is_str(load(main_path, false), "D/main.conf:1: @include wants a "
	    "file in double quotes: @include \"other.conf\"", "two files");
	put("main.conf", "@include \"main.conf\"\n");
	tap_is_str(load(main_path, false), "D/main.conf:1: D/main.conf "
	    "includes itself; remove this line", "itself");
	put("main.conf", "@include \"sub/../sub/one.conf\"\n");
	put("sub/one.conf", "\n@include \"two.conf\"\n");
	put("sub/two.conf", "@include \"./one.conf\"");
	tap_is_str(load(main_path, false), "D/sub/../sub/two.conf:1: "
	    "D/sub/../sub/./one.conf includes itself; remove this line",
	    "a ring");
	put("main.conf", "@include \"sub\"\n");
	tap_is_str(load(main_path, false), "D/sub: is no regular file; name "
	    "one", "a folder");
	put("sub/one.conf", "list = [");
	put("main.conf", "@include \"sub/one.conf\"\n\"a\" ];");
	tap_is_str(load(main_path, false), "ok", "a list may span files");
}

static void
many_includes(void)
{
	const char *main_path;
	struct buf b = { 0 };
	char name[16], text[64];

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof name, "deep%d", i);
		snprintf(text, sizeof text, "@include \"deep%d\"\n", i + 1);
		put(name, text);
	}
	main_path = put("main.conf", "@include \"deep0\"\n");
	tap_is_str(load(main_path, false), "D/deep7:1: includes inside "
	    "includes, more than 8 deep", "includes without bound");
	put("empty", "");
	for (int i = 0; i < 65; i++)
		buf_adds(&b, "@include \"empty\"\n");
	put("main.conf", arena_str(a, buf_slice(&b)));
	tap_is_str(load(main_path, false), "D/main.conf:65: more than 64 "
	    "included files", "included files without bound");
	buf_free(&b);
}

static void
unreadable(void)
{
	char path[64];
	struct buf b = { 0 };

	snprintf(path, sizeof path, "%s/absent", dir);
	tap_is_str(load(path, false), "D/absent: cannot be opened: No such "
	    "file or directory; name a file that is there", "no file");
	tap_is_str(load(dir, false), "D: is no regular file; name one",
	    "a folder");
	snprintf(path, sizeof path, "%s/fifo", dir);
	mkfifo(path, 0600);
	tap_is_str(load(path, false), "D/fifo: is no regular file; name one",
	    "a FIFO is not waited for");
	for (int i = 0; i < 40000; i++)
		buf_adds(&b, "# twenty-seven bytes it has\n");
	put("large", arena_str(a, buf_slice(&b)));
	snprintf(path, sizeof path, "%s/large", dir);
	tap_is_str(load(path, false), "D/large: is larger than 1 MB; that is "
	    "no configuration", "too large");
	buf_free(&b);
	if (geteuid() == 0) {
		tap_skip(1, "root may read all files");
		return;
	}
	chmod(path, 0);
	tap_ok(strstr(load(path, false), "cannot be opened: Permission denied; "
	    "let uid ") != NULL, "not for us");
}

static void
trust(void)
{
	const char *path = put("main.conf", "@include \"inner.conf\"\n");
	const char *inner = put("inner.conf", "count = 5;");

	tap_is_str(load(path, true), "ok", "nobody else may write");
	chmod(path, 0666);
	tap_is_str(load(path, true), "D/main.conf: may be changed by everybody "
	    "(mode 0666); chmod go-w D/main.conf", "a file for everybody");
	tap_is_str(load(path, false), "ok", "is no matter to a tool");
	chmod(path, 0644);
	chmod(inner, 0602);
	tap_is_str(load(path, true), "D/inner.conf: may be changed by "
	    "everybody (mode 0602); chmod go-w D/inner.conf", "an include");
	chmod(inner, 0600);
	chmod(dir, 0777);
	tap_is_str(load(path, true), "D/main.conf: its folder D may be changed "
	    "by everybody (mode 0777); chmod go-w D", "a folder");
	chmod(dir, 01777);
	tap_is_str(load(path, true), "ok", "unless it is sticky");
	chmod(dir, 0755);
	if (geteuid() != 0) {
		tap_skip(4, "needs root: files of other users and groups");
		return;
	}
	tap_is_int(chown(path, 12345, 0), 0, "given to somebody");
	tap_is_str(load(path, true), "D/main.conf: belongs to uid 12345, who "
	    "may change it; chown root D/main.conf", "somebody else's file");
	tap_is_int(chown(path, 0, 12345) | chmod(path, 0664), 0, "to a group");
	tap_is_str(load(path, true), "D/main.conf: may be changed by its group "
	    "(mode 0664); chmod go-w D/main.conf", "a file for its group");
}

static void
prints(void)
{
	static const struct conf_section two[] = {
	    { &options[7], &got }, { NULL, NULL } };
	struct buf out = { 0 };
	struct slice all;

	conf_sample(&out, "x.conf - what it is", two);
	all = buf_slice(&out);
	tap_ok(slice_starts(all, SLICE("# x.conf - what it is\n#\n# Each ")),
	    "the sample begins with its title");
	tap_ok(slice_search(all, SLICE("\n\n# A choice.\n# Takes one of "
	    "\"accept\", \"tag\", \"reject\".\n#choice = \"tag\";\n")) <
	    all.len, "text, what it takes, the default");
	tap_ok(slice_search(all, SLICE("\n#networks = [ \"127.0.0.0/8\", "
	    "\"::1\" ];\n")) < all.len, "a list");
	tap_ok(slice_search(all, SLICE("\n#domains = [ ];\n")) < all.len,
	    "an empty list");
	for (struct slice rest = all, line; slice_line(&rest, &line);)
		if (line.len > 78)
			tap_ok(false, "too wide: %.*s", SLICE_ARG(line));
	buf_clear(&out);
	conf_manual(&out, sections);
	all = buf_slice(&out);
	tap_ok(slice_search(all, SLICE(".TP\n\\fBtime\\fR = \\(dq2s\\(dq\n"
	    "A time.\nIt ends.\nTakes a time as \\(dq250ms\\(dq, ")) < all.len,
	    "the manual's entry");
	tap_ok(slice_search(all, SLICE(".TP\n\\fBstring\\fR = \\(dqa "
	    "\\e\\(dqb\\e\\ec\\(dq\nA text.\n")) < all.len,
	    "what roff would eat is escaped");
	buf_free(&out);
}

static void
remove_all(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf %s", dir);
	if (system(command) != 0)
		tap_diag("%s is left behind", dir);
}

int
main(void)
{
	a = arena_new();
	if (mkdtemp(dir) == NULL)
		return 1;
	chmod(dir, 0755);
	refusals();
	many_names();
	defaults();
	bad_default();
	numbers();
	texts();
	lists();
	includes();
	bad_includes();
	many_includes();
	unreadable();
	trust();
	prints();
	remove_all();
	arena_free(a);
	return tap_done();
}
