/*
 * directory-source - one source into the book
 *
 * source_read	all that the source says: a CSV or MAP file, or an LDAP server
 *		(directory-ldap.c). RC_BAD: it is malformed, line-exact;
 *		RC_RETRY: it cannot be read now. A source with nothing in it is
 *		RC_BAD too: an export that failed looks like that
 * source_field	a value of that field of the user to be ("Mail=address" having
 *		said what the value is); source_done puts him into the book
 */
#ifndef TOOLS_DIRECTORY_SOURCE_H
#define TOOLS_DIRECTORY_SOURCE_H

#include "tools/directory-book.h"
#include "tools/directory-conf.h"

/* One user, while his fields come. Those of a list may come several times. */
struct source_user {
	const struct directory_source *source;
	struct book *book;
	struct arena *arena;		/* of one user */
	unsigned line;			/* row, or number of the entry */
	const char *dn;			/* NULL: a row */
	struct slice address;		/* SLICE_NONE: none yet */
	struct buf aliases, fields;	/* struct slice; pairs of them */
};

enum rc source_read(const struct directory_source *s, struct book *b,
    struct slice *why_r);
enum rc source_ldap(const struct directory_source *s, struct book *b,
    struct slice *why_r);

/* A MAP file in memory. */
enum rc source_map_bytes(const struct directory_source *s, struct book *b,
    struct slice bytes, struct slice *why_r);

void source_begin(struct source_user *u, unsigned line);
enum rc source_field(struct source_user *u, struct slice to,
    struct slice value, struct slice *why_r);
enum rc source_done(struct source_user *u, struct slice *why_r);

#endif
