/* Conditions of rules: each kind, each pattern, all, any and not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "milters/predelivery/country.h"
#include "milters/predelivery/language.h"
#include "milters/predelivery/rules_find.h"
#include "t/rules-stage.h"
#include "t/tap.h"

#define HEAD	"Received: from x (x [192.0.2.1])\r\n" \
	"From: \"A, B\" <Boss@Mail.Sender.test>\r\n" \
	"To: us@our.test\r\n" \
	"Subject: =?UTF-8?Q?Rechnung_f=C3=BCr?= =?UTF-8?Q?_M=C3=A4rz?= 42\r\n" \
	"X-List: one\r\nX-List: two\r\n" \
	"MIME-Version: 1.0\r\n" \
	"Content-Type: multipart/mixed; boundary=b\r\n"
#define BODY	"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n" \
	"Sehr geehrte Damen und Herren, anbei senden wir Ihnen die Rechnung " \
	"f\xc3\xbcr den letzten Monat. Bitte zahlen Sie sie bald.\r\n" \
	"--b\r\nContent-Type: application/pdf; name=\"Rechnung.PDF\"\r\n" \
	"Content-Disposition: attachment\r\n\r\nxx\r\n--b--\r\n"

/* One condition, and whether the message above meets it. */
static const struct {
	const char *when;
	enum truth want;
} leaves[] = {
	{ "direction = \"in\"", TRUTH_YES },
	{ "direction = \"out\"", TRUTH_NO },
	{ "direction = [ \"internal\", \"in\" ]", TRUTH_YES },

	{ "header = { name = \"x-list\"; }", TRUTH_YES },
	{ "header = { name = \"X-Absent\"; }", TRUTH_NO },
	{ "header = { name = \"X-List\"; exact = \"TWO\"; }", TRUTH_YES },
	{ "header = { name = \"X-List\"; exact = \"TWO\"; case = true; }",
	  TRUTH_NO },
	{ "header = { name = \"X-List\"; exact = [ \"no\", \"one\" ]; }",
	  TRUTH_YES },
	{ "header = { name = \"X-List\"; exact = \"tw\"; }", TRUTH_NO },

	{ "subject = \"Rechnung f\303\274r M\303\244rz 42\"", TRUTH_YES },
	{ "subject = { prefix = \"rechnung\"; }", TRUTH_YES },
	{ "subject = { prefix = \"echnung\"; }", TRUTH_NO },
	{ "subject = { suffix = \"42\"; }", TRUTH_YES },
	{ "subject = { suffix = \"4\"; }", TRUTH_NO },
	{ "subject = { contains = \"R M\303\244R\"; }", TRUTH_YES },
	{ "subject = { contains = \"rechnungen\"; }", TRUTH_NO },
	{ "subject = { wildcard = \"*f\303\274r*4?\"; }", TRUTH_YES },
	{ "subject = { wildcard = \"rechnung\"; }", TRUTH_NO },
	{ "subject = { regex = \"m\303\204rz\\\\s+\\\\d{2}$\"; }", TRUTH_YES },
	{ "subject = { regex = \"^f\303\274r\"; }", TRUTH_NO },
	{ "subject = { regex = \"nichts|m\303\244rz\"; }", TRUTH_YES },

	{ "envelope_sender = \"A@Sender.TEST\"", TRUTH_YES },
	{ "envelope_sender = { domain = \"sender.test\"; }", TRUTH_YES },
	{ "envelope_sender = { domain = \".test\"; }", TRUTH_YES },
	{ "envelope_sender = { domain = \".sender.test\"; }", TRUTH_NO },
	{ "envelope_sender = \"\"", TRUTH_NO },
	{ "from = \"boss@mail.sender.test\"", TRUTH_YES },
	{ "from = { domain = \"sender.test\"; }", TRUTH_NO },
	{ "from = { domain = \".sender.test\"; }", TRUTH_YES },
	{ "from = { prefix = \"boss@\"; }", TRUTH_YES },
	{ "recipient = \"us@our.test\"", TRUTH_YES },
	{ "recipient = { wildcard = \"*@other.test\"; }", TRUTH_NO },

	{ "network = \"192.0.2.0/24\"", TRUTH_YES },
	{ "network = [ \"10.0.0.0/8\", \"2001:db8::/32\" ]", TRUTH_NO },

	{ "size = { over = \"100\"; }", TRUTH_YES },
	{ "size = { over = \"1M\"; }", TRUTH_NO },
	{ "size = { under = \"1k\"; over = \"10\"; }", TRUTH_YES },
	{ "size = { under = 10; }", TRUTH_NO },

	{ "attachment = true", TRUTH_YES },
	{ "attachment = { name = { suffix = \".pdf\"; }; }", TRUTH_YES },
	{ "attachment = { name = { suffix = \".exe\"; }; }", TRUTH_NO },
	{ "attachment = { type = \"application/pdf\"; }", TRUTH_YES },
	{ "attachment = { name = { suffix = \".pdf\"; }; type = \"image/png\"; "
	  "}", TRUTH_NO },

	{ "encrypted = \"any\"", TRUTH_NO },
	{ "signed = \"any\"", TRUTH_NO },
	{ "language = \"de\"", TRUTH_YES },
	{ "language = [ \"fr\", \"en\" ]", TRUTH_NO },
	{ "finding = { filter = \"auth-check\"; key = \"dmarc\"; }",
	  TRUTH_YES },
	{ "finding = { filter = \"auth-check\"; key = \"dmarc\"; "
	  "exact = \"fail\"; }", TRUTH_YES },
	{ "finding = { filter = \"auth-check\"; key = \"spf\"; "
	  "exact = \"fail\"; }", TRUTH_NO },

	{ "schedule = { weekdays = \"tue\"; }", TRUTH_YES },
	{ "schedule = { weekdays = [ \"mon\", \"wed\" ]; }", TRUTH_NO },
	{ "schedule = { hours = \"08:00-17:00\"; }", TRUTH_YES },
	{ "schedule = { hours = \"22:00-12:00\"; }", TRUTH_NO },
	{ "schedule = { hours = \"22:00-12:01\"; weekdays = \"mon\"; }",
	  TRUTH_YES },
	{ "schedule = { first = \"2026-11-24\"; last = \"2026-11-24\"; }",
	  TRUTH_YES },
	{ "schedule = { first = \"2026-11-25\"; }", TRUTH_NO },

	{ "all = ( { direction = \"in\"; }, { attachment = true; } )",
	  TRUTH_YES },
	{ "any = ( { direction = \"out\"; }, { attachment = true; } )",
	  TRUTH_YES },
	{ "any = ( { direction = \"out\"; }, { encrypted = \"any\"; } )",
	  TRUTH_NO },
	{ "not = { direction = \"out\"; }", TRUTH_YES },
	{ "not = { direction = \"in\"; attachment = true; }", TRUTH_NO },
	{ "direction = \"in\"; attachment = true; not = { signed = \"any\"; }",
	  TRUTH_YES },
};

static const struct finding findings[] = {
	{ { "auth-check", 10 }, { "dmarc", 5 }, { "fail", 4 } },
};

static struct slice
one_rule(struct arena *a, const char *when)
{
	return arena_printf(a, "rules = ( { name = \"r\"; mode = \"active\"; "
	    "when = { %s; }; then = { reject = true; }; } );", when);
}

/* The plain truth of the rule, and that the prefilter did not hide it. */
static void
check_leaf(struct stage *s, const char *when, enum truth want)
{
	struct slice text = one_rule(s->arena, when);
	struct facts *f = arena_alloc(s->arena, sizeof *f);
	struct notes n;

	if (stage_rules(s, text.ptr) != RC_OK) {
		tap_ok(false, "%s: %.*s", when, SLICE_ARG(s->why));
		return;
	}
	facts_init(f, &s->job, NULL, 0);
	notes_init(&n, s->shared.rules, f);
	notes_recipient(&n, 0, RULE_IN);
	tap_is_int(rules_when(&n, &s->shared.rules->all[0]), want, "%s", when);
	tap_is_int(stage_decide(s)->all.action, want == TRUTH_YES ? REJECT :
	    ACCEPT, "and so it is decided");
}

static void
test_leaves(void)
{
	struct stage s;

	stage_begin(&s, HEAD, BODY);
	s.job.findings = findings;
	s.job.nfindings = 1;
	for (size_t i = 0; i < sizeof leaves / sizeof *leaves; i++)
		check_leaf(&s, leaves[i].when, leaves[i].want);
	stage_end(&s);
	stage_begin(&s, "From: x\r\n", "");
	s.envelope.sender = SLICE("");
	check_leaf(&s, "envelope_sender = \"\"", TRUTH_YES);
	check_leaf(&s, "attachment = true", TRUTH_NO);
	check_leaf(&s, "subject = { wildcard = \"*\"; }", TRUTH_NO);
	check_leaf(&s, "language = \"unknown\"", TRUTH_YES);
	stage_end(&s);
}

/* ---- direction of each recipient ---- */

static void
test_direction(void)
{
	struct stage s;
	struct plan *p;

	stage_begin(&s, HEAD, BODY);
	s.job.direction = DIRECTION_OUT;
	stage_to(&s, "b@far.test");
	stage_rules(&s, one_rule(s.arena, "direction = \"internal\"").ptr);
	p = stage_decide(&s);
	tap_is_int(plan_verdict(p, 0)->action, REJECT, "internal: one of us");
	tap_is_int(plan_verdict(p, 1)->action, ACCEPT, "and nobody else");
	stage_end(&s);
}

/* ---- what is encrypted or signed ---- */

#define MIXED	"MIME-Version: 1.0\r\n"

static const struct {
	const char *name, *head, *body;
	unsigned want;
} crypto[] = {
	{ "enveloped S/MIME", MIXED "Content-Type: application/pkcs7-mime; "
	  "smime-type=enveloped-data; name=smime.p7m\r\n", "xx\r\n",
	  CRYPTO_SMIME_ENCRYPTED },
	{ "opaque signed S/MIME", MIXED "Content-Type: "
	  "application/x-pkcs7-mime; smime-type=signed-data\r\n", "xx\r\n",
	  CRYPTO_SMIME_SIGNED },
	{ "no smime-type: by its content", MIXED "Content-Type: "
	  "application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n",
	  "MIAGCSqGSIb3DQEHAqCAMIACAQ==\r\n", CRYPTO_SMIME_SIGNED },
	{ "a file of that name", MIXED "Content-Type: "
	  "application/octet-stream; name=smime.p7m\r\n"
	  "Content-Transfer-Encoding: base64\r\n",
	  "MIAGCSqGSIb3DQEHA6CAMIACAQ==\r\n", CRYPTO_SMIME_ENCRYPTED },
	{ "certificates alone are neither", MIXED "Content-Type: "
	  "application/pkcs7-mime; smime-type=certs-only\r\n", "xx\r\n", 0 },
	{ "clear signed S/MIME", MIXED "Content-Type: multipart/signed; "
	  "protocol=\"application/pkcs7-signature\"; boundary=b\r\n",
	  "--b\r\n\r\nx\r\n--b--\r\n", CRYPTO_SMIME_SIGNED },
	{ "PGP/MIME encrypted", MIXED "Content-Type: multipart/encrypted; "
	  "protocol=\"application/pgp-encrypted\"; boundary=b\r\n",
	  "--b\r\n\r\nx\r\n--b--\r\n", CRYPTO_PGP_ENCRYPTED },
	{ "PGP/MIME signed", MIXED "Content-Type: multipart/signed; "
	  "protocol=\"application/pgp-signature\"; boundary=b\r\n",
	  "--b\r\n\r\nx\r\n--b--\r\n", CRYPTO_PGP_SIGNED },
	{ "armour in the text", "Subject: x\r\n",
	  "-----BEGIN PGP MESSAGE-----\r\n\r\nxx\r\n", CRYPTO_INLINE_ENCRYPTED },
	{ "a signed text", "Subject: x\r\n", "hi\r\n"
	  "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n",
	  CRYPTO_INLINE_SIGNED },
	{ "a quoted one is none", "Subject: x\r\n",
	  "> -----BEGIN PGP MESSAGE-----\r\n", 0 },
	{ "a public key is none", "Subject: x\r\n",
	  "-----BEGIN PGP PUBLIC KEY BLOCK-----\r\n", 0 },
};

static void
test_crypto(void)
{
	for (size_t i = 0; i < sizeof crypto / sizeof *crypto; i++) {
		struct stage s;

		stage_begin(&s, crypto[i].head, crypto[i].body);
		tap_is_int(crypto_look(&s.msg, s.arena), crypto[i].want, "%s",
		    crypto[i].name);
		check_leaf(&s, "encrypted = \"any\"", (crypto[i].want &
		    CRYPTO_ENCRYPTED) != 0 ? TRUTH_YES : TRUTH_NO);
		check_leaf(&s, "signed = [ \"smime\", \"pgp\" ]",
		    (crypto[i].want & (CRYPTO_SMIME_SIGNED |
		    CRYPTO_PGP_SIGNED)) != 0 ? TRUTH_YES : TRUTH_NO);
		stage_end(&s);
	}
}

/* ---- a limit is an answer of its own ---- */

static void
test_bombs(void)
{
	static const char *const bombs[] = { "(a+)+$", "(a|aa)+$",
	    "^(([a-z])+.)+[A-Z]([a-z])+$", "^(a|a?)+$",
	    "((a*)*)*[bc]$" };
	struct stage s;
	char head[4000];

	strcpy(head, "Subject: ");
	memset(head + 9, 'a', 3000);
	strcpy(head + 3009, "!\r\n");
	stage_begin(&s, head, "");
	for (size_t i = 0; i < sizeof bombs / sizeof *bombs; i++) {
		struct slice when = arena_printf(s.arena,
		    "subject = { regex = \"%s\"; }", bombs[i]);
		struct plan *p;
		int64_t worked = tap_worked();

		stage_rules(&s, one_rule(s.arena, when.ptr).ptr);
		p = stage_decide(&s);
		tap_ok(p->all.action == QUARANTINE &&
		    p->all.cause == CAUSE_UNSCANNABLE, "%s is not decided: "
		    "%.*s", bombs[i], SLICE_ARG(p->all.reason));
		tap_is(stage_fact(p, "gatehouse.rules.undecided"),
		    SLICE("r"), "which is told");
		tap_ok(tap_worked() - worked < 2000, "and bounded");
	}
	stage_end(&s);
}

static void
test_undecided(void)
{
	static const struct {
		const char *policy;
		enum action want;
	} cases[] = { { "", QUARANTINE }, { "undecided = \"tempfail\";",
	    TEMPFAIL }, { "undecided = \"match\";", REJECT },
	    { "undecided = \"skip\";", ACCEPT },
	    { "mode = \"shadow\";", ACCEPT } };
	struct stage s;

	stage_begin(&s, "Subject: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaa!\r\n", "");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct slice text = arena_printf(s.arena, "rules = ( { name = "
		    "\"r\"; %s %s when = { subject = { regex = \"(a+)+$\"; }; "
		    "}; then = { reject = true; }; } );",
		    i < 4 ? "mode = \"active\";" : "", cases[i].policy);
		struct plan *p;

		if (stage_rules(&s, text.ptr) != RC_OK)
			tap_ok(false, "%.*s", SLICE_ARG(s.why));
		p = stage_decide(&s);
		tap_is_int(p->all.action, cases[i].want, "undecided: \"%s\"",
		    cases[i].policy);
		tap_is(stage_fact(p, "gatehouse.rules.undecided"),
		    SLICE("r"), "and told");
	}
	/* What is no for sure needs no regular expression. */
	stage_rules(&s, one_rule(s.arena, "subject = { regex = \"(a+)+$\"; }; "
	    "direction = \"out\"").ptr);
	tap_is_int(stage_decide(&s)->all.action, ACCEPT,
	    "no is no, whatever else could not be decided");
	stage_end(&s);
}

/* ---- all, any and not against what they mean ---- */

static unsigned seed = 1;

static unsigned
any_of(unsigned n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

/* Leaves whose truth is known: the word is in the subject or it is not; two
 * patterns to a leaf, since an `or` of patterns is prefiltered as well. */
static const char *const words[] = { "alpha", "beta", "gamma", "delta",
    "epsilon", "zeta" };

enum { WORDS = sizeof words / sizeof words[0] };

struct model {
	unsigned present;		/* 1 << word: in the subject */
	struct buf text;
};

static bool make_group(struct model *m, unsigned depth);

static bool
make_leaf(struct model *m, const char *name)
{
	unsigned a = any_of(WORDS), b = any_of(WORDS);
	static const char *const forms[][2] = { { "contains", "" },
	    { "wildcard", "*" }, { "regex", "" } };
	const char *const *form = forms[any_of(3)];

	buf_addf(&m->text, "%s = { name = \"X-Words\"; %s = [ \"%s%s%s\", "
	    "\"%s%s%s\" ]; }; ", name, form[0], form[1], words[a], form[1],
	    form[1], words[b], form[1]);
	return (m->present >> a & 1) || (m->present >> b & 1);
}

static bool
make_list(struct model *m, bool all, unsigned depth)
{
	bool truth = all;
	unsigned n = 1 + any_of(3);

	buf_adds(&m->text, all ? "all = ( " : "any = ( ");
	for (unsigned i = 0; i < n; i++) {
		bool one;

		buf_adds(&m->text, i > 0 ? ", { " : "{ ");
		one = make_group(m, depth + 1);
		buf_adds(&m->text, "} ");
		truth = all ? truth && one : truth || one;
	}
	buf_adds(&m->text, "); ");
	return truth;
}

static bool
make_group(struct model *m, unsigned depth)
{
	bool truth = true, some = false;

	if (depth < 4 && any_of(2)) {
		truth = make_list(m, true, depth) && truth;
		some = true;
	}
	if (depth < 4 && any_of(2)) {
		truth = make_list(m, false, depth) && truth;
		some = true;
	}
	if (depth < 4 && any_of(3) == 0) {
		bool one;

		buf_adds(&m->text, "not = { ");
		one = make_group(m, depth + 1);
		buf_adds(&m->text, "}; ");
		truth = truth && !one;
		some = true;
	}
	if (!some || any_of(2))
		truth = make_leaf(m, "header") && truth;
	return truth;
}

static void
test_model(void)
{
	unsigned wrong = 0, yes = 0, refused = 0;

	for (unsigned i = 0; i < 1500; i++) {
		struct model m = { .present = any_of(1 << WORDS) };
		struct buf head = { .ptr = NULL };
		struct stage s;
		bool want;

		buf_adds(&head, "X-Words:");
		for (unsigned w = 0; w < WORDS; w++)
			if (m.present >> w & 1)
				buf_addf(&head, " %s", words[w]);
		buf_add(&head, SLICE("\r\n\0"));
		stage_begin(&s, head.ptr, "");
		want = make_group(&m, 0);
		m.text.len -= 2;	/* one_rule brings the last "; " */
		buf_addc(&m.text, '\0');
		/* No rule has more than a hundred conditions. */
		if (stage_rules(&s, one_rule(s.arena, m.text.ptr).ptr) !=
		    RC_OK)
			refused += slice_search(s.why, SLICE("more than 100 "
			    "conditions")) < s.why.len ? 1 : 10000;
		else if ((stage_decide(&s)->all.action == REJECT) != want &&
		    wrong++ < 3)
			tap_diag("%s with %s", m.text.ptr, head.ptr);
		yes += want;
		buf_free(&m.text);
		buf_free(&head);
		stage_end(&s);
	}
	tap_is_int(wrong, 0, "all, any and not mean what they say");
	tap_ok(yes > 200 && yes < 1300, "of both kinds (%u yes)", yes);
	tap_ok(refused < 300, "nearly all are rules (%u have too many "
	    "conditions)", refused);
}

/* ---- many rules: the prefilter hides none that matches ---- */

static const char *const conditions[] = {
	"from = \"%s@sender.test\"", "from = { domain = \".%s.test\"; }",
	"envelope_sender = { domain = [ \"%s.test\", \"x.test\" ]; }",
	"recipient = { prefix = \"%s\"; }", "recipient = \"%s@our.test\"",
	"subject = { contains = \"%s\"; }", "subject = { suffix = \"%s\"; }",
	"subject = { regex = \"\\\\b%s\\\\b\"; }",
	"header = { name = \"X-%s\"; }",
	"header = { name = \"X-Words\"; wildcard = \"*%s?\"; }",
	"attachment = { name = { prefix = \"%s\"; }; }",
	"not = { subject = { contains = \"%s\"; }; }",
	"any = ( { subject = { contains = \"%s\"; }; }, { from = \"a@b.c\"; } )",
};

enum { CONDITIONS = sizeof conditions / sizeof conditions[0] };

static void
add_condition(struct buf *out, const char *form, const char *what)
{
	for (; *form != '\0'; form++) {
		if (form[0] == '%' && form[1] == 's') {
			buf_adds(out, what);
			form++;
		} else {
			buf_addc(out, *form);
		}
	}
	buf_adds(out, "; ");
}

/* Two conditions of different kinds in each. */
static void
many_rules(struct buf *out, unsigned n)
{
	buf_adds(out, "rules = ( ");
	for (unsigned i = 0; i < n; i++) {
		unsigned a = any_of(CONDITIONS - 1);

		buf_addf(out, "%s{ name = \"r%u\"; mode = \"active\"; "
		    "continue = true; when = { all = ( { ", i > 0 ? ", " : "",
		    i);
		add_condition(out, conditions[a], words[any_of(WORDS)]);
		buf_adds(out, "}, { ");
		add_condition(out, conditions[a + 1], words[any_of(WORDS)]);
		buf_adds(out, "} ); }; then = { add_header = \"X-Y: z\"; }; }");
	}
	buf_adds(out, " );");
	buf_addc(out, '\0');
}

static const char *
many_mail(struct arena *a)
{
	const char *const w[] = { words[any_of(WORDS)], words[any_of(WORDS)],
	    words[any_of(WORDS)], words[any_of(WORDS)], words[any_of(WORDS)],
	    words[any_of(WORDS)] };

	return arena_printf(a, "From: %s@sender.test, b@x.%s.test\r\n"
	    "Subject: about %s, %s\r\nX-Words: %ss\r\nX-%s: y\r\n"
	    "MIME-Version: 1.0\r\nContent-Type: application/x; "
	    "name=%s.txt\r\n", w[0], w[1], w[2], w[3], w[4], w[5], w[0]).ptr;
}

/* Rules that match, by looking at each. */
static unsigned
plainly(struct stage *s, const struct rules_outcome *out, unsigned *wrong)
{
	const struct rules *r = s->shared.rules;
	struct facts *f = arena_alloc(s->arena, sizeof *f);
	unsigned yes = 0;
	struct notes n;

	facts_init(f, &s->job, NULL, 0);
	notes_init(&n, r, f);
	notes_recipient(&n, 0, RULE_IN);
	for (unsigned i = 0; i < r->n; i++) {
		const struct hit *h = out->hits;

		while (h != NULL && h->rule != &r->all[i])
			h = h->next;
		yes += rules_when(&n, &r->all[i]) == TRUTH_YES;
		*wrong += (rules_when(&n, &r->all[i]) == TRUTH_YES) !=
		    (h != NULL);
	}
	return yes;
}

static void
test_many(void)
{
	unsigned wrong = 0, yes = 0, looked = 0;

	for (unsigned i = 0; i < 60; i++) {
		struct buf text = { .ptr = NULL };
		const struct predelivery_answers *seen;
		struct stage s;

		stage_begin(&s, "", "");
		message_read(&s.msg, s.arena, slice_of(many_mail(s.arena)),
		    SLICE("x\r\n"), NULL);
		s.recipients[0].address = arena_printf(s.arena, "%s@our.test",
		    words[any_of(WORDS)]);
		s.envelope.sender = arena_printf(s.arena, "a@%s.test",
		    words[any_of(WORDS)]);
		many_rules(&text, 200);
		if (stage_rules(&s, text.ptr) != RC_OK)
			tap_ok(false, "%.*s", SLICE_ARG(s.why));
		stage_decide(&s);
		seen = s.job.answers;
		yes += plainly(&s, &seen->rules, &wrong);
		looked += seen->rules.looked_at;
		buf_free(&text);
		stage_end(&s);
	}
	tap_is_int(wrong, 0, "the prefilter hides no rule that matches");
	tap_ok(yes > 300, "of which there are some (%u of 12000)", yes);
	tap_ok(looked < 6000, "and most are not looked at (%u are)", looked);
}

/* ---- what must stand in a text ---- */

static void
test_literals(void)
{
	static const struct {
		enum pattern_kind kind;
		const char *pattern, *want;
	} cases[] = {
		{ PATTERN_EXACT, "AbC", "abc" },
		{ PATTERN_WILDCARD, "*ab?cdef*", "cdef" },
		{ PATTERN_REGEX, "invoice", "" },
		{ PATTERN_REGEX, "number", "number" },
		{ PATTERN_REGEX, "numbers?", "number" },
		{ PATTERN_REGEX, "one|two", "" },
		{ PATTERN_REGEX, "(one|two) number", " number" },
		{ PATTERN_REGEX, "(?i)number", "" },
		{ PATTERN_REGEX, "[a-z]number\\d+", "number" },
		{ PATTERN_REGEX, "[]a]number", "number" },
		{ PATTERN_REGEX, "[[:alpha:]]number", "" },
		{ PATTERN_REGEX, "\\Qnumber\\E", "" },
		{ PATTERN_REGEX, "a\\.b\\.com", "a.b.com" },
		{ PATTERN_REGEX, "no{2,3}one", "" },
		{ PATTERN_REGEX, "(?:(number))?other", "other" },
	};
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct match m = { .n = 0 };
		struct slice why, got;

		match_add(&m, a, cases[i].kind, slice_of(cases[i].pattern),
		    &why);
		got = pattern_literal(&m, &m.patterns[0], a);
		if (cases[i].kind == PATTERN_REGEX &&
		    strcmp(cases[i].pattern, "invoice") == 0)
			tap_is(got, SLICE("invoice"), "\"invoice\"");
		else
			tap_is(got, slice_of(cases[i].want), "\"%s\"",
			    cases[i].pattern);
	}
	arena_free(a);
}

/* ---- languages ---- */

static const struct {
	const char *want, *text;
} languages[] = {
	{ "en", "Please find the minutes of yesterday's board meeting in the "
	  "attached file. We would be grateful for your comments by Friday." },
	{ "de", "Im Anhang finden Sie das Protokoll der gestrigen Sitzung. Wir "
	  "w\303\244ren Ihnen f\303\274r Ihre Anmerkungen bis Freitag dankbar." },
	{ "fr", "Vous trouverez ci-joint le compte rendu de la r\303\251union "
	  "d'hier. Nous vous serions reconnaissants de vos remarques avant "
	  "vendredi." },
	{ "lb", "Am Annex fannt Dir de Rapport vun der Versammlung vu g\303"
	  "\253schter. Mir w\303\244ren Iech dankbar fir \303\204r "
	  "Bemierkungen bis e Freideg." },
	{ "nl", "In de bijlage vindt u het verslag van de vergadering van "
	  "gisteren. Wij zouden u dankbaar zijn voor uw opmerkingen voor "
	  "vrijdag." },
	{ "es", "Adjunto encontrar\303\241 el acta de la reuni\303\263n de "
	  "ayer. Le agradecer\303\255amos sus comentarios antes del "
	  "viernes." },
	{ "it", "In allegato trova il verbale della riunione di ieri. Le "
	  "saremmo grati per le sue osservazioni entro venerd\303\254." },
	{ "pt", "Em anexo encontra a ata da reuni\303\243o de ontem. "
	  "Agradec\303\255amos os seus coment\303\241rios at\303\251 "
	  "sexta-feira." },
	{ "ro", "Ata\310\231at g\304\203si\310\233i procesul-verbal al "
	  "\310\231edin\310\233ei de ieri. V-am fi recunosc\304\203tori pentru "
	  "observa\310\233iile dumneavoastr\304\203 p\303\242n\304\203 "
	  "vineri." },
	{ "da", "Vedlagt finder du referatet af m\303\270det i g\303\245r. Vi "
	  "ville v\303\246re taknemmelige for dine bem\303\246rkninger inden "
	  "fredag." },
	{ "nb", "Vedlagt finner du referatet fra m\303\270tet i g\303\245r. Vi "
	  "ville v\303\246re takknemlige for kommentarene dine f\303\270r "
	  "fredag, s\303\245 vi kan gj\303\270re noe med dem." },
	{ "sv", "Bifogat finner du protokollet fr\303\245n m\303\266tet "
	  "ig\303\245r. Vi skulle vara tacksamma f\303\266r dina kommentarer "
	  "f\303\266re fredag." },
	{ "fi", "Liitteen\303\244 on eilisen kokouksen p\303\266yt\303\244"
	  "kirja. Olisimme kiitollisia kommenteistasi perjantaihin "
	  "menness\303\244." },
	{ "pl", "W za\305\202\304\205czeniu znajdzie pan protok\303\263\305"
	  "\202 z wczorajszego spotkania. B\304\231dziemy wdzi\304\231czni za "
	  "uwagi do pi\304\205tku." },
	{ "cs", "V p\305\231\303\255loze najdete z\303\241pis ze v\304\215"
	  "erej\305\241\303\255 sch\305\257zky. Budeme v\303\241m vd\304\233"
	  "\304\215ni za p\305\231ipom\303\255nky do p\303\241tku." },
	{ "hu", "Mell\303\251kelten tal\303\241lja a tegnapi \303\274l\303"
	  "\251s jegyz\305\221k\303\266nyv\303\251t. H\303\241l\303\241sak "
	  "lenn\303\251nk az \303\251szrev\303\251teleikert p\303\251ntekig." },
	{ "el", "\316\243\317\205\316\275\316\267\316\274\316\274\316\255\316"
	  "\275\316\261 \316\270\316\261 \316\262\317\201\316\265\316\257\317"
	  "\204\316\265 \317\204\316\261 \317\200\317\201\316\261\316\272\317"
	  "\204\316\271\316\272\316\254 \317\204\316\267\317\202 \317\203\317"
	  "\205\316\275\316\254\316\275\317\204\316\267\317\203\316\267\317"
	  "\202 \317\200\316\277\317\205 \316\255\316\263\316\271\316\275\316"
	  "\265" },
	{ "unknown", "" },
	{ "unknown", "OK, thanks." },
	{ "unknown", "qwx zzkj vvbn pqpq xxyy wwtt zzgg hhff kkjj qqrr bbnn" },
	{ "unknown", "4711 0815 2026-11-26 192.0.2.1 12345678901234567890" },
	{ "unknown", "\320\224\320\276\320\261\321\200\321\213\320\271 "
	  "\320\264\320\265\320\275\321\214, \321\201\320\277\320\260\321"
	  "\201\320\270\320\261\320\276 \320\267\320\260 \320\262\320\260\321"
	  "\210\320\265 \320\277\320\270\321\201\321\214\320\274\320\276 "
	  "\320\277\321\200\320\276\321\210\320\273\320\276\320\271" },
};

static void
test_languages(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
		tap_is_str(language_of(slice_of(languages[i].text)),
		    languages[i].want, "%.60s", languages[i].text);
	tap_is(language_visible(a, SLICE("<p>a<style>b</style>c<br>d")),
	    SLICE(" a c d "), "of HTML, what is seen");
	tap_is(language_visible(a, SLICE("a<style")), SLICE("a "),
	    "an open element ends it");
	arena_free(a);
}

int
main(void)
{
	test_leaves();
	test_direction();
	test_crypto();
	test_bombs();
	test_undecided();
	test_model();
	test_many();
	test_literals();
	test_languages();
	return tap_done();
}
