/* Documents whose readers run something: OLE2, RTF, PDF. */
#include "filetype/look.h"

enum { NAME = 64, PDF_NAME = 40 };

/* "AB" as "A\0B\0": names of a directory are UTF-16. */
static size_t
wide(const char *text, char out[NAME])
{
	size_t n = 0;

	for (; *text != '\0' && n + 2 <= NAME; text++) {
		out[n++] = *text;
		out[n++] = '\0';
	}
	return n;
}

/* An entry begins on a border of 128 bytes, with its name. */
static bool
has_entry(struct slice bytes, const char *name)
{
	char text[NAME];
	struct slice want = slice_make(text, wide(name, text));

	for (size_t at = 512; at + 128 <= bytes.len; at += 128) {
		struct slice entry = slice_sub(bytes, at, 128);
		unsigned len = look_le16(entry, 64);

		if (slice_starts(entry, want) && (len == want.len + 2 ||
		    len == want.len))
			return true;
	}
	return false;
}

/* [MS-CFB] 2.6; the storages that each program makes. */
const char *
look_ole2(struct slice bytes, unsigned *classes)
{
	static const struct { const char *entry, *name; } kinds[] = {
		{ "WordDocument", "doc" }, { "Workbook", "xls" },
		{ "Book", "xls" }, { "PowerPoint Document", "ppt" },
		{ "VisioDocument", "vsd" }, { "Quill", "pub" },
		{ "__properties_version1.0", "msg" },
		{ "__nameid_version1.0", "msg" },
		{ "   114", "mpp" },
	};

	struct slice behind = slice_after(bytes, 512);

	if (has_entry(bytes, "_VBA_PROJECT") || has_entry(bytes, "VBA") ||
	    has_entry(bytes, "Macros") || has_entry(bytes, "_VBA_PROJECT_CUR"))
		*classes |= FILETYPE_MACRO;
	if (has_entry(bytes, "\001Ole10Native") ||
	    has_entry(bytes, "ObjectPool") || has_entry(bytes, "Package"))
		*classes |= FILETYPE_EMBEDS;
	if (has_entry(bytes, "EncryptedPackage"))
		*classes |= FILETYPE_ENCRYPTED;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (has_entry(bytes, kinds[i].entry))
			return kinds[i].name;
	/* The class of the root says that Windows Installer reads it. */
	return slice_search(behind, SLICE("\204\020\014\0\0\0\0\0\300\0\0\0"
	    "\0\0\0F")) < behind.len ? "msi" : "ole2";
}

const char *
look_rtf(struct slice bytes, unsigned *classes)
{
	if (slice_search(bytes, SLICE("\\objdata")) < bytes.len ||
	    slice_search(bytes, SLICE("\\objemb")) < bytes.len ||
	    slice_search(bytes, SLICE("\\objlink")) < bytes.len ||
	    slice_search(bytes, SLICE("\\objupdate")) < bytes.len)
		*classes |= FILETYPE_EMBEDS;
	return "rtf";
}

/* A name of PDF, with its #xx undone (ISO 32000-1, 7.3.5). */
static size_t
pdf_name(struct slice s, char out[PDF_NAME])
{
	size_t n = 0;

	for (size_t i = 0; i < s.len && n < PDF_NAME; i++) {
		char c = s.ptr[i];

		if (c == '#' && i + 2 < s.len && ascii_hex(s.ptr[i + 1]) >= 0 &&
		    ascii_hex(s.ptr[i + 2]) >= 0) {
			c = (char)(ascii_hex(s.ptr[i + 1]) * 16 +
			    ascii_hex(s.ptr[i + 2]));
			i += 2;
		} else if (!ascii_alnum(c)) {
			break;
		}
		out[n++] = c;
	}
	return n;
}

static unsigned
pdf_means(struct slice name)
{
	static const struct { const char *name; unsigned class; } names[] = {
		{ "JavaScript", FILETYPE_PDF_ACTIVE },
		{ "JS", FILETYPE_PDF_ACTIVE },
		{ "Launch", FILETYPE_PDF_ACTIVE },
		{ "RichMedia", FILETYPE_PDF_ACTIVE },
		{ "XFA", FILETYPE_PDF_ACTIVE },
		{ "EmbeddedFile", FILETYPE_EMBEDS },
		{ "EmbeddedFiles", FILETYPE_EMBEDS },
		{ "Encrypt", FILETYPE_ENCRYPTED },
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_eq(name, slice_of(names[i].name)))
			return names[i].class;
	return 0;
}

const char *
look_pdf(struct slice bytes, unsigned *classes)
{
	char name[PDF_NAME];
	struct slice rest = bytes;

	for (;;) {
		rest = slice_after(rest, slice_find(rest, '/') + 1);
		if (rest.len == 0)
			return "pdf";
		*classes |= pdf_means(slice_make(name, pdf_name(rest, name)));
	}
}
