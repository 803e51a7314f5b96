#include "daemon/notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A reload must say when it began, or systemd takes an older READY for it. */
static void
with_time(const char *state, char *text, size_t size)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, size, "%s\nMONOTONIC_USEC=%lld", state,
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void
notify_state(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	socklen_t len;
	char text[128];
	int fd;

	if (path == NULL || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof to.sun_path)
		return;
	strcpy(to.sun_path, path);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(path));
	with_time(state, text, sizeof text);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Nothing can be done about a manager that does not read. */
	(void)sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
	    (struct sockaddr *)&to, len);
	close(fd);
}

int64_t
notify_interval(void)
{
	const char *us = getenv("WATCHDOG_USEC");
	long long value = us != NULL ? atoll(us) : 0;

	return value > 0 ? value / 2000 : 0;
}
