/*
 * Invariants:
 * 1. All of an asking but its budget is guarded by its lock, both arenas too.
 * 2. One thread at a time advances it (busy); whoever brings an answer
 *    meanwhile says so (again), and the busy one evaluates once more.
 * 3. The lock is not held while the resolver is asked: a warm answer comes in
 *    from inside dns_ask().
 * 4. Who holds a reference: the owner, and each question that is out.
 */
#include "net/asking.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum state { WANTED, ASKED, KNOWN };

struct question {
	struct question *next;
	struct asking *asking;
	struct slice name;
	enum dns_type type;
	enum state state;
	bool ahead;			/* wanted whatever the checks say */
	struct dns_answer answer;
};

struct asking_task {
	struct asking_task *next;
	asking_check *check;
	void *state;
	bool done;
};

struct asking {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned references;
	struct dns_budget *budget;
	struct arena *arena;		/* lives as long as this */
	struct arena *scratch;		/* of one call of a check */
	struct asking_task *tasks, **last_task;
	struct question *questions, **last;
	unsigned nquestions, max;
	bool done, closed, busy, again;
	bool late;			/* what is not known is silence */
};

static struct question *
find(struct asking *k, struct slice name, enum dns_type type)
{
	struct question *q;

	for (q = k->questions; q != NULL; q = q->next)
		if (q->type == type && slice_eq_nocase(q->name, name))
			break;
	return q;
}

/* The question, new or not; NULL: there were too many. */
static struct question *
want(struct asking *k, struct slice name, enum dns_type type)
{
	struct question *q = find(k, name, type);

	if (q != NULL || k->nquestions >= k->max)
		return q;
	q = arena_alloc(k->arena, sizeof *q);
	q->asking = k;
	q->name = arena_copy(k->arena, name);
	q->type = type;
	*k->last = q;
	k->last = &q->next;
	k->nquestions++;
	return q;
}

/* The checks' lookup; the lock is held. */
static bool
lookup(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *answer_r)
{
	struct asking *k = arg;
	struct question *q = k->late ? find(k, name, type) :
	    want(k, name, type);

	if (q != NULL && q->state == KNOWN)
		*answer_r = q->answer;
	else
		*answer_r = (struct dns_answer){ .status = q == NULL &&
		    k->nquestions >= k->max ? DNS_BUDGET : DNS_TIMEOUT };
	return k->late || q == NULL || q->state == KNOWN;
}

/* Nothing to wait for any more? The lock is held. */
static bool
settled(const struct asking *k)
{
	for (const struct asking_task *t = k->tasks; t != NULL; t = t->next)
		if (!t->done)
			return false;
	for (const struct question *q = k->questions; q != NULL; q = q->next)
		if (q->ahead && q->state != KNOWN)
			return false;
	return true;
}

/* All checks that are not done, with what is known; the lock is held. */
static void
evaluate(struct asking *k)
{
	for (struct asking_task *t = k->tasks; t != NULL; t = t->next) {
		if (t->done)
			continue;
		arena_reset(k->scratch);
		t->done = t->check(k->scratch, k->arena, lookup, k, t->state);
	}
	k->done = settled(k);
	if (k->done)
		pthread_cond_broadcast(&k->changed);
}

static void
drop(struct asking *k)
{
	bool last;

	pthread_mutex_lock(&k->lock);
	last = --k->references == 0;
	pthread_mutex_unlock(&k->lock);
	if (!last)
		return;
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	arena_free(k->scratch);
	arena_free(k->arena);
	free(k);
}

static void advance(struct asking *k);

static void
answered(const struct dns_answer *answer, void *arg)
{
	struct question *q = arg;
	struct asking *k = q->asking;

	pthread_mutex_lock(&k->lock);
	dns_answer_copy(k->arena, answer, &q->answer);
	q->state = KNOWN;
	pthread_mutex_unlock(&k->lock);
	advance(k);
	drop(k);
}

/* Asks what is wanted; called with the lock, which it gives away meanwhile.
 * Questions are only ever added at the end. */
static void
ask_wanted(struct asking *k)
{
	for (struct question *q = k->questions; q != NULL && !k->done &&
	    !k->closed; q = q->next) {
		if (q->state != WANTED)
			continue;
		q->state = ASKED;
		k->references++;
		pthread_mutex_unlock(&k->lock);
		dns_ask(k->budget, q->name, q->type, answered, q);
		pthread_mutex_lock(&k->lock);
	}
}

/* Evaluates and asks until there is nothing left but to wait. */
static void
advance(struct asking *k)
{
	pthread_mutex_lock(&k->lock);
	k->again = true;
	while (k->again && !k->busy && !k->done && !k->closed) {
		k->again = false;
		k->busy = true;
		evaluate(k);
		ask_wanted(k);
		k->busy = false;
	}
	pthread_mutex_unlock(&k->lock);
}

struct asking *
asking_new(struct dns_budget *budget, unsigned questions)
{
	struct asking *k = mem_alloc(sizeof *k);
	pthread_condattr_t attr;

	*k = (struct asking){ .references = 1, .budget = budget,
	    .max = questions, .arena = arena_new(), .scratch = arena_new(),
	    .done = true };
	k->last = &k->questions;
	k->last_task = &k->tasks;
	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->changed, &attr);
	pthread_condattr_destroy(&attr);
	return k;
}

void
asking_want(struct asking *k, struct slice name, enum dns_type type)
{
	struct question *q;

	pthread_mutex_lock(&k->lock);
	q = want(k, name, type);
	if (q != NULL)
		q->ahead = true;
	k->done = settled(k);
	pthread_mutex_unlock(&k->lock);
	advance(k);
}

struct asking_task *
asking_add(struct asking *k, asking_check *check, void *state)
{
	struct asking_task *t;

	pthread_mutex_lock(&k->lock);
	t = arena_alloc(k->arena, sizeof *t);
	t->check = check;
	t->state = state;
	*k->last_task = t;
	k->last_task = &t->next;
	k->done = false;
	pthread_mutex_unlock(&k->lock);
	advance(k);
	return t;
}

void
asking_again(struct asking *k, struct asking_task *task, void *state)
{
	pthread_mutex_lock(&k->lock);
	task->state = state;
	task->done = false;
	k->done = false;
	pthread_mutex_unlock(&k->lock);
	advance(k);
}

/* False when the deadline came first; the lock is held. */
static bool
wait_changed(struct asking *k, deadline_t until)
{
	int64_t left = deadline_left(until);
	struct timespec at;

	if (left <= 0)
		return false;
	if (until == DEADLINE_NEVER) {
		pthread_cond_wait(&k->changed, &k->lock);
		return true;
	}
	at = deadline_timespec(until);
	pthread_cond_timedwait(&k->changed, &k->lock, &at);
	return true;
}

/* The time is over; the lock is held. */
static void
finish(struct asking *k)
{
	k->late = true;
	evaluate(k);
	k->late = false;
	k->done = true;
}

int64_t
asking_wait(struct asking *k, deadline_t until)
{
	int64_t waited = 0, begin;

	pthread_mutex_lock(&k->lock);
	if (!k->done) {
		begin = clock_mono_us();
		while (!k->done && wait_changed(k, until))
			continue;
		if (!k->done)
			finish(k);
		waited = clock_mono_us() - begin;
	}
	pthread_mutex_unlock(&k->lock);
	return waited;
}

const struct dns_answer *
asking_answer(struct asking *k, struct slice name, enum dns_type type)
{
	const struct dns_answer *answer = NULL;
	struct question *q;

	pthread_mutex_lock(&k->lock);
	q = find(k, name, type);
	if (q != NULL && q->state == KNOWN)
		answer = &q->answer;
	pthread_mutex_unlock(&k->lock);
	return answer;
}

void
asking_free(struct asking *k)
{
	if (k == NULL)
		return;
	pthread_mutex_lock(&k->lock);
	k->closed = true;		/* asks nothing more */
	pthread_mutex_unlock(&k->lock);
	drop(k);
}
