/*
 * The map when things go wrong: cut at any byte, changed at any byte, of
 * another version; a compile killed at any moment; swaps while threads ask.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/write.h"
#include "policy/trailer.h"
#include "t/policy-stage.h"
#include "t/tap.h"

static struct stage s;

static struct stage_texts
texts(unsigned count)
{
	return (struct stage_texts){ .house = "",
	    .one = "scope = ( { domain = \"a.test\"; list = [ \"x\" ]; } );",
	    .sheet = arena_printf(s.arena, "domain a.test one.count = %u\n"
	    "user u@a.test one.time = \"%us\"\n", count, count).ptr,
	    .directory = "D a.test\nU u@a.test\n" };
}

static void
put(const char *path, struct slice bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || !write_all(fd, bytes))
		abort();
	close(fd);
}

/* ---- damage ---- */

static bool
refused(void)
{
	struct arena *a = arena_new();
	struct slice why = SLICE("");
	struct policy *p = NULL;
	enum rc rc = policy_open(s.path, &s.house, &p, a, &why);
	bool good = rc == RC_RETRY && slice_search(why, SLICE("type: "
	    "gatehouse policy compile")) < why.len;

	if (rc == RC_OK)
		policy_drop(p);
	arena_free(a);
	return good;
}

static void
damage(void)
{
	const struct stage_texts t = texts(7);
	struct slice whole;
	unsigned wrong = 0, tried = 0;
	char *bytes;

	tap_is_str(stage_compile(&s, &t), NULL, "compiled");
	whole = tap_file(s.path);
	bytes = arena_str(s.arena, whole);
	memcpy(bytes, whole.ptr, whole.len);
	for (size_t i = 0; i < whole.len; i += i < 200 ||
	    i + 300 > whole.len ? 1 : 97) {
		put(s.path, slice_make(bytes, i));
		wrong += !refused();
		bytes[i] ^= 0x40;
		put(s.path, slice_make(bytes, whole.len));
		wrong += !refused();
		bytes[i] ^= 0x40;
		tried += 2;
	}
	tap_is_int(wrong, 0, "cut or changed at any byte it is refused (%u "
	    "times)", tried);
	put(s.path, SLICE(""));
	tap_ok(refused(), "an empty file");
	put(s.path, whole);
	tap_ok(!refused(), "whole again");
	bytes[whole.len - TRAILER_SIZE + 16]++;
	put(s.path, slice_make(bytes, whole.len));
	tap_ok(refused(), "of another version");
	free((void *)(uintptr_t)whole.ptr);
}

/* ---- kill ---- */

/* What anybody finds is one of the two that were compiled, and whole. */
static bool
one_of(unsigned a, unsigned b)
{
	struct slice why = SLICE("");
	struct policy *p = stage_policy(&s, &why);
	struct policy_who who;
	struct stage_one one;
	bool good;

	if (p == NULL) {
		tap_diag("%.*s", SLICE_ARG(why));
		return false;
	}
	good = stage_ask(&s, p, "u@a.test", &one, &who) == RC_OK &&
	    (one.count == a || one.count == b) &&
	    one.time == (int64_t)one.count * 1000;
	policy_drop(p);
	return good;
}

static void
killed(void)
{
	const struct stage_texts one = texts(1), two = texts(2);
	unsigned wrong = 0, rounds = getenv("GATEHOUSE_FULL") != NULL ? 2000 :
	    60;

	stage_compile(&s, &one);
	for (unsigned i = 0; i < rounds; i++) {
		struct timespec pause = { .tv_nsec = (long)(i % 60) * 150000 };
		pid_t pid = fork();

		if (pid == 0) {
			for (;;) {
				stage_compile(&s, &two);
				stage_compile(&s, &one);
			}
		}
		nanosleep(&pause, NULL);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		wrong += !one_of(1, 2);
	}
	tap_is_int(wrong, 0, "killed at any moment it is one map or the other "
	    "(%u times)", rounds);
	tap_is_str(stage_compile(&s, &two), NULL, "and the next is compiled");
	tap_ok(one_of(2, 2), "over what was left");
	unlink(arena_printf(s.arena, "%s.new", s.path).ptr);
}

/* ---- swaps while threads ask ---- */

enum { THREADS = 4 };

static struct {
	pthread_mutex_t lock;
	struct policy *current;
	atomic_bool stop;
	atomic_uint wrong;
	atomic_ulong asked;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct policy *
hold(void)
{
	struct policy *p;

	pthread_mutex_lock(&shared.lock);
	p = policy_hold(shared.current);
	pthread_mutex_unlock(&shared.lock);
	return p;
}

/* All that one message asks comes from one generation. */
static bool
message(struct arena *a, const struct stage_one *defaults)
{
	struct policy *p = hold();
	struct slice why = SLICE("");
	unsigned first = 0;
	bool good = true;

	for (int i = 0; i < 20 && good; i++) {
		struct stage_one one = *defaults;
		struct policy_who who;

		good = policy_find(p, a, SLICE("U+z@a.test"), &who) == RC_OK &&
		    policy_settings(p, &who, "one", stage_one_options, NULL,
		    &one, &why) == RC_OK && one.list.count == 1 &&
		    strcmp(one.list.items[0].ptr, "x") == 0 &&
		    one.time == (int64_t)one.count * 1000 &&
		    (i == 0 || one.count == first);
		first = one.count;
		atomic_fetch_add(&shared.asked, 1);
	}
	policy_drop(p);
	arena_reset(a);
	return good;
}

static void *
ask(void *arg)
{
	struct arena *a = arena_new();

	while (!atomic_load(&shared.stop))
		if (!message(a, arg))
			atomic_fetch_add(&shared.wrong, 1);
	arena_free(a);
	return NULL;
}

static void
swap(struct policy *next)
{
	struct policy *old;

	pthread_mutex_lock(&shared.lock);
	old = shared.current;
	shared.current = next;
	pthread_mutex_unlock(&shared.lock);
	policy_drop(old);
}

static void
swaps(void)
{
	unsigned rounds = getenv("GATEHOUSE_FULL") != NULL ? 1000 : 50;
	struct stage_texts t = texts(1);
	struct stage_one defaults;
	pthread_t threads[THREADS];
	struct slice why = SLICE("");
	struct policy *next;
	unsigned opened = 0;

	stage_compile(&s, &t);
	defaults = s.one;
	shared.current = stage_policy(&s, &why);
	for (size_t i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, ask, &defaults);
	for (unsigned i = 0; i < rounds; i++) {
		t = texts(2 + i);
		stage_compile(&s, &t);
		next = stage_policy(&s, &why);
		opened += next != NULL;
		if (next != NULL)
			swap(next);
	}
	atomic_store(&shared.stop, true);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	swap(NULL);
	tap_is_int(opened, rounds, "%u maps, one after the other", rounds);
	tap_is_int(shared.wrong, 0, "a message has one of them (asked %lu "
	    "times)", shared.asked);
	tap_ok(shared.asked > rounds, "and they were asked");
}

int
main(void)
{
	stage_open(&s);
	damage();
	killed();
	swaps();
	stage_close(&s);
	return tap_done();
}
