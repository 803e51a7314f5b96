/* gatehouse-splitter: gives each form class its own copy (gatehouse-splitter(8)). */
#include "services/splitter/splitter.h"

int
main(int argc, char **argv)
{
	return service_main(argc, argv, &splitter_service);
}
