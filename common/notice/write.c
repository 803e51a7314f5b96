#include "notice/write.h"

#include <string.h>

#include "notice/letter.h"
#include "verdict/plan.h"

void
write_common(struct arena *a, struct template_data **data,
    const struct write_to *to)
{
	const struct zone *zone = notices_zone(to->n, to->conf);

	template_put(a, data, "hostname", slice_of(to->n->house->hostname));
	template_put(a, data, "recipient", to->recipient);
	template_put(a, data, "now", zone_short(a, zone, to->now));
	template_put(a, data, "timezone", slice_of(to->conf->timezone));
	template_put(a, data, "portal", slice_of(to->n->conf.portal_url));
}

/* "12 kB", as people read it; the same in all languages. */
static struct slice
size_text(struct arena *a, uint64_t size)
{
	if (size < 1000)
		return arena_printf(a, "%u B", (unsigned)size);
	if (size < 1000 * 1000)
		return arena_printf(a, "%u kB", (unsigned)(size / 1000));
	return arena_printf(a, "%llu.%u MB",
	    (unsigned long long)(size / 1000000),
	    (unsigned)(size / 100000 % 10));
}

void
write_cause(struct arena *a, struct template_data **data, struct slice cause)
{
	enum cause c;
	const char *name = "other";

	if (cause_parse(cause, &c) && c != CAUSE_NONE)
		name = c == CAUSE_SPAM_NDR ? "spam_ndr" : cause_name(c);
	template_put(a, data, name, SLICE("1"));
}

void
write_message(struct arena *a, struct template_data **data,
    const struct write_to *to, const struct store_object *o, bool deleted)
{
	const struct zone *zone = notices_zone(to->n, to->conf);

	template_put(a, data, "from", o->from);
	template_put(a, data, "sender", o->sender);
	template_put(a, data, "subject", o->subject);
	template_put(a, data, "date", zone_short(a, zone, o->time));
	template_put(a, data, "size", size_text(a, o->size));
	/* Which engine found what is nothing for who sent it. */
	template_put(a, data, "reason", to->which == TEMPLATE_SENDER &&
	    (store_restricted(o->cause) || store_waiting(o->cause)) ?
	    SLICE("") : o->reason);
	template_put(a, data, "rule", o->rule);
	template_put(a, data, "object", o->id);
	template_put(a, data, "queue_id", o->queue_id);
	template_put(a, data, "message_id", o->message_id);
	template_put(a, data, deleted ? "deleted" : "held", SLICE("1"));
}

enum rc
write_letter(struct arena *a, const struct write_to *to,
    struct template_data *data, struct state_mail *mail_r,
    struct slice *why_r)
{
	const struct notice_letter *t = notices_letter(to->n, to->conf,
	    to->which);
	struct buf subject = buf_in(a), text = buf_in(a), html = buf_in(a);
	struct buf message = buf_in(a);
	struct letter l = { .from = to->n->conf.from,
	    .from_name = slice_of(to->n->conf.from_name),
	    .to = to->recipient, .attached = to->attached, .data = to->data,
	    .data_type = to->data_type, .data_name = to->data_name,
	    .in_reply_to = to->in_reply_to,
	    .language = slice_of(to->conf->language),
	    .hostname = to->n->house->hostname };

	if (template_render(t->subject, data, &subject) != RC_OK ||
	    template_render(t->text, data, &text) != RC_OK ||
	    (t->html != NULL && template_render(t->html, data, &html) !=
	    RC_OK)) {
		*why_r = arena_printf(a, "template %s: the result is over %d "
		    "bytes", notice_template_name(to->which), TEMPLATE_OUT);
		return RC_BAD;
	}
	l.subject = buf_slice(&subject);
	l.text = buf_slice(&text);
	l.html = t->html != NULL ? buf_slice(&html) : SLICE_NONE;
	l.message_id = letter_id(a, to->key, l.hostname);
	l.date = zone_date(a, notices_zone(to->n, to->conf), to->now);
	*mail_r = (struct state_mail){ .key = to->key,
	    .message_id = l.message_id, .recipient = to->recipient,
	    .created = to->now };
	letter_write(&message, a, &l, &mail_r->body8);
	mail_r->message = buf_slice(&message);
	return RC_OK;
}
