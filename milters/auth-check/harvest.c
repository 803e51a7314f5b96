#include "harvest.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>

#include "base/sip.h"

enum {
	VERSION_OF_TABLE = 1,
	LEVELS = 3,			/* entries of one client */
	RECENT = 4,			/* refused recipients remembered */
	SETS_OF_48 = 4,
	AHEAD = 3600,			/* s; a clock may have been so wrong */
};

static const float COUNT_MAX = 1e6f;	/* so that no count outlives its cause */

struct entry {
	unsigned char net[16];		/* bits behind the prefix are zero */
	uint8_t family;			/* 4, 6; 0: free */
	uint8_t bits, state, spare;
	uint32_t streak;		/* of refusals, that it has part in */
	float refused, accepted;	/* as of `when` */
	int64_t when, since;
	uint16_t recent[RECENT];	/* keys of refused recipients */
	_Atomic uint32_t forget;	/* its tag: whoever reads it next does */
	uint32_t check;			/* over all above `forget` */
};

struct harvest_table {
	char magic[8];
	uint32_t version, nsets;
	uint64_t secret[2];
	uint32_t streak;		/* number of this run of refusals */
	uint32_t networks;		/* that have part in it */
	int64_t streak_since;
	uint32_t guarded;
	uint32_t spare;
	struct entry entries[];
};

_Static_assert(sizeof (struct entry) == 64, "entries are cache lines");
_Static_assert(sizeof (struct harvest_table) == 56, "no holes in the file");

/* ---- the memory ---- */

static unsigned
sets_for(unsigned entries)
{
	unsigned n = SETS_OF_48;

	while (n * HARVEST_WAYS < entries && entries <= HARVEST_ENTRIES)
		n *= 2;
	return n;
}

size_t
harvest_size(unsigned entries)
{
	return sizeof (struct harvest_table) + (size_t)sets_for(entries) *
	    HARVEST_WAYS * sizeof (struct entry);
}

void
harvest_begin(void *memory, unsigned entries, int64_t now)
{
	struct harvest_table *t = memory;

	memset(memory, 0, harvest_size(entries));
	t->version = VERSION_OF_TABLE;
	t->nsets = sets_for(entries);
	t->streak = 1;
	t->streak_since = now;
	sip_secret(t->secret);
	/* Last: what is not ready has no name. */
	memcpy(t->magic, "GHharvst", sizeof t->magic);
}

bool
harvest_whole(const void *memory, size_t size)
{
	const struct harvest_table *t = memory;

	return size >= sizeof *t &&
	    memcmp(t->magic, "GHharvst", sizeof t->magic) == 0 &&
	    t->version == VERSION_OF_TABLE && t->nsets >= SETS_OF_48 &&
	    t->nsets <= HARVEST_ENTRIES / HARVEST_WAYS &&
	    (t->nsets & (t->nsets - 1)) == 0 &&
	    size == harvest_size(t->nsets * HARVEST_WAYS);
}

static uint32_t
check_of(const struct harvest_table *t, const struct entry *e)
{
	return (uint32_t)sip_hash(t->secret, slice_make(e,
	    offsetof(struct entry, forget)));
}

static uint32_t
tag_of(const struct harvest_table *t, const struct entry *e)
{
	return (uint32_t)sip_hash(t->secret, slice_make(e,
	    offsetof(struct entry, state))) | 1;
}

static bool
entry_whole(const struct harvest_table *t, const struct entry *e)
{
	return ((e->family == 4 && e->bits <= 32) ||
	    (e->family == 6 && e->bits <= 128)) &&
	    e->state <= HARVEST_REFUSE &&
	    e->refused >= 0 && e->refused <= COUNT_MAX &&
	    e->accepted >= 0 && e->accepted <= COUNT_MAX &&
	    e->check == check_of(t, e);
}

/* ---- time ---- */

static void
decay(struct entry *e, const struct harvest_policy *p, int64_t now)
{
	double passed = (double)(now - e->when), left;

	if (now <= e->when) {
		/* A clock that was set back must not keep it for ever. */
		if (e->when - now > AHEAD)
			e->when = now;
		return;
	}
	left = exp2(-passed / p->half_life);
	e->refused = (float)(e->refused * left);
	e->accepted = (float)(e->accepted * left);
	e->when = now;
}

/* ---- levels: an address and the networks around it ---- */

static unsigned
levels(const struct ip *ip, struct network nets_r[LEVELS])
{
	static const unsigned v4[] = { 32, 24 }, v6[] = { 128, 64, 48 };
	bool six = ip->family == AF_INET6;
	unsigned n = six ? 3 : 2;

	for (unsigned i = 0; i < n; i++) {
		nets_r[i] = (struct network){ *ip, six ? v6[i] : v4[i] };
		net_mask(&nets_r[i]);
	}
	return n;
}

/* Of a /24 and a /48, which many share, more is expected. */
static double
factor(const struct entry *e)
{
	return (e->family == 4 && e->bits < 32) ||
	    (e->family == 6 && e->bits < 64) ? HARVEST_NETWORK : 1;
}

static void
name_entry(struct entry *e, const struct network *net)
{
	memset(e, 0, sizeof *e);
	memcpy(e->net, net->ip.bytes, net->ip.family == AF_INET6 ? 16 : 4);
	e->family = net->ip.family == AF_INET6 ? 6 : 4;
	e->bits = (uint8_t)net->bits;
}

static struct network
network_of(const struct entry *e)
{
	struct network net = { .bits = e->bits };

	net.ip.family = e->family == 6 ? AF_INET6 : AF_INET;
	memcpy(net.ip.bytes, e->net, e->family == 6 ? 16 : 4);
	return net;
}

static bool
same_name(const struct entry *a, const struct entry *b)
{
	return memcmp(a, b, offsetof(struct entry, state)) == 0;
}

/* The set where that entry would stand. */
static struct entry *
set_of(struct harvest_table *t, const struct entry *name)
{
	struct slice key = slice_make(name, offsetof(struct entry, state));
	uint64_t hash = sip_hash(t->secret, key);
	struct entry outer;
	struct network net;

	if (name->family == 6 && name->bits > 48) {
		net = network_of(name);
		net.bits = 48;
		net_mask(&net);
		name_entry(&outer, &net);
		outer.spare = 1;	/* not where the /48 itself stands */
		hash = sip_hash(t->secret, slice_make(&outer,
		    offsetof(struct entry, streak))) / SETS_OF_48 * SETS_OF_48 +
		    hash % SETS_OF_48;
	}
	return &t->entries[(hash & (t->nsets - 1)) * HARVEST_WAYS];
}

/* NULL: not known. */
static struct entry *
find(struct harvest_table *t, const struct network *net,
    const struct harvest_policy *p, int64_t now)
{
	struct entry name, *set;

	name_entry(&name, net);
	set = set_of(t, &name);
	for (int i = 0; i < HARVEST_WAYS; i++) {
		struct entry *e = &set[i];
		uint32_t forget;

		if (!same_name(e, &name) || !entry_whole(t, e))
			continue;
		forget = atomic_exchange(&e->forget, 0);
		if (forget == tag_of(t, e)) {
			memset(e, 0, sizeof *e);
			return NULL;
		}
		decay(e, p, now);
		return e;
	}
	return NULL;
}

static bool
is_one_of(struct entry *const *entries, unsigned n, const struct entry *e)
{
	for (unsigned i = 0; i < n; i++)
		if (entries[i] == e)
			return true;
	return false;
}

/* The lightest of a set that is not one of kept; a free one weighs -1. */
static struct entry *
lightest(struct harvest_table *t, struct entry *set,
    const struct harvest_policy *p, int64_t now, struct entry *const *kept,
    unsigned nkept, float *weight_r)
{
	struct entry *light = NULL;

	*weight_r = INFINITY;
	for (int i = 0; i < HARVEST_WAYS; i++) {
		struct entry *e = &set[i];
		float weight = -1;

		if (is_one_of(kept, nkept, e))
			continue;
		if (entry_whole(t, e)) {
			decay(e, p, now);
			e->check = check_of(t, e);
			weight = e->refused + e->accepted;
		}
		if (weight < *weight_r) {
			*weight_r = weight;
			light = e;
		}
	}
	return light;
}

/* Finds it or makes it; NULL: the set is full of heavier ones. Entries of the
 * same client that were placed before stay. */
static struct entry *
place(struct harvest_table *t, const struct network *net,
    const struct harvest_policy *p, int64_t now, struct entry *const *before,
    unsigned nbefore)
{
	struct entry *e = find(t, net, p, now), name;
	float weight;

	if (e != NULL)
		return e;
	name_entry(&name, net);
	name.when = name.since = now;
	e = lightest(t, set_of(t, &name), p, now, before, nbefore, &weight);
	if (weight > 1) {
		e->refused *= 0.9f;
		e->accepted *= 0.9f;
		e->check = check_of(t, e);
		return NULL;
	}
	*e = name;
	e->check = check_of(t, e);
	return e;
}

/* ---- judging ---- */

static enum harvest_state
judge(const struct entry *e, const struct harvest_policy *p)
{
	double f = factor(e), n = e->refused;

	if (n <= 0 || n < p->share * (e->refused + e->accepted))
		return HARVEST_CLEAN;
	if (n >= p->refuse * f ||
	    (e->state == HARVEST_REFUSE && n >= p->refuse * f / 2))
		return HARVEST_REFUSE;
	if (n >= p->slow * f ||
	    (e->state != HARVEST_CLEAN && n >= p->slow * f / 2))
		return HARVEST_SLOW;
	return HARVEST_CLEAN;
}

/* A fifth of the longest when it begins, all of it where refusal begins. */
static int64_t
delay_of(const struct entry *e, const struct harvest_policy *p)
{
	double way = p->refuse > p->slow ? (e->refused / factor(e) - p->slow) /
	    (p->refuse - p->slow) : 1;

	way = way < 0 ? 0 : way > 1 ? 1 : way;
	return (int64_t)((double)p->delay * (0.2 + 0.8 * way));
}

static void
settle(struct entry *e, const struct harvest_policy *p, int64_t now,
    bool *began_r)
{
	enum harvest_state state = judge(e, p);

	*began_r = (int)state > e->state;
	if ((int)state != e->state) {
		e->state = (uint8_t)state;
		e->since = now;
	}
}

static void
show(const struct entry *e, const struct harvest_policy *p,
    struct harvest_view *view_r)
{
	view_r->state = (enum harvest_state)e->state;
	view_r->source = network_of(e);
	view_r->refused = (double)e->refused;
	view_r->accepted = (double)e->accepted;
	view_r->since = e->since;
	view_r->delay = e->state == HARVEST_CLEAN ? 0 : delay_of(e, p);
}

static bool
proven(const struct entry *e, const struct harvest_policy *p)
{
	return e != NULL && e->accepted >= HARVEST_PROVEN &&
	    e->refused < p->share * (double)(e->refused + e->accepted);
}

/*
 * The strongest of the client's entries decides; of equals, the one of the
 * widest network. So a network that is known to be guilty brings one line,
 * not one for each of its addresses.
 */
static void
conclude(struct harvest_table *t, struct entry *const *entries, unsigned n,
    const struct harvest_policy *p, int64_t now, struct harvest_view *view_r)
{
	bool good = proven(entries[0], p), began;

	for (unsigned i = 0; i < n; i++) {
		struct entry *e = entries[i];

		if (e == NULL)
			continue;
		settle(e, p, now, &began);
		e->check = check_of(t, e);
		if (t->guarded || (good && i > 0) ||
		    e->state < (int)view_r->state)
			continue;
		if (e->state == (int)view_r->state && i > 0 && began &&
		    view_r->began)
			continue;
		show(e, p, view_r);
		view_r->began = began;
	}
}

static void
start_view(const struct ip *ip, struct harvest_view *view_r)
{
	*view_r = (struct harvest_view){ .state = HARVEST_CLEAN,
	    .source = { *ip, ip->family == AF_INET6 ? 128 : 32 } };
}

void
harvest_look(struct harvest_table *t, const struct harvest_policy *p,
    const struct ip *ip, int64_t now, struct harvest_view *view_r)
{
	struct entry *entries[LEVELS];
	struct network nets[LEVELS];
	unsigned n = levels(ip, nets);

	start_view(ip, view_r);
	for (unsigned i = 0; i < n; i++)
		entries[i] = find(t, &nets[i], p, now);
	conclude(t, entries, n, p, now, view_r);
	view_r->began = false;
}

/* ---- counting ---- */

static bool
asked_before(struct entry *const *entries, unsigned n, uint16_t key)
{
	for (unsigned i = 0; i < n; i++)
		for (int k = 0; entries[i] != NULL && k < RECENT; k++)
			if (entries[i]->recent[k] == key)
				return true;
	return false;
}

static void
add(struct entry *e, bool refused, uint16_t key)
{
	float *count = refused ? &e->refused : &e->accepted;

	if (*count < COUNT_MAX)
		*count += 1;
	if (!refused)
		return;
	memmove(e->recent + 1, e->recent,
	    sizeof e->recent - sizeof e->recent[0]);
	e->recent[0] = key;
}

/* What a map that was empty has brought against anybody. */
static void
forget_streak(struct harvest_table *t)
{
	size_t n = (size_t)t->nsets * HARVEST_WAYS;

	for (size_t i = 0; i < n; i++) {
		struct entry *e = &t->entries[i];

		if (e->when < t->streak_since || !entry_whole(t, e))
			continue;
		e->refused = 0;
		e->state = HARVEST_CLEAN;
		e->check = check_of(t, e);
	}
}

/* The guard: outer is the entry of the client's widest network. */
static enum harvest_news
watch(struct harvest_table *t, struct entry *outer, bool refused, int64_t now)
{
	bool ended;

	if (!refused) {
		ended = t->guarded;
		t->guarded = 0;
		t->streak += t->networks > 0;
		t->networks = 0;
		return ended ? HARVEST_GUARD_ENDED : HARVEST_NO_NEWS;
	}
	if (outer == NULL || outer->streak == t->streak || t->guarded)
		return HARVEST_NO_NEWS;
	outer->streak = t->streak;
	if (t->networks++ == 0)
		t->streak_since = now;
	if (t->networks < HARVEST_GUARD)
		return HARVEST_NO_NEWS;
	t->guarded = 1;
	return HARVEST_GUARD_BEGAN;
}

void
harvest_count(struct harvest_table *t, const struct harvest_policy *p,
    const struct ip *ip, bool refused, uint64_t key, int64_t now,
    struct harvest_view *view_r)
{
	uint16_t short_key = (uint16_t)(key | 1);
	struct entry *entries[LEVELS];
	struct network nets[LEVELS];
	unsigned n = levels(ip, nets);

	start_view(ip, view_r);
	for (unsigned i = 0; i < n; i++)
		entries[i] = place(t, &nets[i], p, now, entries, i);
	view_r->fresh = !refused || !asked_before(entries, n, short_key);
	if (view_r->fresh)
		view_r->news = watch(t, entries[n - 1], refused, now);
	for (unsigned i = 0; i < n; i++)
		if (entries[i] != NULL && view_r->fresh &&
		    !(refused && t->guarded))
			add(entries[i], refused, short_key);
	conclude(t, entries, n, p, now, view_r);
	if (view_r->news == HARVEST_GUARD_BEGAN)
		forget_streak(t);
}

uint64_t
harvest_key(const struct harvest_table *t, struct slice address)
{
	char lower[320];
	size_t n = address.len < sizeof lower ? address.len : sizeof lower;

	for (size_t i = 0; i < n; i++)
		lower[i] = ascii_lower(address.ptr[i]);
	return sip_hash(t->secret, slice_make(lower, n));
}

bool
harvest_guarded(const struct harvest_table *t)
{
	return t->guarded != 0;
}

/* ---- for people ---- */

void
harvest_each(const struct harvest_table *t, const struct harvest_policy *p,
    int64_t now, void (*visit)(const struct harvest_view *view, void *arg),
    void *arg)
{
	size_t n = (size_t)t->nsets * HARVEST_WAYS;

	for (size_t i = 0; i < n; i++) {
		/* The daemon may be writing to it: a copy is whole or not. */
		struct entry e = t->entries[i];
		struct harvest_view view = { .state = HARVEST_CLEAN };
		bool began;

		if (!entry_whole(t, &e) || e.forget == tag_of(t, &e))
			continue;
		decay(&e, p, now);
		settle(&e, p, now, &began);
		show(&e, p, &view);
		visit(&view, arg);
	}
}

unsigned
harvest_forget(struct harvest_table *t, const struct network *net)
{
	size_t n = (size_t)t->nsets * HARVEST_WAYS;
	unsigned marked = 0;

	for (size_t i = 0; i < n; i++) {
		struct entry e = t->entries[i];
		struct network its;

		if (!entry_whole(t, &e))
			continue;
		its = network_of(&e);
		if (!ip_match(&its.ip, &net->ip, its.bits < net->bits ?
		    its.bits : net->bits))
			continue;
		atomic_store(&t->entries[i].forget, tag_of(t, &e));
		marked++;
	}
	return marked;
}

const char *
harvest_state_name(enum harvest_state state)
{
	static const char *const names[] = { "clean", "slow", "refuse" };

	return names[state];
}
