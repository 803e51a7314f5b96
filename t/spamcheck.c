/*
 * The spam check's parts without a process: who is one of us, what of a message
 * came on its way, how often somebody may ask.
 */
#include <string.h>

#include "base/clock.h"
#include "services/spamcheck/rate.h"
#include "services/spamcheck/result.h"
#include "services/spamcheck/who.h"
#include "t/tap.h"

#define ID	"4Zx1Qk2hJ9z"
#define FAR	"NAME=x ADDR=203.0.113.5 SOURCE=REMOTE"
#define NEAR	"NAME=x ADDR=198.51.100.7 SOURCE=REMOTE"
#define BY	"\r\n\tby mx.our.test (Postfix) with "
#define DRAFT	"Subject: x\r\n\r\nbody\r\n"
#define FROM	"Received: from pc (pc [192.0.2.9])"

static struct arena *a;
static struct notices notices;
static struct house_conf house;

static void
set_up(void)
{
	struct slice *domains = arena_array(a, 1, sizeof *domains);
	struct network *nets = arena_array(a, 2, sizeof *nets);

	domains[0] = SLICE("our.test");
	net_parse(SLICE("198.51.100.0/24"), &nets[0]);
	net_parse(SLICE("2001:db8:1::/48"), &nets[1]);
	house = (struct house_conf){ .hostname = "mx.our.test",
	    .domains = { domains, 1 }, .networks = { nets, 2 } };
	notices.house = &house;
}

static const struct {
	const char *name, *sender, *xforward, *message;
	bool asks;
} cases[] = {
	{ "from a network of ours", "a@our.test", NEAR, DRAFT, true },
	{ "a domain in capitals", "a@OUR.test", NEAR, DRAFT, true },
	{ "of IPv6", "a@our.test", "ADDR=IPV6:2001:db8:1::9", DRAFT, true },
	{ "of another", "a@our.test", "ADDR=IPV6:2001:db8:2::9", DRAFT, false },
	{ "from far", "a@our.test", FAR, DRAFT, false },
	{ "the last address counts", "a@our.test", NEAR " ADDR=203.0.113.5",
	  DRAFT, false },
	{ "no address is none of ours", "a@our.test", "ADDR=x SOURCE=LOCAL",
	  DRAFT, false },
	{ "this machine", "a@our.test", "SOURCE=LOCAL", DRAFT, true },
	{ "nothing is said", "a@our.test", "", DRAFT, false },
	{ "a domain of others", "a@far.test", NEAR, DRAFT, false },
	{ "one that ends like ours", "a@xour.test", NEAR, DRAFT, false },
	{ "no mailbox", "@our.test", NEAR, DRAFT, false },
	{ "nobody", "", NEAR, DRAFT, false },

	{ "a login", "a@our.test", FAR, FROM BY "ESMTPSA id " ID "\r\n\tfor "
	  "<x@y>; Thu\r\n" DRAFT, true },
	{ "a login, semicolon", "a@our.test", FAR, FROM BY "ESMTPA id " ID
	  "; Thu\r\n" DRAFT, true },
	{ "UTF-8", "a@our.test", FAR, FROM BY "UTF8SMTPSA id " ID "; T\r\n"
	  DRAFT, true },
	{ "behind other fields", "a@our.test", FAR, "X-A: 1\r\n" FROM BY
	  "ESMTPSA id " ID "; T\r\n" DRAFT, true },
	{ "rewritten by the recipe", "a@our.test", FAR, "Received: by mx.our."
	  "test with ESMTPSA id " ID "; T\r\n" DRAFT, true },
	{ "no login", "a@our.test", FAR, FROM BY "ESMTPS id " ID "; T\r\n"
	  DRAFT, false },
	{ "another message's", "a@our.test", FAR, FROM BY "ESMTPSA id "
	  "4Zx1Qk2hJ9y; T\r\n" DRAFT, false },
	{ "only the first field counts", "a@our.test", FAR, FROM BY "ESMTPS "
	  "id 4Zx1Qk2hJ9y; T\r\n" FROM BY "ESMTPSA id " ID "; T\r\n" DRAFT,
	  false },
	{ "in a comment", "a@our.test", FAR, "Received: from pc (with ESMTPSA "
	  "id " ID " x)" BY "ESMTPS id 4Zx1Qk2hJ9y; T\r\n" DRAFT, false },
	{ "in a comment in one", "a@our.test", FAR, "Received: from pc (a (b) "
	  "with ESMTPSA id " ID " x)" BY "ESMTPS id 4Zx1; T\r\n" DRAFT,
	  false },
	{ "in the body", "a@our.test", FAR, "A: b\r\n\r\n" FROM BY
	  "ESMTPSA id " ID "; T\r\n" DRAFT, false },

	{ "an automatic answer", "a@our.test", NEAR, "Auto-Submitted: "
	  "auto-replied; x=1\r\n" DRAFT, false },
	{ "none", "a@our.test", NEAR, "auto-submitted: No (x)\r\n" DRAFT,
	  false },
	{ "not automatic", "a@our.test", NEAR, "auto-submitted: No; x=y\r\n"
	  DRAFT, true },
	{ "from a list", "a@our.test", NEAR, "List-Post: <mailto:x@y>\r\n"
	  DRAFT, false },
	{ "junk", "a@our.test", NEAR, "Precedence: JUNK\r\n" DRAFT, false },
	{ "a newsletter", "a@our.test", NEAR, "Precedence: bulk\r\nList-Id: "
	  "<a.b>\r\nList-Unsubscribe: <x>\r\n" DRAFT, true },
	{ "what stands above the way", "a@our.test", NEAR, "Precedence: list"
	  "\r\n" FROM BY "ESMTP id " ID "; T\r\n" DRAFT, true },
	{ "no header", "a@our.test", NEAR, "", true },
	{ "nothing but comments", "a@our.test", NEAR, "Received: ((((\r\n (( "
	  "id " ID "\r\n\r\n", true },
};

static void
who(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct lmtp_mail m = {
		    .sender = slice_of(cases[i].sender),
		    .xforward = slice_of(cases[i].xforward),
		    .queue_id = SLICE(ID) };

		tap_is_int(who_refuses(&m, slice_of(cases[i].message),
		    &notices, a) == NULL, cases[i].asks, "%s", cases[i].name);
	}
}

static void
drafts(void)
{
	struct lmtp_mail m = { .queue_id = SLICE(ID) };
	struct slice way = SLICE("X-Above: 1\r\n" FROM BY "ESMTP id " ID
	    "\r\n\tfor <a@b>; Thu\r\n" DRAFT);

	tap_is(who_draft(&m, way, a), SLICE(DRAFT), "without the way here");
	tap_is(who_draft(&m, SLICE(DRAFT), a), SLICE(DRAFT), "as it is");
	m.queue_id = SLICE("");
	tap_is(who_draft(&m, way, a), way, "no queue id: all of it");
	m.queue_id = SLICE("4Zx1Qk2hJ9");
	tap_is(who_draft(&m, way, a), way, "the beginning of one is none");
}

/* The same message again has the same id, and no other has it. */
static void
ids(void)
{
	struct lmtp_mail m = { .queue_id = SLICE(ID),
	    .sender = SLICE("a@our.test") }, other = m;
	struct slice id = result_id(&m, SLICE(DRAFT), a);

	tap_is_int((long long)id.len, 32, "an id");
	tap_is(result_id(&m, SLICE(DRAFT), a), id, "the same again");
	tap_ok(!slice_eq(result_id(&m, SLICE(DRAFT " "), a), id),
	    "another text");
	other.sender = SLICE("b@our.test");
	tap_ok(!slice_eq(result_id(&other, SLICE(DRAFT), a), id),
	    "another sender");
	other = m;
	other.queue_id = SLICE("4Zx1Qk2hJ9y");
	tap_ok(!slice_eq(result_id(&other, SLICE(DRAFT), a), id),
	    "another message with that text");
}

static void
rates(void)
{
	static struct rate r;
	const struct slice me = SLICE("a@our.test");
	int64_t now = 1000;
	unsigned kept = 0;

	rate_init(&r);
	tap_ok(rate_take(&r, me, 2, now), "one of two");
	tap_ok(rate_take(&r, me, 2, now), "two of two");
	tap_ok(!rate_take(&r, me, 2, now), "no third");
	tap_ok(rate_take(&r, SLICE("b@our.test"), 2, now), "but another one's");
	tap_ok(rate_take(&r, me, 3, now), "unless more are allowed");
	rate_back(&r, me);
	rate_back(&r, me);
	tap_ok(rate_take(&r, me, 2, now), "what was none is given back");
	tap_ok(!rate_take(&r, me, 2, now + RATE_MS - 1), "an hour is long");
	tap_ok(rate_take(&r, me, 2, now + RATE_MS), "and ends");
	tap_ok(rate_take(&r, me, 0, now), "0: any number");
	rate_back(&r, SLICE("nobody@our.test"));

	/* Whoever comes from very many addresses pushes out those with few. */
	for (int i = 0; i < 5; i++)
		rate_take(&r, SLICE("busy@our.test"), 5, now + RATE_MS);
	for (int i = 0; i < 10 * RATE_SLOTS; i++) {
		struct slice one = arena_printf(a, "%d@our.test", i);

		kept += rate_take(&r, one, 5, now + RATE_MS);
	}
	tap_is_int(kept, 10 * RATE_SLOTS, "a full table refuses nobody");
	tap_ok(!rate_take(&r, SLICE("busy@our.test"), 5, now + RATE_MS),
	    "and knows who has had most");
}

int
main(void)
{
	a = arena_new();
	set_up();
	who();
	drafts();
	ids();
	rates();
	arena_free(a);
	return tap_done();
}
