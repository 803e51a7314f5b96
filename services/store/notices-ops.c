/* What can be asked at the control socket about digests and tokens. */
#include <string.h>

#include "log/log.h"
#include "notice/digest.h"
#include "services/store/notices.h"

/* What one of these operations works with. */
struct work {
	struct service_set *set;
	struct digest_tools tools;
};

static void
work_end(struct asked *q, struct work *w)
{
	if (w->tools.state != NULL)
		db_close(w->tools.state);
	if (w->tools.index != NULL)
		w->tools.index->does->close(w->tools.index);
	service_set_drop(w->set);
	notices_made(q->store);
}

/* Handles of its own for each: thousands of digests keep nobody from looking,
 * or from releasing. */
static bool
work_begin(struct asked *q, struct work *w)
{
	const struct store_conf *conf;
	const char *path = arena_printf(q->arena, "%s/index.db",
	    q->store->vault.dir).ptr;
	struct slice why = SLICE("");

	w->set = service_set(q->store->run);
	conf = w->set->conf;
	w->tools = (struct digest_tools){ .n = conf->notices,
	    .now = clock_wall(), .a = q->arena };
	if (conf->notices == NULL)
		asked_fails(q, "off", arena_printf(q->arena, "there is no %s",
		    conf->notices_file));
	else if (index_sqlite_open(path, STORE_READ, &w->tools.index,
	    q->arena, &why) != RC_OK || state_open(notices_path(q->store),
	    DB_WRITE, &w->tools.state, q->arena, &why) != RC_OK)
		asked_fails(q, "trouble", why);
	else
		return true;
	work_end(q, w);
	return false;
}

static void
answer_made(struct asked *q, enum rc rc, unsigned made, struct slice why)
{
	if (rc != RC_OK) {
		asked_fails(q, "trouble", why);
		return;
	}
	asked_ok(q);
	json_put_int(q->answer, "made", made);
}

/* Of all who are due, or of the one who is asked about. */
static void
make_digests(struct asked *q, bool all)
{
	struct slice why = SLICE("");
	unsigned made = 0;
	struct work w;
	enum rc rc;

	if (!work_begin(q, &w))
		return;
	rc = all ? digest_due(&w.tools, &made, &why) : digest_for(&w.tools,
	    q->request->recipient, DIGEST_NOW, &made, &why);
	work_end(q, &w);
	if (all && made > 0)
		log_info("NOQUEUE: digests=%u", made);
	answer_made(q, rc, made, why);
}

static void
op_due(struct asked *q)
{
	make_digests(q, true);
}

static void
op_now(struct asked *q)
{
	make_digests(q, false);
}

static void
op_preview(struct asked *q)
{
	struct slice message = SLICE(""), why = SLICE("");
	struct work w;
	enum rc rc;

	if (!work_begin(q, &w))
		return;
	rc = digest_preview(&w.tools, q->request->recipient, &message, &why);
	work_end(q, &w);
	if (rc != RC_OK) {
		asked_fails(q, rc == RC_BAD ? "bad-request" : "trouble", why);
		return;
	}
	asked_ok(q);
	json_put(q->answer, "message", message);
}

/* A mail asked for it. The answer is the same whether one was made or not:
 * who asked for whom is in our log alone. */
static void
op_ask(struct asked *q)
{
	struct slice to = log_safe(q->arena, q->request->recipient, 300);
	struct slice why = SLICE("");
	unsigned made = 0;
	struct work w;
	enum rc rc;

	if (!work_begin(q, &w))
		return;
	rc = digest_for(&w.tools, q->request->recipient, DIGEST_ASKED, &made,
	    &why);
	work_end(q, &w);
	if (rc != RC_OK) {
		asked_fails(q, "trouble", why);
		return;
	}
	log_info("NOQUEUE: digest=%s, to=<%.*s>%s%.*s%s", made > 0 ? "asked" :
	    "refused", SLICE_ARG(to), made > 0 ? "" : " (",
	    SLICE_ARG(made > 0 ? SLICE("") : why), made > 0 ? "" : ")");
	asked_ok(q);
}

/* --- release by token ---------------------------------------------------- */

static struct slice
peer_of(const struct asked *q)
{
	return q->request->peer.len > 0 ? q->request->peer : q->actor;
}

static enum rc
spend(struct asked *q, const struct token_spec *want, struct token_row *row,
    struct slice *why_r)
{
	struct db *db = notices_enter(q->store);
	struct token_guard *guard = notices_guard(q->store);
	struct slice peer = peer_of(q);
	int64_t now = clock_wall();
	enum rc rc = RC_BAD;

	*why_r = SLICE("no such token");
	if (guard_open(guard, peer, now)) {
		rc = token_spend(db, q->arena, q->request->token, want, now,
		    row, why_r);
		if (rc == RC_OK)
			guard_right(guard, peer);
		else if (rc == RC_BAD && guard_wrong(guard, peer, now))
			log_warning("%.*s: too many wrong tokens; locked out "
			    "for %d seconds", SLICE_ARG(log_safe(q->arena,
			    peer, 200)), TOKEN_WINDOW);
	}
	notices_leave(q->store);
	return rc;
}

static void
give_back(struct asked *q)
{
	struct slice why = SLICE("");

	if (token_return(notices_enter(q->store), q->arena, q->request->token,
	    &why) != RC_OK)
		log_error("a token that was spent for nothing cannot be given "
		    "back: %.*s", SLICE_ARG(log_safe(q->arena, why, 300)));
	notices_leave(q->store);
}

/* What is over stays over; what might work another time costs no token. */
static bool
may_work_later(enum release_answer answer)
{
	return answer == RELEASE_TROUBLE || answer == RELEASE_REFUSED;
}

static void
op_token_release(struct asked *q)
{
	const struct token_spec want = { .purpose = TOKEN_RELEASE,
	    .object = SLICE_NONE, .recipient = SLICE_NONE };
	struct slice why = SLICE(""), reply = SLICE(""), actor;
	enum release_answer answer;
	struct token_row row;
	enum rc rc = spend(q, &want, &row, &why);

	actor = arena_printf(q->arena, "token:%.*s", SLICE_ARG(token_prefix(
	    q->arena, q->request->token)));
	if (rc != RC_OK) {
		if (rc == RC_BAD)
			log_info("NOQUEUE: release=refused, by=%.*s, peer=%.*s "
			    "(no such token)", SLICE_ARG(actor),
			    SLICE_ARG(log_safe(q->arena, peer_of(q), 200)));
		asked_fails(q, rc == RC_BAD ? "no-token" : "trouble", why);
		return;
	}
	answer = release_row(q->store, row.object, row.recipient, actor, false,
	    false, q->arena, &reply);
	if (may_work_later(answer))
		give_back(q);
	if (answer == RELEASE_TAKEN || answer == RELEASE_WAITS) {
		asked_ok(q);
		json_put(q->answer, "release", answer == RELEASE_TAKEN ?
		    SLICE("released") : SLICE("waits"));
	} else {
		asked_fails(q, answer == RELEASE_TROUBLE ? "trouble" :
		    "not-released", reply);
	}
}

const struct operation notices_operations[] = {
	{ "digest-due", ASKER_ADMIN, op_due },
	{ "digest-now", ASKER_ADMIN, op_now },
	{ "digest-preview", ASKER_ADMIN, op_preview },
	{ "digest-ask", ASKER_RECIPIENT, op_ask },
	{ "token-release", ASKER_ANYBODY, op_token_release },
	{ NULL, ASKER_ADMIN, NULL },
};
