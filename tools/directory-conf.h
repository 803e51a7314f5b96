/*
 * directory-conf - directory.conf, and directory.d/NAME.conf of each source
 *
 * directory_conf_load	gatehouse.conf, directory.conf and the file of each
 *			source that it names, in their order. A NULL dir, or no
 *			directory.conf: there is no directory (no sources).
 *			RC_BAD with *why_r
 */
#ifndef TOOLS_DIRECTORY_CONF_H
#define TOOLS_DIRECTORY_CONF_H

#include "conf/conf.h"
#include "conf/house.h"

enum { DIRECTORY_SOURCES_MAX = 40 };

enum directory_source_kind { DIRECTORY_CSV, DIRECTORY_MAP, DIRECTORY_LDAP };
enum directory_tls { DIRECTORY_TLS_START, DIRECTORY_TLS_NONE };
enum directory_foreign { DIRECTORY_REFUSE, DIRECTORY_SKIP };

struct directory_source {
	const char *name;		/* of its file */
	int kind;
	const char *path;		/* csv, map */
	const char *separator, *end_mark;
	struct conf_list fields;	/* "Column=address" */
	const char *list_separators;
	int foreign;
	struct conf_list transports;

	/* ldap */
	const char *uri, *base, *filter, *bind_dn, *password_file, *ca_file;
	int tls;
	int64_t timeout;		/* ms, of one operation */
	unsigned page, max_entries;
};

struct directory_conf {
	struct conf_list sources;
	struct conf_list open_domains;
	unsigned shrink_percent, shrink_count;
	int64_t max_age;		/* ms */
	bool maps;
	int map_type;
	const char *postfix_directory;

	struct directory_source *list;	/* of sources */
	bool configured;		/* there is a directory.conf */
};

extern const struct conf_option directory_options[];
extern const struct conf_option directory_source_options[];
extern const char *const directory_map_types[];
extern const char *const directory_map_suffixes[];	/* by type */

enum rc directory_conf_load(const char *dir, struct house_conf *house,
    struct directory_conf *conf, struct arena *a, struct slice *why_r);
/* A file of the current generation, below state_directory; its folder for an
 * empty name. */
const char *directory_current(const struct house_conf *house,
    struct arena *a, const char *file);

#endif
