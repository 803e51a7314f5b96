#include "base/write.h"

#include <errno.h>
#include <unistd.h>

bool
write_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes = slice_after(bytes, (size_t)n);
	}
	return true;
}
