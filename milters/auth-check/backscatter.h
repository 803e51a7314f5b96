/*
 * backscatter - bounces of mail that was never sent from here
 *
 * Who forges a sender has others send him the bounces. What we send out
 * carries a proof field (PROOF_FIELD), and its Message-ID with each recipient
 * stands in a filter for a week (backscatter_sent.h); a bounce that shows
 * neither is no answer to mail of ours. The envelope is never changed.
 *
 * proof_make	DAY.ID.MAC: today, a hash of the Message-ID (of nothing where
 *		there is none yet: Postfix may add it behind us), both under an
 *		HMAC-SHA256 with the site's key
 * proof_good	is this field ours, of the last SENT_DAYS, and of one of these
 *		Message-IDs (of any when the bounce shows none)?
 *
 * backscatter_start	opens filter and key, where they are wanted, in the
 *			daemon's state folder, or
 *			takes the filter over from before (NULL: none). A key
 *			is made there when none is configured. RC_BAD or
 *			RC_RETRY with *why_r
 * backscatter_out	a message goes out: notes it, gives its proof
 * backscatter_in	a message comes in: what it is, and whether it is proven
 */
#ifndef AUTH_CHECK_BACKSCATTER_H
#define AUTH_CHECK_BACKSCATTER_H

#include "backscatter_read.h"
#include "backscatter_sent.h"
#include "milter/filter.h"
#include "milter/seal.h"
#include "options.h"

struct backscatter {
	struct ndr_sent *sent;		/* NULL: never opened, or no daemon */
	bool off;
	struct seal_key key;
};

enum backscatter_proof {
	PROOF_NONE,			/* forged, as far as we can see */
	PROOF_HEADER,
	PROOF_PAIR,			/* Message-ID and recipient */
	PROOF_ID,			/* Message-ID; it shows no recipient */
	PROOF_LEARNING,			/* we have not listened long enough */
};

struct slice proof_make(struct arena *a, const struct seal_key *key,
    struct slice id, int64_t now);
bool proof_good(const struct seal_key *key, struct slice proof,
    const struct bounce_found *ids, int64_t now);

enum rc backscatter_start(const struct auth_check_conf *conf, bool wanted,
    const struct backscatter *before, const char *dir, struct backscatter *b,
    struct arena *a, struct slice *why_r);
struct slice backscatter_out(const struct job *job,
    const struct backscatter *b);
struct bounce *backscatter_in(const struct job *job,
    const struct backscatter *b, enum backscatter_proof *proof_r);

#endif
