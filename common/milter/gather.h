/*
 * gather - the bytes of one message, as they come in
 *
 * Header block and body are kept apart. What is small stays on the heap; a
 * body over GATHER_HEAP goes to an unlinked file in the spool folder, written
 * as it comes and mapped read-only when it is whole, so 256 sessions of 1 MB
 * hold 16 MB of heap. All sessions of the process share one budget; a message
 * that does not fit is our trouble, told by gather_trouble(), and the rest of
 * its bytes is counted but not kept.
 *
 * gather_field	one header field; value as the engine gives it (CRLF folds,
 *		leading space)
 * gather_body	one chunk
 * gather_end	the whole: head, body and a SHA-256 to know the message by: of
 *		head, CRLF, the first GATHER_HASHED bytes of the body and its
 *		length; of head alone where no byte of a body was gathered.
 *		RC_RETRY when there was trouble of ours, RC_BAD when the message
 *		itself is to blame; gather_trouble() says what. The slices live
 *		until the next gather_reset
 * gather_room	n bytes for an edited body, under the same budgets and in the
 *		same places; NULL when there is trouble. They live as long
 *
 * For one thread; budgets are shared and atomic.
 */
#ifndef MILTER_GATHER_H
#define MILTER_GATHER_H

#include <stdatomic.h>

#include "base/buf.h"
#include "base/rc.h"

enum {
	GATHER_HEAP = 64 * 1024,	/* body bytes that may stay on the heap */
	GATHER_HEAD = 4 * 1024 * 1024,	/* header bytes of one message */
	GATHER_HASH = 32,
	GATHER_HASHED = 64 * 1024,
};

struct gather_room;

struct gather_budget {
	const char *spool;		/* folder of the unlinked files */
	_Atomic uint64_t heap_max, file_max;	/* a reload may move them */
	_Atomic uint64_t heap, file;	/* in use now */
};

struct gather {
	struct gather_budget *budget;
	struct buf head, body;
	int fd;				/* the spooled body, or -1 */
	uint64_t heap, file;		/* reserved of the budget */
	uint64_t body_len;
	void *map;
	void *hash;			/* EVP_MD_CTX */
	struct gather_room *rooms;
	const char *trouble;		/* static text, or NULL */
	bool theirs;			/* it is the message's fault */
};

void gather_init(struct gather *g, struct gather_budget *budget);
void gather_field(struct gather *g, struct slice name, struct slice value);
void gather_body(struct gather *g, struct slice chunk);
enum rc gather_end(struct gather *g, struct slice *head_r,
    struct slice *body_r, unsigned char hash_r[GATHER_HASH]);
char *gather_room(struct gather *g, size_t n);
const char *gather_trouble(const struct gather *g);
void gather_reset(struct gather *g);
void gather_free(struct gather *g);

#endif
