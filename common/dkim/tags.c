#include "dkim/tags.h"

#include "text/transfer.h"

static bool
name_good(struct slice name)
{
	if (name.len == 0 || !ascii_alpha(name.ptr[0]))
		return false;
	for (size_t i = 1; i < name.len; i++)
		if (!ascii_alnum(name.ptr[i]) && name.ptr[i] != '_')
			return false;
	return true;
}

/* VALCHAR, white space, and what RFC 6532 adds. */
static bool
value_good(struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char c = (unsigned char)value.ptr[i];

		if ((c < ' ' && !ascii_space((char)c)) || c == 0x7f)
			return false;
	}
	return true;
}

static const struct tag *
find(const struct tags *tags, struct slice name)
{
	for (size_t i = 0; i < tags->count; i++)
		if (slice_eq(tags->list[i].name, name))
			return &tags->list[i];
	return NULL;
}

static const char *
add(struct tags *tags, struct slice spec)
{
	struct slice span, name = slice_trim(slice_cut(spec, '=', &span));

	if (span.ptr == NULL)
		return "a tag without '='";
	if (!name_good(name))
		return "a malformed tag name";
	if (!value_good(span))
		return "a control character in a tag";
	if (find(tags, name) != NULL)
		return "the same tag twice";
	if (tags->count == TAGS_MAX)
		return "too many tags";
	tags->list[tags->count++] =
	    (struct tag){ name, slice_trim(span), span };
	return NULL;
}

const char *
tags_read(struct slice text, struct tags *tags_r)
{
	struct slice rest = text, spec;

	tags_r->count = 0;
	while (rest.ptr != NULL) {
		const char *fault;

		spec = slice_cut(rest, ';', &rest);
		if (rest.ptr == NULL && tags_r->count > 0 &&
		    slice_trim(spec).len == 0)
			break;
		fault = add(tags_r, spec);
		if (fault != NULL)
			return fault;
	}
	return tags_r->count > 0 ? NULL : "no tags";
}

struct slice
tags_find(const struct tags *tags, struct slice name)
{
	const struct tag *tag = find(tags, name);

	return tag != NULL ? tag->value : SLICE_NONE;
}

struct slice
tags_span(const struct tags *tags, struct slice name)
{
	const struct tag *tag = find(tags, name);

	return tag != NULL ? tag->span : SLICE_NONE;
}

struct slice
tags_cut(struct slice list, char sep, struct slice *rest_r)
{
	return slice_trim(slice_cut(list, sep, rest_r));
}

struct slice
tags_squeeze(struct arena *a, struct slice value)
{
	size_t len = 0, i = 0;
	char *ptr;

	while (i < value.len && !ascii_space(value.ptr[i]))
		i++;
	if (i == value.len)
		return value;
	ptr = arena_alloc(a, value.len + 1);
	for (i = 0; i < value.len; i++)
		if (!ascii_space(value.ptr[i]))
			ptr[len++] = value.ptr[i];
	return slice_make(ptr, len);
}

/* Padding is optional in the grammar (RFC 6376, 2.9: base64string). */
struct slice
tags_base64(struct arena *a, struct slice value)
{
	unsigned flags = 0;
	struct slice out;

	if (value.len == 0)
		return SLICE_NONE;
	out = transfer_decode(a, TRANSFER_BASE64, value, value.len, &flags);
	if (out.len == 0 || (flags & ~(unsigned)TRANSFER_SHORT) != 0)
		return SLICE_NONE;
	return out;
}
