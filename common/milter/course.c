/* From a message that has been read to its answer (session.h, invariants). */
#include <string.h>

#include "base/map.h"
#include "log/log.h"
#include "milter/files.h"
#include "milter/release.h"
#include "milter/report.h"
#include "milter/split.h"

enum { OVERHEAD = 16 * 1024 };		/* that Postfix adds in the queue file */

const struct message_limits course_limits = {
	.fields = 4000, .header_bytes = 2 << 20, .depth = 50, .parts = 1000,
};

/* What the chain says about our place: is this process the last of it? */
static bool
last_of_chain(const struct session *s)
{
	const struct house_conf *house = &s->set->house;
	const struct conf_list *list = s->seal.direction == DIRECTION_OUT ?
	    &house->outbound : &house->inbound;
	const char *mine = s->set->instances[s->set->ninstances - 1]
	    .filter->name;

	return s->set->key.len == 0 || list->count == 0 ||
	    slice_eq(list->items[list->count - 1], slice_of(mine)) ||
	    !conf_list_has(list, slice_of(mine));
}

/* The message as the step's edits leave it becomes the one that counts; false
 * when there is no room for it. `out` is NULL for a step of our own. */
static bool
take_step(struct session *s, const struct patches *edits,
    const struct outcome *out)
{
	struct step *step = arena_alloc(s->arena, sizeof *step);
	struct message *next = arena_alloc(s->arena, sizeof *next);
	struct slice head, body;
	char *place = NULL;

	if (edits->body) {
		place = gather_room(&s->gather, patches_body_size(edits));
		if (place == NULL)
			return false;
	}
	step->edits = edits;
	step->sender = out != NULL ? out->plan->sender : SLICE_NONE;
	step->route = out != NULL ? out->plan->route : SLICE_NONE;
	step->addresses = out != NULL ? out->addresses : NULL;
	*s->last_step = step;
	s->last_step = &step->next;
	if (edits->count == 0)
		return true;
	patches_apply_into(edits, s->arena, place, &head, &body);
	s->body_changed = s->body_changed || edits->body;
	message_read(next, s->arena, head, body, &course_limits);
	s->msg = next;
	return true;
}

/* --- the envelope as it is by now ---------------------------------------- */

/* Filters before this one keep the list that they saw. */
static void
own_recipients(struct session *s)
{
	struct envelope *e = &s->envelope;
	struct recipient *copy = arena_array(s->arena, s->room + 1,
	    sizeof *copy);

	if (e->nrecipients > 0)
		memcpy(copy, e->recipients, e->nrecipients * sizeof *copy);
	e->recipients = copy;
}

static void
replace_recipient(struct session *s, struct slice removed, struct slice added)
{
	struct envelope *e = &s->envelope;

	for (size_t i = 0; removed.ptr != NULL && i < e->nrecipients; i++) {
		if (slice_eq(e->recipients[i].address, removed)) {
			e->recipients[i].address = added;
			return;
		}
	}
	session_add_recipient(s, &(struct recipient){ added, SLICE("smtp"),
	    SLICE("") });
}

/* Takes out all of a run of recipients who were kept back; the first change
 * behind the run. */
static const struct plan_address *
drop_recipients(struct session *s, const struct plan_address *p)
{
	struct envelope *e = &s->envelope;
	struct map *gone = map_new();
	size_t kept = 0;

	for (; p != NULL && p->added.ptr == NULL; p = p->next)
		map_put(gone, p->removed, s);
	for (size_t i = 0; i < e->nrecipients; i++)
		if (map_get(gone, e->recipients[i].address) == NULL)
			e->recipients[kept++] = e->recipients[i];
	e->nrecipients = kept;
	map_free(gone);
	return p;
}

static void
change_envelope(struct session *s, struct slice sender,
    const struct plan_address *addresses)
{
	if (sender.ptr != NULL)
		s->envelope.sender = sender;
	if (addresses != NULL)
		own_recipients(s);
	while (addresses != NULL) {
		if (addresses->added.ptr == NULL) {
			addresses = drop_recipients(s, addresses);
			continue;
		}
		replace_recipient(s, addresses->removed, addresses->added);
		addresses = addresses->next;
	}
}

/* What a filter did to the envelope is for the later ones to know. */
static void
note_envelope(struct session *s, const struct outcome *out)
{
	struct plan_address **last = &s->seal.addresses;

	if (out->plan->sender.ptr != NULL)
		s->seal.sender = out->plan->sender;
	while (*last != NULL)
		last = &(*last)->next;
	for (const struct plan_address *p = out->addresses; p != NULL;
	    p = p->next) {
		*last = arena_alloc(s->arena, sizeof **last);
		(*last)->removed = p->removed;
		(*last)->added = p->added;
		last = &(*last)->next;
	}
	change_envelope(s, out->plan->sender, out->addresses);
}

/* --- what our filters wrote to each other -------------------------------- */

void
course_adopt(struct session *s, const struct seal *seal)
{
	s->seal = *seal;
	s->origin = seal->client;
	change_envelope(s, seal->sender, seal->addresses);
}

static void
begin_seal(struct session *s)
{
	session_new_identity(s->seal.identity);
	s->seal.queue_id = s->envelope.queue_id;
	s->seal.client = s->origin;
}

static bool
same_client(const struct client *a, const struct client *b)
{
	return a->ip.family == b->ip.family &&
	    memcmp(a->ip.bytes, b->ip.bytes, sizeof a->ip.bytes) == 0 &&
	    slice_eq(a->name, b->name) && slice_eq(a->helo, b->helo) &&
	    slice_eq(a->user, b->user) && slice_eq(a->tls, b->tls);
}

/*
 * All fields of the seal's name go, whoever wrote them, and all marks. The
 * first seal that is valid is taken over, or the splitter's mark; our own is
 * written anew at the end. NULL, or our trouble.
 */
static const char *
open_seal(struct session *s)
{
	const char *trouble = NULL;
	struct patches *edits = arena_alloc(s->arena, sizeof *edits);
	bool found = false, second;

	patches_init(edits, s->arena, s->msg);
	for (size_t i = 0; i < s->msg->nfields; i++) {
		const struct field *f = &s->msg->fields[i];
		bool mark = slice_eq_nocase(f->name, SLICE(MARK_FIELD));
		struct seal seal;

		if (!mark && !slice_eq_nocase(f->name, SLICE(SEAL_FIELD)))
			continue;
		patch_delete(edits, i);
		if (mark && !found) {
			release_take(s, f->body);
		} else if (!mark && !found && seal_read(f->body,
		    s->envelope.queue_id, &s->set->key, s->arena, &seal) ==
		    RC_OK) {
			course_adopt(s, &seal);
			found = true;
		}
	}
	second = split_open(s, edits, found);
	found = found || second;
	if (edits->count > 0)
		take_step(s, edits, NULL);
	s->first = s->msg;
	if (!found)
		begin_seal(s);
	release_check(s);
	if (!found && split_listener(s))
		trouble = "only the splitter may hand in mail here, and "
		    "there is no valid mark of its";
	else if (second)
		trouble = split_second(s);
	else if (!found)
		trouble = split_begin(s);
	if (!same_client(&s->client, &s->origin))
		session_begin_again(s);
	return trouble;
}

static bool
put_seal(struct session *s, struct patches *edits)
{
	struct slice body;

	return seal_write(&s->seal, &s->set->key, s->arena, &body) == RC_OK &&
	    patch_insert(edits, SLICE(SEAL_FIELD), body);
}

/*
 * Nobody behind us would take the seal off a message that goes on hold. But
 * the mark of one that is to be split it keeps: whoever lets it go later has
 * it delivered by way of the splitter.
 */
static bool
close_seal(struct session *s, enum action action)
{
	bool seal = action == ACCEPT && !last_of_chain(s);
	struct patches *edits;

	if (!seal && !split_first(s))
		return true;
	if (s->set->store && session_has_body(s) && !hold_content(s))
		return false;
	s->seal.let_go = s->seal.let_go || action == QUARANTINE;
	edits = arena_alloc(s->arena, sizeof *edits);
	patches_init(edits, s->arena, s->msg);
	return (!seal || put_seal(s, edits)) &&
	    (!split_first(s) || split_close(s, edits)) &&
	    take_step(s, edits, NULL);
}

/* What it found in the first pass counts no more when it looks again. */
static void
add_findings(struct session *s, const char *filter, const struct plan *plan)
{
	size_t n = s->seal.nfindings;
	struct finding *all;

	for (const struct plan_pair *f = plan->findings; f != NULL;
	    f = f->next)
		n++;
	if (n == s->seal.nfindings && s->seal.pass == 1)
		return;
	all = arena_array(s->arena, n + 1, sizeof *all);
	n = 0;
	for (size_t i = 0; i < s->seal.nfindings; i++)
		if (s->seal.pass == 1 || !slice_eq(s->seal.findings[i].filter,
		    slice_of(filter)))
			all[n++] = s->seal.findings[i];
	for (const struct plan_pair *f = plan->findings; f != NULL;
	    f = f->next)
		all[n++] = (struct finding){ slice_of(filter),
		    slice_of(f->key), f->value };
	s->seal.findings = all;
	s->seal.nfindings = n;
}

/* --- the filters --------------------------------------------------------- */

static bool
keeps_back(const struct plan *plan)
{
	if (plan->all.action == QUARANTINE || plan->all.action == DISCARD)
		return true;
	for (const struct plan_recipient *r = plan->recipients; r != NULL;
	    r = r->next)
		if (r->verdict.action == QUARANTINE ||
		    r->verdict.action == DISCARD)
			return true;
	return false;
}

/* A filter may only do what its table says. */
static const char *
breach_of(const struct session *s, const struct filter *filter,
    const struct plan *plan)
{
	if (plan->edits.head && !(filter->needs & EDITS_HEADERS))
		return "edits header fields without EDITS_HEADERS";
	if (plan->edits.body && !(filter->needs & EDITS_BODY))
		return "edits the body without EDITS_BODY";
	if (plan->edits.body && s->body_left)
		return "edits a body that it did not want";
	if ((plan->sender.ptr != NULL || plan->addresses != NULL ||
	    plan->route.ptr != NULL) &&
	    !(filter->needs & EDITS_ENVELOPE))
		return "edits the envelope without EDITS_ENVELOPE";
	if (s->set->store && keeps_back(plan) && !(filter->needs & HOLDS))
		return "holds without HOLDS";
	return NULL;
}

static struct plan *
ask_and_decide(struct session *s, const struct filter *filter,
    struct job *job)
{
	struct slice why = SLICE("");
	struct plan *plan;
	const char *breach;

	/* Who says that somebody was silent is not stopped by the message. */
	if (filter->ask != NULL && filter->ask(job, &why) != RC_OK)
		return plan_for_trouble(s->arena, job->msg, why);
	plan = filter->decide(job);
	if (deadline_left(s->deadline) == 0)
		s->overran = true;
	breach = breach_of(s, filter, plan);
	if (breach != NULL)
		return plan_for_trouble(s->arena, job->msg, slice_of(breach));
	return plan;
}

static void
run_filter(struct session *s, size_t i, struct outcome *out)
{
	const struct filter *filter = s->set->instances[i].filter;
	struct job *job = &s->jobs[i];
	int64_t began = clock_mono_us();

	out->envelope = s->envelope;
	job->envelope = &out->envelope;
	job->msg = s->msg;
	job->findings = s->seal.findings;
	job->nfindings = s->seal.nfindings;
	job->release = s->seal.release;
	job->direction = s->seal.direction;
	job->deadline = s->deadline;
	job->pass = s->seal.pass;
	job->split = split_pass(s) > 0;
	memcpy(job->identity, s->seal.identity, sizeof job->identity);
	out->plan = split_passed(s, i) ? plan_accept(plan_new(s->arena,
	    s->msg), "first-pass", SLICE("decided in the first pass")) :
	    ask_and_decide(s, filter, job);
	out->us = clock_mono_us() - began;
	if (!split_passed(s, i))
		add_findings(s, filter->name, out->plan);
	if (split_first(s))
		split_aside(s, out->plan);
	split_softly(s, out->plan);
	hold_settle(s, job, out);
	note_envelope(s, out);
	if ((plan_edits(out->plan) || out->addresses != NULL) &&
	    !take_step(s, &out->plan->edits, out)) {
		out->plan = plan_for_trouble(s->arena, s->msg,
		    slice_of(gather_trouble(&s->gather)));
		out->verdict = out->plan->all;
		out->each = NULL;
	}
}

/*
 * The verdict that counts for the whole message. Only an accept has the next
 * filter look: Postfix shows a message to no further milter after any other
 * answer, a hold included, and filters hosted together are to do the same.
 */
static struct verdict
decide(struct session *s, struct outcome *outs, size_t *done_r)
{
	struct verdict verdict = { .action = ACCEPT, .rule = "none" };
	size_t n = s->set->ninstances;

	*done_r = 0;
	if (release_unread(s)) {
		verdict.rule = "released";
		verdict.reason = SLICE("released unread: it was held because "
		    "it stops the filter");
		return verdict;
	}
	while (*done_r < n && verdict.action == ACCEPT) {
		struct outcome *out = &outs[*done_r];

		run_filter(s, *done_r, out);
		++*done_r;
		verdict = out->verdict;
	}
	return verdict;
}

/* --- commit and apply ---------------------------------------------------- */

/* What became of a message: how it was decided, and by whom. */
struct end {
	struct verdict verdict;
	struct outcome *outs;
	size_t done;			/* of them */
};

/* Nobody is left, and all whom it was for have an object. */
static bool
in_store(const struct end *end)
{
	return end->done > 0 && end->outs[end->done - 1].held != NULL &&
	    (end->verdict.action == QUARANTINE ||
	    end->verdict.action == DISCARD);
}

/* Its bytes go on to Postfix, with our edits. */
static bool
goes_on(const struct end *end)
{
	return end->verdict.action == ACCEPT ||
	    (end->verdict.action == QUARANTINE && !in_store(end));
}

/* Everything is decided: what stands against sending it? */
static const char *
obstacle(struct session *s, enum action action)
{
	uint64_t max = s->set->house.message_size_limit;

	if (!close_seal(s, action))
		return "findings do not fit into the seal";
	if (s->body_changed && max > 0 &&
	    message_size(s->msg) + OVERHEAD > max)
		return "the edited message would pass message_size_limit";
	return NULL;
}

/*
 * All effects before the first edit, and what is slow before both. NULL when
 * the message may be answered as it was decided.
 */
static const char *
commit(struct session *s, const struct end *end)
{
	const char *against = NULL;

	if (end->verdict.action == TEMPFAIL || end->verdict.action == REJECT)
		return NULL;
	if (goes_on(end))
		against = obstacle(s, end->verdict.action);
	if (against == NULL && deadline_left(s->deadline) == 0)
		against = "deadline passed";
	if (against != NULL)
		return against;
	/* From here on only the disk can be slow, whatever the message is. */
	inflight_decided(s->host->inflight, s->slot);
	against = hold_write(s, end->outs, end->done);
	if (against == NULL && goes_on(end))
		against = files_write(s, end->outs, end->done);
	if (against != NULL)
		log_warning("%.*s: %s", SLICE_ARG(s->envelope.queue_id),
		    against);
	else if (deadline_left(s->deadline) == 0)
		against = "deadline passed while it was held";
	else if (goes_on(end) && !apply_edits(s->steps, s->msg,
	    s->body_changed, s->arena, s->ops, s->ctx))
		against = "an edit did not reach Postfix";
	return against;
}

static void
report(struct session *s, const struct end *end)
{
	for (size_t i = 0; i < end->done; i++) {
		const struct outcome *out = &end->outs[i];
		struct report r = {
			.job = &s->jobs[i], .plan = out->plan,
			.each = out->each, .applied = &out->verdict,
			.held = out->held, .files = out->files,
			.release = s->seal.release,
			.pass = split_pass(s),
			.form = s->seal.pass == 2 ? s->seal.form : NULL,
			.chain = s->host->chain,
			.us = out->us, .size = session_size(s),
		};

		/* What came of it, where that is not what it decided. */
		if (end->verdict.action == TEMPFAIL)
			r.applied = &end->verdict;
		session_tell(s, &r);
	}
}

/* No filter looked at what was released unread; a line says so all the same. */
static void
report_unread(struct session *s, const struct verdict *applied)
{
	struct report r = {
		.job = &s->jobs[0], .applied = applied,
		.plan = plan_new(s->arena, s->msg), .chain = s->host->chain,
		.release = s->seal.release, .size = session_size(s),
	};

	memcpy(s->jobs[0].identity, s->seal.identity,
	    sizeof s->jobs[0].identity);
	s->jobs[0].msg = s->msg;
	session_tell(s, &r);
}

/* The answer by which Postfix forgets a message: only when it is ours. */
static enum answer
answer_taken(struct session *s, const struct end *end)
{
	if (hold_durable(end->outs, end->done))
		return end->verdict.action == DISCARD ? ANSWER_DISCARD :
		    ANSWER_HELD;
	log_panic("%.*s: was to be taken without a durable copy",
	    SLICE_ARG(s->envelope.queue_id));
	return ANSWER_TEMPFAIL;
}

enum answer
course_run(struct session *s)
{
	struct end end = { .outs = arena_array(s->arena, s->set->ninstances,
	    sizeof *end.outs) };
	const char *against = open_seal(s);
	enum answer answer;

	if (against == NULL) {
		end.verdict = decide(s, end.outs, &end.done);
		against = commit(s, &end);
	} else {
		log_warning("%.*s: %s", SLICE_ARG(s->envelope.queue_id),
		    against);
	}
	if (against != NULL)
		end.verdict = session_trouble(s, against);
	if (in_store(&end))
		answer = answer_taken(s, &end);
	else
		answer = apply_answer(&end.verdict, s->arena, s->ops, s->ctx);
	if (end.done > 0)
		report(s, &end);
	else
		report_unread(s, &end.verdict);
	return answer;
}
