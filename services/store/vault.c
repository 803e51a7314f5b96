#include "services/store/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log/log.h"
#include "store/db.h"

static enum rc
fails(struct arena *a, const char *dir, const char *what, struct slice *why_r)
{
	*why_r = arena_printf(a, "%s/%s: %s", dir, what, strerror(errno));
	return RC_RETRY;
}

bool
vault_id_valid(struct slice id)
{
	return object_name_valid(id);
}

void
vault_path(char path[VAULT_PATH], struct slice id, const char *suffix)
{
	snprintf(path, VAULT_PATH, "objects/%.2s/%.32s%s", id.ptr, id.ptr,
	    suffix);
}

static bool
sync_folder(const struct vault *v, const char *name)
{
	int fd = openat(v->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;
	int wrong = errno;

	if (fd >= 0)
		close(fd);
	errno = wrong;
	return good;
}

bool
vault_fsync(struct vault *v, struct slice id)
{
	char name[VAULT_PATH];

	snprintf(name, sizeof name, "objects/%.2s", id.ptr);
	return sync_folder(v, name);
}

/* --- the reserve --------------------------------------------------------- */

void
vault_reserve(struct vault *v, bool keep)
{
	struct stat st;
	int fd;

	if (!keep) {
		if (unlinkat(v->fd, "reserve", 0) == 0)
			log_error("%s: the disk is full; its reserve of %llu "
			    "bytes was given up so that the quarantine can "
			    "still be worked with", v->dir,
			    (unsigned long long)v->reserve);
		return;
	}
	if (v->reserve == 0 || (fstatat(v->fd, "reserve", &st, 0) == 0 &&
	    (uint64_t)st.st_size >= v->reserve))
		return;
	fd = openat(v->fd, "reserve", O_WRONLY | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (fd < 0)
		return;
	/* Blocks, not a hole: else there is nothing to give up. */
	if (posix_fallocate(fd, 0, (off_t)v->reserve) != 0)
		unlinkat(v->fd, "reserve", 0);
	close(fd);
}

/* --- opening ------------------------------------------------------------- */

static bool
make_folder(const struct vault *v, const char *name, mode_t mode)
{
	return mkdirat(v->fd, name, mode) == 0 || errno == EEXIST;
}

/* Milters write into incoming/, so its mode is more than umask would give. A
 * package makes it with its group (tmpfiles); here it is only ours. */
static enum rc
make_folders(struct vault *v, struct arena *a, struct slice *why_r)
{
	char name[VAULT_PATH];
	bool fresh = mkdirat(v->fd, "incoming", 0770) == 0;

	if (!fresh && errno != EEXIST)
		return fails(a, v->dir, "incoming", why_r);
	if (!make_folder(v, "objects", 0700) || !make_folder(v, "aside", 0700))
		return fails(a, v->dir, "objects", why_r);
	for (unsigned i = 0; i < 256; i++) {
		snprintf(name, sizeof name, "objects/%02x", i);
		if (!make_folder(v, name, 0700))
			return fails(a, v->dir, name, why_r);
	}
	v->incoming = openat(v->fd, "incoming", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC | O_NOFOLLOW);
	if (v->incoming >= 0 && fresh && fchmod(v->incoming, 03770) != 0)
		return fails(a, v->dir, "incoming", why_r);
	if (v->incoming < 0 || !sync_folder(v, "objects") ||
	    !sync_folder(v, "."))
		return fails(a, v->dir, "incoming", why_r);
	return RC_OK;
}

static enum rc
take_lock(struct vault *v, struct arena *a, struct slice *why_r)
{
	v->lock_fd = openat(v->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (v->lock_fd < 0)
		return fails(a, v->dir, "lock", why_r);
	if (flock(v->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return RC_OK;
	if (errno != EWOULDBLOCK)
		return fails(a, v->dir, "lock", why_r);
	*why_r = arena_printf(a, "%s is in use by another gatehouse-store",
	    v->dir);
	return RC_RETRY;
}

static const char *
index_path(const struct vault *v, struct arena *a)
{
	return arena_printf(a, "%s/index.db", v->dir).ptr;
}

enum rc
vault_open_indexes(struct vault *v, struct arena *a, struct slice *why_r)
{
	const char *path = index_path(v, a);
	enum rc rc = index_sqlite_open(path, STORE_WRITE, &v->index, a, why_r);

	if (rc == RC_OK)
		rc = index_sqlite_open(path, STORE_READ, &v->reader, a,
		    why_r);
	if (rc == RC_OK && index_sqlite_db(v->index) != NULL)
		db_patience(index_sqlite_db(v->index), VAULT_PATIENCE_MS);
	return rc;
}

enum rc
vault_open_folder(struct vault *v, const struct vault_conf *conf,
    struct arena *a, struct slice *why_r)
{
	enum rc rc;

	memset(v, 0, sizeof *v);
	v->dir = conf->dir;
	v->reserve = conf->reserve;
	v->incoming = v->lock_fd = -1;
	pthread_mutex_init(&v->lock, NULL);
	pthread_mutex_init(&v->read_lock, NULL);
	v->fd = open(conf->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (v->fd < 0)
		return fails(a, conf->dir, ".", why_r);
	rc = take_lock(v, a, why_r);
	if (rc == RC_OK)
		rc = make_folders(v, a, why_r);
	if (rc == RC_OK)
		rc = crypt_keys_load(conf->key, &v->keys, a, why_r);
	if (rc == RC_OK)
		rc = index_sqlite_open(NULL, STORE_WRITE, &v->scratch, a,
		    why_r);
	v->log_arena = arena_new();
	return rc;
}

enum rc
vault_open(struct vault *v, const struct vault_conf *conf, struct arena *a,
    struct slice *why_r)
{
	enum rc rc = vault_open_folder(v, conf, a, why_r);

	if (rc == RC_OK)
		rc = vault_open_indexes(v, a, why_r);
	if (rc == RC_OK)
		vault_reserve(v, true);
	else
		vault_close(v);
	return rc;
}

static void
close_index(struct store_index **x)
{
	if (*x != NULL)
		(*x)->does->close(*x);
	*x = NULL;
}

void
vault_close(struct vault *v)
{
	close_index(&v->index);
	close_index(&v->reader);
	close_index(&v->scratch);
	arena_free(v->log_arena);
	v->log_arena = NULL;
	crypt_keys_free(v->keys);
	v->keys = NULL;
	if (v->incoming >= 0)
		close(v->incoming);
	if (v->lock_fd >= 0)
		close(v->lock_fd);
	if (v->fd >= 0)
		close(v->fd);
	v->incoming = v->lock_fd = v->fd = -1;
}

void
vault_enter(struct vault *v)
{
	pthread_mutex_lock(&v->lock);
}

bool
vault_try(struct vault *v)
{
	return pthread_mutex_trylock(&v->lock) == 0;
}

void
vault_leave(struct vault *v)
{
	arena_reset(v->log_arena);
	pthread_mutex_unlock(&v->lock);
}

struct store_index *
vault_read(struct vault *v)
{
	pthread_mutex_lock(&v->read_lock);
	return v->reader;
}

void
vault_read_end(struct vault *v)
{
	pthread_mutex_unlock(&v->read_lock);
}

enum rc
vault_object(struct vault *v, struct slice id, struct arena *a,
    struct object **object_r, struct slice *why_r)
{
	char path[VAULT_PATH];
	int fd;

	vault_path(path, id, "");
	fd = openat(v->fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd >= 0)
		return object_open(fd, v->keys, a, object_r, why_r);
	fails(a, v->dir, path, why_r);
	return errno == ENOENT ? RC_BAD : RC_RETRY;
}

/* --- one change ---------------------------------------------------------- */

static void
note_behind(struct vault *v, struct slice id)
{
	for (size_t i = 0; i < v->nbehind; i++)
		if (memcmp(v->behind[i], id.ptr, STORE_ID) == 0)
			return;
	if (v->nbehind == VAULT_BEHIND) {
		v->all_behind = true;
		return;
	}
	memcpy(v->behind[v->nbehind++], id.ptr, STORE_ID);
}

/* A line is whole in the log and synced, or not there at all. */
static bool
append(struct vault *v, const char *path, struct slice line, uint64_t *size_r)
{
	int fd = openat(v->fd, path, O_WRONLY | O_CREAT | O_APPEND |
	    O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat st;
	int wrong;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0) {
		ssize_t n = write(fd, line.ptr, line.len);

		if (n == (ssize_t)line.len && fsync(fd) == 0 &&
		    close(fd) == 0) {
			*size_r = (uint64_t)st.st_size + line.len;
			return true;
		}
		wrong = n >= 0 && n < (ssize_t)line.len ? ENOSPC : errno;
		if (ftruncate(fd, st.st_size) != 0)
			log_error("%s/%s: a torn line stays in it: %s", v->dir,
			    path, strerror(errno));
		if (st.st_size == 0)
			unlinkat(v->fd, path, 0);
	} else {
		wrong = errno;
	}
	close(fd);
	errno = wrong;
	return false;
}

enum rc
vault_write(struct vault *v, const struct record *r, struct arena *a,
    uint64_t *size_r, struct slice *why_r)
{
	struct buf line = { 0 };
	char path[VAULT_PATH];
	bool good;

	vault_path(path, r->object.id, ".log");
	record_write(&line, r);
	good = append(v, path, buf_slice(&line), size_r);
	if (!good && (errno == ENOSPC || errno == EDQUOT)) {
		vault_reserve(v, false);
		good = append(v, path, buf_slice(&line), size_r);
	}
	/* The first line makes the file. */
	if (good && *size_r == line.len)
		good = vault_fsync(v, r->object.id);
	buf_free(&line);
	return good ? RC_OK : fails(a, v->dir, path, why_r);
}

/* A row that was over comes alive: is another object's in its place? */
static enum rc
has_heir(struct vault *v, const struct store_row *row, struct arena *a,
    bool *has_r)
{
	struct store_row heir;
	enum rc rc = v->index->does->row_same(v->index, &row->object,
	    row->recipient, a, &heir, has_r);

	*has_r = rc == RC_OK && *has_r && heir.state < STORE_RELEASED;
	return rc;
}

static enum rc
move_fits(struct vault *v, const struct record *r,
    const struct store_row *row, struct arena *a, bool *fits_r)
{
	bool heir = false;
	enum rc rc = RC_OK;

	*fits_r = row->state == r->from && store_may_move(r->from, r->to);
	if (*fits_r && r->from >= STORE_RELEASED && r->to < STORE_RELEASED)
		rc = has_heir(v, row, a, &heir);
	*fits_r = *fits_r && !heir;
	return rc;
}

/* Would it do anything? Only then it is written down: what the log says and
 * the index does not know is an error. */
static enum rc
fits(struct vault *v, const struct record *r, struct arena *a, bool *fits_r)
{
	struct store_row row;
	enum rc rc;

	*fits_r = true;
	if (r->kind != RECORD_MOVED && r->kind != RECORD_EXPIRES &&
	    (r->kind != RECORD_HOLD || r->recipient.ptr == NULL))
		return RC_OK;
	rc = v->index->does->row_get(v->index, r->object.id, r->recipient, a,
	    &row, fits_r);
	if (rc == RC_OK && *fits_r && r->kind == RECORD_MOVED)
		rc = move_fits(v, r, &row, a, fits_r);
	return rc;
}

static enum rc
apply(struct vault *v, const struct record *r, uint64_t size, struct arena *a,
    bool *done_r)
{
	struct store_index *x = v->index;
	enum rc rc = record_apply(x, r, a, done_r);

	if (rc == RC_OK)
		rc = x->does->log_size(x, r->object.id, size);
	return rc;
}

/* Inside a transaction of the index: who could not write there writes nothing
 * into the log either. */
static enum rc
record(struct vault *v, const struct record *r, struct arena *a,
    bool *done_r, struct slice *why_r)
{
	uint64_t size;
	bool good;
	enum rc rc = fits(v, r, a, &good);

	if (rc == RC_OK && !good)
		return RC_OK;
	if (rc == RC_OK) {
		rc = vault_write(v, r, a, &size, why_r);
		if (rc != RC_OK)
			return rc;
		/* Until the commit, which may fail. */
		note_behind(v, r->object.id);
		rc = apply(v, r, size, a, done_r);
		v->spoiled = v->spoiled || rc != RC_OK;
	}
	if (rc != RC_OK)
		*why_r = arena_copy(a, v->index->why);
	return rc;
}

enum rc
vault_record(struct vault *v, const struct record *r, struct arena *a,
    bool *done_r, struct slice *why_r)
{
	bool single = !v->batch;
	enum rc rc = RC_OK, end;

	*done_r = false;
	*why_r = SLICE("");
	if (single)
		rc = vault_batch(v, why_r);
	if (rc == RC_OK)
		rc = record(v, r, a, done_r, why_r);
	if (!single)
		return rc;
	end = vault_batch_end(v, rc == RC_OK ? why_r : &(struct slice){ 0 });
	return rc == RC_OK ? end : rc;
}

enum rc
vault_batch(struct vault *v, struct slice *why_r)
{
	enum rc rc = vault_catch_up(v, why_r);

	if (rc == RC_OK)
		rc = v->index->does->begin(v->index);
	v->batch = rc == RC_OK;
	if (rc != RC_OK && why_r->len == 0)
		*why_r = v->index->why;
	return rc;
}

enum rc
vault_batch_end(struct vault *v, struct slice *why_r)
{
	enum rc rc;

	if (!v->batch)
		return RC_OK;
	v->batch = false;
	if (v->spoiled) {
		/* Its logs tell all of it, later. */
		v->spoiled = false;
		v->index->does->rollback(v->index);
		*why_r = SLICE("the index did not take all of it");
		return RC_RETRY;
	}
	rc = v->index->does->commit(v->index);
	if (rc == RC_OK)
		v->nbehind = 0;
	else
		*why_r = v->index->why;
	return rc;
}

enum rc
vault_catch_up(struct vault *v, struct slice *why_r)
{
	uint64_t healed;
	enum rc rc = RC_OK;

	*why_r = SLICE("");
	if (v->batch)
		return RC_OK;
	if (v->all_behind) {
		rc = heal_all(v, v->index, &healed, why_r);
		if (rc != RC_OK)
			return rc;
		v->all_behind = false;
		v->nbehind = 0;
	}
	while (rc == RC_OK && v->nbehind > 0) {
		rc = heal_object(v, slice_make(v->behind[v->nbehind - 1],
		    STORE_ID), why_r);
		if (rc == RC_OK)
			v->nbehind--;
	}
	return rc;
}
