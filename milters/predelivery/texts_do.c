#include "disclaimer.h"
#include "external.h"
#include "shared.h"

/* ---- values ---- */

struct person {
	const struct job *job;
	const struct policy_who *who;
};

static struct slice
value(const void *arg, const char *name)
{
	const struct person *s = arg;
	struct slice text = SLICE_NONE;

	if (s->who != NULL)
		text = policy_attribute(s->job->policy, s->who, name);
	if (text.ptr == NULL && s->who != NULL &&
	    slice_eq(slice_of(name), SLICE("address")))
		text = s->who->address;
	return text;
}

/* What came of each, for journal and `gatehouse explain`. */
static void
say(struct buf *said, struct slice name, const char *what)
{
	buf_addf(said, "%s%.*s=%s", said->len > 0 ? " " : "",
	    SLICE_ARG(name), what);
}

static void
add(struct work *w, struct buf *said, struct slice name,
    enum disclaimer_place place, bool once)
{
	const struct predelivery_shared *shared = w->job->shared;
	const struct texts *t = &w->seen->texts;
	struct person person = { w->job, t->sender != NULL ? &t->who : NULL };
	struct disclaimer_values values = { value, &person };
	const struct disclaimer *d = disclaimers_find(shared->disclaimers,
	    name);

	/* One that a compiled policy names and the folder does not have. */
	say(said, name, d == NULL ? "unknown" :
	    disclaimer_done_name(disclaimer_add(&w->plan->edits, w->job->msg,
	    d, place, once, &values)));
}

enum step
disclaimer_step(struct work *w)
{
	const struct predelivery_conf *own = w->seen->texts.sender;
	struct buf said = buf_in(w->job->arena);
	enum disclaimer_place place;

	if (own == NULL)
		own = w->conf;
	place = (enum disclaimer_place)own->disclaimer_place;
	for (size_t i = 0; w->seen->texts.sender != NULL &&
	    i < own->disclaimers.count; i++)
		add(w, &said, own->disclaimers.items[i], place,
		    own->disclaimer_once);
	for (const struct wish *x = w->disclaimers; x != NULL; x = x->next)
		add(w, &said, x->name, place, own->disclaimer_once);
	if (said.len > 0)
		plan_fact(w->plan, "gatehouse.disclaimer", buf_slice(&said));
	return STEP_ON;
}

/* ---- mail from outside ---- */

static void
mark_from(struct work *w, struct slice mark, struct buf *said)
{
	const struct message *msg = w->job->msg;
	bool done = false, refused = false;

	for (size_t i = 0; i < msg->nfields; i++) {
		struct slice body;

		if (!slice_eq_nocase(msg->fields[i].name, SLICE("from")))
			continue;
		body = external_from(w->job->arena, msg->fields[i].body, mark);
		if (body.ptr == NULL)
			continue;
		if (patch_change(&w->plan->edits, i, body))
			done = true;
		else
			refused = true;
	}
	if (done || refused)
		say(said, SLICE("From"), refused ? "refused" : "marked");
}

enum step
external_step(struct work *w)
{
	const struct texts *t = &w->seen->texts;
	struct buf said = buf_in(w->job->arena);
	struct wish *tag;

	if (t->mark.ptr != NULL)
		mark_from(w, t->mark, &said);
	if (t->banner.ptr != NULL)
		add(w, &said, t->banner, DISCLAIMER_TOP, true);
	if (t->subject.ptr != NULL) {
		/* Before what rules put there. */
		tag = arena_alloc(w->job->arena, sizeof *tag);
		tag->name = t->subject;
		tag->next = w->tags;
		w->tags = tag;
		say(&said, SLICE("Subject"), "tagged");
	}
	if (said.len > 0)
		plan_fact(w->plan, "gatehouse.external", buf_slice(&said));
	return STEP_ON;
}
