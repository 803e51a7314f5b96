/*
 * format - what a file is, by what stands in it: never by its name
 *
 * unpack_format_of	of the bytes' beginning, and for archives behind a
 *			program their end; NULL: nothing that has anything in
 *			it. Cheap: whoever would ask the cell looks here first
 *
 * Pure; thread-safe.
 */
#ifndef UNPACK_FORMAT_H
#define UNPACK_FORMAT_H

#include "base/slice.h"

/* Who reads it, in the cell. */
enum unpack_by { UNPACK_BY_NOBODY = 0, UNPACK_BY_ARCHIVE, UNPACK_BY_MAIL,
    UNPACK_BY_OLE2, UNPACK_BY_PDF, UNPACK_BY_RTF, UNPACK_BY_TNEF, UNPACK_BYS };

struct unpack_format {
	const char *name;		/* "zip" */
	enum unpack_by by;
};

const struct unpack_format *unpack_format_of(struct slice bytes);

#endif
