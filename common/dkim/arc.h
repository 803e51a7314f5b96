/*
 * arc - Authenticated Received Chain (RFC 8617), validated and sealed
 *
 * arc_read	collects the sets of a message: AAR, AMS and AS by instance,
 *		at most ARC_SETS. Structure is judged here (5.2, steps 1 to 3):
 *		ARC_FAIL and what is wrong with it, or else ARC_NONE: with a
 *		count, it is to be validated. No key, no hash. Of an older AMS
 *		only its i= has to be right: its sealers vouch for the rest
 * arc_names	the DNS names of all keys that validation will want (DNS_TXT):
 *		the newest AMS, and the AS of each set. As soon as the header
 *		block is there
 * arc_validate	steps 4 to 6: the newest AMS, then the AS of each set from the
 *		newest down; of a chain that passes, further AMS tell
 *		oldest-pass, as far down as their keys are known. lookup gives
 *		the answer of a name, or NULL when it is not known: that is a
 *		temperror of ours, ARC_FAIL with `temporary` set
 * arc_seal	the bodies of the three fields of the next set, as they stand
 *		in the message: ARC-Seal, ARC-Message-Signature,
 *		ARC-Authentication-Results (patch_insert takes them from the
 *		last to the first). For encrypt-sign, which calls it when all
 *		edits are done
 */
#ifndef DKIM_ARC_H
#define DKIM_ARC_H

#include <openssl/evp.h>

#include "dkim/dkim.h"

enum { ARC_SETS = 50 };

enum arc_status { ARC_NONE = 0, ARC_PASS, ARC_FAIL };

struct arc_set {
	size_t aar, ams, as;		/* indexes of fields, plus one; 0: none */
	struct dkim_signature message;	/* AMS */
	struct dkim_signature seal;	/* AS: d=, s=, a=, b=, t= */
	enum arc_status cv;		/* what its sealer said of the chain;
					   no word counts as ARC_FAIL */
	struct slice results;		/* AAR behind i=N; */
};

struct arc_chain {
	enum arc_status status;
	bool temporary;			/* a DNS failure, not theirs */
	unsigned count;			/* sets, when the structure is right */
	unsigned highest;		/* instance, whatever the structure */
	bool ended;			/* its newest seal says cv=fail: nobody
					   goes on with it (5.1) */
	struct arc_set *sets;		/* sets[0] is i=1; up to highest */
	unsigned oldest_pass;		/* RFC 8617, 5.2: 0 when all AMS pass */
	const char *rule;		/* static: "structure", "cv", "message",
					   "seal"; "pass", "none" */
	struct slice reason;		/* plain words */
};

void arc_read(struct arena *a, const struct message *msg,
    const struct dkim_limits *limits, struct arc_chain *chain_r);
size_t arc_names(struct arena *a, const struct arc_chain *chain,
    struct slice **names_r);
typedef const struct dns_answer *arc_lookup(void *arg, struct slice name);
void arc_validate(struct arena *a, struct arc_chain *chain,
    const struct message *msg, struct dkim_bodies *bodies,
    arc_lookup *lookup, void *arg, struct dkim_keys *keys,
    const struct dkim_limits *limits);

struct arc_sealer {
	struct slice domain, selector;
	EVP_PKEY *key;
	enum dkim_algorithm algorithm;
	struct slice authserv_id;
	struct slice signed_fields;	/* h= of the AMS, colon-separated;
					   SLICE_NONE: those of sign.h and
					   DKIM-Signature */
	enum dkim_canon header, body;
	int64_t now;
};

/*
 * results: the Authentication-Results text behind the authserv-id; chain: as
 * arc_validate left it, of this message before its edits. RC_BAD with *why_r
 * when there are 50 sets already, the chain has ended, its fields were edited
 * or the key does not fit; RC_RETRY when the chain could not be validated for
 * want of a key (a seal would make that a failure for ever) or libcrypto fails.
 */
enum rc arc_seal(struct arena *a, const struct message *msg,
    const struct arc_chain *chain, const struct arc_sealer *sealer,
    struct slice results, struct slice bodies_r[3], struct slice *why_r);

#endif
