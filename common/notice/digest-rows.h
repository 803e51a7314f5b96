/*
 * digest-rows - the rows of one digest as template data; only for digest.c
 *
 * rows_new	nothing in it yet; what kind of digest decides what is taken
 * rows_take	the rows of one recipient
 * rows_data	groups by cause, counts and the rest, put into *data
 */
#ifndef NOTICE_DIGEST_ROWS_H
#define NOTICE_DIGEST_ROWS_H

#include "notice/digest.h"
#include "notice/write.h"
#include "verdict/plan.h"

struct rows {
	const struct digest_tools *tools;
	const struct notices_conf *conf;
	const struct write_to *to;
	enum digest_kind kind;
	struct arena *a;		/* of this digest */
	struct {
		struct template_data *rows;	/* the list */
		struct template_data *data;
		unsigned count;
	} groups[CAUSES + 1];
	unsigned count, more;
	bool links;
	enum rc rc;
	struct slice why;
};

void rows_take(struct rows *r, struct slice recipient);
void rows_data(struct rows *r, struct template_data **data, bool several);
/* What digests may list at all, and this one does. */
bool rows_listable(const struct notices_conf *conf,
    const struct store_row *row);

#endif
