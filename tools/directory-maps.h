/*
 * directory-maps - Postfix's maps of a directory file
 *
 * maps_write	recipients, transports and aliases of that type into folder, by
 *		the postmap(1) of this Postfix. The directory is read from fd.
 *		An address whose local part Postfix writes in quotes (RFC 5321:
 *		dots at an end, or two together) stands in it in both forms.
 *		RC_BAD: an address that postmap's text cannot hold; RC_RETRY:
 *		postmap fails, a disk is full, or it takes over MAPS_MS
 *
 * maps_file	the name of a map below the folder, without its suffix
 */
#ifndef TOOLS_DIRECTORY_MAPS_H
#define TOOLS_DIRECTORY_MAPS_H

#include "tools/directory-conf.h"

enum { MAPS_MS = 1800000 };

enum directory_map { MAPS_RECIPIENTS, MAPS_TRANSPORTS, MAPS_ALIASES, MAPS };

extern const char *const maps_file[MAPS];

enum rc maps_write(const struct directory_conf *conf, const char *folder,
    int fd, struct arena *a, struct slice *why_r);

#endif
