#include "filter.h"

#include <stdlib.h>
#include <string.h>

#include "copy.h"
#include "decide.h"
#include "dlp_notify.h"
#include "dlp_step.h"
#include "judge.h"
#include "large.h"
#include "milter/reserve.h"
#include "options.h"
#include "shared.h"

/* Of the deadline a part stays for what follows: deciding and the answer. */
enum { SPARE_MS = 1000, COPIES = 20 };

/* Decoded, a message takes about as much again: as parts, as texts. */
static bool
reserve(struct job *job, struct attachment_shared *shared)
{
	const struct attachment_conf *conf = job->conf;

	return job_reserve(job, &shared->memory, conf->memory,
	    message_size(job->msg) * 2);
}

/* ---- whose settings count ---- */

static enum rc
settings_of(const struct job *job, struct slice address,
    struct attachment_whose *of, struct slice *why_r)
{
	const struct attachment_conf *conf = job->conf;

	return job_settings(job, address, attachment_options, conf->scopes,
	    sizeof of->conf, &of->conf, &of->who, why_r);
}

static enum rc
whose(struct job *job, struct attachment_answers *seen, struct slice *why_r)
{
	size_t n = job->envelope->nrecipients;

	seen->of = arena_array(job->arena, n + 1, sizeof *seen->of);
	if (settings_of(job, job_sender(job), &seen->sender, why_r) != RC_OK)
		return RC_RETRY;
	seen->sender.direction = job->direction;
	for (size_t i = 0; i < n; i++) {
		struct attachment_whose *of = &seen->of[i];

		if (settings_of(job, job->envelope->recipients[i].address, of,
		    why_r) != RC_OK)
			return RC_RETRY;
		of->direction = job_direction(job, &of->who);
		of->external = !of->who.ours;
	}
	return RC_OK;
}

/* Before anything is removed; only when it is removed for somebody. */
static enum rc
copy(struct job *job, const struct attachment_answers *seen,
    struct slice *why_r)
{
	const struct attachment_conf *conf = job->conf;
	struct slice to[COPIES];
	size_t n = attachment_copies(job, seen, to, COPIES);

	for (size_t i = 0; i < n; i++)
		if (copy_send(job, conf->copy_server, to[i], why_r) != RC_OK)
			return RC_RETRY;
	return RC_OK;
}

static enum rc
ask(struct job *job, struct slice *why_r)
{
	const struct attachment_conf *conf = job->conf;
	struct attachment_shared *shared = job->shared;
	struct attachment_answers *seen = arena_alloc(job->arena, sizeof *seen);
	const struct items_conf items = { .unpack = shared->unpack,
	    .limits = { conf->depth, conf->members, conf->member_bytes,
	    conf->bytes, conf->ratio }, .passwords = &conf->passwords };

	job->answers = seen;
	if (!reserve(job, shared)) {
		*why_r = SLICE("memory for attachments is used up");
		return RC_RETRY;
	}
	if (whose(job, seen, why_r) != RC_OK)
		return RC_RETRY;
	items_of_message(job->msg, &items, job->deadline - SPARE_MS,
	    &seen->items);
	if (seen->items.late) {
		*why_r = SLICE("what is in the attachments was not known in "
		    "time");
		return RC_RETRY;
	}
	if (dlp_ask(job, shared->dlp, &seen->items,
	    job->deadline - SPARE_MS, &seen->dlp, why_r) != RC_OK)
		return RC_RETRY;
	if (attachment_judge(job, seen, why_r) != RC_OK ||
	    large_ask(job, seen, &shared->key, why_r) != RC_OK)
		return RC_RETRY;
	if (dlp_notify(job, seen, conf->copy_server, why_r) != RC_OK)
		return RC_RETRY;
	return copy(job, seen, why_r);
}

/* ---- the process ---- */

static void
close_shared(void *arg)
{
	struct attachment_shared *shared = arg;

	cell_close(shared->unpack);
	dlp_free(shared->dlp);
	free(shared);
}

static enum rc
open_unpack(const struct attachment_conf *conf, struct cell **cell_r,
    struct arena *a, struct slice *why_r)
{
	const char *argv[] = { cell_program(a, "unpack"), NULL };
	const struct cell_conf cell = { .name = "unpack", .argv = argv,
	    .workers = conf->unpack_workers, .answer_max = 64 << 20,
	    .pieces_max = CELL_PIECES };

	return cell_open(&cell, cell_r, a, why_r);
}

static enum rc
open_shared(const void *arg, const struct house_conf *house, struct dns *dns,
    void **shared_r, struct arena *a, struct slice *why_r)
{
	const struct attachment_conf *conf = arg;
	struct attachment_shared *shared = mem_alloc(sizeof *shared);

	(void)dns;
	memset(shared, 0, sizeof *shared);
	*shared_r = shared;		/* given back by close in any case */
	if (dlp_load(conf->dlp_rules, true, &shared->dlp, a, why_r) != RC_OK)
		return RC_BAD;
	if (house->seal_key[0] != '\0' && seal_key_load(house->seal_key,
	    &shared->key, a, why_r) != RC_OK)
		return RC_BAD;
	return open_unpack(conf, &shared->unpack, a, why_r);
}

static enum rc
survey(const void *conf, void *arg, const struct policy *policy,
    struct survey *s)
{
	const struct attachment_shared *shared = arg;
	struct notes *notes = NULL;
	enum rc rc = notes_load(conf, policy, s->arena, &notes, &s->why);

	if (rc == RC_OK)
		rc = dlp_survey(conf, shared->dlp, policy, s);
	s->view = notes;
	return rc;
}

static enum rc
check(const void *conf, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	const struct attachment_conf *own = conf;
	struct dlp_rules *rules;
	enum rc rc = attachment_finish(own, house, a, why_r);

	if (rc == RC_OK)
		rc = large_check(own, house, a, why_r);
	/* Where it is only checked nothing is opened. */
	if (rc == RC_OK)
		rc = dlp_load(own->dlp_rules, false, &rules, a, why_r);
	if (rc == RC_OK)
		dlp_free(rules);
	return rc;
}

const struct filter attachment_filter = {
	.name = "attachment-dlp",
	.options = attachment_options,
	.conf_size = sizeof (struct attachment_conf),
	.needs = NEED_BODY | EDITS_HEADERS | EDITS_BODY | EDITS_ENVELOPE |
	    HOLDS,
	.check = check,
	.open = open_shared,
	.opens_slowly = true,
	.survey = survey,
	.close = close_shared,
	.ask = ask,
	.decide = attachment_decide,
};
