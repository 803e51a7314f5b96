/*
 * adopt - new objects come in
 *
 * adopt_new	takes what is in incoming/, at most ADOPT_BATCH objects;
 *		*more_r: there is more. A half-written one that is older than
 *		OBJECT_TMP_AGE is removed (its sender was answered 4xx); what is
 *		no object of ours goes to aside/, with a warning. RC_RETRY: the
 *		disk or the index does not take it; the rest stays where it is,
 *		and the next call tries again. Inside the vault
 * adopt_orphan	an object in objects/ without a log (a kill came between) gets
 *		one; RC_BAD: there is no such object. Inside the vault
 *
 * A message that comes again finds its rows. One that is held stays as it is,
 * and one that was deleted less than ADOPT_AGAIN seconds ago stays deleted: its
 * sender tried again. Any other (expired, not accepted, deleted long ago) is
 * held again, and so is a released one: what we gave back may be held by
 * another filter, or for another cause, and then it must not vanish; that a
 * sender's retry is then held a second time is the lesser evil. An object for
 * somebody to whom the same is being released waits in incoming/ until that is
 * settled. Nothing is left of an object in which nobody is new.
 */
#ifndef STORE_ADOPT_H
#define STORE_ADOPT_H

#include "services/store/vault.h"

enum {
	ADOPT_BATCH = 200,
	ADOPT_AGAIN = 5 * 24 * 3600,	/* Postfix gives up after five days */
};

/* How long a row of that cause is kept, in seconds. */
typedef int64_t adopt_retention(void *arg, const struct object_meta *meta,
    struct slice recipient);

struct adopt {
	adopt_retention *retention;
	void *arg;
	int64_t now;
	/* A large attachment (OBJECT_FILE), read to its end: takes it out of
	 * incoming/. RC_RETRY with *why_r. NULL: such are set aside. */
	enum rc (*file)(void *arg, const struct object_meta *meta,
	    struct arena *a, struct slice *why_r);
	/* Told of each object that came in; may be NULL. */
	void (*tell)(void *arg, const struct record *r);
};

enum rc adopt_new(struct vault *v, const struct adopt *how, bool *more_r,
    struct slice *why_r);
enum rc adopt_orphan(struct vault *v, struct slice id, struct arena *a,
    struct slice *why_r);

#endif
