/*
 * digest - what was held or deleted, told at set times or when somebody asks
 *
 * A member is who gets a digest: a recipient, or the address of digest_to for
 * all the recipients whose scope names it. Members are found in the index, so
 * nobody has to be enrolled.
 *
 * digest_due	makes the digests that are due now, of those who have something
 *		new that was held before the slot's time (or have asked for
 *		empty ones). *made_r: how many
 * digest_for	one digest for that mailbox, with all that is held for it; the
 *		mail goes to that address and to no other, whoever asks.
 *		DIGEST_NOW: an administrator asks. DIGEST_ASKED: it was asked
 *		for by a mail that says it came from there, which may be a lie:
 *		the mailbox must be ours, and an interval must have passed since
 *		the last one. *made_r: 0 when it may not be, and *why_r says so
 *		to the log; the caller tells nobody
 * digest_preview
 *		the message that digest_due would make, whatever the time; its
 *		links hold no tokens and nothing is changed
 * digest_token_in
 *		the token in a subject: the word behind "release", in any letter
 *		case; or the only word that looks like one. SLICE_NONE: none
 *
 * Each message is listed once (unless digest_all), each slot served once: the
 * mail, its tokens and both notes are one transaction. A link stands at rows
 * that their recipient may release: held, with a body, of no cause that only
 * administrators may release (store_restricted), for these bytes in no other
 * row either. At most DIGEST_ROWS rows in one; what does not fit comes next
 * time.
 */
#ifndef NOTICE_DIGEST_H
#define NOTICE_DIGEST_H

#include "notice/options.h"
#include "notice/state.h"
#include "store/index.h"

enum {
	DIGEST_ROWS = 500,
	DIGEST_LOOK_BACK = 9 * 86400,	/* more than lies between slots */
	DIGEST_MEMBERS = 1000000,
	DIGEST_ADDRESSES = 10000,	/* of one member */
};

enum digest_kind { DIGEST_SLOT = 0, DIGEST_NOW, DIGEST_ASKED, DIGEST_PREVIEW };

struct digest_tools {
	const struct notices *n;
	struct db *state;
	struct store_index *index;
	int64_t now;
	struct arena *a;		/* of the call */
};

enum rc digest_due(const struct digest_tools *tools, unsigned *made_r,
    struct slice *why_r);
enum rc digest_for(const struct digest_tools *tools, struct slice address,
    enum digest_kind kind, unsigned *made_r, struct slice *why_r);
enum rc digest_preview(const struct digest_tools *tools, struct slice address,
    struct slice *message_r, struct slice *why_r);
struct slice digest_token_in(struct slice subject);

#endif
