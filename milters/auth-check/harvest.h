/*
 * harvest - who asks for recipients that do not exist?
 *
 * Refused and accepted recipients are counted by source: the client's
 * address, and its /24, or its /64 and /48. Counts decay by half in each
 * half-life. A source is slowed, then refused, when it has had enough refused
 * recipients (policy.slow, policy.refuse; NETWORK times as many for a /24 or a
 * /48) and these are no small share of all its recipients (policy.share): a
 * provider with thousands of good ones is never touched for the typing errors
 * of some of its users. A source that was slowed or refused stays so until
 * its count has halved.
 *
 * A recipient that the source asked for a moment ago is not counted again: who
 * tries one dead address every minute is a nuisance, but does not harvest. A
 * client whose own record is good does not suffer for its network.
 *
 * When refusals come from GUARD networks and no recipient at all is accepted
 * meanwhile, the fault is ours (an empty recipient map): counting stops, what
 * that time has brought against anybody is forgotten, and the first accepted
 * recipient ends it.
 *
 * The table is a piece of memory (harvest_file.h maps a file there), fixed in
 * size: sets of WAYS entries. A newcomer replaces the lightest entry of its
 * set only when that weighs no more than itself; else that one loses a tenth.
 * So a flood of new addresses churns the light places, and guilty and
 * well-known sources stay. All addresses of one IPv6 /48 share four sets, so
 * they push out no more than 32 entries, however many they are.
 *
 * harvest_size		bytes that a table of so many entries (rounded up to
 *			a power of two) takes
 * harvest_begin	an empty table
 * harvest_whole	may this memory be used as a table of that size? An entry
 *			that is not whole is taken for a free one, one at a time
 * harvest_look		what is known of that client; nothing changes but what
 *			time does
 * harvest_count	counts one recipient; key: harvest_key of its address
 * harvest_each		calls visit for each entry that is whole; for a reader
 *			beside the daemon, too
 * harvest_forget	marks entries of that network, of those that hold it and
 *			of those inside it: the next harvest_look or _count
 *			finds nothing there. How many. May be called by another
 *			process
 *
 * The caller holds a lock around _look and _count. Pure: now is seconds.
 */
#ifndef AUTH_CHECK_HARVEST_H
#define AUTH_CHECK_HARVEST_H

#include "net/ip.h"

enum {
	HARVEST_WAYS = 8,
	HARVEST_NETWORK = 4,		/* thresholds of a /24 or /48 */
	HARVEST_GUARD = 50,		/* networks, see above */
	HARVEST_PROVEN = 5,		/* accepted, for a record of its own */
	HARVEST_ENTRIES = 1 << 24,	/* at most */
};

struct harvest_policy {
	double half_life;		/* seconds, > 0 */
	double slow, refuse;		/* refused recipients; slow <= refuse */
	double share;			/* of all, 0 to 1 */
	int64_t delay;			/* ms, the longest */
};

enum harvest_state { HARVEST_CLEAN, HARVEST_SLOW, HARVEST_REFUSE };

enum harvest_news { HARVEST_NO_NEWS, HARVEST_GUARD_BEGAN,
    HARVEST_GUARD_ENDED };

struct harvest_view {
	enum harvest_state state;
	bool began;			/* with this recipient: worth a line */
	bool fresh;			/* it was counted */
	struct network source;		/* the entry that decided */
	double refused, accepted;	/* its counts now */
	int64_t since;			/* when the state began */
	int64_t delay;			/* ms for a refused recipient; 0: none */
	enum harvest_news news;
};

struct harvest_table;

size_t harvest_size(unsigned entries);
void harvest_begin(void *memory, unsigned entries, int64_t now);
bool harvest_whole(const void *memory, size_t size);
uint64_t harvest_key(const struct harvest_table *t, struct slice address);
void harvest_look(struct harvest_table *t, const struct harvest_policy *p,
    const struct ip *ip, int64_t now, struct harvest_view *view_r);
void harvest_count(struct harvest_table *t, const struct harvest_policy *p,
    const struct ip *ip, bool refused, uint64_t key, int64_t now,
    struct harvest_view *view_r);
/* Is the guard on? */
bool harvest_guarded(const struct harvest_table *t);
void harvest_each(const struct harvest_table *t,
    const struct harvest_policy *p, int64_t now,
    void (*visit)(const struct harvest_view *view, void *arg), void *arg);
unsigned harvest_forget(struct harvest_table *t, const struct network *net);

/* "clean", "slow", "refuse" */
const char *harvest_state_name(enum harvest_state state);

#endif
