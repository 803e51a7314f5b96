/* What is encrypted comes back, and nothing that was tampered with does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "store/crypt.h"
#include "t/tap.h"

enum { SEALED = CRYPT_CHUNK + CRYPT_TAG };

static char dir[] = "/tmp/gatehouse-crypt-XXXXXX";
static struct arena *arena;
static struct crypt_keys *keys;
static struct crypt_public pub;

static const char *
in_dir(const char *name)
{
	return arena_printf(arena, "%s/%s", dir, name).ptr;
}

static void
put_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, text, strlen(text)) < 0 ||
	    fchmod(fd, mode) != 0)
		abort();
	close(fd);
}

static char *
pattern(size_t n)
{
	char *bytes = mem_alloc(n + 1);

	for (size_t i = 0; i < n; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	return bytes;
}

/* A file of n bytes of the pattern, written in pieces of `step`. */
static int
sealed(size_t n, size_t step)
{
	int fd = memfd_create("crypt", 0);
	struct crypt_writer *w = crypt_write_begin(&pub, fd);
	char *bytes = pattern(n);

	for (size_t at = 0; at < n; at += step)
		if (!crypt_write(w, slice_make(bytes + at, n - at < step ?
		    n - at : step)))
			abort();
	if (!crypt_write_end(w))
		abort();
	free(bytes);
	return fd;
}

/* Reads it to the end; *got_r, malloced, is what came before. */
static enum rc
unseal(int fd, const struct crypt_keys *with, struct buf *got_r)
{
	const char *why;
	struct slice piece;
	enum rc rc;
	struct crypt_reader *r;

	lseek(fd, 0, SEEK_SET);
	r = crypt_read_begin(fd, with, &rc, &why);
	if (r == NULL)
		return rc;
	do {
		rc = crypt_read(r, &piece);
		if (rc == RC_OK)
			buf_add(got_r, piece);
		if (piece.len > CRYPT_CHUNK || (rc != RC_OK && piece.len > 0))
			abort();
	} while (rc == RC_OK && piece.len > 0);
	if (rc == RC_BAD && crypt_read(r, &piece) != RC_BAD)
		abort();
	crypt_read_end(r);
	return rc;
}

static off_t
size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_size : -1;
}

static void
sizes(void)
{
	static const size_t all[] = { 0, 1, CRYPT_CHUNK - 1, CRYPT_CHUNK,
	    CRYPT_CHUNK + 1, 2 * CRYPT_CHUNK, 3 * CRYPT_CHUNK + 17 };
	static const size_t steps[] = { 1000, CRYPT_CHUNK, 1 << 20 };

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		size_t n = all[i];
		size_t chunks = n == 0 ? 1 : (n + CRYPT_CHUNK - 1) /
		    CRYPT_CHUNK;
		char *want = pattern(n);

		for (size_t s = 0; s < 3; s++) {
			int fd = sealed(n, steps[s]);
			struct buf got = { 0 };

			tap_is_int(unseal(fd, keys, &got), RC_OK,
			    "%zu bytes in steps of %zu", n, steps[s]);
			tap_ok(slice_eq(buf_slice(&got), slice_make(want, n)),
			    "come back");
			tap_is_int(size_of(fd), (long long)(CRYPT_HEADER + n +
			    chunks * CRYPT_TAG), "and no more than they need");
			buf_free(&got);
			close(fd);
		}
		free(want);
	}
}

static void
same_twice(void)
{
	int a = sealed(100, 100), b = sealed(100, 100);
	char x[300], y[300];
	ssize_t n = pread(a, x, sizeof x, 0), m = pread(b, y, sizeof y, 0);

	tap_ok(n == m && memcmp(x + CRYPT_HEADER, y + CRYPT_HEADER,
	    (size_t)n - CRYPT_HEADER) != 0, "the same bytes are never the "
	    "same file");
	close(a);
	close(b);
}

/* --- tampering: of a file of two and a half chunks ----------------------- */

enum { WHOLE = CRYPT_HEADER + 2 * SEALED + 1000 + CRYPT_TAG };

static void
flip(unsigned char *file, size_t *n, size_t at)
{
	(void)n;
	file[at] ^= 1;
}

static void
cut(unsigned char *file, size_t *n, size_t at)
{
	(void)file;
	*n = at;
}

static void
add(unsigned char *file, size_t *n, size_t more)
{
	memset(file + *n, 0, more);
	*n += more;
}

static void
add_first_again(unsigned char *file, size_t *n, size_t more)
{
	memcpy(file + *n, file + CRYPT_HEADER, more);
	*n += more;
}

static void
swap(unsigned char *file, size_t *n, size_t at)
{
	unsigned char *tmp = mem_alloc(SEALED);

	(void)n;
	memcpy(tmp, file + at, SEALED);
	memcpy(file + at, file + at + SEALED, SEALED);
	memcpy(file + at + SEALED, tmp, SEALED);
	free(tmp);
}

static void
leave_out(unsigned char *file, size_t *n, size_t at)
{
	memmove(file + at, file + at + SEALED, *n - at - SEALED);
	*n -= SEALED;
}

static void
twice(unsigned char *file, size_t *n, size_t at)
{
	memmove(file + at + SEALED, file + at, *n - at);
	*n += SEALED;
}

static const struct {
	const char *name;
	void (*change)(unsigned char *file, size_t *n, size_t at);
	size_t at;
	long long good;			/* chunks that come before it is found */
} tampered[] = {
	{ "ephemeral key", flip, 20, 0 },
	{ "first byte", flip, CRYPT_HEADER, 0 },
	{ "first tag", flip, CRYPT_HEADER + CRYPT_CHUNK, 0 },
	{ "second chunk", flip, CRYPT_HEADER + SEALED + 5, 1 },
	{ "last chunk", flip, CRYPT_HEADER + 2 * SEALED + 5, 2 },
	{ "last tag", flip, WHOLE - 1, 2 },
	{ "one byte cut off", cut, WHOLE - 1, 2 },
	{ "the last chunk's tag alone", cut, CRYPT_HEADER + 2 * SEALED +
	    CRYPT_TAG, 2 },
	{ "cut in the last chunk's tag", cut, CRYPT_HEADER + 2 * SEALED + 3,
	    2 },
	{ "cut between chunks", cut, CRYPT_HEADER + 2 * SEALED, 1 },
	{ "cut after the first", cut, CRYPT_HEADER + SEALED, 0 },
	{ "cut in the first", cut, CRYPT_HEADER + 100, 0 },
	{ "nothing but the header", cut, CRYPT_HEADER, 0 },
	{ "cut in the header", cut, CRYPT_HEADER - 1, 0 },
	{ "empty", cut, 0, 0 },
	{ "one byte more", add, 1, 2 },
	{ "a tag more", add, CRYPT_TAG, 2 },
	{ "a chunk more", add, SEALED, 2 },
	{ "the first chunk again at the end", add_first_again, SEALED, 2 },
	{ "chunks swapped", swap, CRYPT_HEADER, 0 },
	{ "first chunk left out", leave_out, CRYPT_HEADER, 0 },
	{ "second chunk left out", leave_out, CRYPT_HEADER + SEALED, 1 },
	{ "first chunk twice", twice, CRYPT_HEADER, 1 },
	{ "magic", flip, 0, 0 },
};

static void
tampering(void)
{
	unsigned char *file = mem_alloc(WHOLE + 2 * SEALED);
	int whole = sealed(2 * CRYPT_CHUNK + 1000, 4096);

	tap_is_int(size_of(whole), WHOLE, "a file of three chunks");
	for (size_t i = 0; i < sizeof tampered / sizeof tampered[0]; i++) {
		struct buf got = { 0 };
		size_t n = WHOLE;
		int fd = memfd_create("tampered", 0);

		if (pread(whole, file, WHOLE, 0) != WHOLE)
			abort();
		tampered[i].change(file, &n, tampered[i].at);
		if (write(fd, file, n) != (ssize_t)n)
			abort();
		tap_is_int(unseal(fd, keys, &got), RC_BAD, "%s: found",
		    tampered[i].name);
		tap_is_int((long long)got.len, tampered[i].good * CRYPT_CHUNK,
		    "and only what is true was given out");
		buf_free(&got);
		close(fd);
	}
	close(whole);
	free(file);
}

/* --- keys ---------------------------------------------------------------- */

/* Made by another implementation (pyca/cryptography) from crypt.h. */
static const char known_private[] =
    "# made by hand\ngatehouse-store-private 1 "
    "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20\n";
static const char known_public[] = "gatehouse-store-public 1 "
    "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c\n";
static const char known_file[] =
    "4748637279707431aaa8fff703b50b225714769d116bf76436ae74bc793d2c30ad1903"
    "c59ac5273805c7e2698b410c36334418858efb5cff26842aa711bb0fa6f5ebee1d67b8"
    "1caef56219392841191649a900e5e0d3a95e2b05";

static void
known_answer(void)
{
	struct crypt_keys *own = NULL;
	struct crypt_public own_pub;
	struct buf got = { 0 };
	struct slice why = SLICE("");
	int fd = memfd_create("known", 0);

	put_file(in_dir("known.key"), known_private, 0600);
	put_file(in_dir("known.pub"), known_public, 0644);
	for (size_t i = 0; known_file[i] != '\0'; i += 2) {
		char byte = (char)(ascii_hex(known_file[i]) << 4 |
		    ascii_hex(known_file[i + 1]));

		if (write(fd, &byte, 1) != 1)
			abort();
	}
	tap_is_int(crypt_keys_load(in_dir("known.key"), &own, arena, &why),
	    RC_OK, "a key file made by hand");
	tap_is_int(crypt_public_load(in_dir("known.pub"), &own_pub, arena,
	    &why), RC_OK, "and its public one");
	tap_ok(crypt_keys_have(own, own_pub.id), "belong together");
	tap_is_int(unseal(fd, own, &got), RC_OK, "what another implementation "
	    "wrote is read");
	tap_is(buf_slice(&got), SLICE("Subject: known\r\n\r\nanswer\r\n"),
	    "as it was");
	buf_clear(&got);
	tap_is_int(unseal(fd, keys, &got), RC_RETRY, "without its key it is "
	    "not here");
	buf_free(&got);
	crypt_keys_free(own);
	close(fd);
}

static void
rotation(void)
{
	int old = sealed(10, 10), fresh;
	struct crypt_public before = pub;
	struct crypt_keys *both = NULL;
	struct buf got = { 0 };
	struct slice why = SLICE("");
	struct stat st;

	tap_is_int(store_key_make(in_dir("key"), in_dir("pub"), arena, &why),
	    RC_OK, "a new pair beside the old one: %.*s", SLICE_ARG(why));
	tap_is_int(crypt_public_load(in_dir("pub"), &pub, arena, &why), RC_OK,
	    "the public file has one key");
	tap_ok(memcmp(pub.id, before.id, CRYPT_ID) != 0, "the new one");
	tap_is_int(crypt_keys_load(in_dir("key"), &both, arena, &why), RC_OK,
	    "the private one has both");
	tap_ok(crypt_keys_have(both, pub.id) &&
	    crypt_keys_have(both, before.id), "by their ids");
	fresh = sealed(10, 10);
	tap_is_int(unseal(old, both, &got), RC_OK, "old files open");
	tap_is_int(unseal(fresh, both, &got), RC_OK, "and new ones");
	tap_is_int(unseal(fresh, keys, &got), RC_RETRY, "which the old keys do "
	    "not");
	tap_ok(stat(in_dir("key"), &st) == 0 && (st.st_mode & 0777) == 0600,
	    "the private file is 0600");
	tap_ok(stat(in_dir("pub"), &st) == 0 && (st.st_mode & 0777) == 0644,
	    "the public one 0644");
	tap_ok(stat(in_dir("key.new"), &st) != 0 &&
	    stat(in_dir("pub.new"), &st) != 0, "nothing else is left");
	buf_free(&got);
	crypt_keys_free(both);
	pub = before;
	close(old);
	close(fresh);
}

static void
bad_key_files(void)
{
	static const struct { const char *name, *text; mode_t mode;
	    const char *says; } files[] = {
		{ "no line", "", 0600, "are wanted" },
		{ "rubbish", "hello\n", 0600, "are wanted" },
		{ "a public key", known_public, 0600, "are wanted" },
		{ "short", "gatehouse-store-private 1 0102\n", 0600,
		    "are wanted" },
		{ "no hex", "gatehouse-store-private 1 zz02030405060708090a0b0"
		    "c0d0e0f101112131415161718191a1b1c1d1e1f20\n", 0600,
		    "are wanted" },
		{ "others may read", known_private, 0604, "chmod o=" },
		{ "others may write", known_private, 0602, "chmod" },
	};
	struct crypt_keys *none = NULL;
	struct crypt_public key;
	struct slice why;

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		put_file(in_dir("bad"), files[i].text, files[i].mode);
		why = SLICE("");
		tap_is_int(crypt_keys_load(in_dir("bad"), &none, arena, &why),
		    RC_BAD, "%s: refused", files[i].name);
		tap_ok(slice_search(why, slice_of(files[i].says)) < why.len,
		    "and says so: %.*s", SLICE_ARG(why));
	}
	tap_is_int(crypt_keys_load(in_dir("absent"), &none, arena, &why),
	    RC_BAD, "absent: refused");
	tap_ok(slice_search(why, SLICE("keygen")) < why.len, "and says what "
	    "makes one");
	put_file(in_dir("bad"), known_private, 0644);
	tap_is_int(crypt_public_load(in_dir("bad"), &key, arena, &why),
	    RC_BAD, "a private key is no public one");
	put_file(in_dir("bad"), arena_printf(arena, "%s%s", known_public,
	    known_public).ptr, 0644);
	tap_is_int(crypt_public_load(in_dir("bad"), &key, arena, &why),
	    RC_BAD, "nor are two");
	tap_is_int(store_key_make(in_dir("none/key"), in_dir("pub"), arena,
	    &why), RC_RETRY, "no folder for a key: %.*s", SLICE_ARG(why));
}

/* --- amounts and failures ------------------------------------------------ */

static void
large(void)
{
	enum { PIECE = 1 << 20, PIECES = 100 };
	char *piece = pattern(PIECE);
	int fd = memfd_create("large", 0);
	struct crypt_writer *w = crypt_write_begin(&pub, fd);
	struct crypt_reader *r;
	struct rusage before, after;
	struct slice got;
	const char *why;
	uint64_t n = 0;
	enum rc rc;
	bool same = true;

	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < PIECES; i++)
		if (!crypt_write(w, slice_make(piece, PIECE)))
			abort();
	tap_ok(crypt_write_end(w), "100 MB are written");
	lseek(fd, 0, SEEK_SET);
	r = crypt_read_begin(fd, keys, &rc, &why);
	while ((rc = crypt_read(r, &got)) == RC_OK && got.len > 0) {
		same = same && slice_eq(got, slice_make(piece + n % PIECE,
		    got.len));
		n += got.len;
	}
	crypt_read_end(r);
	getrusage(RUSAGE_SELF, &after);
	tap_is_int(rc, RC_OK, "and read");
	tap_is_int((long long)n, (long long)PIECE * PIECES, "all of them");
	tap_ok(same, "as they were");
	tap_ok(after.ru_maxrss - before.ru_maxrss < 8 * 1024,
	    "in bounded memory (%ld kB)", after.ru_maxrss - before.ru_maxrss);
	free(piece);
	close(fd);
}

static void
no_room(void)
{
	int fd = open("/dev/full", O_WRONLY);

	errno = 0;
	tap_ok(crypt_write_begin(&pub, fd) == NULL && errno == ENOSPC,
	    "a full disk is told by errno");
	close(fd);
}

static void
clean(void)
{
	static const char *const names[] = { "key", "pub", "bad", "known.key",
	    "known.pub" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(in_dir(names[i]));
	tap_is_int(rmdir(dir), 0, "nothing else was left in the folder");
}

int
main(void)
{
	struct slice why = SLICE("");

	arena = arena_new();
	if (mkdtemp(dir) == NULL)
		return 1;
	tap_is_int(store_key_make(in_dir("key"), in_dir("pub"), arena, &why),
	    RC_OK, "keys are made");
	tap_is_int(crypt_keys_load(in_dir("key"), &keys, arena, &why), RC_OK,
	    "and loaded: %.*s", SLICE_ARG(why));
	tap_is_int(crypt_public_load(in_dir("pub"), &pub, arena, &why), RC_OK,
	    "both: %.*s", SLICE_ARG(why));
	sizes();
	same_twice();
	tampering();
	known_answer();
	rotation();
	bad_key_files();
	large();
	no_room();
	clean();
	crypt_keys_free(keys);
	arena_free(arena);
	return tap_done();
}
