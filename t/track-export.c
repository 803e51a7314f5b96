/* Entries of journald, whole and torn; addresses out of texts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "track/erase.h"
#include "track/export.h"
#include "t/tap.h"

#define BYTES(lit)	{ lit, sizeof (lit) - 1 }

static const struct {
	const char *name;
	struct slice bytes;
	enum export_got want;
	const char *tag, *text;
	int64_t ms;
} cases[] = {
	{ "text", BYTES("__CURSOR=c\n__REALTIME_TIMESTAMP=1500\n_PID=7\n"
	  "SYSLOG_IDENTIFIER=postfix/qmgr\nMESSAGE=a=b\n\n"), EXPORT_ONE,
	  "postfix/qmgr", "a=b", 1 },
	{ "binary", BYTES("MESSAGE\n\3\0\0\0\0\0\0\0a\nb\nSYSLOG_IDENTIFIER=t"
	  "\n\n"), EXPORT_ONE, "t", "a\nb", -1 },
	{ "the time of the sender counts", BYTES("__REALTIME_TIMESTAMP=9000\n"
	  "_SOURCE_REALTIME_TIMESTAMP=5000\nMESSAGE=x\n\n"), EXPORT_ONE, "",
	  "x", 5 },
	{ "empty lines before", BYTES("\n\n\nMESSAGE=x\n\n"), EXPORT_ONE, "",
	  "x", -1 },
	{ "no end yet", BYTES("MESSAGE=x\n"), EXPORT_MORE, NULL, NULL, 0 },
	{ "half a line", BYTES("MESSA"), EXPORT_MORE, NULL, NULL, 0 },
	{ "half a length", BYTES("MESSAGE\n\3\0\0"), EXPORT_MORE, NULL, NULL,
	  0 },
	{ "half of the bytes", BYTES("MESSAGE\n\3\0\0\0\0\0\0\0ab"),
	  EXPORT_MORE, NULL, NULL, 0 },
	{ "a length that is a lie", BYTES("MESSAGE\n\3\0\0\0\0\0\0\0abcd\n"),
	  EXPORT_BAD, NULL, NULL, 0 },
	{ "a length beyond all", BYTES("MESSAGE\n\377\377\377\377\377\377\377"
	  "\377x"), EXPORT_BAD, NULL, NULL, 0 },
	{ "nothing", BYTES(""), EXPORT_MORE, NULL, NULL, 0 },
};

static void
entries(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct slice rest = cases[i].bytes;
		struct export_entry e;
		enum export_got got = export_next(&rest, &e);

		tap_is_int(got, cases[i].want, "%s", cases[i].name);
		if (got != EXPORT_ONE)
			continue;
		tap_ok(slice_eq(e.tag, slice_of(cases[i].tag)) &&
		    slice_eq(e.text, slice_of(cases[i].text)) &&
		    e.ms == cases[i].ms && rest.len == 0, "what it holds: %s",
		    cases[i].name);
	}
}

static const struct { const char *text, *want; size_t n; } erased[] = {
	{ "to=<a.b@c.org>", "to=<x.x@x.xxx>", 1 },
	{ "A.B@C.ORG, a.b@c.org", "x.x@x.xxx, x.x@x.xxx", 2 },
	{ "aa.b@c.org za.b@c.org", "aa.b@c.org za.b@c.org", 0 },
	{ "a.b@c.organ a.b@c.org.uk", "a.b@c.organ a.b@c.org.uk", 0 },
	{ "x.a.b@c.org -a.b@c.org", "x.a.b@c.org -a.b@c.org", 0 },
	{ "That was a.b@c.org.", "That was x.x@x.xxx.", 1 },
	{ "a.b@c.or", "a.b@c.or", 0 }, { "", "", 0 },
	{ "\"a.b@c.org\":\"a.b@c.org\"", "\"x.x@x.xxx\":\"x.x@x.xxx\"", 2 },
};

static void
texts(void)
{
	static const char *const unfit[] = { "", "a", "@", "a b@c", "<a@b>",
	    "\"a\"@b", "a\\@b", "abc", "a@\tb" };

	for (size_t i = 0; i < sizeof erased / sizeof erased[0]; i++) {
		char *copy = strdup(erased[i].text);
		size_t n = erase_in(copy, strlen(copy), SLICE("a.b@c.org"));

		tap_ok(n == erased[i].n && strcmp(copy, erased[i].want) == 0,
		    "erased from \"%s\": \"%s\"", erased[i].text, copy);
		free(copy);
	}
	for (size_t i = 0; i < sizeof unfit / sizeof unfit[0]; i++)
		tap_ok(!erase_fit(slice_of(unfit[i])), "not to be searched "
		    "for: %s", unfit[i]);
	tap_ok(erase_fit(SLICE("a@b")), "an address");
}

/* On each place around the border of a window. */
static void
borders(void)
{
	enum { BIG = (1 << 20) + 4096 };
	char path[] = "/tmp/gatehouse-erase-XXXXXX", *big = mem_alloc(BIG);
	bool good = true;
	int fd = mkstemp(path);

	for (int at = (1 << 20) - 40; at < (1 << 20) + 10; at++) {
		memset(big, ' ', BIG);
		memcpy(big + at, "a.b@c.org", 9);
		good = good && pwrite(fd, big, BIG, 0) == BIG &&
		    erase_file(fd, SLICE("a.b@c.org")) == 1 &&
		    pread(fd, big, BIG, 0) == BIG &&
		    memcmp(big + at, "x.x@x.xxx", 9) == 0;
	}
	tap_ok(good, "in a file, wherever it stands");
	close(fd);
	unlink(path);
	free(big);
}

int
main(void)
{
	entries();
	texts();
	borders();
	return tap_done();
}
