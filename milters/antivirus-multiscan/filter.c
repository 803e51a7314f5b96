#include "filter.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "decide.h"
#include "engines.h"
#include "items.h"
#include "milter/reserve.h"
#include "options.h"
#include "scan.h"
#include "status.h"
#include "strikes.h"
#include "wait.h"

/* Of the deadline a part stays for what follows: deciding and the answer. */
enum { SPARE_MS = 1000 };
/* For each verdict that is kept so many bytes of what containers hold: more
 * members than verdicts would be of no use. */
enum { KNOWN_BYTES = 400 };

/* What all messages share. */
struct antivirus_shared {
	struct cell *unpack;
	struct scan_pool *pool;
	struct known *known;
	struct strikes *strikes;
	struct engine *engines[LEDGER_ENGINES];
	size_t nengines;
	struct status *status;
	_Atomic uint64_t memory;	/* of messages under way */
};

/* Decoded, a message takes about as much again: as a letter, as parts. */
static bool
reserve(struct job *job, struct antivirus_shared *shared)
{
	const struct antivirus_conf *conf = job->conf;

	return job_reserve(job, &shared->memory, conf->memory,
	    message_size(job->msg) * 2);
}

static enum rc
ask(struct job *job, struct slice *why_r)
{
	const struct antivirus_conf *conf = job->conf;
	struct antivirus_shared *shared = job->shared;
	struct antivirus_answers *seen = arena_alloc(job->arena, sizeof *seen);
	const struct items_conf items = { .unpack = shared->unpack,
	    .pool = shared->pool, .known = shared->known,
	    .limits = { conf->depth, conf->members, conf->member_bytes,
	    conf->bytes, conf->ratio }, .passwords = &conf->passwords };
	deadline_t until = job->deadline - SPARE_MS;
	int64_t began = clock_mono_us();

	if (!reserve(job, shared)) {
		*why_r = SLICE("memory for scanning is used up");
		return RC_RETRY;
	}
	job->answers = seen;
	ledger_init(&seen->ledger, job->arena);
	seen->ledger.nengines = shared->nengines;
	scan_begin(&seen->ledger, shared->engines);
	items_read(job->msg, &items, until, &seen->ledger);
	scan_all(shared->pool, &seen->ledger, shared->engines, until);
	strikes_note(shared->strikes, &seen->ledger);
	seen->us = clock_mono_us() - began;
	return antivirus_resolve(job, why_r);
}

/* ---- the process ---- */

static void
close_shared(void *arg)
{
	struct antivirus_shared *shared = arg;

	status_stop(shared->status);
	scan_pool_free(shared->pool);
	known_free(shared->known);
	strikes_free(shared->strikes);
	for (size_t i = 0; i < shared->nengines; i++)
		engine_close(shared->engines[i]);
	cell_close(shared->unpack);
	free(shared);
}

static enum rc
open_unpack(const struct antivirus_conf *conf, struct cell **cell_r,
    struct arena *a, struct slice *why_r)
{
	const char *argv[] = { cell_program(a, "unpack"), NULL };
	const struct cell_conf cell = { .name = "unpack", .argv = argv,
	    .workers = conf->unpack_workers, .answer_max = 64 << 20,
	    .pieces_max = CELL_PIECES };

	if (cell_open(&cell, cell_r, a, why_r) != RC_OK)
		return RC_BAD;
	cell_warm(*cell_r, deadline_in(conf->start));
	return RC_OK;
}

static enum rc
open_shared(const void *arg, const struct house_conf *house, struct dns *dns,
    void **shared_r, struct arena *a, struct slice *why_r)
{
	const struct antivirus_conf *conf = arg;
	struct antivirus_shared *shared = mem_alloc(sizeof *shared);
	enum rc rc;

	(void)house;
	(void)dns;
	*shared_r = shared;		/* given back by close in any case */
	rc = open_unpack(conf, &shared->unpack, a, why_r);
	if (rc != RC_OK)
		return rc;
	shared->pool = scan_pool_new(conf->threads, conf->cache);
	shared->strikes = strikes_new();
	shared->known = known_new((size_t)conf->cache * KNOWN_BYTES);
	return engines_open(conf, shared->engines, &shared->nengines, a,
	    why_r);
}

static enum rc
open_state(const void *arg, void *opened, void *before, const char *dir,
    struct arena *a, struct slice *why_r)
{
	const struct antivirus_conf *conf = arg;
	struct antivirus_shared *shared = opened;
	const struct status_source source = { shared->engines,
	    shared->nengines, shared->pool, shared->unpack,
	    conf->max_age / 1000, conf->min_engines };

	(void)before;
	(void)a;
	(void)why_r;
	shared->status = status_start(dir, &source);
	return RC_OK;
}

static enum rc
check(const void *conf, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	if (antivirus_finish(conf, a, why_r) != RC_OK)
		return RC_BAD;
	if (house->store_key[0] != '\0' || !wait_wanted(conf))
		return RC_OK;
	*why_r = SLICE("defer and sandbox want a quarantine to wait in, and "
	    "gatehouse.conf has no store_key");
	return RC_BAD;
}

const struct filter antivirus_filter = {
	.name = "antivirus-multiscan",
	.options = antivirus_options,
	.conf_size = sizeof (struct antivirus_conf),
	.needs = NEED_BODY | EDITS_HEADERS | HOLDS,
	.check = check,
	.open = open_shared,
	.opens_slowly = true,
	.close = close_shared,
	.state = open_state,
	.ask = ask,
	.decide = antivirus_decide,
};
