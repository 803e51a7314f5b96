/* The sources of a map (policy/compile.h). */
#include "policy/compile.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "conf/near.h"
#include "policy/compile-part.h"
#include "policy/directory.h"
#include "policy/listed.h"
#include "policy/lists.h"
#include "policy/sheet.h"

/* All maps of a compile. */
static struct map **
map_at(struct compile *c, size_t i)
{
	struct map **const all[] = { &c->domains, &c->clients, &c->profiles,
	    &c->named, &c->extra,
	    &c->names, &c->logins, &c->listed, &c->listed_users, &c->lengths,
	    &c->memo, &c->set_ids, &c->block_ids, &c->origin_ids };

	return i < sizeof all / sizeof *all ? all[i] : NULL;
}

struct compile *
compile_new(const struct house_conf *house)
{
	struct compile *c = mem_alloc(sizeof *c);

	c->arena = arena_new();
	c->scratch = arena_new();
	c->house = house;
	c->match = house_match(house);
	for (size_t i = 0; map_at(c, i) != NULL; i++)
		*map_at(c, i) = map_new();
	for (size_t i = 0; i < house->domains.count; i++)
		compile_domain(c, house->domains.items[i])->record.kind |=
		    MAP_OURS;
	for (size_t i = 0; i < house->tenant_list.count; i++) {
		const struct tenant *t = &house->tenant_list.items[i];

		for (size_t k = 0; k < t->domains.count; k++)
			compile_domain(c, t->domains.items[k])->record.client =
			    slice_of(t->name);
	}
	return c;
}

void
compile_free(struct compile *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; map_at(c, i) != NULL; i++)
		map_free(*map_at(c, i));
	free(c->whos);
	free(c->blocks);
	free(c->sets);
	free(c->entries);
	arena_free(c->scratch);
	arena_free(c->arena);
	free(c);
}

/* What is there grows to twice its size. */
void *
compile_grown(void *items, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return items;
	*room = *room > 0 ? *room * 2 : 1024;
	return mem_grow(items, *room * size);
}

void
compile_entry(struct compile *c, char letter, struct slice key,
    struct slice value)
{
	char *bytes = arena_alloc(c->arena, 1 + key.len);

	bytes[0] = letter;
	if (key.len > 0)
		memcpy(bytes + 1, key.ptr, key.len);
	c->entries = compile_grown(c->entries, c->nentries, &c->entries_room,
	    sizeof *c->entries);
	c->entries[c->nentries++] = (struct file_entry){
	    slice_make(bytes, 1 + key.len), arena_copy(c->arena, value) };
}

struct compile_who *
compile_domain(struct compile *c, struct slice name)
{
	struct compile_who *d = map_get(c->domains, name);

	if (d != NULL)
		return d;
	d = arena_alloc(c->arena, sizeof *d);
	d->key = arena_copy(c->arena, name);
	map_put(c->domains, name, d);
	return d;
}

/* ---- files of options, and the settings file ---- */

enum rc
compile_table(struct compile *c, const char *name,
    const struct conf_option *options, struct scopes *scopes,
    struct slice *why_r)
{
	if (c->ntables == MAP_TABLES_MAX) {
		*why_r = SLICE("too many files of options");
		return RC_BAD;
	}
	c->tables[c->ntables++] = (struct compile_table){ name, options,
	    scopes, scope_digest(scopes) };
	return RC_OK;
}

static enum rc
no_table(struct compile *c, struct slice file, struct slice *why_r)
{
	struct near near = near_to(file);

	for (size_t i = 0; i < c->ntables; i++)
		near_try(&near, c->tables[i].name);
	if (near.best == NULL)
		near.best = "auth-check";
	*why_r = arena_printf(c->arena, "there is no file %.*s.conf; did you "
	    "mean %s?", SLICE_ARG(slice_sub(file, 0, 60)), near.best);
	return RC_BAD;
}

static enum rc
add_line(struct compile *c, const char *name, const struct sheet_line *l,
    struct slice *why_r)
{
	const struct compile_table *t = c->tables;
	struct scope_word word = { .level = l->level, .name = l->name,
	    .raw = l->raw, .final = l->final };

	while (t < c->tables + c->ntables &&
	    !slice_eq(slice_of(t->name), l->file))
		t++;
	if (t == c->tables + c->ntables)
		return no_table(c, l->file, why_r);
	word.where = arena_printf(c->arena, "%s:%u", name, l->line);
	return scope_add(t->scopes, c->arena, t->options,
	    arena_str(c->scratch, l->option), &word, why_r);
}

enum rc
compile_sheet(struct compile *c, const char *name, struct slice text,
    struct slice *why_r)
{
	struct sheet s;
	struct sheet_line l;
	struct slice why;

	sheet_open(&s, c->arena, name, text);
	while (sheet_next(&s, &l)) {
		if (add_line(c, name, &l, &why) != RC_OK) {
			*why_r = arena_printf(c->arena, "%s:%u: %.*s", name,
			    l.line, SLICE_ARG(why));
			return RC_BAD;
		}
		arena_reset(c->scratch);
	}
	*why_r = s.why;
	return s.why.len > 0 ? RC_BAD : RC_OK;
}

/* ---- lists ---- */

static struct slice
network_bytes(struct compile *c, const struct network *net)
{
	bool v4 = net->ip.family == AF_INET;
	struct buf b = buf_in(c->scratch);

	buf_addc(&b, v4 ? '4' : '6');
	buf_addc(&b, (char)net->bits);
	buf_add(&b, slice_make(net->ip.bytes, v4 ? 4 : 16));
	return buf_slice(&b);
}

/* The map says which lengths there are, for each level and name. */
static void
note_length(struct compile *c, const struct lists_entry *e)
{
	char key[LISTED_KEY_MAX + 1];
	size_t len = listed_key(key, e->level, e->name, 'n', SLICE(""));
	struct slice name = slice_make(key, len);
	struct compile_lengths *l = map_get(c->lengths, name);

	if (l == NULL) {
		l = arena_alloc(c->arena, sizeof *l);
		map_put(c->lengths, name, l);
	}
	l->used[e->net.ip.family == AF_INET ? 0 : 1][e->net.bits] = true;
}

/* Listed twice is a fault, whether both agree or not: who takes one out
 * believes that it is gone. */
static enum rc
once(struct compile *c, const char *name, const struct lists_entry *e,
    struct slice key, struct slice where, struct slice *why_r)
{
	const struct compile_listed *before = map_get(c->listed, key);
	struct compile_listed *now;

	if (before == NULL) {
		now = arena_alloc(c->arena, sizeof *now);
		*now = (struct compile_listed){ e->verdict, where };
		map_put(c->listed, key, now);
		return RC_OK;
	}
	*why_r = arena_printf(c->arena, "%s:%u: %.*s is listed a second time "
	    "for the same%s; the first is in %.*s; remove one", name, e->line,
	    SLICE_ARG(e->sender), before->verdict == e->verdict ? "" :
	    ", and one allows what the other blocks",
	    SLICE_ARG(before->where));
	return RC_BAD;
}

static enum rc
add_entry(struct compile *c, const char *name, struct lists_entry *e,
    struct slice *why_r)
{
	struct slice where = arena_printf(c->arena, "%s:%u", name, e->line);
	struct buf value = buf_in(c->scratch);
	char letter = e->kind == 'n' ? 'n' : 'w';
	char key[LISTED_KEY_MAX + 1];
	struct scope_subject user;
	size_t len;

	if (e->level == SCOPE_USER) {
		scope_subject(c->arena, e->name, c->match, &user);
		e->name = user.plain;
		map_put(c->listed_users, user.plain, c);
	}
	len = listed_key(key + 1, e->level, e->name, e->kind, e->kind == 'n' ?
	    network_bytes(c, &e->net) : e->sender);
	if (len == 0) {
		*why_r = arena_printf(c->arena, "%s:%u: name and sender are "
		    "too long", name, e->line);
		return RC_BAD;
	}
	key[0] = letter;
	if (once(c, name, e, slice_make(key, 1 + len), where, why_r) != RC_OK)
		return RC_BAD;
	pack_u8(&value, e->verdict);
	pack_slice(&value, where);
	pack_slice(&value, e->comment);
	compile_entry(c, letter, slice_make(key + 1, len), buf_slice(&value));
	if (letter == 'n')
		note_length(c, e);
	c->nlisted++;
	return RC_OK;
}

enum rc
compile_lists(struct compile *c, const char *name, struct slice text,
    struct slice *why_r)
{
	struct lists_entry e;
	struct lists l;

	lists_open(&l, c->arena, name, text);
	while (lists_next(&l, &e)) {
		if (add_entry(c, name, &e, why_r) != RC_OK)
			return RC_BAD;
		arena_reset(c->scratch);
	}
	*why_r = l.why;
	return l.why.len > 0 ? RC_BAD : RC_OK;
}

/* ---- the directory ---- */

static struct slice
kept(struct compile *c, struct slice s)
{
	return s.ptr != NULL ? arena_copy(c->arena, s) : SLICE_NONE;
}

/* The same client's name comes a million times. */
static struct slice
kept_once(struct compile *c, struct slice s)
{
	struct slice *known;

	if (s.ptr == NULL)
		return SLICE_NONE;
	known = map_get(c->names, s);
	if (known == NULL) {
		known = arena_alloc(c->arena, sizeof *known);
		*known = arena_copy(c->arena, s);
		map_put(c->names, s, known);
	}
	return *known;
}

static enum rc
take_login(struct compile *c, const char *name, struct slice login,
    struct slice address, struct slice *why_r)
{
	struct slice *kept_r = arena_alloc(c->arena, sizeof *kept_r), *before;

	*kept_r = address;
	before = map_put(c->logins, login, kept_r);
	if (before == NULL) {
		compile_entry(c, 'l', login, address);
		return RC_OK;
	}
	*why_r = arena_printf(c->arena, "%s: the login \"%.*s\" is that of "
	    "%.*s and of %.*s; one of them needs another one", name,
	    SLICE_ARG(login), SLICE_ARG(*before), SLICE_ARG(address));
	return RC_BAD;
}

static enum rc
take_address(struct compile *c, const char *name,
    const struct directory_record *r, struct slice *why_r)
{
	struct buf attrs = buf_in(c->scratch), members = buf_in(c->scratch);
	struct compile_who *w;
	enum rc rc = RC_OK;

	c->whos = compile_grown(c->whos, c->nwhos, &c->whos_room,
	    sizeof *c->whos);
	w = &c->whos[c->nwhos++];
	memset(w, 0, sizeof *w);
	w->key = arena_copy(c->arena, r->key);
	w->record.kind = r->kind == DIRECTORY_USER ? MAP_MAILBOX : MAP_ALIAS;
	w->profile = kept_once(c, r->profile);
	w->record.transport = kept_once(c, r->transport);
	for (size_t i = 0; i < r->nattrs && rc == RC_OK; i++) {
		pack_slice(&attrs, r->attrs[i].name);
		pack_slice(&attrs, r->attrs[i].value);
		if (slice_eq(r->attrs[i].name, SLICE("login")))
			rc = take_login(c, name, r->attrs[i].value, w->key,
			    why_r);
	}
	for (size_t i = 0; i < r->nmembers; i++)
		pack_slice(&members, r->members[i]);
	if (attrs.len > 0)
		w->record.attrs = kept(c, buf_slice(&attrs));
	if (members.len > 0)
		w->record.members = kept(c, buf_slice(&members));
	arena_reset(c->scratch);
	return rc;
}

static enum rc
take_record(struct compile *c, const char *name,
    const struct directory_record *r, struct slice *why_r)
{
	struct compile_who *d;
	struct slice *client;

	switch (r->kind) {
	case DIRECTORY_DOMAIN:
		d = compile_domain(c, r->key);
		d->record.kind |= MAP_OURS;
		if (r->client.ptr != NULL)
			d->record.client = kept_once(c, r->client);
		d->record.transport = kept_once(c, r->transport);
		return RC_OK;
	case DIRECTORY_PROFILE:
		client = arena_alloc(c->arena, sizeof *client);
		*client = kept_once(c, r->client);
		map_put(c->profiles, r->key, client);
		return RC_OK;
	default:
		return take_address(c, name, r, why_r);
	}
}

enum rc
compile_directory(struct compile *c, int fd, const char *name,
    struct slice *why_r)
{
	struct directory_reader *d = directory_open(fd, name);
	struct directory_record r;
	struct slice why = SLICE("");
	bool more = true;
	enum rc rc;

	do {
		rc = directory_next(d, &r, &more, &why);
		if (rc == RC_OK && more)
			rc = take_record(c, name, &r, &why);
	} while (rc == RC_OK && more);
	*why_r = arena_copy(c->arena, why);
	directory_close(d);
	return rc;
}

enum rc
compile_source(struct compile *c, struct slice path, struct slice digest,
    struct slice *why_r)
{
	if (c->nsources == MAP_SOURCES_MAX) {
		*why_r = SLICE("too many files");
		return RC_BAD;
	}
	c->sources[c->nsources++] = (struct file_source){ path, digest };
	return RC_OK;
}

struct compile_count
compile_counted(const struct compile *c)
{
	return (struct compile_count){ c->nwhos, map_count(c->domains),
	    c->nsets, c->nblocks, c->nlisted };
}
