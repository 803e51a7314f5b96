#include "policy/policy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sip.h"
#include "policy/compile.h"
#include "policy/room.h"

/* Two programs are to agree. */
static const uint64_t digest_key[2] = { 0x706f6c696379, 0x6d6170 };

const char *
policy_path(const struct house_conf *house, struct arena *a)
{
	return arena_printf(a, "%s/policy/map", house->state_directory).ptr;
}

/* ---- digests ---- */

static void
add_domains(struct buf *b, const struct conf_list *domains)
{
	for (size_t i = 0; i < domains->count; i++) {
		buf_addc(b, ' ');
		buf_add(b, domains->items[i]);
	}
}

uint64_t
house_digest(const struct house_conf *house)
{
	struct buf b = { .ptr = NULL };
	uint64_t hash;

	buf_addf(&b, "%s %d", house->recipient_delimiter,
	    house->local_part_case);
	add_domains(&b, &house->domains);
	for (size_t i = 0; i < house->tenant_list.count; i++) {
		buf_addf(&b, "\n%s", house->tenant_list.items[i].name);
		add_domains(&b, &house->tenant_list.items[i].domains);
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
	static struct slice nobody = { NULL, 0 };

	p->match = house_match(house);
	for (size_t i = 0; i < house->domains.count; i++)
		map_put(p->domains, house->domains.items[i], &nobody);
	for (size_t i = 0; i < house->tenant_list.count; i++) {
		const struct tenant *t = &house->tenant_list.items[i];
		struct slice *client = arena_alloc(p->arena, sizeof *client);

		*client = arena_copy(p->arena, slice_of(t->name));
		for (size_t k = 0; k < t->domains.count; k++)
			map_put(p->domains, t->domains.items[k], client);
	}
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

const struct file_table *
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

/* Nobody can set anything of a table without scopes. */
bool
has_scopes(const struct conf_option *o)
{
	while (o->name != NULL && conf_kind_of(o) != CONF_SCOPES)
		o++;
	return o->name != NULL;
}

enum rc
policy_fits(const struct policy *p, const struct house_conf *house,
    const char *filter, const struct conf_option *options,
    const struct scopes *scopes, struct arena *a, struct slice *why_r)
{
	const struct file_table *t;
	const char *what = NULL;
	uint32_t number;

	if (p->file == NULL || !has_scopes(options))
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
