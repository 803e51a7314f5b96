#include "journal/lines.h"

#include "journal/journal.h"
#include "text/json.h"

static void
one(struct lines *l, struct slice line)
{
	if (slice_trim(line).len == 0)
		return;
	if (line.ptr[0] != '{' || line.len > JOURNAL_LINE || !json_valid(line))
		l->torn++;
	else if (!l->visit(line, l->arg))
		l->stopped = true;
}

static void
hold(struct lines *l, struct slice s)
{
	if (l->held.len + s.len > JOURNAL_LINE)
		l->too_long = true;
	if (!l->too_long)
		buf_add(&l->held, s);
}

void
lines_end(struct lines *l)
{
	if (l->stopped)
		return;
	if (l->too_long)
		l->torn++;
	else
		one(l, buf_slice(&l->held));
	buf_clear(&l->held);
	l->too_long = false;
}

void
lines_feed(struct lines *l, struct slice bytes)
{
	while (bytes.len > 0 && !l->stopped) {
		size_t at = slice_find(bytes, '\n');
		bool held = l->held.len > 0 || l->too_long;

		if (at == bytes.len) {
			hold(l, bytes);
			return;
		}
		if (held) {
			hold(l, slice_sub(bytes, 0, at));
			lines_end(l);
		} else {
			one(l, slice_sub(bytes, 0, at));
		}
		bytes = slice_after(bytes, at + 1);
	}
}

void
lines_free(struct lines *l)
{
	buf_free(&l->held);
}
