/*
 * tracked - what verbs that read track.db share
 *
 * tracked_state	the state_directory: `state` if it is given, else what
 *			gatehouse.conf below `config` says; 0, or the status
 *			that was told
 * tracked_open		the database, to read; 0, or the status that was told.
 *			RC_RETRY of a file that is not there is *absent_r, and
 *			not told
 * tracked_when		a time: as dmarc_time_parse, "now", or an age ("90m",
 *			"2h", "45d"); ms since 1970
 * tracked_stamp	"2026-11-26T10:45:32.123Z"
 * tracked_json		a message, and a recipient, as members of an open object
 */
#ifndef TOOLS_TRACKED_H
#define TOOLS_TRACKED_H

#include "text/json.h"
#include "tools/verb.h"
#include "track/search.h"

int tracked_state(const char *config, const char *state, const char **state_r,
    struct arena *a);
int tracked_open(const char *state, struct db **db_r, bool *absent_r,
    struct arena *a);
bool tracked_when(const char *text, int64_t *ms_r);
struct slice tracked_stamp(struct arena *a, int64_t ms);
void tracked_json(struct json *w, const struct track_message *m,
    struct arena *a);
void tracked_json_rcpt(struct json *w, const struct track_recipient *r,
    struct arena *a);

#endif
