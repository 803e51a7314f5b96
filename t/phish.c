/* Phishing: names that look alike, links and pages, feeds. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "milters/antispam/decide.h"
#include "milters/antispam/filter.h"
#include "milters/antispam/phish_alike.h"
#include "milters/antispam/phish_feeds.h"
#include "t/tap.h"

static char dir[] = "/tmp/phish.XXXXXX";
static struct house_conf house;
static struct antispam_conf conf;
static struct antispam_shared *shared;

/* The shipped model, the house bank.example, partner.example protected. */
static void
set_up(struct arena *a)
{
	static const char text[] =
	    "domains = [ \"sparbank.example\" ];\n";
	struct conf_section all[] = { { house_options, &house },
	    { NULL, NULL } };
	struct conf_section own[] = { { antispam_options, &conf },
	    { NULL, NULL } };
	struct slice why = SLICE("no folder");
	void *opened;

	if (mkdtemp(dir) == NULL || conf_parse(a, "house", slice_of(text), all,
	    &why) != RC_OK || conf_parse(a, "own", arena_printf(a,
	    "protected_domains = [ \"partner.example\" ];\n"
	    "phishing_files = \"unread\";\n"
	    "phishing_feed = [ \"%s/feed\" ];\n", dir), own, &why) != RC_OK) {
		tap_ok(false, "%.*s", SLICE_ARG(why));
		exit(tap_done());
	}
	house.state_directory = dir;
	mkdir(arena_printf(a, "%s/antispam", dir).ptr, 0700);
	conf.model = arena_printf(a, "%s/milters/antispam/antispam.model",
	    tap_src()).ptr;
	if (antispam_filter.open(&conf, &house, NULL, &opened, a, &why) !=
	    RC_OK) {
		tap_ok(false, "%.*s", SLICE_ARG(why));
		exit(tap_done());
	}
	shared = opened;
}

/* ---- names ---- */

static const struct { const char *one, *other; bool same; } skeletons[] = {
	{ "paypal", "paypa1", true },
	{ "paypal", "xn--pypal-4ve", true },	/* Cyrillic a */
	{ "apple", "xn--80ak6aa92e", true },	/* all Cyrillic */
	{ "microsoft", "rnicrosoft", true },
	{ "microsoft", "micros0ft", true },
	{ "wellsfargo", "vvellsfargo", true },
	{ "facebook", "xn--facebok-i20b", false },
	{ "amazon", "xn--amazn-mye", true },
	{ "google", "googie", true },
	{ "google", "goggle", false },
	{ "citibank", "citibanl", false },
};

static void
test_alike(struct arena *a)
{
	for (size_t i = 0; i < sizeof skeletons / sizeof *skeletons; i++)
		tap_ok(slice_eq(alike_skeleton(a, slice_of(skeletons[i].one)),
		    alike_skeleton(a, slice_of(skeletons[i].other))) ==
		    skeletons[i].same, "%s and %s: %s", skeletons[i].one,
		    skeletons[i].other, skeletons[i].same ? "alike" : "not");
	tap_ok(alike_edited(SLICE("paypal"), SLICE("paypall")) &&
	    alike_edited(SLICE("paypal"), SLICE("papal")) &&
	    alike_edited(SLICE("paypal"), SLICE("pauypal")) &&
	    alike_edited(SLICE("paypal"), SLICE("paypla")) &&
	    alike_edited(SLICE("paypal"), SLICE("poypal")), "one letter off");
	tap_ok(!alike_edited(SLICE("paypal"), SLICE("paypal")) &&
	    !alike_edited(SLICE("paypal"), SLICE("pay")) &&
	    !alike_edited(SLICE("paypal"), SLICE("poipal")) &&
	    !alike_edited(SLICE("abcd"), SLICE("badc")), "none, and two");
	tap_ok(alike_mixed(a, SLICE("xn--pypal-4ve")) &&
	    !alike_mixed(a, SLICE("xn--e1afmkfd")) &&
	    !alike_mixed(a, SLICE("xn--bcher-kva")) &&
	    !alike_mixed(a, SLICE("paypal")), "mixed scripts");
}

/* ---- messages ---- */

static struct slice
clues_of_mail(struct arena *a, struct slice mail, bool words)
{
	struct antispam_answers seen = { .nreasons = 0 };
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct spam_look look = { .msg = msg, .shared = shared,
	    .conf = &conf };
	struct buf out = buf_in(a);
	struct slice head, body, why;

	message_split(a, mail, &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	if (antispam_judge(&look, &seen, &why) != RC_OK)
		return why;
	for (const struct clue *c = seen.clues.first; c != NULL;
	    c = c->next) {
		buf_addf(&out, "%s%s", out.len > 0 ? " " : "", c->name);
		if (words)
			buf_addf(&out, "(%.*s)", SLICE_ARG(c->words));
	}
	return buf_slice(&out);
}

#define HTML	"From: a@sender.example\nContent-Type: text/html; " \
		"charset=utf-8\n\n"
#define LINK(href, text)	HTML "<a href=\"" href "\">" text "</a>"
#define FILE_OF(name, type, page)	"From: a@b.example\nContent-Type: " \
	"multipart/mixed; boundary=b\n\n--b\n\nsee\n--b\nContent-Type: " type \
	"\nContent-Disposition: attachment; filename=" name "\n\n" page \
	"\n--b--\n"

static const struct { const char *name, *mail, *want; } mails[] = {
	{ "a plain letter", "From: a@b.example\n\nHello http://c.example/\n",
	    "" },
	{ "text and target differ", LINK("http://evil.example/x",
	    "www.shop.example"),
	    "link-text-differs(the text says www.shop.example, the link goes "
	    "to evil.example)" },
	{ "text of a bank", LINK("http://evil.example/x",
	    "https://www.paypal.com/login"),
	    "link-text-popular(the text says www.paypal.com, the link goes to "
	    "evil.example)" },
	{ "the sender's own domain, counted by another",
	    LINK("http://click.mailer.example/x", "www.sender.example"), "" },
	{ "one owner", LINK("http://amazon.de/x", "www.amazon.com"), "" },
	{ "a filter's link", LINK("https://urldefense.proofpoint.com/v2/url?u="
	    "https-3A__github.com", "github.com"), "" },
	{ "the same domain", LINK("http://a.shop.example", "b.shop.example"),
	    "" },
	{ "just words", LINK("http://a.example", "click here at 10.30"), "" },
	{ "look-alike in digits", LINK("http://www.paypa1.com/", "x"),
	    "link-lookalike(a link goes to www.paypa1.com, which looks like "
	    "paypal.com)" },
	{ "look-alike in Cyrillic",
	    LINK("http://p\xd0\xb0ypal.com/", "x"),
	    "link-mixed-scripts(a link mixes two scripts in "
	    "p\xd0\xb0ypal.com) link-lookalike(a link goes to "
	    "p\xd0\xb0ypal.com, which looks like paypal.com)" },
	{ "look-alike of ours", LINK("http://sparbanlk.example/", "x"),
	    "link-lookalike-ours(a link goes to sparbanlk.example, one letter "
	    "off sparbank.example)" },
	{ "ours with another ending", LINK("http://sparbank.test/", "x"),
	    "link-other-ending(a link goes to sparbank.test, sparbank.example "
	    "with another ending)" },
	{ "look-alike of a partner", LINK("http://partnner.example/", "x"),
	    "link-lookalike-ours(a link goes to partnner.example, one letter "
	    "off partner.example)" },
	{ "ours itself", LINK("http://www.sparbank.example/", "x"), "" },
	{ "one letter off", LINK("http://microsofft.com/", "x"),
	    "link-one-letter-off(a link goes to microsofft.com, one letter "
	    "off microsoft.com)" },
	{ "popular names that are near each other",
	    LINK("http://fastly.com/", "x"), "" },
	{ "a brand in a foreign host", LINK("http://paypal.evil.example/",
	    "x"), "link-brand-in-host(a link says paypal and goes to "
	    "paypal.evil.example)" },
	{ "and in a word", LINK("http://secure-paypal.example/", "x"),
	    "link-brand-in-host(a link says paypal and goes to "
	    "secure-paypal.example)" },
	{ "a domain in a foreign host",
	    LINK("http://www.paypal.com.evil.example/", "x"),
	    "link-domain-in-host(a link says paypal.com and goes to "
	    "www.paypal.com.evil.example)" },
	{ "userinfo", LINK("http://www.bank.example@evil.example/", "x"),
	    "link-userinfo(a link begins with www.bank.example and goes to "
	    "evil.example)" },
	{ "a login is no host", LINK("ftp://joe@files.example/", "x"), "" },
	{ "a number", LINK("http://192.0.2.1/", "x"),
	    "link-number(a link goes to a number, 192.0.2.1)" },
	{ "a number of the reader's network", LINK("http://192.168.1.1/", "x"),
	    "" },
	{ "a hidden number", LINK("http://0xc0000201/", "x"),
	    "link-number(a link goes to a number, 192.0.2.1) "
	    "link-odd-number(a link hides the number 192.0.2.1)" },
	{ "a shortener", LINK("https://bit.ly/x", "x"),
	    "link-shortened(a link goes through bit.ly)" },
	{ "a free host", LINK("https://a-b.weebly.com/", "x"),
	    "link-free-hosting(a link goes to a page of anybody at "
	    "a-b.weebly.com)" },
	{ "many labels", LINK("http://a.b.c.d.e.f.evil.example/", "x"),
	    "link-many-labels(a link has a name of 8 parts, "
	    "a.b.c.d.e.f.evil.example)" },
	{ "an open redirect",
	    LINK("https://www.google.com/url?q=https%3A%2F%2Fevil.example%2F",
	    "x"), "link-open-redirect(a link by way of www.google.com goes "
	    "to evil.example)" },
	{ "data:", LINK("data:text/html;base64,PGI+", "x"),
	    "link-data(a link brings its page along (data:))" },
	{ "a picture within is none", HTML "<img src='data:image/png;base64,x'>",
	    "" },
	{ "javascript:", LINK("java\nscript:alert(1)", "x"),
	    "link-script(a link is a program (javascript:))" },
	{ "the reader's address", LINK("http://evil.example/#joe@you.example",
	    "x"), "link-names-reader(a link to evil.example has an address of "
	    "mail behind it)" },
	{ "a form for a password", HTML "<form action=http://f.example/><input "
	    "type=password></form>", "form-password(the message asks for a "
	    "password)" },
	{ "a brand that is somebody else, and leads away",
	    "From: PayPal Service <a@evil.example>\n\nhttp://evil.example/\n",
	    "brand-sender-leads-away(the sender calls himself paypal and "
	    "writes from evil.example)" },
	{ "the same in three words",
	    "From: =?utf-8?q?Bank_of_America?= <a@evil.example>\n\nHello\n",
	    "brand-sender(the sender calls himself bankofamerica and writes "
	    "from evil.example)" },
	{ "letters of other scripts in a name", "From: L\xd0\xb5\xd4\x81ger "
	    "P\xd0\xb0yPal <a@evil.example>\n\nHello\n",
	    "name-mixed-scripts(the sender's name mixes two scripts in a "
	    "word: l\xd0\xb5\xd4\x81ger p\xd0\xb0ypal) brand-sender(the "
	    "sender calls himself paypal and writes from evil.example)" },
	{ "and of mathematics", "From: \xf0\x9d\x90\x8f\xf0\x9d\x90\x9a"
	    "\xf0\x9d\x90\xb2\xf0\x9d\x90\xa9\xf0\x9d\x90\x9a\xf0\x9d"
	    "\x90\xa5 <a@evil.example>\n\nHello\n", "brand-sender(the "
	    "sender calls himself paypal and writes from evil.example)" },
	{ "two scripts in two words", "From: \xd0\x98\xd0\xb2\xd0\xb0\xd0"
	    "\xbd Ivanov <a@b.example>\nSubject: \xd1\x81\xd0\xb0\xd0\xb9"
	    "\xd1\x82 Windows\n\nHello\n", "" },
	{ "a domain that looks like another, and leads to itself",
	    "From: a@paypa1.com\n\nhttp://paypa1.com/\n",
	    "sender-lookalike(the sender's domain paypa1.com looks like "
	    "paypal.com) link-lookalike(a link goes to paypa1.com, which looks "
	    "like paypal.com)" },
	{ "one that is near another, and leads to itself",
	    "From: a@microsofft.com\n\nhttp://microsofft.com/\n", "" },
	{ "people who are called like a brand, or work there",
	    "From: John Norton <a@b.example>\n\nhttp://c.example/\n", "" },
	{ "and who say so", "From: \"Anna Muster (Google)\" <a@b.example>\n\n"
	    "http://c.example/\n", "" },
	{ "a brand of such a name", "From: Norton Security <a@b.example>\n\n"
	    "http://c.example/\n", "brand-sender-leads-away(the sender calls "
	    "himself norton and writes from b.example)" },
	{ "a brand itself", "From: PayPal <a@mail.paypal.com>\n\n"
	    "http://t.example/\n", "" },
	{ "a brand under another ending is its own",
	    "From: Santander <a@santander.test>\n\nhttp://t.example/\n", "" },
	{ "a subject about a brand", "From: a@b.example\nSubject: your paypal "
	    "account\n\nhttp://evil.example/\n", "brand-subject(the subject "
	    "is about paypal, a link goes to evil.example)" },
	{ "that leads there", "From: a@b.example\nSubject: paypal\n\n"
	    "http://www.paypal.com/ http://other.example/\n", "" },
	{ "an attached page", FILE_OF("a.html", "text/html", "<p>hi"),
	    "file-html(a.html is attached, a page)" },
	{ "a page that asks for a password", FILE_OF("Doc.HTM",
	    "application/octet-stream", "<input type='password'>"),
	    "file-html(Doc.HTM is attached, a page) file-form-password("
	    "Doc.HTM asks for a password)" },
	{ "a page that is made by a script", FILE_OF("a.htm", "text/html",
	    "<script>document.write(atob('x'))</script>"),
	    "file-html(a.htm is attached, a page) file-script(a.htm has a "
	    "script) file-builds-page(a.htm has a script that makes a page or "
	    "a file)" },
	{ "a picture with a program", FILE_OF("a.svg", "image/svg+xml",
	    "<svg onload=\"location.href='http://e.example'\">"),
	    "file-script(a.svg has a script) file-builds-page(a.svg has a "
	    "script that makes a page or a file)" },
};

/* Signs in the order of their names' first letters do not matter. */
static bool
same_clues(struct arena *a, struct slice got, struct slice want)
{
	char *rest = arena_str(a, want);
	size_t used = 0;

	if (got.len != want.len)
		return false;
	for (char *end; *rest != '\0'; rest = *end == '\0' ? end : end + 1) {
		int depth = 0;

		for (end = rest; *end != '\0' && (depth > 0 || *end != ' ');
		    end++)
			depth += *end == '(' ? 1 : *end == ')' ? -1 : 0;
		if (slice_search(got, slice_make(rest, (size_t)(end - rest)))
		    == got.len)
			return false;
		used++;
	}
	return used > 0 || want.len == 0;
}

static void
test_mails(struct arena *a)
{
	for (size_t i = 0; i < sizeof mails / sizeof *mails; i++) {
		struct slice want = slice_of(mails[i].want);
		struct slice got = clues_of_mail(a, slice_of(mails[i].mail),
		    true);

		if (!tap_ok(same_clues(a, got, want), "%s", mails[i].name))
			tap_diag("got: %.*s, want: %.*s", SLICE_ARG(got),
			    SLICE_ARG(want));
	}
}

/* ---- cells ---- */

static void
test_cells(struct arena *a)
{
	static const char png[] = FILE_OF("a.png", "image/png", "\x89PNG"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	static const char pdf[] = FILE_OF("a.pdf", "application/pdf",
	    "%PDF-1.7\n/URI (http://0x7f000101.1/)");
	static const char *const argv[] = { "/bin/false", NULL };
	const struct cell_conf down = { .name = "down", .argv = argv,
	    .workers = 1, .answer_max = 1000, .pieces_max = 10 };
	struct antispam_answers seen = { .nreasons = 0 };
	struct spam_look look = { .shared = shared, .conf = &conf };
	struct slice head, body, why = SLICE_NONE;

	conf.phishing_files = FILES_READ;
	conf.phishing_timeout = 50;
	tap_ok(cell_open(&down, &shared->cells.unpack, a, &why) == RC_OK &&
	    cell_open(&down, &shared->cells.code, a, &why) == RC_OK,
	    "cells that never come up");
	for (int i = 0; i < 2; i++) {
		look.msg = arena_alloc(a, sizeof *look.msg);
		message_split(a, slice_of(i == 0 ? png : pdf), &head, &body);
		message_read(look.msg, a, head, body,
		    &message_limits_default);
		tap_ok(antispam_judge(&look, &seen, &why) == RC_OK,
		    "the message is judged");
		tap_ok(slice_search(seen.missed, i == 0 ? SLICE("codes in "
		    "pictures") : SLICE("attachments")) < seen.missed.len,
		    "and what was not read is told");
	}
	conf.phishing_files = FILES_MUST;
	tap_ok(antispam_judge(&look, &seen, &why) == RC_RETRY && why.len > 0,
	    "where it must be read it is trouble");
	conf.phishing_files = FILES_UNREAD;
	phish_files_close(&shared->cells);
	shared->cells = (struct phish_cells){ NULL, NULL };
}

/* ---- bad input ---- */

/* With a number for each '$'. */
static struct slice
repeated(struct arena *a, const char *before, const char *what, size_t len)
{
	struct buf out = buf_in(a);

	buf_adds(&out, before);
	for (unsigned n = 0; out.len < len; n++)
		for (struct slice rest = slice_of(what); rest.ptr != NULL;) {
			buf_add(&out, slice_cut(rest, '$', &rest));
			if (rest.ptr != NULL)
				buf_addf(&out, "%u", n);
		}
	return buf_slice(&out);
}

static int64_t
work_of(const char *before, const char *what, size_t len)
{
	struct arena *a = arena_new();
	struct slice mail = repeated(a, before, what, len);
	struct content_links links;
	struct linker l;
	int64_t begun = tap_worked();

	clues_of_mail(a, mail, false);
	linker_open(&l, a, NULL, 100, &links);
	phish_pdf_links(&l, mail);
	begun = tap_worked() - begun;
	arena_free(a);
	return begun;
}

/* Eight times as much takes about eight times as long, not 64. */
static void
test_floods(void)
{
	static const struct { const char *before, *what; } floods[] = {
		{ HTML, "<b>" },
		{ HTML, "<a href=http://h$.paypal.com.evil.example>x</a>" },
		{ HTML, "<a href=http://$@x>" },
		{ HTML, "<script>atob($)" },
		{ HTML, "<a href='http://a.b/?u=http%3a//$'>" },
		{ "\n", "http://p$ypal.example/ " },
		{ "From: paypal $ <a@b.example>\nSubject: ", "paypal \xd0\xb0 " },
		{ "\n", "/URI(a" }, { "\n", "/URI<6" },
		{ "Content-Type: multipart/mixed; boundary=b\n\n",
		  "--b\nContent-Type: text/html; charset=iso-2022-jp\n\n"
		  "<a href=http://a$.example>\x1b(J!!\x1b(B</a>\n--b\n"
		  "Content-Type: text/plain; charset=utf-7\n\n+AGEAYg-\n" },
	};

	for (size_t i = 0; i < sizeof floods / sizeof *floods; i++) {
		int64_t little = work_of(floods[i].before, floods[i].what,
		    1 << 18);
		int64_t much = work_of(floods[i].before, floods[i].what,
		    1 << 21);

		tap_ok(much <= 30 * (little + 5), "2 MB of %s: %lld and %lld "
		    "ms", floods[i].what, (long long)little,
		    (long long)much);
	}
}

/* ---- feeds ---- */

static const struct { const char *line, *key; enum feed_line is; } lines[] = {
	{ "http://evil.example/a?b#c", "uevil.example:0/a?b", FEED_URL },
	{ "HTTPS://Evil.Example:444/", "uevil.example:444/?", FEED_URL },
	{ "http://evil.example", "hevil.example", FEED_HOST },
	{ "evil.example", "hevil.example", FEED_HOST },
	{ "*.evil.example", "hevil.example", FEED_HOST },
	{ "evil.example/a", "uevil.example:0/a?", FEED_URL },
	{ "0.0.0.0 evil.example # x", "hevil.example", FEED_HOST },
	{ "127.0.0.1\tevil.example", "hevil.example", FEED_HOST },
	{ "::1 localhost", "", FEED_NOTHING },
	{ "||evil.example^", "hevil.example", FEED_HOST },
	{ "12,\"http://evil.example/a,b\",\"2026\"",
	    "uevil.example:0/a,b?", FEED_URL },
	{ "\"1\",\"2026\",\"http://evil.example/x\",\"online\"",
	    "uevil.example:0/x?", FEED_URL },
	{ "phish_id,url,phish_detail_url", "", FEED_NOTHING },
	{ "http://0x7f.1/x", "u127.0.0.1:0/x?", FEED_URL },
	{ "1.2.3.4", "h1.2.3.4", FEED_HOST },
	{ "", "", FEED_NOTHING }, { "# http://a.example", "", FEED_NOTHING },
	{ "! x", "", FEED_NOTHING }, { "<html>", "", FEED_UNREAD },
	{ "word", "", FEED_UNREAD }, { "a,b", "", FEED_UNREAD },
	{ "http://", "", FEED_UNREAD }, { "\xff.\xfe", "", FEED_UNREAD },
};

static void
test_lines(struct arena *a)
{
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
		struct slice key, host;

		tap_ok(phish_feed_line(a, slice_of(lines[i].line), &key,
		    &host) == lines[i].is && slice_eq(key,
		    slice_of(lines[i].key)), "feed: %s", lines[i].line);
	}
}

/* Makes the set of the one feed that is configured. */
static struct phish_feed_told
make_feed(struct arena *a, struct slice bytes)
{
	const char *folder = arena_printf(a, "%s/antispam", dir).ptr;
	struct slice source = conf.phishing_feed.items[0], why;
	struct phish_set_new *set = phish_set_begin();
	struct phish_feed_told told;

	phish_feed_read(bytes, shared->known, set, &told);
	if (phish_set_write(set, phish_feeds_path(a, folder, source), source,
	    1, a, &why) != RC_OK)
		tap_ok(false, "%.*s", SLICE_ARG(why));
	phish_set_free(set);
	phish_feeds_close(shared->feeds);
	shared->feeds = phish_feeds_open(folder, &conf.phishing_feed);
	return told;
}

static const char *
find(struct arena *a, const char *text)
{
	struct phish_sets *sets = phish_feeds_get(shared->feeds);
	struct slice entry, source;
	struct weburl url;
	enum feed_line is = FEED_UNREAD;

	if (weburl_read(a, slice_of(text), &url))
		is = phish_feeds_find(sets, shared->known, shared->suffixes, a,
		    &url, &entry, &source);
	phish_feeds_give(shared->feeds, sets);
	return is == FEED_URL ? "url" : is == FEED_HOST ? "host" : "no";
}

static const struct { const char *url, *want; } finds[] = {
	{ "http://evil.example/", "host" },
	{ "https://a.b.evil.example:8443/x", "host" },
	{ "http://example/", "no" },
	{ "http://notevil.example/", "no" },
	{ "http://shop.example/bad/page?x=1", "url" },
	{ "https://SHOP.example/bad/./page?x=1#y", "url" },
	{ "http://shop.example/bad/page", "no" },
	{ "http://shop.example/", "no" },
	{ "http://google.com/", "no" }, { "http://www.google.com/x", "no" },
	{ "http://docs.google.com/", "no" },
	{ "http://docs.google.com/forms/d/evil", "url" },
	{ "http://bad.weebly.com/", "host" },
	{ "http://weebly.com/", "no" }, { "http://good.weebly.com/", "no" },
	{ "http://bad.blogspot.com/a", "host" },
	{ "http://x.blogspot.com/", "no" },
	{ "http://a.co.uk/", "no" },
	{ "http://sparbank.example/", "no" },
	{ "http://192.0.2.7/a", "host" }, { "http://0xc0000207/", "host" },
	{ "http://192.0.2.8/", "no" },
};

static void
test_find(struct arena *a)
{
	static const char feed[] = "evil.example\n"
	    "http://shop.example/bad/page?x=1\ngoogle.com\nco.uk\n"
	    "http://docs.google.com/\nhttp://docs.google.com/forms/d/evil\n"
	    "bad.weebly.com\nweebly.com\nbad.blogspot.com\nblogspot.com\n"
	    "sparbank.example\n192.0.2.7\ngood.google.com\n";
	struct phish_feed_told told;

	tap_is(clues_of_mail(a, slice_of(LINK("http://evil.example/", "x")),
	    false), SLICE(""), "without a feed nothing is listed");
	told = make_feed(a, slice_of(feed));
	tap_is_int((long long)told.popular, 5, "popular hosts are left out");
	for (size_t i = 0; i < sizeof finds / sizeof *finds; i++)
		tap_is_str(find(a, finds[i].url), finds[i].want, "%s",
		    finds[i].url);
	tap_is(clues_of_mail(a, slice_of(LINK("http://x.evil.example/", "x")),
	    true), arena_printf(a, "host-on-feed(evil.example is on the list "
	    "%s/feed)", dir), "the clue names list and entry");
}

static void
test_trust(struct arena *a)
{
	struct phish_feed_told told = { .entries = 10, .urls = 10 };
	struct buf poison = buf_in(a);

	tap_ok(phish_feed_trust(&told, 0) == NULL, "a good feed");
	tap_ok(phish_feed_trust(&told, 1000) != NULL, "a feed that was cut");
	told.unread = 100;
	tap_ok(phish_feed_trust(&told, 0) != NULL, "a page is no feed");
	for (size_t i = 0; i < 20 && phish_popular[i] != NULL; i++)
		for (struct slice rest = slice_of(phish_popular[i]);
		    rest.ptr != NULL;) {
			buf_add(&poison, slice_cut(rest, ' ', &rest));
			buf_addc(&poison, '\n');
		}
	buf_adds(&poison, "evil.example\n");
	told = make_feed(a, buf_slice(&poison));
	tap_ok(phish_feed_trust(&told, 0) != NULL, "a poisoned feed");
	tap_is_str(find(a, "http://google.com/"), "no",
	    "and even if it were taken, nobody popular is on it");
}

static void
test_broken(struct arena *a)
{
	const char *path = phish_feeds_path(a, arena_printf(a, "%s/antispam",
	    dir).ptr, conf.phishing_feed.items[0]);
	struct slice bytes, why;
	struct phish_set *set;
	FILE *f;
	char *copy;

	make_feed(a, SLICE("evil.example\n"));
	bytes = tap_file(path);
	copy = mem_alloc(bytes.len);
	for (size_t i = 0; i < bytes.len + 2; i++) {
		size_t len = i < bytes.len ? bytes.len : i == bytes.len ?
		    bytes.len - 1 : 5;
		enum rc rc;

		memcpy(copy, bytes.ptr, bytes.len);
		if (i < bytes.len)
			copy[i] = (char)(copy[i] ^ 1);
		f = fopen(path, "w");
		fwrite(copy, 1, len, f);
		fclose(f);
		rc = phish_set_open(path, &set, a, &why);
		phish_set_close(rc == RC_OK ? set : NULL);
		if (rc != RC_BAD)
			tap_ok(false, "byte %zu is changed: %d", i, rc);
	}
	free(copy);
	free((char *)(uintptr_t)bytes.ptr);
	tap_ok(true, "a set with any bit changed is refused");
	unlink(path);
	tap_ok(phish_set_open(path, &set, a, &why) == RC_RETRY,
	    "one that is not there");
}

/* A set of a million: how large, and that it holds what was put in. */
static void
test_million(struct arena *a)
{
	const char *path = arena_printf(a, "%s/million", dir).ptr;
	struct phish_set_new *n = phish_set_begin();
	struct phish_set *set;
	unsigned missing = 0, wrong = 0;
	char key[40];
	struct slice why;

	for (unsigned i = 0; i < 1000000; i++)
		phish_set_add(n, slice_make(key, (size_t)snprintf(key,
		    sizeof key, "hhost%u.example", i)));
	if (phish_set_write(n, path, SLICE("x"), 1, a, &why) != RC_OK ||
	    phish_set_open(path, &set, a, &why) != RC_OK) {
		tap_ok(false, "%.*s", SLICE_ARG(why));
		return;
	}
	phish_set_free(n);
	tap_ok(set->size < 20000000 && set->head.count == 1000000,
	    "a million entries in %zu bytes", set->size);
	for (unsigned i = 0; i < 1000000; i += 7) {
		missing += !phish_set_has(set, slice_make(key,
		    (size_t)snprintf(key, sizeof key, "hhost%u.example", i)));
		wrong += phish_set_has(set, slice_make(key, (size_t)snprintf(
		    key, sizeof key, "hguest%u.example", i)));
	}
	tap_ok(missing == 0 && wrong == 0, "what is in it, and what is not");
	phish_set_close(set);
	unlink(path);
}

/* ---- lists of the world ---- */

struct counts {
	unsigned lines, found, alike, edited, branded;
};

static struct counts
count(struct arena *a, const char *file)
{
	struct slice bytes = tap_file(arena_printf(a, "%s/url-lists/%s",
	    tap_data(), file).ptr), rest = bytes, line;
	struct counts c = { .lines = 0 };

	while (slice_line(&rest, &line)) {
		const char *text = arena_printf(a, "%s%.*s",
		    slice_search(line, SLICE("://")) < line.len ? "" :
		    "http://", SLICE_ARG(line)).ptr;
		struct weburl url;
		struct slice org, shown;
		bool whole;

		c.lines++;
		c.found += strcmp(find(a, text), "no") != 0;
		if (!weburl_read(a, slice_of(text), &url) || (org =
		    suffixes_org(shared->suffixes, url.host)).ptr == NULL)
			continue;
		switch (phish_likeness(shared->known, a, org).how) {
		case LIKE_SKELETON: c.alike++; break;
		case LIKE_EDITED: c.edited++; break;
		default: break;
		}
		c.branded += phish_branded(shared->known, url.host, org,
		    &shown, &whole);
	}
	free((char *)(uintptr_t)bytes.ptr);
	tap_diag("%s: %u lines, %u on the feed, %u look alike, %u one letter "
	    "off, %u with a brand", file, c.lines, c.found, c.alike, c.edited,
	    c.branded);
	return c;
}

static void
test_lists(struct arena *a)
{
	struct counts c;
	struct slice one, two;
	struct buf both = { 0 };

	if (tap_data() == NULL) {
		tap_skip(4, "NO LISTS: the shared data is absent");
		return;
	}
	one = tap_file(arena_printf(a, "%s/url-lists/phishing-links.txt",
	    tap_data()).ptr);
	two = tap_file(arena_printf(a, "%s/url-lists/phishing-domains.txt",
	    tap_data()).ptr);
	buf_add(&both, one);
	buf_addc(&both, '\n');
	buf_add(&both, two);
	make_feed(a, buf_slice(&both));
	buf_free(&both);
	free((char *)(uintptr_t)one.ptr);
	free((char *)(uintptr_t)two.ptr);
	c = count(a, "phishing-links.txt");
	tap_ok(c.found * 100 >= c.lines * 98, "links of the feed are found");
	c = count(a, "phishing-domains.txt");
	tap_ok(c.found * 100 >= c.lines * 97, "and its domains");
	c = count(a, "popular-domains-2014.txt");
	/* One of them is on the list of phishing itself. */
	tap_ok(c.found <= 1 && c.alike + c.edited + c.branded <= 50,
	    "popular domains are left in peace");
	c = count(a, "random-domains-2014.txt");
	tap_ok(c.found <= 5 && c.alike + c.edited + c.branded <= 10,
	    "and any others");
}

int
main(void)
{
	struct arena *a = arena_new();

	set_up(a);
	test_alike(a);
	test_mails(a);
	test_lines(a);
	test_cells(a);
	test_floods();
	test_find(a);
	test_trust(a);
	test_broken(a);
	test_million(a);
	test_lists(a);
	unlink(phish_feeds_path(a, arena_printf(a, "%s/antispam", dir).ptr,
	    conf.phishing_feed.items[0]));
	rmdir(arena_printf(a, "%s/antispam", dir).ptr);
	rmdir(dir);
	antispam_filter.close(shared);
	arena_free(a);
	return tap_done();
}
