/*
 * harvest_file - the table of harvest.h in a mapped file, for all threads
 *
 * harvest_open		at start: path is made when it is not there. A file of
 *			another size or version, or one that is no table, is
 *			begun anew; *anew_r says why (NULL: it was taken over).
 *			RC_BAD when another process has it, RC_RETRY when it
 *			cannot be made; *why_r. One reference
 * harvest_hold, harvest_drop
 *			count references; a reload hands the open table on
 * harvest_entries	as it was opened
 * harvest_file_look, harvest_file_count
 *			as in harvest.h, under the table's lock
 * harvest_map		for a command beside the daemon: the file of that path,
 *			mapped; NULL with *why_r when it is not there or no
 *			table. Unmapped when the process ends
 *
 * What is written is in the file at once and outlives the process however it
 * ends; a power cut may take some entries back.
 */
#ifndef AUTH_CHECK_HARVEST_FILE_H
#define AUTH_CHECK_HARVEST_FILE_H

#include "base/rc.h"
#include "harvest.h"

struct harvest_file;

enum rc harvest_open(const char *path, unsigned entries,
    struct harvest_file **file_r, const char **anew_r, struct arena *a,
    struct slice *why_r);
struct harvest_file *harvest_hold(struct harvest_file *f);
void harvest_drop(struct harvest_file *f);
unsigned harvest_entries(const struct harvest_file *f);
void harvest_file_look(struct harvest_file *f,
    const struct harvest_policy *p, const struct ip *ip, int64_t now,
    struct harvest_view *view_r);
void harvest_file_count(struct harvest_file *f,
    const struct harvest_policy *p, const struct ip *ip, bool refused,
    struct slice recipient, int64_t now, struct harvest_view *view_r);
struct harvest_table *harvest_map(const char *path, bool writable,
    struct arena *a, struct slice *why_r);

#endif
