/*
 * dkim_opendkim - the same signatures, verified by libopendkim
 *
 * dkim_opendkim_open	the library, once for the process; NULL when it will
 *			not start or cannot what we need (SHA-256, Ed25519)
 * dkim_opendkim_verify	fills in, for each of the n signatures that is
 *			DKIM_NONE, what dkim_verify() fills in: result, rule,
 *			reason, key_bits, testing, partial. What
 *			dkim_signatures() has judged already stays as it is;
 *			what it found malformed the library never sees. A
 *			signature that the library cannot judge by RFC 6376 is
 *			DKIM_NEUTRAL, rule "engine", with the reason
 * dkim_opendkim_close	when no thread is in verify; NULL is allowed
 *
 * lookup gives the answer (DNS_TXT) for a name that dkim_key_name() names, or
 * NULL when it is not known: that is DKIM_TEMPERROR. It is called in verify,
 * by the thread that called it, at most once a signature; it must not wait.
 * The library asks no DNS of its own.
 *
 * The handle is shared by all threads without a lock. What libopendkim gets
 * wrong is put right before it is asked or after it has answered; each guard
 * stands in dkim_opendkim.c beside its reason.
 */
#ifndef AUTH_CHECK_DKIM_OPENDKIM_H
#define AUTH_CHECK_DKIM_OPENDKIM_H

#include "dkim/arc.h"
#include "dkim/dkim.h"

struct dkim_opendkim;

struct dkim_opendkim *dkim_opendkim_open(void);
void dkim_opendkim_verify(struct arena *a, struct dkim_opendkim *lib,
    const struct message *msg, struct dkim_signature *list, size_t n,
    arc_lookup *lookup, void *arg, const struct dkim_limits *limits);
void dkim_opendkim_close(struct dkim_opendkim *lib);

#endif
