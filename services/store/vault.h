/*
 * vault - the folder of the quarantine, and the one who changes it
 *
 *	incoming/	new objects, by milters (store/object.h); 3770
 *	objects/XX/ID	adopted ones; XX are the first digits of ID
 *	objects/XX/ID.log	what happened to it (record.h); stays when the
 *			message itself has gone
 *	aside/		what was found in incoming/ and is no object of ours
 *	index.db	made from the logs
 *	reserve		bytes that are given up when the disk is full, so that
 *			what makes room can still be written down
 *	lock		held (flock) by who may write
 *
 * Invariants:
 *  1. What a row is, its object's log says. A change is a synced line first,
 *     then in the index; if that fails, the object is noted as behind and its
 *     rows are made from the log again before anything else is done with it.
 *  2. A message is removed only when no row needs it any more, and then only
 *     after the log says so.
 *  3. An object that no row refers to is never removed: it is adopted.
 *
 * vault_open	RC_BAD: index damaged or too new, no private key; RC_RETRY:
 *		somebody else has the lock, disk full ... Makes the folders
 * vault_enter, vault_leave
 *		around all that changes something, and around `index`.
 *		vault_try does not wait: false when somebody else is inside
 * vault_record	one change: checks it, writes it down, applies it. *done_r
 *		false: it does not fit the row (any more), nothing was written.
 *		RC_RETRY with *why_r: nothing was written, or (then it is
 *		behind) it was and the index does not know yet
 * vault_batch, vault_batch_end
 *		changes between them share one commit of the index
 * vault_catch_up	makes what is behind right; RC_OK when nothing is
 * vault_read	calls for `reader`, an index of its own: looking does not wait
 *		for writing. vault_read_end gives it back
 * vault_object	an adopted object, opened; for the caller to object_close
 * vault_fsync	of objects/XX
 *
 * All but vault_open and vault_close may be called from any thread.
 */
#ifndef STORE_VAULT_H
#define STORE_VAULT_H

#include <pthread.h>

#include "milter/seal.h"
#include "services/store/record.h"
#include "store/object.h"

enum {
	VAULT_BEHIND = 4096,
	VAULT_PATH = 64,
	/* For a lock of somebody else. All that is refused is tried again, and
	 * the loop's thread waits here too. */
	VAULT_PATIENCE_MS = 1000,
};

struct vault {
	const char *dir;
	int fd, incoming, lock_fd;	/* of dir, dir/incoming, dir/lock */
	pthread_mutex_t lock;
	struct store_index *index;
	struct store_index *scratch;	/* empty, in memory; heal.c */
	struct arena *log_arena;	/* for log_safe, inside the vault */
	pthread_mutex_t read_lock;
	struct store_index *reader;
	struct crypt_keys *keys;
	bool batch, spoiled;		/* half a record is in the batch */
	char behind[VAULT_BEHIND][STORE_ID + 1];
	size_t nbehind;
	bool all_behind;		/* more than fit: a whole look */
	uint64_t reserve;		/* bytes that it should have */
};

struct vault_conf {
	const char *dir, *key;		/* private key file */
	uint64_t reserve;
};

enum rc vault_open(struct vault *v, const struct vault_conf *conf,
    struct arena *a, struct slice *why_r);
/* All but the index; closed with vault_close, whatever came of it. */
enum rc vault_open_folder(struct vault *v, const struct vault_conf *conf,
    struct arena *a, struct slice *why_r);
void vault_close(struct vault *v);

void vault_enter(struct vault *v);
bool vault_try(struct vault *v);
void vault_leave(struct vault *v);

enum rc vault_record(struct vault *v, const struct record *r,
    struct arena *a, bool *done_r, struct slice *why_r);
enum rc vault_batch(struct vault *v, struct slice *why_r);
enum rc vault_batch_end(struct vault *v, struct slice *why_r);
enum rc vault_catch_up(struct vault *v, struct slice *why_r);

/* The line alone; the index is the caller's matter. */
enum rc vault_write(struct vault *v, const struct record *r,
    struct arena *a, uint64_t *size_r, struct slice *why_r);

struct store_index *vault_read(struct vault *v);
void vault_read_end(struct vault *v);

/* "objects/XX/ID" and suffix, relative to v->fd. */
void vault_path(char path[VAULT_PATH], struct slice id, const char *suffix);
bool vault_id_valid(struct slice id);
enum rc vault_object(struct vault *v, struct slice id, struct arena *a,
    struct object **object_r, struct slice *why_r);
bool vault_fsync(struct vault *v, struct slice id);
/* Both indexes; the vault's folder is open. */
enum rc vault_open_indexes(struct vault *v, struct arena *a,
    struct slice *why_r);
/* Gives up or takes back the reserved bytes. */
void vault_reserve(struct vault *v, bool keep);

/* heal.c */

/* The rows of one object from its log. */
enum rc heal_object(struct vault *v, struct slice id, struct slice *why_r);
/* Compares all logs with the index and mends what differs: what a kill left
 * behind. *healed_r: how many. Inside the vault, or before threads. */
enum rc heal_all(struct vault *v, struct store_index *x, uint64_t *healed_r,
    struct slice *why_r);
/* A new index from the logs, in place of the one that is there; outside the
 * vault. *objects_r: how many. */
enum rc heal_rebuild(struct vault *v, uint64_t *objects_r, struct arena *a,
    struct slice *why_r);
/* The same while no daemon runs and the old index cannot be opened. */
enum rc heal_rebuild_alone(const struct vault_conf *conf, uint64_t *objects_r,
    struct arena *a, struct slice *why_r);

#endif
