/* gatehouse-chain with the filters of tests beside the real ones. */
#include "daemon/daemon.h"
#include "milters/auth-check/filter.h"
#include "t/probe/probe.h"

int
main(int argc, char **argv)
{
	static const struct filter *const filters[] = {
		&auth_check_filter, &probe_filter, &probe_head_filter, NULL,
	};

	return chain_main(argc, argv, filters);
}
