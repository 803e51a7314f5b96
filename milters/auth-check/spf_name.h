/*
 * spf_name - domains, identities and names
 *
 * spf_domain	the domain as it is asked for: A-labels, lower case, no final
 *		dot; false when it is none that SPF can check (RFC 7208, 4.3)
 * spf_identity	local part and domain of what a query is about (2.4, 4.3);
 *		false when the domain is none: then the result is "none", and
 *		*domain_r is as it was given
 * spf_helo	what %{h} is: as it was said, but for U-labels
 * spf_askable	could DNS be asked for it? It came out of macros, so it may be
 *		anything
 * spf_unescape	a name of an answer has odd bytes as \DDD (net/dns.h); questions
 *		take them as they are. A dot inside a label cannot be asked for
 *		and stays as it is
 * spf_printable
 *		at most max bytes, what is not printable ASCII as '?'
 *
 * Pure and thread-safe.
 */
#ifndef AUTH_CHECK_SPF_NAME_H
#define AUTH_CHECK_SPF_NAME_H

#include "spf.h"

bool spf_domain(struct arena *a, struct slice text, struct slice *domain_r);
bool spf_identity(struct arena *a, const struct spf_query *query,
    struct slice *local_r, struct slice *domain_r);
struct slice spf_helo(struct arena *a, struct slice helo);
bool spf_askable(struct slice name);
struct slice spf_unescape(struct arena *a, struct slice name);
struct slice spf_printable(struct arena *a, struct slice s, size_t max);

#endif
