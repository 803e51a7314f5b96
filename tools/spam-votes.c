/*
 * gatehouse spam learn --by USER and --quarantine: what users say of their
 * mail. Who let a message out of the quarantine has said that it is no spam;
 * the store is asked for these, so no daemon waits for a trainer.
 */
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "milters/antispam/votes.h"
#include "tools/quarantine.h"
#include "tools/spam.h"

/* Rows of a page, and pages of one run: the rest is for the next ones. */
enum { ASK_MS = 60 * 1000, DAYS = 30 * 86400, LIMIT = 1000, PAGES = 50 };

static const char *
folder(const struct spam_options *o)
{
	return arena_printf(o->a, "%s/antispam", o->house.state_directory).ptr;
}

static int
cast(struct spam_options *o, struct spam_mail *mail, struct vote *v,
    unsigned counts[4], struct arena *a)
{
	enum vote_result result;
	struct slice why;

	v->record.group = mail->record.group;
	memcpy(v->record.id, mail->record.id, LEARNED_ID);
	v->record.given = clock_wall();
	if (votes_cast(folder(o), v, &mail->features, &result, a, &why) !=
	    RC_OK)
		return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
	counts[result]++;
	return EX_OK;
}

static int
tell(struct spam_options *o, const unsigned counts[4])
{
	buf_addf(&o->out, "%u learned, %u noted until others say the same, %u "
	    "known, %u over the day's share of their user\n",
	    counts[VOTE_LEARNED], counts[VOTE_NOTED], counts[VOTE_KNOWN],
	    counts[VOTE_TOO_MANY]);
	return verb_print(&o->out);
}

int
spam_vote(struct spam_options *o)
{
	unsigned counts[4] = { 0 };
	struct vote v = { .by = slice_of(o->by),
	    .record = { .spam = o->spam != NULL } };
	struct spam_mail mail;
	struct slice bytes;
	int status = verb_read(o->spam != NULL ? o->spam : o->ham, o->a,
	    &bytes);

	if (status != EX_OK)
		return status;
	spam_read(o->a, bytes, o->rules, &mail);
	v.key = slice_make(mail.record.id, LEARNED_ID);
	status = cast(o, &mail, &v, counts, o->a);
	return status == EX_OK ? tell(o, counts) : status;
}

/* ---- the quarantine ---- */

/* Who owns the trainer's files reads the mail: nothing hostile is read as
 * root. The socket is open by then. */
int
spam_become_owner(const struct spam_options *o)
{
	struct stat st;

	if (geteuid() != 0 || stat(folder(o), &st) != 0 || st.st_uid == 0)
		return EX_OK;
	if (setgroups(0, NULL) == 0 && setgid(st.st_gid) == 0 &&
	    setuid(st.st_uid) == 0)
		return EX_OK;
	return verb_fails(EX_OSERR, "spam: root's rights cannot be given up: "
	    "%s", strerror(errno));
}

/* What was released, newest first; behind that row, or the first page. */
static int
list(struct asking *q, const json_t *last)
{
	asking_begin(q, "list");
	json_key(&q->w, "states");
	json_begin_array(&q->w);
	json_text(&q->w, SLICE("released"));
	json_end(&q->w);
	json_put_int(&q->w, "since", clock_wall() - DAYS);
	json_put_int(&q->w, "limit", LIMIT);
	if (last != NULL) {
		json_put_int(&q->w, "before_time", json_integer_value(
		    json_object_get(last, "time")));
		json_put(&q->w, "before_id", asking_get(q, last, "object"));
		json_key(&q->w, "before_recipient");
		json_bytes(&q->w, asking_get(q, last, "recipient"));
	}
	return asking_ask(q);
}

/* A message of the store; a row whose message is gone is passed over. */
static int
fetch(struct asking *q, struct slice object, struct buf *bytes)
{
	struct slice piece, why;
	uint64_t left;

	asking_begin(q, "raw");
	json_put(&q->w, "object", object);
	if (asking_ask(q) != EX_OK)
		return EX_NOINPUT;
	left = (uint64_t)json_integer_value(json_object_get(q->answer,
	    "bytes"));
	while (left > 0) {
		if (ask_bytes(q->ask, left, &piece, &why) != RC_OK)
			return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
		if (piece.len == 0)
			return verb_fails(EX_TEMPFAIL, "%.*s: the stored "
			    "message ends too early", SLICE_ARG(object));
		buf_add(bytes, piece);
		left -= piece.len;
	}
	return EX_OK;
}

/* Held for what antispam said of it, and let out by somebody. */
static bool
is_vote(struct asking *q, const json_t *row, struct vote *v)
{
	static const char *const causes[] = { "spam", "phishing", "fraud",
	    NULL };
	struct slice cause = asking_get(q, row, "cause"), by;
	bool ours = false;

	for (const char *const *c = causes; *c != NULL; c++)
		ours = ours || slice_eq(cause, slice_of(*c));
	by = asking_get(q, row, "by");
	*v = (struct vote){ .by = asking_get(q, row, "recipient"),
	    .key = asking_get(q, row, "object"),
	    .admin = slice_eq(by, SLICE("root")) };
	return ours && json_is_true(json_object_get(row, "body"));
}

static int
take_row(struct spam_options *o, struct asking *q, struct vote *v,
    unsigned counts[4])
{
	struct arena *a = arena_new();
	struct buf bytes = buf_in(a);
	struct spam_mail mail;
	struct slice why;
	bool known = false;
	int status = votes_known(folder(o), v, &known, a, &why) == RC_OK ?
	    EX_OK : verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));

	if (status == EX_OK && known)
		counts[VOTE_KNOWN]++;
	if (status == EX_OK && !known)
		status = fetch(q, v->key, &bytes);
	if (status == EX_OK && !known) {
		spam_read(a, buf_slice(&bytes), o->rules, &mail);
		status = cast(o, &mail, v, counts, a);
	}
	arena_free(a);
	return status == EX_NOINPUT ? EX_OK : status;
}

static int
take_page(struct spam_options *o, struct asking *q, const json_t *rows,
    unsigned counts[4])
{
	int status = EX_OK;

	for (size_t i = 0; i < json_array_size(rows) && status == EX_OK;
	    i++) {
		struct vote v;

		if (is_vote(q, json_array_get(rows, i), &v))
			status = take_row(o, q, &v, counts);
	}
	return status;
}

static int
take_all(struct spam_options *o, struct asking *q, unsigned counts[4])
{
	json_t *rows = NULL;
	size_t n = LIMIT;
	int status = EX_OK;

	for (unsigned page = 0; page < PAGES && n == LIMIT && status == EX_OK;
	    page++) {
		status = list(q, n > 0 && rows != NULL ? json_array_get(rows,
		    n - 1) : NULL);
		json_decref(rows);
		rows = NULL;
		if (status != EX_OK)
			break;
		rows = json_incref(json_object_get(q->answer, "rows"));
		n = json_array_size(rows);
		status = take_page(o, q, rows, counts);
	}
	json_decref(rows);
	return status;
}

int
spam_learn_quarantine(struct spam_options *o)
{
	struct asking q = { .a = o->a, .config = o->config,
	    .state = o->house.state_directory };
	unsigned counts[4] = { 0 };
	int status = asking_open(&q, ASK_MS);

	if (status == EX_OK)
		status = spam_become_owner(o);
	if (status == EX_OK)
		status = take_all(o, &q, counts);
	asking_close(&q);
	return status == EX_OK ? tell(o, counts) : status;
}
