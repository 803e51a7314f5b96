#include "milter/apply.h"

#include <stdlib.h>

/* Its place among the fields of the same name, counted from 1. */
static unsigned
place_of(const struct message *msg, size_t index)
{
	unsigned n = 1;

	for (size_t i = 0; i < index; i++)
		if (slice_eq_nocase(msg->fields[i].name,
		    msg->fields[index].name))
			n++;
	return n;
}

static int
by_index_down(const void *a, const void *b)
{
	const struct patch *const *x = a, *const *y = b;

	return (*x)->index < (*y)->index ? 1 : (*x)->index > (*y)->index ? -1 :
	    0;
}

static bool
change_fields(const struct patches *edits, struct arena *a,
    const struct engine_ops *ops, void *ctx)
{
	const struct patch **sorted =
	    arena_array(a, edits->count, sizeof *sorted);
	size_t n = 0;

	for (const struct patch *p = edits->first; p != NULL; p = p->next)
		if (p->kind == PATCH_CHANGE || p->kind == PATCH_DELETE)
			sorted[n++] = p;
	qsort(sorted, n, sizeof *sorted, by_index_down);
	for (size_t i = 0; i < n; i++) {
		const struct patch *p = sorted[i];
		struct slice body = p->kind == PATCH_DELETE ? SLICE_NONE :
		    p->text;

		if (!ops->change_field(ctx, arena_str(a,
		    edits->msg->fields[p->index].name),
		    place_of(edits->msg, p->index), body))
			return false;
	}
	return true;
}

static bool
add_fields(const struct patches *edits, struct arena *a,
    const struct engine_ops *ops, void *ctx)
{
	for (const struct patch *p = edits->first; p != NULL; p = p->next) {
		const char *name;

		if (p->kind != PATCH_INSERT && p->kind != PATCH_APPEND)
			continue;
		name = arena_str(a, p->name);
		if (!(p->kind == PATCH_INSERT ? ops->insert_field :
		    ops->append_field)(ctx, name, p->text))
			return false;
	}
	return true;
}

static bool
change_envelope(const struct step *step, struct arena *a,
    const struct engine_ops *ops, void *ctx)
{
	if (step->sender.ptr != NULL &&
	    !ops->change_sender(ctx, arena_str(a, step->sender)))
		return false;
	/* All removals first: Postfix removes every recipient of that address,
	 * and one that another rewriting has just brought would go too. */
	for (const struct plan_address *p = step->addresses; p != NULL;
	    p = p->next)
		if (p->removed.ptr != NULL &&
		    !ops->remove_recipient(ctx, arena_str(a, p->removed)))
			return false;
	for (const struct plan_address *p = step->addresses; p != NULL;
	    p = p->next)
		if (p->added.ptr != NULL && !ops->add_recipient(ctx,
		    arena_str(a, p->added), p->quiet))
			return false;
	return true;
}

/*
 * A field that milter_header_checks turns into FILTER, and that goes again at
 * once: Postfix has noted the filter, and nobody sees the field. Of several of
 * that name the first is ours, for it was put on top.
 */
static bool
change_route(const struct step *step, struct arena *a,
    const struct engine_ops *ops, void *ctx)
{
	if (step->route.ptr == NULL)
		return true;
	return ops->insert_field(ctx, ROUTE_FIELD, arena_printf(a, " %.*s",
	    SLICE_ARG(step->route))) &&
	    ops->change_field(ctx, ROUTE_FIELD, 1, SLICE_NONE);
}

bool
apply_edits(const struct step *steps, const struct message *result,
    bool body_changed, struct arena *a, const struct engine_ops *ops,
    void *ctx)
{
	for (const struct step *s = steps; s != NULL; s = s->next) {
		if (!change_fields(s->edits, a, ops, ctx) ||
		    !add_fields(s->edits, a, ops, ctx))
			return false;
		if (!change_envelope(s, a, ops, ctx) ||
		    !change_route(s, a, ops, ctx))
			return false;
	}
	return !body_changed || ops->replace_body(ctx, result->body);
}

enum answer
apply_answer(const struct verdict *verdict, struct arena *a,
    const struct engine_ops *ops, void *ctx)
{
	const char *enhanced, *text;
	char code[4];

	switch (verdict->action) {
	case ACCEPT:
		return ANSWER_CONTINUE;
	case DISCARD:
		return ANSWER_DISCARD;
	case QUARANTINE:
		if (ops->quarantine(ctx, arena_str(a, verdict->reason)))
			return ANSWER_CONTINUE;
		break;
	case REJECT:
		reply_split(a, verdict, code, &enhanced, &text);
		/* Without its text it is still a rejection: Postfix says
		 * 550 5.7.1 by itself. */
		ops->set_reply(ctx, code, enhanced, text);
		return ANSWER_REJECT;
	case TEMPFAIL:
		reply_split(a, verdict, code, &enhanced, &text);
		ops->set_reply(ctx, code, enhanced, text);
		return ANSWER_TEMPFAIL;
	}
	return ANSWER_TEMPFAIL;
}
