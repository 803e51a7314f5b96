/*
 * options - what an administrator may set (attachment-dlp.conf)
 */
#ifndef ATTACHMENT_OPTIONS_H
#define ATTACHMENT_OPTIONS_H

#include "conf/conf.h"
#include "conf/house.h"

/* Lists of terms, the strongest last; see decide.h. */
enum attachment_list { LIST_ALLOW, LIST_REMOVE, LIST_QUARANTINE, LIST_DISCARD,
    LIST_REJECT, LISTS };

/* A part cannot be taken out without breaking the rest. */
enum attachment_unremovable { UNREMOVABLE_QUARANTINE, UNREMOVABLE_REJECT };

/* Large mail that is signed or encrypted. */
enum large_sealed { LARGE_SEALED_DELIVER, LARGE_SEALED_REJECT };

struct attachment_conf {
	struct scopes *scopes;

	/* judge.h; CONF_SCOPED */
	struct conf_list in[LISTS], out[LISTS];
	int unremovable;		/* enum attachment_unremovable */
	const char *note;		/* template; empty: our own */
	const char *copy_to;		/* mailbox; empty: none */
	const char *copy_server;

	/* large.h; CONF_SCOPED */
	uint64_t large_at, large_at_outbound, large_part;	/* bytes */
	int large_sealed;		/* enum large_sealed */
	int64_t large_keep;		/* ms */
	unsigned large_downloads;
	const char *large_url, *large_note;

	/* control.h; CONF_SCOPED */
	const char *control_mailbox;	/* empty: none needed */

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
