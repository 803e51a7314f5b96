/* gatehouse-chain: several filters in one process. */
#include "daemon/daemon.h"
#include "milters/all.h"

int
main(int argc, char **argv)
{
	return chain_main(argc, argv, all_filters);
}
