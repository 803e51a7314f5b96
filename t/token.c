/* Tokens: good for one thing, once, whoever asks and how often. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/token.h"
#include "t/tap.h"

enum { NOW = 1800000000, PARALLEL = 20 };

static const char *const steps[] = { token_schema, NULL };
static const struct db_schema schema = { .application = 0x67686e74,
    .what = "test of tokens", .remedy = "remove it", .steps = steps,
    .oldest = 1 };

static struct arena *a;
static struct db *db;
static char path[] = "/tmp/gatehouse-token.XXXXXX/t.db";
static struct slice why;

static void
reopen(void)
{
	if (db != NULL)
		db_close(db);
	why = SLICE("");
	if (db_open(path, &schema, DB_WRITE, &db, a, &why) != RC_OK) {
		tap_ok(false, "%.*s", SLICE_ARG(why));
		exit(tap_done());
	}
}

static struct token_spec
release(void)
{
	return (struct token_spec){ TOKEN_RELEASE,
	    SLICE("0123456789abcdef0123456789abcdef"), SLICE("a@b.test"),
	    NOW + 100, 0 };
}

static struct slice
issue(const struct token_spec *spec)
{
	char text[TOKEN_TEXT + 1] = "";

	if (token_issue(db, a, spec, NOW, text, &why) != RC_OK)
		tap_ok(false, "%.*s", SLICE_ARG(why));
	return arena_copy(a, slice_of(text));
}

static enum rc
check(struct slice text, struct token_spec want, int64_t now)
{
	struct token_row row;

	return token_check(db, a, text, &want, now, &row, &why);
}

static enum rc
spend(struct slice text, struct token_spec want, int64_t now)
{
	struct token_row row;

	return token_spend(db, a, text, &want, now, &row, &why);
}

static void
once(void)
{
	struct token_spec spec = release(), open = spec;
	struct slice text = issue(&spec), upper;
	struct token_row row;

	tap_is_int((long long)text.len, TOKEN_TEXT, "a token");
	for (int i = 0; i < 5; i++)
		tap_is_int(check(text, spec, NOW), RC_OK, "looking costs "
		    "nothing");
	open.object = open.recipient = SLICE_NONE;
	upper = arena_copy(a, text);
	for (size_t i = 0; i < upper.len; i++)
		if (ascii_alpha(upper.ptr[i]))
			((char *)(uintptr_t)upper.ptr)[i] -= 'a' - 'A';
	tap_is_int(token_check(db, a, upper, &open, NOW, &row, &why), RC_OK,
	    "in capitals, naming object and recipient itself");
	tap_is(row.object, spec.object, "the object");
	tap_is(row.recipient, spec.recipient, "the recipient");
	tap_is_int(row.uses, 1, "one use left");
	reopen();
	tap_is_int(token_spend(db, a, text, &open, NOW, &row, &why), RC_OK,
	    "spent, after a restart");
	tap_is_int(row.uses, 0, "nothing left");
	tap_is(row.object, spec.object, "the object");
	tap_is_int(spend(text, spec, NOW), RC_BAD, "not a second time");
	tap_is_int(check(text, spec, NOW), RC_BAD, "and not good any more");
	tap_is_int(token_return(db, a, text, &why), RC_OK, "given back");
	tap_is_int(spend(text, spec, NOW), RC_OK, "and spent");
	tap_is_int(spend(text, spec, NOW), RC_BAD, "and that was it");
}

/* Every way to be wrong has one answer, in the same words. */
static void
wrong(void)
{
	static const char *const malformed[] = { "", "a", "!",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaaaaaaaaaaa1",
	    "' OR 1=1 --",
	    "zzzzzzzzzzzzzzzzzzzzzzzzzz" };
	struct token_spec spec = release(), w;
	struct slice text = issue(&spec);
	struct slice other;

	w = spec;
	w.purpose = TOKEN_DOWNLOAD;
	tap_is_int(spend(text, w, NOW), RC_BAD, "another purpose");
	tap_is(why, SLICE("no such token"), "in the words of all");
	w.purpose = TOKEN_NONE;
	tap_is_int(spend(text, w, NOW), RC_BAD, "no purpose");
	w = spec;
	w.object = SLICE("ffffffffffffffffffffffffffffffff");
	tap_is_int(spend(text, w, NOW), RC_BAD, "another object");
	w = spec;
	w.recipient = SLICE("c@b.test");
	tap_is_int(spend(text, w, NOW), RC_BAD, "another recipient");
	tap_is_int(spend(text, spec, NOW + 100), RC_BAD, "expired");
	tap_is(why, SLICE("no such token"), "in the words of all");
	for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
		why = SLICE("");
		tap_is_int(spend(slice_of(malformed[i]), spec, NOW), RC_BAD,
		    "\"%s\"", malformed[i]);
		tap_is(why, SLICE("no such token"), "in the words of all");
	}
	/* The last two of its 130 bits are zero: one spelling a token. */
	other = arena_copy(a, text);
	((char *)(uintptr_t)other.ptr)[TOKEN_TEXT - 1]++;
	tap_is_int(spend(other, spec, NOW), RC_BAD, "another spelling");
	tap_is_int(spend(text, spec, NOW + 99), RC_OK, "it is good after all");
	spec.expires = NOW;
	tap_is_int(token_issue(db, a, &spec, NOW, (char[TOKEN_TEXT + 1]){ 0 },
	    &why), RC_BAD, "none is made that has expired");
}

/* What is kept is no token and leads to none. */
static void
hidden(void)
{
	struct token_spec spec = release();
	struct slice text = issue(&spec), file;
	const char *files[] = { path, arena_printf(a, "%s-wal", path).ptr };

	for (int i = 0; i < 2; i++) {
		file = tap_file(files[i]);
		tap_ok(slice_search(file, text) == file.len, "%s does not "
		    "hold it", files[i]);
		free((void *)(uintptr_t)file.ptr);
	}
	tap_is(token_prefix(a, text), arena_printf(a, "%.6s...", text.ptr),
	    "what a log may hold");
	tap_is(token_prefix(a, SLICE("\n\x1b[31m\xc3\xa9x")),
	    SLICE("???31m..."), "whatever came in");
}

/* A process of its own, which leaves nothing behind. */
static int
spend_apart(struct slice text, const struct token_spec *spec)
{
	struct db *own;
	struct token_row row;
	enum rc rc = db_open(path, &schema, DB_WRITE, &own, a, &why);

	if (rc == RC_OK) {
		rc = token_spend(own, a, text, spec, NOW, &row, &why);
		db_close(own);
	}
	arena_free(a);
	return (int)rc;
}

static void
in_parallel(void)
{
	struct token_spec spec = release();
	struct slice text = issue(&spec);
	pid_t children[PARALLEL];
	unsigned won = 0, refused = 0;

	db_close(db);
	db = NULL;
	for (int i = 0; i < PARALLEL; i++) {
		children[i] = fork();
		if (children[i] == 0)
			_exit(spend_apart(text, &spec));
	}
	for (int i = 0; i < PARALLEL; i++) {
		int status = 0;

		waitpid(children[i], &status, 0);
		won += status == RC_OK << 8;
		refused += status == RC_BAD << 8;
	}
	tap_is_int(won, 1, "of %d at the same time one spends", PARALLEL);
	tap_is_int(refused, PARALLEL - 1, "and the others are refused");
	reopen();
}

static void
many_uses(void)
{
	struct token_spec spec = release();
	struct slice text;
	unsigned count = 0;

	spec.purpose = TOKEN_DOWNLOAD;
	spec.uses = 10;
	text = issue(&spec);
	while (count < 20 && spend(text, spec, NOW) == RC_OK)
		count++;
	tap_is_int(count, 10, "ten uses are ten");
}

static void
ended(void)
{
	struct token_spec one = release(), two = one, other = one;
	struct slice t1, t2, t3;
	unsigned count = 0;

	one.object = two.object = SLICE("00000000000000000000000000000001");
	two.recipient = SLICE("c@b.test");
	other.object = SLICE("00000000000000000000000000000002");
	t1 = issue(&one);
	t2 = issue(&two);
	t3 = issue(&other);
	token_revoke(db, a, one.object, one.recipient, &count, &why);
	tap_is_int(count, 1, "revoked for one recipient");
	tap_is_int(check(t1, one, NOW), RC_BAD, "his is");
	tap_is_int(check(t2, two, NOW), RC_OK, "the other's is not");
	token_revoke(db, a, one.object, SLICE_NONE, &count, &why);
	tap_is_int(check(t2, two, NOW), RC_BAD, "revoked for all");
	tap_is_int(check(t3, other, NOW), RC_OK, "not another object");
	token_sweep(db, a, NOW + 100 + TOKEN_GRACE, &count, &why);
	tap_is_int(count, 0, "a clock a day ahead removes nothing");
	tap_is_int(check(t3, other, NOW), RC_OK, "and when it is right again "
	    "the token is good");
	token_sweep(db, a, NOW + 101 + TOKEN_GRACE, &count, &why);
	tap_ok(count > 3, "what expired long ago goes: %u", count);
	tap_is_int(check(t3, other, NOW), RC_BAD, "for ever");
}

/* 100,000 wrong ones of one peer: it is shut out after the tenth. */
static void
brute_force(void)
{
	struct token_guard *g = guard_new();
	struct slice peer = SLICE("198.51.100.7");
	unsigned looked = 0, locked = 0;

	for (int i = 0; i < 100000; i++) {
		if (!guard_open(g, peer, NOW + i / 1000))
			continue;
		looked++;
		locked += guard_wrong(g, peer, NOW + i / 1000);
	}
	tap_is_int(looked, TOKEN_TRIES, "looked at");
	tap_is_int(locked, 1, "and said once");
	tap_ok(guard_open(g, SLICE("198.51.100.8"), NOW), "not another peer");
	tap_ok(guard_open(g, peer, NOW + TOKEN_WINDOW), "until the window is "
	    "over");
	guard_wrong(g, peer, NOW + TOKEN_WINDOW);
	tap_ok(guard_open(g, peer, NOW + TOKEN_WINDOW), "a new count");
	for (int i = 0; i < TOKEN_TRIES; i++)
		guard_wrong(g, peer, NOW + TOKEN_WINDOW);
	guard_right(g, peer);
	tap_ok(guard_open(g, peer, NOW + TOKEN_WINDOW), "forgiven");
	for (int i = 0; i < 3 * TOKEN_PEERS; i++)
		guard_wrong(g, arena_printf(a, "peer %d", i), NOW + 2000 + i);
	tap_ok(guard_open(g, SLICE("peer 5"), NOW + 2000), "many peers: the "
	    "oldest is forgotten");
	guard_free(g);
}

static void
derived(void)
{
	char one[TOKEN_TEXT + 1], two[TOKEN_TEXT + 1], hash[65], same[65];
	unsigned char bytes[TOKEN_BYTES];

	tap_ok(token_derive(SLICE("key"), SLICE("a name"), one, hash) &&
	    token_derive(SLICE("key"), SLICE("a name"), two, same) &&
	    strcmp(one, two) == 0 && strcmp(hash, same) == 0,
	    "derived: made again");
	/* HMAC-SHA256 of "a name" under "key", and SHA-256 of half of it, as
	 * openssl(1) has them. */
	tap_is_str(one, "wvsdsj4jffid22y3eka55nc3qm", "as RFC 2104 has it");
	tap_is_str(hash, "fc921b87852a300da1cdbc80e735cfea"
	    "be1c8755976139136c0f199cebaba71f", "and its hash");
	tap_ok(token_read(slice_of(one), bytes) && token_hash(slice_of(one),
	    same) && strcmp(hash, same) == 0, "a token like others");
	one[0] = one[0] == 'a' ? 'b' : 'a';
	tap_ok(token_hash(slice_of(one), same) && strcmp(hash, same) != 0,
	    "another letter is another token");
	tap_ok(!token_hash(SLICE("short"), same), "what is none has no hash");
	token_derive(SLICE("another key"), SLICE("a name"), two, same);
	tap_ok(strcmp(hash, same) != 0, "by who has the key");
}

int
main(void)
{
	a = arena_new();
	*strrchr(path, '/') = '\0';
	if (mkdtemp(path) == NULL) {
		tap_ok(false, "a folder for the test");
		return tap_done();
	}
	path[strlen(path)] = '/';
	reopen();
	once();
	wrong();
	hidden();
	in_parallel();
	many_uses();
	ended();
	brute_force();
	derived();
	db_close(db);
	unlink(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	arena_free(a);
	return tap_done();
}
