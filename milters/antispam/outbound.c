#include "outbound.h"

#include <string.h>

#include "log/log.h"
#include "text/address.h"

double
outbound_score(const struct model *model, const struct features *f)
{
	struct features rest = *f;

	rest.count[FAMILY_HEADER] = 0;
	return (model_score(model, f) + model_score(model, &rest)) / 2;
}

/* "List <id.example>": what is in brackets, or all of it. */
static struct slice
list_id(const struct job *job)
{
	const struct field *f = message_field(job->msg, SLICE("List-Id"), 0);
	struct slice value = f != NULL ? slice_trim(f->body) : SLICE("");
	size_t open = slice_find_last(value, '<');

	if (open < value.len)
		value = slice_after(value, open + 1);
	return slice_trim(slice_sub(value, 0, slice_find(value, '>')));
}

static bool
allowed_newsletter(const struct job *job, const struct antispam_conf *conf)
{
	struct slice id = list_id(job);

	for (size_t i = 0; i < conf->newsletters.count; i++)
		if (id.len > 0 && slice_eq_nocase(id,
		    conf->newsletters.items[i]))
			return true;
	return false;
}

static bool
outside(const struct job *job, struct slice recipient)
{
	struct slice local, domain, ascii;

	return !address_split(recipient, &local, &domain) ||
	    !domain_ascii(job->arena, domain, &ascii) ||
	    !conf_list_has(&job->house->domains, ascii);
}

static size_t
recipients_outside(const struct job *job, struct slice **recipients_r)
{
	const struct envelope *e = job->envelope;
	struct slice *list = arena_array(job->arena, e->nrecipients + 1,
	    sizeof *list);
	size_t n = 0;

	for (size_t i = 0; i < e->nrecipients; i++)
		if (outside(job, e->recipients[i].address))
			list[n++] = e->recipients[i].address;
	*recipients_r = list;
	return n;
}

static bool
counts(const struct job *job, const struct antispam_answers *seen)
{
	const struct antispam_conf *conf = &seen->own[0].conf;

	return job->direction != DIRECTION_IN && job->pass < 2 &&
	    job->release == NULL && conf->burst_action != BURST_NONE &&
	    job_sender(job).len > 0 && !allowed_newsletter(job, conf);
}

void
outbound_look(const struct spam_look *look, struct antispam_answers *seen)
{
	const struct job *job = look->job;
	const struct antispam_conf *conf = &seen->own[0].conf;
	struct accounts_mail m = { .limits = { conf->burst_least,
	    conf->burst_factor }, .now = job->now };
	struct slice *recipients;

	if (look->shared->accounts == NULL || !counts(job, seen))
		return;
	m.account = job_sender(job);
	m.n = recipients_outside(job, &recipients);
	m.recipients = recipients;
	m.chance = seen->percent[CLASS_SPAM] / 100.0;
	m.text = look->has_text ? &look->text : NULL;
	accounts_mail(look->shared->accounts, &m, job->arena,
	    &seen->account);
	if (seen->account.begins)
		log_warning("%.*s; its mail is held from now on (gatehouse "
		    "spam accounts)", SLICE_ARG(log_safe(job->arena,
		    seen->account.words, LOG_VALUE)));
}

bool
outbound_held(const struct job *job, const struct antispam_own *own,
    struct verdict *v)
{
	const struct antispam_answers *seen = job->answers;

	if (!seen->account.blocked)
		return false;
	v->rule = "account-held";
	v->reason = seen->account.words;
	v->cause = CAUSE_ACCOUNT;
	switch ((enum burst_action)own->conf.burst_action) {
	case BURST_NONE:
		return false;
	case BURST_QUARANTINE:
		v->action = QUARANTINE;
		break;
	case BURST_TEMPFAIL:
		v->action = TEMPFAIL;
		v->reply = SLICE("4.7.1 account sends unusually much, its mail "
		    "is held up");
		break;
	case BURST_REJECT:
		v->action = REJECT;
		v->reply = SLICE("5.7.1 account sends unusually much, its mail "
		    "is refused");
		break;
	}
	return true;
}
