/* What the bytes are: signatures, then the grammar behind some of them. */
#include "filetype/look.h"

enum { PDF_HEAD = 1024, ZIP_TAIL = 65536 + 22, EMBED_NEED = 64 };

static const struct {
	size_t offset;
	struct slice magic;
	const char *name;
} table[] = {
#define AT(offset, magic, name)	{ offset, { magic, sizeof magic - 1 }, name }
	AT(0, "\177ELF", "elf"),
	AT(0, "\376\355\372\316", "macho"), AT(0, "\376\355\372\317", "macho"),
	AT(0, "\316\372\355\376", "macho"), AT(0, "\317\372\355\376", "macho"),
	AT(0, "dex\n", "dex"), AT(0, "dey\n", "dex"), AT(0, "\0asm", "wasm"),
	AT(0, "\033Lua", "luac"), AT(0, "Cr24", "crx"), AT(0, "NES\032", "nes"),
	AT(0, "FWS", "swf"), AT(0, "CWS", "swf"), AT(0, "ZWS", "swf"),
	AT(0, "\355\253\356\333", "rpm"), AT(0, "!<arch>\ndebian", "deb"),
	AT(0, "L\0\0\0\001\024\002\0", "lnk"),
	AT(0, "book\0\0\0\0mark\0\0\0\0", "mac-alias"),
	AT(0, "ITSF", "chm"), AT(0, "?_\003\0", "hlp"),
	AT(0, "\344R\134{\214\330\247M\256\261Sx\320)\226\323", "onenote"),
	AT(0, "\241/\377C\331\357vL\236\342\020\352W\042v_", "onenote"),
	AT(0, "\0\001\0\0Standard Jet DB", "access"),
	AT(0, "\0\001\0\0Standard ACE DB", "access"),
	AT(0, "!BDN", "pst"), AT(0, "\170\237\076\042", "tnef"),

	AT(0, "7z\274\257\047\034", "7z"), AT(0, "Rar!\032\007", "rar"),
	AT(0, "RE~^", "rar"),
	AT(0, "\037\213", "gzip"), AT(0, "BZh", "bzip2"),
	AT(0, "\3757zXZ", "xz"), AT(0, "]\0\0", "lzma"),
	AT(0, "\050\265\057\375", "zstd"), AT(0, "\004\042\115\030", "lz4"),
	AT(0, "LZIP", "lzip"), AT(0, "\037\235", "compress"),
	AT(0, "\037\240", "compress"),
	AT(0, "MSCF", "cab"), AT(257, "ustar", "tar"), AT(0, "!<arch>\n", "ar"),
	AT(0, "xar!", "xar"), AT(0, "07070", "cpio"), AT(0, "\307\161", "cpio"),
	AT(0, "\161\307", "cpio"), AT(0, "\140\352", "arj"),
	AT(7, "**ACE**", "ace"), AT(0, "ALZ\001", "alz"), AT(0, "EGGA", "egg"),
	AT(20, "\334\247\304\375", "zoo"), AT(0, "SIT!", "stuffit"),
	AT(0, "StuffIt", "stuffit"),
	AT(32769, "CD001", "iso"), AT(34817, "CD001", "iso"),
	AT(32769, "BEA01", "iso"), AT(34817, "BEA01", "iso"),
	AT(32769, "NSR0", "iso"),
	AT(0, "conectix", "vhd"), AT(0, "vhdxfile", "vhdx"),
	AT(0, "KDMV", "vmdk"), AT(0, "QFI\373", "qcow"),
	AT(0, "MSWIM\0\0\0", "wim"), AT(0, "hsqs", "squashfs"),
	AT(54, "FAT1", "fat"), AT(82, "FAT32", "fat"), AT(3, "NTFS    ", "fat"),

	AT(0, "\377\330\377", "jpeg"), AT(0, "\211PNG\r\n\032\n", "png"),
	AT(0, "GIF87a", "gif"), AT(0, "GIF89a", "gif"), AT(0, "BM", "bmp"),
	AT(0, "II*\0", "tiff"), AT(0, "MM\0*", "tiff"), AT(0, "II+\0", "tiff"),
	AT(0, "MM\0+", "tiff"), AT(0, "II\274", "jxr"),
	AT(0, "IIRO", "raw-photo"), AT(0, "IIU\0", "raw-photo"),
	AT(0, "FUJIFILMCCD-RAW", "raw-photo"),
	AT(0, "\0\0\001\0", "ico"), AT(0, "\0\0\002\0", "ico"),
	AT(0, "8BPS", "psd"), AT(4, "jP  \r\n", "jp2"),
	AT(0, "\377\117\377\121", "jp2"), AT(0, "\377\012", "jxl"),
	AT(4, "JXL \r\n", "jxl"), AT(0, "BPG\373", "bpg"),
	AT(40, " EMF", "emf"), AT(0, "\327\315\306\232", "wmf"),
	AT(0, "AT&TFORM", "djvu"), AT(0, "AC10", "dwg"),
	AT(0, "\253KTX ", "ktx"),

	AT(0, "ID3", "mp3"), AT(0, "fLaC", "flac"), AT(0, "OggS", "ogg"),
	AT(0, "\013\167", "ac3"), AT(0, "#!AMR", "amr"), AT(0, "MThd", "midi"),
	AT(0, "MAC ", "ape"), AT(0, "wvpk", "wavpack"), AT(0, "DSD ", "dsf"),
	AT(0, "Creative Voice File", "voc"), AT(0, "MPCK", "musepack"),
	AT(0, "MP+", "musepack"), AT(0, "Extended Module:", "tracker"),
	AT(0, "IMPM", "tracker"), AT(44, "SCRM", "tracker"),
	AT(0, "\032E\337\243", "matroska"),
	AT(0, "\060\046\262\165\216\146\317\021", "asf"),
	AT(0, "\0\0\001\272", "mpeg"), AT(0, "\0\0\001\263", "mpeg"),
	AT(0, "FLV\001", "flv"), AT(0, ".RMF", "realmedia"),
	AT(4, "moov", "mp4"), AT(4, "mdat", "mp4"), AT(4, "wide", "mp4"),
	AT(4, "free", "mp4"), AT(4, "skip", "mp4"),

	AT(0, "\0\001\0\0\0", "font"), AT(0, "OTTO", "font"),
	AT(0, "ttcf", "font"), AT(0, "wOFF", "font"), AT(0, "wOF2", "font"),
	AT(34, "LP", "eot"),

	AT(0, "SQLite format 3", "sqlite"), AT(0, "\324\303\262\241", "pcap"),
	AT(0, "\241\262\303\324", "pcap"), AT(0, "\n\r\r\n", "pcap"),
	AT(0, "ARROW1", "arrow"), AT(0, "PAR1", "parquet"),
	AT(0, "Obj\001", "avro"), AT(0, "\0\0\047\012", "shapefile"),
	AT(0, "\377\377\0\0\7\0\0\0\4\0\0\0\1\0", "jmp"),
	AT(0, "$FL2", "spss"), AT(0, "$FL3", "spss"),
	AT(0, "~\020\004\3760MIE", "mie"), AT(0, "~\030\004\3760MIE", "mie"),
	AT(0, "regf", "hive"),
	AT(0, "Kaydara FBX Binary", "fbx"), AT(0, "DRACO", "draco"),
	AT(0, "\304\377\344", "pgp"),
	AT(0, "\305\320\323\306", "postscript"),
#undef AT
};

static bool
at(struct slice bytes, size_t offset, struct slice magic)
{
	return slice_starts(slice_after(bytes, offset), magic);
}

static const char *
by_table(struct slice bytes)
{
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if (at(bytes, table[i].offset, table[i].magic))
			return table[i].name;
	return NULL;
}

/* Programs of DOS, OS/2 and Windows begin alike. */
static const char *
program(struct slice bytes)
{
	uint32_t header = look_le32(bytes, 60);

	if (!at(bytes, 0, SLICE("MZ")) && !at(bytes, 0, SLICE("ZM")))
		return NULL;
	if (header < bytes.len && (at(bytes, header, SLICE("PE\0\0")) ||
	    at(bytes, header, SLICE("NE")) || at(bytes, header, SLICE("LE")) ||
	    at(bytes, header, SLICE("LX"))))
		return "pe";
	/* Two letters also begin a text; a header is longer, and no text. */
	return bytes.len >= EMBED_NEED && slice_has(slice_sub(bytes, 0,
	    EMBED_NEED), '\0') ? "dos" : NULL;
}

/* Java classes and Mach-O for several machines share their first bytes: there a
 * version stands, here a small count. */
static const char *
cafebabe(struct slice bytes)
{
	if (!at(bytes, 0, SLICE("\312\376\272\276")) || bytes.len < 8)
		return NULL;
	return look_be32(bytes, 4) >= 43 ? "class" : "macho";
}

static const char *
riff(struct slice bytes)
{
	if (at(bytes, 0, SLICE("FORM")) && (at(bytes, 8, SLICE("AIFF")) ||
	    at(bytes, 8, SLICE("AIFC"))))
		return "aiff";
	if (!at(bytes, 0, SLICE("RIFF")) && !at(bytes, 0, SLICE("RF64")))
		return NULL;
	if (at(bytes, 8, SLICE("WEBP")))
		return "webp";
	if (at(bytes, 8, SLICE("AVI ")))
		return "avi";
	return at(bytes, 8, SLICE("WAVE")) ? "wav" : NULL;
}

/* ISO base media (ISO 14496-12): the brand tells pictures from films. */
static const char *
media(struct slice bytes)
{
	static const char *const pictures[] = { "heic", "heix", "hevc", "mif1",
	    "msf1", "avif", "avis" };

	if (!at(bytes, 4, SLICE("ftyp")))
		return NULL;
	if (at(bytes, 8, SLICE("crx ")))
		return "raw-photo";
	for (size_t i = 0; i < sizeof pictures / sizeof pictures[0]; i++)
		if (at(bytes, 8, slice_of(pictures[i])))
			return "heif";
	return "mp4";
}

/* A header of its own, in JSON, behind four lengths. */
static const char *
asar(struct slice bytes)
{
	return look_le32(bytes, 0) == 4 && at(bytes, 16, SLICE("{")) ?
	    "asar" : NULL;
}

/* DER of a signed or enveloped message (RFC 5652): its object identifier. */
static const char *
smime(struct slice bytes)
{
	return at(bytes, 0, SLICE("0")) && slice_search(slice_sub(bytes, 0, 32),
	    SLICE("\006\011\052\206\110\206\367\015\001\007")) <
	    (bytes.len < 32 ? bytes.len : 32) ? "smime" : NULL;
}

static const char *
at_the_end(struct slice bytes)
{
	size_t from = bytes.len > 512 ? bytes.len - 512 : 0;

	if (at(bytes, from, SLICE("conectix")))
		return "vhd";
	return at(bytes, from, SLICE("koly")) ? "dmg" : NULL;
}

static bool
ends_as_zip(struct slice bytes)
{
	struct slice tail = slice_after(bytes, bytes.len > ZIP_TAIL ?
	    bytes.len - ZIP_TAIL : 0);

	return bytes.len > 22 &&
	    slice_search(tail, SLICE("PK\005\006")) < tail.len;
}

static bool
is_lha(struct slice b)
{
	return b.len > 21 && b.ptr[2] == '-' && b.ptr[3] == 'l' &&
	    (b.ptr[4] == 'h' || b.ptr[4] == 'z') && b.ptr[6] == '-';
}

static bool
is_pdf(struct slice bytes)
{
	struct slice head = slice_sub(bytes, 0, PDF_HEAD);

	return slice_search(head, SLICE("%PDF-")) < head.len;
}

static const char *
by_head(struct slice bytes)
{
	static const char *(*const tests[])(struct slice bytes) = { program,
	    cafebabe, riff, media, by_table, asar, smime, at_the_end };

	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
		const char *name = tests[i](bytes);

		if (name != NULL)
			return name;
	}
	if (is_lha(bytes))
		return "lha";
	return look_tar(bytes) ? "tar" : NULL;
}

static const char *
zip_or(struct slice bytes, const char *name, unsigned *classes)
{
	unsigned inside = 0;

	if (at(bytes, 0, SLICE("PK\003\004")) ||
	    at(bytes, 0, SLICE("PK\005\006")) ||
	    at(bytes, 0, SLICE("PK\007\010")))
		return look_zip(bytes, classes);
	if (!ends_as_zip(bytes))
		return name;
	if (name == NULL)
		return look_zip(bytes, classes);
	look_zip(bytes, &inside);
	*classes |= inside | FILETYPE_ARCHIVE | FILETYPE_POLYGLOT;
	return name;
}

static const char *
kind_of(struct slice bytes, unsigned *classes)
{
	const char *name;

	if (bytes.len == 0)
		return "empty";
	if (at(bytes, 0, SLICE("\320\317\021\340\241\261\032\341")))
		return look_ole2(bytes, classes);
	if (at(bytes, 0, SLICE("{\\rt")))
		return look_rtf(bytes, classes);
	name = by_head(bytes);
	if (is_pdf(bytes)) {
		if (name != NULL)
			*classes |= FILETYPE_POLYGLOT | FILETYPE_PDF;
		else
			name = "pdf";
		look_pdf(bytes, classes);
	}
	name = zip_or(bytes, name, classes);
	if (name == NULL)
		name = look_text(bytes, classes);
	if (name == NULL)
		name = look_frames(bytes);
	return name != NULL ? name : "data";
}

const struct filetype *
filetype_of(struct slice bytes, unsigned *classes_r)
{
	const struct filetype *t;

	*classes_r = 0;
	t = filetype_by_name(slice_of(kind_of(bytes, classes_r)));
	*classes_r |= t->classes;
	return t;
}
