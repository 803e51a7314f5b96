#include "remove.h"

#include "base/buf.h"
#include "text/transfer.h"

#define TYPE	"text/plain; charset=utf-8"

/* ---- which ---- */

static bool
sealed(const struct part *p)
{
	return part_is(p, "multipart", "signed") ||
	    part_is(p, "multipart", "encrypted") ||
	    part_is(p, "application", "pkcs7-mime") ||
	    part_is(p, "application", "x-pkcs7-mime");
}

static bool
is_uuencoded(const struct part *p)
{
	return p->lax && p->transfer == TRANSFER_UUENCODE && p->nfields == 0 &&
	    p->parent != NULL && !part_multipart(p->parent) &&
	    !p->parent->lax && !p->copy;
}

const struct part *
remove_target(const struct message *msg, const struct part *p,
    const char **why_r)
{
	size_t off;

	for (const struct part *q = p; q != NULL; q = q->parent)
		if (sealed(q)) {
			*why_r = "it is signed or encrypted";
			return NULL;
		}
	while ((p->lax || p->copy) && p->parent != NULL && !is_uuencoded(p))
		p = p->parent;
	/* A header block that is none gets no fields. */
	if (p->parent != NULL && !part_multipart(p->parent) &&
	    !is_uuencoded(p) && (p->flags & (MSG_HEADER_CUT | MSG_JUNK_LINE |
	    MSG_BLANK_FOLD)) != 0)
		p = p->parent;
	if (!part_multipart(p) && part_offset(msg, p, &off))
		return p;
	*why_r = "it stands where only some readers find it";
	return NULL;
}

/* ---- the note ---- */

enum { LINE = 900 };

/* The note as it stands in the mail: as it is where it is ASCII of short lines,
 * else base64, which has no line that a boundary could be. */
struct encoded {
	struct slice text;
	const char *transfer;
};

static bool
is_plain(struct slice note)
{
	size_t line = 0;

	for (size_t i = 0; i < note.len; i++) {
		char c = note.ptr[i];

		line = c == '\n' ? 0 : line + 1;
		if (line > LINE || (c & 0x80) != 0 || (c < ' ' && c != '\n' &&
		    c != '\r' && c != '\t'))
			return false;
	}
	return true;
}

/* A hyphen at the beginning of a line gets a blank before it. */
static struct slice
lines_of(struct arena *a, struct slice note)
{
	struct buf out = buf_in(a);
	struct slice line;

	while (slice_line(&note, &line)) {
		if (slice_starts(line, SLICE("-")))
			buf_addc(&out, ' ');
		for (size_t i = 0; i < line.len; i++)
			buf_addc(&out, line.ptr[i] == '\r' ? ' ' :
			    line.ptr[i]);
		buf_adds(&out, "\r\n");
	}
	return buf_slice(&out);
}

static struct encoded
encoded(struct arena *a, struct slice note)
{
	struct buf out = buf_in(a);

	if (is_plain(note))
		return (struct encoded){ lines_of(a, note), "7bit" };
	encode_base64(&out, lines_of(a, note));
	buf_adds(&out, "\r\n");
	return (struct encoded){ buf_slice(&out), "base64" };
}

static struct slice
fields_of(struct arena *a, const struct encoded *e)
{
	return arena_printf(a, "Content-Type: " TYPE "\r\n"
	    "Content-Transfer-Encoding: %s\r\nContent-Disposition: inline\r\n",
	    e->transfer);
}

static bool
is_content(const struct field *f)
{
	return slice_starts_nocase(f->name, SLICE("Content-"));
}

/* ---- a part of a multipart ---- */

static size_t
place(const struct message *msg, const char *at)
{
	return (size_t)(at - msg->body.ptr);
}

/* The line end before a boundary belongs to it (RFC 2046, 5.1.1). Where a part
 * has no content, that is the end of its block or the blank line behind it, and
 * what takes its place needs one too. */
static bool
replace_part(struct patches *edits, const struct message *msg,
    const struct part *p, const struct encoded *e)
{
	struct arena *a = edits->arena;
	struct buf out = buf_in(a);
	struct slice text = e->text, rest;
	size_t from, end;

	if (!part_offset(msg, p, &end))
		return false;
	end += p->body.len;
	from = place(msg, p->head.ptr);
	if (p->flags & MSG_HEADER_CUT)
		end = from + p->head.len;
	rest = slice_after(msg->body, end);
	if ((slice_starts(rest, SLICE("\r\n")) ||
	    slice_starts(rest, SLICE("\n"))) &&
	    slice_ends(text, SLICE("\r\n")))
		text.len -= 2;
	buf_add(&out, fields_of(a, e));
	buf_adds(&out, "\r\n");
	buf_add(&out, text);
	return from <= end && patch_body(edits, from, end - from,
	    buf_slice(&out));
}

/* ---- an attached message of one part ---- */

static bool
replace_inner(struct patches *edits, const struct message *msg,
    const struct part *p, const struct encoded *e)
{
	struct arena *a = edits->arena;
	bool cut = (p->flags & MSG_HEADER_CUT) != 0;
	struct slice fields = fields_of(a, e);
	size_t body;

	if (!part_offset(msg, p, &body))
		return false;
	for (size_t i = 0; i < p->nfields; i++)
		if (is_content(&p->fields[i]) && !patch_body(edits,
		    place(msg, p->fields[i].raw.ptr), p->fields[i].raw.len,
		    SLICE("")))
			return false;
	return patch_body(edits, place(msg, p->head.ptr) + p->head.len, 0,
	    cut ? arena_printf(a, "%.*s\r\n", SLICE_ARG(fields)) : fields) &&
	    patch_body(edits, body, p->body.len, e->text);
}

/* ---- the message itself ---- */

static bool
set_field(struct patches *edits, const struct message *msg, const char *name,
    const char *value)
{
	struct slice text = arena_printf(edits->arena, " %s", value);
	const struct field *f = message_field(msg, slice_of(name), 0);

	return f != NULL ? patch_change(edits, (size_t)(f - msg->fields),
	    text) : patch_append(edits, slice_of(name), text);
}

static bool
replace_all(struct patches *edits, const struct message *msg,
    const struct encoded *e)
{
	static const char *const kept[] = { "Content-Type",
	    "Content-Transfer-Encoding", "Content-Disposition" };
	bool good = true;

	for (size_t i = 0; i < msg->nfields; i++) {
		const struct field *f = &msg->fields[i];
		bool first = false;

		for (size_t k = 0; k < 3; k++)
			first = first || f == message_field(msg,
			    slice_of(kept[k]), 0);
		if (is_content(f) && !first)
			good = good && patch_delete(edits, i);
	}
	good = good && set_field(edits, msg, kept[0], TYPE) &&
	    set_field(edits, msg, kept[1], e->transfer) &&
	    set_field(edits, msg, kept[2], "inline");
	if (message_field(msg, SLICE("MIME-Version"), 0) == NULL)
		good = good && patch_append(edits, SLICE("MIME-Version"),
		    SLICE(" 1.0"));
	return good && patch_body(edits, 0, msg->body.len, e->text);
}

/* A uuencoded file is lines of a text, whose charset is not ours. */
static bool
replace_lines(struct patches *edits, const struct message *msg,
    const struct part *p, struct slice note)
{
	struct slice lines = lines_of(edits->arena, note);
	char *text = arena_str(edits->arena, lines);
	size_t off;

	for (size_t i = 0; i < lines.len; i++)
		if ((text[i] & 0x80) != 0 || text[i] == '\0')
			text[i] = '?';
	return part_offset(msg, p, &off) && patch_body(edits, off,
	    p->body.len, slice_make(text, lines.len));
}

bool
remove_part(struct patches *edits, const struct message *msg,
    const struct part *p, struct slice note)
{
	struct encoded e = encoded(edits->arena, note);

	if (is_uuencoded(p))
		return replace_lines(edits, msg, p, note);
	if (p->parent == NULL)
		return replace_all(edits, msg, &e);
	return part_multipart(p->parent) ? replace_part(edits, msg, p, &e) :
	    replace_inner(edits, msg, p, &e);
}
