/*
 * dns-cache - answers kept for their TTL (inside the net room)
 *
 * Bounded twice: by entries, and by bytes (1 kB for each entry on average),
 * since a TXT of 64 kB costs its sender nothing. What was used least recently
 * goes first. Safe from any thread; its lock is held for a look-up and never
 * while somebody's code runs.
 *
 * dns_cache_get	the answer, held for the caller, with the seconds that
 *			it still has; NULL when there is none
 * dns_cache_put	keeps it so long; takes a hold of its own
 */
#ifndef NET_DNS_CACHE_H
#define NET_DNS_CACHE_H

#include "net/dns-answer.h"

struct dns_cache;

/* No entries: a cache that keeps nothing. */
struct dns_cache *dns_cache_new(unsigned entries);
struct answer *dns_cache_get(struct dns_cache *cache, struct slice key,
    unsigned *ttl_r);
void dns_cache_put(struct dns_cache *cache, struct slice key,
    struct answer *answer, int64_t ms);
void dns_cache_free(struct dns_cache *cache);

#endif
