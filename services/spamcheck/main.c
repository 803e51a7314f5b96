/* gatehouse-spamcheck: senders ask what a filter for spam would say. */
#include "services/spamcheck/spamcheck.h"

int
main(int argc, char **argv)
{
	return service_main(argc, argv, &spamcheck_service);
}
