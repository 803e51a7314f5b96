/*
 * notice - somebody is told at once that a message was held or deleted
 *
 * notice_for_object	the one call for it, made when an object has been taken
 *		into the index. Who is told depends on cause and scope
 *		(notices.conf): each recipient, the admins and the officers of
 *		a recipient's scope (for mail that goes out, of the sender's),
 *		and the sender, if he is ours and the mail was going out. Puts
 *		mails into the state (its own transaction); sends nothing
 *		itself. Again for the same object: nothing happens, so a caller
 *		that is not sure whether he called calls again. *made_r: how
 *		many were put in; may be NULL
 * notice_summaries	mails for what was left out, for those whose window is
 *		over; call it every minute or so
 * notice_send	tries the next mail that is due. *sent_r false: there was none,
 *		or the server is not there; wait a while. Blocks for as long as
 *		SMTP takes, so it has a thread, and a db, of its own. RC_RETRY
 *		or RC_BAD: the state's trouble
 *
 * Of an account whose mail is held (cause "account") keepers are told once in
 * NOTICE_ACCOUNT seconds, not of each message.
 *
 * Rates: beyond `rate` notices in an hour to one address, or `total_rate` in
 * all, a notice is left out and counted, and told in one summary when an hour
 * has passed. Digests do not count.
 */
#ifndef NOTICE_NOTICE_H
#define NOTICE_NOTICE_H

#include "notice/machine.h"
#include "notice/options.h"
#include "notice/state.h"
#include "store/index.h"

enum { NOTICE_WINDOW = 3600, NOTICE_ACCOUNT = 86400, NOTICE_SEND_MS = 120000 };

struct notice_event {
	const struct store_object *object;
	const struct slice *recipients;
	size_t nrecipients;
	struct slice message;		/* for officers, and for what it says of
					   itself; absent: not at hand */
	bool part;			/* only the beginning of it */
};

enum rc notice_for_object(const struct notices *n, struct db *state,
    const struct notice_event *event, int64_t now, struct arena *a,
    unsigned *made_r, struct slice *why_r);
enum rc notice_summaries(const struct notices *n, struct db *state,
    int64_t now, struct arena *a, unsigned *made_r, struct slice *why_r);

struct notice_sent {
	bool tried;			/* there was one that was due */
	bool taken, failed;		/* neither: it is tried again */
	struct slice recipient, message_id, reply;
};

enum rc notice_send(const struct notices *n, struct db *state, int64_t now,
    struct arena *a, struct notice_sent *sent_r, struct slice *why_r);

#endif
