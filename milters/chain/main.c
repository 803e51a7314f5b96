/* gatehouse-chain: several filters in one process. */
#include "daemon/daemon.h"
#include "milters/auth-check/filter.h"

int
main(int argc, char **argv)
{
	static const struct filter *const filters[] = {
		&auth_check_filter, NULL,
	};

	return chain_main(argc, argv, filters);
}
