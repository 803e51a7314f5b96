/*
 * A file is given to who has a link: file-fetch.
 *
 * In this order: the token and whose it is; the whole file, proved (its tags,
 * length and digest); what the virus scanners of now say of it; the use of it,
 * written down; the answer. What is given out behind that is read from the disk
 * again, and each piece proves itself: such a file is written once, under a name
 * that is its own. So no copy stays in memory while a slow reader takes it.
 *
 * What is wrong with a token is not told, but to who has one that was right:
 * that it has expired, is used up or was revoked is told to its own mailbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "log/log.h"
#include "services/store/files.h"

/* A request while it is worked on. */
struct fetching {
	struct asked *q;
	const struct store_conf *conf;
	struct files_row row;
	struct slice text;		/* why not */
	int64_t now;
};

static struct slice
peer_of(const struct asked *q)
{
	return q->request->peer.len > 0 ? q->request->peer : q->actor;
}

static void
refuse(struct fetching *f, const char *error, const char *what,
    struct slice why)
{
	struct asked *q = f->q;

	asked_fails(q, error, why);
	if (f->row.id.len > 0)
		files_tell(q->store, &f->row, what, q->actor,
		    log_safe(q->arena, why, 300));
	else
		log_info("NOQUEUE: file=refused, by=%.*s, peer=%.*s, "
		    "token=%.*s (%.*s)", SLICE_ARG(log_safe(q->arena,
		    q->actor, 100)), SLICE_ARG(log_safe(q->arena, peer_of(q),
		    200)), SLICE_ARG(token_prefix(q->arena,
		    q->request->token)), SLICE_ARG(why));
}

/* --- whose --------------------------------------------------------------- */

enum found { FOUND_NONE, FOUND_ONE, FOUND_SEVERAL, FOUND_TROUBLE };

static void
take_row(struct db_query *q, struct arena *a, struct files_row *row)
{
	*row = (struct files_row){
		.id = db_column(q, 0, a), .name = db_column(q, 1, a),
		.type = db_column(q, 2, a), .size = db_column_int(q, 3),
		.sha256 = db_column(q, 4, a), .sender = db_column(q, 5, a),
		.queue_id = db_column(q, 6, a),
		.identity = db_column(q, 7, a), .body = db_column_int(q, 8),
		.recipient = db_column(q, 9, a),
		.expires = db_column_int(q, 10), .uses = db_column_int(q, 11),
		.revoked = db_column_int(q, 12),
	};
}

/* Of several files of one token (a message came again for other recipients) the
 * last one that there is counts. */
static enum found
find(struct fetching *f, struct db *db, const char *hash, struct slice who)
{
	struct db_query *q = db_query(db, "SELECT file.id, name, type, size, "
	    "sha256, sender, queue_id, identity, body, recipient, expires, "
	    "uses, revoked FROM file JOIN share ON share.id = file.id "
	    "WHERE token = ?1 AND (?2 IS NULL OR recipient = ?2) "
	    "ORDER BY body, time");
	enum found found = FOUND_NONE;
	enum db_step step;

	db_text(q, 1, slice_of(hash));
	db_text(q, 2, who);
	while ((step = db_next(q)) == DB_ROW) {
		struct files_row row;

		take_row(q, f->q->arena, &row);
		if (found == FOUND_ONE && !slice_eq(row.recipient,
		    f->row.recipient))
			found = FOUND_SEVERAL;
		if (found == FOUND_NONE)
			found = FOUND_ONE;
		f->row = row;
	}
	if (step == DB_FAILED) {
		db_trouble(db, f->q->arena, &f->text);
		return FOUND_TROUBLE;
	}
	return found;
}

static enum found
look_up(struct fetching *f)
{
	const struct request *r = f->q->request;
	struct store *s = f->q->store;
	struct slice peer = peer_of(f->q);
	struct slice who = r->recipient.len > 0 ? files_key(s, r->recipient,
	    f->q->arena) : SLICE_NONE;
	struct db *db = files_enter(s);
	enum found found = FOUND_NONE;
	char hash[65];

	if (guard_open(files_guard(s), peer, f->now)) {
		if (token_hash(r->token, hash))
			found = find(f, db, hash, who);
		if (found == FOUND_NONE && guard_wrong(files_guard(s), peer,
		    f->now))
			log_warning("%.*s: too many wrong tokens; locked out "
			    "for %d seconds", SLICE_ARG(log_safe(f->q->arena,
			    peer, 200)), TOKEN_WINDOW);
		else if (found == FOUND_ONE)
			guard_right(files_guard(s), peer);
	}
	files_leave(s);
	return found;
}

/* NULL: he may have it. */
static const char *
not_any_more(const struct fetching *f)
{
	if (f->row.revoked > 0)
		return "revoked";
	if (f->row.expires <= f->now)
		return "expired";
	if (f->row.uses <= 0)
		return "used-up";
	return f->row.body ? NULL : "gone";
}

static bool
may_have_it(struct fetching *f)
{
	const char *over;

	switch (look_up(f)) {
	case FOUND_TROUBLE:
		refuse(f, "trouble", "trouble", f->text);
		return false;
	case FOUND_NONE:
		refuse(f, "no-token", "refused", SLICE("no such token"));
		return false;
	case FOUND_SEVERAL:
		f->row.recipient = SLICE("");
		asked_fails(f->q, "whose", SLICE("the link is for several "
		    "recipients; recipient is missing"));
		return false;
	default:
		over = not_any_more(f);
		if (over != NULL)
			refuse(f, over, "refused", slice_of(over));
		return over == NULL;
	}
}

/* --- what it is now ------------------------------------------------------ */

static enum rc
open_file(struct fetching *f, struct object **object_r)
{
	struct store *s = f->q->store;
	char path[VAULT_PATH];
	int fd;

	files_path(path, f->row.id);
	fd = openat(s->vault.fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0) {
		f->text = arena_printf(f->q->arena, "%s/%s: %s", s->vault.dir,
		    path, strerror(errno));
		return RC_RETRY;
	}
	return object_open(fd, s->vault.keys, f->q->arena, object_r,
	    &f->text);
}

static bool
put_all(int fd, struct slice piece)
{
	while (piece.len > 0) {
		ssize_t n = write(fd, piece.ptr, piece.len);

		if (n <= 0 && errno != EINTR)
			return false;
		piece = slice_after(piece, n > 0 ? (size_t)n : 0);
	}
	return true;
}

/* A sealed memory file of it, so that no scanner can change what another one
 * sees. -1: see f->text. */
static int
unpack(struct fetching *f, struct object *object)
{
	int fd = memfd_create("file", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct slice piece = SLICE("");
	enum rc rc = fd >= 0 ? RC_OK : RC_RETRY;

	f->text = SLICE("there is no memory to look at it");
	do {
		if (rc == RC_OK && !put_all(fd, piece))
			rc = RC_RETRY;
		if (rc == RC_OK && object_next(object, &piece) != RC_OK) {
			f->text = SLICE("the stored file cannot be read to its "
			    "end");
			rc = RC_RETRY;
		}
	} while (rc == RC_OK && piece.len > 0);
	if (rc == RC_OK && fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW |
	    F_SEAL_SHRINK | F_SEAL_SEAL) == 0 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* FILES_NOT_NOW with f->text, where it cannot be told. */
static enum files_scan
look_at(struct fetching *f)
{
	struct object *object;
	enum files_scan end = FILES_NOT_NOW;
	int fd;

	if (open_file(f, &object) != RC_OK)
		return FILES_NOT_NOW;
	fd = unpack(f, object);
	object_close(object);
	if (fd < 0)
		return FILES_NOT_NOW;
	end = files_scan(f->conf, fd, (uint64_t)f->row.size, f->q->arena,
	    &f->text);
	close(fd);
	return end;
}

static void
note_infected(struct fetching *f)
{
	struct db_query *q = db_query(files_enter(f->q->store),
	    "UPDATE file SET infected = ?2 WHERE id = ?1");

	db_text(q, 1, f->row.id);
	db_text(q, 2, f->text);
	db_run(q);
	files_leave(f->q->store);
}

static bool
is_clean(struct fetching *f)
{
	uint64_t size = (uint64_t)f->row.size;
	enum files_scan end = FILES_NOT_NOW;

	f->text = SLICE("too many are looked at now");
	if (f->conf->download_scanners.count == 0) {
		f->text = SLICE("there is no virus scanner "
		    "(download_scanners)");
	} else if (files_take_room(f->q->store, size,
	    f->conf->download_memory)) {
		end = look_at(f);
		files_give_room(f->q->store, size);
	}
	if (end == FILES_INFECTED) {
		note_infected(f);
		log_warning("%.32s: infected, and not given out: %.*s",
		    f->row.id.ptr, SLICE_ARG(log_safe(f->q->arena, f->text,
		    200)));
		refuse(f, "infected", "infected", f->text);
	} else if (end != FILES_CLEAN) {
		log_warning("%.32s: cannot be looked at, and is not given "
		    "out: %.*s", f->row.id.ptr, SLICE_ARG(log_safe(
		    f->q->arena, f->text, 300)));
		refuse(f, end == FILES_TOO_LARGE ? "unscannable" : "not-now",
		    "not-scanned", f->text);
	}
	return end == FILES_CLEAN;
}

/* --- counted, and given -------------------------------------------------- */

static enum rc
count_use(struct fetching *f, struct db *db)
{
	struct db_query *q = db_query(db, "UPDATE share SET uses = uses - 1, "
	    "given = given + 1 WHERE id = ?1 AND recipient = ?2 AND uses > 0 "
	    "AND revoked = 0 AND expires > ?3");

	db_text(q, 1, f->row.id);
	db_text(q, 2, f->row.recipient);
	db_int(q, 3, f->now);
	if (db_run(q) != RC_OK)
		return RC_RETRY;
	if (db_changes(db) == 0)
		return RC_BAD;
	q = db_query(db, "INSERT INTO fetch (id, recipient, time, actor, peer) "
	    "VALUES (?1, ?2, ?3, ?4, ?5)");
	db_text(q, 1, f->row.id);
	db_text(q, 2, f->row.recipient);
	db_int(q, 3, f->now);
	db_text(q, 4, f->q->actor);
	db_text(q, 5, log_safe(f->q->arena, peer_of(f->q), 200));
	return db_run(q) == RC_OK ? RC_OK : RC_RETRY;
}

/* RC_BAD: another was faster, or it was revoked meanwhile. */
static enum rc
use_up(struct fetching *f)
{
	struct db *db = files_enter(f->q->store);
	enum rc rc = db_begin(db);

	if (rc == RC_OK)
		rc = count_use(f, db);
	if (rc == RC_OK)
		rc = db_commit(db);
	else if (rc == RC_BAD)
		db_rollback(db);
	if (rc != RC_OK && rc != RC_BAD) {
		db_trouble(db, f->q->arena, &f->text);
		db_rollback(db);
		rc = RC_RETRY;
	}
	files_leave(f->q->store);
	return rc;
}

static void
put_bytes(struct json *w, const char *key, struct slice s)
{
	json_key(w, key);
	json_bytes(w, s);
}

static void
give(struct fetching *f)
{
	struct asked *q = f->q;
	enum rc rc = open_file(f, &q->object);

	if (rc == RC_OK)
		rc = use_up(f);
	else
		rc = RC_RETRY;
	if (rc != RC_OK) {
		object_close(q->object);
		q->object = NULL;
		refuse(f, rc == RC_BAD ? "used-up" : "trouble", "refused",
		    rc == RC_BAD ? SLICE("used-up") : f->text);
		return;
	}
	asked_ok(q);
	json_put(q->answer, "object", f->row.id);
	put_bytes(q->answer, "recipient", f->row.recipient);
	put_bytes(q->answer, "name", f->row.name);
	put_bytes(q->answer, "type", f->row.type);
	json_put(q->answer, "sha256", f->row.sha256);
	json_put_int(q->answer, "expires", f->row.expires);
	json_put_int(q->answer, "left", f->row.uses - 1);
	json_put_int(q->answer, "bytes", f->row.size);
	files_tell(q->store, &f->row, "given", q->actor,
	    log_safe(q->arena, peer_of(q), 200));
}

void
files_fetch(struct asked *q)
{
	struct service_set *set = service_set(q->store->run);
	struct fetching f = { .q = q, .conf = set->conf, .now = clock_wall(),
	    .text = SLICE(""), .row = { .id = SLICE("") } };

	if (may_have_it(&f) && is_clean(&f))
		give(&f);
	service_set_drop(set);
}
