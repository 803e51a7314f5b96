/* Many threads, one small cache of keys: for ThreadSanitizer above all. */
#include <pthread.h>

#include "t/dkim-lab.h"
#include "t/tap.h"

enum { THREADS = 4, ROUNDS = 150 };

static struct dkim_keys *cache;
static struct slice heads[2];
static const enum lab_key made[2] = { LAB_RSA, LAB_ED25519 };

static bool
verify(struct arena *a, unsigned which, unsigned note)
{
	struct dkim_limits limits = dkim_limits_default;
	struct slice record = lab_record(a, NULL, made[which]);
	struct dkim_signature *list;
	struct message msg;

	limits.now = 1;
	record = arena_printf(a, "%.*s; n=%u", SLICE_ARG(record), note);
	message_read(&msg, a, heads[which], SLICE("x\r\n"), NULL);
	dkim_signatures(a, &msg, &limits, &list);
	dkim_verify(a, list, &msg, dkim_bodies_new(a, &msg),
	    lab_answer(a, record), cache, &limits);
	return list->result == DKIM_PASS;
}

static void *
work(void *arg)
{
	size_t *good = arg;
	struct arena *a = arena_new();

	for (unsigned i = 0; i < ROUNDS; i++, arena_reset(a))
		*good += verify(a, i % 2, i % 7);
	arena_free(a);
	return NULL;
}

int
main(void)
{
	struct arena *a = arena_new();
	pthread_t threads[THREADS];
	size_t good[THREADS] = { 0 };

	lab_open();
	cache = dkim_keys_new(4);
	heads[0] = lab_sign(a, SLICE("From: a@b.c\r\n"), SLICE("x\r\n"),
	    "DKIM-Signature", " v=1; a=rsa-sha256; d=b.c; s=s; h=from; bh=%h;"
	    " b=%b", LAB_RSA);
	heads[1] = lab_sign(a, SLICE("From: a@b.c\r\n"), SLICE("x\r\n"),
	    "DKIM-Signature", " v=1; a=ed25519-sha256; d=b.c; s=s; h=from;"
	    " bh=%h; b=%b", LAB_ED25519);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, &good[i]);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		tap_is_int((long long)good[i], ROUNDS, "thread %d: all pass", i);
	}
	dkim_keys_free(cache);
	lab_close();
	arena_free(a);
	return tap_done();
}
