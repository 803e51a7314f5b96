/* A block's values, parsed once a generation (policy/room.h). */
#include <string.h>

#include "policy/room.h"

enum { VALUE_MAX = sizeof(struct conf_list) > sizeof(struct conf_nets) ?
    sizeof(struct conf_list) : sizeof(struct conf_nets) };

struct value {
	size_t offset, size;
	_Alignas(max_align_t) char bytes[VALUE_MAX];
};

struct block {
	const struct conf_option *options;
	size_t n;
	struct value values[];
};

static const struct conf_option *
option_named(const struct conf_option *o, struct slice name)
{
	while (o->name != NULL && !slice_eq(slice_of(o->name), name))
		o++;
	return o->name != NULL ? o : NULL;
}

static enum rc
parse_one(struct arena *a, const struct conf_option *options,
    struct unpack *u, struct value *v, struct slice *why_r)
{
	struct slice name = unpack_slice(u), raw = unpack_slice(u);
	const struct conf_option *o = option_named(options, name);

	if (u->bad || o == NULL) {
		*why_r = arena_printf(a, "the map has an option \"%.*s\" that "
		    "this version does not know; type: gatehouse policy "
		    "compile", SLICE_ARG(slice_sub(name, 0, 60)));
		return RC_RETRY;
	}
	v->offset = o->offset;
	v->size = conf_field_size(conf_kind_of(o));
	if (conf_value(a, o, raw, v->bytes, why_r) == RC_OK)
		return RC_OK;
	*why_r = arena_printf(a, "the map's value of %s: %.*s; type: gatehouse "
	    "policy compile", o->name, SLICE_ARG(*why_r));
	return RC_RETRY;
}

static enum rc
parse(const struct policy *p, struct arena *a, uint32_t number,
    const struct conf_option *options, struct block **block_r,
    struct slice *why_r)
{
	struct unpack u = { .rest = SLICE("") };
	enum rc rc = file_number(p->file, 'b', number, &u.rest);
	struct block *b;
	size_t n;

	*why_r = SLICE("the policy map cannot be read");
	unpack_u32(&u);			/* its table */
	n = unpack_u32(&u);
	if (rc != RC_OK || u.bad || n > u.rest.len)
		return RC_RETRY;
	b = arena_alloc(a, sizeof *b + n * sizeof(struct value));
	b->options = options;
	while (b->n < n) {
		rc = parse_one(a, options, &u, &b->values[b->n], why_r);
		if (rc != RC_OK)
			return rc;
		b->n++;
	}
	*block_r = b;
	return RC_OK;
}

static void
apply(const struct block *b, void *conf)
{
	for (size_t i = 0; i < b->n; i++)
		memcpy((char *)conf + b->values[i].offset,
		    b->values[i].bytes, b->values[i].size);
}

/* Kept, by the one thread that comes first; or not, when there is no room. */
static enum rc
keep(struct policy *p, uint32_t number, const struct conf_option *options,
    struct block **block_r, struct slice *why_r)
{
	enum rc rc = RC_OK;

	pthread_mutex_lock(&p->lock);
	*block_r = atomic_load(&p->blocks[number]);
	if (*block_r == NULL && arena_used(p->values) < BYTES_KEPT) {
		rc = parse(p, p->values, number, options, block_r, why_r);
		if (rc == RC_OK)
			atomic_store(&p->blocks[number], *block_r);
	}
	pthread_mutex_unlock(&p->lock);
	return rc;
}

enum rc
block_apply(struct policy *p, struct arena *a, uint32_t number,
    const struct conf_option *options, void *conf, struct slice *why_r)
{
	struct block *b = number < p->nblocks ?
	    atomic_load_explicit(&p->blocks[number], memory_order_acquire) :
	    NULL;
	enum rc rc = RC_OK;

	if (b == NULL && number < p->nblocks)
		rc = keep(p, number, options, &b, why_r);
	/* Only a caller with a table of its own asks with another one. */
	if (rc == RC_OK && (b == NULL || b->options != options))
		rc = parse(p, a, number, options, &b, why_r);
	if (rc == RC_OK)
		apply(b, conf);
	return rc;
}
