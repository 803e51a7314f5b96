/* What can be asked at the control socket. */
#include <string.h>

#include "log/log.h"
#include "services/store/control.h"
#include "services/store/files.h"
#include "services/store/waiting.h"

/* --- rows in answers ----------------------------------------------------- */

static void
put_bytes(struct json *w, const char *key, struct slice s)
{
	json_key(w, key);
	json_bytes(w, s);
}

static void
put_object_facts(struct json *w, const struct store_object *o)
{
	json_put(w, "object", o->id);
	json_put_int(w, "time", o->time);
	json_put_int(w, "size", (int64_t)o->size);
	json_put_bool(w, "body", o->body);
	put_bytes(w, "sender", o->sender);
	json_put(w, "header_from", o->from);
	json_put(w, "subject", o->subject);
	json_put(w, "message_id", o->message_id);
	json_put(w, "cause", o->cause);
	json_put(w, "rule", o->rule);
	json_put(w, "reason", o->reason);
	json_put(w, "filter", o->filter);
	json_put(w, "direction", o->direction);
	json_put(w, "queue_id", o->queue_id);
	json_put(w, "identity", o->identity);
	json_put(w, "client_ip", o->client_ip);
	json_put(w, "client_name", o->client_name);
	json_put(w, "helo", o->helo);
	json_put(w, "user", o->user);
}

static void
put_state(struct json *w, struct store *s, const struct store_row *r)
{
	int64_t until = waiting_until(s, r);

	put_bytes(w, "recipient", r->recipient);
	json_put(w, "state", slice_of(store_state_name(r->state)));
	json_put_bool(w, "hold", r->hold);
	json_put_int(w, "expires", r->expires);
	json_put_int(w, "changed", r->changed);
	json_put(w, "by", r->actor);
	json_put(w, "reply", r->reply);
	json_put_int(w, "tries", r->tries);
	if (r->state == STORE_RELEASING)
		json_put_int(w, "try_at", r->try_at);
	if (until > 0)
		json_put_int(w, "waits_until", until);
}

static void
put_row(struct json *w, struct store *s, const struct store_row *r)
{
	json_begin_object(w);
	put_object_facts(w, &r->object);
	put_state(w, s, r);
	json_end(w);
}

static void
index_fails(struct asked *q, const struct store_index *x)
{
	asked_fails(q, "trouble", x->why);
}

/* --- looking ------------------------------------------------------------- */

/* Rows are collected first: the answer begins with how it went. */
struct rows {
	struct store_row *items;
	size_t count, room;
	struct arena *a;
};

static bool
collect(const struct store_row *row, void *arg)
{
	struct rows *r = arg;

	if (r->count == r->room) {
		size_t room = r->room == 0 ? 64 : r->room * 2;
		struct store_row *items = arena_array(r->a, room,
		    sizeof *items);

		if (r->count > 0)
			memcpy(items, r->items, r->count * sizeof *items);
		r->items = items;
		r->room = room;
	}
	r->items[r->count++] = *row;
	return true;
}

static void
put_rows(struct asked *q, const struct rows *r)
{
	asked_ok(q);
	json_key(q->answer, "rows");
	json_begin_array(q->answer);
	for (size_t i = 0; i < r->count; i++)
		put_row(q->answer, q->store, &r->items[i]);
	json_end(q->answer);
}

static void
op_list(struct asked *q)
{
	struct store_filter f = q->request->filter;
	struct rows rows = { .a = q->arena };
	struct store_index *x;
	enum rc rc;

	f.recipient = q->request->recipient;
	f.object = q->request->object;
	if (f.limit == 0)
		f.limit = 100;
	if (!q->admin)			/* what he never had is not his */
		f.states = f.states != 0 ? f.states &
		    ~(1u << STORE_NOT_ACCEPTED) : 0;
	x = vault_read(&q->store->vault);
	rc = x->does->list(x, &f, q->arena, collect, &rows);
	if (rc == RC_OK)
		put_rows(q, &rows);
	else
		index_fails(q, x);
	vault_read_end(&q->store->vault);
	/* A full page: there may be another. */
	if (rc == RC_OK)
		json_put_bool(q->answer, "more", rows.count == f.limit);
}

/* One row, or the only one of an object; false: it was answered why not. */
static bool
find_row(struct asked *q, struct store_row *row_r)
{
	struct rows rows = { .a = q->arena };
	struct slice id = q->request->object, to = q->request->recipient;
	struct store_index *x = vault_read(&q->store->vault);
	enum rc rc = x->does->rows_of(x, id, q->arena, collect, &rows);
	size_t hits = 0;

	if (rc != RC_OK)
		index_fails(q, x);
	vault_read_end(&q->store->vault);
	for (size_t i = 0; i < rows.count; i++) {
		if (to.ptr != NULL && !(q->admin ? slice_eq(to,
		    rows.items[i].recipient) : slice_eq_nocase(to,
		    rows.items[i].recipient)))
			continue;
		if (!q->admin && rows.items[i].state == STORE_NOT_ACCEPTED)
			continue;
		*row_r = rows.items[i];
		hits++;
	}
	if (rc != RC_OK || hits == 1)
		return rc == RC_OK;
	asked_fails(q, hits == 0 ? "not-found" : "ambiguous", hits == 0 ?
	    SLICE("there is no such object, or none for that recipient") :
	    SLICE("it was held for several recipients; say which"));
	return false;
}

static void
op_show(struct asked *q)
{
	struct rows rows = { .a = q->arena };
	struct store_row row;
	struct store_index *x;
	enum rc rc;

	if (!q->admin) {
		if (find_row(q, &row)) {
			collect(&row, &rows);
			put_rows(q, &rows);
		}
		return;
	}
	x = vault_read(&q->store->vault);
	rc = x->does->rows_of(x, q->request->object, q->arena, collect, &rows);
	if (rc != RC_OK)
		index_fails(q, x);
	else if (rows.count == 0)
		asked_fails(q, "not-found", SLICE("there is no such object"));
	else
		put_rows(q, &rows);
	vault_read_end(&q->store->vault);
}

static bool
forbidden(struct asked *q, const struct store_row *row)
{
	struct store_index *x;
	bool restricted = true;

	if (q->admin)
		return false;
	x = vault_read(&q->store->vault);
	if (x->does->restricted(x, row->object.content, &restricted) != RC_OK)
		restricted = true;
	vault_read_end(&q->store->vault);
	return restricted;
}

static void
op_raw(struct asked *q)
{
	struct rows rows = { .a = q->arena };
	struct slice id = q->request->object, why = SLICE("");
	struct store_row row;
	struct store_index *x;
	enum rc rc;

	if (q->admin) {
		x = vault_read(&q->store->vault);
		rc = x->does->rows_of(x, id, q->arena, collect, &rows);
		vault_read_end(&q->store->vault);
		if (rc != RC_OK || rows.count == 0) {
			asked_fails(q, "not-found",
			    SLICE("there is no such object"));
			return;
		}
		row = rows.items[0];
	} else if (!find_row(q, &row)) {
		return;
	}
	if (forbidden(q, &row))
		asked_fails(q, "forbidden", SLICE("only an administrator"));
	else if (!row.object.body)
		asked_fails(q, "gone", SLICE("the message itself is not kept"));
	else if (vault_object(&q->store->vault, row.object.id, q->arena,
	    &q->object, &why) != RC_OK)
		asked_fails(q, "trouble", why);
	else {
		asked_ok(q);
		json_put_int(q->answer, "bytes",
		    (int64_t)object_meta(q->object)->size);
	}
}

static void
op_stats(struct asked *q)
{
	struct store_index *x = vault_read(&q->store->vault);
	struct store_stats st;
	enum rc rc = x->does->stats(x, &st);

	if (rc != RC_OK)
		index_fails(q, x);
	vault_read_end(&q->store->vault);
	if (rc != RC_OK)
		return;
	asked_ok(q);
	json_key(q->answer, "states");
	json_begin_object(q->answer);
	for (unsigned i = 0; i < STORE_STATES; i++) {
		json_key(q->answer, store_state_name(i));
		json_begin_object(q->answer);
		json_put_int(q->answer, "rows", (int64_t)st.rows[i]);
		json_put_int(q->answer, "bytes", (int64_t)st.bytes[i]);
		json_end(q->answer);
	}
	json_end(q->answer);
	json_put_int(q->answer, "objects", (int64_t)st.objects);
	json_put_int(q->answer, "stored", (int64_t)st.stored);
	json_put_int(q->answer, "files", (int64_t)files_stored(q->store));
	json_put_int(q->answer, "on_hold", (int64_t)st.on_hold);
	json_put_int(q->answer, "oldest", st.oldest);
	json_put_int(q->answer, "used", (int64_t)q->store->sweep.used);
	json_put_int(q->answer, "limit", (int64_t)q->store->sweep.limit);
	json_put_bool(q->answer, "closed", q->store->sweep.closed);
}

/* --- doing --------------------------------------------------------------- */

static void
op_release(struct asked *q)
{
	static const struct { const char *name; bool ok; } answers[] = {
		[RELEASE_TAKEN] = { "released", true },
		[RELEASE_WAITS] = { "waits", true },
		[RELEASE_REFUSED] = { "refused", false },
		[RELEASE_BUSY] = { "busy", false },
		[RELEASE_OVER] = { "over", false },
		[RELEASE_FORBIDDEN] = { "forbidden", false },
		[RELEASE_UNKNOWN] = { "not-found", false },
		[RELEASE_TROUBLE] = { "trouble", false },
	};
	struct slice reply = SLICE("");
	struct store_row row;
	enum release_answer answer;

	if (!find_row(q, &row))
		return;
	answer = release_row(q->store, row.object.id, row.recipient, q->actor,
	    q->admin && q->request->dangerous, false, q->arena, &reply);
	if (answer == RELEASE_FORBIDDEN)
		reply = q->admin ? SLICE("its cause, or that of a message with "
		    "the same content, is one that does harm; who has looked "
		    "may release it with --dangerous") :
		    SLICE("only an administrator may");
	if (!answers[answer].ok) {
		asked_fails(q, answers[answer].name, reply);
		return;
	}
	asked_ok(q);
	json_put(q->answer, "release", slice_of(answers[answer].name));
	json_put(q->answer, "reply", reply);
}

static void
delete_row(struct asked *q, const struct store_row *row)
{
	struct store *s = q->store;
	struct slice why = SLICE("");
	bool moved = false;
	enum rc rc;

	vault_enter(&s->vault);
	rc = store_delete(s, row, q->actor, log_safe(q->arena,
	    q->request->reason, 500), q->arena, &moved, &why);
	why = arena_copy(q->arena, why);
	vault_leave(&s->vault);
	if (rc != RC_OK)
		asked_fails(q, "trouble", why);
	else if (!moved)
		asked_fails(q, "over", slice_of(store_state_name(row->state)));
	else
		asked_ok(q);
}

static void
op_delete(struct asked *q)
{
	struct store_row row;

	if (!find_row(q, &row))
		return;
	if (row.hold)
		asked_fails(q, "on-hold", SLICE("it is on hold; lift that "
		    "first"));
	else
		delete_row(q, &row);
}

static void
op_hold(struct asked *q)
{
	const struct request *r = q->request;
	const struct record rec = { .kind = RECORD_HOLD, .time = clock_wall(),
	    .actor = q->actor, .object = { .id = r->object },
	    .recipient = r->recipient, .on = r->on };
	struct store *s = q->store;
	struct slice why = SLICE("");
	struct store_row row;
	bool done;
	enum rc rc;

	if (r->recipient.ptr != NULL && !find_row(q, &row))
		return;
	if (!vault_id_valid(r->object)) {
		asked_fails(q, "not-found", SLICE("there is no such object"));
		return;
	}
	vault_enter(&s->vault);
	rc = s->vault.index->does->object_get(s->vault.index, r->object,
	    q->arena, &row.object, &done);
	if (rc == RC_OK && done)
		rc = vault_record(&s->vault, &rec, q->arena, &done, &why);
	why = arena_copy(q->arena, why);
	vault_leave(&s->vault);
	if (rc != RC_OK)
		asked_fails(q, "trouble", why);
	else if (!done)
		asked_fails(q, "not-found", SLICE("there is no such object"));
	else {
		log_info("%.32s: hold %s by %.*s", r->object.ptr, r->on ?
		    "set" : "lifted", SLICE_ARG(q->actor));
		asked_ok(q);
	}
}

static void
op_expire(struct asked *q)
{
	struct rows rows = { .a = q->arena };
	const struct sweep_due due = { .visit = collect, .arg = &rows,
	    .arena = q->arena, .dry = q->request->dry };
	struct slice why;
	uint64_t n;
	enum rc rc;

	vault_enter(&q->store->vault);
	if (!due.dry)
		sweep_refused(q->store);
	rc = sweep_expire(q->store, &due, &n, &why);
	why = arena_copy(q->arena, why);
	vault_leave(&q->store->vault);
	if (rc != RC_OK) {
		asked_fails(q, "trouble", why);
		return;
	}
	asked_ok(q);
	json_put_int(q->answer, "expired", (int64_t)n);
	json_key(q->answer, "rows");
	json_begin_array(q->answer);
	for (size_t i = 0; i < rows.count && i < STORE_LIST_MAX; i++)
		put_row(q->answer, q->store, &rows.items[i]);
	json_end(q->answer);
}

static void
op_rebuild(struct asked *q)
{
	struct slice why = SLICE("");
	uint64_t n = 0;

	if (heal_rebuild(&q->store->vault, &n, q->arena, &why) != RC_OK) {
		asked_fails(q, "trouble", why);
		return;
	}
	log_info("the index was made anew by %.*s: %llu objects",
	    SLICE_ARG(q->actor), (unsigned long long)n);
	asked_ok(q);
	json_put_int(q->answer, "objects", (int64_t)n);
}

static void
op_check(struct asked *q)
{
	struct store_index *x = vault_read(&q->store->vault);

	if (x->does->check(x, true) == RC_OK)
		asked_ok(q);
	else
		asked_fails(q, "damaged", arena_copy(q->arena, x->why));
	vault_read_end(&q->store->vault);
}

const struct operation store_operations[] = {
	{ "list", ASKER_RECIPIENT, op_list },
	{ "show", ASKER_RECIPIENT, op_show },
	{ "raw", ASKER_RECIPIENT, op_raw },
	{ "release", ASKER_RECIPIENT, op_release },
	{ "delete", ASKER_RECIPIENT, op_delete },
	{ "hold", ASKER_ADMIN, op_hold },
	{ "stats", ASKER_ADMIN, op_stats },
	{ "expire", ASKER_ADMIN, op_expire },
	{ "rebuild", ASKER_ADMIN, op_rebuild },
	{ "check", ASKER_ADMIN, op_check },
	{ NULL, ASKER_ADMIN, NULL },
};
