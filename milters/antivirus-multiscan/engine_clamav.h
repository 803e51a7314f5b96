/*
 * engine_clamav - libclamav in a cell of ours; no daemon needed
 *
 * One copy of the signatures, whatever the number of workers. The folder is
 * looked at every `look` ms: when its files have changed, a second cell loads
 * the new ones beside the first, and takes over once it is ready. What does
 * not load is said, and the old signatures stay. Meanwhile, twice the memory.
 *
 * engine_clamav_open	waits for the first signatures until `until`. RC_BAD or
 *		RC_RETRY with *why_r
 */
#ifndef ANTIVIRUS_ENGINE_CLAMAV_H
#define ANTIVIRUS_ENGINE_CLAMAV_H

#include "engine.h"

struct engine_clamav_conf {
	const char *name;
	const char *program;		/* gatehouse-cell-clamav */
	const char *database;		/* folder */
	const char *yara;		/* file or folder; empty: none */
	unsigned workers;
	uint64_t member_bytes, bytes;	/* it looks no further */
	int64_t look;			/* ms */
};

enum rc engine_clamav_open(const struct engine_clamav_conf *conf,
    deadline_t until, struct engine **engine_r, struct arena *a,
    struct slice *why_r);

#endif
