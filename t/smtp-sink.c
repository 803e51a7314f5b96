/*
 * smtp-sink - where mail of a test arrives
 *
 *	smtp-sink --store DIR [--port N] [--rules FILE] [--discard]
 *
 * Listens on 127.0.0.1 (any free port unless told one), says "port N" on
 * standard output and takes mail until it gets SIGTERM. Each message becomes
 * one file, DIR/00000001.msg and so on, in the order of their last dots: lines
 * "client", "helo", "mail", "rcpt" (one each), an empty line, and then the
 * bytes as they came, dots unstuffed, nothing else touched. A file appears
 * whole, and before its 250 goes out. With --discard nothing is stored, only
 * counted: the number stands in DIR/count at the end.
 *
 * Rules are lines "STAGE ADDRESS ANSWER", read anew for each connection:
 *	connect * 421 4.3.2 not now
 *	rcpt full@example.org 452 4.2.2 mailbox full
 *	rcpt slow@example.org delay 1500	(milliseconds, then 250)
 *	data late@example.org 451 4.3.0 later	(any accepted recipient)
 *	data * close				(hangs up, nothing stored)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"

enum {
	SESSIONS_MAX	= 4096,
	LINE_MAX_BYTES	= 65536,
	RULES_MAX	= 256,
	READ_BYTES	= 65536,
};

enum state { COMMAND, DATA, GONE };

/* Where in CRLF.CRLF the reader stands. */
enum mark { MID, CR, LINE, DOT, DOT_CR };

struct rule {
	char stage[16], address[256], answer[512];
};

struct session {
	int fd;
	enum state state;
	enum mark mark;
	struct buf in, out, envelope;
	size_t seen;			/* of in: already scanned or used */
	char client[64], helo[512];
	bool mail;
	unsigned rcpts;
	FILE *store;
	struct rule *rules;		/* RULES_MAX of them, if any */
	unsigned nrules;
	deadline_t wake;		/* not 0: answers wait until then */
	char late[512];			/* what waits */
	char verdict[512];		/* what the last dot will get */
};

static const char *store_dir, *rules_path;
static bool discard;
static unsigned long stored, numbered;
static volatile sig_atomic_t stopping;
static struct session *sessions[SESSIONS_MAX];
static size_t nsessions;

static void
fail(const char *what)
{
	fprintf(stderr, "smtp-sink: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
say(struct session *s, const char *answer)
{
	buf_addf(&s->out, "%s\r\n", answer);
}

/* The answer that the rules have for this stage and address, or NULL. */
static const char *
rule_find(const struct session *s, const char *stage, const char *address)
{
	for (unsigned i = 0; i < s->nrules; i++)
		if (strcmp(s->rules[i].stage, stage) == 0 &&
		    (strcmp(s->rules[i].address, "*") == 0 ||
		    strcasecmp(s->rules[i].address, address) == 0))
			return s->rules[i].answer;
	return NULL;
}

static void
rules_read(struct session *s)
{
	FILE *f = rules_path != NULL ? fopen(rules_path, "r") : NULL;
	char line[1024];

	if (f != NULL)
		s->rules = mem_alloc(RULES_MAX * sizeof *s->rules);
	while (f != NULL && s->nrules < RULES_MAX &&
	    fgets(line, sizeof line, f) != NULL) {
		struct rule *r = &s->rules[s->nrules];

		if (sscanf(line, "%15s %255s %511[^\r\n]", r->stage,
		    r->address, r->answer) == 3 && r->stage[0] != '#')
			s->nrules++;
	}
	if (f != NULL)
		fclose(f);
}

/* Answers as the rule says; false when the answer is not a good one. */
static bool
obey(struct session *s, const char *rule, const char *good)
{
	if (rule == NULL) {
		say(s, good);
		return true;
	}
	if (strcmp(rule, "close") == 0) {
		s->state = GONE;
		return false;
	}
	if (strncmp(rule, "delay ", 6) == 0) {
		s->wake = deadline_in(atol(rule + 6));
		snprintf(s->late, sizeof s->late, "%s", good);
		return true;
	}
	say(s, rule);
	if (strncmp(rule, "421", 3) == 0)
		s->state = GONE;
	return rule[0] == '2';
}

static void
envelope_reset(struct session *s)
{
	if (s->store != NULL) {
		char path[4096];

		snprintf(path, sizeof path, "%s/.%d.tmp", store_dir, s->fd);
		fclose(s->store);
		unlink(path);
		s->store = NULL;
	}
	buf_clear(&s->envelope);
	s->mail = false;
	s->rcpts = 0;
	snprintf(s->verdict, sizeof s->verdict, "%s", "");
}

static void
ehlo(struct session *s, const char *line, bool extended)
{
	envelope_reset(s);
	snprintf(s->helo, sizeof s->helo, "%.500s", line + 4 + (line[4] == ' '));
	if (extended)
		say(s, "250-sink.test\r\n250-PIPELINING\r\n250-SIZE\r\n"
		    "250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n"
		    "250 ENHANCEDSTATUSCODES");
	else
		say(s, "250 sink.test");
}

/* What stands between < and >; empty when there is none. */
static const char *
address_of(const char *line, char *out, size_t size)
{
	const char *from = strchr(line, '<');
	const char *to = from != NULL ? strchr(from, '>') : NULL;

	out[0] = '\0';
	if (to != NULL)
		snprintf(out, size, "%.*s", (int)(to - from - 1), from + 1);
	return out;
}

static void
mail(struct session *s, const char *line)
{
	char address[512];

	if (s->mail) {
		say(s, "503 5.5.1 nested MAIL");
		return;
	}
	s->mail = obey(s, rule_find(s, "mail",
	    address_of(line, address, sizeof address)), "250 2.1.0 ok");
	if (s->mail)
		buf_addf(&s->envelope, "client %s\nhelo %s\nmail %s\n",
		    s->client, s->helo, line + 10);
}

static void
rcpt(struct session *s, const char *line)
{
	char address[512];
	const char *last;

	if (!s->mail) {
		say(s, "503 5.5.1 MAIL first");
		return;
	}
	address_of(line, address, sizeof address);
	if (!obey(s, rule_find(s, "rcpt", address), "250 2.1.5 ok"))
		return;
	s->rcpts++;
	buf_addf(&s->envelope, "rcpt %s\n", line + 8);
	last = rule_find(s, "data", address);
	if (last != NULL)
		snprintf(s->verdict, sizeof s->verdict, "%s", last);
}

static void
data(struct session *s)
{
	char path[4096];

	if (s->rcpts == 0) {
		say(s, "503 5.5.1 RCPT first");
		return;
	}
	if (!discard) {
		snprintf(path, sizeof path, "%s/.%d.tmp", store_dir, s->fd);
		s->store = fopen(path, "w");
		if (s->store == NULL)
			fail(path);
		fwrite(s->envelope.ptr, 1, s->envelope.len, s->store);
		putc('\n', s->store);
	}
	say(s, "354 go on");
	s->state = DATA;
	s->mark = LINE;
}

static void
message_keep(struct session *s)
{
	char from[4096], to[4096];

	stored++;
	if (s->store == NULL)
		return;
	snprintf(from, sizeof from, "%s/.%d.tmp", store_dir, s->fd);
	snprintf(to, sizeof to, "%s/%08lu.msg", store_dir, ++numbered);
	if (fclose(s->store) != 0)
		fail(from);
	s->store = NULL;
	if (rename(from, to) != 0)
		fail(to);
}

static void
message_end(struct session *s)
{
	const char *rule = s->verdict[0] != '\0' ? s->verdict : NULL;

	s->state = COMMAND;
	if (rule == NULL || rule[0] == '2' || strncmp(rule, "delay", 5) == 0)
		message_keep(s);
	obey(s, rule, "250 2.0.0 kept");
	envelope_reset(s);
}

static void
command(struct session *s, const char *line)
{
	if (strncasecmp(line, "EHLO", 4) == 0)
		ehlo(s, line, true);
	else if (strncasecmp(line, "HELO", 4) == 0)
		ehlo(s, line, false);
	else if (strncasecmp(line, "MAIL FROM:", 10) == 0)
		mail(s, line);
	else if (strncasecmp(line, "RCPT TO:", 8) == 0)
		rcpt(s, line);
	else if (strcasecmp(line, "DATA") == 0)
		data(s);
	else if (strcasecmp(line, "RSET") == 0) {
		envelope_reset(s);
		say(s, "250 2.0.0 ok");
	} else if (strncasecmp(line, "NOOP", 4) == 0)
		say(s, "250 2.0.0 ok");
	else if (strcasecmp(line, "QUIT") == 0) {
		say(s, "221 2.0.0 bye");
		s->state = GONE;
	} else
		say(s, "502 5.5.2 what?");
}

/* One command line, when a whole one is there. */
static bool
take_line(struct session *s)
{
	char *from = s->in.ptr + s->seen, *end;
	size_t left = s->in.len - s->seen;

	end = left > 0 ? memchr(from, '\n', left) : NULL;
	if (end == NULL) {
		if (left > LINE_MAX_BYTES)
			s->state = GONE;
		return false;
	}
	s->seen += (size_t)(end - from) + 1;
	*end = '\0';
	if (end > from && end[-1] == '\r')
		end[-1] = '\0';
	command(s, from);
	return true;
}

static void
keep(struct session *s, const char *bytes, size_t len)
{
	if (s->store != NULL)
		fwrite(bytes, 1, len, s->store);
}

/* One byte of a message. The CR that may belong to the last dot is held
 * back until it is known not to. Only CRLF.CRLF ends a message. */
static void
data_byte(struct session *s, char c)
{
	switch (s->mark) {
	case DOT_CR:
		if (c == '\n') {
			message_end(s);
			return;
		}
		keep(s, "\r", 1);
		break;
	case DOT:
		if (c == '\r') {
			s->mark = DOT_CR;
			return;
		}
		break;
	case LINE:
		if (c == '.') {
			s->mark = DOT;
			return;
		}
		break;
	case CR:
		if (c == '\n') {
			keep(s, &c, 1);
			s->mark = LINE;
			return;
		}
		break;
	case MID:
		break;
	}
	keep(s, &c, 1);
	s->mark = c == '\r' ? CR : MID;
}

/* Runs without CR, LF or dots at a line's start go in one piece. */
static bool
take_data(struct session *s)
{
	const char *from = s->in.ptr + s->seen;
	size_t left = s->in.len - s->seen, run;
	const char *cr;

	if (left == 0)
		return false;
	if (s->mark == MID) {
		cr = memchr(from, '\r', left);
		run = cr != NULL ? (size_t)(cr - from) : left;
		keep(s, from, run);
		s->seen += run;
		if (run == left)
			return false;
		from += run;
	}
	s->seen++;
	data_byte(s, *from);
	return true;
}

static void
digest(struct session *s)
{
	while (s->state != GONE && s->wake == 0)
		if (!(s->state == DATA ? take_data(s) : take_line(s)))
			break;
	if (s->seen == s->in.len) {
		buf_clear(&s->in);
		s->seen = 0;
	} else if (s->seen > READ_BYTES) {
		memmove(s->in.ptr, s->in.ptr + s->seen, s->in.len - s->seen);
		s->in.len -= s->seen;
		s->seen = 0;
	}
}

static void
session_new(int listener)
{
	struct sockaddr_in peer = { .sin_family = AF_INET };
	socklen_t len = sizeof peer;
	int fd = accept4(listener, (struct sockaddr *)&peer, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;
	struct session *s;

	if (fd < 0)
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	s = calloc(1, sizeof *s);
	if (s == NULL)
		fail("memory");
	s->fd = fd;
	snprintf(s->client, sizeof s->client, "%s:%u",
	    inet_ntoa(peer.sin_addr), (unsigned)ntohs(peer.sin_port));
	rules_read(s);
	sessions[nsessions++] = s;
	obey(s, rule_find(s, "connect", s->client), "220 sink.test ESMTP");
}

static void
session_free(size_t i)
{
	struct session *s = sessions[i];

	envelope_reset(s);
	close(s->fd);
	buf_free(&s->in);
	buf_free(&s->out);
	buf_free(&s->envelope);
	free(s->rules);
	free(s);
	sessions[i] = sessions[--nsessions];
}

static void
session_read(struct session *s)
{
	ssize_t got = read(s->fd, buf_room(&s->in, READ_BYTES), READ_BYTES);

	if (got > 0) {
		buf_took(&s->in, (size_t)got);
		digest(s);
	} else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
		s->state = GONE;
		buf_clear(&s->out);
	}
}

static void
session_write(struct session *s)
{
	ssize_t put = send(s->fd, s->out.ptr, s->out.len, MSG_NOSIGNAL);

	if (put > 0) {
		memmove(s->out.ptr, s->out.ptr + put, s->out.len - (size_t)put);
		s->out.len -= (size_t)put;
	} else if (errno != EAGAIN && errno != EINTR) {
		s->state = GONE;
		buf_clear(&s->out);
	}
}

/* An answer that was held back is due. */
static void
session_wake(struct session *s)
{
	if (s->wake == 0 || deadline_left(s->wake) > 0)
		return;
	s->wake = 0;
	say(s, s->late);
	digest(s);
}

static int
poll_fill(struct pollfd *polls, int listener)
{
	int64_t wait = 1000;

	polls[0] = (struct pollfd){ listener,
	    nsessions < SESSIONS_MAX ? POLLIN : 0, 0 };
	for (size_t i = 0; i < nsessions; i++) {
		struct session *s = sessions[i];
		short events = s->out.len > 0 ? POLLOUT : 0;

		if (s->wake != 0 && deadline_left(s->wake) < wait)
			wait = deadline_left(s->wake);
		if (s->wake == 0 && s->state != GONE)
			events |= POLLIN;
		polls[i + 1] = (struct pollfd){ s->fd, events, 0 };
	}
	return (int)wait;
}

static void
serve_once(struct pollfd *polls, int listener)
{
	int wait = poll_fill(polls, listener);
	size_t polled = nsessions;

	if (poll(polls, polled + 1, wait) < 0 && errno != EINTR)
		fail("poll");
	for (size_t i = polled; i-- > 0; ) {
		struct session *s = sessions[i];

		if (polls[i + 1].revents & (POLLIN | POLLHUP | POLLERR))
			session_read(s);
		session_wake(s);
		if (s->out.len > 0)
			session_write(s);
		if (s->state == GONE && s->out.len == 0)
			session_free(i);
	}
	if (polls[0].revents & POLLIN)
		session_new(listener);
}

static int
listen_on(unsigned port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
	    .sin_port = htons((uint16_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 ||
	    listen(fd, 1024) != 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) != 0)
		fail("bind");
	printf("port %u\n", (unsigned)ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

static void
stop(int sig)
{
	(void)sig;
	stopping = 1;
}

static void
count_write(void)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof path, "%s/count", store_dir);
	f = fopen(path, "w");
	if (f == NULL || fprintf(f, "%lu\n", stored) < 0 || fclose(f) != 0)
		fail(path);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "store", required_argument, NULL, 's' },
		{ "port", required_argument, NULL, 'p' },
		{ "rules", required_argument, NULL, 'r' },
		{ "discard", no_argument, NULL, 'd' },
		{ NULL, 0, NULL, 0 }
	};
	static struct pollfd polls[SESSIONS_MAX + 1];
	unsigned port = 0;
	int c, listener;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1)
		switch (c) {
		case 's': store_dir = optarg; break;
		case 'p': port = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'r': rules_path = optarg; break;
		case 'd': discard = true; break;
		default: return 2;
		}
	if (store_dir == NULL || optind != argc) {
		fprintf(stderr, "usage: smtp-sink --store DIR [--port N] "
		    "[--rules FILE] [--discard]\n");
		return 2;
	}
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	listener = listen_on(port);
	while (!stopping)
		serve_once(polls, listener);
	while (nsessions > 0)
		session_free(nsessions - 1);
	count_write();
	return 0;
}
