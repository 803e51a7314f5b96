/*
 * tell - the result goes out: to the webhook, and to the sender
 *
 * tell		what Postfix is answered: "250 ..." when all that was asked for
 *		has been taken, else "4xx ...". Blocks, at most until `until`
 *
 * The webhook comes first: a mail that was sent is not sent again because a
 * program did not answer. What is told again has the same id.
 */
#ifndef SPAMCHECK_TELL_H
#define SPAMCHECK_TELL_H

#include "base/clock.h"
#include "services/spamcheck/options.h"
#include "services/spamcheck/result.h"

struct slice tell(const struct spamcheck_conf *conf, const struct result *r,
    deadline_t until, struct arena *a);

#endif
