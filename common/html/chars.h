/*
 * chars - a raw text or value, one character after the other
 *
 *	html_chars_open(&c, attr.value, true);
 *	while (html_char(&c, &ch))
 *
 * References are decoded; ch.off and ch.len say where in the raw text it
 * stands. A byte over 0x7f comes as itself, whatever the charset: what is
 * looked for this way is ASCII. A reference that stands for two characters
 * comes as its first. Copy the struct to look ahead.
 */
#ifndef HTML_CHARS_H
#define HTML_CHARS_H

#include "html/ref.h"

struct html_chars {
	struct slice raw;
	size_t at;
	bool attribute;			/* rules of references in attributes */
	bool refs;			/* else '&' is a '&' */
};

struct html_char {
	uint32_t c;
	size_t off, len;
};

static inline void
html_chars_open(struct html_chars *h, struct slice raw, bool attribute)
{
	*h = (struct html_chars){ .raw = raw, .attribute = attribute,
	    .refs = true };
}

static inline bool
html_char(struct html_chars *h, struct html_char *ch)
{
	struct html_ref ref;

	if (h->at >= h->raw.len)
		return false;
	*ch = (struct html_char){ (unsigned char)h->raw.ptr[h->at], h->at, 1 };
	if (ch->c == '&' && h->refs &&
	    html_ref(h->raw, h->at, h->attribute, &ref)) {
		ch->c = ref.cp[0];
		ch->len = ref.len;
	}
	h->at += ch->len;
	return true;
}

/* Lower case of ASCII; all else as it is. */
static inline uint32_t
html_lower(uint32_t c)
{
	return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
}

static inline bool
html_blank(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r' && c != '\v');
}

#endif
