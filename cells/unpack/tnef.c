/*
 * TNEF ([MS-OXTNEF]), the winmail.dat of Outlook: the message's own text, and
 * attachments with their names. An attribute is a level, a tag, a length, bytes
 * and a check sum.
 */
#include "base/buf.h"
#include "cells/unpack/bytes.h"
#include "cells/unpack/lzfu.h"
#include "cells/unpack/utf16.h"
#include "cells/unpack/walk.h"

enum {
	ATTACHMENT = 2,			/* the level */
	TITLE = 0x00018010, DATA = 0x0006800f, RENDER = 0x00069002,
	PROPERTIES = 0x00069005,
	SUBJECT = 0x00018004, BODY = 0x0002800c, MESSAGE = 0x00069003,
	PR_DATA = 0x37010102, PR_OBJECT = 0x3701000d,
	PR_LONG_NAME = 0x3707001e, PR_LONG_NAME_WIDE = 0x3707001f,
	PR_BODY = 0x1000001e, PR_BODY_WIDE = 0x1000001f,
	PR_HTML = 0x10130102, PR_RTF = 0x10090102,
	RTF = 64 << 20,
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

struct tnef {
	struct walk *w;
	struct walk_entry *container;
	struct slice title, data;	/* of the attachment at hand */
	bool more;
};

static void
take(struct tnef *t, struct slice name, struct slice bytes)
{
	if (t->more && bytes.len > 0)
		t->more = walk_member(t->w, t->container, name, bytes);
}

static void
take_attachment(struct tnef *t)
{
	if (t->more && t->data.ptr != NULL)
		t->more = walk_member(t->w, t->container, t->title, t->data);
	t->data = SLICE_NONE;
	t->title = SLICE("");
}

static struct slice
no_nul(struct slice s)
{
	return slice_sub(s, 0, slice_find(s, '\0'));
}

static struct slice
wide(struct tnef *t, struct slice s)
{
	struct buf out = buf_in(t->w->arena);

	utf16_put(&out, s);
	return no_nul(buf_slice(&out));
}

static void
attachment(struct tnef *t, uint32_t tag, struct slice value)
{
	struct slice name, data;

	if (tag == RENDER) {
		take_attachment(t);
	} else if (tag == TITLE) {
		t->title = no_nul(value);
	} else if (tag == DATA) {
		t->data = value;
	} else if (tag == PROPERTIES) {
		data = property(value, PR_DATA);
		if (data.ptr == NULL)
			data = property(value, PR_OBJECT);
		/* An object has the 16 bytes of its class first. */
		if (data.ptr != NULL && t->data.len == 0)
			t->data = data;
		/* The title may be a short one; this is what is shown. */
		name = property(value, PR_LONG_NAME_WIDE);
		if (name.ptr != NULL)
			t->title = wide(t, name);
		name = property(value, PR_LONG_NAME);
		if (name.ptr != NULL)
			t->title = no_nul(name);
	}
}

static void
message(struct tnef *t, uint32_t tag, struct slice value)
{
	struct buf rtf = { 0 };
	struct slice compressed;

	if (tag == SUBJECT)
		take(t, SLICE("subject.txt"), no_nul(value));
	else if (tag == BODY)
		take(t, SLICE("body.txt"), no_nul(value));
	if (tag != MESSAGE)
		return;
	take(t, SLICE("body.txt"), no_nul(property(value, PR_BODY)));
	take(t, SLICE("body.txt"), wide(t, property(value, PR_BODY_WIDE)));
	take(t, SLICE("body.html"), property(value, PR_HTML));
	compressed = property(value, PR_RTF);
	if (compressed.ptr == NULL)
		return;
	if (!lzfu_expand(compressed, RTF, &rtf))
		walk_why(t->container, UNPACK_DAMAGED);
	take(t, SLICE("body.rtf"), buf_slice(&rtf));
	buf_free(&rtf);
}

void
tnef_read_members(struct walk *w, struct walk_entry *container,
    struct slice bytes)
{
	struct tnef t = { .w = w, .container = container, .more = true,
	    .title = SLICE(""), .data = SLICE_NONE };
	struct slice rest = slice_after(bytes, 6);

	while (t.more && rest.len >= 11) {
		uint32_t tag = bytes_le32(rest, 1), len = bytes_le32(rest, 5);
		struct slice value = slice_sub(rest, 9, len);
		bool of_attachment = rest.ptr[0] == ATTACHMENT;

		if (value.len < len)
			walk_why(container, UNPACK_DAMAGED);
		rest = slice_after(rest, 9 + (size_t)len + 2);
		if (of_attachment)
			attachment(&t, tag, value);
		else
			message(&t, tag, value);
	}
	take_attachment(&t);
}
