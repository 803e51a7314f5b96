/* Bulk mail, what kind it is, and codes for which somebody waits. */
#include <stdio.h>
#include <string.h>

#include "milters/antispam/decide.h"
#include "milters/antispam/graymail_check.h"
#include "milters/antispam/graymail_words.h"
#include "t/tap.h"

static const struct {
	const char *name, *sender, *mail;
	enum graymail_kind kind;
	bool gray, code;
} cases[] = {
	{ "a letter", "anna@corp.example",
	  "From: Anna <anna@corp.example>\r\nSubject: lunch\r\n\r\nAt noon? "
	  "Room 4711, and bring 123456 cookies.\r\n",
	  GRAYMAIL_NONE, false, false },
	{ "a letter that quotes a newsletter's last line", "anna@corp.example",
	  "From: Anna <anna@corp.example>\r\nSubject: Fwd: offers\r\n\r\n"
	  "> To unsubscribe click here\r\n",
	  GRAYMAIL_NEWSLETTER, false, false },
	{ "a mailing list", "dev-bounces+us=our.test@lists.example",
	  "From: A <a@far.example>\r\nSubject: [dev] patch\r\n"
	  "List-Id: <dev.lists.example>\r\nList-Post: <mailto:dev@lists."
	  "example>\r\nPrecedence: list\r\n\r\nHello\r\n",
	  GRAYMAIL_LIST, true, false },
	{ "a newsletter", "bounce-12-us=our.test@esp.example",
	  "From: Shop <news@shop.example>\r\nSubject: Your order of savings\r\n"
	  "List-Unsubscribe: <https://shop.example/u>\r\n"
	  "Content-Type: text/html\r\n\r\n<p>Trouble viewing this email? View "
	  "in browser. <a href='https://shop.example/u'>Unsubscribe</a>\r\n",
	  GRAYMAIL_NEWSLETTER, true, false },
	{ "one that has no list fields, in German", "",
	  "From: Laden <info@laden.example>\r\nSubject: Angebote\r\n"
	  "Content-Type: text/html; charset=utf-8\r\n\r\n<p>Newsletter nicht "
	  "richtig angezeigt?</p><p>Sie erhalten diese E-Mail, weil. "
	  "<a href='https://laden.example/x'>Abmelden</a>\r\n",
	  GRAYMAIL_NEWSLETTER, true, false },
	{ "one in Japanese", "",
	  "From: <info@mise.example>\r\nSubject: =?utf-8?q?=E3=81=8A?=\r\n"
	  "Feedback-ID: 1:2:3\r\nContent-Type: text/plain; charset=utf-8\r\n"
	  "\r\n\xe9\x85\x8d\xe4\xbf\xa1\xe5\x81\x9c\xe6\xad\xa2\xe3\x81\xaf"
	  "\xe3\x81\x93\xe3\x81\xa1\xe3\x82\x89\r\n",
	  GRAYMAIL_NEWSLETTER, true, false },
	{ "a notification", "noreply@git.example",
	  "From: B <notifications@git.example>\r\nSubject: Re: [x/y] crash\r\n"
	  "X-GitHub-Reason: mention\r\nList-Id: <y.x.git.example>\r\n"
	  "List-Post: <mailto:r@git.example>\r\n\r\nB left a comment\r\n",
	  GRAYMAIL_NOTICE, true, false },
	{ "cron", "root@host.example",
	  "From: root@host.example\r\nSubject: Cron <root@host>\r\n"
	  "Auto-Submitted: auto-generated\r\nX-Cron-Env: <SHELL=/bin/sh>\r\n"
	  "\r\ndisk is full\r\n", GRAYMAIL_NOTICE, true, false },
	{ "an answer of a machine to a person", "",
	  "From: b@far.example\r\nSubject: on holiday\r\n"
	  "Auto-Submitted: auto-replied\r\n\r\nI am away.\r\n",
	  GRAYMAIL_NONE, false, false },
	{ "a receipt by a bulk mailer", "bounces+12345678-abcd-us=our.test@e.x",
	  "From: Shop <noreply@shop.example>\r\nSubject: Your receipt from "
	  "Shop\r\nX-SG-EID: x\r\nList-Unsubscribe: <https://x.example/u>\r\n"
	  "\r\nReceipt number 12-34\r\nAmount paid $ 12.00\r\nUnsubscribe\r\n",
	  GRAYMAIL_TRANSACTION, false, false },
	{ "an order in French", "",
	  "From: <ne-pas@boutique.example>\r\nSubject: Confirmation de votre "
	  "commande\r\n\r\nAdresse de livraison : Paris\r\n",
	  GRAYMAIL_TRANSACTION, false, false },
	{ "a code", "",
	  "From: <noreply@bank.example>\r\nSubject: Your verification code\r\n"
	  "\r\nEnter 482913 within ten minutes. Verification code: 482913\r\n",
	  GRAYMAIL_TRANSACTION, false, true },
	{ "a code in the subject alone", "",
	  "From: <noreply@net.example>\r\nSubject: 39124 is your login code"
	  "\r\n\r\nDo not share it.\r\n", GRAYMAIL_TRANSACTION, false, true },
	{ "a code by a bulk mailer, with a way out", "",
	  "From: <no-reply@a.example>\r\nSubject: Sign in\r\n"
	  "Feedback-ID: a:b\r\nList-Unsubscribe: <https://a.example/u>\r\n"
	  "\r\nYour one-time code is G-482913.\r\nUnsubscribe\r\n",
	  GRAYMAIL_TRANSACTION, false, true },
	{ "a code in German", "",
	  "From: <x@bank.example>\r\nSubject: Anmeldung\r\nContent-Type: "
	  "text/plain; charset=iso-8859-1\r\n\r\nIhr "
	  "Best\xe4" "tigungscode lautet:\r\n\r\n  123 456\r\n",
	  GRAYMAIL_TRANSACTION, false, true },
	{ "a code in Chinese", "",
	  "From: <x@bank.example>\r\nSubject: login\r\nContent-Type: "
	  "text/plain; charset=utf-8\r\n\r\n\xe6\x82\xa8\xe7\x9a\x84\xe9\xaa"
	  "\x8c\xe8\xaf\x81\xe7\xa0\x81\xe6\x98\xaf" "481516\r\n",
	  GRAYMAIL_TRANSACTION, false, true },
	{ "a password is set anew", "",
	  "From: <noreply@app.example>\r\nSubject: Reset your password\r\n\r\n"
	  "Follow https://app.example/r/abc\r\n",
	  GRAYMAIL_TRANSACTION, false, true },
	{ "talk of it, without a link", "",
	  "From: Anna <a@corp.example>\r\nSubject: reset your password\r\n\r\n"
	  "please do, before Monday.\r\n", GRAYMAIL_NONE, false, false },
	{ "a coupon is no code", "",
	  "From: News <news@shop.example>\r\nSubject: 20 percent\r\n"
	  "List-Unsubscribe: <https://a.example/u>\r\nContent-Type: text/html"
	  "\r\n\r\nView in browser. Use this code 20401 at the till. "
	  "Unsubscribe.\r\n", GRAYMAIL_NEWSLETTER, true, false },
	{ "a code does not come with a program", "",
	  "From: <x@bank.example>\r\nSubject: Your security code\r\n"
	  "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n"
	  "Security code 482913\r\n--b\r\nContent-Type: application/zip; "
	  "name=code.zip\r\n\r\nPK\r\n--b--\r\n",
	  GRAYMAIL_NONE, false, false },
	{ "nothing at all", "", "", GRAYMAIL_NONE, false, false },
};

static const struct {
	const char *text;
	bool code;
} near[] = {
	{ "CODE 1234", true },
	{ "CODE: 12345678", true },
	{ "CODE 123-456", true },
	{ "CODE 1234 5678", true },
	{ "CODE G-123456", true },
	{ "CODE A1B2C3", true },
	{ "123456 is your CODE", true },
	{ "CODE 123", false },
	{ "CODE 123456789", false },
	{ "CODE of 2026", false },
	{ "CODE: 2026", true },
	{ "CODE 1234.50", false },
	{ "CODE $12345", false },
	{ "CODE \xe2\x82\xac" "12345", false },
	{ "CODE 12345%", false },
	{ "CODE https://a.example/123456", false },
	{ "CODE +49 1234 567890", false },
	{ "CODE 2026-11-26", false },
	{ "CODE 12:30", false },
	{ "CODE ABCDEF", false },
	{ "CODE abc123", false },
	{ "CODE", false },
	{ "12345678CODE", false },
};

static void
test_kinds(const struct graymail_words *words, struct arena *a)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct message *msg = arena_alloc(a, sizeof *msg);
		struct slice head, body;
		struct content content;
		struct graymail seen;

		message_split(a, slice_of(cases[i].mail), &head, &body);
		message_read(msg, a, head, body, &message_limits_default);
		content_read(msg, &content_limits_default, &content);
		graymail_read(words, msg, &content, slice_of(cases[i].sender),
		    &seen);
		if (!tap_ok(seen.kind == cases[i].kind &&
		    (seen.weight >= 3) == cases[i].gray &&
		    seen.code == cases[i].code, "%s", cases[i].name))
			tap_diag("%s %.1f code %d: %.*s",
			    graymail_name(seen.kind), seen.weight, seen.code,
			    SLICE_ARG(seen.words));
	}
}

static void
test_codes(void)
{
	for (size_t i = 0; i < sizeof near / sizeof *near; i++) {
		struct slice text = slice_of(near[i].text);
		size_t at = slice_search(text, SLICE("CODE"));

		tap_is_int(graymail_code_near(text, at, 4), near[i].code,
		    "near \"%s\"", near[i].text);
	}
}

/* Ten times ten thousand fields count as one of each. */
static void
test_bounds(const struct graymail_words *words, struct arena *a)
{
	struct buf mail = buf_in(a);
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct slice head, body;
	struct content content;
	struct graymail seen;

	for (int i = 0; i < 1500; i++)
		buf_adds(&mail, "X-GitHub-Reason: x\r\n");
	buf_adds(&mail, "\r\n");
	for (int i = 0; i < 20000; i++)
		buf_adds(&mail, "unsubscribe code is 1234 ");
	message_split(a, buf_slice(&mail), &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	content_read(msg, &content_limits_default, &content);
	graymail_read(words, msg, &content, SLICE_NONE, &seen);
	tap_ok(seen.weight == 5 && !seen.code, "each counts once");
}

static const struct {
	const char *name, *dmarc;
	bool code;
	unsigned percent[CLASSES];
	bool spared;
} weak[] = {
	{ "a code with a proof is spared", "pass", true, { 85 }, true },
	{ "not without one", "none", true, { 85 }, false },
	{ "nor is what is no code", "pass", false, { 85 }, false },
	{ "nor what is clearly spam", "pass", true, { 95 }, false },
	{ "nor phishing", "pass", true, { 85, 20 }, false },
	{ "nor fraud", "pass", true, { 85, 0, 20 }, false },
	{ "graymail is nothing against it", "pass", true, { 85, 19, 19, 99 },
	  true },
};

static void
test_spared(void)
{
	for (size_t i = 0; i < sizeof weak / sizeof *weak; i++) {
		const struct finding dmarc = { SLICE("auth-check"),
		    SLICE("dmarc"), slice_of(weak[i].dmarc) };
		struct antispam_answers seen = { .gray.code = weak[i].code };
		const struct job job = { .answers = &seen,
		    .findings = &dmarc, .nfindings = 1 };

		tap_is_int(graymail_spared(&job, weak[i].percent),
		    weak[i].spared, "%s", weak[i].name);
	}
}

int
main(void)
{
	struct graymail_words *words = graymail_open();
	struct arena *a = arena_new();

	test_kinds(words, a);
	test_codes();
	test_spared();
	test_bounds(words, a);
	arena_free(a);
	graymail_close(words);
	return tap_done();
}
