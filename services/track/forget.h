/*
 * forget - everything that track.db holds of one address (GDPR, article 17)
 *
 * forget_open	refuses while a legal hold covers the address: STATE/track/
 *		legal-hold is a file with an address, a @domain or * on each
 *		line. NULL with *why_r; *held_r: that is why
 * forget_step	one day of the database, in a transaction of its own; true:
 *		there is more. What is found: sender, recipient, alias, login;
 *		the address within replies, events and events that wait for a
 *		SIEM. Addresses become "erased"; in events (JSON) each of their
 *		bytes becomes an x, so that the rest stays as it was
 * forget_proof	appends to STATE/track/erasures.json: when, for whom (user id),
 *		what was done, and HMAC-SHA-256 of the address under
 *		STATE/track/erase.key: who has the address can check that it was
 *		erased, who has the file only cannot list who asked
 *
 * The counts say how many rows were changed.
 */
#ifndef TRACK_FORGET_H
#define TRACK_FORGET_H

#include "track/db.h"

struct forget {
	struct arena *arena;
	const char *folder;		/* STATE/track */
	struct db *db;
	struct slice address, key;
	int64_t day, last;
	bool outbox_done;
	int64_t messages, recipients, findings, steps, waiting;
};

struct forget *forget_open(const char *folder, struct db *db,
    struct slice address, bool *held_r, struct arena *a,
    struct slice *why_r);
enum rc forget_step(struct forget *f, bool *more_r);
enum rc forget_proof(struct forget *f, int64_t uid, struct slice *why_r);
void forget_close(struct forget *f);

#endif
