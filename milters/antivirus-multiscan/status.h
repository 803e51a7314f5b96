/*
 * status - how the engines are, in a file for people and monitoring
 *
 * status_start	writes FOLDER/antivirus.json now, and every second:
 *		whole, by rename, readable by who may read the folder.
 *		`gatehouse antivirus status` reads it. What cannot be written is
 *		logged once, and mail goes on
 * status_write	the JSON text of now
 * status_stop	NULL is allowed
 */
#ifndef ANTIVIRUS_STATUS_H
#define ANTIVIRUS_STATUS_H

#include "base/buf.h"
#include "cell/cell.h"
#include "scan.h"

#define STATUS_FILE	"antivirus.json"

/* What it tells of; all outlive it. */
struct status_source {
	struct engine *const *engines;
	size_t nengines;
	struct scan_pool *pool;
	struct cell *unpack;
	int64_t max_age;		/* s, of signatures; 0: any */
	unsigned min_engines;
};

struct status;

struct status *status_start(const char *folder,
    const struct status_source *source);
void status_write(const struct status_source *source, struct buf *out);
void status_stop(struct status *s);

#endif
