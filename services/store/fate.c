#include "services/store/fate.h"

#include "track/fate.h"

/* One handle, for the loop's thread alone; there until the process ends. */
static struct track_fates *the_fates;

bool
fate_refused(struct service_run *run, struct slice queue_id, int64_t time)
{
	if (the_fates == NULL) {
		struct service_set *set = service_set(run);

		the_fates = track_fates_open(set->house.state_directory);
		service_set_drop(set);
	}
	return track_fate(the_fates, queue_id, time) == TRACK_FATE_REFUSED;
}
