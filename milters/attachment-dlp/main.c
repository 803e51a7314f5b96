/* gatehouse-attachment-dlp: what may come in, what must not go out. */
#include "daemon/daemon.h"
#include "filter.h"

int
main(int argc, char **argv)
{
	return daemon_main(argc, argv, &attachment_filter);
}
