/* Who gets what, and the records of the map (policy/compile.h). */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "policy/compile-part.h"

static void
put_record(struct compile *c, char letter, const struct compile_who *w)
{
	struct buf b = buf_in(c->scratch);

	file_pack_record(&b, &w->record);
	compile_entry(c, letter, w->key, buf_slice(&b));
}

static void
note_client(struct compile *c, struct slice name)
{
	if (name.ptr != NULL)
		map_put(c->clients, name, c);
}

/* ---- clients and profiles ---- */

/* What the files say, where the directory does not: they must agree. */
static struct slice
belongs(struct compile *c, const struct scope_subject *who,
    enum scope_level level, struct slice whose)
{
	struct slice found = SLICE_NONE, other;
	const char *in = NULL;

	for (size_t i = 0; i < c->ntables; i++) {
		other = scope_belongs(c->tables[i].scopes, who, level);
		if (other.ptr == NULL)
			continue;
		if (found.ptr != NULL && !slice_eq(found, other))
			c->why = arena_printf(c->arena, "%.*s belongs to the "
			    "%s \"%.*s\" in %s.conf, and to \"%.*s\" in "
			    "%s.conf; let them agree", SLICE_ARG(whose),
			    scope_level_name(level), SLICE_ARG(found), in,
			    SLICE_ARG(other), c->tables[i].name);
		found = other;
		in = c->tables[i].name;
	}
	return found;
}

/* Of a domain once, of all its addresses. */
static void
settle_domain(struct compile *c, struct compile_who *d)
{
	struct scope_subject who = { .client = SLICE_NONE, .domain = d->key };

	if (d->record.client.ptr == NULL)
		d->record.client = belongs(c, &who, SCOPE_CLIENT, d->key);
	who.client = d->record.client;
	note_client(c, who.client);
	resolve_subject(c, &who, &d->record.set, &d->record.origin);
}

/* ---- named by scopes and lists ---- */

/* Mail of which only the client is known. */
static bool
each_client(struct slice key, void *value, void *arg)
{
	struct compile *c = arg;
	struct compile_who w = { .key = key };
	struct scope_subject who = { .client = key };

	(void)value;
	w.record.client = key;
	resolve_subject(c, &who, &w.record.set, &w.record.origin);
	put_record(c, 'k', &w);
	arena_reset(c->scratch);
	return true;
}

static bool
each_profile(struct slice key, void *value, void *arg)
{
	(void)key;
	note_client(arg, *(const struct slice *)value);
	return true;
}

struct spelling {
	struct slice exact, where;
};

/* Where letters tell mailboxes apart, a record has room for one spelling. */
static void
take_name(void *arg, const struct scope_name *n)
{
	struct compile *c = arg;
	struct spelling *s, *before;

	if (n->level == SCOPE_CLIENT && !n->member)
		note_client(c, n->name);
	if (n->level == SCOPE_DOMAIN || (n->level == SCOPE_CLIENT &&
	    n->member)) {
		compile_domain(c, n->name);
		return;
	}
	if (n->level != SCOPE_USER && !(n->level == SCOPE_PROFILE &&
	    n->member))
		return;
	s = arena_alloc(c->arena, sizeof *s);
	*s = (struct spelling){ arena_copy(c->arena, n->exact), n->where };
	before = map_put(c->named, n->name, s);
	if (before != NULL && c->match.case_sensitive &&
	    !slice_eq(before->exact, s->exact))
		c->why = arena_printf(c->arena, "%.*s: %.*s is spelled as "
		    "\"%.*s\" here and as \"%.*s\" in %.*s; the map knows one "
		    "spelling of a mailbox", SLICE_ARG(n->where),
		    SLICE_ARG(n->name), SLICE_ARG(s->exact),
		    SLICE_ARG(before->exact), SLICE_ARG(before->where));
}

static int
by_address(const void *a, const void *b)
{
	const struct compile_who *x = a, *y = b;

	return slice_cmp(x->key, y->key);
}

static struct compile_who *
find_who(const struct compile *c, struct slice key, size_t n)
{
	const struct compile_who wanted = { .key = key };

	return n == 0 ? NULL : bsearch(&wanted, c->whos, n, sizeof wanted,
	    by_address);
}

struct adding {
	struct compile *c;
	size_t n;			/* those of the directory, sorted */
};

/* Whoever has something of his own has a record, and no alias is followed
 * past him. An address with an extension is the mailbox's otherwise. */
static bool
add_named(struct slice key, void *value, void *arg)
{
	struct adding *a = arg;
	struct compile *c = a->c;
	struct compile_who *w = find_who(c, key, a->n), *base;
	struct scope_subject who;

	(void)value;
	if (w != NULL) {
		w->record.kind |= MAP_NAMED;
		return true;
	}
	/* Lists and scopes may both name him. */
	if (map_put(c->extra, key, c) != NULL)
		return true;
	c->whos = compile_grown(c->whos, c->nwhos, &c->whos_room,
	    sizeof *c->whos);
	w = &c->whos[c->nwhos++];
	memset(w, 0, sizeof *w);
	w->key = arena_copy(c->arena, key);
	scope_subject(c->scratch, key, c->match, &who);
	base = find_who(c, who.plain, a->n);
	if (base != NULL) {
		w->record = base->record;
		w->profile = base->profile;
	}
	w->record.kind |= MAP_NAMED;
	return true;
}

/* ---- addresses ---- */

static void
settle_spelling(struct compile *c, struct compile_who *w,
    struct scope_subject *who)
{
	const struct spelling *s = map_get(c->named, w->key);
	char *nobody;

	if (s == NULL || !c->match.case_sensitive) {
		resolve_subject(c, who, &w->record.set, &w->record.origin);
		return;
	}
	who->exact = w->record.exact = s->exact;
	resolve_subject(c, who, &w->record.set, &w->record.origin);
	nobody = arena_alloc(c->scratch, who->exact.len + 1);
	who->exact.ptr = nobody;
	resolve_subject(c, who, &w->record.other_set,
	    &w->record.other_origin);
}

static void
settle_address(struct compile *c, struct compile_who *w)
{
	struct scope_subject who;
	const struct compile_who *d;
	const struct slice *client;

	scope_subject(c->scratch, w->key, c->match, &who);
	who.profile = w->profile;
	if (who.profile.ptr == NULL && (w->record.kind & MAP_NAMED) != 0)
		who.profile = belongs(c, &who, SCOPE_PROFILE, w->key);
	d = map_get(c->domains, who.domain);
	who.client = d != NULL ? d->record.client : SLICE_NONE;
	client = who.profile.ptr != NULL ? map_get(c->profiles, who.profile) :
	    NULL;
	if (who.client.ptr == NULL && client != NULL)
		who.client = *client;
	w->record.client = who.client;
	w->record.profile = who.profile;
	if (w->record.transport.ptr == NULL && d != NULL)
		w->record.transport = d->record.transport;
	if (d != NULL)
		w->record.kind |= d->record.kind & MAP_OURS;
	settle_spelling(c, w, &who);
}

static bool
each_domain(struct slice key, void *value, void *arg)
{
	struct compile *c = arg;

	(void)key;
	settle_domain(c, value);
	put_record(c, 'd', value);
	arena_reset(c->scratch);
	return true;
}

static bool
each_lengths(struct slice key, void *value, void *arg)
{
	struct compile *c = arg;
	const struct compile_lengths *l = value;
	struct buf b = buf_in(c->scratch);

	for (int family = 0; family < 2; family++) {
		for (int bits = 128; bits >= 0; bits--) {
			if (!l->used[family][bits])
				continue;
			buf_addc(&b, family == 0 ? '4' : '6');
			buf_addc(&b, (char)bits);
		}
	}
	compile_entry(c, 'p', key, buf_slice(&b));
	return true;
}

enum rc
compile_resolve(struct compile *c, struct slice *why_r)
{
	struct adding adding = { c, c->nwhos };
	struct compile_who nobody = { .key = SLICE("") };

	for (size_t i = 0; i < c->ntables; i++)
		scope_names(c->tables[i].scopes, take_name, c);
	map_each(c->named, add_named, &adding);
	map_each(c->listed_users, add_named, &adding);
	arena_reset(c->scratch);
	settle_domain(c, &nobody);
	put_record(c, '0', &nobody);
	map_each(c->domains, each_domain, c);
	for (size_t i = 0; i < c->nwhos && c->why.len == 0; i++) {
		settle_address(c, &c->whos[i]);
		put_record(c, 'a', &c->whos[i]);
		arena_reset(c->scratch);
	}
	map_each(c->profiles, each_profile, c);
	map_each(c->clients, each_client, c);
	map_each(c->lengths, each_lengths, c);
	resolve_write(c);
	*why_r = c->why;
	return c->why.len > 0 ? RC_BAD : RC_OK;
}

/* ---- out ---- */

static void
put_meta(struct compile *c)
{
	struct buf b = buf_in(c->scratch);
	struct file_meta meta = {
		.records = c->nentries + 1, .house = house_digest(c->house),
		.addresses = c->nwhos, .domains = map_count(c->domains),
		.sets = c->nsets, .blocks = c->nblocks, .listed = c->nlisted,
		.time = (uint64_t)time(NULL), .lists = c->nlisted > 0,
		.ntables = c->ntables, .nsources = c->nsources,
		.sources = c->sources,
	};

	for (size_t i = 0; i < c->ntables; i++)
		meta.tables[i] = (struct file_table){
		    slice_of(c->tables[i].name),
		    table_digest(c->tables[i].options), c->tables[i].digest };
	file_pack_meta(&b, &meta);
	compile_entry(c, 'm', SLICE(""), buf_slice(&b));
}

enum rc
compile_write(struct compile *c, const char *path, struct slice *why_r)
{
	put_meta(c);
	return file_write(path, c->entries, c->nentries, c->arena, why_r);
}
