#include "daemon/daemon.h"
#include "filter.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &antispam_filter);
}
