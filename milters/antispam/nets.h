/*
 * nets - what others know about a message: DNS lists and other filters
 *
 * The one place where antispam's filter.c meets dnslist_ask.h and backend.h.
 *
 * nets_check	RC_BAD, *why_r: entries of dns_lists or backends are none
 * nets_open	for all messages; RC_BAD, *why_r. *nets_r is to be closed in any
 *		case, NULL is allowed
 * nets_begin	what the hooks of filter.h do
 * nets_field
 * nets_message	the message is there, and is about to be read by our own code:
 *		back ends are given it
 */
#ifndef ANTISPAM_NETS_H
#define ANTISPAM_NETS_H

#include "milter/filter.h"
#include "options.h"

struct nets;
struct nets_asked;			/* of one message */

enum rc nets_check(const struct antispam_conf *conf, struct arena *a,
    struct slice *why_r);
enum rc nets_open(const struct antispam_conf *conf, struct dns *dns,
    struct nets **nets_r, struct arena *a, struct slice *why_r);
void nets_begin(struct job *job);
void nets_field(struct job *job, struct slice name, struct slice body);
void nets_message(struct job *job);
void nets_close(struct nets *nets);

#endif
