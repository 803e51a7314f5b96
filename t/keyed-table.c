/*
 * The table of keyed hashes in a mapped file: what is found, who gives way,
 * many threads, a process killed in the middle of writing, a restart, damage,
 * a command beside the daemon.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/keyed_table.h"
#include "t/tap.h"

struct seen {
	uint64_t first, second;		/* always the same number */
	char text[20];
};

enum { NOW = 1795000000, THREADS = 4 };

static const struct keyed_shape shape = { "GHtest\0", 1, sizeof (struct seen),
    1000 };

static struct keyed_table *
opened(const char *path, const struct keyed_shape *of, bool anew)
{
	struct arena *a = arena_new();
	struct slice why = SLICE("");
	struct keyed_table *t = NULL;
	const char *said = NULL;
	enum rc rc = keyed_open(path, of, &t, &said, a, &why);

	tap_ok(rc == RC_OK && (said != NULL) == anew, "opened%s (%s%.*s)",
	    anew ? ", begun anew" : "", said != NULL ? said : "",
	    SLICE_ARG(why));
	arena_free(a);
	if (rc != RC_OK)
		abort();
	return t;
}

static uint64_t
key_of(const struct keyed_table *t, const char *one, const char *two)
{
	struct slice parts[2] = { slice_of(one), slice_of(two) };

	return keyed_hash(t, parts, two != NULL ? 2 : 1);
}

static void
finds(const char *path)
{
	struct keyed_table *t = opened(path, &shape, true);
	uint64_t key = key_of(t, "a", "bc");
	struct seen *seen;
	bool made = false;

	tap_ok(key != key_of(t, "ab", "c") && key != key_of(t, "abc", NULL) &&
	    key != key_of(t, "a", "bd") && key == key_of(t, "a", "bc"),
	    "where a part ends counts");
	tap_ok(key_of(t, "", "") != key_of(t, "", NULL), "and how many");
	keyed_lock(t);
	tap_ok(keyed_find(t, key) == NULL, "nobody yet");
	seen = keyed_touch(t, key, NOW, &made);
	tap_ok(made && seen->first == 0 && seen->text[19] == 0, "made of zeroes");
	seen->first = seen->second = 7;
	seen = keyed_touch(t, key, NOW + 5, &made);
	tap_ok(!made && seen->first == 7 && keyed_find(t, key) == seen,
	    "the same one again");
	tap_is_int(keyed_touched(seen), NOW + 5, "touched");
	keyed_touch(t, key_of(t, "other", NULL), NOW, NULL);
	tap_is_int((long long)keyed_used(t), 2, "two of them");
	tap_ok(keyed_remove(t, key) && !keyed_remove(t, key) &&
	    keyed_find(t, key) == NULL && keyed_used(t) == 1, "removed, once");
	tap_ok(keyed_find(t, 0) == NULL && !keyed_remove(t, 0),
	    "an empty place is nobody's");
	keyed_unlock(t);
	tap_is_int(keyed_entries(t), 1000, "as it was opened");
	keyed_drop(keyed_hold(t));
	keyed_drop(t);
	keyed_drop(keyed_hold(NULL));
}

static uint64_t
numbered(const struct keyed_table *t, const char *what, unsigned i)
{
	char text[40];

	snprintf(text, sizeof text, "%s%u", what, i);
	return key_of(t, text, NULL);
}

/* Ten times as many as it has room for; some of them are touched all along. */
static void
gives_way(const char *path)
{
	struct keyed_table *t = opened(path, &shape, false);
	unsigned kept = 0, fresh = 0;

	keyed_lock(t);
	for (unsigned i = 0; i < 10000; i++) {
		keyed_touch(t, numbered(t, "x", i), NOW + i, NULL);
		for (unsigned k = 0; k < 20; k++)
			keyed_touch(t, numbered(t, "old", k), NOW + i, NULL);
	}
	for (unsigned k = 0; k < 20; k++)
		kept += keyed_find(t, numbered(t, "old", k)) != NULL;
	for (unsigned i = 9900; i < 10000; i++)
		fresh += keyed_find(t, numbered(t, "x", i)) != NULL;
	tap_is_int(kept, 20, "who is touched stays");
	tap_ok(fresh >= 95, "who came last is there (%u of 100)", fresh);
	tap_ok(keyed_used(t) >= 990 && keyed_used(t) <= 1000,
	    "never more than have room");
	/* A clock that was years ahead does not fill it for good. */
	for (unsigned i = 0; i < 10000; i++)
		keyed_touch(t, numbered(t, "y", i), INT64_C(2) * NOW,
		    NULL);
	keyed_touch(t, numbered(t, "z", 0), NOW, NULL);
	for (unsigned i = 1; i < 9; i++)
		keyed_touch(t, numbered(t, "z", i), NOW, NULL);
	kept = 0;
	for (unsigned i = 0; i < 9; i++)
		kept += keyed_find(t, numbered(t, "z", i)) != NULL;
	tap_is_int(kept, 9, "times far ahead give way first");
	keyed_unlock(t);
	keyed_drop(t);
}

struct worker {
	struct keyed_table *t;
	bool torn;
};

static void *
work(void *arg)
{
	struct worker *w = arg;

	for (unsigned i = 0; i < 20000; i++) {
		struct seen *s;

		keyed_lock(w->t);
		s = keyed_touch(w->t, numbered(w->t, "t", i % 300), NOW, NULL);
		w->torn = w->torn || s->first != s->second;
		s->first++;
		s->second++;
		keyed_unlock(w->t);
	}
	return NULL;
}

static void
many_threads(const char *path)
{
	static const struct keyed_shape wide = { "GHtest\0", 1,
	    sizeof (struct seen), 8000 };
	struct keyed_table *t = opened(path, &wide, true);
	struct worker workers[THREADS];
	pthread_t threads[THREADS];
	uint64_t sum = 0;
	bool torn = false;

	for (int i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){ keyed_hold(t), false };
		if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
			abort();
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		keyed_drop(workers[i].t);
		torn = torn || workers[i].torn;
	}
	keyed_lock(t);
	for (unsigned i = 0; i < 300; i++) {
		struct seen *s = keyed_find(t, numbered(t, "t", i));

		sum += s != NULL ? s->first : 0;
	}
	keyed_unlock(t);
	tap_ok(!torn && sum == THREADS * 20000, "nothing is lost between threads");
	keyed_drop(t);
}

/* Writes until it is killed: new entries all the time in a full table, and one
 * whose number says how far it came. Each one later than all of the last: who
 * was touched now does not give way to what another one left. */
static void
write_forever(const char *path, int ready, int64_t from)
{
	struct arena *a = arena_new();
	struct slice why = SLICE("");
	struct keyed_table *t = NULL;
	const char *anew;

	if (keyed_open(path, &shape, &t, &anew, a, &why) != RC_OK)
		_exit(1);
	for (uint64_t i = 1;; i++) {
		struct seen *s;
		uint64_t key;

		keyed_lock(t);
		key = numbered(t, "k", (unsigned)i);
		s = keyed_touch(t, key, from + (int64_t)i, NULL);
		memcpy(s->text, &key, sizeof key);
		s = keyed_touch(t, key_of(t, "counter", NULL), from +
		    (int64_t)i, NULL);
		s->first = i;
		keyed_unlock(t);
		if (i == 3000 && write(ready, "x", 1) != 1)
			_exit(1);
	}
}

/* An entry is what was written into it under its key, or all zeroes as it was
 * made: never what somebody else left there. */
static void
visit(uint64_t key, const void *payload, void *arg)
{
	const struct seen *s = payload;
	unsigned *bad = arg;
	uint64_t text;

	memcpy(&text, s->text, sizeof text);
	if (text != key && text != 0)
		++*bad;
}

static void
killed(const char *path, unsigned delay)
{
	unsigned bad = 0;
	int fds[2], status;
	struct keyed_table *t;
	struct seen *s;
	char byte;
	pid_t pid;

	if (pipe(fds) != 0 || (pid = fork()) < 0)
		abort();
	if (pid == 0)
		write_forever(path, fds[1], NOW + (int64_t)delay * 100000);
	close(fds[1]);
	if (read(fds[0], &byte, 1) != 1)
		abort();
	usleep(delay);
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		abort();
	close(fds[0]);
	t = opened(path, &shape, false);
	keyed_lock(t);
	keyed_each(t, visit, &bad);
	s = keyed_find(t, key_of(t, "counter", NULL));
	tap_ok(bad == 0 && s != NULL && s->first >= 3000 &&
	    keyed_used(t) <= 1000, "whole after kill -9 (%u torn)", bad);
	keyed_unlock(t);
	keyed_drop(t);
}

static void
count(uint64_t key, const void *payload, void *arg)
{
	(void)key;
	(void)payload;
	++*(unsigned *)arg;
}

/* Every byte behind the head is nonsense; then the head as well. */
static void
damaged(const char *path)
{
	struct keyed_table *t;
	struct stat st;
	unsigned n = 0;
	int fd = open(path, O_RDWR);
	char bytes[4096];

	memset(bytes, 0xa5, sizeof bytes);
	if (fd < 0 || fstat(fd, &st) != 0)
		abort();
	for (off_t at = 64; at < st.st_size; at += (off_t)sizeof bytes)
		if (pwrite(fd, bytes, at + (off_t)sizeof bytes <= st.st_size ?
		    sizeof bytes : (size_t)(st.st_size - at), at) < 0)
			abort();
	t = opened(path, &shape, false);
	keyed_lock(t);
	keyed_each(t, count, &n);
	for (unsigned i = 0; i < 3000; i++)
		keyed_touch(t, numbered(t, "d", i), NOW, NULL);
	tap_ok(n == 1000 && keyed_used(t) <= 1000 &&
	    keyed_find(t, numbered(t, "d", 2999)) != NULL,
	    "a body of nonsense is written over");
	keyed_unlock(t);
	keyed_drop(t);
	if (pwrite(fd, bytes, 64, 0) != 64)
		abort();
	close(fd);
	t = opened(path, &shape, true);
	tap_is_int((long long)keyed_used(t), 0, "and nothing of it is left");
	keyed_drop(t);
}

static void
beside(const char *path)
{
	struct arena *a = arena_new();
	struct slice why = SLICE("");
	static const struct keyed_shape any = { "GHtest\0", 1,
	    sizeof (struct seen), 0 };
	struct keyed_table *t = opened(path, &shape, false), *tool, *second;
	const char *anew;
	uint64_t key = key_of(t, "x", NULL);

	keyed_lock(t);
	((struct seen *)keyed_touch(t, key, NOW, NULL))->first = 9;
	keyed_unlock(t);
	tap_is_int(keyed_open(path, &shape, &second, &anew, a, &why), RC_BAD,
	    "nobody opens it twice (%.*s)", SLICE_ARG(why));
	tool = keyed_map(path, &shape, true, a, &why);
	tap_ok(tool != NULL && keyed_used(tool) == 1, "a command sees it");
	if (tool == NULL)
		abort();
	keyed_lock(tool);
	tap_ok(key_of(tool, "x", NULL) == key && keyed_find(tool, key) != NULL &&
	    keyed_remove(tool, key), "finds it, and removes it");
	keyed_unlock(tool);
	keyed_drop(tool);
	keyed_lock(t);
	tap_ok(keyed_find(t, key) == NULL, "the daemon has it no more");
	tap_is_int((long long)((struct seen *)keyed_touch(t, key, NOW,
	    NULL))->first, 0, "and begins with zeroes");
	keyed_unlock(t);
	keyed_drop(t);
	tool = keyed_map(path, &any, false, a, &why);
	tap_ok(tool != NULL && keyed_entries(tool) == 1000,
	    "of whatever size it is");
	keyed_drop(tool);
	tap_ok(keyed_map("/nonexistent/x", &shape, false, a, &why) == NULL &&
	    why.len > 0, "not there: %.*s", SLICE_ARG(why));
	tap_ok(keyed_map("/dev/null", &shape, false, a, &why) == NULL,
	    "no table: %.*s", SLICE_ARG(why));
	tap_is_int(keyed_open("/nonexistent/x", &shape, &second, &anew, a,
	    &why), RC_RETRY, "cannot be made: %.*s", SLICE_ARG(why));
	arena_free(a);
}

int
main(void)
{
	static const struct keyed_shape other = { "GHtest\0", 2,
	    sizeof (struct seen), 1000 };
	char dir[] = "/tmp/gatehouse-keyed-XXXXXX", path[64], wide[64];

	if (mkdtemp(dir) == NULL)
		abort();
	snprintf(path, sizeof path, "%s/table", dir);
	snprintf(wide, sizeof wide, "%s/wide", dir);
	finds(path);
	gives_way(path);
	many_threads(wide);
	keyed_drop(opened(path, &other, true));
	keyed_drop(opened(path, &shape, true));
	for (unsigned i = 0; i < 8; i++)
		killed(path, i * 700);
	damaged(path);
	beside(path);
	unlink(path);
	unlink(wide);
	rmdir(dir);
	return tap_done();
}
