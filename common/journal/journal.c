#include "journal/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/age.h"
#include "log/log.h"

enum { NAME_SIZE = 200, FILE_SIZE = NAME_SIZE + 12, SAY_EVERY = 60 * 1000,
    LOOK_EVERY = 10 * 60 * 1000 };

struct journal {
	pthread_mutex_t lock;
	int dir, fd;			/* fd -1: open it again */
	char name[NAME_SIZE];
	uint64_t rotate;
	unsigned keep;
	struct age age;
	int64_t looked;			/* at its age; 0: not yet */
	off_t end;			/* where our last whole line ended */
	dev_t dev;
	ino_t ino;
	uint64_t lost, said_lost;
	uint64_t noted_lost;		/* in the journal itself */
	int64_t said_at;		/* 0: nothing said so far */
};

static bool
fits_name(const char *name)
{
	return *name != '\0' && *name != '.' && strchr(name, '/') == NULL &&
	    strlen(name) + sizeof ".json.100" <= NAME_SIZE;
}

static void
file_name(const struct journal *j, unsigned n, char file[FILE_SIZE])
{
	if (n == 0)
		snprintf(file, FILE_SIZE, "%s", j->name);
	else
		snprintf(file, FILE_SIZE, "%s.%u", j->name, n);
}

static void
shut(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
	j->end = -1;
}

/* True when fd is what the name stands for, opened now if need be. */
static bool
ready(struct journal *j)
{
	struct stat st;

	if (j->fd >= 0 && fstatat(j->dir, j->name, &st, AT_SYMLINK_NOFOLLOW)
	    == 0 && st.st_dev == j->dev && st.st_ino == j->ino)
		return true;
	shut(j);
	j->fd = openat(j->dir, j->name, O_RDWR | O_APPEND | O_CREAT |
	    O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK, 0640);
	if (j->fd < 0)
		return false;
	/* Whoever is in the daemon's own group may read it (gatehouse-track),
	 * whatever the umask hides of its other files. */
	if (fstat(j->fd, &st) == 0 && st.st_size == 0 &&
	    (st.st_mode & 0777) != 0640 && S_ISREG(st.st_mode) &&
	    fchmod(j->fd, 0640) != 0)
		log_debug("journal %s: its mode stays", j->name);
	if (fstat(j->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		shut(j);
		errno = EINVAL;
		return false;
	}
	j->dev = st.st_dev;
	j->ino = st.st_ino;
	return true;
}

static bool
exists(const struct journal *j, unsigned n)
{
	char file[FILE_SIZE];
	struct stat st;

	file_name(j, n, file);
	return fstatat(j->dir, file, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/*
 * Oldest first, so that a kill between two renames leaves a gap and loses
 * nothing; and no further than to the first gap, so that what is older than it
 * stays.
 */
static void
rotate(struct journal *j)
{
	char from[FILE_SIZE], to[FILE_SIZE];
	unsigned n = 1;

	if (j->keep == 0)
		unlinkat(j->dir, j->name, 0);
	while (n < j->keep && exists(j, n))
		n++;
	for (; j->keep > 0 && n > 0; n--) {
		file_name(j, n - 1, from);
		file_name(j, n, to);
		if (renameat(j->dir, from, j->dir, to) != 0)
			return;
	}
}

/*
 * Takes the lock of the file that the name stands for. Another one may have
 * rotated it away between ready() and flock(): then both are done again.
 */
static bool
lock_file(struct journal *j, bool *locked_r)
{
	struct stat st;

	*locked_r = false;
	for (int i = 0; i < 3; i++) {
		if (!ready(j))
			return false;
		if (flock(j->fd, LOCK_EX | LOCK_NB) != 0)
			return true;
		if (fstatat(j->dir, j->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    st.st_dev == j->dev && st.st_ino == j->ino) {
			*locked_r = true;
			return true;
		}
		shut(j);
	}
	return ready(j);
}

/*
 * Does a newline have to come first? Not when the file ends with one. Who has
 * not got the lock cannot know, and an empty line harms nobody.
 */
static bool
must_close(struct journal *j, bool locked, off_t size)
{
	char last;

	if (!locked)
		return true;
	if (size == 0 || size == j->end)
		return false;
	return pread(j->fd, &last, 1, size - 1) != 1 || last != '\n';
}

static bool
full(const struct journal *j, off_t size, size_t more)
{
	return j->rotate > 0 && size > 0 &&
	    (uint64_t)size + more > j->rotate;
}

/* One writev, so that the kernel keeps our bytes together. */
static bool
append(struct journal *j, struct slice line, bool close_torn, off_t size)
{
	struct iovec v[3] = {
		{ (void *)(uintptr_t)"\n", close_torn ? 1 : 0 },
		{ (void *)(uintptr_t)line.ptr, line.len },
		{ (void *)(uintptr_t)"\n", 1 },
	};
	ssize_t want = (ssize_t)(v[0].iov_len + v[1].iov_len + 1), n;

	do
		n = writev(j->fd, v, 3);
	while (n < 0 && errno == EINTR);
	j->end = n == want ? size + want : -1;
	if (n >= 0 && n < want)
		errno = ENOSPC;
	return n == want;
}

static bool
write_event(struct journal *j, struct slice line)
{
	struct stat st;
	bool locked, good;

	if (!lock_file(j, &locked) || fstat(j->fd, &st) != 0)
		return false;
	if (locked && full(j, st.st_size, line.len + 1)) {
		rotate(j);
		/* Closing the old file gives up its lock. */
		shut(j);
		if (!lock_file(j, &locked) || fstat(j->fd, &st) != 0)
			return false;
	}
	good = append(j, line, must_close(j, locked, st.st_size), st.st_size);
	if (locked) {
		int saved = errno;

		flock(j->fd, LOCK_UN);
		errno = saved;
	}
	return good;
}

/* Once a minute, how many and why the last one. */
static void
count_lost(struct journal *j, const char *why)
{
	int64_t now = clock_mono();

	j->lost++;
	if (j->said_at != 0 && now - j->said_at < SAY_EVERY)
		return;
	log_warning("journal %s: %llu events could not be written: %s",
	    j->name, (unsigned long long)(j->lost - j->said_lost), why);
	j->said_lost = j->lost;
	j->said_at = now;
}

/* The journal is where somebody looks for what is not in it. */
static void
note_lost(struct journal *j)
{
	char line[200];
	time_t now = (time_t)clock_wall();
	struct tm tm;
	size_t n;

	if (gmtime_r(&now, &tm) == NULL)
		return;
	n = strftime(line, sizeof line, "{\"@timestamp\":\"%Y-%m-%dT%H:%M:"
	    "%S.000Z\",\"event.action\":\"journal-lost\",", &tm);
	n += (size_t)snprintf(line + n, sizeof line - n,
	    "\"gatehouse.lost\":%llu}",
	    (unsigned long long)(j->lost - j->noted_lost));
	if (write_event(j, slice_make(line, n)))
		j->noted_lost = j->lost;
}

/* What is too old goes. Whoever has the lock looks; the others need not. */
static void
look_at_age(struct journal *j)
{
	bool locked;

	if (j->age.limit == 0 || (j->looked != 0 &&
	    clock_mono() - j->looked < LOOK_EVERY))
		return;
	j->looked = clock_mono();
	if (!lock_file(j, &locked) || !locked)
		return;
	if (age_look(&j->age, j->dir, j->name, j->fd)) {
		rotate(j);
		shut(j);
		/* Readers find a new one at once, though nothing happens. */
		ready(j);
	} else {
		flock(j->fd, LOCK_UN);
	}
}

void
journal_tick(struct journal *j)
{
	pthread_mutex_lock(&j->lock);
	look_at_age(j);
	pthread_mutex_unlock(&j->lock);
}

enum rc
journal_write(struct journal *j, struct slice json)
{
	enum rc rc = RC_OK;

	pthread_mutex_lock(&j->lock);
	if (json.len == 0 || json.len > JOURNAL_LINE || slice_has(json, '\n')) {
		count_lost(j, "not one line");
		rc = RC_BAD;
	} else if (!write_event(j, json)) {
		count_lost(j, strerror(errno));
		rc = RC_RETRY;
	} else if (j->noted_lost < j->lost) {
		note_lost(j);
	}
	pthread_mutex_unlock(&j->lock);
	return rc;
}

uint64_t
journal_lost(const struct journal *j)
{
	pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&j->lock;
	uint64_t lost;

	pthread_mutex_lock(lock);
	lost = j->lost;
	pthread_mutex_unlock(lock);
	return lost;
}

/* What a killed process left without its newline. */
static void
close_torn(struct journal *j)
{
	struct stat st;
	bool locked;

	if (!lock_file(j, &locked) || !locked)
		return;
	if (fstat(j->fd, &st) == 0 && must_close(j, locked, st.st_size) &&
	    write(j->fd, "\n", 1) != 1)
		j->end = -1;		/* the next write tries again */
	flock(j->fd, LOCK_UN);
}

struct journal *
journal_open(const char *dir, const char *name,
    const struct journal_limits *limits, struct arena *a, struct slice *why_r)
{
	struct journal *j = mem_alloc(sizeof *j);

	j->fd = j->dir = -1;
	j->end = -1;
	j->rotate = limits->size;
	j->keep = limits->keep < JOURNAL_KEEP ? limits->keep : JOURNAL_KEEP;
	age_init(&j->age, limits->age, j->keep);
	pthread_mutex_init(&j->lock, NULL);
	if (!fits_name(name)) {
		*why_r = SLICE("a journal's name is a plain file name");
		goto bad;
	}
	snprintf(j->name, sizeof j->name, "%s.json", name);
	j->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (j->dir < 0 || !ready(j)) {
		*why_r = arena_printf(a, "%s%s%s: %s", dir,
		    j->dir < 0 ? "" : "/", j->dir < 0 ? "" : j->name,
		    strerror(errno));
		goto bad;
	}
	close_torn(j);
	look_at_age(j);
	return j;
bad:
	journal_close(j);
	return NULL;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	shut(j);
	if (j->dir >= 0)
		close(j->dir);
	pthread_mutex_destroy(&j->lock);
	free(j);
}
