#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/write.h"
#include "policy/directory-check.h"

enum { FLUSH_AT = 256 * 1024 };

struct directory_writer {
	int fd;
	const char *name;
	struct directory_check check;
	struct arena *arena;		/* of one record, and of why */
	struct buf out;
};

struct directory_writer *
directory_create(int fd, const char *name)
{
	struct directory_writer *w = mem_alloc(sizeof *w);

	*w = (struct directory_writer){ .fd = fd, .arena = arena_new() };
	w->name = strdup(name);
	check_begin(&w->check);
	buf_adds(&w->out, DIRECTORY_HEAD "\n");
	return w;
}

void
directory_drop(struct directory_writer *w)
{
	if (w == NULL)
		return;
	check_end(&w->check);
	arena_free(w->arena);
	buf_free(&w->out);
	free((void *)(uintptr_t)w->name);
	free(w);
}

void
directory_quote(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\t' || c == '\n' || c == '\\') {
			buf_addc(out, '\\');
			c = c == '\t' ? 't' : c == '\n' ? 'n' : '\\';
		}
		buf_addc(out, c);
	}
}

static void
field(struct buf *out, const char *name, struct slice value)
{
	if (value.ptr == NULL)
		return;
	buf_addc(out, '\t');
	buf_adds(out, name);
	buf_add(out, value);
}

void
directory_line(struct buf *out, const struct directory_record *r)
{
	buf_addc(out, directory_letters[r->kind]);
	buf_addc(out, ' ');
	buf_add(out, r->key);
	field(out, "client=", r->client);
	field(out, "profile=", r->profile);
	field(out, "transport=", r->transport);
	for (size_t i = 0; i < r->nattrs; i++) {
		buf_adds(out, "\tattr.");
		buf_add(out, r->attrs[i].name);
		buf_addc(out, '=');
		directory_quote(out, r->attrs[i].value);
	}
	for (size_t i = 0; i < r->nmembers; i++) {
		buf_addc(out, i == 0 ? '\t' : ',');
		buf_add(out, r->members[i]);
	}
	buf_addc(out, '\n');
}

static enum rc
flush(struct directory_writer *w, struct slice *why_r)
{
	if (!write_all(w->fd, buf_slice(&w->out))) {
		*why_r = arena_printf(w->arena, "%s: %s", w->name,
		    strerror(errno));
		return RC_RETRY;
	}
	buf_clear(&w->out);
	return RC_OK;
}

/* A kind has its own fields; what else stands in the record is a mistake of
 * the caller's that would not be read again. */
static bool
alien(const struct directory_record *r)
{
	bool user = r->kind == DIRECTORY_USER;

	return (r->client.ptr != NULL && r->kind != DIRECTORY_DOMAIN &&
	    r->kind != DIRECTORY_PROFILE) ||
	    (r->transport.ptr != NULL && !user &&
	    r->kind != DIRECTORY_DOMAIN) || (r->profile.ptr != NULL && !user) ||
	    (r->nattrs > 0 && !user) ||
	    (r->nmembers > 0 && r->kind != DIRECTORY_ALIAS);
}

enum rc
directory_put(struct directory_writer *w, const struct directory_record *r,
    struct slice *why_r)
{
	struct slice what = SLICE_NONE;
	size_t before = w->out.len;
	enum rc rc;

	arena_reset(w->arena);
	if (alien(r)) {
		*why_r = arena_printf(w->arena, "a %c record with a field of "
		    "another kind", directory_letters[r->kind]);
		return RC_BAD;
	}
	directory_line(&w->out, r);
	if (w->out.len - before > DIRECTORY_LINE_MAX) {
		w->out.len = before;
		*why_r = arena_printf(w->arena, "%.*s: its record is over %d "
		    "bytes", SLICE_ARG(r->key), DIRECTORY_LINE_MAX);
		return RC_BAD;
	}
	rc = check_record(&w->check, w->arena, r, &what);
	if (rc != RC_OK) {
		w->out.len = before;
		*why_r = what;
		return rc;
	}
	return w->out.len >= FLUSH_AT ? flush(w, why_r) : RC_OK;
}

enum rc
directory_end(struct directory_writer *w, struct slice *why_r)
{
	enum rc rc;

	arena_reset(w->arena);
	buf_addf(&w->out, DIRECTORY_FOOT "%zu\n", w->check.records);
	rc = flush(w, why_r);
	if (rc == RC_OK && fsync(w->fd) != 0) {
		*why_r = arena_printf(w->arena, "%s: fsync: %s", w->name,
		    strerror(errno));
		return RC_RETRY;
	}
	return rc;
}
