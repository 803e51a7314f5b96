#include "tools/told.h"

#include "tools/diff.h"
#include "tools/verb.h"

static void
take_verdict(struct arena *a, struct told_verdict *to,
    const struct verdict *from)
{
	to->address = SLICE_NONE;
	to->verdict = action_name(from->action);
	to->rule = from->rule;
	to->cause = from->action == QUARANTINE || from->action == DISCARD ?
	    cause_name(from->cause) : NULL;
	to->reason = arena_copy(a, from->reason);
	to->scope = from->scope.len > 0 ? arena_copy(a, from->scope) :
	    SLICE("");
}

static void
take_recipients(struct arena *a, struct told *t, const struct report *r)
{
	const struct envelope *e = r->job->envelope;

	if (r->each == NULL)
		return;
	t->recipients = arena_array(a, e->nrecipients + 1,
	    sizeof *t->recipients);
	for (; t->nrecipients < e->nrecipients; t->nrecipients++) {
		struct told_verdict *v = &t->recipients[t->nrecipients];

		take_verdict(a, v, &r->each[t->nrecipients]);
		v->address = arena_copy(a,
		    e->recipients[t->nrecipients].address);
	}
}

static void
take_edit(struct arena *a, struct told_edit **last, const struct patches *p,
    const struct patch *patch)
{
	static const char *const what[] = {
		[PATCH_INSERT] = "insert", [PATCH_APPEND] = "append",
		[PATCH_CHANGE] = "change", [PATCH_DELETE] = "delete",
	};
	struct told_edit *e = arena_alloc(a, sizeof *e);
	bool old = patch->kind == PATCH_CHANGE || patch->kind == PATCH_DELETE;

	e->what = what[patch->kind];
	e->name = arena_copy(a, old ? p->msg->fields[patch->index].name :
	    patch->name);
	e->before = old ? arena_copy(a, slice_trim(
	    p->msg->fields[patch->index].body)) : SLICE_NONE;
	e->after = patch->kind == PATCH_DELETE ? SLICE_NONE :
	    arena_copy(a, slice_trim(patch->text));
	*last = e;
}

static void
take_edits(struct arena *a, struct told *t, const struct patches *p)
{
	struct told_edit **last = &t->edits;
	struct slice head, body;
	struct buf diff = buf_in(a);

	for (const struct patch *patch = p->first; patch != NULL;
	    patch = patch->next) {
		if (patch->kind == PATCH_BODY)
			continue;
		take_edit(a, last, p, patch);
		last = &(*last)->next;
	}
	t->body_diff = SLICE("");
	if (!p->body)
		return;
	patches_apply(p, a, &head, &body);
	diff_lines(&diff, a, p->msg->body, body);
	t->body_diff = buf_slice(&diff);
}

static struct told_pair *
take_pairs(struct arena *a, const struct plan_pair *from)
{
	struct told_pair *first = NULL, **last = &first;

	for (; from != NULL; from = from->next) {
		*last = arena_alloc(a, sizeof **last);
		(*last)->key = arena_str(a, slice_of(from->key));
		(*last)->value = arena_copy(a, from->value);
		last = &(*last)->next;
	}
	return first;
}

void
told_take(void *arg, const struct report *r)
{
	struct told_list *list = arg;
	struct told *t = arena_alloc(list->a, sizeof *t);

	list->direction = r->job->direction;
	t->milter = r->job->filter;
	take_verdict(list->a, &t->all, r->applied);
	take_recipients(list->a, t, r);
	t->coverage = arena_copy(list->a, r->plan->coverage);
	t->us = r->us;
	take_edits(list->a, t, &r->plan->edits);
	t->facts = take_pairs(list->a, r->plan->facts);
	t->findings = take_pairs(list->a, r->plan->findings);
	*list->last = t;
	list->last = &t->next;
}

static void
put_verdict(struct json *w, const struct told_verdict *v)
{
	json_put(w, "verdict", slice_of(v->verdict));
	json_put(w, "rule", slice_of(v->rule));
	if (v->cause != NULL)
		json_put(w, "cause", slice_of(v->cause));
	json_put(w, "reason", v->reason);
	if (v->scope.len > 0)
		json_put(w, "scope", v->scope);
}

static void
put_optional(struct json *w, const char *key, struct slice value)
{
	json_key(w, key);
	if (value.ptr != NULL)
		json_text(w, value);
	else
		json_nil(w);
}

static void
put_edits(struct json *w, const struct told *t, bool applied)
{
	json_key(w, "headers");
	json_begin_array(w);
	for (const struct told_edit *e = applied ? t->edits : NULL; e != NULL;
	    e = e->next) {
		json_begin_object(w);
		json_put(w, "change", slice_of(e->what));
		json_put(w, "name", e->name);
		put_optional(w, "before", e->before);
		put_optional(w, "after", e->after);
		json_end(w);
	}
	json_end(w);
	json_put(w, "body_diff", applied ? t->body_diff : SLICE(""));
}

static void
put_pairs(struct json *w, const char *key, const struct told_pair *p)
{
	json_key(w, key);
	json_begin_object(w);
	for (; p != NULL; p = p->next)
		json_put(w, p->key, p->value);
	json_end(w);
}

void
told_json(struct json *w, const struct told *t, bool applied)
{
	json_begin_object(w);
	json_put(w, "milter", slice_of(t->milter));
	put_verdict(w, &t->all);
	json_put(w, "coverage", t->coverage);
	json_put_int(w, "ms", t->us / 1000);
	json_put_int(w, "us", t->us);
	json_key(w, "recipients");
	json_begin_array(w);
	for (size_t i = 0; i < t->nrecipients; i++) {
		json_begin_object(w);
		json_put(w, "address", t->recipients[i].address);
		put_verdict(w, &t->recipients[i]);
		json_end(w);
	}
	json_end(w);
	put_edits(w, t, applied);
	put_pairs(w, "facts", t->facts);
	put_pairs(w, "findings", t->findings);
	json_end(w);
}

static void
text_line(struct buf *out, struct arena *a, const char *label,
    struct slice value)
{
	struct slice rest = verb_safe(a, value), line;

	while (slice_line(&rest, &line)) {
		buf_addf(out, "  %-10s ", label);
		buf_add(out, line);
		buf_addc(out, '\n');
		label = "";
	}
}

static void
text_edit(struct buf *out, struct arena *a, const struct told_edit *e)
{
	buf_addf(out, "  %-10s ", e->what);
	buf_add(out, verb_safe(a, e->name));
	buf_addc(out, '\n');
	if (e->before.ptr != NULL)
		text_line(out, a, "", arena_printf(a, "- %.*s",
		    SLICE_ARG(e->before)));
	if (e->after.ptr != NULL)
		text_line(out, a, "", arena_printf(a, "+ %.*s",
		    SLICE_ARG(e->after)));
}

static struct slice
recipient_text(struct arena *a, const struct told_verdict *v)
{
	return arena_printf(a, "<%.*s> %s%s%s (%s): %.*s%s%.*s",
	    SLICE_ARG(v->address), v->verdict, v->cause != NULL ? ", " : "",
	    v->cause != NULL ? v->cause : "", v->rule, SLICE_ARG(v->reason),
	    v->scope.len > 0 ? "; set by " : "", SLICE_ARG(v->scope));
}

void
told_text(struct buf *out, struct arena *a, const struct told *t, bool applied)
{
	buf_addf(out, "%s: %s (%s), %.1f ms\n", t->milter, t->all.verdict,
	    t->all.rule, (double)t->us / 1000);
	if (t->all.cause != NULL)
		text_line(out, a, "cause", slice_of(t->all.cause));
	text_line(out, a, "reason", t->all.reason);
	if (t->all.scope.len > 0)
		text_line(out, a, "set by", t->all.scope);
	text_line(out, a, "coverage", t->coverage);
	for (size_t i = 0; i < t->nrecipients; i++)
		text_line(out, a, "for", recipient_text(a,
		    &t->recipients[i]));
	for (const struct told_edit *e = applied ? t->edits : NULL; e != NULL;
	    e = e->next)
		text_edit(out, a, e);
	if (applied && t->body_diff.len > 0) {
		buf_adds(out, "  body\n");
		buf_add(out, t->body_diff);
	}
}
