/*
 * postfix-site - the Postfix that is there
 *
 * postfix_site_read	its files as they are, and as they were before us, and
 *			what postconf(1) says of its version, its map types and
 *			the parameters that it knows. RC_BAD when our changes
 *			cannot be told from somebody else's (cf_undo); RC_RETRY
 *			when a file or postconf does not work
 * postfix_site_assumed	none is asked: empty files, and that version
 * recipe_load		the input of a recipe: our files from conf_dir (NULL:
 *			defaults), Postfix from site. role 0: what postfix.conf
 *			says. RC_BAD or RC_RETRY with *why_r
 */
#ifndef TOOLS_POSTFIX_SITE_H
#define TOOLS_POSTFIX_SITE_H

#include "base/map.h"
#include "tools/recipe.h"

struct postfix_file {
	const char *path;		/* real, behind symbolic links */
	struct slice text;		/* as it is */
	struct slice own;		/* without our changes */
	struct slice applied;		/* as we left it; empty: not known */
};

struct postfix_site {
	const char *dir;		/* of configuration */
	struct postfix_file main, master;
	struct postfix_version version;
	const char *version_text;
	struct conf_list map_types;
	struct map *known;		/* parameters; NULL: not asked */
	struct arena *arena;
};

enum rc postfix_site_read(struct postfix_site *site, const char *dir,
    struct arena *a, struct slice *why_r);
bool postfix_site_assumed(struct postfix_site *site, const char *version,
    struct arena *a);

enum rc recipe_load(const char *conf_dir, enum recipe_role role,
    struct postfix_site *site, struct recipe_input *in, struct arena *a,
    struct slice *why_r);
enum rc recipe_filter_load(const char *conf_dir,
    const struct house_conf *house, const char *name,
    struct recipe_filter *f_r, struct conf_list *hosts_r, struct arena *a,
    struct slice *why_r);

#endif
