/* What a file is, by name, declared type and bytes (common/filetype). */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "filetype/filename.h"
#include "filetype/filetype.h"
#include "t/tap.h"

#define S(lit)	{ "" lit, sizeof (lit) - 1 }

/* ---- names ---- */

static const struct {
	struct slice name;
	const char *clean, *ext, *before, *flags;
} names[] = {
	{ S("letter.PDF"), "letter.PDF", "pdf", "", "" },
	{ S("README"), "README", "", "", "" },
	{ S(""), "", "", "", "" },
	{ S("invoice.pdf.exe"), "invoice.pdf.exe", "exe", "pdf",
	    "double-extension" },
	{ S("backup.tar.gz"), "backup.tar.gz", "gz", "tar", "" },
	{ S("v1.2.exe"), "v1.2.exe", "exe", "2", "" },
	{ S("a.exe. . ."), "a.exe", "exe", "", "trailing-dots" },
	{ S("a.exe\0"), "a.exe", "exe", "", "control" },
	{ S("cod\342\200\256fdp.exe"), "codfdp.exe", "exe", "", "bidi" },
	{ S("a.ex\342\200\213e"), "a.exe", "exe", "", "unseen" },
	{ S("a\357\274\216\357\275\205\357\275\230\357\275\205"), "a.exe",
	    "exe", "", "disguised" },
	{ S("a.pdf                .exe"), "a.pdf                .exe", "exe",
	    "pdf", "double-extension blanks" },
	{ S("a.exe::$DATA"), "a.exe::$DATA", "", "", "stream" },
	{ S("Re: a.pdf"), "Re: a.pdf", "pdf", "", "stream" },
	{ S("../../x.js"), "x.js", "js", "", "path" },
	{ S("C:\\tmp\\y.bat"), "y.bat", "bat", "", "path" },
	{ S("a\r\n.exe"), "a.exe", "exe", "", "control" },
	{ S("\377\376.exe"), "\357\277\275\357\277\275.exe", "exe", "",
	    "no-utf8" },
	{ S("`id`.$(reboot)"), "`id`.$(reboot)", "$(reboot)", "", "" },
	{ S("x.{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}"),
	    "x.{3050F4D8-98B5-11CF-BB82-00AA00BDCE0B}",
	    "{3050f4d8-98b5-11cf-bb82-00aa00bdce0b}", "", "class-id" },
};

static struct slice
flags_text(struct arena *a, unsigned flags)
{
	struct buf out = buf_in(a);

	for (unsigned i = 0; i < FILENAME_FLAGS; i++)
		if (flags & 1u << i)
			buf_addf(&out, "%s%s", out.len > 0 ? " " : "",
			    filename_flag_name(1u << i));
	return buf_slice(&out);
}

static void
test_names(struct arena *a)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct filename n;

		filename_read(a, names[i].name, &n);
		tap_is(n.clean, slice_of(names[i].clean), "name %zu: clean", i);
		tap_is(n.ext, slice_of(names[i].ext), "its extension");
		tap_is(n.before, slice_of(names[i].before), "the one before");
		tap_is(flags_text(a, n.flags), slice_of(names[i].flags),
		    "what is odd");
	}
}

/* What is ordinary in some language is none. */
static const struct { struct slice name; bool trick; } tricks[] = {
	{ S("Re: Angebot.pdf"), false }, { S("AW: x.txt:y.exe"), true },
	{ S("\350\263\207\346\226\231\357\274\210\357\274\221\357\274\211"
	    ".pdf"), false },
	{ S("\327\220\342\200\217.docx"), false },
	{ S("\327\220\342\200\256xcod.exe"), true },
	{ S("a.html. "), true }, { S("a.txt. "), false },
	{ S("dir/a.exe"), false }, { S("a.exe"), false },
	{ S("a.tar.gz"), false }, { S("letter.doc.js"), true },
	{ S("a.docm\342\200\213"), true },
};

static void
test_tricks(struct arena *a)
{
	for (size_t i = 0; i < sizeof tricks / sizeof tricks[0]; i++) {
		struct filename n;

		filename_read(a, tricks[i].name, &n);
		tap_is_int(filename_tricks(&n) != 0, tricks[i].trick,
		    "%.*s: %s", SLICE_ARG(tricks[i].name), tricks[i].trick ?
		    "a trick" : "none");
	}
}

static void
test_long_name(struct arena *a)
{
	struct filename n;
	char *text = arena_alloc(a, 65536);

	memset(text, 'a', 65536);
	memcpy(text + 65532, ".exe", 4);
	filename_read(a, slice_make(text, 65536), &n);
	tap_is_str(filename_flag_name(n.flags), "long", "64 kB of a name");
	tap_is(n.ext, SLICE("exe"), "and its extension is seen");
	filename_read(a, SLICE("a.exe:b.txt"), &n);
	tap_is(n.stream, SLICE("exe"), "the extension before a colon");
}

/* ---- bytes ---- */

static const struct {
	struct slice bytes;
	const char *type, *classes;
} files[] = {
	{ S(""), "empty", "" },
	{ S("Hello\n"), "text", "text" },
	{ S("\001\002\003\0\377"), "data", "unknown" },
	{ S("\177ELF\002\001\001"), "elf", "executable" },
	{ S("MZ is how a letter may begin\n"), "text", "text" },
	{ S("L\0\0\0\001\024\002\0\0\0\0\0"), "lnk", "shortcut" },
	{ S("\312\376\272\276\0\0\0\064"), "class", "executable" },
	{ S("\312\376\272\276\0\0\0\002"), "macho", "executable" },
	{ S("\344R\\{\214\330\247M\256\261Sx\320)\226\323"), "onenote",
	    "office office-embeds" },
	{ S("#!/bin/sh\nrm -rf /\n"), "script", "script text" },
	{ S("  @echo off\r\n"), "batch", "script text" },
	{ S("\377\376W\0i\0n\0d\0o\0w\0s\0 \0R\0e\0g\0i\0s\0t\0r\0y\0 \0E\0d\0"
	    "i\0t\0o\0r\0 \0V\0e\0r\0s\0i\0o\0n\0"), "reg", "script text" },
	{ S("\0H\0e\0l\0l\0o\0\r\0\n"), "text", "text" },
	{ S("-----BEGIN PGP SIGNATURE-----\n"), "pgp-armor", "text" },
	{ S("Set s = CreateObject(\"WScript.Shell\")\n"), "vbscript",
	    "script text" },
	{ S("var a = new ActiveXObject('x');"), "javascript", "script text" },
	{ S("IEX (New-Object Net.WebClient).DownloadString('x')"),
	    "powershell", "script text" },
	{ S("<html><HTA:APPLICATION id=a><script>"), "hta", "script text" },
	{ S("{ \"WEBP\": {}}\n"), "json", "text" },
	{ S("\n[ [1, 2], 3 ]\r\n"), "json", "text" },
	{ S("[section]\nname = [x]\n"), "text", "text" },
	{ S("[1] Dear all, {more}\n"), "text", "text" },
	{ S("{ \"a\": 1 } and more"), "text", "text" },
	{ S("{\"a\":\"WScript.Shell\", \"b\": \"new ActiveXObject(\"}"),
	  "javascript", "script text" },
	{ S("\377\373\220\144\0\0\0\0"), "mp3", "audio" },
	{ S("\377\377\0\0\7\0\0\0\4\0\0\0\1\0\1\0"), "jmp", "" },
	{ S("\377\377\0\0\7\0\0\0\5\0\0\0\1\0\1\0"), "data", "unknown" },
	{ S("<!DOCTYPE html><p>Hi"), "html", "html text" },
	{ S("<html><body onload=\"x()\">"), "html", "html html-active text" },
	{ S("<svg xmlns=\"x\"><script>1</script></svg>"), "svg",
	    "html html-active image text" },
	{ S("[InternetShortcut]\r\nURL=file://x/y.exe\r\n"), "url",
	    "shortcut text" },
	{ S("\320\317\021\340\241\261\032\341"), "ole2", "office" },
	{ S("%PDF-1.4\n1 0 obj<</Type/Catalog>>\n"), "pdf", "pdf" },
	{ S("%PDF-1.4\n<</S/J#61vaScript/JS(x)>>"), "pdf", "pdf pdf-active" },
	{ S("%PDF-1.4\n<</EmbeddedFile 1 0 R/Encrypt 2 0 R>>"), "pdf",
	    "office-embeds pdf encrypted" },
	{ S("junk before\n%PDF-1.4\n"), "pdf", "pdf" },
	{ S("{\\rtf1 {\\object\\objdata 0105}}"), "rtf",
	    "office office-embeds" },
	{ S("PK\003\004\024\0\001\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	    "\005\0\0\0a.txt"), "zip", "archive encrypted" },
	{ S("PK\003\004\024\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	    "\023\0\0\0[Content_Types].xml"
	    "PK\003\004\024\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	    "\023\0\0\0word/vbaProject.bin"), "docm", "office office-macro" },
	{ S("PK\003\004\024\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	    "\024\0\0\0META-INF/MANIFEST.MF"), "jar", "executable archive" },
	{ S("GIF89a--------------------"
	    "PK\005\006\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), "gif",
	    "archive image polyglot" },
};

static struct slice
classes_text(struct arena *a, unsigned classes)
{
	struct buf out = buf_in(a);

	for (unsigned i = 0; i < FILETYPE_CLASSES; i++)
		if (classes & 1u << i)
			buf_addf(&out, "%s%s", out.len > 0 ? " " : "",
			    filetype_class_name(1u << i));
	return buf_slice(&out);
}

static void
test_bytes(struct arena *a)
{
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		unsigned classes;
		const struct filetype *t = filetype_of(files[i].bytes,
		    &classes);

		tap_is_str(t->name, files[i].type, "bytes %zu", i);
		tap_is(classes_text(a, classes), slice_of(files[i].classes),
		    "of these classes");
	}
}

/* A compound file of nothing but a header and one directory sector. */
static void
test_ole2(struct arena *a)
{
	static const struct { const char *entry, *type, *classes; } cases[] = {
		{ "WordDocument", "doc", "office" },
		{ "_VBA_PROJECT", "ole2", "office office-macro" },
		{ "EncryptedPackage", "ole2", "office encrypted" },
		{ "__properties_version1.0", "msg", "mail" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char file[1024] = "\320\317\021\340\241\261\032\341";
		size_t n = strlen(cases[i].entry);
		unsigned classes;
		const struct filetype *t;

		for (size_t j = 0; j < n; j++)
			file[512 + 2 * j] = cases[i].entry[j];
		file[512 + 64] = (char)(2 * n + 2);
		t = filetype_of(slice_make(file, sizeof file), &classes);
		tap_is_str(t->name, cases[i].type, "OLE2, %s", cases[i].entry);
		tap_is(classes_text(a, classes), slice_of(cases[i].classes),
		    "of these classes");
	}
}

static void
test_far_signatures(void)
{
	static char disk[36000];
	unsigned classes;

	memcpy(disk + 32769, "CD001", 5);
	tap_is_str(filetype_of(slice_make(disk, sizeof disk), &classes)->name,
	    "iso", "an image of a disk");
	tap_ok((classes & FILETYPE_DISK) != 0, "is one");
	memset(disk, 0, sizeof disk);
	memcpy(disk + sizeof disk - 512, "conectix", 8);
	tap_is_str(filetype_of(slice_make(disk, sizeof disk), &classes)->name,
	    "vhd", "a disk that says so at its end");
	memset(disk, 0, sizeof disk);
	memcpy(disk, "MZ", 2);
	disk[60] = 64;
	memcpy(disk + 64, "PE\0", 4);
	tap_is_str(filetype_of(slice_make(disk, 200), &classes)->name, "pe",
	    "a program");
}

/* ---- agreement ---- */

static const struct { const char *claim, *is; bool agrees; } pairs[] = {
	{ "pdf", "pdf", true }, { "pdf", "pe", false },
	{ "pdf", "text", false },
	{ "pdf", "html", false }, { "pdf", "empty", true },
	{ "jpeg", "png", true }, { "jpeg", "pe", false },
	{ "jpeg", "data", false }, { "docx", "doc", true },
	{ "docx", "zip", false }, { "docm", "docx", true },
	{ "doc", "rtf", true }, { "text", "pe", false },
	{ "text", "data", false }, { "text", "html", false },
	{ "text", "csv", true }, { "text", "pgp-armor", true },
	{ "pgp", "text", true }, { "javascript", "text", true },
	{ "javascript", "html", true }, { "html", "text", true },
	{ "csv", "xls", false }, { "mail", "html", true },
	{ "pyc", "data", true }, { "tnef", "data", true },
};

static void
test_agreement(void)
{
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		tap_is_int(filetype_agree(
		    filetype_by_name(slice_of(pairs[i].claim)),
		    filetype_by_name(slice_of(pairs[i].is))), pairs[i].agrees,
		    "%s that is %s", pairs[i].claim, pairs[i].is);
	tap_ok(filetype_agree(NULL, filetype_by_name(SLICE("pe"))),
	    "no claim, no disagreement");
	tap_is_str(filetype_by_mime(SLICE("Image/JPG"))->name, "jpeg",
	    "a type by its MIME name");
	tap_ok(filetype_by_mime(SLICE("application/octet-stream")) == NULL,
	    "one that claims nothing");
	tap_ok(filetype_class_parse(SLICE("office-macro")) == FILETYPE_MACRO &&
	    filetype_class_parse(SLICE("macro")) == 0, "classes by name");
}

/* ---- real files ---- */

static bool
as_named(const char *path, const char *name)
{
	struct slice file = tap_file(path), ext = slice_of(strrchr(name, '.') +
	    1);
	const struct filetype *want = filetype_by_ext(ext), *is;
	unsigned classes;

	is = filetype_of(file, &classes);
	if (want != NULL && strcmp(is->family, want->family) != 0)
		tap_diag("%s: %s", name, is->name);
	free((void *)(uintptr_t)file.ptr);
	return want == NULL || strcmp(is->family, want->family) == 0;
}

static void
test_data(void)
{
	char dir[4096], path[8192];
	unsigned right = 0, all = 0, unknown = 0;
	const struct dirent *e;
	DIR *d = NULL;

	if (tap_data() != NULL) {
		snprintf(dir, sizeof dir, "%s/filetypes/file-type", tap_data());
		d = opendir(dir);
	}
	if (d == NULL) {
		tap_skip(1, "no files with their true type here");
		return;
	}
	while ((e = readdir(d)) != NULL) {
		const char *dot = strrchr(e->d_name, '.');

		/* One is named to mislead: JSON that says "WEBP". */
		if (strncmp(e->d_name, "fixture", 7) != 0 || dot == NULL ||
		    strcmp(e->d_name, "fixture-json.webp") == 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		all++;
		unknown += filetype_by_ext(slice_of(dot + 1)) == NULL;
		right += as_named(path, e->d_name);
	}
	closedir(d);
	tap_is_int(right, all, "files are what their names say");
	tap_diag("%u files, %u of them with an extension that has no row",
	    all, unknown);
}

int
main(void)
{
	struct arena *a = arena_new();

	test_names(a);
	test_tricks(a);
	test_long_name(a);
	test_bytes(a);
	test_ole2(a);
	test_far_signatures();
	test_agreement();
	test_data();
	arena_free(a);
	return tap_done();
}
