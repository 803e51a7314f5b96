#include "mime/header.h"

#include <string.h>

#include "text/charset.h"
#include "text/encoded.h"

enum { FILE_NAME_MAX = 65536 };

/* Is one of the folded lines nothing but blanks? Some end the block there. */
static bool
blank_fold(const struct field *f)
{
	struct slice rest = f->raw, line;

	slice_line(&rest, &line);
	while (slice_line(&rest, &line))
		if (slice_trim(line).len == 0)
			return true;
	return false;
}

static uint64_t
field_flags(const struct field *f)
{
	uint64_t flags = 0;

	if (f->name.len == 0)
		flags |= MSG_JUNK_LINE;
	else if (f->raw.ptr[f->name.len] != ':')
		flags |= MSG_SPACE_COLON;
	if (blank_fold(f))
		flags |= MSG_BLANK_FOLD;
	return flags;
}

static uint64_t
byte_flags(struct slice head)
{
	uint64_t flags = slice_has(head, '\0') ? MSG_HEADER_NUL : 0;
	size_t at;

	while ((at = slice_find(head, '\r')) < head.len) {
		head = slice_after(head, at + 1);
		if (head.len == 0 || head.ptr[0] != '\n')
			return flags | MSG_HEADER_CR;
	}
	return flags;
}

uint64_t
header_fields(struct arena *a, struct slice head,
    const struct message_limits *limits, struct field **fields_r,
    size_t *nfields_r)
{
	struct slice rest = slice_sub(head, 0, limits->header_bytes);
	uint64_t flags = byte_flags(rest);
	struct buf list = buf_in(a);
	struct field f;

	if (rest.len < head.len)
		flags |= MSG_LIMIT_HEADER;
	while (field_next(&rest, &f)) {
		if (list.len / sizeof f >= limits->fields) {
			flags |= MSG_LIMIT_FIELDS;
			break;
		}
		/* The field that the byte limit cuts is not listed. */
		if (rest.len == 0 && (flags & MSG_LIMIT_HEADER) != 0)
			break;
		flags |= field_flags(&f);
		buf_add(&list, slice_make(&f, sizeof f));
	}
	*fields_r = (struct field *)(void *)list.ptr;
	*nfields_r = list.len / sizeof f;
	return flags;
}

const struct field *
header_find(const struct field *fields, size_t nfields, struct slice name,
    size_t from)
{
	for (size_t i = from; i < nfields; i++)
		if (slice_eq_nocase(fields[i].name, name))
			return &fields[i];
	return NULL;
}

const struct field *
header_nth(const struct part *p, struct slice name, size_t n)
{
	const struct field *f = header_find(p->fields, p->nfields, name, 0);

	for (; f != NULL && n > 0; n--)
		f = header_find(p->fields, p->nfields, name,
		    (size_t)(f - p->fields) + 1);
	return f;
}

static uint64_t
param_flags(const struct params *params)
{
	uint64_t flags = 0;

	if ((params->flags & PARAM_LIMIT) != 0)
		flags |= MSG_LIMIT_PARAMS;
	if ((params->flags & PARAM_DUPLICATE) != 0)
		flags |= MSG_TWO_PARAMS;
	if ((params->flags & (PARAM_GAP | PARAM_JUNK | PARAM_BAD_PERCENT)) != 0)
		flags |= MSG_BAD_PARAM;
	return flags;
}

static struct slice
lower(struct arena *a, struct slice s)
{
	char *ptr = arena_alloc(a, s.len + 1);

	for (size_t i = 0; i < s.len; i++)
		ptr[i] = ascii_lower(s.ptr[i]);
	return slice_make(ptr, s.len);
}

static void
set_default_type(struct part *p, bool digest)
{
	p->type = digest ? SLICE("message") : SLICE("text");
	p->subtype = digest ? SLICE("rfc822") : SLICE("plain");
}

static void
read_type(struct arena *a, struct part *p, bool digest, size_t n)
{
	struct slice name = SLICE("Content-Type");
	const struct field *f = header_nth(p, name, n);
	const struct param *charset;
	struct slice type, rest;

	set_default_type(p, digest);
	if (header_nth(p, name, 1) != NULL)
		p->flags |= MSG_TWO_TYPES;
	if (f == NULL)
		return;
	params_read(a, f->body, &p->params);
	p->flags |= param_flags(&p->params);
	charset = params_find(&p->params, SLICE("charset"));
	if (charset != NULL)
		p->charset = lower(a, slice_trim(charset->value));
	rest = p->params.value;
	type = slice_trim(slice_cut(rest, '/', &rest));
	if (type.len == 0 || rest.ptr == NULL || slice_trim(rest).len == 0) {
		p->flags |= MSG_BAD_TYPE;
		return;
	}
	p->type = type;
	p->subtype = slice_trim(rest);
}

static void
read_transfer(struct part *p, size_t n)
{
	struct slice name = SLICE("Content-Transfer-Encoding");
	const struct field *f = header_nth(p, name, n);

	if (header_nth(p, name, 1) != NULL)
		p->flags |= MSG_TWO_TRANSFERS;
	if (f == NULL)
		return;
	p->transfer = transfer_parse(f->body);
	if (p->transfer == TRANSFER_UNKNOWN)
		p->flags |= MSG_BAD_TRANSFER;
}

/* The extended form (name*=) is the better informed one, RFC 6266, 4.3. */
static const struct param *
best_param(const struct params *params, struct slice name)
{
	const struct param *p = params_find(params, name);

	for (const struct param *q = p; q != NULL; q = params_next(q))
		if ((q->flags & PARAM_EXTENDED) != 0)
			return q;
	return p;
}

/* RFC 2231 says the charset; else encoded words are what all send. */
static struct slice
file_name(struct arena *a, const struct param *file)
{
	struct buf name = buf_in(a);
	unsigned flags;

	if (file->charset.len == 0)
		return encoded_decode(a, file->value, &flags);
	charset_utf8(file->charset, file->value, FILE_NAME_MAX, &name);
	return buf_slice(&name);
}

static void
read_disposition(struct arena *a, struct part *p)
{
	struct slice name = SLICE("Content-Disposition");
	const struct field *f = header_nth(p, name, 0);
	const struct param *file = NULL;

	if (header_nth(p, name, 1) != NULL)
		p->flags |= MSG_TWO_DISPOSITIONS;
	if (f != NULL) {
		params_read(a, f->body, &p->dparams);
		p->flags |= param_flags(&p->dparams);
		p->disposition = p->dparams.value;
		file = best_param(&p->dparams, SLICE("filename"));
	}
	if (file == NULL)
		file = best_param(&p->params, SLICE("name"));
	if (file == NULL)
		return;
	p->filename = file_name(a, file);
	p->filename_raw = file->value;
	p->filename_charset = file->charset;
}

void
header_entity(struct arena *a, struct part *p, bool digest, size_t type,
    size_t transfer)
{
	memset(&p->params, 0, sizeof p->params);
	memset(&p->dparams, 0, sizeof p->dparams);
	p->transfer = TRANSFER_7BIT;
	read_type(a, p, digest, type);
	read_transfer(p, transfer);
	read_disposition(a, p);
	if (part_is(p, "message", "partial"))
		p->flags |= MSG_PARTIAL;
}
