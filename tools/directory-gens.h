/*
 * directory-gens - what a sync leaves below state_directory/directory
 *
 *	current -> g.7		the one commit point: a symbolic link, renamed
 *	g.7/directory		the directory file (policy/directory.h)
 *	g.7/recipients.db	Postfix's maps of the same users: who exists,
 *	g.7/transports.db	where single users and domains go,
 *	g.7/aliases.db		what aliases lead to
 *	last			when a sync went well, and its figures
 *	failed			why the last one did not; absent when it did
 *	lock, journal.json
 *
 * A generation is written whole and synced before the link changes, so a
 * reader finds the old one or the new one and never a part. Postfix holds its
 * maps open; their time of change is set when they are replaced, and its
 * processes notice that as they do with any table, finish what they are at and
 * start anew. They are removed by the sync after that one, when nobody can be
 * about to open them.
 *
 * gens_open	makes the folder, and takes the lock; RC_RETRY when another
 *		sync is at work. Removes what killed ones left
 * gens_begin	the folder of a new generation, empty; *path_r
 * gens_commit	all files in it are on the disk; it is the current one
 * gens_abandon	removes it
 * gens_told	writes last, or with `failed` that file; never fails loudly
 * gens_close
 */
#ifndef TOOLS_DIRECTORY_GENS_H
#define TOOLS_DIRECTORY_GENS_H

#include <sys/types.h>

#include "base/arena.h"
#include "base/rc.h"

struct gens {
	struct arena *arena;
	const char *dir;
	int fd, lock;
	uint64_t number;		/* of the current one; 0: none */
	uint64_t next;			/* 0: none was begun */
	uid_t uid;			/* whose the folder is */
	gid_t gid;
	bool writable;
};

enum rc gens_open(struct gens *s, const char *dir, bool dry,
    struct arena *a, struct slice *why_r);
/* A file of the current generation, for reading; -1 when there is none. */
int gens_current(const struct gens *s, const char *file);
enum rc gens_begin(struct gens *s, const char **path_r,
    struct slice *why_r);
enum rc gens_commit(struct gens *s, struct slice *why_r);
void gens_abandon(struct gens *s);
enum rc gens_told(struct gens *s, bool well, struct slice text,
    struct slice *why_r);
void gens_close(struct gens *s);

#endif
