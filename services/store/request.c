#include "services/store/request.h"

#include <jansson.h>

#include "store/bytes.h"

enum kind { TEXT, NUMBER, FLAG, STATES };

#define AT(field)	offsetof(struct request, field)

static const struct { const char *key; enum kind kind; size_t offset; }
keys[] = {
	{ "op", TEXT, AT(op) },
	{ "actor", TEXT, AT(actor) },
	{ "user", FLAG, AT(user) },
	{ "object", TEXT, AT(object) },
	{ "recipient", TEXT, AT(recipient) },
	{ "token", TEXT, AT(token) },
	{ "peer", TEXT, AT(peer) },
	{ "sender", TEXT, AT(filter.sender) },
	{ "cause", TEXT, AT(filter.cause) },
	{ "queue_id", TEXT, AT(filter.queue_id) },
	{ "message_id", TEXT, AT(filter.message_id) },
	{ "text", TEXT, AT(filter.text) },
	{ "since", NUMBER, AT(filter.since) },
	{ "until", NUMBER, AT(filter.until) },
	{ "states", STATES, AT(filter.states) },
	{ "on_hold", FLAG, AT(filter.only_hold) },
	{ "limit", NUMBER, 0 },
	{ "before_time", NUMBER, AT(filter.before_time) },
	{ "before_id", TEXT, AT(filter.before_id) },
	{ "before_recipient", TEXT, AT(filter.before_recipient) },
	{ "dry", FLAG, AT(dry) },
	{ "on", FLAG, AT(on) },
	{ "dangerous", FLAG, AT(dangerous) },
	{ "reason", TEXT, AT(reason) },
	{ "verdict", TEXT, AT(verdict) },
};

/* A list of names of states. */
static bool
read_states(const json_t *list, unsigned *states_r)
{
	if (!json_is_array(list) || json_array_size(list) > STORE_STATES)
		return false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *name = json_array_get(list, i);
		enum store_state s;

		if (!json_is_string(name) || !store_state_parse(slice_make(
		    json_string_value(name), json_string_length(name)), &s))
			return false;
		*states_r |= 1u << s;
	}
	return true;
}

static bool
read_number(const json_t *value, size_t offset, struct request *r)
{
	int64_t n = json_integer_value(value);

	if (!json_is_integer(value) || n < 0)
		return false;
	if (offset == 0)		/* the one that is no int64_t */
		r->filter.limit = n > STORE_LIST_MAX ? STORE_LIST_MAX :
		    (unsigned)n;
	else
		*(int64_t *)((char *)r + offset) = n;
	return true;
}

static bool
read_value(const json_t *value, size_t i, struct arena *a, struct request *r)
{
	void *field = (char *)r + keys[i].offset;

	switch (keys[i].kind) {
	case TEXT:
		return json_get_bytes(value, a, field);
	case NUMBER:
		return read_number(value, keys[i].offset, r);
	case FLAG:
		*(bool *)field = json_is_true(value);
		return json_is_boolean(value);
	default:
		return read_states(value, field);
	}
}

static enum rc
read_key(const char *key, const json_t *value, struct arena *a,
    struct request *r, struct slice *why_r)
{
	if (slice_eq(slice_of(key), SLICE("v"))) {
		if (json_is_integer(value) &&
		    json_integer_value(value) == REQUEST_VERSION)
			return RC_OK;
		*why_r = SLICE("another version of the protocol");
		return RC_BAD;
	}
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		if (!slice_eq(slice_of(key), slice_of(keys[i].key)))
			continue;
		if (read_value(value, i, a, r))
			return RC_OK;
		*why_r = arena_printf(a, "%s: not of the kind that it wants",
		    keys[i].key);
		return RC_BAD;
	}
	*why_r = SLICE("a key that is not known");
	return RC_BAD;
}

static enum rc
check(const struct request *r, struct slice *why_r)
{
	if (r->op.len == 0)
		*why_r = SLICE("op is missing");
	else if (r->object.len > STORE_ID)
		*why_r = SLICE("object: too long");
	else
		return RC_OK;
	return RC_BAD;
}

enum rc
request_read(struct slice line, struct arena *a, struct request *r,
    struct slice *why_r)
{
	json_t *root = line.len <= REQUEST_LINE ? json_loadb(line.ptr,
	    line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL) : NULL;
	enum rc rc = json_is_object(root) ? RC_OK : RC_BAD;
	void *at;

	*r = (struct request){ .op = SLICE("") };
	*why_r = SLICE("no JSON object");
	for (at = json_object_iter(root); rc == RC_OK && at != NULL;
	    at = json_object_iter_next(root, at))
		rc = read_key(json_object_iter_key(at),
		    json_object_iter_value(at), a, r, why_r);
	json_decref(root);
	return rc == RC_OK ? check(r, why_r) : rc;
}
