#include "items.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf.h"
#include "unpack/format.h"
#include "wait.h"

enum {
	READINGS = 8,			/* of one part */
	LETTER_PART = 8192,		/* an attachment so long is left out */
	PATH = 300,			/* of a path, for people */
	LINE = 998,			/* RFC 5322, 2.1.1 */
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

/* What of the body follows the header block in a letter. */
static void
add_inside(struct message *msg, const struct part *root, struct buf *out)
{
	struct hole *holes = arena_array(out->arena, msg->limits.parts + 1,
	    sizeof *holes);
	size_t n = 0, at = 0;

	for (const struct part *p = root; p != NULL && n < msg->limits.parts;
	    p = part_next(root, p))
		if (left_out(msg, p, &holes[n]))
			n++;
	qsort(holes, n, sizeof *holes, by_place);
	for (size_t i = 0; i < n; i++) {
		if (holes[i].from < at)
			continue;
		buf_add(out, slice_sub(msg->body, at, holes[i].from - at));
		at = holes[i].to;
	}
	buf_add(out, slice_after(msg->body, at));
}

/* No control characters, no line of blanks, none too long; folds are CRLF. */
static bool
plain_lines(struct slice text)
{
	size_t len = 0;
	bool blank = true;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\r' && i + 2 < text.len && text.ptr[i + 1] == '\n' &&
		    ascii_blank(text.ptr[i + 2]) && !blank) {
			i++;
			len = 0;
			blank = true;
			continue;
		}
		if (((unsigned char)c < ' ' && c != '\t') || c == 0x7f ||
		    ++len > LINE)
			return false;
		blank = blank && ascii_blank(c);
	}
	return !blank;
}

static bool
plain_field(const struct field *f)
{
	struct slice raw = f->raw;

	if (!slice_ends(raw, SLICE("\r\n")) || f->name.len == 0 ||
	    !ascii_all_of(f->name, "-") || raw.len <= f->name.len ||
	    raw.ptr[f->name.len] != ':')
		return false;
	return plain_lines(slice_sub(raw, 0, raw.len - 2));
}

struct slice
items_frame(const struct message *msg, struct arena *a)
{
	struct buf out = buf_in(a);
	size_t seen = 0;

	buf_adds(&out, "frame\r\n");	/* so that it is not absent */
	for (size_t i = 0; i < msg->nfields; i++) {
		const struct field *f = &msg->fields[i];

		seen += f->raw.len;
		if (slice_starts_nocase(f->name, SLICE("Content-")) ||
		    slice_eq_nocase(f->name, SLICE("MIME-Version")))
			buf_add(&out, f->raw);
		else if (!plain_field(f))
			return SLICE_NONE;
	}
	/* Beyond the limit of fields nothing was looked at. */
	return seen == msg->head.len ? buf_slice(&out) : SLICE_NONE;
}

/* Engines that know mail look at headers and structure too. */
static void
add_letter(struct message *msg, const struct part *root, struct ledger *l)
{
	struct buf out = buf_in(l->arena);
	struct ledger_row *row;
	size_t head;

	buf_adds(&out, "Received: by gatehouse\r\n");
	buf_add(&out, msg->head);
	buf_adds(&out, "\r\n");
	head = out.len;
	add_inside(msg, root, &out);
	row = ledger_add(l, SLICE(""), buf_slice(&out));
	row->mail = true;
	row->frame = items_frame(msg, l->arena);
	row->inside = slice_after(row->bytes, head);
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

static struct slice
below(struct arena *a, const struct ledger_row *container, struct slice path)
{
	return arena_printf(a, "%.*s%.*s", SLICE_ARG(slice_sub(
	    container->path, 0, PATH)), SLICE_ARG(path));
}

/* As they were found in it; entries_r is told of them too. False: they are too
 * many, or have no hash. */
static bool
add_members(struct reader *r, struct ledger_row *container,
    const struct unpack_result *result, struct known_entry *entries_r)
{
	entries_r[0] = (struct known_entry){ .why = result->entries[0].why };
	container->why = entries_r[0].why;
	for (size_t i = 1; i < result->nentries; i++) {
		const struct unpack_entry *e = &result->entries[i];
		struct slice path = joined(r->l->arena,
		    entries_r[e->parent].path, e->path);
		struct ledger_row *row = ledger_add(r->l, below(r->l->arena,
		    container, path), e->bytes);

		if (row == NULL)
			return false;
		row->why = e->why;
		entries_r[i] = (struct known_entry){ .path = path,
		    .parent = e->parent, .why = e->why, .len = e->bytes.len,
		    .type = wait_type(e->bytes) };
		if (r->conf->known != NULL && scan_hash(row))
			memcpy(entries_r[i].hash, row->hash,
			    sizeof row->hash);
		row->part = container->part;
		row->member = true;
		row->type = entries_r[i].type;
	}
	return true;
}

/* All that what is found in it depends on. */
static bool
known_key(struct reader *r, struct ledger_row *row, struct known_key *key_r)
{
	const struct unpack_limits *limits = &r->conf->limits;
	struct buf all = buf_in(r->l->arena);

	if (r->conf->known == NULL || !scan_hash(row))
		return false;
	buf_add(&all, slice_make(row->hash, sizeof row->hash));
	buf_addf(&all, "%u %u %llu %llu %u\n", limits->depth, limits->members,
	    (unsigned long long)limits->member_bytes,
	    (unsigned long long)limits->bytes, limits->ratio);
	for (size_t i = 0; i < r->npasswords; i++) {
		buf_addf(&all, "%zu:", r->passwords[i].len);
		buf_add(&all, r->passwords[i]);
	}
	return EVP_Digest(all.ptr, all.len, key_r->hash, NULL, EVP_sha256(),
	    NULL) == 1;
}
/* Its members from memory; false, and nothing is added: one of them would have
 * to be scanned. */
static bool
recall_members(struct reader *r, struct ledger_row *container,
    const struct known_key *key)
{
	struct arena *a = r->l->arena;
	struct ledger_row **rows;
	struct known_entry *e;
	size_t n;

	if (!known_get(r->conf->known, key, a, &e, &n))
		return false;
	rows = arena_array(a, n, sizeof *rows);
	for (size_t i = 1; i < n; i++) {
		rows[i] = arena_alloc(a, sizeof **rows);
		*rows[i] = (struct ledger_row){ .path = below(a, container,
		    e[i].path), .len = e[i].len, .why = e[i].why,
		    .unpacked = CELL_ANSWERED, .hashed = true,
		    .part = container->part, .member = true,
		    .type = e[i].type };
		memcpy(rows[i]->hash, e[i].hash, sizeof e[i].hash);
		if (!scan_recall(r->conf->pool, r->l, rows[i]))
			return false;
	}
	container->why = e[0].why;
	for (size_t i = 1; i < n && ledger_put(r->l, rows[i]); i++)
		;
	return true;
}

static void
open_container(struct reader *r, struct ledger_row *row)
{
	struct known_key key;
	struct unpack_result result;
	struct known_entry *entries;
	bool keep;
	int fd;

	look_for_passwords(r);
	keep = known_key(r, row, &key);
	if (keep && recall_members(r, row, &key))
		return;
	fd = cell_memfd(row->bytes);
	if (fd < 0) {
		row->unpacked = CELL_DOWN;
		return;
	}
	unpack_ask(r->conf->unpack, fd, row->path, &r->conf->limits,
	    r->passwords, r->npasswords, r->until, r->l->arena, &result);
	close(fd);
	row->unpacked = result.end;
	if (result.end != CELL_ANSWERED)
		return;
	entries = arena_array(r->l->arena, result.nentries, sizeof *entries);
	if (add_members(r, row, &result, entries) && keep)
		known_put(r->conf->known, &key, entries, result.nentries);
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
		row->type = wait_type(content);
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
	unsigned number = 0;

	add_letter(msg, root, l);
	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		if (p->child == NULL)
			add_part(&r, p, ++number);
	l->ambiguous = ambiguity(msg->flags);
}
