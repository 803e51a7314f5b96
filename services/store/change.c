/* What happens to a row: written down, done, told. */
#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log/log.h"
#include "services/store/store.h"
#include "text/json.h"

int64_t
store_records(struct store *s)
{
	struct service_set *set = service_set(s->run);
	int64_t seconds = ((const struct store_conf *)set->conf)->records /
	    1000;

	service_set_drop(set);
	return seconds;
}

static void
tell_journal(struct store *s, const struct store_row *row,
    enum store_state to, const struct store_change *c, struct arena *a)
{
	struct buf out = { 0 };
	struct json w;
	time_t now = (time_t)clock_wall();
	struct tm tm;
	char when[32];

	if (s->journal == NULL)
		return;
	gmtime_r(&now, &tm);
	strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_init(&w, &out);
	json_begin_object(&w);
	json_put(&w, "@timestamp", slice_of(when));
	json_put(&w, "event.action", SLICE("quarantine"));
	json_put(&w, "event.module", SLICE("store"));
	json_put(&w, "gatehouse.id", row->object.identity);
	json_put(&w, "gatehouse.queue_id", row->object.queue_id);
	json_put(&w, "gatehouse.object", row->object.id);
	json_put(&w, "email.sender.address", row->object.sender);
	json_put(&w, "email.to.address", row->recipient);
	json_put(&w, "email.message_id", row->object.message_id);
	json_put(&w, "gatehouse.cause", row->object.cause);
	json_put(&w, "gatehouse.rule", row->object.rule);
	json_put(&w, "gatehouse.state", slice_of(store_state_name(to)));
	json_put(&w, "user.name", c->actor);
	json_put(&w, "gatehouse.reason", arena_printf(a, "%s -> %s: %.*s",
	    store_state_name(row->state), store_state_name(to),
	    SLICE_ARG(c->reply)));
	json_end(&w);
	journal_write(s->journal, buf_slice(&out));
	buf_free(&out);
}

void
store_tell(struct store *s, const struct store_row *row, enum store_state to,
    const struct store_change *c)
{
	struct arena *a = arena_new();
	struct log_line line;

	log_begin(&line, a, row->object.queue_id);
	log_pair(&line, "object", row->object.id);
	log_pair(&line, "to", row->recipient);
	log_pair(&line, "quarantine", slice_of(store_state_name(to)));
	log_pair(&line, "was", slice_of(store_state_name(row->state)));
	log_pair(&line, "by", c->actor);
	log_end(&line, c->reply);
	tell_journal(s, row, to, c, a);
	arena_free(a);
}

enum rc
store_change(struct store *s, const struct store_row *row,
    enum store_state to, const struct store_change *c, struct arena *a,
    bool *moved_r, struct slice *why_r)
{
	const struct record r = { .kind = RECORD_MOVED, .time = c->time,
	    .actor = c->actor, .object = { .id = row->object.id },
	    .recipient = row->recipient, .from = row->state, .to = to,
	    .change = *c };
	enum rc rc = vault_record(&s->vault, &r, a, moved_r, why_r);

	if (rc == RC_OK && *moved_r)
		store_tell(s, row, to, c);
	return rc;
}

static bool
see_need(const struct store_row *row, void *arg)
{
	bool *needed = arg;

	if (row->state != STORE_DELETED && row->state != STORE_EXPIRED)
		*needed = true;
	return !*needed;
}

enum rc
store_drop_body(struct store *s, struct slice id, struct arena *a,
    struct slice *why_r)
{
	const struct record r = { .kind = RECORD_BODYLESS,
	    .time = clock_wall(), .actor = SLICE(""), .object = { .id = id } };
	struct store_index *x = s->vault.index;
	char path[VAULT_PATH];
	bool needed = false, done;
	enum rc rc = x->does->rows_of(x, id, a, see_need, &needed);

	if (rc != RC_OK)
		*why_r = arena_copy(a, x->why);
	if (rc != RC_OK || needed)
		return rc;
	rc = vault_record(&s->vault, &r, a, &done, why_r);
	vault_path(path, id, "");
	if (rc == RC_OK && unlinkat(s->vault.fd, path, 0) != 0 &&
	    errno != ENOENT)
		log_error("%s/%s cannot be removed: %s", s->vault.dir, path,
		    strerror(errno));
	return rc;
}

enum rc
store_delete(struct store *s, const struct store_row *row,
    struct slice actor, struct slice reply, struct arena *a, bool *moved_r,
    struct slice *why_r)
{
	int64_t now = clock_wall();
	const struct store_change c = { .time = now, .actor = actor,
	    .reply = reply, .tries = row->tries,
	    .expires = now + store_records(s) };
	enum rc rc = store_change(s, row, STORE_DELETED, &c, a, moved_r,
	    why_r);

	if (rc == RC_OK && *moved_r)
		rc = store_drop_body(s, row->object.id, a, why_r);
	return rc;
}
