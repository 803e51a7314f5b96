/*
 * Invariants:
 * 1. All of an ask but its budget is guarded by its lock, both arenas too.
 * 2. One thread at a time advances it (busy); whoever brings an answer
 *    meanwhile says so (again), and the busy one evaluates once more.
 * 3. The lock is not held while the resolver is asked: a warm answer comes in
 *    from inside dns_ask().
 * 4. Who holds a reference: the owner, and each question that is out.
 */
#include "spf_ask.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "spf_libspf2.h"

enum state { WANTED, ASKED, KNOWN };

struct question {
	struct question *next;
	struct spf_ask *ask;
	struct slice name;
	enum dns_type type;
	enum state state;
	struct dns_answer answer;
};

struct check {
	struct spf_query query;
	struct spf_answer answer;
	bool done;
};

struct spf_ask {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned references;
	struct dns_budget *budget;
	spf_evaluate *evaluate;
	struct arena *arena;		/* lives as long as this */
	struct arena *scratch;		/* of one evaluation */
	struct check checks[SPF_ASK_MAX];
	size_t nchecks;
	struct question *questions, **last;
	size_t nquestions;
	bool done, busy, again;
	bool late;			/* what is not known is silence */
};

const char *const spf_engine_names[] = { "own", "libspf2", NULL };

static struct question *
find(struct spf_ask *ask, struct slice name, enum dns_type type)
{
	struct question *q;

	for (q = ask->questions; q != NULL; q = q->next)
		if (q->type == type && slice_eq_nocase(q->name, name))
			break;
	return q;
}

static struct question *
want(struct spf_ask *ask, struct slice name, enum dns_type type)
{
	struct question *q = arena_alloc(ask->arena, sizeof *q);

	q->ask = ask;
	q->name = arena_copy(ask->arena, name);
	q->type = type;
	*ask->last = q;
	ask->last = &q->next;
	ask->nquestions++;
	return q;
}

/* The evaluators' lookup; the lock is held. */
static bool
lookup(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *answer_r)
{
	struct spf_ask *ask = arg;
	struct question *q = find(ask, name, type);

	if (q == NULL && ask->nquestions >= SPF_ASK_QUESTIONS) {
		*answer_r = (struct dns_answer){ .status = DNS_BUDGET };
		return true;
	}
	if (q == NULL && !ask->late)
		q = want(ask, name, type);
	if (q != NULL && q->state == KNOWN)
		*answer_r = q->answer;
	else
		*answer_r = (struct dns_answer){ .status = DNS_TIMEOUT };
	return ask->late || q->state == KNOWN;
}

static void
copy_answer(struct arena *a, const struct spf_answer *from,
    struct spf_answer *to)
{
	*to = *from;
	to->identity = arena_copy(a, from->identity);
	to->domain = arena_copy(a, from->domain);
	to->decided = arena_copy(a, from->decided);
	to->mechanism = arena_copy(a, from->mechanism);
	to->explanation = arena_copy(a, from->explanation);
	to->reason = arena_copy(a, from->reason);
}

/* All checks that are not done, with what is known; the lock is held. */
static void
evaluate(struct spf_ask *ask)
{
	bool done = true;

	for (size_t i = 0; i < ask->nchecks; i++) {
		struct check *c = &ask->checks[i];
		struct spf_answer answer;

		if (c->done)
			continue;
		arena_reset(ask->scratch);
		ask->evaluate(ask->scratch, &c->query, lookup, ask, &answer);
		c->done = answer.result != SPF_PENDING;
		if (c->done)
			copy_answer(ask->arena, &answer, &c->answer);
		done = done && c->done;
	}
	if (!done)
		return;
	ask->done = true;
	pthread_cond_broadcast(&ask->changed);
}

static void
drop(struct spf_ask *ask)
{
	bool last;

	pthread_mutex_lock(&ask->lock);
	last = --ask->references == 0;
	pthread_mutex_unlock(&ask->lock);
	if (!last)
		return;
	pthread_cond_destroy(&ask->changed);
	pthread_mutex_destroy(&ask->lock);
	arena_free(ask->scratch);
	arena_free(ask->arena);
	free(ask);
}

static void advance(struct spf_ask *ask);

static void
answered(const struct dns_answer *answer, void *arg)
{
	struct question *q = arg;
	struct spf_ask *ask = q->ask;

	pthread_mutex_lock(&ask->lock);
	dns_answer_copy(ask->arena, answer, &q->answer);
	q->state = KNOWN;
	pthread_mutex_unlock(&ask->lock);
	advance(ask);
	drop(ask);
}

/* Asks what is wanted since q; called with the lock, which it gives away
 * meanwhile. Questions are only ever added at the end. */
static void
ask_wanted(struct spf_ask *ask, struct question **q)
{
	for (; *q != NULL && !ask->done; q = &(*q)->next) {
		struct question *this = *q;

		if (this->state != WANTED)
			continue;
		this->state = ASKED;
		ask->references++;
		pthread_mutex_unlock(&ask->lock);
		dns_ask(ask->budget, this->name, this->type, answered, this);
		pthread_mutex_lock(&ask->lock);
	}
}

/* Evaluates and asks until there is nothing left but to wait. */
static void
advance(struct spf_ask *ask)
{
	pthread_mutex_lock(&ask->lock);
	ask->again = true;
	while (ask->again && !ask->busy && !ask->done) {
		ask->again = false;
		ask->busy = true;
		evaluate(ask);
		ask_wanted(ask, &ask->questions);
		ask->busy = false;
	}
	pthread_mutex_unlock(&ask->lock);
}

static void
copy_query(struct arena *a, const struct spf_query *from, struct spf_query *to)
{
	*to = *from;
	to->helo = arena_copy(a, from->helo);
	to->sender = arena_copy(a, from->sender);
	to->receiver = arena_copy(a, from->receiver);
}

struct spf_ask *
spf_ask_start(struct dns_budget *budget, const struct spf_query *queries,
    size_t count, enum spf_engine engine)
{
	struct spf_ask *ask = mem_alloc(sizeof *ask);
	pthread_condattr_t attr;

	*ask = (struct spf_ask){ .references = 1, .budget = budget,
	    .evaluate = engine == SPF_ENGINE_LIBSPF2 ? spf_libspf2_check :
	    spf_check, .arena = arena_new(), .scratch = arena_new(),
	    .nchecks = count < SPF_ASK_MAX ? count : SPF_ASK_MAX };
	ask->last = &ask->questions;
	pthread_mutex_init(&ask->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&ask->changed, &attr);
	pthread_condattr_destroy(&attr);
	for (size_t i = 0; i < ask->nchecks; i++)
		copy_query(ask->arena, &queries[i], &ask->checks[i].query);
	advance(ask);
	return ask;
}

/* False when the deadline came first; the lock is held. */
static bool
wait_changed(struct spf_ask *ask, deadline_t until)
{
	int64_t left = deadline_left(until);
	struct timespec at;

	if (left <= 0)
		return false;
	if (until == DEADLINE_NEVER) {
		pthread_cond_wait(&ask->changed, &ask->lock);
		return true;
	}
	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += left / 1000;
	at.tv_nsec += left % 1000 * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	pthread_cond_timedwait(&ask->changed, &ask->lock, &at);
	return true;
}

int64_t
spf_ask_wait(struct spf_ask *ask, deadline_t until, struct arena *a,
    struct spf_answer *answers_r)
{
	int64_t waited = 0, begin;

	pthread_mutex_lock(&ask->lock);
	if (!ask->done) {
		begin = clock_mono_us();
		while (!ask->done && wait_changed(ask, until))
			continue;
		ask->late = true;
		if (!ask->done)
			evaluate(ask);
		waited = clock_mono_us() - begin;
	}
	for (size_t i = 0; i < ask->nchecks; i++)
		copy_answer(a, &ask->checks[i].answer, &answers_r[i]);
	pthread_mutex_unlock(&ask->lock);
	return waited;
}

void
spf_ask_free(struct spf_ask *ask)
{
	if (ask == NULL)
		return;
	pthread_mutex_lock(&ask->lock);
	ask->done = true;		/* asks nothing more */
	pthread_mutex_unlock(&ask->lock);
	drop(ask);
}

void
spf_query_run(struct dns_budget *budget, const struct spf_query *query,
    enum spf_engine engine, deadline_t until, struct arena *a,
    struct spf_answer *answer_r)
{
	struct spf_ask *ask = spf_ask_start(budget, query, 1, engine);

	spf_ask_wait(ask, until, a, answer_r);
	spf_ask_free(ask);
}
