/*
 * table - all types that have a name here; only for this room
 *
 * A row is name, extensions, MIME types, family, base, classes, sure. Of two
 * rows with an extension or MIME type in common the first one counts.
 */
#ifndef FILETYPE_TABLE_H
#define FILETYPE_TABLE_H

#include "filetype/filetype.h"

extern const struct filetype filetype_table[];	/* name NULL at the end */

#endif
