/*
 * filename - the name of an attachment as the program sees that opens it
 *
 * filename_read	any bytes (a name is hostile): what a file system makes
 *			of it, its extensions, and what is odd about it
 *
 * `clean` is UTF-8 without path, controls, unseen characters and bidi marks,
 * fullwidth letters and dots as their ASCII forms, without the dots and blanks
 * at the end that Windows drops. `ext` is what stands behind its last dot, in
 * lower case ("" for none); `before` is the extension before that. A name
 * "a.exe:b" has a second reading on Windows, where a stream follows a colon:
 * `stream` is the extension that stands before it.
 *
 * Linear in the name, of which FILENAME_READ bytes are looked at: its end. In
 * the arena; any thread.
 */
#ifndef FILETYPE_FILENAME_H
#define FILETYPE_FILENAME_H

#include "base/arena.h"

enum {
	FILENAME_READ = 4096,
	FILENAME_LONG = 255,		/* bytes: more is no file's name */
};

enum filename_flag {
	FILENAME_DOUBLE = 1 << 0,	/* "a.pdf.exe": the last one runs, the
					   one before seems to be a document */
	FILENAME_TRAILING = 1 << 1,	/* dots or blanks at the end */
	FILENAME_BIDI = 1 << 2,
	FILENAME_UNSEEN = 1 << 3,
	FILENAME_CONTROL = 1 << 4,
	FILENAME_TOO_LONG = 1 << 5,
	FILENAME_INVALID = 1 << 6,	/* no UTF-8 */
	FILENAME_BLANKS = 1 << 7,	/* many before the extension */
	FILENAME_STREAM = 1 << 8,	/* a colon */
	FILENAME_PATH = 1 << 9,		/* of folders */
	FILENAME_WIDE = 1 << 10,	/* letters or dots in disguise */
	FILENAME_CLSID = 1 << 11,	/* an extension that is a class id */
	FILENAME_FLAGS = 12		/* how many there are */
};

struct filename {
	struct slice clean, ext, before, stream;
	unsigned flags;
};

void filename_read(struct arena *a, struct slice name,
    struct filename *name_r);
/* "double"; NULL for what is no flag. */
const char *filename_flag_name(unsigned bit);

/*
 * Those of its flags that no honest sender has a reason for. Colons ("Re: x"),
 * fullwidth letters, marks of direction and long names are ordinary in some
 * languages: they are tricks before an extension that runs something, and
 * nowhere else.
 */
unsigned filename_tricks(const struct filename *name);

#endif
