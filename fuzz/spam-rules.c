/*
 * A file of antispam's rules, a NUL, and a message. Any bytes are rules or are
 * refused in words with a place; what was read meets the same each time.
 */
#include <stdlib.h>
#include <string.h>

#include "milters/antispam/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(struct spam_rules *rules, struct slice mail, struct arena *a)
{
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct spam_hits *once, *again;
	struct content content;
	struct slice head, body;

	message_split(a, mail, &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	content_read(msg, &content_limits_default, &content);
	once = spam_rules_look(rules, msg, &content);
	again = spam_rules_look(rules, msg, &content);
	for (unsigned i = 0; i < rules->n; i++)
		if (once->met[i] != again->met[i] || (once->met[i] &&
		    once->limited[i]))
			abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = slice_make(data, size), mail;
	struct slice file = slice_cut(all, '\0', &mail), why = SLICE("");
	struct spam_rules *rules = spam_rules_new();
	struct arena *a = arena_new();

	if (spam_rules_parse(rules, "rules", file, a, &why) == RC_OK)
		look(rules, mail.ptr != NULL ? mail : SLICE(""), a);
	else if (!slice_starts(why, SLICE("rules:")))
		abort();		/* refused without a place */
	spam_rules_free(rules);
	arena_free(a);
	return 0;
}
