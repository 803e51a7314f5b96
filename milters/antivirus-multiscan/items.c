#include "items.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "unpack/format.h"

enum {
	READINGS = 8,			/* of one part */
	LETTER_PART = 8192,		/* an attachment so long is left out */
	PATH = 300,			/* of a path, for people */
};

/* ---- the message as a letter ---- */

struct hole {
	size_t from, to;		/* in msg->body */
};

static int
by_place(const void *a, const void *b)
{
	const struct hole *x = a, *y = b;

	return x->from < y->from ? -1 : x->from > y->from ? 1 : 0;
}

static bool
left_out(const struct message *msg, const struct part *p, struct hole *hole_r)
{
	if (p->child != NULL || p->lax || p->copy ||
	    p->body.len < LETTER_PART || part_is(p, "text", NULL) ||
	    !part_offset(msg, p, &hole_r->from))
		return false;
	hole_r->to = hole_r->from + p->body.len;
	return true;
}

/* Engines that know mail look at headers and structure too. */
static struct slice
letter(struct message *msg, const struct part *root, struct arena *a)
{
	struct hole *holes = arena_array(a, msg->limits.parts + 1,
	    sizeof *holes);
	struct buf out = buf_in(a);
	size_t n = 0, at = 0;

	for (const struct part *p = root; p != NULL && n < msg->limits.parts;
	    p = part_next(root, p))
		if (left_out(msg, p, &holes[n]))
			n++;
	qsort(holes, n, sizeof *holes, by_place);
	buf_add(&out, msg->head);
	buf_add(&out, SLICE("\r\n"));
	for (size_t i = 0; i < n; i++) {
		if (holes[i].from < at)
			continue;
		buf_add(&out, slice_sub(msg->body, at, holes[i].from - at));
		at = holes[i].to;
	}
	buf_add(&out, slice_after(msg->body, at));
	return buf_slice(&out);
}

/* ---- parts and members ---- */

struct reader {
	struct message *msg;
	const struct items_conf *conf;
	struct ledger *l;
	deadline_t until;
	struct slice passwords[UNPACK_PASSWORDS];
	size_t npasswords;
	bool looked;			/* for passwords */
};

/* Only mail with a container has its text read for them. */
static void
look_for_passwords(struct reader *r)
{
	const struct conf_list *list = r->conf->passwords;

	if (r->looked)
		return;
	r->looked = true;
	for (size_t i = 0; i < list->count && i < UNPACK_PASSWORDS; i++)
		r->passwords[r->npasswords++] = list->items[i];
	r->npasswords += items_passwords(r->msg, r->l->arena, r->passwords +
	    r->npasswords, UNPACK_PASSWORDS - r->npasswords);
}

static struct slice
joined(struct arena *a, struct slice container, struct slice member)
{
	return arena_printf(a, "%.*s/%.*s", SLICE_ARG(slice_sub(container, 0,
	    PATH)), SLICE_ARG(slice_sub(member, 0, PATH)));
}

static void
add_members(struct reader *r, struct ledger_row *container,
    const struct unpack_result *result)
{
	struct slice *paths = arena_array(r->l->arena, result->nentries + 1,
	    sizeof *paths);

	container->why = result->entries[0].why;
	paths[0] = container->path;
	for (size_t i = 1; i < result->nentries; i++) {
		const struct unpack_entry *e = &result->entries[i];
		struct ledger_row *row;

		paths[i] = joined(r->l->arena, paths[e->parent], e->path);
		row = ledger_add(r->l, paths[i], e->bytes);
		if (row == NULL)
			return;
		row->why = e->why;
		row->part = container->part;
		row->member = true;
	}
}

static void
open_container(struct reader *r, struct ledger_row *row)
{
	struct unpack_result result;
	int fd = cell_memfd(row->bytes);

	if (fd < 0) {
		row->unpacked = CELL_DOWN;
		return;
	}
	look_for_passwords(r);
	unpack_ask(r->conf->unpack, fd, row->path, &r->conf->limits,
	    r->passwords, r->npasswords, r->until, r->l->arena, &result);
	close(fd);
	row->unpacked = result.end;
	if (result.end == CELL_ANSWERED)
		add_members(r, row, &result);
}

static struct slice
name_of(struct arena *a, const struct part *p, unsigned number)
{
	if (p->filename.ptr != NULL && p->filename.len > 0)
		return slice_sub(p->filename, 0, PATH);
	return arena_printf(a, "part %u, %.*s/%.*s", number,
	    SLICE_ARG(p->type), SLICE_ARG(p->subtype));
}

static void
add_part(struct reader *r, const struct part *p, unsigned number)
{
	struct arena *a = r->l->arena;
	struct slice content;
	unsigned flags = 0;

	for (unsigned n = 0; n < READINGS && part_reading(p, n, a,
	    (size_t)r->conf->limits.member_bytes, &content, &flags); n++) {
		struct ledger_row *row = ledger_add(r->l,
		    name_of(a, p, number), content);

		if (row == NULL)
			return;
		row->part = p;
		if (flags & TRANSFER_CUT)
			row->why = UNPACK_TOO_LARGE;
		else if (unpack_format_of(content) != NULL)
			open_container(r, row);
	}
}

/* What makes readers disagree. Odd, but read by all in one way, is no lack. */
static const char *
ambiguity(uint64_t flags)
{
	static const struct { uint64_t flag; const char *text; } table[] = {
		{ MSG_TWO_TYPES, "two Content-Type fields" },
		{ MSG_TWO_BOUNDARIES, "two boundaries" },
		{ MSG_TWO_TRANSFERS, "two Content-Transfer-Encoding fields" },
		{ MSG_LIMIT_READINGS, "more readings than are looked at" },
		{ MSG_LIMIT_DEPTH, "parts nested too deep" },
		{ MSG_LIMIT_PARTS, "too many parts" },
		{ MSG_LIMIT_WORK, "structure too large" },
		{ MSG_LIMIT_PARAMS, "too many parameters" },
		{ MSG_PARTIAL, "a piece of a message (message/partial)" },
	};

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (flags & table[i].flag)
			return table[i].text;
	return NULL;
}

void
items_read(struct message *msg, const struct items_conf *conf,
    deadline_t until, struct ledger *l)
{
	struct reader r = { .msg = msg, .conf = conf, .l = l, .until = until };
	const struct part *root = message_parts(msg);
	struct ledger_row *whole;
	unsigned number = 0;

	whole = ledger_add(l, SLICE(""), letter(msg, root, l->arena));
	whole->mail = true;
	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		if (p->child == NULL)
			add_part(&r, p, ++number);
	l->ambiguous = ambiguity(msg->flags);
}
