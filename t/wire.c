/* Packets of the milter protocol: put, taken, cut short, and made up. */
#include <string.h>

#include "milter/wire.h"
#include "t/tap.h"

static const struct {
	const char *what;
	struct slice in;
	enum rc rc;
	char code;
	struct slice data, rest;
} packets[] = {
	{ "nothing", SLICE(""), RC_RETRY, 0, SLICE(""), SLICE("") },
	{ "half a length", SLICE("\0\0"), RC_RETRY, 0, SLICE(""), SLICE("") },
	{ "no length", SLICE("\0\0\0\0x"), RC_BAD, 0, SLICE(""), SLICE("") },
	{ "too long", SLICE("\0\x10\0\1x"), RC_BAD, 0, SLICE(""), SLICE("") },
	{ "HTTP", SLICE("HTTP/1.0 400"), RC_BAD, 0, SLICE(""), SLICE("") },
	{ "a command alone", SLICE("\0\0\0\1c"), RC_OK, 'c', SLICE(""),
	  SLICE("") },
	{ "with data", SLICE("\0\0\0\3yab\0\0"), RC_OK, 'y', SLICE("ab"),
	  SLICE("\0\0") },
	{ "data to come", SLICE("\0\0\0\3ya"), RC_RETRY, 0, SLICE(""),
	  SLICE("") },
};

static const struct {
	const char *what;
	struct slice data;
	bool good;
	uint32_t version;
} answers[] = {
	{ "ours", SLICE("\0\0\0\6\0\0\1\xff\0\x1f\xff\xff"), true, 6 },
	{ "an old one", SLICE("\0\0\0\2\0\0\0\x3f\0\0\0\x7f"), true, 2 },
	{ "with macros", SLICE("\0\0\0\6\0\0\0\0\0\0\0\0\0\0\0\0j\0"), true,
	  6 },
	{ "too short", SLICE("\0\0\0\6\0\0\0\0"), false, 0 },
	{ "actions nobody offered", SLICE("\0\0\0\6\0\0\4\0\0\0\0\0"), false,
	  0 },
	{ "steps nobody offered", SLICE("\0\0\0\6\0\0\0\0\x10\0\0\0"), false,
	  0 },
};

static void
taken(void)
{
	for (size_t i = 0; i < sizeof packets / sizeof *packets; i++) {
		struct slice in = packets[i].in, data = SLICE("");
		char code = 0;

		tap_is_int(wire_take(&in, &code, &data), packets[i].rc, "%s",
		    packets[i].what);
		if (packets[i].rc != RC_OK)
			continue;
		tap_is_int(code, packets[i].code, "its command");
		tap_is(data, packets[i].data, "its data");
		tap_is(in, packets[i].rest, "and what follows it");
	}
}

static void
agreed(void)
{
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct wire_terms terms = { 0 };
		bool good = wire_agreed(answers[i].data, &terms);

		tap_is_int(good, answers[i].good, "%s", answers[i].what);
		if (good)
			tap_is_int(terms.version, answers[i].version,
			    "its version");
	}
}

static void
offered(void)
{
	struct buf out = { 0 };
	struct wire_terms terms = { 0 };
	struct slice in, data;
	char code;

	wire_offer(&out);
	wire_put(&out, 'Q', SLICE(""));
	in = buf_slice(&out);
	tap_ok(wire_take(&in, &code, &data) == RC_OK && code == 'O',
	    "the offer comes first");
	tap_ok(wire_agreed(data, &terms) && terms.version == WIRE_VERSION &&
	    terms.protocol == WIRE_PROTOCOL, "and could be accepted as it is");
	tap_ok(wire_take(&in, &code, &data) == RC_OK && code == 'Q' &&
	    in.len == 0, "what was put behind it follows");
	tap_ok(wire_command('B') != NULL && wire_command('B')->no == 0x10 &&
	    wire_command('O') == NULL, "commands of a message are known");
	buf_free(&out);
}

int
main(void)
{
	taken();
	agreed();
	offered();
	return tap_done();
}
