/*
 * token - what lets somebody do one thing, once or for a while (links in mails)
 *
 * A token is 128 random bits, written as 26 letters and digits (base32 of RFC
 * 4648, lower case, without padding; letter case does not matter). Only its
 * SHA-256 is kept, with what it is good for: one purpose, one object, one
 * recipient, until a time, a number of times. For anything else it is as good
 * as no token at all, and no caller can tell why: unknown, wrong purpose or
 * object or recipient, expired, spent, revoked, malformed and locked out are
 * all RC_BAD and nothing else.
 *
 * All calls work on an open database of the one writer (the store daemon).
 * RC_RETRY with *why_r: the database's trouble (locked, full disk). Times are
 * seconds since 1970 (clock_wall); the caller gives them.
 *
 * token_schema	SQL that makes the table: a step of the schema of the file
 *		that holds it
 * token_issue	a new token for what spec says; text_r is the only place where
 *		its text ever stands. Not for an expiry in the past: RC_BAD
 * token_check	is it good for this? Changes nothing. *row_r gets the row
 *		(slices in the arena). object or recipient of want may be
 *		absent (SLICE_NONE) where the token itself is what names them:
 *		then they come from the row, and purpose and time still count
 * token_spend	the same, and takes one use: a single conditional update, so of
 *		any number at the same time as many succeed as uses are left
 * token_return	gives one use back: what it was spent for could not be begun
 * token_revoke	ends all tokens of an object, or of one recipient of it
 *		(recipient not SLICE_NONE); *count_r may be NULL
 * token_sweep	deletes rows that expired before now - TOKEN_GRACE, at most
 *		TOKEN_SWEEP in one call; *count_r says how many went, so the
 *		caller knows whether to call again
 * token_prefix	what of a token a log may hold: its first six characters
 *		and "...", without control characters, whatever came in
 *
 * token_derive	a token that whoever has the key can make again: the first 128
 *		bits of an HMAC-SHA256 of `name`. For who must hand it out
 *		before the one writer knows of it. hex_r gets the hash that
 *		stands for it. False: it cannot be made
 * token_hash	that hash of a token's text; false: malformed
 * token_write, token_read
 *		a token's bytes as text and back; false: malformed. These four
 *		are pure and need no data base
 *
 * The guard counts wrong tokens of a peer (an address of the net, a user, a
 * sender: the caller knows), and after TOKEN_TRIES of them in TOKEN_WINDOW
 * seconds answers for it without looking, until the window has passed. It
 * lives in memory, has room for TOKEN_PEERS peers and forgets the oldest.
 *
 * guard_open	false: this peer is locked out, answer RC_BAD
 * guard_wrong	one more wrong token; true when this one locked it out (log it)
 * guard_right	forgets his wrong ones
 *
 * Not for several threads without a lock of the caller.
 */
#ifndef STORE_TOKEN_H
#define STORE_TOKEN_H

#include "store/db.h"

enum token_purpose {
	TOKEN_NONE = 0,			/* zeroed is good for nothing */
	TOKEN_RELEASE,			/* one held message to one recipient */
	TOKEN_VIEW,			/* look at it */
	TOKEN_DIGEST,			/* a restricted session: own list */
	TOKEN_DOWNLOAD,			/* one file */
	TOKEN_INVITE,			/* web mailer: one mailbox */
	TOKEN_APPROVE,			/* archive access: one request */
	TOKEN_PURPOSES
};

enum {
	TOKEN_BYTES = 16,
	TOKEN_TEXT = 26,		/* letters and digits of a token */
	TOKEN_GRACE = 2 * 86400,	/* a clock that jumps a day ahead and
					   back costs nobody his token */
	TOKEN_SWEEP = 10000,
	TOKEN_TRIES = 10,
	TOKEN_WINDOW = 900,
	TOKEN_PEERS = 4096
};

struct token_spec {
	enum token_purpose purpose;
	struct slice object;		/* 32 hex of an object, or any name */
	struct slice recipient;		/* as scope_address gives it */
	int64_t expires;
	unsigned uses;			/* 0 counts as 1 */
};

struct token_row {
	enum token_purpose purpose;
	struct slice object, recipient;
	int64_t created, expires;
	unsigned uses;			/* left, after the call */
};

extern const char token_schema[];

enum rc token_issue(struct db *db, struct arena *a,
    const struct token_spec *spec, int64_t now, char text_r[TOKEN_TEXT + 1],
    struct slice *why_r);
enum rc token_check(struct db *db, struct arena *a, struct slice text,
    const struct token_spec *want, int64_t now, struct token_row *row_r,
    struct slice *why_r);
enum rc token_spend(struct db *db, struct arena *a, struct slice text,
    const struct token_spec *want, int64_t now, struct token_row *row_r,
    struct slice *why_r);
enum rc token_return(struct db *db, struct arena *a, struct slice text,
    struct slice *why_r);
enum rc token_revoke(struct db *db, struct arena *a, struct slice object,
    struct slice recipient, unsigned *count_r, struct slice *why_r);
enum rc token_sweep(struct db *db, struct arena *a, int64_t now,
    unsigned *count_r, struct slice *why_r);
bool token_derive(struct slice key, struct slice name,
    char text_r[TOKEN_TEXT + 1], char hex_r[65]);
bool token_hash(struct slice text, char hex_r[65]);
void token_write(const unsigned char bytes[TOKEN_BYTES],
    char text_r[TOKEN_TEXT + 1]);
bool token_read(struct slice text, unsigned char bytes[TOKEN_BYTES]);
struct slice token_prefix(struct arena *a, struct slice text);
const char *token_purpose_name(enum token_purpose purpose);

struct token_guard;

struct token_guard *guard_new(void);
bool guard_open(struct token_guard *guard, struct slice peer, int64_t now);
bool guard_wrong(struct token_guard *guard, struct slice peer, int64_t now);
void guard_right(struct token_guard *guard, struct slice peer);
void guard_free(struct token_guard *guard);

#endif
