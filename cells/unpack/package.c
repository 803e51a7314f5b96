#include "cells/unpack/bytes.h"
#include "cells/unpack/walk.h"

/* Flags, label and path; four bytes; the path it was copied to, with its length
 * before it; then length and bytes of the file. */
bool
package_read_member(struct walk *w, struct walk_entry *parent,
    struct slice bytes)
{
	struct slice rest = slice_after(bytes, 2), name;
	uint32_t len;

	name = slice_cut(rest, '\0', &rest);
	if (rest.ptr == NULL)
		return false;
	slice_cut(rest, '\0', &rest);
	if (rest.ptr == NULL)
		return false;
	len = bytes_le32(rest, 4);
	rest = slice_after(rest, 8 + (size_t)len);
	len = bytes_le32(rest, 0);
	if (rest.len < 4 || len == 0)
		return false;
	/* Cut or over a limit, it is said at the member; here it is found. */
	walk_member(w, parent, name, slice_sub(rest, 4, len));
	return true;
}
