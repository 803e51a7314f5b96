/*
 * settings - one checked set of everything that was configured
 *
 * A load builds a whole new set: gatehouse.conf, the daemon's own file, each
 * hosted filter's options, what the filters opened, the resolver. A message
 * keeps the set it began with; a reload swaps the current one, and the old
 * one goes when its last message has ended. Nothing of a set changes after
 * settings_load, so any thread reads it.
 *
 * settings_load	RC_OK with a set that holds one reference, or why not;
 *			then nothing has changed. `before` (may be NULL) gives
 *			its resolver on, when the options of it are the same
 * settings_renew	the same set with the policy map that is there now; what
 *			filters have open is one for both. RC_OK with a set that
 *			holds one reference, or why not
 * settings_state	opens what filters keep in the daemon's state folder; before
 *			any message uses the set. RC_OK, or why not
 * settings_hold, settings_drop	count references; thread-safe
 */
#ifndef MILTER_SETTINGS_H
#define MILTER_SETTINGS_H

#include "milter/filter.h"
#include "milter/forms.h"
#include "milter/seal.h"

/* Options of the daemon itself, in each milter's own file. */
struct milter_conf {
	const char *socket;		/* relative: below queue_directory */
	int64_t deadline;		/* ms at end of message */
	int64_t overrun;		/* ms past it until the process ends */
	unsigned sessions;		/* at most */
	uint64_t memory, spool;		/* bytes of messages, all sessions */
	int64_t drain;			/* ms that a stop waits for sessions */
	int64_t idle;			/* ms that a peer may be silent */
	unsigned slow_sessions;		/* slowed at the same time (early.h) */
	struct conf_list filters;	/* gatehouse-chain only */
};

extern const struct conf_option milter_options[];
extern const struct conf_option chain_options[];

struct instance {
	const struct filter *filter;
	void *conf, *shared, *view;
	unsigned configured;		/* needs of its table, and wants() */
	unsigned needs;			/* and what the policy wants */
};

struct settings {
	struct arena *arena;
	struct house_conf house;
	struct milter_conf milter;
	struct seal_key key;
	struct forms forms;		/* of the policy; zero: no splitter,
					   all get the same form */
	bool store;			/* what is held goes there */
	struct crypt_public store_key;
	const char *store_folder;	/* of new objects */
	struct instance *instances;
	size_t ninstances;
	unsigned needs;			/* of all instances together; HOLDS only
					   with a store */
	struct resolver *resolver;
	struct dns *dns;
	struct policy *policy;		/* never NULL once it is loaded */
	const char *policy_path;	/* NULL: no map is looked for */
	struct settings *base;		/* whose policy alone is another, or
					   NULL */
	_Atomic unsigned references;
};

/* Where the files are, and which filters this program could host. */
struct settings_source {
	const char *house_file;		/* NULL: defaults */
	const char *conf_dir;		/* of FILTER.conf; NULL: defaults */
	const char *conf_file;		/* of the daemon; NULL: conf_dir/NAME.conf */
	const char *name;		/* "auth-check", or "chain" */
	const struct filter *const *filters;	/* NULL at the end */
	const char *map;		/* of the policy; NULL: where it is */
	bool chain;			/* `filters` in its file picks */
	bool trusted;			/* nobody else may write the files */
	bool only_check;		/* nobody will use the set */
	bool optional;			/* a missing NAME.conf is all defaults */
	/* What a caller without files sets by itself (gatehouse test). */
	void (*adjust)(struct settings *set, void *arg);
	void *arg;
};

enum rc settings_load(const struct settings_source *source,
    const struct settings *before, struct settings **set_r, struct arena *a,
    struct slice *why_r);
enum rc settings_renew(struct settings *now, struct settings **set_r,
    struct arena *a, struct slice *why_r);
enum rc settings_state(struct settings *set, const struct settings *before,
    const char *dir, struct arena *a, struct slice *why_r);
struct settings *settings_hold(struct settings *set);
void settings_drop(struct settings *set);

#endif
