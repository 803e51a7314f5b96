#include "tools/map-read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "text/utf8.h"

static const struct {
	const char *name;
	size_t least, most;		/* fields behind it */
	const char *form;
} kinds[MAP_KINDS] = {
	[MAP_DOMAIN] = { "DOMAIN", 1, 2, "DOMAIN, a domain and, if it has one, "
	    "its transport" },
	[MAP_DIR] = { "DIR", 1, 1, "DIR and an address" },
	[MAP_MAP] = { "MAP", 2, MAP_FIELDS_MAX, "MAP, an alias and the "
	    "addresses that it leads to, a tab between any two" },
	[MAP_PROFILE] = { "PROFILE", 2, 2, "PROFILE, an address and a "
	    "profile" },
	[MAP_UCFG] = { "UCFG", 3, 3, "UCFG, an address, a name and a value" },
	[MAP_P13N] = { "P13N", 3, 3, "P13N, an address, a name and a value" },
};

struct map_reader {
	int fd;				/* -1: all is in `ready` */
	char *name, *buffer;		/* 2 * MAP_LINE_MAX */
	struct slice ready;
	bool end, over;
	size_t line, records;
	struct slice fields[MAP_FIELDS_MAX];
	struct arena *arena;
};

static struct map_reader *
reader(int fd, struct slice bytes, const char *name)
{
	struct map_reader *m = mem_alloc(sizeof *m);

	*m = (struct map_reader){ .fd = fd, .name = strdup(name),
	    .ready = bytes, .end = fd < 0, .arena = arena_new() };
	m->buffer = fd < 0 ? NULL : mem_alloc(2 * MAP_LINE_MAX);
	return m;
}

struct map_reader *
map_open(int fd, const char *name)
{
	return reader(fd, SLICE(""), name);
}

struct map_reader *
map_bytes(struct slice bytes, const char *name)
{
	return reader(-1, bytes, name);
}

void
map_close(struct map_reader *m)
{
	if (m == NULL)
		return;
	arena_free(m->arena);
	free(m->buffer);
	free(m->name);
	free(m);
}

static enum rc
bad(struct map_reader *m, struct slice *why_r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum rc
bad(struct map_reader *m, struct slice *why_r, const char *fmt, ...)
{
	struct slice what;
	va_list args;

	va_start(args, fmt);
	what = arena_vprintf(m->arena, fmt, args);
	va_end(args);
	*why_r = arena_printf(m->arena, "%s:%zu: %.*s", m->name, m->line,
	    SLICE_ARG(what));
	return RC_BAD;
}

static enum rc
fill(struct map_reader *m, struct slice *why_r)
{
	ssize_t n;

	memmove(m->buffer, m->ready.ptr, m->ready.len);
	do
		n = read(m->fd, m->buffer + m->ready.len,
		    2 * MAP_LINE_MAX - m->ready.len);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		*why_r = arena_printf(m->arena, "%s: %s", m->name,
		    strerror(errno));
		return RC_RETRY;
	}
	m->end = n == 0;
	m->ready = slice_make(m->buffer, m->ready.len + (size_t)n);
	return RC_OK;
}

static enum rc
next_line(struct map_reader *m, struct slice *line_r, struct slice *why_r)
{
	size_t at = slice_find(m->ready, '\n');
	enum rc rc;

	m->line++;
	while (at == m->ready.len && at < MAP_LINE_MAX && !m->end) {
		rc = fill(m, why_r);
		if (rc != RC_OK)
			return rc;
		at = slice_find(m->ready, '\n');
	}
	if (at >= MAP_LINE_MAX)
		return bad(m, why_r, "a line of over %d bytes; make it two "
		    "records", MAP_LINE_MAX);
	if (at == m->ready.len)
		return bad(m, why_r, "the file ends here without its end mark, "
		    "a line \"++++\": it was cut off, or is not ready yet; "
		    "nothing of it is used");
	*line_r = slice_sub(m->ready, 0, at);
	m->ready = slice_after(m->ready, at + 1);
	if (slice_ends(*line_r, SLICE("\r")))
		line_r->len--;
	return RC_OK;
}

static bool
clean(struct slice text)
{
	uint32_t cp;

	while (utf8_next(&text, &cp))
		if (cp == UTF8_BAD || (utf8_control(cp) && cp != '\t'))
			return false;
	return true;
}

static enum rc
foot(struct map_reader *m, struct slice rest, struct slice *why_r)
{
	uint64_t n;
	enum rc rc;

	if (rest.ptr != NULL && (!slice_number(rest, MAP_RECORDS_MAX, &n) ||
	    n != m->records))
		return bad(m, why_r, "the end mark says \"%.*s\" records, "
		    "there are %zu; the file was cut off or changed",
		    (int)(rest.len < 40 ? rest.len : 40), rest.ptr,
		    m->records);
	m->line++;
	for (;;) {
		if (slice_trim(m->ready).len > 0)
			return bad(m, why_r, "something stands behind the end "
			    "mark; two files in one?");
		m->ready = SLICE("");
		if (m->end)
			return RC_OK;
		rc = fill(m, why_r);
		if (rc != RC_OK)
			return rc;
	}
}

static enum rc
fields_of(struct map_reader *m, struct slice rest, struct map_record *r,
    struct slice *why_r)
{
	for (r->count = 0; rest.ptr != NULL; r->count++) {
		struct slice field = slice_trim(slice_cut(rest, '\t', &rest));

		if (r->count == kinds[r->kind].most ||
		    r->count == MAP_FIELDS_MAX)
			return bad(m, why_r, "too many fields; a line is %s",
			    kinds[r->kind].form);
		/* Only a value, which ends a line of three, may be empty. */
		if (field.len == 0 && !(r->count == 2 &&
		    kinds[r->kind].least == 3))
			return bad(m, why_r, "an empty field; a line is %s",
			    kinds[r->kind].form);
		m->fields[r->count] = field;
	}
	if (r->count < kinds[r->kind].least)
		return bad(m, why_r, "too few fields; a line is %s, separated "
		    "by tabs", kinds[r->kind].form);
	r->fields = m->fields;
	r->line = m->line;
	return RC_OK;
}

static enum rc
record(struct map_reader *m, struct slice line, struct map_record *r,
    struct slice *why_r)
{
	struct slice rest, kind = slice_cut(line, '\t', &rest);

	for (int i = 0; i < MAP_KINDS; i++) {
		if (!slice_eq(kind, slice_of(kinds[i].name)))
			continue;
		if (++m->records > MAP_RECORDS_MAX)
			return bad(m, why_r, "over %d records",
			    MAP_RECORDS_MAX);
		r->kind = (enum map_kind)i;
		return fields_of(m, rest, r, why_r);
	}
	return bad(m, why_r, "\"%.*s\" is no record; a line begins with "
	    "DOMAIN, DIR, MAP, PROFILE, UCFG or P13N and a tab, or is the end "
	    "mark \"++++\"", (int)(kind.len < 40 ? kind.len : 40), kind.ptr);
}

static enum rc
next(struct map_reader *m, struct map_record *r, bool *more_r,
    struct slice *why_r)
{
	struct slice line = SLICE(""), rest;
	enum rc rc;

	do {
		rc = next_line(m, &line, why_r);
		if (rc != RC_OK)
			return rc;
		if (m->line == 1 && slice_starts(line, SLICE("\xef\xbb\xbf")))
			line = slice_after(line, 3);
		if (!clean(line))
			return bad(m, why_r, "bytes that are no UTF-8, or "
			    "control characters; the file is text in UTF-8");
	} while (slice_trim(line).len == 0 || line.ptr[0] == '#');
	if (slice_eq(slice_cut(line, '\t', &rest), SLICE("++++")))
		return foot(m, rest, why_r);
	rc = record(m, line, r, why_r);
	*more_r = rc == RC_OK;
	return rc;
}

enum rc
map_next(struct map_reader *m, struct map_record *record_r, bool *more_r,
    struct slice *why_r)
{
	enum rc rc = RC_OK;

	*more_r = false;
	if (!m->over)
		rc = next(m, record_r, more_r, why_r);
	m->over = !*more_r;
	return rc;
}
