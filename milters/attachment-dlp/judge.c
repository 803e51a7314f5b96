#include "judge.h"

#include <string.h>

#include "remove.h"
#include "term.h"

static const char *const in_names[LISTS] = { "allow", "remove", "quarantine",
    "discard", "reject" };
static const char *const out_names[LISTS] = { "allow_outbound",
    "remove_outbound", "quarantine_outbound", "discard_outbound",
    "reject_outbound" };
static const char *const rules[LISTS] = { NULL, "attachment-removed",
    "attachment-held", "attachment-discarded", "attachment-refused" };

/* ---- lists ---- */

struct list {
	struct term *terms;
	size_t n;
};

static enum rc
compile(const struct conf_list *from, const char *name, struct arena *a,
    struct list *list_r, struct slice *why_r)
{
	struct slice why = SLICE("");

	list_r->n = from->count;
	list_r->terms = arena_array(a, from->count + 1, sizeof (struct term));
	for (size_t i = 0; i < from->count; i++)
		if (term_parse(from->items[i], &list_r->terms[i], a, &why) !=
		    RC_OK) {
			*why_r = arena_printf(a, "%s: %.*s", name,
			    SLICE_ARG(why));
			return RC_BAD;
		}
	return RC_OK;
}

static enum rc
compile_all(const struct conf_list from[LISTS], const char *const *names,
    struct arena *a, struct list to[LISTS], struct slice *why_r)
{
	for (size_t i = 0; i < LISTS; i++)
		if (compile(&from[i], names[i], a, &to[i], why_r) != RC_OK)
			return RC_BAD;
	/* Bytes made for libmagic must not open what is closed. */
	for (size_t i = 0; i < to[LIST_ALLOW].n; i++)
		to[LIST_ALLOW].terms[i].ours_only = true;
	return RC_OK;
}

enum rc
attachment_lists(const struct attachment_conf *conf, struct arena *a,
    struct slice *why_r)
{
	struct list lists[LISTS];

	return compile_all(conf->in, in_names, a, lists, why_r) == RC_OK ?
	    compile_all(conf->out, out_names, a, lists, why_r) : RC_BAD;
}

static const struct term *
first_of(const struct list *list, const struct item *item)
{
	for (size_t i = 0; i < list->n; i++)
		if (term_holds(&list->terms[i], item))
			return &list->terms[i];
	return NULL;
}

/* ---- one recipient ---- */

struct judging {
	const struct job *job;
	struct attachment_answers *seen;
	struct arena *a;
	struct list lists[LISTS];
	const char *const *names;
	bool inbound;
	struct attachment_removal *removals, **last;	/* his */
};

static void
want_gone(struct judging *j, const struct item *item, const struct term *term)
{
	struct attachment_removal *r;

	for (r = j->removals; r != NULL; r = r->next)
		if (r->part == item->part)
			return;
	r = arena_alloc(j->a, sizeof *r);
	r->part = item->part;
	r->item = item;
	r->term = term->text;
	*j->last = r;
	j->last = &r->next;
}

static void
set_verdict(struct judging *j, struct attachment_verdict *v,
    enum attachment_list which, const struct item *item,
    const struct term *term)
{
	if ((int)which <= (int)v->action)
		return;
	*v = (struct attachment_verdict){ .action = (enum attachment_action)
	    which, .item = item, .term = term->text, .rule = rules[which],
	    .option = j->names[which] };
	v->reason = arena_printf(j->a, "%.*s: %.*s is in %s",
	    SLICE_ARG(item->path), SLICE_ARG(term->text), v->option);
}

static void
look_at(struct judging *j, struct attachment_verdict *v,
    const struct item *item)
{
	const struct term *term;

	if (item->text || first_of(&j->lists[LIST_ALLOW], item) != NULL)
		return;
	for (int which = LISTS - 1; which > LIST_ALLOW; which--) {
		term = first_of(&j->lists[which], item);
		if (term == NULL)
			continue;
		set_verdict(j, v, (enum attachment_list)which, item, term);
		if (which == LIST_REMOVE)
			want_gone(j, item, term);
	}
}

/* Each part has to be one that can go. */
static void
find_targets(struct judging *j, const struct attachment_conf *conf,
    struct attachment_verdict *v)
{
	for (struct attachment_removal *r = j->removals; r != NULL;
	    r = r->next) {
		const char *why = "";
		const struct part *target = remove_target(j->job->msg, r->part,
		    &why);

		if (target != NULL) {
			r->part = target;
			continue;
		}
		v->action = conf->unremovable == UNREMOVABLE_REJECT ?
		    ATTACHMENT_REJECT : ATTACHMENT_QUARANTINE;
		v->rule = "attachment-unremovable";
		v->option = "unremovable";
		v->item = r->item;
		v->reason = arena_printf(j->a, "%.*s cannot be removed: %s",
		    SLICE_ARG(r->item->path), why);
		return;
	}
}

static bool
within(const struct part *p, const struct part *of)
{
	for (; p != NULL; p = p->parent)
		if (p == of)
			return true;
	return false;
}

/* What is in a part that goes anyway needs no patch of its own. */
static void
merge(struct judging *j)
{
	for (struct attachment_removal *r = j->removals, *next; r != NULL;
	    r = next) {
		struct attachment_removal **at = &j->seen->removals;
		bool in = false;

		next = r->next;
		while (*at != NULL) {
			in = in || within(r->part, (*at)->part);
			if (!in && within((*at)->part, r->part))
				*at = (*at)->next;
			else
				at = &(*at)->next;
		}
		if (in)
			continue;
		r->next = NULL;
		*at = r;
	}
}

const struct attachment_conf *
attachment_settings(const struct job *job, const struct attachment_answers *seen,
    size_t i, bool *inbound_r)
{
	*inbound_r = job->direction != DIRECTION_OUT || !seen->of[i].external;
	return *inbound_r ? &seen->of[i].conf : &seen->sender.conf;
}

static bool
counts(const struct recipient *r)
{
	return !slice_eq(r->mailer, SLICE("error"));
}

static bool
is_copy_mailbox(const struct judging *j, size_t i,
    const struct attachment_conf *conf)
{
	const struct attachment_conf *all = j->job->conf;
	struct slice address = j->job->envelope->recipients[i].address;

	return address.len > 0 &&
	    (slice_eq_nocase(address, slice_of(conf->copy_to)) ||
	    slice_eq_nocase(address, slice_of(all->copy_to)));
}

/* Somebody before him with the same lists, whose verdict is his. */
static bool
same_as_before(struct judging *j, size_t i)
{
	bool inbound, before;
	const struct attachment_conf *conf = attachment_settings(j->job, j->seen, i,
	    &inbound), *other;

	for (size_t k = 0; k < i; k++) {
		other = attachment_settings(j->job, j->seen, k, &before);
		if (!counts(&j->job->envelope->recipients[k]) ||
		    before != inbound ||
		    conf->unremovable != other->unremovable ||
		    is_copy_mailbox(j, k, other) ||
		    memcmp(inbound ? conf->in : conf->out, inbound ?
		    other->in : other->out, sizeof conf->in) != 0)
			continue;
		j->seen->of[i].verdict = j->seen->of[k].verdict;
		return true;
	}
	return false;
}

static enum rc
judge_one(struct judging *j, size_t i, struct slice *why_r)
{
	struct attachment_verdict *v = &j->seen->of[i].verdict;
	const struct attachment_conf *conf = attachment_settings(j->job, j->seen, i,
	    &j->inbound);

	if (is_copy_mailbox(j, i, conf) || same_as_before(j, i))
		return RC_OK;
	j->names = j->inbound ? in_names : out_names;
	j->removals = NULL;
	j->last = &j->removals;
	if (compile_all(j->inbound ? conf->in : conf->out, j->names, j->a,
	    j->lists, why_r) != RC_OK)
		return RC_RETRY;
	for (const struct item *item = j->seen->items.first; item != NULL;
	    item = item->next)
		look_at(j, v, item);
	if (v->action == ATTACHMENT_REMOVE)
		find_targets(j, conf, v);
	if (v->action == ATTACHMENT_REMOVE)
		merge(j);
	return RC_OK;
}

/* ---- all of them ---- */

/* Whose template: of the first for whom something is removed. */
static enum rc
write_note(struct judging *j, struct slice *why_r)
{
	bool inbound;

	if (j->seen->removals == NULL)
		return RC_OK;
	for (size_t i = 0; i < j->job->envelope->nrecipients; i++)
		if (j->seen->of[i].verdict.action == ATTACHMENT_REMOVE)
			return note_write(j->job->view, attachment_settings(j->job,
			    j->seen, i, &inbound)->note, j->job,
			    j->seen->removals, &j->seen->note, why_r);
	return RC_OK;
}

enum rc
attachment_judge(const struct job *job, struct attachment_answers *seen,
    struct slice *why_r)
{
	struct judging j = { .job = job, .seen = seen, .a = job->arena };

	for (size_t i = 0; i < job->envelope->nrecipients; i++)
		if (counts(&job->envelope->recipients[i]) &&
		    judge_one(&j, i, why_r) != RC_OK)
			return RC_RETRY;
	return write_note(&j, why_r);
}

size_t
attachment_copies(const struct job *job, const struct attachment_answers *seen,
    struct slice *out, size_t max)
{
	size_t n = 0;
	bool inbound;

	for (size_t i = 0; i < job->envelope->nrecipients; i++) {
		struct slice to = slice_of(attachment_settings(job, seen, i,
		    &inbound)->copy_to);
		size_t k = 0;

		if (seen->of[i].verdict.action != ATTACHMENT_REMOVE ||
		    to.len == 0)
			continue;
		while (k < n && !slice_eq_nocase(out[k], to))
			k++;
		if (k == n && n < max)
			out[n++] = to;
	}
	return n;
}

/* ---- the plan ---- */

static struct verdict
verdict_of(const struct work *w, size_t i)
{
	const struct attachment_whose *of = &w->seen->of[i];
	const struct attachment_verdict *v = &of->verdict;
	bool inbound;
	struct verdict out = { .action = ACCEPT, .rule = v->rule,
	    .reason = v->reason, .reply = SLICE("") };

	attachment_settings(w->job, w->seen, i, &inbound);
	out.scope = job_decided(w->job, inbound ? &of->who :
	    &w->seen->sender.who, v->option, w->conf->scopes);
	if (v->action >= ATTACHMENT_QUARANTINE)
		out.cause = CAUSE_ATTACHMENT;
	if (v->action == ATTACHMENT_QUARANTINE)
		out.action = QUARANTINE;
	if (v->action == ATTACHMENT_DISCARD)
		out.action = DISCARD;
	if (v->action != ATTACHMENT_REJECT)
		return out;
	out.action = REJECT;
	out.reply = arena_printf(w->plan->arena, "5.7.1 message refused: the "
	    "attachment %.*s is not allowed", SLICE_ARG(slice_sub(v->item->path,
	    0, 100)));
	return out;
}

static void
tell(struct work *w, const struct attachment_verdict *v)
{
	plan_fact(w->plan, "gatehouse.attachment.name", v->item->path);
	plan_fact(w->plan, "gatehouse.attachment.type",
	    slice_of(v->item->identity.is->name));
	plan_fact(w->plan, "gatehouse.attachment.class",
	    identify_classes(w->plan->arena, v->item->identity.classes));
	plan_finding(w->plan, "attachment", slice_after(slice_of(v->rule),
	    sizeof "attachment-" - 1));
}

/* The verdict of him whom the log line tells of: the strongest one. */
static const struct attachment_verdict *
strongest(const struct work *w)
{
	const struct attachment_verdict *v = NULL;

	for (size_t i = 0; i < w->job->envelope->nrecipients; i++)
		if (w->seen->of[i].verdict.rule != NULL && (v == NULL ||
		    w->seen->of[i].verdict.action > v->action))
			v = &w->seen->of[i].verdict;
	return v;
}

static bool
same_verdict(const struct verdict *a, const struct verdict *b)
{
	return a->action == b->action && slice_eq(a->reason, b->reason) &&
	    slice_eq(a->scope, b->scope);
}

/* For all what is the first one's who gets it, or else the first one's; for
 * each who differs, his own. Does anybody get it? */
static bool
set_verdicts(struct work *w)
{
	const struct envelope *e = w->job->envelope;
	struct verdict *each = arena_array(w->plan->arena, e->nrecipients + 1,
	    sizeof *each);
	const struct verdict *all = NULL;

	for (size_t i = 0; i < e->nrecipients; i++) {
		if (!counts(&e->recipients[i]))
			continue;
		each[i] = w->seen->of[i].verdict.rule != NULL ?
		    verdict_of(w, i) : w->plan->all;
		if (all == NULL || (all->action != ACCEPT &&
		    each[i].action == ACCEPT))
			all = &each[i];
	}
	if (all == NULL)
		return false;
	w->plan->all = *all;
	for (size_t i = 0; i < e->nrecipients; i++)
		if (counts(&e->recipients[i]) && !same_verdict(&each[i], all))
			*plan_recipient(w->plan, i) = each[i];
	return all->action == ACCEPT;
}

enum step
step_attachment(struct work *w)
{
	unsigned n = 0;

	plan_coverage(w->plan, arena_printf(w->plan->arena, "%u items%s",
	    w->seen->items.count, w->seen->items.lack != NULL ?
	    ", not all of them whole" : ""));
	if (strongest(w) == NULL)
		return STEP_ON;
	tell(w, strongest(w));
	if (!set_verdicts(w))
		return STEP_DONE;
	for (const struct attachment_removal *r = w->seen->removals; r != NULL;
	    r = r->next, n++)
		if (!remove_part(&w->plan->edits, w->job->msg, r->part,
		    w->seen->note)) {
			w->plan = plan_for_trouble(w->plan->arena, w->job->msg,
			    arena_printf(w->plan->arena, "%.*s could not be "
			    "removed", SLICE_ARG(r->item->path)));
			return STEP_DONE;
		}
	if (n > 0)
		plan_fact(w->plan, "gatehouse.attachment.removed",
		    arena_printf(w->plan->arena, "%u", n));
	return STEP_ON;
}
