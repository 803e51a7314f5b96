/*
 * What bulk mail says of itself: any bytes have a kind, weight that is a
 * number, and words only where there is a kind; a code is near its word only
 * within the text.
 */
#include <math.h>
#include <stdlib.h>

#include "milters/antispam/graymail_words.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct graymail_words *words;
	struct slice mail = slice_make(data, size), head, body;
	struct arena *a = arena_new();
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct content content;
	struct graymail seen;

	if (words == NULL)
		words = graymail_open();
	message_split(a, mail, &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	content_read(msg, &content_limits_default, &content);
	graymail_read(words, msg, &content, slice_sub(mail, 0, 64), &seen);
	must(seen.kind < GRAYMAIL_KINDS && isfinite(seen.weight));
	must((seen.kind == GRAYMAIL_NONE) == (seen.words.len == 0));
	must(!seen.code || seen.kind == GRAYMAIL_TRANSACTION);
	for (size_t at = 0; at < size && at < 64; at += 7)
		graymail_code_near(mail, at, size - at < 5 ? size - at : 5);
	arena_free(a);
	return 0;
}
