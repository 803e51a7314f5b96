/*
 * icap_answer - what an ICAP server says (RFC 3507)
 *
 * icap_answer_read	looks at all that came so far. ICAP_WHOLE: r->scan is
 *		what it says of the item, nothing more need be read. ICAP_MORE:
 *		go on, or, when the connection is closed, there was no answer.
 *		ICAP_BROKEN: no answer of ICAP/1.0, or over a limit
 *
 * What counts, in this order: a name in X-Infection-Found, X-Virus-ID,
 * X-Virus-Name or X-Violations-Found; 204 (not changed) is clean; 200 with an
 * HTTP error inside is a refusal that gives no name; 200 with the very bytes
 * that were sent is clean, with others it is not. All else is no answer of the
 * engine: SCAN_DOWN.
 *
 * Text stands in the bytes. Pure; thread-safe.
 */
#ifndef ANTIVIRUS_ICAP_ANSWER_H
#define ANTIVIRUS_ICAP_ANSWER_H

#include "engine.h"

enum { ICAP_HEAD = 65536 };

enum icap_got { ICAP_MORE, ICAP_WHOLE, ICAP_BROKEN };

struct icap_answer {
	unsigned status;
	struct slice istag, service, methods;
	struct scan scan;

	/* The reader's own. */
	struct slice threat, encapsulated;
	bool limit;			/* the threat is a container's */
};

enum icap_got icap_answer_read(struct slice bytes, struct slice sent,
    struct icap_answer *r);

#endif
