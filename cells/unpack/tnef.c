/*
 * TNEF ([MS-OXTNEF]), the winmail.dat of Outlook: attachments with their
 * names. An attribute is a level, a tag, a length, bytes and a check sum.
 */
#include "cells/unpack/bytes.h"
#include "cells/unpack/walk.h"

enum {
	ATTACHMENT = 2,			/* the level */
	TITLE = 0x00018010, DATA = 0x0006800f, RENDER = 0x00069002,
	PROPERTIES = 0x00069005,
	PR_DATA = 0x37010102, PR_OBJECT = 0x3701000d,
};

/* The binary value of a property in a list of them; absent: not there. What
 * is looked for is a file, so lists that are no file are only stepped over by
 * their own lengths: the tag with a length that fits is enough. */
static struct slice
property(struct slice list, uint32_t tag)
{
	char want[4] = { (char)(tag & 0xff), (char)(tag >> 8 & 0xff),
	    (char)(tag >> 16 & 0xff), (char)(tag >> 24 & 0xff) };

	while (list.len > 12) {
		size_t at = slice_search(list, slice_make(want, 4));
		uint32_t count = bytes_le32(list, at + 4);
		uint32_t len = bytes_le32(list, at + 8);

		if (at == list.len)
			break;
		if (count == 1 && len > 0 && len <= list.len - at - 12)
			return slice_sub(list, at + 12, len);
		list = slice_after(list, at + 4);
	}
	return SLICE_NONE;
}

void
tnef_read_members(struct walk *w, struct walk_entry *container,
    struct slice bytes)
{
	struct slice title = SLICE(""), data = SLICE_NONE, list;
	struct slice rest = slice_after(bytes, 6);
	bool more = true;

	while (more && rest.len >= 11) {
		uint32_t tag = bytes_le32(rest, 1), len = bytes_le32(rest, 5);
		struct slice value = slice_sub(rest, 9, len);
		bool attachment = rest.ptr[0] == ATTACHMENT;

		if (value.len < len)
			walk_why(container, UNPACK_DAMAGED);
		rest = slice_after(rest, 9 + (size_t)len + 2);
		if (attachment && tag == RENDER) {
			if (data.ptr != NULL)
				more = walk_member(w, container, title, data);
			data = SLICE_NONE;
			title = SLICE("");
		} else if (attachment && tag == TITLE) {
			title = slice_cut(value, '\0', &list);
		} else if (attachment && tag == DATA) {
			data = value;
		} else if (attachment && tag == PROPERTIES) {
			list = property(value, PR_DATA);
			if (list.ptr == NULL)
				list = property(value, PR_OBJECT);
			/* An object has the 16 bytes of its class first. */
			if (list.ptr != NULL && data.len == 0)
				data = list;
		}
	}
	if (more && data.ptr != NULL)
		walk_member(w, container, title, data);
}
