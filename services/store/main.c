/* gatehouse-store: what was held, until it is released or its time is over. */
#include "services/store/store.h"

int
main(int argc, char **argv)
{
	return service_main(argc, argv, &store_service);
}
