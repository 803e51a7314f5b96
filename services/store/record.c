#include "services/store/record.h"

#include <jansson.h>

#include "store/bytes.h"
#include "text/json.h"

static const char *const kinds[RECORD_KINDS] = {
	[RECORD_ADOPTED] = "adopted", [RECORD_MOVED] = "moved",
	[RECORD_HOLD] = "hold", [RECORD_EXPIRES] = "expires",
	[RECORD_BODYLESS] = "bodyless",
};

/* The facts of an object that are bytes, by their key. */
#define FACT(key, field)	{ key, offsetof(struct store_object, field) }
static const struct { const char *key; size_t offset; } facts[] = {
	FACT("content", content), FACT("sender", sender),
	FACT("queue_id", queue_id), FACT("identity", identity),
	FACT("direction", direction), FACT("client_ip", client_ip),
	FACT("client_name", client_name), FACT("helo", helo),
	FACT("user", user), FACT("filter", filter), FACT("rule", rule),
	FACT("cause", cause), FACT("reason", reason), FACT("from", from),
	FACT("subject", subject), FACT("message_id", message_id),
};

enum { FACTS = sizeof facts / sizeof facts[0], ROWS_MAX = 200000 };

static struct slice *
fact(struct store_object *o, size_t i)
{
	return (struct slice *)((char *)o + facts[i].offset);
}

static void
put_bytes(struct json *w, const char *key, struct slice s)
{
	json_key(w, key);
	json_bytes(w, s);
}

static void
put_object(struct json *w, const struct store_object *o)
{
	struct store_object copy = *o;

	json_key(w, "object");
	json_begin_object(w);
	json_put_bool(w, "body", o->body);
	json_put_int(w, "time", o->time);
	json_put_int(w, "size", (int64_t)o->size);
	for (size_t i = 0; i < FACTS; i++)
		put_bytes(w, facts[i].key, *fact(&copy, i));
	json_end(w);
}

static void
put_rows(struct json *w, const struct record *r)
{
	json_key(w, "rows");
	json_begin_array(w);
	for (size_t i = 0; i < r->nrows; i++) {
		json_begin_object(w);
		put_bytes(w, "recipient", r->rows[i].recipient);
		json_put(w, "state",
		    slice_of(store_state_name(r->rows[i].state)));
		json_put_int(w, "expires", r->rows[i].expires);
		json_end(w);
	}
	json_end(w);
}

static void
put_move(struct json *w, const struct record *r)
{
	json_put(w, "from", slice_of(store_state_name(r->from)));
	json_put(w, "to", slice_of(store_state_name(r->to)));
	put_bytes(w, "reply", r->change.reply);
	json_put_int(w, "tries", r->change.tries);
	json_put_int(w, "try_at", r->change.try_at);
	json_put_int(w, "expires", r->change.expires);
}

void
record_write(struct buf *out, const struct record *r)
{
	struct json w;

	json_init(&w, out);
	json_begin_object(&w);
	json_put(&w, "event", slice_of(kinds[r->kind]));
	json_put_int(&w, "time", r->time);
	put_bytes(&w, "actor", r->actor);
	if (r->kind != RECORD_ADOPTED && r->recipient.ptr != NULL)
		put_bytes(&w, "recipient", r->recipient);
	if (r->kind == RECORD_ADOPTED) {
		put_object(&w, &r->object);
		put_rows(&w, r);
	}
	if (r->kind == RECORD_MOVED)
		put_move(&w, r);
	if (r->kind == RECORD_HOLD)
		json_put_bool(&w, "on", r->on);
	if (r->kind == RECORD_EXPIRES)
		json_put_int(&w, "expires", r->change.expires);
	json_end(&w);
	buf_addc(out, '\n');
}

/* --- reading ------------------------------------------------------------- */

struct reading {
	struct arena *a;
	bool good;
};

static struct slice
get(struct reading *in, const json_t *from, const char *key)
{
	struct slice s = SLICE("");

	if (!json_get_bytes(json_object_get(from, key), in->a, &s))
		in->good = false;
	return s;
}

static int64_t
get_int(struct reading *in, const json_t *from, const char *key)
{
	const json_t *value = json_object_get(from, key);

	if (!json_is_integer(value))
		in->good = false;
	return json_integer_value(value);
}

static enum store_state
get_state(struct reading *in, const json_t *from, const char *key)
{
	enum store_state s = STORE_HELD;

	if (!store_state_parse(get(in, from, key), &s))
		in->good = false;
	return s;
}

static void
get_object(struct reading *in, const json_t *from, struct store_object *o)
{
	if (!json_is_object(from))
		in->good = false;
	o->body = json_is_true(json_object_get(from, "body"));
	o->time = get_int(in, from, "time");
	o->size = (uint64_t)get_int(in, from, "size");
	for (size_t i = 0; i < FACTS; i++)
		*fact(o, i) = get(in, from, facts[i].key);
}

static void
get_rows(struct reading *in, const json_t *list, struct record *r)
{
	size_t n = json_array_size(list);

	if (n > ROWS_MAX)
		n = 0;
	if (n == 0)
		in->good = false;
	r->rows = arena_array(in->a, n + 1, sizeof *r->rows);
	for (; r->nrows < n; r->nrows++) {
		const json_t *row = json_array_get(list, r->nrows);

		r->rows[r->nrows] = (struct record_row){
		    .recipient = get(in, row, "recipient"),
		    .state = get_state(in, row, "state"),
		    .expires = get_int(in, row, "expires") };
	}
}

static void
get_move(struct reading *in, const json_t *root, struct record *r)
{
	r->from = get_state(in, root, "from");
	r->to = get_state(in, root, "to");
	r->change.time = r->time;
	r->change.actor = r->actor;
	r->change.reply = get(in, root, "reply");
	r->change.tries = (unsigned)get_int(in, root, "tries");
	r->change.try_at = get_int(in, root, "try_at");
	r->change.expires = get_int(in, root, "expires");
}

static void
get_kind(struct reading *in, const json_t *root, struct record *r)
{
	struct slice name = get(in, root, "event");
	int kind = 0;

	while (kind < RECORD_KINDS && !slice_eq(name, slice_of(kinds[kind])))
		kind++;
	if (kind == RECORD_KINDS)
		in->good = false;
	r->kind = (enum record_kind)(kind % RECORD_KINDS);
}

static void
get_rest(struct reading *in, const json_t *root, struct record *r)
{
	r->time = get_int(in, root, "time");
	r->actor = get(in, root, "actor");
	r->recipient = json_object_get(root, "recipient") != NULL ?
	    get(in, root, "recipient") : SLICE_NONE;
	switch (r->kind) {
	case RECORD_ADOPTED:
		get_object(in, json_object_get(root, "object"), &r->object);
		get_rows(in, json_object_get(root, "rows"), r);
		break;
	case RECORD_MOVED:
		get_move(in, root, r);
		break;
	case RECORD_HOLD:
		r->on = json_is_true(json_object_get(root, "on"));
		break;
	case RECORD_EXPIRES:
		r->change.expires = get_int(in, root, "expires");
		break;
	default:
		break;
	}
	if (r->recipient.ptr == NULL &&
	    (r->kind == RECORD_MOVED || r->kind == RECORD_EXPIRES))
		in->good = false;
}

enum rc
record_read(struct slice line, struct slice id, struct arena *a,
    struct record *r)
{
	struct reading in = { .a = a, .good = true };
	json_t *root;

	if (line.len > RECORD_LINE)
		return RC_BAD;
	root = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES |
	    JSON_ALLOW_NUL, NULL);
	*r = (struct record){ 0 };
	get_kind(&in, root, r);
	get_rest(&in, root, r);
	r->object.id = id;
	json_decref(root);
	return in.good ? RC_OK : RC_BAD;
}

/* --- the index ----------------------------------------------------------- */

/* A row that was over lives again; one that is alive stays as it is. */
static enum rc
revive(struct store_index *x, const struct record *r,
    const struct record_row *in, struct arena *a, bool *done_r)
{
	const struct store_change change = { .time = r->object.time,
	    .actor = r->actor, .reply = SLICE(""), .expires = in->expires };
	struct store_row row;
	bool found;
	enum rc rc = x->does->row_get(x, r->object.id, in->recipient, a, &row,
	    &found);

	if (rc != RC_OK || !found || in->state != STORE_HELD ||
	    row.state < STORE_RELEASED)
		return rc;
	return x->does->move(x, r->object.id, in->recipient, row.state,
	    STORE_HELD, &change, done_r);
}

static enum rc
apply_adopted(struct store_index *x, const struct record *r, struct arena *a,
    bool *done_r)
{
	enum rc rc = x->does->object_put(x, &r->object);

	for (size_t i = 0; rc == RC_OK && i < r->nrows; i++) {
		const struct store_row row = { .object = r->object,
		    .recipient = r->rows[i].recipient,
		    .state = r->rows[i].state, .expires = r->rows[i].expires,
		    .changed = r->object.time, .actor = r->actor,
		    .reply = SLICE("") };
		bool put;

		rc = x->does->row_put(x, &row, &put);
		if (rc == RC_OK && !put)
			rc = revive(x, r, &r->rows[i], a, &put);
		*done_r = *done_r || put;
	}
	return rc;
}

static enum rc
apply_bodyless(struct store_index *x, const struct record *r,
    struct arena *a, bool *done_r)
{
	struct store_object o;
	enum rc rc = x->does->object_get(x, r->object.id, a, &o, done_r);

	if (rc != RC_OK || !*done_r)
		return rc;
	o.body = false;
	return x->does->object_put(x, &o);
}

enum rc
record_apply(struct store_index *x, const struct record *r, struct arena *a,
    bool *done_r)
{
	uint64_t rows = 0;
	enum rc rc;

	*done_r = false;
	switch (r->kind) {
	case RECORD_ADOPTED:
		return apply_adopted(x, r, a, done_r);
	case RECORD_MOVED:
		return x->does->move(x, r->object.id, r->recipient, r->from,
		    r->to, &r->change, done_r);
	case RECORD_HOLD:
		rc = x->does->hold(x, r->object.id, r->recipient, r->on,
		    &rows);
		*done_r = rows > 0;
		return rc;
	case RECORD_EXPIRES:
		*done_r = true;
		return x->does->expire_at(x, r->object.id, r->recipient,
		    r->change.expires);
	case RECORD_BODYLESS:
		return apply_bodyless(x, r, a, done_r);
	default:
		return RC_OK;
	}
}
