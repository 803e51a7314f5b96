#include "t/removes.h"

#include "base/buf.h"

static struct slice
whole(struct arena *a, const struct message *msg)
{
	struct buf out = buf_in(a);

	buf_add(&out, msg->head);
	buf_adds(&out, "\r\n");
	buf_add(&out, msg->body);
	return buf_slice(&out);
}

static bool
strict(const struct part *p)
{
	for (; p != NULL; p = p->parent)
		if (p->lax || p->copy)
			return false;
	return true;
}

static bool
within(const struct part *p, const struct part *of)
{
	for (; p != NULL; p = p->parent)
		if (p == of)
			return true;
	return false;
}

static const struct part *
next_strict(const struct part *root, const struct part *p)
{
	do
		p = part_next(root, p);
	while (p != NULL && !strict(p));
	return p;
}

/* Of what only a lax reader sees in a note there is no promise. */
static bool
contains(const struct part *p)
{
	const struct part *child = p->child;

	while (child != NULL && (child->lax || child->copy))
		child = child->next;
	return child != NULL;
}

/* The same parts in the same order, the removed one and what was in it as one
 * text. NULL, or what is wrong. */
static const char *
compare(struct message *old, struct message *new, const struct part *gone,
    struct slice note, struct arena *a)
{
	const struct part *oroot = message_parts(old);
	const struct part *nroot = message_parts(new), *o = oroot, *n = nroot;

	while (o != NULL && n != NULL) {
		if (o == gone) {
			struct slice is = part_decoded(n, a, 1 << 20, NULL);

			if (!part_is(n, "text", "plain") || contains(n) ||
			    slice_search(is, note) == is.len)
				return "no note in its place";
			while (o != NULL && within(o, gone))
				o = next_strict(oroot, o);
			n = next_strict(nroot, n);
			continue;
		}
		if (!within(gone, o) && (!slice_eq(o->head, n->head) ||
		    !slice_eq(o->body, n->body)))
			return "another part has changed";
		/* What was odd about it may have stood in what is gone. */
		if (o->depth != n->depth || (within(gone, o) ?
		    (n->flags & ~o->flags) != 0 : o->flags != n->flags))
			return "another part is read in another way";
		o = next_strict(oroot, o);
		n = next_strict(nroot, n);
	}
	return o == NULL && n == NULL ? NULL : "parts are missing, or more";
}

const char *
removes(struct message *msg, const struct part *p, struct slice note)
{
	struct arena *a = arena_new();
	struct slice head, body, before = whole(a, msg);
	struct patches edits, undo;
	struct message new, back;
	const char *wrong;

	patches_init(&edits, a, msg);
	if (!remove_part(&edits, msg, p, note)) {
		arena_free(a);
		return "refused";
	}
	patches_apply(&edits, a, &head, &body);
	message_read(&new, a, head, body, &message_limits_default);
	wrong = p->transfer == TRANSFER_UUENCODE && p->lax ? NULL :
	    compare(msg, &new, p,
	    slice_sub(note, 0, slice_find(note, '\n')), a);
	patches_undo(&edits, &undo, a, &new);
	patches_apply(&undo, a, &head, &body);
	message_read(&back, a, head, body, &message_limits_default);
	if (!slice_eq(whole(a, &back), before))
		wrong = "undo does not lead back";
	arena_free(a);
	return wrong;
}
