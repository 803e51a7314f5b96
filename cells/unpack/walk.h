/*
 * walk - one file and all that is in it
 *
 * walk_file looks what the bytes are and hands them to the reader of that
 * format, which gives each member back by walk_member; a member is walked in
 * its turn. All limits are counted here, so a reader need not know them: when
 * a call returns false it stops.
 *
 * walk_begin	a new member of `parent`; NULL: one too many, or too deep
 * walk_add	bytes of it; false: over a limit, and said at the member
 * walk_end	the member is there; it is walked
 * walk_member	the three at once
 * walk_why	something about this entry is not whole; the first reason stays
 *
 * Readers (archive.c, mail.c, ole2.c, pdf.c, rtf.c, tnef.c) get the bytes and
 * the entry whose members they add.
 */
#ifndef CELLS_UNPACK_WALK_H
#define CELLS_UNPACK_WALK_H

#include "base/arena.h"
#include "unpack/told.h"

struct walk_entry {
	struct walk_entry *next;
	size_t index;
	struct told_record record;
};

struct walk {
	struct arena *arena;
	struct told_request request;
	int out;			/* the members' file */
	uint64_t written;		/* bytes of members */
	uint64_t place;			/* where the next one begins */
	uint64_t in;			/* bytes of the file itself */
	struct walk_entry *first, **last;
	size_t count;
};

typedef void walk_reader(struct walk *w, struct walk_entry *entry,
    struct slice bytes);

void walk_file(struct walk *w, struct slice bytes);
struct walk_entry *walk_begin(struct walk *w, struct walk_entry *parent,
    struct slice path);
bool walk_add(struct walk *w, struct walk_entry *member, struct slice bytes);
void walk_end(struct walk *w, struct walk_entry *member);
bool walk_member(struct walk *w, struct walk_entry *parent, struct slice path,
    struct slice bytes);
void walk_why(struct walk_entry *entry, enum unpack_why why);

walk_reader archive_read_members, mail_read_members, ole2_read_members,
    pdf_read_members, rtf_read_members, tnef_read_members;

/* What Windows' Packager wrote: a file with its name, in an OLE object of the
 * class Package or a stream \1Ole10Native. False: it is none. */
bool package_read_member(struct walk *w, struct walk_entry *parent,
    struct slice bytes);

/* The source of a macro, where the stream of that name is one. False: over a
 * limit. */
bool macro_read_member(struct walk *w, struct walk_entry *parent,
    struct slice name, struct slice bytes);

#endif
