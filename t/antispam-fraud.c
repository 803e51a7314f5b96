/*
 * Letters that want money by deceit, against honest ones that look alike; what
 * is known of senders; who is allowed to do what.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "milters/antispam/filter.h"
#include "milters/antispam/fraud_part.h"
#include "milters/antispam/history_note.h"
#include "t/fraud-cases.h"
#include "t/tap.h"

#define HEAD "Erika M\xc3\xbcller-L\xc3\xbc" "denscheid"
#define IBAN "DE89370400440532013000"

enum { BEGAN = 1780000000, DAY = 86400, NOW = BEGAN + 200 * DAY };

struct stage {
	struct arena *a;
	struct house_conf house;
	struct antispam_conf conf;
	void *opened;			/* by the filter */
	struct antispam_shared shared;	/* the same, with a history */
	struct client client;
	struct envelope envelope;
	struct recipient recipients[2];
	struct finding findings[6];
	struct people *people;
	struct policy *policy;
	const struct mark *release;
	struct message *msg;
	struct job job;
	struct antispam_answers seen;
	struct antispam_own own[2];
};

static char dir[] = "/tmp/gatehouse-fraud-XXXXXX";
static struct stage s;

static void
must(enum rc rc, struct slice why)
{
	if (rc == RC_OK)
		return;
	fprintf(stderr, "%.*s\n", SLICE_ARG(why));
	abort();
}

static void
set_up(void)
{
	static const char conf[] = "protected = [ \"" HEAD
	    " <erika@acme-works.com> <erika@home-mail.de>\", "
	    "\"John Smith <john@acme-works.com>\", "
	    "\"de Vries, Jan <jan@acme-works.com> <jan@devries-family.nl>\" ];"
	    "partners = [ \"big-partner.com\" ];";
	static const char house[] = "domains = [ \"acme-works.com\" ];";
	struct conf_section own[] = { { antispam_options, &s.conf },
	    { NULL, NULL } }, ours[] = { { house_options, &s.house },
	    { NULL, NULL } };
	struct slice why = SLICE(""), nameless;
	const char *anew;

	s.a = arena_new();
	must(conf_parse(s.a, "antispam.conf", slice_of(conf), own, &why), why);
	must(conf_parse(s.a, "gatehouse.conf", slice_of(house), ours, &why),
	    why);
	must(antispam_check(&s.conf, &s.house, s.a, &why), why);
	s.conf.model = arena_printf(s.a, "%s/milters/antispam/antispam.model",
	    tap_src()).ptr;
	s.house.state_directory = dir;
	must(antispam_filter.open(&s.conf, &s.house, NULL, &s.opened, s.a,
	    &why), why);
	s.shared = *(struct antispam_shared *)s.opened;
	must(people_new(&s.conf.protected_people, NULL, s.a, &s.people,
	    &nameless, &why), why);
	must(policy_open(NULL, &s.house, &s.policy, s.a, &why), why);
	clock_pin(BEGAN);
	must(history_open(dir, 4096, &s.shared.history, &anew, s.a, &why),
	    why);
}

/* ---- what is known before the letters come ---- */

static void
knows(const char *address, const char *domain, unsigned days, unsigned spam,
    const char *iban)
{
	struct history_who who = { slice_of(address), slice_of(domain) };
	struct slice to = SLICE("jan@acme-works.com");

	for (unsigned i = 0; i < days; i++) {
		struct history_message m = { .id = arena_printf(s.a, "<%u>",
		    i), .recipients = &to, .nrecipients = 1, .spam = i < spam };

		history_count(s.shared.history, &who, &m, s.a, BEGAN + (i +
		    1) * DAY);
	}
	if (iban != NULL)
		history_account_add(s.shared.history, who.domain,
		    slice_of(iban), false, BEGAN + DAY);
}

static void
begin(void)
{
	struct history_who to = { SLICE("tom@good-client.com"),
	    SLICE("good-client.com") };

	knows("rechnung@nordlicht-logistik.de", "nordlicht-logistik.de", 60, 0,
	    IBAN);
	knows("anna@good-client.com", "good-client.com", 20, 0, NULL);
	knows("someone@gmail.com", "gmail.com", 30, 0, NULL);
	knows("x@evil-shop.com", "evil-shop.com", 20, 19, NULL);
	history_wrote(s.shared.history, &to, SLICE("<out@acme>"), s.a,
	    BEGAN + DAY);
}

/* ---- a letter ---- */

static struct finding
finding(const char *key, const char *value)
{
	return (struct finding){ SLICE("auth-check"), slice_of(key),
	    slice_of(value) };
}

static size_t
findings_for(enum proof proof, struct slice domain)
{
	if (proof == NOT_LOOKED)
		return 0;
	s.findings[0] = finding("dmarc", proof == PASSES ? "pass" :
	    proof == FAILS ? "fail" : "none");
	s.findings[1] = finding("spf", proof >= PASSES ? "pass" : "none");
	s.findings[2] = finding("dkim", "none");
	s.findings[3] = (struct finding){ SLICE("auth-check"),
	    SLICE("dmarc-from"), domain };
	s.findings[4] = s.findings[3];
	s.findings[4].key = SLICE("spf-domain");
	return 5;
}

static void
judge(struct arena *a, const char *head, const char *body,
    enum proof proof, enum direction direction)
{
	struct spam_look look = { .job = &s.job, .shared = &s.shared,
	    .conf = &s.conf };
	struct buf text = buf_in(a);
	struct slice h, b, why = SLICE("");
	struct fraud_from from;

	buf_adds(&text, head);
	buf_adds(&text, "MIME-Version: 1.0\nContent-Type: text/plain; "
	    "charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n");
	buf_adds(&text, body);
	message_split(a, buf_slice(&text), &h, &b);
	s.msg = arena_alloc(a, sizeof *s.msg);
	message_read(s.msg, a, h, b, &message_limits_default);
	fraud_from_read(NULL, s.msg, &s.shared, &from);
	s.recipients[0].address = SLICE("jan@acme-works.com");
	s.recipients[1].address = SLICE("peer@new-friend.com");
	s.envelope = (struct envelope){ .sender = SLICE("x@y.test"),
	    .recipients = s.recipients + (direction != DIRECTION_IN),
	    .nrecipients = 1 };
	s.job = (struct job){ .filter = "antispam", .arena = a,
	    .house = &s.house, .policy = s.policy, .conf = &s.conf,
	    .shared = &s.shared, .client = &s.client,
	    .envelope = &s.envelope, .msg = s.msg,
	    .view = s.people, .findings = s.findings, .direction = direction,
	    .pass = 1, .now = NOW, .release = s.release,
	    .answers = &s.seen };
	s.job.nfindings = findings_for(proof, from.domain);
	look.msg = s.msg;
	s.seen = (struct antispam_answers){ .own = s.own };
	s.own[0] = (struct antispam_own){ .conf = s.conf };
	must(antispam_judge(&look, &s.seen, &why), why);
}

static const char *
head_of(struct arena *a, const struct fraud_case *c, unsigned number)
{
	return arena_printf(a, "From: %s\nTo: jan@acme-works.com\nSubject: "
	    "%s\nMessage-ID: <case%u@x.test>\n%s%s%s%s", c->from, c->subject,
	    number, c->reply_to != NULL ? "Reply-To: " : "",
	    c->reply_to != NULL ? c->reply_to : "",
	    c->reply_to != NULL ? "\n" : "",
	    c->more != NULL ? c->more : "").ptr;
}

static void
letters(void)
{
	unsigned caught = 0, passed = 0, number = 0;

	for (const struct fraud_case *c = fraud_cases; c->name != NULL; c++) {
		struct arena *a = arena_new();
		bool fraud;

		judge(a, head_of(a, c, ++number), c->body, c->proof,
		    DIRECTION_IN);
		fraud = s.seen.percent[CLASS_FRAUD] >= s.conf.fraud_at;
		caught += fraud && c->fraud;
		passed += !fraud && !c->fraud;
		if (!tap_ok(fraud == c->fraud, "%s: %s, %u %%", c->name,
		    c->fraud ? "fraud" : "honest",
		    s.seen.percent[CLASS_FRAUD]))
			for (const struct clue *i = s.seen.clues.first;
			    i != NULL; i = i->next)
				tap_diag("%+.2f %s: %.*s", i->weight, i->name,
				    SLICE_ARG(i->words));
		arena_free(a);
	}
	tap_ok(caught >= 25 && passed >= 25, "%u caught, %u passed", caught,
	    passed);
}

static const struct clue *
clue(const char *name)
{
	for (const struct clue *i = s.seen.clues.first; i != NULL; i = i->next)
		if (strcmp(i->name, name) == 0)
			return i;
	return NULL;
}

/* No clue of its own reaches the threshold, nor do the two that every new
 * customer in a hurry has. */
static void
weak_alone(void)
{
	struct arena *a = arena_new();
	bool weak = true;

	for (const struct fraud_case *c = fraud_cases; c->name != NULL; c++) {
		judge(a, head_of(a, c, 0), c->body, c->proof, DIRECTION_IN);
		for (const struct clue *i = s.seen.clues.first; i != NULL;
		    i = i->next)
			weak = weak && (i->of != CLASS_FRAUD ||
			    i->weight < 4.4);
	}
	tap_ok(weak, "no clue decides alone");
	judge(a, "From: New <new@never-seen.com>\nSubject: urgent\n", "Urgent: "
	    "please answer immediately.\n", PASSES, DIRECTION_IN);
	tap_is_int(s.seen.percent[CLASS_FRAUD], 0, "first contact in a hurry "
	    "is not worth a word");
	arena_free(a);
}

/* ---- reasons, and what is set ---- */

static void
reasons(void)
{
	struct arena *a = arena_new();
	const struct clue *c;

	judge(a, "From: N <rechnung@nordlicht-logistik.de>\nSubject: R\n",
	    "Neue Bankverbindung: LT12 1000 0111 0100 1000\n", PASSES,
	    DIRECTION_IN);
	c = clue("fraud-account");
	tap_ok(c != NULL && slice_search(c->words, SLICE("1000011101001000"))
	    == c->words.len && slice_search(c->words, SLICE("1000")) <
	    c->words.len, "an account is told by its end alone");
	tap_ok(clue("fraud-account-abroad") != NULL, "and its country");
	tap_is_str(class_name(antispam_class(&s.seen)), "fraud",
	    "the class");
	judge(a, "From: N <rechnung@nordlicht-logistik.de>\nSubject: R\n",
	    "Neue Bankverbindung: LT12 1000 0111 0100 1000\n", NO_PROOF,
	    DIRECTION_IN);
	tap_ok(clue("fraud-account") == NULL,
	    "who proves nothing is no partner");
	arena_free(a);
}

static const char drifts[] = "From: John Smith <jsmith@consulting-firm.com>\n"
    "Reply-To: <jsmith@gmail.com>\nSubject: Invoice\n";

static enum action
decided(void)
{
	struct plan *p;

	s.own[0].who.known = true;
	p = antispam_decide(&s.job);
	return plan_recipient(p, 0)->action;
}

static void
settings(void)
{
	struct arena *a = arena_new();
	struct slice items[] = { SLICE("consulting-firm.com") };

	/* The name is 3, freemail answers 1.3, first contact 0.9. */
	judge(a, drifts, "Please see the attached file.\n", PASSES,
	    DIRECTION_IN);
	tap_ok(s.seen.percent[CLASS_FRAUD] >= 60 && s.seen.straight < 60,
	    "answers elsewhere are what decides (%u, %u without)",
	    s.seen.percent[CLASS_FRAUD], s.seen.straight);
	tap_is_int(decided(), QUARANTINE, "it is held");
	s.own[0].conf.reply_to_test = false;
	tap_is_int(decided(), ACCEPT, "not for whom wants no such test");
	s.own[0].conf.reply_to_test = true;
	s.own[0].conf.fraud_allow = (struct conf_list){ items, 1 };
	tap_is_int(decided(), ACCEPT, "nor for whom allows that domain");
	judge(a, drifts, "Please make a payment.\n", NO_PROOF, DIRECTION_IN);
	s.own[0].conf.fraud_allow = (struct conf_list){ items, 1 };
	tap_is_int(decided(), QUARANTINE, "where nothing proves it, it is not "
	    "allowed");
	judge(a, drifts, "Please make a payment.\n", SPF_ONLY, DIRECTION_IN);
	s.own[0].conf.fraud_allow = (struct conf_list){ items, 1 };
	tap_ok(s.seen.from.proven && decided() == QUARANTINE,
	    "nor where SPF alone does");
	arena_free(a);
}

/* ---- history ---- */

static struct history_view
seen_of(const char *address, const char *domain, bool of_domain)
{
	struct history_who who = { slice_of(address), slice_of(domain) };
	struct history_view one, all;

	history_look(s.shared.history, &who, &one, &all);
	return of_domain ? all : one;
}

static void
notes(void)
{
	static const char head[] = "From: Ann <Ann@Fresh.new-firm.com>\n"
	    "Subject: s\nMessage-ID: <one@new-firm>\n";
	struct arena *a = arena_new();
	struct history_view v;

	judge(a, head, "Hello\n", NO_PROOF, DIRECTION_IN);
	v = seen_of("ann@fresh.new-firm.com", "new-firm.com", false);
	tap_ok(!v.known, "what is not proven is not noted");
	judge(a, head, "Hello\n", PASSES, DIRECTION_IN);
	judge(a, head, "Hello\n", PASSES, DIRECTION_IN);
	v = seen_of("ann@fresh.new-firm.com", "new-firm.com", false);
	tap_ok(v.known && v.messages == 1 && v.spam == 0 && v.days == 1 &&
	    v.recipients == 1 && v.sent == 0, "a message and its retry count "
	    "once (%u)", v.messages);
	v = seen_of("", "new-firm.com", true);
	tap_ok(v.known && v.messages == 1, "for the domain too");
	judge(a, "From: Me <jan@acme-works.com>\nSubject: s\nAuto-Submitted: "
	    "auto-replied\nMessage-ID: <o1@acme>\n", "Away\n", NOT_LOOKED,
	    DIRECTION_OUT);
	v = seen_of("peer@new-friend.com", "new-friend.com", false);
	tap_ok(!v.known, "an automatic answer makes no correspondent");
	for (int i = 0; i < 2; i++)
		judge(a, "From: Me <jan@acme-works.com>\nSubject: s\n"
		    "Message-ID: <o2@acme>\n", "Hi\n", NOT_LOOKED,
		    DIRECTION_OUT);
	v = seen_of("peer@new-friend.com", "new-friend.com", false);
	tap_ok(v.known && v.sent == 1 && v.messages == 0, "a letter does, "
	    "once");
	arena_free(a);
}

static enum history_account
account(const char *iban, int64_t when)
{
	return history_account(s.shared.history, SLICE("two-banks.com"),
	    slice_of(iban), when);
}

/* Named twice is not known: who has taken over a mailbox can do that. */
static void
accounts(void)
{
	static const char old[] = IBAN, other[] = "DE02120300000000202051",
	    abroad[] = "AT611904300234573201";
	struct history *h = s.shared.history;
	struct slice domain = SLICE("two-banks.com");

	knows("a@two-banks.com", "two-banks.com", 1, 0, NULL);
	tap_is_int(account(old, NOW), ACCOUNT_FIRST, "none yet");
	history_account_add(h, domain, SLICE(IBAN), false, NOW);
	tap_is_int(account(old, NOW), ACCOUNT_KNOWN, "the first counts");
	tap_is_int(account(other, NOW), ACCOUNT_OTHER, "another one");
	history_account_add(h, domain, slice_of(other), false, NOW);
	history_account_add(h, domain, slice_of(other), false, NOW + DAY);
	tap_is_int(account(other, NOW + 2 * DAY), ACCOUNT_OTHER,
	    "named twice, still another");
	tap_is_int(account(other, NOW + 8 * DAY), ACCOUNT_KNOWN,
	    "after a week it is theirs");
	history_account_add(h, domain, slice_of(abroad), false, NOW);
	tap_is_int(account(abroad, NOW + DAY), ACCOUNT_ABROAD, "abroad");
	history_account_add(h, domain, slice_of(abroad), true, NOW);
	tap_is_int(account(abroad, NOW), ACCOUNT_KNOWN,
	    "once somebody has looked");
}

/* A bank names others all the time. */
static void
many_accounts(void)
{
	static const char *const ibans[] = { IBAN, "DE02120300000000202051",
	    "AT611904300234573201", "LT121000011101001000",
	    "GB29NWBK60161331926819", "FR1420041010050500013M02606" };
	struct arena *a = arena_new();
	const struct clue *c;

	knows("a@some-bank.com", "some-bank.com", 1, 0, NULL);
	for (int i = 0; i < 6; i++)
		history_account_add(s.shared.history, SLICE("some-bank.com"),
		    slice_of(ibans[i]), false, BEGAN + i * DAY);
	judge(a, "From: John Smith <a@some-bank.com>\nSubject: s\n", "To CH93 "
	    "0076 2011 6238 5295 7.\n", PASSES, DIRECTION_IN);
	c = clue("fraud-account");
	tap_ok(c != NULL && c->weight < 1, "a bank's other account is little");
	arena_free(a);
}

static void
flood(void)
{
	struct arena *a = arena_new();
	uint64_t known = 0;

	for (unsigned i = 0; i < 200; i++) {
		struct slice address = arena_printf(a, "x%u@flood.com", i);
		struct history_who who = { address, SLICE("flood.com") };
		struct history_message m = { .id = address, .spam = true };
		struct history_view one, all;

		history_count(s.shared.history, &who, &m, a, NOW);
		history_look(s.shared.history, &who, &one, &all);
		known += one.known;
	}
	tap_ok(known > 0 && known <= 20, "a spammer's addresses push out "
	    "nobody (%u noted)", (unsigned)known);
	tap_is_int(seen_of("", "flood.com", true).spam, 200,
	    "he is known as a whole");
	arena_free(a);
}

static void
below_ours(void)
{
	struct arena *a = arena_new();

	judge(a, "From: HR <hr@mail.acme-works.com>\nSubject: s\n", "Hi\n",
	    NO_PROOF, DIRECTION_IN);
	tap_ok(clue("fraud-spoof") != NULL, "below a domain of ours");
	judge(a, "From: HR <hr@xacme-works.com>\nSubject: s\n", "Hi\n",
	    NO_PROOF, DIRECTION_IN);
	tap_ok(clue("fraud-spoof") == NULL, "beside it");
	arena_free(a);
}

static void
options(void)
{
	static const struct { const char *text, *why; } bad[] = {
		{ "protected = [ \"John\" ];", "protected has" },
		{ "fraud_allow = [ \"a b\" ];", "fraud_allow has" },
		{ "fraud_allow = [ \"b\xc3\xbc.example\" ];",
		  "fraud_allow has" },
		{ "fraud_allow = [ \"@x.example\" ];", "fraud_allow has" },
	};
	struct slice why = SLICE("");

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct antispam_conf conf;
		struct conf_section own[] = { { antispam_options, &conf },
		    { NULL, NULL } };

		must(conf_parse(s.a, "x", slice_of(bad[i].text), own, &why),
		    why);
		tap_ok(antispam_check(&conf, &s.house, s.a, &why) == RC_BAD &&
		    slice_starts(why, slice_of(bad[i].why)), "%.*s",
		    SLICE_ARG(why));
	}
}

/* What somebody has let out of the quarantine was judged wrongly. */
static void
released(void)
{
	static const char head[] = "From: John Smith <john@namesake-firm.com>\n"
	    "Subject: s\nMessage-ID: <r1@namesake>\n";
	static const char body[] = "Are you available? Please make a payment "
	    "to DE89 3704 0044 0532 0130 00.\n";
	static const struct mark mark = { .cause = CAUSE_FRAUD };
	struct slice domain = SLICE("namesake-firm.com");
	struct arena *a = arena_new();
	struct history_view v;

	judge(a, head, body, PASSES, DIRECTION_IN);
	v = seen_of("john@namesake-firm.com", "namesake-firm.com", false);
	tap_ok(v.messages == 1 && v.spam == 1, "taken for fraud");
	tap_is_int(history_account(s.shared.history, domain, slice_of(IBAN),
	    NOW), ACCOUNT_FIRST, "its account is not learned");
	s.release = &mark;
	for (int i = 0; i < 2; i++)
		judge(a, head, body, PASSES, DIRECTION_IN);
	s.release = NULL;
	v = seen_of("john@namesake-firm.com", "namesake-firm.com", false);
	tap_ok(v.messages == 1 && v.spam == 0, "released: it was none");
	tap_is_int(history_account(s.shared.history, domain, slice_of(IBAN),
	    NOW), ACCOUNT_KNOWN, "and its account is");
	arena_free(a);
}

/* Split mail passes twice: pass 2 counts nothing. */
static void
second_pass(void)
{
	struct spam_look look = { .job = &s.job, .shared = &s.shared,
	    .conf = &s.conf, .from = &s.seen.from };
	struct arena *a = arena_new();

	judge(a, "From: Ann <ann@pass-two.com>\nSubject: s\n", "Hello\n",
	    NOT_LOOKED, DIRECTION_IN);
	s.seen.from.proven = true;
	look.msg = s.msg;
	s.job.pass = 2;
	history_note(&look, &s.seen);
	tap_ok(!seen_of("ann@pass-two.com", "pass-two.com", false).known,
	    "pass 2 notes nothing");
	arena_free(a);
}

static void
weights(void)
{
	struct arena *a = arena_new();
	struct history_who evil = { SLICE("x@evil-shop.com"),
	    SLICE("evil-shop.com") };
	const struct clue *c;

	judge(a, "From: Anna <anna@good-client.com>\nSubject: s\n", "Hi\n",
	    PASSES, DIRECTION_IN);
	c = clue("history-good");
	tap_ok(c != NULL && c->weight < -1 && c->weight >= -1.5,
	    "good for long: believed a bit more, and no more than that");
	judge(a, "From: X <x@evil-shop.com>\nSubject: s\n", "Hi\n", PASSES,
	    DIRECTION_IN);
	tap_ok(clue("history-bad") != NULL, "spam before: less");
	judge(a, "From: X <x@evil-shop.com>\nSubject: s\n", "Hi\n", NO_PROOF,
	    DIRECTION_IN);
	tap_ok(clue("history-bad") == NULL, "nobody is blamed without proof");
	judge(a, "From: Q <q@quite-unknown.com>\nSubject: s\n", "Hi\n", PASSES,
	    DIRECTION_IN);
	c = clue("history-none");
	tap_ok(c != NULL && c->weight <= 0.5, "unknown: a bit");
	for (unsigned i = 0; i < 15; i++)
		history_correct(s.shared.history, &evil, arena_printf(a,
		    "<%u>", i), false, NOW);
	history_correct(s.shared.history, &evil, SLICE("<0>"), false, NOW);
	tap_is_int(seen_of("x@evil-shop.com", "evil-shop.com", false).spam, 4,
	    "corrections count, each once");
	history_correct(s.shared.history, &evil, SLICE("<1>"), true, NOW);
	tap_is_int(seen_of("x@evil-shop.com", "evil-shop.com", false).spam, 5,
	    "and can be taken back");
	arena_free(a);
}

static void
looks_like(void)
{
	struct history *h = s.shared.history;
	struct slice own = SLICE("nordlicht-logistik.de");

	tap_ok(!history_like(h, s.a, own, true), "it is not like itself");
	tap_ok(history_like(h, s.a, SLICE("nordl1cht-logistik.de"), false),
	    "a letter that looks so");
	tap_ok(history_like(h, s.a, SLICE("nordlcht-logistik.de"), true) &&
	    history_like(h, s.a, SLICE("nordlicht-logistikk.de"), true) &&
	    history_like(h, s.a, SLICE("nordlihct-logistik.de"), true) &&
	    history_like(h, s.a, SLICE("nordlacht-logistik.de"), true),
	    "left out, put in, exchanged, changed");
	tap_ok(!history_like(h, s.a, SLICE("nordlcht-logistik.de"), false),
	    "when typos are asked for");
	tap_ok(!history_like(h, s.a, SLICE("suedlicht-logistik.de"), true),
	    "another one");
	tap_ok(!history_like(h, s.a, SLICE("evil-shopp.com"), true),
	    "like one that sends spam: no matter");
}

/* The file outlives the process; the erasure is for good. */
static void
forgets(void)
{
	struct history_who anna = { SLICE("anna@good-client.com"),
	    SLICE("good-client.com") };
	struct slice why = SLICE("");
	struct history *tool;
	const char *anew;

	tool = history_map(dir, true, s.a, &why);
	tap_ok(tool != NULL && history_forget(tool, &anna, false) == 1 &&
	    history_forget(tool, &anna, false) == 0, "forgotten, once %.*s",
	    SLICE_ARG(why));
	history_drop(tool);
	tap_ok(!seen_of("anna@good-client.com", "good-client.com",
	    false).known && seen_of("", "good-client.com", true).known,
	    "the daemon knows the address no more");
	history_drop(s.shared.history);
	must(history_open(dir, 4096, &s.shared.history, &anew, s.a, &why),
	    why);
	tap_ok(anew == NULL && seen_of("", "good-client.com", true).known &&
	    history_begun(s.shared.history) == BEGAN, "opened again");
	history_drop(s.shared.history);
	must(history_open(dir, 8192, &s.shared.history, &anew, s.a, &why),
	    why);
	tap_ok(anew != NULL, "another size: begun anew");
}

/* ---- phrases, names ---- */

static void
words(void)
{
	static const struct { const char *text, *why; } bad[] = {
		{ "phrase\n", "x:1: a phrase before" },
		{ "[a 1]\n\n[b\n", "x:3: the bracket" },
		{ "[a x]\n", "x:1: the weight" },
		{ "[a 9]\n", "x:1: the weight" },
		{ "[a_b 1]\n", "x:1: a kind has" },
		{ "[a 1]\n\xff\n", "x:2: this is no UTF-8" },
	};
	struct slice why = SLICE("");
	struct fraud_words *w;
	struct fraud_found found = { .kinds = 0 };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		tap_ok(fraud_words_read("x", slice_of(bad[i].text), &w, s.a,
		    &why) == RC_BAD && slice_starts(why,
		    slice_of(bad[i].why)), "%.*s", SLICE_ARG(why));
	must(fraud_words_read("x", SLICE("# c\n[pay 1.25]\nwire it\n"
	    "\xc3\xbc" "berweisung\n"), &w, s.a, &why), why);
	fraud_words_find(w, s.a, SLICE("please w\xd1\x96re\n it, UBERWEISUNG"),
	    &found);
	tap_ok(found.kinds == 1 && fraud_words_weight(w, 0) == 1.25,
	    "in disguise and broken over lines");
	fraud_words_close(w);
	tap_is_int(fraud_words_open("/nonexistent", &w, s.a, &why), RC_BAD,
	    "%.*s", SLICE_ARG(why));
}

static void
names(void)
{
	static const struct { const char *name; enum named how; } c[] = {
		{ "John Smith", NAMED_FULL }, { "smith, JOHN", NAMED_FULL },
		{ "Mr. John A. Smith (CFO)", NAMED_FULL },
		{ "JohnSmith", NAMED_FULL }, { "J. Smith", NAMED_INITIAL },
		{ "J0hn Smith", NAMED_DISGUISED },
		{ "John Srnith", NAMED_DISGUISED },
		{ "Erika Mueller-Luedenscheid", NAMED_FULL },
		{ "Erika Muller Ludenscheid", NAMED_FULL },
		{ "Jan de Vries", NAMED_FULL }, { "Jan Vries", NAMED_FULL },
		{ "John Smithers", NAMED_NOT }, { "Joan Smith", NAMED_NOT },
		{ "John", NAMED_NOT }, { "Smith", NAMED_NOT },
		{ "", NAMED_NOT }, { "K. Smith", NAMED_NOT },
	};
	struct slice why = SLICE("");

	for (size_t i = 0; i < sizeof c / sizeof *c; i++) {
		enum named how;

		people_named(s.people, s.a, slice_of(c[i].name), &how);
		tap_is_int(how, c[i].how, "\"%s\"", c[i].name);
	}
	tap_is_int(people_check(SLICE("a@b.example"), s.a, &why), RC_OK,
	    "an address of the directory");
	tap_is_int(people_check(SLICE("John Smith"), s.a, &why), RC_BAD, "%.*s",
	    SLICE_ARG(why));
	tap_is_int(people_check(SLICE("J <a>"), s.a, &why), RC_BAD,
	    "no address");
	tap_is_int(people_check(SLICE("J <a@b.test"), s.a, &why), RC_BAD,
	    "not closed");
	tap_is_int(people_check(SLICE("J <a@b.test> x"), s.a, &why), RC_BAD,
	    "something behind it");
	tap_is_int(people_check(SLICE("<a@b.test>"), s.a, &why), RC_BAD,
	    "no name");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		abort();
	set_up();
	begin();
	names();
	words();
	looks_like();
	weights();
	letters();
	weak_alone();
	reasons();
	settings();
	notes();
	accounts();
	many_accounts();
	flood();
	below_ours();
	options();
	released();
	second_pass();
	forgets();
	history_drop(s.shared.history);
	unlink(arena_printf(s.a, "%s/history", dir).ptr);
	unlink(arena_printf(s.a, "%s/history.seen", dir).ptr);
	rmdir(dir);
	policy_drop(s.policy);
	antispam_filter.close(s.opened);
	arena_free(s.a);
	return tap_done();
}
