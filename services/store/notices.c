#include "services/store/notices.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log/log.h"

enum {
	QUEUE = 4096,			/* ids that wait; more: a scan */
	LATE_TRIES = 10,		/* for one that is not there yet */
	LOOK_BACK = 2 * 86400,		/* of a scan */
	TICK_S = 5,
	SUMMARIES_S = 60,
	SWEEP_S = 600,
	KEEP_DAYS = 45,			/* keys, and what was listed: longer
					   than anything is held */
	HEAD = 256 << 10,		/* of a message that is too large */
	TROUBLE_MS = 60 * 1000,
};

struct waiting {
	char id[STORE_ID + 1];
	unsigned tries;
	bool skipped;			/* of its cause nobody is told */
};

struct store_notices {
	struct store *store;
	const char *path;		/* of notices.db */
	pthread_t maker, sender;
	pthread_mutex_t lock;		/* of what follows */
	pthread_cond_t wake;
	struct waiting queue[QUEUE];
	size_t count;
	bool scan, stopping, mails;
	pthread_mutex_t state_lock;	/* of these two */
	struct db *state;
	struct token_guard *guard;
};

/* --- waiting ------------------------------------------------------------- */

static void
sleep_locked(struct store_notices *p, int seconds)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += seconds;
	pthread_cond_timedwait(&p->wake, &p->lock, &until);
}

/* Until there is something to tell; what is tried again waits a second. */
static void
wait_for_objects(struct store_notices *p, bool again)
{
	pthread_mutex_lock(&p->lock);
	if (!p->stopping && (again || (p->count == 0 && !p->scan)))
		sleep_locked(p, again ? 1 : TICK_S);
	pthread_mutex_unlock(&p->lock);
}

static void
wait_for_mails(struct store_notices *p)
{
	pthread_mutex_lock(&p->lock);
	if (!p->stopping && !p->mails)
		sleep_locked(p, TICK_S);
	pthread_mutex_unlock(&p->lock);
}

static bool
is_stopping(struct store_notices *p)
{
	bool stopping;

	pthread_mutex_lock(&p->lock);
	stopping = p->stopping;
	pthread_mutex_unlock(&p->lock);
	return stopping;
}

static void
wake(struct store_notices *p, bool *flag)
{
	pthread_mutex_lock(&p->lock);
	*flag = true;
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
}

static void
push(struct store_notices *p, struct slice id, unsigned tries)
{
	pthread_mutex_lock(&p->lock);
	if (p->count < QUEUE && id.len == STORE_ID) {
		struct waiting *w = &p->queue[p->count++];

		memcpy(w->id, id.ptr, STORE_ID);
		w->id[STORE_ID] = '\0';
		w->tries = tries;
		w->skipped = false;
	} else {
		p->scan = true;
	}
	pthread_mutex_unlock(&p->lock);
}

void
notices_tell(struct store *s, const struct record *r)
{
	if (s->notices != NULL && r->nrows > 0)
		push(s->notices, r->object.id, 0);
}

void
notices_settled(struct store *s, struct slice id)
{
	if (s->notices == NULL)
		return;
	push(s->notices, id, 0);
	notices_wake(s);
}

void
notices_wake(struct store *s)
{
	pthread_mutex_lock(&s->notices->lock);
	pthread_cond_broadcast(&s->notices->wake);
	pthread_mutex_unlock(&s->notices->lock);
}

struct db *
notices_enter(struct store *s)
{
	pthread_mutex_lock(&s->notices->state_lock);
	return s->notices->state;
}

void
notices_leave(struct store *s)
{
	pthread_mutex_unlock(&s->notices->state_lock);
	wake(s->notices, &s->notices->mails);
}

const char *
notices_path(struct store *s)
{
	return s->notices->path;
}

void
notices_made(struct store *s)
{
	wake(s->notices, &s->notices->mails);
}

struct token_guard *
notices_guard(struct store *s)
{
	return s->notices->guard;
}

/* --- one object ---------------------------------------------------------- */

struct told {
	struct arena *a;
	struct store_object object;
	struct slice *recipients;
	size_t count, room;
	bool waits;			/* nothing to tell of, yet */
};

/* Nobody has judged it, or it was judged well. */
static bool
waits(const struct store_row *row)
{
	return store_row_waits(row) || (row->state == STORE_RELEASED &&
	    store_waiting(row->object.cause));
}

static bool
take_row(const struct store_row *row, void *arg)
{
	struct told *t = arg;

	if (row->state == STORE_NOT_ACCEPTED)
		return true;
	if (waits(row)) {
		t->waits = true;
		return true;
	}
	t->recipients = arena_more(t->a, t->recipients, t->count, &t->room,
	    sizeof *t->recipients);
	t->object = row->object;
	t->recipients[t->count++] = row->recipient;
	return true;
}

/* The message, or its beginning when it is too large to go along. */
static enum rc
read_message(struct store_notices *p, const struct notices *n,
    struct notice_event *event, struct arena *a, struct slice *why_r)
{
	const struct store_object *o = event->object;
	struct buf bytes = buf_in(a);
	struct object *object;
	struct slice piece;
	enum rc rc;

	event->part = o->size > n->conf.attach_limit;
	rc = vault_object(&p->store->vault, o->id, a, &object, why_r);
	if (rc != RC_OK)
		return rc;
	do {
		rc = object_next(object, &piece);
		if (rc == RC_OK)
			buf_add(&bytes, piece);
	} while (rc == RC_OK && piece.len > 0 &&
	    (!event->part || bytes.len < HEAD));
	object_close(object);
	if (rc == RC_OK)
		event->message = buf_slice(&bytes);
	else
		*why_r = SLICE("the stored message cannot be read to its end");
	return rc;
}

static enum rc
tell_object(struct store_notices *p, const struct notices *n,
    struct told *t, struct slice *why_r)
{
	struct notice_event event = { &t->object, t->recipients, t->count,
	    SLICE_NONE, false };
	unsigned made = 0;
	enum rc rc;

	/* What cannot be read any more is told about all the same. */
	if (t->object.body && read_message(p, n, &event, t->a, why_r) ==
	    RC_RETRY)
		return RC_RETRY;
	rc = notice_for_object(n, notices_enter(p->store), &event,
	    clock_wall(), t->a, &made, why_r);
	notices_leave(p->store);
	if (made > 0)
		log_info("%.*s: object=%.32s, notices=%u",
		    SLICE_ARG(log_safe(t->a, t->object.queue_id, 40)),
		    t->object.id.ptr, made);
	return rc;
}

static void
trouble(const char *what, struct slice why)
{
	static _Atomic deadline_t next;
	struct arena *a;

	if (deadline_left(next) > 0)
		return;
	next = deadline_in(TROUBLE_MS);
	a = arena_new();
	log_error("%s: %.*s", what, SLICE_ARG(log_safe(a, why, 500)));
	arena_free(a);
}

/* An object is in the index a little after it was told of. True: it waits. */
static bool
handle(struct store_notices *p, const struct notices *n, struct waiting *w)
{
	struct told t = { .a = arena_new() };
	struct store_index *x = vault_read(&p->store->vault);
	struct slice why = SLICE("");
	enum rc rc = x->does->rows_of(x, slice_of(w->id), t.a, take_row, &t);
	bool again;

	if (rc != RC_OK)
		why = arena_copy(t.a, x->why);
	vault_read_end(&p->store->vault);
	w->skipped = rc == RC_OK && t.count > 0 &&
	    !notices_tells(n, t.object.cause);
	if (rc == RC_OK && t.count > 0 && !w->skipped)
		rc = tell_object(p, n, &t, &why);
	if (rc != RC_OK)
		trouble("a notice waits", why);
	again = (rc != RC_OK || (t.count == 0 && !t.waits)) &&
	    w->tries < LATE_TRIES;
	if (again)
		push(p, slice_of(w->id), w->tries + 1);
	arena_free(t.a);
	return again;
}

/* --- what a kill left untold --------------------------------------------- */

/* Under this name the state keeps until when all that came in was told of. */
#define TOLD_UNTIL	SLICE("notices")

struct scan {
	struct store_notices *p;
	int64_t since;			/* adopted then or later */
	struct store_filter filter;
	struct arena *a;
	unsigned seen;
	char last[STORE_ID + 1];
};

static bool
scan_row(const struct store_row *row, void *arg)
{
	struct scan *s = arg;

	s->seen++;
	s->filter.before_time = row->object.time;
	s->filter.before_id = arena_copy(s->a, row->object.id);
	s->filter.before_recipient = arena_copy(s->a, row->recipient);
	if (row->changed >= s->since &&
	    !slice_eq(row->object.id, slice_of(s->last)) &&
	    row->object.id.len == STORE_ID) {
		memcpy(s->last, row->object.id.ptr, STORE_ID);
		push(s->p, row->object.id, 0);
	}
	return true;
}

/* Newest first, as far as the queue goes: who is told again is not told again
 * (notice_for_object knows). */
static void
scan(struct store_notices *p)
{
	struct scan s = { .p = p, .a = arena_new(), .seen = STORE_LIST_MAX,
	    .filter = { .since = clock_wall() - LOOK_BACK,
	    .limit = STORE_LIST_MAX } };
	struct slice why;

	/* At the very first start there is nothing to catch up with. */
	if (state_served(notices_enter(p->store), s.a, TOLD_UNTIL, &s.since,
	    &why) != RC_OK)
		trouble("notices wait", why);
	notices_leave(p->store);
	if (s.since == 0)
		s.seen = 0;
	for (size_t pages = 0; s.seen == STORE_LIST_MAX &&
	    pages < QUEUE / STORE_LIST_MAX; pages++) {
		struct store_index *x = vault_read(&p->store->vault);

		s.seen = 0;
		if (x->does->list(x, &s.filter, s.a, scan_row, &s) != RC_OK)
			trouble("notices wait", x->why);
		vault_read_end(&p->store->vault);
	}
	arena_free(s.a);
}

/* All that came in before then was told of, and these were not to be: else a
 * cause that somebody is told of from now on would bring up old mail. One
 * transaction for all of them. */
static enum rc
note_told(struct db *db, struct arena *a, int64_t moment,
    const struct waiting *w, size_t count, struct slice *why_r)
{
	enum rc rc = db_begin(db) == RC_OK ? RC_OK : db_trouble(db, a, why_r);

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		if (w[i].skipped)
			rc = state_list(db, a, slice_of(w[i].id), SLICE(""),
			    moment, why_r);
	if (rc == RC_OK)
		rc = state_serve(db, a, TOLD_UNTIL, moment, why_r);
	if (rc == RC_OK && db_commit(db) != RC_OK)
		rc = db_trouble(db, a, why_r);
	if (rc != RC_OK)
		db_rollback(db);
	return rc;
}

static void
told_until(struct store_notices *p, int64_t moment, const struct waiting *w,
    size_t count)
{
	struct arena *a = arena_new();
	struct slice why;

	if (note_told(notices_enter(p->store), a, moment, w, count, &why) !=
	    RC_OK)
		trouble("notices may be looked for again", why);
	notices_leave(p->store);
	arena_free(a);
}

/* --- the thread that makes them ------------------------------------------- */

static size_t
take_queue(struct store_notices *p, struct waiting *mine, bool *scan_r)
{
	size_t count;

	pthread_mutex_lock(&p->lock);
	count = p->count;
	memcpy(mine, p->queue, count * sizeof *mine);
	p->count = 0;
	*scan_r = p->scan;
	p->scan = false;
	pthread_mutex_unlock(&p->lock);
	return count;
}

static void
every_minute(struct store_notices *p, const struct notices *n)
{
	struct arena *a = arena_new();
	struct slice why;
	unsigned made = 0;

	if (notice_summaries(n, notices_enter(p->store), clock_wall(), a,
	    &made, &why) != RC_OK)
		trouble("summaries wait", why);
	notices_leave(p->store);
	if (made > 0)
		log_info("NOQUEUE: summaries=%u", made);
	arena_free(a);
}

static void
sweep_state(struct store_notices *p)
{
	struct arena *a = arena_new();
	struct slice why;
	bool more = true;

	for (int i = 0; i < 100 && more && !is_stopping(p); i++) {
		int64_t now = clock_wall();
		enum rc rc = state_sweep(notices_enter(p->store), a, now,
		    now - (int64_t)KEEP_DAYS * 86400, &more, &why);

		notices_leave(p->store);
		if (rc != RC_OK) {
			trouble("old tokens stay", why);
			break;
		}
	}
	arena_free(a);
}

static void *
make_notices(void *arg)
{
	struct store_notices *p = arg;
	struct waiting *mine = mem_alloc(sizeof p->queue);
	deadline_t summaries = deadline_in(0), sweeps = deadline_in(0);
	bool look;

	while (!is_stopping(p)) {
		struct service_set *set = service_set(p->store->run);
		const struct store_conf *conf = set->conf;
		int64_t began = clock_wall();
		size_t count = take_queue(p, mine, &look);
		bool again = false;

		for (size_t i = 0; i < count && conf->notices != NULL; i++)
			again = handle(p, conf->notices, &mine[i]) || again;
		if (look)
			scan(p);
		else if (!again && count > 0)
			told_until(p, began, mine, count);
		if (conf->notices != NULL && deadline_left(summaries) == 0) {
			every_minute(p, conf->notices);
			if (!look && !again)
				told_until(p, began, mine, 0);
			summaries = deadline_in(SUMMARIES_S * 1000);
		}
		if (deadline_left(sweeps) == 0) {
			sweep_state(p);
			sweeps = deadline_in(SWEEP_S * 1000);
		}
		service_set_drop(set);
		wait_for_objects(p, again);
	}
	free(mine);
	return NULL;
}

/* --- the thread that sends them ------------------------------------------ */

static void
tell_sent(const struct notice_sent *sent, struct arena *a)
{
	struct log_line line;

	log_begin(&line, a, SLICE(""));
	log_pair(&line, "notice", sent->taken ? SLICE("sent") : sent->failed ?
	    SLICE("failed") : SLICE("waits"));
	log_pair(&line, "to", sent->recipient);
	log_pair(&line, "message-id", sent->message_id);
	log_end(&line, sent->reply);
}

/* True: there may be another at once. */
static bool
send_one(struct db *db, const struct notices *n)
{
	struct arena *a = arena_new();
	struct notice_sent sent = { .tried = false };
	struct slice why = SLICE("");
	bool more = false;

	if (notice_send(n, db, clock_wall(), a, &sent, &why) != RC_OK) {
		trouble("mails wait", why);
	} else if (sent.tried) {
		tell_sent(&sent, a);
		more = sent.taken || sent.failed;
		if (!more)
			trouble("Postfix takes no notices", sent.reply);
	}
	arena_free(a);
	return more;
}

static void *
send_notices(void *arg)
{
	struct store_notices *p = arg;
	struct arena *a = arena_new();
	struct slice why = SLICE("");
	struct db *db;

	if (state_open(p->path, DB_WRITE, &db, a, &why) != RC_OK) {
		trouble("no mails are sent", why);
		service_stop(p->store->run);
		arena_free(a);
		return NULL;
	}
	while (!is_stopping(p)) {
		struct service_set *set = service_set(p->store->run);
		const struct store_conf *conf = set->conf;
		bool more;

		pthread_mutex_lock(&p->lock);
		p->mails = false;
		pthread_mutex_unlock(&p->lock);
		more = conf->notices != NULL && send_one(db, conf->notices);
		service_set_drop(set);
		if (!more)
			wait_for_mails(p);
	}
	db_close(db);
	arena_free(a);
	return NULL;
}

/* --- start and stop ------------------------------------------------------ */

enum rc
notices_start(struct store *s, struct slice *why_r)
{
	struct store_notices *p = mem_alloc(sizeof *p);
	struct arena *a = s->run->arena;
	enum rc rc;

	memset(p, 0, sizeof *p);
	p->store = s;
	p->path = arena_printf(a, "%s/notices.db", s->run->folder).ptr;
	p->scan = true;
	pthread_mutex_init(&p->lock, NULL);
	pthread_mutex_init(&p->state_lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	rc = state_open(p->path, DB_WRITE, &p->state, a, why_r);
	if (rc != RC_OK) {
		free(p);
		return rc;
	}
	p->guard = guard_new();
	s->notices = p;
	if (pthread_create(&p->maker, NULL, make_notices, p) == 0 &&
	    pthread_create(&p->sender, NULL, send_notices, p) == 0)
		return RC_OK;
	*why_r = SLICE("cannot start a thread");
	return RC_RETRY;
}

/* Behind control_close: nobody asks any more. */
void
notices_stop(struct store *s)
{
	struct store_notices *p = s->notices;

	wake(p, &p->stopping);
	pthread_join(p->maker, NULL);
	pthread_join(p->sender, NULL);
	if (s->connections > 0)
		return;
	s->notices = NULL;
	db_close(p->state);
	guard_free(p->guard);
	free(p);
}
