#include "track/follow-files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/arena.h"

/* --- which files there are ---------------------------------------------- */

/* Behind NAME: dots or hyphens and digits, then perhaps .gz. */
static bool
is_old(const char *rest, bool *packed_r)
{
	*packed_r = false;
	if (*rest != '.' && *rest != '-')
		return false;
	while (*rest == '.' || *rest == '-' || ascii_digit(*rest)) {
		if (*rest == '.' && !ascii_digit(rest[1]))
			break;
		rest++;
	}
	*packed_r = strcmp(rest, ".gz") == 0;
	return *rest == '\0' || *packed_r;
}

static int
by_age(const void *a, const void *b)
{
	const struct follow_entry *x = a, *y = b;

	if (x->changed != y->changed)
		return x->changed < y->changed ? -1 : 1;
	/* Rotated within a millisecond: .2 is older than .1. */
	if (strlen(x->name) != strlen(y->name))
		return strlen(x->name) > strlen(y->name) ? -1 : 1;
	return strcmp(y->name, x->name);
}

static int64_t
changed(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * 1000 +
	    st->st_mtim.tv_nsec / 1000000;
}

static void
add(struct follow_list *l, const char *name, bool packed)
{
	struct stat st;

	if (l->count == FOLLOW_FILES || fstatat(l->dir, name, &st, 0) != 0 ||
	    !S_ISREG(st.st_mode))
		return;
	l->files[l->count++] = (struct follow_entry){ .name = strdup(name),
	    .dev = st.st_dev, .ino = st.st_ino, .size = (uint64_t)st.st_size,
	    .changed = changed(&st), .packed = packed };
}

static void
take_out(struct follow_list *l, size_t i)
{
	free(l->files[i].name);
	memmove(&l->files[i], &l->files[i + 1],
	    (l->count - i - 1) * sizeof l->files[0]);
	l->count--;
}

/* One that was renamed while we read is there twice. */
static void
drop_double(struct follow_list *l, uint64_t dev, uint64_t ino)
{
	for (size_t i = 0; i + 1 < l->count; i++) {
		if (l->files[i].dev != dev || l->files[i].ino != ino)
			continue;
		take_out(l, i--);
	}
}

/* Compressed while we look: it is there twice, and the .gz is not whole. */
static void
drop_unfinished(struct follow_list *l)
{
	for (size_t i = 0; i < l->count; i++) {
		size_t len = strlen(l->files[i].name);
		bool both = false;

		for (size_t j = 0; l->files[i].packed && j < l->count; j++)
			both = both || (strlen(l->files[j].name) == len - 3 &&
			    strncmp(l->files[j].name, l->files[i].name,
			    len - 3) == 0);
		if (!both)
			continue;
		take_out(l, i--);
	}
}

bool
follow_list_read(struct follow_list *l, const char *dir, const char *name)
{
	size_t len = strlen(name), old;
	struct dirent *e;
	DIR *d;
	bool packed;

	*l = (struct follow_list){ .dir = open(dir, O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC) };
	if (l->dir < 0)
		return false;
	d = fdopendir(dup(l->dir));
	if (d == NULL) {
		close(l->dir);
		return false;
	}
	l->files = mem_alloc(FOLLOW_FILES * sizeof l->files[0]);
	while ((e = readdir(d)) != NULL)
		if (strncmp(e->d_name, name, len) == 0 &&
		    is_old(e->d_name + len, &packed))
			add(l, e->d_name, packed);
	closedir(d);
	drop_unfinished(l);
	qsort(l->files, l->count, sizeof l->files[0], by_age);
	old = l->count;
	add(l, name, false);
	if (l->count > old)
		drop_double(l, l->files[old].dev, l->files[old].ino);
	return true;
}

void
follow_list_free(struct follow_list *l)
{
	for (size_t i = 0; i < l->count; i++)
		free(l->files[i].name);
	free(l->files);
	close(l->dir);
}

/* --- which one a mark is in ---------------------------------------------- */

/* FNV-1a: it tells files apart, and guards nothing. */
static uint64_t
hash(const unsigned char *bytes, size_t len)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ bytes[i]) * 1099511628211u;
	return h;
}

static bool
same_head(const struct follow_list *l, size_t i, const struct follow_mark *m)
{
	struct follow_file f;
	bool same;

	if (m->head_len == 0)
		return true;
	follow_file_none(&f);
	if (!follow_file_open(&f, l, i, 0))
		return false;
	same = f.head_len >= m->head_len &&
	    hash(f.head, m->head_len) == m->head;
	follow_file_shut(&f);
	return same;
}

size_t
follow_list_find(const struct follow_list *l, const struct follow_mark *m)
{
	for (size_t i = 0; i < l->count; i++)
		if (l->files[i].dev == m->dev && l->files[i].ino == m->ino &&
		    l->files[i].size >= m->offset && same_head(l, i, m))
			return i;
	/* Compressed, or copied: an inode of its own, the same bytes. */
	for (size_t i = 0; m->head_len > 0 && i < l->count; i++)
		if ((l->files[i].packed || l->files[i].size >= m->offset) &&
		    same_head(l, i, m))
			return i;
	return l->count;
}

/* --- reading one --------------------------------------------------------- */

void
follow_file_none(struct follow_file *f)
{
	*f = (struct follow_file){ .fd = -1 };
}

bool
follow_file_is_open(const struct follow_file *f)
{
	return f->fd >= 0;
}

void
follow_file_shut(struct follow_file *f)
{
	if (f->packed != NULL)
		gzclose_r(f->packed);
	else if (f->fd >= 0)
		close(f->fd);
	follow_file_none(f);
}

ssize_t
follow_file_read(struct follow_file *f, char *room, size_t size)
{
	ssize_t n;

	if (f->packed != NULL) {
		n = gzread(f->packed, room, (unsigned)(size < 1 << 20 ? size :
		    1 << 20));
		if (n < 0)
			errno = EIO;
		return n;
	}
	do
		n = read(f->fd, room, size);
	while (n < 0 && errno == EINTR);
	return n;
}

/* The first bytes, which a mark's hash is of; as many as there are. */
static void
read_head(struct follow_file *f)
{
	ssize_t n;

	if (f->packed != NULL) {
		n = gzread(f->packed, f->head, FOLLOW_HEAD);
		gzrewind(f->packed);
	} else {
		n = pread(f->fd, f->head, FOLLOW_HEAD, 0);
	}
	f->head_len = n > 0 ? (size_t)n : 0;
}

static bool
go_to(struct follow_file *f, uint64_t offset)
{
	if (f->packed != NULL)
		return gzseek(f->packed, (z_off_t)offset, SEEK_SET) >= 0;
	return lseek(f->fd, (off_t)offset, SEEK_SET) >= 0;
}

bool
follow_file_open(struct follow_file *f, const struct follow_list *l, size_t i,
    uint64_t offset)
{
	const struct follow_entry *e = &l->files[i];
	struct stat st;

	f->fd = openat(l->dir, e->name, O_RDONLY | O_CLOEXEC | O_NOCTTY |
	    O_NONBLOCK);
	if (f->fd < 0)
		return false;
	if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		follow_file_shut(f);
		errno = EINVAL;
		return false;
	}
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->changed = changed(&st);
	if (e->packed && (f->packed = gzdopen(f->fd, "rb")) == NULL) {
		follow_file_shut(f);
		errno = ENOMEM;
		return false;
	}
	read_head(f);
	if (go_to(f, offset))
		return true;
	follow_file_shut(f);
	errno = EIO;
	return false;
}

void
follow_file_mark(struct follow_file *f, struct follow_mark *m)
{
	size_t want = m->offset < FOLLOW_HEAD ? (size_t)m->offset :
	    FOLLOW_HEAD;

	if (want == m->head_len)
		return;
	if (f->head_len < want)
		read_head(f);
	m->head_len = want < f->head_len ? want : f->head_len;
	m->head = hash(f->head, m->head_len);
}

enum follow_state
follow_file_state(const struct follow_file *f, const char *dir,
    const char *name, const struct follow_mark *m)
{
	struct stat ours, named;
	unsigned char head[FOLLOW_HEAD];
	int at;
	bool there;

	if (f->packed != NULL)
		return FOLLOW_MOVED;
	if (fstat(f->fd, &ours) != 0)
		return FOLLOW_MOVED;
	if ((uint64_t)ours.st_size < m->offset)
		return FOLLOW_SHORTER;
	at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	there = at >= 0 && fstatat(at, name, &named, 0) == 0;
	if (at >= 0)
		close(at);
	if (there && (named.st_dev != ours.st_dev ||
	    named.st_ino != ours.st_ino))
		return named.st_size > 0 ? FOLLOW_MOVED : FOLLOW_SAME;
	/* Truncated and grown beyond where we are: other first bytes. */
	if (m->head_len > 0 && pread(f->fd, head, m->head_len, 0) ==
	    (ssize_t)m->head_len && hash(head, m->head_len) != m->head)
		return FOLLOW_SHORTER;
	return FOLLOW_SAME;
}
