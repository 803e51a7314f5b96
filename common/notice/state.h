/*
 * state - what notices must remember: a file of its own beside the index
 *
 * The index of the quarantine can be made again from the objects; tokens, what
 * was listed when, and mails on their way cannot. So they stand in notices.db,
 * which a rebuild does not touch. The store daemon is its one writer. A mail is
 * put into the file in the same transaction as the tokens that stand in it and
 * the note that it was made: a crash at any moment leaves all of that or
 * nothing, and a key keeps anything from being put in twice.
 *
 * state_open	the file; RC_RETRY, RC_BAD as db_open
 * state_put	a mail on its way, in the caller's transaction. *put_r false:
 *		there was one of this key, and nothing happened
 * state_known	is this Message-ID one of ours?
 * state_next	the mail that may be tried at `now`, oldest first; *found_r
 *		false when there is none. It counts as tried from here on: the
 *		next try is noted before the first byte goes out
 * state_sent, state_failed
 *		it was taken, or never will be: the text is forgotten, the key
 *		is kept
 * state_listed, state_list
 *		was this row in a digest before; now it is
 * state_served, state_serve
 *		the moment of the slot that a member's digest was made for
 *		last; 0 when there was none
 * state_count	one more of that name in this window of seconds; how many
 *		there are now
 * state_lapse	notes that a notice was left out, for the summary
 * state_lapsed	calls visit for each address whose window is over; in the order
 *		of addresses and causes
 * state_told	forgets the lapses of an address up to that number
 * state_sweep	removes what is older than `before`: keys, listed rows, tokens.
 *		At most STATE_SWEEP of each in one call; *more_r: call again
 */
#ifndef NOTICE_STATE_H
#define NOTICE_STATE_H

#include "store/token.h"

enum { STATE_SWEEP = 1000, STATE_BACKOFF = 60, STATE_BACKOFF_MOST = 3600 };

struct state_mail {
	struct slice key, message_id, recipient, message;
	bool body8;
	int64_t created;
	unsigned tries;
};

struct state_lapse {
	struct slice address, cause;
	int64_t since, count, upto;
};

enum rc state_open(const char *path, enum db_mode mode, struct db **db_r,
    struct arena *a, struct slice *why_r);
enum rc state_put(struct db *db, struct arena *a,
    const struct state_mail *mail, bool *put_r, struct slice *why_r);
enum rc state_known(struct db *db, struct arena *a, struct slice message_id,
    bool *known_r, struct slice *why_r);
enum rc state_next(struct db *db, struct arena *a, int64_t now,
    struct state_mail *mail_r, bool *found_r, struct slice *why_r);
enum rc state_sent(struct db *db, struct arena *a, struct slice key,
    struct slice reply, struct slice *why_r);
enum rc state_failed(struct db *db, struct arena *a, struct slice key,
    struct slice reply, struct slice *why_r);
enum rc state_listed(struct db *db, struct arena *a, struct slice object,
    struct slice recipient, bool *listed_r, struct slice *why_r);
enum rc state_list(struct db *db, struct arena *a, struct slice object,
    struct slice recipient, int64_t now, struct slice *why_r);
enum rc state_served(struct db *db, struct arena *a, struct slice member,
    int64_t *slot_r, struct slice *why_r);
enum rc state_serve(struct db *db, struct arena *a, struct slice member,
    int64_t slot, struct slice *why_r);
enum rc state_count(struct db *db, struct arena *a, struct slice name,
    int64_t window, int64_t now, int64_t *count_r, struct slice *why_r);
enum rc state_lapse(struct db *db, struct arena *a, struct slice address,
    struct slice cause, int64_t now, struct slice *why_r);
enum rc state_lapsed(struct db *db, struct arena *a, int64_t before,
    void (*visit)(const struct state_lapse *lapse, void *arg), void *arg,
    struct slice *why_r);
enum rc state_told(struct db *db, struct arena *a, struct slice address,
    int64_t upto, struct slice *why_r);
enum rc state_sweep(struct db *db, struct arena *a, int64_t now,
    int64_t before, bool *more_r, struct slice *why_r);
/* All members with a digest before, for empty ones. */
enum rc state_members(struct db *db, struct arena *a,
    void (*visit)(struct slice member, int64_t slot, void *arg), void *arg,
    struct slice *why_r);

#endif
