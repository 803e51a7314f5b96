/*
 * external: the mark in From, byte for byte, and whose name a From bears.
 */
#include <string.h>

#include "milters/predelivery/external.h"
#include "mime/message.h"
#include "t/tap.h"

#define W	"=?utf-8?Q?=E2=9A=A0?="
#define WB	"=?utf-8?Q?=E2=9A=A0_?="

static const struct slice mark = { "\xe2\x9a\xa0", 3 };

/* NULL: nothing is to be done. */
static const struct {
	const char *in, *want;
} fields[] = {
	{ " Boss <b@example.org>", " " W " Boss <b@example.org>" },
	{ " \"Boss, Big\" <b@example.org>",
	    " " W " \"Boss, Big\" <b@example.org>" },
	{ " =?utf-8?Q?B=C3=B6s?= <b@example.org>",
	    " " WB " =?utf-8?Q?B=C3=B6s?= <b@example.org>" },
	{ " b@example.org", " " W " <b@example.org>" },
	{ " <b@example.org>", " " W " <b@example.org>" },
	{ "b@example.org", W " <b@example.org>" },
	{ " b@example.org (Boss)", " b@example.org (" W " Boss)" },
	{ " (x) Boss <b@example.org>", " (x) " W " Boss <b@example.org>" },
	{ " Boss (x) <b@example.org> (y)",
	    " " W " Boss (x) <b@example.org> (y)" },
	{ " A <a@example.org>, B <b@example.org>",
	    " " W " A <a@example.org>, " W "\r\n B <b@example.org>" },
	{ " a@example.org,\r\n\tb@example.org",
	    " " W " <a@example.org>,\r\n\t" W " <b@example.org>" },
	{ " Group: a@example.org, B <b@example.org>;",
	    " Group: " W " <a@example.org>, " W "\r\n B <b@example.org>;" },
	{ " \"a b\"@example.org", " " W " <\"a b\"@example.org>" },
	{ " B\xc3\xb6s <b@example.org>", " " W " B\xc3\xb6s <b@example.org>" },
	{ " A very long display name that fills the line up to its end "
	    "<b@example.org>", " " W "\r\n A very long display name that fills "
	    "the line up to its end <b@example.org>" },
	{ " \"Boss <b@example.org>", " " W " \"Boss <b@example.org>" },
	{ " Boss <b@example.org> x", " " W " Boss <b@example.org> x" },
	{ " undisclosed", " " W " undisclosed" },
	{ " \"a <b\" c", " " W " \"a <b\" c" },
	{ " G: (x) <a@example.org>;", " G: (x) " W " <a@example.org>;" },
	{ " " W " Boss <b@example.org>", NULL },
	{ " \xe2\x9a\xa0 Boss <b@example.org>", NULL },
	{ " \"\xe2\x9a\xa0 Boss\" <b@example.org>", NULL },
	{ " b@example.org (" W " Boss)", NULL },
	{ "", NULL },
	{ " ", NULL },
};

static void
marks(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		struct slice got = external_from(a, slice_of(fields[i].in),
		    mark);

		tap_is(got, slice_of(fields[i].want), "From %zu", i);
		if (got.ptr != NULL)
			tap_ok(external_from(a, got, mark).ptr == NULL,
			    "twice is once");
		arena_reset(a);
	}
	arena_free(a);
}

static bool
is_ours(const void *arg, struct slice domain)
{
	(void)arg;
	return slice_eq(domain, SLICE("example.org"));
}

static void
whose(void)
{
	static const struct {
		const char *from;
		bool ours;
	} list[] = {
		{ "a@example.org", true }, { "a@EXAMPLE.ORG", true },
		{ "a@mail.example.org", true }, { "a@example.com", false },
		{ "a@badexample.org", false }, { "a@example.org.test", false },
		{ "x@example.com, a@example.org", true },
		{ "\"boss@example.org\" <x@example.com>", true },
		{ "=?utf-8?Q?boss=40example.org?= <x@example.com>", true },
		{ "Boss <x@example.com> (b@example.org)", true },
		{ "Boss", false }, { "", false },
	};
	struct external_ours ours = { is_ours, NULL };
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		struct message msg;

		message_read(&msg, a, arena_printf(a, "From: %s\r\n",
		    list[i].from), SLICE(""), NULL);
		tap_ok(external_ours(a, &msg, &ours) == list[i].ours, "%s",
		    list[i].from);
		arena_reset(a);
	}
	arena_free(a);
}

int
main(void)
{
	marks();
	whose();
	return tap_done();
}
