/*
 * tree - a file in the house's syntax that is no table of options
 *
 * Rules, say: groups in groups, read by whoever knows what they mean. The file
 * passes the same reader as all our files (source.h), so what libconfig would
 * misread is refused here, and each setting knows the file and line it came
 * from, includes and all.
 *
 * tree_file	reads path and its includes, at most file_max bytes each;
 *		trusted as in conf_load_trusted. RC_BAD with *why_r
 *		("file:line: what is wrong; what would be right")
 * tree_memory	text that stands for a file called name
 * tree_root	the group of all settings at the top; it and all below live as
 *		long as the arena
 * tree_where	"file:line" of a setting
 * tree_bad	sets *why_r to "file:line: " and that text; returns RC_BAD
 * tree_value	one setting, read as an option of that kind would be
 *		(conf.h), its bounds and its complaints included
 * tree_unknown	a setting of a name that nobody knows: names the nearest of
 *		`known` (NULL at its end); returns RC_BAD
 */
#ifndef CONF_TREE_H
#define CONF_TREE_H

#include <libconfig.h>

#include "conf/conf.h"

struct tree;

enum rc tree_file(struct arena *a, const char *path, bool trusted,
    size_t file_max, struct tree **tree_r, struct slice *why_r);
enum rc tree_memory(struct arena *a, const char *name, struct slice text,
    struct tree **tree_r, struct slice *why_r);
const config_setting_t *tree_root(const struct tree *t);
struct slice tree_where(const struct tree *t, const config_setting_t *s);
enum rc tree_bad(const struct tree *t, const config_setting_t *s,
    struct slice *why_r, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
enum rc tree_value(const struct tree *t, const config_setting_t *s,
    const struct conf_option *o, void *field, struct slice *why_r);
enum rc tree_unknown(const struct tree *t, const config_setting_t *s,
    const char *const *known, struct slice *why_r);

#endif
