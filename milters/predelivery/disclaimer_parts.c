#include "disclaimer_parts.h"

/* Who disagrees about these disagrees about what the text is. */
#define DOUBTFUL (MSG_TWO_TYPES | MSG_TWO_TRANSFERS | MSG_TWO_BOUNDARIES | \
	MSG_BAD_BOUNDARY | MSG_NO_BOUNDARY | MSG_NO_DELIMITER | \
	MSG_ENCODED_TREE | MSG_PARTIAL | MSG_LIMIT_DEPTH | MSG_LIMIT_PARTS | \
	MSG_LIMIT_WORK | MSG_LIMIT_FIELDS | MSG_LIMIT_HEADER | \
	MSG_BAD_TRANSFER | MSG_HEADER_CUT | MSG_JUNK_LINE)

/* A junk line in the message's own header is seen as such by all. */
static bool
doubtful(const struct part *p)
{
	uint64_t flags = DOUBTFUL;

	if (p->parent == NULL)
		flags &= ~MSG_JUNK_LINE;
	return (p->flags & flags) != 0;
}

static bool
pkcs7(const struct part *p)
{
	return part_is(p, "application", "pkcs7-mime") ||
	    part_is(p, "application", "x-pkcs7-mime");
}

static enum disclaimer_done
sealed(const struct part *p)
{
	const struct param *type;

	if (part_is(p, "multipart", "signed"))
		return DISCLAIMER_SIGNED;
	if (part_is(p, "multipart", "encrypted") ||
	    part_is(p, "application", "pgp-encrypted"))
		return DISCLAIMER_ENCRYPTED;
	if (!pkcs7(p))
		return DISCLAIMER_ADDED;
	type = params_find(&p->params, SLICE("smime-type"));
	return type != NULL && slice_starts_nocase(type->value,
	    SLICE("signed")) ? DISCLAIMER_SIGNED : DISCLAIMER_ENCRYPTED;
}

static bool
attachment(const struct part *p)
{
	return slice_eq(p->disposition, SLICE("attachment")) ||
	    p->filename.ptr != NULL;
}

/* The child that a multipart/related shows. */
static const struct part *
root_of(const struct part *p)
{
	const struct param *start = params_find(&p->params, SLICE("start"));

	for (const struct part *c = p->child; start != NULL && c != NULL;
	    c = c->next)
		for (size_t i = 0; !c->lax && i < c->nfields; i++)
			if (slice_eq_nocase(c->fields[i].name,
			    SLICE("content-id")) && slice_eq(slice_trim(
			    c->fields[i].body), slice_trim(start->value)))
				return c;
	return p->child;
}

/* What of p is text of the message: it is put in parts. */
static enum disclaimer_done
choose(const struct part *p, struct disclaimer_parts *parts)
{
	if (doubtful(p))
		return DISCLAIMER_REFUSED;
	if (part_is(p, "text", "plain") || part_is(p, "text", "html")) {
		if (p->copy || attachment(p) || parts->n == DISCLAIMER_PARTS)
			return DISCLAIMER_NO_TEXT;
		parts->list[parts->n++] = p;
		return DISCLAIMER_ADDED;
	}
	return DISCLAIMER_NO_TEXT;
}

/* Where to go on from a multipart: into which child, and past which. */
static bool
enters(const struct part *p)
{
	return part_multipart(p) && !part_is(p, "multipart", "report") &&
	    !part_is(p, "multipart", "digest") &&
	    !slice_eq(p->disposition, SLICE("attachment"));
}

/*
 * The next part to look at when p has been: a child, a sibling where the
 * parent wants all of its texts (or has none so far), or one further up. `had`
 * counts the texts that were found before the parent was entered.
 */
struct way {
	const struct part *p;
	size_t had;
};

static bool
more_of(const struct part *parent, const struct disclaimer_parts *parts,
    size_t had)
{
	if (part_is(parent, "multipart", "alternative"))
		return true;
	if (part_is(parent, "multipart", "related"))
		return false;
	return parts->n == had;
}

static const struct part *
sibling(const struct part *p)
{
	do
		p = p->next;
	while (p != NULL && p->lax);
	return p;
}

static enum disclaimer_done
walk(const struct part *root, struct disclaimer_parts *parts)
{
	enum { LEVELS = 64 };		/* message_limits_default.depth is 50 */
	struct way up[LEVELS];
	size_t depth = 0;
	const struct part *p = root;

	while (p != NULL) {
		enum disclaimer_done done;

		if (enters(p) && p->child != NULL && depth < LEVELS) {
			if (doubtful(p))
				return DISCLAIMER_REFUSED;
			up[depth++] = (struct way){ p, parts->n };
			p = part_is(p, "multipart", "related") ? root_of(p) :
			    p->child;
			if (p->lax)
				p = sibling(p);
			continue;
		}
		done = choose(p, parts);
		if (done == DISCLAIMER_REFUSED)
			return done;
		while (depth > 0) {
			const struct way *w = &up[depth - 1];

			p = more_of(w->p, parts, w->had) ? sibling(p) : NULL;
			if (p != NULL)
				break;
			p = w->p;
			depth--;
		}
		if (depth == 0)
			break;
	}
	return parts->n > 0 ? DISCLAIMER_ADDED : DISCLAIMER_NO_TEXT;
}

enum disclaimer_done
disclaimer_parts(struct message *msg, struct disclaimer_parts *parts)
{
	const struct part *root = message_parts(msg);

	parts->n = 0;
	for (const struct part *p = root; p != NULL; p = part_next(root, p)) {
		bool inside = false;
		enum disclaimer_done done = sealed(p);

		if (done == DISCLAIMER_ADDED)
			continue;
		/* Of a message within this one it is no concern. */
		for (const struct part *q = p->parent; q != NULL;
		    q = q->parent)
			inside = inside || part_is(q, "message", NULL);
		if (!inside)
			return done;
	}
	return walk(root, parts);
}
