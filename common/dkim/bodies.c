#include "dkim/bodies.h"

#include <stdlib.h>
#include <string.h>

#include "dkim/tags.h"

struct body_hash {
	enum dkim_canon canon;
	uint64_t limit, length;
	unsigned char hash[DKIM_HASH];
};

struct dkim_bodies {
	struct arena *arena;
	const struct message *msg;
	struct body_hash hashes[BODIES];
	size_t nhashes;
	size_t *order;			/* field indexes, by name, then index */
	struct slice *relaxed;		/* of each field; ptr NULL: not yet */
};

/* Longer is more, so that most names differ at once. */
static int
name_cmp(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	for (size_t i = 0; i < a.len; i++) {
		char ca = ascii_lower(a.ptr[i]), cb = ascii_lower(b.ptr[i]);

		if (ca != cb)
			return ca < cb ? -1 : 1;
	}
	return 0;
}

static int
index_cmp(const void *a, const void *b, void *arg)
{
	const struct field *fields = arg;
	size_t ia = *(const size_t *)a, ib = *(const size_t *)b;
	int order = name_cmp(fields[ia].name, fields[ib].name);

	if (order != 0)
		return order;
	return ia < ib ? -1 : 1;
}

struct dkim_bodies *
dkim_bodies_new(struct arena *a, const struct message *msg)
{
	struct dkim_bodies *b = arena_alloc(a, sizeof *b);

	b->arena = a;
	b->msg = msg;
	b->order = arena_array(a, msg->nfields + 1, sizeof *b->order);
	b->relaxed = arena_array(a, msg->nfields + 1, sizeof *b->relaxed);
	for (size_t i = 0; i < msg->nfields; i++)
		b->order[i] = i;
	qsort_r(b->order, msg->nfields, sizeof *b->order, index_cmp,
	    msg->fields);
	return b;
}

/* The first place in the order whose name is not less (or is more). */
static size_t
bound(const struct dkim_bodies *b, struct slice name, bool behind)
{
	size_t low = 0, high = b->msg->nfields;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = name_cmp(
		    b->msg->fields[b->order[middle]].name, name);

		if (order < 0 || (behind && order == 0))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t
bodies_count(const struct dkim_bodies *b, struct slice name)
{
	return bound(b, name, true) - bound(b, name, false);
}

const unsigned char *
bodies_hash(struct dkim_bodies *b, enum dkim_canon canon, uint64_t limit,
    uint64_t *length_r)
{
	struct body_hash *h;

	for (size_t i = 0; i < b->nhashes; i++) {
		h = &b->hashes[i];
		if (h->canon == canon && h->limit == limit) {
			*length_r = h->length;
			return h->hash;
		}
	}
	if (b->nhashes == BODIES)
		return NULL;
	h = &b->hashes[b->nhashes];
	h->canon = canon;
	h->limit = limit;
	if (!canon_body(canon, b->msg->body, limit, h->hash, &h->length))
		return NULL;
	b->nhashes++;
	*length_r = h->length;
	return h->hash;
}

struct slice
bodies_field(struct dkim_bodies *b, enum dkim_canon canon, size_t index)
{
	const struct field *f = &b->msg->fields[index];
	struct buf out = buf_in(b->arena);

	if (canon == DKIM_SIMPLE && slice_ends(f->raw, SLICE("\r\n")))
		return f->raw;
	if (canon == DKIM_RELAXED && b->relaxed[index].ptr != NULL)
		return b->relaxed[index];
	buf_room(&out, f->raw.len + 2);
	canon_field(&out, canon, f);
	if (canon == DKIM_RELAXED)
		b->relaxed[index] = buf_slice(&out);
	return buf_slice(&out);
}

/* Which fields the names of h= have taken so far. */
struct taking {
	struct dkim_bodies *b;
	uint32_t *taken;		/* by the first place of a name */
	size_t self;			/* is never taken */
};

/* The lowest field of that name that nobody took; false: none is left. */
static bool
take(struct taking *t, struct slice name, size_t *index_r)
{
	size_t first = bound(t->b, name, false);
	size_t behind = bound(t->b, name, true);

	while (behind - first > t->taken[first]) {
		*index_r = t->b->order[behind - 1 - t->taken[first]++];
		if (*index_r != t->self)
			return true;
	}
	return false;
}

static bool
hash_slice(EVP_MD_CTX *md, struct slice s)
{
	return EVP_DigestUpdate(md, s.ptr, s.len) == 1;
}

static bool
hash_fields(struct dkim_bodies *b, const struct dkim_signature *sig,
    size_t self, EVP_MD_CTX *md)
{
	struct slice rest = sig->signed_fields;
	struct taking t = { b, arena_array(b->arena, b->msg->nfields + 1,
	    sizeof *t.taken), self };
	size_t index;

	for (size_t n = 0; rest.ptr != NULL && n < DKIM_NAMES; n++) {
		struct slice name = tags_cut(rest, ':', &rest);

		if (name.len > 0 && take(&t, name, &index) &&
		    !hash_slice(md, bodies_field(b, sig->header, index)))
			return false;
	}
	return true;
}

static bool
hash_self(struct dkim_bodies *b, const struct dkim_signature *sig,
    const struct field *self, EVP_MD_CTX *md)
{
	struct buf out = buf_in(b->arena);

	canon_signature(&out, sig->header, self,
	    slice_sub(self->body, sig->b_at, sig->b_len));
	return hash_slice(md, buf_slice(&out));
}

bool
bodies_headers_of(struct dkim_bodies *b, const struct dkim_signature *sig,
    const struct field *self, unsigned char hash_r[DKIM_HASH])
{
	const struct field *fields = b->msg->fields;
	size_t nfields = b->msg->nfields, at = SIZE_MAX;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	bool good;

	if (sig->index < nfields && self == &fields[sig->index])
		at = sig->index;
	good = md != NULL &&
	    EVP_DigestInit_ex2(md, dkim_sha256(), NULL) == 1 &&
	    hash_fields(b, sig, at, md) && hash_self(b, sig, self, md) &&
	    EVP_DigestFinal_ex(md, hash_r, NULL) == 1;
	EVP_MD_CTX_free(md);
	return good;
}

bool
bodies_headers(struct dkim_bodies *b, const struct dkim_signature *sig,
    unsigned char hash_r[DKIM_HASH])
{
	return sig->index < b->msg->nfields && bodies_headers_of(b, sig,
	    &b->msg->fields[sig->index], hash_r);
}
