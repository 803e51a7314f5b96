/*
 * What gatehouse-sandbox asks at the control socket. It has no key: it gets the
 * messages that wait for it from here, and says what they are; what becomes of
 * them is decided here.
 *
 *	sandbox-list	rows that wait for a verdict, those that came in first
 *			before the others
 *	sandbox-raw	object: its message, and `parts`, what of it is to be
 *			looked at (SHA-256 of each, "more" for what is too much)
 *	sandbox-verdict	object, verdict (clean, suspicious, malicious, none),
 *			reason: for all its recipients
 *
 * And for administrators:
 *
 *	waiting		of each cause how many wait, since when the oldest, and
 *			when the next goes on or has its deadline
 */
#include <string.h>

#include "log/log.h"
#include "services/store/notices.h"
#include "services/store/waiting.h"

enum { LIST_MAX = 1000 };

struct rows {
	struct store_row items[LIST_MAX];
	size_t count;
};

/* Nobody has judged it yet, and no hold forbids it. */
static bool
is_open(const struct store_row *row)
{
	return slice_eq(row->object.cause, slice_of(cause_name(CAUSE_SANDBOX)))
	    && row->state == STORE_HELD && row->tries == 0 && !row->hold;
}

static bool
collect(const struct store_row *row, void *arg)
{
	struct rows *r = arg;

	if (is_open(row))
		r->items[r->count++] = *row;
	return r->count < LIST_MAX;
}

static struct rows *
open_rows(struct asked *q, struct slice id, enum rc *rc_r)
{
	struct rows *r = arena_alloc(q->arena, sizeof *r);
	struct store_index *x = vault_read(&q->store->vault);

	*rc_r = id.ptr != NULL ? x->does->rows_of(x, id, q->arena, collect, r) :
	    x->does->waits(x, slice_of(cause_name(CAUSE_SANDBOX)),
	    WAITING_ROWS, q->arena, collect, r);
	if (*rc_r != RC_OK)
		asked_fails(q, "trouble", arena_copy(q->arena, x->why));
	vault_read_end(&q->store->vault);
	if (*rc_r == RC_OK && id.ptr != NULL && r->count == 0) {
		asked_fails(q, "over", SLICE("it does not wait for a sandbox"));
		*rc_r = RC_BAD;
	}
	return r;
}

static void
op_list(struct asked *q)
{
	struct service_set *set = service_set(q->store->run);
	enum rc rc;
	struct rows *r = open_rows(q, SLICE_NONE, &rc);

	if (rc == RC_OK) {
		asked_ok(q);
		json_key(q->answer, "rows");
		json_begin_array(q->answer);
	}
	for (size_t i = 0; rc == RC_OK && i < r->count; i++) {
		const struct store_row *row = &r->items[i];
		struct waiting_terms t;

		waiting_terms(set->conf, &set->house, row, &t);
		json_begin_object(q->answer);
		json_put(q->answer, "object", row->object.id);
		json_put_int(q->answer, "time", row->object.time);
		json_put_int(q->answer, "deadline", row->object.time +
		    t.deadline);
		json_end(q->answer);
	}
	if (rc == RC_OK)
		json_end(q->answer);
	service_set_drop(set);
}

static struct slice
parts_of(const struct object_meta *meta)
{
	for (size_t i = 0; i < meta->nfindings; i++)
		if (slice_eq(meta->findings[i].key, SLICE("sandbox")) &&
		    slice_eq(meta->findings[i].filter, meta->filter))
			return meta->findings[i].value;
	return SLICE("");
}

static void
op_raw(struct asked *q)
{
	struct slice id = q->request->object, why = SLICE("");
	enum rc rc;

	if (!vault_id_valid(id)) {
		asked_fails(q, "not-found", SLICE("there is no such object"));
		return;
	}
	open_rows(q, id, &rc);
	if (rc != RC_OK)
		return;
	if (vault_object(&q->store->vault, id, q->arena, &q->object, &why) !=
	    RC_OK) {
		q->object = NULL;
		asked_fails(q, "trouble", why);
		return;
	}
	asked_ok(q);
	json_put(q->answer, "parts", parts_of(object_meta(q->object)));
	json_put_int(q->answer, "bytes", (int64_t)
	    object_meta(q->object)->size);
}

/* --- verdicts ------------------------------------------------------------ */

enum verdict_kind { CLEAN, SUSPICIOUS, MALICIOUS, NONE, VERDICTS };

static const char *const verdicts[VERDICTS] = { "clean", "suspicious",
    "malicious", "none" };

static enum verdict_kind
verdict_of(struct slice name)
{
	unsigned i = 0;

	while (i < VERDICTS && !slice_eq(name, slice_of(verdicts[i])))
		i++;
	return (enum verdict_kind)i;
}

static enum waiting_catch
end_of(enum verdict_kind kind, const struct waiting_terms *t)
{
	switch (kind) {
	case CLEAN:
		return CATCH_DELIVER;
	case SUSPICIOUS:
		return t->suspicious;
	case MALICIOUS:
		return t->malicious;
	default:
		return t->fallback == FALLBACK_DELIVER ? CATCH_DELIVER :
		    CATCH_HOLD;
	}
}

static enum rc
apply(struct asked *q, const struct service_set *set,
    const struct store_row *row, enum verdict_kind kind, struct slice reply,
    struct slice *why_r)
{
	struct slice actor = kind == NONE ? SLICE(WAITING_UNTOLD) :
	    SLICE("sandbox");
	struct waiting_terms t;
	bool moved = false;
	enum rc rc;

	waiting_terms(set->conf, &set->house, row, &t);
	switch (end_of(kind, &t)) {
	case CATCH_DELIVER:
		return waiting_let_go(q->store, row, actor, reply, q->arena,
		    &moved, why_r);
	case CATCH_DELETE:
		rc = store_delete(q->store, row, actor, reply, q->arena,
		    &moved, why_r);
		if (rc == RC_OK && moved)
			notices_settled(q->store, row->object.id);
		return rc;
	default:
		return waiting_keep(q->store, row, actor, reply, q->arena,
		    &moved, why_r);
	}
}

static enum rc
apply_all(struct asked *q, const struct rows *r, enum verdict_kind kind,
    struct slice reply, struct slice *why_r)
{
	struct service_set *set = service_set(q->store->run);
	struct store *s = q->store;
	enum rc rc;

	vault_enter(&s->vault);
	rc = vault_catch_up(&s->vault, why_r);
	for (size_t i = 0; i < r->count && rc == RC_OK; i++)
		rc = apply(q, set, &r->items[i], kind, reply, why_r);
	*why_r = arena_copy(q->arena, *why_r);
	vault_leave(&s->vault);
	service_set_drop(set);
	return rc;
}

static void
op_verdict(struct asked *q)
{
	enum verdict_kind kind = verdict_of(q->request->verdict);
	struct slice why = SLICE(""), reply = log_safe(q->arena,
	    q->request->reason, 300);
	struct rows *r;
	enum rc rc;

	if (kind == VERDICTS || !vault_id_valid(q->request->object)) {
		asked_fails(q, "bad-request", SLICE("object and verdict are "
		    "wanted"));
		return;
	}
	r = open_rows(q, q->request->object, &rc);
	if (rc != RC_OK)
		return;
	reply = arena_printf(q->arena, "%s%s%.*s", verdicts[kind],
	    reply.len > 0 ? ": " : "", SLICE_ARG(reply));
	rc = apply_all(q, r, kind, reply, &why);
	waiting_wake(q->store);
	if (rc != RC_OK)
		asked_fails(q, "trouble", why);
	else
		asked_ok(q);
}

/* --- how much waits ------------------------------------------------------ */

struct count {
	struct store *store;
	uint64_t n;
	int64_t oldest, next;
};

static bool
count_row(const struct store_row *row, void *arg)
{
	struct count *c = arg;
	int64_t until = waiting_until(c->store, row);

	if (until == 0 && row->state != STORE_RELEASING)
		return true;
	c->n++;
	if (c->oldest == 0)
		c->oldest = row->object.time;
	if (until > 0 && (c->next == 0 || until < c->next))
		c->next = until;
	return true;
}

static enum rc
count(struct asked *q, enum cause cause, struct count *c)
{
	struct store_index *x = vault_read(&q->store->vault);
	enum rc rc;

	*c = (struct count){ .store = q->store };
	rc = x->does->waits(x, slice_of(cause_name(cause)), WAITING_ROWS,
	    q->arena, count_row, c);
	if (rc != RC_OK)
		asked_fails(q, "trouble", arena_copy(q->arena, x->why));
	vault_read_end(&q->store->vault);
	return rc;
}

static void
put_count(struct json *w, enum cause cause, const struct count *c)
{
	json_key(w, cause_name(cause));
	json_begin_object(w);
	json_put_int(w, "count", (int64_t)c->n);
	json_put_int(w, "oldest", c->oldest);
	json_put_int(w, "next", c->next);
	json_end(w);
}

static void
op_waiting(struct asked *q)
{
	struct count deferred, sandbox;

	if (count(q, CAUSE_DEFERRED, &deferred) != RC_OK ||
	    count(q, CAUSE_SANDBOX, &sandbox) != RC_OK)
		return;
	asked_ok(q);
	put_count(q->answer, CAUSE_DEFERRED, &deferred);
	put_count(q->answer, CAUSE_SANDBOX, &sandbox);
}

const struct operation waiting_operations[] = {
	{ "waiting", ASKER_ADMIN, op_waiting },
	{ "sandbox-list", ASKER_SANDBOX, op_list },
	{ "sandbox-raw", ASKER_SANDBOX, op_raw },
	{ "sandbox-verdict", ASKER_SANDBOX, op_verdict },
	{ NULL, ASKER_ADMIN, NULL },
};
