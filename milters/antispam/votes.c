#include "votes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sip.h"
#include "base/write.h"

enum { DAY = 86400, LINE = 120 };

/* A line: "given label user key group\n". */
struct line {
	int64_t given;
	unsigned spam;
	uint64_t user, key, group;
};

static enum rc
trouble(struct arena *a, struct slice *why_r, const char *dir)
{
	*why_r = arena_printf(a, "%s/votes: %s", dir, strerror(errno));
	return RC_RETRY;
}

static struct line
line_of(const struct vote *v)
{
	static const uint64_t user[2] = { 3, 3 }, key[2] = { 4, 4 };

	return (struct line){ v->record.given, v->record.spam,
	    sip_hash(user, v->by), sip_hash(key, v->key), v->record.group };
}

/* The next line that is one. */
static bool
next(struct slice *rest, struct line *l)
{
	struct slice text;
	char copy[LINE];

	while (slice_line(rest, &text)) {
		int n = 0;

		snprintf(copy, sizeof copy, "%.*s", SLICE_ARG(slice_sub(text,
		    0, LINE - 1)));
		if (sscanf(copy, "%" SCNd64 " %u %" SCNx64 " %" SCNx64 " %"
		    SCNx64 "%n", &l->given, &l->spam, &l->user, &l->key,
		    &l->group, &n) == 5 && copy[n] == '\0' && l->spam <= 1)
			return true;
	}
	return false;
}

static int
open_locked(const char *dir, struct arena *a)
{
	const char *path = arena_printf(a, "%s/votes", dir).ptr;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0)
		learned_give(fd, path);
	if (fd >= 0 && flock(fd, LOCK_EX) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool
read_votes(int fd, struct arena *a, struct slice *bytes_r)
{
	struct stat st;
	ssize_t n;
	char *bytes;

	if (fstat(fd, &st) != 0)
		return false;
	bytes = arena_alloc(a, (size_t)st.st_size + 1);
	n = pread(fd, bytes, (size_t)st.st_size, 0);
	*bytes_r = slice_make(bytes, n > 0 ? (size_t)n : 0);
	return n >= 0;
}

static bool
known(struct slice rest, const struct line *own)
{
	struct line l;

	while (next(&rest, &l))
		if (l.user == own->user && l.key == own->key &&
		    l.spam == own->spam)
			return true;
	return false;
}

enum rc
votes_known(const char *dir, const struct vote *v, bool *known_r,
    struct arena *a, struct slice *why_r)
{
	int fd = open_locked(dir, a);
	struct line own = line_of(v);
	struct slice bytes;
	bool good = fd >= 0 && read_votes(fd, a, &bytes);

	if (good)
		*known_r = known(bytes, &own);
	else
		trouble(a, why_r, dir);
	if (fd >= 0)
		close(fd);
	return good ? RC_OK : RC_RETRY;
}

static unsigned
today(struct slice rest, const struct line *own)
{
	unsigned n = 0;
	struct line l;

	while (next(&rest, &l))
		n += l.user == own->user && l.given > own->given - DAY &&
		    l.given <= own->given;
	return n;
}

/* Another user whose last word on this group is the same? Of two that agree
 * one is he himself. */
static unsigned
agreeing(struct slice bytes, const struct line *own)
{
	uint64_t users[VOTES_AGREE] = { own->user };
	unsigned n = 1;
	struct line l;

	for (struct slice rest = bytes; n < VOTES_AGREE && next(&rest, &l);) {
		struct slice later = rest;
		struct line other;
		bool last = true, new = true;

		if (l.group != own->group || l.spam != own->spam ||
		    l.given < own->given - (int64_t)VOTES_DAYS * DAY)
			continue;
		for (unsigned i = 0; i < n; i++)
			new = new && users[i] != l.user;
		while (new && last && next(&later, &other))
			last = other.user != l.user || other.group != l.group ||
			    other.spam == l.spam;
		if (new && last)
			users[n++] = l.user;
	}
	return n;
}

/* What is old goes, so that the file does not grow for ever. */
static bool
shorten(int fd, struct slice bytes, int64_t now, struct arena *a)
{
	struct buf out = buf_in(a);
	struct line l;

	if (bytes.len < VOTES_BYTES)
		return true;
	while (next(&bytes, &l))
		if (l.given > now - (int64_t)VOTES_DAYS * DAY &&
		    bytes.len < VOTES_BYTES / 2)
			buf_addf(&out, "%" PRId64 " %u %" PRIx64 " %" PRIx64
			    " %" PRIx64 "\n", l.given, l.spam, l.user, l.key,
			    l.group);
	return ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	    write_all(fd, buf_slice(&out)) && fsync(fd) == 0;
}

/* Whole lines only: a torn end is closed first. */
static bool
append(int fd, struct slice bytes, const struct line *l, struct arena *a)
{
	bool torn = bytes.len > 0 && bytes.ptr[bytes.len - 1] != '\n';
	struct slice text = arena_printf(a, "%s%" PRId64 " %u %" PRIx64 " %"
	    PRIx64 " %" PRIx64 "\n", torn ? "\n" : "", l->given, l->spam,
	    l->user, l->key, l->group);

	return lseek(fd, 0, SEEK_END) >= 0 && write_all(fd, text) &&
	    fsync(fd) == 0;
}

static enum rc
cast(int fd, const char *dir, const struct vote *v, const struct features *f,
    enum vote_result *result_r, struct arena *a, struct slice *why_r)
{
	const char *learned = arena_printf(a, "%s/learned", dir).ptr;
	struct line own = line_of(v);
	struct slice bytes;

	if (!read_votes(fd, a, &bytes) || !shorten(fd, bytes, own.given, a) ||
	    !read_votes(fd, a, &bytes))
		return trouble(a, why_r, dir);
	*result_r = VOTE_KNOWN;
	if (known(bytes, &own))
		return RC_OK;
	*result_r = VOTE_TOO_MANY;
	if (!v->admin && today(bytes, &own) >= VOTES_A_DAY)
		return RC_OK;
	*result_r = v->admin || agreeing(bytes, &own) >= VOTES_AGREE ?
	    VOTE_LEARNED : VOTE_NOTED;
	if (*result_r == VOTE_LEARNED && learned_add(learned, &v->record, f,
	    a, why_r) != RC_OK)
		return RC_RETRY;
	return append(fd, bytes, &own, a) ? RC_OK : trouble(a, why_r, dir);
}

enum rc
votes_cast(const char *dir, const struct vote *v, const struct features *f,
    enum vote_result *result_r, struct arena *a, struct slice *why_r)
{
	int fd = open_locked(dir, a);
	enum rc rc;

	if (fd < 0)
		return trouble(a, why_r, dir);
	rc = cast(fd, dir, v, f, result_r, a, why_r);
	close(fd);
	return rc;
}
