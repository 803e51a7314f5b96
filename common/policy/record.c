/* Records of the map, to bytes and back (policy/file.h). */
#include "policy/file.h"

void
file_key_number(char key[5], char letter, uint32_t number)
{
	key[0] = letter;
	for (int i = 0; i < 4; i++)
		key[1 + i] = (char)(number >> (24 - 8 * i));
}

void
file_pack_meta(struct buf *b, const struct file_meta *meta)
{
	pack_u32(b, MAP_VERSION);
	pack_u64(b, meta->records);
	pack_u64(b, meta->house);
	pack_u64(b, meta->addresses);
	pack_u64(b, meta->domains);
	pack_u64(b, meta->sets);
	pack_u64(b, meta->blocks);
	pack_u64(b, meta->listed);
	pack_u64(b, meta->time);
	pack_u8(b, meta->lists);
	pack_u32(b, (uint32_t)meta->ntables);
	for (size_t i = 0; i < meta->ntables; i++) {
		pack_slice(b, meta->tables[i].name);
		pack_u64(b, meta->tables[i].rows);
		pack_u64(b, meta->tables[i].scopes);
	}
	pack_u32(b, (uint32_t)meta->nsources);
	for (size_t i = 0; i < meta->nsources; i++) {
		pack_slice(b, meta->sources[i].path);
		pack_slice(b, meta->sources[i].digest);
	}
}

static bool
unpack_lists(struct arena *a, struct unpack *u, struct file_meta *m)
{
	m->ntables = unpack_u32(u);
	if (m->ntables > MAP_TABLES_MAX)
		return false;
	for (size_t i = 0; i < m->ntables; i++) {
		m->tables[i].name = unpack_slice(u);
		m->tables[i].rows = unpack_u64(u);
		m->tables[i].scopes = unpack_u64(u);
	}
	m->nsources = unpack_u32(u);
	if (m->nsources > MAP_SOURCES_MAX)
		return false;
	m->sources = arena_array(a, m->nsources + 1, sizeof *m->sources);
	for (size_t i = 0; i < m->nsources; i++) {
		m->sources[i].path = unpack_slice(u);
		m->sources[i].digest = unpack_slice(u);
	}
	return !u->bad && u->rest.len == 0;
}

bool
file_unpack_meta(struct arena *a, struct slice value, struct file_meta *meta_r)
{
	struct unpack u = { .rest = value };

	if (unpack_u32(&u) != MAP_VERSION)
		return false;
	meta_r->records = unpack_u64(&u);
	meta_r->house = unpack_u64(&u);
	meta_r->addresses = unpack_u64(&u);
	meta_r->domains = unpack_u64(&u);
	meta_r->sets = unpack_u64(&u);
	meta_r->blocks = unpack_u64(&u);
	meta_r->listed = unpack_u64(&u);
	meta_r->time = unpack_u64(&u);
	meta_r->lists = unpack_u8(&u) != 0;
	return unpack_lists(a, &u, meta_r);
}

void
file_pack_record(struct buf *b, const struct file_record *r)
{
	pack_u8(b, r->kind);
	pack_u32(b, r->set);
	pack_u32(b, r->origin);
	pack_slice(b, r->exact);
	if (r->exact.ptr != NULL) {
		pack_u32(b, r->other_set);
		pack_u32(b, r->other_origin);
	}
	pack_slice(b, r->client);
	pack_slice(b, r->profile);
	pack_slice(b, r->transport);
	pack_slice(b, r->attrs);
	pack_slice(b, r->members);
}

bool
file_unpack_record(struct slice value, struct file_record *r_r)
{
	struct unpack u = { .rest = value };

	r_r->kind = unpack_u8(&u);
	r_r->set = unpack_u32(&u);
	r_r->origin = unpack_u32(&u);
	r_r->exact = unpack_slice(&u);
	if (r_r->exact.ptr != NULL) {
		r_r->other_set = unpack_u32(&u);
		r_r->other_origin = unpack_u32(&u);
	}
	r_r->client = unpack_slice(&u);
	r_r->profile = unpack_slice(&u);
	r_r->transport = unpack_slice(&u);
	r_r->attrs = unpack_slice(&u);
	r_r->members = unpack_slice(&u);
	return !u.bad && u.rest.len == 0;
}
