/*
 * export - entries of journald's export format (systemd's
 * JOURNAL_EXPORT_FORMATS)
 *
 * "KEY=text" lines, or "KEY", a length of eight bytes and as many bytes; an
 * empty line ends an entry.
 *
 * export_next	takes one whole entry from *rest. EXPORT_MORE: it is not all
 *		there yet; EXPORT_BAD: this is no such format, or an entry is
 *		longer than EXPORT_ENTRY
 *
 * Pure; slices borrow.
 */
#ifndef TRACK_EXPORT_H
#define TRACK_EXPORT_H

#include "base/slice.h"

enum { EXPORT_ENTRY = 1 << 20 };
enum export_got { EXPORT_ONE, EXPORT_MORE, EXPORT_BAD };

struct export_entry {
	int64_t ms;			/* since 1970; -1: not told */
	struct slice cursor, tag, pid, text;
};

enum export_got export_next(struct slice *rest, struct export_entry *e);

#endif
