/* What is set for somebody, and by whom (policy/policy.h). */
#include <stdlib.h>
#include <string.h>

#include "policy/room.h"

#define CANNOT_READ	SLICE("the policy map cannot be read; type: " \
			    "gatehouse policy compile")

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
	if (!has_scopes(options))
		return RC_OK;
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
	if (!has_scopes(options))
		return RC_OK;
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

struct picking {
	const char *option;
	struct scope_word *words;
	size_t n;
};

static void
pick(void *arg, const struct scope_word *word, bool last)
{
	struct picking *x = arg;

	(void)last;
	if (strcmp(word->option->name, x->option) != 0)
		return;
	x->words[x->n] = *word;
	x->words[x->n++].option = NULL;
}

/* One word of an origin; false: it is about something else, or is none. */
static bool
unpack_word(struct slice packed, uint32_t table, const char *option,
    struct scope_word *word_r, bool *bad_r)
{
	struct unpack u = { .rest = packed };
	uint32_t number = unpack_u32(&u);
	struct slice name = unpack_slice(&u);

	*word_r = (struct scope_word){ .level =
	    (enum scope_level)unpack_u8(&u) };
	word_r->name = unpack_slice(&u);
	word_r->where = unpack_slice(&u);
	word_r->final = unpack_u8(&u) != 0;
	word_r->raw = unpack_slice(&u);
	*bad_r = u.bad || word_r->level >= SCOPE_LEVELS;
	return !*bad_r && number == table && slice_eq(name, slice_of(option));
}

enum rc
policy_words(const struct policy *p, const struct policy_who *who,
    const char *filter, const char *option, const struct scopes *scopes,
    struct scope_word *words_r, size_t *n_r)
{
	struct picking x = { option, words_r, 0 };
	struct unpack u = { .rest = SLICE("") };
	struct scope_levels levels;
	struct scope_word word;
	uint32_t table;
	bool bad = false;

	*n_r = 0;
	if (p->file == NULL) {
		scope_levels(scopes, &who->subject, &levels);
		scope_words(scopes, &levels, pick, &x);
		*n_r = x.n;
		return RC_OK;
	}
	if (table_named(p, filter, &table) == NULL ||
	    file_number(p->file, 'o', who->origin, &u.rest) != RC_OK)
		return RC_RETRY;
	while (u.rest.len > 0 && !u.bad && !bad)
		if (unpack_word(unpack_slice(&u), table, option, &word,
		    &bad) && *n_r < SCOPE_LEVELS)
			words_r[(*n_r)++] = word;
	return u.bad || bad ? RC_RETRY : RC_OK;
}

enum rc
policy_decided(const struct policy *p, const struct policy_who *who,
    const char *filter, const char *option, const struct scopes *scopes,
    struct scope_why *why_r)
{
	struct scope_word words[SCOPE_LEVELS];
	size_t n;
	enum rc rc = policy_words(p, who, filter, option, scopes, words, &n);

	*why_r = (struct scope_why){ .level = SCOPE_DEFAULT,
	    .name = SLICE(""), .where = SLICE("") };
	for (size_t i = 0; rc == RC_OK && i < n && !why_r->final; i++) {
		if (words[i].raw.ptr != NULL) {
			why_r->level = words[i].level;
			why_r->name = words[i].name;
			why_r->where = words[i].where;
		}
		why_r->final = words[i].final;
	}
	return rc;
}
