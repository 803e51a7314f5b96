#include "unpack/told.h"

static const uint64_t NO_BYTES = UINT64_MAX;

/* n numbers in a line, one blank between two. */
static bool
numbers(struct slice *rest, uint64_t *values_r, size_t n)
{
	struct slice line = slice_cut(*rest, '\n', rest);

	for (size_t i = 0; i < n; i++) {
		struct slice number = slice_cut(line, ' ', &line);

		if (!slice_number(number, UINT64_MAX, &values_r[i]))
			return false;
	}
	return line.ptr == NULL && rest->ptr != NULL;
}

static bool
take(struct slice *rest, uint64_t len, struct slice *bytes_r)
{
	if (len > rest->len)
		return false;
	*bytes_r = slice_sub(*rest, 0, (size_t)len);
	*rest = slice_after(*rest, (size_t)len);
	return true;
}

void
told_write_request(struct buf *out, const struct told_request *r)
{
	buf_addf(out, "%u %u %llu %llu %u %zu %zu\n", r->limits.depth,
	    r->limits.members, (unsigned long long)r->limits.member_bytes,
	    (unsigned long long)r->limits.bytes, r->limits.ratio, r->name.len,
	    r->npasswords);
	buf_add(out, r->name);
	for (size_t i = 0; i < r->npasswords; i++) {
		buf_addf(out, "%zu\n", r->passwords[i].len);
		buf_add(out, r->passwords[i]);
	}
}

bool
told_read_request(struct slice bytes, struct told_request *r)
{
	uint64_t n[7], len;

	if (!numbers(&bytes, n, 7) || n[0] > UINT32_MAX || n[1] > UINT32_MAX ||
	    n[4] > UINT32_MAX || n[6] > UNPACK_PASSWORDS ||
	    !take(&bytes, n[5], &r->name))
		return false;
	r->limits = (struct unpack_limits){ (unsigned)n[0], (unsigned)n[1],
	    n[2], n[3], (unsigned)n[4] };
	r->npasswords = (size_t)n[6];
	for (size_t i = 0; i < r->npasswords; i++)
		if (!numbers(&bytes, &len, 1) ||
		    !take(&bytes, len, &r->passwords[i]))
			return false;
	return bytes.len == 0;
}

void
told_write_record(struct buf *out, const struct told_record *r)
{
	buf_addf(out, "%llu %llu %llu %llu %llu %zu %zu\n",
	    (unsigned long long)r->parent, (unsigned long long)r->depth,
	    (unsigned long long)r->why, (unsigned long long)r->offset,
	    (unsigned long long)(r->member ? r->len : NO_BYTES),
	    r->format.len, r->path.len);
	buf_add(out, r->format);
	buf_add(out, r->path);
}

bool
told_read_record(struct slice *rest, struct told_record *r)
{
	uint64_t n[7];

	if (rest->len == 0 || !numbers(rest, n, 7) ||
	    !take(rest, n[5], &r->format) || !take(rest, n[6], &r->path))
		return false;
	r->parent = n[0];
	r->depth = n[1];
	r->why = n[2];
	r->offset = n[3];
	r->member = n[4] != NO_BYTES;
	r->len = r->member ? n[4] : 0;
	return true;
}
