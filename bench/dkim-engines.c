/*
 * dkim-engines - what a DKIM signature costs: our verifier, and libopendkim
 * behind its guards. Processor time of one thread; the signature is parsed,
 * verified and judged, DNS is a table.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "dkim/key.h"
#include "milters/auth-check/dkim_opendkim.h"
#include "t/opendkim-lab.h"

enum { RUN_US = 500000 };

static struct dkim_opendkim *opendkim;
static struct opendkim_lab *lab;
static struct dkim_keys *keys;
static struct dkim_limits limits;

static int64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool
own(struct arena *a, struct message *msg, struct dkim_keys *cache)
{
	struct dkim_signature *list;
	struct slice name;

	if (dkim_signatures(a, msg, &limits, &list) == 0 ||
	    !dkim_key_name(a, &list[0], &name))
		return false;
	dkim_verify(a, &list[0], msg, dkim_bodies_new(a, msg),
	    opendkim_lab_lookup(lab, name), cache, &limits);
	return list[0].result == DKIM_PASS;
}

static bool
own_cached(struct arena *a, struct message *msg)
{
	return own(a, msg, keys);
}

static bool
own_uncached(struct arena *a, struct message *msg)
{
	return own(a, msg, NULL);
}

static bool
other(struct arena *a, struct message *msg)
{
	struct dkim_signature *list;
	size_t n = dkim_signatures(a, msg, &limits, &list);

	dkim_opendkim_verify(a, opendkim, msg, list, n, opendkim_lab_lookup,
	    lab, &limits);
	return n > 0 && list[0].result == DKIM_PASS;
}

/* Microseconds of one; below 0: it did not pass. */
static double
time_one(bool (*verify)(struct arena *a, struct message *msg),
    const struct message *signed_mail)
{
	struct arena *a = arena_new();
	int64_t start = cpu_us(), took = 0;
	unsigned n = 0;

	for (; took < RUN_US; took = cpu_us() - start, n++) {
		struct message msg;

		message_read(&msg, a, signed_mail->head, signed_mail->body,
		    NULL);
		if (!verify(a, &msg)) {
			arena_free(a);
			return -1;
		}
		arena_reset(a);
	}
	arena_free(a);
	return (double)took / n;
}

/* Lines of words, as people write them. */
static struct slice
mail_body(struct arena *a, size_t size)
{
	struct buf out = buf_in(a);

	for (unsigned i = 0; out.len < size; i++)
		buf_addf(&out, "Line %u of a letter that says nothing, "
		    "with some words and a few blanks.\r\n", i);
	return buf_slice(&out);
}

static const char head[] =
    "Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n"
    "\tby mx.example.net (Postfix) with ESMTPS id 4Zx1Qk2hJ9z\r\n"
    "\tfor <bob@example.net>; Tue, 14 Nov 2023 22:13:20 +0000 (UTC)\r\n"
    "From: Ann Example <ann@example.org>\r\n"
    "To: Bob Example <bob@example.net>\r\n"
    "Subject: what it costs to know who wrote this\r\n"
    "Date: Tue, 14 Nov 2023 22:13:19 +0000\r\n"
    "Message-ID: <20231114221319.12345@example.org>\r\n"
    "MIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Transfer-Encoding: 7bit\r\n"
    "List-Id: <list.example.org>\r\n";

static void
row(enum dkim_algorithm algorithm, enum dkim_canon canon, size_t size)
{
	struct opendkim_want want = { .algorithm = algorithm,
	    .header = canon, .body = canon };
	struct arena *a = arena_new();
	struct slice body = mail_body(a, size);
	struct buf all = buf_in(a);
	struct message msg;
	double cached, uncached, lib;

	message_read(&msg, a, slice_of(head), body, NULL);
	buf_add(&all, opendkim_lab_sign(lab, a, &msg, &want));
	buf_adds(&all, head);
	message_read(&msg, a, buf_slice(&all), body, NULL);
	cached = time_one(own_cached, &msg);
	uncached = time_one(own_uncached, &msg);
	lib = time_one(other, &msg);
	printf("%-14s %-7s %8zu %9.1f %9.1f %9.1f %7.0f %7.0f\n",
	    dkim_algorithm_name(algorithm),
	    canon == DKIM_RELAXED ? "relaxed" : "simple", size, cached,
	    uncached, lib, (double)size / cached, (double)size / lib);
	arena_free(a);
}

int
main(void)
{
	static const size_t sizes[] = { 5000, 100000, 1000000, 10000000 };

	lab = opendkim_lab_open();
	opendkim = dkim_opendkim_open();
	keys = dkim_keys_new(0);
	limits = dkim_limits_default;
	limits.now = clock_wall();
	printf("%-14s %-7s %8s %9s %9s %9s %7s %7s\n", "", "", "bytes",
	    "own us", "no cache", "lib us", "own MB/s", "lib");
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (int k = 0; k < 4; k++)
			row(k & 1 ? DKIM_ED25519_SHA256 : DKIM_RSA_SHA256,
			    k & 2 ? DKIM_SIMPLE : DKIM_RELAXED, sizes[i]);
	dkim_keys_free(keys);
	dkim_opendkim_close(opendkim);
	opendkim_lab_close(lab);
	return 0;
}
