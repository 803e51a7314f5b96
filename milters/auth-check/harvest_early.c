#include "harvest_early.h"

#include "log/log.h"
#include "text/address.h"

struct harvest_policy
harvest_policy_of(const struct auth_check_conf *conf)
{
	return (struct harvest_policy){
		.half_life = (double)conf->harvest_half_life / 1000,
		.slow = conf->harvest_slow, .refuse = conf->harvest_refuse,
		.share = (double)conf->harvest_share / 100,
		.delay = conf->harvest_delay };
}

/* Whose mail is ours, and whom we trust, is never touched. */
static bool
exempt(const struct early *e)
{
	const struct auth_check_conf *conf = e->conf;
	const struct ip *ip = &e->client->ip;

	return !conf->harvest || e->direction == DIRECTION_OUT ||
	    ip->family == 0 || conf_nets_hold(&conf->trusted_networks, ip) ||
	    conf_nets_hold(&conf->harvest_exempt, ip);
}

static void
refuse(struct early *e, const char *code, const char *text)
{
	e->answer.code = code;
	e->answer.enhanced = "4.7.1";
	e->answer.text = text;
}

static void
look_and_answer(struct early *e, struct harvest_file *table)
{
	struct harvest_policy p = harvest_policy_of(e->conf);
	struct harvest_view view;

	if (table == NULL || exempt(e))
		return;
	harvest_file_look(table, &p, &e->client->ip, e->now, &view);
	if (view.state == HARVEST_REFUSE)
		refuse(e, "421", "too many unknown recipients from your "
		    "network; try again later");
	else if (view.state == HARVEST_SLOW && view.delay > 0 && e->full)
		refuse(e, "421", "too busy for a client with unknown "
		    "recipients; try again later");
}

void
harvest_connect(struct early *e, struct harvest_file *table)
{
	look_and_answer(e, table);
}

void
harvest_mail(struct early *e, struct harvest_file *table)
{
	look_and_answer(e, table);
}

/* ---- RCPT ---- */

/* Only an unknown mailbox counts: refusals of the client, of the sender or
 * of relaying have other codes, and a 4xx is trouble of ours. */
static bool
unknown_recipient(const struct recipient *r)
{
	return slice_eq(r->mailer, SLICE("error")) &&
	    slice_eq(r->host, SLICE("5.1.1"));
}

static bool
counts(const struct early *e)
{
	const struct auth_check_conf *conf = e->conf;
	struct slice address = e->recipient->address;
	size_t at = slice_find_last(address, '@');

	return conf->harvest_domains.count == 0 ||
	    conf_list_has_nocase(&conf->harvest_domains,
	    slice_after(address, at + 1));
}

static void
tell(struct early *e, const struct harvest_view *view)
{
	struct early_reply *r = &e->answer;
	struct slice source = net_format(e->arena, &view->source);

	r->event = "harvest";
	r->rule = view->state == HARVEST_REFUSE ? "harvest-refuse" :
	    "harvest-slow";
	r->reason = arena_printf(e->arena, "%.*s has asked for %.0f unknown "
	    "recipients beside %.0f good ones; %s", SLICE_ARG(source),
	    view->refused, view->accepted, view->state == HARVEST_REFUSE ?
	    "it is refused until the count has halved" :
	    "its replies are slowed");
	early_fact(e, "source", source);
	early_fact(e, "refused", arena_printf(e->arena, "%.1f",
	    view->refused));
	early_fact(e, "accepted", arena_printf(e->arena, "%.1f",
	    view->accepted));
}

static void
tell_guard(enum harvest_news news)
{
	if (news == HARVEST_GUARD_BEGAN)
		log_warning("harvest: clients of %d networks had unknown "
		    "recipients only, and nobody a good one: is a recipient map "
		    "empty? Nobody is slowed or refused until a recipient is "
		    "accepted", HARVEST_GUARD);
	else if (news == HARVEST_GUARD_ENDED)
		log_info("harvest: a recipient was accepted; clients are "
		    "counted again");
}

void
harvest_rcpt(struct early *e, struct harvest_file *table)
{
	struct harvest_policy p = harvest_policy_of(e->conf);
	bool refused = unknown_recipient(e->recipient);
	bool other = !refused && slice_eq(e->recipient->mailer,
	    SLICE("error"));
	struct harvest_view view;

	if (table == NULL || exempt(e) || other || !counts(e))
		return;
	harvest_file_count(table, &p, &e->client->ip, refused,
	    e->recipient->address, e->now, &view);
	tell_guard(view.news);
	if (view.began)
		tell(e, &view);
	if (refused)
		e->answer.delay = view.delay;
	else if (view.state == HARVEST_REFUSE)
		refuse(e, "451", "try again later");
}

/* ---- the process ---- */

enum rc
harvest_start(const struct auth_check_conf *conf, struct harvest_file *before,
    const char *dir, struct harvest_file **table_r, struct arena *a,
    struct slice *why_r)
{
	const char *path = arena_printf(a, "%s/harvest", dir).ptr, *anew;
	enum rc rc;

	/* Switched off it stays open: it may be switched on again. */
	if (before != NULL) {
		if (harvest_entries(before) != conf->harvest_entries)
			log_warning("harvest_entries was changed; it counts "
			    "from the next start on");
		*table_r = harvest_hold(before);
		return RC_OK;
	}
	if (!conf->harvest)
		return RC_OK;
	rc = harvest_open(path, conf->harvest_entries, table_r, &anew, a,
	    why_r);
	if (rc == RC_OK && anew != NULL)
		log_info("%s: begun anew: %s", path, anew);
	return rc;
}
