#include "services/track/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "log/log.h"
#include "services/track/send.h"
#include "track/db.h"

enum { BUNDLE = 200, BUNDLE_BYTES = 256 * 1024, PAUSE_MS = 1000,
    PAUSE_MOST = 60000, SAY_MS = 60000 };

static const char *const names[SINKS] = { "file", "syslog", "http" };

struct sink {
	struct sinks *all;
	unsigned number;
	pthread_t thread;
	bool runs;
	int64_t at;			/* under the lock */
	struct sender *sender;
	struct db *db;
	int64_t pause, said;
	bool troubled;
	struct arena *arena;		/* of a bundle */
};

struct sinks {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	const struct track_conf *conf;
	char *state;
	uint64_t news;			/* grows with each sinks_look */
	bool stop;
	struct sink list[SINKS];
};

const char *
sinks_name(unsigned i)
{
	return names[i];
}

bool
sinks_wanted(const struct track_conf *conf, unsigned i)
{
	const char *const options[SINKS] = { conf->siem_file,
	    conf->siem_syslog, conf->siem_http };

	return options[i][0] != '\0';
}

int64_t
sinks_at(struct sinks *s, unsigned i)
{
	int64_t at;

	pthread_mutex_lock(&s->lock);
	at = s->list[i].at;
	pthread_mutex_unlock(&s->lock);
	return at;
}

void
sinks_skip(struct sinks *s, unsigned i, int64_t seq)
{
	pthread_mutex_lock(&s->lock);
	if (s->list[i].at < seq)
		s->list[i].at = seq;
	pthread_mutex_unlock(&s->lock);
}

void
sinks_look(struct sinks *s)
{
	pthread_mutex_lock(&s->lock);
	s->news++;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

/* Until there is news, or that time is over; false: it is to end. */
static bool
rest(struct sinks *s, uint64_t *seen, int64_t ms)
{
	struct timespec until = deadline_timespec(deadline_in(ms));
	bool go_on;

	pthread_mutex_lock(&s->lock);
	while (!s->stop && (seen == NULL || *seen == s->news))
		if (pthread_cond_timedwait(&s->wake, &s->lock, &until) != 0)
			break;
	if (seen != NULL)
		*seen = s->news;
	go_on = !s->stop;
	pthread_mutex_unlock(&s->lock);
	return go_on;
}

static void
trouble(struct sink *k, struct slice why)
{
	k->pause = k->pause == 0 ? PAUSE_MS : k->pause * 2;
	if (k->pause > PAUSE_MOST)
		k->pause = PAUSE_MOST;
	if (!k->troubled || clock_mono() - k->said > SAY_MS) {
		log_warning("siem_%s: %.*s; events wait", names[k->number],
		    SLICE_ARG(log_safe(k->arena, why, 1000)));
		k->said = clock_mono();
	}
	k->troubled = true;
}

static void
fine(struct sink *k)
{
	if (k->troubled)
		log_info("siem_%s: events are taken again",
		    names[k->number]);
	k->troubled = false;
	k->pause = 0;
}

/* What waits behind `at`; the arena of the bundle owns it. */
static bool
read_bundle(struct sink *k, int64_t at, struct bundle *b)
{
	struct slice why;
	struct db_query *q;
	enum db_step step = DB_END;
	size_t bytes = 0;

	*b = (struct bundle){ .events = arena_array(k->arena, BUNDLE,
	    sizeof *b->events) };
	if (k->db == NULL && track_db_open(k->all->state, DB_READ, &k->db,
	    k->arena, &why) != RC_OK) {
		trouble(k, why);
		return false;
	}
	q = db_query(k->db, "SELECT seq, t, body FROM outbox WHERE seq > ?1"
	    " ORDER BY seq LIMIT ?2");
	db_int(q, 1, at);
	db_int(q, 2, BUNDLE);
	while (bytes < BUNDLE_BYTES && (step = db_next(q)) == DB_ROW) {
		struct bundled *e = &b->events[b->count++];

		e->seq = db_column_int(q, 0);
		e->ms = db_column_int(q, 1);
		e->text = db_column(q, 2, k->arena);
		bytes += e->text.len;
	}
	db_done(q);
	if (step == DB_FAILED) {
		db_trouble(k->db, k->arena, &why);
		trouble(k, why);
		db_close(k->db);
		k->db = NULL;
	}
	return step != DB_FAILED && b->count > 0;
}

/* One bundle; true: there may be more. */
static bool
pump(struct sink *k)
{
	int64_t at = sinks_at(k->all, k->number);
	struct bundle b;
	struct slice why = SLICE("");
	size_t done;

	if (!read_bundle(k, at, &b))
		return false;
	done = sender_send(k->sender, &b, k->arena, &why);
	if (done > 0)
		sinks_skip(k->all, k->number, b.events[done - 1].seq);
	if (done == b.count)
		fine(k);
	else
		trouble(k, why);
	return true;
}

static void *
run(void *arg)
{
	struct sink *k = arg;
	uint64_t seen = 0;

	for (;;) {
		bool more = pump(k);

		arena_reset(k->arena);
		if (k->pause > 0) {
			if (!rest(k->all, NULL, k->pause))
				break;
		} else if (!more) {
			if (!rest(k->all, &seen, PAUSE_MOST))
				break;
		} else if (!rest(k->all, NULL, 0)) {
			break;
		}
	}
	return NULL;
}

struct sinks *
sinks_start(const char *state, const struct track_conf *conf,
    const int64_t at[SINKS])
{
	struct sinks *s = mem_alloc(sizeof *s);
	pthread_condattr_t attr;

	memset(s, 0, sizeof *s);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &attr);
	pthread_condattr_destroy(&attr);
	s->conf = conf;
	s->state = strdup(state);
	for (unsigned i = 0; i < SINKS; i++) {
		struct sink *k = &s->list[i];

		*k = (struct sink){ .all = s, .number = i, .at = at[i] };
		if (!sinks_wanted(conf, i))
			continue;
		k->arena = arena_new();
		k->sender = sender_new(i, conf);
		k->runs = pthread_create(&k->thread, NULL, run, k) == 0;
		if (!k->runs)
			log_error("siem_%s: no thread can be started",
			    names[i]);
	}
	return s;
}

void
sinks_stop(struct sinks *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < SINKS; i++) {
		struct sink *k = &s->list[i];

		if (k->runs)
			pthread_join(k->thread, NULL);
		sender_free(k->sender);
		db_close(k->db);
		arena_free(k->arena);
	}
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->wake);
	free(s->state);
	free(s);
}
