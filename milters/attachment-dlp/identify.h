/*
 * identify - what an attachment is: its witnesses, and what they say together
 *
 * identify_part	of a part: every name that a reader may find for it
 *			(filename and name, each reading of each), its declared
 *			type, its bytes
 * identify_file	of a file with that name and declared type ("" for none)
 *
 * identify_unsure	our table cannot tell: unknown bytes, or text without a name
 *			that is known
 * identify_magic	what libmagic says of it, as a MIME type. It changes
 *			nothing about what the table is sure of, adds no class
 *			but FILETYPE_DISAGREES (a declared type that it calls a
 *			script), and takes that one away where it confirms what
 *			is claimed, unless the claim is something that runs
 *
 * classes: those of the bytes; of its names and its declared type those that
 * run, since the name alone decides which program opens it; and
 * FILETYPE_DISAGREES with `why`, FILETYPE_NAME_TRICK. In the arena.
 */
#ifndef ATTACHMENT_IDENTIFY_H
#define ATTACHMENT_IDENTIFY_H

#include "filetype/filename.h"
#include "filetype/filetype.h"
#include "mime/part.h"

enum { IDENTIFY_NAMES = 8 };

struct identity {
	struct filename names[IDENTIFY_NAMES];
	size_t nnames;
	struct slice mime;		/* declared; "" for none */
	const struct filetype *is;	/* never NULL */
	const struct filetype *named, *declared;	/* or NULL */
	unsigned classes;
	unsigned tricks;		/* FILENAME_*, of all names */
	struct slice why;		/* they disagree; else empty */
	struct slice magic;		/* as libmagic said it; "": not asked */
	struct slice magic_mime;	/* the same where it counts; else "" */
	const struct filetype *magic_is;	/* and as a type, or NULL */
};

void identify_part(struct arena *a, const struct part *p, struct slice bytes,
    struct identity *id_r);
void identify_file(struct arena *a, struct slice name, struct slice mime,
    struct slice bytes, struct identity *id_r);
bool identify_unsure(const struct identity *id);
void identify_magic(struct arena *a, struct identity *id, struct slice kind);
/* "executable,script" */
struct slice identify_classes(struct arena *a, unsigned classes);
struct slice identify_tricks(struct arena *a, unsigned tricks);

#endif
