#include "tally_file.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/shared_file.h"

struct tally_file {
	struct shared_file shared;
	unsigned cells;
};

static bool
whole(const void *memory, size_t size, const void *with)
{
	(void)with;
	return tally_whole(memory, size);
}

static void
begin(void *memory, size_t size, const void *with)
{
	(void)size;
	tally_begin(memory, *(const unsigned *)with);
}

enum rc
tally_open(const char *path, unsigned cells, struct tally_file **file_r,
    const char **anew_r, struct arena *a, struct slice *why_r)
{
	static const struct shared_kind kind = { "table", whole, begin };
	struct tally_file *f = mem_alloc(sizeof *f);
	enum rc rc = shared_open(&f->shared, path, tally_size(cells), &kind,
	    &cells, anew_r, a, why_r);

	f->cells = cells;
	if (rc == RC_OK)
		*file_r = f;
	else
		free(f);
	return rc;
}

struct tally_file *
tally_hold(struct tally_file *f)
{
	if (f != NULL)
		shared_hold(&f->shared);
	return f;
}

void
tally_drop(struct tally_file *f)
{
	if (f != NULL && shared_drop(&f->shared))
		free(f);
}

unsigned
tally_cells(const struct tally_file *f)
{
	return f->cells;
}

/* Case tells no two mailboxes apart here: who writes one of them in a hundred
 * ways counts as one, and so does who retries in another. */
static struct slice
folded(struct arena *a, struct slice s)
{
	struct buf b = buf_in(a);

	for (size_t i = 0; i < s.len; i++)
		buf_addc(&b, ascii_lower(s.ptr[i]));
	return buf_slice(&b);
}

void
tally_file_offer(struct tally_file *f, const struct tally_name *name,
    const struct slice *recipients, size_t n, const struct tally_offer *how,
    struct arena *a, struct tally_view *view_r)
{
	struct tally_offer o = *how;

	/* The secret never changes, so keys need no lock. */
	o.message = tally_key(f->shared.memory, tally_key(f->shared.memory, 0,
	    folded(a, name->sender)), name->message);
	o.recipients = arena_array(a, n + 1, sizeof *o.recipients);
	o.n = n;
	for (size_t i = 0; i < n; i++)
		o.recipients[i] = tally_key(f->shared.memory, o.message,
		    folded(a, recipients[i]));
	shared_lock(&f->shared);
	tally_offer(f->shared.memory, &o, view_r);
	shared_unlock(&f->shared);
}
