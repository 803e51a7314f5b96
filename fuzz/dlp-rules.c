/*
 * A file of rules for data loss, a NUL, and a text. Any bytes are rules or are
 * refused in words with a place; what was read is found the same way each time,
 * and what is told of it never holds more of a number than its mask.
 */
#include <stdlib.h>

#include "detect/plain.h"
#include "milters/attachment-dlp/dlp_look.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(const struct dlp_rules *rules, struct slice bytes, struct arena *a)
{
	struct dlp_text text = { .text = plain_text(a, bytes),
	    .where = SLICE("text"), .label = true };
	struct dlp_texts texts = { .first = &text, .count = 1 };
	struct dlp_found once, again;

	dlp_look(rules, &texts, a, DEADLINE_NEVER, &once);
	dlp_look(rules, &texts, a, DEADLINE_NEVER, &again);
	for (unsigned i = 0; i < rules->n; i++) {
		const struct dlp_result *x = &once.of[i], *y = &again.of[i];

		if (x->values != y->values || x->matched != y->matched ||
		    x->values > x->nhits ||
		    (x->nhits > 0) != (x->hits != NULL))
			abort();
		dlp_told(a, x);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = slice_make(data, size), text;
	struct slice file = slice_cut(all, '\0', &text), why = SLICE("");
	struct arena *a = arena_new();
	struct dlp_rules *rules;

	if (dlp_parse("rules", file, &rules, a, &why) == RC_OK)
		look(rules, text.ptr != NULL ? text : SLICE(""), a);
	else if (!slice_starts(why, SLICE("rules:")))
		abort();		/* refused without a place */
	dlp_free(rules);
	arena_free(a);
	return 0;
}
