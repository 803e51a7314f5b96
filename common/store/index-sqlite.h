/*
 * index-sqlite - what the two halves of the SQLite back end share; used by
 * them alone (index-sqlite.c, index-list.c)
 */
#ifndef STORE_INDEX_SQLITE_H
#define STORE_INDEX_SQLITE_H

#include "store/db.h"
#include "store/index.h"

struct sqlite_index {
	struct store_index index;	/* the first: one is the other */
	struct db *db;
	struct arena *trouble;
};

/* The columns that sqlite_object and sqlite_row read, in their order. */
#define SQLITE_OBJECT	"o.id, o.content, o.body, o.time, o.size, o.sender," \
	" o.queue_id, o.identity, o.direction, o.client_ip, o.client_name," \
	" o.helo, o.user, o.filter, o.rule, o.cause, o.reason," \
	" o.header_from, o.subject, o.message_id, o.log_size"
#define SQLITE_ROW	SQLITE_OBJECT ", r.recipient, r.state, r.hold," \
	" r.expires, r.changed, r.actor, r.reply, r.tries, r.try_at"

void sqlite_object(struct db_query *q, struct arena *a,
    struct store_object *o_r);
void sqlite_row(struct db_query *q, struct arena *a, struct store_row *row_r);
/* Notes why in the index and says which rc it is. */
enum rc sqlite_failed(struct sqlite_index *x);

enum rc sqlite_list(struct store_index *x, const struct store_filter *f,
    struct arena *a, store_visit *visit, void *arg);
enum rc sqlite_waits(struct store_index *x, struct slice cause,
    unsigned limit, struct arena *a, store_visit *visit, void *arg);
enum rc sqlite_due(struct store_index *x, enum store_state state,
    int64_t until, unsigned limit, struct arena *a, store_visit *visit,
    void *arg);
enum rc sqlite_rows_of(struct store_index *x, struct slice id,
    struct arena *a, store_visit *visit, void *arg);
enum rc sqlite_ids(struct store_index *x, struct slice prefix,
    struct arena *a, bool (*visit)(struct slice id, uint64_t log_size,
    void *arg), void *arg);
enum rc sqlite_stats(struct store_index *x, struct store_stats *stats_r);

#endif
