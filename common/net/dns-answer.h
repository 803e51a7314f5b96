/*
 * dns-answer - what came back, read once and shared (inside the net room)
 *
 * An answer is one block of memory that never changes after it was made;
 * threads share it by counting who holds it.
 *
 * dns_key	type and name as the bytes that maps are keyed by: two bytes
 *		of type, then the name in lower case. 0 when the name cannot
 *		be asked: empty, over 253 bytes, an empty label or one over 63
 * dns_escape	a key's name as libunbound reads names (RFC 1035, 5.1: what
 *		is no letter, digit, - or _ as \DDD, so that a byte from mail
 *		is never taken for syntax), with a NUL at its end
 * answer_read	the records of an answer from their wire form; NULL when one
 *		of them is malformed. No records give NODATA
 * answer_plain	an answer without records
 * answer_hold, answer_drop
 *		count; the last one frees it
 * answer_size	bytes that it takes
 */
#ifndef NET_DNS_ANSWER_H
#define NET_DNS_ANSWER_H

#include "net/dns.h"

enum {
	DNS_KEY_MAX = 2 + DNS_NAME_MAX,
	DNS_ESCAPED_MAX = 4 * DNS_NAME_MAX + 1,
	DNS_ANSWER_BYTES = 262144,	/* names of MX grow when escaped */
};

struct answer;

struct rdata {
	const unsigned char *ptr;
	size_t len;
};

size_t dns_key(struct slice name, enum dns_type type, char key_r[DNS_KEY_MAX]);
void dns_escape(struct slice key, char name_r[DNS_ESCAPED_MAX]);

struct answer *answer_read(enum dns_type type, const struct rdata *rdata,
    size_t n);
struct answer *answer_plain(enum dns_status status);
/* Before it is shared only. */
void answer_set(struct answer *answer, bool secure, unsigned ttl);

/* As its reader sees it; valid while it is held. */
const struct dns_answer *answer_public(const struct answer *answer);
size_t answer_size(const struct answer *answer);
struct answer *answer_hold(struct answer *answer);
void answer_drop(struct answer *answer);

#endif
