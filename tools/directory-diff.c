#include "tools/directory-diff.h"

#include <stdlib.h>
#include <string.h>

/* How many addresses a domain has on each side, and its records. */
struct domain {
	size_t before, after;
	bool stays;
};

struct side {
	struct directory_reader *reader;
	struct directory_record record;
	bool more;
};

static bool
address(const struct directory_record *r)
{
	return r->kind == DIRECTORY_USER || r->kind == DIRECTORY_ALIAS;
}

static struct domain *
domain_of(struct directory_diff *d, const struct directory_record *r)
{
	struct slice name = r->kind == DIRECTORY_DOMAIN ? r->key :
	    slice_after(r->key, slice_find_last(r->key, '@') + 1);
	struct domain *is = map_get(d->domains, name);

	if (is == NULL) {
		is = arena_alloc(d->arena, sizeof *is);
		map_put(d->domains, name, is);
	}
	return is;
}

static enum rc
step(struct directory_diff *d, struct side *s, bool new, struct slice *why_r)
{
	enum rc rc;

	if (s->reader == NULL)
		return RC_OK;
	rc = directory_next(s->reader, &s->record, &s->more, why_r);
	if (rc != RC_OK || !s->more)
		return rc;
	if (address(&s->record)) {
		*(new ? &d->after : &d->before) += 1;
		*(new ? &domain_of(d, &s->record)->after :
		    &domain_of(d, &s->record)->before) += 1;
	}
	if (new && s->record.kind == DIRECTORY_DOMAIN)
		domain_of(d, &s->record)->stays = true;
	return RC_OK;
}

static int
order(const struct side *old, const struct side *new)
{
	int a, b;

	if (!old->more || !new->more)
		return old->more ? -1 : 1;
	a = address(&old->record) ? DIRECTORY_USER : (int)old->record.kind;
	b = address(&new->record) ? DIRECTORY_USER : (int)new->record.kind;
	return a != b ? a - b : slice_cmp(old->record.key, new->record.key);
}

static void
take(struct directory_diff *d, char sign, const struct directory_record *r)
{
	if (d->line != NULL)
		d->line(d->arg, sign, r);
}

static void
count(struct directory_diff *d, char sign, const struct directory_record *r)
{
	if (!address(r))
		d->others++;
	else
		*(sign == '+' ? &d->added : sign == '-' ? &d->removed :
		    &d->changed) += 1;
	if (d->nkeys < DIFF_KEYS)
		d->keys[d->nkeys++] = arena_printf(d->arena, "%c %.*s", sign,
		    SLICE_ARG(r->key));
}

static bool
same(struct buf *line, const struct directory_record *a,
    const struct directory_record *b)
{
	size_t len;

	buf_clear(line);
	directory_line(line, a);
	len = line->len;
	directory_line(line, b);
	return line->len == 2 * len && memcmp(line->ptr, line->ptr + len,
	    len) == 0;
}

static enum rc
walk(struct directory_diff *d, struct side *old, struct side *new,
    struct buf *line, struct slice *why_r)
{
	enum rc rc = step(d, old, false, why_r);

	if (rc == RC_OK)
		rc = step(d, new, true, why_r);
	while (rc == RC_OK && (old->more || new->more)) {
		int o = order(old, new);

		if (o != 0) {
			struct side *s = o < 0 ? old : new;

			count(d, o < 0 ? '-' : '+', &s->record);
			take(d, o < 0 ? '-' : '+', &s->record);
			rc = step(d, s, s == new, why_r);
			continue;
		}
		if (!same(line, &old->record, &new->record)) {
			count(d, '~', &new->record);
			take(d, '-', &old->record);
			take(d, '+', &new->record);
		}
		rc = step(d, old, false, why_r);
		if (rc == RC_OK)
			rc = step(d, new, true, why_r);
	}
	return rc;
}

static bool
look_emptied(struct slice key, void *value, void *arg)
{
	struct directory_diff *d = arg;
	const struct domain *is = value;

	if (is->stays && is->before > 0 && is->after == 0 &&
	    is->before > d->emptied_had) {
		d->emptied = arena_copy(d->arena, key);
		d->emptied_had = is->before;
	}
	return true;
}

enum rc
directory_diff(struct directory_diff *d, int old, int new, struct arena *a,
    struct slice *why_r)
{
	struct side before = { .reader = old < 0 ? NULL : directory_open(old,
	    "the current directory") };
	struct side after = { .reader = directory_open(new,
	    "the new directory") };
	struct buf line = { 0 };
	enum rc rc;

	d->arena = a;
	d->domains = map_new();
	d->emptied = SLICE_NONE;
	rc = walk(d, &before, &after, &line, why_r);
	if (rc != RC_OK)
		*why_r = arena_copy(a, *why_r);
	map_each(d->domains, look_emptied, d);
	map_free(d->domains);
	d->domains = NULL;
	buf_free(&line);
	directory_close(before.reader);
	directory_close(after.reader);
	return rc;
}

bool
directory_shrinks(const struct directory_diff *d,
    const struct directory_conf *conf, struct arena *a, struct slice *why_r)
{
	if (conf->shrink_count > 0 && d->removed > conf->shrink_count)
		*why_r = arena_printf(a, "%zu of %zu addresses would go, over "
		    "shrink_count = %u", d->removed, d->before,
		    conf->shrink_count);
	else if (conf->shrink_percent > 0 && d->removed * 100 >
	    d->before * conf->shrink_percent)
		*why_r = arena_printf(a, "%zu of %zu addresses would go, over "
		    "shrink_percent = %u", d->removed, d->before,
		    conf->shrink_percent);
	else if ((conf->shrink_percent > 0 || conf->shrink_count > 0) &&
	    d->emptied.ptr != NULL)
		*why_r = arena_printf(a, "all %zu addresses of %.*s would go",
		    d->emptied_had, SLICE_ARG(d->emptied));
	else
		return false;
	return true;
}
