/*
 * erase - an address out of a text
 *
 * erase_in	writes an x over each letter and digit of each place where the
 *		address stands, in whatever case, as a word of its own; how
 *		many. The length stays, and so does JSON
 * erase_file	the same in the file that fd is, in place, so that who reads or
 *		appends to it meanwhile is not disturbed; its time of last
 *		change stays. How many; -1 with errno
 * erase_fit	is this an address that may be searched for so? (At least three
 *		bytes, an @, no blanks, quotes or controls)
 */
#ifndef TRACK_ERASE_H
#define TRACK_ERASE_H

#include <sys/types.h>

#include "base/slice.h"

bool erase_fit(struct slice address);
size_t erase_in(char *text, size_t len, struct slice address);
ssize_t erase_file(int fd, struct slice address);

#endif
