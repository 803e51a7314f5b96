#include "tools/directory-gens.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/write.h"

enum { FILES_MAX = 100, TRIES = 100 };

static enum rc
fails(struct gens *s, const char *file, struct slice *why_r)
{
	*why_r = arena_printf(s->arena, "%s/%s: %s", s->dir, file,
	    strerror(errno));
	return RC_RETRY;
}

static const char *
generation(struct gens *s, uint64_t number)
{
	return arena_printf(s->arena, "g.%llu", (unsigned long long)number).ptr;
}

static uint64_t
number_of(const char *name)
{
	uint64_t n = 0;

	if (strncmp(name, "g.", 2) != 0 || !slice_number(slice_of(name + 2),
	    UINT64_MAX / 2, &n))
		return 0;
	return n;
}

static uint64_t
current(struct gens *s)
{
	char to[64];
	ssize_t n = readlinkat(s->fd, "current", to, sizeof to - 1);

	if (n <= 0)
		return 0;
	to[n] = '\0';
	return number_of(to);
}

/* A generation has files and no folders. */
static void
remove_generation(struct gens *s, const char *name)
{
	int fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' || (e->d_name[1] != '\0' &&
		    strcmp(e->d_name, "..") != 0))
			unlinkat(fd, e->d_name, 0);
	if (d != NULL)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	unlinkat(s->fd, name, AT_REMOVEDIR);
}

/* What killed syncs left, and the generation before the current one. */
static void
sweep(struct gens *s)
{
	int fd = openat(s->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		uint64_t n = number_of(e->d_name);

		if (n != 0 && n != s->number)
			remove_generation(s, e->d_name);
		else if (strncmp(e->d_name, ".new.", 5) == 0)
			unlinkat(s->fd, e->d_name, 0);
	}
	if (d != NULL)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

/* As the folder has it. The timer's user has nothing to change there, and his
 * unit lets nobody call chown(2). */
static bool
give(const struct gens *s, int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && ((st.st_uid == s->uid &&
	    st.st_gid == s->gid) || fchown(fd, s->uid, s->gid) == 0);
}

static enum rc
take_lock(struct gens *s, struct slice *why_r)
{
	s->lock = openat(s->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC |
	    O_NOFOLLOW, 0600);
	if (s->lock < 0)
		return fails(s, "lock", why_r);
	if (!give(s, s->lock))
		return fails(s, "lock", why_r);
	if (flock(s->lock, LOCK_EX | LOCK_NB) == 0)
		return RC_OK;
	if (errno != EWOULDBLOCK)
		return fails(s, "lock", why_r);
	*why_r = arena_printf(s->arena, "%s: another sync is at work there; "
	    "try again when it has ended", s->dir);
	return RC_RETRY;
}

enum rc
gens_open(struct gens *s, const char *dir, bool dry, struct arena *a,
    struct slice *why_r)
{
	struct stat st;
	enum rc rc;

	*s = (struct gens){ .arena = a, .dir = dir, .fd = -1, .lock = -1,
	    .writable = !dry };
	if (!dry && mkdir(dir, 0750) != 0 && errno != EEXIST)
		return fails(s, ".", why_r);
	s->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->fd < 0 && dry && errno == ENOENT)
		return RC_OK;
	if (s->fd < 0 || fstat(s->fd, &st) != 0)
		return fails(s, ".", why_r);
	s->uid = st.st_uid;
	s->gid = st.st_gid;
	rc = dry ? RC_OK : take_lock(s, why_r);
	if (rc != RC_OK)
		return rc;
	s->number = current(s);
	if (!dry)
		sweep(s);
	return RC_OK;
}

int
gens_current(const struct gens *s, const char *file)
{
	char path[300];

	if (s->fd < 0 || s->number == 0)
		return -1;
	snprintf(path, sizeof path, "g.%llu/%s",
	    (unsigned long long)s->number, file);
	return openat(s->fd, path, O_RDONLY | O_CLOEXEC);
}

enum rc
gens_begin(struct gens *s, const char **path_r, struct slice *why_r)
{
	const char *name = "";
	int fd, got = -1;
	bool good;

	/* What root left when he was killed, nobody else can remove. */
	for (uint64_t n = 1; n <= TRIES && got != 0; n++) {
		name = generation(s, s->number + n);
		got = mkdirat(s->fd, name, 0750);
		if (got != 0 && errno != EEXIST)
			break;
		s->next = s->number + n;
	}
	if (got != 0) {
		s->next = 0;
		return fails(s, name, why_r);
	}
	*path_r = arena_printf(s->arena, "%s/%s", s->dir, name).ptr;
	fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	good = fd >= 0 && give(s, fd);
	if (fd >= 0)
		close(fd);
	return good ? RC_OK : fails(s, name, why_r);
}

void
gens_abandon(struct gens *s)
{
	if (s->next != 0)
		remove_generation(s, generation(s, s->next));
	s->next = 0;
}

/* Each file: owner, mode, on the disk. */
static enum rc
settle(struct gens *s, const char *name, struct slice *why_r)
{
	int fd = openat(s->fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *e;
	enum rc rc = d != NULL ? RC_OK : fails(s, name, why_r);

	while (d != NULL && rc == RC_OK && (e = readdir(d)) != NULL) {
		int f;

		if (e->d_name[0] == '.')
			continue;
		f = openat(fd, e->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (f < 0 || fchmod(f, 0640) != 0 || !give(s, f) ||
		    fsync(f) != 0)
			rc = fails(s, e->d_name, why_r);
		if (f >= 0)
			close(f);
	}
	if (rc == RC_OK && fsync(fd) != 0)
		rc = fails(s, name, why_r);
	if (d != NULL)
		closedir(d);
	else if (fd >= 0)
		close(fd);
	return rc;
}

/* Postfix looks whether a table that it has open was changed. */
static void
touch_old(struct gens *s)
{
	int fd, n = 0;
	struct dirent *e;
	DIR *d;

	if (s->number == 0)
		return;
	fd = openat(s->fd, generation(s, s->number), O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC);
	d = fd >= 0 ? fdopendir(fd) : NULL;
	while (d != NULL && n++ < FILES_MAX && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			utimensat(fd, e->d_name, NULL, AT_SYMLINK_NOFOLLOW);
	if (d != NULL)
		closedir(d);
	else if (fd >= 0)
		close(fd);
}

enum rc
gens_commit(struct gens *s, struct slice *why_r)
{
	const char *name = generation(s, s->next);
	enum rc rc = settle(s, name, why_r);

	if (rc != RC_OK)
		return rc;
	if (unlinkat(s->fd, ".new.current", 0) != 0 && errno != ENOENT)
		return fails(s, ".new.current", why_r);
	if (fsync(s->fd) != 0 ||
	    symlinkat(name, s->fd, ".new.current") != 0 ||
	    renameat(s->fd, ".new.current", s->fd, "current") != 0)
		return fails(s, "current", why_r);
	/* From here on it is the current one, whatever happens. */
	touch_old(s);
	s->number = s->next;
	s->next = 0;
	return fsync(s->fd) == 0 ? RC_OK : fails(s, ".", why_r);
}

enum rc
gens_told(struct gens *s, bool well, struct slice text,
    struct slice *why_r)
{
	const char *name = well ? "last" : "failed";
	int fd;
	bool good;

	if (s->fd < 0 || !s->writable)
		return RC_OK;
	unlinkat(s->fd, ".new.told", 0);
	fd = openat(s->fd, ".new.told", O_WRONLY | O_CREAT | O_EXCL |
	    O_CLOEXEC, 0640);
	if (fd < 0)
		return fails(s, name, why_r);
	good = give(s, fd) && fchmod(fd, 0640) == 0 &&
	    write_all(fd, text) && fsync(fd) == 0;
	if (close(fd) != 0 || !good ||
	    renameat(s->fd, ".new.told", s->fd, name) != 0) {
		unlinkat(s->fd, ".new.told", 0);
		return fails(s, name, why_r);
	}
	if (well)
		unlinkat(s->fd, "failed", 0);
	return fsync(s->fd) == 0 ? RC_OK : fails(s, ".", why_r);
}

void
gens_close(struct gens *s)
{
	if (s->lock >= 0)
		close(s->lock);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = s->lock = -1;
}
