#include "spf_ask.h"

#include "net/asking.h"
#include "spf_libspf2.h"

struct check {
	struct spf_query query;
	struct spf_answer answer;
	spf_evaluate *evaluate;
};

struct spf_ask {
	struct asking *asking;
	struct arena *arena;		/* of this and of the queries */
	struct check checks[SPF_ASK_MAX];
	size_t nchecks;
};

const char *const spf_engine_names[] = { "own", "libspf2", NULL };

static void
copy_answer(struct arena *a, const struct spf_answer *from,
    struct spf_answer *to)
{
	*to = *from;
	to->identity = arena_copy(a, from->identity);
	to->domain = arena_copy(a, from->domain);
	to->decided = arena_copy(a, from->decided);
	to->mechanism = arena_copy(a, from->mechanism);
	to->explanation = arena_copy(a, from->explanation);
	to->reason = arena_copy(a, from->reason);
}

static bool
run(struct arena *scratch, struct arena *keep, asking_lookup *lookup,
    void *arg, void *state)
{
	struct check *c = state;
	struct spf_answer answer;

	c->evaluate(scratch, &c->query, lookup, arg, &answer);
	if (answer.result == SPF_PENDING)
		return false;
	copy_answer(keep, &answer, &c->answer);
	return true;
}

static void
copy_query(struct arena *a, const struct spf_query *from, struct spf_query *to)
{
	*to = *from;
	to->helo = arena_copy(a, from->helo);
	to->sender = arena_copy(a, from->sender);
	to->receiver = arena_copy(a, from->receiver);
}

struct spf_ask *
spf_ask_start(struct dns_budget *budget, const struct spf_query *queries,
    size_t count, enum spf_engine engine)
{
	struct arena *a = arena_new();
	struct spf_ask *ask = arena_alloc(a, sizeof *ask);

	ask->arena = a;
	ask->asking = asking_new(budget, SPF_ASK_QUESTIONS);
	ask->nchecks = count < SPF_ASK_MAX ? count : SPF_ASK_MAX;
	for (size_t i = 0; i < ask->nchecks; i++) {
		struct check *c = &ask->checks[i];

		copy_query(a, &queries[i], &c->query);
		c->evaluate = engine == SPF_ENGINE_LIBSPF2 ?
		    spf_libspf2_check : spf_check;
		asking_add(ask->asking, run, c);
	}
	return ask;
}

int64_t
spf_ask_wait(struct spf_ask *ask, deadline_t until, struct arena *a,
    struct spf_answer *answers_r)
{
	int64_t waited = asking_wait(ask->asking, until);

	for (size_t i = 0; i < ask->nchecks; i++)
		copy_answer(a, &ask->checks[i].answer, &answers_r[i]);
	return waited;
}

void
spf_ask_free(struct spf_ask *ask)
{
	if (ask == NULL)
		return;
	asking_free(ask->asking);
	arena_free(ask->arena);
}

void
spf_query_run(struct dns_budget *budget, const struct spf_query *query,
    enum spf_engine engine, deadline_t until, struct arena *a,
    struct spf_answer *answer_r)
{
	struct spf_ask *ask = spf_ask_start(budget, query, 1, engine);

	spf_ask_wait(ask, until, a, answer_r);
	spf_ask_free(ask);
}
