/* Objects: written, read again, merged, refused. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/object.h"
#include "t/tap.h"

static char dir[] = "/tmp/gatehouse-object-XXXXXX";
static struct arena *arena;
static struct crypt_keys *keys;
static struct crypt_public pub;

static const char *
in_dir(const char *name)
{
	return arena_printf(arena, "%s/%s", dir, name).ptr;
}

/* How many files of objects there are, with a dot or without. */
static int
files(bool hidden)
{
	DIR *d = opendir(in_dir("in"));
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += strcmp(e->d_name, ".") != 0 &&
		    strcmp(e->d_name, "..") != 0 &&
		    (e->d_name[0] == '.') == hidden;
	closedir(d);
	return n;
}

static void
clear(void)
{
	DIR *d = opendir(in_dir("in"));
	struct dirent *e;

	while ((e = readdir(d)) != NULL)
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

static const struct slice head = { "From: =?utf-8?q?J=C3=A9?= <a@b.test>\r\n"
    "Subject: =?utf-8?b?w6k=?= \xff\r\nMessage-ID: <1@b.test>\r\n"
    "Date: Thu, 26 Nov 2026 10:00:00 +0000\r\n", 126 };
static const struct slice body = { "one\r\n\0two\r\n", 11 };

static struct object_meta
example(void)
{
	static struct slice recipients[] = { { "us@gatehouse.test", 17 },
	    { "odd\xff@gatehouse.test", 19 } };
	static struct object_finding findings[] = {
		{ { "antispam", 8 }, { "score", 5 }, { "a;b\xc3\xa9\xff", 6 } },
	};
	struct object_meta m = {
		.kind = OBJECT_HELD, .sender = SLICE("a@b.test"),
		.recipients = recipients, .nrecipients = 2,
		.smtputf8 = true, .queue_id = SLICE("4Zx1Qk2hJ9z"),
		.time = 1795687200, .outbound = true,
		.client_name = SLICE("mx.b.test"), .helo = SLICE("b\x80.test"),
		.user = SLICE("joe"), .tls = SLICE("TLSv1.3"),
		.filter = SLICE("antispam"), .rule = SLICE("score"),
		.reason = SLICE("9 points"), .coverage = SLICE("headers"),
		.cause = CAUSE_SPAM, .findings = findings, .nfindings = 1,
	};
	struct message msg;

	memset(m.content, 'c', 64);
	memset(m.identity, 'd', 32);
	ip_parse(SLICE("2001:db8::1"), &m.client_ip);
	message_read(&msg, arena, head, body, NULL);
	object_describe(&m, &msg, arena);
	if (object_digests(&m, head, body) != RC_OK || object_id(&m) != RC_OK)
		abort();
	return m;
}

static enum rc
write_it(const struct object_meta *m, bool *merged_r, struct slice *why_r)
{
	*why_r = SLICE("");
	return object_write(in_dir("in"), &pub, m, head, body, merged_r,
	    arena, why_r);
}

static int
open_file(const char *id)
{
	return open(arena_printf(arena, "%s/in/%s", dir, id).ptr, O_RDONLY);
}

/* Reads the whole object; *bytes_r is the message. */
static enum rc
read_it(int fd, struct object_meta *meta_r, struct buf *bytes_r)
{
	struct object *o;
	struct slice why = SLICE(""), piece;
	enum rc rc = object_open(fd, keys, arena, &o, &why);

	if (rc != RC_OK) {
		tap_diag("%.*s", SLICE_ARG(why));
		return rc;
	}
	*meta_r = *object_meta(o);
	while ((rc = object_next(o, &piece)) == RC_OK && piece.len > 0)
		buf_add(bytes_r, piece);
	object_close(o);
	return rc;
}

static void
same_meta(const struct object_meta *m, const struct object_meta *want)
{
	struct slice x = slice_make(want->client_ip.bytes, 16);

	tap_is_str(m->id, want->id, "id");
	tap_is_str(m->content, want->content, "content");
	tap_is_str(m->identity, want->identity, "identity");
	tap_is_int(m->kind, want->kind, "kind");
	tap_is_int(m->cause, want->cause, "cause");
	tap_is(m->sender, want->sender, "sender");
	tap_is_int((long long)m->nrecipients, 2, "recipients");
	if (m->nrecipients != 2 || m->nfindings != 1)
		return;
	tap_is(m->recipients[0], want->recipients[0], "the first");
	tap_is(m->recipients[1], want->recipients[1], "one that is no UTF-8");
	tap_ok(m->smtputf8 && !m->body8 && m->outbound, "facts");
	tap_is(m->queue_id, want->queue_id, "queue id");
	tap_is_int(m->time, want->time, "time");
	tap_ok(m->client_ip.family == want->client_ip.family &&
	    slice_eq(slice_make(m->client_ip.bytes, 16), x), "client");
	tap_is(m->client_name, want->client_name, "its name");
	tap_is(m->helo, want->helo, "HELO");
	tap_is(m->user, want->user, "login");
	tap_is(m->tls, want->tls, "TLS");
	tap_is(m->filter, want->filter, "filter");
	tap_is(m->rule, want->rule, "rule");
	tap_is(m->reason, want->reason, "reason");
	tap_is(m->coverage, want->coverage, "coverage");
	tap_is_int((long long)m->nfindings, 1, "findings");
	tap_is(m->findings[0].value, want->findings[0].value, "its bytes");
	tap_is(m->subject, want->subject, "subject");
	tap_is(m->from, want->from, "From");
	tap_is(m->message_id, want->message_id, "Message-ID");
	tap_is(m->date, want->date, "Date");
	tap_is_int((long long)m->size, (long long)want->size, "size");
	tap_is_str(m->sha256, want->sha256, "digest");
	tap_is_str(m->head_sha256, want->head_sha256, "of the header block");
	tap_is_str(m->body_sha256, want->body_sha256, "of the body");
}

static void
round_trip(void)
{
	struct object_meta m = example(), got = { .kind = 0 };
	struct buf bytes = buf_in(arena), want = buf_in(arena);
	struct slice why = SLICE("");
	struct stat st;
	bool merged = true;
	int fd;

	tap_is(m.subject, SLICE("\xc3\xa9 \xc3\xbf"), "the subject as read");
	tap_is_int(write_it(&m, &merged, &why), RC_OK, "written %.*s",
	    SLICE_ARG(why));
	tap_ok(!merged, "as a new one");
	fd = open_file(m.id);
	tap_ok(fstat(fd, &st) == 0 && (st.st_mode & 0777) == 0440,
	    "for its group to read");
	tap_is_int(read_it(fd, &got, &bytes), RC_OK, "and read");
	same_meta(&got, &m);
	buf_add(&want, head);
	buf_adds(&want, "\r\n");
	buf_add(&want, body);
	tap_is(buf_slice(&bytes), buf_slice(&want), "the message");
	tap_is_int(write_it(&m, &merged, &why), RC_OK, "written again");
	tap_ok(merged, "it was there");
	tap_is_int(files(false), 1, "one object");
	tap_is_int(files(true), 0, "nothing else");
}

static void
record(void)
{
	struct object_meta m = example(), got = { .kind = 0 };
	struct buf bytes = buf_in(arena);
	struct slice why = SLICE("");

	m.kind = OBJECT_DELETED;
	if (object_id(&m) != RC_OK)
		abort();
	tap_is_int(write_it(&m, NULL, &why), RC_OK, "a record is written");
	tap_is_int(read_it(open_file(m.id), &got, &bytes), RC_OK, "and read");
	tap_is_int(got.kind, OBJECT_DELETED, "it says so");
	tap_is_int((long long)bytes.len, 0, "and has no message");
	tap_is_int((long long)got.size, (long long)m.size, "but its size");
}

static void
ids(void)
{
	struct object_meta a = example(), b = a;
	struct slice turned[] = { a.recipients[1], a.recipients[0] };
	struct slice joined[] = { SLICE("xy"), SLICE("z") },
	    cut[] = { SLICE("x"), SLICE("yz") };

	b.recipients = turned;
	b.reason = SLICE("other words");
	b.queue_id = SLICE("other");
	b.time++;
	object_id(&b);
	tap_is_str(a.id, b.id, "a retry has the same id");
	b.cause = CAUSE_VIRUS;
	object_id(&b);
	tap_ok(strcmp(a.id, b.id) != 0, "another cause another one");
	b = a;
	b.nrecipients = 1;
	object_id(&b);
	tap_ok(strcmp(a.id, b.id) != 0, "other recipients too");
	b = a;
	b.sender = SLICE("");
	object_id(&b);
	tap_ok(strcmp(a.id, b.id) != 0, "and another sender");
	a.recipients = joined;
	b = a;
	b.recipients = cut;
	object_id(&a);
	object_id(&b);
	tap_ok(strcmp(a.id, b.id) != 0, "values do not run together");
	tap_ok(object_name_valid(slice_of(a.id)), "it is a name");
	tap_ok(!object_name_valid(SLICE(".0123456789abcdef0123456789abcde")) &&
	    !object_name_valid(SLICE("0123456789abcdef0123456789abcdeF")) &&
	    !object_name_valid(SLICE("../../../../../../../../../../etc")) &&
	    !object_name_valid(SLICE("")), "these are none");
}

/* The meta block is read without the body: what is wrong behind it is found
 * when it is read. */
static void
meta_only(void)
{
	enum { N = 300 * 1024 };
	char *big = mem_alloc(N);
	struct slice large = slice_make(big, N), why = SLICE("");
	struct object_meta m = example();
	struct object *o;
	struct slice piece;
	enum rc rc;
	char byte;
	int fd;

	object_digests(&m, head, large);
	m.content[0] = 'a';
	object_id(&m);
	tap_is_int(object_write(in_dir("in"), &pub, &m, head, large, NULL,
	    arena, &why), RC_OK, "a large one");
	fd = open(arena_printf(arena, "%s/in/%s", dir, m.id).ptr, O_RDONLY);
	tap_is_int(object_open(fd, keys, arena, &o, &why), RC_OK, "opened");
	tap_ok(lseek(fd, 0, SEEK_CUR) < 2 * CRYPT_CHUNK, "with one chunk read");
	object_close(o);
	chmod(arena_printf(arena, "%s/in/%s", dir, m.id).ptr, 0600);
	fd = open(arena_printf(arena, "%s/in/%s", dir, m.id).ptr, O_RDWR);
	if (pread(fd, &byte, 1, 200 * 1024) != 1)
		abort();
	byte ^= 1;
	if (pwrite(fd, &byte, 1, 200 * 1024) != 1)
		abort();
	tap_is_int(object_open(fd, keys, arena, &o, &why), RC_OK,
	    "one with a wrong byte far behind opens");
	do
		rc = object_next(o, &piece);
	while (rc == RC_OK && piece.len > 0);
	tap_is_int(rc, RC_BAD, "and is found out there");
	tap_is_int(object_next(o, &piece), RC_BAD, "for good");
	object_close(o);
	free(big);
}

/* Objects that somebody made who has the public key. */
static int
forged(const char *text, size_t len)
{
	int fd = memfd_create("forged", 0);
	struct crypt_writer *w = crypt_write_begin(&pub, fd);
	char head4[4] = { (char)(len >> 24), (char)(len >> 16),
	    (char)(len >> 8), (char)len };

	if (!crypt_write(w, slice_make(head4, 4)) ||
	    !crypt_write(w, slice_of(text)) || !crypt_write_end(w))
		abort();
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void
hostile(void)
{
	static const struct { const char *name, *text; size_t len; } all[] = {
		{ "no meta", "", 0 }, { "no JSON", "hello", 5 },
		{ "another type", "[1]", 3 }, { "no keys", "{}", 2 },
		{ "length beyond the file", "{}", 3 },
		{ "length of 4 GB", "{}", 0xffffffff },
		{ "a key alone", "{\"version\":1}", 13 },
		{ "twice a key", "{\"version\":1,\"version\":1}", 25 },
	};
	struct object *o;
	struct slice why = SLICE("");

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		why = SLICE("");
		tap_is_int(object_open(forged(all[i].text, all[i].len), keys,
		    arena, &o, &why), RC_BAD, "%s: %.*s", all[i].name,
		    SLICE_ARG(why));
	}
	tap_is_int(object_open(open("/dev/null", O_RDONLY), keys, arena, &o,
	    &why), RC_BAD, "an empty file: %.*s", SLICE_ARG(why));
	tap_is_int(object_open(open("/", O_RDONLY), keys, arena, &o, &why),
	    RC_RETRY, "a folder: %.*s", SLICE_ARG(why));
}

/* An object under an id that is not its own. */
static void
false_name(void)
{
	struct object_meta m = example(), got = { .kind = 0 };
	struct buf bytes = buf_in(arena);
	struct slice why = SLICE("");

	m.id[0] = m.id[0] == 'f' ? 'e' : 'f';
	tap_is_int(write_it(&m, NULL, &why), RC_OK, "a false id is written");
	tap_is_int(read_it(open_file(m.id), &got, &bytes), RC_BAD,
	    "and not believed");
}

static void
failures(void)
{
	struct object_meta m = example();
	struct rlimit small = { 100, RLIM_INFINITY }, before;
	struct slice *many = arena_array(arena, 200000, sizeof *many);
	struct slice why = SLICE("");

	clear();
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	setrlimit(RLIMIT_FSIZE, &small);
	tap_is_int(write_it(&m, NULL, &why), RC_RETRY, "no room in the file");
	setrlimit(RLIMIT_FSIZE, &before);
	tap_ok(slice_search(why, SLICE("write: ")) < why.len,
	    "it is said what failed: %.*s", SLICE_ARG(why));
	tap_is_int(files(true) + files(false), 0, "and nothing is left");
	tap_is_int(object_write(in_dir("absent"), &pub, &m, head, body, NULL,
	    arena, &why), RC_RETRY, "no folder: %.*s", SLICE_ARG(why));
	for (size_t i = 0; i < 200000; i++)
		many[i] = SLICE("somebody.with.a.long.name.indeed@"
		    "gatehouse.test");
	m.recipients = many;
	m.nrecipients = 200000;
	tap_is_int(write_it(&m, NULL, &why), RC_BAD, "an envelope without end: "
	    "%.*s", SLICE_ARG(why));
	tap_is_int(files(true) + files(false), 0, "nothing of it either");
}

/* A large attachment: its own bytes, and how it may be had. */
static void
large_file(void)
{
	struct object_meta m = example(), got = { .kind = 0 };
	struct buf bytes = buf_in(arena);
	struct slice why = SLICE("");
	bool merged = true;
	int fd;

	m.kind = OBJECT_FILE;
	m.cause = CAUSE_ATTACHMENT;
	m.file = (struct object_file){ .name = SLICE("a\xff.pdf"),
	    .type = SLICE("application/pdf"), .expires = 1795687201,
	    .uses = 7 };
	memset(m.file.token, 'e', 64);
	tap_ok(object_digests(&m, SLICE(""), body) == RC_OK && object_id(&m) ==
	    RC_OK && m.size == body.len, "a file is its own bytes");
	tap_is_int(object_write(in_dir("in"), &pub, &m, SLICE(""), body,
	    &merged, arena, &why), RC_OK, "written %.*s", SLICE_ARG(why));
	fd = open_file(m.id);
	tap_is_int(read_it(fd, &got, &bytes), RC_OK, "and read");
	tap_is(buf_slice(&bytes), body, "byte for byte");
	tap_is_int(got.kind, OBJECT_FILE, "its kind");
	tap_is(got.file.name, m.file.name, "its name, which is no UTF-8");
	tap_is(got.file.type, m.file.type, "its type");
	tap_is_str(got.file.token, m.file.token, "what stands for its token");
	tap_ok(got.file.expires == m.file.expires && got.file.uses == 7,
	    "until when, how often");
	m.file.uses = 0;
	m.content[0] = 'd';
	tap_ok(object_id(&m) == RC_OK && object_write(in_dir("in"), &pub, &m,
	    SLICE(""), body, &merged, arena, &why) == RC_OK, "one for nobody");
	tap_is_int(read_it(open_file(m.id), &got, &bytes), RC_BAD,
	    "is no object");
}

int
main(void)
{
	struct slice why = SLICE("");

	arena = arena_new();
	if (mkdtemp(dir) == NULL || mkdir(in_dir("in"), 0700) != 0)
		return 1;
	if (store_key_make(in_dir("key"), in_dir("pub"), arena, &why) !=
	    RC_OK || crypt_keys_load(in_dir("key"), &keys, arena, &why) !=
	    RC_OK || crypt_public_load(in_dir("pub"), &pub, arena, &why) !=
	    RC_OK)
		tap_ok(false, "keys: %.*s", SLICE_ARG(why));
	round_trip();
	large_file();
	record();
	ids();
	meta_only();
	hostile();
	false_name();
	failures();
	clear();
	unlink(in_dir("key"));
	unlink(in_dir("pub"));
	rmdir(in_dir("in"));
	rmdir(dir);
	crypt_keys_free(keys);
	arena_free(arena);
	return tap_done();
}
