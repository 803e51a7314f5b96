/* What a file is, by what stands in it: never by its name. */
#include "unpack/format.h"

enum { HEAD = 1024 };			/* that a PDF may hide behind */

static const struct {
	size_t offset;
	struct slice magic;
	struct unpack_format format;
} table[] = {
#define AT(offset, magic, name, reader) \
	{ offset, { magic, sizeof magic - 1 }, { name, reader } }
	AT(0, "PK\003\004", "zip", UNPACK_BY_ARCHIVE),
	AT(0, "PK\005\006", "zip", UNPACK_BY_ARCHIVE),
	AT(0, "PK\007\010", "zip", UNPACK_BY_ARCHIVE),
	AT(0, "7z\274\257\047\034", "7z", UNPACK_BY_ARCHIVE),
	AT(0, "Rar!\032\007", "rar", UNPACK_BY_ARCHIVE),
	AT(0, "\037\213", "gzip", UNPACK_BY_ARCHIVE),
	AT(0, "BZh", "bzip2", UNPACK_BY_ARCHIVE),
	AT(0, "\3757zXZ", "xz", UNPACK_BY_ARCHIVE),
	AT(0, "]\0\0", "lzma", UNPACK_BY_ARCHIVE),
	AT(0, "\050\265\057\375", "zstd", UNPACK_BY_ARCHIVE),
	AT(0, "\004\042\115\030", "lz4", UNPACK_BY_ARCHIVE),
	AT(0, "LZIP", "lzip", UNPACK_BY_ARCHIVE),
	AT(0, "\037\235", "compress", UNPACK_BY_ARCHIVE),
	AT(0, "MSCF", "cab", UNPACK_BY_ARCHIVE),
	AT(257, "ustar", "tar", UNPACK_BY_ARCHIVE),
	AT(0, "!<arch>\n", "ar", UNPACK_BY_ARCHIVE),
	AT(0, "xar!", "xar", UNPACK_BY_ARCHIVE),
	AT(0, "07070", "cpio", UNPACK_BY_ARCHIVE),
	AT(0, "\307\161", "cpio", UNPACK_BY_ARCHIVE),
	AT(0, "\161\307", "cpio", UNPACK_BY_ARCHIVE),
	AT(32769, "CD001", "iso", UNPACK_BY_ARCHIVE),
	AT(0, "\320\317\021\340\241\261\032\341", "ole2", UNPACK_BY_OLE2),
	AT(0, "\170\237\076\042", "tnef", UNPACK_BY_TNEF),
	AT(0, "{\\rt", "rtf", UNPACK_BY_RTF),
	AT(0, "\140\352", "arj", UNPACK_BY_NOBODY),
	AT(7, "**ACE**", "ace", UNPACK_BY_NOBODY),
	AT(0, "ALZ\001", "alz", UNPACK_BY_NOBODY),
	AT(0, "EGGA", "egg", UNPACK_BY_NOBODY),
	AT(0, "ITSF", "chm", UNPACK_BY_NOBODY),
	AT(0, "conectix", "vhd", UNPACK_BY_NOBODY),
	AT(0, "vhdxfile", "vhdx", UNPACK_BY_NOBODY),
	AT(0, "MSWIM\0\0\0", "wim", UNPACK_BY_NOBODY),
	AT(0, "SZDD\210\360\047\063", "szdd", UNPACK_BY_NOBODY),
	AT(0, "KWAJ\210\360\047\321", "kwaj", UNPACK_BY_NOBODY),
	AT(0, "ISc(", "installshield", UNPACK_BY_NOBODY),
	AT(0, "(This file must be converted with BinHex", "binhex", UNPACK_BY_NOBODY),
	AT(0, "SIT!", "stuffit", UNPACK_BY_NOBODY),
	AT(0, "StuffIt", "stuffit", UNPACK_BY_NOBODY),
	AT(1, "BEA01", "udf", UNPACK_BY_NOBODY),
	AT(20, "\334\247\304\375", "zoo", UNPACK_BY_NOBODY),
#undef AT
};

static const struct unpack_format zip = { "zip", UNPACK_BY_ARCHIVE },
    lha = { "lha", UNPACK_BY_ARCHIVE }, pdf = { "pdf", UNPACK_BY_PDF },
    mail = { "mail", UNPACK_BY_MAIL };

static bool
is_lha(struct slice b)
{
	return b.len > 21 && b.ptr[2] == '-' && b.ptr[3] == 'l' &&
	    (b.ptr[4] == 'h' || b.ptr[4] == 'z') && b.ptr[6] == '-';
}

/* An archive may stand behind anything: a program, a picture. Its directory
 * is at the end then. */
static bool
ends_as_zip(struct slice b)
{
	enum { TAIL = 65536 + 22 };
	struct slice tail = slice_after(b, b.len > TAIL ? b.len - TAIL : 0);

	return b.len > 22 && slice_search(tail, SLICE("PK\005\006")) <
	    tail.len;
}

/* A saved message: field after field, among them one that mail has. */
static bool
is_mail(struct slice head)
{
	static const struct slice names[] = { SLICE("received"),
	    SLICE("return-path"), SLICE("mime-version"), SLICE("message-id"),
	    SLICE("from"), SLICE("content-type"), SLICE("delivered-to") };
	struct slice line;
	bool known = false;

	for (int i = 0; i < 12 && slice_line(&head, &line) && line.len > 0;
	    i++) {
		struct slice name = slice_sub(line, 0, slice_find(line, ':'));

		/* An mbox begins with a line of its own. */
		if (i == 0 && slice_starts(line, SLICE("From ")))
			continue;
		if (ascii_blank(line.ptr[0]) && i > 0)
			continue;
		if (name.len == line.len || name.len == 0 ||
		    slice_has(name, ' '))
			return known && head.len == 0;
		for (size_t j = 0; j < sizeof names / sizeof names[0]; j++)
			known |= slice_eq_nocase(name, names[j]);
	}
	return known;
}

const struct unpack_format *
unpack_format_of(struct slice b)
{
	struct slice head = slice_sub(b, 0, HEAD);

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (slice_eq(slice_sub(b, table[i].offset,
		    table[i].magic.len), table[i].magic))
			return &table[i].format;
	if (is_lha(b))
		return &lha;
	if (slice_search(head, SLICE("%PDF-")) < head.len)
		return &pdf;
	if (is_mail(head))
		return &mail;
	return ends_as_zip(b) ? &zip : NULL;
}
