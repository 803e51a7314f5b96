/* Mails on their way go to Postfix, one at a time. */
#include "net/smtp.h"
#include "notice/notice.h"


/* All of the message is head; nothing follows it. */
static enum rc
nothing(void *arg, struct slice *piece_r, struct slice *why_r)
{
	(void)arg;
	*piece_r = SLICE("");
	*why_r = SLICE("");
	return RC_OK;
}

static enum rc
deliver(const struct notices *n, const struct state_mail *mail,
    struct arena *a, struct smtp_outcome *outcome, struct slice *why_r)
{
	const struct smtp_mail smtp = {
		.server = n->conf.server,
		.helo = n->house->hostname,
		.sender = SLICE(""),
		.recipients = &mail->recipient,
		.nrecipients = 1,
		.body8 = mail->body8,
		.no_dsn = true,
		.head = mail->message,
		.next = nothing,
		.deadline = deadline_in(NOTICE_SEND_MS),
	};

	*outcome = (struct smtp_outcome){ SMTP_NOT_NOW, SLICE("") };
	return smtp_send(&smtp, outcome, a, why_r);
}

/* When there was no answer to the whole message it may have been taken. It is
 * sent again all the same: a digest that comes twice, under one Message-ID, is
 * better than one that never came. */
enum rc
notice_send(const struct notices *n, struct db *state, int64_t now,
    struct arena *a, struct notice_sent *sent_r, struct slice *why_r)
{
	struct smtp_outcome outcome;
	struct slice why = SLICE("");
	struct state_mail mail;
	enum rc rc = state_next(state, a, now, &mail, &sent_r->tried, why_r);

	*sent_r = (struct notice_sent){ .tried = sent_r->tried,
	    .reply = SLICE("") };
	if (rc != RC_OK || !sent_r->tried)
		return rc;
	rc = deliver(n, &mail, a, &outcome, &why);
	sent_r->recipient = mail.recipient;
	sent_r->message_id = mail.message_id;
	sent_r->reply = outcome.reply.len > 0 ? outcome.reply : why;
	sent_r->taken = outcome.kind == SMTP_TAKEN;
	sent_r->failed = outcome.kind == SMTP_REFUSED || rc == RC_BAD ||
	    (!sent_r->taken && now - mail.created > n->conf.retry_for / 1000);
	if (sent_r->taken)
		return state_sent(state, a, mail.key, sent_r->reply, why_r);
	if (sent_r->failed)
		return state_failed(state, a, mail.key, sent_r->reply, why_r);
	return RC_OK;
}
