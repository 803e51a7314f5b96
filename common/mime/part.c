#include "mime/part.h"

#include "mime/message.h"

struct part *
part_next(const struct part *root, const struct part *part)
{
	if (part->child != NULL)
		return part->child;
	while (part != root && part->next == NULL)
		part = part->parent;
	return part != root ? part->next : NULL;
}

bool
part_is(const struct part *p, const char *type, const char *subtype)
{
	return slice_eq_nocase(p->type, slice_of(type)) &&
	    (subtype == NULL || slice_eq_nocase(p->subtype, slice_of(subtype)));
}

bool
part_multipart(const struct part *p)
{
	return p->boundary.ptr != NULL;
}

bool
part_offset(const struct message *msg, const struct part *p, size_t *off_r)
{
	if (p->copy)
		return false;
	*off_r = (size_t)(p->body.ptr - msg->body.ptr);
	return true;
}

struct slice
part_decoded(const struct part *p, struct arena *a, size_t limit,
    unsigned *flags_r)
{
	return transfer_decode(a, p->transfer, p->body, limit, flags_r);
}

bool
part_reading(const struct part *p, unsigned n, struct arena *a,
    size_t limit, struct slice *content_r, unsigned *flags_r)
{
	unsigned flags;

	if (n > 1 || (n == 1 && p->transfer != TRANSFER_BASE64))
		return false;
	*content_r = part_decoded(p, a, limit, &flags);
	if (n == 1 && (flags & TRANSFER_AFTER_PAD) == 0)
		return false;
	if (n == 1)
		*content_r = transfer_decode_unpadded(a, p->body, limit,
		    &flags);
	if (flags_r != NULL)
		*flags_r = flags;
	return true;
}
