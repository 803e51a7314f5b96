/*
 * directory-sync - one sync, and what is told of it
 *
 * Read all sources (directory-source, -ldap) into a book, write it as a
 * directory file, compare that with the current one (-diff), make Postfix's
 * maps of it (-maps), and let all of it hold at once (-gens). Whatever fails,
 * the current one stays.
 *
 * directory_load	the configuration; an exit status, what is wrong is told
 * directory_sync	all of it; an exit status
 * directory_show	the record in s->line into s->out, for people
 */
#ifndef TOOLS_DIRECTORY_SYNC_H
#define TOOLS_DIRECTORY_SYNC_H

#include "text/json.h"
#include "tools/directory-book.h"
#include "tools/directory-conf.h"
#include "tools/directory-diff.h"
#include "tools/directory-gens.h"

struct sync {
	struct arena *a;
	const char *config, *word, *argument;
	bool dry, json, force, sample, source_sample, manual, source_manual;
	bool help;

	struct house_conf house;
	struct directory_conf conf;
	struct gens state;
	struct book *book;
	struct directory_diff diff;
	int fd;				/* of the new directory file */
	const char *folder;		/* of the new generation */
	bool forced, written;
	struct buf out;
	struct json w;
	struct slice why;
	struct buf line;		/* of the heap */
};

int directory_load(struct sync *s);
int directory_sync(struct sync *s);
void directory_show(struct sync *s, const char *between);

#endif
