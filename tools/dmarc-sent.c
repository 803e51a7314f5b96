#include "tools/dmarc-sent.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/map.h"
#include "base/write.h"

#define FILE_NAME	"sent"
#define NEW_NAME	"sent.new"
#define LOCK_NAME	"lock"

enum { FILE_MAX = 1 << 28, LINE_MAX_LEN = 1024 };

struct sent {
	struct arena *arena;
	const char *path;		/* of the folder */
	int dir, lock, file;
	struct map *keys;
	struct buf text;		/* what the file held */
};

static enum rc
fails(struct sent *s, const char *name, struct slice *why_r)
{
	*why_r = arena_printf(s->arena, "%s/%s: %s", s->path, name,
	    strerror(errno));
	return RC_RETRY;
}

static void
drop(void *arg)
{
	struct sent *s = arg;

	if (s->file >= 0)
		close(s->file);
	if (s->lock >= 0)
		close(s->lock);
	if (s->dir >= 0)
		close(s->dir);
	map_free(s->keys);
	buf_free(&s->text);
	s->file = s->lock = s->dir = -1;
	s->keys = NULL;
}

static struct sent *
begin(const char *dir, struct arena *a)
{
	struct sent *s = arena_alloc(a, sizeof *s);

	*s = (struct sent){ .arena = a, .path = dir, .lock = -1, .file = -1 };
	s->keys = map_new();
	s->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return s;
}

static enum rc
read_file(struct sent *s, struct slice *why_r)
{
	int fd = openat(s->dir, FILE_NAME, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n = 0;

	if (fd < 0)
		return errno == ENOENT ? RC_OK : fails(s, FILE_NAME, why_r);
	while ((n = read(fd, buf_room(&s->text, 65536), 65536)) > 0 ||
	    (n < 0 && errno == EINTR)) {
		if (n > 0)
			buf_took(&s->text, (size_t)n);
		if (s->text.len > FILE_MAX) {
			errno = EFBIG;
			n = -1;
			break;
		}
	}
	if (n < 0)
		fails(s, FILE_NAME, why_r);
	close(fd);
	return n < 0 ? RC_RETRY : RC_OK;
}

/* "+key" or "-key"; behind the last newline nothing counts. */
static void
take_lines(struct sent *s)
{
	struct slice rest = buf_slice(&s->text), line;

	rest.len = rest.len > 0 ? slice_find_last(rest, '\n') : 0;
	if (rest.len == s->text.len)
		rest.len = 0;
	while (slice_line(&rest, &line)) {
		struct slice key = slice_after(line, 1);

		if (line.len < 2 || line.len > LINE_MAX_LEN)
			continue;
		if (line.ptr[0] == '+')
			map_put(s->keys, key, s);
		else if (line.ptr[0] == '-')
			map_remove(s->keys, key);
	}
}

/* The third word of a key. */
static int64_t
end_of(struct slice key)
{
	uint64_t end = 0;

	slice_cut(key, ' ', &key);
	if (key.ptr != NULL)
		slice_cut(key, ' ', &key);
	if (key.ptr != NULL)
		slice_number(slice_cut(key, ' ', &key), INT64_MAX, &end);
	return (int64_t)end;
}

struct keep {
	struct buf *out;
	int64_t since;
};

static bool
keep_key(struct slice key, void *value, void *arg)
{
	struct keep *k = arg;

	(void)value;
	if (end_of(key) < k->since)
		return false;
	buf_addc(k->out, '+');
	buf_add(k->out, key);
	buf_addc(k->out, '\n');
	return true;
}

static enum rc
write_anew(struct sent *s, int64_t now, struct slice *why_r)
{
	struct keep keep = { &s->text, now - SENT_DAYS * INT64_C(86400) };

	buf_clear(&s->text);
	map_each(s->keys, keep_key, &keep);
	s->file = openat(s->dir, NEW_NAME, O_WRONLY | O_CREAT | O_TRUNC |
	    O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->file < 0 || !write_all(s->file, buf_slice(&s->text)) ||
	    fsync(s->file) != 0)
		return fails(s, NEW_NAME, why_r);
	if (renameat(s->dir, NEW_NAME, s->dir, FILE_NAME) != 0 ||
	    fsync(s->dir) != 0)
		return fails(s, FILE_NAME, why_r);
	return RC_OK;
}

static enum rc
lock(struct sent *s, struct slice *why_r)
{
	s->lock = openat(s->dir, LOCK_NAME, O_WRONLY | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (s->lock < 0)
		return fails(s, LOCK_NAME, why_r);
	if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return RC_OK;
	if (errno != EWOULDBLOCK)
		return fails(s, LOCK_NAME, why_r);
	*why_r = arena_printf(s->arena, "%s: another run is sending reports",
	    s->path);
	return RC_RETRY;
}

enum rc
sent_open(const char *dir, int64_t now, struct arena *a, struct sent **sent_r,
    struct slice *why_r)
{
	struct sent *s;
	enum rc rc;

	mkdir(dir, 0750);
	s = begin(dir, a);
	*sent_r = s;
	if (s->dir < 0) {
		*why_r = arena_printf(a, "%s: %s", dir, strerror(errno));
		rc = RC_RETRY;
	} else {
		rc = lock(s, why_r);
	}
	if (rc == RC_OK)
		rc = read_file(s, why_r);
	if (rc == RC_OK) {
		take_lines(s);
		rc = write_anew(s, now, why_r);
	}
	if (rc != RC_OK) {
		drop(s);
		*sent_r = NULL;
	}
	return rc;
}

enum rc
sent_look(const char *dir, struct arena *a, struct sent **sent_r,
    struct slice *why_r)
{
	struct sent *s = begin(dir, a);
	enum rc rc = s->dir < 0 ? RC_OK : read_file(s, why_r);

	*sent_r = s;
	if (rc == RC_OK)
		take_lines(s);
	return rc;
}

struct slice
sent_key(struct arena *a, struct slice domain, int64_t begin_at,
    int64_t end, struct slice address)
{
	return arena_printf(a, "%.*s %" PRId64 " %" PRId64 " %.*s",
	    SLICE_ARG(domain), begin_at, end, SLICE_ARG(address));
}

bool
sent_has(const struct sent *s, struct slice key)
{
	return map_get(s->keys, key) != NULL;
}

/* On disk when this returns; else it is not in the file either. */
static enum rc
append(struct sent *s, char sign, struct slice key, struct slice *why_r)
{
	struct slice line = arena_printf(s->arena, "%c%.*s\n", sign,
	    SLICE_ARG(key));
	off_t before = lseek(s->file, 0, SEEK_END);

	if (before >= 0 && write_all(s->file, line) &&
	    fdatasync(s->file) == 0)
		return RC_OK;
	fails(s, FILE_NAME, why_r);
	if (before >= 0 && ftruncate(s->file, before) != 0)
		*why_r = arena_printf(s->arena, "%.*s; and the line stays "
		    "there", SLICE_ARG(*why_r));
	return RC_RETRY;
}

enum rc
sent_mark(struct sent *s, struct slice key, struct slice *why_r)
{
	enum rc rc = append(s, '+', key, why_r);

	if (rc == RC_OK)
		map_put(s->keys, key, s);
	return rc;
}

enum rc
sent_unmark(struct sent *s, struct slice key, struct slice *why_r)
{
	enum rc rc = append(s, '-', key, why_r);

	if (rc == RC_OK)
		map_remove(s->keys, key);
	return rc;
}

void
sent_close(struct sent *s)
{
	if (s != NULL)
		drop(s);
}
