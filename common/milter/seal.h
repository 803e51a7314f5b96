/*
 * seal - what our filters tell each other about one message
 *
 * One header field, X-Gatehouse-Seal: added by the first filter, written anew
 * by each, removed by the last. Under an HMAC-SHA256 (RFC 2104) it carries
 * the message's identity, Postfix's queue id, the time, the origin of the
 * message (client, login, TLS), changes of the envelope that Postfix does not
 * show to later milters (who was added, who was kept back), findings, the
 * content hash that side effects are counted by, and what was released from
 * the quarantine. What comes from outside under that
 * name, or under another queue id, is no seal and is removed.
 *
 * seal_write	the field's body, folded, leading space included; RC_BAD when
 *		it would pass SEAL_MAX (the caller answers 4xx)
 * seal_read	RC_OK: valid for this queue id (SLICE_NONE: for any), *seal_r
 *		filled, slices in the arena. RC_BAD: anything else; nothing of
 *		it may be believed
 * seal_key_load	from a file of at least 16 bytes that only its owner and
 *		group can read and nobody but root and we can change
 *		(conf/trust.h); RC_BAD with *why_r
 * seal_key_own	the configured file, or where that is empty the one at path,
 *		which is made when it is not there: for what this daemon alone
 *		proves to itself. RC_RETRY when it cannot be made
 *
 * Pure but for the last two; thread-safe.
 */
#ifndef MILTER_SEAL_H
#define MILTER_SEAL_H

#include "milter/filter.h"
#include "store/mark.h"

#define SEAL_FIELD	"X-Gatehouse-Seal"

enum { SEAL_MAX = 50 * 1000, SEAL_PAIRS = 5000 };

struct seal_key {
	unsigned char bytes[64];
	size_t len;			/* 0: there is none */
};

struct seal {
	char identity[33];
	struct slice queue_id;
	int64_t time;			/* when the first filter saw it */
	unsigned pass;			/* 1, or 2 behind the splitter */
	bool split;			/* there is, or was, a second one */
	bool let_go;			/* it was on hold in the first pass; who
					   took it off wants it delivered */
	char form[17];			/* pass 2: of whom it is for, hex */
	enum direction direction;
	struct client client;
	struct slice sender;		/* absent: as in MAIL FROM */
	struct plan_address *addresses;	/* without `added`: kept back */
	const struct finding *findings;
	size_t nfindings;
	/* SHA-256 in hex of the message as the first filter of the house saw
	 * it, made by the first one that sees bodies; else empty. */
	char content[65];
	/* NULL: nothing was released. head_sha256 is never in a seal,
	 * body_sha256 only while nobody has compared it. */
	struct mark *release;
};

enum rc seal_key_load(const char *path, struct seal_key *key, struct arena *a,
    struct slice *why_r);
enum rc seal_key_own(const char *configured, const char *path,
    struct seal_key *key, struct arena *a, struct slice *why_r);
enum rc seal_write(const struct seal *seal, const struct seal_key *key,
    struct arena *a, struct slice *body_r);
/* Sets content from the 32 bytes of a SHA-256. */
void seal_content(struct seal *seal, const unsigned char sum[32]);
enum rc seal_read(struct slice body, struct slice queue_id,
    const struct seal_key *key, struct arena *a, struct seal *seal_r);

#endif
