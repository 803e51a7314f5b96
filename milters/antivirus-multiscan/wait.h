/*
 * wait - mail that is held for a second look
 *
 * A message that would pass, with an attachment of a class that the
 * administrator chose, is held: to be scanned again when there are newer
 * signatures (cause deferred), or until a sandbox has looked at it (cause
 * sandbox, which goes before). gatehouse-store gives it back to Postfix; it
 * comes again with a release mark, is scanned like any other, and does not wait
 * again, whatever holds it in between: the finding MARK_WAITED goes with it.
 * A message without an attachment never waits.
 *
 * Classes are those of the recipient (outbound: of the sender), by scope. What
 * is submitted to the sandbox stands in the finding "sandbox": SHA-256 of each
 * attachment, decoded, that is of a class or has a member that is; at most
 * WAIT_PARTS, then "more".
 *
 * wait_check	are these classes? RC_BAD with *why_r
 * wait_wanted	may any message have to wait?
 * wait_action	for mail that comes back: a refusal would be a bounce to whom it
 *		claims to come from, long after; it is held instead
 * wait_over	its deadline is over, and it is to be delivered then
 * wait_type	what it truly is; NULL: neither a program nor a container
 * wait_remember, wait_decide
 *		what the plan says of it. Pure, as the others
 */
#ifndef ANTIVIRUS_WAIT_H
#define ANTIVIRUS_WAIT_H

#include "milter/filter.h"
#include "options.h"

enum { WAIT_CLASSES = 200, WAIT_PARTS = 20 };

#define WAIT_MORE	"more"

enum rc wait_check(const struct antivirus_conf *conf, struct arena *a,
    struct slice *why_r);
bool wait_wanted(const struct antivirus_conf *conf);
enum antivirus_action wait_action(const struct job *job,
    enum antivirus_action action);
bool wait_over(const struct job *job);
const char *wait_type(struct slice bytes);
void wait_remember(struct plan *p, const struct job *job);
void wait_decide(struct plan *p, const struct job *job);

#endif
