#include "rules_find.h"

#include <string.h>

#include "literals.h"

enum {
	SHORTEST = 2,			/* literals below say too little */
	WANTS = 1000,			/* that one rule is filed under */
};

/* Where a thing is looked for. The first three are mailboxes. */
enum place { PLACE_SENDER, PLACE_FROM, PLACE_RECIPIENT, PLACE_SUBJECT,
    PLACE_HEADER, PLACE_NAME, PLACES };

/* One thing that a rule wants: by hash (an exact address, a domain, the name
 * of a field) or as a text within another. */
enum how { HOW_EXACT, HOW_DOMAIN, HOW_FIELD, HOW_LITERAL };

struct want {
	enum how how;
	enum place place;
	struct slice text;
};

struct wants {
	struct want *items;
	size_t n;
	unsigned worth;			/* 0: nothing can be said */
};

/* Rules that want the same. */
struct bucket {
	struct bucket *next;		/* with the same text, of literals */
	enum place place;
	unsigned *rules;
	unsigned n, cap;
};

struct find {
	struct map *buckets;		/* by how, place and text */
	struct literals *literals;
	struct bucket **tags;		/* of literals */
	unsigned ntags, tag_cap;
	struct slice *fields;		/* whose values are walked over */
	size_t nfields, field_cap;
	unsigned places;		/* 1 << PLACE_*, that literals are in */
	uint64_t *always;
};

/* ---- what a rule wants ---- */

static struct wants wants_of(const struct node *node, struct arena *a);

static void
add_want(struct wants *w, struct arena *a, enum how how, enum place place,
    struct slice text)
{
	if ((w->n & (w->n - 1)) == 0 && w->n != 1) {
		struct want *more = arena_array(a, w->n == 0 ? 2 : w->n * 2,
		    sizeof *more);

		if (w->n > 0)
			memcpy(more, w->items, w->n * sizeof *more);
		w->items = more;
	}
	w->items[w->n++] = (struct want){ how, place, text };
}

static struct wants
nothing(void)
{
	return (struct wants){ .worth = 0 };
}

/* What each pattern wants; where one wants nothing, so does the whole. */
static struct wants
of_match(const struct match *m, enum place place, bool address,
    struct arena *a)
{
	struct wants w = { .worth = 100 };

	if (m->n == 0 || m->n > WANTS)
		return nothing();
	for (size_t i = 0; i < m->n; i++) {
		const struct pattern *p = &m->patterns[i];
		struct slice literal = pattern_literal(m, p, a);
		unsigned worth = 90;

		if (address && p->kind == PATTERN_EXACT) {
			add_want(&w, a, HOW_EXACT, place, literal);
		} else if (p->kind == PATTERN_DOMAIN) {
			add_want(&w, a, HOW_DOMAIN, place, p->text);
			worth = 60;
		} else if (literal.len >= SHORTEST) {
			add_want(&w, a, HOW_LITERAL, place, literal);
			worth = 10 + (unsigned)(literal.len > 40 ? 40 :
			    literal.len);
		} else {
			return nothing();
		}
		if (worth < w.worth)
			w.worth = worth;
	}
	return w;
}

static struct wants
of_leaf(const struct leaf *l, struct arena *a)
{
	struct wants w = { .worth = 5 };

	switch (l->kind) {
	case LEAF_ENVELOPE_SENDER:
		return of_match(&l->match, PLACE_SENDER, true, a);
	case LEAF_FROM:
		return of_match(&l->match, PLACE_FROM, true, a);
	case LEAF_RECIPIENT:
		return of_match(&l->match, PLACE_RECIPIENT, true, a);
	case LEAF_SUBJECT:
		w = of_match(&l->match, PLACE_SUBJECT, false, a);
		break;
	case LEAF_HEADER:
		w = of_match(&l->match, PLACE_HEADER, false, a);
		break;
	case LEAF_ATTACHMENT:
		w = of_match(&l->match, PLACE_NAME, false, a);
		return w;
	default:
		return nothing();
	}
	if (w.worth == 0) {
		w = (struct wants){ .worth = 5 };
		add_want(&w, a, HOW_FIELD, PLACE_HEADER, l->name);
	}
	return w;
}

/* The best of what all have to have. */
static struct wants
of_all(const struct node *node, struct arena *a)
{
	struct wants best = nothing();

	for (const struct node *c = node->first; c != NULL; c = c->next) {
		struct wants w = wants_of(c, a);

		if (w.worth > best.worth)
			best = w;
	}
	return best;
}

static struct wants
of_any(const struct node *node, struct arena *a)
{
	struct wants all = { .worth = 100 };

	for (const struct node *c = node->first; c != NULL; c = c->next) {
		struct wants w = wants_of(c, a);

		if (w.worth == 0 || all.n + w.n > WANTS)
			return nothing();
		if (w.worth < all.worth)
			all.worth = w.worth;
		for (size_t i = 0; i < w.n; i++)
			add_want(&all, a, w.items[i].how, w.items[i].place,
			    w.items[i].text);
	}
	return all;
}

static struct wants
wants_of(const struct node *node, struct arena *a)
{
	switch (node->kind) {
	case NODE_ALL:
		return of_all(node, a);
	case NODE_ANY:
		return of_any(node, a);
	case NODE_LEAF:
		return of_leaf(node->leaf, a);
	case NODE_NOT:
		break;
	}
	return nothing();
}

/* ---- filing ---- */

static struct slice
key_of(struct arena *a, enum how how, enum place place, struct slice text)
{
	struct buf key = buf_in(a);

	buf_addc(&key, (char)('a' + (int)how));
	buf_addc(&key, (char)('a' + (int)place));
	buf_add(&key, text);
	return buf_slice(&key);
}

static void
add_rule(struct rules *r, struct bucket *b, unsigned id)
{
	if (b->n > 0 && b->rules[b->n - 1] == id)
		return;
	if (b->n == b->cap) {
		unsigned *more = arena_array(r->arena, b->cap * 2u + 4,
		    sizeof *more);

		if (b->n > 0)
			memcpy(more, b->rules, b->n * sizeof *more);
		b->rules = more;
		b->cap = b->cap * 2 + 4;
	}
	b->rules[b->n++] = id;
}

static void
tag(struct rules *r, struct find *f, struct bucket *b, struct slice text)
{
	if (f->ntags == f->tag_cap) {
		struct bucket **more = arena_array(r->arena,
		    f->tag_cap * 2u + 64, sizeof(struct bucket *));

		if (f->ntags > 0)
			memcpy(more, f->tags,
			    f->ntags * sizeof(struct bucket *));
		f->tags = more;
		f->tag_cap = f->tag_cap * 2 + 64;
	}
	f->tags[f->ntags] = b;
	literals_add(f->literals, text, f->ntags++);
	f->places |= 1u << b->place;
}

static void
file_rule(struct rules *r, struct find *f, const struct want *w, unsigned id,
    struct arena *a)
{
	struct slice key = key_of(a, w->how, w->place, w->text);
	struct bucket *b = map_get(f->buckets, key);

	if (b == NULL) {
		b = arena_alloc(r->arena, sizeof *b);
		b->place = w->place;
		map_put(f->buckets, key, b);
		if (w->how == HOW_LITERAL)
			tag(r, f, b, w->text);
	}
	add_rule(r, b, id);
}

static void
drop_map(void *map)
{
	map_free(map);
}

/* Fields that any header condition asks for; each once. */
static void
note_fields(struct rules *r, struct find *f)
{
	struct map *seen = map_new();

	f->fields = arena_array(r->arena, r->nleaves, sizeof *f->fields);
	for (unsigned i = 0; i < r->nleaves; i++) {
		const struct leaf *l = r->leaves[i];

		if (l->kind != LEAF_HEADER || map_put(seen, l->name, f) !=
		    NULL)
			continue;
		f->fields[f->nfields++] = l->name;
	}
	map_free(seen);
}

struct find *
find_new(struct rules *r)
{
	struct find *f = arena_alloc(r->arena, sizeof *f);
	struct arena *a = arena_new();

	f->buckets = map_new();
	arena_defer(r->arena, drop_map, f->buckets);
	f->literals = literals_new(r->arena);
	f->always = arena_array(r->arena, find_words(r), sizeof *f->always);
	note_fields(r, f);
	for (unsigned i = 0; i < r->n; i++) {
		const struct rule *rule = &r->all[i];
		struct wants w = rule->when == NULL ? nothing() :
		    wants_of(rule->when, a);

		if (rule->mode == RULE_OFF)
			continue;
		if (w.worth == 0)
			f->always[i / 64] |= UINT64_C(1) << i % 64;
		for (size_t k = 0; k < w.n && w.worth > 0; k++)
			file_rule(r, f, &w.items[k], i, a);
	}
	literals_ready(f->literals);
	arena_free(a);
	return f;
}

size_t
find_words(const struct rules *r)
{
	return (r->n + 63u) / 64 + 1;
}

/* ---- looking up ---- */

struct looking {
	const struct find *find;
	struct arena *arena;
	uint64_t *set;
	enum place place;
	uint64_t *seen;			/* tags */
};

static void
take(const struct bucket *b, uint64_t *set)
{
	for (unsigned i = 0; b != NULL && i < b->n; i++)
		set[b->rules[i] / 64] |= UINT64_C(1) << b->rules[i] % 64;
}

static void
found(void *arg, unsigned which)
{
	struct looking *l = arg;
	uint64_t bit = UINT64_C(1) << which % 64;

	if (l->find->tags[which]->place != l->place ||
	    (l->seen[which / 64] & bit) != 0)
		return;
	l->seen[which / 64] |= bit;
	take(l->find->tags[which], l->set);
}

static void
walk(struct looking *l, enum place place, struct slice text)
{
	l->place = place;
	if ((l->find->places >> place & 1) != 0)
		literals_find(l->find->literals, text, found, l);
}

static void
look_up(const struct looking *l, enum how how, enum place place,
    struct slice text)
{
	if (text.ptr != NULL && text.len <= MATCH_PATTERN)
		take(map_get(l->find->buckets, key_of(l->arena, how, place,
		    text)), l->set);
}

static struct slice
lowered(struct arena *a, struct slice s)
{
	char *low = arena_str(a, s);

	for (size_t i = 0; i < s.len; i++)
		low[i] = ascii_lower(s.ptr[i]);
	return slice_make(low, s.len);
}

static void
mailbox(struct looking *l, enum place place, const struct mailbox *box)
{
	struct slice domain = box->domain;
	size_t dot;

	look_up(l, HOW_EXACT, place, lowered(l->arena, box->text));
	look_up(l, HOW_EXACT, place, lowered(l->arena, box->plain));
	walk(l, place, box->text);
	walk(l, place, box->plain);
	if (domain.ptr == NULL)
		return;
	look_up(l, HOW_DOMAIN, place, domain);
	while ((dot = slice_find(domain, '.')) < domain.len) {
		domain = slice_after(domain, dot);
		look_up(l, HOW_DOMAIN, place, domain);
		domain = slice_after(domain, 1);
	}
}

static void
values(struct looking *l, struct facts *f, enum place place,
    struct slice name)
{
	const struct values *v = facts_values(f, name);

	if (v->n > 0)
		look_up(l, HOW_FIELD, PLACE_HEADER, name);
	for (size_t i = 0; i < v->n; i++)
		walk(l, place, v->items[i]);
}

static void
begin(struct looking *l, const struct rules *r, struct facts *f,
    uint64_t *set)
{
	*l = (struct looking){ .find = r->find, .arena = f->arena,
	    .set = set };
	l->seen = arena_array(f->arena, r->find->ntags / 64 + 1u,
	    sizeof *l->seen);
}

void
find_message(const struct rules *r, struct facts *f, uint64_t *set)
{
	const struct mailboxes *from = facts_from(f);
	struct looking l;

	begin(&l, r, f, set);
	/* What could not be read whole may hold anything. */
	if (from->incomplete || ((r->find->places >> PLACE_NAME & 1) != 0 &&
	    facts_attachments(f)->incomplete)) {
		memset(set, 0xff, find_words(r) * sizeof *set);
		return;
	}
	for (size_t i = 0; i < find_words(r); i++)
		set[i] |= r->find->always[i];
	mailbox(&l, PLACE_SENDER, facts_sender(f));
	for (size_t i = 0; i < from->n; i++)
		mailbox(&l, PLACE_FROM, &from->items[i]);
	values(&l, f, PLACE_SUBJECT, SLICE("subject"));
	for (size_t i = 0; i < r->find->nfields; i++)
		values(&l, f, PLACE_HEADER, r->find->fields[i]);
	if ((r->find->places >> PLACE_NAME & 1) != 0) {
		const struct attachments *all = facts_attachments(f);

		for (size_t i = 0; i < all->n; i++)
			walk(&l, PLACE_NAME, all->items[i].name);
	}
}

void
find_recipient(const struct rules *r, struct facts *f, size_t recipient,
    uint64_t *set)
{
	struct looking l;

	begin(&l, r, f, set);
	mailbox(&l, PLACE_RECIPIENT, facts_recipient(f, recipient));
}
