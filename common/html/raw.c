#include "html/raw.h"

/* name stands at `at`, and what follows it ends a tag's name. */
static bool
named(struct slice s, size_t at, struct slice name)
{
	char c;

	if (!slice_starts_nocase(slice_after(s, at), name) ||
	    at + name.len >= s.len)
		return false;
	c = s.ptr[at + name.len];
	return ascii_space(c) || c == '\f' || c == '/' || c == '>';
}

static bool
end_tag(struct slice s, size_t at, struct slice name)
{
	return at + 1 < s.len && s.ptr[at] == '<' && s.ptr[at + 1] == '/' &&
	    named(s, at + 2, name);
}

/*
 * A script may hold <!-- --> and, within that, <script> </script>, of which
 * the end tag does not end it (WHATWG, 13.2.5.15 to 13.2.5.31).
 */
static size_t
script_end(struct slice s, struct slice name)
{
	enum { PLAIN, ESCAPED, DOUBLE } state = PLAIN;
	size_t dashes = 0;

	for (size_t at = 0; at < s.len; at++) {
		char c = s.ptr[at];

		if (c == '-') {
			dashes++;
			continue;
		}
		if (c == '>' && dashes >= 2 && state != PLAIN) {
			state = PLAIN;
		} else if (c == '<' && end_tag(s, at, name)) {
			if (state != DOUBLE)
				return at;
			state = ESCAPED;
		} else if (c == '<' && state == ESCAPED &&
		    named(s, at + 1, SLICE("script"))) {
			state = DOUBLE;
		} else if (c == '<' && state == PLAIN &&
		    slice_starts(slice_after(s, at), SLICE("<!--"))) {
			state = ESCAPED;
			/* Its two dashes may be those of the "-->" too. */
			dashes = 2;
			at += 3;
			continue;
		}
		dashes = 0;
	}
	return s.len;
}

size_t
html_raw_end(struct slice s, enum html_tag tag, struct slice name)
{
	if (tag == HTML_PLAINTEXT)
		return s.len;
	if (tag == HTML_SCRIPT)
		return script_end(s, name);
	for (size_t at = 0; at < s.len; at++) {
		at += slice_find(slice_after(s, at), '<');
		if (at < s.len && end_tag(s, at, name))
			return at;
	}
	return s.len;
}
