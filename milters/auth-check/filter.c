#include "filter.h"

#include "decide.h"
#include "options.h"
#include "spf_ask.h"

/* Why this mail is not asked about; NULL: it is. */
static const char *
skip(const struct job *job)
{
	const struct auth_check_conf *conf = job->conf;

	if (job->direction == DIRECTION_OUT)
		return "outbound";
	if (job->client->ip.family == 0)
		return "local";
	if (conf_nets_hold(&conf->trusted_networks, &job->client->ip))
		return "trusted";
	return conf->spf == AUTH_NO_SPF ? "spf-off" : NULL;
}

static struct spf_query
query(const struct job *job, bool mail)
{
	const struct auth_check_conf *conf = job->conf;
	int refused = mail ? conf->spf_fail : conf->spf_helo_fail;

	return (struct spf_query){ .ip = job->client->ip,
	    .helo = job->client->helo,
	    .sender = mail ? job->envelope->sender : SLICE(""),
	    .receiver = slice_of(job->house->hostname), .now = job->now,
	    .voids = conf->spf_void_lookups, .ahead = conf->spf_look_ahead,
	    .explain = conf->spf_explanation &&
	    (refused == AUTH_REJECT || refused == AUTH_TEMPFAIL) };
}

static void
undo(void *arg)
{
	spf_ask_free(arg);
}

/* An empty MAIL FROM is judged by HELO: then that is the one question, and
 * it counts as MAIL FROM (RFC 7208, 2.4). */
static void
begin(struct job *job)
{
	const struct auth_check_conf *conf = job->conf;
	struct auth_answers *seen = arena_alloc(job->arena, sizeof *seen);
	struct spf_query queries[SPF_ASK_MAX];
	size_t n = 0;

	job->answers = seen;
	seen->skipped = skip(job);
	if (seen->skipped != NULL)
		return;
	seen->mail = conf->spf != AUTH_HELO || job->envelope->sender.len == 0;
	seen->helo = conf->spf != AUTH_MAIL_FROM &&
	    job->envelope->sender.len > 0;
	if (seen->mail)
		queries[n++] = query(job, true);
	if (seen->helo)
		queries[n++] = query(job, false);
	seen->until = deadline_in(conf->spf_timeout);
	seen->ask = spf_ask_start(job->budget, queries, n,
	    (enum spf_engine)conf->spf_engine);
	arena_defer(job->arena, undo, seen->ask);
}

static enum rc
ask(struct job *job, struct slice *why_r)
{
	struct auth_answers *seen = job->answers;
	struct spf_answer answers[SPF_ASK_MAX];
	size_t n = 0;

	(void)why_r;
	if (seen->ask == NULL)
		return RC_OK;
	seen->waited = spf_ask_wait(seen->ask,
	    deadline_earlier(seen->until, job->deadline), job->arena, answers);
	if (seen->mail)
		seen->mail_answer = answers[n++];
	if (seen->helo)
		seen->helo_answer = answers[n++];
	return RC_OK;
}

static enum rc
check(const void *conf, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	(void)house;
	return auth_check_finish(conf, a, why_r);
}

const struct filter auth_check_filter = {
	.name = "auth-check",
	.options = auth_check_options,
	.conf_size = sizeof (struct auth_check_conf),
	.needs = NEED_DNS | EDITS_HEADERS,
	.check = check,
	.begin = begin,
	.ask = ask,
	.decide = auth_check_decide,
};
