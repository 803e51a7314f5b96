#include "copy.h"

#include "net/smtp.h"

/* Then there is an answer left for the message itself. */
enum { SPARE_MS = 500 };

struct sending {
	struct slice pieces[3];
	size_t at;
};

static enum rc
next(void *arg, struct slice *piece_r, struct slice *why_r)
{
	struct sending *s = arg;

	(void)why_r;
	while (s->at < 3 && s->pieces[s->at].len == 0)
		s->at++;
	*piece_r = s->at < 3 ? s->pieces[s->at++] : SLICE("");
	return RC_OK;
}

enum rc
copy_send(const struct job *job, const char *server, struct slice mailbox,
    struct slice *why_r)
{
	struct sending s = { .pieces = { job->msg->head, SLICE("\r\n"),
	    job->msg->body } };
	struct smtp_outcome outcome = { SMTP_NOT_NOW, SLICE("") };
	const struct smtp_mail mail = { .server = server,
	    .helo = job->house->hostname, .sender = SLICE(""),
	    .recipients = &mailbox, .nrecipients = 1,
	    .smtputf8 = job->envelope->smtputf8, .body8 = true,
	    .no_dsn = true, .head = arena_printf(job->arena,
	    "X-Gatehouse-Copy: %.*s\r\n", SLICE_ARG(job->envelope->queue_id)),
	    .next = next, .arg = &s, .deadline = job->deadline - SPARE_MS };
	struct slice why = SLICE("");
	enum rc rc = smtp_send(&mail, &outcome, job->arena, &why);

	if (rc == RC_OK && outcome.kind == SMTP_TAKEN)
		return RC_OK;
	*why_r = arena_printf(job->arena, "the copy for %.*s was not taken by "
	    "%s: %.*s", SLICE_ARG(mailbox), server, SLICE_ARG(rc == RC_OK ?
	    outcome.reply : why));
	return RC_RETRY;
}
