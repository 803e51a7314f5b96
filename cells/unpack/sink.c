#include "cells/unpack/sink.h"

#include "cells/unpack/utf16.h"

/* [MS-DOC]: fonts of symbols have their characters here. */
enum { SYMBOLS = 0xf000, SYMBOL_FIRST = 0xf020, SYMBOL_LAST = 0xf07e };

void
sink_begin(struct sink *s, size_t max)
{
	*s = (struct sink){ .whole = true, .max = max };
}

static size_t
used(const struct sink *s)
{
	return s->of[0].len + s->of[1].len;
}

bool
sink_full(const struct sink *s)
{
	return used(s) >= s->max;
}

void
sink_add(struct sink *s, struct slice utf8)
{
	if (utf8.len > s->max - used(s)) {
		s->whole = false;
		/* Not in the middle of a character. */
		s->max = used(s);
		return;
	}
	buf_add(&s->of[s->unseen], utf8);
}

void
sink_put(struct sink *s, uint32_t cp)
{
	char utf8[4];

	if (cp >= SYMBOL_FIRST && cp <= SYMBOL_LAST)
		cp -= SYMBOLS;
	sink_add(s, slice_make(utf8, utf8_put(utf8, cp)));
}

void
sink_utf16(struct sink *s, struct slice utf16)
{
	uint32_t cp;

	for (size_t at = 0; !sink_full(s) &&
	    (cp = utf16_next(utf16, &at)) != UTF8_BAD; )
		if (cp != 0)
			sink_put(s, cp);
}

void
sink_apart(struct sink *s, char sign)
{
	const struct buf *b = &s->of[s->unseen];
	char last = b->len > 0 ? b->ptr[b->len - 1] : '\n';

	if (last != '\n' && (sign == '\n' || !ascii_space(last)))
		sink_add(s, slice_make(&sign, 1));
}

void
sink_end(struct sink *s, struct buf *out)
{
	buf_add(out, buf_slice(&s->of[0]));
	if (s->of[0].len > 0 && s->of[1].len > 0)
		buf_addc(out, '\n');
	buf_add(out, buf_slice(&s->of[1]));
	buf_free(&s->of[0]);
	buf_free(&s->of[1]);
}
