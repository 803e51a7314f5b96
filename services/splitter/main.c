/* gatehouse-splitter: each form class gets its own copy. */
#include "services/splitter/splitter.h"

int
main(int argc, char **argv)
{
	return service_main(argc, argv, &splitter_service);
}
