#include "backend_ask.h"

#include <stdlib.h>

#include "backend.h"
#include "base/thread.h"
#include "decide.h"
#include "log/log.h"

enum { BACKENDS = 8, SILENCES = 3, AWAY_MS = 10000, WARN_MS = 60000,
    LATE_MS = 20 };

/* One message for one of them. Two hold it: who asks, and the queue. */
struct task {
	struct task *next;
	struct arena *arena;
	struct backend_request request;
	deadline_t until;
	unsigned holders;
	bool asked, done;
	enum rc rc;
	struct backend_answer answer;
	struct slice why;
};

struct backend {
	struct backend_spec spec;
	pthread_mutex_t lock;		/* of all that follows */
	pthread_cond_t work, finished;
	struct task *first, **last;
	pthread_t *threads;
	unsigned nthreads, most, idle, queued;
	bool ending;
	unsigned silences;		/* in a row */
	deadline_t away;		/* not asked before that */
	deadline_t warned;
};

struct backends {
	struct arena *arena;
	struct backend each[BACKENDS];
	size_t count;
};

struct backends_asked {
	struct backends *backends;
	struct task *tasks[BACKENDS];	/* NULL: it is away */
};

/* ---- entries ---- */

static enum rc
read_specs(const struct conf_list *entries, struct backend_spec *specs,
    struct arena *a, struct slice *why_r)
{
	for (size_t i = 0; i < entries->count; i++) {
		enum rc rc = backend_read(entries->items[i], &specs[i], a,
		    why_r);

		if (rc != RC_OK)
			return rc;
		for (size_t j = 0; j < i; j++) {
			if (!slice_eq(specs[j].name, specs[i].name))
				continue;
			*why_r = arena_printf(a, "backends has two named "
			    "%.*s; give one a name, as \"second=%.*s\"",
			    SLICE_ARG(specs[i].name),
			    SLICE_ARG(entries->items[i]));
			return RC_BAD;
		}
	}
	return RC_OK;
}

enum rc
backends_check(const struct conf_list *entries, struct arena *a,
    struct slice *why_r)
{
	struct backend_spec specs[BACKENDS];

	return read_specs(entries, specs, a, why_r);
}

/* ---- the threads of one ---- */

/* The lock is held. */
static void
let_go(struct task *t)
{
	if (--t->holders == 0) {
		arena_free(t->arena);
		free(t);
	}
}

/* The lock is held. */
static struct task *
take(struct backend *b)
{
	struct task *t = b->first;

	b->first = t->next;
	b->queued--;
	if (b->first == NULL)
		b->last = &b->first;
	return t;
}

static void
run(const struct backend *b, struct http *http, struct task *t)
{
	t->rc = RC_RETRY;
	t->why = SLICE("all its connections are taken");
	t->asked = deadline_left(t->until) > 0;
	if (t->asked)
		t->rc = backend_talk(&b->spec, http, &t->request, t->until,
		    t->arena, &t->answer, &t->why);
}

/* The lock is held. */
static void
count_silence(struct backend *b, const struct task *t)
{
	if (t->rc == RC_OK)
		b->silences = 0;
	else if (t->asked && deadline_left(t->until) < LATE_MS &&
	    ++b->silences >= SILENCES)
		b->away = deadline_in(AWAY_MS);
}

static void *
work(void *arg)
{
	struct backend *b = arg;
	struct http *http = b->spec.kind == BACKEND_RSPAMD ?
	    http_new(b->spec.host, b->spec.port, NULL) : NULL;

	pthread_mutex_lock(&b->lock);
	for (;;) {
		struct task *t = b->first;

		if (t == NULL && b->ending)
			break;
		if (t == NULL) {
			b->idle++;
			pthread_cond_wait(&b->work, &b->lock);
			b->idle--;
			continue;
		}
		take(b);
		/* Nobody waits for it any more. */
		if (t->holders == 1) {
			let_go(t);
			continue;
		}
		pthread_mutex_unlock(&b->lock);
		run(b, http, t);
		pthread_mutex_lock(&b->lock);
		count_silence(b, t);
		t->done = true;
		pthread_cond_broadcast(&b->finished);
		let_go(t);
	}
	pthread_mutex_unlock(&b->lock);
	http_free(http);
	return NULL;
}

/* The lock is held. A thread for it, unless one is free for each that waits, or
 * there are enough. */
static void
need_thread(struct backend *b)
{
	if (b->queued > b->idle && b->nthreads < b->most &&
	    thread_start(&b->threads[b->nthreads], work, b))
		b->nthreads++;
}

static void
open_one(struct backend *b, const struct backend_spec *spec, unsigned most,
    struct arena *a)
{
	pthread_condattr_t attr;

	*b = (struct backend){ .spec = *spec, .most = most };
	b->last = &b->first;
	b->threads = arena_array(a, most, sizeof *b->threads);
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&b->work, NULL);
	pthread_cond_init(&b->finished, &attr);
	pthread_condattr_destroy(&attr);
}

enum rc
backends_open(const struct antispam_conf *conf, struct backends **backends_r,
    struct arena *a, struct slice *why_r)
{
	struct backend_spec specs[BACKENDS];
	struct backends *s;

	*backends_r = NULL;
	if (conf->backends.count == 0)
		return RC_OK;
	s = mem_alloc(sizeof *s);
	*s = (struct backends){ .arena = arena_new(),
	    .count = conf->backends.count };
	*backends_r = s;
	if (read_specs(&conf->backends, specs, s->arena, why_r) != RC_OK) {
		*why_r = arena_copy(a, *why_r);
		s->count = 0;
		return RC_BAD;
	}
	for (size_t i = 0; i < s->count; i++)
		open_one(&s->each[i], &specs[i], conf->backend_connections,
		    s->arena);
	return RC_OK;
}

static void
close_one(struct backend *b)
{
	pthread_mutex_lock(&b->lock);
	b->ending = true;
	pthread_cond_broadcast(&b->work);
	pthread_mutex_unlock(&b->lock);
	for (unsigned i = 0; i < b->nthreads; i++)
		pthread_join(b->threads[i], NULL);
	while (b->first != NULL)	/* no thread could be had */
		let_go(take(b));
	pthread_cond_destroy(&b->work);
	pthread_cond_destroy(&b->finished);
	pthread_mutex_destroy(&b->lock);
}

void
backends_close(struct backends *backends)
{
	if (backends == NULL)
		return;
	for (size_t i = 0; i < backends->count; i++)
		close_one(&backends->each[i]);
	arena_free(backends->arena);
	free(backends);
}

/* ---- one message ---- */

static struct task *
ask_one(struct backend *b, const struct job *job, deadline_t until)
{
	struct task *t;
	bool away;

	pthread_mutex_lock(&b->lock);
	away = deadline_left(b->away) > 0;
	pthread_mutex_unlock(&b->lock);
	if (away)
		return NULL;
	t = mem_alloc(sizeof *t);
	*t = (struct task){ .arena = arena_new(), .until = until,
	    .holders = 2 };
	backend_request(&b->spec, job, t->arena, &t->request);
	pthread_mutex_lock(&b->lock);
	*b->last = t;
	b->last = &t->next;
	b->queued++;
	need_thread(b);
	pthread_cond_signal(&b->work);
	pthread_mutex_unlock(&b->lock);
	return t;
}

/* Whoever is not waited for to the end must still be let go. */
static void
forget(void *arg)
{
	struct backends_asked *asked = arg;

	for (size_t i = 0; i < asked->backends->count; i++) {
		struct backend *b = &asked->backends->each[i];

		if (asked->tasks[i] == NULL)
			continue;
		pthread_mutex_lock(&b->lock);
		let_go(asked->tasks[i]);
		pthread_mutex_unlock(&b->lock);
	}
}

struct backends_asked *
backends_ask(struct job *job, struct backends *backends)
{
	const struct antispam_conf *conf = job->conf;
	struct backends_asked *asked;
	deadline_t until = deadline_earlier(deadline_in(conf->backend_timeout),
	    job->deadline);

	if (backends == NULL || message_size(job->msg) > conf->backend_size)
		return NULL;
	asked = arena_alloc(job->arena, sizeof *asked);
	asked->backends = backends;
	for (size_t i = 0; i < backends->count; i++)
		asked->tasks[i] = ask_one(&backends->each[i], job, until);
	arena_defer(job->arena, forget, asked);
	return asked;
}

static void
warn(struct backend *b, struct slice why)
{
	bool now;

	pthread_mutex_lock(&b->lock);
	now = deadline_left(b->warned) == 0;
	if (now)
		b->warned = deadline_in(WARN_MS);
	pthread_mutex_unlock(&b->lock);
	if (now)
		log_warning("backend %.*s: no answer: %.*s",
		    SLICE_ARG(b->spec.name), SLICE_ARG(why));
}

/* Its answer, in the message's arena. */
static bool
wait_one(struct backend *b, struct task *t, struct arena *a,
    struct backend_answer *answer_r)
{
	struct slice why = SLICE("it let us wait in vain before");
	bool good = false;

	if (t != NULL) {
		struct timespec end = deadline_timespec(t->until);

		pthread_mutex_lock(&b->lock);
		while (!t->done && deadline_left(t->until) > 0)
			pthread_cond_timedwait(&b->finished, &b->lock, &end);
		good = t->done && t->rc == RC_OK;
		why = t->done ? arena_copy(a, t->why) : SLICE("time is up");
		if (good) {
			answer_r->score = t->answer.score;
			answer_r->symbols = arena_copy(a, t->answer.symbols);
		}
		pthread_mutex_unlock(&b->lock);
	}
	if (!good)
		warn(b, why);
	return good;
}

static void
say(struct spam_look *look, const struct backend_spec *spec,
    const struct backend_answer *answer, double weight)
{
	struct slice words = answer->symbols.len > 0 ? answer->symbols :
	    arena_printf(look->msg->arena, "%.1f points", answer->score);

	clues_add(look->clues, "backend", weight, CLASS_SPAM,
	    arena_printf(look->msg->arena, "%.*s: %.*s",
	    SLICE_ARG(spec->name), SLICE_ARG(words)));
}

/* Several are worth as much as one: they have learned from each other. */
static void
say_all(struct spam_look *look, const struct backends_asked *asked,
    const struct backend_answer *answers, const bool *good, size_t n)
{
	for (size_t i = 0; i < asked->backends->count; i++) {
		const struct backend_spec *spec =
		    &asked->backends->each[i].spec;

		if (good[i])
			say(look, spec, &answers[i], backend_chance(spec,
			    answers[i].score) * look->conf->backend_weight /
			    100 / (double)n);
	}
}

enum rc
backends_check_run(struct spam_look *look, struct slice *why_r)
{
	const struct antispam_answers *seen =
	    look->job != NULL ? look->job->answers : NULL;
	struct backends_asked *asked = seen != NULL ? seen->backends : NULL;
	struct backend_answer answers[BACKENDS];
	bool good[BACKENDS];
	size_t n = 0;

	if (asked == NULL)
		return RC_OK;
	for (size_t i = 0; i < asked->backends->count; i++) {
		struct backend *b = &asked->backends->each[i];

		good[i] = wait_one(b, asked->tasks[i], look->msg->arena,
		    &answers[i]);
		n += good[i];
		if (!good[i])
			look_missed(look, b->spec.name);
	}
	say_all(look, asked, answers, good, n);
	if (n == asked->backends->count || !look->conf->backend_required)
		return RC_OK;
	*why_r = arena_printf(look->msg->arena, "no answer from %.*s",
	    SLICE_ARG(buf_slice(&look->missed)));
	return RC_RETRY;
}
