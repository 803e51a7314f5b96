/*
 * A message of anybody through the checks for fraud, with executives, domains
 * of ours and a partner that has named an account: clues are bounded, and
 * only those that together are worth a word are told.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "milters/antispam/fraud_part.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct house_conf house;
static struct antispam_conf conf;
static struct antispam_shared shared;
static const struct finding findings[] = {
	{ { "auth-check", 10 }, { "dmarc", 5 }, { "pass", 4 } },
	{ { "auth-check", 10 }, { "dmarc-from", 10 }, { "partner.com", 11 } },
};

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
set_up(struct arena *a)
{
	static char dir[] = "/tmp/gatehouse-fuzz-fraud-XXXXXX";
	struct conf_section own[] = { { antispam_options, &conf },
	    { NULL, NULL } }, ours[] = { { house_options, &house },
	    { NULL, NULL } };
	struct slice why;
	const char *anew;

	must(conf_parse(a, "a", SLICE("protected = [ \"Erika Muster "
	    "<erika@acme-works.com>\", \"John Smith <john@acme-works.com>\" ];"
	    "partners = [ \"big-partner.com\" ]; history_after = \"0s\";"),
	    own, &why) == RC_OK);
	must(conf_parse(a, "g", SLICE("domains = [ \"acme-works.com\" ];"),
	    ours, &why) == RC_OK);
	shared.suffixes = suffixes_open("", a, &why);
	must(shared.suffixes != NULL && fraud_open(&conf, &house,
	    shared.suffixes, &shared.fraud, a, &why) == RC_OK);
	must(mkdtemp(dir) != NULL && history_open(dir, 1024, &shared.history,
	    &anew, a, &why) == RC_OK);
	unlink(arena_printf(a, "%s/history", dir).ptr);
	unlink(arena_printf(a, "%s/history.seen", dir).ptr);
	rmdir(dir);
	history_wrote(shared.history, &(struct history_who){
	    SLICE("a@partner.com"), SLICE("partner.com") }, SLICE("1"), a, 1);
	history_account_add(shared.history, SLICE("partner.com"),
	    SLICE("DE89370400440532013000"), true, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct arena *forever;
	struct arena *a = arena_new();
	struct job job = { .arena = a, .house = &house, .conf = &conf,
	    .shared = &shared, .now = 2000000000, .findings = findings,
	    .nfindings = 2, .direction = DIRECTION_IN };
	struct spam_look look = { .job = &job, .shared = &shared,
	    .conf = &conf };
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct slice head, body, why;
	struct fraud_from from;
	struct content content;
	struct clues clues;

	if (forever == NULL)
		set_up(forever = arena_new());
	message_split(a, slice_make(data, size), &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	content_read(msg, &content_limits_default, &content);
	fraud_from_read(&job, msg, &shared, &from);
	clues_open(&clues, a);
	look.msg = msg;
	look.content = &content;
	look.from = &from;
	look.clues = &clues;
	must(fraud_check(&look, &why) == RC_OK);
	must(clues.count <= FRAUD_CLUES);
	must(clues.count == 0 || clues_sum(&clues) >= FRAUD_FLOOR - 1e-9);
	for (const struct clue *c = clues.first; c != NULL; c = c->next)
		must(c->of == CLASS_FRAUD && c->words.len > 0 &&
		    fabs(c->weight) < 4.4);
	arena_free(a);
	return 0;
}
