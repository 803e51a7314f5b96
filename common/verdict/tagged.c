#include "verdict/tagged.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#include "base/hex.h"

enum { MAC_BYTES = 32, LINE = 76 };

void
tagged_begin(struct tagged *t, const char *name, struct arena *a)
{
	t->out = buf_in(a);
	t->name = name;
	t->line = strlen(name) + 1;
}

static bool
plain(char c)
{
	return ascii_alnum(c) || (c != '\0' && strchr("-._@+/[]:,", c) != NULL);
}

/* Begins a line of its own where the tag would pass the line's end. */
void
tagged_put(struct tagged *t, const char *tag, struct slice value)
{
	struct buf *out = &t->out;
	size_t from = out->len;

	buf_addf(out, " %s=", tag);
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		/* Long values fold between any two characters: a reader
		 * takes all blanks out. */
		if (out->len - from + t->line > LINE) {
			buf_add(out, SLICE("\r\n "));
			from = out->len;
			t->line = 1;
		}
		if (plain(c))
			buf_addc(out, c);
		else
			buf_addf(out, "%%%02x", (unsigned char)c);
	}
	buf_addc(out, ';');
	t->line += out->len - from;
	if (t->line > LINE) {
		buf_add(out, SLICE("\r\n"));
		t->line = 0;
	}
}

/* Over "name:" and all that stands before the MAC's tag, without blanks. */
static bool
mac_of(struct slice text, const char *name, struct slice key, struct arena *a,
    unsigned char mac_r[MAC_BYTES])
{
	struct buf bare = buf_in(a);
	unsigned len = 0;

	buf_room(&bare, text.len + strlen(name) + 1);
	buf_adds(&bare, name);
	buf_addc(&bare, ':');
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_space(text.ptr[i]))
			buf_addc(&bare, text.ptr[i]);
	return HMAC(EVP_sha256(), key.ptr, (int)key.len,
	    (const unsigned char *)bare.ptr, bare.len, mac_r, &len) != NULL &&
	    len == MAC_BYTES;
}

bool
tagged_end(struct tagged *t, struct slice key, struct slice *body_r)
{
	unsigned char mac[MAC_BYTES];
	char hex[2 * MAC_BYTES + 1];

	if (!mac_of(buf_slice(&t->out), t->name, key, t->out.arena, mac))
		return false;
	if (t->line > 0)
		buf_add(&t->out, SLICE("\r\n"));
	buf_add(&t->out, SLICE(" m="));
	hex_write(hex, mac, MAC_BYTES);
	buf_adds(&t->out, hex);
	*body_r = buf_slice(&t->out);
	return true;
}

bool
tagged_open(struct slice body, const char *name, struct slice key,
    struct arena *a, struct slice *text_r)
{
	size_t end = slice_find_last(body, ';');
	struct slice hex = slice_trim(slice_after(body, end + 1));
	unsigned char want[MAC_BYTES], got[MAC_BYTES];

	*text_r = slice_sub(body, 0, end + 1);
	if (key.len == 0 || end == body.len || !slice_starts(hex, SLICE("m=")))
		return false;
	return hex_read(got, MAC_BYTES, slice_after(hex, 2)) &&
	    mac_of(*text_r, name, key, a, want) &&
	    CRYPTO_memcmp(want, got, MAC_BYTES) == 0;
}

size_t
tagged_pairs(struct slice text)
{
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.ptr[i] == ';';
	return n;
}

/* %xx back to bytes, blanks out; false when an escape is malformed. */
static bool
decode(struct slice s, struct arena *a, struct slice *value_r)
{
	char *to = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (ascii_space(s.ptr[i]))
			continue;
		if (s.ptr[i] != '%') {
			to[n++] = s.ptr[i];
			continue;
		}
		if (i + 2 >= s.len || ascii_hex(s.ptr[i + 1]) < 0 ||
		    ascii_hex(s.ptr[i + 2]) < 0)
			return false;
		to[n++] = (char)(ascii_hex(s.ptr[i + 1]) << 4 |
		    ascii_hex(s.ptr[i + 2]));
		i += 2;
	}
	*value_r = slice_make(to, n);
	return true;
}

bool
tagged_next(struct slice *text, struct arena *a, struct slice *tag_r,
    struct slice *value_r)
{
	struct slice item, value;

	if (text->ptr == NULL || slice_trim(*text).len == 0)
		return false;
	item = slice_cut(*text, ';', text);
	*tag_r = slice_trim(slice_cut(item, '=', &value));
	if (value.ptr == NULL || !decode(value, a, value_r))
		*tag_r = SLICE("");
	return true;
}
