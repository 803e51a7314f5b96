#include "notice/letter.h"

#include <openssl/sha.h>
#include <string.h>

#include "notice/template.h"
#include "text/transfer.h"
#include "text/utf8.h"

enum { COLUMNS = 76, WORD_BYTES = 42, LINE_BYTES = 998, ID_BYTES = 16 };

struct slice
letter_id(struct arena *a, struct slice key, const char *hostname)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	struct buf id = buf_in(a);

	SHA256((const unsigned char *)key.ptr, key.len, hash);
	for (int i = 0; i < ID_BYTES; i++)
		buf_addf(&id, "%02x", hash[i]);
	buf_addf(&id, ".notice@%s", hostname);
	return buf_slice(&id);
}

/* May it stand as it is? "=?" would be read as the beginning of a word. */
static bool
is_plain(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < ' ' || s.ptr[i] > '~')
			return false;
	return slice_search(s, SLICE("=?")) == s.len;
}

static void
add_base64(struct buf *out, struct arena *a, struct slice bytes)
{
	struct buf coded = buf_in(a);

	/* Short enough for one line of encode_base64. */
	encode_base64(&coded, bytes);
	buf_add(out, buf_slice(&coded));
}

/* Encoded words of whole characters, one a line (RFC 2047, 2 and 5). */
static void
add_words(struct buf *out, struct arena *a, struct slice s)
{
	while (s.len > 0) {
		struct slice rest = s, word;
		uint32_t cp;

		while (rest.len > 0 && s.len - rest.len < WORD_BYTES - 4)
			utf8_next(&rest, &cp);
		word = slice_sub(s, 0, s.len - rest.len);
		buf_adds(out, "=?UTF-8?B?");
		add_base64(out, a, word);
		buf_adds(out, rest.len > 0 ? "?=\r\n " : "?=");
		s = rest;
	}
}

/* Words of ASCII, folded before column 76 where there is a blank. */
static void
add_folded(struct buf *out, struct slice s, size_t column)
{
	while (s.ptr != NULL) {
		struct slice word = slice_cut(s, ' ', &s);

		if (column + word.len + 1 > COLUMNS && column > 1 &&
		    word.len > 0) {
			buf_adds(out, "\r\n");
			column = 0;
		}
		buf_addc(out, ' ');
		buf_add(out, word);
		column += word.len + 1;
	}
}

/* No blank that is not between words: a folded line of blanks alone would
 * end the header for some. */
static struct slice
words_of(struct arena *a, struct slice value)
{
	struct slice plain = slice_trim(template_plain(a, value));
	struct buf b = buf_in(a);

	for (size_t i = 0; i < plain.len; i++)
		if (plain.ptr[i] != ' ' || plain.ptr[i + 1] != ' ')
			buf_addc(&b, plain.ptr[i]);
	return buf_slice(&b);
}

static bool
fits(struct slice s)
{
	while (s.ptr != NULL)
		if (slice_cut(s, ' ', &s).len > LINE_BYTES - 100)
			return false;
	return true;
}

void
letter_field(struct buf *out, struct arena *a, const char *name,
    struct slice value)
{
	struct slice s = words_of(a, value);

	buf_addf(out, "%s:", name);
	if (is_plain(s) && fits(s)) {
		add_folded(out, s, strlen(name) + 1);
	} else {
		buf_adds(out, "\r\n ");
		add_words(out, a, s);
	}
	buf_adds(out, "\r\n");
}

/* A display name: always in words or in quotes, so no byte of it is syntax. */
static void
add_from(struct buf *out, struct arena *a, const struct letter *l)
{
	struct slice name = words_of(a, l->from_name);

	buf_adds(out, "From:");
	if (name.len > 0 && is_plain(name) && fits(name) && name.len < 60) {
		buf_adds(out, " \"");
		for (size_t i = 0; i < name.len; i++) {
			if (name.ptr[i] == '"' || name.ptr[i] == '\\')
				buf_addc(out, '\\');
			buf_addc(out, name.ptr[i]);
		}
		buf_adds(out, "\"\r\n");
	} else if (name.len > 0) {
		buf_adds(out, " ");
		add_words(out, a, name);
		buf_adds(out, "\r\n");
	}
	buf_addf(out, " <%s>\r\n", l->from);
}

/* Lines end in CRLF whatever the template has. */
static struct slice
with_crlf(struct arena *a, struct slice text)
{
	struct buf b = buf_in(a);
	struct slice line;

	while (slice_line(&text, &line)) {
		buf_add(&b, line);
		buf_adds(&b, "\r\n");
	}
	return buf_slice(&b);
}

static void
add_part(struct buf *out, struct arena *a, const char *type,
    struct slice text)
{
	buf_addf(out, "Content-Type: text/%s; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\n", type);
	encode_qp(out, with_crlf(a, text));
}

/* "=_" cannot stand in quoted-printable (RFC 2045, 6.7), nor in base64. */
static struct slice
boundary(struct arena *a, const struct letter *l, const char *which)
{
	size_t at = slice_find(l->message_id, '.');

	return arena_printf(a, "=_%s_%.*s", which,
	    SLICE_ARG(slice_sub(l->message_id, 0, at)));
}

static void
add_body(struct buf *out, struct arena *a, const struct letter *l)
{
	struct slice b = boundary(a, l, "alternative");

	if (l->html.ptr == NULL) {
		add_part(out, a, "plain", l->text);
		return;
	}
	buf_addf(out, "Content-Type: multipart/alternative;\r\n"
	    " boundary=\"%.*s\"\r\n\r\n--%.*s\r\n", SLICE_ARG(b),
	    SLICE_ARG(b));
	add_part(out, a, "plain", l->text);
	buf_addf(out, "\r\n--%.*s\r\n", SLICE_ARG(b));
	add_part(out, a, "html", l->html);
	buf_addf(out, "\r\n--%.*s--\r\n", SLICE_ARG(b));
}

/* May these bytes go by SMTP as they are? */
static bool
is_mail(struct slice message, struct slice b, bool *body8_r)
{
	struct slice line;

	if (slice_search(message, b) < message.len ||
	    slice_has(message, '\0'))
		return false;
	while (slice_line(&message, &line)) {
		if (line.len > LINE_BYTES || slice_has(line, '\r'))
			return false;
		for (size_t i = 0; i < line.len; i++)
			*body8_r = *body8_r || (line.ptr[i] & 0x80) != 0;
	}
	return true;
}

static void
add_attached(struct buf *out, const struct letter *l, struct slice b,
    struct arena *a, bool *body8_r)
{
	bool body8 = false;

	buf_addf(out, "\r\n--%.*s\r\n", SLICE_ARG(b));
	if (is_mail(l->attached, b, &body8)) {
		buf_addf(out, "Content-Type: message/rfc822\r\n"
		    "Content-Disposition: attachment\r\n"
		    "Content-Transfer-Encoding: %s\r\n\r\n",
		    body8 ? "8bit" : "7bit");
		buf_add(out, with_crlf(a, l->attached));
		*body8_r = body8;
	} else {
		buf_adds(out, "Content-Type: application/octet-stream\r\n"
		    "Content-Disposition: attachment;"
		    " filename=\"message.eml\"\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n");
		encode_base64(out, l->attached);
	}
}

static void
add_mixed(struct buf *out, struct arena *a, const struct letter *l,
    bool *body8_r)
{
	struct slice b = boundary(a, l, "mixed");

	buf_addf(out, "Content-Type: multipart/mixed;\r\n"
	    " boundary=\"%.*s\"\r\n\r\n--%.*s\r\n", SLICE_ARG(b),
	    SLICE_ARG(b));
	add_body(out, a, l);
	if (l->attached.ptr != NULL)
		add_attached(out, l, b, a, body8_r);
	if (l->data.ptr != NULL) {
		buf_addf(out, "\r\n--%.*s\r\nContent-Type: %s\r\n"
		    "Content-Disposition: attachment; filename=\"%s\"\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\n",
		    SLICE_ARG(b), l->data_type, l->data_name);
		encode_base64(out, l->data);
	}
	buf_addf(out, "\r\n--%.*s--\r\n", SLICE_ARG(b));
}

void
letter_write(struct buf *out, struct arena *a, const struct letter *l,
    bool *body8_r)
{
	*body8_r = false;
	add_from(out, a, l);
	buf_addf(out, "To: <%.*s>\r\n", SLICE_ARG(l->to));
	letter_field(out, a, "Subject", l->subject);
	buf_addf(out, "Date: %.*s\r\nMessage-ID:\r\n <%.*s>\r\n",
	    SLICE_ARG(l->date), SLICE_ARG(l->message_id));
	/* No List-Id and no List-Unsubscribe: this is no list, and what looks
	 * like one is sorted away or answered. */
	buf_addf(out, "Auto-Submitted: auto-%s\r\n", l->in_reply_to.ptr ==
	    NULL ? "generated" : "replied");
	if (l->in_reply_to.len > 0)
		buf_addf(out, "In-Reply-To:\r\n %.*s\r\nReferences:\r\n "
		    "%.*s\r\n", SLICE_ARG(l->in_reply_to),
		    SLICE_ARG(l->in_reply_to));
	buf_adds(out, "Precedence: bulk\r\n"
	    "X-Auto-Response-Suppress: All\r\n");
	if (l->language.len > 0)
		buf_addf(out, "Content-Language: %.*s\r\n",
		    SLICE_ARG(l->language));
	buf_adds(out, "MIME-Version: 1.0\r\n");
	if (l->attached.ptr != NULL || l->data.ptr != NULL)
		add_mixed(out, a, l, body8_r);
	else
		add_body(out, a, l);
}
