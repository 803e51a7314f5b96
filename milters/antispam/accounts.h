/*
 * accounts - what our senders usually send (account.h), for all threads
 *
 * Two tables of keyed hashes (base/keyed_table.h) in a folder: "accounts",
 * which has their names too, for they are ours and somebody has to find them;
 * and "partners", hashes of account and recipient, which says who wrote to whom
 * before, and names nobody.
 *
 * accounts_open	as campaign_open (campaign.h)
 * accounts_mail	counts a message of an account that is not blocked;
 *			blocks it when that is a sudden change. *seen_r says how
 *			it stands. Recipients of a blocked account do not become
 *			known ones
 *
 * For commands, beside the daemon:
 *
 * accounts_map		the table in that folder; NULL with *why_r. To be given
 *			back with accounts_drop
 * accounts_each	calls visit for each account
 * accounts_release	lets its mail go on; false: it is not there, or not
 *			blocked
 * accounts_forget	what was known of it is gone; false: it was not there
 *
 * Names are compared without letter case. Any thread. A process that is killed
 * leaves what it had written; a count may be wrong by one message.
 */
#ifndef ANTISPAM_ACCOUNTS_H
#define ANTISPAM_ACCOUNTS_H

#include "account.h"
#include "base/arena.h"
#include "base/rc.h"

enum { ACCOUNTS_MAX = 1 << 20, ACCOUNTS_PARTNERS = 16 };

struct accounts;

struct accounts_mail {
	struct slice account;
	const struct slice *recipients;	/* those outside, as they came */
	size_t n;
	double chance;			/* of spam */
	const struct sketch *text;	/* NULL: too short */
	struct account_limits limits;
	int64_t now;
};

struct accounts_seen {
	bool blocked, begins;		/* by this message */
	int64_t since;
	struct slice words;		/* why; in the arena */
};

enum rc accounts_open(const char *dir, unsigned entries,
    struct accounts *before, struct accounts **t_r, const char **anew_r,
    struct arena *a, struct slice *why_r);
void accounts_drop(struct accounts *t);
unsigned accounts_entries(const struct accounts *t);
void accounts_mail(struct accounts *t, const struct accounts_mail *m,
    struct arena *a, struct accounts_seen *seen_r);

struct accounts *accounts_map(const char *dir, unsigned entries, bool write,
    struct arena *a, struct slice *why_r);
void accounts_each(struct accounts *t,
    void (*visit)(const struct account *account, void *arg), void *arg);
bool accounts_release(struct accounts *t, struct slice name, int64_t now,
    struct arena *a);
bool accounts_forget(struct accounts *t, struct slice name, struct arena *a);

#endif
