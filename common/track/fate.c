#include "track/fate.h"

#include <stdlib.h>
#include <string.h>

#include "track/db.h"
#include "track/stamp.h"

enum {
	BEFORE_MS = 2 * 3600 * 1000,	/* a session may last that long */
	AFTER_MS = 120 * 1000,
};

struct track_fates {
	struct db *db;			/* NULL: not open */
	char *state;
};

struct track_fates *
track_fates_open(const char *state)
{
	struct track_fates *f = mem_alloc(sizeof *f);

	*f = (struct track_fates){ .state = mem_alloc(strlen(state) + 1) };
	memcpy(f->state, state, strlen(state) + 1);
	return f;
}

static enum track_fate
fate_of(enum track_state state)
{
	switch (state) {
	case TRACK_QUEUED:
	case TRACK_HELD:
	case TRACK_DONE:	return TRACK_FATE_ACCEPTED;
	case TRACK_REFUSED:
	case TRACK_ABANDONED:	return TRACK_FATE_REFUSED;
	default:		return TRACK_FATE_UNKNOWN;
	}
}

/* The newest that began in that time, of one day. */
static enum db_step
look(struct track_fates *f, struct slice queue_id, int64_t ms, int64_t day,
    enum track_fate *fate_r)
{
	struct db_query *q = db_query(f->db, "SELECT state FROM message"
	    " WHERE day = ?1 AND qid = ?2 AND mid BETWEEN ?3 AND ?4"
	    " ORDER BY mid DESC LIMIT 1");
	enum db_step step;

	db_int(q, 1, day);
	db_text(q, 2, queue_id);
	db_int(q, 3, track_mid(ms - BEFORE_MS));
	db_int(q, 4, track_mid(ms + AFTER_MS));
	step = db_next(q);
	if (step == DB_ROW)
		*fate_r = fate_of((enum track_state)db_column_int(q, 0));
	db_done(q);
	return step;
}

enum track_fate
track_fate(struct track_fates *f, struct slice queue_id, int64_t time)
{
	enum track_fate fate = TRACK_FATE_UNKNOWN;
	struct arena *a = arena_new();
	int64_t ms = time * 1000;
	enum db_step step = DB_END;
	struct slice why;

	if (queue_id.len > 0 && (f->db != NULL ||
	    track_db_open(f->state, DB_READ, &f->db, a, &why) == RC_OK)) {
		for (int64_t day = stamp_day(ms + AFTER_MS); step == DB_END &&
		    day >= stamp_day(ms - BEFORE_MS); day--)
			step = look(f, queue_id, ms, day, &fate);
	}
	/* The file may have been deleted and made anew. */
	if (step != DB_ROW && f->db != NULL) {
		db_close(f->db);
		f->db = NULL;
	}
	arena_free(a);
	return fate;
}

/* A quote inside a text is escaped in JSON: no mail can write this key. */
static struct slice
key_of(struct slice object, struct arena *a)
{
	return arena_printf(a, "\"gatehouse.release\":\"%.*s\"",
	    SLICE_ARG(object));
}

struct slice
track_released(struct track_fates *f, struct slice object,
    struct slice recipient, int64_t since, struct arena *a)
{
	struct slice id = SLICE_NONE, why;
	struct db_query *q;

	if (f->db == NULL && track_db_open(f->state, DB_READ, &f->db, a,
	    &why) != RC_OK)
		return SLICE_NONE;
	q = db_query(f->db, "SELECT m.qid, m.state FROM message m"
	    " JOIN finding e ON e.mid = m.mid"
	    " JOIN recipient r ON r.mid = m.mid"
	    " WHERE m.mid >= ?1 AND r.rkey = ?2 AND instr(e.raw, ?3)"
	    " AND m.qid NOT NULL");
	db_int(q, 1, track_mid(since * 1000));
	db_text(q, 2, track_key(a, recipient));
	db_text(q, 3, key_of(object, a));
	while (id.ptr == NULL && db_next(q) == DB_ROW)
		if (fate_of((enum track_state)db_column_int(q, 1)) ==
		    TRACK_FATE_ACCEPTED)
			id = db_column(q, 0, a);
	db_done(q);
	return id;
}

void
track_fates_close(struct track_fates *f)
{
	if (f == NULL)
		return;
	db_close(f->db);
	free(f->state);
	free(f);
}
