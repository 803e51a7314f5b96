/*
 * gatehouse quarantine: looks at what is held, and lets it go.
 *
 * All of it is asked of gatehouse-store; this program opens neither the index
 * nor an object.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "tools/quarantine.h"
#include "tools/verb.h"

enum { PAGE = 500, ANSWER_MS = 60 * 1000, RELEASE_MS = 35 * 60 * 1000 };

struct quarantine {
	struct asking q;
	const char *object, *recipient, *sender, *cause, *state, *since,
	    *until, *text, *queue_id, *message_id, *reason, *output;
	unsigned limit;
	bool json, raw, on_hold, mbox, all, dangerous;
	FILE *to;			/* of an export */
	struct slice last;		/* object that is in the mbox */
};

enum { O_CONFIG = 256, O_STATE_DIR, O_TO, O_FROM, O_CAUSE, O_STATE, O_SINCE,
    O_UNTIL, O_TEXT, O_QUEUE_ID, O_MESSAGE_ID, O_ON_HOLD, O_LIMIT, O_JSON,
    O_RAW, O_REASON, O_OUTPUT, O_MBOX, O_ALL, O_DANGEROUS, O_HELP };

static const struct option longs[] = {
	{ "config", required_argument, NULL, O_CONFIG },
	{ "state-directory", required_argument, NULL, O_STATE_DIR },
	{ "recipient", required_argument, NULL, O_TO },
	{ "sender", required_argument, NULL, O_FROM },
	{ "cause", required_argument, NULL, O_CAUSE },
	{ "state", required_argument, NULL, O_STATE },
	{ "since", required_argument, NULL, O_SINCE },
	{ "until", required_argument, NULL, O_UNTIL },
	{ "text", required_argument, NULL, O_TEXT },
	{ "queue-id", required_argument, NULL, O_QUEUE_ID },
	{ "message-id", required_argument, NULL, O_MESSAGE_ID },
	{ "on-hold", no_argument, NULL, O_ON_HOLD },
	{ "limit", required_argument, NULL, O_LIMIT },
	{ "json", no_argument, NULL, O_JSON },
	{ "raw", no_argument, NULL, O_RAW },
	{ "reason", required_argument, NULL, O_REASON },
	{ "output", required_argument, NULL, O_OUTPUT },
	{ "mbox", no_argument, NULL, O_MBOX },
	{ "all", no_argument, NULL, O_ALL },
	{ "dangerous", no_argument, NULL, O_DANGEROUS },
	{ "help", no_argument, NULL, O_HELP },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse quarantine list [FILTER]... [--limit N] "
	    "[--json]\n"
	    "       gatehouse quarantine show OBJECT [--raw | --json]\n"
	    "       gatehouse quarantine release OBJECT [--recipient ADDRESS "
	    "| --all]\n"
	    "                            [--dangerous]\n"
	    "       gatehouse quarantine delete OBJECT [--recipient ADDRESS | "
	    "--all]\n"
	    "                            [--reason TEXT]\n"
	    "       gatehouse quarantine hold|unhold OBJECT [--recipient "
	    "ADDRESS]\n"
	    "       gatehouse quarantine export OBJECT [--output FILE]\n"
	    "       gatehouse quarantine export --mbox [FILTER]... [--output "
	    "FILE]\n"
	    "\n"
	    "OBJECT is what list shows first: 32 digits. Where it was held "
	    "for several\n"
	    "recipients, --recipient names one of them, or --all takes all.\n"
	    "\n"
	    "What was held for a virus, what broke a filter and what waits for "
	    "a second look\n"
	    "is released with --dangerous only.\n"
	    "\n"
	    "FILTER: --recipient ADDRESS or @DOMAIN, --sender ADDRESS or "
	    "@DOMAIN,\n"
	    "  --cause NAME, --state NAME[,NAME], --since TIME, --until TIME,\n"
	    "  --text TEXT (in From or Subject), --queue-id ID, --message-id "
	    "ID,\n"
	    "  --on-hold. TIME is 2026-11-26, 2026-11-26T10:00:00, or an age "
	    "as 7d, 2h.\n"
	    "\n"
	    "  --config DIR           folder with gatehouse.conf\n"
	    "  --state-directory DIR  instead of its state_directory\n"
	    "\n"
	    "Exit status 1: it was not done; the reason is said.");
	return EX_OK;
}

/* --- options ------------------------------------------------------------- */

static bool
age(const char *text, int64_t *time_r)
{
	static const struct { char unit; int64_t seconds; } units[] = {
	    { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t len = strlen(text);
	uint64_t n;

	for (size_t i = 0; len > 1 && i < sizeof units / sizeof units[0]; i++)
		if (text[len - 1] == units[i].unit && slice_number(slice_make(
		    text, len - 1), 100000000, &n)) {
			*time_r = clock_wall() - (int64_t)n * units[i].seconds;
			return true;
		}
	return false;
}

/* Local time, as people write it. */
static bool
moment(const char *text, int64_t *time_r)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S",
	    "%Y-%m-%dT%H:%M", "%Y-%m-%d" };

	if (age(text, time_r))
		return true;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, forms[i], &tm);

		if (end != NULL && *end == '\0') {
			*time_r = mktime(&tm);
			return true;
		}
	}
	return false;
}

static int
put_time(struct quarantine *z, const char *key, const char *text)
{
	int64_t t;

	if (text == NULL)
		return EX_OK;
	if (!moment(text, &t))
		return verb_fails(EX_USAGE, "\"%s\" is no time; it wants "
		    "2026-11-26, 2026-11-26T10:00:00 or an age as 7d", text);
	json_put_int(&z->q.w, key, t);
	return EX_OK;
}

static int
put_filter(struct quarantine *z)
{
	struct asking *q = &z->q;
	struct slice rest = slice_of(z->state);
	int status = put_time(z, "since", z->since);

	if (status == EX_OK)
		status = put_time(z, "until", z->until);
	asking_put(q, "object", z->object);
	asking_put(q, "recipient", z->recipient);
	asking_put(q, "sender", z->sender);
	asking_put(q, "cause", z->cause);
	asking_put(q, "text", z->text);
	asking_put(q, "queue_id", z->queue_id);
	asking_put(q, "message_id", z->message_id);
	if (z->on_hold)
		json_put_bool(&q->w, "on_hold", true);
	if (z->state != NULL) {
		json_key(&q->w, "states");
		json_begin_array(&q->w);
		while (rest.ptr != NULL)
			json_text(&q->w, slice_cut(rest, ',', &rest));
		json_end(&q->w);
	}
	return status;
}

/* --- rows ---------------------------------------------------------------- */

static const char *
when(struct arena *a, const json_t *row, const char *key)
{
	time_t t = (time_t)json_integer_value(json_object_get(row, key));
	struct tm tm;
	char text[40] = "-";

	if (t != 0 && localtime_r(&t, &tm) != NULL)
		strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	return arena_str(a, slice_of(text));
}

/* Behind the state: mail that goes on by itself, or has a deadline. */
static const char *
waits(struct arena *a, const json_t *row)
{
	if (json_integer_value(json_object_get(row, "waits_until")) == 0)
		return "";
	return arena_printf(a, "(until %s)", when(a, row,
	    "waits_until")).ptr;
}

static void
add_row(struct quarantine *z, const json_t *row, struct buf *out)
{
	struct asking *q = &z->q;
	char *text;

	if (z->json) {
		text = json_dumps(row, JSON_COMPACT | JSON_ENSURE_ASCII);
		buf_adds(out, text != NULL ? text : "null");
		free(text);
		buf_addc(out, '\n');
		return;
	}
	buf_addf(out, "%s %s %s%s%s %s %lld <%s> -> <%s> %s\n",
	    asking_text(q, row, "object"), when(q->a, row, "time"),
	    asking_text(q, row, "state"),
	    json_is_true(json_object_get(row, "hold")) ? "(hold)" : "",
	    waits(q->a, row), asking_text(q, row, "cause"),
	    (long long)json_integer_value(json_object_get(row, "size")),
	    asking_text(q, row, "sender"),
	    asking_text(q, row, "recipient"), asking_text(q, row, "subject"));
}

/* Calls each(row) for all that the filter finds, page by page. */
static int
each_row(struct quarantine *z, unsigned limit,
    int (*each)(struct quarantine *z, const json_t *row))
{
	struct asking *q = &z->q;
	struct slice id = SLICE_NONE, to = SLICE_NONE;
	int64_t time = 0;
	int status = EX_OK;
	bool more = true;

	while (status == EX_OK && more && limit > 0) {
		const json_t *rows;

		asking_begin(q, "list");
		status = put_filter(z);
		if (status != EX_OK)
			return status;
		json_put_int(&q->w, "limit", limit < PAGE ? limit : PAGE);
		if (id.ptr != NULL) {
			json_put_int(&q->w, "before_time", time);
			json_put(&q->w, "before_id", id);
			json_key(&q->w, "before_recipient");
			json_bytes(&q->w, to);
		}
		status = asking_ask(q);
		rows = json_object_get(q->answer, "rows");
		more = json_is_true(json_object_get(q->answer, "more"));
		json_t *answer = json_incref(q->answer);
		for (size_t i = 0; status == EX_OK && i <
		    json_array_size(rows) && limit > 0; i++, limit--) {
			const json_t *row = json_array_get(rows, i);

			id = asking_get(q, row, "object");
			to = asking_get(q, row, "recipient");
			time = json_integer_value(json_object_get(row,
			    "time"));
			status = each(z, row);
		}
		more = more && json_array_size(rows) > 0;
		json_decref(answer);
	}
	return status;
}

static int
print_row(struct quarantine *z, const json_t *row)
{
	struct buf out = { 0 };
	int status;

	add_row(z, row, &out);
	status = verb_print(&out);
	buf_free(&out);
	return status;
}

static int
list(struct quarantine *z)
{
	return each_row(z, z->limit > 0 ? z->limit : 100, print_row);
}

/* --- one object ---------------------------------------------------------- */

static void
add_fact(struct asking *q, const json_t *row, const char *key,
    struct buf *out)
{
	const char *text = asking_text(q, row, key);

	if (text[0] != '\0')
		buf_addf(out, "  %-12s %s\n", key, text);
}

static void
add_object(struct asking *q, const json_t *rows, struct buf *out)
{
	static const char *const facts[] = { "sender", "header_from",
	    "subject", "message_id", "cause", "rule", "reason", "filter",
	    "direction", "client_ip", "client_name", "helo", "user",
	    "queue_id", "identity" };
	const json_t *row = json_array_get(rows, 0);

	buf_addf(out, "%s\n  %-12s %s\n  %-12s %lld%s\n", asking_text(q, row,
	    "object"), "held", when(q->a, row, "time"), "size",
	    (long long)json_integer_value(json_object_get(row, "size")),
	    json_is_true(json_object_get(row, "body")) ? "" :
	    " (not kept)");
	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++)
		add_fact(q, row, facts[i], out);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		row = json_array_get(rows, i);
		buf_addf(out, "  <%s>: %s%s since %s, until %s",
		    asking_text(q, row, "recipient"),
		    asking_text(q, row, "state"),
		    json_is_true(json_object_get(row, "hold")) ?
		    " (on hold)" : "", when(q->a, row, "changed"),
		    when(q->a, row, "expires"));
		if (json_object_get(row, "waits_until") != NULL)
			buf_addf(out, ", waits until %s", when(q->a, row,
			    "waits_until"));
		if (asking_get(q, row, "by").len > 0)
			buf_addf(out, ", by %s", asking_text(q, row, "by"));
		if (asking_get(q, row, "reply").len > 0)
			buf_addf(out, " (%s)", asking_text(q, row, "reply"));
		buf_addc(out, '\n');
	}
}

static int
show(struct quarantine *z)
{
	struct buf out = { 0 };
	const json_t *rows;
	int status;

	asking_begin(&z->q, "show");
	asking_put(&z->q, "object", z->object);
	status = asking_ask(&z->q);
	if (status != EX_OK)
		return status;
	rows = json_object_get(z->q.answer, "rows");
	if (z->json) {
		for (size_t i = 0; i < json_array_size(rows); i++)
			add_row(z, json_array_get(rows, i), &out);
	} else {
		add_object(&z->q, rows, &out);
	}
	status = verb_print(&out);
	buf_free(&out);
	return status;
}

/* --- the message --------------------------------------------------------- */

/* mboxrd: a line that begins with any number of '>' and "From " gets one '>'
 * more, so that it can be undone. CR goes. */
struct mbox {
	FILE *to;
	struct buf start;		/* of a line that is not judged yet */
	bool within;			/* a line, behind its judged start */
};

static void
mbox_flush(struct mbox *m)
{
	fwrite(m->start.ptr, 1, m->start.len, m->to);
	buf_clear(&m->start);
	m->within = true;
}

static bool
still_open(const struct mbox *m)
{
	size_t n = 0;

	while (n < m->start.len && m->start.ptr[n] == '>')
		n++;
	if (n > 1000)
		return false;
	return m->start.len - n < 5 && memcmp(m->start.ptr + n, "From ",
	    m->start.len - n) == 0;
}

static void
mbox_char(struct mbox *m, char c)
{
	if (c == '\r')
		return;
	if (m->within || c == '\n') {
		if (!m->within)
			mbox_flush(m);
		putc(c, m->to);
		m->within = c != '\n';
		return;
	}
	buf_addc(&m->start, c);
	if (still_open(m))
		return;
	if (slice_ends(buf_slice(&m->start), SLICE("From ")) &&
	    (m->start.len == 5 || m->start.ptr[0] == '>'))
		putc('>', m->to);
	mbox_flush(m);
}

static void
put_piece(struct mbox *m, bool mbox, struct slice piece)
{
	if (!mbox)
		fwrite(piece.ptr, 1, piece.len, m->to);
	for (size_t i = 0; mbox && i < piece.len; i++)
		mbox_char(m, piece.ptr[i]);
}

/* Asks for the message and writes it out. Status 66: it came short. */
static int
fetch(struct quarantine *z, const char *object, FILE *to, bool mbox)
{
	struct asking *q = &z->q;
	struct mbox m = { .to = to };
	struct slice piece, why;
	uint64_t left;
	int status;

	asking_begin(q, "raw");
	asking_put(q, "object", object);
	status = asking_ask(q);
	if (status != EX_OK)
		return status;
	left = (uint64_t)json_integer_value(json_object_get(q->answer,
	    "bytes"));
	while (left > 0) {
		if (ask_bytes(q->ask, left, &piece, &why) != RC_OK)
			return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
		if (piece.len == 0)
			return verb_fails(EX_NOINPUT, "%s: the stored message "
			    "ends too early; what came of it is not whole",
			    object);
		put_piece(&m, mbox, piece);
		left -= piece.len;
	}
	if (m.start.len > 0)
		mbox_flush(&m);
	if (mbox)
		fputs(m.within ? "\n\n" : "\n", to);
	buf_free(&m.start);
	return ferror(to) ? verb_fails(EX_IOERR, "%s: %s", z->output != NULL ?
	    z->output : "standard output", strerror(errno)) : EX_OK;
}

static int
export_row(struct quarantine *z, const json_t *row)
{
	struct slice id = asking_get(&z->q, row, "object");
	time_t t = (time_t)json_integer_value(json_object_get(row, "time"));
	struct slice sender = asking_get(&z->q, row, "sender");
	char text[40];
	struct tm tm;

	/* Rows of one object follow each other. */
	if (slice_eq(id, z->last) ||
	    !json_is_true(json_object_get(row, "body")))
		return EX_OK;
	z->last = id;
	gmtime_r(&t, &tm);
	strftime(text, sizeof text, "%a %b %e %H:%M:%S %Y", &tm);
	fputs("From ", z->to);
	if (sender.len == 0)
		fputs("MAILER-DAEMON", z->to);
	for (size_t i = 0; i < sender.len; i++)
		putc(sender.ptr[i] > ' ' && sender.ptr[i] < 0x7f ?
		    sender.ptr[i] : '-', z->to);
	fprintf(z->to, " %s\n", text);
	return fetch(z, arena_str(z->q.a, id), z->to, true);
}

static int
export(struct quarantine *z)
{
	FILE *to = stdout;
	int status, fd;

	if (z->output != NULL) {
		/* Held mail is nobody else's to read. */
		fd = open(z->output, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0600);
		to = fd >= 0 ? fdopen(fd, "w") : NULL;
		if (to == NULL)
			return verb_fails(EX_CANTCREAT, "%s: %s", z->output,
			    strerror(errno));
	}
	z->to = to;
	status = z->mbox ? each_row(z, z->limit > 0 ? z->limit : UINT32_MAX,
	    export_row) : fetch(z, z->object, to, false);
	if ((to == stdout ? fflush(to) : fclose(to)) != 0 && status == EX_OK)
		status = verb_fails(EX_IOERR, "%s: %s", z->output != NULL ?
		    z->output : "standard output", strerror(errno));
	return status;
}

/* --- doing --------------------------------------------------------------- */

static int
do_one(struct quarantine *z, const char *op, const char *recipient)
{
	struct asking *q = &z->q;
	int status;

	asking_begin(q, op);
	asking_put(q, "object", z->object);
	asking_put(q, "recipient", recipient);
	asking_put(q, "reason", z->reason);
	if (z->dangerous)
		json_put_bool(&q->w, "dangerous", true);
	status = asking_ask(q);
	if (status != EX_OK)
		return status;
	printf("%s%s%s", op, recipient != NULL ? " " : "", recipient != NULL ?
	    verb_safe(q->a, slice_of(recipient)).ptr : "");
	if (json_object_get(q->answer, "release") != NULL)
		printf(": %s (%s)", asking_text(q, q->answer, "release"),
		    asking_text(q, q->answer, "reply"));
	puts("");
	return EX_OK;
}

/* All recipients whose row is held; the worst status counts. */
static int
do_all(struct quarantine *z, const char *op)
{
	struct asking *q = &z->q;
	int status, worst = EX_OK;
	json_t *answer;
	const json_t *rows;

	asking_begin(q, "show");
	asking_put(q, "object", z->object);
	status = asking_ask(q);
	if (status != EX_OK)
		return status;
	answer = json_incref(q->answer);
	rows = json_object_get(answer, "rows");
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);

		if (strcmp(asking_text(q, row, "state"), "held") != 0)
			continue;
		status = do_one(z, op, arena_str(q->a, asking_get(q, row,
		    "recipient")));
		worst = status > worst ? status : worst;
	}
	json_decref(answer);
	return worst;
}

static int
release(struct quarantine *z)
{
	return z->all ? do_all(z, "release") : do_one(z, "release",
	    z->recipient);
}

static int
delete(struct quarantine *z)
{
	return z->all ? do_all(z, "delete") : do_one(z, "delete",
	    z->recipient);
}

static int
set_hold(struct quarantine *z, bool on)
{
	asking_begin(&z->q, "hold");
	asking_put(&z->q, "object", z->object);
	asking_put(&z->q, "recipient", z->recipient);
	json_put_bool(&z->q.w, "on", on);
	return asking_ask(&z->q);
}

static int
hold(struct quarantine *z)
{
	return set_hold(z, true);
}

static int
unhold(struct quarantine *z)
{
	return set_hold(z, false);
}

static const struct {
	const char *name;
	int (*run)(struct quarantine *z);
	int objects;			/* names wanted; -1: none or one */
	int64_t ms;
} verbs[] = {
	{ "list", list, -1, ANSWER_MS },
	{ "show", show, 1, ANSWER_MS },
	{ "release", release, 1, RELEASE_MS },
	{ "delete", delete, 1, ANSWER_MS },
	{ "hold", hold, 1, ANSWER_MS },
	{ "unhold", unhold, 1, ANSWER_MS },
	{ "export", export, -1, ANSWER_MS },
};

static bool
take_option(struct quarantine *z, int o)
{
	const struct { int o; const char **to; } texts[] = {
		{ O_CONFIG, &z->q.config }, { O_STATE_DIR, &z->q.state },
		{ O_TO, &z->recipient }, { O_FROM, &z->sender },
		{ O_CAUSE, &z->cause }, { O_STATE, &z->state },
		{ O_SINCE, &z->since }, { O_UNTIL, &z->until },
		{ O_TEXT, &z->text }, { O_QUEUE_ID, &z->queue_id },
		{ O_MESSAGE_ID, &z->message_id }, { O_REASON, &z->reason },
		{ O_OUTPUT, &z->output },
	};
	const struct { int o; bool *to; } flags[] = {
		{ O_JSON, &z->json }, { O_RAW, &z->raw },
		{ O_ON_HOLD, &z->on_hold }, { O_MBOX, &z->mbox },
		{ O_ALL, &z->all }, { O_DANGEROUS, &z->dangerous },
	};
	uint64_t n;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].o == o)
			return *texts[i].to = optarg, true;
	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		if (flags[i].o == o)
			return *flags[i].to = true;
	if (o != O_LIMIT || !slice_number(slice_of(optarg), 10000000, &n))
		return false;
	z->limit = (unsigned)n;
	return true;
}

static int
run(struct quarantine *z, const char *name, int objects)
{
	size_t i = 0, n = sizeof verbs / sizeof verbs[0];
	int status;

	while (i < n && strcmp(verbs[i].name, name) != 0)
		i++;
	if (i == n)
		return verb_fails(EX_USAGE, "quarantine: there is no \"%s\"; "
		    "gatehouse quarantine --help says more", name);
	if (objects > 1 || (verbs[i].objects == 1 && objects != 1) ||
	    (verbs[i].run == export && (objects == 1) == z->mbox))
		return verb_fails(EX_USAGE, "quarantine %s: one OBJECT is "
		    "wanted; gatehouse quarantine --help says more", name);
	status = asking_open(&z->q, verbs[i].ms);
	if (status != EX_OK)
		return status;
	if (z->raw && verbs[i].run == show)
		return fetch(z, z->object, stdout, false);
	return verbs[i].run(z);
}

int
verb_quarantine(int argc, char **argv, struct arena *a)
{
	struct quarantine *z = arena_alloc(a, sizeof *z);
	int o, status;

	z->q.a = a;
	optind = 1;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (o == O_HELP)
			return help();
		if (!take_option(z, o))
			return o == O_LIMIT ? verb_fails(EX_USAGE,
			    "--limit wants a number") : EX_USAGE;
	}
	if (optind == argc)
		return verb_fails(EX_USAGE, "quarantine: what is to be done? "
		    "gatehouse quarantine --help says more");
	if (optind + 1 < argc)
		z->object = argv[optind + 1];
	status = run(z, argv[optind], argc - optind - 1);
	asking_close(&z->q);
	return status;
}
