/*
 * cache - what an engine said of these bytes
 *
 * The key is the SHA-256 of the bytes, what they were given as, the engine's
 * place and its generation. Only what a second look would say
 * again is kept: clean, infected, cut, locked, refused. Sets of eight entries,
 * the oldest use goes first; a fixed size, nothing to tidy.
 *
 * cache_get, cache_put	any thread
 */
#ifndef ANTIVIRUS_CACHE_H
#define ANTIVIRUS_CACHE_H

#include "engine.h"

enum { CACHE_HASH = 32 };

struct cache;

enum cache_as {
	CACHE_FILE = 0,
	CACHE_MAIL,			/* a whole letter */
	CACHE_INSIDE,			/* what a letter holds, whatever its
					   other header fields; clean only */
};

struct cache_key {
	unsigned char hash[CACHE_HASH];
	uint64_t generation;
	unsigned engine;
	enum cache_as as;
};

struct cache *cache_new(size_t entries);
bool cache_get(struct cache *c, const struct cache_key *key, struct arena *a,
    struct scan *scan_r);
void cache_put(struct cache *c, const struct cache_key *key,
    const struct scan *scan);
void cache_free(struct cache *c);

#endif
