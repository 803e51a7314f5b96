/* Rules of antispam: the file, its faults, and what a message meets. */
#include <stdlib.h>
#include <string.h>

#include "milters/antispam/rules.h"
#include "t/tap.h"

static const struct { const char *text, *why; } faults[] = {
	{ "Name text /x/ words", "f:1: a rule's name is small letters" },
	{ "\n\na text /x/ w\na text /y/ w", "f:4: there is a rule a at f:3" },
	{ "a texd /x/ words", "did you mean text" },
	{ "a text", "f:1: /REGEX/ is wanted" },
	{ "a text /x words", "the regex does not end" },
	{ "a text /(x/ words", "regex is wrong at byte" },
	{ "a text /x/q words", "m and s may stand" },
	{ "a text /x/", "why, in 1 to 120 letters" },
	{ "a text weight=11 /x/ w", "from -10 to 10" },
	{ "a text weight=nan /x/ w", "from -10 to 10" },
	{ "a text class=fraud /x/ w", "write weight=N before class=" },
	{ "a text weight=1 class=fruad /x/ w", "spam, phishing, fraud or" },
	{ "a field /x/ w", "field:NAME is wanted" },
	{ "a text:x /x/ w", "nothing may follow text" },
	{ "a fact:hiden-text w", "did you mean hidden-text" },
};

static void
test_faults(struct arena *a)
{
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		struct spam_rules *rules = spam_rules_new();
		struct slice why = SLICE("");
		enum rc rc = spam_rules_parse(rules, "f", slice_of(
		    faults[i].text), a, &why);

		if (!tap_ok(rc == RC_BAD && slice_search(why, slice_of(
		    faults[i].why)) < why.len, "refused: %s", faults[i].why))
			tap_diag("%.*s", SLICE_ARG(why));
		spam_rules_free(rules);
	}
}

static struct spam_hits *
look(struct arena *a, struct spam_rules *rules, const char *mail)
{
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct content content;
	struct slice head, body;

	message_split(a, slice_of(mail), &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	content_read(msg, &content_limits_default, &content);
	return spam_rules_look(rules, msg, &content);
}

/* The names of all that is met, with a space behind each. */
static const char *
met(struct arena *a, const struct spam_hits *hits)
{
	struct buf out = buf_in(a);

	for (unsigned i = 0; i < hits->rules->n; i++)
		if (hits->met[i])
			buf_addf(&out, "%s ", hits->rules->rule[i].name);
	buf_addc(&out, '\0');
	return out.ptr;
}

static const char places[] =
    "subj subject /^win now/ w\n"
    "name from /bank .*@shop/ w\n"
    "mailer field:X-Mailer /^Bat\\/1/ w\n"
    "head head /^X-Odd:/m w\n"
    "two text /first line$..?^second/ms w\n"
    "hid hidden /never seen/ w\n"
    "tag html /<table/ w\n"
    "goes link /^https:\\/\\/evil\\./ w\n"
    "away file /\\.exe$/ w\n"
    "none text /never seen/ w\n";

static const char mail[] = "From: =?utf-8?q?Bank_X?= <a@shop.example>\n"
    "Subject: =?utf-8?q?Win?= now\nX-Mailer: bat/1\nX-Odd: 1\n"
    "Content-Type: multipart/mixed; boundary=b\n\n"
    "--b\nContent-Type: text/plain\n\nfirst line\nsecond line\n"
    "--b\nContent-Type: text/html\n\n<table><tr><td><a href=https://evil."
    "example/>x</a><p style='display:none'>never seen</p></table>\n"
    "--b\nContent-Type: application/octet-stream; name=a.exe\n\nx\n--b--\n";

static void
test_places(struct arena *a)
{
	struct spam_rules *rules = spam_rules_new();
	struct slice why = SLICE("");

	tap_is_int(spam_rules_parse(rules, "f", slice_of(places), a, &why),
	    RC_OK, "rules are read");
	tap_is_str(met(a, look(a, rules, mail)),
	    "subj name mailer head two hid tag goes away ", "each place");
	spam_rules_free(rules);
}

static const struct { const char *fact, *mail; bool met; } facts[] = {
	{ "hidden-text", "Content-Type: text/html\n\n<p style='font-size:0'>"
	  "words that nobody sees, more than forty of letters</p>x", true },
	{ "hidden-text", "Content-Type: text/html\n\n<p>words that all see, "
	  "more than forty of letters</p>x", false },
	{ "off-screen", "Content-Type: text/html\n\n<p style='position:"
	  "absolute;left:-9999px'>words that nobody sees, more than forty "
	  "of them</p>x", true },
	{ "zero-width", "Content-Type: text/html\n\nPay&zwnj;Pal lo&#8203;gin "
	  "pass&shy;word", true },
	{ "zero-width", "Content-Type: text/html\n\nPay&zwnj;Pal", false },
	{ "mixed-scripts", "Subject: =?utf-8?q?P=D0=B0ypal?=\n\nx", true },
	{ "mixed-scripts", "Subject: =?utf-8?q?=D0=B0=D0=B1_Paypal?=\n\nx",
	  false },
	{ "date-future", "Received: by x; Thu, 26 Nov 2026 12:00:00 +0000\n"
	  "Date: Fri, 27 Nov 2026 12:00:00 +0000\n\nx", true },
	{ "date-future", "Received: by x; Thu, 26 Nov 2026 12:00:00 +0000\n"
	  "Date: Thu, 26 Nov 2026 14:00:00 +0200\n\nx", false },
	{ "date-old", "Received: by x; Thu, 26 Nov 2026 12:00:00 +0000\n"
	  "Date: Fri, 20 Nov 2026 12:00:00 +0000\n\nx", true },
	{ "date-wrong", "Date: yesterday\n\nx", true },
	{ "no-message-id", "Message-ID: <x@y>\n\nx", false },
	{ "no-message-id", "Message-ID: 17\n\nx", true },
	{ "forged-outlook", "X-Mailer: Microsoft Outlook Express 6.00\n"
	  "Message-ID: <1@y>\n\nx", true },
	{ "forged-outlook", "X-Mailer: Microsoft Outlook Express 6.00\n"
	  "X-MimeOLE: Produced By Microsoft MimeOLE\n"
	  "Message-ID: <1$2$3@y>\n\nx", false },
	{ "name-is-address", "From: \"ceo@our.example\" <x@else.example>\n\nx",
	  true },
	{ "name-is-address", "From: \"ceo@our.example\" <ceo@our.example>\n\n"
	  "x", false },
	{ "only-image", "Content-Type: text/html\n\n<img src=cid:1>", true },
	{ "script-or-form", "Content-Type: text/html\n\n<form>", true },
	{ "broken-structure", "Content-Type: text/html\nContent-Type: "
	  "text/plain\n\nx", true },
	{ "broken-structure", "Subject: x\n\nx\n", false },
};

static void
test_facts(struct arena *a)
{
	for (size_t i = 0; i < sizeof facts / sizeof *facts; i++) {
		struct spam_rules *rules = spam_rules_new();
		struct slice why = SLICE("");
		struct slice line = arena_printf(a, "x fact:%s w",
		    facts[i].fact);

		spam_rules_parse(rules, "f", line, a, &why);
		tap_is_int(rules->n == 1 && look(a, rules, facts[i].mail)->
		    met[0], facts[i].met, "%s, %zu", facts[i].fact, i);
		spam_rules_free(rules);
	}
}

/* What hostile text makes of a careless regex. */
static void
test_bomb(struct arena *a)
{
	struct spam_rules *rules = spam_rules_new();
	struct buf text = buf_in(a);
	struct slice why = SLICE("");
	struct spam_hits *hits;

	spam_rules_parse(rules, "f", SLICE("bomb text weight=5 "
	    "/(a+)+(b|c)*(a+)+[^a]{2}$/ w\nfine text weight=1 class=phishing /aaa/ "
	    "w\n"), a, &why);
	buf_adds(&text, "Subject: x\n\n");
	for (unsigned i = 0; i < 5000; i++)
		buf_addc(&text, 'a');
	buf_adds(&text, "!\n");
	buf_addc(&text, '\0');
	hits = look(a, rules, text.ptr);
	tap_ok(hits->limited[0] && !hits->met[0], "a bomb is not met");
	tap_ok(hits->met[1], "and the others are looked at");
	spam_rules_free(rules);
}

static void
test_shipped(struct arena *a)
{
	struct spam_rules *rules = NULL;
	struct slice why = SLICE("");
	struct spam_hits *hits;
	struct features f = { .hash = arena_array(a, FEATURES_MAX,
	    sizeof *f.hash), .family = arena_alloc(a, FEATURES_MAX) };
	struct clues clues;

	if (!tap_ok(spam_rules_load("", &rules, a, &why) == RC_OK,
	    "ours are right: %.*s", SLICE_ARG(why)))
		return;
	hits = look(a, rules, "From: a@b.example\nDate: never\n"
	    "Subject: free offer\n\nDear friend,\nyou have won\n");
	spam_rules_learn(hits, a, &f);
	tap_ok(f.n >= 4 && f.count[FAMILY_RULES] == f.n,
	    "those met are features");
	clues_open(&clues, a);
	spam_rules_clues(hits, &clues);
	tap_is_int(clues.count, 0, "and no clues");
	spam_rules_free(rules);
	tap_ok(spam_rules_load("/nonexistent/rules", &rules, a, &why) ==
	    RC_BAD && slice_starts(why, SLICE("/nonexistent/rules: ")),
	    "a site's file that is not there is named");
}

static void
test_clues(struct arena *a)
{
	struct spam_rules *rules = spam_rules_new();
	struct slice why = SLICE("");
	struct features f = { .n = 0 };
	struct spam_hits *hits;
	struct clues clues;

	spam_rules_parse(rules, "f", SLICE("mine subject weight=2.5 "
	    "class=phishing /x/ our words\n"), a, &why);
	hits = look(a, rules, "Subject: x\n\ny\n");
	clues_open(&clues, a);
	spam_rules_clues(hits, &clues);
	spam_rules_learn(hits, a, &f);
	tap_ok(clues.count == 1 && clues_of(&clues, CLASS_PHISHING) > 2.4 &&
	    slice_eq(clues.first->words, SLICE("our words")),
	    "a rule with a weight is a clue");
	tap_is_int((long long)f.n, 0, "and no feature");
	spam_rules_free(rules);
}

/* What a regex needs: where it is not there, the regex is not run. */
static const struct { const char *pattern, *text; bool may; } needs[] = {
	{ "\\b(casino|jackpot)s?\\b", "a JackPot", true },
	{ "\\b(casino|jackpot)s?\\b", "a jack and a pot", false },
	{ "abc?de", "abde", true },
	{ "abcd?ef", "ABCDEF", true },
	{ "abcd?ef", "abce", false },
	{ "abcd?ef", "abdef", false },
	{ "ab{2,3}cde", "abbcde", true },
	{ "ab{2,3}cde", "abbcd", false },
	{ "abc{0,2}|wxyz", "ab", true },
	{ "(?:won|been (chosen|awarded)) now", "chosen", false },
	{ "(?:won|been (chosen|awarded)) now", "won now", true },
	{ "x\\.exe$", "X.EXE", true },
	{ "(?=abcd)abcd", "nothing", true },
	{ "\\x41bcd", "abcd", true },
	{ "[]abc]{3}", "]]]", true },
	{ "[[:alpha:]]here", "xhere", true },
	{ "a(bcd|)e", "ae", true },
	{ "bank", "\xe2\x84\xaa", true },
	{ "miss", "mi\xc5\xbfs", true },
	{ "a\\Qb|c\\Edef", "ab|cdef", true },
	{ "(abc)*?d", "d", true },
	{ "(((((((((((abc)))))))))))", "x", true },
	{ "work (at|from) home", "work from afar", false },
	{ "work (at|from) home", "WORK at home", true },
	{ "sign[- ]?in", "signin", true },
	{ "sign[- ]?in", "sign on", false },
	{ "sign[^-]in", "sign/in", true },
	{ "sign[a-c]in", "signbin", true },
	{ "you('ve| have) (just )?won", "you have just won", true },
	{ "you('ve| have) (just )?won", "you just won", false },
	{ "x(abc|def)+yz", "xabcdefyz", true },
	{ "x(abc|def)+yz", "xyz", false },
	{ "abcd*e|x{0}yzw", "abce", true },
	{ "abcd*e|x{0}yzw", "yzw", true },
	{ "(a|)(b|)cde", "cde", true },
	{ "https?://", "ftp", true },
};

enum { NEEDS = sizeof needs / sizeof *needs };

static bool
may_match(struct arena *a, const char *pattern, struct slice text)
{
	struct needs *n = arena_alloc(a, sizeof *n);
	uint64_t may[NEEDS_WORDS];

	needs_add(n, a, 77, slice_of(pattern));
	needs_look(n, text, may);
	return (may[77 / 64] >> 77 % 64 & 1) != 0;
}

/* Texts of the pieces of all: whatever matches may match. */
static void
test_needs(struct arena *a)
{
	struct regex_scan *scan = regex_scan_new(a);
	unsigned seed = 1, matched = 0, wrong = 0;

	for (unsigned i = 0; i < NEEDS; i++)
		tap_is_int(may_match(a, needs[i].pattern,
		    slice_of(needs[i].text)), needs[i].may, "%s may match %s",
		    needs[i].pattern, needs[i].text);
	for (unsigned i = 0; i < 20 * NEEDS; i++) {
		struct buf text = buf_in(a);
		struct slice why, hit;
		struct regex *regex;
		size_t at = 0;

		for (unsigned k = 0; k < 3; k++) {
			seed = seed * 1103515245 + 12345;
			buf_adds(&text, needs[(seed >> 16) % NEEDS].text);
		}
		if (regex_compile(a, slice_of(needs[i % NEEDS].pattern),
		    &regex, &why) != RC_OK || regex_next(regex, scan,
		    buf_slice(&text), &at, &hit) != REGEX_HIT)
			continue;
		matched++;
		wrong += !may_match(a, needs[i % NEEDS].pattern,
		    buf_slice(&text));
	}
	tap_ok(matched > NEEDS && wrong == 0, "what matches may match");
}

int
main(void)
{
	struct arena *a = arena_new();

	test_faults(a);
	test_places(a);
	test_needs(a);
	test_facts(a);
	test_bomb(a);
	test_shipped(a);
	test_clues(a);
	arena_free(a);
	return tap_done();
}
