#include "notice/digest.h"

#include <string.h>

#include "base/map.h"
#include "notice/digest-rows.h"
#include "notice/notice.h"
#include "text/address.h"

/* A recipient of a member, as it stands in the index. */
struct of_member {
	struct of_member *next;
	struct slice recipient;
};

struct member {
	struct member *next;
	struct slice name;		/* "DESTINATION TIMES ZONE" */
	struct slice to;
	struct notices_conf conf;
	struct of_member *recipients;
	size_t count;
	int64_t slot;
	bool due, reset, something;
};

struct run {
	const struct digest_tools *tools;
	struct map *by_name, *by_recipient;
	struct member *first;
	size_t count;
	enum rc rc;
	struct slice why;
};

/* --- who gets one --------------------------------------------------------- */

static void
add_times(struct buf *b, const struct conf_list *times)
{
	for (size_t i = 0; i < times->count; i++) {
		buf_addc(b, i == 0 ? ' ' : ',');
		buf_add(b, times->items[i]);
	}
}

/* Recipients of one destination with other times or words are another member:
 * each has his own slots. */
static struct slice
name_of(struct arena *a, const struct notices_conf *c, struct slice to)
{
	struct buf b = buf_in(a);

	buf_add(&b, to);
	add_times(&b, &c->digest_times);
	buf_addc(&b, ';');
	add_times(&b, &c->digest_weekend_times);
	buf_addf(&b, " %s %s %s", c->timezone, c->language, c->templates);
	return buf_slice(&b);
}

static void
ask_slot(struct run *run, struct member *m)
{
	struct arena *a = run->tools->a;
	int64_t served = 0;
	struct due_times due;

	notices_due(run->tools->n, &m->conf, &due);
	run->rc = state_served(run->tools->state, a, m->name, &served,
	    &run->why);
	if (run->rc == RC_OK)
		m->due = due_now(&due, run->tools->now, served, &m->slot,
		    &m->reset);
}

static struct member *
member_of(struct run *run, struct slice recipient)
{
	struct arena *a = run->tools->a;
	struct notices_conf conf;
	struct slice to, name;
	struct member *m;

	notices_for(run->tools->n, a, recipient, &conf);
	to = conf.digest_to[0] != '\0' ? slice_of(conf.digest_to) :
	    scope_address(a, recipient, run->tools->n->match);
	/* Nobody elsewhere is told what a sender of ours tried to send him. */
	if (!conf.digest || to.ptr == NULL || !address_plain(to) ||
	    (conf.digest_to[0] == '\0' && !notices_ours(run->tools->n, a, to)))
		return NULL;
	name = name_of(a, &conf, to);
	m = map_get(run->by_name, name);
	if (m != NULL || run->count == DIGEST_MEMBERS)
		return m;
	m = arena_alloc(a, sizeof *m);
	m->name = name;
	m->to = to;
	m->conf = conf;
	m->next = run->first;
	run->first = m;
	run->count++;
	map_put(run->by_name, name, m);
	ask_slot(run, m);
	return m;
}

/* What a map holds for those who get none. */
static struct member nobody;

static struct member *
member_for(struct run *run, struct slice recipient)
{
	struct member *m = map_get(run->by_recipient, recipient);
	struct of_member *one;

	if (m != NULL)
		return m;
	m = member_of(run, recipient);
	if (m == NULL || m->count == DIGEST_ADDRESSES)
		m = &nobody;
	map_put(run->by_recipient, recipient, m);
	if (m == &nobody)
		return m;
	one = arena_alloc(run->tools->a, sizeof *one);
	one->recipient = arena_copy(run->tools->a, recipient);
	one->next = m->recipients;
	m->recipients = one;
	m->count++;
	return m;
}

struct scan {
	struct run *run;
	struct store_filter filter;
	struct arena *a;		/* of a page */
	unsigned seen;
};

static bool
scan_row(const struct store_row *row, void *arg)
{
	struct scan *scan = arg;
	struct run *run = scan->run;
	struct member *m = member_for(run, row->recipient);
	bool listed = false;

	scan->seen++;
	scan->filter.before_time = row->object.time;
	scan->filter.before_id = arena_copy(run->tools->a, row->object.id);
	scan->filter.before_recipient = arena_copy(run->tools->a,
	    row->recipient);
	if (run->rc != RC_OK || !m->due || m->something ||
	    row->object.time > m->slot || !rows_listable(&m->conf, row))
		return run->rc == RC_OK;
	run->rc = state_listed(run->tools->state, scan->a, row->object.id,
	    row->recipient, &listed, &run->why);
	m->something = run->rc == RC_OK && !listed;
	return run->rc == RC_OK;
}

/* Pages of the index from now back: only members stay in memory. */
static void
find_members(struct run *run)
{
	struct store_index *x = run->tools->index;
	struct scan scan = { .run = run, .a = arena_new(),
	    .filter = { .since = run->tools->now - DIGEST_LOOK_BACK,
	    .states = 1u << STORE_HELD | 1u << STORE_DELETED,
	    .limit = STORE_LIST_MAX }, .seen = STORE_LIST_MAX };

	while (run->rc == RC_OK && scan.seen == STORE_LIST_MAX) {
		enum rc rc;

		scan.seen = 0;
		rc = x->does->list(x, &scan.filter, scan.a, scan_row, &scan);
		if (rc != RC_OK && run->rc == RC_OK) {
			run->rc = rc;
			run->why = arena_copy(run->tools->a, x->why);
		}
		arena_reset(scan.a);
	}
	arena_free(scan.a);
}

/* --- one digest ----------------------------------------------------------- */

static struct slice
key_of(struct arena *a, const struct digest_tools *tools,
    const struct member *m, enum digest_kind kind)
{
	static const char *const kinds[] = { "digest", "digest-now",
	    "digest-asked", "preview" };
	bool slot = kind == DIGEST_SLOT;

	return arena_printf(a, "%s %.*s %lld", kinds[kind],
	    SLICE_ARG(slot ? m->name : m->to),
	    (long long)(slot ? m->slot : tools->now));
}

/* *mail_r without a message: there was nothing to tell. */
static enum rc
compose(const struct digest_tools *tools, const struct member *m,
    enum digest_kind kind, struct arena *a, struct state_mail *mail_r,
    struct slice *why_r)
{
	const struct write_to to = { .n = tools->n, .conf = &m->conf,
	    .which = TEMPLATE_DIGEST, .key = key_of(a, tools, m, kind),
	    .recipient = m->to, .now = tools->now };
	struct rows *r = arena_alloc(a, sizeof *r);
	struct template_data *data = NULL;

	*mail_r = (struct state_mail){ .key = to.key };
	*r = (struct rows){ .tools = tools, .conf = &m->conf, .to = &to,
	    .kind = kind, .a = a, .rc = RC_OK, .why = SLICE("") };
	for (const struct of_member *one = m->recipients; one != NULL;
	    one = one->next)
		rows_take(r, one->recipient);
	*why_r = arena_copy(tools->a, r->why);
	if (r->rc != RC_OK || (r->count == 0 && kind == DIGEST_SLOT &&
	    !m->conf.digest_empty))
		return r->rc;
	write_common(a, &data, &to);
	rows_data(r, &data, m->conf.digest_to[0] != '\0');
	return write_letter(a, &to, data, mail_r, why_r);
}

/* In the caller's transaction. */
static enum rc
make(const struct digest_tools *tools, const struct member *m,
    enum digest_kind kind, struct arena *a, bool *put_r, struct slice *why_r)
{
	struct state_mail mail;
	enum rc rc = compose(tools, m, kind, a, &mail, why_r);

	*put_r = false;
	if (rc == RC_OK && mail.message.ptr != NULL)
		rc = state_put(tools->state, a, &mail, put_r, why_r);
	if (rc == RC_OK && kind == DIGEST_SLOT)
		rc = state_serve(tools->state, a, m->name, m->slot, why_r);
	return rc;
}

static enum rc
make_whole(const struct digest_tools *tools, const struct member *m,
    enum digest_kind kind, unsigned *made_r, struct slice *why_r)
{
	struct arena *a = arena_new();
	bool put = false;
	enum rc rc;

	if (db_begin(tools->state) != RC_OK)
		rc = db_trouble(tools->state, tools->a, why_r);
	else
		rc = make(tools, m, kind, a, &put, why_r);
	if (rc == RC_OK && db_commit(tools->state) != RC_OK)
		rc = db_trouble(tools->state, tools->a, why_r);
	if (rc != RC_OK) {
		*why_r = arena_copy(tools->a, *why_r);
		db_rollback(tools->state);
	}
	*made_r += rc == RC_OK && put;
	arena_free(a);
	return rc;
}

static bool
is_due(const struct member *m)
{
	return m->due && (m->something || (m->conf.digest_empty && m->slot >
	    0));
}

/* Those who had one before and have nothing in the index now. */
static void
take_served(struct slice name, int64_t slot, void *arg)
{
	struct run *run = arg;
	struct slice to = slice_sub(name, 0, slice_find(name, ' '));
	struct member *m;

	(void)slot;
	if (map_get(run->by_name, name) != NULL || run->rc != RC_OK)
		return;
	m = member_of(run, to);
	/* The name no longer fits when his settings are other ones now, or when
	 * it was the digest of a domain: whose, nobody can tell any more. */
	if (m != NULL && !slice_eq(m->name, name))
		m->due = false;
}

enum rc
digest_due(const struct digest_tools *tools, unsigned *made_r,
    struct slice *why_r)
{
	struct run run = { .tools = tools, .by_name = map_new(),
	    .by_recipient = map_new(), .rc = RC_OK, .why = SLICE("") };
	enum rc rc;

	*made_r = 0;
	find_members(&run);
	if (run.rc == RC_OK)
		run.rc = state_members(tools->state, tools->a, take_served,
		    &run, &run.why);
	rc = run.rc;
	*why_r = run.why;
	for (const struct member *m = run.first; m != NULL && rc == RC_OK;
	    m = m->next) {
		if (m->reset)
			rc = state_serve(tools->state, tools->a, m->name,
			    m->slot, why_r);
		else if (is_due(m))
			rc = make_whole(tools, m, DIGEST_SLOT, made_r, why_r);
	}
	map_free(run.by_name);
	map_free(run.by_recipient);
	return rc;
}

/* --- for one mailbox ------------------------------------------------------ */

static bool
single(const struct digest_tools *tools, struct slice address,
    struct member *m, struct of_member *one)
{
	*m = (struct member){ .to = scope_address(tools->a, address,
	    tools->n->match) };
	if (m->to.ptr == NULL || !address_plain(m->to))
		return false;
	notices_for(tools->n, tools->a, m->to, &m->conf);
	m->name = name_of(tools->a, &m->conf, m->to);
	*one = (struct of_member){ NULL, m->to };
	m->recipients = one;
	m->count = 1;
	return true;
}

/* May a mail that says it comes from there have a digest sent there? */
static enum rc
may_ask(const struct digest_tools *tools, const struct member *m,
    bool *may_r, struct slice *why_r)
{
	const struct notices_conf *c = &tools->n->conf;
	int64_t count = 0;
	enum rc rc;

	*may_r = false;
	if (!notices_ours(tools->n, tools->a, m->to) ||
	    notice_stop_reason(tools->a, m->to, SLICE("")) != NULL ||
	    slice_eq_nocase(m->to, slice_of(c->from)) ||
	    slice_eq_nocase(m->to, slice_of(c->request_address)) ||
	    slice_eq_nocase(m->to, slice_of(c->release_address))) {
		*why_r = SLICE("no mailbox of ours");
		return RC_OK;
	}
	if (!m->conf.digest || m->conf.digest_to[0] != '\0') {
		*why_r = SLICE("has no digest of its own");
		return RC_OK;
	}
	rc = state_count(tools->state, tools->a, arena_printf(tools->a,
	    "ask %.*s", SLICE_ARG(m->to)), c->request_interval / 1000,
	    tools->now, &count, why_r);
	*may_r = rc == RC_OK && count == 1;
	if (rc == RC_OK && !*may_r)
		*why_r = SLICE("asked before, a short while ago");
	return rc;
}

enum rc
digest_for(const struct digest_tools *tools, struct slice address,
    enum digest_kind kind, unsigned *made_r, struct slice *why_r)
{
	struct of_member one;
	struct member m;
	bool may = true;
	enum rc rc;

	*made_r = 0;
	*why_r = SLICE("no address");
	if (!single(tools, address, &m, &one))
		return RC_OK;
	if (kind == DIGEST_ASKED) {
		rc = may_ask(tools, &m, &may, why_r);
		if (rc != RC_OK || !may)
			return rc;
	}
	return make_whole(tools, &m, kind, made_r, why_r);
}

enum rc
digest_preview(const struct digest_tools *tools, struct slice address,
    struct slice *message_r, struct slice *why_r)
{
	struct of_member one;
	struct member m;
	struct state_mail mail;
	enum rc rc;

	if (!single(tools, address, &m, &one)) {
		*why_r = SLICE("that is no address");
		return RC_BAD;
	}
	rc = compose(tools, &m, DIGEST_PREVIEW, tools->a, &mail, why_r);
	*message_r = mail.message;
	return rc;
}

/* --- a token in a subject ------------------------------------------------- */

static bool
looks_like_one(struct slice word)
{
	for (size_t i = 0; i < word.len; i++)
		if (!ascii_alpha(word.ptr[i]) &&
		    (word.ptr[i] < '2' || word.ptr[i] > '7'))
			return false;
	return word.len == TOKEN_TEXT;
}

struct slice
digest_token_in(struct slice subject)
{
	struct slice found = SLICE_NONE;
	bool after_release = false;

	while (subject.ptr != NULL) {
		struct slice word = slice_cut(subject, ' ', &subject);

		if (looks_like_one(word)) {
			if (after_release)
				return word;
			/* Two, and neither behind "release": which one? */
			found = found.ptr == NULL ? word : SLICE("");
		}
		after_release = slice_eq_nocase(word, SLICE("release"));
	}
	return found.len > 0 ? found : SLICE_NONE;
}
