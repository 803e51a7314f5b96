#include "limits.h"

#include "mime/message.h"
#include "text/address.h"

/* Kilobytes as mail systems count them, rounded up: never "0 kB". */
static unsigned long long
kilobytes(uint64_t bytes)
{
	return (unsigned long long)((bytes + 1023) / 1024);
}

/* The stronger one stays; of equals the first. */
static void
add(struct limits_verdict *v, bool *any, enum limit_action action,
    const char *rule, struct slice reason, struct slice reply)
{
	static const int weight[] = { [LIMIT_REFUSE] = 3, [LIMIT_DROP] = 2,
	    [LIMIT_TEMPFAIL] = 1 };

	if (*any && weight[action] <= weight[v->action])
		return;
	*any = true;
	*v = (struct limits_verdict){ action, rule, reason, reply };
}

static void
judge_recipients(const struct outbound_conf *conf,
    const struct limits_seen *seen, struct arena *a,
    struct limits_verdict *v, bool *any)
{
	enum limit_action action = (enum limit_action)conf->recipients_action;
	struct slice reason, reply;

	if (seen->all <= conf->recipients_max)
		return;
	if (seen->before == 0) {
		reason = arena_printf(a, "%llu recipients, %u are allowed",
		    (unsigned long long)seen->all, conf->recipients_max);
		reply = arena_printf(a, ".5.3 too many recipients: %.*s; "
		    "nobody has got this message", SLICE_ARG(reason));
		add(v, any, action, "recipients", reason, reply);
		return;
	}
	reason = arena_printf(a, "%llu recipients with those of earlier "
	    "transactions of the same Message-ID (%llu), %u are allowed",
	    (unsigned long long)seen->all, (unsigned long long)seen->before,
	    conf->recipients_max);
	reply = arena_printf(a, ".5.3 too many recipients: %.*s; none of this "
	    "transaction has got the message", SLICE_ARG(reason));
	add(v, any, action, "recipients-message", reason, reply);
}

bool
limits_judge(const struct outbound_conf *conf,
    const struct limits_seen *seen, struct arena *a,
    struct limits_verdict *v)
{
	struct slice reason;
	bool any = false;

	judge_recipients(conf, seen, a, v, &any);
	if (conf->visible_max > 0 && seen->visible > conf->visible_max) {
		reason = arena_printf(a, "%zu addresses in To and Cc, %u are "
		    "allowed", seen->visible, conf->visible_max);
		add(v, &any, (enum limit_action)conf->visible_action,
		    "visible-recipients", reason, arena_printf(a, ".7.1 all "
		    "recipients would see %.*s; write to them in Bcc or by a "
		    "list", SLICE_ARG(reason)));
	}
	if (seen->size > conf->size_max) {
		reason = arena_printf(a, "%llu kB, %llu kB are allowed",
		    kilobytes(seen->size), kilobytes(conf->size_max));
		add(v, &any, (enum limit_action)conf->size_action, "size",
		    reason, arena_printf(a, ".3.4 message too large: %.*s",
		    SLICE_ARG(reason)));
	}
	return any;
}

size_t
limits_visible(const struct message *msg, struct arena *a)
{
	static const struct slice names[] = { SLICE("To"), SLICE("Cc") };
	size_t n = 0;

	for (size_t i = 0; i < msg->nfields; i++) {
		const struct field *f = &msg->fields[i];
		struct address_list list;
		struct address address;

		if (!slice_eq_nocase(f->name, names[0]) &&
		    !slice_eq_nocase(f->name, names[1]))
			continue;
		address_open(&list, a, f->body);
		while (address_next(&list, &address))
			n++;
	}
	return n;
}

void
limits_declared(const struct outbound_conf *conf, uint64_t size,
    struct arena *a, struct early_reply *answer_r)
{
	bool later = conf->size_action == LIMIT_TEMPFAIL;

	if (size <= conf->size_max || conf->size_action == LIMIT_DROP)
		return;
	answer_r->code = later ? "452" : "552";
	answer_r->enhanced = later ? "4.3.4" : "5.3.4";
	answer_r->reason = arena_printf(a, "%llu kB are announced, %llu kB are "
	    "allowed", kilobytes(size), kilobytes(conf->size_max));
	answer_r->text = arena_printf(a, "message too large: %.*s",
	    SLICE_ARG(answer_r->reason)).ptr;
	answer_r->event = "size";
	answer_r->rule = "size";
}
