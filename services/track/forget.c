#include "services/track/forget.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "text/json.h"
#include "track/erase.h"
#include "track/stamp.h"

enum { KEY_LEN = 32, LINE = 1200 };

#define ERASED	"erased"

/* --- legal hold ---------------------------------------------------------- */

static bool
covers(struct arena *a, struct slice line, struct slice key)
{
	struct slice own;

	if (slice_eq(line, SLICE("*")))
		return true;
	own = track_key(a, line);
	if (line.ptr[0] == '@')		/* "domain@" is its key */
		return slice_starts(key, own);
	return slice_eq(own, key);
}

/* No such file: nobody is held. One that cannot be read holds all. */
static bool
is_held(const char *folder, struct slice key, struct arena *a)
{
	FILE *f = fopen(arena_printf(a, "%s/legal-hold", folder).ptr, "re");
	char text[LINE];
	bool held = false;

	if (f == NULL)
		return errno != ENOENT;
	while (!held && fgets(text, sizeof text, f) != NULL) {
		struct slice line = slice_trim(slice_of(text));

		held = line.len > 0 && line.ptr[0] != '#' &&
		    covers(a, line, key);
	}
	held = held || ferror(f);
	fclose(f);
	return held;
}

struct forget *
forget_open(const char *folder, struct db *db, struct slice address,
    bool *held_r, struct arena *a, struct slice *why_r)
{
	struct arena *own;
	struct forget *f;
	struct db_query *q;

	*held_r = false;
	if (!erase_fit(address)) {
		*why_r = SLICE("this is no address that can be searched for");
		return NULL;
	}
	own = arena_new();
	f = arena_alloc(own, sizeof *f);
	*f = (struct forget){ .arena = own, .folder = folder, .db = db };
	f->address = arena_copy(own, address);
	f->key = track_key(own, address);
	if (is_held(folder, f->key, own)) {
		*held_r = true;
		*why_r = arena_printf(a, "%s/legal-hold covers this address",
		    folder);
		arena_free(own);
		return NULL;
	}
	f->day = f->last = 0;
	q = db_query(db, "SELECT min(mid), max(mid) FROM message");
	if (db_next(q) == DB_ROW && !db_column_null(q, 0)) {
		f->day = stamp_day(track_ms(db_column_int(q, 0)));
		f->last = stamp_day(track_ms(db_column_int(q, 1)));
	}
	db_done(q);
	return f;
}

void
forget_close(struct forget *f)
{
	if (f != NULL)
		arena_free(f->arena);
}

/* --- a day --------------------------------------------------------------- */

static void
bind_day(const struct forget *f, struct db_query *q)
{
	db_int(q, 1, track_mid(f->day * TRACK_DAY_MS));
	db_int(q, 2, track_mid((f->day + 1) * TRACK_DAY_MS));
}

static enum rc
run_key(struct forget *f, const char *sql, int64_t *count)
{
	struct db_query *q = db_query(f->db, sql);
	enum rc rc;

	bind_day(f, q);
	db_text(q, 3, f->key);
	db_text(q, 4, f->address);
	rc = db_run(q);
	*count += db_changes(f->db);
	return rc;
}

/* One text column of rows that LIKE found: x over the address. */
static enum rc
scrub(struct forget *f, const char *select, const char *update,
    int64_t *count)
{
	struct found { int64_t id; struct slice text; struct found *next; }
	    *list = NULL, *e;
	struct arena *a = arena_new();
	struct db_query *q = db_query(f->db, select);
	enum rc rc = RC_OK;
	enum db_step step;

	bind_day(f, q);
	db_text(q, 3, f->address);
	while ((step = db_next(q)) == DB_ROW) {
		struct slice text = db_column(q, 1, a);

		if (erase_in((char *)(uintptr_t)text.ptr, text.len,
		    f->address) == 0)
			continue;
		e = arena_alloc(a, sizeof *e);
		*e = (struct found){ db_column_int(q, 0), text, list };
		list = e;
	}
	if (step == DB_FAILED)
		rc = RC_RETRY;
	for (e = list; e != NULL && rc == RC_OK; e = e->next) {
		q = db_query(f->db, update);
		db_int(q, 1, e->id);
		db_text(q, 2, e->text);
		rc = db_run(q);
		(*count)++;
	}
	arena_free(a);
	return rc;
}

static enum rc
one_day(struct forget *f)
{
	enum rc rc = run_key(f, "UPDATE message SET sender = '" ERASED "',"
	    " skey = '@" ERASED "', subject = NULL, user = CASE WHEN user"
	    " IS NULL THEN NULL ELSE '" ERASED "' END"
	    " WHERE mid >= ?1 AND mid < ?2 AND (skey = ?3 OR"
	    " lower(user) = lower(?4))", &f->messages);

	if (rc == RC_OK)
		rc = run_key(f, "UPDATE message SET subject = NULL"
		    " WHERE mid >= ?1 AND mid < ?2 AND subject NOT NULL AND"
		    " mid IN (SELECT mid FROM recipient WHERE mid >= ?1 AND"
		    " mid < ?2 AND (rkey = ?3 OR lower(orig) = lower(?4)))",
		    &f->messages);
	if (rc == RC_OK)
		rc = run_key(f, "UPDATE recipient SET reply = NULL"
		    " WHERE mid >= ?1 AND mid < ?2 AND ?3 NOT NULL AND"
		    " instr(lower(reply), lower(?4)) > 0", &f->recipients);
	if (rc == RC_OK)
		rc = run_key(f, "UPDATE recipient SET orig = '" ERASED "'"
		    " WHERE mid >= ?1 AND mid < ?2 AND ?3 NOT NULL AND"
		    " lower(orig) = lower(?4)", &f->recipients);
	if (rc == RC_OK)
		rc = run_key(f, "UPDATE OR REPLACE recipient SET"
		    " rcpt = '" ERASED "', rkey = '@" ERASED "'"
		    " WHERE mid >= ?1 AND mid < ?2 AND rkey = ?3 AND"
		    " ?4 NOT NULL", &f->recipients);
	if (rc == RC_OK)
		rc = scrub(f, "SELECT fid, raw FROM finding WHERE mid >= ?1"
		    " AND mid < ?2 AND instr(lower(raw), lower(?3)) > 0",
		    "UPDATE finding SET raw = ?2 WHERE fid = ?1",
		    &f->findings);
	if (rc == RC_OK)
		rc = scrub(f, "SELECT sid, coalesce(rcpt, '') || ' ' ||"
		    " coalesce(text, '') FROM step WHERE mid >= ?1 AND"
		    " mid < ?2 AND (instr(lower(text), lower(?3)) > 0 OR"
		    " lower(rcpt) = lower(?3))", "UPDATE step SET rcpt = NULL,"
		    " text = ?2 WHERE sid = ?1", &f->steps);
	return rc;
}

/* What waits for a SIEM is of no day. */
static enum rc
outbox(struct forget *f)
{
	return scrub(f, "SELECT seq, body FROM outbox WHERE ?1 NOT NULL AND"
	    " ?2 NOT NULL AND instr(lower(CAST(body AS TEXT)), lower(?3)) > 0",
	    "UPDATE outbox SET body = CAST(?2 AS BLOB) WHERE seq = ?1",
	    &f->waiting);
}

enum rc
forget_step(struct forget *f, bool *more_r)
{
	enum rc rc = db_begin(f->db);

	if (rc != RC_OK)
		return rc;
	rc = f->outbox_done ? one_day(f) : outbox(f);
	if (rc == RC_OK)
		rc = db_commit(f->db);
	else
		db_rollback(f->db);
	if (rc != RC_OK)
		return rc;
	if (f->outbox_done)
		f->day++;
	f->outbox_done = true;
	*more_r = f->day <= f->last;
	return RC_OK;
}

/* --- the proof ----------------------------------------------------------- */

static bool
read_key(struct forget *f, unsigned char key[KEY_LEN])
{
	const char *path = arena_printf(f->arena, "%s/erase.key",
	    f->folder).ptr;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t n;

	if (fd < 0 && errno == ENOENT) {
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0 && (RAND_bytes(key, KEY_LEN) != 1 ||
		    write(fd, key, KEY_LEN) != KEY_LEN || fsync(fd) != 0)) {
			unlink(path);
			close(fd);
			return false;
		}
		if (fd >= 0)
			lseek(fd, 0, SEEK_SET);
	}
	if (fd < 0)
		return false;
	n = read(fd, key, KEY_LEN);
	close(fd);
	return n == KEY_LEN;
}

static struct slice
proof_text(struct forget *f, int64_t uid, const unsigned char *mac)
{
	struct buf out = buf_in(f->arena), hex = buf_in(f->arena);
	time_t now = time(NULL);
	struct tm tm;
	char stamp[32];
	struct json w;

	for (int i = 0; i < 32; i++)
		buf_addf(&hex, "%02x", mac[i]);
	gmtime_r(&now, &tm);
	strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &tm);
	json_init(&w, &out);
	json_begin_object(&w);
	json_put(&w, "@timestamp", slice_of(stamp));
	json_put(&w, "event.action", SLICE("erasure"));
	json_put(&w, "gatehouse.erased.address_hmac", buf_slice(&hex));
	json_put_int(&w, "user.id", uid);
	json_put_int(&w, "gatehouse.erased.messages", f->messages);
	json_put_int(&w, "gatehouse.erased.recipients", f->recipients);
	json_put_int(&w, "gatehouse.erased.events", f->findings);
	json_put_int(&w, "gatehouse.erased.steps", f->steps);
	json_put_int(&w, "gatehouse.erased.waiting", f->waiting);
	json_end(&w);
	buf_addc(&out, '\n');
	return buf_slice(&out);
}

enum rc
forget_proof(struct forget *f, int64_t uid, struct slice *why_r)
{
	const char *path = arena_printf(f->arena, "%s/erasures.json",
	    f->folder).ptr;
	unsigned char key[KEY_LEN], mac[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	struct slice text;
	bool good = read_key(f, key);
	int fd = -1;

	if (good) {
		HMAC(EVP_sha256(), key, KEY_LEN,
		    (const unsigned char *)f->key.ptr, f->key.len, mac, &len);
		text = proof_text(f, uid, mac);
		fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC |
		    O_NOFOLLOW, 0640);
		good = fd >= 0 && write(fd, text.ptr, text.len) ==
		    (ssize_t)text.len && fsync(fd) == 0;
	}
	if (!good)
		*why_r = arena_printf(f->arena, "%s: %s", path,
		    strerror(errno));
	if (fd >= 0)
		close(fd);
	OPENSSL_cleanse(key, sizeof key);
	return good ? RC_OK : RC_RETRY;
}
