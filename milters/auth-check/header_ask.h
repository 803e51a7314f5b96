/*
 * header_ask - the DNS questions that a header block causes
 *
 * Postfix shows a message when all of it is there, the header fields first:
 * what they name is asked for as they come in, and what the signatures and
 * policies turn out to need is there, or under way, when the body is.
 *
 * header_ask_new	nothing is asked yet. The time and the number of these
 *			questions are apart from those of SPF, which began at
 *			MAIL FROM: neither a slow upload nor a long SPF record
 *			can keep us from a domain's policy
 * header_ask_field	one field of the header block; its bytes may go after
 *			the call. DKIM-Signature: its key. ARC: the keys of the
 *			chain. From: the policy of what a reader sees there,
 *			and of the domains that may align with it
 * header_ask_message	all of it once more, from the whole message; what is
 *			asked already is not asked again
 * header_ask_wait	until all that is here, or the deadline
 * header_ask_key	the answer for a key's name, or NULL: an arc_lookup
 * header_ask_policy	DMARC with what is known now; waits, where it wants to
 *			know more, until the deadline
 * header_ask_free	gives it back; NULL is allowed
 *
 * Bounds: conf->dkim_signatures keys of signatures, ARC_SETS + 1 of ARC,
 * HEADER_ASK_POLICY questions of DMARC.
 */
#ifndef AUTH_CHECK_HEADER_ASK_H
#define AUTH_CHECK_HEADER_ASK_H

#include "dkim/arc.h"
#include "dmarc.h"
#include "milter/filter.h"
#include "options.h"

enum {
	/* 5 domains in From, 9 questions each, and what may align. */
	HEADER_ASK_POLICY = FROM_DOMAINS * (DMARC_WALK + 1) +
	    DMARC_IDENTIFIERS * DMARC_WALK,
	HEADER_ASK_ARC = 256 * 1024,	/* bytes of ARC fields read ahead */
};

struct header_ask;

/* spf_domain: the domain of MAIL FROM, that may align; or SLICE_NONE. */
struct header_ask *header_ask_new(const struct job *job, struct dns *dns,
    const struct suffixes *suffixes, struct slice spf_domain);
void header_ask_field(struct header_ask *h, struct slice name,
    struct slice body);
void header_ask_message(struct header_ask *h, const struct message *msg,
    const struct dkim_signature *list, size_t n,
    const struct arc_chain *chain);
int64_t header_ask_wait(struct header_ask *h, deadline_t until);
arc_lookup header_ask_key;
int64_t header_ask_policy(struct header_ask *h, struct dmarc_query *query,
    const struct from *from, deadline_t until, struct dmarc_answer *answer_r);
void header_ask_free(struct header_ask *h);

#endif
