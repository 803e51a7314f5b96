#include "bench/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"

enum { REPLY_MAX = 4096, LOSSES_MAX = 100, PARTS = 3 };

enum step { GREETING, EHLO, XCLIENT, MAIL, RCPT, DATA, DOT, QUIT };

struct session {
	struct watch watch;		/* first: the loop gives it back */
	struct clients *all;
	enum step step;
	bool announced, refused, held;
	const struct mail_sender *from;
	size_t number, first, sent;	/* at hand; of this connection; so far */
	int64_t begun, dotted;
	struct buf out;
	struct slice parts[PARTS];	/* of what is being written */
	size_t in_len;
	char in[REPLY_MAX];
};

static void session_connect(struct session *s);
static void session_hang_up(struct session *s);

/* Drops what was written from the parts; true when nothing is left. */
static bool
took(struct session *s, size_t n)
{
	size_t left = 0;

	for (size_t i = 0; i < PARTS; i++) {
		size_t len = s->parts[i].len < n ? s->parts[i].len : n;

		s->parts[i] = slice_after(s->parts[i], len);
		n -= len;
		left += s->parts[i].len;
	}
	return left == 0;
}

static bool
write_some(struct session *s)
{
	struct iovec iov[PARTS];
	ssize_t n;

	for (size_t i = 0; i < PARTS; i++) {
		iov[i].iov_base = (void *)(uintptr_t)s->parts[i].ptr;
		iov[i].iov_len = s->parts[i].len;
	}
	n = writev(s->watch.fd, iov, PARTS);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return true;		/* the read side sees the loss */
	return took(s, n > 0 ? (size_t)n : 0);
}

static void
flush(struct session *s)
{
	bool done = write_some(s);

	loop_writes(s->all->loop, &s->watch, !done);
	if (done && s->step == DOT && !s->held && s->dotted == 0)
		s->dotted = clock_mono_us();
}

static void
say(struct session *s, enum step step)
{
	s->step = step;
	s->parts[0] = buf_slice(&s->out);
	flush(s);
}

static void
next_message(struct session *s)
{
	struct clients *c = s->all;

	buf_clear(&s->out);
	s->number = s->first + s->sent;
	if (s->number >= c->conf->messages ||
	    s->sent == c->conf->per_connection) {
		buf_adds(&s->out, "QUIT\r\n");
		say(s, QUIT);
		return;
	}
	c->sent++;
	s->sent++;
	s->refused = false;
	s->begun = clock_mono_us();
	s->dotted = 0;
	buf_addf(&s->out, "MAIL FROM:<user%zu@%s>\r\n"
	    "RCPT TO:<user@bench.test>\r\nDATA\r\n", s->number % 100,
	    s->from->domain);
	say(s, MAIL);
}

/* All have come as far as the final dot: now, and at once. */
static void
release(struct clients *c)
{
	for (size_t i = 0; i < c->conf->sessions; i++) {
		struct session *s = &c->sessions[i];

		if (!s->held)
			continue;
		s->held = false;
		s->parts[2] = SLICE(".\r\n");
		flush(s);
	}
}

static void
send_message(struct session *s)
{
	struct clients *c = s->all;
	const struct mail *mail = mix_mail(c->conf->mix, s->number);

	buf_clear(&s->out);
	if (c->conf->heads != NULL)
		buf_add(&s->out, c->conf->heads[s->number]);
	else
		mail_header(&s->out, c->conf->mix, s->number, s->from);
	c->bytes += s->out.len + mail->body.len;
	s->parts[1] = mail->body;
	s->held = c->conf->together;
	if (!s->held)
		s->parts[2] = SLICE(".\r\n");
	say(s, DOT);
	if (s->held && ++c->held == c->conf->sessions)
		release(c);
}

static void
refuse(struct session *s, struct slice reply)
{
	struct clients *c = s->all;

	if (!s->refused)
		c->refused++;
	s->refused = true;
	if (c->refusal[0] == '\0')
		snprintf(c->refusal, sizeof c->refusal, "%.*s",
		    SLICE_ARG(reply));
}

static void
finish_message(struct session *s, struct slice reply)
{
	struct clients *c = s->all;
	int64_t now = clock_mono_us();

	c->ended = now;
	if (reply.ptr[0] != '2') {
		refuse(s, reply);
	} else {
		c->accepted++;
		figures_add(&c->end_of_data, now - s->dotted);
		figures_add(&c->transaction, now - s->begun);
	}
	next_message(s);
}

static void
announce(struct session *s)
{
	buf_clear(&s->out);
	if (s->all->conf->xclient && !s->announced) {
		s->announced = true;
		buf_addf(&s->out, "XCLIENT NAME=%s ADDR=%s HELO=%s\r\n",
		    s->from->name, s->from->ip, s->from->name);
		say(s, XCLIENT);
	} else {
		next_message(s);
	}
}

static void
greet(struct session *s)
{
	buf_clear(&s->out);
	buf_addf(&s->out, "EHLO %s\r\n", s->from->name);
	say(s, EHLO);
}

static void
on_data_reply(struct session *s, struct slice reply)
{
	if (reply.ptr[0] == '3') {
		send_message(s);
		return;
	}
	refuse(s, reply);
	next_message(s);
}

/* One complete reply; of several lines the last. */
static void
on_reply(struct session *s, struct slice reply)
{
	bool good = reply.ptr[0] == '2';

	switch (s->step) {
	case GREETING:
	case XCLIENT:
		if (good)
			greet(s);
		else
			bench_die("greeting: %.*s", SLICE_ARG(reply));
		break;
	case EHLO:
		announce(s);
		break;
	case MAIL:
	case RCPT:
		if (!good)
			refuse(s, reply);
		s->step++;
		break;
	case DATA:
		on_data_reply(s, reply);
		break;
	case DOT:
		finish_message(s, reply);
		break;
	case QUIT:
		session_hang_up(s);
		break;
	}
}

static void
read_replies(struct session *s)
{
	struct slice rest = slice_make(s->in, s->in_len);
	size_t end;

	while ((end = slice_find(rest, '\n')) < rest.len) {
		struct slice line = slice_trim(slice_sub(rest, 0, end));

		rest = slice_after(rest, end + 1);
		if (line.len < 3 || (line.len > 3 && line.ptr[3] == '-'))
			continue;
		on_reply(s, line);
		if (s->watch.fd < 0 || s->in_len == 0)
			return;		/* hung up, perhaps connected anew */
	}
	memmove(s->in, rest.ptr, rest.len);
	s->in_len = rest.len;
}

static void
session_lost(struct session *s)
{
	struct clients *c = s->all;

	if (++c->losses > LOSSES_MAX)
		bench_die("%zu connections lost; first refusal: %s", c->losses,
		    c->refusal);
	if (s->step >= MAIL && s->step <= DOT)
		refuse(s, SLICE("connection lost"));
	session_hang_up(s);
}

static void
session_ready(struct watch *w, uint32_t events)
{
	struct session *s = (struct session *)(void *)w;
	ssize_t n;

	(void)events;
	n = read(w->fd, s->in + s->in_len, sizeof s->in - s->in_len);
	if (n > 0) {
		s->in_len += (size_t)n;
		read_replies(s);
	} else if (n == 0 || errno != EAGAIN) {
		session_lost(s);
		return;
	}
	if (w->fd >= 0 && w->writes)
		flush(s);
}

const struct mail_sender *
clients_sender(const struct clients_conf *conf, size_t number)
{
	return &conf->senders[number / conf->per_connection % conf->nsenders];
}

static bool
lots_left(const struct clients *c)
{
	return c->connections * c->conf->per_connection < c->conf->messages;
}

static void
session_connect(struct session *s)
{
	struct clients *c = s->all;

	s->first = c->connections++ * c->conf->per_connection;
	s->from = clients_sender(c->conf, s->first);
	s->step = GREETING;
	s->announced = s->held = false;
	s->sent = s->in_len = 0;
	memset(s->parts, 0, sizeof s->parts);
	s->watch.ready = session_ready;
	loop_add(c->loop, &s->watch, net_connect(c->conf->server));
}

static void
session_hang_up(struct session *s)
{
	loop_close(s->all->loop, &s->watch);
	s->in_len = 0;
	if (lots_left(s->all))
		session_connect(s);
	else
		s->all->running--;
}

void
clients_start(struct clients *c, struct loop *l,
    const struct clients_conf *conf)
{
	*c = (struct clients){ .conf = conf, .loop = l };
	c->sessions = mem_alloc(conf->sessions * sizeof *c->sessions);
	memset(c->sessions, 0, conf->sessions * sizeof *c->sessions);
	c->begun = c->ended = clock_mono_us();
	for (size_t i = 0; i < conf->sessions && lots_left(c); i++) {
		c->sessions[i].all = c;
		c->running++;
		session_connect(&c->sessions[i]);
	}
}

void
clients_free(struct clients *c)
{
	for (size_t i = 0; i < c->conf->sessions; i++)
		buf_free(&c->sessions[i].out);
	free(c->sessions);
	free(c->end_of_data.us);
	free(c->transaction.us);
}
