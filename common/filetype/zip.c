/*
 * Zip (APPNOTE): what it is, by the names in it. Names are taken from each
 * local header and each entry of a directory, wherever they stand: what one
 * reader finds is what counts. At most HEADERS of them; a zip that hides what
 * it is behind more has no claim that agrees with it, and the cell opens it
 * anyway.
 */
#include "filetype/look.h"

/* Whoever writes headers over headers has us read each name many times. */
enum { HEADERS = 100000, NAME = 256 };

struct seen {
	bool types, word, excel, slides, visio, binary, macros, fdoc;
	bool manifest, dex, apk, iwork, install, appx, embeds;
	bool encrypted;
};

static bool
has(struct slice name, struct slice part)
{
	return slice_search(name, part) < name.len;
}

static void
see(struct seen *s, struct slice name)
{
	s->types |= slice_eq(name, SLICE("[Content_Types].xml"));
	s->word |= slice_starts_nocase(name, SLICE("word/"));
	s->excel |= slice_starts_nocase(name, SLICE("xl/"));
	s->slides |= slice_starts_nocase(name, SLICE("ppt/"));
	s->visio |= slice_starts_nocase(name, SLICE("visio/"));
	s->binary |= slice_eq_nocase(name, SLICE("xl/workbook.bin"));
	s->macros |= slice_ends_nocase(name, SLICE("vbaProject.bin")) ||
	    has(name, SLICE("xl/macrosheets/")) ||
	    slice_starts(name, SLICE("Basic/")) ||
	    slice_starts(name, SLICE("Scripts/"));
	s->embeds |= has(name, SLICE("/embeddings/")) ||
	    has(name, SLICE("/activeX/"));
	s->fdoc |= slice_ends_nocase(name, SLICE(".fdseq")) ||
	    slice_ends_nocase(name, SLICE(".fpage"));
	s->manifest |= slice_eq_nocase(name, SLICE("META-INF/MANIFEST.MF")) ||
	    slice_ends(name, SLICE(".class"));
	s->apk |= slice_eq(name, SLICE("AndroidManifest.xml"));
	s->dex |= slice_ends(name, SLICE("classes.dex"));
	s->iwork |= slice_eq(name, SLICE("Index/Document.iwa")) ||
	    slice_eq(name, SLICE("Index/Presentation.iwa"));
	s->install |= slice_eq(name, SLICE("install.rdf"));
	s->appx |= slice_eq_nocase(name, SLICE("AppxManifest.xml")) ||
	    slice_eq_nocase(name, SLICE("AppxBundleManifest.xml")) ||
	    has(name, SLICE("AppxMetadata/"));
}

/* All headers: "PK", two bytes of kind, flags and name at their places. */
static void
walk(struct slice bytes, struct seen *s)
{
	unsigned headers = 0;

	for (size_t at = 0; at + 30 <= bytes.len && headers < HEADERS; at++) {
		struct slice h = slice_after(bytes, at);
		size_t skip = slice_search(h, SLICE("PK"));
		size_t len;
		bool local;

		if (skip == h.len)
			return;
		at += skip;
		h = slice_after(bytes, at);
		local = slice_starts(h, SLICE("PK\003\004"));
		if (!local && !slice_starts(h, SLICE("PK\001\002")))
			continue;
		if (h.len < (local ? 30u : 46u))
			return;
		headers++;
		s->encrypted |= (look_le16(h, local ? 6 : 8) & 1) != 0;
		len = look_le16(h, local ? 26 : 28);
		see(s, slice_sub(h, local ? 30 : 46, len < NAME ? len : NAME));
	}
}

/* OpenDocument and EPUB say what they are in a first file "mimetype". */
static const char *
by_mimetype(struct slice bytes)
{
	static const struct { const char *ends, *name; } kinds[] = {
		{ "opendocument.text", "odt" },
		{ "opendocument.spreadsheet", "ods" },
		{ "opendocument.presentation", "odp" },
		{ "opendocument.graphics", "odg" },
		{ "opendocument.", "odf" },
		{ "epub+zip", "epub" },
	};
	size_t name = look_le16(bytes, 26), extra = look_le16(bytes, 28);
	struct slice type = slice_sub(bytes, 30 + name + extra, 64);

	if (!slice_eq(slice_sub(bytes, 30, name), SLICE("mimetype")))
		return NULL;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (has(type, slice_of(kinds[i].ends)))
			return kinds[i].name;
	return NULL;
}

static const char *
ooxml(const struct seen *s, unsigned *classes)
{
	if (s->macros)
		*classes |= FILETYPE_MACRO;
	if (s->embeds)
		*classes |= FILETYPE_EMBEDS;
	if (s->word)
		return s->macros ? "docm" : "docx";
	if (s->excel)
		return s->binary ? "xlsb" : s->macros ? "xlsm" : "xlsx";
	if (s->slides)
		return s->macros ? "pptm" : "pptx";
	if (s->visio)
		return s->macros ? "vsdm" : "vsdx";
	return s->fdoc ? "xps" : NULL;
}

static const char *
which(struct slice bytes, const struct seen *s, unsigned *classes)
{
	const char *name = by_mimetype(bytes);

	if (name != NULL) {
		*classes |= s->macros ? FILETYPE_MACRO : 0;
		return name;
	}
	if (s->apk)
		return "apk";
	if (s->install)
		return "xpi";
	if (s->types && s->appx)
		return "msix";
	if (s->types && (name = ooxml(s, classes)) != NULL)
		return name;
	if (s->iwork)
		return "iwork";
	return s->manifest || s->dex ? "jar" : "zip";
}

const char *
look_zip(struct slice bytes, unsigned *classes)
{
	struct seen s = { 0 };

	walk(bytes, &s);
	if (s.encrypted)
		*classes |= FILETYPE_ENCRYPTED;
	return which(bytes, &s, classes);
}
