#include "services/track/expire.h"

#include "base/clock.h"
#include "log/log.h"
#include "track/stamp.h"

enum { JUMP_S = 3600, HOUR_MS = 3600 * 1000 };

/* Does the clock go as time does? */
static bool
trusted(struct expire *e)
{
	int64_t now = clock_mono(), offset = clock_wall() - now / 1000;
	int64_t jump = offset - e->offset;

	if (!e->begun) {
		*e = (struct expire){ .begun = true, .offset = offset,
		    .day = INT64_MIN };
		return true;
	}
	if (jump > -JUMP_S && jump < JUMP_S) {
		/* Slow corrections are followed. */
		if (e->paused == 0)
			e->offset = offset;
		e->paused = 0;
		return true;
	}
	if (e->paused == 0) {
		log_warning("the clock jumped by %lld s; nothing expires "
		    "for a day, or until it is back", (long long)jump);
		e->paused = now + 24 * HOUR_MS;
	}
	if (now < e->paused)
		return false;
	e->offset = offset;
	e->paused = 0;
	return true;
}

static int64_t
ask(struct db *db, const char *sql, int64_t a, int64_t none)
{
	struct db_query *q = db_query(db, sql);
	int64_t n = none;

	db_int(q, 1, a);
	if (db_next(q) == DB_ROW && !db_column_null(q, 0))
		n = db_column_int(q, 0);
	db_done(q);
	return n;
}

static enum rc
delete_before(struct db *db, int64_t mid)
{
	static const char *const sql[] = {
		"DELETE FROM recipient WHERE mid < ?1",
		"DELETE FROM finding WHERE mid < ?1",
		"DELETE FROM step WHERE mid < ?1",
		"DELETE FROM object WHERE mid < ?1",
		"DELETE FROM pending WHERE mid < ?1",
		"DELETE FROM message WHERE mid < ?1",
	};
	enum rc rc = db_begin(db);

	for (int i = 0; i < 6 && rc == RC_OK; i++) {
		struct db_query *q = db_query(db, sql[i]);

		db_int(q, 1, mid);
		rc = db_run(q);
	}
	if (rc == RC_OK)
		return db_commit(db);
	db_rollback(db);
	return rc;
}

/* One day of messages an hour. */
static bool
may_begin(struct expire *e, int64_t day)
{
	if (e->day == day)
		return true;
	if (e->day != INT64_MIN && clock_mono() - e->day_since < HOUR_MS)
		return false;
	e->day = day;
	e->day_since = clock_mono();
	return true;
}

enum rc
expire_step(struct expire *e, struct db *db, int64_t keep, bool *more_r)
{
	int64_t limit, oldest, day, end;

	*more_r = false;
	if (!trusted(e))
		return RC_OK;
	limit = track_mid(clock_wall() * 1000 - keep);
	oldest = ask(db, "SELECT min(mid) FROM message WHERE mid > ?1", -1,
	    INT64_MAX);
	if (oldest >= limit)
		return RC_OK;
	day = stamp_day(track_ms(oldest));
	if (!may_begin(e, day))
		return RC_OK;
	end = track_mid((day + 1) * TRACK_DAY_MS);
	if (end > limit)
		end = limit;
	oldest = ask(db, "SELECT mid FROM message WHERE mid > ?1"
	    " ORDER BY mid LIMIT 1 OFFSET 500", -1, end);
	*more_r = oldest < end;
	return delete_before(db, oldest < end ? oldest : end);
}
