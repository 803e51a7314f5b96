/* Our SMTP client against servers that say anything. */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buf.h"
#include "net/smtp.h"
#include "t/tap.h"

enum { REPLIES = 12 };

/* A server that says these one after the other: the greeting, then one for
 * each command; behind a 354 it reads up to the dot. NULL: hangs up. SILENT:
 * says nothing more. */
static const char SILENT[] = "";

struct server {
	int listener;
	char name[40];
	const char *const *replies;
	struct buf got;
	pthread_t thread;
};

static bool
read_until(int fd, struct buf *got, size_t from, const char *end)
{
	while (got->len < from + strlen(end) ||
	    memcmp(got->ptr + got->len - strlen(end), end, strlen(end)) != 0) {
		ssize_t n = read(fd, buf_room(got, 1), 1);

		if (n <= 0)
			return false;
		buf_took(got, 1);
	}
	return true;
}

static void *
serve(void *arg)
{
	struct server *s = arg;
	int fd = accept(s->listener, NULL, NULL);
	bool data = false;

	for (size_t i = 0; s->replies[i] != NULL; i++) {
		if (i > 0 && !read_until(fd, &s->got, s->got.len,
		    data ? "\r\n.\r\n" : "\r\n"))
			break;
		if (s->replies[i] == SILENT) {
			char c;

			while (read(fd, &c, 1) > 0)
				;
			break;
		}
		if (write(fd, s->replies[i], strlen(s->replies[i])) < 0)
			break;
		data = strncmp(s->replies[i], "354", 3) == 0;
	}
	close(fd);
	return NULL;
}

/* At a path: a Postfix whose smtpd listens on a socket of its queue. */
static void
start_unix(struct server *s, const char *const *replies)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	*s = (struct server){ .replies = replies,
	    .listener = socket(AF_UNIX, SOCK_STREAM, 0) };
	snprintf(s->name, sizeof s->name, "/tmp/smtp-client.%d",
	    (int)getpid());
	memcpy(un.sun_path, s->name, sizeof s->name);
	unlink(s->name);
	if (bind(s->listener, (struct sockaddr *)&un, sizeof un) != 0 ||
	    listen(s->listener, 5) != 0)
		perror("server");
	pthread_create(&s->thread, NULL, serve, s);
}

static void
start(struct server *s, const char *const *replies)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof in;

	*s = (struct server){ .replies = replies,
	    .listener = socket(AF_INET, SOCK_STREAM, 0) };
	if (bind(s->listener, (struct sockaddr *)&in, sizeof in) != 0 ||
	    listen(s->listener, 5) != 0 ||
	    getsockname(s->listener, (struct sockaddr *)&in, &len) != 0)
		perror("server");
	snprintf(s->name, sizeof s->name, "127.0.0.1:%u",
	    ntohs(in.sin_port));
	pthread_create(&s->thread, NULL, serve, s);
}

static void
end(struct server *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
}

/* A message in pieces of three bytes; `fails` ends it before its end. */
struct source {
	struct slice rest;
	enum rc fails;
};

static enum rc
next(void *arg, struct slice *piece_r, struct slice *why_r)
{
	struct source *s = arg;

	*piece_r = slice_sub(s->rest, 0, 3);
	s->rest = slice_after(s->rest, 3);
	*why_r = SLICE("no more of it");
	return s->rest.len == 0 ? s->fails : RC_OK;
}

#define HI	"220 x ESMTP\r\n"
#define EHLO	"250-x\r\n250-8BITMIME\r\n250-DSN\r\n250 SMTPUTF8\r\n"
#define OK	"250 2.0.0 Ok\r\n"
#define GO	"354 go\r\n"
#define LATER	"450 4.2.0 later\r\n"

static const struct {
	const char *name;
	const char *replies[REPLIES];
	enum rc rc;
	enum smtp_outcome_kind first, second;
	const char *reply;		/* of the first */
} cases[] = {
	{ "taken", { HI, EHLO, OK, OK, OK, GO, "250 2.0.0 queued as 4Z\r\n" },
	  RC_OK, SMTP_TAKEN, SMTP_TAKEN, "250 2.0.0 queued as 4Z" },
	{ "not now at the dot", { HI, EHLO, OK, OK, OK, GO,
	  "452 4.3.1 full\r\n" }, RC_OK, SMTP_NOT_NOW, SMTP_NOT_NOW,
	  "452 4.3.1 full" },
	{ "refused at the dot, in two lines", { HI, EHLO, OK, OK, OK, GO,
	  "550-5.7.1 no,\r\n550 5.7.1 never\x1b[2J\r\n" }, RC_OK,
	  SMTP_REFUSED, SMTP_REFUSED, "550-5.7.1 no, 5.7.1 never?[2J" },
	{ "one recipient refused", { HI, EHLO, OK, "550 5.1.1 who\r\n", OK, GO,
	  OK }, RC_OK, SMTP_REFUSED, SMTP_TAKEN, "550 5.1.1 who" },
	{ "one deferred, then data refused", { HI, EHLO, OK, LATER, OK,
	  "554 5.5.1 no\r\n" }, RC_OK, SMTP_NOT_NOW, SMTP_REFUSED,
	  "450 4.2.0 later" },
	{ "all refused", { HI, EHLO, OK, "550 5.1.1 a\r\n", "550 5.1.1 b\r\n" },
	  RC_OK, SMTP_REFUSED, SMTP_REFUSED, "550 5.1.1 a" },
	{ "sender refused", { HI, EHLO, "553 5.1.8 you\r\n" }, RC_OK,
	  SMTP_REFUSED, SMTP_REFUSED, "553 5.1.8 you" },
	{ "no service", { "421 4.3.2 busy\r\n" }, RC_OK, SMTP_NOT_NOW,
	  SMTP_NOT_NOW, "421 4.3.2 busy" },
	{ "hangs up at once", { NULL }, RC_RETRY, SMTP_NOT_NOW, SMTP_NOT_NOW,
	  "" },
	{ "hangs up before data", { HI, EHLO, OK, OK, OK }, RC_RETRY,
	  SMTP_NOT_NOW, SMTP_NOT_NOW, "" },
	{ "hangs up behind the dot", { HI, EHLO, OK, OK, OK, GO }, RC_RETRY,
	  SMTP_UNSURE, SMTP_UNSURE, "" },
	{ "hangs up there with one refused", { HI, EHLO, OK, "550 5.1.1 a\r\n",
	  OK, GO }, RC_RETRY, SMTP_REFUSED, SMTP_UNSURE, "550 5.1.1 a" },
	{ "speaks another language", { "SSH-2.0-x\r\n" }, RC_RETRY,
	  SMTP_NOT_NOW, SMTP_NOT_NOW, "" },
	{ "a code that changes", { "220-a\r\n221 b\r\n" }, RC_RETRY,
	  SMTP_NOT_NOW, SMTP_NOT_NOW, "" },
	{ "says nothing", { SILENT }, RC_RETRY, SMTP_NOT_NOW, SMTP_NOT_NOW,
	  "" },
	{ "says nothing behind the dot", { HI, EHLO, OK, OK, OK, GO, SILENT },
	  RC_RETRY, SMTP_UNSURE, SMTP_UNSURE, "" },
};

#define MESSAGE	"A: b\r\n\r\n.dot\r\n..\nbare\r\n.\r\nend"
#define ON_WIRE	"H: 1\r\nA: b\r\n\r\n..dot\r\n...\r\nbare\r\n..\r\nend\r\n.\r\n"

static struct arena *arena;

static const struct slice recipients[] = { { "r@example.com", 13 },
    { "s@example.com", 13 } };

static enum rc
try_server(struct server *s, const char *const *replies, struct source *source,
    struct smtp_outcome *outcomes, struct slice *why_r)
{
	struct smtp_mail mail = { .helo = "mx.example.org",
	    .sender = SLICE("a@example.org"), .recipients = recipients,
	    .nrecipients = 2, .body8 = true, .no_dsn = true,
	    .head = SLICE("H: 1\r\n"), .next = next, .arg = source };
	enum rc rc;

	start(s, replies);
	mail.server = s->name;
	mail.deadline = deadline_in(300);
	rc = smtp_send(&mail, outcomes, arena, why_r);
	end(s);
	return rc;
}

static void
test_servers(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct source source = { .rest = SLICE(MESSAGE) };
		struct smtp_outcome o[2];
		struct server s;
		struct slice why;
		enum rc rc = try_server(&s, cases[i].replies, &source, o,
		    &why);

		tap_is_int(rc, cases[i].rc, "%s", cases[i].name);
		tap_is_int(o[0].kind, cases[i].first, "  the first");
		tap_is_int(o[1].kind, cases[i].second, "  the second");
		tap_is(o[0].reply, slice_of(cases[i].reply), "  reply");
		tap_ok((rc == RC_OK) == (why.len == 0), "  why: %.*s",
		    SLICE_ARG(why));
		buf_free(&s.got);
	}
}

static void
test_wire(void)
{
	static const char *const replies[] = { HI, EHLO, OK, OK, OK, GO, OK,
	    NULL };
	struct source source = { .rest = SLICE(MESSAGE) };
	struct smtp_outcome o[2];
	struct server s;
	struct slice why;

	try_server(&s, replies, &source, o, &why);
	tap_is(buf_slice(&s.got), SLICE("EHLO mx.example.org\r\n"
	    "MAIL FROM:<a@example.org> BODY=8BITMIME\r\n"
	    "RCPT TO:<r@example.com> NOTIFY=NEVER\r\n"
	    "RCPT TO:<s@example.com> NOTIFY=NEVER\r\nDATA\r\n" ON_WIRE),
	    "what goes over the wire");
	buf_free(&s.got);
	source = (struct source){ .rest = SLICE("A: b\r\n\r\nhalf"),
	    .fails = RC_BAD };
	tap_is_int(try_server(&s, replies, &source, o, &why), RC_BAD,
	    "a message that ends before its end");
	tap_is(why, SLICE("no more of it"), "it says why");
	tap_ok(slice_search(buf_slice(&s.got), SLICE("\r\n.\r\n")) ==
	    s.got.len, "no dot went out");
	tap_is_int(o[0].kind, SMTP_NOT_NOW, "nobody has it");
	buf_free(&s.got);
}

static void
test_path(void)
{
	static const char *const replies[] = { HI, EHLO, OK, OK, GO, OK,
	    NULL };
	struct smtp_mail mail = { .helo = "x", .recipients = recipients,
	    .nrecipients = 1, .head = SLICE("A: b\r\n\r\n"),
	    .deadline = deadline_in(5000) };
	struct smtp_outcome o;
	struct server s;
	struct slice why;

	start_unix(&s, replies);
	mail.server = s.name;
	tap_is_int(smtp_send(&mail, &o, arena, &why), RC_OK,
	    "a server at a path");
	tap_is(why, SLICE(""), "without trouble");
	tap_is_int(o.kind, SMTP_TAKEN, "it took the message");
	end(&s);
	buf_free(&s.got);
	unlink(s.name);
	tap_is_int(smtp_send(&mail, &o, arena, &why), RC_RETRY,
	    "nobody at a path");
	tap_is(why, arena_printf(arena, "%s: No such file or directory",
	    s.name), "it says where");
}

static void
test_addresses(void)
{
	static const struct { const char *name; struct slice address;
	    bool smtputf8, good; } of[] = {
		{ "plain", SLICE("a@b"), false, true },
		{ "null", SLICE(""), false, true },
		{ "quoted", SLICE("\"a <b\\\" >c\"@d"), false, true },
		{ "a line end", SLICE("a\r\nRCPT TO:<x@y>@b"), false, false },
		{ "a quoted line end", SLICE("\"a\\\nb\"@c"), false, false },
		{ "a bracket", SLICE("a>b@c"), false, false },
		{ "a blank", SLICE("a b@c"), false, false },
		{ "an open quote", SLICE("\"a@c"), false, false },
		{ "a NUL", SLICE("a\0b@c"), false, false },
		{ "UTF-8", SLICE("\xc3\xa4@b"), true, true },
		{ "UTF-8, not saying so", SLICE("\xc3\xa4@b"), false, false },
	};
	char big[SMTP_ADDRESS + 2];

	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		struct smtp_mail mail = { .server = "127.0.0.1:1",
		    .helo = "x", .recipients = &of[i].address,
		    .nrecipients = 1, .smtputf8 = of[i].smtputf8,
		    .deadline = deadline_in(1000) };
		struct smtp_outcome o;
		struct slice why;

		tap_is_int(smtp_send(&mail, &o, arena, &why), of[i].good ?
		    RC_RETRY : RC_BAD, "address: %s", of[i].name);
	}
	memset(big, 'a', sizeof big);
	struct slice long_one = slice_make(big, sizeof big);
	struct smtp_mail mail = { .server = "127.0.0.1:1",
	    .recipients = &long_one, .nrecipients = 1 };
	struct smtp_outcome o;
	struct slice why;
	tap_is_int(smtp_send(&mail, &o, arena, &why), RC_BAD,
	    "address: too long");
}

int
main(void)
{
	static const struct { const char *server; bool good; } servers[] = {
		{ "127.0.0.1:25", true }, { "[::1]:25", true },
		{ "/run/x", true }, { "localhost:25", false },
		{ "127.0.0.1", false }, { "127.0.0.1:0", false },
		{ "127.0.0.1:70000", false }, { "", false }, { ":25", false },
	};

	arena = arena_new();
	test_servers();
	test_wire();
	test_path();
	test_addresses();
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++)
		tap_ok(smtp_server_valid(slice_of(servers[i].server)) ==
		    servers[i].good, "server \"%s\"", servers[i].server);
	arena_free(arena);
	return tap_done();
}
