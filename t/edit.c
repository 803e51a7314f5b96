#include "t/edit.h"

#include <string.h>

#include "base/buf.h"

size_t
edit_below(struct edit_random *r, size_t below)
{
	r->state = r->state * UINT64_C(6364136223846793005) +
	    UINT64_C(1442695040888963407);
	return below > 0 ? (size_t)((r->state >> 33) % below) : 0;
}

bool
edit_undone(const struct patches *p)
{
	struct arena *a = arena_new();
	struct slice head, body;
	struct patches undo;
	struct message edited;
	bool good;

	patches_apply(p, a, &head, &body);
	good = patches_size(p) == head.len + 2 + body.len;
	message_read(&edited, a, head, body, NULL);
	patches_undo(p, &undo, a, &edited);
	good = good && patches_size(&undo) == message_size(p->msg);
	patches_apply(&undo, a, &head, &body);
	good = good && slice_eq(head, p->msg->head) &&
	    slice_eq(body, p->msg->body);
	arena_free(a);
	return good;
}

static struct slice
random_text(struct edit_random *r, struct arena *a)
{
	static const char bytes[] = "ab = -\t\r\n=\xe4.<";
	struct buf b = buf_in(a);
	size_t len = edit_below(r, 4) == 0 ? edit_below(r, 200) :
	    edit_below(r, 6);

	for (size_t i = 0; i < len; i++) {
		size_t n = edit_below(r, sizeof bytes + 3);

		if (n >= sizeof bytes)
			buf_adds(&b, "\r\n");
		else
			buf_addc(&b, bytes[n]);	/* its NUL too */
	}
	return buf_slice(&b);
}

static void
random_fields(struct edit_random *r, struct patches *p, size_t *taken)
{
	static const struct slice text[] = { { " x", 2 }, { "", 0 },
	    { " a\r\n\tb", 6 }, { "a\nb", 3 }, { "\r\n c", 4 } };

	for (size_t n = edit_below(r, 5); n > 0; n--) {
		struct slice s = text[edit_below(r, 5)];
		size_t index = edit_below(r, p->msg->nfields + 1);

		switch (edit_below(r, 4)) {
		case 0:
			*taken += patch_insert(p, SLICE("X-In"), s);
			break;
		case 1:
			*taken += patch_append(p, SLICE("X-App"), s);
			break;
		case 2:
			*taken += patch_change(p, index, s);
			break;
		default:
			*taken += patch_delete(p, index);
		}
	}
}

/* What the content of the one edited part should be now. */
struct expected {
	const struct part *part;
	size_t nth;			/* in the walk */
	struct patches edits;		/* of a message whose body it is */
	struct message content;
};

static const struct part *
nth_part(const struct part *root, size_t n)
{
	const struct part *p = root;

	while (n-- > 0 && part_next(root, p) != NULL)
		p = part_next(root, p);
	return p;
}

static void
random_part(struct edit_random *r, struct patches *p, struct arena *a,
    struct message *msg, struct expected *e, size_t *taken)
{
	const struct part *root = message_parts(msg);
	struct slice content;

	e->nth = edit_below(r, 12);
	e->part = nth_part(root, e->nth);
	content = part_decoded(e->part, a, SIZE_MAX, NULL);
	message_read(&e->content, a, SLICE(""), content, NULL);
	patches_init(&e->edits, a, &e->content);
	for (size_t n = 1 + edit_below(r, 6); n > 0; n--) {
		size_t off = edit_below(r, content.len + 1);
		size_t len = edit_below(r, 3) == 0 ? 0 : edit_below(r, 8);
		struct slice text = random_text(r, a);

		if (edit_below(r, 9) == 0)
			off = content.len;
		if (patch_part(p, e->part, off, len, text)) {
			++*taken;
			patch_body(&e->edits, off, len, text);
		}
	}
}

static void
random_ranges(struct edit_random *r, struct patches *p, struct arena *a,
    size_t *taken)
{
	size_t body = p->msg->body.len;

	for (size_t n = 1 + edit_below(r, 5); n > 0; n--)
		*taken += patch_body(p, edit_below(r, body + 1),
		    edit_below(r, 20), random_text(r, a));
}

/*
 * Are the bytes before the first and behind the last edit the same? `from`
 * and `to` bound the edits in the old body.
 */
static bool
outside_same(const struct patches *p, struct slice body, size_t from,
    size_t to)
{
	struct slice old = p->msg->body;
	size_t behind = old.len - to;

	return body.len >= from + behind &&
	    slice_eq(slice_sub(old, 0, from), slice_sub(body, 0, from)) &&
	    slice_eq(slice_after(old, to), slice_after(body,
	    body.len - behind));
}

static bool
ranges_outside(const struct patches *p, struct slice body)
{
	const struct patch *x = p->ranges.first;
	size_t from, to = 0;

	if (x == NULL)
		return slice_eq(p->msg->body, body);
	for (from = x->off; x != NULL; x = x->above)
		to = x->off + x->len;
	return outside_same(p, body, from, to);
}

/* Is the content of the part what edits of its content give? */
static bool
content_same(const struct patches *p, const struct expected *e,
    struct slice body, struct arena *a)
{
	struct slice want, got, ignored;
	size_t off = 0, grown;

	if (!part_offset(p->msg, e->part, &off) || e->edits.count == 0)
		return true;
	patches_apply(&e->edits, a, &ignored, &want);
	/* The part's place is known: nothing else of the body was edited. */
	grown = body.len - p->msg->body.len;
	got = transfer_decode(a, e->part->transfer,
	    slice_sub(body, off, e->part->body.len + grown), SIZE_MAX, NULL);
	return slice_eq(want, got);
}

const char *
edit_at_random(struct edit_random *r, struct message *msg, struct arena *a,
    size_t *taken)
{
	struct patches p;
	struct expected e = { 0 };
	struct slice head, body;

	patches_init(&p, a, msg);
	random_fields(r, &p, taken);
	if (edit_below(r, 3) == 0)
		random_ranges(r, &p, a, taken);
	else
		random_part(r, &p, a, msg, &e, taken);
	patches_apply(&p, a, &head, &body);
	if (patches_size(&p) != head.len + 2 + body.len)
		return "size is not as announced";
	if (!ranges_outside(&p, body))
		return "bytes outside have changed";
	if (e.part != NULL && !content_same(&p, &e, body, a))
		return "the content is another one";
	if (!edit_undone(&p))
		return "not undone";
	return NULL;
}
