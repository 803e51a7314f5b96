/* What is too old goes; a clock that jumps takes nothing with it (T28). */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/log.h"
#include "services/track/expire.h"
#include "t/tap.h"

enum { DAY = 86400, TODAY = 20000 };	/* days since 1970 */

static char dir[] = "/tmp/gatehouse-expire-XXXXXX";
static struct arena *arena;

static void
clear(void)
{
	static const char *const files[] = { "track.db", "track.db-wal",
	    "track.db-shm" };
	char path[300];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/track/%s", dir, files[i]);
		unlink(path);
	}
}

/* Ten messages on each of the last n days, with all that belongs to them. */
static struct db *
filled(int days)
{
	static const char *const sql[] = {
		"INSERT INTO message(mid, day, state, last, begun)"
		" VALUES(?1, 0, 3, 0, 1)",
		"INSERT INTO recipient(mid, rcpt, day, rkey, fate, t, tries)"
		" VALUES(?1, 'a', 0, '@a', 2, 0, 1)",
		"INSERT INTO finding(mid, day, t, raw) VALUES(?1, 0, 0, '{}')",
		"INSERT INTO step(mid, t, what) VALUES(?1, 0, 'x')",
		"INSERT INTO object VALUES('o', ?1)",
	};
	struct slice why = SLICE("");
	struct db *db;

	clear();
	if (track_db_open(dir, DB_WRITE, &db, arena, &why) != RC_OK) {
		tap_ok(false, "track_db_open: %.*s", SLICE_ARG(why));
		exit(tap_done());
	}
	db_begin(db);
	for (int day = 0; day < days; day++) {
		for (int i = 0; i < 10; i++) {
			int64_t t = (int64_t)(TODAY - day) * DAY + i * 3600;

			for (size_t n = 0; n < sizeof sql / sizeof *sql; n++) {
				struct db_query *q = db_query(db, sql[n]);

				db_int(q, 1, track_mid(t * 1000));
				db_run(q);
			}
		}
	}
	db_commit(db);
	return db;
}

static int64_t
count(struct db *db, const char *sql)
{
	struct db_query *q = db_query(db, sql);
	int64_t n = -1;

	if (db_next(q) == DB_ROW)
		n = db_column_int(q, 0);
	db_done(q);
	return n;
}

static int64_t
messages(struct db *db)
{
	return count(db, "SELECT count(*) FROM message");
}

/* As the daemon does it: again while there is more. */
static void
run(struct expire *e, struct db *db, int64_t days)
{
	bool more = true;

	for (int i = 0; i < 1000 && more; i++)
		if (expire_step(e, db, days * DAY * 1000, &more) != RC_OK)
			tap_ok(false, "expire_step");
}

static void
age(void)
{
	struct expire e = { 0 };
	struct db *db = filled(6);

	clock_pin((int64_t)TODAY * DAY + 10 * 3600);
	run(&e, db, 45);
	tap_is_int(messages(db), 60, "nothing is too old");
	/* Five days before noon: of the sixth day nine are too old. */
	run(&e, db, 5);
	tap_is_int(messages(db), 50, "what is too old goes, to the hour");
	tap_ok(count(db, "SELECT (SELECT count(*) FROM recipient) = 50 AND"
	    " (SELECT count(*) FROM finding) = 50 AND (SELECT count(*) FROM"
	    " step) = 50 AND (SELECT count(*) FROM object) = 50") == 1,
	    "with all that belongs to it");
	run(&e, db, 1);
	tap_is_int(messages(db), 50, "no more than a day in an hour");
	db_close(db);
}

static void
jumps(void)
{
	struct expire e = { 0 };
	struct db *db = filled(6);
	int64_t now = (int64_t)TODAY * DAY + 10 * 3600;

	clock_pin(now);
	run(&e, db, 45);
	clock_pin(now + (int64_t)4000 * DAY);	/* 2035 */
	run(&e, db, 45);
	tap_is_int(messages(db), 60, "a jump of years: nothing goes");
	clock_pin(now - 2 * DAY);
	run(&e, db, 45);
	tap_is_int(messages(db), 60, "nor with a jump back");
	clock_pin(now);
	run(&e, db, 5);
	tap_is_int(messages(db), 50, "the clock is right again: it goes on");
	db_close(db);
	/* It was wrong before we started: still a day an hour. */
	db = filled(6);
	e = (struct expire){ 0 };
	clock_pin((int64_t)24855 * DAY);	/* 2038 */
	run(&e, db, 45);
	tap_is_int(messages(db), 50, "wrong from the start: one day only");
	db_close(db);
}

int
main(void)
{
	char path[300];

	arena = arena_new();
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/track", dir);
	mkdir(path, 0700);
	age();
	jumps();
	clear();
	rmdir(path);
	rmdir(dir);
	arena_free(arena);
	return tap_done();
}
