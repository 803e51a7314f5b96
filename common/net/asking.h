/*
 * asking - the DNS questions of one message, with their answers
 *
 * A question is asked once, however many want it, and its answer stays until
 * the end. Two kinds of users:
 *
 *   a name wanted ahead (asking_want), whose answer somebody will look up;
 *   a check (asking_add): a function of the answers known so far, called when
 *	it is added and again whenever an answer comes in, until it says that
 *	it is done. What it looks up and nobody knows yet is asked. So it
 *	needs neither thread nor state of the network.
 *
 * asking_new	for that budget, which must outlive it or be cancelled before
 *		it goes; at most so many questions, besides the budget's own
 *		limit: one over is answered DNS_BUDGET
 * asking_want	asks; never blocks
 * asking_add	runs the check, asks what it wants; never blocks. A check whose
 *		answers are warm is done when this returns
 * asking_again	the check gets another state and is not done any more. The old
 *		state is not used after the call
 * asking_wait	waits until all checks are done and all wanted names answered,
 *		or until the deadline: what is not known then counts as silence
 *		(DNS_TIMEOUT), and the checks are finished with that. Returns
 *		how long it waited, in microseconds. More may be asked after it
 * asking_answer	the answer, or NULL when there is none (yet); it lives
 *		as long as the asking
 * asking_free	gives it back, done or not; NULL is allowed. No check runs any
 *		more when it returns. Nobody else may be waiting then
 *
 * Checks run with the asking's lock held, on the caller's thread or on the
 * resolver's. A check must not wait and must not call the asking; what it
 * keeps it copies into `keep`, which lives as long as the asking. Its state
 * is the owner's again after asking_wait. Calls are safe from any thread,
 * but asking_wait and asking_free are the owner's.
 */
#ifndef NET_ASKING_H
#define NET_ASKING_H

#include "net/dns.h"

struct asking;
struct asking_task;

/* False when the answer is not known yet; then it is asked for. Else the
 * answer lives as long as the asking. */
typedef bool asking_lookup(void *arg, struct slice name, enum dns_type type,
    struct dns_answer *answer_r);

/* True: done. scratch is empty at each call. */
typedef bool asking_check(struct arena *scratch, struct arena *keep,
    asking_lookup *lookup, void *arg, void *state);

struct asking *asking_new(struct dns_budget *budget, unsigned questions);
void asking_want(struct asking *k, struct slice name, enum dns_type type);
struct asking_task *asking_add(struct asking *k, asking_check *check,
    void *state);
void asking_again(struct asking *k, struct asking_task *task, void *state);
int64_t asking_wait(struct asking *k, deadline_t until);
const struct dns_answer *asking_answer(struct asking *k, struct slice name,
    enum dns_type type);
void asking_free(struct asking *k);

#endif
