/*
 * unpack - what is inside a file: archives, office files, PDF, TNEF
 *
 * The reading is done by the program gatehouse-cell-unpack (cells/unpack), in
 * a cell. It opens what it knows (zip, 7z, rar, tar, cpio, ar, cab, iso, lha,
 * xar, gz, bz2, xz, lzma, zst, lz4, lzip, Z; OLE2 and what is embedded in it;
 * PDF with embedded files; TNEF; RTF with embedded objects; saved messages),
 * and what is inside of that, to the limits. Everything comes back in one memory
 * file, and a list that says for each member where it stands and, when it is not
 * all there, why.
 *
 * The first member of a PDF, compound or RTF file is its text in UTF-8, called
 * "text", or "text, in part" where that is not all of it.
 *
 * unpack_ask	one file, in a descriptor (cell_memfd). The result is in the
 *		arena, the members' bytes as long as it. RC_OK with a result
 *		whose `end` says how the cell did; there is no other end. What
 *		the cell says is checked: a member stands inside the file that
 *		came with it, a parent before its children
 * unpack_whole	no member of it, nor the file itself, has anything missing
 *
 * A member is never silently left out: what stops the reading of a container
 * is said at the container (`why` of its own entry). Entry 0 is the file.
 *
 * Thread-safe.
 */
#ifndef UNPACK_UNPACK_H
#define UNPACK_UNPACK_H

#include <fcntl.h>

#include "cell/cell.h"

/* Why something is not all there; what an administrator may have a policy for.
 * The order is that of unpack_why_name. */
enum unpack_why {
	UNPACK_WHOLE = 0,
	UNPACK_ENCRYPTED,		/* no password fits */
	UNPACK_TOO_DEEP,
	UNPACK_TOO_MANY,
	UNPACK_TOO_LARGE,
	UNPACK_RATIO,			/* a bomb: so much from so little */
	UNPACK_DAMAGED,
	UNPACK_UNKNOWN,			/* an archive nobody here can open */
	UNPACK_WHYS
};

struct unpack_limits {
	unsigned depth;			/* of containers in containers */
	unsigned members;		/* of all together */
	uint64_t member_bytes, bytes;	/* of one, of all together */
	unsigned ratio;			/* bytes out for one in; from 1 MB on */
};

struct unpack_entry {
	struct slice path;		/* as written inside; any bytes */
	struct slice format;		/* "zip", "ole2", ...; empty: no
					   container that is known */
	struct slice bytes;		/* of a member; absent for entry 0 */
	size_t parent;			/* entry; of entry 0: itself */
	unsigned depth;			/* entry 0: 0 */
	enum unpack_why why;		/* of this one, or of what is in it */
};

struct unpack_result {
	enum cell_end end;
	struct slice why;		/* of the end */
	struct unpack_entry *entries;
	size_t nentries;
};

/* passwords: tried on what is encrypted, in this order. */
void unpack_ask(struct cell *cell, int fd, struct slice name,
    const struct unpack_limits *limits, const struct slice *passwords,
    size_t npasswords, deadline_t until, struct arena *a,
    struct unpack_result *result_r);
bool unpack_whole(const struct unpack_result *result);
const char *unpack_why_name(enum unpack_why why);

extern const struct unpack_limits unpack_default_limits;

enum { UNPACK_PASSWORDS = 50 };

/* Of the file of members: who hashed them and who scans them see the same. */
#define UNPACK_SEALS	(F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

#endif
