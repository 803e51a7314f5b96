/*
 * libopendkim behind its guards: the vectors of the RFCs, each trap, and our
 * own verifier on the same messages. Where the two differ, the table says so.
 */
#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "milters/auth-check/dkim_opendkim.h"
#include "t/dkim-lab.h"
#include "t/opendkim-lab.h"
#include "t/tap.h"
#include "text/transfer.h"

enum { NOW = 1700000000 };

static const char head[] =
    "From: Ann <ann@example.org>\r\n"
    "To: bob@example.net\r\n"
    "Subject: a  test \r\n\tof folds\r\n"
    "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n";
static const char body[] = "Hello  there \r\nsecond line\r\n\r\n";

#define TAGS	"v=1; a=rsa-sha256; d=example.org; s=sel; "
#define NOTE	"a key, and much is to be said about how it came to be, "
#define NOTES	NOTE NOTE NOTE NOTE NOTE NOTE NOTE NOTE NOTE NOTE
#define FROM	"h=from:to:subject:date; bh=%h; b=%b"

static struct dkim_opendkim *opendkim;
static struct opendkim_lab *lab;
static struct dkim_limits limits;

/* What DNS says, by name; NULL: nothing. */
struct zone {
	const struct dns_answer *answer;
	unsigned asked;
};

static const struct dns_answer *
look_up(void *arg, struct slice name)
{
	struct zone *zone = arg;

	(void)name;
	zone->asked++;
	return zone->answer;
}

/* Both engines on one message. */
struct both {
	struct dkim_signature *own, *other;
	size_t n;
};

static void
run(struct arena *a, const struct message *msg, arc_lookup *lookup, void *arg,
    const struct dkim_limits *l, struct both *r)
{
	struct dkim_bodies *bodies = dkim_bodies_new(a, msg);
	struct slice name;

	r->n = dkim_signatures(a, msg, l, &r->own);
	dkim_signatures(a, msg, l, &r->other);
	dkim_opendkim_verify(a, opendkim, msg, r->other, r->n, lookup, arg, l);
	for (size_t i = 0; i < r->n; i++) {
		const struct dns_answer *answer = NULL;

		if (dkim_key_name(a, &r->own[i], &name))
			answer = lookup(arg, name);
		dkim_verify(a, &r->own[i], msg, bodies, answer, NULL, l);
	}
}

static bool
same(const struct dkim_signature *x, const struct dkim_signature *y)
{
	return x->result == y->result && strcmp(x->rule, y->rule) == 0 &&
	    slice_eq(x->reason, y->reason) && x->key_bits == y->key_bits &&
	    x->testing == y->testing && x->partial == y->partial;
}

static void
expect(const struct dkim_signature *sig, enum dkim_result result,
    const char *rule, const char *engine, const char *name)
{
	tap_ok(sig->result == result && strcmp(sig->rule, rule) == 0,
	    "%s: %s says %s, %s (%.*s)", name, engine,
	    dkim_result_name(sig->result), sig->rule, SLICE_ARG(sig->reason));
}

/* The traps */

/* What happens to a message once it is signed. */
enum after { NOTHING, APPENDED, NO_CRLF, LF_FOLDS, BARE_CR, BARE_CR_LINES,
    NUL_BODY, NUL_FIELD, VT_FIELD, TAB_COLON, SECOND_FROM, NO_BODY,
    ODD_UNSIGNED };

static const struct trap {
	const char *name, *text;
	enum lab_key key;
	const char *record;
	enum after after;
	enum dkim_result own, guarded;
	const char *own_rule, *guarded_rule;
} traps[] = {
#define ALIKE(result, rule)	result, result, rule, rule
#define ENGINE(result, rule)	result, DKIM_NEUTRAL, rule, "engine"
	/* What it should do */
	{ "relaxed", TAGS "c=relaxed/relaxed; " FROM, LAB_RSA, NULL, NOTHING,
	  ALIKE(DKIM_PASS, "pass") },
	{ "simple", TAGS FROM, LAB_RSA, NULL, NOTHING,
	  ALIKE(DKIM_PASS, "pass") },
	{ "simple/relaxed", TAGS "c=simple/relaxed; " FROM, LAB_RSA, NULL,
	  NOTHING, ALIKE(DKIM_PASS, "pass") },
	{ "relaxed, which is relaxed/simple", TAGS "c=relaxed; " FROM, LAB_RSA,
	  NULL, NOTHING, ALIKE(DKIM_PASS, "pass") },
	{ "ed25519", "v=1; a=ed25519-sha256; d=example.org; s=sel; " FROM,
	  LAB_ED25519, NULL, NOTHING, ALIKE(DKIM_PASS, "pass") },
	{ "testing key", TAGS FROM, LAB_RSA, "t=y; p=%p", NOTHING,
	  ALIKE(DKIM_PASS, "pass") },
	{ "b= that is folded", TAGS "b=\r\n %b\r\n ; h=from;\r\n bh=%h",
	  LAB_RSA, NULL, NOTHING, ALIKE(DKIM_PASS, "pass") },

	/* Sizes of keys */
	{ "512 bits", TAGS FROM, LAB_SMALL, NULL, NOTHING,
	  ALIKE(DKIM_POLICY, "key-size") },
	{ "1024 bits", TAGS FROM, LAB_WEAK, NULL, NOTHING,
	  ALIKE(DKIM_PASS, "pass") },
	{ "3072 bits", TAGS FROM, LAB_LARGE, NULL, NOTHING,
	  ALIKE(DKIM_PASS, "pass") },

	/* l= */
	{ "l= covers all", TAGS "l=30; " FROM, LAB_RSA, NULL, NOTHING,
	  ALIKE(DKIM_PERMERROR, "length") },
	{ "l= is 28, all", TAGS "l=28; " FROM, LAB_RSA, NULL, NOTHING,
	  ALIKE(DKIM_PASS, "pass") },
	{ "l= and more text", TAGS "l=28; " FROM, LAB_RSA, NULL, APPENDED,
	  ALIKE(DKIM_POLICY, "partial") },
	{ "l=, relaxed, and more text", TAGS "c=relaxed/relaxed; l=26; " FROM,
	  LAB_RSA, NULL, APPENDED, ALIKE(DKIM_POLICY, "partial") },
	{ "l=, relaxed, covers all", TAGS "c=relaxed/relaxed; l=26; " FROM,
	  LAB_RSA, NULL, NOTHING, ALIKE(DKIM_PASS, "pass") },
	{ "l=0", TAGS "l=0; " FROM, LAB_RSA, NULL, NOTHING,
	  ALIKE(DKIM_POLICY, "partial") },
	{ "l= of 2^63", TAGS "l=9223372036854775808; " FROM, LAB_RSA, NULL,
	  NOTHING, ALIKE(DKIM_PERMERROR, "length") },
	{ "l= of 2^64 - 1", TAGS "l=18446744073709551615; " FROM, LAB_RSA,
	  NULL, NOTHING, ENGINE(DKIM_PERMERROR, "length") },

	/* The record */
	{ "k= is not a=", TAGS FROM, LAB_RSA, "k=ed25519; p=%p", NOTHING,
	  ALIKE(DKIM_PERMERROR, "key-syntax") },
	{ "a key of the other kind", TAGS FROM, LAB_ED25519, NULL, NOTHING,
	  ALIKE(DKIM_PERMERROR, "key-type") },
	{ "revoked", TAGS FROM, LAB_RSA, "p=", NOTHING,
	  ALIKE(DKIM_PERMERROR, "revoked") },
	{ "sha1 only", TAGS FROM, LAB_RSA, "h=sha1; p=%p", NOTHING,
	  ALIKE(DKIM_PERMERROR, "key-hash") },
	{ "not for mail", TAGS FROM, LAB_RSA, "s=tlsrpt; p=%p", NOTHING,
	  ALIKE(DKIM_PERMERROR, "key-service") },
	{ "t=s and a subdomain", TAGS "i=@a.example.org; " FROM, LAB_RSA,
	  "t=s; p=%p", NOTHING, ALIKE(DKIM_PERMERROR, "key-identity") },
	{ "t=s and i= with escapes", TAGS "i==61@example=2Eorg; " FROM,
	  LAB_RSA, "t=s; p=%p", NOTHING, ALIKE(DKIM_PASS, "pass") },
	{ "an old g=, which is history", TAGS FROM, LAB_RSA, "g=; p=%p",
	  NOTHING, ALIKE(DKIM_PASS, "pass") },
	{ "two p=", TAGS FROM, LAB_RSA, "v=DKIM1; p=; p=%p", NOTHING,
	  ALIKE(DKIM_PERMERROR, "key-syntax") },
	{ "version 2", TAGS FROM, LAB_RSA, "v=DKIM2; p=%p", NOTHING,
	  ALIKE(DKIM_PERMERROR, "key-version") },
	{ "notes of any length", TAGS FROM, LAB_RSA, "p=%p; n=" NOTES NOTES,
	  NOTHING, ALIKE(DKIM_PASS, "pass") },

	/* Lines and bytes */
	{ "folds with LF alone", TAGS "c=relaxed; " FROM, LAB_RSA, NULL,
	  LF_FOLDS, ALIKE(DKIM_PASS, "pass") },
	{ "no CRLF at the end", TAGS FROM, LAB_RSA, NULL, NO_CRLF,
	  ALIKE(DKIM_PASS, "pass") },
	{ "no CRLF at the end, relaxed", TAGS "c=relaxed/relaxed; " FROM,
	  LAB_RSA, NULL, NO_CRLF, ALIKE(DKIM_PASS, "pass") },
	{ "no body where one was", TAGS FROM, LAB_RSA, NULL, NO_BODY,
	  ALIKE(DKIM_FAIL, "body-hash") },
	{ "a bare CR", TAGS "c=relaxed/relaxed; " FROM, LAB_RSA, NULL, BARE_CR,
	  ENGINE(DKIM_FAIL, "body-hash") },
	{ "lines of CRs", TAGS FROM, LAB_RSA, NULL, BARE_CR_LINES,
	  ENGINE(DKIM_FAIL, "body-hash") },
	{ "a NUL in the body", TAGS FROM, LAB_RSA, NULL, NUL_BODY,
	  ALIKE(DKIM_FAIL, "body-hash") },
	{ "text behind a NUL", TAGS "c=relaxed; " FROM, LAB_RSA, NULL,
	  NUL_FIELD, ENGINE(DKIM_FAIL, "signature") },
	{ "a vertical tab", TAGS "c=relaxed; " FROM, LAB_RSA, NULL, VT_FIELD,
	  ENGINE(DKIM_FAIL, "signature") },
	{ "the same in a field that is not signed", TAGS "c=relaxed; " FROM,
	  LAB_RSA, NULL, ODD_UNSIGNED, ALIKE(DKIM_PASS, "pass") },
	{ "a tab before the colon", TAGS "c=relaxed; " FROM, LAB_RSA, NULL,
	  TAB_COLON, ENGINE(DKIM_PASS, "pass") },
	{ "a second From above", TAGS FROM, LAB_RSA, NULL, SECOND_FROM,
	  ALIKE(DKIM_POLICY, "duplicate") },

	/* The field of the signature */
	{ "blank before the = of b=", TAGS "h=from; bh=%h; b =%b", LAB_RSA,
	  NULL, NOTHING, ENGINE(DKIM_PASS, "pass") },
	{ "a tag that ends in b", TAGS "xb=y; " FROM, LAB_RSA, NULL, NOTHING,
	  ENGINE(DKIM_PASS, "pass") },
	{ "tags that differ in case only", TAGS "bH=eA==; " FROM, LAB_RSA,
	  NULL, NOTHING, ENGINE(DKIM_PASS, "pass") },
	{ "UTF-8 in i=", TAGS "i=\xc3\xa4@example.org; " FROM, LAB_RSA, NULL,
	  NOTHING, ENGINE(DKIM_PASS, "pass") },
	{ "a quoted @ in i=", TAGS "i=\"a@b\"@example.org; " FROM, LAB_RSA,
	  NULL, NOTHING, ENGINE(DKIM_PASS, "pass") },
	{ "h= names the signature", TAGS "h=from:dkim-signature; bh=%h; b=%b",
	  LAB_RSA, NULL, NOTHING, ENGINE(DKIM_PASS, "pass") },
	{ "h= names all and more", TAGS "h=from:to:subject:date:"
	  "dkim-signature:date:date; bh=%h; b=%b", LAB_RSA, NULL, NOTHING,
	  ENGINE(DKIM_PASS, "pass") },
	{ "q= of all sorts", TAGS "q=http/get:dns/txt; " FROM, LAB_RSA, NULL,
	  NOTHING, ALIKE(DKIM_PASS, "pass") },

	/* Time: ours, not its own */
	{ "of today", TAGS "t=1699999999; x=1700000001; " FROM, LAB_RSA, NULL,
	  NOTHING, ALIKE(DKIM_PASS, "pass") },
	{ "expired", TAGS "x=1699999999; " FROM, LAB_RSA, NULL, NOTHING,
	  ALIKE(DKIM_POLICY, "expired") },
	{ "of the future", TAGS "t=1700010000; " FROM, LAB_RSA, NULL, NOTHING,
	  ALIKE(DKIM_POLICY, "future") },
	{ "of 1970", TAGS "t=5; " FROM, LAB_RSA, NULL, NOTHING,
	  ENGINE(DKIM_PASS, "pass") },
	{ "expires in 20 digits", TAGS "x=18446744073709551616; " FROM,
	  LAB_RSA, NULL, NOTHING, ENGINE(DKIM_PASS, "pass") },
};

/* A byte of the head, found by what stands before it, becomes another text. */
static struct slice
change(struct arena *a, struct slice text, const char *what, struct slice with)
{
	return lab_replace(a, text, what, with);
}

static struct slice
lf_folds(struct arena *a, struct slice text)
{
	struct buf out = buf_in(a);

	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '\r')
			buf_addc(&out, text.ptr[i]);
	return buf_slice(&out);
}

static void
happen(struct arena *a, enum after after, struct slice *h, struct slice *b)
{
	struct buf more = buf_in(a);

	switch (after) {
	case APPENDED:
		*b = SLICE("Hello  there \r\nsecond line\r\nmore\r\n");
		break;
	case NO_CRLF:
		*b = SLICE("Hello  there \r\nsecond line");
		break;
	case NO_BODY:
		*b = SLICE("");
		break;
	case BARE_CR:
		*b = SLICE("Hello  the\rre \r\nsecond line\r\n\r\n");
		break;
	case BARE_CR_LINES:
		*b = SLICE("Hello  there \r\nsecond line\r\n\r\r\n");
		break;
	case NUL_BODY:
		*b = SLICE("Hello  there\0\r\nsecond line\r\n\r\n");
		break;
	case LF_FOLDS:
		*h = lf_folds(a, *h);
		break;
	case NUL_FIELD:
		*h = change(a, *h, "of folds", SLICE("of folds\0and more"));
		break;
	case VT_FIELD:
		*h = change(a, *h, "of folds", SLICE("of\vfolds"));
		break;
	case TAB_COLON:
		*h = change(a, *h, "To:", SLICE("To\t:"));
		break;
	case ODD_UNSIGNED:
		buf_add(&more, SLICE("X: a\0b\vc\rd\r\n"));
		buf_add(&more, *h);
		*h = buf_slice(&more);
		break;
	case SECOND_FROM:
		buf_adds(&more, "From: eve@example.com\r\n");
		buf_add(&more, *h);
		*h = buf_slice(&more);
		break;
	case NOTHING:
		break;
	}
}

static void
try_trap(const struct trap *t)
{
	struct arena *a = arena_new();
	struct zone zone = { lab_answer(a, lab_record(a, t->record, t->key)),
	    0 };
	struct slice b = slice_of(body), h = lab_sign(a, slice_of(head), b,
	    "DKIM-Signature", t->text, t->key);
	struct message msg;
	struct both r;

	happen(a, t->after, &h, &b);
	message_read(&msg, a, h, b, NULL);
	run(a, &msg, look_up, &zone, &limits, &r);
	tap_is_int((long long)r.n, 1, "%s: a signature", t->name);
	expect(&r.own[0], t->own, t->own_rule, "own", t->name);
	expect(&r.other[0], t->guarded, t->guarded_rule, "libopendkim",
	    t->name);
	if (t->own == t->guarded)
		tap_ok(same(&r.own[0], &r.other[0]), "%s: in all they say",
		    t->name);
	arena_free(a);
}

/*
 * What libopendkim says without guards: that they are needed. A message that
 * it takes for good, and what it says of some that are.
 */
static const struct {
	const char *name;
	const char *text;
	enum after after;
	int status;			/* DKIM_STAT */
} bare[] = {
	{ "a plain one", TAGS "c=relaxed/relaxed; " FROM, NOTHING, 0 },
	{ "text behind what l= covers", TAGS "l=28; " FROM, APPENDED, 0 },
	{ "text behind a NUL", TAGS "c=relaxed; " FROM, NUL_FIELD, 0 },
	{ "a vertical tab for a blank", TAGS "c=relaxed; " FROM, VT_FIELD, 0 },
	{ "lines of CRs", TAGS FROM, BARE_CR_LINES, 0 },
	{ "a bare CR", TAGS "c=relaxed/relaxed; " FROM, BARE_CR, 0 },
	{ "a second From", TAGS FROM, SECOND_FROM, 0 },
	{ "no CRLF at the end", TAGS "c=relaxed/relaxed; " FROM, NO_CRLF, 5 },
	{ "blank before the = of b=", TAGS "h=from; bh=%h; b =%b", NOTHING, 1 },
	{ "a tag that ends in b", TAGS "xb=y; " FROM, NOTHING, 1 },
};

static void
without_guards(void)
{
	for (size_t i = 0; i < sizeof bare / sizeof *bare; i++) {
		struct arena *a = arena_new();
		struct slice b = slice_of(body), h = lab_sign(a,
		    slice_of(head), b, "DKIM-Signature", bare[i].text,
		    LAB_RSA);
		struct message msg;

		happen(a, bare[i].after, &h, &b);
		message_read(&msg, a, h, b, NULL);
		tap_is_int(opendkim_lab_unguarded(lab, &msg,
		    lab_record(a, NULL, LAB_RSA)), bare[i].status,
		    "unguarded: %s", bare[i].name);
		arena_free(a);
	}
}

/* RFC 8301: it verifies, and must not count. */
static void
sha1(void)
{
	struct opendkim_want want = { .algorithm = DKIM_RSA_SHA1 };
	struct arena *a = arena_new();
	struct buf h = buf_in(a);
	struct message msg;
	struct both r;
	struct slice name = SLICE("rsa-sha256._domainkey.example.org");

	message_read(&msg, a, slice_of(head), slice_of(body), NULL);
	buf_add(&h, opendkim_lab_sign(lab, a, &msg, &want));
	buf_adds(&h, head);
	message_read(&msg, a, buf_slice(&h), slice_of(body), NULL);
	tap_is_int(opendkim_lab_unguarded(lab, &msg,
	    opendkim_lab_lookup(lab, name)->records[0].data), 0,
	    "unguarded: rsa-sha1 is good");
	run(a, &msg, opendkim_lab_lookup, lab, &limits, &r);
	expect(&r.other[0], DKIM_POLICY, "sha1", "libopendkim", "rsa-sha1");
	arena_free(a);
}

/* Answers of DNS */

static void
one_answer(const char *name, const struct dns_answer *answer,
    enum dkim_result result, const char *rule)
{
	struct arena *a = arena_new();
	struct zone zone = { answer, 0 };
	struct slice h = lab_sign(a, slice_of(head), slice_of(body),
	    "DKIM-Signature", TAGS FROM, LAB_RSA);
	struct message msg;
	struct both r;

	message_read(&msg, a, h, slice_of(body), NULL);
	run(a, &msg, look_up, &zone, &limits, &r);
	expect(&r.other[0], result, rule, "libopendkim", name);
	tap_ok(same(&r.own[0], &r.other[0]), "%s: own says the same", name);
	tap_is_int(zone.asked, 2, "%s: asked once each", name);
	arena_free(a);
}

static void
answers(struct arena *a)
{
	struct dns_record records[6];
	struct dns_answer many = { .records = records, .count = 2 };

	one_answer("no answer", NULL, DKIM_TEMPERROR, "dns");
	one_answer("a failure", &(struct dns_answer){ .status =
	    DNS_SERVFAIL }, DKIM_TEMPERROR, "dns");
	one_answer("a time-out", &(struct dns_answer){ .status =
	    DNS_TIMEOUT }, DKIM_TEMPERROR, "dns");
	one_answer("no such name", &(struct dns_answer){ .status =
	    DNS_NXDOMAIN }, DKIM_PERMERROR, "no-key");
	one_answer("no record", &(struct dns_answer){ .status =
	    DNS_NODATA }, DKIM_PERMERROR, "no-key");
	records[0].data = lab_record(a, NULL, LAB_OTHER);
	records[1].data = lab_record(a, NULL, LAB_RSA);
	one_answer("the second key is right", &many, DKIM_PASS, "pass");
	records[1].data = lab_record(a, "p=", LAB_RSA);
	one_answer("the first key's word stands", &many, DKIM_FAIL,
	    "signature");
	records[0].data = SLICE("v=spf1 -all");
	records[1].data = lab_record(a, NULL, LAB_RSA);
	one_answer("a record that is no key", &many, DKIM_PASS, "pass");
	for (size_t i = 0; i < 5; i++)
		records[i].data = lab_record(a, NULL, LAB_OTHER);
	records[5].data = lab_record(a, NULL, LAB_RSA);
	many.count = 6;
	one_answer("the sixth key is not tried", &many, DKIM_FAIL,
	    "signature");
}

/* RFC 6376 asks for an RSAPublicKey, and all the world has it wrapped. */
static void
naked_key(struct arena *a)
{
	struct zone zone = { 0 };
	unsigned char *der = NULL;
	int len = i2d_PublicKey(lab_pkey(LAB_RSA), &der);
	struct buf p = buf_in(a);
	struct slice h = lab_sign(a, slice_of(head), slice_of(body),
	    "DKIM-Signature", TAGS FROM, LAB_RSA);
	struct message msg;
	struct both r;

	buf_adds(&p, "p=");
	encode_base64(&p, slice_make(der, (size_t)len));
	OPENSSL_free(der);
	zone.answer = lab_answer(a, buf_slice(&p));
	message_read(&msg, a, h, slice_of(body), NULL);
	run(a, &msg, look_up, &zone, &limits, &r);
	expect(&r.own[0], DKIM_PASS, "pass", "own", "a naked key");
	expect(&r.other[0], DKIM_NEUTRAL, "engine", "libopendkim",
	    "a naked key");
}

/* Several signatures */

static void
expect_alike(const struct both *r, size_t i, enum dkim_result result,
    const char *name)
{
	tap_ok(r->own[i].result == result && same(&r->own[i], &r->other[i]),
	    "%s, %zu: own %s (%s), libopendkim %s (%s)", name, i,
	    dkim_result_name(r->own[i].result), r->own[i].rule,
	    dkim_result_name(r->other[i].result), r->other[i].rule);
}

/* One name, two keys: it would take the first for both. */
static void
two_algorithms(struct arena *a)
{
	struct dns_record records[2] = { { .data = lab_record(a, NULL,
	    LAB_RSA) }, { .data = lab_record(a, NULL, LAB_ED25519) } };
	struct dns_answer answer = { .records = records, .count = 2 };
	struct zone zone = { &answer, 0 };
	struct slice h = lab_sign(a, slice_of(head), slice_of(body),
	    "DKIM-Signature", TAGS FROM, LAB_RSA);
	struct message msg;
	struct both r;

	h = lab_sign(a, h, slice_of(body), "DKIM-Signature",
	    "v=1; a=ed25519-sha256; d=example.org; s=sel; c=relaxed/relaxed; "
	    FROM, LAB_ED25519);
	h = lab_sign(a, h, slice_of(body), "DKIM-Signature",
	    TAGS "c=relaxed/relaxed; " FROM, LAB_RSA);
	message_read(&msg, a, h, slice_of(body), NULL);
	run(a, &msg, look_up, &zone, &limits, &r);
	tap_is_int((long long)r.n, 3, "three signatures");
	for (size_t i = 0; i < r.n; i++)
		expect_alike(&r, i, DKIM_PASS, "two keys of one name");
}

/* One that signs another, as it is, changed, and beside a malformed one. */
static void
signed_signature(struct arena *a)
{
	struct zone zone = { lab_answer(a, lab_record(a, NULL, LAB_RSA)), 0 };
	struct slice inner = lab_sign(a, slice_of(head), slice_of(body),
	    "DKIM-Signature", TAGS FROM, LAB_RSA), h;
	struct buf broken = buf_in(a);
	struct message msg;
	struct both r;

	h = lab_sign(a, inner, slice_of(body), "DKIM-Signature", TAGS
	    "h=from:dkim-signature; bh=%h; b=%b", LAB_RSA);
	message_read(&msg, a, h, slice_of(body), NULL);
	run(a, &msg, look_up, &zone, &limits, &r);
	expect_alike(&r, 0, DKIM_PASS, "signs another");
	expect_alike(&r, 1, DKIM_PASS, "signed by another");
	buf_add(&broken, h);
	buf_adds(&broken, "DKIM-Signature: v=1; nonsense\r\n");
	message_read(&msg, a, buf_slice(&broken), slice_of(body), NULL);
	run(a, &msg, look_up, &zone, &limits, &r);
	expect(&r.own[0], DKIM_FAIL, "signature", "own", "with a third one");
	expect(&r.other[0], DKIM_NEUTRAL, "engine", "libopendkim",
	    "with a third one");
	expect_alike(&r, 1, DKIM_PASS, "with a third one");
	expect_alike(&r, 2, DKIM_PERMERROR, "the third one");
}

/* 500: ten are looked at. */
static void
many_signatures(struct arena *a)
{
	struct zone zone = { lab_answer(a, lab_record(a, NULL, LAB_RSA)), 0 };
	struct slice h = lab_sign(a, slice_of(head), slice_of(body),
	    "DKIM-Signature", TAGS "c=relaxed/relaxed; " FROM, LAB_RSA);
	struct slice one = slice_sub(h, 0, h.len - strlen(head));
	struct dkim_signature *list;
	struct buf all = buf_in(a);
	struct message msg;
	size_t passed = 0, limited = 0, n;
	int64_t start;

	for (int i = 0; i < 500; i++)
		buf_add(&all, one);
	buf_adds(&all, head);
	message_read(&msg, a, buf_slice(&all), slice_of(body), NULL);
	start = clock_mono_us();
	n = dkim_signatures(a, &msg, &limits, &list);
	dkim_opendkim_verify(a, opendkim, &msg, list, n, look_up, &zone,
	    &limits);
	tap_diag("500 signatures: %lld us",
	    (long long)(clock_mono_us() - start));
	for (size_t i = 0; i < n; i++) {
		passed += list[i].result == DKIM_PASS;
		limited += list[i].result == DKIM_POLICY &&
		    strcmp(list[i].rule, "limit") == 0;
	}
	tap_ok(n == 500 && passed == 10 && limited == 490 && zone.asked == 10,
	    "500 signatures: ten are verified");
	for (size_t i = 0; i < n; i++)
		list[i].result = DKIM_NONE;
	dkim_opendkim_verify(a, opendkim, &msg, list, n, look_up, &zone,
	    &limits);
	tap_ok(list[10].result == DKIM_POLICY,
	    "ten, however many it is given");
}

/* All that costs at once: ten signatures, four wrong keys each of one name,
 * long h=, each its own l=. */
static void
worst(struct arena *a, int names_count, const char *rule)
{
	struct dns_record records[4];
	struct dns_answer answer = { .records = records, .count = 4 };
	struct zone zone = { &answer, 0 };
	struct buf h = buf_in(a), names = buf_in(a);
	struct dkim_signature *list;
	struct message msg;
	int64_t start;
	size_t n;

	for (size_t i = 0; i < 4; i++)
		records[i].data = lab_record(a, NULL, i % 2 == 0 ? LAB_OTHER :
		    LAB_ED25519);
	for (int i = 0; i < names_count; i++)
		buf_adds(&names, ":x");
	for (int i = 0; i < 10; i++)
		buf_addf(&h, "DKIM-Signature: v=1; a=%s; d=example.org; s=sel;"
		    " c=relaxed/relaxed; l=%d; h=from%.*s; bh=eA==; b=eA==\r\n",
		    i % 2 == 0 ? "rsa-sha256" : "ed25519-sha256", i,
		    SLICE_ARG(buf_slice(&names)));
	for (int i = 0; i < 1900; i++)
		buf_addf(&h, "X: %0500d\r\n", i);
	buf_adds(&h, head);
	message_read(&msg, a, buf_slice(&h), slice_of(body), NULL);
	start = clock_mono_us();
	n = dkim_signatures(a, &msg, &limits, &list);
	dkim_opendkim_verify(a, opendkim, &msg, list, n, look_up, &zone,
	    &limits);
	tap_diag("ten signatures, %d names, 1900 fields: %lld us", names_count,
	    (long long)(clock_mono_us() - start));
	tap_ok(n == 10 && strcmp(list[0].rule, rule) == 0,
	    "%d names of 1900 fields: %s", names_count, list[0].rule);
}

/* Policy of the site */

static void
policies(struct arena *a)
{
	struct zone zone = { lab_answer(a, lab_record(a, NULL, LAB_WEAK)), 0 };
	struct dkim_limits l = limits;
	struct slice h = lab_sign(a, slice_of(head), slice_of(body),
	    "DKIM-Signature", TAGS "l=10; " FROM, LAB_WEAK);
	struct message msg;
	struct both r;

	message_read(&msg, a, h, slice_of(body), NULL);
	l.allow_partial = true;
	run(a, &msg, look_up, &zone, &l, &r);
	expect_alike(&r, 0, DKIM_PASS, "a part may do");
	tap_ok(r.other[0].partial && r.other[0].key_bits == 1024,
	    "and is named so");
	l.min_rsa_bits = 2048;
	run(a, &msg, look_up, &zone, &l, &r);
	expect_alike(&r, 0, DKIM_POLICY, "1024 bits may not do");
	l.min_rsa_bits = 512;
	l.now = NOW + 20 * 365 * 86400LL;
	run(a, &msg, look_up, &zone, &l, &r);
	expect_alike(&r, 0, DKIM_PASS, "in twenty years");
	h = lab_sign(a, slice_of(head), slice_of(body), "DKIM-Signature",
	    TAGS "t=2330000000; x=2330000100; " FROM, LAB_WEAK);
	message_read(&msg, a, h, slice_of(body), NULL);
	run(a, &msg, look_up, &zone, &l, &r);
	tap_ok(same(&r.own[0], &r.other[0]), "its clock is not asked");
}

/* Header blocks that are none */
static const char *const ugly[] = {
	"", ":\r\n", "\r\n", "From\r\n", "From:\r\n", "From: @@@<>,,\r\n",
	"From: \"unclosed\r\n", "From: (((((\r\n", " leading\r\nFrom: a@b\r\n",
	"From mbox line: 1\r\nFrom: a@b\r\n", "a;b: c\r\nFrom: a@b\r\n",
	"From: a@b\r\nFrom: c@d\r\n", "From: \xff\xfe\r\n", "From: a@b",
	"From: <\r\n", "From: \\\r\n", "From: \"a\\\r\n", "From: a:b;\r\n",
};

static void
ugly_heads(void)
{
	for (size_t i = 0; i < sizeof ugly / sizeof *ugly; i++) {
		struct arena *a = arena_new();
		struct zone zone = { lab_answer(a, lab_record(a, NULL,
		    LAB_RSA)), 0 };
		struct slice h = lab_sign(a, slice_of(ugly[i]),
		    slice_of(body), "DKIM-Signature", TAGS "c=relaxed; h=from:"
		    "x; bh=%h; b=%b", LAB_RSA);
		struct message msg;
		struct both r;

		message_read(&msg, a, h, slice_of(body), NULL);
		run(a, &msg, look_up, &zone, &limits, &r);
		tap_ok(r.n == 1 && same(&r.own[0], &r.other[0]),
		    "ugly header %zu: own %s (%s), libopendkim %s (%.*s)", i,
		    dkim_result_name(r.own[0].result), r.own[0].rule,
		    dkim_result_name(r.other[0].result),
		    SLICE_ARG(r.other[0].reason));
		arena_free(a);
	}
}

/* The vectors */

/* As long as the arena. */
static struct slice
data_file(struct arena *a, const char *name)
{
	union { const char *in; void *out; } u;
	struct slice text;
	char path[4096];

	snprintf(path, sizeof path, "%s/rfc-vectors/dkim/%s", tap_data(),
	    name);
	text = tap_file(path);
	u.in = text.ptr;
	arena_defer(a, free, u.out);
	return text;
}

static const struct dns_answer *
look_up_vector(void *arg, struct slice name)
{
	struct slice rest = data_file(arg, "keys.tsv"), line, txt;

	while (slice_line(&rest, &line))
		if (slice_eq(slice_cut(line, '\t', &txt), name))
			return lab_answer(arg, txt);
	return NULL;
}

static void
vector(const char *file, size_t want)
{
	struct arena *a = arena_new();
	struct slice h, b;
	struct message msg;
	struct both r;

	message_split(a, data_file(a, file), &h, &b);
	message_read(&msg, a, h, b, NULL);
	run(a, &msg, look_up_vector, a, &limits, &r);
	tap_is_int((long long)r.n, (long long)want, "%s: signatures", file);
	for (size_t i = 0; i < r.n; i++)
		expect_alike(&r, i, DKIM_PASS, file);
	arena_free(a);
}

/* One handle, many threads */

enum { THREADS = 8, TIMES = 50 };

static void *
thread(void *arg)
{
	const struct message *shared = arg;
	struct dkim_limits l = limits;
	uintptr_t bad = 0;

	l.now = clock_wall();		/* the signer knows no other */

	for (int i = 0; i < TIMES; i++) {
		struct arena *a = arena_new();
		struct dkim_signature *list;
		struct message msg;
		size_t n;

		message_read(&msg, a, shared->head, shared->body, NULL);
		n = dkim_signatures(a, &msg, &l, &list);
		dkim_opendkim_verify(a, opendkim, &msg, list, n,
		    opendkim_lab_lookup, lab, &l);
		bad += n != 2 || list[0].result != DKIM_PASS ||
		    list[1].result != DKIM_PASS;
		arena_free(a);
	}
	return (void *)bad;
}

static void
threads(struct arena *a)
{
	struct opendkim_want want = { .algorithm = DKIM_RSA_SHA256 };
	pthread_t id[THREADS];
	struct buf h = buf_in(a);
	struct message msg;
	uintptr_t bad = 0;

	message_read(&msg, a, slice_of(head), slice_of(body), NULL);
	buf_add(&h, opendkim_lab_sign(lab, a, &msg, &want));
	want.algorithm = DKIM_ED25519_SHA256;
	want.body = DKIM_RELAXED;
	buf_add(&h, opendkim_lab_sign(lab, a, &msg, &want));
	buf_adds(&h, head);
	message_read(&msg, a, buf_slice(&h), slice_of(body), NULL);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&id[i], NULL, thread, &msg);
	for (size_t i = 0; i < THREADS; i++) {
		void *came;

		pthread_join(id[i], &came);
		bad += (uintptr_t)came;
	}
	tap_is_int((long long)bad, 0, "eight threads, one handle");
}

int
main(void)
{
	struct arena *a = arena_new();

	lab_open();
	lab = opendkim_lab_open();
	opendkim = dkim_opendkim_open();
	limits = dkim_limits_default;
	limits.now = NOW;
	tap_ok(opendkim != NULL, "libopendkim starts");
	for (size_t i = 0; i < sizeof traps / sizeof *traps; i++)
		try_trap(&traps[i]);
	without_guards();
	sha1();
	answers(a);
	naked_key(a);
	two_algorithms(a);
	signed_signature(a);
	many_signatures(a);
	worst(a, 50, "signature");
	worst(a, 490, "engine");
	policies(a);
	ugly_heads();
	threads(a);
	if (tap_data() != NULL) {
		vector("rfc6376-A.2.eml", 1);
		vector("rfc8463-A.3.eml", 2);
	} else {
		tap_skip(1, "no data folder: the vectors of the RFCs");
	}
	dkim_opendkim_close(opendkim);
	dkim_opendkim_close(NULL);
	opendkim_lab_close(lab);
	lab_close();
	arena_free(a);
	return tap_done();
}
