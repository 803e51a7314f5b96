#include "dkim_guard.h"

#include <string.h>

#include "base/buf.h"
#include "dkim/tags.h"

static struct slice
without_end(struct slice raw)
{
	if (slice_ends(raw, SLICE("\r\n")))
		return slice_sub(raw, 0, raw.len - 2);
	if (slice_ends(raw, SLICE("\n")))
		return slice_sub(raw, 0, raw.len - 1);
	return raw;
}

/* A fold of LF alone, as libmilter has them, would be hashed as it is. */
struct slice
guard_field(struct arena *a, const struct field *f)
{
	struct slice raw = without_end(f->raw), rest = raw, line;
	struct buf out = buf_in(a);
	const char *lf = raw.len > 0 ? memchr(raw.ptr, '\n', raw.len) : NULL;

	while (lf != NULL && lf > raw.ptr && lf[-1] == '\r')
		lf = memchr(lf + 1, '\n',
		    raw.len - (size_t)(lf + 1 - raw.ptr));
	if (lf == NULL)
		return raw;
	while (slice_line(&rest, &line)) {
		if (out.len > 0)
			buf_adds(&out, "\r\n");
		buf_add(&out, line);
	}
	return buf_slice(&out);
}

/*
 * Relaxed: it takes VT, FF and a lone CR for white space, and a NUL for the
 * end of the field, so that what follows is not signed. A control character
 * before the colon has it drop the field.
 */
static bool
field_odd(const struct field *f)
{
	struct slice raw = without_end(f->raw);
	size_t colon = slice_find(raw, ':');

	for (size_t i = 0; i < raw.len; i++) {
		unsigned char c = (unsigned char)raw.ptr[i];

		if (c >= ' ')
			continue;
		if (i < colon || c == '\0' || c == '\v' || c == '\f' ||
		    (c == '\r' && (i + 1 == raw.len ||
		    raw.ptr[i + 1] != '\n')))
			return true;
	}
	return false;
}

static size_t
times_named(const struct dkim_signature *sig, struct slice name)
{
	struct slice rest = sig->signed_fields;
	size_t n = 0;

	while (rest.ptr != NULL)
		n += slice_eq_nocase(tags_cut(rest, ':', &rest), name);
	return n;
}

static bool
signs_odd(const struct message *msg, const struct dkim_signature *sig)
{
	for (size_t i = 0; i < msg->nfields; i++)
		if (msg->fields[i].name.len > 0 &&
		    field_odd(&msg->fields[i]) &&
		    times_named(sig, msg->fields[i].name) > 0)
			return true;
	return false;
}

/*
 * It takes the lowest fields of that name, the signature itself among them;
 * and each that is not shown moves the others.
 */
static bool
signs_signatures(const struct message *msg, const struct dkim_signature *sig,
    bool whole)
{
	struct slice name = SLICE("DKIM-Signature");
	size_t named = times_named(sig, name), below = 0;

	for (size_t i = sig->index + 1; i < msg->nfields; i++)
		below += slice_eq_nocase(msg->fields[i].name, name);
	return named > 0 && (!whole || named > below);
}

/*
 * To empty b= it looks for a 'b' just before an '=': it misses "b =", and
 * empties all that end in 'b' beside it. Two names that differ in case only
 * are one tag to it, and the later one counts.
 */
static const char *
tags_odd(const struct tags *tags)
{
	for (size_t i = 0; i < tags->count; i++) {
		const struct tag *t = &tags->list[i];

		if ((t->span.ptr[-2] == 'b') != slice_eq(t->name, SLICE("b")))
			return "libopendkim does not find its b=";
		for (size_t k = 0; k < i; k++)
			if (slice_eq_nocase(t->name, tags->list[k].name))
				return "libopendkim takes two of its tags "
				    "for one";
	}
	return NULL;
}

const char *
guard_size(const struct message *msg, const struct dkim_signature *sig)
{
	struct slice rest = sig->signed_fields;
	size_t names = 0;

	if (msg->fields[sig->index].raw.len > GUARD_FIELD ||
	    rest.len > GUARD_NAMES)
		return "it is longer than libopendkim takes";
	for (; rest.ptr != NULL; names++)
		slice_cut(rest, ':', &rest);
	if (names * msg->nfields > GUARD_WORK)
		return "it names more fields than libopendkim looks for "
		    "in good time";
	return NULL;
}

const char *
guard_signature(const struct message *msg, const struct dkim_signature *sig,
    bool whole)
{
	const struct field *f = &msg->fields[sig->index];
	struct tags tags;

	if (tags_read(f->body, &tags) != NULL)
		return "libopendkim would read it otherwise";
	if (field_odd(f) || signs_odd(msg, sig))
		return "libopendkim does not hash control characters in "
		    "header fields as they stand";
	if (signs_signatures(msg, sig, whole))
		return "libopendkim would hash other signatures than it names";
	return tags_odd(&tags);
}

/*
 * Relaxed: a lone CR is lost. Simple: a line of CRs alone is taken for an
 * empty one, and a lone LF takes the last byte of its line out of the hash.
 */
const char *
guard_body(struct slice body)
{
	const char *p = body.ptr, *end = body.ptr + body.len;
	const char *cr, *lf;

	while (p < end) {
		lf = memchr(p, '\n', (size_t)(end - p));
		cr = memchr(p, '\r', (size_t)((lf != NULL ? lf : end) - p));
		if (lf != NULL ? cr != lf - 1 : cr != NULL)
			return "libopendkim does not hash a CR or LF that "
			    "stands alone as it stands";
		if (lf == NULL)
			break;
		p = lf + 1;
	}
	return NULL;
}

/*
 * What the record says besides is judged already, by our own reader: it would
 * not compare k= with a=, stop at a NUL, let the last of two equal tags
 * count, and read t=s before i= is decoded.
 */
const char *
guard_record(struct arena *a, struct slice record)
{
	struct tags tags;
	struct slice p, k, out;

	if (tags_read(record, &tags) != NULL)
		return NULL;
	p = tags_squeeze(a, tags_find(&tags, SLICE("p")));
	k = tags_find(&tags, SLICE("k"));
	if (p.len > GUARD_RECORD - 20)
		return NULL;
	out = arena_printf(a, "k=%s; p=%.*s",
	    slice_eq(k, SLICE("ed25519")) ? "ed25519" : "rsa", SLICE_ARG(p));
	return out.ptr;
}
