/*
 * engine_clamd - ClamAV's daemon, another process or another machine
 *
 * Over a Unix socket the item's descriptor is passed (FILDES), else, or where
 * `stream` says so, its bytes are sent (INSTREAM). One connection an item.
 *
 * clamd says OK to what is above its own limits (MaxFileSize, MaxScanSize)
 * unless AlertExceedsMax is on, and tells them to nobody: so engine.limit has
 * to be below them. Its VERSION is that of the files on disk, which it may not
 * have loaded yet; that is why verdicts are kept for a while only
 * (engine.keep).
 *
 * No answer by the time-out: PING tells whether the daemon is away (SCAN_DOWN)
 * or the item too much for it (SCAN_TIMEOUT). All reading is bounded.
 */
#ifndef ANTIVIRUS_ENGINE_CLAMD_H
#define ANTIVIRUS_ENGINE_CLAMD_H

#include "engine.h"

struct engine_clamd_conf {
	struct slice name;
	const char *host;		/* or the path of its socket */
	unsigned port;
	bool stream;			/* INSTREAM always */
	int64_t timeout;		/* ms, of one item */
};

struct engine *engine_clamd_open(const struct engine_clamd_conf *conf);

#endif
