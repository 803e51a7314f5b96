#include "policy/file.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/trust.h"
#include "policy/trailer.h"

enum { OPEN_TRIES = 5 };

struct policy_file {
	MDB_env *env;
	MDB_dbi dbi;
	struct arena *arena;
	struct stat stat;
	struct file_meta meta;
};

/* ---- is it whole? ---- */

bool
trailer_digest(int fd, uint64_t len, unsigned char digest_r[TRAILER_DIGEST])
{
	enum { PIECE = 1 << 20 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	char *piece = mem_alloc(PIECE);
	bool good = ctx != NULL &&
	    EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
	uint64_t at = 0;

	while (good && at < len) {
		size_t want = len - at < PIECE ? (size_t)(len - at) : PIECE;
		ssize_t got = pread(fd, piece, want, (off_t)at);

		if (got < 0 && errno == EINTR)
			continue;
		good = got > 0 && EVP_DigestUpdate(ctx, piece,
		    (size_t)got) == 1;
		at += got > 0 ? (uint64_t)got : 0;
	}
	good = good && EVP_DigestFinal_ex(ctx, digest_r, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	free(piece);
	return good;
}

/* NULL, or what is wrong with it. */
static const char *
fault(int fd, const struct stat *st)
{
	unsigned char digest[TRAILER_DIGEST];
	char bytes[TRAILER_SIZE];
	struct unpack u = { .rest = slice_make(bytes, sizeof bytes) };
	uint64_t len;

	if (st->st_size <= TRAILER_SIZE)
		return "was cut off";
	len = (uint64_t)st->st_size - TRAILER_SIZE;
	if (pread(fd, bytes, sizeof bytes, (off_t)len) != TRAILER_SIZE)
		return "cannot be read";
	if (!slice_starts(u.rest, SLICE(TRAILER_MAGIC)))
		return "was cut off, or is no map";
	u.rest = slice_after(u.rest, sizeof TRAILER_MAGIC - 1);
	if (unpack_u64(&u) != MAP_VERSION)
		return "is of another version of Gatehouse";
	if (unpack_u64(&u) != len)
		return "was cut off";
	if (!trailer_digest(fd, len, digest))
		return "cannot be read";
	return memcmp(digest, u.rest.ptr, sizeof digest) == 0 ? NULL :
	    "is damaged";
}

/* ---- open ---- */

static enum rc
trouble(struct arena *a, const char *path, const char *what,
    struct slice *why_r)
{
	*why_r = arena_printf(a, "%s: %s; type: gatehouse policy compile",
	    path, what);
	return RC_RETRY;
}

/* The file that was looked at, not one that came after it: *same_r. */
static int
open_env(struct policy_file *f, const char *path, bool *same_r)
{
	struct stat st;
	int fd, status = mdb_env_create(&f->env);

	*same_r = false;
	if (status == 0)
		status = mdb_env_set_mapsize(f->env, (size_t)f->stat.st_size);
	if (status == 0)
		status = mdb_env_open(f->env, path, MDB_RDONLY | MDB_NOLOCK |
		    MDB_NOSUBDIR | MDB_NOTLS, 0);
	if (status == 0)
		status = mdb_env_get_fd(f->env, &fd);
	if (status != 0)
		return status;
	if (fstat(fd, &st) != 0)
		return errno;
	*same_r = st.st_dev == f->stat.st_dev && st.st_ino == f->stat.st_ino;
	return 0;
}

static bool
open_data(struct policy_file *f)
{
	struct slice value;
	MDB_txn *txn;
	MDB_stat st;
	bool found;

	if (mdb_txn_begin(f->env, NULL, MDB_RDONLY, &txn) != 0)
		return false;
	if (mdb_dbi_open(txn, NULL, 0, &f->dbi) != 0 ||
	    mdb_stat(txn, f->dbi, &st) != 0) {
		mdb_txn_abort(txn);
		return false;
	}
	mdb_txn_abort(txn);
	return file_get(f, 'm', SLICE(""), &value, &found) == RC_OK && found &&
	    file_unpack_meta(f->arena, value, &f->meta) &&
	    f->meta.records == st.ms_entries;
}

/* Whole, and to be trusted? */
static enum rc
look(struct policy_file *f, const char *path, struct arena *a,
    struct slice *why_r)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const char *what = NULL;

	if (fd < 0 || fstat(fd, &f->stat) != 0)
		what = strerror(errno);
	else if (!S_ISREG(f->stat.st_mode))
		what = "is no regular file";
	else if (trust_file(a, fd, path, why_r) != RC_OK)
		what = "";
	else
		what = fault(fd, &f->stat);
	if (fd >= 0)
		close(fd);
	if (what == NULL)
		return RC_OK;
	return what[0] == '\0' ? RC_RETRY : trouble(a, path, what, why_r);
}

static enum rc
try_open(const char *path, struct policy_file **file_r, struct arena *a,
    struct slice *why_r)
{
	struct policy_file *f = mem_alloc(sizeof *f);
	enum rc rc = look(f, path, a, why_r);
	bool same = false;
	int status = 0;

	f->arena = arena_new();
	*file_r = NULL;
	if (rc == RC_OK) {
		status = open_env(f, path, &same);
		if (status != 0)
			rc = trouble(a, path, mdb_strerror(status), why_r);
	}
	if (rc == RC_OK && same && !open_data(f))
		rc = trouble(a, path, "is no map of this version", why_r);
	if (rc == RC_OK && same)
		*file_r = f;
	else
		file_close(f);
	return rc;
}

enum rc
file_open(const char *path, struct policy_file **file_r, struct arena *a,
    struct slice *why_r)
{
	for (int i = 0; i < OPEN_TRIES; i++) {
		enum rc rc = try_open(path, file_r, a, why_r);

		if (rc != RC_OK || *file_r != NULL)
			return rc;
	}
	return trouble(a, path, "changes all the time", why_r);
}

void
file_close(struct policy_file *f)
{
	if (f == NULL)
		return;
	if (f->env != NULL)
		mdb_env_close(f->env);
	arena_free(f->arena);
	free(f);
}

const struct file_meta *
file_header(const struct policy_file *f)
{
	return &f->meta;
}

const struct stat *
file_stat(const struct policy_file *f)
{
	return &f->stat;
}

/* ---- get ---- */

enum rc
file_get(const struct policy_file *f, char letter, struct slice key,
    struct slice *value_r, bool *found_r)
{
	char bytes[MAP_KEY_MAX];
	MDB_val k = { 1 + key.len, bytes }, v;
	MDB_txn *txn;
	int status;

	*found_r = false;
	if (key.len >= sizeof bytes)
		return RC_OK;
	bytes[0] = letter;
	if (key.len > 0)
		memcpy(bytes + 1, key.ptr, key.len);
	if (mdb_txn_begin(f->env, NULL, MDB_RDONLY, &txn) != 0)
		return RC_RETRY;
	status = mdb_get(txn, f->dbi, &k, &v);
	/* The file never changes: what was found stays where it is. */
	mdb_txn_abort(txn);
	if (status == MDB_NOTFOUND)
		return RC_OK;
	if (status != 0)
		return RC_RETRY;
	*value_r = slice_make(v.mv_data, v.mv_size);
	*found_r = true;
	return RC_OK;
}

enum rc
file_number(const struct policy_file *f, char letter, uint32_t number,
    struct slice *value_r)
{
	char key[5];
	bool found;
	enum rc rc;

	file_key_number(key, letter, number);
	rc = file_get(f, letter, slice_make(key + 1, 4), value_r, &found);
	return rc == RC_OK && !found ? RC_RETRY : rc;
}

enum rc
file_walk(const struct policy_file *f, char letter,
    enum rc (*visit)(struct slice key, struct slice value, void *arg),
    void *arg)
{
	MDB_val k = { 1, &letter }, v;
	MDB_cursor *cursor;
	MDB_txn *txn;
	enum rc rc = RC_OK;
	int status;

	if (mdb_txn_begin(f->env, NULL, MDB_RDONLY, &txn) != 0)
		return RC_RETRY;
	status = mdb_cursor_open(txn, f->dbi, &cursor);
	if (status != 0) {
		mdb_txn_abort(txn);
		return RC_RETRY;
	}
	status = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	while (rc == RC_OK && status == 0 && *(char *)k.mv_data == letter) {
		rc = visit(slice_make((char *)k.mv_data + 1, k.mv_size - 1),
		    slice_make(v.mv_data, v.mv_size), arg);
		status = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	if (status != 0 && status != MDB_NOTFOUND)
		rc = RC_RETRY;
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	return rc;
}
