/*
 * gatehouse-sandbox: between the quarantine and a sandbox
 *
 * It has no key and holds no mail: what waits it gets from gatehouse-store, and
 * what becomes of it is decided there.
 */
#include "services/sandbox/work.h"

static enum rc
start(struct service_run *run, struct slice *why_r)
{
	struct work *w;
	enum rc rc = work_start(run, &w, why_r);

	run->state = w;
	return rc;
}

static void
stop(struct service_run *run)
{
	work_stop(run->state);
}

static const struct service sandbox_service = {
	.name = "sandbox", .options = sandbox_options,
	.conf_size = sizeof(struct sandbox_conf), .check = sandbox_check,
	.start = start, .stop = stop,
};

int
main(int argc, char **argv)
{
	return service_main(argc, argv, &sandbox_service);
}
