/*
 * dns-ub - libunbound, set up as a stub of one resolver (inside the net room)
 *
 * dns_ub_open	a context in thread mode; NULL with the reason in *why_r
 * dns_ub_answer	what a result says; SERVFAIL when it cannot be read
 */
#ifndef NET_DNS_UB_H
#define NET_DNS_UB_H

#include <unbound.h>

#include "net/dns-answer.h"

struct ub_ctx *dns_ub_open(const struct dns_conf *conf, struct arena *a,
    struct slice *why_r);
struct answer *dns_ub_answer(enum dns_type type, int err,
    const struct ub_result *result);

#endif
