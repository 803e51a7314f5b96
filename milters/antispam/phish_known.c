#include "phish_known.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "phish_alike.h"

/* How many of the popular ones are worth to be imitated; and how long a name
 * must be that one letter does not make another word of it. */
enum { IMITATED = 500, EDITED = 7, OURS_EDITED = 5, LABEL = 63 };

struct known_name {
	struct slice domain;
	struct slice label;		/* of it, before the public suffix */
	const struct phish_brand *brand;
	bool popular, ours;
};

struct phish_known {
	struct arena *arena;
	const struct suffixes *suffixes;
	struct map *names;		/* host or domain -> known_name */
	struct map *skeletons;		/* of labels -> known_name */
	struct map *edits;		/* a label less one letter -> the same */
	struct map *brands;		/* "paypal" -> known_name */
	struct map *shorteners, *hosting, *rewriters;
};

static struct slice
label_of(const struct phish_known *k, struct slice domain)
{
	struct slice org = suffixes_org(k->suffixes, domain);

	if (org.ptr == NULL)
		org = domain;
	return slice_sub(org, 0, slice_find(org, '.'));
}

static struct known_name *
name_add(struct phish_known *k, struct slice domain)
{
	struct known_name *name = map_get(k->names, domain);

	if (name != NULL)
		return name;
	name = arena_alloc(k->arena, sizeof *name);
	name->domain = arena_copy(k->arena, domain);
	name->label = label_of(k, name->domain);
	map_put(k->names, domain, name);
	return name;
}

/* The first one stays: it is better known. Ours go before all. */
static void
put_first(struct map *m, struct slice key, struct known_name *name)
{
	if (key.len > 0 && map_get(m, key) == NULL)
		map_put(m, key, name);
}

static struct slice
without(char out[LABEL + 1], struct slice label, size_t i)
{
	memcpy(out, label.ptr, i);
	memcpy(out + i, label.ptr + i + 1, label.len - i - 1);
	return slice_make(out, label.len - 1);
}

static bool
edits_count(const struct known_name *name)
{
	return name->label.len >= (name->ours ? OURS_EDITED : EDITED) &&
	    name->label.len <= LABEL;
}

/* Others may be taken for this one. */
static void
imitate(struct phish_known *k, struct known_name *name)
{
	char less[LABEL + 1];

	/* What has a name of its own under a suffix is the registered one. */
	if (name->label.len < 4 && !name->ours)
		return;
	put_first(k->skeletons, alike_skeleton(k->arena, name->label), name);
	if (!edits_count(name))
		return;
	put_first(k->edits, name->label, name);
	for (size_t i = 0; i < name->label.len; i++)
		put_first(k->edits, without(less, name->label, i), name);
}

static void
add_ours(struct phish_known *k, const struct conf_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		struct known_name *name = name_add(k, list->items[i]);

		name->ours = true;
		imitate(k, name);
	}
}

static void
add_brands(struct phish_known *k)
{
	for (const struct phish_brand *b = phish_brands; b->name != NULL; b++) {
		struct slice rest = slice_of(b->domains);
		struct known_name *first = NULL;

		while (rest.ptr != NULL) {
			struct known_name *name = name_add(k, slice_cut(rest,
			    ' ', &rest));

			name->popular = true;
			if (name->brand == NULL)
				name->brand = b;
			if (first == NULL)
				imitate(k, first = name);
		}
		put_first(k->brands, slice_of(b->name), first);
	}
}

static void
add_popular(struct phish_known *k)
{
	for (size_t n = 0, line = 0; phish_popular[line] != NULL; line++) {
		struct slice rest = slice_of(phish_popular[line]);

		while (rest.ptr != NULL) {
			struct known_name *name = name_add(k, slice_cut(rest,
			    ' ', &rest));

			name->popular = true;
			if (n++ < IMITATED && slice_eq(suffixes_org(
			    k->suffixes, name->domain), name->domain))
				imitate(k, name);
		}
	}
}

static struct map *
words(const char *text)
{
	static char here;
	struct map *m = map_new();

	for (struct slice rest = slice_of(text); rest.ptr != NULL;)
		map_put(m, slice_cut(rest, ' ', &rest), &here);
	return m;
}

struct phish_known *
phish_known_open(const struct conf_list *const *ours,
    const struct suffixes *suffixes)
{
	struct phish_known *k = mem_alloc(sizeof *k);

	*k = (struct phish_known){ .arena = arena_new(), .suffixes = suffixes,
	    .names = map_new(), .skeletons = map_new(), .edits = map_new(),
	    .brands = map_new(), .shorteners = words(phish_shorteners),
	    .hosting = words(phish_hosting),
	    .rewriters = words(phish_rewriters) };
	for (; *ours != NULL; ours++)
		add_ours(k, *ours);
	add_brands(k);
	add_popular(k);
	return k;
}

void
phish_known_close(struct phish_known *k)
{
	if (k == NULL)
		return;
	map_free(k->names);
	map_free(k->skeletons);
	map_free(k->edits);
	map_free(k->brands);
	map_free(k->shorteners);
	map_free(k->hosting);
	map_free(k->rewriters);
	arena_free(k->arena);
	free(k);
}

bool
phish_is_popular(const struct phish_known *k, struct slice domain)
{
	return map_get(k->names, domain) != NULL;
}

bool
phish_is_ours(const struct phish_known *k, struct slice domain)
{
	const struct known_name *name = map_get(k->names, domain);

	return name != NULL && name->ours;
}

static bool
under_any(const struct map *m, struct slice host)
{
	for (;;) {
		if (map_get(m, host) != NULL)
			return true;
		if (!slice_has(host, '.'))
			return false;
		host = slice_after(host, slice_find(host, '.') + 1);
	}
}

bool
phish_shortens(const struct phish_known *k, struct slice host)
{
	return under_any(k->shorteners, host);
}

bool
phish_hosts(const struct phish_known *k, struct slice host)
{
	return under_any(k->hosting, host);
}

bool
phish_rewrites(const struct phish_known *k, struct slice host)
{
	return under_any(k->rewriters, host);
}

bool
phish_same_owner(const struct phish_known *k, struct slice one,
    struct slice other)
{
	const struct known_name *a = map_get(k->names, one);
	const struct known_name *b = map_get(k->names, other);

	if (a == NULL || b == NULL)
		return false;
	return (a->brand != NULL && a->brand == b->brand) ||
	    (a->ours && b->ours) || slice_eq(a->label, b->label);
}

static const struct known_name *
edited(const struct phish_known *k, struct slice label)
{
	const struct known_name *name;
	char less[LABEL + 1];

	if (label.len < OURS_EDITED - 1 || label.len > LABEL)
		return NULL;
	name = map_get(k->edits, label);
	if (name != NULL && alike_edited(name->label, label))
		return name;
	for (size_t i = 0; i < label.len; i++) {
		name = map_get(k->edits, without(less, label, i));
		if (name != NULL && alike_edited(name->label, label))
			return name;
	}
	return NULL;
}

struct phish_like
phish_likeness(const struct phish_known *k, struct arena *a,
    struct slice domain)
{
	struct slice label = label_of(k, domain);
	struct phish_like like = { LIKE_NOTHING, SLICE_NONE, false };
	const struct known_name *name;

	if (label.len == 0 || label.len > LABEL || phish_is_popular(k, domain))
		return like;
	name = map_get(k->skeletons, alike_skeleton(a, label));
	if (name != NULL)
		like.how = slice_eq(name->label, label) ? LIKE_ENDING :
		    LIKE_SKELETON;
	else if ((name = edited(k, label)) != NULL)
		like.how = LIKE_EDITED;
	if (name != NULL) {
		like.domain = name->domain;
		like.ours = name->ours;
	}
	return like;
}

/* The first n labels of s; all of it where there are no more. */
static struct slice
labels(struct slice s, unsigned n)
{
	size_t at = 0;

	while (n > 0 && at < s.len) {
		at += slice_find(slice_after(s, at), '.');
		n--;
		if (n > 0 && at < s.len)
			at++;
	}
	return slice_sub(s, 0, at);
}

/* A domain stands within the labels of the host, before its own. */
static bool
whole_within(const struct phish_known *k, struct slice before,
    struct slice *shown_r)
{
	for (struct slice from = before; from.len > 0;) {
		for (unsigned n = 2; n <= 4; n++) {
			const struct known_name *name = map_get(k->names,
			    labels(from, n));

			if (name != NULL && name->label.len >= 4) {
				*shown_r = name->domain;
				return true;
			}
		}
		if (!slice_has(from, '.'))
			break;
		from = slice_after(from, slice_find(from, '.') + 1);
	}
	return false;
}

static const struct known_name *
brand_within(const struct phish_known *k, struct slice host)
{
	for (struct slice rest = host; rest.ptr != NULL;) {
		struct slice label = slice_cut(rest, '.', &rest);
		const struct known_name *name = map_get(k->brands, label);

		while (name == NULL && label.ptr != NULL)
			name = map_get(k->brands, slice_cut(label, '-',
			    &label));
		if (name != NULL)
			return name;
	}
	return NULL;
}

enum { HOST = 253 };

bool
phish_branded(const struct phish_known *k, struct slice host,
    struct slice domain, struct slice *shown_r, bool *whole_r)
{
	struct slice before = slice_sub(host, 0, host.len - domain.len);
	const struct known_name *own = map_get(k->names, domain), *name;

	if (own != NULL || host.len > HOST)
		return false;
	if (slice_ends(before, SLICE(".")))
		before.len--;
	*whole_r = whole_within(k, before, shown_r);
	if (*whole_r)
		return true;
	name = brand_within(k, host);
	if (name == NULL || slice_eq(name->label, label_of(k, domain)))
		return false;
	*shown_r = slice_of(name->brand->name);
	return true;
}

/* ---- brands in a text ---- */

enum { WORDS = 3, WORD = 40 };

/* The last words, and how many bytes each brought. */
struct words {
	char text[WORDS * WORD];
	size_t len[WORDS], n;
};

static void
words_push(struct words *w, const char *word, size_t len)
{
	size_t all = w->len[0] + w->len[1] + w->len[2];

	if (w->n == WORDS) {
		memmove(w->text, w->text + w->len[0], all - w->len[0]);
		all -= w->len[0];
		w->len[0] = w->len[1];
		w->len[1] = w->len[2];
		w->len[2] = 0;
		w->n--;
	}
	memcpy(w->text + all, word, len);
	w->len[w->n++] = len;
}

static const struct phish_brand *
words_brand(const struct phish_known *k, const struct words *w)
{
	size_t all = w->len[0] + w->len[1] + w->len[2], from = 0;

	for (size_t i = 0; i < w->n; i++) {
		const struct known_name *name = map_get(k->brands,
		    slice_make(w->text + from, all - from));

		if (name != NULL)
			return name->brand;
		from += w->len[i];
	}
	return NULL;
}

const struct phish_brand *
phish_named(const struct phish_known *k, struct slice text)
{
	const struct phish_brand *brand = NULL;
	struct words w = { .n = 0 };
	size_t at = 0, n = 0;

	while (at < text.len && brand == NULL) {
		size_t from = at;

		while (at < text.len && (ascii_alnum(text.ptr[at]) ||
		    (unsigned char)text.ptr[at] >= 0x80))
			at++;
		if (at > from && at - from <= WORD) {
			words_push(&w, text.ptr + from, at - from);
			brand = words_brand(k, &w);
			if (brand != NULL && brand->surname && n > 0)
				brand = NULL;
			n++;
		}
		at += at == from;
	}
	return brand;
}

bool
phish_owned(const struct phish_known *k, const struct phish_brand *brand,
    struct slice domain)
{
	const struct known_name *name = map_get(k->names, domain);
	struct slice rest = slice_of(brand->domains);

	if (name != NULL && name->ours)
		return true;
	while (rest.ptr != NULL)
		if (slice_eq(slice_cut(rest, ' ', &rest), domain))
			return true;
	return slice_eq(label_of(k, domain), slice_of(brand->name));
}
