/* What outbound mail keeps in the daemon's state folder. */
#include "log/log.h"
#include "outbound_run.h"

static enum rc
add_window(struct slice where, const void *arg, void *keep)
{
	const struct predelivery_conf *conf = arg;
	int64_t window = conf->outbound.recipients_window / 1000;
	int64_t *keep_r = keep;

	(void)where;
	if (window > *keep_r)
		*keep_r = window;
	return RC_OK;
}

enum rc
outbound_survey(const struct predelivery_conf *conf,
    const struct policy *policy, struct arena *a,
    struct outbound_view **view_r, struct slice *why_r)
{
	*view_r = arena_alloc(a, sizeof **view_r);
	return policy_each(policy, "predelivery", predelivery_options,
	    conf->scopes, conf, sizeof *conf, add_window, &(*view_r)->keep,
	    why_r);
}

static enum rc
open_tally(const struct predelivery_conf *conf,
    struct outbound_shared *shared, struct tally_file *before,
    const char *dir, struct arena *a, struct slice *why_r)
{
	const char *path = arena_printf(a, "%s/recipients", dir).ptr, *anew;
	enum rc rc;

	if (before != NULL) {
		if (tally_cells(before) != conf->outbound.recipients_cells)
			log_warning("recipients_cells was changed; it counts "
			    "from the next start on");
		shared->tally = tally_hold(before);
		return RC_OK;
	}
	rc = tally_open(path, conf->outbound.recipients_cells,
	    &shared->tally, &anew, a, why_r);
	if (rc == RC_OK && anew != NULL)
		log_info("%s: begun anew: %s", path, anew);
	return rc;
}

enum rc
outbound_state(const struct predelivery_conf *conf,
    struct outbound_shared *shared, const struct outbound_shared *before,
    const char *dir, struct arena *a, struct slice *why_r)
{
	enum rc rc = open_tally(conf, shared,
	    before != NULL ? before->tally : NULL, dir, a, why_r);

	if (rc == RC_OK)
		rc = seal_key_own(conf->outbound.bounce_key,
		    arena_printf(a, "%s/bounce.key", dir).ptr, &shared->key,
		    a, why_r);
	return rc;
}

void
outbound_close(struct outbound_shared *shared)
{
	tally_drop(shared->tally);
}
