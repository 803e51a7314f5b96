/*
 * json - a writer (RFC 8259)
 *
 *	json_begin_object(&w); json_key(&w, "a"); json_int(&w, 1); json_end(&w);
 *
 * Commas are put by the writer. Strings may be any bytes: valid UTF-8 stays,
 * each byte that is not becomes U+FFFD, control characters are escaped, and
 * so are U+2028, U+2029 and '<', so that a line is safe in HTML too. One line,
 * no spaces; json_pretty(&w) before the first value indents for people.
 *
 * Levels end at JSON_LEVELS: what would open one more is written as null, and
 * all that is put in it is dropped, so the result stays valid.
 *
 * json_bytes	bytes that must come back as they were, as an address: text
 *		where they are UTF-8 without a NUL, else { "hex": "6162ff" }
 *
 * No name here is one of jansson's, which tools link beside us.
 *
 * json_valid	is it one JSON value and nothing else? UTF-8 is asked for,
 *		and nesting of at most JSON_LEVELS
 */
#ifndef TEXT_JSON_H
#define TEXT_JSON_H

#include "base/buf.h"

enum { JSON_LEVELS = 32 };

struct json {
	struct buf *out;
	unsigned depth;
	bool comma, pretty;
	char kinds[JSON_LEVELS];	/* '{' or '[' for each open level */
};

void json_init(struct json *w, struct buf *out);
void json_pretty(struct json *w);
void json_begin_object(struct json *w);
void json_begin_array(struct json *w);
void json_end(struct json *w);		/* of the innermost open one */
void json_key(struct json *w, const char *key);
void json_text(struct json *w, struct slice s);
void json_bytes(struct json *w, struct slice s);
void json_int(struct json *w, int64_t value);
void json_bool(struct json *w, bool value);
void json_nil(struct json *w);

/* "key": value in one call. */
void json_put(struct json *w, const char *key, struct slice value);
void json_put_int(struct json *w, const char *key, int64_t value);
void json_put_bool(struct json *w, const char *key, bool value);

bool json_valid(struct slice text);

#endif
