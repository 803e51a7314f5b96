/*
 * spf_record - an SPF record as a list of terms (RFC 7208, 4.5, 4.6.1, 12)
 *
 * spf_record_is	does this TXT record call itself one? "v=spf1", any
 *			case, then a space or the end (4.5)
 * spf_record_parse	reads all of it, whatever the client is: an error
 *			anywhere is found before anything is evaluated (4.6).
 *			RC_BAD with *why_r in plain words
 *
 * Terms point into the text, which must live as long as they do. Pure and
 * thread-safe; work is linear in the text.
 */
#ifndef AUTH_CHECK_SPF_RECORD_H
#define AUTH_CHECK_SPF_RECORD_H

#include "base/arena.h"
#include "base/rc.h"
#include "net/ip.h"

enum spf_kind { SPF_TERM_ALL, SPF_TERM_INCLUDE, SPF_TERM_A, SPF_TERM_MX,
    SPF_TERM_PTR, SPF_TERM_IP4, SPF_TERM_IP6, SPF_TERM_EXISTS };

struct spf_term {
	struct spf_term *next;
	enum spf_kind kind;
	char qualifier;			/* '+', '-', '~', '?' */
	struct slice text;		/* as written: "-a:example.org/24" */
	struct slice spec;		/* domain-spec; absent: none given */
	struct ip ip;			/* ip4, ip6 */
	unsigned bits4, bits6;		/* a, mx, ip4, ip6 */
};

struct spf_record {
	struct slice text;
	struct spf_term *terms;		/* mechanisms, in order */
	struct slice redirect, exp;	/* domain-specs; absent: none */
};

bool spf_record_is(struct slice txt);
enum rc spf_record_parse(struct arena *a, struct slice txt,
    struct spf_record *record_r, struct slice *why_r);

#endif
