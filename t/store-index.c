/* The index: what each back end must do, and what SQLite's files may be. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/db.h"
#include "store/index.h"
#include "t/tap.h"

#define ID1	"00112233445566778899aabbccddeeff"
#define ID2	"00ffffffffffffffffffffffffffffff"
#define ID3	"a0000000000000000000000000000001"
#define ID4	"d4000000000000000000000000000001"
#define ID5	"d5000000000000000000000000000001"
#define CONTENT	"0123456789abcdef0123456789abcdef" \
    "0123456789abcdef0123456789abcdef"

#define OTHER	"ffff456789abcdef0123456789abcdef" \
    "0123456789abcdef0123456789abcdef"

static char dir[] = "/tmp/gatehouse-index-XXXXXX";
static struct arena *arena;
static struct store_index *x;
static const struct store_backend *be;

static const char *
in_dir(const char *name)
{
	return arena_printf(arena, "%s/%s", dir, name).ptr;
}

static void
ok(enum rc rc, const char *what)
{
	if (rc != RC_OK)
		tap_ok(false, "%s: %d %.*s", what, rc, SLICE_ARG(x->why));
}

static struct store_object
object(const char *id, const char *content, const char *cause)
{
	return (struct store_object){ .id = slice_of(id),
	    .content = slice_of(content), .body = true, .time = 1000,
	    .size = 10, .sender = SLICE("a@Example.org"),
	    .cause = slice_of(cause), .rule = SLICE("score"),
	    .subject = SLICE("100% of_you\\"), .queue_id = SLICE("4Zx1") };
}

static bool
put(const struct store_object *o, const char *recipient,
    enum store_state state)
{
	struct store_row row = { .object = *o,
	    .recipient = slice_of(recipient), .state = state,
	    .expires = o->time + 100, .changed = o->time };
	bool done;

	ok(be->object_put(x, o), "object_put");
	ok(be->row_put(x, &row, &done), "row_put");
	return done;
}

static bool
move(const char *id, const char *recipient, enum store_state from,
    enum store_state to)
{
	const struct store_change c = { .time = 2000, .actor = SLICE("me"),
	    .reply = SLICE("250 2.0.0 Ok"), .tries = 3, .try_at = 2500 };
	bool moved;

	ok(be->move(x, slice_of(id), slice_of(recipient), from, to, &c,
	    &moved), "move");
	return moved;
}

static int
state_of(const char *id, const char *recipient)
{
	struct store_row row;
	bool found;

	ok(be->row_get(x, slice_of(id), slice_of(recipient), arena, &row,
	    &found), "row_get");
	return found ? (int)row.state : -1;
}

static bool
collect(const struct store_row *row, void *arg)
{
	struct buf *out = arg;

	buf_addf(out, "%.2s:%.*s ", row->object.id.ptr,
	    SLICE_ARG(row->recipient));
	return true;
}

static struct slice
listed(const struct store_filter *f)
{
	struct buf out = buf_in(arena);

	ok(be->list(x, f, arena, collect, &out), "list");
	return buf_slice(&out);
}

static void
test_states(void)
{
	static const char want[STORE_STATES][STORE_STATES + 1] = {
		/* to: hld rlg rld del exp not */
		[STORE_HELD] =		"110111",
		[STORE_RELEASING] =	"111000",
		[STORE_RELEASED] =	"100110",
		[STORE_DELETED] =	"100010",
		[STORE_EXPIRED] =	"100000",
		[STORE_NOT_ACCEPTED] =	"100110",
	};
	enum store_state s;

	for (unsigned from = 0; from < STORE_STATES; from++) {
		for (unsigned to = 0; to < STORE_STATES; to++)
			tap_ok(store_may_move(from, to) ==
			    (want[from][to] == '1'), "%s to %s: %c",
			    store_state_name(from), store_state_name(to),
			    want[from][to]);
		tap_ok(store_state_parse(slice_of(store_state_name(from)),
		    &s) && s == from, "%s is read back",
		    store_state_name(from));
	}
	tap_ok(!store_state_parse(SLICE("gone"), &s), "no such state");
	tap_ok(!store_may_move(STORE_STATES, STORE_HELD), "nor a move of it");
}

static void
test_rows(void)
{
	struct store_object o = object(ID1, CONTENT, "spam");
	struct store_object two = object(ID2, CONTENT, "phishing");
	struct store_object virus = object(ID3, CONTENT, "virus");
	struct store_row row;
	bool found;

	tap_ok(put(&o, "r@example.com", STORE_HELD), "a row is put");
	tap_ok(!put(&o, "r@example.com", STORE_HELD), "once");
	tap_ok(!put(&two, "r@example.com", STORE_HELD),
	    "a retry that another rule holds is the same row");
	tap_ok(put(&two, "s@example.com", STORE_HELD),
	    "and a recipient more is one more");
	ok(be->row_same(x, &two, SLICE("r@example.com"), arena, &row, &found),
	    "row_same");
	tap_ok(found && slice_eq(row.object.id, SLICE(ID1)),
	    "the first one is found");
	ok(be->restricted(x, SLICE(CONTENT), &found), "restricted");
	tap_ok(!found, "anybody may release it");
	tap_ok(put(&virus, "r@example.com", STORE_HELD),
	    "a virus in it is another matter");
	ok(be->restricted(x, SLICE(CONTENT), &found), "restricted");
	tap_ok(found, "and then nobody but an administrator may");
	ok(be->row_get(x, SLICE(ID1), SLICE("r@example.com"), arena, &row,
	    &found), "row_get");
	tap_ok(found && row.object.size == 10 && row.object.body &&
	    row.expires == 1100 && !row.hold, "a row is read whole");
	tap_is(row.object.sender, SLICE("a@Example.org"), "as it was written");
	tap_is(row.object.rule, SLICE("score"), "in each column");
}

static void
test_moves(void)
{
	struct store_row row;
	bool found;
	uint64_t n;

	tap_ok(move(ID1, "r@example.com", STORE_HELD, STORE_RELEASING),
	    "held goes to releasing");
	tap_ok(!move(ID1, "r@example.com", STORE_HELD, STORE_RELEASING),
	    "once");
	tap_ok(!move(ID1, "r@example.com", STORE_RELEASING, STORE_EXPIRED),
	    "and not to expired from there");
	ok(be->row_get(x, SLICE(ID1), SLICE("r@example.com"), arena, &row,
	    &found), "row_get");
	tap_ok(row.tries == 3 && row.try_at == 2500 && row.changed == 2000 &&
	    row.expires == 1100, "what came with it is kept");
	tap_is(row.reply, SLICE("250 2.0.0 Ok"), "the reply too");
	tap_ok(move(ID1, "r@example.com", STORE_RELEASING, STORE_RELEASED),
	    "to released");
	tap_ok(put(&(struct store_object){ .id = SLICE("bb"), .content =
	    SLICE(CONTENT), .sender = SLICE("a@Example.org"), .time = 1100,
	    .cause = SLICE("spam") }, "r@example.com", STORE_HELD),
	    "who is over stands in nobody's way");
	tap_ok(!move(ID1, "r@example.com", STORE_RELEASED, STORE_HELD),
	    "but comes not alive beside his successor");
	tap_is_int(state_of(ID1, "r@example.com"), STORE_RELEASED, "it stays");
	tap_ok(!move(ID1, "nobody", STORE_HELD, STORE_RELEASING),
	    "no such recipient");
	ok(be->hold(x, SLICE(ID2), SLICE_NONE, true, &n), "hold");
	tap_is_int((long long)n, 1, "one row is put on hold");
	ok(be->forget(x, SLICE("bb")), "forget");
	tap_is_int(state_of("bb", "r@example.com"), -1,
	    "an object that is forgotten takes its rows along");
}

static bool
count(const struct store_row *row, void *arg)
{
	(void)row;
	++*(unsigned *)arg;
	return true;
}

static void
test_due(void)
{
	unsigned n = 0;
	uint64_t changed;

	ok(be->due(x, STORE_HELD, 1099, 10, arena, count, &n), "due");
	tap_is_int(n, 0, "nothing is due before its time");
	ok(be->due(x, STORE_HELD, 1100, 10, arena, count, &n), "due");
	tap_is_int(n, 1, "what is on hold is never due");
	ok(be->hold(x, SLICE(ID2), SLICE("s@example.com"), false, &changed),
	    "hold");
	n = 0;
	ok(be->due(x, STORE_HELD, 1100, 10, arena, count, &n), "due");
	tap_is_int(n, 2, "till it is lifted");
	n = 0;
	ok(be->due(x, STORE_HELD, 5000, 1, arena, count, &n), "due");
	tap_is_int(n, 1, "no more than asked for");
	ok(be->expire_at(x, SLICE(ID2), SLICE("s@example.com"), 9000),
	    "expire_at");
	n = 0;
	ok(be->due(x, STORE_HELD, 5000, 9, arena, count, &n), "due");
	tap_is_int(n, 1, "another time counts");
}

static void
test_list(void)
{
	struct store_object late = object("cc", "x", "fraud");
	static const struct {
		const char *name;
		struct store_filter f;
		struct slice want;
	} cases[] = {
		{ "all, newest first", { .since = 0 },
		  SLICE("cc:Z@Example.com a0:r@example.com 00:s@example.com "
		  "00:r@example.com ") },
		{ "by id", { .object = SLICE(ID3) },
		  SLICE("a0:r@example.com ") },
		{ "by its beginning", { .object = SLICE("00") },
		  SLICE("00:s@example.com 00:r@example.com ") },
		{ "by recipient, in any case", { .recipient =
		  SLICE("z@example.COM") }, SLICE("cc:Z@Example.com ") },
		{ "by domain", { .recipient = SLICE("@EXAMPLE.com"),
		  .limit = 2 }, SLICE("cc:Z@Example.com a0:r@example.com ") },
		{ "by sender", { .sender = SLICE("A@example.org"),
		  .since = 1001 }, SLICE("cc:Z@Example.com ") },
		{ "by the sender's domain", { .sender = SLICE("@example.org"),
		  .until = 1000, .cause = SLICE("virus") },
		  SLICE("a0:r@example.com ") },
		{ "by cause", { .cause = SLICE("fraud") },
		  SLICE("cc:Z@Example.com ") },
		{ "by state", { .states = 1 << STORE_RELEASED },
		  SLICE("00:r@example.com ") },
		{ "by queue id", { .queue_id = SLICE("4Zx1"), .limit = 1 },
		  SLICE("cc:Z@Example.com ") },
		{ "by text; its signs are signs", { .text = SLICE("% OF_you\\"),
		  .limit = 1 }, SLICE("cc:Z@Example.com ") },
		{ "and no patterns", { .text = SLICE("1%you") }, SLICE("") },
		{ "the page behind", { .before_time = 1000, .before_id =
		  SLICE(ID2), .before_recipient = SLICE("s@example.com") },
		  SLICE("00:r@example.com ") },
		{ "SQL is a text", { .recipient =
		  SLICE("' OR 1=1; DROP TABLE rows; --") }, SLICE("") },
		{ "a NUL too", { .sender = { "a\0b", 3 } }, SLICE("") },
		{ "on hold", { .only_hold = true }, SLICE("") },
	};

	late.time = 3000;
	tap_ok(put(&late, "Z@Example.com", STORE_HELD), "a later one");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		tap_is(listed(&cases[i].f), cases[i].want, "%s",
		    cases[i].name);
	tap_ok(put(&(struct store_object){ .id = SLICE("dd") , .time = 1 },
	    "", STORE_NOT_ACCEPTED), "nobody got this one");
	tap_is(listed(&(struct store_filter){ .until = 2 }), SLICE(""),
	    "and nobody sees it");
	tap_is(listed(&(struct store_filter){ .until = 2, .states = ~0u }),
	    SLICE("dd: "), "who does not ask for it");
}

static bool
see_id(struct slice id, uint64_t size, void *arg)
{
	buf_addf(arg, "%.2s:%u ", id.ptr, (unsigned)size);
	return true;
}

static void
test_bookkeeping(void)
{
	struct buf out = buf_in(arena);
	struct store_stats st;

	ok(be->log_size(x, SLICE(ID1), 77), "log_size");
	ok(be->ids(x, SLICE("00"), arena, see_id, &out), "ids");
	tap_is(buf_slice(&out), SLICE("00:77 00:0 "), "ids in order");
	ok(be->stats(x, &st), "stats");
	tap_is_int((long long)st.objects, 5, "objects");
	tap_is_int((long long)st.rows[STORE_HELD], 3, "held ones");
	tap_is_int((long long)st.bytes[STORE_RELEASED], 10, "bytes");
	tap_is_int(st.oldest, 1000, "the oldest");
	ok(be->begin(x), "begin");
	ok(be->forget(x, SLICE(ID3)), "forget");
	be->rollback(x);
	tap_is_int(state_of(ID3, "r@example.com"), STORE_HELD,
	    "a batch that is taken back leaves nothing");
	ok(be->begin(x), "begin");
	ok(be->forget(x, SLICE(ID3)), "forget");
	ok(be->commit(x), "commit");
	tap_is_int(state_of(ID3, "r@example.com"), -1, "one that is not, all");
	tap_is_int(be->check(x, true), RC_OK, "all is whole");
}

/* Bytes of any kind come back as they went in. */
static void
test_bytes(void)
{
	char big[70000], odd[] = "\xff\0\x1b[2J\r\n';--\"\\%_";
	struct store_object o = object("ee", "odd", "policy");
	struct store_row row;
	bool found;
	struct slice to = slice_make(odd, sizeof odd - 1);

	memset(big, 0xfe, sizeof big);
	o.subject = slice_make(big, sizeof big);
	o.sender = o.reason = o.from = to;
	ok(be->object_put(x, &o), "object_put");
	row = (struct store_row){ .object = o, .recipient = to };
	ok(be->row_put(x, &row, &found), "row_put");
	ok(be->row_get(x, SLICE("ee"), to, arena, &row, &found), "row_get");
	tap_ok(found, "a recipient of odd bytes is found");
	tap_is(row.object.sender, to, "bytes come back");
	tap_ok(slice_eq(row.object.subject, o.subject), "and many of them");
	tap_is_int(be->check(x, true), RC_OK, "the table is whole");
}

static struct slice
waiting(const char *cause)
{
	struct buf out = buf_in(arena);

	ok(be->waits(x, slice_of(cause), 100, arena, collect, &out), "waits");
	return buf_slice(&out);
}

/* What waits for a second look: oldest first, and nobody's to release. */
static void
test_waiting(void)
{
	struct store_object old = object(ID4, OTHER, "deferred");
	struct store_object new = object(ID5, OTHER, "deferred");
	bool found;

	old.time = 900;
	new.queue_id = SLICE("4Zx2");
	put(&new, "w@example.com", STORE_HELD);
	put(&old, "v@example.com", STORE_HELD);
	tap_is(waiting("deferred"), SLICE("d4:v@example.com d5:w@example.com "),
	    "what came first stands first");
	tap_is(waiting("sandbox"), SLICE(""), "of one cause");
	ok(be->restricted(x, SLICE(OTHER), &found), "restricted");
	tap_ok(found, "while it waits only an administrator may release it");
	tap_ok(move(ID4, "v@example.com", STORE_HELD, STORE_HELD),
	    "something is noted about a held row");
	move(ID4, "v@example.com", STORE_HELD, STORE_RELEASING);
	tap_is(waiting("deferred"), SLICE("d4:v@example.com d5:w@example.com "),
	    "what is being released is in the list");
	move(ID4, "v@example.com", STORE_RELEASING, STORE_RELEASED);
	tap_is(waiting("deferred"), SLICE("d5:w@example.com "), "until it is");
	move(ID5, "w@example.com", STORE_HELD, STORE_DELETED);
	ok(be->restricted(x, SLICE(OTHER), &found), "restricted");
	tap_ok(!found, "what has waited restricts nothing");
}

static void
suite(void)
{
	be = x->does;
	test_rows();
	test_moves();
	test_due();
	test_list();
	test_bookkeeping();
	test_bytes();
	test_waiting();
}

static void
sql(const char *path, const char *text)
{
	sqlite3 *h;
	char *said = NULL;

	if (sqlite3_open(path, &h) != SQLITE_OK ||
	    sqlite3_exec(h, text, NULL, NULL, &said) != SQLITE_OK)
		tap_ok(false, "%s: %s", text, said);
	sqlite3_close(h);
}

static void
spoil(const char *path, off_t at, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	tap_ok(fd >= 0 && pwrite(fd, bytes, n, at) == (ssize_t)n, "spoiled");
	close(fd);
}

static void
refused(const char *path, enum rc want, const char *says, const char *what)
{
	struct store_index *y = NULL;
	struct slice why = SLICE("");
	enum rc rc = index_sqlite_open(path, STORE_WRITE, &y, arena, &why);

	tap_is_int(rc, want, "%s", what);
	if (rc == RC_OK)
		y->does->close(y);
	else if (!tap_ok(slice_search(why, slice_of(says)) < why.len,
	    "it says %s", says))
		tap_diag("%.*s", SLICE_ARG(why));
}

static void
test_files(void)
{
	const char *path = in_dir("other.db");
	struct store_index *y;
	struct slice why;
	struct stat st;
	static char junk[8192];

	tap_ok(stat(in_dir("index.db"), &st) == 0 &&
	    (st.st_mode & 0777) == 0600, "nobody else may read it");
	tap_is_int(index_sqlite_open(in_dir("none.db"), STORE_READ, &y, arena,
	    &why), RC_RETRY, "a reader makes no file");
	sql(path, "CREATE TABLE a(b); PRAGMA application_id=7");
	refused(path, RC_BAD, "another program", "a file of somebody else");
	memset(junk, 'x', sizeof junk);
	spoil(in_dir("junk.db"), 0, junk, sizeof junk);
	refused(in_dir("junk.db"), RC_BAD, "store rebuild", "no database");
	refused("/proc/nowhere/x.db", RC_RETRY, "/proc/nowhere",
	    "a folder that is not there");
}

static void
test_versions(void)
{
	const char *path = in_dir("index.db");

	refused(path, RC_OK, "", "opened again");
	sql(path, "PRAGMA user_version=3");
	refused(path, RC_OK, "", "a newer one that says we may");
	sql(path, "UPDATE house_schema SET oldest=3");
	refused(path, RC_BAD, "version 3, and this program knows 2",
	    "a newer one that says we may not");
	sql(path, "DROP TABLE house_schema");
	refused(path, RC_BAD, "version 3", "a newer one that says nothing");
	sql(path, "PRAGMA user_version=-4");
	refused(path, RC_BAD, "no sense", "a version that is none");
}

/* Somebody has it locked: trouble, said as such, and over when he goes. */
static void
test_locked(void)
{
	sqlite3 *h;
	bool found;

	db_patience(index_sqlite_db(x), 50);
	sqlite3_open(in_dir("index.db"), &h);
	sqlite3_exec(h, "BEGIN IMMEDIATE", NULL, NULL, NULL);
	tap_is_int(be->forget(x, SLICE("ee")), RC_RETRY, "locked: not now");
	tap_ok(slice_search(x->why, SLICE("locked")) < x->why.len,
	    "it says so");
	ok(be->restricted(x, SLICE(CONTENT), &found), "reading goes on");
	sqlite3_close(h);
	tap_is_int(be->forget(x, SLICE("ee")), RC_OK, "then it goes on");
}

static void
test_damaged(void)
{
	const char *path = in_dir("index.db");
	static const char ff[] = "\xff\xff\xff\xff\xff\xff\xff\xff";
	struct stat st;
	enum rc rc;

	be->close(x);
	stat(path, &st);
	for (off_t at = 4096; at < st.st_size; at += 4096)
		spoil(path, at, ff, 8);
	if (index_sqlite_open(path, STORE_WRITE, &x, arena, &(struct slice){
	    0 }) != RC_OK) {
		tap_ok(true, "damage is found at once");
		return;
	}
	rc = be->check(x, false);
	tap_is_int(rc, RC_BAD, "damage is found");
	tap_ok(slice_search(x->why, SLICE("store rebuild")) < x->why.len,
	    "and what to do is said: %.*s", SLICE_ARG(x->why));
	be->close(x);
}

int
main(void)
{
	struct slice why = SLICE("");

	arena = arena_new();
	if (mkdtemp(dir) == NULL || index_sqlite_open(in_dir("index.db"),
	    STORE_WRITE, &x, arena, &why) != RC_OK)
		return tap_ok(false, "no index: %.*s", SLICE_ARG(why)),
		    tap_done();
	test_states();
	suite();
	test_files();
	test_locked();
	be->close(x);
	test_versions();
	sql(in_dir("index.db"), "PRAGMA user_version=2");
	if (index_sqlite_open(in_dir("index.db"), STORE_WRITE, &x, arena,
	    &why) == RC_OK)
		test_damaged();
	if (system(arena_printf(arena, "rm -rf %s", dir).ptr) != 0)
		tap_diag("%s stays", dir);
	arena_free(arena);
	return tap_done();
}
