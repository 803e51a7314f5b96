#include "items.h"

#include <unistd.h>

#include "unpack/format.h"
#include "unpack/kinds.h"

enum {
	READINGS = 8,			/* of one part */
	ITEMS = 200000,			/* of one message */
	PATH = 300,			/* of a path, for people */
	LOOKS = 128,			/* of libmagic, for one message */
};

struct reader {
	struct message *msg;
	const struct items_conf *conf;
	struct items *items;
	struct arena *a;
	deadline_t until;
};

static struct item *
add(struct reader *r, const struct part *part, unsigned number,
    struct item *container)
{
	struct item *i = arena_alloc(r->a, sizeof *i);

	i->part = part;
	i->number = number;
	i->container = container;
	i->unpacked = CELL_ANSWERED;
	*r->items->last = i;
	r->items->last = &i->next;
	r->items->count++;
	return i;
}

static struct slice
joined(struct arena *a, struct slice container, struct slice member)
{
	return arena_printf(a, "%.*s/%.*s", SLICE_ARG(slice_sub(container, 0,
	    PATH)), SLICE_ARG(slice_sub(member, 0, PATH)));
}

/* What only the cell can tell. */
static void
finish(struct item *i)
{
	if (i->why == UNPACK_ENCRYPTED)
		i->identity.classes |= FILETYPE_ENCRYPTED;
}

/* What the cell tells of a document's text is its first member, and what the
 * document says about itself the next one; all others have their names from
 * files. Neither is attached. */
static bool
told_text(const struct item *i, const struct item *before)
{
	struct slice format = i->container->format;

	if (before != i->container)
		return before->text && before->container == i->container &&
		    slice_eq(format, SLICE("ole2")) &&
		    slice_eq(i->name, SLICE("properties"));
	return (slice_eq(format, SLICE("ole2")) ||
	    slice_eq(format, SLICE("pdf")) || slice_eq(format, SLICE("rtf"))) &&
	    (slice_eq(i->name, SLICE("text")) ||
	    slice_eq(i->name, SLICE("text, in part")));
}

/* Macros in a member make the document one with macros. */
static void
tell_container(struct item *i)
{
	unsigned up = i->identity.classes & FILETYPE_ENCRYPTED;

	if (i->container == NULL || i->text)
		return;
	if (slice_ends_nocase(i->name, SLICE(".bas")) &&
	    slice_eq(i->container->format, SLICE("ole2")))
		up |= FILETYPE_MACRO;
	if (slice_eq(i->container->format, SLICE("pdf")) &&
	    slice_eq(slice_of(i->identity.is->name), SLICE("javascript")))
		up |= FILETYPE_PDF_ACTIVE;
	if (i->container->identity.classes & (FILETYPE_OFFICE |
	    FILETYPE_ARCHIVE | FILETYPE_PDF))
		i->container->identity.classes |= up;
}

static void
add_members(struct reader *r, struct item *whole,
    const struct unpack_result *result)
{
	struct item **of = arena_array(r->a, result->nentries + 1,
	    sizeof (struct item *));

	whole->why = result->entries[0].why;
	whole->format = result->entries[0].format;
	finish(whole);
	of[0] = whole;
	for (size_t n = 1; n < result->nentries; n++) {
		const struct unpack_entry *e = &result->entries[n];

		if (r->items->count >= ITEMS) {
			whole->why = UNPACK_TOO_MANY;
			return;
		}
		of[n] = add(r, whole->part, whole->number, of[e->parent]);
		of[n]->name = e->path;
		of[n]->path = joined(r->a, of[e->parent]->path, e->path);
		of[n]->bytes = e->bytes;
		of[n]->format = e->format;
		of[n]->why = e->why;
		identify_file(r->a, e->path, SLICE(""), e->bytes,
		    &of[n]->identity);
		finish(of[n]);
		of[n]->text = told_text(of[n], of[n - 1]);
	}
}

static void
open_container(struct reader *r, struct item *item)
{
	const struct conf_list *passwords = r->conf->passwords;
	struct unpack_result result;
	int fd = cell_memfd(item->bytes);

	if (fd < 0) {
		item->unpacked = CELL_DOWN;
		return;
	}
	unpack_ask(r->conf->unpack, fd, item->name, &r->conf->limits,
	    passwords->items, passwords->count, r->until, r->a, &result);
	close(fd);
	item->unpacked = result.end;
	if (result.end == CELL_ANSWERED)
		add_members(r, item, &result);
	else
		item->why = UNPACK_DAMAGED;
}

static struct slice
path_of(struct reader *r, const struct part *p, unsigned number)
{
	if (p->filename.ptr != NULL && p->filename.len > 0)
		return slice_sub(p->filename, 0, PATH);
	return arena_printf(r->a, "part %u, %.*s/%.*s", number,
	    SLICE_ARG(p->type), SLICE_ARG(p->subtype));
}

static bool
is_text(const struct item *i)
{
	const struct part *p = i->part;

	return part_is(p, "text", NULL) && i->identity.nnames == 0 &&
	    !slice_eq(p->disposition, SLICE("attachment")) &&
	    (i->identity.is->classes & FILETYPE_TEXT ||
	    i->bytes.len == 0);
}

static void
add_part(struct reader *r, const struct part *p, unsigned number)
{
	struct slice bytes;
	unsigned flags = 0;

	for (unsigned n = 0; n < READINGS && part_reading(p, n, r->a,
	    (size_t)r->conf->limits.member_bytes, &bytes, &flags); n++) {
		struct item *i = add(r, p, number, NULL);

		i->name = p->filename.ptr != NULL ? p->filename : SLICE("");
		i->path = path_of(r, p, number);
		i->bytes = bytes;
		identify_part(r->a, p, bytes, &i->identity);
		i->text = is_text(i);
		if (flags & TRANSFER_CUT)
			i->why = UNPACK_TOO_LARGE;
		/* The parts of an attached message are items anyway. */
		else if (!(part_is(p, "message", NULL) && p->child != NULL) &&
		    unpack_format_of(bytes) != NULL)
			open_container(r, i);
	}
}

static void
not_seen(struct item *item, enum cell_end end)
{
	item->unpacked = end;
	if (item->why == UNPACK_WHOLE)
		item->why = UNPACK_DAMAGED;
}

/* One that ends the worker is found by asking for each alone. */
static void
ask_kinds(struct reader *r, struct item **of, size_t n)
{
	struct slice *files = arena_array(r->a, n, sizeof *files);
	struct slice *kinds = arena_array(r->a, n, sizeof *kinds);
	enum cell_end end;

	for (size_t i = 0; i < n; i++)
		files[i] = of[i]->bytes;
	end = unpack_kinds(r->conf->unpack, files, n, r->until, r->a, kinds);
	for (size_t i = 0; i < n; i++) {
		if (end == CELL_ANSWERED)
			identify_magic(r->a, &of[i]->identity, kinds[i]);
		else if (n == 1 || end == CELL_DOWN || end == CELL_TIMEOUT)
			not_seen(of[i], end);
		else
			ask_kinds(r, &of[i], 1);
	}
	if (end == CELL_DOWN || end == CELL_TIMEOUT)
		r->items->late = true;
}

static void
find_kinds(struct reader *r)
{
	struct item *of[KINDS];
	size_t n = 0, looks = 0;

	for (struct item *i = r->items->first; i != NULL && looks < LOOKS &&
	    !r->items->late; i = i->next) {
		if (i->text || i->bytes.len == 0 || (!r->conf->all_kinds &&
		    !identify_unsure(&i->identity)))
			continue;
		looks++;
		of[n++] = i;
		if (n == KINDS) {
			ask_kinds(r, of, n);
			n = 0;
		}
	}
	if (n > 0)
		ask_kinds(r, of, n);
}

static void
sum_up(struct items *items)
{
	for (struct item *i = items->first; i != NULL; i = i->next) {
		tell_container(i);
		if (i->unpacked == CELL_DOWN || i->unpacked == CELL_TIMEOUT)
			items->late = true;
		if (items->lack == NULL && (i->why != UNPACK_WHOLE ||
		    i->unpacked != CELL_ANSWERED))
			items->lack = i;
	}
}

void
items_of_message(struct message *msg, const struct items_conf *conf,
    deadline_t until, struct items *items_r)
{
	struct reader r = { .msg = msg, .conf = conf, .items = items_r,
	    .a = msg->arena, .until = until };
	const struct part *root = message_parts(msg);
	unsigned number = 0;

	*items_r = (struct items){ .last = &items_r->first };
	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		if (!part_multipart(p))
			add_part(&r, p, ++number);
	find_kinds(&r);
	sum_up(items_r);
	content_read(msg, &content_limits_default, &items_r->content);
}

void
items_of_file(struct arena *a, struct slice name, struct slice mime,
    struct slice bytes, const struct items_conf *conf, deadline_t until,
    struct items *items_r)
{
	struct reader r = { .conf = conf, .items = items_r, .a = a,
	    .until = until };
	struct item *i;

	*items_r = (struct items){ .last = &items_r->first };
	i = add(&r, NULL, 1, NULL);
	i->name = i->path = name;
	i->bytes = bytes;
	identify_file(a, name, mime, bytes, &i->identity);
	if (unpack_format_of(bytes) != NULL)
		open_container(&r, i);
	find_kinds(&r);
	sum_up(items_r);
}
