/* The folder of the quarantine: adoption, changes, kills, a new index. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/log.h"
#include "services/store/adopt.h"
#include "services/store/vault.h"
#include "t/tap.h"

static char dir[] = "/tmp/gatehouse-vault-XXXXXX";
static struct arena *arena;
static struct vault v;
static struct vault_conf conf;
static struct crypt_public pub;
static struct slice why;
static int64_t now = 1000000;

static const char *
in_dir(const char *name)
{
	return arena_printf(arena, "%s/%s", dir, name).ptr;
}

static bool
there(const char *name)
{
	struct stat st;

	return lstat(in_dir(name), &st) == 0;
}

static const char *
path_of(const char *id, const char *suffix)
{
	static char path[VAULT_PATH];

	vault_path(path, slice_of(id), suffix);
	return path;
}

/* An object in incoming/ for these recipients ("a b c"); its id. */
static const char *
hold(const char *content, const char *recipients, enum cause cause)
{
	struct slice head = arena_printf(arena, "Subject: %s\r\n", content);
	struct slice body = SLICE("one\r\ntwo\r\n");
	struct object_meta m = { .kind = OBJECT_HELD, .time = now,
	    .sender = SLICE("a@example.org"), .cause = cause,
	    .filter = SLICE("probe"), .rule = SLICE("test"),
	    .queue_id = SLICE("4Zx1"), .reason = SLICE("held, \xff"),
	    .subject = slice_of(content) };
	struct slice rest = slice_of(recipients), list[8];
	enum rc rc;

	m.recipients = list;
	while (rest.ptr != NULL)
		list[m.nrecipients++] = slice_cut(rest, ' ', &rest);
	object_digests(&m, head, body);
	memset(m.content, '0', 64);
	memcpy(m.content, content, strlen(content));
	memset(m.identity, 'f', 32);
	object_id(&m);
	rc = object_write(in_dir("q/incoming"), &pub, &m, head, body, NULL,
	    arena, &why);
	if (rc != RC_OK)
		tap_ok(false, "object_write: %.*s", SLICE_ARG(why));
	return arena_printf(arena, "%s", m.id).ptr;
}

static int64_t
keep(void *arg, const struct object_meta *meta, struct slice recipient)
{
	(void)arg;
	(void)meta;
	return (int64_t)recipient.len * 1000;
}

static enum rc
adopt(void)
{
	const struct adopt how = { .retention = keep, .now = now };
	bool more;
	enum rc rc;

	vault_enter(&v);
	rc = adopt_new(&v, &how, &more, &why);
	if (rc != RC_OK)
		tap_diag("adopt: %.*s", SLICE_ARG(why));
	vault_leave(&v);
	return rc;
}

static bool
show(const struct store_row *r, void *arg)
{
	buf_addf(arg, "%.*s %s %d %lld %lld %u %lld %.*s|%.*s; ",
	    SLICE_ARG(r->recipient), store_state_name(r->state), r->hold,
	    (long long)r->expires, (long long)r->changed, r->tries,
	    (long long)r->try_at, SLICE_ARG(r->actor), SLICE_ARG(r->reply));
	return true;
}

static bool
show_object(struct slice id, uint64_t log_size, void *arg)
{
	struct store_object o;
	bool found;

	v.index->does->object_get(v.index, id, arena, &o, &found);
	buf_addf(arg, "%.*s %llu %d %lld %llu %.*s %.*s %.*s %.*s: ",
	    SLICE_ARG(id), (unsigned long long)log_size, o.body,
	    (long long)o.time, (unsigned long long)o.size,
	    SLICE_ARG(o.content), SLICE_ARG(o.sender), SLICE_ARG(o.cause),
	    SLICE_ARG(o.reason));
	v.index->does->rows_of(v.index, id, arena, show, arg);
	buf_addc(arg, '\n');
	return true;
}

/* All that the index holds, as text. */
static struct slice
dump(void)
{
	struct buf out = buf_in(arena);

	v.index->does->ids(v.index, SLICE_NONE, arena, show_object, &out);
	return buf_slice(&out);
}

/* "to state; ..." of one object. */
static bool
show_state(const struct store_row *r, void *arg)
{
	buf_addf(arg, "%.*s %s; ", SLICE_ARG(r->recipient),
	    store_state_name(r->state));
	return true;
}

static struct slice
states(const char *id)
{
	struct buf out = buf_in(arena);

	v.index->does->rows_of(v.index, slice_of(id), arena, show_state, &out);
	return buf_slice(&out);
}

static bool
move(const char *id, const char *to, enum store_state from,
    enum store_state state)
{
	const struct record r = { .kind = RECORD_MOVED, .time = now,
	    .actor = SLICE("me"), .object = { .id = slice_of(id) },
	    .recipient = slice_of(to), .from = from, .to = state,
	    .change = { .time = now, .actor = SLICE("me"),
	    .reply = SLICE("250 \x1b[2J\xff ok"), .tries = 2,
	    .expires = now + 5 } };
	bool done;
	enum rc rc;

	vault_enter(&v);
	rc = vault_record(&v, &r, arena, &done, &why);
	if (rc != RC_OK)
		tap_ok(false, "vault_record: %.*s", SLICE_ARG(why));
	vault_leave(&v);
	return done;
}

static void
open_again(const char *what)
{
	uint64_t healed;

	vault_close(&v);
	tap_is_int(vault_open(&v, &conf, arena, &why), RC_OK, "%s", what);
	tap_is_int(heal_all(&v, v.index, &healed, &why), RC_OK, "and healed");
}

static void
test_adopt(void)
{
	const char *one = hold("c1", "r@x s@x", CAUSE_SPAM);
	const char *two;

	tap_is_int(adopt(), RC_OK, "adopted");
	tap_is(states(one), SLICE("r@x held; s@x held; "), "a row for each");
	tap_ok(there(in_dir("q/objects") + strlen(dir) + 1), "folder");
	tap_ok(there(arena_printf(arena, "q/%s", path_of(one, "")).ptr) &&
	    there(arena_printf(arena, "q/%s", path_of(one, ".log")).ptr),
	    "object and log are in their place");
	hold("c1", "s@x r@x", CAUSE_SPAM);
	adopt();
	tap_is(states(one), SLICE("r@x held; s@x held; "),
	    "a retry is the same");
	two = hold("c1", "r@x t@x", CAUSE_PHISHING);
	adopt();
	tap_is(states(two), SLICE("t@x held; "),
	    "a retry with other recipients adds the new one");
	two = hold("c1", "s@x", CAUSE_FRAUD);
	adopt();
	tap_is(states(two), SLICE(""), "nobody is new: nothing of it is left");
	tap_ok(!there(arena_printf(arena, "q/incoming/%s", two).ptr) &&
	    !there(arena_printf(arena, "q/%s", path_of(two, "")).ptr),
	    "not its file either");
	two = hold("c1", "s@x", CAUSE_VIRUS);
	adopt();
	tap_is(states(two), SLICE("s@x held; "), "but a virus is");
}

static void
test_again(void)
{
	const char *id = hold("c2", "r@x s@x t@x u@x", CAUSE_SPAM);

	adopt();
	move(id, "r@x", STORE_HELD, STORE_RELEASING);
	move(id, "r@x", STORE_RELEASING, STORE_RELEASED);
	move(id, "s@x", STORE_HELD, STORE_NOT_ACCEPTED);
	move(id, "t@x", STORE_HELD, STORE_EXPIRED);
	now += 100;
	hold("c2", "r@x s@x t@x u@x", CAUSE_SPAM);
	adopt();
	tap_is(states(id), SLICE("r@x held; s@x held; t@x held; "
	    "u@x held; "), "what comes again is held again: released, it "
	    "may be ours; refused or late, it is new");
	move(id, "r@x", STORE_HELD, STORE_DELETED);
	move(id, "s@x", STORE_HELD, STORE_RELEASING);
	hold("c2", "r@x s@x t@x u@x", CAUSE_SPAM);
	adopt();
	tap_ok(there(arena_printf(arena, "q/incoming/%s", id).ptr),
	    "while it is being released it waits");
	move(id, "s@x", STORE_RELEASING, STORE_RELEASED);
	adopt();
	tap_is(states(id), SLICE("r@x deleted; s@x held; t@x held; "
	    "u@x held; "), "then it is held; who threw it away has it not");
	now += ADOPT_AGAIN + 1;
	hold("c2", "r@x s@x t@x u@x", CAUSE_SPAM);
	adopt();
	tap_is(states(id), SLICE("r@x held; s@x held; t@x held; u@x held; "),
	    "what comes again long after is held again");
}

static void
test_moves(void)
{
	const char *id = hold("c3", "r@x", CAUSE_SPAM);
	struct stat before, after;
	const char *log = arena_printf(arena, "%s/q/%s", dir, path_of(id,
	    ".log")).ptr;

	adopt();
	tap_ok(move(id, "r@x", STORE_HELD, STORE_RELEASING), "one claims it");
	stat(log, &before);
	tap_ok(!move(id, "r@x", STORE_HELD, STORE_RELEASING),
	    "the second does not");
	tap_ok(!move(id, "r@x", STORE_RELEASING, STORE_EXPIRED),
	    "no expiry meanwhile");
	tap_ok(!move(id, "nobody@x", STORE_HELD, STORE_RELEASING),
	    "nobody's row moves");
	stat(log, &after);
	tap_is_int(after.st_size, before.st_size,
	    "and nothing of that is written down");
}

static void
put_file(const char *name, const char *text, time_t age)
{
	const char *path = in_dir(name);
	struct timespec times[2] = { { .tv_sec = now - age },
	    { .tv_sec = now - age } };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		tap_ok(false, "%s", path);
	futimens(fd, times);
	close(fd);
}

static void
test_foreign(void)
{
	const char *id = hold("c4", "r@x", CAUSE_SPAM);
	const char *path = arena_printf(arena, "%s/q/incoming/%s", dir,
	    id).ptr;
	int fd;

	chmod(path, 0600);
	fd = open(path, O_WRONLY);
	tap_ok(fd >= 0 && pwrite(fd, "XXXX", 4, 300) == 4, "spoiled");
	close(fd);
	put_file("q/incoming/.x.1234", "half", OBJECT_TMP_AGE + 10);
	put_file("q/incoming/.y.1234", "half", 10);
	put_file("q/incoming/README", "hello", 0);
	put_file("q/incoming/00000000000000000000000000000000", "junk", 0);
	if (symlink("/etc/passwd", in_dir(
	    "q/incoming/00000000000000000000000000000001")) != 0)
		tap_ok(false, "symlink");
	tap_is_int(adopt(), RC_OK, "what is no object is in nobody's way");
	tap_ok(!there("q/incoming/.x.1234"), "old halves go");
	tap_ok(there("q/incoming/.y.1234"), "young ones stay");
	tap_ok(there("q/aside/README") && there("q/aside/"
	    "00000000000000000000000000000000") && there("q/aside/"
	    "00000000000000000000000000000001"), "the rest goes aside");
	tap_ok(there(arena_printf(arena, "q/aside/%s", id).ptr),
	    "what was changed too");
	put_file("q/incoming/README", "again", 0);
	adopt();
	tap_ok(there("q/aside/README.1"), "nothing there is overwritten");
	unlink(in_dir("q/incoming/.y.1234"));
}

/* What a kill leaves between any two steps. */
static void
test_kills(void)
{
	const char *id = hold("c5", "r@x", CAUSE_SPAM), *log;
	struct slice before;
	struct stat st;
	int fd;

	/* The object has taken its place, its log is not there yet. */
	rename(in_dir(arena_printf(arena, "q/incoming/%s", id).ptr),
	    in_dir(arena_printf(arena, "q/%s", path_of(id, "")).ptr));
	open_again("killed behind the rename");
	tap_is(states(id), SLICE("r@x held; "), "the object is found");
	/* A line is whole in the log, the index has not heard of it. */
	move(id, "r@x", STORE_HELD, STORE_DELETED);
	before = dump();
	v.index->does->forget(v.index, slice_of(id));
	open_again("killed before the index");
	tap_is(dump(), before, "the index is mended from the log");
	/* Half a line. */
	log = in_dir(arena_printf(arena, "q/%s", path_of(id, ".log")).ptr);
	stat(log, &st);
	fd = open(log, O_WRONLY | O_APPEND);
	if (write(fd, "{\"event\":\"mo", 12) != 12)
		tap_ok(false, "write");
	close(fd);
	open_again("killed within a line");
	tap_is(dump(), before, "half a line is none");
	/* The log has gone, the index still has it. */
	unlink(in_dir(arena_printf(arena, "q/%s", path_of(id, "")).ptr));
	unlink(log);
	open_again("killed while it was forgotten");
	tap_is(states(id), SLICE(""), "then it is forgotten");
}

static void
tell_difference(struct slice before, struct slice after)
{
	struct slice a, b;

	while (slice_line(&before, &a) && slice_line(&after, &b)) {
		if (slice_eq(a, b))
			continue;
		tap_diag("was: %.*s", SLICE_ARG(log_safe(arena, a, 2000)));
		tap_diag("is:  %.*s", SLICE_ARG(log_safe(arena, b, 2000)));
	}
}

static unsigned
dice(unsigned n)
{
	static uint64_t x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned)(x >> 33) % n;
}

/* Anything, in any order; then the index from the logs is the same index. */
static void
test_property(unsigned rounds)
{
	static const char *const lists[] = { "r@x", "r@x s@x", "s@x t@x",
	    "r@x s@x t@x", "t@x", "\xff@x r@x" };
	static const char *const to[] = { "r@x", "s@x", "t@x", "\xff@x" };
	const char *ids[64] = { hold("e0", "r@x", CAUSE_SPAM) };
	unsigned n = 1, moved = 0;
	struct slice before, after;
	uint64_t objects;
	bool done;

	for (unsigned i = 0; i < rounds; i++) {
		now += dice(3) == 0 ? 100000 : 10;
		if (dice(4) == 0)
			ids[n++ % 64] = hold(arena_printf(arena, "e%u",
			    dice(5)).ptr, lists[dice(6)], dice(2) == 0 ?
			    CAUSE_SPAM : CAUSE_VIRUS);
		if (dice(3) == 0)
			adopt();
		moved += move(ids[dice(n < 64 ? n : 64)], to[dice(4)],
		    dice(STORE_STATES), dice(STORE_STATES));
		if (dice(8) == 0) {
			const struct record r = { .kind = dice(2) == 0 ?
			    RECORD_HOLD : RECORD_BODYLESS, .time = now,
			    .object = { .id = slice_of(ids[dice(n < 64 ? n :
			    64)]) }, .recipient = dice(2) == 0 ? SLICE_NONE :
			    slice_of(to[dice(4)]), .on = dice(2) == 0 };

			vault_enter(&v);
			v.index->does->object_get(v.index, r.object.id, arena,
			    &(struct store_object){ 0 }, &done);
			if (done && vault_record(&v, &r, arena, &done, &why) !=
			    RC_OK)
				tap_ok(false, "%.*s", SLICE_ARG(why));
			vault_leave(&v);
		}
	}
	adopt();
	before = dump();
	tap_ok(moved > rounds / 100, "rows moved: %u", moved);
	tap_is_int(heal_rebuild(&v, &objects, arena, &why), RC_OK,
	    "made anew while it is in use");
	after = dump();
	tap_ok(slice_eq(before, after), "row for row the same");
	tell_difference(before, after);
	vault_close(&v);
	tap_is_int(heal_rebuild_alone(&conf, &objects, arena, &why), RC_OK,
	    "and while it is not");
	tap_is_int(vault_open(&v, &conf, arena, &why), RC_OK, "opened");
	tap_ok(slice_eq(dump(), before), "the same again");
	unlink(in_dir("q/index.db"));
	open_again("without any index");
	tap_ok(slice_eq(dump(), before), "the same");
}

/* The last bytes are given up, and what is not written is not done. */
static void
test_full(void)
{
	const char *id = hold("c9", "r@x", CAUSE_SPAM);
	struct stat st;

	adopt();
	tap_ok(stat(in_dir("q/reserve"), &st) == 0 && st.st_blocks > 0,
	    "some bytes are kept");
	vault_reserve(&v, false);
	tap_ok(!there("q/reserve"), "and can be given up");
	vault_reserve(&v, true);
	tap_ok(there("q/reserve"), "and kept again");
	chmod(in_dir(arena_printf(arena, "q/%s", path_of(id, ".log")).ptr),
	    0400);
	tap_is_int(vault_open(&(struct vault){ 0 }, &conf, arena, &why),
	    RC_RETRY, "two at once there are not");
	tap_ok(slice_search(why, SLICE("in use")) < why.len, "it says so");
}

int
main(void)
{
	arena = arena_new();
	log_open("store-vault", "/dev/null");
	if (mkdtemp(dir) == NULL || mkdir(in_dir("q"), 0700) != 0 ||
	    store_key_make(in_dir("key"), in_dir("pub"), arena, &why) !=
	    RC_OK || crypt_public_load(in_dir("pub"), &pub, arena, &why) !=
	    RC_OK)
		return tap_ok(false, "keys: %.*s", SLICE_ARG(why)),
		    tap_done();
	conf = (struct vault_conf){ .dir = in_dir("q"), .key = in_dir("key"),
	    .reserve = 65536 };
	tap_is_int(vault_open(&v, &conf, arena, &why), RC_OK, "opened: %.*s",
	    SLICE_ARG(why));
	test_adopt();
	test_again();
	test_moves();
	test_foreign();
	test_kills();
	test_full();
	test_property(getenv("GATEHOUSE_FULL") != NULL ? 20000 : 600);
	vault_close(&v);
	if (system(arena_printf(arena, "rm -rf %s", dir).ptr) != 0)
		tap_diag("%s stays", dir);
	arena_free(arena);
	return tap_done();
}
