#include "store/index.h"

#include "verdict/plan.h"

static const char *const names[STORE_STATES] = {
	[STORE_HELD] = "held",
	[STORE_RELEASING] = "releasing",
	[STORE_RELEASED] = "released",
	[STORE_DELETED] = "deleted",
	[STORE_EXPIRED] = "expired",
	[STORE_NOT_ACCEPTED] = "not-accepted",
};

#define TO(s)	(1u << (s))

/*
 * What may follow. A row that is over (released, deleted, expired, not
 * accepted) is held again when its message comes again; a held one that is
 * being released goes nowhere but to its end or back. Held to held is a note:
 * what somebody found out about it.
 */
static const unsigned follows[STORE_STATES] = {
	[STORE_HELD] = TO(STORE_HELD) | TO(STORE_RELEASING) |
	    TO(STORE_DELETED) | TO(STORE_EXPIRED) | TO(STORE_NOT_ACCEPTED),
	[STORE_RELEASING] = TO(STORE_RELEASED) | TO(STORE_HELD) |
	    TO(STORE_RELEASING),
	[STORE_RELEASED] = TO(STORE_HELD) | TO(STORE_DELETED) |
	    TO(STORE_EXPIRED),
	[STORE_DELETED] = TO(STORE_HELD) | TO(STORE_EXPIRED),
	[STORE_EXPIRED] = TO(STORE_HELD),
	[STORE_NOT_ACCEPTED] = TO(STORE_HELD) | TO(STORE_DELETED) |
	    TO(STORE_EXPIRED),
};

const char *
store_state_name(enum store_state s)
{
	return (unsigned)s < STORE_STATES ? names[s] : "unknown";
}

bool
store_state_parse(struct slice name, enum store_state *s_r)
{
	for (unsigned i = 0; i < STORE_STATES; i++) {
		if (slice_eq(name, slice_of(names[i]))) {
			*s_r = (enum store_state)i;
			return true;
		}
	}
	return false;
}

bool
store_may_move(enum store_state from, enum store_state to)
{
	return (unsigned)from < STORE_STATES && (unsigned)to < STORE_STATES &&
	    (follows[from] & TO(to)) != 0;
}

bool
store_restricted(struct slice cause)
{
	return slice_eq(cause, SLICE("virus")) ||
	    slice_eq(cause, SLICE("poison"));
}

bool
store_waiting(struct slice cause)
{
	enum cause c;

	return cause_parse(cause, &c) && cause_waits(c);
}

bool
store_row_waits(const struct store_row *row)
{
	return store_waiting(row->object.cause) &&
	    (row->state == STORE_RELEASING ||
	    (row->state == STORE_HELD && row->tries == 0));
}

enum store_class
store_class_of(struct slice cause)
{
	return store_restricted(cause) ? STORE_CLASS_RESTRICTED :
	    STORE_CLASS_OPEN;
}
