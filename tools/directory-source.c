#include "tools/directory-source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/csv-read.h"
#include "tools/map-read.h"

/* --- a user of any source with fields ----------------------------------- */

void
source_begin(struct source_user *u, unsigned line)
{
	arena_reset(u->arena);
	u->line = line;
	u->address = SLICE_NONE;
	u->aliases = buf_in(u->arena);
	u->fields = buf_in(u->arena);
}

static void
keep(struct buf *list, struct slice s)
{
	buf_add(list, slice_make(&s, sizeof s));
}

static struct slice
kept(const struct buf *list, size_t i)
{
	struct slice s;

	memcpy(&s, list->ptr + i * sizeof s, sizeof s);
	return s;
}

static size_t
count(const struct buf *list)
{
	return list->len / sizeof(struct slice);
}

static enum rc
bad(struct source_user *u, struct slice *why_r, const char *what)
{
	*why_r = arena_printf(u->book->arena, "%s:%u: %s%s%s",
	    u->book->sources[u->book->nsources - 1].name, u->line,
	    u->dn != NULL ? u->dn : "", u->dn != NULL ? ": " : "", what);
	return RC_BAD;
}

static enum rc
set_address(struct source_user *u, struct slice value, struct slice *why_r)
{
	if (u->address.ptr != NULL && !slice_eq(u->address, value))
		return bad(u, why_r, "a second address; a user has one, the "
		    "others are to be mapped to aliases");
	u->address = value;
	return RC_OK;
}

/* proxyAddresses: "SMTP:main@example.org", "smtp:also@example.org", and what
 * is no mail at all ("X500:/o=..."). */
static enum rc
set_proxy(struct source_user *u, struct slice value, struct slice *why_r)
{
	if (slice_starts(value, SLICE("SMTP:")))
		return set_address(u, slice_after(value, 5), why_r);
	if (slice_starts(value, SLICE("smtp:")))
		keep(&u->aliases, slice_after(value, 5));
	return RC_OK;
}

static void
add_aliases(struct source_user *u, struct slice value)
{
	const char *separators = u->source->list_separators;
	size_t at;

	while (value.len > 0) {
		for (at = 0; at < value.len; at++)
			if (value.ptr[at] != '\0' &&
			    strchr(separators, value.ptr[at]) != NULL)
				break;
		if (slice_trim(slice_sub(value, 0, at)).len > 0)
			keep(&u->aliases, slice_trim(slice_sub(value, 0, at)));
		value = slice_after(value, at + 1);
	}
}

enum rc
source_field(struct source_user *u, struct slice to, struct slice value,
    struct slice *why_r)
{
	value = slice_trim(value);
	if (value.len == 0)
		return RC_OK;
	value = arena_copy(u->arena, value);
	if (slice_eq(to, SLICE("address")))
		return set_address(u, value, why_r);
	if (slice_eq(to, SLICE("proxy")))
		return set_proxy(u, value, why_r);
	if (slice_eq(to, SLICE("aliases"))) {
		add_aliases(u, value);
		return RC_OK;
	}
	keep(&u->fields, to);
	keep(&u->fields, value);
	return RC_OK;
}

enum rc
source_done(struct source_user *u, struct slice *why_r)
{
	struct book_entry *user = NULL;
	enum rc rc;

	if (u->address.ptr == NULL)
		return bad(u, why_r, "no address; each user has one (leave the "
		    "row out, or narrow the filter)");
	rc = book_user(u->book, u->address, u->line, &user, why_r);
	if (rc != RC_OK || user == NULL)
		return rc;
	for (size_t i = 0; i < count(&u->fields) && rc == RC_OK; i += 2)
		rc = book_set(u->book, user, kept(&u->fields, i),
		    kept(&u->fields, i + 1), u->line, why_r);
	for (size_t i = 0; i < count(&u->aliases) && rc == RC_OK; i++)
		rc = book_alias(u->book, kept(&u->aliases, i), user->key,
		    u->line, why_r);
	return rc;
}

/* --- CSV ---------------------------------------------------------------- */

struct columns {
	struct slice to[CSV_CELLS_MAX];	/* SLICE_NONE: not read */
};

/* Those columns may be missing, but for the address. */
static bool
of_default(struct slice item)
{
	struct slice rest = slice_of("aliases=aliases, profile=profile, "
	    "transport=transport");

	while (rest.ptr != NULL)
		if (slice_eq(slice_trim(slice_cut(rest, ',', &rest)), item))
			return true;
	return false;
}

static enum rc
one_column(struct source_user *u, const struct csv_row *head,
    struct slice item, struct columns *columns, struct slice *why_r)
{
	size_t at = slice_find_last(item, '='), found = CSV_CELLS_MAX;
	struct slice name = slice_sub(item, 0, at);

	for (size_t i = 0; i < head->count; i++) {
		if (!slice_eq(slice_trim(head->cells[i]), name))
			continue;
		if (found < CSV_CELLS_MAX || columns->to[i].ptr != NULL)
			return bad(u, why_r, arena_printf(u->book->arena,
			    "the column \"%.*s\" is there, or read, twice",
			    SLICE_ARG(name)).ptr);
		found = i;
		columns->to[i] = slice_after(item, at + 1);
	}
	if (found < CSV_CELLS_MAX || of_default(item))
		return RC_OK;
	return bad(u, why_r, arena_printf(u->book->arena, "there is no column "
	    "\"%.*s\", which fields names; the first row names the columns",
	    SLICE_ARG(name)).ptr);
}

static enum rc
read_head(struct source_user *u, struct csv_reader *csv,
    struct columns *columns, struct slice *why_r)
{
	struct csv_row head;
	bool more = false;
	enum rc rc = csv_next(csv, &head, &more, why_r);

	source_begin(u, 1);
	if (rc != RC_OK)
		return rc;
	if (!more)
		return bad(u, why_r, "the file is empty; an export that failed "
		    "looks like that, and nothing of it is used");
	for (size_t i = 0; i < u->source->fields.count && rc == RC_OK; i++)
		rc = one_column(u, &head, u->source->fields.items[i], columns,
		    why_r);
	return rc;
}

static enum rc
one_row(struct source_user *u, const struct csv_row *row,
    const struct columns *columns, struct slice *why_r)
{
	enum rc rc = RC_OK;

	source_begin(u, (unsigned)row->line);
	for (size_t i = 0; i < row->count && rc == RC_OK; i++)
		if (columns->to[i].ptr != NULL)
			rc = source_field(u, columns->to[i], row->cells[i],
			    why_r);
	return rc == RC_OK ? source_done(u, why_r) : rc;
}

static enum rc
read_rows(struct source_user *u, struct csv_reader *csv,
    const struct columns *columns, struct slice *why_r)
{
	struct slice mark = slice_of(u->source->end_mark);
	bool more = false, ended = false;
	struct csv_row row;
	enum rc rc;

	while ((rc = csv_next(csv, &row, &more, why_r)) == RC_OK && more) {
		if (ended) {
			u->line = (unsigned)row.line;
			return bad(u, why_r, "a row behind the end mark; two "
			    "files in one?");
		}
		ended = mark.len > 0 && slice_eq(row.cells[0], mark);
		if (!ended)
			rc = one_row(u, &row, columns, why_r);
		if (rc != RC_OK)
			return rc;
	}
	if (rc == RC_OK && mark.len > 0 && !ended)
		return bad(u, why_r, "the file ends without the row of its "
		    "end_mark: it was cut off, and nothing of it is used");
	return rc;
}

static enum rc
read_csv(const struct directory_source *s, struct book *b, int fd,
    struct slice *why_r)
{
	struct csv_reader *csv = csv_open(fd, s->path, s->separator[0]);
	struct source_user u = { .source = s, .book = b,
	    .arena = arena_new() };
	struct columns *columns = arena_alloc(b->arena, sizeof *columns);
	enum rc rc = read_head(&u, csv, columns, why_r);

	if (rc == RC_OK)
		rc = read_rows(&u, csv, columns, why_r);
	if (rc != RC_OK)
		*why_r = arena_copy(b->arena, *why_r);
	arena_free(u.arena);
	csv_close(csv);
	return rc;
}

/* --- MAP ---------------------------------------------------------------- */

/* What UCFG and P13N call a thing: letters fold, blanks and dots become '-'. */
static struct slice
attr_field(struct book *b, const char *prefix, struct slice name)
{
	struct slice field = arena_printf(b->arena, "attr.%s%.*s", prefix,
	    SLICE_ARG(name));
	char *p = (char *)(uintptr_t)field.ptr;

	for (size_t i = 5; i < field.len; i++)
		p[i] = p[i] == ' ' || p[i] == '.' ? '-' : ascii_lower(p[i]);
	return field;
}

static enum rc
map_user(struct book *b, const struct map_record *r, struct slice *why_r)
{
	struct book_entry *user = NULL;
	unsigned line = (unsigned)r->line;
	enum rc rc = book_user(b, r->fields[0], line, &user, why_r);
	struct slice field;

	if (rc != RC_OK || user == NULL || r->kind == MAP_DIR)
		return rc;
	if (r->kind == MAP_PROFILE)
		return book_set(b, user, SLICE("profile"), r->fields[1], line,
		    why_r);
	if (r->kind == MAP_UCFG && slice_eq_nocase(r->fields[1],
	    SLICE("transport")))
		field = SLICE("transport");
	else
		field = attr_field(b, r->kind == MAP_UCFG ? "ucfg_" : "",
		    r->fields[1]);
	return book_set(b, user, field, r->fields[2], line, why_r);
}

static enum rc
map_record(struct book *b, const struct map_record *r, struct slice *why_r)
{
	enum rc rc = RC_OK;

	switch (r->kind) {
	case MAP_DOMAIN:
		return book_route(b, r->fields[0], r->count > 1 ?
		    r->fields[1] : SLICE_NONE, (unsigned)r->line, why_r);
	case MAP_MAP:
		for (size_t i = 1; i < r->count && rc == RC_OK; i++)
			rc = book_alias(b, r->fields[0], r->fields[i],
			    (unsigned)r->line, why_r);
		return rc;
	default:
		return map_user(b, r, why_r);
	}
}

static enum rc
read_map(struct map_reader *m, struct book *b, struct slice *why_r)
{
	struct map_record r;
	bool more = false;
	enum rc rc;

	while ((rc = map_next(m, &r, &more, why_r)) == RC_OK && more) {
		rc = map_record(b, &r, why_r);
		if (rc != RC_OK)
			break;
	}
	if (rc != RC_OK)
		*why_r = arena_copy(b->arena, *why_r);
	map_close(m);
	return rc;
}

enum rc
source_map_bytes(const struct directory_source *s, struct book *b,
    struct slice bytes, struct slice *why_r)
{
	return read_map(map_bytes(bytes, s->path), b, why_r);
}

/* --- all of them -------------------------------------------------------- */

static enum rc
read_file(const struct directory_source *s, struct book *b,
    struct slice *why_r)
{
	int fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;
	enum rc rc;

	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		*why_r = arena_printf(b->arena, "%s: %s", s->path, fd < 0 ?
		    strerror(errno) : "it is no file");
		if (fd >= 0)
			close(fd);
		return RC_RETRY;
	}
	rc = s->kind == DIRECTORY_CSV ? read_csv(s, b, fd, why_r) :
	    read_map(map_open(fd, s->path), b, why_r);
	close(fd);
	return rc;
}

enum rc
source_read(const struct directory_source *s, struct book *b,
    struct slice *why_r)
{
	bool ldap = s->kind == DIRECTORY_LDAP;
	struct book_source *is;
	enum rc rc = book_source(b, ldap ? s->uri : s->path,
	    s->foreign == DIRECTORY_SKIP,
	    &s->transports, why_r);

	if (rc != RC_OK)
		return rc;
	rc = ldap ? source_ldap(s, b, why_r) : read_file(s, b, why_r);
	is = &b->sources[b->nsources - 1];
	if (rc == RC_OK && is->seen == 0) {
		*why_r = arena_printf(b->arena, "%s: no user of ours in it; an "
		    "export that failed looks like that, and nothing of it is "
		    "used", is->name);
		return RC_BAD;
	}
	return rc;
}
