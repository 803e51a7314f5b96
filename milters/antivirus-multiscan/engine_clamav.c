#include "engine_clamav.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/thread.h"
#include "cell/cell.h"
#include "log/log.h"

enum { LOAD_MS = 600000, ANSWER = 64 * 1024, MATCHES = 200 };

/* A cell with its signatures; goes after the last scan that uses it. */
struct generation {
	struct generation *next;	/* among those that may go */
	struct cell *cell;
	unsigned users;			/* the engine's own counts too */
	uint64_t stamp;			/* of the files when it was begun */
	struct arena *arena;
	struct engine_status status;
};

struct clamav {
	struct engine engine;
	struct engine_clamav_conf conf;
	struct arena *arena;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	struct generation *now, *left;	/* left: nobody uses them any more */
	uint64_t failed;		/* files that did not load */
	bool stopping;
	pthread_t watcher;
};

/* ---- files ---- */

static uint64_t
mix(uint64_t h, uint64_t n)
{
	return (h ^ n) * UINT64_C(0x9e3779b97f4a7c15) + (h >> 29);
}

/* Name, size, time of each file, in no order. */
static uint64_t
stamp_of(const char *dir)
{
	DIR *d = opendir(dir);
	uint64_t sum = 1;
	struct dirent *e;
	struct stat st;

	while (d != NULL && (e = readdir(d)) != NULL) {
		uint64_t h = 0;

		if (e->d_name[0] == '.' ||
		    fstatat(dirfd(d), e->d_name, &st, 0) != 0)
			continue;
		for (const char *p = e->d_name; *p != '\0'; p++)
			h = mix(h, (unsigned char)*p);
		h = mix(h, (uint64_t)st.st_size);
		h = mix(h, (uint64_t)st.st_mtim.tv_sec);
		sum += mix(h, (uint64_t)st.st_mtim.tv_nsec);
	}
	if (d != NULL)
		closedir(d);
	return sum;
}

/* ---- generations ---- */

/* "clamav 1.4.6, signatures 27512, newest 1795691567" */
static void
read_told(struct generation *g, struct slice told)
{
	struct slice rest = told, word, number;
	uint64_t n;

	g->status.version = slice_cut(rest, ',', &rest);
	while (rest.ptr != NULL) {
		word = slice_trim(slice_cut(rest, ',', &rest));
		word = slice_cut(word, ' ', &number);
		if (number.ptr == NULL ||
		    !slice_number(number, INT64_MAX, &n))
			continue;
		if (slice_eq(word, SLICE("signatures")))
			g->status.signatures = n;
		if (slice_eq(word, SLICE("newest")))
			g->status.newest = (int64_t)n;
	}
	g->status.up = true;
	g->status.generation = g->stamp;
}

static void
free_generation(struct generation *g)
{
	cell_close(g->cell);
	arena_free(g->arena);
	free(g);
}

static const char *
decimal(struct arena *a, uint64_t n)
{
	return arena_printf(a, "%llu", (unsigned long long)n).ptr;
}

/* Beside one that scans a new one loads in what time that leaves. */
static const char *const *
command(const struct clamav *c, struct arena *a)
{
	const char **argv = arena_array(a, 12, sizeof *argv), **next = argv;

	*next++ = c->conf.program;
	*next++ = "--member";
	*next++ = decimal(a, c->conf.member_bytes);
	*next++ = "--bytes";
	*next++ = decimal(a, c->conf.bytes);
	*next++ = "--database";
	*next++ = c->conf.database;
	if (c->conf.yara[0] != '\0') {
		*next++ = "--yara";
		*next++ = c->conf.yara;
	}
	if (c->now != NULL)
		*next++ = "--gently";
	return argv;
}

static enum rc
load(struct clamav *c, uint64_t stamp, deadline_t until,
    struct generation **g_r, struct arena *a, struct slice *why_r)
{
	const struct cell_conf conf = { .name = "clamav", .argv = command(c, a),
	    .workers = c->conf.workers, .answer_max = ANSWER,
	    .pieces_max = MATCHES };
	struct generation *g = mem_alloc(sizeof *g);
	enum rc rc;

	g->arena = arena_new();
	g->stamp = stamp;
	g->users = 1;
	rc = cell_open(&conf, &g->cell, a, why_r);
	if (rc == RC_OK)
		rc = cell_ready(g->cell, until, a, why_r);
	if (rc != RC_OK) {
		free_generation(g);
		return rc;
	}
	cell_warm(g->cell, until);
	read_told(g, cell_told(g->cell, g->arena));
	*g_r = g;
	return RC_OK;
}

static struct generation *
hold(struct clamav *c)
{
	struct generation *g;

	pthread_mutex_lock(&c->lock);
	g = c->now;
	g->users++;
	pthread_mutex_unlock(&c->lock);
	return g;
}

/* That it ends takes a tenth of a second: no message is to wait for it. */
static void
drop(struct clamav *c, struct generation *g)
{
	pthread_mutex_lock(&c->lock);
	if (--g->users == 0) {
		g->next = c->left;
		c->left = g;
		pthread_cond_broadcast(&c->stop);
	}
	pthread_mutex_unlock(&c->lock);
}

/* The lock is held, but not meanwhile. */
static void
free_left(struct clamav *c)
{
	while (c->left != NULL) {
		struct generation *g = c->left;

		c->left = g->next;
		pthread_mutex_unlock(&c->lock);
		free_generation(g);
		pthread_mutex_lock(&c->lock);
	}
}

/* ---- new signatures ---- */

static void
renew(struct clamav *c, uint64_t stamp)
{
	struct arena *a = arena_new();
	struct generation *next, *old;
	struct slice why = SLICE("");

	if (load(c, stamp, deadline_in(LOAD_MS), &next, a, &why) == RC_OK) {
		log_info("clamav: new signatures: %llu of them",
		    (unsigned long long)next->status.signatures);
		pthread_mutex_lock(&c->lock);
		old = c->now;
		c->now = next;
		pthread_mutex_unlock(&c->lock);
		drop(c, old);
	} else {
		log_error("clamav: the new files in %s do not load; the old "
		    "signatures stay (%.*s)", c->conf.database,
		    SLICE_ARG(why));
		c->failed = stamp;
	}
	arena_free(a);
}

/* Waits, but not when it is to stop. The lock is held. */
static bool
pause_watching(struct clamav *c)
{
	struct timespec t;
	int64_t until = clock_mono() + c->conf.look;

	t.tv_sec = (time_t)(until / 1000);
	t.tv_nsec = (long)(until % 1000) * 1000000;
	while (!c->stopping && pthread_cond_clockwait(&c->stop, &c->lock,
	    CLOCK_MONOTONIC, &t) != ETIMEDOUT)
		free_left(c);
	free_left(c);
	return !c->stopping;
}

/*
 * freshclam renames whole files into place, others copy: files count when
 * they have not changed for one look.
 */
static void *
watch(void *arg)
{
	struct clamav *c = arg;
	uint64_t seen = 0, stamp;

	pthread_mutex_lock(&c->lock);
	while (pause_watching(c)) {
		uint64_t loaded = c->now->stamp;

		pthread_mutex_unlock(&c->lock);
		stamp = stamp_of(c->conf.database);
		if (stamp != loaded && stamp != c->failed && stamp == seen)
			renew(c, stamp);
		seen = stamp;
		pthread_mutex_lock(&c->lock);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* ---- an engine ---- */

/* "virus NAME", "cut WHY", "locked WHY": the worst of them counts. */
static void
read_answer(const struct cell_answer *answer, struct scan *scan)
{
	static const struct { struct slice word; enum scan_end end; } words[] =
	    { { SLICE("virus"), SCAN_INFECTED }, { SLICE("cut"), SCAN_CUT },
	    { SLICE("locked"), SCAN_LOCKED } };
	size_t best = sizeof words / sizeof words[0];

	*scan = (struct scan){ .end = SCAN_CLEAN, .text = SLICE("") };
	for (const struct cell_piece *p = answer->pieces; p != NULL;
	    p = p->next) {
		struct slice text, word = slice_cut(p->bytes, ' ', &text);

		for (size_t i = 0; i < best; i++) {
			if (!slice_eq(word, words[i].word))
				continue;
			*scan = (struct scan){ .end = words[i].end,
			    .text = text };
			best = i;
		}
	}
}

static enum scan_end
end_of(enum cell_end end)
{
	switch (end) {
	case CELL_REFUSED:
		return SCAN_REFUSED;
	case CELL_CRASHED:
	case CELL_FORBIDDEN:
		return SCAN_CRASHED;
	case CELL_TIMEOUT:
		return SCAN_TIMEOUT;
	case CELL_TOO_MUCH:
		return SCAN_CUT;
	default:
		return SCAN_DOWN;
	}
}

static void
scan(struct engine *e, const struct scan_item *item, deadline_t until,
    struct arena *a, struct scan *scan_r)
{
	struct clamav *c = (struct clamav *)e;
	struct generation *g = hold(c);
	struct cell_answer answer;

	cell_ask(g->cell, item->skim ? SLICE("skim") : item->mail ?
	    SLICE("mail") : SLICE("file"), item->fd, until, a, &answer);
	drop(c, g);
	read_answer(&answer, scan_r);
	/* A name that came before the end counts, whatever came after it. */
	if (answer.end != CELL_ANSWERED && scan_r->end != SCAN_INFECTED)
		*scan_r = (struct scan){ .end = end_of(answer.end),
		    .text = answer.why };
}

static void
status(struct engine *e, struct arena *a, struct engine_status *status_r)
{
	struct clamav *c = (struct clamav *)e;
	struct generation *g = hold(c);

	*status_r = g->status;
	status_r->version = arena_copy(a, g->status.version);
	drop(c, g);
}

/* Nobody watches, and its generation was dropped. */
static void
free_engine(struct clamav *c)
{
	pthread_mutex_lock(&c->lock);
	free_left(c);
	pthread_mutex_unlock(&c->lock);
	pthread_cond_destroy(&c->stop);
	pthread_mutex_destroy(&c->lock);
	engine_fini(&c->engine);
	arena_free(c->arena);
	free(c);
}

static void
close_engine(struct engine *e)
{
	struct clamav *c = (struct clamav *)e;

	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_broadcast(&c->stop);
	pthread_mutex_unlock(&c->lock);
	pthread_join(c->watcher, NULL);
	drop(c, c->now);
	free_engine(c);
}

static const struct engine_kind kind = {
	.scan = scan, .status = status, .close = close_engine,
	.reads_mail = true, .skims = true,
};

enum rc
engine_clamav_open(const struct engine_clamav_conf *conf, deadline_t until,
    struct engine **engine_r, struct arena *a, struct slice *why_r)
{
	struct clamav *c = mem_alloc(sizeof *c);
	enum rc rc;

	c->arena = arena_new();
	engine_init(&c->engine, &kind, slice_of(conf->name));
	c->conf = *conf;
	c->conf.program = arena_str(c->arena, slice_of(conf->program));
	c->conf.database = arena_str(c->arena, slice_of(conf->database));
	c->conf.yara = arena_str(c->arena, slice_of(conf->yara));
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->stop, NULL);
	rc = load(c, stamp_of(c->conf.database), until, &c->now, a, why_r);
	if (rc == RC_OK && thread_start(&c->watcher, watch, c)) {
		*engine_r = &c->engine;
		return RC_OK;
	}
	if (rc == RC_OK) {
		*why_r = SLICE("clamav: no thread to watch its files");
		rc = RC_RETRY;
		drop(c, c->now);
	}
	free_engine(c);
	return rc;
}
