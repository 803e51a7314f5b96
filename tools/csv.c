#include "tools/csv.h"

#include <string.h>

#include "text/utf8.h"

/* What is looked at first by a spreadsheet, blanks not counted. */
static bool
formula(struct slice s)
{
	s = slice_trim(s);
	return s.len > 0 && strchr("=+-@|%", s.ptr[0]) != NULL &&
	    s.ptr[0] != '\0';
}

void
csv_cell(struct buf *out, struct slice value, bool last)
{
	uint32_t cp;
	char bytes[4];

	buf_addc(out, '"');
	if (formula(value))
		buf_addc(out, '\'');
	while (utf8_next(&value, &cp)) {
		if (cp == UTF8_BAD)
			cp = 0xfffd;
		if (utf8_control(cp) || utf8_bidi(cp))
			cp = ' ';
		if (cp == '"')
			buf_addc(out, '"');
		buf_add(out, slice_make(bytes, utf8_put(bytes, cp)));
	}
	buf_adds(out, last ? "\"\r\n" : "\",");
}

void
csv_row(struct buf *out, const char *const *names, int n)
{
	for (int i = 0; i < n; i++)
		csv_cell(out, slice_of(names[i]), i + 1 == n);
}
