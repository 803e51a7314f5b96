/* Messages: split, header block, flags, limits. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "mime/message.h"
#include "t/tap.h"

static const struct { const char *what; struct slice file, head, body; }
splits[] = {
	{ "LF", SLICE("A: b\nC: d\n\nx\ny\n"), SLICE("A: b\r\nC: d\r\n"),
	  SLICE("x\r\ny\r\n") },
	{ "CRLF", SLICE("A: b\r\n\r\nx\r\n\r\ny\r\n"), SLICE("A: b\r\n"),
	  SLICE("x\r\n\r\ny\r\n") },
	{ "both", SLICE("A: b\r\nC: d\n\r\nx\ny"), SLICE("A: b\r\nC: d\r\n"),
	  SLICE("x\r\ny\r\n") },
	{ "no body", SLICE("A: b\n\n"), SLICE("A: b\r\n"), SLICE("") },
	{ "no blank line", SLICE("A: b\nC: d"), SLICE("A: b\r\nC: d\r\n"),
	  SLICE("") },
	{ "no header", SLICE("\nx\n"), SLICE(""), SLICE("x\r\n") },
	{ "nothing", SLICE(""), SLICE(""), SLICE("") },
	{ "NUL and CR stay", SLICE("A: b\0c\rd\n\n\0\r\r\n"),
	  SLICE("A: b\0c\rd\r\n"), SLICE("\0\r\r\n") },
	{ "a line of blanks is none", SLICE("A: b\n \nC: d\n\nx\n"),
	  SLICE("A: b\r\n \r\nC: d\r\n"), SLICE("x\r\n") },
};

static void
split(void)
{
	struct arena *a = arena_new();
	struct slice head, body;

	for (size_t i = 0; i < sizeof splits / sizeof *splits; i++) {
		message_split(a, splits[i].file, &head, &body);
		tap_is(head, splits[i].head, "%s: head", splits[i].what);
		tap_is(body, splits[i].body, "- body");
	}
	arena_free(a);
}

static const struct { const char *what; struct slice head; size_t n;
    uint64_t flags; } heads[] = {
	{ "plain", SLICE("A: b\r\nC: d\r\n e\r\n"), 2, 0 },
	{ "empty", SLICE(""), 0, 0 },
	{ "junk", SLICE("A: b\r\njunk\r\nC: d\r\n"), 3, MSG_JUNK_LINE },
	{ "blank fold", SLICE("A: b\r\n \t\r\nC: d\r\n"), 2, MSG_BLANK_FOLD },
	{ "colon", SLICE("A : b\r\n"), 1, MSG_SPACE_COLON },
	{ "NUL", SLICE("A: \0\r\n"), 1, MSG_HEADER_NUL },
	{ "CR", SLICE("A: b\rc\r\n"), 1, MSG_HEADER_CR },
	{ "CR at the end", SLICE("A: b\r"), 1, MSG_HEADER_CR },
};

static void
blocks(void)
{
	struct arena *a = arena_new();
	struct message msg;

	for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
		message_read(&msg, a, heads[i].head, SLICE(""), NULL);
		tap_is_int((long long)msg.nfields, (long long)heads[i].n, "%s",
		    heads[i].what);
		tap_ok(msg.flags == heads[i].flags, "- flags");
	}
	arena_free(a);
}

static void
fields(void)
{
	struct arena *a = arena_new();
	struct message msg;
	const struct field *f;

	message_read(&msg, a, SLICE("To: 1\r\nX: 2\r\nto: 3\r\n"),
	    SLICE("body"), NULL);
	f = message_field(&msg, SLICE("TO"), 0);
	tap_is(f->body, SLICE(" 1"), "the first");
	f = message_field(&msg, SLICE("TO"), 1);
	tap_is(f->body, SLICE(" 3"), "the next");
	tap_ok(message_field(&msg, SLICE("TO"), 3) == NULL, "no more");
	tap_ok(message_field(&msg, SLICE("TO"), 99) == NULL, "far behind");
	tap_is_int((long long)message_count(&msg, SLICE("tO")), 2, "counted");
	tap_is_int((long long)message_count(&msg, SLICE("")), 0, "none");
	tap_is_int((long long)message_size(&msg), 20 + 2 + 4, "size");
	arena_free(a);
}

static void
limits(void)
{
	struct message_limits few = { 3, 40, 5, 5 };
	struct arena *a = arena_new();
	struct message msg;

	message_read(&msg, a, SLICE("A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\n"),
	    SLICE(""), &few);
	tap_is_int((long long)msg.nfields, 3, "fields");
	tap_ok(msg.flags == MSG_LIMIT_FIELDS, "- flag");
	message_read(&msg, a, SLICE("A: 1\r\nB: 789012345678901234567890"
	    "1234567890\r\nC: 1\r\n"), SLICE(""), &few);
	tap_is_int((long long)msg.nfields, 1, "bytes");
	tap_ok(msg.flags == MSG_LIMIT_HEADER, "- flag");
	tap_is_int((long long)msg.head.len, 51, "the block stays whole");
	arena_free(a);
}

static void
names(void)
{
	unsigned n = 0;

	while (message_flag_name(n) != NULL)
		n++;
	tap_is_int(n, 32, "each flag has a name");
	tap_is_str(message_flag_name(16), "duplicate-disposition", "a name");
	tap_is_str(message_flag_name(31), "nul-in-body", "the last name");
	tap_ok(message_flag_name(99) == NULL, "no more");
}

int
main(void)
{
	split();
	blocks();
	fields();
	limits();
	names();
	return tap_done();
}
