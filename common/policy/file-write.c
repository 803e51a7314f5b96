/* A map is written (policy/file.h). */
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write.h"
#include "policy/file.h"
#include "policy/trailer.h"

enum {
	COMMIT_EVERY = 100000,		/* puts: dirty pages stay in memory */
	MODE = 0640,
};

static int
by_key(const void *a, const void *b)
{
	const struct file_entry *x = a, *y = b;

	return slice_cmp(x->key, y->key);
}

static int
put_run(MDB_env *env, const struct file_entry *entries, size_t n)
{
	MDB_txn *txn;
	MDB_dbi dbi;
	int status = mdb_txn_begin(env, NULL, 0, &txn);

	if (status != 0)
		return status;
	status = mdb_dbi_open(txn, NULL, 0, &dbi);
	for (size_t i = 0; status == 0 && i < n; i++) {
		MDB_val k = { entries[i].key.len,
		    (void *)(uintptr_t)entries[i].key.ptr };
		MDB_val v = { entries[i].value.len,
		    (void *)(uintptr_t)entries[i].value.ptr };

		status = mdb_put(txn, dbi, &k, &v, MDB_APPEND);
	}
	if (status == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return status;
}

static int
put_all(const char *path, const struct file_entry *entries, size_t n)
{
	size_t bytes = 64 << 20;
	MDB_env *env;
	int status;

	for (size_t i = 0; i < n; i++)
		bytes += 2 * (entries[i].key.len + entries[i].value.len) + 256;
	/* Whole pages, whatever their size is. */
	bytes = (bytes | 0xffff) + 1;
	status = mdb_env_create(&env);
	if (status != 0)
		return status;
	status = mdb_env_set_mapsize(env, bytes);
	if (status == 0)
		status = mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK |
		    MDB_NOSYNC, MODE);
	for (size_t i = 0; status == 0 && i < n; i += COMMIT_EVERY)
		status = put_run(env, entries + i,
		    n - i < COMMIT_EVERY ? n - i : COMMIT_EVERY);
	mdb_env_close(env);
	return status;
}

/* The check sum behind it, and all of it on the disk. */
static bool
seal(const char *path, struct arena *a)
{
	unsigned char digest[TRAILER_DIGEST];
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct buf b = buf_in(a);
	struct stat st;
	bool good = fd >= 0 && fstat(fd, &st) == 0 &&
	    trailer_digest(fd, (uint64_t)st.st_size, digest);

	if (good) {
		buf_adds(&b, TRAILER_MAGIC);
		pack_u64(&b, MAP_VERSION);
		pack_u64(&b, (uint64_t)st.st_size);
		buf_add(&b, slice_make(digest, sizeof digest));
		good = lseek(fd, 0, SEEK_END) == st.st_size &&
		    write_all(fd, buf_slice(&b)) && fchmod(fd, MODE) == 0 &&
		    fsync(fd) == 0;
	}
	if (fd >= 0 && close(fd) != 0)
		good = false;
	return good;
}

static bool
sync_folder(const char *path, struct arena *a)
{
	struct slice s = slice_of(path);
	size_t slash = slice_find_last(s, '/');
	const char *dir = slash == s.len ? "." :
	    arena_str(a, slice_sub(s, 0, slash + 1));
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

static enum rc
failed(struct arena *a, const char *path, const char *what,
    struct slice *why_r)
{
	*why_r = arena_printf(a, "%s: %s", path, what);
	return RC_RETRY;
}

static enum rc
write_file(const char *path, const char *fresh,
    const struct file_entry *entries, size_t n, struct arena *a,
    struct slice *why_r)
{
	int status = put_all(fresh, entries, n);

	if (status != 0)
		return failed(a, fresh, mdb_strerror(status), why_r);
	if (!seal(fresh, a))
		return failed(a, fresh, strerror(errno), why_r);
	if (rename(fresh, path) != 0 || !sync_folder(path, a))
		return failed(a, path, strerror(errno), why_r);
	return RC_OK;
}

enum rc
file_write(const char *path, struct file_entry *entries, size_t n,
    struct arena *a, struct slice *why_r)
{
	/* One name: what a killed compile left is written over. */
	const char *fresh = arena_printf(a, "%s.new", path).ptr;
	enum rc rc;

	qsort(entries, n, sizeof *entries, by_key);
	for (size_t i = 0; i < n; i++) {
		if (entries[i].key.len > MAP_KEY_MAX || (i > 0 &&
		    slice_eq(entries[i - 1].key, entries[i].key))) {
			*why_r = arena_printf(a, "%.*s comes twice, or is too "
			    "long", SLICE_ARG(slice_after(entries[i].key, 1)));
			return RC_BAD;
		}
	}
	if (unlink(fresh) != 0 && errno != ENOENT)
		return failed(a, fresh, strerror(errno), why_r);
	rc = write_file(path, fresh, entries, n, a, why_r);
	if (rc != RC_OK)
		unlink(fresh);
	return rc;
}
