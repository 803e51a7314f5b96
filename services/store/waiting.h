/*
 * waiting - mail that waits for a second look, and goes on by itself
 *
 * Deferred mail (cause deferred) is given back to Postfix when its time has
 * come, to be scanned again; mail for a sandbox (cause sandbox) when the
 * sandbox has called it clean. The way back is the one of every release
 * (release.c): claimed, written down, sent with a mark, tried again, so a kill
 * at any moment neither loses nor doubles it. Both have a deadline, from when
 * the mail came in, and a fallback: hold it for an administrator, or deliver
 * it, which the mark tells to the filters.
 *
 * The order that is kept: of mail that waits as deferred from one sender to one
 * recipient, what came first is settled (taken by Postfix, caught, or held for
 * an administrator) before the next is given back. First means by the second
 * of its MAIL command, and within one by Postfix's queue id where that is a
 * long one. Mail that does not wait overtakes.
 *
 * A row that has been tried (tries > 0) and is held is an administrator's: it
 * does not go on by itself.
 *
 * waiting_due		moves to releasing what may go; release_due sends it
 * waiting_wake		... at once: something has changed
 * waiting_last		is its deadline over, and is it to be delivered then?
 * waiting_late		is its deadline over, and is it to be held then? Both
 *			are false for mail that does not wait
 * waiting_settled	a release of such a row ended in that state
 */
#ifndef STORE_WAITING_H
#define STORE_WAITING_H

#include "services/store/control.h"

enum {
	WAITING_ROWS = 10000,		/* looked at, the oldest, each time */
	WAITING_LOOK_MS = 60 * 1000,	/* at least so often */
};

/* Who acts when it is the sandbox that could not tell: to the end of it. */
#define WAITING_UNTOLD	"sandbox (no answer)"

void waiting_due(struct store *s);
void waiting_wake(struct store *s);
bool waiting_last(const struct store_conf *conf,
    const struct house_conf *house, const struct store_row *row, int64_t now);
bool waiting_late(const struct store_conf *conf,
    const struct house_conf *house, const struct store_row *row, int64_t now);
void waiting_settled(struct store *s, const struct store_row *row,
    enum store_state state);

/* Moves a held row to releasing, due at once. Inside the vault. */
enum rc waiting_let_go(struct store *s, const struct store_row *row,
    struct slice actor, struct slice reply, struct arena *a, bool *moved_r,
    struct slice *why_r);
/* Leaves it held, for an administrator, and says why. Inside the vault. */
enum rc waiting_keep(struct store *s, const struct store_row *row,
    struct slice actor, struct slice reply, struct arena *a, bool *moved_r,
    struct slice *why_r);

/* What is set for that mail. */
struct waiting_terms {
	int64_t after, deadline;	/* s, from when it came in */
	enum waiting_fallback fallback;
	enum waiting_catch malicious, suspicious;
};

void waiting_terms(const struct store_conf *conf,
    const struct house_conf *house, const struct store_row *row,
    struct waiting_terms *terms_r);

/* When it goes on by itself, or its deadline is; 0: it does not wait (any
 * more). */
int64_t waiting_until(struct store *s, const struct store_row *row);

extern const struct operation waiting_operations[];

#endif
