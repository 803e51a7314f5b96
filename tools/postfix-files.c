#include "tools/postfix-files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/write.h"
#include "tools/maincf.h"

static enum rc
fails(struct arena *a, const char *path, struct slice *why_r)
{
	*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	return RC_RETRY;
}

enum rc
file_read(struct arena *a, const char *path, struct slice *text_r,
    bool *there_r, struct slice *why_r)
{
	struct buf text = buf_in(a);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	*text_r = SLICE("");
	*there_r = fd >= 0;
	if (fd < 0 && errno == ENOENT)
		return RC_OK;
	while (fd >= 0 && text.len <= CF_FILE_MAX && (n = read(fd,
	    buf_room(&text, 65536), 65536)) > 0)
		buf_took(&text, (size_t)n);
	if (fd < 0 || n < 0) {
		fails(a, path, why_r);
		if (fd >= 0)
			close(fd);
		return RC_RETRY;
	}
	close(fd);
	*text_r = buf_slice(&text);
	if (text.len <= CF_FILE_MAX)
		return RC_OK;
	*why_r = arena_printf(a, "%s: over 4 MB", path);
	return RC_BAD;
}

static const char *
folder_of(struct arena *a, const char *path)
{
	struct slice s = slice_of(path);

	return arena_str(a, slice_sub(s, 0, slice_find_last(s, '/')));
}

static bool
sync_folder(struct arena *a, const char *path)
{
	int fd = open(folder_of(a, path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

/* The new bytes, on disk, under the new name's owner and mode. */
static bool
write_beside(const char *beside, const char *path, struct slice text)
{
	struct stat st = { .st_mode = 0644 };
	bool there = stat(path, &st) == 0;
	int fd;
	bool good;

	if (unlink(beside) != 0 && errno != ENOENT)
		return false;
	fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	good = (!there || fchown(fd, st.st_uid, st.st_gid) == 0) &&
	    fchmod(fd, st.st_mode & 07777) == 0 && write_all(fd, text) &&
	    fsync(fd) == 0;
	return close(fd) == 0 && good;
}

static enum rc
unchanged(struct arena *a, const char *path, struct slice before,
    bool was_there, struct slice *why_r)
{
	struct slice now;
	bool there;
	enum rc rc = file_read(a, path, &now, &there, why_r);

	if (rc != RC_OK || (there == was_there && slice_eq(now, before)))
		return rc;
	*why_r = arena_printf(a, "%s: somebody has changed it just now; "
	    "nothing is written over that, try again", path);
	return RC_RETRY;
}

static const char *
name_beside(struct arena *a, const char *path)
{
	struct slice s = slice_of(path);

	return arena_printf(a, "%s/.%.*s.gatehouse-new", folder_of(a, path),
	    SLICE_ARG(slice_after(s, slice_find_last(s, '/') + 1))).ptr;
}

void
file_tidy(struct arena *a, const char *path)
{
	unlink(name_beside(a, path));
}

enum rc
file_replace(struct arena *a, const char *path, struct slice before,
    bool was_there, struct slice after, struct slice *why_r)
{
	const char *beside = name_beside(a, path);
	enum rc rc;

	if (!write_beside(beside, path, after)) {
		fails(a, beside, why_r);
		unlink(beside);
		return RC_RETRY;
	}
	rc = unchanged(a, path, before, was_there, why_r);
	if (rc != RC_OK) {
		unlink(beside);
		return rc;
	}
	if (rename(beside, path) != 0) {
		fails(a, path, why_r);
		unlink(beside);
		return RC_RETRY;
	}
	return sync_folder(a, path) ? RC_OK : fails(a, path, why_r);
}

enum rc
file_remove(struct arena *a, const char *path, struct slice *why_r)
{
	if (unlink(path) != 0 && errno != ENOENT)
		return fails(a, path, why_r);
	return sync_folder(a, path) ? RC_OK : fails(a, path, why_r);
}

enum rc
folder_make(struct arena *a, const char *path, struct slice *why_r)
{
	if (mkdir(path, 0755) != 0) {
		if (errno != EEXIST)
			return fails(a, path, why_r);
		return RC_OK;
	}
	/* Whatever umask says: Postfix's users read the maps in there. */
	if (chmod(path, 0755) != 0 || !sync_folder(a, path))
		return fails(a, path, why_r);
	return RC_OK;
}
