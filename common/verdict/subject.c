#include "verdict/subject.h"

#include "base/buf.h"
#include "text/encoded.h"
#include "text/transfer.h"

static bool
ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < ' ' || s.ptr[i] > '~')
			return false;
	return true;
}

/* Would it be read as an encoded word, though it is none? */
static bool
looks_encoded(struct slice s)
{
	return slice_search(s, SLICE("=?")) < s.len;
}

/* Bytes of UTF-8 that go into one word of at most 75 characters. */
enum { WORD = 42 };

static size_t
piece(struct slice s)
{
	size_t n = s.len < WORD ? s.len : WORD;

	/* Not within a character. */
	while (n > 0 && n < s.len && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
		n--;
	return n;
}

/* Between two encoded words a blank is none (RFC 2047, 6.2): where another one
 * follows, ours ends with the blank. */
static void
add_word(struct buf *out, struct arena *a, struct slice tag, bool another)
{
	if (ascii(tag) && !looks_encoded(tag)) {
		buf_add(out, tag);
		return;
	}
	if (another)
		tag = arena_printf(a, "%.*s ", SLICE_ARG(tag));
	for (size_t n; tag.len > 0; tag = slice_after(tag, n)) {
		n = piece(tag);
		buf_adds(out, "=?UTF-8?B?");
		encode_base64(out, slice_sub(tag, 0, n));
		buf_adds(out, "?=");
		if (n < tag.len)
			buf_adds(out, "\r\n ");
	}
}

/* "Re:", "AW: ", "Fwd:" and what other languages have: one to four letters. */
static struct slice
without_reply(struct slice s)
{
	s = slice_trim(s);
	for (size_t i = 0; i < s.len && i <= 12; i++)
		if (s.ptr[i] == ':')
			return slice_trim(slice_after(s, i + 1));
		else if (ascii_space(s.ptr[i]) || s.ptr[i] == '[')
			break;
	return s;
}

/* Is it there already: among the marks in front, behind any number of "Re:"? */
static bool
tagged(struct slice subject, struct slice tag)
{
	size_t before;

	do {
		subject = slice_trim(subject);
		if (slice_starts_nocase(subject, tag))
			return true;
		/* Another mark in front of ours. */
		if (slice_starts(subject, SLICE("[")) &&
		    slice_has(subject, ']')) {
			before = subject.len;
			subject = slice_after(subject,
			    slice_find(subject, ']') + 1);
			continue;
		}
		before = subject.len;
		subject = without_reply(subject);
	} while (subject.len < before);
	return false;
}

bool
subject_tags(struct plan *p, const struct message *msg,
    const struct slice *tags, size_t n)
{
	const struct field *f = message_field(msg, SLICE("Subject"), 0);
	struct buf out = buf_in(p->arena);
	struct slice now = SLICE("");
	unsigned flags;

	if (f != NULL)
		now = encoded_decode(p->arena, field_value(p->arena, f),
		    &flags);
	for (size_t i = 0; i < n; i++) {
		bool another = f != NULL && slice_starts(slice_trim(f->body),
		    SLICE("=?"));

		if (tagged(now, tags[i]))
			continue;
		for (size_t k = i + 1; k < n; k++)
			another = another || !ascii(tags[k]);
		buf_addc(&out, ' ');
		add_word(&out, p->arena, tags[i], another);
	}
	if (out.len == 0)
		return false;
	if (f == NULL)
		return patch_append(&p->edits, SLICE("Subject"),
		    buf_slice(&out));
	if (f->body.len > 0 && !ascii_space(f->body.ptr[0]))
		buf_addc(&out, ' ');
	buf_add(&out, f->body);
	return patch_change(&p->edits, (size_t)(f - msg->fields),
	    buf_slice(&out));
}

bool
subject_tag(struct plan *p, const struct message *msg, struct slice tag)
{
	return subject_tags(p, msg, &tag, 1);
}
