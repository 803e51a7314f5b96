/*
 * Backscatter without mail: bounces of fifty mail systems and what looks like
 * them (t/bounces/forms), the proof field, the filter of what was sent.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "milters/auth-check/backscatter.h"
#include "t/tap.h"

#define ID	SLICE("<orig.1@gatehouse.test>")
#define GONE	SLICE("gone@far.test")

enum { NOW = 1795000000, DAY = 86400 };

static const struct seal_key key = { .bytes = "0123456789abcdef", .len = 16 };

static bool
has(const struct bounce_found *f, struct slice item)
{
	for (size_t i = 0; i < f->count; i++)
		if (slice_eq_nocase(f->items[i], item))
			return true;
	return false;
}

/* The word PROOF becomes that. */
static struct slice
with_proof(struct arena *a, struct slice text, struct slice proof)
{
	struct buf out = buf_in(a);

	while (text.len > 0) {
		size_t at = slice_search(text, SLICE("PROOF"));

		buf_add(&out, slice_sub(text, 0, at));
		if (at < text.len)
			buf_add(&out, proof);
		text = slice_after(text, at + 5);
	}
	return buf_slice(&out);
}

static void
read_as(struct arena *a, struct slice text, struct slice sender,
    struct bounce *b_r)
{
	struct message msg;
	struct slice head, body;

	message_split(a, text, &head, &body);
	message_read(&msg, a, head, body, NULL);
	bounce_read(&msg, sender, a, b_r);
}

/* "NAME | KIND | SHOWS | SENDER" and the message. */
static void
one_form(struct arena *a, struct slice line, struct slice text)
{
	struct slice rest, name = slice_trim(slice_cut(line, '|', &rest));
	struct slice kind = slice_trim(slice_cut(rest, '|', &rest));
	struct slice shows = slice_trim(slice_cut(rest, '|', &rest));
	struct slice sender = slice_trim(rest);
	struct slice proof = proof_make(a, &key, ID, NOW);
	struct bounce *b = arena_alloc(a, sizeof *b);
	bool id, rcpt, proven;

	read_as(a, with_proof(a, text, proof), sender, b);
	tap_is(slice_of(bounce_kind_name(b->kind)), kind, "%.*s",
	    SLICE_ARG(name));
	if (!slice_eq(kind, SLICE("dsn")))
		return;
	id = has(&b->ids, ID);
	rcpt = has(&b->recipients, GONE);
	proven = b->proofs.count > 0 && proof_good(&key, b->proofs.items[0],
	    &b->ids, NOW);
	tap_ok(id == slice_has(shows, 'i') && rcpt == slice_has(shows, 'r') &&
	    proven == slice_has(shows, 'p'), "%.*s shows %.*s (%s%s%s)",
	    SLICE_ARG(name), SLICE_ARG(shows), id ? "i" : "", rcpt ? "r" : "",
	    proven ? "p" : "");
}

static void
forms(struct arena *a)
{
	struct slice file = tap_file(arena_printf(a, "%s/t/bounces/forms",
	    tap_src()).ptr), rest = file, mark = SLICE("\n=== "), line;
	unsigned dsns = 0;

	rest = slice_after(rest, slice_search(rest, mark) + mark.len);
	while (rest.len > 0) {
		size_t end = slice_search(rest, mark);
		struct slice text = slice_sub(rest, 0, end);

		slice_line(&text, &line);
		one_form(a, line, text);
		dsns += slice_search(line, SLICE("| dsn |")) < line.len;
		rest = slice_after(rest, end + mark.len);
	}
	tap_ok(dsns >= 45, "bounces of %u kinds", dsns);
	free((void *)(uintptr_t)file.ptr);
}

static void
proofs(struct arena *a)
{
	static const struct seal_key other = { .bytes = "0123456789abcdeF",
	    .len = 16 };
	struct bounce_found *ids = arena_alloc(a, sizeof *ids);
	struct bounce_found *none = arena_alloc(a, sizeof *none);
	struct slice proof = proof_make(a, &key, ID, NOW), no_id;
	unsigned believed = 0;
	char *spoilt;

	ids->items[0] = SLICE("<other@x>");
	ids->items[1] = ID;
	ids->count = 2;
	tap_ok(proof.len + sizeof PROOF_FIELD < 78, "a proof fits on a line");
	tap_ok(proof_good(&key, proof, ids, NOW), "good for its message");
	tap_ok(proof_good(&key, proof, none, NOW), "or one without an id");
	tap_ok(proof_good(&key, proof, ids, NOW + 7 * DAY), "for a week");
	tap_ok(!proof_good(&key, proof, ids, NOW + 8 * DAY), "no longer");
	tap_ok(!proof_good(&key, proof, ids, NOW - 2 * DAY), "nor before");
	ids->count = 1;
	tap_ok(!proof_good(&key, proof, ids, NOW), "not for another message");
	no_id = proof_make(a, &key, SLICE(""), NOW);
	tap_ok(proof_good(&key, no_id, ids, NOW),
	    "made without an id: for any");
	tap_ok(!proof_good(&other, proof, none, NOW), "another key");
	tap_ok(proof_good(&key, arena_printf(a, "%.*s</pre>",
	    SLICE_ARG(proof)), none, NOW), "something behind it");
	for (size_t i = 0; i < proof.len; i++) {
		spoilt = arena_str(a, proof);
		spoilt[i] = spoilt[i] == '1' ? '2' : '1';
		believed += proof_good(&key, slice_of(spoilt), none, NOW);
		believed += proof_good(&key, slice_sub(proof, 0, i), none,
		    NOW);
	}
	tap_is_int(believed, 0, "nothing changed or cut is believed");
	tap_ok(!proof_good(&key, SLICE(""), none, NOW) &&
	    !proof_good(&key, SLICE("...."), none, NOW), "nor nothing");
}

static struct slice
id_of(struct arena *a, unsigned i)
{
	return arena_printf(a, "<%u.x@gatehouse.test>", i);
}

static void
filter(const char *path, struct arena *a)
{
	enum { N = 10000 };
	struct ndr_sent *s;
	const char *anew;
	struct slice why;
	unsigned missing = 0, wrong = 0;

	tap_is_int(ndr_sent_open(path, N, &s, &anew, a, &why), RC_OK, "opened");
	tap_ok(anew != NULL, "a new one");
	tap_is_int(ndr_sent_since(s, NOW), -1, "has seen nothing");
	for (unsigned i = 0; i < N; i++) {
		ndr_sent_add(s, id_of(a, i), SLICE(""), NOW);
		ndr_sent_add(s, id_of(a, i), GONE, NOW);
	}
	for (unsigned i = 0; i < N; i++) {
		missing += !ndr_sent_has(s, id_of(a, i), GONE, NOW);
		wrong += ndr_sent_has(s, id_of(a, N + i), GONE, NOW);
		wrong += ndr_sent_has(s, id_of(a, i), SLICE("other@far.test"),
		    NOW);
	}
	tap_is_int(missing, 0, "what was sent is known");
	tap_ok(wrong < N / 1000, "what was not, is not (%u of %u)", wrong,
	    2 * N);
	tap_ok(ndr_sent_has(s, id_of(a, 1), SLICE("Gone@FAR.test"), NOW),
	    "addresses whatever their case");
	tap_is_int(ndr_sent_since(s, NOW + 3 * DAY), 3 * DAY, "since then");
	tap_ok(ndr_sent_has(s, id_of(a, 1), GONE, NOW + 7 * DAY), "for a week");
	tap_ok(!ndr_sent_has(s, id_of(a, 1), GONE, NOW + 8 * DAY),
	    "then it is forgotten");
	for (int day = 1; day < 12; day++)
		ndr_sent_add(s, SLICE("<daily@x>"), SLICE(""),
		    NOW + day * DAY);
	tap_ok(!ndr_sent_has(s, id_of(a, 1), GONE, NOW + 8 * DAY),
	    "and its place is another day's");
	tap_ok(ndr_sent_has(s, SLICE("<daily@x>"), SLICE(""), NOW + 12 * DAY),
	    "which it knows");
	tap_is_int(ndr_sent_since(s, NOW + 30 * DAY), -1,
	    "silence for more than a week");
	ndr_sent_add(s, SLICE("<again@x>"), SLICE(""), NOW + 30 * DAY);
	tap_is_int(ndr_sent_since(s, NOW + 30 * DAY), 0, "begins anew");
	ndr_sent_drop(s);
}

static void
survives(const char *path, struct arena *a)
{
	struct ndr_sent *s, *second;
	const char *anew;
	struct slice why;
	pid_t pid = fork();
	int status, fd;

	if (pid == 0) {
		if (ndr_sent_open(path, 10000, &s, &anew, a, &why) != RC_OK)
			_exit(1);
		ndr_sent_add(s, SLICE("<killed@x>"), GONE, NOW);
		kill(getpid(), SIGKILL);
	}
	if (waitpid(pid, &status, 0) != pid)
		abort();
	tap_is_int(ndr_sent_open(path, 10000, &s, &anew, a, &why), RC_OK,
	    "opened after a kill");
	tap_ok(anew == NULL && ndr_sent_has(s, SLICE("<killed@x>"), GONE, NOW),
	    "with all that was added");
	tap_is_int(ndr_sent_open(path, 10000, &second, &anew, a, &why), RC_BAD,
	    "nobody else may have it");
	ndr_sent_drop(ndr_sent_hold(s));
	ndr_sent_drop(s);
	fd = open(path, O_WRONLY);
	if (fd < 0 || pwrite(fd, "nonsense", 8, 0) != 8)
		abort();
	close(fd);
	tap_is_int(ndr_sent_open(path, 10000, &s, &anew, a, &why), RC_OK,
	    "a damaged one");
	tap_ok(anew != NULL && !ndr_sent_has(s, SLICE("<killed@x>"), GONE,
	    NOW), "is begun anew");
	ndr_sent_drop(s);
	unlink(path);
}

int
main(void)
{
	char dir[] = "/tmp/gatehouse-sent-XXXXXX";
	struct arena *a = arena_new();
	const char *path;

	if (mkdtemp(dir) == NULL)
		abort();
	path = arena_printf(a, "%s/sent", dir).ptr;
	forms(a);
	proofs(a);
	filter(path, a);
	survives(path, a);
	rmdir(dir);
	arena_free(a);
	return tap_done();
}
