/* JSON: what the writer makes, and what the validator takes. */
#include <jansson.h>
#include <string.h>

#include "base/clock.h"
#include "text/json.h"
#include "text/utf8.h"
#include "t/tap.h"

static const struct {
	const char *name;
	struct slice in, want;
} strings[] = {
	{ "plain", { "abc", 3 }, { "\"abc\"", 5 } },
	{ "empty", { "", 0 }, { "\"\"", 2 } },
	{ "absent", { NULL, 0 }, { "\"\"", 2 } },
	{ "quote and backslash", { "\"\\", 2 }, { "\"\\\"\\\\\"", 6 } },
	{ "short escapes", { "\b\f\n\r\t", 5 }, { "\"\\b\\f\\n\\r\\t\"", 12 } },
	{ "NUL in the middle", { "a\0b", 3 }, { "\"a\\u0000b\"", 10 } },
	{ "ESC", { "\x1b[", 2 }, { "\"\\u001b[\"", 9 } },
	{ "DEL", { "\x7f", 1 }, { "\"\\u007f\"", 8 } },
	{ "C1", { "\xc2\x9b", 2 }, { "\"\\u009b\"", 8 } },
	{ "line separator", { "\xe2\x80\xa8", 3 }, { "\"\\u2028\"", 8 } },
	{ "paragraph separator", { "\xe2\x80\xa9", 3 }, { "\"\\u2029\"", 8 } },
	{ "tag", { "</b", 3 }, { "\"\\u003c/b\"", 10 } },
	{ "two bytes", { "\xc3\xa9", 2 }, { "\"\xc3\xa9\"", 4 } },
	{ "four bytes", { "\xf0\x9f\x98\x80", 4 },
	  { "\"\xf0\x9f\x98\x80\"", 6 } },
	{ "stray byte", { "a\xff" "b", 3 }, { "\"a\xef\xbf\xbd" "b\"", 7 } },
	{ "overlong slash", { "\xc0\xaf", 2 },
	  { "\"\xef\xbf\xbd\xef\xbf\xbd\"", 8 } },
	{ "cut short", { "\xe2\x82", 2 },
	  { "\"\xef\xbf\xbd\xef\xbf\xbd\"", 8 } },
	{ "surrogate", { "\xed\xa0\x80", 3 },
	  { "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", 11 } },
	{ "above the last", { "\xf4\x90\x80\x80", 4 },
	  { "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"", 14 } },
};

static void
write_strings(void)
{
	struct buf out = { 0 };
	struct json w;

	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
		buf_clear(&out);
		json_init(&w, &out);
		json_text(&w, strings[i].in);
		tap_is(buf_slice(&out), strings[i].want, "string: %s",
		    strings[i].name);
	}
	buf_free(&out);
}

static void
put_all(struct json *w)
{
	json_begin_object(w);
	json_put(w, "a", SLICE("x"));
	json_put_int(w, "min", INT64_MIN);
	json_key(w, "list");
	json_begin_array(w);
	json_bool(w, true);
	json_nil(w);
	json_begin_object(w);
	json_end(w);
	json_begin_array(w);
	json_end(w);
	json_int(w, -1);
	json_end(w);
	json_put_bool(w, "no", false);
	json_end(w);
	json_end(w);			/* one too many does no harm */
}

static void
write_values(void)
{
	struct buf out = { 0 };
	struct json w;

	json_init(&w, &out);
	put_all(&w);
	tap_is(buf_slice(&out), SLICE("{\"a\":\"x\","
	    "\"min\":-9223372036854775808,"
	    "\"list\":[true,null,{},[],-1],\"no\":false}"), "one line");
	buf_clear(&out);
	json_init(&w, &out);
	json_pretty(&w);
	put_all(&w);
	tap_is(buf_slice(&out), SLICE("{\n  \"a\": \"x\",\n"
	    "  \"min\": -9223372036854775808,\n  \"list\": [\n    true,\n"
	    "    null,\n    {},\n    [],\n    -1\n  ],\n  \"no\": false\n}"),
	    "for people");
	buf_free(&out);
}

static void
write_deep(unsigned levels)
{
	struct buf out = { 0 };
	struct json w;
	json_t *read;

	json_init(&w, &out);
	for (unsigned i = 0; i < levels; i++) {
		json_begin_object(&w);
		json_put_int(&w, "i", i);
		json_key(&w, "in");
	}
	json_begin_array(&w);
	json_text(&w, SLICE("deepest"));
	json_end(&w);
	for (unsigned i = 0; i < levels; i++) {
		json_put_bool(&w, "end", true);
		json_end(&w);
	}
	tap_ok(json_valid(buf_slice(&out)), "%u levels: valid", levels);
	read = json_loadb(out.ptr, out.len, 0, NULL);
	tap_ok(read != NULL, "%u levels: jansson agrees", levels);
	json_decref(read);
	tap_is_int(slice_search(buf_slice(&out), SLICE("deepest")) < out.len,
	    levels < JSON_LEVELS, "%u levels: cut where it must be", levels);
	buf_free(&out);
}

static const struct {
	const char *text;
	bool valid;
} texts[] = {
	{ "{}", true }, { "[]", true }, { " [ ] ", true }, { "0", true },
	{ "-0.5e-10", true }, { "\"\"", true }, { "true", true },
	{ "{\"a\":1,\"b\":[{},[]]}\n", true }, { "[1 , 2]", true },
	{ "\"\\u00e9\\/\"", true }, { "null", true },
	{ "", false }, { " ", false }, { "{", false }, { "}", false },
	{ "[1,]", false }, { "[,1]", false }, { "{\"a\"}", false },
	{ "{\"a\":}", false }, { "{a:1}", false }, { "{\"a\":1,}", false },
	{ "[1}", false }, { "{\"a\":1]", false }, { "[1]]", false },
	{ "01", false }, { "1.", false }, { ".5", false }, { "1e", false },
	{ "+1", false }, { "--1", false }, { "\"", false },
	{ "\"\\x\"", false },
	{ "\"\\u12g4\"", false }, { "\"\\", false }, { "\"\\u12", false },
	{ "\"\n\"", false }, { "\"\xff\"", false }, { "tru", false },
	{ "nulll", false }, { "[1 2]", false }, { "{\"a\" 1}", false },
	{ "{\"a\":{\"b\":1}", false }, { "[\"a\":1]", false },
	{ "{1:2}", false }, { "{\"a\":1}{\"b\":2}", false },
};

static void
validate(void)
{
	char deep[200];

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		json_t *read = json_loads(texts[i].text, JSON_DECODE_ANY, NULL);

		tap_is_int(json_valid(slice_of(texts[i].text)), texts[i].valid,
		    "valid? %s", texts[i].text[0] == '"' ? "(a string)" :
		    texts[i].text);
		if ((read != NULL) != texts[i].valid)
			tap_ok(false, "jansson does not agree");
		json_decref(read);
	}
	memset(deep, '[', 100);
	memset(deep + 100, ']', 100);
	tap_ok(json_valid(slice_make(deep + 100 - JSON_LEVELS,
	    2 * JSON_LEVELS)), "as deep as allowed");
	tap_ok(!json_valid(slice_make(deep, 200)), "too deep");
	tap_ok(!json_valid(SLICE("\"a\0\"")), "a bare NUL is no JSON");
}

static void
code_points(void)
{
	bool good = true;

	for (uint32_t cp = 0; cp <= 0x10ffff; cp++) {
		char bytes[4];
		size_t len = utf8_put(bytes, cp);
		struct slice s = slice_make(bytes, len);
		uint32_t back, want = cp >= 0xd800 && cp < 0xe000 ? 0xfffd : cp;

		good = good && utf8_next(&s, &back) && back == want &&
		    s.len == 0;
	}
	tap_ok(good, "every code point there and back");
	tap_ok(utf8_valid(SLICE("gr\xc3\xbc\xc3\x9f")), "valid UTF-8");
	tap_ok(!utf8_valid(SLICE("gr\xfc")), "Latin-1 is not");
	tap_ok(utf8_bidi(0x202e) && utf8_bidi(0x2066) && !utf8_bidi('a'),
	    "bidi marks");
	tap_ok(utf8_control(0x9b) && utf8_control(0) && !utf8_control(0xe9),
	    "controls");
	tap_ok(utf8_unseen(0x200b) && !utf8_unseen(' '), "unseen");
}

int
main(void)
{
	write_strings();
	write_values();
	write_deep(JSON_LEVELS - 1);
	write_deep(JSON_LEVELS);
	write_deep(JSON_LEVELS + 10);
	validate();
	code_points();
	return tap_done();
}
