/* What outbound mail keeps in the daemon's state folder. */
#include "log/log.h"
#include "outbound_run.h"

struct looking {
	struct outbound_view *view;
	struct arena *arena;
	struct slice why;
};

/* Settings of the policy map are looked at as those of a file are. */
static enum rc
look(struct slice where, const void *arg, void *to)
{
	const struct predelivery_conf *conf = arg;
	struct looking *l = to;
	int64_t window = conf->outbound.recipients_window / 1000;
	struct slice why;

	if (window > l->view->keep)
		l->view->keep = window;
	if (outbound_finish(&conf->outbound, l->arena, &why) == RC_OK)
		return RC_OK;
	l->why = arena_printf(l->arena, "%.*s%s%.*s", SLICE_ARG(where),
	    where.len > 0 ? ": " : "", SLICE_ARG(why));
	return RC_BAD;
}

enum rc
outbound_survey(const struct predelivery_conf *conf,
    const struct policy *policy, struct arena *a,
    struct outbound_view **view_r, struct slice *why_r)
{
	struct looking l = { arena_alloc(a, sizeof *l.view), a, SLICE_NONE };
	enum rc rc = policy_each(policy, "predelivery", predelivery_options,
	    conf->scopes, conf, sizeof *conf, look, &l, why_r);

	if (l.why.ptr != NULL)
		*why_r = l.why;
	*view_r = l.view;
	return rc;
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
