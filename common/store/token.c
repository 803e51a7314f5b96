#include "store/token.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/buf.h"

enum { PREFIX = 6 };

/* The hash is the key: who reads the table learns no token, and a lookup by it
 * tells nothing by the time it takes. */
const char token_schema[] =
    "CREATE TABLE token ("
    "  hash BLOB PRIMARY KEY NOT NULL,"
    "  purpose INTEGER NOT NULL,"
    "  object TEXT NOT NULL,"
    "  recipient TEXT NOT NULL,"
    "  created INTEGER NOT NULL,"
    "  expires INTEGER NOT NULL,"
    "  uses INTEGER NOT NULL,"
    "  spent INTEGER NOT NULL DEFAULT 0"	/* when; 0: not yet */
    ") WITHOUT ROWID;"
    "CREATE INDEX token_object ON token (object, recipient);"
    "CREATE INDEX token_expires ON token (expires);";

static const char *const purposes[TOKEN_PURPOSES] = { "none", "release",
    "view", "digest", "download", "invite", "approve" };

const char *
token_purpose_name(enum token_purpose purpose)
{
	return purposes[purpose < TOKEN_PURPOSES ? purpose : TOKEN_NONE];
}

static struct slice
hash_of(struct arena *a, const unsigned char bytes[TOKEN_BYTES])
{
	unsigned char *hash = arena_alloc(a, SHA256_DIGEST_LENGTH);

	SHA256(bytes, TOKEN_BYTES, hash);
	return slice_make(hash, SHA256_DIGEST_LENGTH);
}

struct slice
token_prefix(struct arena *a, struct slice text)
{
	struct buf b = buf_in(a);

	for (size_t i = 0; i < text.len && i < PREFIX; i++)
		buf_addc(&b, ascii_alnum(text.ptr[i]) ? text.ptr[i] : '?');
	buf_adds(&b, "...");
	return buf_slice(&b);
}

enum rc
token_issue(struct db *db, struct arena *a, const struct token_spec *spec,
    int64_t now, char text_r[TOKEN_TEXT + 1], struct slice *why_r)
{
	unsigned char bytes[TOKEN_BYTES];
	struct db_query *q;

	if (spec->purpose == TOKEN_NONE || spec->purpose >= TOKEN_PURPOSES ||
	    spec->object.ptr == NULL || spec->recipient.ptr == NULL ||
	    spec->expires <= now) {
		*why_r = SLICE("such a token would be good for nothing");
		return RC_BAD;
	}
	if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
		*why_r = SLICE("the kernel gives no random bytes");
		return RC_RETRY;
	}
	q = db_query(db, "INSERT INTO token (hash, purpose, object, "
	    "recipient, created, expires, uses) "
	    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
	db_blob(q, 1, hash_of(a, bytes));
	db_int(q, 2, spec->purpose);
	db_text(q, 3, spec->object);
	db_text(q, 4, spec->recipient);
	db_int(q, 5, now);
	db_int(q, 6, spec->expires);
	db_int(q, 7, spec->uses > 0 ? spec->uses : 1);
	token_write(bytes, text_r);
	OPENSSL_cleanse(bytes, sizeof bytes);
	return db_run(q) == RC_OK ? RC_OK : db_trouble(db, a, why_r);
}

static void
take_row(struct db_query *q, struct arena *a, struct token_row *row_r)
{
	*row_r = (struct token_row){
		.purpose = (enum token_purpose)db_column_int(q, 0),
		.object = db_column(q, 1, a),
		.recipient = db_column(q, 2, a),
		.created = db_column_int(q, 3),
		.expires = db_column_int(q, 4),
		.uses = (unsigned)db_column_int(q, 5),
	};
}

#define GOOD_FOR \
    " WHERE hash = ?1 AND purpose = ?2 AND (?3 IS NULL OR object = ?3)" \
    " AND (?4 IS NULL OR recipient = ?4) AND expires > ?5 AND uses > 0"
#define COLUMNS	"purpose, object, recipient, created, expires, uses"

/* Both ways to ask; one row or none. What is malformed goes the same way, so
 * that its answer takes the same time. */
static enum rc
ask(struct db *db, const char *sql, struct arena *a, struct slice text,
    const struct token_spec *want, int64_t now, struct token_row *row_r,
    struct slice *why_r)
{
	struct db_query *q = db_query(db, sql);
	unsigned char bytes[TOKEN_BYTES] = { 0 };
	bool whole = token_read(text, bytes), found = false;
	enum db_step step;

	db_blob(q, 1, whole ? hash_of(a, bytes) : SLICE("-"));
	OPENSSL_cleanse(bytes, sizeof bytes);
	db_int(q, 2, want->purpose);
	db_text(q, 3, want->object);
	db_text(q, 4, want->recipient);
	db_int(q, 5, now);
	while ((step = db_next(q)) == DB_ROW) {
		take_row(q, a, row_r);
		found = true;
	}
	if (step == DB_FAILED)
		return db_trouble(db, a, why_r);
	*why_r = found ? SLICE("") : SLICE("no such token");
	return found ? RC_OK : RC_BAD;
}

enum rc
token_check(struct db *db, struct arena *a, struct slice text,
    const struct token_spec *want, int64_t now, struct token_row *row_r,
    struct slice *why_r)
{
	return ask(db, "SELECT " COLUMNS " FROM token" GOOD_FOR, a, text,
	    want, now, row_r, why_r);
}

enum rc
token_spend(struct db *db, struct arena *a, struct slice text,
    const struct token_spec *want, int64_t now, struct token_row *row_r,
    struct slice *why_r)
{
	return ask(db, "UPDATE token SET uses = uses - 1, spent = ?5" GOOD_FOR
	    " RETURNING " COLUMNS, a, text, want, now, row_r, why_r);
}

enum rc
token_return(struct db *db, struct arena *a, struct slice text,
    struct slice *why_r)
{
	struct db_query *q = db_query(db, "UPDATE token SET uses = uses + 1 "
	    "WHERE hash = ?1 AND spent > 0");
	unsigned char bytes[TOKEN_BYTES];

	if (!token_read(text, bytes)) {
		*why_r = SLICE("no such token");
		return RC_BAD;
	}
	db_blob(q, 1, hash_of(a, bytes));
	OPENSSL_cleanse(bytes, sizeof bytes);
	return db_run(q) == RC_OK ? RC_OK : db_trouble(db, a, why_r);
}

enum rc
token_revoke(struct db *db, struct arena *a, struct slice object,
    struct slice recipient, unsigned *count_r, struct slice *why_r)
{
	struct db_query *q = db_query(db, "UPDATE token SET uses = 0 WHERE "
	    "object = ?1 AND (?2 IS NULL OR recipient = ?2) AND uses > 0");

	db_text(q, 1, object);
	db_text(q, 2, recipient);
	if (db_run(q) != RC_OK)
		return db_trouble(db, a, why_r);
	if (count_r != NULL)
		*count_r = (unsigned)db_changes(db);
	return RC_OK;
}

enum rc
token_sweep(struct db *db, struct arena *a, int64_t now, unsigned *count_r,
    struct slice *why_r)
{
	struct db_query *q = db_query(db, "DELETE FROM token WHERE hash IN "
	    "(SELECT hash FROM token WHERE expires < ?1 LIMIT ?2)");

	db_int(q, 1, now - TOKEN_GRACE);
	db_int(q, 2, TOKEN_SWEEP);
	if (db_run(q) != RC_OK)
		return db_trouble(db, a, why_r);
	if (count_r != NULL)
		*count_r = (unsigned)db_changes(db);
	return RC_OK;
}
