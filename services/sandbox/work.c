#include "services/sandbox/work.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "log/log.h"
#include "mime/message.h"
#include "services/sandbox/api.h"
#include "services/sandbox/status.h"
#include "store/ask.h"
#include "text/json.h"

enum {
	ASK_MS = 60 * 1000,
	MAILS = 1000,			/* looked at in one step */
	TASKS = 200,			/* asked about in one step */
	PAUSE_MAX = 300 * 1000,
	PROBE_MS = 60 * 1000,		/* when there is nothing to ask */
	ASK_MAX_S = 60,			/* between two questions for a file */
	READINGS = 8,			/* of one part, as for the milter */
	MESSAGE = 160 << 20,		/* bytes of one that is read */
	NAME = 100,
};

struct work {
	struct service_run *run;
	pthread_t thread;
	pthread_mutex_t lock;		/* of stopping */
	pthread_cond_t wake;
	bool stopping;

	/* The thread's own. */
	struct book *book;
	struct service_set *set;	/* that api was made for */
	struct api *api;
	struct ask *store;
	struct sandbox_status status;
	deadline_t probe;
	deadline_t down;		/* the sandbox is left alone until */
	int64_t pause;			/* ms */
	bool told_store;
};

static const struct sandbox_conf *
conf_of(const struct work *w)
{
	return w->set->conf;
}

static bool
stopping(struct work *w)
{
	bool yes;

	pthread_mutex_lock(&w->lock);
	yes = w->stopping;
	pthread_mutex_unlock(&w->lock);
	return yes;
}

/* ---- the sandbox is there, or not ---- */

static void
set_up(struct work *w, bool up, struct slice why)
{
	if (w->status.up != up || w->status.since == 0)
		w->status.since = clock_wall();
	if (w->status.up && !up)
		log_warning("the sandbox is down: %.*s; mail that waits for it "
		    "waits", SLICE_ARG(why));
	if (!w->status.up && up && w->pause > 0)
		log_info("the sandbox answers again");
	w->status.up = up;
	snprintf(w->status.why, sizeof w->status.why, "%.*s",
	    SLICE_ARG(slice_sub(why, 0, sizeof w->status.why - 1)));
}

/* True: it is no trouble of the sandbox as a whole. */
static bool
heard(struct work *w, enum api_end end, struct slice why, struct arena *a)
{
	if (end != API_DOWN) {
		set_up(w, true, SLICE(""));
		w->pause = 0;
		w->probe = deadline_in(PROBE_MS);
		return true;
	}
	set_up(w, false, log_safe(a, why, 150));
	w->pause = w->pause == 0 ? conf_of(w)->retry : w->pause * 2;
	if (w->pause > PAUSE_MAX)
		w->pause = PAUSE_MAX;
	w->down = deadline_in(w->pause);
	w->probe = w->down;
	return false;
}

static bool
may_ask(const struct work *w)
{
	return w->api != NULL && deadline_left(w->down) == 0;
}

static void
book_fails(struct work *w, struct arena *a)
{
	log_error("the book of the sandbox: %.*s", SLICE_ARG(log_safe(a,
	    book_why(w->book, a), 300)));
}

/* ---- the quarantine ---- */

static void
leave_store(struct work *w, struct slice said, struct arena *a)
{
	/* It may live in what is closed. */
	struct slice why = arena_copy(a, said);

	ask_close(w->store);
	w->store = NULL;
	w->status.store = false;
	if (!w->told_store)
		log_warning("gatehouse-store does not answer: %.*s",
		    SLICE_ARG(log_safe(a, why, 300)));
	w->told_store = true;
}

static bool
reach_store(struct work *w, struct arena *a)
{
	const char *path = arena_printf(a, "%s/store/sock",
	    w->set->house.state_directory).ptr;
	struct slice why = SLICE("");

	if (w->store == NULL &&
	    ask_open(path, ASK_MS, &w->store, a, &why) != RC_OK) {
		w->store = NULL;
		leave_store(w, why, a);
		return false;
	}
	return true;
}

/* A connection that stood idle may have been closed meanwhile. */
static bool
converse(struct work *w, struct slice question, struct slice *line_r,
    struct arena *a)
{
	struct slice why = SLICE("");
	bool kept = w->store != NULL;

	if (kept && ask_line(w->store, question, line_r, &why) == RC_OK)
		return true;
	ask_close(w->store);
	w->store = NULL;
	if (!reach_store(w, a))
		return false;
	if (ask_line(w->store, question, line_r, &why) == RC_OK)
		return true;
	leave_store(w, why, a);
	return false;
}

/* The answer, or NULL: nobody could be asked. *ok_r: it was done. */
static json_t *
ask_store(struct work *w, const char *op, struct slice object,
    const char *verdict, struct slice reason, struct arena *a, bool *ok_r)
{
	struct buf out = buf_in(a);
	struct slice line;
	struct json j;
	json_t *answer;

	*ok_r = false;
	json_init(&j, &out);
	json_begin_object(&j);
	json_put_int(&j, "v", 1);
	json_put(&j, "op", slice_of(op));
	if (object.ptr != NULL)
		json_put(&j, "object", object);
	if (verdict != NULL) {
		json_put(&j, "verdict", slice_of(verdict));
		json_put(&j, "reason", reason);
	}
	json_end(&j);
	if (!converse(w, buf_slice(&out), &line, a))
		return NULL;
	answer = json_loadb(line.ptr, line.len, 0, NULL);
	if (!json_is_object(answer)) {
		leave_store(w, SLICE("its answer is no JSON"), a);
		json_decref(answer);
		return NULL;
	}
	w->told_store = false;
	w->status.store = true;
	*ok_r = json_is_true(json_object_get(answer, "ok"));
	return answer;
}

static struct slice
text_of(const json_t *of, const char *key)
{
	const json_t *value = json_object_get(of, key);

	return json_is_string(value) ? slice_make(json_string_value(value),
	    json_string_length(value)) : SLICE("");
}

/* ---- one message: which of its parts are wanted? ---- */

struct mail {
	struct work *w;
	struct arena *a;
	struct slice object, wanted;
	bool broken;			/* the book does not take it */
};

static bool
digest(struct slice bytes, char hex[65])
{
	unsigned char sum[EVP_MAX_MD_SIZE];

	if (EVP_Digest(bytes.ptr != NULL ? bytes.ptr : "", bytes.len, sum,
	    NULL, EVP_sha256(), NULL) != 1)
		return false;
	hex_write(hex, sum, 32);
	return true;
}

static struct slice
name_of(const struct part *p, struct arena *a)
{
	return log_safe(a, p->filename.ptr != NULL ? p->filename :
	    arena_printf(a, "%.*s/%.*s", SLICE_ARG(p->type),
	    SLICE_ARG(p->subtype)), NAME);
}

static void
judged(struct mail *m, struct slice sha256, enum answer_verdict verdict,
    int64_t score, struct slice family)
{
	if (book_judged(m->w->book, sha256, verdict, score, family,
	    clock_wall()) == RC_OK)
		return;
	book_fails(m->w, m->a);
	m->broken = true;
}

static void
later(struct work *w, struct slice sha256, int64_t seconds, bool lost,
    struct arena *a)
{
	if (book_later(w->book, sha256, clock_wall() + seconds, lost) != RC_OK)
		book_fails(w, a);
}

/* Nonsense is tried again; then there is no answer for this file. */
static void
nonsense(struct work *w, const struct book_part *p, struct slice why,
    struct arena *a)
{
	struct mail m = { .w = w, .a = a };

	log_warning("%.16s: %.*s", p->sha256.ptr, SLICE_ARG(log_safe(a, why,
	    200)));
	if (p->tries + 1 >= conf_of(w)->tries)
		judged(&m, p->sha256, VERDICT_NONE, -1, why);
	else
		later(w, p->sha256, conf_of(w)->retry / 1000 + 1, true, a);
}

static void
submit(struct mail *m, const struct book_part *p, struct slice bytes)
{
	struct work *w = m->w;
	const struct api_file file = { bytes, p->sha256, p->name };
	struct slice tasks = SLICE(""), why = SLICE("");
	int64_t now = clock_wall();
	enum api_end end;

	if (!may_ask(w))
		return;
	end = api_submit(w->api, &file, m->a, &tasks, &why);
	if (!heard(w, end, why, m->a))
		return;
	if (end == API_REFUSED)
		judged(m, p->sha256, VERDICT_NONE, -1, why);
	else if (end == API_NONSENSE)
		nonsense(w, p, why, m->a);
	else if (book_tasked(w->book, p->sha256, tasks, now, now) != RC_OK)
		book_fails(w, m->a);
	else
		log_info("%.16s: given to the sandbox as %.*s, %zu bytes",
		    p->sha256.ptr, SLICE_ARG(tasks), bytes.len);
}

/* The part that it was, among those of this message. */
struct wanted {
	struct book_part part;
	bool found;
};

struct wanted_list {
	struct wanted items[ANSWER_TASKS + 1];
	size_t count;
};

static bool
note(const struct book_part *p, void *arg)
{
	struct wanted_list *l = arg;

	if (!p->judged && p->tasks.len == 0)
		l->items[l->count++].part = *p;
	return l->count <= ANSWER_TASKS;
}

static void
give_content(struct mail *m, struct wanted_list *l, const struct part *part,
    struct slice content)
{
	char hex[65];

	if (!digest(content, hex))
		return;
	for (size_t i = 0; i < l->count; i++) {
		struct wanted *x = &l->items[i];

		if (x->found || !slice_eq(x->part.sha256, slice_of(hex)))
			continue;
		x->found = true;
		x->part.name = name_of(part, m->a);
		if (x->part.next <= clock_wall())
			submit(m, &x->part, content);
	}
}

/* What was decoded of one part is given up before the next. */
static void
give_part(struct mail *m, struct wanted_list *l, const struct part *part)
{
	size_t limit = (size_t)conf_of(m->w)->file_limit + 1;
	struct slice content;
	unsigned flags = 0;
	struct arena *a = arena_new();

	for (unsigned n = 0; n < READINGS && part_reading(part, n, a,
	    limit, &content, &flags); n++)
		if (content.len < limit)
			give_content(m, l, part, content);
	arena_free(a);
}

static void
give_parts(struct mail *m, struct slice file)
{
	struct wanted_list *l = arena_alloc(m->a, sizeof *l);
	struct message msg;
	struct slice head, body;
	const struct part *root;

	if (book_parts(m->w->book, m->object, m->a, note, l) != RC_OK) {
		book_fails(m->w, m->a);
		return;
	}
	message_split(m->a, file, &head, &body);
	message_read(&msg, m->a, head, body, NULL);
	root = message_parts(&msg);
	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		if (p->child == NULL)
			give_part(m, l, p);
	for (size_t i = 0; i < l->count; i++)
		if (!l->items[i].found)
			judged(m, l->items[i].part.sha256, VERDICT_NONE, -1,
			    SLICE("it is too large for the sandbox"));
}

/* What the milter chose goes into the book first. */
static bool
book_in(struct mail *m)
{
	struct slice rest = m->wanted;
	size_t n = 0;

	while (rest.ptr != NULL && n < ANSWER_TASKS) {
		struct slice one = slice_cut(rest, ' ', &rest);

		if (one.len != 64)
			continue;
		n++;
		if (book_wants(m->w->book, m->object, arena_copy(m->a, one),
		    SLICE("")) != RC_OK) {
			book_fails(m->w, m->a);
			return false;
		}
	}
	return true;
}

static struct slice
read_bytes(struct work *w, uint64_t size, struct arena *a)
{
	struct buf out = buf_in(a);
	struct slice bytes, why = SLICE("");

	while (out.len < size) {
		if (ask_bytes(w->store, size - out.len, &bytes, &why) !=
		    RC_OK || bytes.len == 0) {
			leave_store(w, why.len > 0 ? why :
			    SLICE("a message ended too early"), a);
			return SLICE_NONE;
		}
		buf_add(&out, bytes);
	}
	return buf_slice(&out);
}

/* ---- a verdict on the mail ---- */

struct sum {
	struct arena *a;
	size_t parts, open, waiting;	/* open: neither verdict nor task */
	enum answer_verdict worst;
	struct book_part at;
	int64_t now;
};

static bool
add(const struct book_part *p, void *arg)
{
	struct sum *s = arg;

	s->parts++;
	if (!p->judged) {
		s->open += p->tasks.len == 0 && p->next <= s->now;
		s->waiting++;
	} else if (s->parts == 1 || s->at.sha256.ptr == NULL ||
	    p->verdict > s->worst) {
		s->worst = p->verdict;
		s->at = *p;
	}
	return true;
}

static struct slice
reason_of(const struct sum *s, struct arena *a)
{
	const struct book_part *p = &s->at;
	struct buf out = buf_in(a);

	if (p->sha256.ptr == NULL)
		return SLICE("there was nothing to look at");
	if (p->score >= 0 && s->worst != VERDICT_NONE)
		buf_addf(&out, "score %lld of 100, ", (long long)p->score);
	if (p->family.len > 0)
		buf_addf(&out, "%.*s, ", SLICE_ARG(p->family));
	buf_addf(&out, "SHA-256 %.64s", p->sha256.ptr);
	return buf_slice(&out);
}

static void
tell_verdict(struct work *w, struct slice object, const struct sum *s,
    struct arena *a)
{
	const char *verdict = s->parts == 0 ? "none" :
	    answer_verdict_name(s->worst);
	bool ok;
	json_t *answer = ask_store(w, "sandbox-verdict", object, verdict,
	    reason_of(s, a), a, &ok);

	if (ok)
		log_info("%.32s: verdict=%s (%.*s)", object.ptr, verdict,
		    SLICE_ARG(reason_of(s, a)));
	json_decref(answer);
}

/* ---- a step ---- */

/* Brings it from the quarantine and gives its parts to the sandbox. */
static bool
fetch(struct work *w, struct slice object, bool known, struct arena *a)
{
	struct mail m = { .w = w, .a = a, .object = object };
	struct slice file = SLICE_NONE;
	json_int_t size;
	bool ok;
	json_t *answer = ask_store(w, "sandbox-raw", object, NULL, SLICE(""),
	    a, &ok);

	if (ok) {
		size = json_integer_value(json_object_get(answer, "bytes"));
		m.wanted = arena_copy(a, text_of(answer, "parts"));
		file = size >= 0 && size <= MESSAGE ? read_bytes(w,
		    (uint64_t)size, a) : SLICE("");
	}
	json_decref(answer);
	/* Of one that is too large nothing is found, and there is no answer. */
	if (file.ptr != NULL && file.len == 0) {
		ask_close(w->store);
		w->store = NULL;
	}
	if (file.ptr == NULL || (!known && !book_in(&m)))
		return false;
	give_parts(&m, file);
	return !m.broken;
}

static bool
sum_up(struct work *w, struct slice object, struct sum *s, struct arena *a)
{
	*s = (struct sum){ .a = a, .now = clock_wall() };
	if (book_parts(w->book, object, a, add, s) == RC_OK)
		return true;
	book_fails(w, a);
	return false;
}

static void
see_mail(struct work *w, struct slice object, int64_t now)
{
	struct arena *a = arena_new();
	bool known = false, good;
	struct sum s;

	good = book_seen(w->book, object, now, &known) == RC_OK;
	if (!good)
		book_fails(w, a);
	good = good && sum_up(w, object, &s, a);
	/* Unknown mail is looked at even when the sandbox is down: what it has
	 * may be known. */
	if (good && (!known || (s.open > 0 && may_ask(w))))
		good = fetch(w, object, known, a) && sum_up(w, object, &s, a);
	if (good && s.waiting == 0)
		tell_verdict(w, object, &s, a);
	arena_free(a);
}

static void
see_mails(struct work *w, const json_t *rows, int64_t now)
{
	struct slice last = SLICE("");

	for (size_t i = 0; i < json_array_size(rows) && i < MAILS &&
	    !stopping(w) && w->status.store; i++) {
		struct slice id = text_of(json_array_get(rows, i), "object");

		if (id.len == 0 || slice_eq(id, last))
			continue;
		last = id;
		see_mail(w, id, now);
	}
}

struct tasks {
	struct book_part items[TASKS];
	size_t count;
};

static bool
note_task(const struct book_part *p, void *arg)
{
	struct tasks *t = arg;

	t->items[t->count++] = *p;
	return t->count < TASKS;
}

/* A tenth of what it has taken so far: soon first, then less often. */
static int64_t
next_question(const struct work *w, const struct book_part *p)
{
	int64_t age = (clock_wall() - p->since) / 10;
	int64_t least = (conf_of(w)->poll + 999) / 1000;

	if (age > ASK_MAX_S)
		age = ASK_MAX_S;
	return age > least ? age : least;
}

static void
see_task(struct work *w, const struct book_part *p, struct arena *a)
{
	struct mail m = { .w = w, .a = a };
	struct answer answer;
	struct slice why = SLICE("");
	enum api_end end = api_ask(w->api, p->tasks, p->sha256, a, &answer,
	    &why);
	enum answer_verdict v;

	if (!heard(w, end, why, a))
		return;
	if (end != API_OK) {
		nonsense(w, p, why, a);
	} else if (answer.state == ANSWER_FAILED) {
		nonsense(w, p, SLICE("its work on the file failed"), a);
	} else if (answer.state == ANSWER_PENDING) {
		later(w, p->sha256, next_question(w, p), false, a);
	} else {
		v = answer_judge(conf_of(w), &answer);
		judged(&m, p->sha256, v, answer.scored ? (int)answer.score : -1,
		    answer.name);
		log_info("%.16s: %s, score %d", p->sha256.ptr,
		    answer_verdict_name(v), answer.scored ?
		    (int)answer.score : -1);
	}
}

static void
see_tasks(struct work *w)
{
	struct arena *a = arena_new();
	struct tasks *t = arena_alloc(a, sizeof *t);

	if (book_due(w->book, clock_wall(), TASKS, a, note_task, t) != RC_OK)
		book_fails(w, a);
	for (size_t i = 0; i < t->count && may_ask(w) && !stopping(w); i++) {
		struct arena *b = arena_new();

		see_task(w, &t->items[i], b);
		arena_free(b);
	}
	arena_free(a);
}

/* So that somebody hears of it before there is mail for it. */
static void
probe(struct work *w, struct arena *a)
{
	struct slice why = SLICE("");

	if (may_ask(w) && deadline_left(w->probe) == 0)
		heard(w, api_probe(w->api, a, &why), why, a);
}

/* A new configuration, or the first: then whom it says is asked. */
static void
take_settings(struct work *w, struct arena *a)
{
	struct service_set *now = service_set(w->run);
	struct slice why = SLICE("");

	if (now == w->set) {
		service_set_drop(now);
		return;
	}
	api_free(w->api);
	if (w->set != NULL)
		service_set_drop(w->set);
	w->set = now;
	w->down = w->probe = 0;
	snprintf(w->status.url, sizeof w->status.url, "%s", conf_of(w)->url);
	if (api_new(now->conf, &w->api, a, &why) == RC_OK)
		return;
	log_error("the sandbox cannot be asked: %.*s", SLICE_ARG(log_safe(a,
	    why, 300)));
	set_up(w, false, log_safe(a, why, 150));
}

static void
tell_status(struct work *w, struct arena *a)
{
	struct book_counts counts = { .mails = 0 };

	if (book_counts(w->book, &counts) != RC_OK)
		book_fails(w, a);
	sandbox_status_write(w->run->folder, &w->status, &counts);
}

static void
step(struct work *w)
{
	struct arena *a = arena_new();
	int64_t now = clock_wall();
	json_t *list;
	bool ok;

	take_settings(w, a);
	if (may_ask(w))
		see_tasks(w);
	probe(w, a);
	list = ask_store(w, "sandbox-list", SLICE_NONE, NULL, SLICE(""), a,
	    &ok);
	if (ok)
		see_mails(w, json_object_get(list, "rows"), now);
	else if (list != NULL)
		leave_store(w, text_of(list, "why"), a);
	/* What is not seen now is over; but only a whole look says so. */
	if (ok && w->status.store && !stopping(w) && book_clear(w->book, now -
	    conf_of(w)->cache / 1000, now) != RC_OK)
		book_fails(w, a);
	json_decref(list);
	tell_status(w, a);
	arena_free(a);
}

static void *
run(void *arg)
{
	struct work *w = arg;

	while (!stopping(w)) {
		struct timespec until;
		int64_t ms;

		step(w);
		ms = conf_of(w)->poll;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec += ms / 1000;
		until.tv_nsec += (ms % 1000) * 1000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		pthread_mutex_lock(&w->lock);
		if (!w->stopping)
			pthread_cond_timedwait(&w->wake, &w->lock, &until);
		pthread_mutex_unlock(&w->lock);
	}
	return NULL;
}

enum rc
work_start(struct service_run *service, struct work **work_r,
    struct slice *why_r)
{
	struct work *w = arena_alloc(service->arena, sizeof *w);
	const char *path = arena_printf(service->arena, "%s/sandbox.db",
	    service->folder).ptr;
	enum rc rc = book_open(path, &w->book, service->arena, why_r);

	if (rc != RC_OK)
		return rc;
	w->run = service;
	w->status.up = true;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->wake, NULL);
	*work_r = w;
	if (pthread_create(&w->thread, NULL, run, w) == 0)
		return RC_OK;
	*why_r = SLICE("cannot start a thread");
	return RC_RETRY;
}

void
work_stop(struct work *w)
{
	pthread_mutex_lock(&w->lock);
	w->stopping = true;
	pthread_cond_broadcast(&w->wake);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	ask_close(w->store);
	api_free(w->api);
	if (w->set != NULL)
		service_set_drop(w->set);
	book_close(w->book);
}
