/*
 * hold - what it costs to write a message into the store
 *
 *	bench/hold [FOLDER]
 *
 * One thread; each message is new. The parts that a milter adds to a message
 * that it holds: digests, text of the header, id, keys, encryption, the file.
 * On a tmpfs (/dev/shm) syncing costs nothing, so that is all but the syncs;
 * with FOLDER also what its disk adds.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/figures.h"
#include "store/object.h"

enum { RUN_US = 1000000, LEAST = 20 };

static const char head_text[] = "Received: from mx.example.org (mx.example.org "
    "[192.0.2.1])\r\n\tby mx.gatehouse.test (Postfix) with ESMTPS id 4Zx1\r\n"
    "From: =?utf-8?q?J=C3=BCrgen?= <a@example.org>\r\nTo: us@gatehouse.test\r\n"
    "Subject: =?utf-8?b?R3LDvMOfZQ==?=\r\nDate: Thu, 26 Nov 2026 10:00:00 "
    "+0000\r\nMessage-ID: <1@example.org>\r\n";

static void
remove_all(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	if (d == NULL)
		return;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

/* What common/milter/hold.c does for one object. */
static enum rc
hold(const char *dir, const struct crypt_public *pub, unsigned n,
    struct slice body, struct arena *a, struct slice *why_r)
{
	static struct slice to[] = { { "us@gatehouse.test", 17 } };
	struct object_meta meta = { .kind = OBJECT_HELD,
	    .sender = SLICE("a@example.org"), .recipients = to,
	    .nrecipients = 1, .cause = CAUSE_SPAM, .filter = SLICE("bench"),
	    .rule = SLICE("bench"), .reason = SLICE("to be held") };
	struct slice head = slice_of(head_text);
	struct message msg;

	snprintf(meta.content, sizeof meta.content, "%064u", n);
	message_read(&msg, a, head, body, NULL);
	object_describe(&meta, &msg, a);
	if (object_digests(&meta, head, body) != RC_OK ||
	    object_id(&meta) != RC_OK)
		return RC_RETRY;
	return object_write(dir, pub, &meta, head, body, NULL, a, why_r);
}

static int
measure(const char *dir, const struct crypt_public *pub, size_t size,
    struct arena *a)
{
	struct figures f = { .count = 0 };
	char *body = mem_alloc(size);
	int64_t until = clock_mono_us() + RUN_US;
	struct slice why = SLICE("");

	memset(body, 'x', size);
	for (unsigned n = 0; n < LEAST || clock_mono_us() < until; n++) {
		int64_t began = clock_mono_us();

		if (hold(dir, pub, n, slice_make(body, size), a, &why) !=
		    RC_OK) {
			fprintf(stderr, "hold: %.*s\n", SLICE_ARG(why));
			return 1;
		}
		figures_add(&f, clock_mono_us() - began);
		arena_reset(a);
		if (n % 50 == 49)
			remove_all(dir);
	}
	printf("%-24s %8zu kB  p50 %8.3f ms  p99 %8.3f ms\n", dir, size / 1000,
	    figures_at(&f, 0.5), figures_at(&f, 0.99));
	free(f.us);
	free(body);
	remove_all(dir);
	return 0;
}

static int
measure_in(const char *parent, const struct crypt_public *pub,
    struct arena *a)
{
	static const size_t sizes[] = { 10000, 100000, 1000000, 10000000 };
	char dir[4096];
	int status = 0;

	snprintf(dir, sizeof dir, "%s/hold-XXXXXX", parent);
	if (mkdtemp(dir) == NULL) {
		fprintf(stderr, "hold: %s: %s\n", parent, strerror(errno));
		return 1;
	}
	for (size_t i = 0; status == 0 && i < sizeof sizes / sizeof sizes[0];
	    i++)
		status = measure(dir, pub, sizes[i], a);
	rmdir(dir);
	return status;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	/* Any point will do: nobody reads this again. */
	struct crypt_public pub = { .key = { 9 } };
	int status = measure_in("/dev/shm", &pub, a);

	if (status == 0 && argc > 1)
		status = measure_in(argv[1], &pub, a);
	arena_free(a);
	return status;
}
