/*
 * spf_ask - SPF over a resolver, without a thread of its own
 *
 * spf_ask_start	begins to check up to SPF_ASK_MAX queries at once (MAIL
 *			FROM and HELO); never blocks (net/asking.h). Warm
 *			answers are taken at once, so that a warm check is done
 *			when this returns
 * spf_ask_wait		waits until all are done, or until the deadline: what is
 *			not known then counts as silence (temperror; a fail
 *			without its explanation stays a fail). Returns how long
 *			it waited, in microseconds. The answers are copied into
 *			the arena
 * spf_ask_free		gives it back, done or not. Before it, or before the
 *			budget is freed, nobody else may be waiting
 * spf_query_run	one query, waiting; for tools
 *
 * The same question of two queries is asked once. Questions are at most
 * SPF_ASK_QUESTIONS, besides the budget's own limit.
 */
#ifndef AUTH_CHECK_SPF_ASK_H
#define AUTH_CHECK_SPF_ASK_H

#include "spf.h"

enum { SPF_ASK_MAX = 2, SPF_ASK_QUESTIONS = 250 };

/* The order of the names that the configuration and the tool take. */
enum spf_engine { SPF_ENGINE_OWN = 0, SPF_ENGINE_LIBSPF2 };
/* "own", "libspf2", NULL */
extern const char *const spf_engine_names[];

struct spf_ask;

struct spf_ask *spf_ask_start(struct dns_budget *budget,
    const struct spf_query *queries, size_t count, enum spf_engine engine);
int64_t spf_ask_wait(struct spf_ask *ask, deadline_t until, struct arena *a,
    struct spf_answer *answers_r);
void spf_ask_free(struct spf_ask *ask);

void spf_query_run(struct dns_budget *budget, const struct spf_query *query,
    enum spf_engine engine, deadline_t until, struct arena *a,
    struct spf_answer *answer_r);

#endif
