/* What a mail to the release or request address asks for. */
#include <string.h>

#include "notice/intake.h"
#include "t/tap.h"

#define TOKEN	"abcdefghijklmnopqrstuvwxyz"

static const struct {
	const char *name, *sender, *recipient, *message;
	enum intake_kind kind;
	const char *why;
} cases[] = {
	{ "release", "a@our.test", "r@our.test", "Subject: release " TOKEN
	  "\n\n", INTAKE_RELEASE, "" },
	{ "in a reply, folded", "a@our.test", "R@our.test", "Subject: Re:\r\n"
	  " release\r\n " TOKEN "\r\n\r\n", INTAKE_RELEASE, "" },
	{ "in an encoded word", "a@our.test", "r@our.test", "Subject: "
	  "=?UTF-8?Q?release_" TOKEN "?=\n\n", INTAKE_RELEASE, "" },
	{ "the sender does not matter", "x@else.test", "r@our.test",
	  "Subject: release " TOKEN "\n\n", INTAKE_RELEASE, "" },
	{ "no token", "a@our.test", "r@our.test", "Subject: release\n\n",
	  INTAKE_NOTHING, "no-token" },
	{ "a token in the body", "a@our.test", "r@our.test", "Subject: x\n\n"
	  "release " TOKEN, INTAKE_NOTHING, "no-token" },
	{ "a request", "a@our.test", "d@our.test", "Subject: hello\n\n",
	  INTAKE_DIGEST, "" },
	{ "without a subject", "a@our.test", "d@our.test", "From: a\n\n",
	  INTAKE_DIGEST, "" },
	{ "a token to the other address is a request", "a@our.test",
	  "d@our.test", "Subject: release " TOKEN "\n\n", INTAKE_DIGEST, "" },
	{ "another address", "a@our.test", "x@our.test", "Subject: release "
	  TOKEN "\n\n", INTAKE_NOTHING, "not-our-address" },
	{ "null sender", "", "r@our.test", "Subject: release " TOKEN "\n\n",
	  INTAKE_NOTHING, "null-sender" },
	{ "a mailer", "MAILER-DAEMON@else.test", "d@our.test", "\n",
	  INTAKE_NOTHING, "mailer" },
	{ "an answer of a machine", "a@our.test", "d@our.test",
	  "Auto-Submitted: auto-replied\n\n", INTAKE_NOTHING,
	  "auto-submitted" },
	{ "with a comment of RFC 3834", "a@our.test", "d@our.test",
	  "auto-submitted: Auto-Generated; owner-email=x\n\n", INTAKE_NOTHING,
	  "auto-submitted" },
	{ "no is no", "a@our.test", "d@our.test", "Auto-Submitted: no\n\n",
	  INTAKE_DIGEST, "" },
	{ "a list", "a@our.test", "d@our.test", "List-Id: <x>\n\n",
	  INTAKE_NOTHING, "list" },
	{ "bulk", "a@our.test", "d@our.test", "Precedence: BULK\n\n",
	  INTAKE_NOTHING, "precedence" },
	{ "in the body it says nothing", "a@our.test", "d@our.test",
	  "Subject: x\n\nAuto-Submitted: auto-replied\n", INTAKE_DIGEST, "" },
	{ "the recipient is not told", "a@our.test", NULL, "Subject: release "
	  TOKEN "\n\n", INTAKE_RELEASE, "" },
	{ "no bytes", "a@our.test", "d@our.test", "", INTAKE_DIGEST, "" },
};

int
main(void)
{
	const struct notices_conf conf = { .release_address = "r@our.test",
	    .request_address = "d@our.test" };
	const struct notices_conf none = { .release_address = "",
	    .request_address = "" };
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct intake in = intake_read(&conf, a,
		    slice_of(cases[i].sender), slice_of(cases[i].recipient),
		    slice_of(cases[i].message));

		tap_ok(in.kind == cases[i].kind && strcmp(in.why,
		    cases[i].why) == 0, "%s: %d %s", cases[i].name, in.kind,
		    in.why);
		if (in.kind == INTAKE_RELEASE)
			tap_is(in.token, SLICE(TOKEN), "its token");
		in = intake_read(&none, a, slice_of(cases[i].sender),
		    SLICE("d@our.test"), slice_of(cases[i].message));
		tap_ok(in.kind == INTAKE_NOTHING, "no addresses: nothing");
	}
	arena_free(a);
	return tap_done();
}
