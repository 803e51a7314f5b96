#include "track/follow.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "track/follow-files.h"

enum { PIECE = 65536 };

struct follow {
	char *dir, *name;
	size_t max_line;
	int64_t since;
	struct follow_mark mark;	/* where the next line begins */
	struct follow_mark before;	/* as it was when a line was asked
					   for last */
	bool placed;			/* the mark is from an earlier life */
	struct follow_file file;
	char *room;
	size_t size, from, len;		/* of the bytes read and not given */
	bool passing;			/* over a line that is too long */
	bool rested;			/* its end was met: it is looked at
					   before more is read */
	uint64_t lost, too_long;
	char why[300];
};

struct follow *
follow_new(const char *dir, const char *name, size_t max_line, int64_t since)
{
	struct follow *f = mem_alloc(sizeof *f);

	*f = (struct follow){ .max_line = max_line, .since = since };
	f->dir = strdup(dir);
	f->name = strdup(name);
	f->size = max_line + PIECE;
	f->room = mem_alloc(f->size);
	follow_file_none(&f->file);
	return f;
}

void
follow_free(struct follow *f)
{
	if (f == NULL)
		return;
	follow_file_shut(&f->file);
	free(f->dir);
	free(f->name);
	free(f->room);
	free(f);
}

const char *
follow_why(const struct follow *f)
{
	return f->why;
}

uint64_t
follow_lost(const struct follow *f)
{
	return f->lost;
}

uint64_t
follow_long(const struct follow *f)
{
	return f->too_long;
}

static void
print(const struct follow_mark *m, char place[FOLLOW_PLACE])
{
	snprintf(place, FOLLOW_PLACE, "%" PRIu64 " %" PRIu64 " %" PRIu64
	    " %" PRIu64 " %" PRIu64 " %" PRId64, m->dev, m->ino, m->offset,
	    m->head_len, m->head, m->changed);
}

void
follow_place(const struct follow *f, char place[FOLLOW_PLACE])
{
	print(&f->mark, place);
}

void
follow_before(const struct follow *f, char place[FOLLOW_PLACE])
{
	print(&f->before, place);
}

bool
follow_from(struct follow *f, struct slice place)
{
	char text[FOLLOW_PLACE];
	struct follow_mark m;

	if (place.len >= sizeof text)
		return false;
	memcpy(text, place.ptr, place.len);
	text[place.len] = '\0';
	if (sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
	    " %" SCNu64 " %" SCNd64, &m.dev, &m.ino, &m.offset, &m.head_len,
	    &m.head, &m.changed) != 6 || m.head_len > FOLLOW_HEAD)
		return false;
	follow_file_shut(&f->file);
	f->from = f->len = 0;
	f->passing = false;
	f->mark = m;
	f->placed = true;
	return true;
}

static enum follow_got
trouble(struct follow *f)
{
	snprintf(f->why, sizeof f->why, "%s/%s: %s", f->dir, f->name,
	    strerror(errno));
	return FOLLOW_TROUBLE;
}

/* Opens number i of the list at that offset. */
static bool
open_at(struct follow *f, const struct follow_list *list, size_t i,
    uint64_t offset)
{
	follow_file_shut(&f->file);
	f->from = f->len = 0;
	f->passing = false;
	if (!follow_file_open(&f->file, list, i, offset))
		return false;
	f->mark = (struct follow_mark){ .dev = f->file.dev,
	    .ino = f->file.ino, .offset = offset,
	    .changed = f->file.changed };
	follow_file_mark(&f->file, &f->mark);
	f->placed = true;
	return true;
}

/* The first after what was read that has something in it. */
static bool
open_next(struct follow *f, const struct follow_list *list, size_t from)
{
	for (size_t i = from; i < list->count; i++)
		if (list->files[i].size > 0 || i + 1 == list->count)
			return open_at(f, list, i, 0);
	errno = ENOENT;
	return false;
}

static bool
open_first(struct follow *f, const struct follow_list *list)
{
	size_t i = 0;

	if (!f->placed) {
		while (i + 1 < list->count &&
		    list->files[i].changed / 1000 < f->since)
			i++;
		return open_next(f, list, i);
	}
	if (f->mark.ino == 0 && f->mark.offset == 0)
		return open_next(f, list, 0);
	i = follow_list_find(list, &f->mark);
	if (i < list->count)
		return open_at(f, list, i, f->mark.offset);
	/* It is gone: what was written later is all that there is. */
	f->lost++;
	for (i = 0; i + 1 < list->count &&
	    list->files[i].changed <= f->mark.changed;)
		i++;
	return open_next(f, list, i);
}

static enum follow_got
start(struct follow *f)
{
	struct follow_list list;
	bool good;

	if (!follow_list_read(&list, f->dir, f->name))
		return errno == ENOENT ? FOLLOW_END : trouble(f);
	good = list.count > 0 && open_first(f, &list);
	if (!good && list.count > 0)
		trouble(f);
	follow_list_free(&list);
	return good ? FOLLOW_LINE : f->why[0] != '\0' ? FOLLOW_TROUBLE :
	    FOLLOW_END;
}

/*
 * The end of what is open was met. Is there something behind it? FOLLOW_LINE:
 * another file is open.
 */
static enum follow_got
go_on(struct follow *f)
{
	struct follow_list list;
	enum follow_got got = FOLLOW_END;
	size_t i;

	switch (follow_file_state(&f->file, f->dir, f->name, &f->mark)) {
	case FOLLOW_SAME:
		return FOLLOW_END;
	case FOLLOW_SHORTER:
		/* Its bytes may have been copied before. */
		follow_file_shut(&f->file);
		f->from = f->len = 0;
		return start(f);
	case FOLLOW_MOVED:
		break;
	}
	if (!follow_list_read(&list, f->dir, f->name))
		return errno == ENOENT ? FOLLOW_END : trouble(f);
	i = follow_list_find(&list, &f->mark);
	if (i == list.count) {
		/* It was removed; its last bytes are read. */
		for (i = 0; i < list.count &&
		    list.files[i].changed <= f->mark.changed;)
			i++;
	} else {
		i++;
	}
	while (i < list.count && list.files[i].size == 0)
		i++;
	if (i < list.count)
		got = open_at(f, &list, i, 0) ? FOLLOW_LINE : trouble(f);
	follow_list_free(&list);
	return got;
}

static bool
take_line(struct follow *f, struct slice *line_r)
{
	for (;;) {
		char *start = f->room + f->from;
		char *end = f->len > 0 ? memchr(start, '\n', f->len) : NULL;
		size_t len = end != NULL ? (size_t)(end - start) : f->len;
		bool passed = f->passing;

		if (end == NULL && len <= f->max_line)
			return false;
		if (end == NULL) {
			/* Too long: what is here is passed over. */
			f->too_long += passed ? 0 : 1;
			f->passing = true;
			f->mark.offset += len;
			f->from = f->len = 0;
			return false;
		}
		f->from += len + 1;
		f->len -= len + 1;
		f->mark.offset += len + 1;
		f->passing = false;
		if (passed)
			continue;
		if (len > f->max_line) {
			f->too_long++;
			continue;
		}
		*line_r = slice_make(start, len);
		return true;
	}
}

/* More bytes: how many, or -1. */
static ssize_t
fill(struct follow *f)
{
	ssize_t n;

	memmove(f->room, f->room + f->from, f->len);
	f->from = 0;
	n = follow_file_read(&f->file, f->room + f->len, f->size - f->len);
	if (n > 0)
		f->len += (size_t)n;
	return n;
}

enum follow_got
follow_next(struct follow *f, struct slice *line_r)
{
	enum follow_got got;

	if (!follow_file_is_open(&f->file)) {
		f->why[0] = '\0';
		got = start(f);
		if (got != FOLLOW_LINE)
			return got;
	}
	f->before = f->mark;
	for (;;) {
		ssize_t n;

		if (take_line(f, line_r)) {
			follow_file_mark(&f->file, &f->mark);
			return FOLLOW_LINE;
		}
		/* It may have been truncated, and be longer again. */
		n = f->rested && follow_file_is_open(&f->file) &&
		    follow_file_state(&f->file, f->dir, f->name, &f->mark) ==
		    FOLLOW_SHORTER ? 0 : fill(f);
		f->rested = false;
		if (n < 0)
			return trouble(f);
		if (n > 0)
			continue;
		got = go_on(f);
		if (got != FOLLOW_LINE) {
			f->rested = true;
			return got;
		}
	}
}
