/*
 * filetype - what a file is: by its name, by its declared type, by its bytes
 *
 * Three witnesses, asked apart. Each answer is a row of one table, or NULL when
 * the witness says nothing that we know.
 *
 * filetype_by_name	a row by its own name ("pe"); for rules and tests
 * filetype_by_ext	the type that an extension (without dot, any case)
 *			stands for
 * filetype_by_mime	what "type/subtype" stands for. application/octet-stream
 *			and unknown ones: NULL
 * filetype_of		by the bytes: signatures at fixed places, and the
 *			grammar of containers (zip by the names in it, OLE2 by
 *			its directory). Never NULL: what nobody knows is "data",
 *			readable text is "text", nothing at all is "empty".
 *			*classes_r gets the row's classes and those that only
 *			the bytes tell: macros, encryption, active content
 * filetype_agree	may a file of that claim consist of these bytes? A claim
 *			of NULL agrees with all. Types of one family agree: a
 *			PNG called JPEG harms nobody
 *
 * What is not seen: scripts without a telling word (known by their extension
 * only), what stands in compressed or encrypted streams of a container (the
 * unpack cell opens these; ask again for each member), anything beyond the
 * first signature of a file that is two things at once, except that a program,
 * PDF or picture with a zip archive behind it has FILETYPE_POLYGLOT; a document
 * whose macros have a name of their own (their member is OLE2 and says so).
 *
 * Pure, linear in the bytes; any thread.
 */
#ifndef FILETYPE_FILETYPE_H
#define FILETYPE_FILETYPE_H

#include "base/slice.h"

enum filetype_class {
	FILETYPE_EXECUTABLE	= 1 << 0,	/* runs by itself */
	FILETYPE_SCRIPT		= 1 << 1,	/* runs in what is installed */
	FILETYPE_SHORTCUT	= 1 << 2,	/* leads to something else */
	FILETYPE_OFFICE		= 1 << 3,
	FILETYPE_MACRO		= 1 << 4,	/* office, with macros */
	FILETYPE_EMBEDS		= 1 << 5,	/* office, with objects in it */
	FILETYPE_PDF		= 1 << 6,
	FILETYPE_PDF_ACTIVE	= 1 << 7,	/* JavaScript, launch */
	FILETYPE_HTML		= 1 << 8,
	FILETYPE_HTML_ACTIVE	= 1 << 9,	/* script in it */
	FILETYPE_ARCHIVE	= 1 << 10,
	FILETYPE_DISK		= 1 << 11,	/* image of a disk */
	FILETYPE_ENCRYPTED	= 1 << 12,
	FILETYPE_MAIL		= 1 << 13,
	FILETYPE_IMAGE		= 1 << 14,
	FILETYPE_AUDIO		= 1 << 15,
	FILETYPE_VIDEO		= 1 << 16,
	FILETYPE_FONT		= 1 << 17,
	FILETYPE_TEXT		= 1 << 18,
	FILETYPE_INSTALLER	= 1 << 19,	/* a package of programs */
	FILETYPE_POLYGLOT	= 1 << 20,	/* two things at once */
	FILETYPE_UNKNOWN	= 1 << 21,	/* no witness knows it */
	FILETYPE_DISAGREES	= 1 << 22,	/* the witnesses do not agree */
	FILETYPE_NAME_TRICK	= 1 << 23,	/* filename.h */
	FILETYPE_CLASSES	= 24		/* how many there are */
};

struct filetype {
	const char *name;
	const char *ext, *mime;		/* "exe,dll"; the first is usual */
	const char *family;		/* types of one agree */
	const char *base;		/* what its bytes are when no more is
					   known of them: "zip"; or NULL */
	unsigned classes;
	bool sure;			/* each file of it has a signature */
};

const struct filetype *filetype_by_name(struct slice name);
const struct filetype *filetype_by_ext(struct slice ext);
const struct filetype *filetype_by_mime(struct slice mime);
const struct filetype *filetype_of(struct slice bytes, unsigned *classes_r);
bool filetype_agree(const struct filetype *claim, const struct filetype *is);

/* "office-macro"; NULL for what is no class. */
const char *filetype_class_name(unsigned bit);
/* The bit of that name; 0: there is none. */
unsigned filetype_class_parse(struct slice name);

#endif
