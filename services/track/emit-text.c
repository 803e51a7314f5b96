/* An event as the SIEM gets it: ECS names in JSON, or CEF. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "journal/event.h"
#include "services/track/emit.h"
#include "text/json.h"

/* What this event is, for whom it is wanted. */
unsigned
emit_classes(const struct track_emit *what)
{
	struct slice verdict;
	bool out;
	unsigned c = 0;

	if (what->fate)
		return CLASS_FATE;
	if (slice_eq(event_text(what->event, "event.action"),
	    SLICE("quarantine")))
		return CLASS_QUARANTINE;
	if (!slice_eq(event_text(what->event, "event.action"),
	    SLICE("message")))
		return CLASS_OTHER;
	verdict = event_text(what->event, "gatehouse.verdict");
	out = slice_eq(event_text(what->event, "network.direction"),
	    SLICE("outbound"));
	c |= out ? CLASS_OUTBOUND : CLASS_INBOUND;
	if (event_text(what->event, "gatehouse.virus").len > 0)
		c |= out ? CLASS_AV_OUT : CLASS_AV_IN;
	if (slice_eq(verdict, SLICE("quarantine")) ||
	    slice_eq(verdict, SLICE("discard")) ||
	    json_array_size(json_object_get(what->event,
	    "gatehouse.objects")) > 0)
		c |= CLASS_QUARANTINE;
	if (slice_eq(verdict, SLICE("reject")) ||
	    slice_eq(verdict, SLICE("tempfail")))
		c |= CLASS_POLICY;
	return c;
}

static struct slice
stamp_text(struct arena *a, int64_t ms)
{
	time_t t = (time_t)(ms / 1000);
	struct tm tm;
	char text[40];

	if (gmtime_r(&t, &tm) == NULL || strftime(text, sizeof text,
	    "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		text[0] = '\0';
	return arena_printf(a, "%s.%03dZ", text, (int)(ms % 1000));
}

static struct slice
hash_text(struct arena *a, struct slice s)
{
	unsigned char sum[SHA256_DIGEST_LENGTH];
	struct buf b = buf_in(a);

	SHA256((const unsigned char *)s.ptr, s.len, sum);
	for (int i = 0; i < 16; i++)
		buf_addf(&b, "%02x", sum[i]);
	return buf_slice(&b);
}

/*
 * The same event has the same id whenever it is made: after a kill, and when
 * the database is built anew. So it is a hash of what the log said.
 */
static struct slice
event_id(struct arena *a, const struct track_emit *what)
{
	const struct track_message *m = what->message;
	struct buf b = buf_in(a);

	if (what->fate) {
		const struct slice parts[] = { m->instance, m->qid, what->rcpt,
		    what->relay, what->reply };

		buf_addf(&b, "fate %lld %d", (long long)what->t, what->end);
		for (int i = 0; i < 5; i++) {
			buf_addf(&b, " %zu ", parts[i].len);
			buf_add(&b, parts[i]);
		}
	} else {
		char *text = json_dumps(what->event, JSON_COMPACT |
		    JSON_SORT_KEYS);

		if (text != NULL)
			buf_adds(&b, text);
		free(text);
	}
	return hash_text(a, buf_slice(&b));
}

static void
put(struct json *w, const char *key, struct slice value)
{
	if (value.len > 0)
		json_put(w, key, value);
}

static void
put_classes(struct json *w, unsigned classes)
{
	json_key(w, "gatehouse.classes");
	json_begin_array(w);
	for (unsigned c = 1; c <= CLASS_OTHER; c <<= 1)
		if (classes & c)
			json_text(w, slice_of(track_class_name(c)));
	json_end(w);
}

static bool
good_end(enum track_end end)
{
	return end == TRACK_END_SENT || end == TRACK_END_EXPANDED ||
	    end == TRACK_END_PROBED;
}

static void
put_fate(struct json *w, struct arena *a, const struct track_emit *what)
{
	const struct track_message *m = what->message;

	json_put(w, "@timestamp", stamp_text(a, what->t));
	json_put(w, "event.action", SLICE("fate"));
	json_put(w, "event.module", SLICE("postfix"));
	json_put(w, "event.outcome", good_end(what->end) ? SLICE("success") :
	    track_end_final(what->end) ? SLICE("failure") : SLICE("unknown"));
	json_put(w, "gatehouse.fate", slice_of(track_end_name(what->end)));
	put(w, "gatehouse.id", m->gid);
	put(w, "gatehouse.queue_id", m->qid);
	put(w, "network.direction", m->direction);
	put(w, "source.ip", m->ip);
	put(w, "source.domain", m->client);
	put(w, "user.name", m->user);
	if (m->sender.ptr != NULL)
		json_put(w, "email.sender.address", m->sender);
	json_key(w, "email.to.address");
	json_begin_array(w);
	json_text(w, what->rcpt);
	json_end(w);
	put(w, "gatehouse.original_recipient", what->orig);
	put(w, "email.message_id", m->msgid);
	put(w, "email.subject", m->subject);
	if (m->size >= 0)
		json_put_int(w, "gatehouse.size", m->size);
	put(w, "gatehouse.relay", what->relay);
	put(w, "gatehouse.dsn", what->dsn);
	put(w, "event.reason", what->reply);
	put(w, "gatehouse.next_queue_id", what->next);
	put(w, "gatehouse.tls", what->tls);
}

/* An event of a journal goes on as it is; only ours is added. */
static void
put_event(struct json *w, const json_t *event)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)event, key, value) {
		size_t i;
		json_t *item;

		if (json_is_string(value)) {
			json_put(w, key, event_text(event, key));
		} else if (json_is_integer(value)) {
			json_put_int(w, key, json_integer_value(value));
		} else if (json_is_boolean(value)) {
			json_put_bool(w, key, json_is_true(value));
		} else if (json_is_object(value)) {
			json_key(w, key);
			json_begin_object(w);
			put_event(w, value);
			json_end(w);
		} else if (json_is_array(value)) {
			json_key(w, key);
			json_begin_array(w);
			json_array_foreach(value, i, item) {
				if (json_is_object(item)) {
					json_begin_object(w);
					put_event(w, item);
					json_end(w);
				} else {
					json_text(w, slice_make(
					    json_string_value(item),
					    json_string_length(item)));
				}
			}
			json_end(w);
		}
	}
}

static struct slice
ecs(struct arena *a, const struct track_emit *what, unsigned classes)
{
	struct buf out = buf_in(a);
	struct json w;

	json_init(&w, &out);
	json_begin_object(&w);
	json_put(&w, "ecs.version", SLICE("8.11.0"));
	json_put(&w, "event.id", event_id(a, what));
	json_put(&w, "event.kind", classes & (CLASS_AV_IN | CLASS_AV_OUT) ?
	    SLICE("alert") : SLICE("event"));
	json_key(&w, "event.category");
	json_begin_array(&w);
	json_text(&w, SLICE("email"));
	json_end(&w);
	put_classes(&w, classes);
	if (what->fate)
		put_fate(&w, a, what);
	else
		put_event(&w, what->event);
	json_end(&w);
	return buf_slice(&out);
}

/* --- CEF ----------------------------------------------------------------- */

static void
cef_head(struct buf *out, struct slice s)
{
	buf_addc(out, '|');
	for (size_t i = 0; i < s.len && i < 200; i++) {
		char c = s.ptr[i];

		if (c == '|' || c == '\\')
			buf_addc(out, '\\');
		buf_addc(out, (unsigned char)c < ' ' ? ' ' : c);
	}
}

static void
cef(struct buf *out, const char *key, struct slice s)
{
	if (s.len == 0)
		return;
	buf_addf(out, " %s=", key);
	for (size_t i = 0; i < s.len && i < 1000; i++) {
		char c = s.ptr[i];

		if (c == '\n' || c == '\r') {
			buf_adds(out, c == '\n' ? "\\n" : "\\r");
			continue;
		}
		if (c == '=' || c == '\\')
			buf_addc(out, '\\');
		buf_addc(out, (unsigned char)c < ' ' || c == 0x7f ? ' ' : c);
	}
}

/* A value that CEF has no name for: its name, then itself. */
static void
cef_own(struct buf *out, int n, const char *name, struct slice s)
{
	char key[16];

	if (s.len == 0)
		return;
	snprintf(key, sizeof key, "cs%d", n);
	buf_addf(out, " %sLabel=%s", key, name);
	cef(out, key, s);
}

static int
severity(const struct track_emit *what, unsigned classes)
{
	if (classes & (CLASS_AV_IN | CLASS_AV_OUT))
		return 9;
	if (classes & CLASS_QUARANTINE)
		return 6;
	if (what->fate)
		return good_end(what->end) ? 1 : 4;
	return classes & CLASS_POLICY ? 5 : 2;
}

static struct slice
cef_text(struct arena *a, const struct track_emit *what, unsigned classes)
{
	const struct track_message *m = what->message;
	const json_t *e = what->event;
	struct slice action = what->fate ? slice_of(track_end_name(what->end)) :
	    event_text(e, "gatehouse.verdict");
	struct slice rule = what->fate ? SLICE("fate") :
	    event_text(e, "gatehouse.rule");
	struct buf out = buf_in(a);

	buf_adds(&out, "CEF:0|Gatehouse|gatehouse");
	cef_head(&out, SLICE(VERSION));
	cef_head(&out, rule.len > 0 ? rule : event_text(e, "event.action"));
	cef_head(&out, what->fate ? arena_printf(a, "message %.*s",
	    SLICE_ARG(action)) : arena_printf(a, "%.*s: %.*s",
	    SLICE_ARG(event_text(e, "event.module")), SLICE_ARG(action)));
	buf_addf(&out, "|%d|", severity(what, classes));
	buf_addf(&out, "rt=%lld", (long long)what->t);
	cef(&out, "externalId", event_id(a, what));
	cef(&out, "act", action);
	cef(&out, "src", m->ip);
	cef(&out, "shost", m->client);
	cef(&out, "suser", m->sender);
	cef(&out, "duser", what->fate ? what->rcpt :
	    event_item(e, "email.to.address", 0));
	cef(&out, "reason", what->fate ? what->reply :
	    event_text(e, "gatehouse.reason"));
	cef(&out, "dhost", what->relay);
	cef_own(&out, 1, "queueId", m->qid);
	cef_own(&out, 2, "messageId", m->msgid);
	cef_own(&out, 3, "virus", what->fate ? SLICE("") :
	    event_text(e, "gatehouse.virus"));
	return buf_slice(&out);
}

struct slice
emit_text(struct arena *a, enum siem_format format,
    const struct track_emit *what, unsigned classes)
{
	return format == SIEM_CEF ? cef_text(a, what, classes) :
	    ecs(a, what, classes);
}
