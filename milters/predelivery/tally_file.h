/*
 * tally_file - the table of tally.h in a mapped file, for all threads
 *
 * tally_open		at start: path is made when it is not there. A file of
 *			another size or version, or one that is no table, is
 *			begun anew; *anew_r says why (NULL: it was taken over).
 *			RC_BAD when another process has it, RC_RETRY when it
 *			cannot be made; *why_r. One reference
 * tally_hold, tally_drop
 *			count references; a reload hands the open table on
 * tally_cells		as it was opened
 * tally_file_offer	counts these recipients of that message of that sender,
 *			as tally_offer does, under the table's lock. Only limit,
 *			window, keep and now of the offer are read
 *
 * What is written is in the file at once and outlives the process however it
 * ends; a power cut may take some cells back.
 */
#ifndef PREDELIVERY_TALLY_FILE_H
#define PREDELIVERY_TALLY_FILE_H

#include "base/arena.h"
#include "base/rc.h"
#include "tally.h"

struct tally_file;

/* Who sends, and what tells his message from his others. */
struct tally_name {
	struct slice sender, message;
};

enum rc tally_open(const char *path, unsigned cells,
    struct tally_file **file_r, const char **anew_r, struct arena *a,
    struct slice *why_r);
struct tally_file *tally_hold(struct tally_file *f);
void tally_drop(struct tally_file *f);
unsigned tally_cells(const struct tally_file *f);
void tally_file_offer(struct tally_file *f, const struct tally_name *name,
    const struct slice *recipients, size_t n, const struct tally_offer *how,
    struct arena *a, struct tally_view *view_r);

#endif
