#include "services/spamcheck/result.h"

#include "base/sip.h"
#include "milter/report.h"

enum { SUBJECT = 500, WORDS = 300 };

struct slice
result_id(const struct lmtp_mail *mail, struct slice message, struct arena *a)
{
	static const uint64_t one[2] = { 1, 1 }, two[2] = { 2, 2 };
	struct slice sum = arena_printf(a, "%.*s %.*s %016llx",
	    SLICE_ARG(mail->queue_id), SLICE_ARG(mail->sender),
	    (unsigned long long)sip_hash(one, message));

	return arena_printf(a, "%016llx%016llx",
	    (unsigned long long)sip_hash(one, sum),
	    (unsigned long long)sip_hash(two, sum));
}

struct slice
result_json(const struct result *r, struct arena *a)
{
	struct buf out = buf_in(a);
	struct json w;

	json_init(&w, &out);
	json_pretty(&w);
	json_begin_object(&w);
	json_put(&w, "id", r->id);
	json_put(&w, "sender", r->mail->sender);
	json_put(&w, "message_id", slice_sub(r->judged->message_id, 0,
	    SUBJECT));
	json_put(&w, "subject", slice_sub(r->judged->subject, 0, SUBJECT));
	json_put(&w, "checked", report_timestamp(a));
	json_key(&w, "result");
	judge_put(r->judged, a, &w);
	json_end(&w);
	buf_addc(&out, '\n');
	return buf_slice(&out);
}

/* Fit to stand in a field of ours (RFC 5322, 3.6.4)? */
static struct slice
plain_id(struct slice id)
{
	if (id.len > 250 || id.len < 5 || !slice_starts(id, SLICE("<")) ||
	    !slice_ends(id, SLICE(">")) || !slice_has(id, '@'))
		return SLICE("");
	for (size_t i = 0; i < id.len; i++)
		if (id.ptr[i] <= ' ' || id.ptr[i] > '~' || (i > 0 &&
		    id.ptr[i] == '<') || (i + 1 < id.len && id.ptr[i] == '>'))
			return SLICE("");
	return id;
}

static void
put_rows(struct template_data **data, const struct judged *j, struct arena *a)
{
	struct template_data *classes, *reasons;

	classes = template_put(a, data, "classes", SLICE(""));
	for (size_t i = 0; i < j->nothers; i++) {
		struct template_row *row = template_row(a, classes);

		template_put(a, &row->data, j->others[i].class, SLICE("1"));
		template_put(a, &row->data, "percent", arena_printf(a, "%u",
		    j->others[i].percent));
	}
	reasons = template_put(a, data, "reasons", SLICE(""));
	for (size_t i = 0; i < j->nreasons; i++) {
		struct template_row *row = template_row(a, reasons);

		template_put(a, &row->data, "weight", arena_printf(a, "%+6.2f",
		    j->reasons[i].weight));
		template_put(a, &row->data, "words", slice_sub(
		    j->reasons[i].words, 0, WORDS));
	}
}

enum rc
result_mail(const struct result *r, struct slice json, struct arena *a,
    struct state_mail *mail_r, struct slice *why_r)
{
	const struct judged *j = r->judged;
	struct notices_conf conf;
	struct template_data *data = NULL;
	const struct write_to to = { .n = r->notices, .conf = &conf,
	    .which = TEMPLATE_SPAMCHECK, .key = arena_printf(a,
	    "spamcheck %.*s", SLICE_ARG(r->id)),
	    .recipient = r->mail->sender, .now = r->now, .data = json,
	    .data_type = "application/json", .data_name = "spamcheck.json",
	    .in_reply_to = plain_id(j->message_id) };

	notices_for(r->notices, a, r->mail->sender, &conf);
	write_common(a, &data, &to);
	template_put(a, &data, j->class, SLICE("1"));
	template_put(a, &data, "percent", arena_printf(a, "%u", j->percent));
	template_put(a, &data, "missed", j->missed);
	template_put(a, &data, "subject", slice_sub(j->subject, 0, SUBJECT));
	template_put(a, &data, "message_id", j->message_id);
	put_rows(&data, j, a);
	return write_letter(a, &to, data, mail_r, why_r);
}
