#include "services/spamcheck/judge.h"

#include "milter/settings.h"
#include "milters/antispam/filter.h"
#include "milters/antispam/judgement.h"
#include "text/encoded.h"

struct judge {
	struct milter_conf milter;
	struct antispam_conf conf;
	void *shared;
};

static void
drop(void *shared)
{
	antispam_filter.close(shared);
}

enum rc
judge_open(const char *antispam_conf, const struct house_conf *house,
    struct judge **judge_r, struct arena *a, struct slice *why_r)
{
	struct judge *j = arena_alloc(a, sizeof *j);
	const struct conf_section own[] = { { milter_options, &j->milter },
	    { antispam_options, &j->conf }, { NULL, NULL } };
	enum rc rc = conf_load_trusted(a, antispam_conf, own, why_r);

	if (rc != RC_OK)
		return rc;
	rc = antispam_filter.open(&j->conf, house, NULL, &j->shared, a, why_r);
	arena_defer(a, drop, j->shared);
	*judge_r = j;
	return rc;
}

static struct slice
value_of(const struct message *msg, struct slice name)
{
	const struct field *f = message_field(msg, name, 0);

	return f != NULL ? field_value(msg->arena, f) : SLICE("");
}

static void
fill(struct judged *j, const struct message *msg,
    const struct antispam_answers *seen)
{
	unsigned flags;

	*j = (struct judged){ .class = class_name(antispam_class(seen)),
	    .percent = seen->percent[CLASS_SPAM], .missed = seen->missed,
	    .subject = encoded_decode(msg->arena, value_of(msg,
	    SLICE("Subject")), &flags),
	    .message_id = value_of(msg, SLICE("Message-ID")),
	    .answers = seen };
	_Static_assert((int)CLASSES <= (int)JUDGE_CLASSES &&
	    (int)REASONS <= (int)JUDGE_REASONS, "room for all");
	for (int of = CLASS_SPAM + 1; of < CLASSES; of++) {
		if (seen->percent[of] == 0)
			continue;
		j->others[j->nothers].class = class_name((enum mail_class)of);
		j->others[j->nothers++].percent = seen->percent[of];
	}
	for (; j->nreasons < seen->nreasons; j->nreasons++) {
		const struct spam_reason *r = &seen->reasons[j->nreasons];

		j->reasons[j->nreasons].words = r->words;
		j->reasons[j->nreasons].weight = r->weight;
	}
}

enum rc
judge_message(const struct judge *j, struct slice message, struct arena *a,
    struct judged *judged_r, struct slice *why_r)
{
	struct antispam_answers *seen = arena_alloc(a, sizeof *seen);
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct spam_look look = { .msg = msg, .shared = j->shared,
	    .conf = &j->conf };
	struct slice head, body;
	enum rc rc;

	message_split(a, message, &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	rc = antispam_judge(&look, seen, why_r);
	if (rc == RC_OK)
		fill(judged_r, msg, seen);
	return rc;
}

void
judge_put(const struct judged *judged, struct arena *a, struct json *w)
{
	judgement_put(a, judged->answers, w);
}
