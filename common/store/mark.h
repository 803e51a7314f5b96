/*
 * mark - released mail is known again
 *
 * The store daemon puts a header field X-Gatehouse-Release on top of a message
 * that it gives back to Postfix. Under an HMAC of the house's seal key it says
 * which bytes were released, for whom, from which cause, until when, and who
 * sent the message first, for Postfix now sees us as its client. The filters'
 * runtime takes every such field out of the message, and believes one that
 * holds: its bytes, one of its recipients, not expired. Then a verdict that
 * would hold it for the same cause is accept, rule "released". A mark from
 * outside has no MAC of ours; one that leaked counts for the same bytes and
 * recipients only, until it expires.
 *
 * mark_of_object	fills all but recipients, expires and last from a meta
 *			block
 * mark_write	the field's body, folded, leading space included. RC_BAD: too
 *		many recipients for MARK_MAX; write several messages
 * mark_read	RC_OK when the MAC is right and `now` is before the expiry (and
 *		not more than MARK_LIFE before it); the caller compares digests
 *		and recipients. RC_BAD: anything else; nothing may be believed
 * mark_has	is it for that recipient? Compared without ASCII case
 *
 * The listener that takes released mail must leave it as it is:
 *	-o local_header_rewrite_clients=  -o receive_override_options=no_address_mappings
 * or the digests will not fit. The mark stands first in the message and its
 * lines end in CRLF: "X-Gatehouse-Release:" body CRLF, then the object's bytes.
 *
 * Pure; thread-safe. The key is what milter/seal.h loads.
 */
#ifndef STORE_MARK_H
#define STORE_MARK_H

#include "store/object.h"

#define MARK_FIELD	"X-Gatehouse-Release"

enum {
	MARK_MAX = 50 * 1000,		/* bytes of the field; Postfix cuts at 60 */
	MARK_LIFE = 24 * 3600,		/* seconds that one may be good for */
};

struct mark {
	char object[OBJECT_NAME + 1];
	enum cause cause;
	struct slice *recipients;
	size_t nrecipients;
	int64_t expires;		/* seconds since 1970 */
	char head_sha256[65], body_sha256[65];	/* without the mark */
	bool outbound;
	/* It has waited for a second look (deferred, sandbox), now or before:
	 * nobody lets it wait again. */
	bool waited;
	/* Its deadline is over and delivery was chosen for that case: what an
	 * engine would have to say holds it up no longer. */
	bool last;
	struct ip client_ip;
	struct slice client_name, helo, user, tls;
};

/* Key of the finding by which a filter says that a message has waited. */
#define MARK_WAITED	"waited"

void mark_of_object(struct mark *mark, const struct object_meta *meta);
enum rc mark_write(const struct mark *mark, struct slice key,
    struct arena *a, struct slice *body_r);
enum rc mark_read(struct slice body, struct slice key, int64_t now,
    struct arena *a, struct mark *mark_r);
bool mark_has(const struct mark *mark, struct slice recipient);

#endif
