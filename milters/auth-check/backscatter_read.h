/*
 * backscatter_read - is this a bounce, and of which message?
 *
 * Mail systems tell failures in two ways: as RFC 3464 says (multipart/report),
 * or in words of their own. Both are read; what only looks alike is told
 * apart, since it answers a message that arrived: receipts (RFC 8098),
 * calendar answers (RFC 5546), vacation notes and other auto-replies (RFC
 * 3834), challenges.
 *
 * bounce_possible	is that the reverse-path of bounces: empty, or of a
 *		mailer-daemon or postmaster?
 * bounce_read	looks at such mail; anything else is BOUNCE_NONE.
 *		For a DSN also what it shows of the message that came back:
 *		Message-IDs, proof fields (PROOF_FIELD) and addresses, from
 *		delivery-status, returned headers and quoted text, and the ids
 *		of In-Reply-To and References. Whether any of that is true is
 *		for the caller to find out
 *
 * Parts of a returned message decide nothing: who returns a vacation note
 * still bounces. Reads the MIME tree of the message; slices live as long as it
 * or in the arena. At most BOUNCE_TEXT bytes of a part, BOUNCE_PARTS parts and
 * BOUNCE_FOUND of each kind of finding. Pure.
 */
#ifndef AUTH_CHECK_BACKSCATTER_READ_H
#define AUTH_CHECK_BACKSCATTER_READ_H

#include "mime/message.h"

#define PROOF_FIELD	"X-Gatehouse-Proof"

enum { BOUNCE_TEXT = 256 * 1024, BOUNCE_PARTS = 100, BOUNCE_FOUND = 100 };

enum bounce_kind {
	BOUNCE_NONE,			/* ordinary mail */
	BOUNCE_DSN,
	BOUNCE_RECEIPT,
	BOUNCE_CALENDAR,
	BOUNCE_REPLY,
	BOUNCE_CHALLENGE,
	BOUNCE_OTHER,			/* an empty reverse-path, and no sign */
};

struct bounce_found {
	struct slice items[BOUNCE_FOUND];
	size_t count;
};

struct bounce {
	enum bounce_kind kind;
	const char *sign;		/* static: what told it */
	struct bounce_found ids;	/* with < and > */
	struct bounce_found proofs;
	struct bounce_found recipients;	/* local@domain */
};

bool bounce_possible(struct slice sender);
void bounce_read(struct message *msg, struct slice sender, struct arena *a,
    struct bounce *b_r);

/* "dsn", "receipt", "calendar", "reply", "challenge", "other", "none" */
const char *bounce_kind_name(enum bounce_kind kind);

#endif
