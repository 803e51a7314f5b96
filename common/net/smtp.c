#include "net/smtp.h"

#include <string.h>
#include <sys/un.h>

#include "base/buf.h"
#include "net/ip.h"
#include "net/stream.h"

enum {
	LINE = 2048,			/* of a reply; RFC 5321 has 512 */
	LINES = 100,			/* of one reply */
	OUT = 16 * 1024,		/* each has SMTP_STEP_MS to go out */
	QUIT_MS = 100,
};

enum { CAN_8BITMIME = 1, CAN_SMTPUTF8 = 2, CAN_DSN = 4, CAN_XFORWARD = 8 };

struct talk {
	const struct smtp_mail *mail;
	struct arena *a;
	struct slice why;
	struct stream *stream;
	unsigned can;
	char in[LINE];			/* read, not used yet */
	size_t have;
	unsigned code;			/* of the last reply */
	struct slice reply;
	struct buf out;			/* written when it is full */
	char last[2];			/* bytes that went out */
};

static enum rc
trouble(struct talk *t, const char *doing, struct slice what)
{
	t->why = arena_printf(t->a, "%s: %s: %.*s", t->mail->server, doing,
	    SLICE_ARG(what));
	return RC_RETRY;
}

/* --- the connection ------------------------------------------------------ */

/* An address and a port; or a path, and then the address has no family. */
static bool
place_of(struct slice server, struct ip *ip_r, uint64_t *port_r)
{
	size_t colon = slice_find_last(server, ':');
	struct slice host = slice_sub(server, 0, colon);

	*ip_r = (struct ip){ .family = 0 };
	*port_r = 0;
	if (slice_starts(server, SLICE("/")))
		return server.len < sizeof ((struct sockaddr_un *)0)->sun_path;
	if (slice_starts(host, SLICE("[")) && slice_ends(host, SLICE("]")))
		host = slice_sub(host, 1, host.len - 2);
	return slice_number(slice_after(server, colon + 1), 65535, port_r) &&
	    *port_r != 0 && ip_parse(host, ip_r);
}

bool
smtp_server_valid(struct slice server)
{
	struct ip ip;
	uint64_t port;

	return place_of(server, &ip, &port);
}

/* The end of one step. */
static deadline_t
step(const struct talk *t)
{
	return deadline_earlier(deadline_in(SMTP_STEP_MS), t->mail->deadline);
}

static enum rc
open_connection(struct talk *t)
{
	const char *host = t->mail->server;
	struct ip ip;
	uint64_t port;

	if (!place_of(slice_of(host), &ip, &port))
		return trouble(t, "connect", SLICE("no address and port"));
	if (ip.family != 0)
		host = arena_str(t->a, ip_format(t->a, &ip));
	t->stream = stream_open(host, (unsigned)port, NULL, step(t), t->a,
	    &t->why);
	return t->stream != NULL ? RC_OK : RC_RETRY;
}

static enum rc
flush_out(struct talk *t, const char *doing)
{
	struct slice why;

	if (!stream_write(t->stream, buf_slice(&t->out), step(t), t->a, &why))
		return trouble(t, doing, why);
	buf_clear(&t->out);
	return RC_OK;
}

/* --- replies ------------------------------------------------------------- */

/* One line of at most LINE bytes, without its end; it lives until the next
 * call. */
static enum rc
read_line(struct talk *t, deadline_t until, char *line, size_t *len_r,
    const char *doing)
{
	for (;;) {
		char *lf = memchr(t->in, '\n', t->have);
		struct slice why;
		ssize_t n;

		if (lf != NULL) {
			size_t used = (size_t)(lf - t->in) + 1;

			*len_r = used - 1;
			memcpy(line, t->in, *len_r);
			if (*len_r > 0 && line[*len_r - 1] == '\r')
				--*len_r;
			t->have -= used;
			memmove(t->in, t->in + used, t->have);
			return RC_OK;
		}
		if (t->have == sizeof t->in)
			return trouble(t, doing,
			    SLICE("a reply without an end"));
		n = stream_read(t->stream, t->in + t->have,
		    sizeof t->in - t->have, until, t->a, &why);
		if (n < 0)
			return trouble(t, doing, why);
		if (n == 0)
			return trouble(t, doing, SLICE("the server hung up"));
		t->have += (size_t)n;
	}
}

static void
keep_reply(struct buf *b, const char *line, size_t len)
{
	if (b->len > 0)
		buf_addc(b, ' ');
	for (size_t i = b->len == 0 ? 0 : len > 4 ? 4 : len; i < len &&
	    b->len < SMTP_REPLY; i++)
		buf_addc(b, line[i] >= ' ' && line[i] < 0x7f ? line[i] : '?');
}

static void
note_ability(struct talk *t, struct slice line)
{
	struct slice word = slice_trim(slice_cut(slice_after(line, 4), ' ',
	    &line));

	if (slice_eq_nocase(word, SLICE("8BITMIME")))
		t->can |= CAN_8BITMIME;
	else if (slice_eq_nocase(word, SLICE("SMTPUTF8")))
		t->can |= CAN_SMTPUTF8;
	else if (slice_eq_nocase(word, SLICE("DSN")))
		t->can |= CAN_DSN;
	else if (slice_eq_nocase(word, SLICE("XFORWARD")))
		t->can |= CAN_XFORWARD;
}

/* 2, 3, 4 or 5 in t->code / 100; all lines of a reply have the same code. */
static enum rc
read_reply(struct talk *t, deadline_t until, const char *doing)
{
	struct buf kept = buf_in(t->a);
	char line[LINE];
	size_t len = 0;
	uint64_t code, first = 0;

	for (unsigned i = 0; i < LINES; i++) {
		enum rc rc = read_line(t, until, line, &len, doing);

		if (rc != RC_OK)
			return rc;
		if (len < 3 || !slice_number(slice_make(line, 3), 599,
		    &code) || code < 200 || (i > 0 && code != first) ||
		    (len > 3 && line[3] != ' ' && line[3] != '-'))
			return trouble(t, doing, SLICE("no SMTP reply"));
		first = code;
		note_ability(t, slice_make(line, len));
		keep_reply(&kept, line, len);
		if (len == 3 || line[3] == ' ') {
			t->code = (unsigned)code;
			t->reply = buf_slice(&kept);
			return RC_OK;
		}
	}
	return trouble(t, doing, SLICE("a reply of too many lines"));
}

static enum rc
ask(struct talk *t, const char *doing)
{
	enum rc rc = flush_out(t, doing);

	return rc == RC_OK ? read_reply(t, step(t), doing) :
	    rc;
}

/* --- the message --------------------------------------------------------- */

/* Bytes of the message: line ends, dots. */
static enum rc
put_bytes(struct talk *t, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '\n' && t->last[1] != '\r')
			buf_addc(&t->out, '\r');
		if (c == '.' && t->last[1] == '\n')
			buf_addc(&t->out, '.');
		buf_addc(&t->out, c);
		t->last[0] = t->last[1];
		t->last[1] = c;
		if (t->out.len >= OUT) {
			enum rc rc = flush_out(t, "message");

			if (rc != RC_OK)
				return rc;
		}
	}
	return RC_OK;
}

static enum rc
put_message(struct talk *t)
{
	const struct smtp_mail *m = t->mail;
	struct slice piece = m->head;
	enum rc rc;

	t->last[1] = '\n';
	rc = put_bytes(t, piece);
	while (rc == RC_OK && m->next != NULL) {
		rc = m->next(m->arg, &piece, &t->why);
		if (rc == RC_OK && piece.len == 0)
			break;
		if (rc == RC_OK)
			rc = put_bytes(t, piece);
	}
	if (rc == RC_OK && t->last[1] != '\n')
		buf_adds(&t->out, t->last[1] == '\r' ? "\n" : "\r\n");
	return rc;
}

static void
settle(struct smtp_outcome *o, unsigned code, struct slice reply)
{
	o->reply = reply;
	o->kind = code / 100 == 5 ? SMTP_REFUSED : code / 100 == 2 ?
	    SMTP_TAKEN : SMTP_NOT_NOW;
}

/* Between the dot and its answer nobody knows whose the message is. */
static enum rc
put_data(struct talk *t, struct smtp_outcome *outcomes, const bool *open)
{
	size_t n = t->mail->nrecipients;
	enum rc rc = put_message(t);

	if (rc != RC_OK)
		return rc;
	rc = flush_out(t, "message");
	if (rc != RC_OK)
		return rc;
	buf_adds(&t->out, ".\r\n");
	for (size_t i = 0; i < n; i++)
		if (open[i])
			outcomes[i].kind = SMTP_UNSURE;
	rc = flush_out(t, "end of message");
	if (rc == RC_OK)
		rc = read_reply(t, t->mail->deadline, "end of message");
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		if (open[i])
			settle(&outcomes[i], t->code, t->reply);
	return rc;
}

/* --- the envelope -------------------------------------------------------- */

static void
put_parameters(struct talk *t, struct slice dsn)
{
	if (dsn.len == 0 || !(t->can & CAN_DSN))
		return;
	buf_addc(&t->out, ' ');
	buf_add(&t->out, dsn);
}

/* Whatever is answered: it is for a log. */
static enum rc
put_origin(struct talk *t)
{
	if (t->mail->xforward.len == 0 || !(t->can & CAN_XFORWARD))
		return RC_OK;
	buf_adds(&t->out, "XFORWARD ");
	buf_add(&t->out, t->mail->xforward);
	buf_adds(&t->out, "\r\n");
	return ask(t, "XFORWARD");
}

static enum rc
put_sender(struct talk *t)
{
	const struct smtp_mail *m = t->mail;

	buf_adds(&t->out, "MAIL FROM:<");
	buf_add(&t->out, m->sender);
	buf_addc(&t->out, '>');
	if (m->body8 && (t->can & CAN_8BITMIME))
		buf_adds(&t->out, " BODY=8BITMIME");
	if (m->smtputf8)
		buf_adds(&t->out, " SMTPUTF8");
	put_parameters(t, m->dsn);
	buf_adds(&t->out, "\r\n");
	return ask(t, "MAIL");
}

static enum rc
put_recipient(struct talk *t, size_t i, struct smtp_outcome *o, bool *open_r)
{
	const struct smtp_mail *m = t->mail;
	enum rc rc;

	buf_adds(&t->out, "RCPT TO:<");
	buf_add(&t->out, m->recipients[i]);
	buf_addc(&t->out, '>');
	if (m->recipient_dsn != NULL)
		put_parameters(t, m->recipient_dsn[i]);
	if (m->no_dsn && (t->can & CAN_DSN))
		buf_adds(&t->out, " NOTIFY=NEVER");
	buf_adds(&t->out, "\r\n");
	rc = ask(t, "RCPT");
	*open_r = rc == RC_OK && t->code / 100 == 2;
	if (rc == RC_OK && !*open_r)
		settle(o, t->code, t->reply);
	return rc;
}

/* The same reply for all who have none yet. */
static enum rc
all_get(struct talk *t, struct smtp_outcome *outcomes, const bool *open)
{
	for (size_t i = 0; i < t->mail->nrecipients; i++)
		if (open == NULL || open[i])
			settle(&outcomes[i], t->code / 100 == 5 ? 500 : 400,
			    t->reply);
	return RC_OK;
}

static enum rc
put_envelope(struct talk *t, struct smtp_outcome *outcomes)
{
	const struct smtp_mail *m = t->mail;
	bool *open = arena_array(t->a, m->nrecipients + 1, sizeof *open);
	bool any = false;
	enum rc rc = put_origin(t);

	if (rc == RC_OK)
		rc = put_sender(t);
	if (rc != RC_OK)
		return rc;
	if (t->code / 100 != 2)
		return all_get(t, outcomes, NULL);
	for (size_t i = 0; rc == RC_OK && i < m->nrecipients; i++) {
		rc = put_recipient(t, i, &outcomes[i], &open[i]);
		any = any || open[i];
	}
	if (rc != RC_OK || !any)
		return rc;
	buf_adds(&t->out, "DATA\r\n");
	rc = ask(t, "DATA");
	if (rc != RC_OK)
		return rc;
	return t->code == 354 ? put_data(t, outcomes, open) :
	    all_get(t, outcomes, open);
}

static bool
eight_bits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80)
			return true;
	return false;
}

/* Nothing that would end the command, or the path, before its end. */
static const char *
wrong_with(struct slice s, bool smtputf8)
{
	bool quoted = false;

	if (s.len > SMTP_ADDRESS)
		return "an address is too long";
	if (eight_bits(s) && !smtputf8)
		return "an address outside ASCII needs SMTPUTF8";
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if ((unsigned char)c < ' ' || c == 0x7f)
			return "an address has a control character";
		if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == ' ' || c == '<' || c == '>'))
			return "an address has a blank or a bracket";
		else if (quoted && c == '\\' && i + 1 < s.len &&
		    (unsigned char)s.ptr[i + 1] >= ' ')
			i++;
	}
	return quoted ? "an address has a quote without its end" : NULL;
}

static enum rc
check_address(struct talk *t, struct slice s)
{
	const char *wrong = wrong_with(s, t->mail->smtputf8);

	if (wrong == NULL)
		return RC_OK;
	t->why = slice_of(wrong);
	return RC_BAD;
}

static enum rc
check_mail(struct talk *t)
{
	const struct smtp_mail *m = t->mail;
	enum rc rc = check_address(t, m->sender);

	for (size_t i = 0; rc == RC_OK && i < m->nrecipients; i++)
		rc = check_address(t, m->recipients[i]);
	return rc;
}

static enum rc
greet(struct talk *t, struct smtp_outcome *outcomes, bool *go_r)
{
	enum rc rc = read_reply(t, step(t), "greeting");

	*go_r = false;
	if (rc != RC_OK)
		return rc;
	if (t->code / 100 != 2)
		return all_get(t, outcomes, NULL);
	buf_addf(&t->out, "EHLO %s\r\n", t->mail->helo);
	t->can = 0;
	rc = ask(t, "EHLO");
	if (rc != RC_OK)
		return rc;
	if (t->code / 100 != 2)
		return all_get(t, outcomes, NULL);
	if (t->mail->smtputf8 && !(t->can & CAN_SMTPUTF8)) {
		t->why = arena_printf(t->a, "%s knows no SMTPUTF8",
		    t->mail->server);
		return RC_BAD;
	}
	*go_r = true;
	return RC_OK;
}

enum rc
smtp_send(const struct smtp_mail *mail, struct smtp_outcome *outcomes,
    struct arena *a, struct slice *why_r)
{
	struct talk *t = arena_alloc(a, sizeof *t);
	struct slice ignored;
	bool go = false;
	enum rc rc;

	for (size_t i = 0; i < mail->nrecipients; i++)
		outcomes[i] = (struct smtp_outcome){ .reply = SLICE("") };
	t->mail = mail;
	t->a = a;
	rc = check_mail(t);
	if (rc == RC_OK)
		rc = open_connection(t);
	if (rc == RC_OK)
		rc = greet(t, outcomes, &go);
	if (rc == RC_OK && go)
		rc = put_envelope(t, outcomes);
	if (rc == RC_OK) {
		/* Polite, and no answer is waited for. */
		stream_write(t->stream, SLICE("QUIT\r\n"),
		    deadline_in(QUIT_MS), a, &ignored);
	}
	stream_close(t->stream);
	buf_free(&t->out);
	*why_r = rc == RC_OK ? SLICE("") : t->why;
	return rc;
}
