/*
 * dkim - signatures of a message (RFC 6376, 8301, 8463), read and verified
 *
 * dkim_signatures	reads all DKIM-Signature fields of a message, in its
 *			order, at most `max`; what is malformed is in the list
 *			too, with its result set. Cheap: no key, no hash
 * dkim_signature	the same for one field alone, as soon as it arrives
 * dkim_key_name	the DNS name of a signature's key; ask for DNS_TXT
 * dkim_verify		verifies one signature with the answer for its key name.
 *			Pure but for the caches: dkim_bodies keeps what was
 *			hashed of this message, so signatures that canonicalise
 *			the body alike share one hash
 *
 * What decides (rule) is said in plain words in reason, and stands alone: a
 * signature that verifies is still DKIM_POLICY or DKIM_FAIL where RFC 8301
 * (rsa-sha1, keys under 1024 bits), an expired x=, an l= that does not cover
 * the whole body, or a From that it does not sign says so.
 *
 * A message and its bodies belong to one thread; the key cache (key.h) is
 * shared and thread-safe.
 */
#ifndef DKIM_DKIM_H
#define DKIM_DKIM_H

#include "mime/message.h"
#include "net/dns.h"

enum dkim_result { DKIM_NONE = 0, DKIM_PASS, DKIM_FAIL, DKIM_POLICY,
    DKIM_NEUTRAL, DKIM_TEMPERROR, DKIM_PERMERROR };	/* RFC 8601, 2.7.1 */

enum dkim_algorithm { DKIM_RSA_SHA1, DKIM_RSA_SHA256, DKIM_ED25519_SHA256 };
enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED };

enum {
	DKIM_SIGNATURES = 10,		/* verified at most, of one message */
	DKIM_NAMES = 500,		/* in h= */
	DKIM_RECORDS = 4		/* key records tried for one signature */
};

struct dkim_limits {
	unsigned signatures;		/* more are DKIM_POLICY, not verified */
	unsigned min_rsa_bits;		/* 1024 (RFC 8301, 3.2) */
	unsigned max_rsa_bits;		/* 8192: larger ones cost too much */
	bool allow_partial;		/* l= shorter than the body may pass */
	int64_t now;			/* for t= and x= */
	int64_t skew;			/* seconds a t= may lie ahead */
};

extern const struct dkim_limits dkim_limits_default;	/* set now */

struct dkim_signature {
	size_t index;			/* of its field in the message */
	enum dkim_result result;	/* DKIM_NONE: well-formed, to be verified */
	const char *rule;		/* static: "expired", "body-hash" ... */
	struct slice reason;		/* plain words, printable ASCII */
	enum dkim_algorithm algorithm;
	enum dkim_canon header, body;
	struct slice domain, selector;	/* d= s=, A-labels, lower case */
	struct slice identity;		/* i=, default @d */
	struct slice b_short;		/* first 8 characters of b= (RFC 6008) */
	struct slice signed_fields;	/* h= as written */
	struct slice b, bh;		/* decoded */
	size_t b_at, b_len;		/* the value of b= in the field's body */
	bool has_length;
	uint64_t length;		/* l= */
	int64_t time, expires;		/* t=, x=; -1: absent */
	unsigned key_bits;		/* after dkim_verify */
	bool testing;			/* the key says t=y */
	bool partial;			/* l= leaves part of the body unsigned */
};

struct dkim_bodies;			/* hashes of one message's body */

size_t dkim_signatures(struct arena *a, const struct message *msg,
    const struct dkim_limits *limits, struct dkim_signature **list_r);
void dkim_signature(struct arena *a, const struct field *field,
    const struct dkim_limits *limits, struct dkim_signature *sig_r);
/* False when there is none to ask for (a malformed one). */
bool dkim_key_name(struct arena *a, const struct dkim_signature *sig,
    struct slice *name_r);

struct dkim_bodies *dkim_bodies_new(struct arena *a,
    const struct message *msg);
struct dkim_keys;
void dkim_verify(struct arena *a, struct dkim_signature *sig,
    const struct message *msg, struct dkim_bodies *bodies,
    const struct dns_answer *key, struct dkim_keys *keys,
    const struct dkim_limits *limits);

/* "pass", "fail", ... (RFC 8601, 2.7.1). */
const char *dkim_result_name(enum dkim_result result);
const char *dkim_algorithm_name(enum dkim_algorithm algorithm);

#endif
