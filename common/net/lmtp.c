#include "net/lmtp.h"

#include <stdlib.h>
#include <string.h>

/* --- letters ----------------------------------------------------------- */

static struct lmtp_mail *
mail_new(struct spool_budget *budget)
{
	struct lmtp_mail *letter = mem_alloc(sizeof *letter);

	*letter = (struct lmtp_mail){ .arena = arena_new(),
	    .sender = SLICE(""), .dsn = SLICE(""), .xforward = SLICE(""),
	    .queue_id = SLICE("") };
	spool_init(&letter->spool, budget);
	return letter;
}

void
lmtp_mail_free(struct lmtp_mail *letter)
{
	if (letter == NULL)
		return;
	spool_free(&letter->spool);
	arena_free(letter->arena);
	free(letter);
}

static void
add_recipient(struct lmtp_mail *letter, struct slice address, struct slice dsn)
{
	if (letter->nrecipients == letter->room) {
		struct lmtp_recipient *more;

		letter->room = letter->room > 0 ? letter->room * 2 : 8;
		more = arena_array(letter->arena, letter->room, sizeof *more);
		if (letter->nrecipients > 0)
			memcpy(more, letter->recipients,
			    letter->nrecipients * sizeof *more);
		letter->recipients = more;
	}
	letter->recipients[letter->nrecipients++] =
	    (struct lmtp_recipient){ arena_copy(letter->arena, address),
	    dsn };
}

/* --- answers ----------------------------------------------------------- */

static void
say(struct lmtp *l, const char *reply)
{
	buf_adds(&l->out, reply);
	buf_adds(&l->out, "\r\n");
}

static void
complain(struct lmtp *l, const char *reply)
{
	if (++l->errors <= LMTP_ERRORS) {
		say(l, reply);
		return;
	}
	say(l, "421 4.7.0 too many errors");
	l->state = LMTP_GONE;
}

void
lmtp_answer(struct lmtp *l, struct slice reply)
{
	buf_add(&l->out, reply);
	buf_adds(&l->out, "\r\n");
}

/* --- parameters of MAIL and RCPT --------------------------------------- */

/* Printable ASCII, or UTF-8 of SMTPUTF8; it is sent on as it is. */
static bool
clean(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 0x7f)
			return false;
	return s.len > 0;
}

/*
 * The path after "FROM:" or "TO:", without its brackets; what follows it in
 * *rest_r. Quotes hide brackets; a route is part of the address.
 */
static bool
read_path(struct slice s, struct slice *path_r, struct slice *rest_r)
{
	bool quoted = false;
	size_t i = 1;

	s = slice_trim(s);
	if (!slice_starts(s, SLICE("<")))
		return false;
	for (; i < s.len && (quoted || s.ptr[i] != '>'); i++) {
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return false;
		if (s.ptr[i] == '\\' && quoted && i + 1 < s.len &&
		    (unsigned char)s.ptr[i + 1] >= ' ')
			i++;
		else if (s.ptr[i] == '"')
			quoted = !quoted;
		else if (!quoted && (s.ptr[i] == ' ' || s.ptr[i] == '<'))
			return false;
	}
	if (i >= s.len || i - 1 > LMTP_ADDRESS)
		return false;
	*path_r = slice_sub(s, 1, i - 1);
	*rest_r = slice_after(s, i + 1);
	return rest_r->len == 0 || rest_r->ptr[0] == ' ';
}

/* The next NAME or NAME=value; false at the end. */
static bool
next_parameter(struct slice *rest, struct slice *name_r, struct slice *all_r)
{
	do {
		if (rest->ptr == NULL || rest->len == 0)
			return false;
		*all_r = slice_trim(slice_cut(*rest, ' ', rest));
	} while (all_r->len == 0);
	*name_r = slice_sub(*all_r, 0, slice_find(*all_r, '='));
	return true;
}

static void
keep(struct slice parameter, struct buf *dsn)
{
	if (dsn->len > 0)
		buf_addc(dsn, ' ');
	buf_add(dsn, parameter);
}

/* NULL, or the answer to a parameter that is none. */
static const char *
mail_parameter(struct lmtp_mail *letter, struct slice name, struct slice all,
    struct buf *dsn)
{
	uint64_t n;

	if (!clean(all))
		return "501 5.5.4 malformed parameter";
	if (slice_eq_nocase(all, SLICE("SMTPUTF8")))
		letter->smtputf8 = true;
	else if (slice_eq_nocase(all, SLICE("BODY=8BITMIME")))
		letter->body8 = true;
	else if (slice_eq_nocase(name, SLICE("RET")) ||
	    slice_eq_nocase(name, SLICE("ENVID")))
		keep(all, dsn);
	else if (slice_eq_nocase(name, SLICE("SIZE")) &&
	    !slice_number(slice_after(all, 5), INT64_MAX, &n))
		return "501 5.5.4 SIZE wants a number";
	else if (!slice_eq_nocase(name, SLICE("SIZE")) &&
	    !slice_eq_nocase(name, SLICE("AUTH")) &&
	    !slice_eq_nocase(all, SLICE("BODY=7BIT")))
		return "555 5.5.4 unknown parameter";
	return NULL;
}

static const char *
rcpt_parameter(struct slice name, struct slice all, struct buf *dsn)
{
	if (!clean(all))
		return "501 5.5.4 malformed parameter";
	if (!slice_eq_nocase(name, SLICE("NOTIFY")) &&
	    !slice_eq_nocase(name, SLICE("ORCPT")))
		return "555 5.5.4 unknown parameter";
	keep(all, dsn);
	return NULL;
}

/* --- commands ---------------------------------------------------------- */

static void
do_lhlo(struct lmtp *l, struct slice rest)
{
	if (slice_trim(rest).len == 0) {
		complain(l, "501 5.5.4 LHLO wants a name");
		return;
	}
	lmtp_next(l);
	l->greeted = true;
	buf_addf(&l->out, "250-%s\r\n250-PIPELINING\r\n250-SIZE\r\n"
	    "250-8BITMIME\r\n250-SMTPUTF8\r\n250-ENHANCEDSTATUSCODES\r\n"
	    "250-DSN\r\n"
	    "250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n",
	    l->hostname);
}

static void
do_mail(struct lmtp *l, struct slice rest)
{
	struct lmtp_mail *letter = l->letter;
	struct buf dsn = buf_in(letter->arena);
	struct slice path, name, all;
	const char *wrong = NULL;

	if (!l->greeted || l->mail) {
		complain(l, l->mail ? "503 5.5.1 nested MAIL" :
		    "503 5.5.1 LHLO first");
		return;
	}
	if (!slice_starts_nocase(rest, SLICE("FROM:")) ||
	    !read_path(slice_after(rest, 5), &path, &rest)) {
		complain(l, "501 5.1.7 that is no reverse-path");
		return;
	}
	letter->smtputf8 = letter->body8 = false;
	while (wrong == NULL && next_parameter(&rest, &name, &all))
		wrong = mail_parameter(letter, name, all, &dsn);
	if (wrong != NULL) {
		complain(l, wrong);
		return;
	}
	letter->sender = arena_copy(letter->arena, path);
	letter->dsn = buf_slice(&dsn);
	l->mail = true;
	say(l, "250 2.1.0 Ok");
}

static void
do_rcpt(struct lmtp *l, struct slice rest)
{
	struct lmtp_mail *letter = l->letter;
	struct buf dsn = buf_in(letter->arena);
	struct slice path, name, all;
	const char *wrong = NULL;

	if (!l->mail) {
		complain(l, "503 5.5.1 MAIL first");
		return;
	}
	if (letter->nrecipients >= LMTP_RECIPIENTS) {
		say(l, "452 4.5.3 too many recipients");
		return;
	}
	if (!slice_starts_nocase(rest, SLICE("TO:")) ||
	    !read_path(slice_after(rest, 3), &path, &rest) ||
	    path.len == 0) {
		complain(l, "501 5.1.3 that is no forward-path");
		return;
	}
	while (wrong == NULL && next_parameter(&rest, &name, &all))
		wrong = rcpt_parameter(name, all, &dsn);
	if (wrong != NULL) {
		complain(l, wrong);
		return;
	}
	add_recipient(letter, path, buf_slice(&dsn));
	say(l, "250 2.1.5 Ok");
}

static void
do_data(struct lmtp *l, struct slice rest)
{
	if (slice_trim(rest).len > 0) {
		complain(l, "501 5.5.4 DATA has no argument");
		return;
	}
	if (l->letter->nrecipients == 0) {
		complain(l, "503 5.5.1 nobody to deliver to");
		return;
	}
	l->state = LMTP_DATA;
	l->line = true;
	l->cr = false;
	say(l, "354 End with <CRLF>.<CRLF>");
}

/* xtext (RFC 3461, 4). A queue id is letters and digits. */
static struct slice
queue_id_of(struct arena *a, struct slice value)
{
	return ascii_all_of(value, "") && value.len <= 40 ?
	    arena_copy(a, value) : SLICE("");
}

static void
do_xforward(struct lmtp *l, struct slice rest)
{
	struct lmtp_mail *letter = l->letter;
	struct buf all = buf_in(letter->arena);
	struct slice name, one;

	if (!l->greeted || l->mail) {
		complain(l, "503 5.5.1 not now");
		return;
	}
	buf_add(&all, letter->xforward);
	while (next_parameter(&rest, &name, &one)) {
		if (!clean(one) || name.len == one.len ||
		    !ascii_all_of(name, "") || all.len > LMTP_LINE) {
			complain(l, "501 5.5.4 malformed attribute");
			return;
		}
		if (slice_eq_nocase(name, SLICE("IDENT")))
			letter->queue_id = queue_id_of(letter->arena,
			    slice_after(one, 6));
		keep(one, &all);
	}
	letter->xforward = buf_slice(&all);
	say(l, "250 2.0.0 Ok");
}

static void
do_rset(struct lmtp *l, struct slice rest)
{
	(void)rest;
	lmtp_next(l);
	say(l, "250 2.0.0 Ok");
}

static void
do_noop(struct lmtp *l, struct slice rest)
{
	(void)rest;
	say(l, "250 2.0.0 Ok");
}

static void
do_quit(struct lmtp *l, struct slice rest)
{
	(void)rest;
	say(l, "221 2.0.0 Bye");
	l->state = LMTP_GONE;
}

/* RFC 2033, 4.1. */
static void
do_hello(struct lmtp *l, struct slice rest)
{
	(void)rest;
	complain(l, "500 5.5.1 this is LMTP: LHLO");
}

static const struct {
	struct slice name;
	void (*run)(struct lmtp *l, struct slice rest);
} commands[] = {
	{ { "LHLO", 4 }, do_lhlo }, { { "MAIL", 4 }, do_mail },
	{ { "RCPT", 4 }, do_rcpt }, { { "DATA", 4 }, do_data },
	{ { "RSET", 4 }, do_rset }, { { "NOOP", 4 }, do_noop },
	{ { "QUIT", 4 }, do_quit }, { { "XFORWARD", 8 }, do_xforward },
	{ { "HELO", 4 }, do_hello }, { { "EHLO", 4 }, do_hello },
};

static void
command(struct lmtp *l, struct slice line)
{
	struct slice rest, verb = slice_cut(line, ' ', &rest);

	/* Each may take memory until the transaction ends. */
	if (++l->commands > LMTP_COMMANDS_MAX) {
		say(l, "421 4.7.0 too many commands");
		l->state = LMTP_GONE;
		return;
	}
	if (rest.ptr == NULL)
		rest = SLICE("");
	while (rest.len > 0 && rest.ptr[0] == ' ')
		rest = slice_after(rest, 1);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (slice_eq_nocase(verb, commands[i].name)) {
			commands[i].run(l, rest);
			return;
		}
	complain(l, "500 5.5.2 unknown command");
}

/* --- bytes ------------------------------------------------------------- */

/* One command line, if it is whole. */
static size_t
feed_command(struct lmtp *l, struct slice in)
{
	size_t end = slice_find(in, '\n');
	struct slice line = slice_sub(in, 0, end);

	if (end == in.len && end < LMTP_LINE)
		return l->skipping ? end : 0;
	if (l->skipping || end >= LMTP_LINE) {
		if (!l->skipping)
			complain(l, "500 5.5.2 line too long");
		l->skipping = end == in.len;
		return end + (end < in.len);
	}
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	command(l, line);
	return end + 1;
}

static bool
could_be_end(struct slice in)
{
	return slice_starts(SLICE(".\r\n"), slice_sub(in, 0, 3));
}

/* A piece of the message; 0: more is needed to tell. */
static size_t
feed_data(struct lmtp *l, struct slice in)
{
	size_t end, stuffed = 0;

	if (l->line && in.ptr[0] == '.') {
		if (could_be_end(in)) {
			if (in.len < 3)
				return 0;
			l->state = LMTP_WHOLE;
			return 3;
		}
		stuffed = 1;
		in = slice_after(in, 1);
	}
	end = slice_find(in, '\n');
	end += end < in.len;
	spool_add(&l->letter->spool, slice_sub(in, 0, end));
	l->line = end > 0 && in.ptr[end - 1] == '\n' &&
	    (end > 1 ? in.ptr[end - 2] == '\r' : l->cr && stuffed == 0);
	l->cr = end > 0 && in.ptr[end - 1] == '\r';
	return stuffed + end;
}

size_t
lmtp_feed(struct lmtp *l, struct slice in)
{
	size_t used = 0;

	while (used < in.len && l->state <= LMTP_DATA) {
		struct slice rest = slice_after(in, used);
		size_t n = l->state == LMTP_DATA ? feed_data(l, rest) :
		    feed_command(l, rest);

		if (n == 0)
			break;
		used += n;
	}
	return used;
}

/* --- a connection ------------------------------------------------------ */

void
lmtp_init(struct lmtp *l, const char *hostname, struct spool_budget *budget)
{
	*l = (struct lmtp){ .hostname = hostname, .budget = budget,
	    .letter = mail_new(budget) };
	buf_addf(&l->out, "220 %s LMTP Gatehouse\r\n", hostname);
}

struct lmtp_mail *
lmtp_take(struct lmtp *l)
{
	struct lmtp_mail *letter = l->letter;

	l->letter = mail_new(l->budget);
	return letter;
}

void
lmtp_next(struct lmtp *l)
{
	lmtp_mail_free(l->letter);
	l->letter = mail_new(l->budget);
	l->mail = false;
	l->commands = 0;
	if (l->state != LMTP_GONE)
		l->state = LMTP_COMMANDS;
}

void
lmtp_free(struct lmtp *l)
{
	lmtp_mail_free(l->letter);
	l->letter = NULL;
	buf_free(&l->out);
}
