#include "tools/directory-maps.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "policy/directory.h"
#include "tools/child.h"

const char *const maps_file[MAPS] = { "recipients", "transports", "aliases" };

struct making {
	const struct directory_conf *conf;
	const char *folder;
	FILE *texts[MAPS];
	struct arena *arena;
	struct slice *why_r;
};

static const char *
text_path(struct making *m, int map)
{
	return arena_printf(m->arena, "%s/%s", m->folder, maps_file[map]).ptr;
}

static enum rc
fails(struct making *m, const char *path)
{
	*m->why_r = arena_printf(m->arena, "%s: %s", path, strerror(errno));
	return RC_RETRY;
}

static enum rc
open_texts(struct making *m)
{
	for (int i = 0; i < MAPS; i++) {
		m->texts[i] = fopen(text_path(m, i), "wxe");
		if (m->texts[i] == NULL)
			return fails(m, text_path(m, i));
	}
	return RC_OK;
}

static enum rc
close_texts(struct making *m)
{
	enum rc rc = RC_OK;

	for (int i = 0; i < MAPS; i++) {
		if (m->texts[i] == NULL)
			continue;
		if ((fflush(m->texts[i]) != 0 || ferror(m->texts[i])) &&
		    rc == RC_OK)
			rc = fails(m, text_path(m, i));
		if (fclose(m->texts[i]) != 0 && rc == RC_OK)
			rc = fails(m, text_path(m, i));
		m->texts[i] = NULL;
	}
	return rc;
}

/* Is it no dot-string, so that Postfix looks for it in quotes? */
static bool
wants_quotes(struct slice local)
{
	return local.ptr[0] == '.' || local.ptr[local.len - 1] == '.' ||
	    slice_search(local, SLICE("..")) < local.len;
}

static void
quoted(FILE *f, struct slice address)
{
	size_t at = slice_find_last(address, '@');
	struct slice local = slice_sub(address, 0, at);

	if (local.len > 0 && wants_quotes(local))
		fprintf(f, "\"%.*s\"%.*s", SLICE_ARG(local),
		    SLICE_ARG(slice_after(address, at)));
	else
		fprintf(f, "%.*s", SLICE_ARG(address));
}

/* key: an address or a domain. */
static void
entry(FILE *f, struct slice key, void (*value)(FILE *f, const void *arg),
    const void *arg)
{
	size_t at = slice_find_last(key, '@');

	fprintf(f, "%.*s\t", SLICE_ARG(key));
	value(f, arg);
	putc('\n', f);
	if (at == key.len || at == 0 || !wants_quotes(slice_sub(key, 0, at)))
		return;
	quoted(f, key);
	putc('\t', f);
	value(f, arg);
	putc('\n', f);
}

static void
put_text(FILE *f, const void *arg)
{
	const struct slice *s = arg;

	fwrite(s->ptr, 1, s->len, f);
}

static void
put_members(FILE *f, const void *arg)
{
	const struct directory_record *r = arg;

	for (size_t i = 0; i < r->nmembers; i++) {
		if (i > 0)
			putc(',', f);
		quoted(f, r->members[i]);
	}
}

static enum rc
one(struct making *m, const struct directory_record *r)
{
	static const struct slice exists = SLICE("x");

	if (r->kind == DIRECTORY_PROFILE)
		return RC_OK;
	/* postmap takes it for a comment. */
	if (r->key.ptr[0] == '#') {
		*m->why_r = arena_printf(m->arena, "%.*s begins with '#', "
		    "which no map of Postfix can hold; leave it out, or set "
		    "maps = false in directory.conf", SLICE_ARG(r->key));
		return RC_BAD;
	}
	if (r->kind == DIRECTORY_USER)
		entry(m->texts[MAPS_RECIPIENTS], r->key, put_text, &exists);
	if (r->kind == DIRECTORY_ALIAS)
		entry(m->texts[MAPS_ALIASES], r->key, put_members, r);
	if (r->transport.ptr != NULL)
		entry(m->texts[MAPS_TRANSPORTS], r->key, put_text,
		    &r->transport);
	return RC_OK;
}

static enum rc
write_texts(struct making *m, int fd)
{
	struct directory_reader *d = directory_open(fd, "the new directory");
	struct directory_record r;
	bool more = false;
	enum rc rc;

	for (size_t i = 0; i < m->conf->open_domains.count; i++)
		fprintf(m->texts[MAPS_RECIPIENTS], "@%.*s\tx\n",
		    SLICE_ARG(m->conf->open_domains.items[i]));
	while ((rc = directory_next(d, &r, &more, m->why_r)) == RC_OK && more) {
		rc = one(m, &r);
		if (rc != RC_OK)
			break;
	}
	if (rc != RC_OK)
		*m->why_r = arena_copy(m->arena, *m->why_r);
	directory_close(d);
	return rc;
}

static enum rc
postmap(struct making *m, int map)
{
	const char *const argv[] = { "postmap", "-c",
	    m->conf->postfix_directory, arena_printf(m->arena, "%s:%s",
	    directory_map_types[m->conf->map_type], text_path(m, map)).ptr,
	    NULL };
	struct child c = { .argv = argv };
	enum rc rc = child_run(&c, deadline_in(MAPS_MS), m->arena, m->why_r);

	/* It warns of what it leaves out of the map, and ends well. */
	if (rc == RC_OK && (c.status != 0 || slice_search(c.err,
	    slice_of(text_path(m, map))) < c.err.len)) {
		*m->why_r = arena_printf(m->arena, "postmap -c %s %s: %.*s",
		    m->conf->postfix_directory, argv[3], (int)(c.err.len < 1000
		    ? c.err.len : 1000), c.err.ptr != NULL ? c.err.ptr : "");
		return RC_RETRY;
	}
	if (rc == RC_OK && unlink(text_path(m, map)) != 0)
		return fails(m, text_path(m, map));
	return rc;
}

enum rc
maps_write(const struct directory_conf *conf, const char *folder, int fd,
    struct arena *a, struct slice *why_r)
{
	struct making m = { .conf = conf, .folder = folder, .arena = a,
	    .why_r = why_r };
	enum rc rc = open_texts(&m), closed;

	if (rc == RC_OK)
		rc = write_texts(&m, fd);
	closed = close_texts(&m);
	if (rc == RC_OK)
		rc = closed;
	for (int i = 0; i < MAPS && rc == RC_OK; i++)
		rc = postmap(&m, i);
	return rc;
}
