/* Signatures of our own (RFC 6376, 5; RFC 8463), and what they never do. */
#include <stdio.h>

#include "dkim/sign.h"
#include "t/dkim-lab.h"
#include "t/tap.h"

#define HEAD "Received: by a\r\nReceived: by b\r\n" \
	"From: Ann <ann@example.org>\r\nTo: bob@example.net\r\n" \
	"Subject: hello\r\nX-Mailer: x\r\n"
#define BODY "Hello.\r\n"

enum { NOW = 1700000000 };

static struct dkim_signer
signer(enum lab_key key)
{
	return (struct dkim_signer){ .domain = SLICE("example.org"),
	    .selector = SLICE("sel"), .key = lab_pkey(key),
	    .algorithm = key == LAB_ED25519 ? DKIM_ED25519_SHA256 :
	    DKIM_RSA_SHA256, .header = DKIM_RELAXED, .body = DKIM_RELAXED,
	    .now = NOW };
}

static enum rc
sign(struct arena *a, struct slice head, const struct dkim_signer *s,
    struct slice *body_r, struct slice *why_r)
{
	struct message msg;

	message_read(&msg, a, head, SLICE(BODY), NULL);
	return dkim_sign(a, &msg, dkim_bodies_new(a, &msg), s, body_r, why_r);
}

static enum dkim_result
verify(struct arena *a, struct slice sig, const char *above,
    struct slice head, enum lab_key key, struct dkim_signature *sig_r)
{
	struct dkim_limits limits = dkim_limits_default;
	struct dkim_signature *list;
	struct buf out = buf_in(a);
	struct message msg;

	buf_adds(&out, above);
	buf_adds(&out, "DKIM-Signature:");
	buf_add(&out, sig);
	buf_adds(&out, "\r\n");
	buf_add(&out, head);
	message_read(&msg, a, buf_slice(&out), SLICE(BODY), NULL);
	limits.now = NOW;
	dkim_signatures(a, &msg, &limits, &list);
	dkim_verify(a, &list[0], &msg, dkim_bodies_new(a, &msg),
	    lab_answer(a, lab_record(a, NULL, key)), NULL, &limits);
	*sig_r = list[0];
	return list[0].result;
}

static bool
lines_short(struct slice text)
{
	struct slice line;

	while (slice_line(&text, &line))
		if (line.len > 78 - sizeof "DKIM-Signature:")
			return line.len <= 78;
	return true;
}

static void
each_way(struct arena *a)
{
	static const enum lab_key keys[] = { LAB_RSA, LAB_ED25519, LAB_WEAK,
	    LAB_LARGE };
	struct dkim_signature sig = { .index = 0 };
	struct slice body = SLICE_NONE, why = SLICE_NONE;

	for (size_t i = 0; i < 4; i++) {
		for (int c = 0; c < 4; c++) {
			struct dkim_signer s = signer(keys[i]);

			s.header = c & 1;
			s.body = c >> 1;
			tap_ok(sign(a, SLICE(HEAD), &s, &body, &why) == RC_OK &&
			    verify(a, body, "", SLICE(HEAD), keys[i], &sig) ==
			    DKIM_PASS, "key %zu, c=%d/%d", i, s.header, s.body);
			tap_ok(lines_short(body) && body.ptr[0] == ' ',
			    "folded");
			tap_ok(!sig.has_length, "no l=");
		}
	}
}

static void
oversigned(struct arena *a)
{
	static const char *const above[] = { "From: x@example.org\r\n",
	    "Subject: pay\r\n", "To: all\r\n", "Date: now\r\n",
	    "Cc: x@example.com\r\n", "Content-Type: text/html\r\n" };
	struct dkim_signer s = signer(LAB_RSA);
	struct dkim_signature sig;
	struct slice body, why = SLICE("");

	sign(a, SLICE(HEAD), &s, &body, &why);
	for (size_t i = 0; i < sizeof above / sizeof *above; i++)
		tap_ok(verify(a, body, above[i], SLICE(HEAD), LAB_RSA, &sig) ==
		    DKIM_FAIL, "added above: %.10s", above[i]);
	tap_ok(verify(a, body, "Received: c\r\nX-Seen: y\r\n", SLICE(HEAD),
	    LAB_RSA, &sig) == DKIM_PASS, "what is added on the way may be");
	s.signed_fields = SLICE("Subject : Received:Authentication-Results:"
	    "ARC-Seal:X-None:subject:");
	s.oversigned = SLICE("x-none");
	sign(a, SLICE(HEAD "ARC-Seal: x\r\n"), &s, &body, &why);
	verify(a, body, "", SLICE(HEAD "ARC-Seal: x\r\n"), LAB_RSA, &sig);
	tap_is(sig.signed_fields, SLICE("From:From:Subject:Received:Received:"
	    "X-None"), "each as often as it is there, From always");
	tap_ok(sig.result == DKIM_PASS, "and it verifies");
}

static void
tags(struct arena *a)
{
	struct dkim_signer s = signer(LAB_RSA);
	struct dkim_signature sig;
	struct slice body, why = SLICE("");

	s.identity = SLICE("@mail.example.org");
	s.expires = NOW + 86400;
	sign(a, SLICE(HEAD), &s, &body, &why);
	tap_ok(verify(a, body, "", SLICE(HEAD), LAB_RSA, &sig) == DKIM_PASS,
	    "i= and x=");
	tap_is(sig.identity, s.identity, "i=");
	tap_ok(sig.time == NOW && sig.expires == NOW + 86400, "t= and x=");
	tap_is_int((long long)sig.b_short.len, 8, "b= for RFC 6008");
}

static void
refused(struct arena *a)
{
	struct dkim_signer s = signer(LAB_SMALL);
	struct slice body, why = SLICE("");
	struct buf many = buf_in(a);

	tap_ok(sign(a, SLICE(HEAD), &s, &body, &why) == RC_BAD, "%.*s",
	    SLICE_ARG(why));
	s = signer(LAB_RSA);
	s.algorithm = DKIM_ED25519_SHA256;
	tap_ok(sign(a, SLICE(HEAD), &s, &body, &why) == RC_BAD, "%.*s",
	    SLICE_ARG(why));
	s.algorithm = DKIM_RSA_SHA1;
	tap_ok(sign(a, SLICE(HEAD), &s, &body, &why) == RC_BAD, "%.*s",
	    SLICE_ARG(why));
	s = signer(LAB_RSA);
	s.key = NULL;
	tap_ok(sign(a, SLICE(HEAD), &s, &body, &why) == RC_BAD, "%.*s",
	    SLICE_ARG(why));
	s = signer(LAB_RSA);
	tap_ok(sign(a, SLICE("To: x\r\n"), &s, &body, &why) == RC_BAD, "%.*s",
	    SLICE_ARG(why));
	s.selector = SLICE("");
	tap_ok(sign(a, SLICE(HEAD), &s, &body, &why) == RC_BAD, "%.*s",
	    SLICE_ARG(why));
	s = signer(LAB_RSA);
	for (int i = 0; i < 600; i++)
		buf_adds(&many, "To: x\r\n");
	buf_adds(&many, HEAD);
	tap_ok(sign(a, buf_slice(&many), &s, &body, &why) == RC_BAD, "%.*s",
	    SLICE_ARG(why));
}

int
main(void)
{
	struct arena *a = arena_new();

	lab_open();
	each_way(a);
	oversigned(a);
	tags(a);
	refused(a);
	lab_close();
	arena_free(a);
	return tap_done();
}
