#include "services/spamcheck/tell.h"

#include "net/http.h"
#include "net/smtp.h"

/* NULL ptr: taken. */
static struct slice
post(const struct spamcheck_conf *conf, const struct result *r,
    struct slice json, deadline_t until, struct arena *a)
{
	struct http *http = http_new(conf->host, conf->url.port, conf->tls);
	struct buf more = buf_in(a);
	struct http_answer answer;
	struct slice why = SLICE(""), reply = SLICE_NONE;

	buf_addf(&more, "Content-Type: application/json\r\n"
	    "Idempotency-Key: \"%.*s\"\r\n", SLICE_ARG(r->id));
	if (conf->webhook_token[0] != '\0' && !http_token(conf->webhook_token,
	    "Bearer", &more, a, &why)) {
		reply = arena_printf(a, "451 4.3.5 webhook_token: %.*s",
		    SLICE_ARG(why));
	} else if (http_post(http, conf->path, arena_str(a, buf_slice(&more)),
	    json, until, &answer, a, &why) != RC_OK) {
		reply = arena_printf(a, "451 4.4.1 webhook: %.*s",
		    SLICE_ARG(why));
	} else {
		if (answer.status < 200 || answer.status > 299)
			reply = arena_printf(a, "451 4.3.0 webhook: it "
			    "answered %d", answer.status);
		http_answer_free(&answer);
	}
	http_free(http);
	return reply;
}

static enum rc
nothing(void *arg, struct slice *piece_r, struct slice *why_r)
{
	(void)arg;
	*piece_r = SLICE("");
	*why_r = SLICE("");
	return RC_OK;
}

/* From nobody, so that nobody answers; and no bounce of it comes back. */
static struct slice
mail(const struct result *r, struct slice json, deadline_t until,
    struct arena *a)
{
	struct smtp_outcome outcome = { SMTP_NOT_NOW, SLICE("") };
	struct slice why = SLICE("");
	struct state_mail letter;
	struct smtp_mail smtp = { .server = r->notices->conf.server,
	    .helo = r->notices->house->hostname, .sender = SLICE(""),
	    .recipients = &letter.recipient, .nrecipients = 1,
	    .smtputf8 = r->mail->smtputf8, .no_dsn = true, .next = nothing,
	    .deadline = until };

	if (result_mail(r, json, a, &letter, &why) != RC_OK)
		return arena_printf(a, "451 4.3.0 %.*s", SLICE_ARG(why));
	smtp.head = letter.message;
	smtp.body8 = letter.body8;
	smtp_send(&smtp, &outcome, a, &why);
	if (outcome.kind == SMTP_TAKEN)
		return arena_printf(a, "250 2.0.0 Ok: %s, spam with %u %%: "
		    "%.*s", r->judged->class, r->judged->percent,
		    SLICE_ARG(slice_after(outcome.reply, 4)));
	return arena_printf(a, "451 4.4.1 the report was not taken%s: %.*s",
	    outcome.kind == SMTP_UNSURE ? ", or it may come twice" : "",
	    SLICE_ARG(outcome.reply.len > 0 ? outcome.reply : why));
}

struct slice
tell(const struct spamcheck_conf *conf, const struct result *r,
    deadline_t until, struct arena *a)
{
	struct slice json = result_json(r, a), reply;

	if (conf->result != RESULT_MAIL) {
		reply = post(conf, r, json, until, a);
		if (reply.ptr != NULL)
			return reply;
	}
	if (conf->result != RESULT_WEBHOOK)
		return mail(r, json, until, a);
	return arena_printf(a, "250 2.0.0 Ok: %s, spam with %u %%: told to "
	    "the webhook as %.*s", r->judged->class, r->judged->percent,
	    SLICE_ARG(r->id));
}
