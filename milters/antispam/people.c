#include "people.h"

#include <string.h>

#include "base/buf.h"
#include "base/map.h"
#include "history.h"
#include "text/address.h"
#include "text/lookalike.h"

enum {
	TOKENS = 8,			/* words of a name that are looked at */
	NAME_MAX_BYTES = 200,
};

struct people {
	struct map *names, *addresses;
	size_t count;
};

/* ---- names as keys ---- */

/* What stands beside a name and is none of it. */
static bool
title(struct slice word)
{
	static const char *const titles[] = { "dr", "prof", "mr", "mrs", "ms",
	    "miss", "herr", "frau", "hr", "fr", "ing", "dipl", "mag", "mba",
	    "phd", "sir", "mme", "mlle", "sig", "dott", "ceo", "cfo", "cto",
	    "coo", "president", "director", "the", "office", "of", NULL };

	for (const char *const *t = titles; *t != NULL; t++)
		if (slice_eq(word, slice_of(*t)))
			return true;
	return false;
}

struct tokens {
	struct slice plain[TOKENS];	/* as they read */
	struct slice look[TOKENS];	/* as they look */
	size_t n;
};

/* Umlauts are written in two ways and letters doubled in error: neither counts.
 * What is left is a key, nothing to show. */
static struct slice
squeezed(struct arena *a, struct slice s)
{
	struct buf out = buf_in(a);

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (i > 0 && (c == s.ptr[i - 1] || (c == 'e' &&
		    strchr("aou", s.ptr[i - 1]) != NULL)))
			continue;
		buf_addc(&out, c);
	}
	return buf_slice(&out);
}

static bool
part_of_word(char c)
{
	return ascii_alnum(c) || (unsigned char)c >= 0x80 || c == '|';
}

static void
tokens_read(struct arena *a, struct slice name, struct tokens *t_r)
{
	struct slice s = look_skeleton(a, slice_sub(name, 0, NAME_MAX_BYTES));
	size_t at = 0;

	t_r->n = 0;
	while (at < s.len && t_r->n < TOKENS) {
		struct buf word = buf_in(a);

		/* O'Neil is one word, and so is what takes no room. */
		for (; at < s.len && (part_of_word(s.ptr[at]) ||
		    s.ptr[at] == '\''); at++)
			if (s.ptr[at] != '\'')
				buf_addc(&word, s.ptr[at]);
		if (word.len > 0 && !title(buf_slice(&word))) {
			t_r->plain[t_r->n] = squeezed(a, buf_slice(&word));
			t_r->look[t_r->n++] = squeezed(a, look_host(a,
			    buf_slice(&word)));
		}
		while (at < s.len && !part_of_word(s.ptr[at]))
			at++;
	}
}

/* Two words in whichever order. */
static struct slice
pair_key(struct arena *a, const char *kind, struct slice one,
    struct slice other)
{
	struct slice first = slice_cmp(one, other) <= 0 ? one : other;
	struct slice second = first.ptr == one.ptr ? other : one;

	return arena_printf(a, "%s %.*s %.*s", kind, SLICE_ARG(first),
	    SLICE_ARG(second));
}

static struct slice
single_key(struct arena *a, struct slice one, struct slice other)
{
	return arena_printf(a, "= %.*s%.*s", SLICE_ARG(one), SLICE_ARG(other));
}

static void
put(struct map *m, struct slice key, struct person *p)
{
	if (map_get(m, key) == NULL)
		map_put(m, key, p);
}

/* By each key that a name may be found by; who comes first has it. */
static void
index_name(struct people *people, struct arena *a, struct person *p)
{
	struct slice first, last, rest;
	struct slice family = slice_cut(p->name, ',', &rest);
	struct tokens t;

	/* "Muster, Erika" is written the other way round. */
	tokens_read(a, rest.ptr == NULL ? p->name : arena_printf(a,
	    "%.*s %.*s", SLICE_ARG(rest), SLICE_ARG(family)), &t);
	if (t.n == 0)
		return;
	if (t.n == 1) {
		put(people->names, single_key(a, t.look[0], SLICE("")), p);
		return;
	}
	first = t.look[0];
	last = t.look[t.n - 1];
	put(people->names, pair_key(a, "full", first, last), p);
	put(people->names, pair_key(a, "plain", t.plain[0],
	    t.plain[t.n - 1]), p);
	put(people->names, pair_key(a, "initial", slice_sub(first, 0, 1),
	    last), p);
	put(people->names, single_key(a, first, last), p);
	put(people->names, single_key(a, last, first), p);
}

/* ---- the list ---- */

static bool
add_address(struct people *people, struct arena *a, struct person *p,
    struct slice text)
{
	struct slice local, domain, ascii, address;

	if (p->naddresses == PEOPLE_ADDRESSES ||
	    !address_split(text, &local, &domain) || local.len == 0 ||
	    !domain_ascii(a, domain, &ascii))
		return false;
	address = history_address(a, address_unquote(a, local), ascii);
	p->addresses[p->naddresses++] = address;
	if (people != NULL)
		map_put(people->addresses, address, p);
	return true;
}

/* "Name <a@b> <c@d>". False: not so. */
static bool
read_item(struct people *people, struct arena *a, struct slice item,
    struct person *p)
{
	size_t at = slice_find(item, '<');

	p->name = arena_copy(a, slice_trim(slice_sub(item, 0, at)));
	while (at < item.len) {
		struct slice rest = slice_after(item, at + 1);
		size_t end = slice_find(rest, '>');

		if (end == rest.len ||
		    !add_address(people, a, p, slice_sub(rest, 0, end)))
			return false;
		rest = slice_trim(slice_after(rest, end + 1));
		if (rest.len == 0)
			return true;
		if (rest.ptr[0] != '<')
			return false;
		at = (size_t)(rest.ptr - item.ptr);
	}
	return false;
}

static bool
bare_address(struct slice item)
{
	return !slice_has(item, '<') && slice_has(item, '@');
}

enum rc
people_check(struct slice item, struct arena *a, struct slice *why_r)
{
	struct person p = { .naddresses = 0 };
	struct tokens t = { .n = 0 };
	bool good = bare_address(item) ? add_address(NULL, a, &p, item) :
	    read_item(NULL, a, item, &p);

	if (good && !bare_address(item)) {
		tokens_read(a, p.name, &t);
		good = t.n > 0;
	}
	if (good)
		return RC_OK;
	*why_r = arena_printf(a, "protected has \"%.*s\"; it wants \"Name "
	    "<address> <address>\", or an address of the directory",
	    SLICE_ARG(item));
	return RC_BAD;
}

/* A mailbox of the directory; false: it has no name. */
static enum rc
add_mailbox(struct people *people, const struct policy *policy,
    struct arena *a, struct slice address, bool *named)
{
	struct policy_who who;
	struct person *p;
	struct slice name, own;

	if (people->count == PEOPLE_MAX)
		return RC_OK;
	if (policy_find(policy, a, address, &who) != RC_OK)
		return RC_RETRY;
	name = policy_attribute(policy, &who, "name");
	if (name.len == 0)
		return RC_OK;
	*named = true;
	people->count++;
	p = arena_alloc(a, sizeof *p);
	p->name = arena_copy(a, name);
	add_address(people, a, p, address);
	own = policy_attribute(policy, &who, "private");
	while (own.ptr != NULL) {
		struct slice one = slice_trim(slice_cut(own, ',', &own));

		if (one.len > 0)
			add_address(people, a, p, one);
	}
	index_name(people, a, p);
	return RC_OK;
}

static enum rc
look_up(struct people *people, const struct policy *policy, struct arena *a,
    struct slice address, bool *named)
{
	struct slice *members = NULL;
	size_t n = 0;
	enum rc rc = RC_OK;

	if (policy == NULL)
		return RC_OK;
	rc = policy_members(policy, a, address, &members, &n);
	if (rc == RC_BAD)		/* over a thousand */
		return RC_OK;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = add_mailbox(people, policy, a, members[i], named);
	return rc;
}

static void
free_map(void *arg)
{
	map_free(arg);
}

enum rc
people_new(const struct conf_list *list, const struct policy *policy,
    struct arena *a, struct people **people_r, struct slice *nameless_r,
    struct slice *why_r)
{
	struct people *people = arena_alloc(a, sizeof *people);

	*nameless_r = SLICE_NONE;
	people->names = map_new();
	arena_defer(a, free_map, people->names);
	people->addresses = map_new();
	arena_defer(a, free_map, people->addresses);
	for (size_t i = 0; i < list->count; i++) {
		struct slice item = list->items[i];
		bool named = false;

		if (bare_address(item)) {
			if (look_up(people, policy, a, item, &named) !=
			    RC_OK) {
				*why_r = SLICE("the policy map cannot be "
				    "read");
				return RC_RETRY;
			}
		} else if (people->count < PEOPLE_MAX) {
			struct person *p = arena_alloc(a, sizeof *p);

			named = read_item(people, a, item, p);
			people->count++;
			index_name(people, a, p);
		}
		if (!named && nameless_r->ptr == NULL)
			*nameless_r = item;
	}
	*people_r = people;
	return RC_OK;
}

/* ---- asking ---- */

/* Two words of it, next to each other or with one between. Of letters that only
 * look so: the plain form is not the same. */
static const struct person *
find_pair(const struct people *people, struct arena *a,
    const struct tokens *t, size_t i, size_t k, enum named *how_r)
{
	const struct person *p = map_get(people->names, pair_key(a, "full",
	    t->look[i], t->look[k]));

	if (p != NULL) {
		*how_r = map_get(people->names, pair_key(a, "plain",
		    t->plain[i], t->plain[k])) != NULL ? NAMED_FULL :
		    NAMED_DISGUISED;
		return p;
	}
	if ((t->look[i].len == 1) == (t->look[k].len == 1))
		return NULL;
	*how_r = NAMED_INITIAL;
	return map_get(people->names, pair_key(a, "initial", t->look[i],
	    t->look[k]));
}

static const struct person *
find_single(const struct people *people, struct arena *a,
    const struct tokens *t, enum named *how_r)
{
	*how_r = NAMED_FULL;
	return t->n != 1 ? NULL : map_get(people->names, single_key(a,
	    t->look[0], SLICE("")));
}

const struct person *
people_named(const struct people *people, struct arena *a, struct slice name,
    enum named *how_r)
{
	const struct person *best = NULL;
	struct tokens t;

	*how_r = NAMED_NOT;
	if (people == NULL || people->count == 0 || name.len == 0)
		return NULL;
	tokens_read(a, name, &t);
	best = find_single(people, a, &t, how_r);
	if (best == NULL)
		*how_r = NAMED_NOT;
	for (size_t i = 0; i < t.n; i++)
		for (size_t k = i + 1; k < t.n && k <= i + 2; k++) {
			enum named how;
			const struct person *p = find_pair(people, a, &t, i,
			    k, &how);

			if (p != NULL && (best == NULL || how > *how_r)) {
				best = p;
				*how_r = how;
			}
		}
	if (best != NULL && *how_r == NAMED_FULL && look_mixed(name))
		*how_r = NAMED_DISGUISED;
	return best;
}

const struct person *
people_of(const struct people *people, struct slice address)
{
	return people != NULL ? map_get(people->addresses, address) : NULL;
}

bool
person_has(const struct person *person, struct slice address)
{
	for (size_t i = 0; i < person->naddresses; i++)
		if (slice_eq(person->addresses[i], address))
			return true;
	return false;
}

size_t
people_count(const struct people *people)
{
	return people != NULL ? people->count : 0;
}
