/*
 * identify - what an attachment is: its witnesses, and what they say together
 *
 * identify_part	of a part: every name that a reader may find for it
 *			(filename and name, each reading of each), its declared
 *			type, its bytes
 * identify_file	of a file with that name and declared type ("" for none)
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
};

void identify_part(struct arena *a, const struct part *p, struct slice bytes,
    struct identity *id_r);
void identify_file(struct arena *a, struct slice name, struct slice mime,
    struct slice bytes, struct identity *id_r);
/* "executable,script" */
struct slice identify_classes(struct arena *a, unsigned classes);
struct slice identify_tricks(struct arena *a, unsigned tricks);

#endif
