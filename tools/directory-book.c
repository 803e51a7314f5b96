#include "tools/directory-book.h"

#include <stdlib.h>
#include <string.h>

#include "conf/scope.h"
#include "text/address.h"

/* mark: how high it stands, or that we are in it. */
enum { OPEN = 255, DEPTH = 10, USERS_MAX = 10000000 };

struct book *
directory_book_new(void)
{
	struct book *b = mem_alloc(sizeof *b);

	memset(b, 0, sizeof *b);
	b->arena = arena_new();
	b->domains = map_new();
	b->profiles = map_new();
	b->addresses = map_new();
	b->sources[b->nsources++] = (struct book_source){
	    .name = "configuration" };
	return b;
}

void
directory_book_free(struct book *b)
{
	if (b == NULL)
		return;
	map_free(b->domains);
	map_free(b->profiles);
	map_free(b->addresses);
	arena_free(b->arena);
	free(b->sorted);
	free(b);
}

static struct book_source *
now(struct book *b)
{
	return &b->sources[b->nsources - 1];
}

static enum rc
bad(struct book *b, unsigned line, struct slice *why_r, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static enum rc
bad(struct book *b, unsigned line, struct slice *why_r, const char *fmt, ...)
{
	struct slice what;
	va_list args;

	va_start(args, fmt);
	what = arena_vprintf(b->arena, fmt, args);
	va_end(args);
	*why_r = arena_printf(b->arena, "%s:%u: %.*s", now(b)->name, line,
	    SLICE_ARG(what));
	return RC_BAD;
}

static void
note(struct book *b, unsigned line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void
note(struct book *b, unsigned line, const char *fmt, ...)
{
	struct slice what;
	va_list args;

	if (b->nnotes == BOOK_NOTES) {
		b->more_notes++;
		return;
	}
	va_start(args, fmt);
	what = arena_vprintf(b->arena, fmt, args);
	va_end(args);
	b->notes[b->nnotes++] = arena_printf(b->arena, "%s:%u: %.*s",
	    now(b)->name, line, SLICE_ARG(what));
}

static const char *
source_name(const struct book *b, unsigned source)
{
	return b->sources[source].name;
}

void
book_domain(struct book *b, struct slice domain, struct slice client,
    struct slice transport)
{
	struct book_entry *e = arena_alloc(b->arena, sizeof *e);

	*e = (struct book_entry){ .kind = DIRECTORY_DOMAIN,
	    .key = arena_copy(b->arena, domain),
	    .client = client.ptr == NULL ? client :
	    arena_copy(b->arena, client),
	    .transport = transport.ptr == NULL ? transport :
	    arena_copy(b->arena, transport) };
	if (map_get(b->domains, domain) == NULL)
		map_put(b->domains, e->key, e);
}

enum rc
book_source(struct book *b, const char *name, bool skip_alien,
    const struct conf_list *transports, struct slice *why_r)
{
	if (b->nsources == BOOK_SOURCES) {
		*why_r = SLICE("too many sources");
		return RC_BAD;
	}
	b->sources[b->nsources++] = (struct book_source){
	    .name = arena_str(b->arena, slice_of(name)),
	    .skip_alien = skip_alien, .transports = transports };
	return RC_OK;
}

static struct book_entry *
domain_of(const struct book *b, struct slice address)
{
	return map_get(b->domains, slice_after(address,
	    slice_find_last(address, '@') + 1));
}

bool
book_has_users(const struct book *b, struct slice domain)
{
	const struct book_entry *d = map_get(b->domains, domain);

	return d != NULL && d->mark != 0;
}

/* Ours are; of others DNS decides (RFC 5890). */
static bool
is_domain(struct book *b, struct slice address)
{
	struct slice domain = slice_after(address,
	    slice_find_last(address, '@') + 1), ascii;

	return domain_of(b, address) != NULL || (domain_ascii(b->arena, domain,
	    &ascii) && slice_eq(ascii, domain));
}

/* Normal form, and whether its domain is ours. */
static enum rc
normal(struct book *b, struct slice written, unsigned line,
    struct slice *address_r, bool *ours_r, struct slice *why_r)
{
	struct scope_match match = { false, '\0' };
	struct slice address = SLICE_NONE;

	if (written.len > 0 && written.len <= DIRECTORY_ADDRESS_MAX)
		address = scope_address(b->arena, written, match);
	if (address.ptr == NULL || !directory_address(address) ||
	    !is_domain(b, address))
		return bad(b, line, why_r, "\"%.*s\" is no address that can "
		    "have a mailbox; it wants local@example.org, %d bytes at "
		    "most, nothing in it that needs quotes",
		    (int)(written.len < 80 ? written.len : 80), written.ptr,
		    DIRECTORY_ADDRESS_MAX);
	*address_r = address;
	*ours_r = domain_of(b, address) != NULL;
	return RC_OK;
}

static enum rc
alien(struct book *b, struct slice address, unsigned line,
    struct slice *why_r)
{
	struct slice domain = slice_after(address,
	    slice_find_last(address, '@') + 1);

	if (!now(b)->skip_alien)
		return bad(b, line, why_r, "%.*s is of the domain %.*s, which "
		    "is none of ours; add it to domains in gatehouse.conf, or "
		    "set foreign = \"skip\" for this source",
		    SLICE_ARG(address), SLICE_ARG(domain));
	now(b)->skipped++;
	if (now(b)->skipped <= 10)
		note(b, line, "%.*s: passed over, its domain is none of ours",
		    SLICE_ARG(address));
	return RC_OK;
}

/* An entry of that kind in this source; NULL with RC_OK: passed over. */
static enum rc
entry(struct book *b, enum directory_kind kind, struct slice written,
    unsigned line, struct book_entry **entry_r, struct slice *why_r)
{
	static const char *const names[] = { [DIRECTORY_USER] = "a mailbox",
	    [DIRECTORY_ALIAS] = "an alias" };
	struct slice address = SLICE("");
	struct book_entry *e;
	bool ours = false;
	enum rc rc = normal(b, written, line, &address, &ours, why_r);

	*entry_r = NULL;
	if (rc != RC_OK)
		return rc;
	if (!ours)
		return alien(b, address, line, why_r);
	now(b)->seen++;
	e = map_get(b->addresses, address);
	if (e != NULL && e->kind != kind) {
		if (e->source == b->nsources - 1)
			return bad(b, line, why_r, "%.*s is %s here and %s "
			    "in line %u; it can be one of them",
			    SLICE_ARG(address), names[kind], names[e->kind],
			    e->line);
		b->contradictions++;
		note(b, line, "%.*s: %s here, %s in %s:%u, which holds",
		    SLICE_ARG(address), names[kind], names[e->kind],
		    source_name(b, e->source), e->line);
		return RC_OK;
	}
	if (e == NULL) {
		if (map_count(b->addresses) >= USERS_MAX)
			return bad(b, line, why_r, "over %d addresses",
			    USERS_MAX);
		e = arena_alloc(b->arena, sizeof *e);
		*e = (struct book_entry){ .kind = kind, .line = line,
		    .key = address,
		    .source = (unsigned short)(b->nsources - 1) };
		map_put(b->addresses, address, e);
		domain_of(b, address)->mark = 1;
		*(kind == DIRECTORY_USER ? &now(b)->users :
		    &now(b)->aliases) += 1;
	}
	*entry_r = e;
	return RC_OK;
}

enum rc
book_user(struct book *b, struct slice address, unsigned line,
    struct book_entry **user_r, struct slice *why_r)
{
	return entry(b, DIRECTORY_USER, address, line, user_r, why_r);
}

/* A value for the second time: is it the same, and if not, which holds? */
static enum rc
again(struct book *b, const struct book_entry *e, struct slice field,
    struct slice is, unsigned source, struct slice value, unsigned line,
    struct slice *why_r)
{
	if (slice_eq(is, value))
		return RC_OK;
	if (source == b->nsources - 1)
		return bad(b, line, why_r, "%.*s: %.*s is \"%.*s\" here, and "
		    "was \"%.*s\" before in this source; say it once",
		    SLICE_ARG(e->key), SLICE_ARG(field), SLICE_ARG(value),
		    SLICE_ARG(is));
	b->contradictions++;
	note(b, line, "%.*s: %.*s is \"%.*s\" here, \"%.*s\" in %s, which "
	    "holds", SLICE_ARG(e->key), SLICE_ARG(field), SLICE_ARG(value),
	    SLICE_ARG(is), source_name(b, source));
	return RC_OK;
}

static enum rc
set_profile(struct book *b, struct book_entry *e, struct slice value,
    unsigned line, struct slice *why_r)
{
	struct book_entry *p = map_get(b->profiles, value);

	if (!directory_name(value))
		return bad(b, line, why_r, "%.*s: the name of a profile has to "
		    "be 1 to %d bytes, without control characters",
		    SLICE_ARG(e->key), DIRECTORY_NAME_MAX);
	if (e->profile.ptr != NULL)
		return again(b, e, SLICE("profile"), e->profile,
		    e->profile_source, value, line, why_r);
	if (p == NULL) {
		p = arena_alloc(b->arena, sizeof *p);
		*p = (struct book_entry){ .kind = DIRECTORY_PROFILE,
		    .key = arena_copy(b->arena, value) };
		map_put(b->profiles, p->key, p);
	}
	e->profile = p->key;
	e->profile_source = (unsigned short)(b->nsources - 1);
	return RC_OK;
}

/* A source may use the transports that it was allowed, and no other: "discard"
 * or "local" would be Postfix's too. */
static enum rc
transport_check(struct book *b, struct slice value, unsigned line,
    struct slice *why_r)
{
	struct slice hop, name = slice_cut(value, ':', &hop);
	const struct conf_list *allowed = now(b)->transports;

	if (!directory_transport(value))
		return bad(b, line, why_r, "\"%.*s\" is no transport; write it "
		    "as smtp:[host.example.org]:25", (int)(value.len < 80 ?
		    value.len : 80), value.ptr);
	if (allowed != NULL && !conf_list_has(allowed, name))
		return bad(b, line, why_r, "the transport \"%.*s\" may not be "
		    "used by this source; add it to transports there if it "
		    "may", SLICE_ARG(name));
	return RC_OK;
}

static enum rc
set_transport(struct book *b, struct book_entry *e, struct slice value,
    unsigned line, struct slice *why_r)
{
	enum rc rc = transport_check(b, value, line, why_r);

	if (rc != RC_OK)
		return rc;
	if (e->transport.ptr != NULL)
		return again(b, e, SLICE("transport"), e->transport,
		    e->transport_source, value, line, why_r);
	e->transport = arena_copy(b->arena, value);
	e->transport_source = (unsigned short)(b->nsources - 1);
	return RC_OK;
}

/* What people keep in address books: CR LF between lines. */
static struct slice
one_newline(struct book *b, struct slice text)
{
	struct slice copy = arena_copy(b->arena, slice_trim(text));
	char *p = (char *)(uintptr_t)copy.ptr;
	size_t n = 0;

	for (size_t i = 0; i < copy.len; i++)
		if (p[i] != '\r' || i + 1 == copy.len || p[i + 1] != '\n')
			p[n++] = p[i];
	return slice_make(p, n);
}

static enum rc
set_attr(struct book *b, struct book_entry *e, struct slice name,
    struct slice value, unsigned line, struct slice *why_r)
{
	struct book_attr **at = &e->attrs, *attr;
	int order = 1;

	if (!directory_attr_name(name))
		return bad(b, line, why_r, "\"%.*s\" is no name of an "
		    "attribute; it wants 1 to %d of a-z, 0-9, '-' and '_', a "
		    "letter first", (int)(name.len < 60 ? name.len : 60),
		    name.ptr, DIRECTORY_ATTR_NAME_MAX);
	value = one_newline(b, value);
	if (!directory_text(value))
		return bad(b, line, why_r, "%.*s: attr.%.*s is over %d bytes, "
		    "or holds control characters", SLICE_ARG(e->key),
		    SLICE_ARG(name), DIRECTORY_ATTR_MAX);
	while (*at != NULL && (order = slice_cmp((*at)->name, name)) < 0)
		at = &(*at)->next;
	if (*at != NULL && order == 0)
		return again(b, e, name, (*at)->value, (*at)->source, value,
		    line, why_r);
	if (e->nattrs == DIRECTORY_ATTRS_MAX)
		return bad(b, line, why_r, "%.*s has over %d attributes",
		    SLICE_ARG(e->key), DIRECTORY_ATTRS_MAX);
	attr = arena_alloc(b->arena, sizeof *attr);
	*attr = (struct book_attr){ .next = *at, .value = value,
	    .name = arena_copy(b->arena, name),
	    .source = (unsigned short)(b->nsources - 1) };
	*at = attr;
	e->nattrs++;
	return RC_OK;
}

enum rc
book_set(struct book *b, struct book_entry *user, struct slice field,
    struct slice value, unsigned line, struct slice *why_r)
{
	value = slice_trim(value);
	if (value.len == 0)
		return RC_OK;
	if (slice_eq(field, SLICE("profile")))
		return set_profile(b, user, value, line, why_r);
	if (slice_eq(field, SLICE("transport")))
		return set_transport(b, user, value, line, why_r);
	if (slice_starts(field, SLICE("attr.")))
		return set_attr(b, user, slice_after(field, 5), value, line,
		    why_r);
	return bad(b, line, why_r, "\"%.*s\" is no field of a user; there are "
	    "profile, transport and attr.NAME", SLICE_ARG(field));
}

enum rc
book_alias(struct book *b, struct slice alias, struct slice member,
    unsigned line, struct slice *why_r)
{
	struct book_entry *e = NULL;
	struct book_member **at, *m;
	struct slice address = SLICE("");
	int order = 1;
	bool ours;
	enum rc rc = normal(b, member, line, &address, &ours, why_r);
	struct scope_match match = { false, '\0' };

	if (rc != RC_OK || slice_eq(scope_address(b->arena, alias, match),
	    address))
		return rc;
	rc = entry(b, DIRECTORY_ALIAS, alias, line, &e, why_r);
	if (rc != RC_OK || e == NULL)
		return rc;
	at = &e->members;
	while (*at != NULL && (order = slice_cmp((*at)->address, address)) < 0)
		at = &(*at)->next;
	if (*at != NULL && order == 0)
		return RC_OK;
	if (e->source != b->nsources - 1) {
		b->contradictions++;
		note(b, line, "%.*s: leads to %.*s here, not so in %s:%u, "
		    "which holds", SLICE_ARG(e->key), SLICE_ARG(address),
		    source_name(b, e->source), e->line);
		return RC_OK;
	}
	if (e->nmembers == DIRECTORY_MEMBERS_MAX)
		return bad(b, line, why_r, "%.*s leads to over %d addresses; "
		    "make it two", SLICE_ARG(e->key), DIRECTORY_MEMBERS_MAX);
	m = arena_alloc(b->arena, sizeof *m);
	*m = (struct book_member){ .next = *at, .address = address };
	*at = m;
	e->nmembers++;
	return RC_OK;
}

enum rc
book_route(struct book *b, struct slice domain, struct slice transport,
    unsigned line, struct slice *why_r)
{
	struct slice ascii;
	struct book_entry *e;
	enum rc rc;

	if (!domain_ascii(b->arena, domain, &ascii))
		return bad(b, line, why_r, "\"%.*s\" is no domain",
		    (int)(domain.len < 80 ? domain.len : 80), domain.ptr);
	e = map_get(b->domains, ascii);
	if (e == NULL)
		return alien(b, ascii, line, why_r);
	if (transport.ptr == NULL)
		return RC_OK;
	rc = transport_check(b, transport, line, why_r);
	if (rc != RC_OK)
		return rc;
	if (e->transport.ptr != NULL)
		return again(b, e, SLICE("transport"), e->transport,
		    e->transport_source, transport, line, why_r);
	e->transport = arena_copy(b->arena, transport);
	e->transport_source = (unsigned short)(b->nsources - 1);
	return RC_OK;
}

/* --- the end ------------------------------------------------------------ */

static enum rc
whole(struct book *b, const struct book_entry *e, struct slice *why_r,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static enum rc
whole(struct book *b, const struct book_entry *e, struct slice *why_r,
    const char *fmt, ...)
{
	struct slice what;
	va_list args;

	va_start(args, fmt);
	what = arena_vprintf(b->arena, fmt, args);
	va_end(args);
	*why_r = arena_printf(b->arena, "%s:%u: %.*s", source_name(b,
	    e->source), e->line, SLICE_ARG(what));
	return RC_BAD;
}

/* How many aliases stand one behind the other from here on, and how many
 * addresses come out: who expands it (cleanup(8), policy) has limits for both.
 * Each alias is gone through once. */
static enum rc
descend(struct book *b, struct book_entry *e, unsigned above,
    struct slice *why_r)
{
	unsigned height = 0;
	size_t total = 0;
	enum rc rc = RC_OK;

	if (e->mark == OPEN)
		return whole(b, e, why_r, "the alias %.*s leads back to "
		    "itself; take one of its members out", SLICE_ARG(e->key));
	if (above + (e->mark == 0 ? 1 : e->mark) > DEPTH)
		return whole(b, e, why_r, "over %d aliases one behind the "
		    "other, %.*s being one; name the mailboxes themselves",
		    DEPTH, SLICE_ARG(e->key));
	if (e->mark != 0)
		return RC_OK;
	e->mark = OPEN;
	for (struct book_member *m = e->members; m != NULL; m = m->next) {
		struct book_entry *to = map_get(b->addresses, m->address);

		if (to == NULL || to->kind != DIRECTORY_ALIAS) {
			total++;
			continue;
		}
		rc = descend(b, to, above + 1, why_r);
		if (rc != RC_OK)
			return rc;
		height = to->mark > height ? to->mark : height;
		total += to->total;
	}
	e->mark = (unsigned char)(height + 1);
	e->total = (unsigned)total;
	return total <= DIRECTORY_MEMBERS_MAX ? RC_OK : whole(b, e, why_r,
	    "%.*s leads to %zu addresses in the end; %d are expanded at most",
	    SLICE_ARG(e->key), total, DIRECTORY_MEMBERS_MAX);
}

/* A member of one of our domains that does not exist would be refused by
 * nobody and bounced by the inner server. */
static enum rc
members_exist(struct book *b, const struct book_entry *e,
    struct slice *why_r)
{
	for (struct book_member *m = e->members; m != NULL; m = m->next) {
		if (domain_of(b, m->address) != NULL &&
		    map_get(b->addresses, m->address) == NULL)
			return whole(b, e, why_r, "%.*s leads to %.*s, which "
			    "no source has", SLICE_ARG(e->key),
			    SLICE_ARG(m->address));
	}
	return RC_OK;
}

static int
by_key(const void *x, const void *y)
{
	const struct book_entry *a = *(struct book_entry *const *)x;
	const struct book_entry *b = *(struct book_entry *const *)y;
	bool pa = a->kind >= DIRECTORY_USER, pb = b->kind >= DIRECTORY_USER;

	if (pa != pb || (!pa && a->kind != b->kind))
		return a->kind < b->kind ? -1 : 1;
	return slice_cmp(a->key, b->key);
}

static bool
gather(struct slice key, void *value, void *arg)
{
	struct book *b = arg;

	(void)key;
	b->sorted[b->nsorted++] = value;
	return true;
}

/* A profile is of a client when all who have it are. */
static void
clients_of_profiles(struct book *b)
{
	for (size_t i = 0; i < b->nsorted; i++) {
		struct book_entry *u = b->sorted[i], *d, *p;

		if (u->kind != DIRECTORY_USER || u->profile.ptr == NULL)
			continue;
		d = domain_of(b, u->key);
		p = map_get(b->profiles, u->profile);
		if (p->mark == 0)
			p->client = d->client;
		else if (!slice_eq(p->client, d->client))
			p->client = SLICE_NONE;
		p->mark = 1;
	}
}

enum rc
book_finish(struct book *b, struct slice *why_r)
{
	size_t n = map_count(b->domains) + map_count(b->profiles) +
	    map_count(b->addresses);
	enum rc rc = RC_OK;

	b->sorted = mem_alloc((n + 1) * sizeof *b->sorted);
	map_each(b->domains, gather, b);
	map_each(b->profiles, gather, b);
	map_each(b->addresses, gather, b);
	qsort(b->sorted, b->nsorted, sizeof *b->sorted, by_key);
	clients_of_profiles(b);
	for (size_t i = 0; i < b->nsorted && rc == RC_OK; i++) {
		if (b->sorted[i]->kind != DIRECTORY_ALIAS)
			continue;
		rc = members_exist(b, b->sorted[i], why_r);
		if (rc == RC_OK)
			rc = descend(b, b->sorted[i], 0, why_r);
	}
	return rc;
}

static void
record_of(const struct book_entry *e, struct directory_record *r,
    struct directory_attr *attrs, struct slice *members)
{
	*r = (struct directory_record){ .kind = e->kind, .key = e->key,
	    .client = e->client, .profile = e->profile,
	    .transport = e->transport, .attrs = attrs, .members = members };
	for (struct book_attr *a = e->attrs; a != NULL; a = a->next)
		attrs[r->nattrs++] = (struct directory_attr){ a->name,
		    a->value };
	for (struct book_member *m = e->members; m != NULL; m = m->next)
		members[r->nmembers++] = m->address;
}

enum rc
book_write(struct book *b, int fd, const char *name, struct slice *why_r)
{
	struct directory_attr *attrs = arena_array(b->arena,
	    DIRECTORY_ATTRS_MAX, sizeof *attrs);
	struct slice *members = arena_array(b->arena, DIRECTORY_MEMBERS_MAX,
	    sizeof *members), why = SLICE_NONE;
	struct directory_writer *w = directory_create(fd, name);
	struct directory_record r;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < b->nsorted && rc == RC_OK; i++) {
		record_of(b->sorted[i], &r, attrs, members);
		rc = directory_put(w, &r, &why);
		if (rc == RC_BAD) {
			whole(b, b->sorted[i], why_r, "%.*s", SLICE_ARG(why));
			why = *why_r;
		}
	}
	if (rc == RC_OK)
		rc = directory_end(w, &why);
	if (rc != RC_OK)
		*why_r = arena_copy(b->arena, why);
	directory_drop(w);
	return rc;
}
