#include "text/json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "text/utf8.h"

void
json_init(struct json *w, struct buf *out)
{
	*w = (struct json){ .out = out };
}

void
json_pretty(struct json *w)
{
	w->pretty = true;
}

static bool
dropped(const struct json *w)
{
	return w->depth > JSON_LEVELS;
}

static void
indent(struct json *w)
{
	if (!w->pretty)
		return;
	buf_addc(w->out, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		buf_adds(w->out, "  ");
}

/* What stands between this member and the one before. */
static void
separate(struct json *w)
{
	if (w->comma)
		buf_addc(w->out, ',');
	if (w->depth > 0)
		indent(w);
	w->comma = true;
}

/* In an object the key has brought comma and indent. */
static void
before_value(struct json *w)
{
	if (w->depth > 0 && w->kinds[w->depth - 1] == '[')
		separate(w);
	w->comma = true;
}

static void
open_level(struct json *w, char kind)
{
	if (w->depth >= JSON_LEVELS) {
		if (w->depth == JSON_LEVELS)
			json_nil(w);
		w->depth++;
		return;
	}
	before_value(w);
	buf_addc(w->out, kind);
	w->kinds[w->depth++] = kind;
	w->comma = false;
}

void
json_begin_object(struct json *w)
{
	open_level(w, '{');
}

void
json_begin_array(struct json *w)
{
	open_level(w, '[');
}

void
json_end(struct json *w)
{
	bool empty = !w->comma;

	if (w->depth == 0)
		return;
	w->depth--;
	if (w->depth >= JSON_LEVELS)
		return;
	if (!empty)
		indent(w);
	buf_addc(w->out, w->kinds[w->depth] == '{' ? '}' : ']');
	w->comma = true;
}

/* May this byte stand in a string as it is? */
static bool
plain(unsigned char c)
{
	return c >= ' ' && c < 0x7f && c != '"' && c != '\\' && c != '<';
}

static void
put_code(struct buf *out, struct slice bytes, uint32_t cp)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *at = cp > 0 && cp < 0x80 ? strchr(from, (int)cp) : NULL;

	if (at != NULL) {
		buf_addc(out, '\\');
		buf_addc(out, to[at - from]);
	} else if (cp == UTF8_BAD) {
		buf_adds(out, "\xef\xbf\xbd");
	} else if (cp == '<' || utf8_control(cp)) {
		buf_addf(out, "\\u%04x", (unsigned)cp);
	} else {
		buf_add(out, bytes);
	}
}

static void
put_string(struct buf *out, struct slice s)
{
	buf_addc(out, '"');
	while (s.len > 0) {
		struct slice rest;
		size_t run = 0;
		uint32_t cp;

		while (run < s.len && plain((unsigned char)s.ptr[run]))
			run++;
		buf_add(out, slice_sub(s, 0, run));
		s = slice_after(s, run);
		rest = s;
		if (!utf8_next(&rest, &cp))
			break;
		put_code(out, slice_sub(s, 0, s.len - rest.len), cp);
		s = rest;
	}
	buf_addc(out, '"');
}

void
json_key(struct json *w, const char *key)
{
	if (dropped(w))
		return;
	separate(w);
	put_string(w->out, slice_of(key));
	buf_adds(w->out, w->pretty ? ": " : ":");
}

void
json_text(struct json *w, struct slice s)
{
	if (dropped(w))
		return;
	before_value(w);
	put_string(w->out, s);
}

static void
put_word(struct json *w, const char *word)
{
	if (dropped(w))
		return;
	before_value(w);
	buf_adds(w->out, word);
}

void
json_bytes(struct json *w, struct slice s)
{
	struct buf hex = { 0 };

	if (s.ptr == NULL || (utf8_valid(s) && !slice_has(s, '\0'))) {
		json_text(w, s.ptr != NULL ? s : SLICE(""));
		return;
	}
	for (size_t i = 0; i < s.len; i++)
		buf_addf(&hex, "%02x", (unsigned char)s.ptr[i]);
	json_begin_object(w);
	json_put(w, "hex", buf_slice(&hex));
	json_end(w);
	buf_free(&hex);
}

void
json_int(struct json *w, int64_t value)
{
	char text[32];

	snprintf(text, sizeof text, "%" PRId64, value);
	put_word(w, text);
}

void
json_bool(struct json *w, bool value)
{
	put_word(w, value ? "true" : "false");
}

void
json_nil(struct json *w)
{
	put_word(w, "null");
}

void
json_put(struct json *w, const char *key, struct slice value)
{
	json_key(w, key);
	json_text(w, value);
}

void
json_put_int(struct json *w, const char *key, int64_t value)
{
	json_key(w, key);
	json_int(w, value);
}

void
json_put_bool(struct json *w, const char *key, bool value)
{
	json_key(w, key);
	json_bool(w, value);
}
