/*
 * backend_ask - the other filters, asked about messages while ours works
 *
 * backends_check	RC_BAD, *why_r: an entry is none, or two have one name
 * backends_open	for all messages; *backends_r is NULL without any.
 *			RC_BAD, *why_r
 * backends_ask		hands the message to all of them and does not wait.
 *			NULL: there are none, or it is too long for them
 * backends_check_run	(a spam_check) waits, adds what they say, and notes who
 *			did not answer. RC_RETRY where one is missed that is
 *			required
 * backends_close	when no message uses them any more
 *
 * Each has threads of its own, begun when they are needed, and keeps
 * connections where the protocol can. The message is copied, so that one
 * that does not answer is left to itself when time is up. Who three times in a
 * row let us wait in vain is not asked for a while, since it would take each
 * message's whole time; who refuses at once costs nothing.
 */
#ifndef ANTISPAM_BACKEND_ASK_H
#define ANTISPAM_BACKEND_ASK_H

#include "look.h"

struct backends;
struct backends_asked;

enum rc backends_check(const struct conf_list *entries, struct arena *a,
    struct slice *why_r);
enum rc backends_open(const struct antispam_conf *conf,
    struct backends **backends_r, struct arena *a, struct slice *why_r);
struct backends_asked *backends_ask(struct job *job,
    struct backends *backends);
spam_check backends_check_run;
/* NULL is allowed. */
void backends_close(struct backends *backends);

#endif
