#include "conf/trust.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who beside the owner may write; NULL when nobody may. Group root counts as
 * root, and in a sticky folder nobody removes what is not his. */
static const char *
others(const struct stat *st)
{
	if (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0)
		return NULL;
	if ((st->st_mode & S_IWOTH) != 0)
		return "by everybody";
	if ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0)
		return "by its group";
	return NULL;
}

static enum rc
refuse(struct arena *a, const char *path, const char *what, const char *who,
    mode_t mode, struct slice *why_r)
{
	*why_r = arena_printf(a, "%s may be changed %s (mode %04o); "
	    "chmod go-w %s", what, who, (unsigned)(mode & 07777), path);
	return RC_BAD;
}

/* All folders from the file's own up to the root. */
static enum rc
trust_folders(struct arena *a, const char *path, struct slice *why_r)
{
	char folder[PATH_MAX];
	struct stat st;
	char *slash;

	if (realpath(path, folder) == NULL) {
		*why_r = arena_printf(a, "%s: no way to it: %m", path);
		return RC_BAD;
	}
	while ((slash = strrchr(folder, '/')) != NULL && folder[1] != '\0') {
		slash[slash == folder] = '\0';
		if (stat(folder, &st) != 0) {
			*why_r = arena_printf(a, "%s: folder %s: %m", path,
			    folder);
			return RC_BAD;
		}
		if (others(&st) != NULL)
			return refuse(a, folder, arena_printf(a,
			    "%s: its folder %s", path, folder).ptr,
			    others(&st), st.st_mode, why_r);
	}
	return RC_OK;
}

enum rc
trust_file(struct arena *a, int fd, const char *path, struct slice *why_r)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		*why_r = arena_printf(a, "%s: %m", path);
		return RC_BAD;
	}
	if (st.st_uid != 0 && st.st_uid != geteuid()) {
		*why_r = arena_printf(a, "%s: belongs to uid %u, who may "
		    "change it; chown root %s", path, (unsigned)st.st_uid,
		    path);
		return RC_BAD;
	}
	if (others(&st) != NULL)
		return refuse(a, path, arena_printf(a, "%s:", path).ptr,
		    others(&st), st.st_mode, why_r);
	return trust_folders(a, path, why_r);
}
