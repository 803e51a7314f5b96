/* A key that a daemon makes for itself (seal.h). */
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/write.h"
#include "milter/seal.h"

enum { KEY = 32 };

static enum rc
failed(const char *path, int fd, struct arena *a, struct slice *why_r)
{
	*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return RC_RETRY;
}

/* Whole or not at all. */
static enum rc
make_key(const char *path, struct arena *a, struct slice *why_r)
{
	const char *draft = arena_printf(a, "%s.new", path).ptr;
	unsigned char bytes[KEY];
	char hex[2 * KEY + 1];
	int fd;

	if (RAND_bytes(bytes, sizeof bytes) != 1) {
		*why_r = arena_printf(a, "no random bytes for %s", path);
		return RC_RETRY;
	}
	hex_write(hex, bytes, sizeof bytes);
	fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || !write_all(fd, slice_make(hex, sizeof hex - 1)) ||
	    fsync(fd) != 0)
		return failed(draft, fd, a, why_r);
	close(fd);
	if (rename(draft, path) != 0)
		return failed(path, -1, a, why_r);
	return RC_OK;
}

enum rc
seal_key_own(const char *configured, const char *path, struct seal_key *key,
    struct arena *a, struct slice *why_r)
{
	enum rc rc = RC_OK;

	if (configured[0] != '\0')
		path = configured;
	else if (access(path, F_OK) != 0)
		rc = make_key(path, a, why_r);
	return rc == RC_OK ? seal_key_load(path, key, a, why_r) : rc;
}
