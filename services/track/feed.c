#include "services/track/feed.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "log/log.h"
#include "services/track/emit.h"
#include "services/track/source.h"

enum { LOOK_MS = 2000, SWEEP_MS = 20000, SWEEP = 500, SAY_MS = 60000,
    PATIENCE_MS = 2000, BACK_OFF_MS = 1000, CLOCK_EVERY = 64 };

struct feed {
	const char *state;
	const struct track_conf *conf;
	struct arena *arena;
	struct db *db;
	struct track_book *book;
	struct emit emit;
	struct source *sources[FEED_SOURCES];
	bool dry[FEED_SOURCES];		/* asked in this batch: nothing */
	size_t count;
	int64_t since;			/* s: nothing older is kept */
	int64_t looked, swept, said, again;
	uint64_t taken;
	bool broken, troubled;
};

/* --- trouble ------------------------------------------------------------- */

static void
say(struct feed *f, enum rc rc)
{
	struct arena *a = arena_new();
	struct slice why;

	if (db_trouble(f->db, a, &why) == RC_BAD && rc == RC_BAD) {
		log_error("%.*s", SLICE_ARG(log_safe(a, why, 1000)));
		f->broken = true;
	} else if (!f->troubled || clock_mono() - f->said > SAY_MS) {
		log_warning("%.*s; tracking waits, mail does not",
		    SLICE_ARG(log_safe(a, why, 1000)));
		f->said = clock_mono();
	}
	f->troubled = true;
	f->again = clock_mono() + BACK_OFF_MS;
	arena_free(a);
}

static void
place_of(struct feed *f, struct source *s)
{
	struct db_query *q = db_query(f->db, "SELECT place FROM source"
	    " WHERE name = ?1");
	struct arena *a = arena_new();
	struct slice place = SLICE("");

	db_text(q, 1, slice_of(source_name(s)));
	if (db_next(q) == DB_ROW)
		place = db_column(q, 0, a);
	db_done(q);
	source_at(s, place);
	arena_free(a);
}

void
feed_again(struct feed *f)
{
	for (size_t i = 0; i < f->count; i++)
		place_of(f, f->sources[i]);
}

static void
undo(struct feed *f, enum rc rc)
{
	say(f, rc);
	db_rollback(f->db);
	book_forget(f->book);
	emit_undo(&f->emit);
	if (!f->broken)
		feed_again(f);
}

/* --- sources ------------------------------------------------------------- */

static bool
has_source(const struct feed *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (strcmp(source_name(f->sources[i]), name) == 0)
			return true;
	return false;
}

static void
add(struct feed *f, struct source *s)
{
	place_of(f, s);
	f->sources[f->count++] = s;
}

/* Journals of daemons come and go with the packages. */
static void
look_for_journals(struct feed *f)
{
	struct dirent **entries;
	int n = scandir(f->state, &entries, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;
		char dir[4096], file[4200];
		struct stat st;

		snprintf(dir, sizeof dir, "%s/%s", f->state, name);
		snprintf(file, sizeof file, "%s/journal.json", dir);
		if (name[0] != '.' && f->count < FEED_SOURCES &&
		    !has_source(f, name) && stat(file, &st) == 0)
			add(f, source_journal(dir, name, f->since));
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	f->looked = clock_mono();
}

/* How far each sink was, the last time that anybody ran. */
static void
start_sinks(struct feed *f)
{
	int64_t at[SINKS] = { 0 };

	for (unsigned i = 0; i < SINKS; i++) {
		struct db_query *q = db_query(f->db, "SELECT seq FROM sink"
		    " WHERE name = ?1");

		db_text(q, 1, slice_of(sinks_name(i)));
		if (db_next(q) == DB_ROW)
			at[i] = db_column_int(q, 0);
		db_done(q);
	}
	if (emit_wanted(f->conf))
		f->emit.sinks = sinks_start(f->state, f->conf, at);
	if (f->emit.sinks != NULL)
		sinks_look(f->emit.sinks);
}

static void
stop_sinks(struct feed *f)
{
	sinks_stop(f->emit.sinks);
	f->emit.sinks = NULL;
}

static void
drop_sources(struct feed *f)
{
	for (size_t i = 0; i < f->count; i++)
		source_free(f->sources[i]);
	f->count = 0;
}

static void
open_sources(struct feed *f)
{
	const struct track_conf *c = f->conf;

	f->since = clock_wall() - c->keep / 1000;
	for (size_t i = 0; i < c->maillogs.count; i++)
		if (!has_source(f, c->maillogs.items[i].ptr))
			add(f, source_log(c->maillogs.items[i].ptr,
			    &c->names, f->since));
	if (c->journald)
		add(f, source_journald(c->journalctl, &c->names, f->since));
	look_for_journals(f);
}

void
feed_reload(struct feed *f, const struct track_conf *conf)
{
	stop_sinks(f);
	drop_sources(f);
	f->conf = conf;
	book_free(f->book);
	emit_init(&f->emit, f->db, conf);
	f->book = book_new(f->db, conf->subjects, emit_wanted(conf) ?
	    emit_one : NULL, &f->emit);
	open_sources(f);
	start_sinks(f);
}

enum rc
feed_open(struct feed **feed_r, const char *state,
    const struct track_conf *conf, struct arena *a, struct slice *why_r)
{
	struct feed *f = mem_alloc(sizeof *f);
	enum rc rc;

	memset(f, 0, sizeof *f);
	f->arena = arena_new();
	f->state = arena_str(f->arena, slice_of(state));
	rc = track_db_open(state, DB_WRITE, &f->db, a, why_r);
	if (rc != RC_OK) {
		feed_close(f);
		return rc;
	}
	db_patience(f->db, PATIENCE_MS);
	feed_reload(f, conf);
	*feed_r = f;
	return RC_OK;
}

void
feed_close(struct feed *f)
{
	if (f == NULL)
		return;
	stop_sinks(f);
	emit_free(&f->emit);
	drop_sources(f);
	book_free(f->book);
	db_close(f->db);
	arena_free(f->arena);
	free(f);
}

/* --- a batch ------------------------------------------------------------- */

/* What is oldest, over all sources; NULL: there is nothing. */
static struct source *
oldest(struct feed *f, int64_t now)
{
	struct source *best = NULL;
	int64_t best_ms = 0, ms;

	for (size_t i = 0; i < f->count; i++) {
		if (f->dry[i])
			continue;
		f->dry[i] = !source_peek(f->sources[i], now, &ms);
		if (f->dry[i])
			continue;
		if (best == NULL || ms < best_ms) {
			best = f->sources[i];
			best_ms = ms;
		}
	}
	return best;
}

static enum rc
save_places(struct feed *f)
{
	for (size_t i = 0; i < f->count; i++) {
		/* The same place again is no write. */
		struct db_query *q = db_query(f->db, "INSERT INTO source"
		    " VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET"
		    " place = ?2 WHERE place <> ?2");
		enum rc rc;

		db_text(q, 1, slice_of(source_name(f->sources[i])));
		db_text(q, 2, slice_of(source_place(f->sources[i])));
		rc = db_run(q);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static void
take(struct feed *f, struct source *first, int64_t now)
{
	int64_t end = clock_mono() + FEED_MS;
	struct source *s = first;

	for (unsigned n = 0; s != NULL && n < FEED_EVENTS; n++) {
		source_take(s, f->book);
		f->taken++;
		if (n % CLOCK_EVERY == 0 && clock_mono() > end)
			break;
		s = oldest(f, now);
	}
}

static bool
busy(const struct feed *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (source_busy(f->sources[i]))
			return true;
	return false;
}

/* Not while much waits: the log's time is not ours then. */
static enum rc
sweep(struct feed *f)
{
	if (clock_mono() - f->swept < SWEEP_MS || busy(f))
		return RC_OK;
	f->swept = clock_mono();
	return book_sweep(f->book, SWEEP);
}

static enum rc
batch(struct feed *f, struct source *first, int64_t now)
{
	enum rc rc = db_begin(f->db), flushed;

	if (rc != RC_OK)
		return rc;
	if (first != NULL)
		take(f, first, now);
	rc = sweep(f);
	flushed = book_flush(f->book);
	if (rc == RC_OK)
		rc = flushed;
	if (rc == RC_OK)
		rc = emit_bound(&f->emit);
	if (rc == RC_OK)
		rc = save_places(f);
	return rc == RC_OK ? db_commit(f->db) : rc;
}

bool
feed_work(struct feed *f)
{
	int64_t now = clock_wall();
	struct source *first;
	enum rc rc;

	if (f->broken || clock_mono() < f->again)
		return false;
	if (clock_mono() - f->looked > LOOK_MS)
		look_for_journals(f);
	memset(f->dry, 0, sizeof f->dry);
	first = oldest(f, now);
	if (first == NULL && !busy(f) &&
	    clock_mono() - f->swept < SWEEP_MS && !emit_pending(&f->emit))
		return false;
	rc = batch(f, first, now);
	if (rc != RC_OK) {
		undo(f, rc);
		return false;
	}
	emit_done(&f->emit);
	if (f->troubled)
		log_info("track.db can be written again; nothing was lost");
	f->troubled = false;
	return busy(f);
}

bool
feed_broken(const struct feed *f)
{
	return f->broken;
}

struct db *
feed_db(struct feed *f)
{
	return f->db;
}

uint64_t
feed_taken(const struct feed *f)
{
	return f->taken;
}
