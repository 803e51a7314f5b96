/*
 * source - the text of a configuration file and of what it includes
 *
 * libconfig reads whole files well, but cuts numbers over 32 bits in silence,
 * joins "a" "b" where a comma is missing, and says "syntax error" to nearly
 * all else. So the text passes here first: includes are put in place, each
 * line's origin is kept, and what libconfig would misread is refused with
 * what would be right. Only this room uses it.
 *
 * source_file	reads path and its includes; trusted as in conf_load_trusted.
 *		file_max: bytes of one file
 * source_memory	text that stands for a file called name; no includes
 * source_text	all of it, one NUL at the end and none inside
 * source_where	"file:line" of a line of that text
 * source_syntax	what libconfig says of a text it cannot read, in words
 *
 * Limits: 64 files, includes 8 deep, brackets 16 deep.
 */
#ifndef CONF_SOURCE_H
#define CONF_SOURCE_H

#include "base/arena.h"
#include "base/rc.h"

struct source;

enum { SOURCE_FILE = 1 << 20 };		/* of settings: 1 MB */

enum rc source_file(struct arena *a, const char *path, bool trusted,
    size_t file_max, struct source **source_r, struct slice *why_r);
enum rc source_memory(struct arena *a, const char *name, struct slice text,
    struct source **source_r, struct slice *why_r);
const char *source_text(struct source *src);
struct slice source_where(const struct source *src, unsigned line);
const char *source_syntax(const char *text);

#endif
