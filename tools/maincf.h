/*
 * maincf - main.cf and master.cf: read as Postfix reads them, edited in place
 *
 * Reading. A logical line begins in the first column and goes on over lines
 * that begin with white space; comments and empty lines between them belong to
 * it (readlline.c of Postfix; postconf(5)). Bytes are kept: a logical line
 * says from where to where it goes.
 *
 * cf_next	the next logical line; false at the end
 * cf_param	its name and value, as main.cf has them; false when it is none
 * cf_find	the last line that sets that parameter, which is the one that
 *		counts; false when there is none
 * cf_service	its eight columns and arguments, as master.cf has them; false
 *		when it has fewer
 *
 * Our changes. All that we put into a file stands between two marks, and the
 * first says what stood there before, byte for byte:
 *
 *	#gatehouse# begin NAME HASH
 *	#gatehouse# was:delay_warning_time = 0h
 *	# the sender hears that his mail waits
 *	delay_warning_time = 4h
 *	#gatehouse# end
 *
 * So each file can be undone by itself, whatever has become of others, and
 * nothing but the file is needed for it. HASH is of what stands between the
 * marks: somebody else's change is seen.
 *
 * cf_mark	puts marks around text that takes the place of `was`. open:
 *		the line above had no end, and the caller has given it one
 * cf_undo	the file without our changes. RC_BAD when somebody changed what
 *		stands between marks: *why_r says where, with a diff when
 *		`applied` (the file as we left it) has the part. Lines that were
 *		only added between ours are kept
 *
 * CRLF files keep their line ends, and a last line without one goes without
 * again after the undo. A file with a NUL in it is refused.
 */
#ifndef TOOLS_MAINCF_H
#define TOOLS_MAINCF_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/rc.h"

#define CF_MARK		"#gatehouse# "

enum { CF_FILE_MAX = 4 << 20, CF_ARGS_MAX = 1000 };

struct cf_line {
	size_t from, to;		/* bytes of the file; `to` is behind the
					   last line's end */
	unsigned number;		/* of its first line, from 1 */
	struct slice text;		/* joined, without comments; arena */
};

struct cf_walk {
	struct slice file;
	size_t at;
	unsigned number;
	struct arena *arena;
};

struct cf_walk cf_walk(struct slice file, struct arena *a);
bool cf_next(struct cf_walk *walk, struct cf_line *line_r);
bool cf_param(const struct cf_line *line, struct slice *name_r,
    struct slice *value_r);
bool cf_find(struct slice file, struct slice name, struct arena *a,
    struct cf_line *line_r, struct slice *value_r);

/* An argument of a service. name absent: it is no -o. */
struct cf_arg {
	struct slice raw;		/* as it stands there, "-o" and all */
	struct slice name, value;
};

struct cf_service {
	struct slice columns;		/* the eight, as they stand there */
	struct slice name, type, chroot, command;
	struct cf_arg *args;
	size_t nargs;
};

bool cf_service(const struct cf_line *line, struct arena *a,
    struct cf_service *service_r);

/* "\n" or "\r\n", as the first line ends. */
const char *cf_newline(struct slice file);

struct slice cf_mark(struct arena *a, struct slice name, struct slice was,
    struct slice text, const char *newline, bool open);
enum rc cf_undo(struct arena *a, const char *path, struct slice file,
    struct slice applied, struct slice *own_r, struct slice *why_r);
/* Has it any change of ours? */
bool cf_marked(struct slice file);
/* The first 16 hexadecimal digits of a SHA-256. */
struct slice cf_hash(struct arena *a, struct slice bytes);

#endif
