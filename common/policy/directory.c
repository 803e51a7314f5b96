#include "policy/directory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/directory-check.h"

struct directory_reader {
	int fd;				/* -1: all is in `ready` */
	char *name;
	char *buffer;			/* 2 * DIRECTORY_LINE_MAX */
	struct slice ready;		/* read, and not taken yet */
	bool end;			/* of the file */
	bool over;			/* of what we give */
	size_t line;
	struct directory_check check;
	struct arena *arena;		/* of one record */
	struct arena *trouble;		/* of why */
	struct directory_attr attrs[DIRECTORY_ATTRS_MAX];
	struct slice members[DIRECTORY_MEMBERS_MAX];
};

static struct directory_reader *
reader(int fd, const char *name, struct slice bytes)
{
	struct directory_reader *d = mem_alloc(sizeof *d);

	*d = (struct directory_reader){ .fd = fd, .ready = bytes,
	    .name = strdup(name), .end = fd < 0, .arena = arena_new(),
	    .trouble = arena_new() };
	d->buffer = fd < 0 ? NULL : mem_alloc(2 * DIRECTORY_LINE_MAX);
	check_begin(&d->check);
	return d;
}

struct directory_reader *
directory_open(int fd, const char *name)
{
	return reader(fd, name, SLICE(""));
}

struct directory_reader *
directory_memory(struct slice bytes, const char *name)
{
	return reader(-1, name, bytes);
}

void
directory_close(struct directory_reader *d)
{
	if (d == NULL)
		return;
	check_end(&d->check);
	arena_free(d->arena);
	arena_free(d->trouble);
	free(d->buffer);
	free(d->name);
	free(d);
}

static enum rc
bad(struct directory_reader *d, struct slice *why_r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum rc
bad(struct directory_reader *d, struct slice *why_r, const char *fmt, ...)
{
	struct slice what;
	va_list args;

	va_start(args, fmt);
	what = arena_vprintf(d->trouble, fmt, args);
	va_end(args);
	*why_r = arena_printf(d->trouble, "%s:%zu: %.*s", d->name, d->line,
	    SLICE_ARG(what));
	return RC_BAD;
}

/* More bytes behind those that are there, which move to the start. */
static enum rc
fill(struct directory_reader *d, struct slice *why_r)
{
	ssize_t n;

	memmove(d->buffer, d->ready.ptr, d->ready.len);
	do
		n = read(d->fd, d->buffer + d->ready.len,
		    2 * DIRECTORY_LINE_MAX - d->ready.len);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		*why_r = arena_printf(d->trouble, "%s: %s", d->name,
		    strerror(errno));
		return RC_RETRY;
	}
	d->end = n == 0;
	d->ready = slice_make(d->buffer, d->ready.len + (size_t)n);
	return RC_OK;
}

static enum rc
cut_off(struct directory_reader *d, struct slice *why_r)
{
	return bad(d, why_r, "the file ends here without its end mark \"++++ "
	    "%zu\": it was cut off; write it again with gatehouse directory "
	    "sync", d->check.records);
}

/* The next line without its LF. */
static enum rc
next_line(struct directory_reader *d, struct slice *line_r,
    struct slice *why_r)
{
	size_t at = slice_find(d->ready, '\n');
	enum rc rc;

	d->line++;
	while (at == d->ready.len && at < DIRECTORY_LINE_MAX && !d->end) {
		rc = fill(d, why_r);
		if (rc != RC_OK)
			return rc;
		at = slice_find(d->ready, '\n');
	}
	if (at >= DIRECTORY_LINE_MAX)
		return bad(d, why_r, "a line of over %d bytes; that is no "
		    "record", DIRECTORY_LINE_MAX);
	if (at == d->ready.len)
		return cut_off(d, why_r);
	*line_r = slice_sub(d->ready, 0, at);
	d->ready = slice_after(d->ready, at + 1);
	if (slice_ends(*line_r, SLICE("\r")))
		return bad(d, why_r, "the line ends in CR LF; write it with LF "
		    "alone");
	if (memchr(line_r->ptr, '\0', line_r->len) != NULL)
		return bad(d, why_r, "a NUL byte; the file is text in UTF-8");
	return RC_OK;
}

static enum rc
head(struct directory_reader *d, struct slice *why_r)
{
	struct slice line = SLICE("");
	enum rc rc = next_line(d, &line, why_r);

	if (rc != RC_OK || slice_eq(line, SLICE(DIRECTORY_HEAD)))
		return rc;
	if (slice_starts(line, SLICE("gatehouse-directory ")))
		return bad(d, why_r, "\"%.*s\" is of another version; this "
		    "gatehouse reads \"%s\": write the file again with "
		    "gatehouse directory sync", (int)(line.len < 80 ?
		    line.len : 80), line.ptr, DIRECTORY_HEAD);
	return bad(d, why_r, "this is no directory file; its first line is "
	    "\"%s\"", DIRECTORY_HEAD);
}

/* Behind the end mark comes nothing. */
static enum rc
foot(struct directory_reader *d, struct slice line, struct slice *why_r)
{
	uint64_t n;
	enum rc rc;

	line = slice_after(line, 5);
	if (!slice_number(line, DIRECTORY_RECORDS_MAX, &n) ||
	    (line.len > 1 && line.ptr[0] == '0'))
		return bad(d, why_r, "the end mark is \"++++ \" and the number "
		    "of records, here \"++++ %zu\"", d->check.records);
	if (n != d->check.records)
		return bad(d, why_r, "the end mark says %llu records, there "
		    "are %zu; write the file again with gatehouse directory "
		    "sync", (unsigned long long)n, d->check.records);
	while (d->ready.len == 0 && !d->end) {
		rc = fill(d, why_r);
		if (rc != RC_OK)
			return rc;
	}
	d->line++;
	if (d->ready.len > 0)
		return bad(d, why_r, "something stands behind the end mark; "
		    "remove it");
	return RC_OK;
}

static enum rc
unquote(struct directory_reader *d, struct slice text, struct slice *text_r,
    struct slice *why_r)
{
	char *to;
	size_t n = 0;

	*text_r = text;
	if (!slice_has(text, '\\'))
		return RC_OK;
	to = arena_alloc(d->arena, text.len);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\\') {
			c = ++i < text.len ? text.ptr[i] : '\0';
			if (c != 't' && c != 'n' && c != '\\')
				return bad(d, why_r, "a backslash is followed "
				    "by t, n or a backslash");
			c = c == 't' ? '\t' : c == 'n' ? '\n' : '\\';
		}
		to[n++] = c;
	}
	*text_r = slice_make(to, n);
	return RC_OK;
}

static enum rc
attribute(struct directory_reader *d, struct directory_record *r,
    struct slice name, struct slice value, struct slice *why_r)
{
	struct directory_attr *attr;

	if (r->nattrs == DIRECTORY_ATTRS_MAX)
		return bad(d, why_r, "over %d attributes; leave some out",
		    DIRECTORY_ATTRS_MAX);
	attr = &d->attrs[r->nattrs++];
	r->attrs = d->attrs;
	attr->name = name;
	return unquote(d, value, &attr->value, why_r);
}

/* Which fields a kind has, in their order. */
static const struct {
	const char *name;
	size_t at;
	unsigned kinds;
} fields[] = {
	{ "client", offsetof(struct directory_record, client),
	  1 << DIRECTORY_DOMAIN | 1 << DIRECTORY_PROFILE },
	{ "profile", offsetof(struct directory_record, profile),
	  1 << DIRECTORY_USER },
	{ "transport", offsetof(struct directory_record, transport),
	  1 << DIRECTORY_DOMAIN | 1 << DIRECTORY_USER },
};

enum { FIELDS = sizeof fields / sizeof *fields };

static enum rc
unknown_field(struct directory_reader *d, const struct directory_record *r,
    struct slice name, struct slice *why_r)
{
	static const char *const known[] = {
		"client=, transport=", "client=",
		"profile=, transport=, attr.NAME=", "",
	};

	return bad(d, why_r, "\"%.*s\" is no field of a %c record; it has %s, "
	    "in this order, each once", (int)(name.len < 60 ? name.len : 60),
	    name.ptr, directory_letters[r->kind], known[r->kind]);
}

/* *next: the first of fields[] that may still come. */
static enum rc
field(struct directory_reader *d, struct directory_record *r,
    struct slice text, unsigned *next, struct slice *why_r)
{
	struct slice value, name = slice_cut(text, '=', &value);
	struct slice *to;

	if (value.ptr == NULL)
		return bad(d, why_r, "\"%.*s\" is no field; it wants NAME=TEXT",
		    (int)(text.len < 60 ? text.len : 60), text.ptr);
	if (r->kind == DIRECTORY_USER && slice_starts(name, SLICE("attr."))) {
		*next = FIELDS;
		return attribute(d, r, slice_after(name, 5), value, why_r);
	}
	for (unsigned i = *next; i < FIELDS; i++)
		if (slice_eq(name, slice_of(fields[i].name)) &&
		    (fields[i].kinds & 1u << r->kind) != 0) {
			to = (struct slice *)((char *)r + fields[i].at);
			*to = value;
			*next = i + 1;
			return RC_OK;
		}
	return unknown_field(d, r, name, why_r);
}

static enum rc
members(struct directory_reader *d, struct directory_record *r,
    struct slice text, struct slice *why_r)
{
	if (slice_has(text, '\t'))
		return bad(d, why_r, "an A record has two fields: the alias "
		    "and its members, separated by commas");
	r->members = d->members;
	while (text.ptr != NULL) {
		if (r->nmembers == DIRECTORY_MEMBERS_MAX)
			return bad(d, why_r, "an alias of over %d members; "
			    "make it two", DIRECTORY_MEMBERS_MAX);
		d->members[r->nmembers++] = slice_cut(text, ',', &text);
	}
	return RC_OK;
}

static enum rc
fields_of(struct directory_reader *d, struct directory_record *r,
    struct slice rest, struct slice *why_r)
{
	unsigned next = 0;
	enum rc rc = RC_OK;

	if (r->kind == DIRECTORY_ALIAS)
		return members(d, r, rest, why_r);
	while (rest.ptr != NULL && rc == RC_OK)
		rc = field(d, r, slice_cut(rest, '\t', &rest), &next, why_r);
	return rc;
}

static enum rc
record(struct directory_reader *d, struct slice line,
    struct directory_record *r, struct slice *why_r)
{
	struct slice what = SLICE_NONE, rest;
	const char *letter;
	enum rc rc;

	letter = line.len >= 2 && line.ptr[1] == ' ' ?
	    strchr(directory_letters, line.ptr[0]) : NULL;
	if (letter == NULL)
		return bad(d, why_r, "\"%.*s\" begins no record; a line begins "
		    "with D, P, U or A and a blank, or is the end mark \"++++ "
		    "\" and the number of records",
		    (int)(line.len < 20 ? line.len : 20), line.ptr);
	*r = (struct directory_record){ .kind =
	    (enum directory_kind)(letter - directory_letters) };
	r->key = slice_cut(slice_after(line, 2), '\t', &rest);
	rc = fields_of(d, r, rest, why_r);
	if (rc != RC_OK)
		return rc;
	rc = check_record(&d->check, d->arena, r, &what);
	return rc == RC_BAD ? bad(d, why_r, "%.*s", SLICE_ARG(what)) : rc;
}

enum rc
directory_next(struct directory_reader *d, struct directory_record *record_r,
    bool *more_r, struct slice *why_r)
{
	struct slice line = SLICE("");
	enum rc rc = RC_OK;

	*more_r = false;
	if (d->over)
		return RC_OK;
	arena_reset(d->arena);
	if (d->line == 0)
		rc = head(d, why_r);
	if (rc == RC_OK)
		rc = next_line(d, &line, why_r);
	if (rc == RC_OK && slice_starts(line, SLICE(DIRECTORY_FOOT))) {
		rc = foot(d, line, why_r);
		d->over = true;
		return rc;
	}
	if (rc == RC_OK)
		rc = record(d, line, record_r, why_r);
	d->over = rc != RC_OK;
	*more_r = rc == RC_OK;
	return rc;
}
