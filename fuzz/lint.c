/*
 * Lint of outbound mail: the bytes are a message, and its first line a MAIL
 * FROM as well as what DNS answers to all questions. Each rule ends with a
 * result and a reason just when it is not good; addresses of list fields,
 * dates, bounce addresses and registered senders are read on the way.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "milter/seal.h"
#include "milters/predelivery/envelope.h"
#include "milters/predelivery/limits.h"
#include "milters/predelivery/lint.h"
#include "milters/predelivery/list_uri.h"
#include "milters/predelivery/options.h"
#include "milters/predelivery/senders.h"
#include "mime/message.h"
#include "text/address.h"
#include "text/date.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { NOW = 1795341600 };

static const struct seal_key key = { "0123456789abcdef", 16 };

struct zone {
	struct dns_answer answer;
	struct dns_record record;
};

static const struct dns_answer *
look_up(void *arg, struct slice name, enum dns_type type)
{
	struct zone *z = arg;

	if (name.len > 253 || name.len == 0)
		abort();
	return type == DNS_AAAA ? NULL : &z->answer;
}

static void
no_question(void *arg, struct slice name, enum dns_type type)
{
	(void)arg;
	(void)name;
	(void)type;
}

static void
lint(struct lint_mail *m)
{
	struct lint_result results[LINT_RULES];
	struct lint_domains domains;
	struct lint_verdict v;
	unsigned rounds = 0;

	lint_domains_of(m, &domains);
	while (rounds < 100 && lint_more(m, &domains, no_question, NULL))
		rounds++;
	lint_run(m, results);
	for (unsigned i = 0; i < LINT_RULES; i++)
		if ((results[i].state == LINT_GOOD) !=
		    (results[i].why.len == 0))
			abort();
	lint_judge(m->conf, results, m->arena, &v);
}

/* What is made is read back; what is read is ours only if we made it. */
static void
bounce(struct arena *a, struct slice path)
{
	const struct envelope_how how = { SLICE("b@bounce.example"), true,
	    &key };
	struct slice original, back, made, local, domain;

	if (envelope_original(a, &key, path, NOW, &original) == ENVELOPE_GOOD)
		abort();
	made = envelope_rewrite(a, &how, path, NOW);
	if (made.ptr == NULL || slice_eq(made, how.address))
		return;
	/* Of a path with blanks around it, what the reader takes. */
	if (envelope_original(a, &key, made, NOW, &back) != ENVELOPE_GOOD ||
	    !address_split(path, &local, &domain) ||
	    !slice_eq(slice_sub(back, 0, slice_find_last(back, '@')), local))
		abort();
}

static void
fields(struct arena *a, const struct message *msg)
{
	struct list_uri uris[LIST_URIS];
	int64_t date;

	for (size_t i = 0; i < msg->nfields && i < 50; i++) {
		if (list_uris(a, msg->fields[i].body, uris) > LIST_URIS)
			abort();
		date_read(msg->fields[i].body, &date);
	}
	limits_visible(msg, a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct predelivery_conf conf = { .scopes = NULL };
	const struct conf_section sections[] = {
		{ .options = predelivery_options, .base = &conf },
		{ .options = NULL },
	};
	struct house_conf house = { .recipient_delimiter = "+" };
	struct slice rest = slice_make(data, size), first, head, body, why;
	struct sender sender = { .login = SLICE("bob"),
	    .address = SLICE("bob@our.example"), .key = SLICE("bob") };
	struct senders_verdict verdict;
	struct message msg;
	struct zone zone;
	struct lint_mail m = { .arena = a, .conf = &conf.outbound,
	    .house = &house, .msg = &msg, .all = 60, .now = NOW,
	    .lookup = look_up, .arg = &zone };
	struct senders_query q = { &conf.outbound, &house, &sender,
	    SLICE(""), &msg, NULL, NULL };

	if (!slice_line(&rest, &first))
		first = SLICE("");
	zone = (struct zone){ .record = { .data = first } };
	zone.answer = (struct dns_answer){ .records = &zone.record,
	    .count = 1 };
	conf_parse(a, "x", SLICE("dkim_selectors = [ \"s\" ];"), sections,
	    &why);
	message_split(a, rest, &head, &body);
	message_read(&msg, a, head, body, NULL);
	m.sender = q.path = first;
	lint(&m);
	bounce(a, first);
	fields(a, &msg);
	senders_judge(&q, a, &verdict);
	arena_free(a);
	return 0;
}
