/*
 * options - what an administrator may set (attachment-dlp.conf)
 */
#ifndef ATTACHMENT_OPTIONS_H
#define ATTACHMENT_OPTIONS_H

#include "conf/conf.h"
#include "conf/house.h"

struct attachment_conf {
	struct scopes *scopes;

	/* items.h */
	unsigned depth, members, ratio;
	uint64_t member_bytes, bytes;
	unsigned unpack_workers;
	struct conf_list passwords;
	uint64_t memory;		/* decoded content of all messages */

	/* dlp_step.h */
	const char *dlp_rules;
	struct conf_list dlp_sets;
	int dlp_unread;
};

extern const struct conf_option attachment_options[];

/* What the table cannot say. RC_BAD with *why_r. */
enum rc attachment_finish(const struct attachment_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r);

#endif
