/*
 * sessions - many milter sessions at once, as Postfix would hold them
 *
 *	sessions --socket unix:PATH [--sessions 500] [--messages 1]
 *	    [--body BYTES] [--hold body|end] [--patience 60]
 *
 * Each session negotiates, connects and brings a message as far as its end;
 * when all are there, all send the end of message in one breath. Later
 * messages of a session follow without waiting for the others. Prints "name
 * value" lines; eod is from end of message to the answer. With --hold it says
 * "holding" when all are there (body: before the end of message is sent; end:
 * after, while the milter works on it), waits for a line on standard input
 * and goes on. Exit status 1 when a message got no answer or a wrong one.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "bench/figures.h"
#include "bench/loop.h"
#include "milter/wire.h"

enum { CHUNK = 65535, SESSIONS_MAX = 5000, BODY_MAX = 100000000,
    FIELDS = 4 };

/* SLICE() for a static table. */
#define LITERAL(lit)	{ lit, sizeof (lit) - 1 }

enum hold { HOLD_NOT, HOLD_BODY, HOLD_END };

struct options {
	const char *socket;
	uint64_t sessions, messages, body, patience;
	enum hold hold;
};

/* Where the second message of a session begins: behind CONNECT and HELO. */
enum { AGAIN = 2 };

struct session {
	struct watch watch;		/* first: the loop gives it back */
	struct crowd *crowd;
	bool waiting;			/* for the others */
	char asked;			/* the command whose answer is due */
	uint32_t protocol;
	size_t at, field, body_sent, messages;
	int64_t ended;			/* end of message went out */
	struct buf out;
	size_t out_at;
	struct buf in;
};

struct crowd {
	const struct options *o;
	struct loop loop;
	struct session *sessions;
	size_t arrived, running, answered, wrong;
	bool released;
	char *body;
	struct figures eod;
	int64_t first, last;
};

static void
packet(struct session *s, char code, struct slice data)
{
	wire_put(&s->out, code, data);
}

static void
session_close(struct session *s)
{
	loop_close(&s->crowd->loop, &s->watch);
	buf_free(&s->out);
	buf_free(&s->in);
	s->crowd->running--;
}

static void
flush(struct session *s)
{
	struct buf *b = &s->out;
	ssize_t n = write(s->watch.fd, b->ptr + s->out_at, b->len - s->out_at);

	if (n < 0 && errno != EAGAIN)
		bench_die("write: %s", strerror(errno));
	s->out_at += n > 0 ? (size_t)n : 0;
	if (s->out_at == b->len) {
		buf_clear(b);
		s->out_at = 0;
	}
	loop_writes(&s->crowd->loop, &s->watch, b->len > 0);
}

static void
macros(struct session *s, char code)
{
	static const char mail[] = "M{mail_addr}\0user@client.test\0"
	    "{mail_mailer}\0smtp\0";
	static const char connect[] = "Cj\0mx.bench.test\0{daemon_name}\0"
	    "smtpd\0{client_addr}\0" "192.0.2.25\0{client_name}\0client.test";
	char id[64];

	if (code == 'C')
		packet(s, 'D', slice_make(connect, sizeof connect));
	if (code == 'M')
		packet(s, 'D', slice_make(mail, sizeof mail - 1));
	if (code == 'T' || code == 'E') {
		int n = snprintf(id, sizeof id, "%ci%c4BENCH%05zu%03zu", code,
		    0, (size_t)(s - s->crowd->sessions), s->messages);
		packet(s, 'D', slice_make(id, (size_t)n + 1));
	}
}

static void
add_field(struct session *s)
{
	static const struct slice fields[FIELDS] = {
		LITERAL("From\0 User <user@client.test>\0"),
		LITERAL("To\0 <user@bench.test>\0"),
		LITERAL("Subject\0 one of many\0"),
		LITERAL("Content-Type\0 text/plain\0"),
	};

	packet(s, 'L', fields[s->field++]);
}

/* One packet of the command at hand; true when another of it is to follow. */
static bool
send_command(struct session *s, char code)
{
	static const char client[] = "client.test\0" "4\x9c\x40" "192.0.2.25";
	struct crowd *c = s->crowd;
	size_t len;

	if (code != 'L' && code != 'B')
		macros(s, code);
	switch (code) {
	case 'C':
		packet(s, 'C', slice_make(client, sizeof client));
		return false;
	case 'H':
		packet(s, 'H', SLICE("client.test\0"));
		return false;
	case 'M':
		packet(s, 'M', SLICE("<user@client.test>\0"));
		return false;
	case 'R':
		packet(s, 'R', SLICE("<user@bench.test>\0"));
		return false;
	case 'L':
		add_field(s);
		return s->field < FIELDS;
	case 'B':
		len = c->o->body - s->body_sent;
		len = len < CHUNK ? len : CHUNK;
		packet(s, 'B', slice_make(c->body, len));
		s->body_sent += len;
		return s->body_sent < c->o->body;
	default:
		packet(s, code, SLICE(""));
		return false;
	}
}

static void
end_message(struct session *s)
{
	struct crowd *c = s->crowd;

	s->waiting = false;
	send_command(s, 'E');
	s->asked = 'E';
	s->ended = clock_mono_us();
	if (c->first == 0)
		c->first = s->ended;
	flush(s);
}

static void
wait_for_line(void)
{
	char line[16];

	puts("holding");
	fflush(stdout);
	if (fgets(line, sizeof line, stdin) == NULL)
		bench_die("nobody said to go on");
}

static void
release(struct crowd *c)
{
	c->released = true;
	if (c->o->hold == HOLD_BODY)
		wait_for_line();
	for (size_t i = 0; i < c->o->sessions; i++)
		if (c->sessions[i].waiting)
			end_message(&c->sessions[i]);
	if (c->o->hold == HOLD_END)
		wait_for_line();
}

/* Everything is written and only the end of message is left. */
static void
arrive(struct session *s)
{
	struct crowd *c = s->crowd;

	if (c->released) {
		end_message(s);
		return;
	}
	s->waiting = true;
	if (++c->arrived == c->o->sessions)
		release(c);
}

/* Sends what may go out now: up to the next command that gets an answer. */
static void
session_go_on(struct session *s)
{
	s->asked = 0;
	while (s->out.len == 0) {
		const struct wire_command *c = &wire_commands[s->at];

		if (c->code == 'E') {
			arrive(s);
			return;
		}
		if (s->protocol & c->no) {
			s->at++;
			continue;
		}
		if (!send_command(s, c->code))
			s->at++;
		flush(s);
		if (!(s->protocol & c->no_reply)) {
			s->asked = c->code;
			return;
		}
	}
}

static void
negotiated(struct session *s, struct slice data)
{
	struct wire_terms terms;

	if (!wire_agreed(data, &terms))
		bench_die("a negotiation of %zu bytes", data.len);
	s->protocol = terms.protocol;
	session_go_on(s);
}

static void
finish(struct session *s, char code)
{
	struct crowd *c = s->crowd;

	c->last = clock_mono_us();
	figures_add(&c->eod, c->last - s->ended);
	c->answered++;
	if (code != 'c' && code != 'a')
		c->wrong++;
	s->field = s->body_sent = 0;
	s->at = AGAIN;
	packet(s, ++s->messages < c->o->messages ? 'A' : 'Q', SLICE(""));
	flush(s);
	if (s->messages < c->o->messages)
		session_go_on(s);
	else
		session_close(s);
}

static void
take(struct session *s, char code, struct slice data)
{
	if (code == 'p')
		return;
	if (s->asked == 'O' && code == 'O') {
		negotiated(s, data);
	} else if (s->asked == 'E') {
		if (strchr("catrdy", code) != NULL)
			finish(s, code);
	} else if (code == 's' && s->asked == 'B') {
		s->at = (size_t)(wire_command('E') - wire_commands);
		session_go_on(s);
	} else if (code == 'c' && s->asked != 0) {
		session_go_on(s);
	} else {
		bench_die("answer '%c' to '%c'", code, s->asked);
	}
}

static void
take_packets(struct session *s)
{
	struct slice rest = buf_slice(&s->in), data;
	enum rc rc;
	char code;

	while ((rc = wire_take(&rest, &code, &data)) == RC_OK) {
		take(s, code, data);
		if (s->watch.fd < 0)
			return;
	}
	if (rc == RC_BAD)
		bench_die("a packet of no length, or too long");
	if (rest.len > 0)
		memmove(s->in.ptr, rest.ptr, rest.len);
	s->in.len = rest.len;
}

static void
session_ready(struct watch *w, uint32_t events)
{
	struct session *s = (struct session *)(void *)w;
	ssize_t n = read(w->fd, buf_room(&s->in, 4096), 4096);

	(void)events;
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		s->crowd->wrong++;
		session_close(s);
		return;
	}
	if (n > 0) {
		buf_took(&s->in, (size_t)n);
		take_packets(s);
	}
	if (w->fd >= 0 && w->writes) {
		flush(s);
		if (s->out.len == 0 && s->asked == 0 && !s->waiting)
			session_go_on(s);
	}
}

static void
crowd_start(struct crowd *c)
{
	c->sessions = mem_alloc(c->o->sessions * sizeof *c->sessions);
	memset(c->sessions, 0, c->o->sessions * sizeof *c->sessions);
	c->running = c->o->sessions;
	for (size_t i = 0; i < c->o->sessions; i++) {
		struct session *s = &c->sessions[i];

		s->crowd = c;
		s->watch.ready = session_ready;
		loop_add(&c->loop, &s->watch, net_connect(c->o->socket));
		wire_offer(&s->out);
		s->asked = 'O';
		flush(s);
	}
}

static char *
make_body(void)
{
	char *body = mem_alloc(CHUNK);

	for (size_t i = 0; i < CHUNK; i++)
		body[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : 'x';
	return body;
}

static uint64_t
number(const char *text, uint64_t max)
{
	uint64_t value;

	if (!slice_number(slice_of(text), max, &value) || value == 0)
		bench_die("%s: not a number from 1 to %llu", text,
		    (unsigned long long)max);
	return value;
}

static void
set_option(struct options *o, int c, const char *arg)
{
	switch (c) {
	case 's': o->socket = arg; break;
	case 'n': o->sessions = number(arg, SESSIONS_MAX); break;
	case 'm': o->messages = number(arg, 1000000); break;
	case 'b': o->body = number(arg, BODY_MAX); break;
	case 'w': o->patience = number(arg, 86400); break;
	case 'h':
		o->hold = strcmp(arg, "body") == 0 ? HOLD_BODY : HOLD_END;
		break;
	default:
		bench_die("usage: sessions --socket unix:PATH [--sessions N] "
		    "[--messages N] [--body BYTES] [--hold body|end] "
		    "[--patience SECONDS]");
	}
}

static struct options
read_options(int argc, char **argv)
{
	static const struct option longs[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "sessions", required_argument, NULL, 'n' },
		{ "messages", required_argument, NULL, 'm' },
		{ "body", required_argument, NULL, 'b' },
		{ "hold", required_argument, NULL, 'h' },
		{ "patience", required_argument, NULL, 'w' },
		{ 0 },
	};
	struct options o = { .sessions = 500, .messages = 1, .body = 4096,
	    .patience = 60 };
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
		set_option(&o, c, optarg);
	if (o.socket == NULL || optind != argc)
		set_option(&o, '?', NULL);
	return o;
}

int
main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct crowd c = { .o = &o, .loop = loop_new(),
	    .body = make_body() };
	uint64_t want = o.sessions * o.messages;

	crowd_start(&c);
	while (c.running > 0)
		if (!loop_run(&c.loop, (int)o.patience * 1000))
			break;
	printf("answered %zu\nwrong %zu\n", c.answered, c.wrong);
	printf("seconds %.3f\n", (double)(c.last - c.first) / 1e6);
	figures_print(&c.eod, "eod");
	free(c.sessions);
	free(c.body);
	free(c.eod.us);
	return c.answered == want && c.wrong == 0 ? 0 : 1;
}
