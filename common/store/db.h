/*
 * db - an SQLite file, as we use one
 *
 * One writer process a file, WAL, synchronous=FULL (what was committed is on
 * the disk), values only as bound parameters, statements prepared once. Other
 * rooms have tables of their own in files of their own; the SQL stands where
 * the tables are owned, in string constants.
 *
 * db_open	opens, makes and upgrades; path NULL: one in memory. RC_RETRY:
 *		locked for longer than DB_BUSY_MS, disk full, I/O error, no
 *		permission. RC_BAD: the file is no database, is damaged,
 *		belongs to something else, or was written by a newer version
 *		that says that we cannot read it. *why_r has the path and what
 *		to do
 * db_query	the statement for this SQL, reset and with nothing bound. SQL is
 *		a string constant: the cache goes by its address. One that does
 *		not compile ends the process (it is our mistake). Valid until
 *		the next db_query with the same SQL
 * db_text ...	binds the parameters ?1, ?2 ...; text may be any bytes (SQLite
 *		keeps them), an absent slice is NULL. Bytes are borrowed until
 *		the next db_query for it, or db_run
 * db_next	the next row, or the end; DB_FAILED: ask db_trouble
 * db_run	steps to the end; RC_OK, RC_RETRY or RC_BAD as db_trouble.
 *		Resets it, so that no lock stays
 * db_done	resets a query whose rows are not all wanted
 * db_column ...	of the row that db_next came to. Text is copied into the
 *		arena; NULL gives SLICE_NONE
 * db_changes	rows that the last db_run changed: for conditional UPDATEs
 * db_begin, db_commit, db_rollback
 *		one transaction (IMMEDIATE); they do not nest. When db_commit
 *		fails nothing of it is in the file
 * db_trouble	what the last failure was: RC_RETRY, or RC_BAD for a damaged
 *		file; *why_r in the arena. A violated constraint is
 *		RC_BAD with db_conflict true
 * db_patience	another time than DB_BUSY_MS to wait for a lock of somebody else
 * db_check	PRAGMA quick_check (or integrity_check): RC_OK, or RC_BAD and
 *		what SQLite says first
 *
 * One thread at a time uses a db; a reader beside the writer opens another
 * (DB_READ: needs the file to be there, changes nothing, still sees what is
 * committed).
 */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "base/arena.h"
#include "base/rc.h"

enum {
	DB_BUSY_MS = 10000,
	DB_QUERIES = 96,		/* different ones of a db */
};

enum db_mode { DB_WRITE, DB_READ };
enum db_step { DB_ROW, DB_END, DB_FAILED };

/*
 * steps[n] brings a file of version n to n + 1 (a new file is version 0); NULL
 * at the end. A step only ever adds (tables, columns with defaults, indexes),
 * so that the version before still works with the file: `oldest` is the lowest
 * version of a program that does, counted as in steps.
 */
struct db_schema {
	int32_t application;		/* which of our files this is */
	const char *what;		/* "quarantine index", for messages */
	const char *remedy;		/* "run gatehouse store rebuild" */
	const char *const *steps;
	unsigned oldest;
};

struct db;
struct db_query;

enum rc db_open(const char *path, const struct db_schema *schema,
    enum db_mode mode, struct db **db_r, struct arena *a, struct slice *why_r);
void db_close(struct db *db);

struct db_query *db_query(struct db *db, const char *sql);
void db_text(struct db_query *q, int parameter, struct slice s);
void db_blob(struct db_query *q, int parameter, struct slice s);
void db_int(struct db_query *q, int parameter, int64_t value);
void db_null(struct db_query *q, int parameter);
enum db_step db_next(struct db_query *q);
enum rc db_run(struct db_query *q);
void db_done(struct db_query *q);
struct slice db_column(struct db_query *q, int column, struct arena *a);
int64_t db_column_int(struct db_query *q, int column);
bool db_column_null(struct db_query *q, int column);

int64_t db_changes(const struct db *db);
int64_t db_last_id(const struct db *db);
enum rc db_begin(struct db *db);
enum rc db_commit(struct db *db);
void db_rollback(struct db *db);

enum rc db_trouble(const struct db *db, struct arena *a, struct slice *why_r);
void db_patience(struct db *db, unsigned ms);
bool db_conflict(const struct db *db);
enum rc db_check(struct db *db, bool whole, struct arena *a,
    struct slice *why_r);

#endif
