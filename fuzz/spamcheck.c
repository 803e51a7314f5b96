/*
 * What the spam check reads of a message before it is judged: who sent it, by
 * the fields that Postfix and lists write, and which part of it is the draft.
 */
#include <stdlib.h>
#include <string.h>

#include "services/spamcheck/who.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice domains[] = { { "our.test", 8 } };

/* One line: what XFORWARD said. The rest is the message. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice rest = slice_make(data, size), draft;
	struct house_conf house = { .domains = { domains, 1 } };
	struct notices notices = { .house = &house };
	struct lmtp_mail mail = { .sender = SLICE("a@our.test"),
	    .queue_id = SLICE("4Zx1Qk2hJ9z") };

	mail.xforward = slice_cut(rest, '\n', &rest);
	if (rest.ptr == NULL)
		rest = SLICE("");
	draft = who_draft(&mail, rest, a);
	/* A tail of it. */
	if (draft.len > rest.len || draft.ptr + draft.len !=
	    rest.ptr + rest.len)
		abort();
	/* Who is not one of us is never, whatever stands in the message. */
	mail.sender = SLICE("a@far.test");
	if (who_refuses(&mail, rest, &notices, a) == NULL)
		abort();
	mail.sender = SLICE("a@our.test");
	if (who_refuses(&mail, rest, &notices, a) == NULL &&
	    slice_search(slice_sub(rest, 0, WHO_HEADER), mail.queue_id) >=
	    rest.len && slice_search(mail.xforward, SLICE("=")) ==
	    mail.xforward.len)
		abort();
	arena_free(a);
	return 0;
}
