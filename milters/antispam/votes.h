/*
 * votes - what users say of their mail, and when it is believed
 *
 * Somebody who has authenticated says that a message is spam, or is none (he
 * let it out of the quarantine). One user may be wrong, or mean it ill: what he
 * says is noted, and is learned (learned.h) once VOTES_AGREE users have said
 * the same of one campaign or thread (train_group) in the last VOTES_DAYS days;
 * of each the last word counts. From then on each further message of it is
 * learned too. What an administrator says is learned at once. At most
 * VOTES_A_DAY of one user count in a day, so what some users together can teach
 * in a day is bounded.
 *
 * votes_known	has he said that of it before? key names the message
 * votes_cast	notes a vote, and learns where it is to be. Twice is once. In
 *		both files nothing is lost by a kill between: it is learned
 *		first, and a vote that is cast again learns the same message
 *
 * Kept in dir: "votes", a line each, with hashes of users, no address. RC_RETRY
 * with *why_r: disk, lock. Lines that are none are passed over.
 */
#ifndef ANTISPAM_VOTES_H
#define ANTISPAM_VOTES_H

#include "learned.h"

enum { VOTES_AGREE = 2, VOTES_A_DAY = 20, VOTES_DAYS = 30,
    VOTES_BYTES = 4 << 20 };

enum vote_result { VOTE_NOTED, VOTE_LEARNED, VOTE_KNOWN, VOTE_TOO_MANY };

struct vote {
	struct learned_record record;
	struct slice key;		/* of the message: an object, an id */
	struct slice by;		/* address of the user */
	bool admin;
};

enum rc votes_known(const char *dir, const struct vote *v, bool *known_r,
    struct arena *a, struct slice *why_r);
enum rc votes_cast(const char *dir, const struct vote *v,
    const struct features *f, enum vote_result *result_r, struct arena *a,
    struct slice *why_r);

#endif
