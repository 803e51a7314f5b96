#include "gather.h"

#include <string.h>

/* FNV-1a, and a final mix (Steele and others, "SplittableRandom", 2014). */
static uint64_t
fnv(uint64_t h, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
	return h;
}

static uint64_t
hash_of(const char *name, struct slice value)
{
	uint64_t h = fnv(UINT64_C(14695981039346656037), name, strlen(name));

	return fnv(h, value.ptr, value.len);
}

static uint32_t
mix(uint64_t h)
{
	h = (h ^ (h >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	h = (h ^ (h >> 27)) * UINT64_C(0x94d049bb133111eb);
	h ^= h >> 31;
	return (uint32_t)(h >> 32) | 1;
}

uint32_t
gather_hash(const char *name, struct slice value)
{
	return mix(hash_of(name, value));
}

/* Where the name of a feature that is read already goes, or NULL. The family
 * is that of whoever put it in first, who is the one to name it. */
static struct slice *
ask_name(struct gather *g, uint32_t hash)
{
	for (size_t i = 0; i < g->nwanted; i++) {
		size_t at = g->wanted[i];

		if (g->from->hash[at] == hash && g->names[i].ptr == NULL &&
		    g->from->family[at] == g->family) {
			g->nameless--;
			return &g->names[i];
		}
	}
	return NULL;
}

/* Where its name goes, or NULL: nobody asks, it is there, or there is no
 * room. */
static struct slice *
put(struct gather *g, uint32_t hash)
{
	struct features *f = g->f;
	size_t at = hash >> 18, i;

	if (g->from != NULL)
		return ask_name(g, hash);
	for (; g->slots[at] != 0; at = (at + 1) % GATHER_SLOTS)
		if (g->slots[at] == hash)
			return NULL;
	if (f->n >= FEATURES_MAX - FEATURES_ADDED) {
		f->full = true;
		return NULL;
	}
	g->slots[at] = hash;
	i = f->n++;
	f->hash[i] = hash;
	f->family[i] = (unsigned char)g->family;
	f->count[g->family]++;
	return g->named ? &f->name[i] : NULL;
}

void
gather_add(struct gather *g, const char *name, struct slice value)
{
	struct slice *described = put(g, mix(hash_of(name, value)));

	if (described != NULL)
		*described = arena_printf(g->a, "%s %.*s", name,
		    SLICE_ARG(value));
}

void
gather_number(struct gather *g, const char *name, uint64_t value)
{
	char text[20];
	size_t at = sizeof text;

	do {
		text[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	gather_add(g, name, slice_make(text + at, sizeof text - at));
}

void
gather_count(struct gather *g, const char *name, size_t value)
{
	uint64_t size = 1;

	if (value == 0) {
		gather_number(g, name, 0);
		return;
	}
	while (size * 2 <= value)
		size *= 2;
	gather_number(g, name, size);
}

/* A word: letters and digits, with signs inside; or one of these signs alone,
 * which are words of their own in what wants to sell. */
static bool
sign(char c)
{
	return c == '$' || c == '!' || c == '%' || c == '#';
}

static bool
letter(char c)
{
	return ascii_alnum(c) || (unsigned char)c >= 0x80;
}

static bool
inside(char c)
{
	return c == '\'' || c == '-' || c == '.';
}

/* Every digit is a 0: numbers count by their form. Longer words are known by
 * their beginning. */
enum { WORD = 20, BEFORE = 4 };

struct word {
	uint64_t hash;			/* over the name too; 0: none */
	size_t len;
	char text[WORD];
};

static bool
next_word(struct slice *rest, uint64_t name, struct word *w)
{
	const char *s = rest->ptr;
	size_t i = 0, n = 0;

	while (i < rest->len && !letter(s[i]) && !sign(s[i]))
		i++;
	if (i == rest->len)
		return false;
	if (!letter(s[i])) {
		w->text[n++] = s[i++];
	} else {
		for (; i < rest->len && (letter(s[i]) || (inside(s[i]) &&
		    i + 1 < rest->len && ascii_alnum(s[i + 1]))); i++)
			if (n < WORD)
				w->text[n++] = ascii_digit(s[i]) ? '0' :
				    ascii_lower(s[i]);
	}
	*rest = slice_after(*rest, i);
	w->len = n;
	w->hash = fnv(name, w->text, n);
	return true;
}

/* The last BEFORE words and the one in hand, by number. */
static void
add_pairs(struct gather *g, const struct word *ring, unsigned n)
{
	const struct word *now = &ring[n % (BEFORE + 1)];

	for (unsigned d = 0; d < BEFORE && d < n; d++) {
		const struct word *before = &ring[(n - d - 1) % (BEFORE + 1)];
		struct slice *described;

		if (before->hash == 0)
			break;
		described = put(g, mix(before->hash * 31 + now->hash *
		    (d + 2) * UINT64_C(0x9e3779b97f4a7c15)));
		if (described != NULL)
			*described = arena_printf(g->a, "%.*s%s %.*s",
			    (int)before->len, before->text,
			    &"........"[8 - 2 * d], (int)now->len, now->text);
	}
}

void
gather_words(struct gather *g, const char *name, struct slice text,
    unsigned most)
{
	uint64_t begin = fnv(UINT64_C(14695981039346656037), name,
	    strlen(name));
	struct word ring[BEFORE + 1];
	enum family was = g->family;

	for (unsigned n = 0; n < most; n++) {
		struct word *now = &ring[n % (BEFORE + 1)];
		struct slice *described;

		if (!next_word(&text, begin, now))
			break;
		described = put(g, mix(now->hash));
		if (described != NULL)
			*described = arena_printf(g->a, "%s %.*s", name,
			    (int)now->len, now->text);
		if (was == FAMILY_WORDS)
			g->family = FAMILY_PAIRS;
		add_pairs(g, ring, n);
		g->family = was;
	}
}

static struct slice
lower(struct gather *g, struct slice s)
{
	char *out = arena_alloc(g->a, s.len + 1);

	for (size_t i = 0; i < s.len; i++)
		out[i] = ascii_lower(s.ptr[i]);
	return slice_make(out, s.len);
}

static size_t
any_of(struct slice s, const char *set)
{
	size_t n = 0;

	while (n < s.len && (s.ptr[n] == '\0' ||
	    strchr(set, s.ptr[n]) == NULL))
		n++;
	return n;
}

/* The last two labels: not the registered domain everywhere, but known
 * without a list, and the whole name is a feature too. */
static struct slice
last_two(struct slice host)
{
	size_t dot = slice_find_last(host, '.');

	if (dot == host.len)
		return host;
	dot = slice_find_last(slice_sub(host, 0, dot), '.');
	return slice_has(slice_sub(host, 0, slice_find_last(host, '.')), '.') ?
	    slice_after(host, dot + 1) : host;
}

static void
add_host(struct gather *g, struct slice host)
{
	size_t dot = slice_find_last(host, '.');
	bool literal = host.len > 0;

	for (size_t i = 0; i < host.len; i++)
		literal = literal && (ascii_digit(host.ptr[i]) ||
		    host.ptr[i] == '.');
	if (literal) {
		gather_add(g, "link to a", SLICE("number"));
		return;
	}
	gather_add(g, "link to host", host);
	gather_add(g, "link to domain", last_two(host));
	if (dot < host.len)
		gather_add(g, "link to", slice_after(host, dot));
}

enum { PATH = 200, PATH_WORDS = 8, LINKS = 60 };

void
gather_link(struct gather *g, struct slice url)
{
	size_t colon = slice_find(url, ':');
	struct slice rest, host;

	if (colon == url.len || colon > 12) {
		gather_add(g, "link", url.len > 0 && url.ptr[0] == '#' ?
		    SLICE("within") : SLICE("relative"));
		return;
	}
	gather_add(g, "link by", lower(g, slice_sub(url, 0, colon)));
	rest = slice_after(url, colon + 1);
	if (!slice_starts(rest, SLICE("//")))
		return;
	rest = slice_after(rest, 2);
	host = slice_sub(rest, 0, any_of(rest, "/?#"));
	rest = slice_after(rest, host.len);
	if (slice_has(host, '@')) {
		gather_add(g, "link with", SLICE("a user"));
		host = slice_after(host, slice_find_last(host, '@') + 1);
	}
	add_host(g, lower(g, slice_sub(host, 0, slice_find(host, ':'))));
	gather_count(g, "link's length", rest.len);
	gather_number(g, "link with a query", slice_has(rest, '?'));
	gather_words(g, "in links", slice_sub(rest, 0, PATH), PATH_WORDS);
}

void
gather_links(struct gather *g, struct slice text)
{
	unsigned n = 0;

	for (size_t at = 0; at < text.len && n < LINKS; at++) {
		struct slice rest;

		if (text.ptr[at] != 'h' && text.ptr[at] != 'H')
			continue;
		rest = slice_after(text, at);
		if (!slice_starts_nocase(rest, SLICE("http://")) &&
		    !slice_starts_nocase(rest, SLICE("https://")))
			continue;
		rest = slice_sub(rest, 0, any_of(rest, " \t\r\n<>\"')"));
		gather_link(g, rest);
		at += rest.len - 1;
		n++;
	}
	gather_count(g, "links in text", n);
}
