/*
 * doctor-chain - the filters of the house as Postfix sees them
 *
 * chain_host	the daemon that serves a filter: its own, or gatehouse-chain
 *		where chain.conf names it and `hosted` is asked for. Socket and
 *		deadline are those of its file, or the defaults
 * chain_names	which filters of the house an endpoint of smtpd_milters is:
 *		none, one, or all that chain.conf names
 * chain_hosted	does Postfix reach the filters through gatehouse-chain, or is
 *		it to (postfix.conf)?
 * chain_recipe	the recipe for this house and this Postfix. RC_BAD with *why_r
 *		when options contradict each other, or cannot be read.
 *		*edited_r, when not empty, says that somebody changed what
 *		postfix-config had written
 * chain_mend	what to type to set Postfix right: the command; or, where
 *		postfix-config has written into its files, postfix-config,
 *		whose marks no other command should break
 * chain_mend_list	the same for a list of milters: those of the recipe, and
 *		behind them what is not ours
 *
 * What they give lives in the report's arena.
 */
#ifndef TOOLS_DOCTOR_CHAIN_H
#define TOOLS_DOCTOR_CHAIN_H

#include "tools/doctor.h"
#include "tools/recipe.h"

enum rc chain_host(struct doctor_report *r, const char *filter, bool hosted,
    struct recipe_filter *host_r, struct slice *why_r);
struct conf_list chain_names(struct doctor_report *r, struct slice endpoint);
bool chain_hosted(struct doctor_report *r);
enum rc chain_recipe(struct doctor_report *r, struct recipe *recipe_r,
    struct slice *edited_r, struct slice *why_r);
const char *chain_mend(struct doctor_report *r, const char *command);
const char *chain_mend_list(struct doctor_report *r,
    const struct postconf_service *service, const char *parameter,
    bool outbound);

/* The list of gatehouse.conf that a listener's mail passes, by the name that
 * the milters know it by. */
bool chain_outbound(const struct doctor_report *r,
    const struct postconf_service *s);

#endif
