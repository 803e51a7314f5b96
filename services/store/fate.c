#include "services/store/fate.h"

/* Nobody tells yet what became of a message. */
bool
fate_refused(struct service_run *run, struct slice queue_id, int64_t time)
{
	(void)run;
	(void)queue_id;
	(void)time;
	return false;
}
