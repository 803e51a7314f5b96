/*
 * directory-check - is a record right, and right after those before it?
 *
 * Reader and writer ask here, so that neither takes what the other refuses.
 * check_record says what is wrong and what would be right, without a place.
 * The slices of the record before need not live on.
 */
#ifndef POLICY_DIRECTORY_CHECK_H
#define POLICY_DIRECTORY_CHECK_H

#include "base/map.h"
#include "policy/directory.h"

struct directory_check {
	struct map *domains, *profiles;
	struct buf last;		/* the key before */
	enum directory_kind last_kind;
	size_t records;
};

void check_begin(struct directory_check *c);
enum rc check_record(struct directory_check *c, struct arena *a,
    const struct directory_record *record, struct slice *why_r);
void check_end(struct directory_check *c);

extern const char directory_letters[];	/* by kind */

#define DIRECTORY_HEAD	"gatehouse-directory 1"
#define DIRECTORY_FOOT	"++++ "

#endif
