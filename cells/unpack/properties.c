/* [MS-OLEPS]: sections, each a list of number and place, and at the place a
 * type and a value. A dictionary names those that people made themselves. */
#include "cells/unpack/bytes.h"
#include "cells/unpack/codepage.h"
#include "cells/unpack/legacy.h"

enum {
	SECTIONS = 2, PROPERTIES = 1000, NAMES = 1000,
	DICTIONARY = 0, CODEPAGE = 1, UNICODE = 1200,
	NARROW = 0x1e, WIDE = 0x1f,
};

static void
put_string(struct sink *sink, struct slice s, bool wide, unsigned codepage)
{
	sink_apart(sink, '\n');
	if (wide)
		sink_utf16(sink, s);
	else
		codepage_text(sink, codepage, slice_sub(s, 0,
		    slice_find(s, '\0')));
}

static void
put_value(struct sink *sink, struct slice value, unsigned codepage)
{
	uint32_t type = bytes_le16(value, 0);
	size_t len = bytes_le32(value, 4);

	if (type == WIDE)
		put_string(sink, slice_sub(value, 8, len * 2), true, codepage);
	else if (type == NARROW)
		put_string(sink, slice_sub(value, 8, len),
		    codepage == UNICODE, codepage);
}

/* A name of two bytes a character is filled up to four. */
static void
put_names(struct sink *sink, struct slice value, unsigned codepage)
{
	uint32_t n = bytes_le32(value, 0);

	value = slice_after(value, 4);
	for (uint32_t i = 0; i < n && i < NAMES && value.len > 8; i++) {
		size_t len = bytes_le32(value, 4);

		if (codepage == UNICODE)
			len = (len * 2 + 3) / 4 * 4;
		put_string(sink, slice_sub(value, 8, len),
		    codepage == UNICODE, codepage);
		value = slice_after(value, 8 + len);
	}
}

static unsigned
codepage_of(struct slice section, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (bytes_le32(section, 8 + 8 * i) == CODEPAGE)
			return bytes_le16(section, (size_t)bytes_le32(section,
			    12 + 8 * i) + 4);
	return 1252;
}

static void
put_section(struct sink *sink, struct slice section)
{
	uint32_t n = bytes_le32(section, 4);
	unsigned codepage;

	if (n > PROPERTIES) {
		n = PROPERTIES;
		sink->whole = false;
	}
	codepage = codepage_of(section, n);
	for (uint32_t i = 0; i < n && !sink_full(sink); i++) {
		struct slice value = slice_after(section,
		    bytes_le32(section, 12 + 8 * i));

		if (bytes_le32(section, 8 + 8 * i) == DICTIONARY)
			put_names(sink, value, codepage);
		else
			put_value(sink, value, codepage);
	}
	sink_apart(sink, '\n');
}

enum legacy
properties_text(struct slice set, size_t max, struct buf *out)
{
	uint32_t n = bytes_le32(set, 24);
	struct sink sink;

	sink_begin(&sink, max);
	for (uint32_t i = 0; i < n && i < SECTIONS; i++)
		put_section(&sink, slice_after(set,
		    bytes_le32(set, 44 + 20 * i)));
	sink_end(&sink, out);
	return sink.whole ? LEGACY_WHOLE : LEGACY_PART;
}
