#include "tools/explain-track.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "journal/event.h"
#include "tools/tracked.h"

struct story {
	struct arena *a;
	struct db *db;
	struct buf out;
	struct json w;
};

/* --- JSON ---------------------------------------------------------------- */

static void
json_recipient(void *arg, const struct track_recipient *r)
{
	struct story *s = arg;

	json_begin_object(&s->w);
	tracked_json_rcpt(&s->w, r, s->a);
	json_end(&s->w);
}

/* Events go out as they were written: they are JSON already. */
static void
json_finding(void *arg, const struct track_finding *f)
{
	struct story *s = arg;

	if (s->w.comma)
		buf_addc(&s->out, ',');
	if (json_valid(f->raw))
		buf_add(&s->out, f->raw);
	else
		buf_adds(&s->out, "null");
	s->w.comma = true;
}

static void
json_step(void *arg, const struct track_step *t)
{
	struct story *s = arg;

	json_begin_object(&s->w);
	json_put(&s->w, "time", tracked_stamp(s->a, t->t));
	json_put(&s->w, "what", t->what);
	if (t->rcpt.ptr != NULL)
		json_put(&s->w, "to", t->rcpt);
	if (t->text.ptr != NULL)
		json_put(&s->w, "text", t->text);
	json_end(&s->w);
}

static void
json_message(struct story *s, const struct track_message *m)
{
	json_begin_object(&s->w);
	tracked_json(&s->w, m, s->a);
	json_key(&s->w, "recipients");
	json_begin_array(&s->w);
	search_recipients(s->db, m->mid, json_recipient, s, s->a);
	json_end(&s->w);
	json_key(&s->w, "steps");
	json_begin_array(&s->w);
	search_steps(s->db, m->mid, json_step, s, s->a);
	json_end(&s->w);
	json_key(&s->w, "findings");
	json_begin_array(&s->w);
	search_findings(s->db, m->mid, json_finding, s, s->a);
	json_end(&s->w);
	json_end(&s->w);
}

/* --- for people ---------------------------------------------------------- */

static void
line(struct story *s, const char *label, struct slice value)
{
	if (value.len == 0)
		return;
	buf_addf(&s->out, "  %-10s ", label);
	buf_add(&s->out, verb_safe(s->a, value));
	buf_addc(&s->out, '\n');
}

static void
text_recipient(void *arg, const struct track_recipient *r)
{
	struct story *s = arg;
	struct buf text = buf_in(s->a);

	buf_addf(&text, "<%.*s> %s", SLICE_ARG(r->rcpt),
	    track_end_name(r->fate));
	if (r->orig.len > 0)
		buf_addf(&text, " (for <%.*s>)", SLICE_ARG(r->orig));
	if (r->relay.len > 0)
		buf_addf(&text, " by %.*s", SLICE_ARG(r->relay));
	if (r->tls.len > 0)
		buf_addf(&text, " over %.*s", SLICE_ARG(r->tls));
	if (r->tries > 1)
		buf_addf(&text, ", %lld tries", (long long)r->tries);
	if (r->fate != TRACK_END_NONE)
		buf_addf(&text, ", %.*s", SLICE_ARG(tracked_stamp(s->a,
		    r->t)));
	line(s, "to", buf_slice(&text));
	line(s, "", r->reply);
}

static void
text_step(void *arg, const struct track_step *t)
{
	struct story *s = arg;
	struct buf text = buf_in(s->a);

	buf_addf(&text, "%.*s %.*s", SLICE_ARG(tracked_stamp(s->a, t->t)),
	    SLICE_ARG(t->what));
	if (t->rcpt.len > 0)
		buf_addf(&text, " <%.*s>", SLICE_ARG(t->rcpt));
	if (t->text.len > 0)
		buf_addf(&text, ": %.*s", SLICE_ARG(t->text));
	line(s, "step", buf_slice(&text));
}

/* A milter's own facts, which stand below no common name. */
static void
facts(struct story *s, json_t *event)
{
	static const char *const common[] = { "gatehouse.id",
	    "gatehouse.queue_id", "gatehouse.helo", "gatehouse.verdict",
	    "gatehouse.rule", "gatehouse.reason", "gatehouse.coverage",
	    "gatehouse.scope" };
	const char *key;
	json_t *value;

	json_object_foreach(event, key, value) {
		struct slice text = event_text(event, key);
		bool known = strncmp(key, "gatehouse.", 10) != 0;

		for (size_t i = 0; i < sizeof common / sizeof *common; i++)
			known = known || strcmp(key, common[i]) == 0;
		if (!known && text.len > 0)
			line(s, "  fact", arena_printf(s->a, "%s = %.*s",
			    key + 10, SLICE_ARG(text)));
	}
}

static void
apart(struct story *s, const json_t *event)
{
	const json_t *list = json_object_get(event, "gatehouse.recipients");
	const json_t *item;
	size_t i;

	json_array_foreach(list, i, item)
		line(s, "  for", arena_printf(s->a, "%.*s: %.*s (%.*s): "
		    "%.*s%s%.*s", SLICE_ARG(event_text(item, "address")),
		    SLICE_ARG(event_text(item, "verdict")),
		    SLICE_ARG(event_text(item, "rule")),
		    SLICE_ARG(event_text(item, "reason")),
		    event_text(item, "scope").len > 0 ? "; set by " : "",
		    SLICE_ARG(event_text(item, "scope"))));
}

static void
text_finding(void *arg, const struct track_finding *f)
{
	struct story *s = arg;
	json_t *event = event_read(f->raw);
	struct buf head = buf_in(s->a);

	buf_addf(&head, "%.*s: %.*s", SLICE_ARG(f->module),
	    SLICE_ARG(f->verdict.len > 0 ? f->verdict : f->action));
	if (f->rule.len > 0)
		buf_addf(&head, " (%.*s)", SLICE_ARG(f->rule));
	if (f->cause.len > 0)
		buf_addf(&head, ", cause %.*s", SLICE_ARG(f->cause));
	if (f->virus.len > 0)
		buf_addf(&head, ", virus %.*s", SLICE_ARG(f->virus));
	line(s, "milter", buf_slice(&head));
	line(s, "  reason", event_text(event, "gatehouse.reason"));
	line(s, "  set by", event_text(event, "gatehouse.scope"));
	line(s, "  coverage", event_text(event, "gatehouse.coverage"));
	apart(s, event);
	facts(s, event);
	json_decref(event);
}

static void
client(struct story *s, const struct track_message *m)
{
	struct buf text = buf_in(s->a);

	if (m->ip.len == 0 && m->client.len == 0 && m->user.len == 0)
		return;
	buf_addf(&text, "%.*s[%.*s]", SLICE_ARG(m->client),
	    SLICE_ARG(m->ip));
	if (m->helo.len > 0)
		buf_addf(&text, " helo=%.*s", SLICE_ARG(m->helo));
	if (m->user.len > 0)
		buf_addf(&text, " user=%.*s", SLICE_ARG(m->user));
	if (m->tls.len > 0)
		buf_addf(&text, " over %.*s", SLICE_ARG(m->tls));
	line(s, "client", buf_slice(&text));
}

static void
text_message(struct story *s, const struct track_message *m)
{
	struct slice head = arena_printf(s->a, "%.*s %.*s: %s",
	    SLICE_ARG(tracked_stamp(s->a, track_ms(m->mid))),
	    SLICE_ARG(m->qid.len > 0 ? m->qid : SLICE("NOQUEUE")),
	    track_state_name(m->state));

	buf_add(&s->out, verb_safe(s->a, head));
	if (m->parent.len > 0) {
		buf_adds(&s->out, ", ");
		buf_add(&s->out, verb_safe(s->a, arena_printf(s->a,
		    "%.*s of %.*s", SLICE_ARG(m->relation),
		    SLICE_ARG(m->parent))));
	}
	buf_addc(&s->out, '\n');
	client(s, m);
	if (m->sender.ptr != NULL)
		line(s, "from", arena_printf(s->a, "<%.*s>",
		    SLICE_ARG(m->sender)));
	search_recipients(s->db, m->mid, text_recipient, s, s->a);
	line(s, "message-id", m->msgid);
	line(s, "subject", m->subject);
	if (m->size >= 0)
		line(s, "size", arena_printf(s->a, "%lld bytes, %.*s",
		    (long long)m->size, SLICE_ARG(m->direction)));
	line(s, "id", m->gid);
	search_steps(s->db, m->mid, text_step, s, s->a);
	search_findings(s->db, m->mid, text_finding, s, s->a);
}

int
explain_tracked(struct db *db, struct slice name, bool json, bool *found_r,
    struct arena *a)
{
	int64_t mids[SEARCH_RELATED];
	size_t count = search_messages(db, name, mids);
	struct story s = { .a = a, .db = db, .out = buf_in(a) };
	struct track_message m;

	*found_r = count > 0;
	if (count == 0)
		return EX_OK;
	count = search_related(db, mids, count);
	json_init(&s.w, &s.out);
	if (json)
		json_begin_array(&s.w);
	for (size_t i = 0; i < count; i++) {
		if (!search_message(db, mids[i], &m, a))
			continue;
		if (json)
			json_message(&s, &m);
		else
			text_message(&s, &m);
	}
	if (json) {
		json_end(&s.w);
		buf_addc(&s.out, '\n');
	}
	return verb_print(&s.out);
}
