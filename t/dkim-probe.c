/*
 * For t/dkim-peers.t and for figures: signs, seals and verifies many files.
 *
 *	dkim-probe sign KEY CANON/CANON FOLDER FILE...
 *	dkim-probe seal KEY FOLDER FILE...
 *	dkim-probe verify RECORD FILE...
 *	dkim-probe arc RECORD FILE...
 *	dkim-probe figures
 *
 * KEY is a PEM file, RECORD a file with the key record that every name has.
 * What is signed goes to FOLDER under the file's last name, with CRLF. verify
 * and arc print the result and the rule, a line a file.
 */
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "dkim/arc.h"
#include "dkim/canon.h"
#include "dkim/key.h"
#include "dkim/sign.h"
#include "t/tap.h"

static struct dkim_keys *cache;
static struct dns_record record;
static struct dns_answer answer = { .records = &record, .count = 1 };

static EVP_PKEY *
read_key(const char *path)
{
	FILE *f = fopen(path, "r");
	EVP_PKEY *key = f != NULL ? PEM_read_PrivateKey(f, NULL, NULL, NULL) :
	    NULL;

	if (key == NULL) {
		fprintf(stderr, "%s: no key\n", path);
		exit(2);
	}
	fclose(f);
	return key;
}

static void
read_message(struct arena *a, const char *path, struct message *msg_r)
{
	struct slice text = tap_file(path), head, body;

	message_split(a, text, &head, &body);
	free((void *)(uintptr_t)text.ptr);
	message_read(msg_r, a, head, body, NULL);
}

static void
write_message(const char *folder, const char *path, struct slice above,
    const struct message *msg)
{
	const char *last = strrchr(path, '/');
	char name[4096];
	FILE *f;

	snprintf(name, sizeof name, "%s/%s", folder,
	    last != NULL ? last + 1 : path);
	f = fopen(name, "w");
	if (f == NULL) {
		perror(name);
		exit(2);
	}
	fwrite(above.ptr, 1, above.len, f);
	fwrite(msg->head.ptr, 1, msg->head.len, f);
	fwrite("\r\n", 1, 2, f);
	fwrite(msg->body.ptr, 1, msg->body.len, f);
	fclose(f);
}

static void
add_field(struct buf *out, const char *name, struct slice body)
{
	buf_addf(out, "%s:", name);
	buf_add(out, body);
	buf_adds(out, "\r\n");
}

static void
sign_one(struct arena *a, const struct dkim_signer *signer,
    const char *folder, const char *path)
{
	struct buf above = buf_in(a);
	struct message msg;
	struct slice body, why;

	read_message(a, path, &msg);
	if (dkim_sign(a, &msg, dkim_bodies_new(a, &msg), signer, &body, &why)
	    != RC_OK) {
		printf("%s: %.*s\n", path, SLICE_ARG(why));
		return;
	}
	add_field(&above, "DKIM-Signature", body);
	write_message(folder, path, buf_slice(&above), &msg);
}

static const struct dns_answer *
look_up(void *arg, struct slice name)
{
	(void)arg;
	(void)name;
	return &answer;
}

static void
validate(struct arena *a, const struct message *msg, struct arc_chain *chain)
{
	struct dkim_limits limits = dkim_limits_default;

	limits.now = clock_wall();
	arc_read(a, msg, &limits, chain);
	arc_validate(a, chain, msg, dkim_bodies_new(a, msg), look_up, NULL,
	    cache, &limits);
}

static void
seal_one(struct arena *a, const struct arc_sealer *sealer, const char *folder,
    const char *path)
{
	struct slice bodies[3], why;
	struct buf above = buf_in(a);
	struct arc_chain chain;
	struct message msg;

	read_message(a, path, &msg);
	validate(a, &msg, &chain);
	if (arc_seal(a, &msg, &chain, sealer, SLICE("spf=pass "
	    "smtp.mfrom=example.org"), bodies, &why) != RC_OK) {
		printf("%s: %.*s\n", path, SLICE_ARG(why));
		return;
	}
	add_field(&above, "ARC-Seal", bodies[0]);
	add_field(&above, "ARC-Message-Signature", bodies[1]);
	add_field(&above, "ARC-Authentication-Results", bodies[2]);
	write_message(folder, path, buf_slice(&above), &msg);
}

static void
verify_one(struct arena *a, const char *path)
{
	struct dkim_limits limits = dkim_limits_default;
	struct dkim_signature *list;
	struct message msg;

	limits.now = clock_wall();
	read_message(a, path, &msg);
	if (dkim_signatures(a, &msg, &limits, &list) == 0) {
		printf("none none %s\n", path);
		return;
	}
	dkim_verify(a, &list[0], &msg, dkim_bodies_new(a, &msg), &answer,
	    cache, &limits);
	printf("%s %s %s\n", dkim_result_name(list[0].result), list[0].rule,
	    path);
}

static void
arc_one(struct arena *a, const char *path)
{
	static const char *const words[] = { "none", "pass", "fail" };
	struct arc_chain chain;
	struct message msg;

	read_message(a, path, &msg);
	validate(a, &msg, &chain);
	printf("%s %s %s\n", words[chain.status], chain.rule, path);
}

/* Figures */

/* Of this thread alone, so that a busy machine does not count. */
static int64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static void
say(const char *what, int64_t us, unsigned runs, size_t bytes)
{
	double each = (double)us / runs;

	printf("%-44s %9.1f us", what, each);
	if (bytes > 100000)
		printf(" %8.0f MB/s", (double)bytes / each);
	printf("\n");
}

static struct slice
mail_body(struct arena *a, size_t len)
{
	static const char line[] = "The quick brown fox jumps over the lazy "
	    "dog, and runs on until the line is full.\r\n";
	struct buf out = buf_in(a);

	while (out.len < len)
		buf_adds(&out, line);
	return buf_slice(&out);
}

static void
time_body(struct arena *a, const char *what, enum dkim_canon canon, size_t len)
{
	struct slice body = mail_body(a, len);
	unsigned char hash[DKIM_HASH];
	int64_t start = cpu_us();
	uint64_t length;

	for (unsigned i = 0; i < 200; i++)
		canon_body(canon, body, UINT64_MAX, hash, &length);
	say(what, cpu_us() - start, 200, body.len);
	arena_reset(a);
}

static struct slice
key_text(struct arena *a, EVP_PKEY *key)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(key, &der);
	char *text = arena_alloc(a, (size_t)len * 2);

	EVP_EncodeBlock((unsigned char *)text, der, len);
	OPENSSL_free(der);
	return arena_printf(a, "v=DKIM1; k=rsa; p=%s", text);
}

static void
time_signature(struct arena *a, unsigned bits, bool cached)
{
	struct dkim_limits limits = dkim_limits_default;
	struct arena *each = arena_new();
	EVP_PKEY *key = EVP_RSA_gen(bits);
	struct dkim_signer s = { .domain = SLICE("example.org"),
	    .selector = SLICE("sel"), .key = key, .header = DKIM_RELAXED,
	    .algorithm = DKIM_RSA_SHA256, .body = DKIM_RELAXED, .now = 1 };
	struct slice head = SLICE("From: ann@example.org\r\nTo: bob@example.net"
	    "\r\nSubject: hello\r\nDate: Thu, 01 Jan 1970 00:00:00 +0000\r\n"
	    "Message-ID: <1@example.org>\r\nMIME-Version: 1.0\r\n");
	struct slice body = mail_body(a, 5000), signed_body, why;
	struct buf all = buf_in(a);
	struct message msg;
	unsigned good = 0;
	char what[64];
	int64_t start;

	record.data = key_text(a, key);
	message_read(&msg, a, head, body, NULL);
	start = cpu_us();
	for (unsigned i = 0; i < 200; i++, arena_reset(each)) {
		message_read(&msg, each, head, body, NULL);
		dkim_sign(each, &msg, dkim_bodies_new(each, &msg), &s,
		    &signed_body, &why);
	}
	snprintf(what, sizeof what, "sign 5 kB, RSA %u", bits);
	if (cached)
		say(what, cpu_us() - start, 200, 0);
	dkim_sign(a, &msg, dkim_bodies_new(a, &msg), &s, &signed_body, &why);
	add_field(&all, "DKIM-Signature", signed_body);
	buf_add(&all, head);
	limits.now = 2;
	start = cpu_us();
	for (unsigned i = 0; i < 2000; i++, arena_reset(each)) {
		struct dkim_signature *list;

		message_read(&msg, each, buf_slice(&all), body, NULL);
		dkim_signatures(each, &msg, &limits, &list);
		dkim_verify(each, list, &msg, dkim_bodies_new(each, &msg),
		    &answer, cached ? cache : NULL, &limits);
		good += list->result == DKIM_PASS;
	}
	snprintf(what, sizeof what, "verify 5 kB, RSA %u, key %s (%u pass)",
	    bits, cached ? "cached" : "parsed", good);
	say(what, cpu_us() - start, 2000, 0);
	EVP_PKEY_free(key);
	arena_free(each);
	arena_reset(a);
}

/* The same field 500 times: a few are verified. */
static void
time_many(struct arena *a)
{
	struct dkim_limits limits = dkim_limits_default;
	struct arena *each = arena_new();
	struct slice body = mail_body(a, 5000);
	struct buf all = buf_in(a);
	struct message msg;
	int64_t start;

	for (int i = 0; i < 500; i++)
		buf_addf(&all, "DKIM-Signature: v=1; a=rsa-sha256; d=e.org;"
		    " s=s%d; h=from:to:subject; bh=AAAA; b=AAAA\r\n", i);
	buf_adds(&all, "From: ann@example.org\r\n");
	start = cpu_us();
	for (unsigned n = 0; n < 100; n++, arena_reset(each)) {
		struct dkim_bodies *bodies;
		struct dkim_signature *list;
		size_t count;

		message_read(&msg, each, buf_slice(&all), body, NULL);
		bodies = dkim_bodies_new(each, &msg);
		count = dkim_signatures(each, &msg, &limits, &list);
		for (size_t i = 0; i < count; i++)
			dkim_verify(each, &list[i], &msg, bodies, &answer,
			    cache, &limits);
	}
	say("500 signatures", cpu_us() - start, 100, 0);
	arena_free(each);
}

/* Sets above each other, and what the last one costs to validate. */
static void
time_chain(struct arena *a, unsigned sets)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	struct arc_sealer s = { .domain = SLICE("example.org"),
	    .selector = SLICE("sel"), .key = key, .now = clock_wall(),
	    .algorithm = DKIM_RSA_SHA256, .header = DKIM_RELAXED,
	    .body = DKIM_RELAXED, .authserv_id = SLICE("mx.example.org") };
	struct slice head = SLICE("From: ann@example.org\r\n"), bodies[3], why;
	struct slice body = mail_body(a, 5000);
	struct arc_chain chain = { 0 };
	struct message msg;
	char what[64];
	int64_t start;

	record.data = key_text(a, key);
	for (unsigned i = 0; i < sets; i++) {
		struct buf above = buf_in(a);

		message_read(&msg, a, head, body, NULL);
		validate(a, &msg, &chain);
		arc_seal(a, &msg, &chain, &s, SLICE("spf=pass"), bodies, &why);
		add_field(&above, "ARC-Seal", bodies[0]);
		add_field(&above, "ARC-Message-Signature", bodies[1]);
		add_field(&above, "ARC-Authentication-Results", bodies[2]);
		buf_add(&above, head);
		head = buf_slice(&above);
	}
	start = cpu_us();
	for (unsigned i = 0; i < 50; i++) {
		message_read(&msg, a, head, body, NULL);
		validate(a, &msg, &chain);
	}
	snprintf(what, sizeof what, "a chain of %u sets (%s)", sets,
	    chain.rule);
	say(what, cpu_us() - start, 50, 0);
	EVP_PKEY_free(key);
	arena_reset(a);
}

static void
figures(struct arena *a)
{
	time_many(a);
	time_chain(a, 1);
	time_chain(a, 3);
	time_chain(a, ARC_SETS);
	time_signature(a, 2048, true);
	time_signature(a, 2048, false);
	time_signature(a, 1024, true);
	time_signature(a, 4096, true);
	time_body(a, "hash 1 MB, simple", DKIM_SIMPLE, 1 << 20);
	time_body(a, "hash 1 MB, relaxed", DKIM_RELAXED, 1 << 20);
}

/* Commands */

static void
read_record(const char *path)
{
	record.data = slice_trim(tap_file(path));
}

static enum dkim_canon
canon_of(const char *word)
{
	return strncmp(word, "simple", 6) == 0 ? DKIM_SIMPLE : DKIM_RELAXED;
}

static void
sign_all(struct arena *a, int argc, char **argv)
{
	EVP_PKEY *key = read_key(argv[2]);
	struct dkim_signer s = { .domain = SLICE("example.org"),
	    .selector = SLICE("sel"), .key = key, .now = clock_wall(),
	    .algorithm = EVP_PKEY_is_a(key, "RSA") ? DKIM_RSA_SHA256 :
	    DKIM_ED25519_SHA256, .header = canon_of(argv[3]),
	    .body = canon_of(strchr(argv[3], '/') + 1) };

	for (int i = 5; i < argc; i++, arena_reset(a))
		sign_one(a, &s, argv[4], argv[i]);
	EVP_PKEY_free(key);
}

static void
seal_all(struct arena *a, int argc, char **argv)
{
	EVP_PKEY *key = read_key(argv[2]);
	struct arc_sealer s = { .domain = SLICE("example.org"),
	    .selector = SLICE("sel"), .key = key, .now = clock_wall(),
	    .algorithm = DKIM_RSA_SHA256, .header = DKIM_RELAXED,
	    .body = DKIM_RELAXED, .authserv_id = SLICE("mx.example.org") };
	struct slice text = key_text(a, key), copy = { malloc(text.len),
	    text.len };

	memcpy((void *)(uintptr_t)copy.ptr, text.ptr, text.len);
	record.data = copy;
	for (int i = 4; i < argc; i++, arena_reset(a))
		seal_one(a, &s, argv[3], argv[i]);
	EVP_PKEY_free(key);
	free((void *)(uintptr_t)copy.ptr);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	const char *verb = argc > 1 ? argv[1] : "";

	cache = dkim_keys_new(0);
	if (strcmp(verb, "figures") == 0) {
		figures(a);
	} else if (strcmp(verb, "sign") == 0 && argc > 4) {
		sign_all(a, argc, argv);
	} else if (strcmp(verb, "seal") == 0 && argc > 3) {
		seal_all(a, argc, argv);
	} else if (argc > 2) {
		read_record(argv[2]);
		for (int i = 3; i < argc; i++, arena_reset(a)) {
			if (strcmp(verb, "arc") == 0)
				arc_one(a, argv[i]);
			else
				verify_one(a, argv[i]);
		}
		free((void *)(uintptr_t)record.data.ptr);
	} else {
		fprintf(stderr, "dkim-probe sign|seal|verify|arc|figures\n");
		return 2;
	}
	dkim_keys_free(cache);
	arena_free(a);
	return 0;
}
