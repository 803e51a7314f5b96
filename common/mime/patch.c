#include "mime/patch.h"

#include <string.h>

#include "base/buf.h"
#include "mime/splice.h"

enum { FIELD_BYTES = 60000 };

/* The edits of one encoded part, in its decoded content. */
struct part_edits {
	const struct part *part;
	size_t decoded;			/* length of the content */
	struct patch_ranges edits;
	bool fresh;			/* are the splices up to date? */
	struct splices splices;
};

void
patches_init(struct patches *p, struct arena *a, const struct message *msg)
{
	memset(p, 0, sizeof *p);
	p->arena = a;
	p->msg = msg;
	p->last = &p->first;
}

static struct patch *
patch_new(struct patches *p, enum patch_kind kind, struct slice text)
{
	struct patch *new = arena_alloc(p->arena, sizeof *new);

	new->kind = kind;
	new->text = text;
	return new;
}

static void
patch_link(struct patches *p, struct patch *new)
{
	/* The struct may have been copied while it was empty. */
	if (p->first == NULL)
		p->last = &p->first;
	*p->last = new;
	p->last = &new->next;
	p->count++;
	if (new->kind == PATCH_BODY || new->kind == PATCH_PART)
		p->body = true;
	else
		p->head = true;
}

/* Header edits */

static bool
good_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] > '~' ||
		    name.ptr[i] == ':')
			return false;
	return name.len > 0;
}

static bool
good_line(struct slice line)
{
	return !slice_has(line, '\r') && !slice_has(line, '\n') &&
	    !slice_has(line, '\0');
}

/* CRLF-folded lines; each fold begins with a blank and says something. */
static bool
good_value(struct slice text)
{
	size_t end = slice_search(text, SLICE("\r\n"));

	if (!good_line(slice_sub(text, 0, end)))
		return false;
	while (end < text.len) {
		struct slice line;

		text = slice_after(text, end + 2);
		end = slice_search(text, SLICE("\r\n"));
		line = slice_sub(text, 0, end);
		if (line.len == 0 || !ascii_blank(line.ptr[0]) ||
		    slice_trim(line).len == 0 || !good_line(line))
			return false;
	}
	return true;
}

static bool
good_field(struct slice name, struct slice text)
{
	return good_name(name) && name.len < FIELD_BYTES &&
	    text.len < FIELD_BYTES - name.len && good_value(text);
}

bool
patch_insert(struct patches *p, struct slice name, struct slice text)
{
	struct patch *new;

	if (!good_field(name, text))
		return false;
	new = patch_new(p, PATCH_INSERT, text);
	new->name = name;
	patch_link(p, new);
	return true;
}

bool
patch_append(struct patches *p, struct slice name, struct slice text)
{
	struct slice head = p->msg->head;
	struct patch *new;

	if (!good_field(name, text))
		return false;
	/* It would become a part of a last line that has no end. */
	if (head.len > 0 && head.ptr[head.len - 1] != '\n')
		return false;
	new = patch_new(p, PATCH_APPEND, text);
	new->name = name;
	patch_link(p, new);
	return true;
}

static bool
edit_field(struct patches *p, enum patch_kind kind, size_t index,
    struct slice text)
{
	struct patch *new;

	if (index >= p->msg->nfields || p->msg->fields[index].name.len == 0)
		return false;
	if (p->fields == NULL)
		p->fields = arena_array(p->arena, p->msg->nfields,
		    sizeof *p->fields);
	if (p->fields[index] != NULL)
		return false;
	new = patch_new(p, kind, text);
	new->name = p->msg->fields[index].name;
	new->index = index;
	p->fields[index] = new;
	patch_link(p, new);
	return true;
}

bool
patch_change(struct patches *p, size_t index, struct slice text)
{
	if (index >= p->msg->nfields ||
	    !good_field(p->msg->fields[index].name, text))
		return false;
	return edit_field(p, PATCH_CHANGE, index, text);
}

bool
patch_delete(struct patches *p, size_t index)
{
	return edit_field(p, PATCH_DELETE, index, SLICE(""));
}

/* Ranges, by offset; insertions stand before a range that begins there. */

static bool
stands_before(const struct patch *x, size_t off)
{
	return x->off < off || (x->off == off && x->len == 0);
}

static bool
range_fits(struct patch_ranges *ranges, size_t off, size_t len,
    struct patch **before_r)
{
	struct patch *before = ranges->finger, *after;

	if (before != NULL && !stands_before(before, off))
		before = NULL;
	after = before != NULL ? before->above : ranges->first;
	while (after != NULL && stands_before(after, off)) {
		before = after;
		after = after->above;
	}
	*before_r = before;
	if (before != NULL && before->off + before->len > off)
		return false;
	return after == NULL || after->off >= off + len;
}

static void
range_add(struct patch_ranges *ranges, struct patch *before, struct patch *new)
{
	struct patch **place = before != NULL ? &before->above :
	    &ranges->first;

	new->above = *place;
	*place = new;
	ranges->finger = new;
}

bool
patch_body(struct patches *p, size_t off, size_t len, struct slice text)
{
	struct patch *before, *new;

	if (off > p->msg->body.len || len > p->msg->body.len - off ||
	    !range_fits(&p->ranges, off, len, &before))
		return false;
	new = patch_new(p, PATCH_BODY, text);
	new->off = off;
	new->len = len;
	range_add(&p->ranges, before, new);
	patch_link(p, new);
	return true;
}

/* Edits of parts */

static bool
good_content(enum transfer kind, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (kind == TRANSFER_7BIT && (c == '\0' || (c & 0x80) != 0))
			return false;
		if (kind == TRANSFER_BINARY)
			continue;
		if (c == '\r' && (i + 1 == text.len || text.ptr[i + 1] != '\n'))
			return false;
		if (c == '\n' && (i == 0 || text.ptr[i - 1] != '\r'))
			return false;
	}
	return true;
}

static bool
cuts_line_end(struct slice body, size_t at)
{
	return at > 0 && at < body.len && body.ptr[at - 1] == '\r' &&
	    body.ptr[at] == '\n';
}

/*
 * Would "--boundary" come to stand anywhere around the new text? What stands
 * before it in its line counts, up to LINE bytes: a line end in the new text
 * makes a delimiter of "--boundary--" and blanks, where something followed.
 */
static bool
makes_boundary(struct slice body, size_t off, size_t len, struct slice text,
    struct slice boundary)
{
	enum { LINE = 1000 };
	size_t reach = boundary.len + 2, from = off;
	struct buf window = { 0 };
	const char *hit;
	bool made = false;

	while (from > 0 && off - from < reach + LINE &&
	    body.ptr[from - 1] != '\n')
		from--;
	buf_add(&window, slice_sub(body, from, off - from));
	buf_add(&window, text);
	buf_add(&window, slice_sub(body, off + len, reach));
	hit = window.len > 0 ? memmem(window.ptr, window.len, "--", 2) : NULL;
	while (hit != NULL && !made) {
		size_t left = window.len - (size_t)(hit - window.ptr);

		made = slice_starts(slice_make(hit + 2, left - 2), boundary);
		hit = memmem(hit + 1, left - 1, "--", 2);
	}
	buf_free(&window);
	return made;
}

static bool
patch_plain(struct patches *p, const struct part *part, size_t off, size_t len,
    struct slice text)
{
	size_t start;

	if (!part_offset(p->msg, part, &start) || off > part->body.len ||
	    len > part->body.len - off || !good_content(part->transfer, text))
		return false;
	if (cuts_line_end(part->body, off) ||
	    cuts_line_end(part->body, off + len))
		return false;
	for (const struct part *q = part->parent; q != NULL; q = q->parent)
		if (q->boundary.ptr != NULL && makes_boundary(
		    part->body, off, len, text, q->boundary))
			return false;
	return patch_body(p, start + off, len, text);
}

static struct part_edits *
find_edits(struct patches *p, const struct part *part)
{
	for (struct patch *x = p->ranges.first; x != NULL; x = x->above)
		if (x->edits != NULL && x->edits->part == part)
			return x->edits;
	return NULL;
}

/* The finger is nearly always on the part that was edited last. */
static struct part_edits *
edits_of(struct patches *p, const struct part *part)
{
	struct patch *finger = p->ranges.finger;
	struct part_edits *edits;

	if (finger != NULL && finger->edits != NULL &&
	    finger->edits->part == part)
		return finger->edits;
	edits = find_edits(p, part);
	if (edits != NULL)
		return edits;
	edits = arena_alloc(p->arena, sizeof *edits);
	edits->part = part;
	edits->decoded = part->transfer == TRANSFER_QP ?
	    qp_length(part->body) : base64_length(part->body);
	return edits;
}

/* Claims the part's range of the body for its first edit. */
static bool
claim_range(struct patches *p, struct part_edits *edits)
{
	struct patch *before, *new;
	size_t off;

	if (edits->edits.first != NULL)
		return true;
	if (!part_offset(p->msg, edits->part, &off) ||
	    !range_fits(&p->ranges, off, edits->part->body.len, &before))
		return false;
	new = patch_new(p, PATCH_PART, SLICE(""));
	new->off = off;
	new->len = edits->part->body.len;
	new->edits = edits;
	range_add(&p->ranges, before, new);
	patch_link(p, new);
	p->count--;			/* the caller counts the edit */
	return true;
}

static bool
patch_encoded(struct patches *p, const struct part *part, size_t off,
    size_t len, struct slice text)
{
	struct part_edits *edits = edits_of(p, part);
	struct patch *before, *new;

	if (off > edits->decoded || len > edits->decoded - off ||
	    !range_fits(&edits->edits, off, len, &before) ||
	    !claim_range(p, edits))
		return false;
	new = patch_new(p, PATCH_BODY, text);
	new->off = off;
	new->len = len;
	range_add(&edits->edits, before, new);
	edits->fresh = false;
	p->count++;
	return true;
}

bool
patch_part(struct patches *p, const struct part *part, size_t off, size_t len,
    struct slice text)
{
	if (part->copy || part_multipart(part))
		return false;
	if (part->transfer <= TRANSFER_BINARY)
		return patch_plain(p, part, off, len, text);
	if (part->transfer != TRANSFER_QP && part->transfer != TRANSFER_BASE64)
		return false;
	return patch_encoded(p, part, off, len, text);
}

/* From edits to splices */

void
splice_add(struct splices *s, struct arena *a, size_t off, size_t len,
    struct slice text)
{
	if (s->n == s->cap) {
		struct splice *list;

		s->cap = s->cap < 16 ? 16 : s->cap * 2;
		list = arena_array(a, s->cap, sizeof *list);
		if (s->n > 0)
			memcpy(list, s->list, s->n * sizeof *list);
		s->list = list;
	}
	s->list[s->n++] = (struct splice){ off, len, text };
}

bool
splice_next_edit(const struct patch **edits, struct arena *a, struct edit *e)
{
	const struct patch *x = *edits;
	struct buf text = buf_in(a);

	if (x == NULL)
		return false;
	*e = (struct edit){ x->off, x->len, x->text };
	for (x = x->above; x != NULL && x->off == e->off + e->len;
	    x = x->above) {
		if (text.ptr == NULL)
			buf_add(&text, e->text);
		buf_add(&text, x->text);
		e->len += x->len;
		e->text = buf_slice(&text);
	}
	*edits = x;
	return true;
}

static const struct splices *
part_splices(const struct patches *p, struct part_edits *e, size_t off)
{
	if (e->fresh)
		return &e->splices;
	e->splices.n = 0;
	if (e->part->transfer == TRANSFER_QP)
		qp_splices(&e->splices, p->arena, e->part->body, off,
		    e->edits.first);
	else
		base64_splices(&e->splices, p->arena, e->part->body, off,
		    e->edits.first);
	e->fresh = true;
	return &e->splices;
}

static struct splices
body_splices(const struct patches *p, struct arena *a)
{
	struct splices all = { 0 };

	for (struct patch *x = p->ranges.first; x != NULL; x = x->above) {
		const struct splices *s;

		if (x->kind == PATCH_BODY) {
			splice_add(&all, a, x->off, x->len, x->text);
			continue;
		}
		s = part_splices(p, x->edits, x->off);
		for (size_t i = 0; i < s->n; i++)
			splice_add(&all, a, s->list[i].off, s->list[i].len,
			    s->list[i].text);
	}
	return all;
}

static struct slice
whole_field(struct arena *a, const struct patch *x)
{
	struct buf b = buf_in(a);

	buf_room(&b, x->name.len + x->text.len + 3);
	buf_add(&b, x->name);
	buf_addc(&b, ':');
	buf_add(&b, x->text);
	buf_add(&b, SLICE("\r\n"));
	return buf_slice(&b);
}

/* All of kind, in the order added, or the other way round. */
static void
add_fields(struct splices *all, const struct patches *p, struct arena *a,
    enum patch_kind kind, size_t off, bool reverse)
{
	size_t from = all->n;

	for (const struct patch *x = p->first; x != NULL; x = x->next)
		if (x->kind == kind)
			splice_add(all, a, off, 0, whole_field(a, x));
	for (size_t i = from, j = all->n; reverse && i + 1 < j; i++) {
		struct splice swap = all->list[i];

		all->list[i] = all->list[--j];
		all->list[j] = swap;
	}
}

static struct splices
head_splices(const struct patches *p, struct arena *a)
{
	struct slice head = p->msg->head;
	struct splices all = { 0 };

	add_fields(&all, p, a, PATCH_INSERT, 0, true);
	for (size_t i = 0; p->fields != NULL && i < p->msg->nfields; i++) {
		const struct field *f = &p->msg->fields[i];
		const struct patch *x = p->fields[i];

		if (x != NULL && x->kind == PATCH_CHANGE)
			splice_add(&all, a, (size_t)(f->body.ptr - head.ptr),
			    f->body.len, x->text);
		else if (x != NULL)
			splice_add(&all, a, (size_t)(f->raw.ptr - head.ptr),
			    f->raw.len, SLICE(""));
	}
	for (const struct patch *x = p->first; x != NULL; x = x->next)
		if (x->kind == PATCH_HEAD)
			splice_add(&all, a, x->off, x->len, x->text);
	add_fields(&all, p, a, PATCH_APPEND, head.len, false);
	return all;
}

static size_t
size_after(const struct splices *s, struct slice old)
{
	size_t size = old.len;

	for (size_t i = 0; i < s->n; i++)
		size = size - s->list[i].len + s->list[i].text.len;
	return size;
}

/* Sizes are of fields and bodies as they are: nothing is built for them. */
static size_t
head_size(const struct patches *p)
{
	size_t size = p->msg->head.len;

	for (const struct patch *x = p->first; x != NULL; x = x->next) {
		if (x->kind == PATCH_INSERT || x->kind == PATCH_APPEND)
			size += x->name.len + x->text.len + 3;
		else if (x->kind == PATCH_CHANGE)
			size += x->text.len -
			    p->msg->fields[x->index].body.len;
		else if (x->kind == PATCH_DELETE)
			size -= p->msg->fields[x->index].raw.len;
		else if (x->kind == PATCH_HEAD)
			size += x->text.len - x->len;
	}
	return size;
}

size_t
patches_body_size(const struct patches *p)
{
	size_t size = p->msg->body.len;

	for (struct patch *x = p->ranges.first; x != NULL; x = x->above) {
		const struct splices *s;

		if (x->kind == PATCH_BODY) {
			size += x->text.len - x->len;
			continue;
		}
		s = part_splices(p, x->edits, x->off);
		for (size_t i = 0; i < s->n; i++)
			size += s->list[i].text.len - s->list[i].len;
	}
	return size;
}

size_t
patches_size(const struct patches *p)
{
	return head_size(p) + 2 + patches_body_size(p);
}

static char *
put(char *to, struct slice s)
{
	if (s.len > 0)
		memcpy(to, s.ptr, s.len);
	return to + s.len;
}

/* place has room for size_after() bytes. */
static struct slice
spliced(char *place, const struct splices *s, struct slice old)
{
	char *to = place;
	size_t at = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct splice *x = &s->list[i];

		to = put(to, slice_sub(old, at, x->off - at));
		to = put(to, x->text);
		at = x->off + x->len;
	}
	to = put(to, slice_after(old, at));
	return slice_make(place, (size_t)(to - place));
}

void
patches_apply_into(const struct patches *p, struct arena *a, char *place,
    struct slice *head_r, struct slice *body_r)
{
	struct splices s;

	*head_r = p->msg->head;
	*body_r = p->msg->body;
	if (p->head) {
		s = head_splices(p, a);
		*head_r = spliced(arena_alloc(a, size_after(&s, *head_r)),
		    &s, *head_r);
	}
	if (p->body) {
		s = body_splices(p, a);
		*body_r = spliced(place, &s, *body_r);
	}
}

void
patches_apply(const struct patches *p, struct arena *a, struct slice *head_r,
    struct slice *body_r)
{
	char *place = p->body ? arena_alloc(a, patches_body_size(p)) : NULL;

	patches_apply_into(p, a, place, head_r, body_r);
}

static void
undo_splices(struct patches *undo, enum patch_kind kind,
    const struct splices *s, struct slice old)
{
	size_t grown = 0;		/* wraps where it shrinks */

	for (size_t i = 0; i < s->n; i++) {
		const struct splice *x = &s->list[i];
		struct patch *new = patch_new(undo, kind,
		    slice_sub(old, x->off, x->len));

		new->off = x->off + grown;
		new->len = x->text.len;
		grown += x->text.len - x->len;
		if (kind == PATCH_BODY)
			range_add(&undo->ranges, undo->ranges.finger, new);
		patch_link(undo, new);
	}
}

void
patches_undo(const struct patches *p, struct patches *undo_r, struct arena *a,
    const struct message *edited)
{
	struct splices s;

	patches_init(undo_r, a, edited);
	s = head_splices(p, a);
	undo_splices(undo_r, PATCH_HEAD, &s, p->msg->head);
	s = body_splices(p, a);
	undo_splices(undo_r, PATCH_BODY, &s, p->msg->body);
}
