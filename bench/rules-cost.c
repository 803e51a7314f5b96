/*
 * rules-cost RULES ROUNDS: what rules cost that do not match, in microseconds
 * of processor time a message; for bench/rules.
 *
 * Each rule asks for a word of its own in the subject and in a field, and for a
 * sender of its own, in turns; the message has a dozen fields and none of
 * these. "plain" is the same without the prefilter: each rule is looked at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "milters/predelivery/rules_find.h"
#include "t/rules-stage.h"

static const char head[] =
    "Received: from mail.sender.test (mail.sender.test [192.0.2.1])\r\n"
    "\tby mx.our.test (Postfix) with ESMTPS id 4Zx1Qk2hJ9z\r\n"
    "\tfor <us@our.test>; Tue, 24 Nov 2026 12:00:00 +0000 (UTC)\r\n"
    "DKIM-Signature: v=1; a=rsa-sha256; d=sender.test; s=x;\r\n"
    "\th=from:to:subject; bh=YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTY=;\r\n"
    "\tb=YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXoxMjM0NTZZV0pqWkdWbVoyaHBhbXR\r\n"
    "From: \"A. Sender\" <a@sender.test>\r\nTo: us@our.test\r\n"
    "Subject: minutes of yesterday's meeting, and what we want to do next\r\n"
    "Date: Tue, 24 Nov 2026 12:00:00 +0000\r\n"
    "Message-ID: <20261124120000.1@sender.test>\r\n"
    "X-Mailer: some program 12.4 (a version)\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n";

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
make_rules(struct buf *out, unsigned n)
{
	buf_adds(out, "rules = (\n");
	for (unsigned i = 0; i < n; i++) {
		buf_addf(out, "%s{ name = \"r%u\"; mode = \"active\"; "
		    "when = { ", i > 0 ? ",\n" : "", i);
		if (i % 3 == 0)
			buf_addf(out, "subject = { contains = \"word-%u-\"; };",
			    i);
		else if (i % 3 == 1)
			buf_addf(out, "header = { name = \"X-Mailer\"; "
			    "contains = \"word-%u-\"; };", i);
		else
			buf_addf(out, "from = \"word-%u@sender.test\";", i);
		buf_adds(out, " }; then = { reject = true; }; }");
	}
	buf_adds(out, "\n);\n");
	buf_addc(out, '\0');
}

static void
one(struct stage *s, struct arena *a, bool plain)
{
	struct conf_list sets = { (const struct slice[]){ SLICE("default") },
	    1 };
	const struct rules_for of[] = { { &sets, RULE_IN } };
	struct rules_outcome out;
	struct facts *f = arena_alloc(a, sizeof *f);
	struct notes n;

	s->job.arena = a;
	facts_init(f, &s->job, NULL, 0);
	if (!plain) {
		rules_run(s->shared.rules, f, of, &out);
		return;
	}
	notes_init(&n, s->shared.rules, f);
	notes_recipient(&n, 0, RULE_IN);
	for (unsigned i = 0; i < s->shared.rules->n; i++)
		if (rules_when(&n, &s->shared.rules->all[i]) != TRUTH_NO)
			abort();
}

static double
cost(struct stage *s, unsigned rounds, bool plain)
{
	struct arena *a = arena_new();
	double began = seconds(), took;

	for (unsigned i = 0; i < rounds; i++) {
		one(s, a, plain);
		arena_reset(a);
	}
	took = seconds() - began;
	arena_free(a);
	return took * 1e6 / rounds;
}

int
main(int argc, char **argv)
{
	unsigned rules = argc > 1 ? (unsigned)atoi(argv[1]) : RULES;
	unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 2000;
	struct buf text = { .ptr = NULL };
	struct stage s;
	double began, load;

	if (rules > RULES || rounds == 0) {
		fprintf(stderr, "usage: rules-cost RULES ROUNDS\n");
		return 64;
	}
	stage_begin(&s, head, "hello\r\n");
	make_rules(&text, rules);
	began = seconds();
	if (stage_rules(&s, text.ptr) != RC_OK) {
		fprintf(stderr, "%.*s\n", SLICE_ARG(s.why));
		return 1;
	}
	load = (seconds() - began) * 1e3;
	printf("rules %u load_ms %.0f found_us %.2f plain_us %.2f\n", rules,
	    load, cost(&s, rounds, false), cost(&s, rounds / 20 + 1, true));
	buf_free(&text);
	stage_end(&s);
	return 0;
}
