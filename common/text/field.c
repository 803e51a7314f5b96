#include "text/field.h"

#include <string.h>

/* Length of the first line of s, its line end included. */
static size_t
line_length(struct slice s)
{
	const char *lf = s.len > 0 ? memchr(s.ptr, '\n', s.len) : NULL;

	return lf != NULL ? (size_t)(lf - s.ptr) + 1 : s.len;
}

static struct slice
chomp(struct slice s)
{
	if (s.len > 0 && s.ptr[s.len - 1] == '\n')
		s.len--;
	if (s.len > 0 && s.ptr[s.len - 1] == '\r')
		s.len--;
	return s;
}

/* The name before the colon at `colon`, or an empty one. */
static struct slice
field_name(struct slice raw, size_t colon)
{
	struct slice name = slice_sub(raw, 0, colon);

	while (name.len > 0 && ascii_blank(name.ptr[name.len - 1]))
		name.len--;
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~')
			return slice_sub(raw, 0, 0);
	return name;
}

bool
field_next(struct slice *rest, struct field *f)
{
	size_t line, len, colon;

	if (rest->len == 0)
		return false;
	len = line = line_length(*rest);
	if (chomp(slice_sub(*rest, 0, line)).len > 0)
		while (len < rest->len && ascii_blank(rest->ptr[len]))
			len += line_length(slice_after(*rest, len));
	f->raw = slice_sub(*rest, 0, len);
	*rest = slice_after(*rest, len);

	/* A colon further down is in a continuation, not behind a name. */
	colon = slice_find(slice_sub(f->raw, 0, line), ':');
	f->name = f->body = slice_sub(f->raw, 0, 0);
	if (colon == line)
		return true;
	f->name = field_name(f->raw, colon);
	if (f->name.len > 0)
		f->body = chomp(slice_after(f->raw, colon + 1));
	return true;
}

static struct slice
trim_blanks(struct slice s)
{
	while (s.len > 0 && ascii_blank(s.ptr[0]))
		s = slice_after(s, 1);
	while (s.len > 0 && ascii_blank(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

struct slice
field_value(struct arena *a, const struct field *f)
{
	struct slice rest = f->body, line;
	size_t len = 0;
	char *ptr;

	if (!slice_has(rest, '\n'))
		return trim_blanks(rest);
	ptr = arena_alloc(a, rest.len + 1);
	while (slice_line(&rest, &line)) {
		memcpy(ptr + len, line.ptr, line.len);
		len += line.len;
	}
	return trim_blanks(slice_make(ptr, len));
}
