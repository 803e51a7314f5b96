/*
 * harvest_early - harvest protection as auth-check's early answers
 *
 * harvest_connect, harvest_mail, harvest_rcpt
 *		hooks of milter/early.h. A refused source is answered 421 at
 *		CONNECT and MAIL, and 451 for a recipient that exists, so that
 *		it does not learn which do; a slowed one waits at each refused
 *		recipient, and is answered 421 when nobody more can be made to
 *		wait. Both are told once, when they begin
 * harvest_start	opens the table in the daemon's state folder, or takes it
 *		over from before (NULL: there is none); a new or damaged file
 *		is told in the log. RC_BAD or RC_RETRY with *why_r
 */
#ifndef AUTH_CHECK_HARVEST_EARLY_H
#define AUTH_CHECK_HARVEST_EARLY_H

#include "harvest_file.h"
#include "milter/filter.h"
#include "options.h"

/* The numbers of the configuration as the table wants them. */
struct harvest_policy harvest_policy_of(const struct auth_check_conf *conf);

void harvest_connect(struct early *e, struct harvest_file *table);
void harvest_mail(struct early *e, struct harvest_file *table);
void harvest_rcpt(struct early *e, struct harvest_file *table);
enum rc harvest_start(const struct auth_check_conf *conf,
    struct harvest_file *before, const char *dir,
    struct harvest_file **table_r, struct arena *a, struct slice *why_r);

#endif
