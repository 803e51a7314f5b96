/*
 * from - whose name does the reader see? (RFC 5322, 3.6.2; RFC 9989, 5.3.1)
 *
 * from_read looks at all From fields of a header block, strictly and as
 * careless clients do, and gives the one author domain that all of them see,
 * or says why there is none. Nothing else may lead to a DMARC pass.
 *
 *	FROM_ONE	all readings agree on one domain
 *	FROM_NONE	no From field, or none with a domain that DNS knows
 *	FROM_SEVERAL	one well-formed field, authors in several domains
 *	FROM_AMBIGUOUS	readers may see different senders: two From fields, an
 *			address in a comment, in a local part, in an unquoted
 *			display name or within <> in a quoted one, when its
 *			domain is another; more than one @; what is not closed;
 *			NUL and line ends; encoded words in an address; groups
 *
 * domains lists what some reader may take for an author domain, A-labels in
 * lower case, none twice: so that policy can be looked up for each (RFC 9989,
 * 11.5). At most FROM_DOMAINS are kept; over it, `more` is set.
 *
 * A display name that shows an address of another domain, without a trick of
 * syntax, is no business of DMARC (RFC 9989, 2.4 and 11.4): FROM_ONE, with
 * FROM_NAME set for those who filter by content.
 *
 * Pure; linear in the block. What it gives lives in the arena or borrows from
 * head. head may also be one From field alone, as soon as it arrives.
 */
#ifndef AUTH_CHECK_FROM_H
#define AUTH_CHECK_FROM_H

#include "base/arena.h"

enum from_state { FROM_ONE, FROM_NONE, FROM_SEVERAL, FROM_AMBIGUOUS };

enum { FROM_DOMAINS = 5 };

enum from_flag {
	FROM_NAME = 1 << 0,		/* the display name shows an address of
					   another domain */
	FROM_AUTHORS = 1 << 1,		/* several mailboxes */
	FROM_MALFORMED = 1 << 2,	/* not RFC 5322; what it says is clear
					   all the same, or see the state */
	FROM_IDN = 1 << 3,		/* a domain with letters outside ASCII,
					   in whatever form */
};

struct from {
	enum from_state state;
	const char *rule;		/* static: "two-from", "no-from", ... */
	struct slice reason;		/* plain words; printable ASCII */
	struct slice domain;		/* FROM_ONE: the author domain; else
					   SLICE_NONE */
	struct slice domains[FROM_DOMAINS];
	size_t ndomains;
	bool more;			/* not all domains are kept */
	unsigned flags;			/* FROM_* */
	unsigned fields;		/* From fields */
};

void from_read(struct arena *a, struct slice head, struct from *from_r);

/* "one", "none", "several", "ambiguous". */
const char *from_state_name(enum from_state state);

#endif
