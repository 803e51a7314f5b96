/*
 * Lint without a daemon: addresses in fields of mailing lists; a letter that
 * keeps all rules, and what is wrong with it after each change.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "milters/predelivery/lint.h"
#include "milters/predelivery/list_uri.h"
#include "milters/predelivery/options.h"
#include "mime/message.h"
#include "t/tap.h"

/* ---- addresses ---- */

static const struct {
	const char *value, *want;	/* scheme:uri, ! before a bad one */
} fields[] = {
	{ " <https://a.example/u>", "https:https://a.example/u" },
	{ " <mailto:u@a.example?subject=off>,\r\n <HTTPS://a.example>",
	  "mailto:mailto:u@a.example?subject=off https:HTTPS://a.example" },
	{ "(click) <http://a.example> (or \\) <https://x>) <mailto:x@y>",
	  "http:http://a.example mailto:mailto:x@y" },
	{ "<https://a.example/\r\n  long>", "https:https://a.example/long" },
	{ "<https:///path>", "!https:https:///path" },
	{ "<https://u@a.example>", "!https:https://u@a.example" },
	{ "<https://:443/>", "!https:https://:443/" },
	{ "<https:a.example>", "!https:https:a.example" },
	{ "<mailto:>", "!mailto:mailto:" },
	{ "<mailto:nobody>", "!mailto:mailto:nobody" },
	{ "<ftp://a.example>", "!other:ftp://a.example" },
	{ "<>", "!other:" },
	{ "https://a.example", "" },
	{ "<https://a.example", "" },
	{ "<https://a.example/\"x>", "!other:https://a.example/\"x" },
	{ "", "" },
};

static void
try_fields(struct arena *a)
{
	static const char *const schemes[] = { "other", "mailto", "http",
	    "https" };
	struct list_uri uris[LIST_URIS];
	struct buf many = buf_in(a);

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		struct buf got = buf_in(a);
		size_t n = list_uris(a, slice_of(fields[i].value), uris);

		for (size_t k = 0; k < n; k++)
			buf_addf(&got, "%s%s%s:%.*s", k > 0 ? " " : "",
			    uris[k].good ? "" : "!", schemes[uris[k].scheme],
			    SLICE_ARG(uris[k].uri));
		tap_is(buf_slice(&got), slice_of(fields[i].want),
		    "addresses, %zu", i);
	}
	for (int i = 0; i < 1000; i++)
		buf_adds(&many, "<https://a.example>,");
	tap_is_int((long long)list_uris(a, buf_slice(&many), uris), LIST_URIS,
	    "so many, no more");
	arena_reset(a);
}

/* ---- DNS, as a table ---- */

enum { NOW = 1795341600 };		/* Sun, 22 Nov 2026 10:00:00 +0000 */

static const struct {
	const char *name;
	enum dns_type type;
	enum dns_status status;
	const char *data;
} zone[] = {
	{ "news.example", DNS_MX, DNS_OK, "mx.news.example" },
	{ "news.example", DNS_TXT, DNS_OK, "v=spf1 mx -all" },
	{ "news.example", DNS_A, DNS_OK, "\300\0\2\1" },
	{ "s1._domainkey.news.example", DNS_TXT, DNS_OK, "v=DKIM1; p=abc" },
	{ "s2._domainkey.news.example", DNS_TXT, DNS_OK, "v=DKIM1; p=" },
	{ "s3._domainkey.news.example", DNS_TXT, DNS_SERVFAIL, "" },
	{ "bare.example", DNS_A, DNS_OK, "\300\0\2\1" },
	{ "bare.example", DNS_TXT, DNS_OK, "v=spf1 a ~all redirect=x" },
	{ "null.example", DNS_MX, DNS_OK, "" },
	{ "null.example", DNS_TXT, DNS_OK, "v=spf1 ?all" },
	{ "open.example", DNS_TXT, DNS_OK, "v=spf1 a:all.example" },
	{ "moved.example", DNS_TXT, DNS_OK, "v=spf1 redirect=news.example" },
	{ "loop.example", DNS_TXT, DNS_OK, "v=spf1 redirect=loop.example" },
	{ "macro.example", DNS_TXT, DNS_OK, "v=spf1 redirect=%{d}.x" },
	{ "twice.example", DNS_TXT, DNS_OK, "v=spf1 -all" },
	{ "twice.example", DNS_TXT, DNS_OK, "v=spf1 ~all" },
	{ "all.example", DNS_TXT, DNS_OK, "v=spf1 ALL -all" },
	{ "other.example", DNS_TXT, DNS_OK, "v=spf10 -all" },
	{ "silent.example", DNS_MX, DNS_TIMEOUT, "" },
	{ "silent.example", DNS_TXT, DNS_SERVFAIL, "" },
};

struct asked {
	struct arena *arena;
	struct buf names;
};

static const struct dns_answer *
look_up(void *arg, struct slice name, enum dns_type type)
{
	struct asked *asked = arg;
	struct dns_answer *answer = arena_alloc(asked->arena, sizeof *answer);
	struct dns_record *records = arena_array(asked->arena, 4,
	    sizeof *records);

	answer->status = DNS_NODATA;
	answer->records = records;
	for (size_t i = 0; i < sizeof zone / sizeof zone[0]; i++) {
		if (zone[i].type != type ||
		    !slice_eq(name, slice_of(zone[i].name)))
			continue;
		answer->status = zone[i].status;
		if (zone[i].status == DNS_OK)
			records[answer->count++].data = type == DNS_A ?
			    slice_make(zone[i].data, 4) :
			    slice_of(zone[i].data);
	}
	return answer;
}

/* ---- a letter ---- */

static const char good_head[] =
    "From: Example News <hello@news.example>\r\n"
    "To: you@client.example\r\n"
    "Subject: News of November\r\n"
    "Date: Sun, 22 Nov 2026 09:59:00 +0000\r\n"
    "Message-ID: <1@news.example>\r\n"
    "List-Unsubscribe: <https://news.example/u/17>\r\n"
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    "Precedence: bulk\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n";
static const char good_body[] =
    "Dear reader,\r\nhttps://news.example/1\r\n\r\nUnsubscribe: "
    "https://news.example/u/17\r\nImpressum: Example\r\n";

static const struct {
	const char *name;
	const char *conf;		/* more */
	const char *sender;		/* NULL: hello@news.example */
	const char *drop;		/* a field that is left out */
	const char *add;		/* fields that are added */
	const char *body;		/* NULL: the good one */
	const char *bad, *unknown;	/* ids */
} cases[] = {
	{ "a good letter", "", NULL, "", "", NULL, "", "" },
	/* sender */
	{ "a domain with an address only", "", "a@bare.example", "", "", NULL,
	  "sender-mx", "" },
	{ "a domain that takes no mail", "", "a@null.example", "", "", NULL,
	  "sender-domain sender-mx sender-address spf", "" },
	{ "a domain that is not there", "", "a@gone.example", "", "", NULL,
	  "sender-domain sender-mx sender-address spf", "" },
	{ "DNS that says nothing", "", "a@silent.example", "", "", NULL,
	  "sender-address", "sender-domain sender-mx spf" },
	{ "the empty sender", "", "", "", "", NULL, "", "" },
	{ "From of a domain that is not there", "", NULL, "From",
	  "From: X <a@gone.example>\r\n", NULL, "sender-domain dkim-key", "" },
	{ "a role that sends", "", "postmaster@news.example", "", "", NULL,
	  "role-sender", "" },
	{ "a role in From", "", NULL, "From",
	  "From: X <Abuse@news.example>\r\n", NULL, "role-sender", "" },
	{ "other roles", "role_names = [ \"hello\" ];", NULL, "", "", NULL,
	  "role-sender", "" },
	/* header */
	{ "no From", "", NULL, "From", "", NULL, "from visible-sender", "" },
	{ "two From", "", NULL, "", "From: X <x@news.example>\r\n", NULL,
	  "from", "" },
	{ "two mailboxes", "", NULL, "From",
	  "From: X <x@news.example>, Y <y@news.example>\r\n", NULL, "from",
	  "" },
	{ "a From that is broken", "", NULL, "From",
	  "From: X <x@news.example\r\n", NULL, "from", "" },
	{ "no name", "", NULL, "From", "From: hello@news.example\r\n", NULL,
	  "visible-sender", "" },
	{ "another address as the name", "", NULL, "From",
	  "From: \"ceo@bank.example\" <hello@news.example>\r\n", NULL,
	  "visible-sender", "" },
	{ "that encoded", "", NULL, "From", "From: "
	  "=?utf-8?b?Y2VvQGJhbmsuZXhhbXBsZQ==?= <hello@news.example>\r\n",
	  NULL, "visible-sender", "" },
	{ "the same address as the name", "", NULL, "From",
	  "From: \"hello@news.example\" <hello@news.example>\r\n", NULL, "",
	  "" },
	{ "no Subject", "", NULL, "Subject", "", NULL, "subject", "" },
	{ "an empty Subject", "", NULL, "Subject", "Subject: =?utf-8?q?_?=\r\n",
	  NULL, "subject", "" },
	{ "two Subjects", "", NULL, "", "Subject: y\r\n", NULL, "subject",
	  "" },
	{ "no Date", "", NULL, "Date", "", NULL, "date", "" },
	{ "a Date that is none", "", NULL, "Date", "Date: yesterday\r\n",
	  NULL, "date", "" },
	{ "an old Date", "", NULL, "Date",
	  "Date: Sun, 15 Nov 2026 09:00:00 +0000\r\n", NULL, "date", "" },
	{ "a Date to come", "", NULL, "Date",
	  "Date: Mon, 23 Nov 2026 10:00:01 +0000\r\n", NULL, "date", "" },
	{ "no Message-ID", "", NULL, "Message-ID", "", NULL, "message-id",
	  "" },
	{ "a Message-ID without brackets", "", NULL, "Message-ID",
	  "Message-ID: 1@news.example\r\n", NULL, "message-id", "" },
	{ "a Message-ID without a right side", "", NULL, "Message-ID",
	  "Message-ID: <1>\r\n", NULL, "message-id", "" },
	{ "a Message-ID with a literal", "", NULL, "Message-ID",
	  "Message-ID: <1@[192.0.2.1]>\r\n", NULL, "", "" },
	{ "Precedence says what nobody knows", "", NULL, "Precedence",
	  "Precedence: urgent\r\n", NULL, "precedence", "" },
	{ "Precedence twice", "", NULL, "", "Precedence: list\r\n", NULL,
	  "precedence", "" },
	{ "Auto-Submitted", "", NULL, "",
	  "Auto-Submitted: auto-generated; x=y\r\n", NULL, "", "" },
	{ "Auto-Submitted: yes", "", NULL, "", "Auto-Submitted: yes\r\n",
	  NULL, "precedence", "" },
	{ "nobody reads complaints", "abuse_address = \"\";", NULL, "", "",
	  NULL, "abuse-address", "" },
	/* lists */
	{ "no way out", "", NULL, "List-Unsubscribe", "", "Impressum\r\n",
	  "list-unsubscribe list-help opt-out", "" },
	{ "List-Help instead", "", NULL, "List-Unsubscribe",
	  "List-Help: <mailto:help@news.example>\r\n", NULL,
	  "list-unsubscribe", "" },
	{ "List-Help by http", "", NULL, "List-Unsubscribe",
	  "List-Help: <http://news.example>\r\n", NULL,
	  "list-unsubscribe list-help http-links", "" },
	{ "by mail only", "", NULL, "List-Unsubscribe",
	  "List-Unsubscribe: <mailto:off@news.example>\r\n", NULL,
	  "list-unsubscribe", "" },
	{ "by http", "", NULL, "List-Unsubscribe",
	  "List-Unsubscribe: <http://news.example/u>\r\n", NULL,
	  "list-unsubscribe http-links", "" },
	{ "mail and https", "", NULL, "List-Unsubscribe", "List-Unsubscribe: "
	  "<mailto:off@news.example>,\r\n <https://news.example/u/17>\r\n",
	  NULL, "", "" },
	{ "two https", "", NULL, "List-Unsubscribe", "List-Unsubscribe: "
	  "<https://news.example/u/17>, <https://news.example/18>\r\n", NULL,
	  "list-unsubscribe", "" },
	{ "more than one click", "", NULL, "List-Unsubscribe-Post", "", NULL,
	  "list-unsubscribe", "" },
	{ "another click", "", NULL, "List-Unsubscribe-Post",
	  "List-Unsubscribe-Post: One-Click\r\n", NULL, "list-unsubscribe",
	  "" },
	{ "a signature that covers it", "", NULL, "", "DKIM-Signature: v=1; "
	  "d=news.example; s=s1; h=From:List-Unsubscribe:\r\n "
	  "List-Unsubscribe-Post; b=x\r\n", NULL, "", "" },
	{ "one that does not", "", NULL, "", "DKIM-Signature: v=1; "
	  "d=news.example; s=s1; h=From:List-Unsubscribe; b=x\r\n", NULL,
	  "unsubscribe-signed", "" },
	/* text */
	{ "a long line", "", NULL, "", "X-Long: %998\r\n", NULL, "line-length",
	  "" },
	{ "a line as long as may be", "", NULL, "", "X: %995\r\n", NULL, "",
	  "" },
	{ "a long line of text", "", NULL, "", "", "Impressum "
	  "https://news.example/u/17\r\n%999\r\n", "line-length", "" },
	{ "an http link", "", NULL, "", "", "Impressum, HTTP://x.example "
	  "https://news.example/u/17\r\n", "http-links", "" },
	{ "no imprint", "", NULL, "", "", "https://news.example/u/17\r\n",
	  "imprint", "" },
	{ "an imprint over two lines", "imprint_phrases = "
	  "[ \"legal  Notice\" ];", NULL, "", "", "LEGAL\r\n notice "
	  "https://news.example/u/17\r\n", "", "" },
	{ "a regular expression", "imprint_phrases = [ \"x\", "
	  "\"/handelsregister:? (hra|hrb) [0-9]+/\" ];", NULL, "", "",
	  "Handelsregister:\r\nHRB 12345 https://news.example/u/17", "", "" },
	{ "that fits nowhere", "imprint_phrases = [ \"/HRB [a-z]+$/\" ];", NULL,
	  "", "", "HRB 12345 https://news.example/u/17", "imprint", "" },
	{ "that would never end", "imprint_phrases = [ \"/(a+)+$/\" ];", NULL,
	  "", "", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa! "
	  "https://news.example/u/17", "imprint", "" },
	{ "words and a link", "", NULL, "", "", "Impressum: to unsubscribe go "
	  "to https://news.example/\r\n", "", "" },
	{ "words without a link", "", NULL, "", "",
	  "Impressum: to unsubscribe cry\r\n", "opt-out", "" },
	{ "other letters", "opt_out_phrases = [ \"D\xc3\x89SABONNER\" ];", NULL,
	  "", "", "Impressum: se d\xc3\xa9sabonner: mailto:x@news.example",
	  "", "" },
	{ "HTML", "", NULL, "Content-Type", "Content-Type: text/html\r\n",
	  "<!DOCTYPE html PUBLIC \"x\" \"http://www.w3.org/x\"><html xmlns="
	  "\"http://www.w3.org/1999/xhtml\"><style>imprint</style>"
	  "<p>Im<b>press</b>um</p><a href=\"https://news.example&#x2f;u/17\">"
	  "off</a>", "", "" },
	{ "HTML with an http link", "", NULL, "Content-Type",
	  "Content-Type: text/html\r\n", "Impressum <a href = 'http://x.ex'>"
	  "a</a> <a href=https://news.example/u/17>off</a>", "http-links",
	  "" },
	{ "what nobody sees does not count", "", NULL, "Content-Type",
	  "Content-Type: text/html\r\n", "<style>Impressum</style><!-- "
	  "Impressum --><a href=\"https://news.example/u/17\">off</a>",
	  "imprint", "" },
	{ "an attachment neither", "", NULL, "Content-Type",
	  "Content-Disposition: attachment\r\n", NULL, "imprint opt-out", "" },
	{ "encoded", "", NULL, "Content-Type", "Content-Type: text/plain\r\n"
	  "Content-Transfer-Encoding: quoted-printable\r\n", "Impres=\r\nsum "
	  "https://news.example/=75/17\r\n", "", "" },
	/* SPF and DKIM */
	{ "SPF without an all", "", "a@open.example", "", "", NULL,
	  "sender-domain sender-mx sender-address spf", "" },
	{ "SPF that is redirected", "", "a@moved.example", "", "", NULL,
	  "sender-domain sender-mx sender-address", "" },
	{ "in a circle", "", "a@loop.example", "", "", NULL,
	  "sender-domain sender-mx sender-address spf", "" },
	{ "by a macro", "", "a@macro.example", "", "", NULL,
	  "sender-domain sender-mx sender-address", "spf" },
	{ "two records", "", "a@twice.example", "", "", NULL,
	  "sender-domain sender-mx sender-address spf", "" },
	{ "+all before -all", "", "a@all.example", "", "", NULL,
	  "sender-domain sender-mx sender-address spf", "" },
	{ "another version", "", "a@other.example", "", "", NULL,
	  "sender-domain sender-mx sender-address spf", "" },
	{ "no DKIM key", "dkim_selectors = [ \"s2\", \"s9\" ];", NULL, "", "",
	  NULL, "dkim-key", "" },
	{ "one of two keys", "dkim_selectors = [ \"s2\", \"s1\" ];", NULL, "",
	  "", NULL, "", "" },
	{ "a key that DNS does not tell", "dkim_selectors = [ \"s3\" ];", NULL,
	  "", "", NULL, "", "dkim-key" },
	{ "the key of a signature", "dkim_selectors = [ ];", NULL, "",
	  "DKIM-Signature: d=news.example; s=s2; h=List-Unsubscribe:"
	  "List-Unsubscribe-Post\r\n", NULL, "dkim-key", "" },
	{ "not of a stranger's", "dkim_selectors = [ ];", NULL, "",
	  "DKIM-Signature: d=x.example; s=s2; h=List-Unsubscribe:"
	  "List-Unsubscribe-Post\r\n", NULL, "", "" },
};

/* "%998": so many x. */
static struct slice
filled(struct arena *a, const char *text)
{
	const char *percent = strchr(text, '%');
	struct buf b = buf_in(a);
	uint64_t n = 0;

	if (percent == NULL)
		return slice_of(text);
	buf_add(&b, slice_make(text, (size_t)(percent - text)));
	slice_number(slice_make(percent + 1, 3), 999, &n);
	for (uint64_t i = 0; i < n; i++)
		buf_addc(&b, 'x');
	buf_adds(&b, percent + 4);
	return buf_slice(&b);
}

static struct slice
head_of(struct arena *a, const char *drop, const char *add)
{
	struct slice rest = slice_of(good_head), line;
	struct buf b = buf_in(a);

	while (slice_line(&rest, &line)) {
		struct slice more, name = slice_cut(line, ':', &more);

		if (!slice_eq(name, slice_of(drop)))
			buf_addf(&b, "%.*s\r\n", SLICE_ARG(line));
	}
	buf_add(&b, filled(a, add));
	return buf_slice(&b);
}

static struct predelivery_conf
conf_of(struct arena *a, const char *text)
{
	struct predelivery_conf conf = { .scopes = NULL };
	const struct conf_section sections[] = {
		{ .options = predelivery_options, .base = &conf },
		{ .options = NULL },
	};
	struct slice why = SLICE_NONE, all = slice_of(text);
	const char *defaults[] = { "abuse_address = \"abuse@news.example\";",
	    "dkim_selectors = [ \"s1\" ];", "imprint_phrases = "
	    "[ \"Impressum\" ];", NULL };
	struct buf b = buf_in(a);

	for (size_t i = 0; defaults[i] != NULL; i++) {
		struct slice rest, name = slice_cut(slice_of(defaults[i]),
		    ' ', &rest);

		if (slice_search(all, name) == all.len)
			buf_adds(&b, defaults[i]);
	}
	buf_add(&b, all);
	if (conf_parse(a, "predelivery.conf", buf_slice(&b), sections,
	    &why) != RC_OK)
		tap_ok(false, "%s: %.*s", text, SLICE_ARG(why));
	return conf;
}

static struct slice
ids(struct arena *a, const struct lint_result *results, enum lint_state state)
{
	struct buf b = buf_in(a);

	for (unsigned i = 0; i < LINT_RULES; i++)
		if (results[i].state == state)
			buf_addf(&b, "%s%s", b.len > 0 ? " " : "",
			    lint_name(i));
	return buf_slice(&b);
}

static struct recipient you = { SLICE("you@client.example"), SLICE("smtp"),
    SLICE("") };

static struct lint_mail
mail_of(struct arena *a, const struct outbound_conf *conf,
    struct message *msg, struct asked *asked)
{
	*asked = (struct asked){ a, buf_in(a) };
	return (struct lint_mail){ .arena = a, .conf = conf, .msg = msg,
	    .sender = SLICE("hello@news.example"), .recipients = &you,
	    .nrecipients = 1, .all = 1, .now = NOW, .lookup = look_up,
	    .arg = asked };
}

static void
try_letters(struct arena *a)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct predelivery_conf conf = conf_of(a, cases[i].conf);
		struct lint_result results[LINT_RULES];
		struct message msg;
		struct asked asked;
		struct lint_mail m = mail_of(a, &conf.outbound, &msg, &asked);

		if (cases[i].sender != NULL)
			m.sender = slice_of(cases[i].sender);
		message_read(&msg, a, head_of(a, cases[i].drop, cases[i].add),
		    cases[i].body == NULL ? slice_of(good_body) :
		    filled(a, cases[i].body), NULL);
		lint_run(&m, results);
		tap_is(ids(a, results, LINT_BAD), slice_of(cases[i].bad),
		    "%s", cases[i].name);
		tap_is(ids(a, results, LINT_UNKNOWN),
		    slice_of(cases[i].unknown), "unknown");
		for (unsigned k = 0; k < LINT_RULES; k++)
			if ((results[k].state == LINT_GOOD) !=
			    (results[k].why.len == 0))
				tap_ok(false, "%s gives a reason just when it "
				    "is not good", lint_name(k));
		arena_reset(a);
	}
}

/* ---- what is bulk, and what counts ---- */

static const struct {
	const char *head;
	uint64_t all;
	const char *conf;
	bool want;
} bulks[] = {
	{ "Subject: x\r\n", 1, "", false },
	{ "Subject: x\r\n", 50, "", false },
	{ "Subject: x\r\n", 51, "", true },
	{ "Subject: x\r\n", 3, "bulk_recipients = 2;", true },
	{ "Subject: x\r\n", 1, "bulk_recipients = 0;", true },
	{ "List-Id: <x>\r\n", 1, "", true },
	{ "list-help: x\r\n", 1, "", true },
	{ "Listen: x\r\n", 1, "", false },
	{ "Precedence: Bulk\r\n", 1, "", true },
	{ "Precedence: list\r\n", 1, "", true },
	{ "Precedence: first-class\r\n", 1, "", false },
	{ "Precedence: x\r\nPrecedence: junk\r\n", 1, "", true },
};

static void
try_bulk(struct arena *a)
{
	for (size_t i = 0; i < sizeof bulks / sizeof bulks[0]; i++) {
		struct predelivery_conf conf = conf_of(a, bulks[i].conf);
		struct message msg;
		struct asked asked;
		struct lint_mail m = mail_of(a, &conf.outbound, &msg, &asked);

		m.all = bulks[i].all;
		message_read(&msg, a, slice_of(bulks[i].head), SLICE(""),
		    NULL);
		tap_is_int(lint_bulk(&m).len > 0, bulks[i].want,
		    "bulk: %zu", i);
		arena_reset(a);
	}
}

static void
try_plain_mail(struct arena *a)
{
	struct predelivery_conf conf = conf_of(a, "");
	struct lint_result results[LINT_RULES];
	struct message msg;
	struct asked asked;
	struct lint_mail m = mail_of(a, &conf.outbound, &msg, &asked);
	struct recipient two[] = { you, { SLICE("Abuse@client.example"),
	    SLICE("smtp"), SLICE("") } };

	message_read(&msg, a, SLICE("From: hello@news.example\r\nSubject: x\r\n"
	    "Date: 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <a@b>\r\n"),
	    SLICE("hi\r\n"), NULL);
	lint_run(&m, results);
	tap_is(ids(a, results, LINT_BAD), SLICE(""),
	    "a letter to one person needs no imprint, no way out, no name");
	m.recipients = two;
	m.nrecipients = 2;
	m.all = 600;
	lint_run(&m, results);
	tap_is(ids(a, results, LINT_BAD), SLICE("visible-sender "
	    "list-unsubscribe list-help imprint opt-out role-recipients"),
	    "one to 600 does, and to no role");
	m.lookup = NULL;
	lint_run(&m, results);
	tap_is(ids(a, results, LINT_UNKNOWN), SLICE("sender-domain sender-mx "
	    "sender-address spf dkim-key"), "without DNS these are unknown");
	arena_reset(a);
}

static void
try_judge(struct arena *a)
{
	struct predelivery_conf conf = conf_of(a, "lint_date = \"refuse\"; "
	    "lint_message_id = \"refuse\"; lint_subject = \"off\"; lint_spf = "
	    "\"refuse\";");
	struct lint_result results[LINT_RULES] = {
		[LINT_FROM] = { LINT_BAD, SLICE("x") },
		[LINT_SUBJECT] = { LINT_BAD, SLICE("x") },
		[LINT_SPF] = { LINT_UNKNOWN, SLICE("x") },
	};
	struct lint_verdict v;

	lint_judge(&conf.outbound, results, a, &v);
	tap_is_int(v.refuse, LINT_RULES, "what DNS does not tell refuses "
	    "nothing");
	tap_is(v.broken, SLICE("from"), "what is off does not count");
	tap_is(v.unknown, SLICE("spf"), "what is unknown is told");
	results[LINT_MESSAGE_ID].state = LINT_BAD;
	results[LINT_DATE].state = LINT_BAD;
	lint_judge(&conf.outbound, results, a, &v);
	tap_is_int(v.refuse, LINT_DATE, "the first one refuses");
	tap_is(v.warnings, SLICE("from"), "others warn");
	tap_is(v.broken, SLICE("from, date, message-id"), "all are named");
	arena_reset(a);
}

/* ---- what is asked ---- */

static void
note(void *arg, struct slice name, enum dns_type type)
{
	struct asked *asked = arg;

	buf_addf(&asked->names, "%s%.*s/%d", asked->names.len > 0 ? " " : "",
	    SLICE_ARG(name), (int)type);
}

static void
try_questions(struct arena *a)
{
	struct predelivery_conf conf = conf_of(a, "dkim_selectors = "
	    "[ \"s1\" ]; lint_sender_address = \"off\";");
	struct lint_domains d = { SLICE("bare.example"),
	    SLICE("news.example") };
	struct message msg;
	struct asked asked;
	struct lint_mail m = mail_of(a, &conf.outbound, &msg, &asked);

	lint_questions(&conf.outbound, &d, a, note, &asked);
	tap_is(buf_slice(&asked.names), SLICE("bare.example/15 bare.example/16 "
	    "news.example/15 s1._domainkey.news.example/16"),
	    "what will be looked up is asked for");
	tap_ok(!lint_more(&m, &d, note, &asked), "all is known");
	conf = conf_of(a, "lint_sender_domain = \"off\"; lint_sender_mx = "
	    "\"off\"; lint_spf = \"off\"; lint_dkim_key = \"off\";");
	buf_clear(&asked.names);
	lint_questions(&conf.outbound, &d, a, note, &asked);
	tap_is(buf_slice(&asked.names), SLICE(""), "rules that are off ask "
	    "nothing");
	arena_reset(a);
}

/* A resolver that knows a name only when it was asked for. */
static const struct dns_answer *
look_asked(void *arg, struct slice name, enum dns_type type)
{
	struct asked *asked = arg;
	struct slice key = arena_printf(asked->arena, " %.*s/%d ",
	    SLICE_ARG(name), (int)type);
	struct slice names = arena_printf(asked->arena, " %.*s ",
	    SLICE_ARG(buf_slice(&asked->names)));

	return slice_search(names, key) < names.len ?
	    look_up(arg, name, type) : NULL;
}

static void
try_more(struct arena *a)
{
	struct predelivery_conf conf = conf_of(a, "");
	struct lint_domains d = { SLICE("moved.example"),
	    SLICE("news.example") };
	struct message msg;
	struct asked asked;
	struct lint_mail m = mail_of(a, &conf.outbound, &msg, &asked);
	unsigned rounds = 0;

	m.lookup = look_asked;
	lint_questions(&conf.outbound, &d, a, note, &asked);
	buf_clear(&asked.names);
	buf_adds(&asked.names, "moved.example/15 moved.example/16");
	while (rounds < 10 && lint_more(&m, &d, note, &asked))
		rounds++;
	tap_is_int(rounds, 1, "one more round");
	tap_is(slice_after(buf_slice(&asked.names), 34),
	    SLICE("moved.example/1 moved.example/28 news.example/16"),
	    "for the address, and for where SPF redirects to");
	d.sender = SLICE("loop.example");
	for (rounds = 0; rounds < 10 && lint_more(&m, &d, note, &asked);)
		rounds++;
	tap_ok(rounds <= LINT_ROUNDS, "a circle ends");
	arena_reset(a);
}

int
main(void)
{
	struct arena *a = arena_new();

	try_fields(a);
	try_letters(a);
	try_bulk(a);
	try_plain_mail(a);
	try_judge(a);
	try_questions(a);
	try_more(a);
	arena_free(a);
	return tap_done();
}
