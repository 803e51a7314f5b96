/* The reader of Postfix's log: each field lies within the line. */
#include <stdlib.h>

#include "track/postfix.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
within(struct slice line, struct slice field)
{
	if (field.len > 0 && (field.ptr < line.ptr ||
	    field.ptr + field.len > line.ptr + line.len))
		abort();
}

static void
check(struct slice line, const struct postfix_line *l)
{
	const struct slice fields[] = { l->client, l->ip, l->helo, l->user,
	    l->from, l->to, l->orig_to, l->relay, l->dsn, l->status,
	    l->next_id, l->orig_id, l->text, l->id, l->stage, l->service };

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		within(line, fields[i]);
	if (l->id.len > 0 && !postfix_is_id(l->id))
		abort();
	if (l->kind == POSTFIX_STATUS && (!l->has_to || l->id.len == 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct slice names_[] = { { "postfix", 7 }, { "mx*", 3 } };
	static const struct postfix_names names = { names_, 2 };
	struct stamp st = { .now = 1795694400 };
	struct slice rest = slice_make(data, size), line;

	while (slice_line(&rest, &line)) {
		struct postfix_line l;

		postfix_read(&st, &names, line, &l);
		check(line, &l);
	}
	return 0;
}
