#include "tally_file.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/state_file.h"

struct tally_file {
	_Atomic unsigned references;
	pthread_mutex_t lock;		/* guards the table */
	struct tally *table;
	unsigned cells;
	struct state_file map;
};

enum rc
tally_open(const char *path, unsigned cells, struct tally_file **file_r,
    const char **anew_r, struct arena *a, struct slice *why_r)
{
	struct state_file map;
	struct tally_file *f;
	bool kept;
	enum rc rc = state_map(path, tally_size(cells), &map, &kept, a,
	    why_r);

	*anew_r = NULL;
	if (rc != RC_OK)
		return rc;
	if (!tally_whole(map.memory, map.size)) {
		*anew_r = kept ? "it is no table of this version" :
		    "it is new or of another size";
		tally_begin(map.memory, cells);
	}
	f = mem_alloc(sizeof *f);
	f->references = 1;
	pthread_mutex_init(&f->lock, NULL);
	f->table = map.memory;
	f->cells = cells;
	f->map = map;
	*file_r = f;
	return RC_OK;
}

struct tally_file *
tally_hold(struct tally_file *f)
{
	if (f != NULL)
		atomic_fetch_add(&f->references, 1);
	return f;
}

void
tally_drop(struct tally_file *f)
{
	if (f == NULL || atomic_fetch_sub(&f->references, 1) != 1)
		return;
	state_unmap(&f->map);
	pthread_mutex_destroy(&f->lock);
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
	o.message = tally_key(f->table, tally_key(f->table, 0,
	    folded(a, name->sender)), name->message);
	o.recipients = arena_array(a, n + 1, sizeof *o.recipients);
	o.n = n;
	for (size_t i = 0; i < n; i++)
		o.recipients[i] = tally_key(f->table, o.message,
		    folded(a, recipients[i]));
	pthread_mutex_lock(&f->lock);
	tally_offer(f->table, &o, view_r);
	pthread_mutex_unlock(&f->lock);
}
