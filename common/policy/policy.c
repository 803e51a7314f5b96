#include "policy/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sip.h"
#include "policy/room.h"
#include "text/address.h"

#define CANNOT_READ	SLICE("the policy map cannot be read; type: " \
			    "gatehouse policy compile")

/* Two programs are to agree. */
static const uint64_t digest_key[2] = { 0x706f6c696379, 0x6d6170 };

const char *
policy_path(const struct house_conf *house, struct arena *a)
{
	return arena_printf(a, "%s/policy/map", house->state_directory).ptr;
}

/* ---- digests ---- */

uint64_t
house_digest(const struct house_conf *house)
{
	struct buf b = { .ptr = NULL };
	uint64_t hash;

	buf_addf(&b, "%s %d", house->recipient_delimiter,
	    house->local_part_case);
	for (size_t i = 0; i < house->domains.count; i++) {
		buf_addc(&b, ' ');
		buf_add(&b, house->domains.items[i]);
	}
	hash = sip_hash(digest_key, buf_slice(&b));
	buf_free(&b);
	return hash;
}

uint64_t
table_digest(const struct conf_option *options)
{
	struct buf b = { .ptr = NULL };
	uint64_t hash;

	for (const struct conf_option *o = options; o->name != NULL; o++) {
		if ((o->kind & CONF_SCOPED) == 0)
			continue;
		buf_addf(&b, "%s %x %lld %lld", o->name, o->kind,
		    (long long)o->min, (long long)o->max);
		for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL;
		    i++)
			buf_addf(&b, " %s", o->choices[i]);
		buf_addc(&b, '\n');
	}
	hash = sip_hash(digest_key, buf_slice(&b));
	buf_free(&b);
	return hash;
}

/* ---- a generation ---- */

static void
take_house(struct policy *p, const struct house_conf *house)
{
	p->match = house_match(house);
	for (size_t i = 0; i < house->domains.count; i++)
		map_put(p->domains, house->domains.items[i], p);
}

static enum rc
open_map(struct policy *p, const char *path, struct arena *a,
    struct slice *why_r)
{
	struct stat st;
	enum rc rc;

	if (path == NULL || (stat(path, &st) != 0 && errno == ENOENT))
		return RC_OK;
	rc = file_open(path, &p->file, a, why_r);
	if (rc != RC_OK)
		return rc;
	p->nblocks = (size_t)file_header(p->file)->blocks;
	if (p->nblocks > BLOCKS_KEPT)
		p->nblocks = BLOCKS_KEPT;
	p->blocks = mem_alloc((p->nblocks + 1) * sizeof *p->blocks);
	return RC_OK;
}

enum rc
policy_open(const char *path, const struct house_conf *house,
    struct policy **policy_r, struct arena *a, struct slice *why_r)
{
	struct policy *p = mem_alloc(sizeof *p);
	enum rc rc;

	atomic_init(&p->references, 1);
	p->arena = arena_new();
	p->values = arena_new();
	p->domains = map_new();
	pthread_mutex_init(&p->lock, NULL);
	take_house(p, house);
	rc = open_map(p, path, a, why_r);
	if (rc == RC_OK)
		*policy_r = p;
	else
		policy_drop(p);
	return rc;
}

struct policy *
policy_hold(struct policy *p)
{
	atomic_fetch_add(&p->references, 1);
	return p;
}

void
policy_drop(struct policy *p)
{
	if (p == NULL || atomic_fetch_sub(&p->references, 1) != 1)
		return;
	file_close(p->file);
	free(p->blocks);
	map_free(p->domains);
	arena_free(p->values);
	arena_free(p->arena);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

bool
policy_has_map(const struct policy *p)
{
	return p->file != NULL;
}

bool
policy_current(const struct policy *p, const char *path)
{
	const struct stat *old;
	struct stat st;

	if (stat(path, &st) != 0)
		return p->file == NULL && errno == ENOENT;
	if (p->file == NULL)
		return false;
	old = file_stat(p->file);
	return st.st_dev == old->st_dev && st.st_ino == old->st_ino &&
	    st.st_size == old->st_size &&
	    st.st_mtim.tv_sec == old->st_mtim.tv_sec &&
	    st.st_mtim.tv_nsec == old->st_mtim.tv_nsec;
}

static const struct file_table *
table_named(const struct policy *p, const char *filter, uint32_t *number_r)
{
	const struct file_meta *meta = file_header(p->file);

	for (size_t i = 0; i < meta->ntables; i++) {
		if (slice_eq(meta->tables[i].name, slice_of(filter))) {
			*number_r = (uint32_t)i;
			return &meta->tables[i];
		}
	}
	return NULL;
}

enum rc
policy_fits(const struct policy *p, const struct house_conf *house,
    const char *filter, const struct conf_option *options,
    const struct scopes *scopes, struct arena *a, struct slice *why_r)
{
	const struct file_table *t;
	const char *what = NULL;
	uint32_t number;

	if (p->file == NULL)
		return RC_OK;
	t = table_named(p, filter, &number);
	if (t == NULL)
		what = "does not know this filter";
	else if (t->rows != table_digest(options))
		what = "was compiled by another version of Gatehouse";
	else if (t->scopes != scope_digest(scopes))
		what = "was compiled with other scopes than the file has now";
	else if (file_header(p->file)->house != house_digest(house))
		what = "was compiled with other domains, recipient_delimiter "
		    "or local_part_case than gatehouse.conf has now";
	if (what == NULL)
		return RC_OK;
	*why_r = arena_printf(a, "%s: the policy map %s; type: gatehouse "
	    "policy compile", filter, what);
	return RC_BAD;
}

/* ---- who ---- */

static bool
find_record(const struct policy *p, char letter, struct slice key,
    struct file_record *r, struct slice *value_r, enum rc *rc_r)
{
	bool found = false;

	if (key.ptr == NULL)
		return false;
	*rc_r = file_get(p->file, letter, key, value_r, &found);
	if (*rc_r == RC_OK && found && !file_unpack_record(*value_r, r))
		*rc_r = RC_RETRY;
	return *rc_r == RC_OK && found;
}

static void
take_record(struct policy_who *who, const struct file_record *r,
    struct slice value, struct slice exact)
{
	bool other = r->exact.ptr != NULL && !slice_eq(r->exact, exact);

	who->set = other ? r->other_set : r->set;
	who->origin = other ? r->other_origin : r->origin;
	who->client = r->client;
	who->profile = r->profile;
	who->transport = r->transport;
	who->ours = (r->kind & MAP_OURS) != 0;
	who->known = (r->kind & (MAP_MAILBOX | MAP_ALIAS)) != 0;
	who->alias = (r->kind & MAP_ALIAS) != 0;
	who->record = value;
}

/* Whose mail an alias is, when one mailbox gets all of it. Its members are
 * normalised; a loop ends at the depth. */
static enum rc
follow_alias(const struct policy *p, struct policy_who *who,
    struct file_record r)
{
	enum rc rc = RC_OK;

	for (int i = 0; i < ALIAS_DEPTH && (r.kind & MAP_ALIAS) != 0 &&
	    (r.kind & MAP_NAMED) == 0; i++) {
		struct unpack u = { .rest = r.members };
		struct slice member = unpack_slice(&u), value;

		if (u.bad || u.rest.len > 0 ||
		    !find_record(p, 'a', member, &r, &value, &rc))
			return rc;
		if ((r.kind & MAP_MAILBOX) != 0) {
			take_record(who, &r, value, r.exact);
			who->address = member;
			who->domain = slice_after(member,
			    slice_find_last(member, '@') + 1);
		}
	}
	return rc;
}

static enum rc
find_in_map(const struct policy *p, struct policy_who *who)
{
	const struct scope_subject *s = &who->subject;
	struct slice exact = s->exact, value;
	struct file_record r;
	enum rc rc = RC_OK;

	if (find_record(p, 'a', s->address, &r, &value, &rc)) {
		take_record(who, &r, value, exact);
		return follow_alias(p, who, r);
	}
	if (rc == RC_OK && !slice_eq(s->address, s->plain) &&
	    find_record(p, 'a', s->plain, &r, &value, &rc)) {
		exact.len -= s->address.len - s->plain.len;
		take_record(who, &r, value, exact);
		return follow_alias(p, who, r);
	}
	if (rc == RC_OK && (find_record(p, 'd', s->domain, &r, &value, &rc) ||
	    (rc == RC_OK && find_record(p, '0', SLICE(""), &r, &value, &rc))))
		take_record(who, &r, value, exact);
	else if (rc == RC_OK)
		rc = RC_RETRY;
	return rc;
}

enum rc
policy_find(const struct policy *p, struct arena *a, struct slice address,
    struct policy_who *who_r)
{
	*who_r = (struct policy_who){ .client = SLICE_NONE, .arena = a };
	scope_subject(a, address, p->match, &who_r->subject);
	who_r->address = who_r->subject.plain;
	who_r->domain = who_r->subject.domain;
	if (p->file != NULL)
		return find_in_map(p, who_r);
	who_r->ours = who_r->domain.ptr != NULL &&
	    map_get(p->domains, who_r->domain) != NULL;
	return RC_OK;
}

struct slice
policy_login(const struct policy *p, struct arena *a, struct slice login)
{
	struct slice local, domain, value;
	bool found = false;

	if (login.len > 0 && address_split(login, &local, &domain) &&
	    local.len > 0)
		return login;
	if (login.len == 0 || p->file == NULL ||
	    file_get(p->file, 'l', login, &value, &found) != RC_OK || !found)
		return SLICE_NONE;
	return arena_copy(a, value);
}

/* ---- his settings ---- */

/* *block_r: of that table; false, where nothing is set for him there. */
static enum rc
find_block(const struct policy *p, uint32_t set, uint32_t table,
    uint32_t *block_r, bool *found_r)
{
	struct unpack u = { .rest = SLICE("") };
	enum rc rc = file_number(p->file, 's', set, &u.rest);
	uint32_t n;

	*found_r = false;
	unpack_u64(&u);			/* its form */
	n = unpack_u32(&u);
	while (rc == RC_OK && n-- > 0 && !u.bad && !*found_r) {
		*found_r = unpack_u32(&u) == table;
		*block_r = unpack_u32(&u);
	}
	return rc == RC_OK && u.bad ? RC_RETRY : rc;
}

enum rc
policy_settings(const struct policy *p, const struct policy_who *who,
    const char *filter, const struct conf_option *options,
    const struct scopes *scopes, void *conf, struct slice *why_r)
{
	uint32_t table, block = 0;
	bool found;

	if (p->file == NULL) {
		scope_resolve(scopes, &who->subject, conf);
		return RC_OK;
	}
	*why_r = CANNOT_READ;
	if (table_named(p, filter, &table) == NULL ||
	    find_block(p, who->set, table, &block, &found) != RC_OK)
		return RC_RETRY;
	/* What was parsed is kept beside the map; nobody sees it change. */
	return found ? block_apply((struct policy *)(uintptr_t)p, who->arena,
	    block, options, conf, why_r) : RC_OK;
}

uint64_t
policy_form(const struct policy *p, const struct policy_who *who)
{
	struct unpack u = { .rest = SLICE("") };

	if (p->file == NULL ||
	    file_number(p->file, 's', who->set, &u.rest) != RC_OK)
		return 0;
	return unpack_u64(&u);
}

struct each {
	struct policy *p;
	struct arena *arena;
	uint32_t table;
	const struct conf_option *options;
	const void *defaults;
	void *conf;
	size_t size;
	enum rc (*visit)(struct slice where, const void *conf, void *arg);
	void *arg;
	struct slice why;
};

static enum rc
each_block(struct slice key, struct slice value, void *arg)
{
	struct each *e = arg;
	struct unpack u = { .rest = value };
	struct unpack k = { .rest = key };
	uint32_t number = __builtin_bswap32(unpack_u32(&k));
	enum rc rc;

	if (unpack_u32(&u) != e->table)
		return RC_OK;
	memcpy(e->conf, e->defaults, e->size);
	rc = block_apply(e->p, e->arena, number, e->options, e->conf,
	    &e->why);
	if (rc == RC_OK)
		rc = e->visit(SLICE("policy map"), e->conf, e->arg);
	arena_reset(e->arena);
	return rc;
}

enum rc
policy_each(const struct policy *p, const char *filter,
    const struct conf_option *options, const struct scopes *scopes,
    const void *defaults, size_t size, enum rc (*visit)(struct slice where,
    const void *conf, void *arg), void *arg, struct slice *why_r)
{
	struct each e = { .p = (struct policy *)(uintptr_t)p,
	    .options = options, .defaults = defaults, .size = size,
	    .visit = visit, .arg = arg, .why = CANNOT_READ };
	enum rc rc = visit(SLICE(""), defaults, arg);

	if (rc != RC_OK)
		return rc;
	if (p->file == NULL)
		return scope_each(scopes, defaults, size, visit, arg);
	*why_r = e.why;
	if (table_named(p, filter, &e.table) == NULL)
		return RC_RETRY;
	e.arena = arena_new();
	e.conf = mem_alloc(size);
	rc = file_walk(p->file, 'b', each_block, &e);
	/* It may lie in the arena that goes now; the reader needs one text. */
	free(e.conf);
	arena_free(e.arena);
	return rc;
}

/* ---- why ---- */

static bool
option_known(struct unpack *u, uint32_t table, const char *option)
{
	uint32_t number = unpack_u32(u);
	struct slice name = unpack_slice(u);

	return number == table && slice_eq(name, slice_of(option));
}

enum rc
policy_decided(const struct policy *p, const struct policy_who *who,
    const char *filter, const char *option, const struct scopes *scopes,
    struct scope_why *why_r)
{
	struct unpack u = { .rest = SLICE("") };
	uint32_t table;
	bool final = false;

	*why_r = (struct scope_why){ .level = SCOPE_DEFAULT,
	    .name = SLICE(""), .where = SLICE("") };
	if (p->file == NULL) {
		scope_explain(scopes, &who->subject, option, why_r);
		return RC_OK;
	}
	if (table_named(p, filter, &table) == NULL ||
	    file_number(p->file, 'o', who->origin, &u.rest) != RC_OK)
		return RC_RETRY;
	while (u.rest.len > 0 && !u.bad) {
		struct unpack one = { .rest = unpack_slice(&u) };
		bool ours = option_known(&one, table, option);
		enum scope_level level = (enum scope_level)unpack_u8(&one);
		struct slice name = unpack_slice(&one);
		struct slice where = unpack_slice(&one);
		bool marks = unpack_u8(&one) != 0;
		bool sets = unpack_slice(&one).ptr != NULL;

		if (one.bad || level >= SCOPE_LEVELS)
			return RC_RETRY;
		if (!ours || final)
			continue;
		final = marks;
		if (sets)
			*why_r = (struct scope_why){ level, name, where,
			    false };
	}
	why_r->final = final;
	return u.bad ? RC_RETRY : RC_OK;
}

struct slice
who_names(const struct policy_who *who, enum scope_level level)
{
	switch (level) {
	case SCOPE_USER:
		return who->address;
	case SCOPE_PROFILE:
		return who->profile;
	case SCOPE_DOMAIN:
		return who->domain;
	case SCOPE_CLIENT:
		return who->client;
	default:
		return SLICE("");
	}
}

/* ---- the directory ---- */

struct slice
policy_attribute(const struct policy *p, const struct policy_who *who,
    const char *name)
{
	struct file_record r;
	struct unpack u;

	if (p->file == NULL || who->record.ptr == NULL ||
	    !file_unpack_record(who->record, &r))
		return SLICE_NONE;
	u = (struct unpack){ .rest = r.attrs };
	while (u.rest.len > 0 && !u.bad) {
		struct slice key = unpack_slice(&u), value = unpack_slice(&u);

		if (!u.bad && slice_eq(key, slice_of(name)))
			return value;
	}
	return SLICE_NONE;
}

struct expanding {
	const struct policy *p;
	struct arena *arena;
	struct map *seen;
	struct slice *members;
	size_t n;
};

/* Recursion is bounded by ALIAS_DEPTH, its breadth by MEMBERS_MAX. */
static enum rc
expand(struct expanding *e, struct slice address, int depth)
{
	struct file_record r = { .kind = 0 };
	struct slice value;
	enum rc rc = RC_OK;
	struct unpack u;

	if (map_put(e->seen, address, e) != NULL)
		return RC_OK;
	if (!find_record(e->p, 'a', address, &r, &value, &rc) ||
	    (r.kind & MAP_ALIAS) == 0) {
		if (rc == RC_OK && e->n == MEMBERS_MAX)
			return RC_BAD;
		if (rc == RC_OK)
			e->members[e->n++] = arena_copy(e->arena, address);
		return rc;
	}
	if (depth == ALIAS_DEPTH || map_count(e->seen) > 2 * MEMBERS_MAX)
		return RC_BAD;
	u = (struct unpack){ .rest = r.members };
	while (rc == RC_OK && u.rest.len > 0) {
		struct slice member = unpack_slice(&u);

		rc = u.bad ? RC_RETRY : expand(e, member, depth + 1);
	}
	return rc;
}

enum rc
policy_members(const struct policy *p, struct arena *a, struct slice address,
    struct slice **members_r, size_t *n_r)
{
	struct expanding e = { .p = p, .arena = a };
	struct scope_subject s;
	struct slice key, value;
	struct file_record r;
	enum rc rc = RC_OK;

	*members_r = arena_array(a, 1, sizeof **members_r);
	**members_r = address;
	*n_r = 1;
	scope_subject(a, address, p->match, &s);
	key = s.address;
	if (p->file == NULL || key.ptr == NULL)
		return RC_OK;
	if (!find_record(p, 'a', key, &r, &value, &rc) && rc == RC_OK)
		key = s.plain;
	if (rc == RC_OK && (!find_record(p, 'a', key, &r, &value, &rc) ||
	    (r.kind & MAP_ALIAS) == 0))
		return rc;
	if (rc != RC_OK)
		return rc;
	e.members = arena_array(a, MEMBERS_MAX, sizeof *e.members);
	e.seen = map_new();
	rc = expand(&e, key, 0);
	map_free(e.seen);
	/* Nothing but a loop: its mail goes where it was sent to. */
	if (rc == RC_OK && e.n > 0) {
		*members_r = e.members;
		*n_r = e.n;
	}
	return rc;
}
