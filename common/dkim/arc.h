/*
 * arc - Authenticated Received Chain (RFC 8617), validated and sealed
 *
 * arc_read	collects the sets of a message: AAR, AMS and AS by instance,
 *		at most ARC_SETS. Structure is judged here (5.2, steps 1 to 3):
 *		none, or what is wrong with it. No key, no hash
 * arc_names	the DNS names of all keys that validation will want (DNS_TXT):
 *		the newest AMS, and the AS of each set. As soon as the header
 *		block is there
 * arc_validate	steps 4 to 6: the newest AMS, then the AS of each set from the
 *		newest down; further AMS tell oldest-pass (5.2, 5.1.1 of the
 *		algorithm). lookup gives the answer of a name, or NULL when it
 *		is not known: that is a temperror of ours, ARC_FAIL with
 *		`temporary` set
 * arc_seal	the three fields of the next set, newest first, ready for
 *		patch_insert: ARC-Seal, ARC-Message-Signature,
 *		ARC-Authentication-Results. For encrypt-sign, which calls it
 *		when all edits are done
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
	enum arc_status cv;		/* what its sealer said of the chain */
	struct slice results;		/* AAR behind i=N; */
};

struct arc_chain {
	enum arc_status status;
	bool temporary;			/* a DNS failure, not theirs */
	unsigned count;
	struct arc_set *sets;		/* sets[0] is i=1 */
	unsigned oldest_pass;		/* RFC 8617, 5.2: 0 when all AMS pass */
	const char *rule;		/* static: "structure", "cv", "seal" ... */
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
	struct slice signed_fields;	/* h= of the AMS, colon-separated */
	enum dkim_canon header, body;
	int64_t now;
};

/* results: the Authentication-Results text behind the authserv-id; chain: as
 * arc_validate left it. RC_BAD with *why_r when there are 50 sets already or
 * the key does not fit. */
enum rc arc_seal(struct arena *a, const struct message *msg,
    const struct arc_chain *chain, const struct arc_sealer *sealer,
    struct slice results, struct slice bodies_r[3], struct slice *why_r);

#endif
