#include "campaign_check.h"

#include <math.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "decide.h"
#include "marks.h"
#include "net/ip.h"
#include "text/address.h"

/* e^4: what a user has seen once need not be proved again. The same from many
 * sides is worth 1.5 where it begins, and 0.7 more each time it doubles. */
static const double marked = 4, begins = 1.5, doubled = 0.7, most = 3.5;

double
campaign_weight(const struct campaign_seen *seen)
{
	double weight;

	if (seen->messages < CAMPAIGN_MESSAGES ||
	    seen->clients < CAMPAIGN_CLIENTS ||
	    seen->senders < CAMPAIGN_SENDERS)
		return 0;
	weight = begins + doubled * log2(seen->messages / CAMPAIGN_MESSAGES);
	return weight < most ? weight : most;
}

/* Who has one address of a network has them all. */
static struct slice
network(const struct job *job)
{
	struct network net = { .ip = job->client->ip, .bits =
	    job->client->ip.family == AF_INET ? 24 : 48 };

	if (job->client->ip.family == 0)
		return SLICE("local");
	net_mask(&net);
	return net_format(job->arena, &net);
}

static struct slice
sender_domain(const struct job *job)
{
	struct slice local, domain, ascii;

	return address_split(job->envelope->sender, &local, &domain) &&
	    domain_ascii(job->arena, domain, &ascii) ? ascii : SLICE("");
}

static bool
counts(const struct job *job)
{
	return job->direction == DIRECTION_IN && job->pass < 2 &&
	    job->release == NULL && job->envelope->sender.len > 0;
}

static void
from_many(struct spam_look *look, const struct sketch *s)
{
	const struct job *job = look->job;
	const struct campaign_by by = { network(job), sender_domain(job),
	    (unsigned)job->envelope->nrecipients, job->now };
	struct campaign_seen seen;
	double weight;

	campaign_count(look->shared->campaigns, s, &by, &seen);
	weight = campaign_weight(&seen);
	if (weight > 0 && !look->gray.fields)
		clues_add(look->clues, "campaign", weight, CLASS_SPAM,
		    arena_printf(look->msg->arena, "the same text %.0f times "
		    "lately, from %u networks and %u senders", seen.messages,
		    seen.clients, seen.senders));
}

enum rc
campaign_check(struct spam_look *look, struct slice *why_r)
{
	const struct antispam_shared *shared = look->shared;
	int64_t now = look->job != NULL ? look->job->now : clock_wall();
	const struct sketch *s = &look->text;

	(void)why_r;
	look->has_text = sketch_message(look->content, &look->text);
	if (!look->has_text)
		return RC_OK;
	if (shared->marks != NULL &&
	    marks_find(shared->marks, s, now, NULL) == MARK_SPAM)
		clues_add(look->clues, "marked-text", marked, CLASS_SPAM,
		    SLICE("a user has called this text spam"));
	if (shared->campaigns != NULL && look->job != NULL &&
	    counts(look->job))
		from_many(look, s);
	return RC_OK;
}
