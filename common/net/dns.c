/*
 * A question goes through these hands:
 *
 *   dns_ask	warm: answered on the caller's thread, from the cache
 *		cold: joins the flight of its name and type, or starts one
 *   our thread	gives new flights to libunbound, takes its answers, keeps
 *		them, calls back; ends what waited too long
 *   libunbound	its own thread talks to the resolver
 *
 * Invariants:
 * 1. Only our thread speaks with libunbound after dns_open.
 * 2. A waiter hangs in three lists (its flight, its budget, all), guarded by
 *    dns->lock. Who takes it out of them under that lock calls it back, so it
 *    is called once. No lock is held while it is called.
 * 3. budget->running counts the calls of a budget that are under way; it goes
 *    up under the lock under which the waiter is taken, so whoever saw no
 *    waiter and then no running call has seen the end.
 * 4. The cache holds an answer before its flight is gone, so that a question
 *    never falls between the two and goes out twice.
 * 5. Order of locks: dns->lock, then budget->lock or the cache's own.
 *
 * A flight that nobody waits for any more still ends in the cache: libunbound
 * cannot take a question back, and the next who asks shall profit.
 */
#include "net/dns.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "base/map.h"
#include "base/thread.h"
#include "net/dns-answer.h"
#include "net/dns-cache.h"
#include "net/dns-ub.h"

enum {
	FLIGHTS_MAX = 16384,		/* questions out at once */
	TICK_MS = 16,			/* deadlines are met this precisely */
	SERVFAIL_MS = 1000,		/* so long a failure is believed */
};

struct waiter {
	LIST_ENTRY(waiter) of_flight, of_budget, of_all;
	LIST_ENTRY(waiter) taken;
	struct flight *flight;
	struct dns_budget *budget;
	dns_callback *done;
	void *arg;
	deadline_t until;
};

LIST_HEAD(waiters, waiter);

struct flight {
	STAILQ_ENTRY(flight) queue;
	LIST_ENTRY(flight) of_all;
	struct dns *dns;
	struct waiters waiters;
	enum dns_type type;
	size_t key_len;
	char key[DNS_KEY_MAX];
};

STAILQ_HEAD(queue, flight);
LIST_HEAD(flights, flight);

struct dns {
	struct ub_ctx *ub;
	struct dns_cache *cache;
	struct dns_conf conf;
	pthread_t thread;
	int wake;			/* eventfd */
	atomic_uint holders;		/* who opened it, and each budget */

	pthread_mutex_t lock;		/* for all that follows */
	struct map *by_key;		/* of flights */
	struct flights flights;
	struct queue fresh;		/* not yet given to libunbound */
	struct waiters waiters;
	deadline_t next;		/* no waiter's deadline is sooner */
	bool closing, broken;
};

struct dns_budget {
	struct dns *dns;
	deadline_t until;
	atomic_uint asked;
	struct waiters waiters;		/* under dns->lock */

	pthread_mutex_t lock;		/* for all that follows */
	pthread_cond_t idle;
	unsigned left, running;
	bool cancelled, freed;
};

/* Callbacks that this thread is inside of: it must not wait for others. */
static _Thread_local unsigned depth;

static void
dns_drop(struct dns *dns)
{
	if (atomic_fetch_sub(&dns->holders, 1) != 1)
		return;
	dns_cache_free(dns->cache);
	map_free(dns->by_key);
	pthread_mutex_destroy(&dns->lock);
	close(dns->wake);
	free(dns);
}

static void
wake(struct dns *dns)
{
	uint64_t one = 1;

	/* Fails only when the counter is full: then it is awake anyway. */
	if (write(dns->wake, &one, sizeof one) < 0)
		return;
}

/* -- budgets -- */

struct dns_budget *
dns_budget_new(struct dns *dns, unsigned questions, deadline_t until)
{
	struct dns_budget *b = mem_alloc(sizeof *b);

	atomic_fetch_add(&dns->holders, 1);
	b->dns = dns;
	b->until = until;
	b->left = questions;
	atomic_init(&b->asked, 0);
	LIST_INIT(&b->waiters);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->idle, NULL);
	return b;
}

unsigned
dns_budget_asked(const struct dns_budget *b)
{
	return atomic_load(&b->asked);
}

static void
budget_destroy(struct dns_budget *b)
{
	struct dns *dns = b->dns;

	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->idle);
	free(b);
	dns_drop(dns);
}

/* A call begins; false when the budget was cancelled. */
static bool
budget_enter(struct dns_budget *b)
{
	bool good;

	pthread_mutex_lock(&b->lock);
	good = !b->cancelled;
	b->running++;
	pthread_mutex_unlock(&b->lock);
	return good;
}

static void
budget_leave(struct dns_budget *b)
{
	bool last;

	pthread_mutex_lock(&b->lock);
	last = --b->running == 0;
	if (last)
		pthread_cond_broadcast(&b->idle);
	last = last && b->freed;
	pthread_mutex_unlock(&b->lock);
	if (last)
		budget_destroy(b);
}

/* DNS_OK when it may ask one question more. */
static enum dns_status
budget_take(struct dns_budget *b)
{
	enum dns_status status = DNS_OK;

	pthread_mutex_lock(&b->lock);
	if (b->cancelled)
		status = DNS_CANCELLED;
	else if (b->left == 0 || deadline_left(b->until) == 0)
		status = DNS_BUDGET;
	else
		b->left--;
	pthread_mutex_unlock(&b->lock);
	if (status == DNS_OK)
		atomic_fetch_add(&b->asked, 1);
	return status;
}

/* Calls back; a budget_enter went before. */
static void
call(struct dns_budget *b, const struct dns_answer *answer,
    dns_callback *done, void *arg)
{
	depth++;
	done(answer, arg);
	depth--;
	budget_leave(b);
}

static bool
call_plain(struct dns_budget *b, enum dns_status status, dns_callback *done,
    void *arg)
{
	struct dns_answer answer = { .status = status };

	if (!budget_enter(b))
		answer.status = DNS_CANCELLED;
	call(b, &answer, done, arg);
	return true;
}

/* -- waiters: under dns->lock -- */

static void
waiter_take(struct waiter *w, struct waiters *taken)
{
	budget_enter(w->budget);
	LIST_REMOVE(w, of_flight);
	LIST_REMOVE(w, of_budget);
	LIST_REMOVE(w, of_all);
	LIST_INSERT_HEAD(taken, w, taken);
}

/* Without a lock. */
static void
waiters_call(struct waiters *taken, const struct dns_answer *answer)
{
	while (!LIST_EMPTY(taken)) {
		struct waiter *w = LIST_FIRST(taken);

		LIST_REMOVE(w, taken);
		call(w->budget, answer, w->done, w->arg);
		free(w);
	}
}

static void
waiters_call_plain(struct waiters *taken, enum dns_status status)
{
	struct dns_answer answer = { .status = status };

	waiters_call(taken, &answer);
}

static void
waiter_add(struct flight *f, struct dns_budget *b, dns_callback *done,
    void *arg)
{
	struct dns *dns = f->dns;
	struct waiter *w = mem_alloc(sizeof *w);

	w->flight = f;
	w->budget = b;
	w->done = done;
	w->arg = arg;
	w->until = deadline_earlier(b->until,
	    deadline_in(dns->conf.timeout_ms));
	LIST_INSERT_HEAD(&f->waiters, w, of_flight);
	LIST_INSERT_HEAD(&b->waiters, w, of_budget);
	LIST_INSERT_HEAD(&dns->waiters, w, of_all);
	if (w->until < dns->next) {
		dns->next = w->until;
		wake(dns);
	}
}

void
dns_budget_cancel(struct dns_budget *b)
{
	struct waiters taken = LIST_HEAD_INITIALIZER(taken);

	pthread_mutex_lock(&b->lock);
	b->cancelled = true;
	pthread_mutex_unlock(&b->lock);
	pthread_mutex_lock(&b->dns->lock);
	while (!LIST_EMPTY(&b->waiters))
		waiter_take(LIST_FIRST(&b->waiters), &taken);
	pthread_mutex_unlock(&b->dns->lock);
	waiters_call_plain(&taken, DNS_CANCELLED);
	if (depth > 0)
		return;
	pthread_mutex_lock(&b->lock);
	while (b->running > 0)
		pthread_cond_wait(&b->idle, &b->lock);
	pthread_mutex_unlock(&b->lock);
}

void
dns_budget_free(struct dns_budget *b)
{
	bool idle;

	if (b == NULL)
		return;
	dns_budget_cancel(b);
	pthread_mutex_lock(&b->lock);
	b->freed = true;
	idle = b->running == 0;
	pthread_mutex_unlock(&b->lock);
	if (idle)
		budget_destroy(b);
}

/* -- flights: under dns->lock -- */

static struct slice
flight_key(const struct flight *f)
{
	return slice_make(f->key, f->key_len);
}

static struct flight *
flight_new(struct dns *dns, struct slice key, enum dns_type type)
{
	struct flight *f = mem_alloc(sizeof *f);

	f->dns = dns;
	f->type = type;
	f->key_len = key.len;
	memcpy(f->key, key.ptr, key.len);
	LIST_INIT(&f->waiters);
	map_put(dns->by_key, key, f);
	LIST_INSERT_HEAD(&dns->flights, f, of_all);
	if (STAILQ_EMPTY(&dns->fresh))
		wake(dns);
	STAILQ_INSERT_TAIL(&dns->fresh, f, queue);
	return f;
}

static void
flight_free(struct flight *f)
{
	map_remove(f->dns->by_key, flight_key(f));
	LIST_REMOVE(f, of_all);
	free(f);
}

/* Takes the flight out of the air and its waiters with it. */
static void
flight_land(struct flight *f, struct waiters *taken)
{
	while (!LIST_EMPTY(&f->waiters))
		waiter_take(LIST_FIRST(&f->waiters), taken);
	flight_free(f);
}

/* How long it may be kept. A failure for a second: long enough to hold off a
 * storm of the same question, short enough for a sender to try again. */
static int64_t
lifetime(const struct dns *dns, const struct dns_answer *answer)
{
	unsigned ttl = answer->ttl;

	if (answer->status == DNS_SERVFAIL)
		return SERVFAIL_MS;
	return 1000 * (int64_t)(ttl < dns->conf.ttl_max ? ttl :
	    dns->conf.ttl_max);
}

/* Keeps the answer (and drops it), calls back. On our thread, no lock. */
static void
flight_done(struct flight *f, struct answer *answer)
{
	struct waiters taken = LIST_HEAD_INITIALIZER(taken);
	struct dns *dns = f->dns;
	const struct dns_answer *public = answer_public(answer);

	pthread_mutex_lock(&dns->lock);
	dns_cache_put(dns->cache, flight_key(f), answer,
	    lifetime(dns, public));
	flight_land(f, &taken);
	pthread_mutex_unlock(&dns->lock);
	waiters_call(&taken, public);
	answer_drop(answer);
}

/* -- asking -- */

static bool
call_warm(struct dns_budget *b, struct answer *held, unsigned ttl,
    dns_callback *done, void *arg)
{
	struct dns_answer answer = *answer_public(held);

	answer.ttl = ttl;
	if (!budget_enter(b))
		answer = (struct dns_answer){ .status = DNS_CANCELLED };
	call(b, &answer, done, arg);
	answer_drop(held);
	return true;
}

/* Under dns->lock: DNS_OK when a waiter was added, else what to answer. */
static enum dns_status
ask_cold(struct dns_budget *b, struct slice key, enum dns_type type,
    dns_callback *done, void *arg)
{
	struct dns *dns = b->dns;
	struct flight *f = map_get(dns->by_key, key);
	enum dns_status status;

	if (dns->closing)
		return DNS_CANCELLED;
	if (dns->broken)
		return DNS_SERVFAIL;
	if (f == NULL && map_count(dns->by_key) >= FLIGHTS_MAX)
		return DNS_TIMEOUT;
	status = budget_take(b);
	if (status != DNS_OK)
		return status;
	if (f == NULL)
		f = flight_new(dns, key, type);
	waiter_add(f, b, done, arg);
	return DNS_OK;
}

bool
dns_ask(struct dns_budget *b, struct slice name, enum dns_type type,
    dns_callback *done, void *arg)
{
	struct dns *dns = b->dns;
	char bytes[DNS_KEY_MAX];
	struct slice key = { bytes, dns_key(name, type, bytes) };
	enum dns_status status = DNS_OK;
	struct answer *held;
	unsigned ttl;

	if (key.len == 0)
		return call_plain(b, DNS_NXDOMAIN, done, arg);
	held = dns_cache_get(dns->cache, key, &ttl);
	if (held != NULL)
		return call_warm(b, held, ttl, done, arg);
	pthread_mutex_lock(&dns->lock);
	/* A flight may have landed since (invariant 4). */
	if (map_get(dns->by_key, key) == NULL)
		held = dns_cache_get(dns->cache, key, &ttl);
	if (held == NULL)
		status = ask_cold(b, key, type, done, arg);
	pthread_mutex_unlock(&dns->lock);
	if (held != NULL)
		return call_warm(b, held, ttl, done, arg);
	return status != DNS_OK && call_plain(b, status, done, arg);
}

/* What dns_wait waits for. */
struct wait {
	pthread_mutex_t lock;
	pthread_cond_t come;
	bool done;
	struct arena *arena;
	struct dns_answer *answer;
};

static void
wait_done(const struct dns_answer *answer, void *arg)
{
	struct wait *wait = arg;

	pthread_mutex_lock(&wait->lock);
	dns_answer_copy(wait->arena, answer, wait->answer);
	wait->done = true;
	pthread_cond_signal(&wait->come);
	pthread_mutex_unlock(&wait->lock);
}

void
dns_wait(struct dns_budget *b, struct slice name, enum dns_type type,
    struct arena *a, struct dns_answer *answer_r)
{
	struct wait wait = { .arena = a, .answer = answer_r };

	pthread_mutex_init(&wait.lock, NULL);
	pthread_cond_init(&wait.come, NULL);
	/* Its own deadline ends every question: this cannot wait for ever. */
	dns_ask(b, name, type, wait_done, &wait);
	pthread_mutex_lock(&wait.lock);
	while (!wait.done)
		pthread_cond_wait(&wait.come, &wait.lock);
	pthread_mutex_unlock(&wait.lock);
	pthread_cond_destroy(&wait.come);
	pthread_mutex_destroy(&wait.lock);
}

/* -- our thread -- */

static void
answered(void *arg, int err, struct ub_result *result)
{
	struct flight *f = arg;
	struct answer *answer = dns_ub_answer(f->type, err, result);

	ub_resolve_free(result);
	flight_done(f, answer);
}

/* The next flight to give to libunbound. One whose waiters have all gone is
 * not worth the question. */
static struct flight *
fresh_next(struct dns *dns)
{
	struct flight *f;

	pthread_mutex_lock(&dns->lock);
	while ((f = STAILQ_FIRST(&dns->fresh)) != NULL) {
		STAILQ_REMOVE_HEAD(&dns->fresh, queue);
		if (!LIST_EMPTY(&f->waiters))
			break;
		flight_free(f);
	}
	pthread_mutex_unlock(&dns->lock);
	return f;
}

static void
give_fresh(struct dns *dns)
{
	struct flight *f;

	while ((f = fresh_next(dns)) != NULL) {
		char name[DNS_ESCAPED_MAX];

		dns_escape(flight_key(f), name);
		if (ub_resolve_async(dns->ub, name, f->type, 1, f, answered,
		    NULL) != 0)
			flight_done(f, answer_plain(DNS_SERVFAIL));
	}
}

/* Ends what waited too long; the flights go on. */
static void
expire(struct dns *dns)
{
	struct waiters taken = LIST_HEAD_INITIALIZER(taken);
	int64_t now = clock_mono();
	struct waiter *w, *after;

	pthread_mutex_lock(&dns->lock);
	if (dns->next <= now) {
		dns->next = DEADLINE_NEVER;
		for (w = LIST_FIRST(&dns->waiters); w != NULL; w = after) {
			after = LIST_NEXT(w, of_all);
			if (w->until <= now)
				waiter_take(w, &taken);
			else
				dns->next = deadline_earlier(dns->next,
				    w->until);
		}
	}
	pthread_mutex_unlock(&dns->lock);
	waiters_call_plain(&taken, DNS_TIMEOUT);
}

/* libunbound's thread is gone: no answer will come for what is out. */
static void
give_up(struct dns *dns)
{
	struct waiters taken = LIST_HEAD_INITIALIZER(taken);

	pthread_mutex_lock(&dns->lock);
	dns->broken = true;
	while (!LIST_EMPTY(&dns->flights))
		flight_land(LIST_FIRST(&dns->flights), &taken);
	STAILQ_INIT(&dns->fresh);
	pthread_mutex_unlock(&dns->lock);
	waiters_call_plain(&taken, DNS_SERVFAIL);
}

/* Milliseconds to sleep; -1: until something comes; -2: it is time to end.
 * Deadlines are rounded up to a tick, so that many of them are one walk. */
static int
time_to_sleep(struct dns *dns)
{
	int64_t ms = -1;

	pthread_mutex_lock(&dns->lock);
	if (dns->closing)
		ms = -2;
	else if (!STAILQ_EMPTY(&dns->fresh))
		ms = 0;
	else if (dns->next != DEADLINE_NEVER)
		ms = deadline_left(dns->next) / TICK_MS * TICK_MS + TICK_MS;
	pthread_mutex_unlock(&dns->lock);
	return ms > 60000 ? 60000 : (int)ms;
}

static void *
run(void *arg)
{
	struct dns *dns = arg;
	struct pollfd fds[2] = {
		{ .fd = dns->wake, .events = POLLIN },
		{ .fd = ub_fd(dns->ub), .events = POLLIN },
	};
	int ms;

	while ((ms = time_to_sleep(dns)) != -2) {
		uint64_t count;

		if (poll(fds, 2, ms) < 0)
			continue;
		if (fds[0].revents != 0 &&
		    read(dns->wake, &count, sizeof count) < 0)
			continue;
		give_fresh(dns);
		if (fds[1].revents != 0 && ub_process(dns->ub) != 0) {
			give_up(dns);
			fds[1].fd = -1;
		}
		expire(dns);
	}
	return NULL;
}

/* -- opening and closing -- */

static struct dns *
dns_new(struct ub_ctx *ub, const struct dns_conf *conf)
{
	struct dns *dns = mem_alloc(sizeof *dns);

	dns->ub = ub;
	dns->conf = *conf;
	dns->conf.resolver = NULL;	/* the caller's bytes */
	dns->cache = dns_cache_new(conf->cache_entries);
	dns->by_key = map_new();
	dns->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	dns->next = DEADLINE_NEVER;
	LIST_INIT(&dns->flights);
	LIST_INIT(&dns->waiters);
	STAILQ_INIT(&dns->fresh);
	atomic_init(&dns->holders, 1);
	pthread_mutex_init(&dns->lock, NULL);
	return dns;
}

struct dns *
dns_open(const struct dns_conf *conf, struct arena *a, struct slice *why_r)
{
	struct ub_ctx *ub = dns_ub_open(conf, a, why_r);
	struct dns *dns;

	if (ub == NULL)
		return NULL;
	dns = dns_new(ub, conf);
	if (dns->wake >= 0 && thread_start(&dns->thread, run, dns))
		return dns;
	*why_r = SLICE("cannot start the resolver's thread");
	ub_ctx_delete(ub);
	dns_drop(dns);
	return NULL;
}

void
dns_close(struct dns *dns)
{
	struct waiters taken = LIST_HEAD_INITIALIZER(taken);

	if (dns == NULL)
		return;
	pthread_mutex_lock(&dns->lock);
	dns->closing = true;
	pthread_mutex_unlock(&dns->lock);
	wake(dns);
	pthread_join(dns->thread, NULL);
	ub_ctx_delete(dns->ub);
	pthread_mutex_lock(&dns->lock);
	while (!LIST_EMPTY(&dns->flights))
		flight_land(LIST_FIRST(&dns->flights), &taken);
	pthread_mutex_unlock(&dns->lock);
	waiters_call_plain(&taken, DNS_CANCELLED);
	dns_drop(dns);
}
