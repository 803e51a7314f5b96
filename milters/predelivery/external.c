#include "external.h"

#include "text/address.h"
#include "text/encoded.h"

enum { LINE = 76, FIELD_NAME = 5 /* "From:" */, MANY = 100 };

/* Of these a reader makes what he likes: the mark stands before all. */
#define UNCLEAR (ADDRESS_UNCLOSED | ADDRESS_STRAY | ADDRESS_TRAILING | \
	ADDRESS_CONTROL | ADDRESS_NULL)

/* ---- the mark ---- */

static void
add_word(struct buf *out, struct slice mark, bool blank)
{
	buf_adds(out, "=?utf-8?Q?");
	for (size_t i = 0; i < mark.len; i++) {
		unsigned char c = (unsigned char)mark.ptr[i];

		if (ascii_alnum(mark.ptr[i]))
			buf_addc(out, mark.ptr[i]);
		else
			buf_addf(out, "=%02X", c);
	}
	/* A blank between two encoded words is not shown (RFC 2047, 6.2). */
	buf_adds(out, blank ? "_?=" : "?=");
}

static size_t
column(const struct buf *out)
{
	struct slice s = buf_slice(out);
	size_t end = slice_find_last(s, '\n');

	return end < s.len ? s.len - end - 1 : s.len + FIELD_NAME;
}

/* The mark, a blank or a fold behind it; `rest` is what follows. */
static void
add_mark(struct buf *out, struct slice mark, struct slice rest)
{
	enum { INDENT = 20 };
	struct buf word = buf_in(out->arena);
	size_t line = slice_find(rest, '\r');

	add_word(&word, mark, slice_starts(rest, SLICE("=?")));
	/* A line with an encoded word is no longer than 76 (RFC 2047, 2). */
	if (column(out) + word.len > LINE && column(out) > INDENT)
		buf_adds(out, "\r\n ");
	buf_add(out, buf_slice(&word));
	buf_adds(out, column(out) + 1 + line > LINE ? "\r\n " : " ");
}

static bool
has_mark(struct arena *a, struct slice name, struct slice mark)
{
	unsigned flags;
	struct slice text = encoded_decode(a, name, &flags);

	while (text.len > 0 && (ascii_space(text.ptr[0]) ||
	    text.ptr[0] == '"' || text.ptr[0] == '('))
		text = slice_after(text, 1);
	return slice_starts(text, mark);
}

/* ---- one address ---- */

static struct slice
without_comment(struct slice s)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.len && (depth > 0 || s.ptr[0] == '('); i++) {
		if (s.ptr[i] == '\\')
			i++;
		else if (s.ptr[i] == '(')
			depth++;
		else if (s.ptr[i] == ')' && --depth == 0)
			return slice_trim(slice_after(s, i + 1));
	}
	return s;
}

/* Without the name of the group that it is the first of. */
static struct slice
without_group(const struct address *who)
{
	struct slice raw = who->raw;
	const char *group = who->group.ptr;

	if (group == NULL || who->group.len == 0 || group < raw.ptr ||
	    group >= raw.ptr + raw.len)
		return raw;
	raw = slice_after(raw, (size_t)(group - raw.ptr) + who->group.len);
	raw = slice_trim(slice_after(raw, slice_find(raw, ':') + 1));
	return without_comment(raw);
}

/* Bytes up to `end` that are not in *out yet. */
static void
copy_to(struct buf *out, struct slice *rest, const char *end)
{
	size_t n = (size_t)(end - rest->ptr);

	buf_add(out, slice_sub(*rest, 0, n));
	*rest = slice_after(*rest, n);
}

static void
mark_one(struct arena *a, struct buf *out, struct slice *rest,
    const struct address *who, struct slice mark, size_t *marked)
{
	struct slice raw = without_group(who);
	/* No name stands before it: a '<' is its first byte, or it has none. */
	bool angled = raw.len > 0 && raw.ptr[0] == '<', bare = false;
	const char *at = raw.ptr;

	if (who->group.ptr != NULL && has_mark(a, who->group, mark))
		return;
	if (who->name.ptr != NULL && who->name.len > 0) {
		if (has_mark(a, who->name, mark))
			return;
		at = who->name.ptr;
	} else if (!angled && who->comment.ptr != NULL) {
		if (has_mark(a, who->comment, mark))
			return;
		at = who->comment.ptr;
	} else if (has_mark(a, raw, mark)) {
		return;
	} else {
		/* Words without a domain are a name, whatever a reader does. */
		bare = !angled && who->domain.len > 0 &&
		    (who->flags & ADDRESS_SPACED) == 0;
	}
	copy_to(out, rest, at);
	add_mark(out, mark, *rest);
	if (bare) {
		buf_addc(out, '<');
		copy_to(out, rest, raw.ptr + raw.len);
		buf_addc(out, '>');
	}
	++*marked;
}

static struct slice
at_begin(struct arena *a, struct slice body, struct slice mark)
{
	struct buf out = buf_in(a);
	size_t n = 0;

	while (n < body.len && ascii_space(body.ptr[n]))
		n++;
	if (n == body.len)
		return SLICE_NONE;
	buf_add(&out, slice_sub(body, 0, n));
	add_mark(&out, mark, slice_after(body, n));
	buf_add(&out, slice_after(body, n));
	return buf_slice(&out);
}

struct slice
external_from(struct arena *a, struct slice body, struct slice mark)
{
	struct address_list list;
	struct address who;
	struct slice rest = body;
	struct buf out = buf_in(a);
	size_t marked = 0, n = 0;

	/* Whatever follows: a reader sees the mark. */
	if (has_mark(a, body, mark))
		return SLICE_NONE;
	address_open(&list, a, body);
	while (address_next(&list, &who)) {
		n++;
		/* A group without a name would get the mark as one. */
		if ((who.flags & UNCLEAR) != 0 || list.count > MANY ||
		    (who.group.ptr != NULL && who.group.len == 0))
			return at_begin(a, body, mark);
		mark_one(a, &out, &rest, &who, mark, &marked);
	}
	if (n == 0 || (list.flags & UNCLEAR) != 0)
		return at_begin(a, body, mark);
	buf_add(&out, rest);
	return marked > 0 ? buf_slice(&out) : SLICE_NONE;
}

/* ---- whose name it bears ---- */

static bool
ours(struct arena *a, struct slice domain, const struct external_ours *o)
{
	struct slice ascii;

	if (!domain_ascii(a, domain, &ascii))
		return false;
	while (ascii.ptr != NULL && ascii.len > 0) {
		if (o->is(o->arg, ascii))
			return true;
		slice_cut(ascii, '.', &ascii);
	}
	return false;
}

static bool
field_ours(struct arena *a, struct slice body, const struct external_ours *o)
{
	struct address_list list;
	struct address who;
	unsigned flags;
	struct slice seen, local, domain;

	address_open(&list, a, body);
	while (address_next(&list, &who))
		if (ours(a, who.domain, o))
			return true;
	/* Names too, as a reader sees them, and as a careless one does. */
	seen = encoded_decode(a, body, &flags);
	while (address_guess(&seen, &local, &domain))
		if (ours(a, domain, o))
			return true;
	return false;
}

bool
external_ours(struct arena *a, const struct message *msg,
    const struct external_ours *o)
{
	for (size_t i = 0; i < msg->nfields; i++)
		if (slice_eq_nocase(msg->fields[i].name, SLICE("from")) &&
		    field_ours(a, msg->fields[i].body, o))
			return true;
	return false;
}
