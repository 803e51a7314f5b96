/*
 * Compound files ([MS-CFB]): Word, Excel and PowerPoint before 2007, Outlook
 * messages, installers, and vbaProject.bin of the newer ones.
 *
 * The first member is what the documents in it say, the second what they say
 * about themselves. Then streams that carry somebody else's file: packages and
 * embedded objects, attachments of Outlook messages; and macros. The rest is
 * the document itself, which whoever reads the document sees.
 */
#include "base/buf.h"
#include "cells/unpack/cfb.h"
#include "cells/unpack/codepage.h"
#include "cells/unpack/legacy.h"
#include "cells/unpack/lzfu.h"
#include "cells/unpack/walk.h"

enum { TEXT = 16 << 20, OBJECT = 64 << 20 };

/* What a stream is, by its name. */
enum role {
	OTHER, WORD, TABLE_0, TABLE_1, EXCEL, SLIDES, PROPERTIES, MACROS,
	NATIVE, CARRIES_FILE, SECRET,
	MAIL_TEXT, MAIL_BYTES, MAIL_NAME, MAIL_NAME_BYTES, MAIL_HTML, MAIL_RTF,
};

struct stream {
	struct slice name;
	enum role role;
};

/* What stands in one storage, by the number of the entry; 0: nothing. */
struct storage {
	uint32_t tables[2];
	uint32_t name;			/* of an attachment */
};

struct ole2 {
	struct walk *w;
	struct walk_entry *container;
	struct cfb cfb;
	struct stream *streams;
	struct storage *storages;
	struct arena *arena;
	struct buf text, properties;
	enum legacy read;
	unsigned documents;		/* that text was looked for in */
};

/* [MS-OXMSG]: "__substg1.0_", the property and its type. */
static enum role
mail_role(struct slice id)
{
	static const struct slice names[] = { SLICE("3707"), SLICE("3704"),
	    SLICE("3001") };
	bool wide = slice_eq(slice_after(id, 4), SLICE("001F"));

	if (slice_eq(id, SLICE("37010102")))
		return CARRIES_FILE;
	if (slice_eq(id, SLICE("10130102")))
		return MAIL_HTML;
	if (slice_eq(id, SLICE("10090102")))
		return MAIL_RTF;
	if (!wide && !slice_eq(slice_after(id, 4), SLICE("001E")))
		return OTHER;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_starts(id, names[i]))
			return wide ? MAIL_NAME : MAIL_NAME_BYTES;
	return wide ? MAIL_TEXT : MAIL_BYTES;
}

static enum role
role_of(struct slice name)
{
	static const struct { struct slice name; enum role role; } table[] = {
		{ SLICE("WordDocument"), WORD }, { SLICE("0Table"), TABLE_0 },
		{ SLICE("1Table"), TABLE_1 }, { SLICE("Workbook"), EXCEL },
		{ SLICE("Book"), EXCEL },
		{ SLICE("PowerPoint Document"), SLIDES },
		{ SLICE("\005SummaryInformation"), PROPERTIES },
		{ SLICE("\005DocumentSummaryInformation"), PROPERTIES },
		{ SLICE("_VBA_PROJECT"), MACROS },
		{ SLICE("\001Ole10Native"), NATIVE },
		{ SLICE("Package"), CARRIES_FILE },
		{ SLICE("CONTENTS"), CARRIES_FILE },
		{ SLICE("Contents"), CARRIES_FILE },
		{ SLICE("EmbeddedOdf"), CARRIES_FILE },
		{ SLICE("EncryptedPackage"), SECRET },
	};
	struct slice mail = SLICE("__substg1.0_");

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (slice_eq(name, table[i].name))
			return table[i].role;
	return slice_starts(name, mail) ?
	    mail_role(slice_after(name, mail.len)) : OTHER;
}

static void
note_storage(struct ole2 *o, size_t i)
{
	struct storage *s = &o->storages[cfb_parent(&o->cfb, i)];
	enum role role = o->streams[i].role;

	if (role == TABLE_0 || role == TABLE_1)
		s->tables[role - TABLE_0] = (uint32_t)i;
	else if ((role == MAIL_NAME || role == MAIL_NAME_BYTES) &&
	    (s->name == 0 || slice_search(o->streams[i].name, SLICE("_3707"))
	    < o->streams[i].name.len))
		s->name = (uint32_t)i;
}

static void
look_around(struct ole2 *o)
{
	size_t n = cfb_entries(&o->cfb);

	o->streams = arena_array(o->arena, n, sizeof *o->streams);
	o->storages = arena_array(o->arena, n, sizeof *o->storages);
	for (size_t i = 1; i < n; i++) {
		if (!cfb_is_stream(&o->cfb, i))
			continue;
		o->streams[i].name = cfb_name(&o->cfb, i);
		o->streams[i].role = role_of(o->streams[i].name);
		note_storage(o, i);
	}
}

/* ---- text ---- */

static size_t
room(const struct buf *b)
{
	return b->len < TEXT ? TEXT - b->len : 0;
}

static enum legacy
word(struct ole2 *o, size_t i)
{
	const struct storage *s = &o->storages[cfb_parent(&o->cfb, i)];
	struct slice tables[2], document = cfb_stream(&o->cfb, i);

	for (int k = 0; k < 2; k++)
		tables[k] = s->tables[k] != 0 ? cfb_stream(&o->cfb,
		    s->tables[k]) : SLICE("");
	return word_text(document, tables, room(&o->text), &o->text);
}

static enum legacy
mail_text(struct ole2 *o, size_t i)
{
	struct slice s = cfb_stream(&o->cfb, i);
	struct sink sink;

	sink_begin(&sink, room(&o->text));
	if (o->streams[i].role == MAIL_TEXT || o->streams[i].role == MAIL_NAME)
		sink_utf16(&sink, s);
	else
		codepage_text(&sink, 1252, s);
	sink_end(&sink, &o->text);
	return sink.whole ? LEGACY_WHOLE : LEGACY_PART;
}

static enum legacy
text_of(struct ole2 *o, size_t i)
{
	switch (o->streams[i].role) {
	case WORD:
		return word(o, i);
	case EXCEL:
		return excel_text(cfb_stream(&o->cfb, i), room(&o->text),
		    &o->text);
	case SLIDES:
		return slides_text(cfb_stream(&o->cfb, i), room(&o->text),
		    &o->text);
	case MAIL_TEXT: case MAIL_BYTES: case MAIL_NAME: case MAIL_NAME_BYTES:
		return mail_text(o, i);
	default:
		/* The text of macros is members. */
		return LEGACY_WHOLE;
	}
}

static void
read_stream(struct ole2 *o, size_t i)
{
	enum role role = o->streams[i].role;
	enum legacy read;

	if (role == SECRET) {
		o->read = LEGACY_ENCRYPTED;
	} else if (role == PROPERTIES) {
		properties_text(cfb_stream(&o->cfb, i), room(&o->properties),
		    &o->properties);
	} else if (role == MACROS || (role >= WORD && role <= SLIDES &&
	    role != TABLE_0 && role != TABLE_1) || role >= MAIL_TEXT) {
		read = text_of(o, i);
		o->documents++;
		o->read = read > o->read ? read : o->read;
		if (o->text.len > 0 && o->text.ptr[o->text.len - 1] != '\n')
			buf_addc(&o->text, '\n');
	}
}

/* A file in which there is nothing that we can read says so. */
static bool
add_text(struct ole2 *o)
{
	size_t n = cfb_entries(&o->cfb);
	bool more;

	for (size_t i = 1; i < n; i++)
		read_stream(o, i);
	if (o->read == LEGACY_ENCRYPTED)
		walk_why(o->container, UNPACK_ENCRYPTED);
	if (cfb_spent(&o->cfb))
		walk_why(o->container, UNPACK_DAMAGED);
	more = walk_member(o->w, o->container, o->documents > 0 &&
	    o->read == LEGACY_WHOLE && !cfb_spent(&o->cfb) ? SLICE("text") :
	    SLICE("text, in part"), buf_slice(&o->text)) &&
	    (o->properties.len == 0 || walk_member(o->w, o->container,
	    SLICE("properties"), buf_slice(&o->properties)));
	return more;
}

/* ---- members ---- */

/* What an attachment is called in its own storage, else what the stream is. */
static struct slice
attachment_name(struct ole2 *o, size_t i)
{
	uint32_t at = o->storages[cfb_parent(&o->cfb, i)].name;
	struct buf out = buf_in(o->w->arena);
	struct sink sink;

	if (at == 0)
		return o->streams[i].name;
	sink_begin(&sink, TEXT);
	if (o->streams[at].role == MAIL_NAME)
		sink_utf16(&sink, cfb_stream(&o->cfb, at));
	else
		codepage_text(&sink, 1252, cfb_stream(&o->cfb, at));
	sink_end(&sink, &out);
	return buf_slice(&out);
}

static bool
add_rtf(struct ole2 *o, size_t i)
{
	struct buf out = buf_in(o->arena);

	if (!lzfu_expand(cfb_stream(&o->cfb, i), OBJECT, &out))
		walk_why(o->container, UNPACK_DAMAGED);
	return walk_member(o->w, o->container, SLICE("body.rtf"),
	    buf_slice(&out));
}

static bool
add_objects(struct ole2 *o, size_t i)
{
	struct slice document = cfb_stream(&o->cfb, i), object;
	size_t at = 0;

	for (unsigned n = 1; (object = slides_object(document, &at, OBJECT,
	    o->arena)).ptr != NULL; n++)
		if (!walk_member(o->w, o->container, arena_printf(o->w->arena,
		    "object %u", n), object))
			return false;
	return true;
}

static bool
add_members(struct ole2 *o, size_t i)
{
	struct slice name = o->streams[i].name;

	switch (o->streams[i].role) {
	case NATIVE:
		/* Its length comes first. */
		if (!package_read_member(o->w, o->container,
		    slice_after(cfb_stream(&o->cfb, i), 4)))
			walk_why(o->container, UNPACK_DAMAGED);
		return true;
	case CARRIES_FILE:
		return walk_member(o->w, o->container, attachment_name(o, i),
		    cfb_stream(&o->cfb, i));
	case MAIL_HTML:
		return walk_member(o->w, o->container, SLICE("body.html"),
		    cfb_stream(&o->cfb, i));
	case MAIL_RTF:
		return add_rtf(o, i);
	case SLIDES:
		return add_objects(o, i);
	case OTHER:
		return macro_read_member(o->w, o->container, name,
		    cfb_stream(&o->cfb, i));
	default:
		return true;
	}
}

void
ole2_read_members(struct walk *w, struct walk_entry *container,
    struct slice bytes)
{
	struct arena *a = arena_new();
	struct ole2 o = { .w = w, .container = container, .arena = a,
	    .text = buf_in(a), .properties = buf_in(a) };

	if (!cfb_open(&o.cfb, bytes, a)) {
		walk_why(container, UNPACK_DAMAGED);
	} else {
		look_around(&o);
		if (add_text(&o))
			for (size_t i = 1; i < cfb_entries(&o.cfb); i++)
				if (cfb_is_stream(&o.cfb, i) &&
				    !add_members(&o, i))
					break;
		if (cfb_spent(&o.cfb))
			walk_why(container, UNPACK_DAMAGED);
	}
	arena_free(a);
}
