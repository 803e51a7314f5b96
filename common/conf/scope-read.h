/*
 * scope-read - how struct scopes looks inside, and how a file fills it; only
 * this room includes it
 *
 * scopes_new	one with nothing in it
 * scope_read	the setting `scope` of a file, for one section of it; sections
 *		are all of the file: an option must be one that may stand in a
 *		scope of any of them. Errors as value_read gives them
 * scope_final	the setting `final` outside of all scopes
 * scope_normal	how a name of that kind is compared, and its exact local part;
 *		false for what is none
 */
#ifndef CONF_SCOPE_READ_H
#define CONF_SCOPE_READ_H

#include <libconfig.h>

#include "base/map.h"
#include "conf/scope.h"
#include "conf/source.h"

/* An option as one scope has it: a value, a final mark, or both. */
struct scope_setting {
	struct scope_setting *next;
	const struct conf_option *option;
	const void *value;		/* NULL: not set, final only */
	bool final;
	struct slice raw;		/* the value as a file has it */
	struct slice where;		/* file:line of the value or mark */
};

struct scope {
	struct scope *next;
	enum scope_level level;
	size_t names;			/* that it is for, members left out */
	struct slice name, where;
	struct scope_setting *settings;
};

/* What a key of the index leads to: a user as written, for those who look at
 * letter case. */
struct scope_member {
	struct scope *scope;
	struct slice exact, where;
};

struct scopes {
	const struct conf_option *options;
	struct scope base;		/* only final marks, of the default */
	struct scope *first, **last;
	size_t count;
	struct map *index;		/* "user a@b" -> struct scope_member */
	struct map *values;		/* of scope_add, parsed once each */
};

struct scope_reading {
	struct arena *a;
	const struct source *src;
	const struct conf_section *sections, *section;
	struct scopes *scopes;
	struct slice why;
	unsigned line;
};

struct scopes *scopes_new(struct arena *a);
enum rc scope_read(struct scope_reading *r, const config_setting_t *s);
enum rc scope_final(struct scope_reading *r, const config_setting_t *s);
bool scope_normal(struct arena *a, const char *kind, struct slice *name,
    struct slice *exact_r);

/* "user", "domain", ...; what belongs to a client or profile is "of-client"
 * and "of-profile". */
struct slice scope_key(struct arena *a, const char *kind, struct slice name);

#endif
