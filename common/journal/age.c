#include "journal/age.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/slice.h"
#include "journal/journal.h"
#include "log/log.h"

enum { SPANS = 8, DAY = 24 * 3600, JUMP = 3600, AWAY = 7 * DAY,
    HEAD = 64 * 1024, FILE_SIZE = 220 };

void
age_init(struct age *age, int64_t limit, unsigned keep)
{
	int64_t files = keep < SPANS ? (int64_t)keep + 1 : SPANS;

	*age = (struct age){ .limit = limit, .span = limit / files };
	if (age->span < DAY)
		age->span = DAY;
}

/* --- when a file began --------------------------------------------------- */

/* "2026-11-26T10:45:32" in UTC; -1: it is none. */
static int64_t
read_time(const char *text)
{
	struct tm tm = { 0 };

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon,
	    &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	return timegm(&tm);
}

/*
 * Of its first event that has a time; the quotes of the key are escaped inside
 * of any value. Without one, of its last change.
 */
static int64_t
begun(int fd, const struct stat *st)
{
	struct slice mark = SLICE("\"@timestamp\":\"");
	char *head = mem_alloc(HEAD + 1);
	ssize_t n = pread(fd, head, HEAD, 0);
	struct slice all = slice_make(head, n > 0 ? (size_t)n : 0);
	size_t at = slice_search(all, mark);
	int64_t when = -1;

	head[all.len] = '\0';
	if (at < all.len)
		when = read_time(head + at + mark.len);
	free(head);
	return when >= 0 ? when : st->st_mtime;
}

/* --- what was done when -------------------------------------------------- */

struct mark {
	int64_t looked, removed, closed;
};

static bool
read_mark(int dir, const char *file, struct mark *m)
{
	long long looked, removed, closed;
	char text[100];
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	/* Twelve digits: no sum of such times overflows. */
	if (sscanf(text, "%12lld %12lld %12lld", &looked, &removed,
	    &closed) != 3)
		return false;
	*m = (struct mark){ looked, removed, closed };
	return true;
}

static bool
write_mark(int dir, const char *file, const struct mark *m)
{
	char next[FILE_SIZE], text[100];
	int n = snprintf(text, sizeof text, "%lld %lld %lld\n",
	    (long long)m->looked, (long long)m->removed,
	    (long long)m->closed);
	bool good;
	int fd;

	snprintf(next, sizeof next, "%s.new", file);
	fd = openat(dir, next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return false;
	good = write(fd, text, (size_t)n) == n;
	if (close(fd) != 0 || !good || renameat(dir, next, dir, file) != 0) {
		unlinkat(dir, next, 0);
		return false;
	}
	return true;
}

/* Does the clock go as time does? */
static bool
steady(struct age *age, const struct mark *m, int64_t now)
{
	int64_t mono = clock_mono() / 1000;
	int64_t by = (now - age->wall) - (mono - age->mono);
	bool first = age->wall == 0;

	age->wall = now;
	age->mono = mono;
	if (!first && llabs(by) > JUMP)
		return false;
	return now >= m->looked - JUMP && now - m->looked <= AWAY;
}

/* --- what goes ----------------------------------------------------------- */

static bool
is_due(const struct age *age, int dir, const char *file, int64_t now)
{
	int fd = openat(dir, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
	    O_NONBLOCK);
	struct stat st;
	bool due;

	if (fd < 0)
		return false;
	due = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    now - st.st_mtime > age->limit - age->span &&
	    now - begun(fd, &st) > age->limit;	/* which reads: so last */
	close(fd);
	return due;
}

/* Of the closed ones, the oldest that is too old. */
static bool
find_due(const struct age *age, int dir, const char *name, int64_t now,
    char file[FILE_SIZE])
{
	for (unsigned n = JOURNAL_KEEP; n > 0; n--) {
		snprintf(file, FILE_SIZE, "%s.%u", name, n);
		if (is_due(age, dir, file, now))
			return true;
	}
	return false;
}

/* One that begins in days to come was begun by a clock that was wrong. */
static bool
is_long(const struct age *age, int fd, int64_t now)
{
	struct stat st;
	int64_t old;

	if (fstat(fd, &st) != 0 || st.st_size == 0)
		return false;
	old = now - begun(fd, &st);
	return old > age->span || old < -DAY;
}

/* The mark goes first: a kill between the two removes less, never more. */
bool
age_look(struct age *age, int dir, const char *name, int fd)
{
	char mark_file[FILE_SIZE - 8], due[FILE_SIZE];
	struct mark m = { 0 };
	int64_t now = clock_wall();
	bool known, removes = false, closes = false;

	snprintf(mark_file, sizeof mark_file, "%s.age", name);
	known = read_mark(dir, mark_file, &m);
	if (!steady(age, &m, now) || !known) {
		if (known)
			log_info("journal %s: the clock has jumped, or nobody "
			    "ran for long; nothing goes for a day", name);
		m.removed = m.closed = now;
	} else {
		removes = now - m.removed >= DAY &&
		    find_due(age, dir, name, now, due);
		closes = now - m.closed >= DAY && is_long(age, fd, now);
	}
	m.looked = now;
	if (removes)
		m.removed = now;
	if (closes)
		m.closed = now;
	if (!write_mark(dir, mark_file, &m))
		return false;
	if (removes && unlinkat(dir, due, 0) == 0)
		log_info("journal: %s was removed, its events are over "
		    "%lld days old", due, (long long)(age->limit / DAY));
	return closes;
}
