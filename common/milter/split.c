/* What the passes of a message that is split mean to a session (split.h). */
#include "milter/split.h"

#include <string.h>

#include "milter/forms.h"
#include "milter/release.h"

enum { EDITS = EDITS_HEADERS | EDITS_BODY | EDITS_ENVELOPE };

bool
split_listener(const struct session *s)
{
	return s->set->key.len > 0 && slice_eq(s->client.daemon_name,
	    SLICE(SPLIT_DAEMON));
}

bool
split_first(const struct session *s)
{
	return s->seal.split && s->seal.pass == 1;
}

unsigned
split_pass(const struct session *s)
{
	return s->seal.split || s->seal.pass == 2 ? s->seal.pass : 0;
}

bool
split_open(struct session *s, struct patches *edits, bool sealed)
{
	bool wanted = !sealed && split_listener(s), found = false;

	for (size_t i = 0; i < s->msg->nfields; i++) {
		const struct field *f = &s->msg->fields[i];
		struct seal seal;

		if (!slice_eq_nocase(f->name, SLICE(SPLIT_FIELD)))
			continue;
		patch_delete(edits, i);
		if (!wanted || found || split_read(f->body, 2, SLICE_NONE,
		    &s->set->key, s->arena, &seal) != RC_OK)
			continue;
		seal.queue_id = s->envelope.queue_id;
		course_adopt(s, &seal);
		found = true;
	}
	return found;
}

static const char unreadable[] = "the recipients' settings cannot be read";

static struct slice *
addresses(struct session *s, size_t *n_r)
{
	const struct envelope *e = &s->envelope;
	struct slice *to = arena_array(s->arena, e->nrecipients + 1,
	    sizeof *to);

	*n_r = 0;
	for (size_t i = 0; i < e->nrecipients; i++)
		if (!slice_eq(e->recipients[i].mailer, SLICE("error")))
			to[(*n_r)++] = e->recipients[i].address;
	return to;
}

const char *
split_second(struct session *s)
{
	const struct forms *forms = &s->set->forms;
	bool same = true;
	size_t n;
	struct slice *to = addresses(s, &n);

	if (forms->form != NULL && forms_same(forms, s->arena, to, n, &same) !=
	    RC_OK)
		return unreadable;
	return same ? NULL : "a copy for recipients who need different forms "
	    "by now; the splitter sorts them anew";
}

const char *
split_begin(struct session *s)
{
	bool several = false;
	struct slice *to;
	size_t n;

	/* Of outbound mail the sender is the subject of policy. And what
	 * nobody may read nobody edits. */
	if (s->set->forms.form == NULL || s->set->key.len == 0 ||
	    s->host->dry || s->seal.pass != 1 || s->seal.direction == DIRECTION_OUT ||
	    release_unread(s))
		return NULL;
	to = addresses(s, &n);
	if (forms_differ(&s->set->forms, s->arena, to, n, &several) != RC_OK)
		return unreadable;
	s->seal.split = several;
	return NULL;
}

/* Who is added is added now, so that he is once, in all; the splitter gives him
 * a copy of his own form. */
static struct plan_address *
only_added(struct plan_address *all)
{
	struct plan_address *first = NULL, **last = &first;

	for (; all != NULL; all = all->next) {
		if (all->removed.ptr != NULL)
			continue;
		*last = all;
		last = &all->next;
	}
	*last = NULL;
	return first;
}

void
split_aside(const struct session *s, struct plan *plan)
{
	patches_init(&plan->edits, s->arena, s->msg);
	plan->sender = SLICE_NONE;
	plan->route = SLICE_NONE;
	plan->addresses = only_added(plan->addresses);
	plan->files = NULL;		/* their links are edits */
}

bool
split_passed(const struct session *s, size_t instance)
{
	return s->seal.pass == 2 &&
	    !(s->set->instances[instance].needs & EDITS);
}

/* --- verdicts of the second pass --------------------------------------- */

/* The first pass has said 250: to refuse now would be a bounce to a sender
 * who may be forged. */
static void
soften(struct session *s, struct verdict *v)
{
	if (v->action == REJECT) {
		v->action = s->set->house.split_reject == SPLIT_DISCARD ?
		    DISCARD : QUARANTINE;
		if (v->cause == CAUSE_NONE)
			v->cause = CAUSE_POLICY;
	}
	if (v->action == QUARANTINE && s->seal.let_go) {
		v->reason = arena_printf(s->arena, "taken off hold; else %s: "
		    "%.*s", v->rule, SLICE_ARG(v->reason));
		v->action = ACCEPT;
		v->rule = "released";
		v->cause = CAUSE_NONE;
	}
}

void
split_softly(struct session *s, struct plan *plan)
{
	if (s->seal.pass != 2)
		return;
	soften(s, &plan->all);
	for (struct plan_recipient *r = plan->recipients; r != NULL;
	    r = r->next)
		soften(s, &r->verdict);
}

bool
split_close(struct session *s, struct patches *edits)
{
	struct slice body;

	return split_write(&s->seal, &s->set->key, s->arena, &body) ==
	    RC_OK && patch_insert(edits, SLICE(SPLIT_FIELD), body);
}
