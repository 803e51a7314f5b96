/*
 * spf_macro - macro strings (RFC 7208, 7; RFC 8616, 4)
 *
 * spf_macro_check	is it a macro-string? In SPF_TEXT, what exp= leads to,
 *			spaces and the letters c, r, t may stand too (7.2).
 *			SPF_OTHER is an unknown modifier: all letters, no spaces
 * spf_macro_check_name	is it a domain-spec: a macro-string that ends in a
 *			macro or in "." toplabel (7.1)?
 *			Both: NULL, or what is wrong, in plain words
 * spf_macro_asks_p	does it hold %{p}, whose value costs DNS questions?
 * spf_macro_expand	appends the expansion of a string that passed its
 *			check. RC_BAD: over SPF_MACRO_BYTES, or a name would
 *			hold a local part with bytes outside ASCII, which
 *			matches nothing (RFC 8616, 4)
 * spf_macro_name	the target name of a domain-spec: expanded, without a
 *			final dot, cut from the left to 253 bytes by whole
 *			labels (7.3). RC_BAD as above
 */
#ifndef AUTH_CHECK_SPF_MACRO_H
#define AUTH_CHECK_SPF_MACRO_H

#include "base/buf.h"
#include "base/rc.h"

enum spf_macro_use { SPF_NAME, SPF_TEXT, SPF_OTHER };

/* No expansion grows longer, whatever record and sender come together. */
enum { SPF_MACRO_BYTES = 16384 };

struct spf_macro_values {
	struct slice sender;		/* s */
	struct slice local;		/* l */
	struct slice sender_domain;	/* o */
	struct slice domain;		/* d */
	struct slice ip;		/* i: dots between numbers or nibbles */
	struct slice validated;		/* p */
	struct slice version;		/* v: "in-addr" or "ip6" */
	struct slice helo;		/* h */
	struct slice client;		/* c: as people write it */
	struct slice receiver;		/* r */
	struct slice time;		/* t: seconds since 1970 */
};

const char *spf_macro_check(struct slice s, enum spf_macro_use use);
const char *spf_macro_check_name(struct slice s);
bool spf_macro_asks_p(struct slice s);
enum rc spf_macro_expand(struct buf *out, struct slice s,
    enum spf_macro_use use, const struct spf_macro_values *values);
enum rc spf_macro_name(struct arena *a, struct slice spec,
    const struct spf_macro_values *values, struct slice *name_r);

#endif
