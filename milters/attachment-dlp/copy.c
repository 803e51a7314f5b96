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

static enum rc
hand_in(const struct job *job, const char *server, struct smtp_mail *mail,
    struct sending *pieces, struct slice *why_r)
{
	struct smtp_outcome *outcomes = arena_array(job->arena,
	    mail->nrecipients, sizeof *outcomes);
	struct slice why = SLICE("");
	enum rc rc;

	mail->server = server;
	mail->helo = job->house->hostname;
	mail->sender = SLICE("");
	mail->no_dsn = true;
	mail->next = next;
	mail->arg = pieces;
	mail->deadline = job->deadline - SPARE_MS;
	rc = smtp_send(mail, outcomes, job->arena, &why);
	for (size_t i = 0; i < mail->nrecipients; i++) {
		if (rc == RC_OK && outcomes[i].kind == SMTP_TAKEN)
			continue;
		*why_r = arena_printf(job->arena, "the copy for %.*s was not "
		    "taken by %s: %.*s", SLICE_ARG(mail->recipients[i]),
		    server, SLICE_ARG(rc == RC_OK ? outcomes[i].reply : why));
		return RC_RETRY;
	}
	return RC_OK;
}

enum rc
copy_send(const struct job *job, const char *server, struct slice mailbox,
    struct slice *why_r)
{
	struct sending s = { .pieces = { job->msg->head, SLICE("\r\n"),
	    job->msg->body } };
	struct smtp_mail mail = { .recipients = &mailbox, .nrecipients = 1,
	    .smtputf8 = job->envelope->smtputf8, .body8 = true,
	    .head = arena_printf(job->arena, "X-Gatehouse-Copy: %.*s\r\n",
	    SLICE_ARG(job->envelope->queue_id)) };

	return hand_in(job, server, &mail, &s, why_r);
}

enum rc
copy_letter(const struct job *job, const char *server,
    const struct slice *mailboxes, size_t n, struct slice letter, bool body8,
    struct slice *why_r)
{
	struct sending s = { .pieces = { SLICE(""), letter, SLICE("") } };
	struct smtp_mail mail = { .recipients = mailboxes, .nrecipients = n,
	    .smtputf8 = job->envelope->smtputf8, .body8 = body8,
	    .head = SLICE("") };

	return hand_in(job, server, &mail, &s, why_r);
}
