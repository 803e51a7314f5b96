/* Any bytes as a template, and any bytes as a value: what comes out of an HTML
 * template has no more tags than the template has itself. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "notice/letter.h"
#include "notice/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct template_names rows[] = {
	{ "v", NULL }, { NULL, NULL }
};
static const struct template_names names[] = {
	{ "v", NULL }, { "l", rows }, { "n", rows }, { NULL, NULL }
};

static enum rc
find_part(void *arg, struct slice name, const char **file_r,
    struct slice *text_r, struct slice *why_r)
{
	const struct slice *text = arg;

	*file_r = "part";
	*text_r = *text;
	*why_r = SLICE("");
	return name.len == 1 ? RC_OK : RC_BAD;
}

static size_t
count(struct slice s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.ptr[i] == c;
	return n;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct arena *a = arena_new();
	struct slice all = slice_make(bytes, size), value, why;
	struct slice text = slice_cut(all, '\0', &value);
	struct slice part = SLICE("{{v}}");
	const struct template_parts parts = { find_part, &part };
	struct template_data *data = NULL, *list;
	struct buf field = buf_in(a);

	if (value.ptr == NULL)
		value = SLICE("<script>alert(\"'\")</script>");
	list = template_put(a, &data, "l", SLICE(""));
	template_put(a, &template_row(a, list)->data, "v", value);
	template_put(a, &data, "v", value);
	template_put(a, &data, "n", SLICE(""));
	for (int kind = TEMPLATE_TEXT; kind <= TEMPLATE_HTML; kind++) {
		struct buf out = buf_in(a);
		struct template *t;

		if (template_parse(a, "F", 1, text, (enum template_kind)kind,
		    names, &parts, &t, &why) != RC_OK)
			continue;
		if (template_render(t, data, &out) != RC_OK)
			continue;
		if (kind == TEMPLATE_HTML && (count(buf_slice(&out), '<') >
		    count(text, '<') || count(buf_slice(&out), '"') >
		    count(text, '"')))
			abort();
	}
	letter_field(&field, a, "Subject", value);
	if (count(buf_slice(&field), '\n') * 2 < count(buf_slice(&field),
	    '\r') || slice_search(buf_slice(&field), SLICE("\r\n\r\n")) <
	    field.len)
		abort();
	arena_free(a);
	return 0;
}
