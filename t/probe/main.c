/* gatehouse-probe and gatehouse-probe-head: the daemons of tests. */
#include <string.h>

#include "daemon/daemon.h"
#include "t/probe/probe.h"

int
main(int argc, char **argv)
{
	size_t len = strlen(argv[0]);

	if (len > 5 && strcmp(argv[0] + len - 5, "-head") == 0)
		return daemon_main(argc, argv, &probe_head_filter);
	return daemon_main(argc, argv, &probe_filter);
}
