#include "services/store/waiting.h"

#include <string.h>

#include "base/map.h"
#include "log/log.h"
#include "services/store/notices.h"

static bool
is_deferred(const struct store_row *row)
{
	return slice_eq(row->object.cause,
	    slice_of(cause_name(CAUSE_DEFERRED)));
}

void
waiting_terms(const struct store_conf *conf, const struct house_conf *house,
    const struct store_row *row, struct waiting_terms *t)
{
	struct store_conf own = *conf;
	struct arena *a = arena_new();
	struct scope_subject who;
	bool deferred = is_deferred(row);

	/* Going out it is the sender's mail. */
	scope_subject(a, slice_eq(row->object.direction, SLICE("out")) ?
	    row->object.sender : row->recipient, house_match(house), &who);
	scope_resolve(conf->scopes, &who, &own);
	arena_free(a);
	*t = (struct waiting_terms){ .after = own.deferred_after / 1000,
	    .deadline = (deferred ? own.deferred_deadline :
	    own.sandbox_deadline) / 1000,
	    .fallback = (enum waiting_fallback)(deferred ?
	    own.deferred_fallback : own.sandbox_fallback),
	    .malicious = (enum waiting_catch)own.sandbox_malicious,
	    .suspicious = (enum waiting_catch)own.sandbox_suspicious };
}

static bool
over(const struct store_conf *conf, const struct house_conf *house,
    const struct store_row *row, int64_t now, enum waiting_fallback fallback)
{
	struct waiting_terms t;

	if (!store_waiting(row->object.cause))
		return false;
	waiting_terms(conf, house, row, &t);
	return t.fallback == fallback && (now - row->object.time >= t.deadline
	    || slice_eq(row->actor, SLICE(WAITING_UNTOLD)));
}

bool
waiting_last(const struct store_conf *conf, const struct house_conf *house,
    const struct store_row *row, int64_t now)
{
	return over(conf, house, row, now, FALLBACK_DELIVER);
}

bool
waiting_late(const struct store_conf *conf, const struct house_conf *house,
    const struct store_row *row, int64_t now)
{
	return over(conf, house, row, now, FALLBACK_HOLD);
}

int64_t
waiting_until(struct store *s, const struct store_row *row)
{
	struct service_set *set;
	struct waiting_terms t;

	if (!store_row_waits(row) || row->state != STORE_HELD || row->hold)
		return 0;
	set = service_set(s->run);
	waiting_terms(set->conf, &set->house, row, &t);
	service_set_drop(set);
	return row->object.time + (is_deferred(row) ? t.after : t.deadline);
}

void
waiting_wake(struct store *s)
{
	pthread_mutex_lock(&s->lock);
	s->woken = true;
	pthread_cond_broadcast(&s->wake);
	pthread_mutex_unlock(&s->lock);
}

void
waiting_settled(struct store *s, const struct store_row *row,
    enum store_state state)
{
	waiting_wake(s);		/* the next of its line */
	if (state != STORE_HELD)
		return;
	log_warning("%.32s waited for a second look and was not let go; it is "
	    "held for an administrator", row->object.id.ptr);
	notices_settled(s, row->object.id);
}

enum rc
waiting_let_go(struct store *s, const struct store_row *row,
    struct slice actor, struct slice reply, struct arena *a, bool *moved_r,
    struct slice *why_r)
{
	int64_t now = clock_wall();
	const struct store_change c = { .time = now, .actor = actor,
	    .reply = reply, .tries = row->tries, .try_at = now };

	return store_change(s, row, STORE_RELEASING, &c, a, moved_r, why_r);
}

enum rc
waiting_keep(struct store *s, const struct store_row *row,
    struct slice actor, struct slice reply, struct arena *a, bool *moved_r,
    struct slice *why_r)
{
	const struct store_change c = { .time = clock_wall(), .actor = actor,
	    .reply = reply, .tries = row->tries + 1 };
	enum rc rc = store_change(s, row, STORE_HELD, &c, a, moved_r, why_r);

	if (rc == RC_OK && *moved_r)
		notices_settled(s, row->object.id);
	return rc;
}

/* --- who may go ---------------------------------------------------------- */

struct ready {
	struct ready *next;
	struct store_row row;
};

struct look {
	struct store *s;
	const struct service_set *set;
	struct arena *a;
	struct map *lines;		/* sender and recipient: somebody is
					   before */
	struct ready *first, **last;	/* who may go */
	int64_t now, next;		/* s: when to look again */
};

static struct slice
line_of(struct look *l, const struct store_row *row)
{
	struct slice s = arena_printf(l->a, "%zu %.*s %.*s",
	    row->object.sender.len, SLICE_ARG(row->object.sender),
	    SLICE_ARG(row->recipient));
	char *low = arena_str(l->a, s);

	for (size_t i = 0; i < s.len; i++)
		low[i] = ascii_lower(low[i]);
	return slice_make(low, s.len);
}

static void
at(struct look *l, const struct store_row *row, int64_t when)
{
	struct ready *ready;

	if (when > l->now) {
		if (when < l->next)
			l->next = when;
		return;
	}
	ready = arena_alloc(l->a, sizeof *ready);
	ready->row = *row;
	*l->last = ready;
	l->last = &ready->next;
}

/* Oldest first: who comes second in a line waits. */
static bool
see_deferred(const struct store_row *row, void *arg)
{
	struct look *l = arg;
	struct waiting_terms t;

	if (row->state == STORE_HELD && (row->tries > 0 || row->hold))
		return true;
	if (map_put(l->lines, line_of(l, row), l) != NULL ||
	    row->state == STORE_RELEASING)
		return true;
	waiting_terms(l->set->conf, &l->set->house, row, &t);
	at(l, row, row->object.time + t.after);
	return true;
}

/* What the sandbox has not judged in time. */
static bool
see_sandbox(const struct store_row *row, void *arg)
{
	struct look *l = arg;
	struct waiting_terms t;

	if (row->state != STORE_HELD || row->tries > 0 || row->hold)
		return true;
	waiting_terms(l->set->conf, &l->set->house, row, &t);
	at(l, row, row->object.time + t.deadline);
	return true;
}

static enum rc
go(struct look *l, const struct store_row *row, struct slice *why_r)
{
	struct store *s = l->s;
	bool moved;

	if (is_deferred(row))
		return waiting_let_go(s, row, SLICE("deferred scan"),
		    SLICE("to be scanned again"), l->a, &moved, why_r);
	if (waiting_last(l->set->conf, &l->set->house, row, l->now))
		return waiting_let_go(s, row, SLICE(WAITING_UNTOLD),
		    SLICE("no answer in time; it is delivered"), l->a, &moved,
		    why_r);
	return waiting_keep(s, row, SLICE(WAITING_UNTOLD),
	    SLICE("no answer in time"), l->a, &moved, why_r);
}

static enum rc
look(struct look *l, struct slice *why_r)
{
	struct store_index *x = vault_read(&l->s->vault);
	enum rc rc = x->does->waits(x, slice_of(cause_name(CAUSE_DEFERRED)),
	    WAITING_ROWS, l->a, see_deferred, l);

	if (rc == RC_OK)
		rc = x->does->waits(x, slice_of(cause_name(CAUSE_SANDBOX)),
		    WAITING_ROWS, l->a, see_sandbox, l);
	*why_r = rc == RC_OK ? SLICE("") : arena_copy(l->a, x->why);
	vault_read_end(&l->s->vault);
	return rc;
}

/* One at a time: between two of them others may have the vault. */
static enum rc
let_go(struct look *l, struct slice *why_r)
{
	enum rc rc = RC_OK;

	for (struct ready *r = l->first; r != NULL && rc == RC_OK;
	    r = r->next) {
		vault_enter(&l->s->vault);
		rc = vault_catch_up(&l->s->vault, why_r);
		if (rc == RC_OK)
			rc = go(l, &r->row, why_r);
		*why_r = arena_copy(l->a, *why_r);
		vault_leave(&l->s->vault);
	}
	return rc;
}

void
waiting_due(struct store *s)
{
	struct look l = { .s = s, .now = clock_wall() };
	struct service_set *set;
	struct slice why;

	if (!s->woken && deadline_left(s->look) > 0)
		return;
	s->woken = false;
	set = service_set(s->run);
	l.set = set;
	l.a = arena_new();
	l.lines = map_new();
	l.last = &l.first;
	l.next = l.now + WAITING_LOOK_MS / 1000;
	if (look(&l, &why) != RC_OK || let_go(&l, &why) != RC_OK) {
		log_error("mail that waits for a second look waits longer: "
		    "%.*s", SLICE_ARG(log_safe(l.a, why, 300)));
		l.next = l.now + 1;
	}
	s->look = deadline_in((l.next - l.now) * 1000);
	map_free(l.lines);
	arena_free(l.a);
	service_set_drop(set);
}
