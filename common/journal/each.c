/* journal_each: the files of a journal, oldest first. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal/journal.h"
#include "journal/lines.h"

struct files {
	struct file {
		int fd;
		dev_t dev;
		ino_t ino;
	} list[JOURNAL_KEEP + 1];	/* newest first */
	size_t count;
};

static bool
known(const struct files *f, const struct stat *st)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->list[i].dev == st->st_dev &&
		    f->list[i].ino == st->st_ino)
			return true;
	return false;
}

/*
 * All are opened before any is read, the newest first: one that is rotated
 * meanwhile is met again under its next name, and known.
 */
static bool
open_all(struct files *f, int dir, const char *name, char *file, size_t size)
{
	for (unsigned n = 0; n <= JOURNAL_KEEP; n++) {
		struct stat st;
		int fd, len;

		len = snprintf(file, size, "%s.json", name);
		if (n > 0 && len > 0 && (size_t)len < size)
			snprintf(file + len, size - (size_t)len, ".%u", n);
		fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
		    O_NONBLOCK | O_NOCTTY);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return false;
		if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
		    known(f, &st)) {
			close(fd);
			continue;
		}
		f->list[f->count++] =
		    (struct file){ fd, st.st_dev, st.st_ino };
	}
	return true;
}

static bool
read_file(int fd, struct lines *l, char *room, size_t size)
{
	struct stat st;
	off_t left;

	/* What is written while we read is for the next reader. */
	if (fstat(fd, &st) != 0)
		return false;
	for (left = st.st_size; left > 0 && !l->stopped;) {
		ssize_t n = read(fd, room, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		if (n > left)
			n = (ssize_t)left;
		lines_feed(l, slice_make(room, (size_t)n));
		left -= n;
	}
	lines_end(l);
	return true;
}

enum rc
journal_each(const char *dir, const char *name, struct arena *a,
    bool (*visit)(struct slice line, void *arg), void *arg, size_t *torn_r,
    struct slice *why_r)
{
	struct lines l = { .visit = visit, .arg = arg };
	struct files f = { .count = 0 };
	enum { ROOM = 65536 };
	char *room = arena_alloc(a, ROOM), file[300];
	int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good;

	file[0] = '\0';
	good = at >= 0 && open_all(&f, at, name, file, sizeof file);
	for (size_t i = f.count; good && i > 0; i--)
		good = read_file(f.list[i - 1].fd, &l, room, ROOM);
	if (!good)
		*why_r = arena_printf(a, "%s%s%s: %s", dir,
		    file[0] != '\0' ? "/" : "", file, strerror(errno));
	for (size_t i = 0; i < f.count; i++)
		close(f.list[i].fd);
	if (at >= 0)
		close(at);
	*torn_r = l.torn;
	lines_free(&l);
	return good ? RC_OK : RC_RETRY;
}
