/* Levels of all tables become sets, blocks and origins (compile-part.h). */
#include <stdlib.h>
#include <string.h>

#include "base/sip.h"
#include "policy/compile-part.h"

struct answer {
	uint32_t set, origin;
};

/* Forms are compared by several machines of one site. */
static const uint64_t form_key[2] = { 0x666f726d, 0x636c617373 };

/* ---- one table of one subject ---- */

struct telling {
	struct compile *c;
	uint32_t table;
	struct buf *origin, *block, *form;
	uint32_t settings;
	struct scope_word decided;	/* of the option under way */
	bool final;
};

static void
tell_origin(struct telling *t, const struct scope_word *w)
{
	struct buf one = buf_in(t->c->scratch);

	pack_u32(&one, t->table);
	pack_slice(&one, slice_of(w->option->name));
	pack_u8(&one, w->level);
	pack_slice(&one, w->name);
	pack_slice(&one, w->where);
	pack_u8(&one, w->final);
	pack_slice(&one, w->raw);
	pack_slice(t->origin, buf_slice(&one));
}

static void
take_word(void *arg, const struct scope_word *w, bool last)
{
	struct telling *t = arg;

	tell_origin(t, w);
	if (!t->final && w->raw.ptr != NULL)
		t->decided = *w;
	t->final = t->final || w->final;
	if (!last)
		return;
	if (t->decided.raw.ptr != NULL) {
		pack_slice(t->block, slice_of(w->option->name));
		pack_slice(t->block, t->decided.raw);
		t->settings++;
		if ((w->option->kind & CONF_FORM) != 0) {
			pack_slice(t->form, slice_of(w->option->name));
			pack_slice(t->form, t->decided.raw);
		}
	}
	t->decided = (struct scope_word){ .raw = SLICE_NONE };
	t->final = false;
}

/* ---- numbers for what is equal ---- */

/* Numbers begin at 1 in the map, so that NULL is none. */
static uint32_t
number_of(struct map *ids, struct slice bytes, size_t next, bool *fresh_r)
{
	uintptr_t had = (uintptr_t)map_get(ids, bytes);

	*fresh_r = had == 0;
	if (*fresh_r)
		map_put(ids, bytes, (void *)(next + 1));
	return *fresh_r ? (uint32_t)next : (uint32_t)(had - 1);
}

static uint32_t
block_number(struct compile *c, uint32_t table, uint32_t settings,
    struct slice pairs, struct slice form)
{
	struct buf b = buf_in(c->scratch), f = buf_in(c->scratch);
	uint32_t number;
	bool fresh;

	pack_u32(&b, table);
	pack_u32(&b, settings);
	buf_add(&b, pairs);
	number = number_of(c->block_ids, buf_slice(&b), c->nblocks, &fresh);
	if (!fresh)
		return number;
	c->blocks = compile_grown(c->blocks, c->nblocks, &c->blocks_room,
	    sizeof *c->blocks);
	c->blocks[c->nblocks] = (struct compile_block){ .table = table,
	    .bytes = arena_copy(c->arena, buf_slice(&b)) };
	if (form.len > 0) {
		pack_slice(&f, slice_of(c->tables[table].name));
		buf_add(&f, form);
		c->blocks[c->nblocks].form = sip_hash(form_key,
		    buf_slice(&f));
	}
	c->nblocks++;
	return number;
}

static uint32_t
set_number(struct compile *c, const uint32_t *blocks, size_t n)
{
	struct slice bytes = slice_make(blocks, n * sizeof *blocks);
	struct compile_set *set;
	bool fresh;
	uint32_t number = number_of(c->set_ids, bytes, c->nsets, &fresh);

	if (!fresh)
		return number;
	c->sets = compile_grown(c->sets, c->nsets, &c->sets_room, sizeof *c->sets);
	set = &c->sets[c->nsets++];
	set->n = n;
	set->blocks = arena_array(c->arena, n + 1, sizeof *blocks);
	if (n > 0)
		memcpy(set->blocks, blocks, bytes.len);
	return number;
}

static uint32_t
origin_number(struct compile *c, struct slice bytes)
{
	char key[5];
	bool fresh;
	uint32_t number = number_of(c->origin_ids, bytes, c->norigins,
	    &fresh);

	if (!fresh)
		return number;
	c->norigins++;
	file_key_number(key, 'o', number);
	compile_entry(c, 'o', slice_make(key + 1, 4), bytes);
	return number;
}

/* ---- one subject ---- */

static struct answer
resolve(struct compile *c, const struct scope_levels *levels)
{
	uint32_t blocks[MAP_TABLES_MAX];
	struct buf origin = buf_in(c->scratch);
	size_t n = 0;

	for (size_t i = 0; i < c->ntables; i++) {
		struct buf pairs = buf_in(c->scratch);
		struct buf form = buf_in(c->scratch);
		struct telling t = { .c = c, .table = (uint32_t)i,
		    .origin = &origin, .block = &pairs, .form = &form,
		    .decided = { .raw = SLICE_NONE } };

		scope_words(c->tables[i].scopes, &levels[i], take_word, &t);
		if (t.settings > 0)
			blocks[n++] = block_number(c, t.table, t.settings,
			    buf_slice(&pairs), buf_slice(&form));
	}
	return (struct answer){ set_number(c, blocks, n),
	    origin_number(c, buf_slice(&origin)) };
}

/* Has anybody else the same levels? Not who has settings of his own. */
static bool
shared(const struct compile *c, const struct scope_levels *levels)
{
	for (size_t i = 0; i < c->ntables; i++)
		if (levels[i].at[SCOPE_USER] != NULL)
			return false;
	return true;
}

static struct answer
resolve_once(struct compile *c, const struct scope_levels *levels)
{
	struct slice key = slice_make(levels, c->ntables * sizeof *levels);
	struct answer *known;

	if (!shared(c, levels))
		return resolve(c, levels);
	known = map_get(c->memo, key);
	if (known == NULL) {
		known = arena_alloc(c->arena, sizeof *known);
		*known = resolve(c, levels);
		map_put(c->memo, key, known);
	}
	return *known;
}

void
resolve_subject(struct compile *c, const struct scope_subject *who,
    uint32_t *set_r, uint32_t *origin_r)
{
	struct scope_levels levels[MAP_TABLES_MAX];
	const struct compile_set *set;
	struct answer got;

	for (size_t i = 0; i < c->ntables; i++)
		scope_levels(c->tables[i].scopes, who, &levels[i]);
	got = resolve_once(c, levels);
	set = &c->sets[got.set];
	for (size_t i = 0; i < set->n; i++)
		c->blocks[set->blocks[i]].uses++;
	*set_r = got.set;
	*origin_r = got.origin;
}

/* ---- out ---- */

static int
by_uses(const void *a, const void *b)
{
	const struct compile_block *const *x = a, *const *y = b;

	if ((*x)->uses != (*y)->uses)
		return (*x)->uses > (*y)->uses ? -1 : 1;
	return *x < *y ? -1 : 1;
}

static void
write_blocks(struct compile *c)
{
	struct compile_block **order = mem_alloc((c->nblocks + 1) *
	    sizeof(struct compile_block *));
	char key[5];

	for (size_t i = 0; i < c->nblocks; i++)
		order[i] = &c->blocks[i];
	qsort(order, c->nblocks, sizeof(struct compile_block *), by_uses);
	for (size_t i = 0; i < c->nblocks; i++) {
		order[i]->rank = (uint32_t)i;
		file_key_number(key, 'b', (uint32_t)i);
		compile_entry(c, 'b', slice_make(key + 1, 4),
		    order[i]->bytes);
	}
	free(order);
}

void
resolve_write(struct compile *c)
{
	write_blocks(c);
	for (size_t i = 0; i < c->nsets; i++) {
		struct buf b = buf_in(c->scratch);
		uint64_t form = 0;
		char key[5];

		for (size_t k = 0; k < c->sets[i].n; k++)
			form += c->blocks[c->sets[i].blocks[k]].form;
		pack_u64(&b, form);
		pack_u32(&b, (uint32_t)c->sets[i].n);
		for (size_t k = 0; k < c->sets[i].n; k++) {
			const struct compile_block *x =
			    &c->blocks[c->sets[i].blocks[k]];

			pack_u32(&b, x->table);
			pack_u32(&b, x->rank);
		}
		file_key_number(key, 's', (uint32_t)i);
		compile_entry(c, 's', slice_make(key + 1, 4), buf_slice(&b));
	}
}
