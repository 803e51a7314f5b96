/*
 * Early answers without a daemon: which hook is asked, what becomes of its
 * answer, how many wait, and what ends the waiting.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#include "log/log.h"
#include "milter/early.h"
#include "t/tap.h"

static struct early_reply next;		/* what the first filter answers */
static int asked;
static bool was_full;
static char reply[200];
static _Atomic int through;

static void
first_hook(struct early *e)
{
	asked++;
	was_full = e->full;
	e->answer = next;
	if (next.event != NULL)
		early_fact(e, "some", SLICE("fact"));
}

static void
second_hook(struct early *e)
{
	asked += 10;
	e->answer.delay = 1;
}

static const struct filter first = { .name = "first", .connect = first_hook,
    .mail = first_hook, .rcpt = first_hook };
static const struct filter second = { .name = "second",
    .rcpt = second_hook };
static const struct filter third = { .name = "third" };

static struct instance instances[] = {
	{ .filter = &first }, { .filter = &second }, { .filter = &third },
};

static struct settings set = { .instances = instances, .ninstances = 3,
    .milter = { .slow_sessions = 2 } };
static struct early_gate gate;

static bool
set_reply(void *ctx, const char *code, const char *enhanced, const char *text)
{
	(void)ctx;
	snprintf(reply, sizeof reply, "%s %s %s", code, enhanced, text);
	return true;
}

static const struct engine_ops ops = { .set_reply = set_reply };

static enum answer
step(unsigned when)
{
	struct client client = { .name = SLICE("a.test") };
	struct early_step s = { .when = when, .client = &client,
	    .sender = SLICE("") };

	asked = 0;
	reply[0] = '\0';
	return early_answer(&gate, &set, &s, NULL, &ops, NULL);
}

static void
asks_in_order(void)
{
	next = (struct early_reply){ .code = NULL };
	tap_is_int(step(EARLY_CONNECT), ANSWER_CONTINUE, "nothing to say");
	tap_is_int(asked, 1, "those with a hook there are asked");
	step(EARLY_RCPT);
	tap_is_int(asked, 11, "two of them at RCPT");
	next = (struct early_reply){ .code = "421", .enhanced = "4.7.1",
	    .text = "later", .event = "test", .rule = "rule",
	    .reason = SLICE("why") };
	tap_is_int(step(EARLY_MAIL), ANSWER_TEMPFAIL, "a 421");
	tap_is_str(reply, "421 4.7.1 later", "with its reply");
	tap_is_int(step(EARLY_RCPT), ANSWER_TEMPFAIL, "at RCPT, too");
	tap_is_int(asked, 1, "the first refusal counts");
	next.code = "550";
	next.enhanced = "5.7.1";
	tap_is_int(step(EARLY_MAIL), ANSWER_REJECT, "a 550");
}

static void *
slowed(void *arg)
{
	struct client client = { .name = SLICE("a.test") };
	struct early_step s = { .when = EARLY_MAIL, .client = &client,
	    .sender = SLICE("") };

	(void)arg;
	early_answer(&gate, &set, &s, NULL, &ops, NULL);
	atomic_fetch_add(&through, 1);
	return NULL;
}

static unsigned
waiting(void)
{
	unsigned n;

	pthread_mutex_lock(&gate.lock);
	n = gate.slowed;
	pthread_mutex_unlock(&gate.lock);
	return n;
}

/* Two wait a minute, so they think; a third does not; a stop ends it. */
static void
few_wait_and_not_for_ever(void)
{
	int64_t began = clock_mono();
	pthread_t threads[2];

	next = (struct early_reply){ .delay = 60000 };
	for (int i = 0; i < 2; i++) {
		unsigned before = waiting();

		pthread_create(&threads[i], NULL, slowed, NULL);
		while (waiting() == before)
			usleep(1000);
	}
	next = (struct early_reply){ .delay = 60000 };
	tap_is_int(step(EARLY_MAIL), ANSWER_CONTINUE, "a third is answered");
	tap_ok(was_full, "and was told that there is no room");
	tap_is_int(atomic_load(&through), 0, "before the others");
	early_stop(&gate);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	tap_ok(clock_mono() - began < EARLY_DELAY, "a stop lets them go");
	tap_is_int(waiting(), 0, "nobody waits");
	step(EARLY_MAIL);
	tap_ok(!was_full, "nor does anybody begin to");
}

int
main(void)
{
	log_open("t", "/dev/null");
	early_init(&gate);
	asks_in_order();
	few_wait_and_not_for_ever();
	early_end(&gate);
	return tap_done();
}
