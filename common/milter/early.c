#include "milter/early.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "journal/journal.h"
#include "log/log.h"
#include "milter/report.h"
#include "text/json.h"

void
early_init(struct early_gate *gate)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&gate->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&gate->stop, &attr);
	pthread_condattr_destroy(&attr);
}

void
early_end(struct early_gate *gate)
{
	pthread_cond_destroy(&gate->stop);
	pthread_mutex_destroy(&gate->lock);
}

void
early_stop(struct early_gate *gate)
{
	pthread_mutex_lock(&gate->lock);
	gate->stopping = true;
	pthread_cond_broadcast(&gate->stop);
	pthread_mutex_unlock(&gate->lock);
}

static bool
gate_full(struct early_gate *gate, unsigned max)
{
	bool full;

	pthread_mutex_lock(&gate->lock);
	full = gate->slowed >= max;
	pthread_mutex_unlock(&gate->lock);
	return full;
}

/* Waits, if there is room for one more and nobody has asked us to stop. */
static void
slow_down(struct early_gate *gate, unsigned max, int64_t ms)
{
	struct timespec until;

	if (ms <= 0)
		return;
	if (ms > EARLY_DELAY)
		ms = EARLY_DELAY;
	until = deadline_timespec(deadline_in(ms));
	pthread_mutex_lock(&gate->lock);
	if (gate->slowed < max) {
		gate->slowed++;
		while (!gate->stopping && pthread_cond_timedwait(&gate->stop,
		    &gate->lock, &until) != ETIMEDOUT)
			continue;
		gate->slowed--;
	}
	pthread_mutex_unlock(&gate->lock);
}

static void
log_news(const struct early *e)
{
	const struct early_reply *r = &e->answer;
	struct log_line line;

	log_begin(&line, e->arena, SLICE(""));
	log_pairf(&line, "filter", "%s", e->filter);
	log_pairf(&line, "event", "%s", r->event);
	log_pairf(&line, "rule", "%s", r->rule);
	log_pair(&line, "client", report_client(e->arena, e->client));
	for (const struct plan_pair *f = r->facts; f != NULL; f = f->next)
		log_pair(&line, f->key, f->value);
	log_end(&line, r->reason);
}

static void
journal_news(const struct early *e, enum answer answer,
    struct journal *journal)
{
	const struct early_reply *r = &e->answer;
	struct buf out = buf_in(e->arena);
	struct json w;

	if (journal == NULL)
		return;
	json_init(&w, &out);
	json_begin_object(&w);
	json_put(&w, "@timestamp", report_timestamp(e->arena));
	json_put(&w, "event.action", slice_of(r->event));
	json_put(&w, "event.module", slice_of(e->filter));
	json_put(&w, "network.direction", e->direction == DIRECTION_OUT ?
	    SLICE("outbound") : SLICE("inbound"));
	json_put(&w, "source.ip", e->client->ip.family != 0 ?
	    ip_format(e->arena, &e->client->ip) : SLICE(""));
	json_put(&w, "source.domain", e->client->name);
	json_put(&w, "gatehouse.helo", e->client->helo);
	json_put(&w, "gatehouse.verdict", answer == ANSWER_REJECT ?
	    SLICE("reject") : answer == ANSWER_TEMPFAIL ? SLICE("tempfail") :
	    SLICE("accept"));
	json_put(&w, "gatehouse.rule", slice_of(r->rule));
	json_put(&w, "gatehouse.reason", r->reason);
	for (const struct plan_pair *f = r->facts; f != NULL; f = f->next)
		json_put(&w, arena_printf(e->arena, "gatehouse.%s.%s",
		    r->event, f->key).ptr, f->value);
	json_end(&w);
	journal_write(journal, buf_slice(&out));
}

void
early_fact(struct early *e, const char *key, struct slice value)
{
	struct plan_pair **last = &e->answer.facts;
	struct plan_pair *pair = arena_alloc(e->arena, sizeof *pair);

	while (*last != NULL)
		last = &(*last)->next;
	pair->key = key;
	pair->value = value;
	*last = pair;
}

static void (*hook_of(const struct filter *f, unsigned when))(struct early *)
{
	return when == EARLY_CONNECT ? f->connect :
	    when == EARLY_MAIL ? f->mail : f->rcpt;
}

static enum answer
answer_of(const struct early_reply *r)
{
	return r->code == NULL ? ANSWER_CONTINUE : r->code[0] == '5' ?
	    ANSWER_REJECT : ANSWER_TEMPFAIL;
}

enum answer
early_answer(struct early_gate *gate, const struct settings *set,
    const struct early_step *step, struct journal *journal,
    const struct engine_ops *ops, void *ctx)
{
	struct early e = { .arena = arena_new(), .house = &set->house,
	    .client = step->client, .direction = step->direction,
	    .sender = step->sender, .size = step->size,
	    .recipient = step->recipient,
	    .now = clock_wall(),
	    .full = gate_full(gate, set->milter.slow_sessions) };
	enum answer answer = ANSWER_CONTINUE;
	int64_t delay = 0;

	for (size_t i = 0; i < set->ninstances &&
	    answer == ANSWER_CONTINUE; i++) {
		const struct instance *in = &set->instances[i];
		void (*hook)(struct early *) = hook_of(in->filter, step->when);
		const struct early_reply *r = &e.answer;

		if (hook == NULL)
			continue;
		e.filter = in->filter->name;
		e.conf = in->conf;
		e.shared = in->shared;
		e.policy = set->policy;
		e.answer = (struct early_reply){ .code = NULL };
		hook(&e);
		answer = answer_of(r);
		delay = r->delay > delay ? r->delay : delay;
		if (r->event != NULL) {
			log_news(&e);
			journal_news(&e, answer, journal);
		}
		if (answer != ANSWER_CONTINUE)
			ops->set_reply(ctx, r->code, r->enhanced, r->text);
	}
	arena_free(e.arena);
	slow_down(gate, set->milter.slow_sessions, delay);
	return answer;
}
