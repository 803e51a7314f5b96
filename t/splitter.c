/*
 * The splitter's parts without a process: what LMTP says and takes, the spool,
 * the served, and how a letter becomes parcels.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "milter/split.h"
#include "services/splitter/served.h"
#include "services/splitter/parcel.h"
#include "t/tap.h"

static char folder[] = "/tmp/gatehouse-splitter-XXXXXX";
static struct spool_budget budget = { .folder = folder, .max = 1 << 20 };
static const struct seal_key key = { .bytes = "0123456789abcdef", .len = 16 };

/* --- dialogues --------------------------------------------------------- */

#define HELLO	"LHLO c\r\n"
#define BEGIN	HELLO "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"

/* want: the first digits of each reply; message: what came of DATA. */
static const struct {
	const char *name, *in, *want, *message;
} dialogues[] = {
	{ "hello", HELLO, "220 250", NULL },
	{ "no SMTP", "EHLO c\r\nHELO c\r\n", "220 500 500", NULL },
	{ "LHLO wants a name", "LHLO\r\nLHLO  \r\n", "220 501 501", NULL },
	{ "not before LHLO", "MAIL FROM:<a@b>\r\nXFORWARD NAME=x\r\n",
	  "220 503 503", NULL },
	{ "the whole of it", BEGIN "DATA\r\nA: 1\r\n\r\nb\r\n.\r\n",
	  "220 250 250 250 354", "A: 1\r\n\r\nb\r\n" },
	{ "letters of any case", "lhlo c\r\nmail from:<a@b>\r\n"
	  "rcpt to:<c@d>\r\ndata\r\n.\r\n", "220 250 250 250 354", "" },
	{ "bare LF ends a command", "LHLO c\nNOOP\n", "220 250 250", NULL },
	{ "stuffed dots", BEGIN "DATA\r\n..\r\n.x\r\n...\r\n.\r\n",
	  "220 250 250 250 354", ".\r\nx\r\n..\r\n" },
	{ "LF.LF ends nothing", BEGIN "DATA\r\na\n.\n.\r\nb\r.\r\n\r\n.\r\n",
	  "220 250 250 250 354", "a\n.\n.\r\nb\r.\r\n\r\n" },
	{ "the null sender", HELLO "MAIL FROM:<>\r\nRCPT TO:<c@d>\r\n"
	  "DATA\r\n.\r\n", "220 250 250 250 354", "" },
	{ "nobody to deliver to", HELLO "MAIL FROM:<a@b>\r\nDATA\r\n"
	  "RCPT TO:<>\r\n", "220 250 250 503 501", NULL },
	{ "MAIL twice", HELLO "MAIL FROM:<a@b>\r\nMAIL FROM:<a@b>\r\n",
	  "220 250 250 503", NULL },
	{ "RCPT first", HELLO "RCPT TO:<c@d>\r\n", "220 250 503", NULL },
	{ "RSET forgets", BEGIN "RSET\r\nRCPT TO:<c@d>\r\n",
	  "220 250 250 250 250 503", NULL },
	{ "a second LHLO too", BEGIN HELLO "DATA\r\n",
	  "220 250 250 250 250 503", NULL },
	{ "parameters", HELLO "MAIL FROM:<a@b> SIZE=12 BODY=8BITMIME SMTPUTF8 "
	  "RET=HDRS ENVID=x+2By AUTH=<>\r\nRCPT TO:<c@d> NOTIFY=NEVER "
	  "ORCPT=rfc822;e@f\r\n", "220 250 250 250", NULL },
	{ "unknown ones", HELLO "MAIL FROM:<a@b> X=1\r\n"
	  "MAIL FROM:<a@b> BODY=BINARYMIME\r\nMAIL FROM:<a@b> SIZE=x\r\n"
	  "MAIL FROM:<a@b>\r\nRCPT TO:<c@d> X\r\n",
	  "220 250 555 555 501 250 555", NULL },
	{ "paths", HELLO "MAIL FROM:a@b\r\nMAIL FROM:<a@b\r\n"
	  "MAIL FROM:<a b@c>\r\nMAIL FROM:<\"a >b\"@c>\r\n"
	  "RCPT TO:<\"a\\\">\"@c>\r\nRCPT TO:<a@b>x\r\nRCPT TO: <a@b>\r\n"
	  "RCPT TO:<a\001@b>\r\n", "220 250 501 501 501 250 250 501 250 501",
	  NULL },
	{ "unknown commands", "FOO\r\n\r\nBDAT 3 LAST\r\n",
	  "220 500 500 500", NULL },
	{ "DATA has no argument", BEGIN "DATA x\r\n", "220 250 250 250 501",
	  NULL },
	{ "XFORWARD", HELLO "XFORWARD NAME=a ADDR=[UNAVAILABLE]\r\n"
	  "XFORWARD IDENT=4Zx1Qk2hJ9z\r\nXFORWARD NAME\r\nMAIL FROM:<a@b>\r\n"
	  "XFORWARD NAME=a\r\n", "220 250 250 250 501 250 503", NULL },
	{ "goodbye", "QUIT\r\nNOOP\r\n", "220 221", NULL },
};

/* The codes of all replies, of each only the last line. */
static const char *
codes(struct arena *a, struct slice out)
{
	struct buf b = buf_in(a);
	struct slice line;

	while (slice_line(&out, &line)) {
		if (line.len < 4 || line.ptr[3] != ' ')
			continue;
		if (b.len > 0)
			buf_addc(&b, ' ');
		buf_add(&b, slice_sub(line, 0, 3));
	}
	return arena_str(a, buf_slice(&b));
}

/* What a socket would have by then: a piece more each time. */
static struct lmtp_mail *
talk(struct lmtp *l, const char *in, size_t step)
{
	size_t used = 0, came = 0, len = strlen(in), n = 1;

	lmtp_init(l, "h", &budget);
	while (l->state < LMTP_WHOLE && (came < len || n > 0)) {
		came = len - came < step ? len : came + step;
		n = lmtp_feed(l, slice_make(in + used, came - used));
		used += n;
	}
	return l->state == LMTP_WHOLE ? lmtp_take(l) : NULL;
}

static void
lmtp(struct arena *a)
{
	for (size_t i = 0; i < sizeof dialogues / sizeof dialogues[0]; i++) {
		static const size_t steps[] = { 1, 3, 1000 };

		for (size_t s = 0; s < 3; s++) {
			struct lmtp l;
			struct lmtp_mail *letter = talk(&l, dialogues[i].in,
			    steps[s]);

			tap_is_str(codes(a, buf_slice(&l.out)),
			    dialogues[i].want, "%s", dialogues[i].name);
			if (dialogues[i].message != NULL)
				tap_is(letter != NULL ?
				    spool_end(&letter->spool) : SLICE_NONE,
				    slice_of(dialogues[i].message), "came");
			lmtp_mail_free(letter);
			lmtp_free(&l);
		}
	}
}

static void
envelope(void)
{
	struct lmtp l;
	struct lmtp_mail *x = talk(&l, HELLO
	    "XFORWARD NAME=a+40b ADDR=1.2.3.4\r\nXFORWARD IDENT="
	    "4Zx1Qk2hJ9z\r\nMAIL FROM:<a@b> RET=HDRS "
	    "SIZE=3 ENVID=e SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<c@d> "
	    "NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x@y\r\nRCPT TO:<e@f>\r\n"
	    "DATA\r\n.\r\n", 7);

	tap_is(x->sender, SLICE("a@b"), "sender");
	tap_is(x->dsn, SLICE("RET=HDRS ENVID=e"), "what DSN says of the mail");
	tap_ok(x->smtputf8 && x->body8, "SMTPUTF8 and 8BITMIME");
	tap_is(x->xforward, SLICE("NAME=a+40b ADDR=1.2.3.4 "
	    "IDENT=4Zx1Qk2hJ9z"), "where it came from");
	tap_is(x->queue_id, SLICE("4Zx1Qk2hJ9z"), "and its queue id");
	tap_is_int((long long)x->nrecipients, 2, "two recipients");
	tap_is(x->recipients[0].dsn, SLICE("NOTIFY=SUCCESS,DELAY "
	    "ORCPT=rfc822;x@y"), "what DSN says of the first");
	tap_is(x->recipients[1].dsn, SLICE(""), "and nothing of the second");
	lmtp_mail_free(x);
	lmtp_free(&l);
}

static void
bounds(struct arena *a)
{
	struct buf in = buf_in(a);
	struct lmtp l;
	struct lmtp_mail *x;

	for (int i = 0; i < 10000; i++)
		buf_addc(&in, 'x');
	buf_adds(&in, "\r\nNOOP\r\n");
	talk(&l, arena_str(a, buf_slice(&in)), 1000);
	tap_is_str(codes(a, buf_slice(&l.out)), "220 500 250",
	    "a line of 10000 is passed over");
	lmtp_free(&l);

	buf_clear(&in);
	for (int i = 0; i < LMTP_ERRORS + 3; i++)
		buf_adds(&in, "FOO\r\n");
	talk(&l, arena_str(a, buf_slice(&in)), 1000);
	tap_ok(slice_ends(buf_slice(&l.out),
	    SLICE("421 4.7.0 too many errors\r\n")) &&
	    l.state == LMTP_GONE, "who only errs is hung up on");
	lmtp_free(&l);

	buf_clear(&in);
	buf_adds(&in, HELLO "MAIL FROM:<>\r\n");
	for (int i = 0; i < LMTP_RECIPIENTS + 5; i++)
		buf_addf(&in, "RCPT TO:<%d@d>\r\n", i);
	buf_adds(&in, "DATA\r\n.\r\n");
	x = talk(&l, arena_str(a, buf_slice(&in)), 1000);
	tap_is_int((long long)x->nrecipients, LMTP_RECIPIENTS,
	    "recipients are bounded");
	tap_ok(slice_search(buf_slice(&l.out), SLICE("452 4.5.3")) <
	    l.out.len, "the others come later");
	lmtp_mail_free(x);
	lmtp_free(&l);

	buf_clear(&in);
	buf_adds(&in, HELLO);
	for (int i = 0; i < LMTP_COMMANDS_MAX + 5; i++)
		buf_adds(&in, "XFORWARD NAME=a\r\n");
	talk(&l, arena_str(a, buf_slice(&in)), 1000);
	tap_is_int(l.state, LMTP_GONE, "and so are commands");
	lmtp_free(&l);
}

/* --- the spool --------------------------------------------------------- */

static void
spools(void)
{
	struct spool s, full;
	char *big = mem_alloc(300000);
	struct slice all;

	memset(big, 'x', 300000);
	spool_init(&s, &budget);
	tap_ok(spool_add(&s, SLICE("small")), "what is small");
	tap_is_int((long long)budget.used, 0, "is in no file");
	tap_ok(spool_add(&s, slice_make(big, 300000)), "what is not");
	tap_is_int((long long)budget.used, 300005, "is counted");
	all = spool_end(&s);
	tap_ok(all.len == 300005 && slice_starts(all, SLICE("smallx")),
	    "and whole");
	spool_init(&full, &budget);
	for (int i = 0; i < 3; i++)
		tap_is_int(spool_add(&full, slice_make(big, 300000)), i < 2,
		    "%d of 300000 bytes within a budget of a megabyte", i + 1);
	tap_ok(spool_end(&full).ptr == NULL, "there is nothing");
	tap_ok(!spool_add(&full, SLICE("x")), "nor will there be");
	spool_free(&full);
	spool_free(&s);
	tap_is_int((long long)budget.used, 0, "all is given back");
	budget.folder = "/nowhere/at/all";
	spool_init(&s, &budget);
	tap_ok(!spool_add(&s, slice_make(big, 300000)), "no folder");
	spool_free(&s);
	budget.folder = folder;
	tap_is_int((long long)budget.used, 0, "costs nothing");
	free(big);
}

/* Without a folder: for who may write nothing to a disk. */
static void
in_memory(void)
{
	static struct spool_budget memory = { .max = 700000 };
	struct spool s, full, large;
	char *big = mem_alloc(300000);

	memset(big, 'x', 300000);
	spool_init(&s, &memory);
	spool_init(&full, &memory);
	spool_init(&large, &memory);
	tap_ok(spool_add(&s, SLICE("small")) &&
	    spool_add(&s, slice_make(big, 300000)), "memory takes it");
	tap_is_int((long long)memory.used, 300005, "all is counted");
	tap_ok(s.fd < 0 && spool_end(&s).len == 300005, "and in no file");
	tap_ok(spool_add(&full, slice_make(big, 300000)) &&
	    !spool_add(&full, slice_make(big, 300000)), "to the budget");
	tap_ok(spool_end(&full).ptr == NULL && !full.too_large,
	    "what does not fit is gone");
	tap_is_int((long long)memory.used, 300005, "and given back");
	memory.each = 300000;
	tap_ok(spool_add(&large, slice_make(big, 300000)) &&
	    !spool_add(&large, SLICE("x")) && large.too_large,
	    "one message has a limit too");
	spool_free(&s);
	spool_free(&s);
	spool_free(&full);
	spool_free(&large);
	tap_is_int((long long)memory.used, 0, "nothing is left");
	free(big);
}

/* --- the served -------------------------------------------------------- */

static struct served_key
key_of(const char *id, const char *to, const char *dsn)
{
	struct served_key k;

	if (!served_key(id, slice_of(to), slice_of(dsn), &k))
		tap_ok(false, "no hash");
	return k;
}

static void
remembered(struct arena *a)
{
	const char *path = arena_printf(a, "%s/served", folder).ptr;
	struct served_key k = key_of("id", "a@b", ""),
	    others[] = { key_of("id2", "a@b", ""), key_of("id", "a@c", ""),
	    key_of("id", "a@b", "ORCPT=rfc822;x"), key_of("ida@b", "", "") };
	struct slice why;
	struct served *l = served_open(path, a, &why);
	unsigned found = 0;

	tap_ok(l != NULL && !served_has(l, &k), "an empty one");
	served_add(l, &k);
	tap_ok(served_has(l, &k), "what was added is there");
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		found += served_has(l, &others[i]);
	tap_is_int(found, 0, "and nobody else");
	served_close(l);
	l = served_open(path, a, &why);
	tap_ok(served_has(l, &k), "also in the next process");
	for (int i = 0; i < SERVED_SLOTS * 2; i++) {
		struct served_key n = key_of("id", arena_printf(a, "%d",
		    i).ptr, "");

		served_add(l, &n);
		found += served_has(l, &n);
		if (i % 1000 == 999)
			arena_reset(a);
	}
	tap_is_int(found, SERVED_SLOTS * 2, "full, the newest has a place");
	clock_pin(clock_wall() + SERVED_AGE + 5);
	found = 0;
	for (int i = SERVED_SLOTS; i < SERVED_SLOTS + 1000; i++) {
		struct served_key n = key_of("id", arena_printf(a, "%d",
		    i).ptr, "");

		found += served_has(l, &n);
	}
	tap_is_int(found, 0, "and in time all are forgotten");
	clock_pin(0);
	served_close(l);
	path = arena_printf(a, "%s/served", folder).ptr;
	tap_is_int(truncate(path, 100), 0, "a torn file");
	l = served_open(path, a, &why);
	tap_ok(l != NULL && !served_has(l, &k), "is begun anew");
	served_close(l);
	tap_ok(served_open("/nowhere/served", a, &why) == NULL &&
	    slice_search(why, SLICE("/nowhere/served: ")) == 0,
	    "no folder: it says where");
}

/* --- parcels ----------------------------------------------------------- */

static enum rc
form(const void *arg, struct arena *a, struct slice mailbox,
    uint64_t *form_r)
{
	(void)arg;
	(void)a;
	*form_r = (uint64_t)mailbox.ptr[0];
	return mailbox.ptr[0] == '!' ? RC_RETRY : RC_OK;
}

static const struct forms forms = { NULL, form, NULL };

static bool
done(void *arg, const char *identity, const struct lmtp_recipient *r)
{
	return strcmp(identity, "0123456789abcdef0123456789abcdef") == 0 &&
	    slice_eq(r->address, slice_of(arg));
}

static struct slice
mark_of(struct arena *a, const char *queue_id)
{
	const struct seal s = {
	    .identity = "0123456789abcdef0123456789abcdef",
	    .queue_id = slice_of(queue_id), .pass = 1, .split = true,
	    .sender = SLICE("changed@x"), .client = { .name = SLICE("c"),
	    .helo = SLICE("h"), .daemon_name = SLICE(""), .user = SLICE(""),
	    .tls = SLICE("") } };
	struct slice body;

	split_write(&s, &key, a, &body);
	return arena_printf(a, SPLIT_FIELD ":%.*s\r\n", SLICE_ARG(body));
}

static struct lmtp_mail *
a_letter(struct lmtp *l, struct arena *a, const char *queue_id,
    const char *recipients, struct slice message)
{
	return talk(l, arena_printf(a, HELLO "%s%s%sMAIL FROM:<s@x>\r\n%s"
	    "DATA\r\n%.*s.\r\n", queue_id[0] != '\0' ? "XFORWARD IDENT=" : "",
	    queue_id, queue_id[0] != '\0' ? "\r\n" : "", recipients,
	    SLICE_ARG(message)).ptr, 500);
}

static const struct {
	const char *name, *recipients, *done, *want;
} parcels[] = {
	{ "two classes", "a1 b1 a2", "", "a1 a2|b1" },
	{ "one class", "a1 a2", "", "a1 a2" },
	{ "who has his copy", "a1 b1 a2", "a1", "b1|a2" },
	{ "all have theirs", "a1", "a1", "" },
	{ "the same twice", "a1 a1", "", "a1 a1" },
};

static const char *
shape(struct arena *a, const struct lmtp_mail *x, const struct parcels *p)
{
	struct buf out = buf_in(a);

	for (size_t i = 0; i < p->count; i++)
		for (size_t r = 0; r < p->items[i].n; r++) {
			if (out.len > 0)
				buf_addc(&out, r == 0 ? '|' : ' ');
			buf_add(&out, x->recipients[p->items[i].which[r]]
			    .address);
		}
	return arena_str(a, buf_slice(&out));
}

static void
sorts(struct arena *a)
{
	struct slice mark = mark_of(a, "4Zx1Qk2hJ9z");

	for (size_t i = 0; i < sizeof parcels / sizeof parcels[0]; i++) {
		struct slice names = slice_of(parcels[i].recipients);
		struct buf to = buf_in(a);
		struct lmtp l;
		struct lmtp_mail *x;
		struct parcels p;
		struct slice why;

		while (names.ptr != NULL) {
			struct slice name = slice_cut(names, ' ', &names);

			buf_addf(&to, "RCPT TO:<%.*s>\r\n", SLICE_ARG(name));
		}
		x = a_letter(&l, a, "4Zx1Qk2hJ9z", arena_str(a,
		    buf_slice(&to)), arena_printf(a, "%.*sA: 1\r\n\r\nb\r\n",
		    SLICE_ARG(mark)));
		tap_is_int(parcels_make(x, &key, &forms, done,
		    (void *)(uintptr_t)parcels[i].done, &p, &why), RC_OK, "%s",
		    parcels[i].name);
		tap_is_str(shape(a, x, &p), parcels[i].want, "so sorted");
		lmtp_mail_free(x);
		lmtp_free(&l);
	}
}

/* What each copy has: its own mark, and nothing else of ours. */
static void
copies(struct arena *a)
{
	struct lmtp l;
	struct parcels p;
	struct seal seal;
	struct slice why, mark = mark_of(a, "4Zx1Qk2hJ9z"), field;
	struct lmtp_mail *x = a_letter(&l, a, "4Zx1Qk2hJ9z",
	    "RCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\n", arena_printf(a,
	    "A: 1\r\nx-gatehouse-seal: forged\r\n\tmore\r\n%.*sno field\r\n"
	    SPLIT_FIELD ": forged\r\n folded\r\nB: 2\r\n\r\n"
	    SPLIT_FIELD ": text\r\n", SLICE_ARG(mark)));

	tap_is_int(parcels_make(x, &key, &forms, done, (void *)(uintptr_t)"",
	    &p, &why), RC_OK, "a letter");
	tap_is(p.head, SLICE("A: 1\r\nno field\r\nB: 2\r\n"), "its head");
	tap_is(p.body, SLICE("\r\n" SPLIT_FIELD ": text\r\n"), "its body");
	field = slice_trim(slice_after(p.items[1].mark,
	    sizeof SPLIT_FIELD));
	tap_is_int(split_read(field, 2, SLICE_NONE, &key, a, &seal), RC_OK,
	    "a mark of the second pass");
	tap_is_str(seal.form, "0000000000000062", "for its class");
	tap_ok(seal.sender.ptr == NULL && seal.addresses == NULL,
	    "the envelope is what it is");
	tap_is(seal.client.name, SLICE("c"), "the origin stays");
	lmtp_mail_free(x);
	lmtp_free(&l);
}

static const struct {
	const char *name, *queue_id, *sealed, *to, *why;
} troubles[] = {
	{ "no queue id", "", "4Zx1Qk2hJ9z", "a@x", "send_xforward" },
	{ "that of another", "4Zx1Qk2hJ9y", "4Zx1Qk2hJ9z", "a@x",
	  "no valid mark" },
	{ "no mark", "4Zx1Qk2hJ9z", "", "a@x", "no valid mark" },
	{ "a class that cannot be told", "4Zx1Qk2hJ9z", "4Zx1Qk2hJ9z", "!@x",
	  "cannot be read" },
};

static void
trouble(struct arena *a)
{
	for (size_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
		const char *to = arena_printf(a, "RCPT TO:<%s>\r\n",
		    troubles[i].to).ptr;
		struct lmtp l;
		struct parcels p;
		struct slice why = SLICE("");
		struct slice mark = troubles[i].sealed[0] != '\0' ? mark_of(a,
		    troubles[i].sealed) : SLICE("");
		struct lmtp_mail *x = a_letter(&l, a, troubles[i].queue_id, to,
		    arena_printf(a, "%.*sA: 1\r\n\r\nb\r\n",
		    SLICE_ARG(mark)));

		tap_is_int(parcels_make(x, &key, &forms, done,
		    (void *)(uintptr_t)"", &p, &why), RC_RETRY, "%s",
		    troubles[i].name);
		tap_ok(slice_search(why, slice_of(troubles[i].why)) <
		    why.len, "it says: %.*s", SLICE_ARG(why));
		lmtp_mail_free(x);
		lmtp_free(&l);
	}
}

int
main(void)
{
	struct arena *a = arena_new();

	if (mkdtemp(folder) == NULL)
		return 1;
	lmtp(a);
	envelope();
	bounds(a);
	spools();
	in_memory();
	sorts(a);
	copies(a);
	trouble(a);
	remembered(a);
	unlink(arena_printf(a, "%s/served", folder).ptr);
	rmdir(folder);
	arena_free(a);
	return tap_done();
}
