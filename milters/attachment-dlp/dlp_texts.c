#include "dlp_texts.h"

#include "content/office.h"
#include "detect/plain.h"
#include "html/text.h"
#include "text/charset.h"
#include "text/encoded.h"
#include "text/utf8.h"

enum { LOOK = 4096, UNREAD = 1000, PATH = 300 };

struct reader {
	struct message *msg;
	struct dlp_texts *texts;
	struct arena *a;
};

static void
unread(struct reader *r, struct slice path, const char *why)
{
	struct dlp_unread *u;

	if (r->texts->nunread++ >= UNREAD)
		return;
	u = arena_alloc(r->a, sizeof *u);
	u->path = path;
	u->why = why;
	*r->texts->last_unread = u;
	r->texts->last_unread = &u->next;
}

/* Text that is plain already. */
static void
add(struct reader *r, struct slice where, struct slice plain, bool label)
{
	struct dlp_text *t;

	if (plain.len == 0)
		return;
	if (r->texts->count >= DLP_TEXTS ||
	    plain.len > DLP_TEXT_BYTES - r->texts->bytes) {
		unread(r, where, "too-large");
		return;
	}
	t = arena_alloc(r->a, sizeof *t);
	t->where = where;
	t->text = plain;
	t->label = label;
	*r->texts->last = t;
	r->texts->last = &t->next;
	r->texts->count++;
	r->texts->bytes += plain.len;
}

static size_t
room(const struct reader *r)
{
	return DLP_TEXT_BYTES - r->texts->bytes;
}

/* ---- parts and header ---- */

static struct slice
place(struct reader *r, const struct content_text *t)
{
	static const char *const names[] = { "subject", "text", "HTML",
	    "hidden HTML", "file name" };

	if (t->part == NULL || t->part->filename.len == 0 ||
	    t->kind == CONTENT_NAME)
		return slice_of(names[t->kind]);
	return arena_printf(r->a, "%.*s (%s)", SLICE_ARG(slice_sub(
	    t->part->filename, 0, PATH)), names[t->kind]);
}

static void
add_labels(struct reader *r)
{
	static const char *const fields[] = { "msip_labels", "Sensitivity",
	    "X-Sensitivity", "Classification", "X-Classification", "Keywords",
	    "X-Label", "X-Protective-Marking", NULL };

	for (const char *const *name = fields; *name != NULL; name++) {
		const struct field *f;

		for (size_t i = 0; i < 20 && (f = message_field(r->msg,
		    slice_of(*name), i)) != NULL; i++)
			add(r, slice_of(*name), plain_text(r->a,
			    field_value(r->a, f)), true);
	}
}

/* Fields that people write into, or that repeat what they wrote; of the message
 * and of each one in it. Its own Subject is in the content already. */
static void
add_fields(struct reader *r, const struct field *fields, size_t n,
    bool nested)
{
	static const char *const names[] = { "Subject", "Comments",
	    "Thread-Topic", "Content-Description", NULL };
	unsigned flags;

	for (size_t i = 0; i < n; i++)
		for (const char *const *name = names + !nested; *name != NULL;
		    name++)
			if (slice_eq_nocase(fields[i].name, slice_of(*name)))
				add(r, slice_of(*name), plain_text(r->a,
				    encoded_decode(r->a, field_value(r->a,
				    &fields[i]), &flags)), false);
}

static void
add_raw(struct reader *r, const char *where, struct slice bytes)
{
	struct buf utf8 = buf_in(r->a);

	if (slice_trim(bytes).len == 0)
		return;
	if (charset_utf8(SLICE("utf-8"), bytes, room(r), &utf8) & CHARSET_CUT)
		unread(r, slice_of(where), "too-large");
	add(r, slice_of(where), plain_text(r->a, buf_slice(&utf8)), false);
}

/* What no reader shows and every reader can be made to: the text around the
 * parts. And what messages within the message are about. */
static void
add_between(struct reader *r)
{
	const struct part *root = message_parts(r->msg);

	add_fields(r, r->msg->fields, r->msg->nfields, false);
	for (const struct part *p = root; p != NULL; p = part_next(root, p)) {
		if (p != root)
			add_fields(r, p->fields, p->nfields, true);
		add_raw(r, "preamble", p->preamble);
		add_raw(r, "epilogue", p->epilogue);
	}
}

/* ---- attachments ---- */

static bool
ends_with(struct slice name, const char *const *ends)
{
	for (; *ends != NULL; ends++)
		if (slice_ends_nocase(name, slice_of(*ends)))
			return true;
	return false;
}

/* What a document says about itself, and what Word's labels stand in. */
static bool
label_file(const struct item *i)
{
	static const char *const names[] = { "docProps/custom.xml",
	    "docProps/core.xml", "docMetadata/LabelInfo.xml", "meta.xml",
	    NULL };

	return ends_with(i->path, names) || (i->container != NULL &&
	    slice_eq(i->container->format, SLICE("ole2")) &&
	    slice_eq(i->name, SLICE("properties")));
}

static const char *
wide(struct slice bytes)
{
	if (slice_starts(bytes, SLICE("\xff\xfe")))
		return "utf-16le";
	return slice_starts(bytes, SLICE("\xfe\xff")) ? "utf-16be" : NULL;
}

/* Nearly all of what it begins with are characters that people type. */
static bool
looks_text(struct slice bytes)
{
	struct slice s = slice_sub(bytes, 0, LOOK);
	size_t odd = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c == 0)
			return false;
		odd += c < 0x20 && c != '\t' && c != '\r' && c != '\n' &&
		    c != '\f' && c != 0x1b;
	}
	return odd * 50 <= s.len;
}

static bool
looks_html(struct slice name, struct slice bytes)
{
	static const char *const ends[] = { ".html", ".htm", ".xhtml", ".mht",
	    NULL };
	struct slice s = slice_trim(slice_sub(bytes, 0, LOOK));

	return ends_with(name, ends) || slice_starts_nocase(s,
	    SLICE("<!doctype html")) || slice_starts_nocase(s,
	    SLICE("<html"));
}

static void
add_html(struct reader *r, const struct item *i)
{
	struct html_texts texts;

	html_text_read(r->a, SLICE("utf-8"), i->bytes, room(r), &texts);
	add(r, i->path, plain_text(r->a, texts.visible.text), false);
	add(r, i->path, plain_text(r->a, texts.hidden.text), false);
	if (texts.visible.cut || texts.hidden.cut)
		unread(r, i->path, "too-large");
}

static void
add_plain(struct reader *r, const struct item *i, const char *charset)
{
	struct buf utf8 = buf_in(r->a);

	if (charset_utf8(slice_of(charset), i->bytes, room(r), &utf8) &
	    CHARSET_CUT)
		unread(r, i->path, "too-large");
	add(r, i->path, plain_text(r->a, buf_slice(&utf8)), label_file(i));
}

static void
add_xml(struct reader *r, const struct item *i)
{
	bool cut;
	struct slice text = office_text(r->a, i->bytes, room(r), &cut);

	if (cut)
		unread(r, i->path, "too-large");
	add(r, i->path, plain_text(r->a, text), label_file(i));
}

/* Documents whose text the cell tells as their first member. */
static bool
told_by_cell(struct slice format)
{
	return slice_eq(format, SLICE("pdf")) ||
	    slice_eq(format, SLICE("ole2")) || slice_eq(format, SLICE("rtf"));
}

/* A document whose text is not read, or not all of it, by what it is; NULL: it
 * is none, or its text is there. Members that have their names from the file
 * come later, so none can be called what the first one is. */
static const char *
closed(const struct item *i)
{
	struct slice s = slice_sub(i->bytes, 0, 1024);
	const char *is = slice_search(s, SLICE("%PDF-")) < s.len ? "pdf" : NULL;
	const struct item *m = i->next;

	if (slice_starts(s, SLICE("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")))
		is = "ole2";
	else if (slice_starts(s, SLICE("{\\rt")))
		is = "rtf";
	if (!told_by_cell(i->format))
		return is;
	while (m != NULL && m->container != NULL && m->container != i)
		m = m->next;
	return m != NULL && m->container == i &&
	    slice_eq(m->name, SLICE("text")) ? NULL : is;
}

static void
add_item(struct reader *r, const struct item *i)
{
	const char *why = closed(i);

	if (i->unpacked != CELL_ANSWERED)
		unread(r, i->path, cell_end_name(i->unpacked));
	else if (i->why != UNPACK_WHOLE)
		unread(r, i->path, unpack_why_name(i->why));
	if (i->container != NULL && i->name.len > 0)
		add(r, i->path, plain_text(r->a, i->name), false);
	if (why != NULL)
		unread(r, i->path, why);
	else if (told_by_cell(i->format))
		return;			/* its text is a member */
	else if (i->container == NULL &&
	    slice_eq(i->part->type, SLICE("text")))
		return;			/* content has it */
	else if (office_xml(i->bytes))
		add_xml(r, i);
	else if (wide(i->bytes) != NULL)
		add_plain(r, i, wide(i->bytes));
	else if (looks_text(i->bytes)) {
		if (looks_html(i->name, i->bytes))
			add_html(r, i);
		else
			add_plain(r, i, "utf-8");
	}
}

void
dlp_texts_read(struct message *msg, const struct items *items,
    struct dlp_texts *texts_r)
{
	struct reader r = { .msg = msg, .texts = texts_r, .a = msg->arena };

	*texts_r = (struct dlp_texts){ .last = &texts_r->first,
	    .last_unread = &texts_r->unread };
	for (const struct content_text *t = items->content.first; t != NULL;
	    t = t->next)
		add(&r, place(&r, t), t->text, false);
	if (items->content.cut)
		unread(&r, SLICE("message"), "too-large");
	add_labels(&r);
	add_between(&r);
	for (const struct item *i = items->first; i != NULL; i = i->next)
		add_item(&r, i);
}
