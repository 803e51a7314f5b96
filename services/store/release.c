/*
 * release - a held message on its way
 *
 * Claim (held -> releasing, written down), send, and write down what came of
 * it. Who does not get the claim sends nothing; so of any number of clicks one
 * delivers. A kill between leaves "releasing". Where gatehouse-track runs,
 * Postfix's log and our filters' journals say whether it was taken; else it is
 * tried again, for lost mail is worse than mail that comes twice, and the log
 * says that it may.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "log/log.h"
#include "net/smtp.h"
#include "services/store/notices.h"
#include "services/store/store.h"
#include "services/store/waiting.h"
#include "store/mark.h"
#include "track/fate.h"

enum {
	AT_ONCE = 4,			/* releases that are due */
	MARK_SECONDS = 3600,
	DUE_BATCH = 100,
	PAUSE_MAX = 3600,
	TRACK_SECONDS = 5,
	MARGIN = 60,			/* s, of a claim beyond its deadline */
};

/* What a row says when nobody knows whether Postfix has it. */
#define INTERRUPTED	"interrupted"
#define UNANSWERED	"no answer behind the final dot"

int64_t
release_pause(int64_t first, unsigned tries)
{
	int64_t pause = first > 0 ? first : 1;

	for (unsigned i = 1; i < tries && pause < PAUSE_MAX; i++)
		pause *= 2;
	return pause < PAUSE_MAX ? pause : PAUSE_MAX;
}

/* --- the claim ----------------------------------------------------------- */

static enum release_answer
may_release(struct store *s, const struct store_row *row, bool dangerous,
    bool again, int64_t now, struct slice *why_r)
{
	struct store_index *x = s->vault.index;
	bool restricted;

	if (row->state == STORE_RELEASING)
		return !again ? RELEASE_BUSY : row->try_at <= now ?
		    RELEASE_TAKEN : RELEASE_BUSY;
	if (row->state != STORE_HELD || again)
		return RELEASE_OVER;
	if (!row->object.body) {
		*why_r = SLICE("the message itself is not there any more");
		return RELEASE_OVER;
	}
	if (x->does->restricted(x, row->object.content, &restricted) != RC_OK)
		return RELEASE_TROUBLE;
	return restricted && !dangerous ? RELEASE_FORBIDDEN : RELEASE_TAKEN;
}

/* RELEASE_TAKEN: it is ours now. */
static enum release_answer
claim(struct store *s, const struct store_conf *conf, bool dangerous,
    bool again, struct slice actor, struct arena *a, struct store_row *row,
    struct slice *why_r)
{
	int64_t now = clock_wall();
	/* `changed` stays when the release was asked for: it is given up by
	 * that. */
	struct store_change c = { .time = again ? row->changed : now,
	    .actor = again ? row->actor : actor, .reply = SLICE(""),
	    .tries = row->tries + 1,
	    .try_at = now + conf->release_timeout / 1000 + MARGIN };
	enum release_answer may = may_release(s, row, dangerous, again, now,
	    why_r);
	bool moved;

	if (may != RELEASE_TAKEN)
		return may;
	if (store_change(s, row, STORE_RELEASING, &c, a, &moved, why_r) !=
	    RC_OK)
		return RELEASE_TROUBLE;
	if (!moved)
		return RELEASE_BUSY;
	row->state = STORE_RELEASING;
	row->tries = c.tries;
	row->actor = c.actor;
	if (!again)
		row->changed = now;
	return RELEASE_TAKEN;
}

static enum release_answer
take(struct store *s, const struct store_conf *conf, struct slice id,
    struct slice recipient, struct slice actor, bool dangerous, bool again,
    struct arena *a, struct store_row *row, struct slice *why_r)
{
	struct store_index *x = s->vault.index;
	enum release_answer answer;
	bool found;

	vault_enter(&s->vault);
	if (vault_catch_up(&s->vault, why_r) != RC_OK) {
		answer = RELEASE_TROUBLE;
	} else if (x->does->row_get(x, id, recipient, a, row, &found) !=
	    RC_OK) {
		*why_r = arena_copy(a, x->why);
		answer = RELEASE_TROUBLE;
	} else if (!found) {
		answer = RELEASE_UNKNOWN;
	} else {
		answer = claim(s, conf, dangerous, again, actor, a, row, why_r);
	}
	*why_r = arena_copy(a, *why_r);
	vault_leave(&s->vault);
	return answer;
}

/* --- on its way ---------------------------------------------------------- */

static enum rc
next_piece(void *arg, struct slice *piece_r, struct slice *why_r)
{
	enum rc rc = object_next(arg, piece_r);

	if (rc != RC_OK)
		*why_r = rc == RC_BAD ? SLICE("the stored message was changed")
		    : SLICE("the stored message cannot be read");
	return rc;
}

static enum rc
send_object(const struct service_set *set, struct object *object,
    const struct store_row *row, struct smtp_outcome *outcome,
    struct arena *a, struct slice *why_r)
{
	const struct store_conf *conf = set->conf;
	const struct object_meta *meta = object_meta(object);
	struct slice recipient = row->recipient, mark_body;
	struct mark mark;
	struct smtp_mail mail = { .server = conf->release_server,
	    .helo = set->house.hostname, .sender = meta->sender,
	    .recipients = &recipient, .nrecipients = 1,
	    .smtputf8 = meta->smtputf8, .body8 = meta->body8,
	    /* What only waited is on its way as if it had not. */
	    .no_dsn = !cause_waits(meta->cause),
	    .next = next_piece, .arg = object,
	    .deadline = deadline_in(conf->release_timeout) };

	/* It sets all of it; what is only this release's comes behind. */
	mark_of_object(&mark, meta);
	mark.last = waiting_last(conf, &set->house, row, clock_wall());
	mark.recipients = &recipient;
	mark.nrecipients = 1;
	mark.expires = clock_wall() + MARK_SECONDS;
	if (mark_write(&mark, slice_make(conf->seal.bytes, conf->seal.len), a,
	    &mark_body) != RC_OK) {
		*why_r = SLICE("no release mark could be made");
		return RC_RETRY;
	}
	mail.head = arena_printf(a, "%s:%.*s\r\n", MARK_FIELD, (int)
	    mark_body.len, mark_body.ptr);
	return smtp_send(&mail, outcome, a, why_r);
}

static enum rc
send_row(struct store *s, const struct service_set *set,
    const struct store_row *row, struct smtp_outcome *outcome,
    struct arena *a, struct slice *why_r)
{
	struct object *object;
	enum rc rc = vault_object(&s->vault, row->object.id, a, &object,
	    why_r);

	*outcome = (struct smtp_outcome){ .reply = SLICE("") };
	if (rc != RC_OK)
		return rc;
	rc = send_object(set, object, row, outcome, a, why_r);
	object_close(object);
	return rc;
}

/* Nobody knows what became of the last try: perhaps Postfix's log does. */
static bool
taken_before(const struct service_set *set, const struct store_row *row,
    struct smtp_outcome *outcome, struct arena *a)
{
	struct track_fates *f;
	struct slice id;

	if (!slice_starts(row->reply, SLICE(INTERRUPTED)) &&
	    !slice_starts(row->reply, SLICE(UNANSWERED)))
		return false;
	f = track_fates_open(set->house.state_directory);
	id = track_released(f, row->object.id, row->recipient, row->changed,
	    a);
	track_fates_close(f);
	*outcome = (struct smtp_outcome){ .kind = SMTP_TAKEN, .reply =
	    arena_printf(a, "taken before, as %.*s: so says Postfix's log",
	    SLICE_ARG(id)) };
	return id.ptr != NULL;
}

/* --- what came of it ----------------------------------------------------- */

static enum release_answer
judge(const struct service_set *set, const struct store_row *row, enum rc rc,
    const struct smtp_outcome *o, struct slice why, struct arena *a,
    struct store_change *c)
{
	const struct store_conf *conf = set->conf;
	bool late = c->time - row->changed > conf->release_give_up / 1000 ||
	    waiting_late(conf, &set->house, row, c->time);

	c->reply = o->reply.len > 0 ? o->reply : why;
	c->try_at = 0;
	if (rc == RC_OK && o->kind == SMTP_TAKEN)
		return RELEASE_TAKEN;
	if (rc == RC_BAD || o->kind == SMTP_REFUSED)
		return RELEASE_REFUSED;
	if (o->kind == SMTP_UNSURE)
		c->reply = arena_printf(a, UNANSWERED " (%.*s): it may come "
		    "twice", SLICE_ARG(why));
	if (late)
		return RELEASE_REFUSED;
	c->try_at = c->time + release_pause(conf->release_retry / 1000,
	    row->tries);
	c->time = row->changed;
	return RELEASE_WAITS;
}

/* A reply is display text in logs, answers and mail. */
static enum release_answer
settle(struct store *s, const struct service_set *set, struct store_row *row,
    enum rc rc, const struct smtp_outcome *o, struct slice why,
    struct arena *a, struct slice *reply_r)
{
	static const enum store_state to[] = {
		[RELEASE_TAKEN] = STORE_RELEASED,
		[RELEASE_WAITS] = STORE_RELEASING,
		[RELEASE_REFUSED] = STORE_HELD,
	};
	struct store_change c = { .time = clock_wall(), .actor = row->actor,
	    .tries = row->tries };
	enum release_answer answer = judge(set, row, rc, o, why, a, &c);
	struct slice trouble;
	bool moved;

	vault_enter(&s->vault);
	rc = store_change(s, row, to[answer], &c, a, &moved, &trouble);
	if (rc != RC_OK)
		log_error("%.32s: what became of its release (%.*s) cannot be "
		    "written down, it will be tried again: %.*s",
		    row->object.id.ptr, SLICE_ARG(log_safe(a, c.reply, 300)),
		    SLICE_ARG(log_safe(a, trouble, 300)));
	vault_leave(&s->vault);
	if (store_waiting(row->object.cause))
		waiting_settled(s, row, to[answer]);
	*reply_r = c.reply;
	return answer;
}

enum release_answer
release_row(struct store *s, struct slice id, struct slice recipient,
    struct slice actor, bool dangerous, bool again, struct arena *a,
    struct slice *reply_r)
{
	struct service_set *set = service_set(s->run);
	struct slice why = SLICE("");
	struct smtp_outcome outcome;
	const struct store_conf *conf = set->conf;
	struct store_row row;
	enum release_answer answer = RELEASE_TROUBLE;

	if (conf->seal.len == 0)
		*reply_r = SLICE("seal_key in gatehouse.conf is empty; without "
		    "one released mail would be held again");
	else
		answer = take(s, conf, id, recipient, actor, dangerous, again,
		    a, &row, reply_r);
	if (answer == RELEASE_OVER && reply_r->len == 0)
		*reply_r = slice_of(store_state_name(row.state));
	if (answer == RELEASE_TAKEN) {
		enum rc rc = taken_before(set, &row, &outcome, a) ? RC_OK :
		    send_row(s, set, &row, &outcome, a, &why);

		answer = settle(s, set, &row, rc, &outcome, why, a,
		    reply_r);
	}
	service_set_drop(set);
	return answer;
}

/* --- again --------------------------------------------------------------- */

struct due {
	struct arena *a;
	struct { struct slice id, recipient; } items[DUE_BATCH];
	size_t count;
};

static bool
note_due(const struct store_row *row, void *arg)
{
	struct due *d = arg;

	d->items[d->count].id = row->object.id;
	d->items[d->count].recipient = row->recipient;
	return ++d->count < DUE_BATCH;
}

static bool
stopping(struct store *s)
{
	bool yes;

	pthread_mutex_lock(&s->lock);
	yes = s->stopping;
	pthread_mutex_unlock(&s->lock);
	return yes;
}

/* Some side by side: a message waits for Postfix and for all filters. */
struct due_work {
	struct store *s;
	const struct due *due;
	_Atomic size_t next;
};

static void *
work_off(void *arg)
{
	struct due_work *w = arg;
	size_t i;

	while (!stopping(w->s) && (i = w->next++) < w->due->count) {
		struct arena *a = arena_new();
		struct slice reply = SLICE("");

		release_row(w->s, w->due->items[i].id,
		    w->due->items[i].recipient, SLICE(""), true, true, a,
		    &reply);
		arena_free(a);
	}
	return NULL;
}

static void
send_due(struct store *s, const struct due *due)
{
	struct due_work w = { .s = s, .due = due };
	pthread_t helpers[AT_ONCE - 1];
	size_t n = 0;

	while (n + 1 < due->count && n < AT_ONCE - 1 &&
	    pthread_create(&helpers[n], NULL, work_off, &w) == 0)
		n++;
	work_off(&w);
	while (n > 0)
		pthread_join(helpers[--n], NULL);
}

void
release_due(struct store *s)
{
	struct arena *a = arena_new();
	struct due *due = arena_alloc(a, sizeof *due);
	struct store_index *x = vault_read(&s->vault);

	if (x->does->due(x, STORE_RELEASING, clock_wall(), DUE_BATCH, a,
	    note_due, due) != RC_OK)
		log_error("releases to try again cannot be looked up: %.*s",
		    SLICE_ARG(x->why));
	vault_read_end(&s->vault);
	send_due(s, due);
	arena_free(a);
}

/* A claim has no reply yet; one that waits for its next try has. */
static bool
note_claim(const struct store_row *row, void *arg)
{
	return row->reply.len > 0 || note_due(row, arg);
}

static enum rc
recover_row(struct store *s, struct slice id, struct slice recipient,
    int64_t at, struct arena *a, struct slice *why_r)
{
	struct store_index *x = s->vault.index;
	struct store_change c = { .reply =
	    SLICE(INTERRUPTED ": it may come twice"), .try_at = at };
	struct store_row row;
	bool found;
	enum rc rc = x->does->row_get(x, id, recipient, a, &row, &found);

	if (rc != RC_OK || !found)
		return rc;
	c.time = row.changed;
	c.actor = row.actor;
	c.tries = row.tries;
	return store_change(s, &row, STORE_RELEASING, &c, a, &found, why_r);
}

/* Seconds until gatehouse-track, where there is one, has read what Postfix
 * said last. */
static int64_t
patience(struct store *s, struct arena *a)
{
	struct service_set *set = service_set(s->run);
	const char *path = arena_printf(a, "%s/track/track.db",
	    set->house.state_directory).ptr;

	service_set_drop(set);
	return access(path, R_OK) == 0 ? TRACK_SECONDS : 0;
}

enum rc
release_recover(struct store *s, struct slice *why_r)
{
	struct arena *a = arena_new();
	struct store_index *x = s->vault.index;
	struct due *due = arena_alloc(a, sizeof *due);
	int64_t at = clock_wall() + patience(s, a);
	enum rc rc;

	*why_r = SLICE("");
	do {
		due->count = 0;
		rc = x->does->due(x, STORE_RELEASING, INT64_MAX, UINT32_MAX, a,
		    note_claim, due);
		for (size_t i = 0; rc == RC_OK && i < due->count; i++)
			rc = recover_row(s, due->items[i].id,
			    due->items[i].recipient, at, a, why_r);
	} while (rc == RC_OK && due->count == DUE_BATCH);
	*why_r = arena_copy(s->run->arena, why_r->len > 0 ? *why_r : x->why);
	arena_free(a);
	return rc;
}
