#include "track/db.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const states[TRACK_STATES] = {
	[TRACK_OPEN] = "receiving", [TRACK_QUEUED] = "queued",
	[TRACK_HELD] = "held", [TRACK_DONE] = "done",
	[TRACK_REFUSED] = "refused", [TRACK_ABANDONED] = "abandoned",
};

static const char *const ends[TRACK_ENDS] = {
	[TRACK_END_NONE] = "none", [TRACK_END_QUEUED] = "queued",
	[TRACK_END_SENT] = "sent", [TRACK_END_DEFERRED] = "deferred",
	[TRACK_END_HELD] = "held", [TRACK_END_BOUNCED] = "bounced",
	[TRACK_END_EXPIRED] = "expired", [TRACK_END_REJECTED] = "rejected",
	[TRACK_END_TEMPFAILED] = "tempfailed",
	[TRACK_END_DISCARDED] = "discarded",
	[TRACK_END_QUARANTINED] = "quarantined",
	[TRACK_END_DELETED] = "deleted", [TRACK_END_REQUEUED] = "requeued",
	[TRACK_END_EXPANDED] = "expanded", [TRACK_END_PROBED] = "probed",
	[TRACK_END_UNKNOWN] = "unknown",
};

static const char *const steps[] = {
	"CREATE TABLE message(mid INTEGER PRIMARY KEY, day INTEGER NOT NULL,"
	" state INTEGER NOT NULL, last INTEGER NOT NULL, instance TEXT,"
	" service TEXT, qid TEXT, gid TEXT, parent TEXT, relation TEXT,"
	" direction TEXT, sender TEXT, skey TEXT, msgid TEXT, subject TEXT,"
	" client TEXT, ip TEXT, helo TEXT, user TEXT, tls TEXT, size INTEGER,"
	" nrcpt INTEGER, begun INTEGER NOT NULL);"
	"CREATE INDEX message_qid ON message(day, qid) WHERE qid NOT NULL;"
	"CREATE INDEX message_gid ON message(day, gid) WHERE gid NOT NULL;"
	"CREATE INDEX message_parent ON message(day, parent)"
	" WHERE parent NOT NULL;"
	"CREATE INDEX message_sender ON message(day, skey)"
	" WHERE skey NOT NULL;"
	"CREATE INDEX message_msgid ON message(day, msgid)"
	" WHERE msgid NOT NULL;"
	"CREATE INDEX message_ip ON message(day, ip) WHERE ip NOT NULL;"

	"CREATE TABLE recipient(mid INTEGER NOT NULL, rcpt TEXT NOT NULL,"
	" day INTEGER NOT NULL, rkey TEXT NOT NULL, orig TEXT,"
	" fate INTEGER NOT NULL, t INTEGER NOT NULL, tries INTEGER NOT NULL,"
	" dsn TEXT, relay TEXT, reply TEXT, tls TEXT, next TEXT,"
	" delay INTEGER, PRIMARY KEY(mid, rcpt)) WITHOUT ROWID;"
	"CREATE INDEX recipient_key ON recipient(day, rkey);"
	"CREATE INDEX recipient_fate ON recipient(day, fate) WHERE fate > 2;"
	"CREATE INDEX recipient_next ON recipient(day, next)"
	" WHERE next NOT NULL;"

	"CREATE TABLE finding(fid INTEGER PRIMARY KEY, mid INTEGER NOT NULL,"
	" day INTEGER NOT NULL, t INTEGER NOT NULL, module TEXT, action TEXT,"
	" verdict TEXT, rule TEXT, cause TEXT, virus TEXT, object TEXT,"
	" raw TEXT NOT NULL);"
	"CREATE INDEX finding_mid ON finding(mid);"
	"CREATE INDEX finding_rule ON finding(day, rule, mid)"
	" WHERE rule NOT NULL;"
	"CREATE INDEX finding_cause ON finding(day, cause, mid)"
	" WHERE cause NOT NULL;"
	"CREATE INDEX finding_virus ON finding(day, virus, mid)"
	" WHERE virus NOT NULL;"
	"CREATE INDEX finding_verdict ON finding(day, verdict, mid)"
	" WHERE verdict <> 'accept';"
	"CREATE TABLE object(object TEXT NOT NULL, mid INTEGER NOT NULL,"
	" PRIMARY KEY(object, mid)) WITHOUT ROWID;"
	"CREATE INDEX object_mid ON object(mid);"

	"CREATE TABLE step(sid INTEGER PRIMARY KEY, mid INTEGER NOT NULL,"
	" t INTEGER NOT NULL, what TEXT NOT NULL, rcpt TEXT, text TEXT);"
	"CREATE INDEX step_mid ON step(mid);"

	"CREATE TABLE pending(qid TEXT NOT NULL, instance TEXT NOT NULL,"
	" mid INTEGER NOT NULL, PRIMARY KEY(qid, mid)) WITHOUT ROWID;"
	"CREATE TABLE session(name TEXT PRIMARY KEY, t INTEGER NOT NULL,"
	" peer TEXT, tls TEXT) WITHOUT ROWID;"
	"CREATE TABLE source(name TEXT PRIMARY KEY, place TEXT NOT NULL)"
	" WITHOUT ROWID;"
	"CREATE TABLE outbox(seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	" class TEXT NOT NULL, t INTEGER NOT NULL, body BLOB NOT NULL);"
	"CREATE TABLE sink(name TEXT PRIMARY KEY, seq INTEGER NOT NULL,"
	" dropped INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL)"
	" WITHOUT ROWID;",
	NULL,
};

static const struct db_schema schema = {
	.application = 0x47547231,	/* "GTr1" */
	.what = "tracking database",
	.remedy = "stop gatehouse-track, move track.db, track.db-wal and "
	    "track.db-shm away and start it again: it reads the logs anew",
	.steps = steps,
	.oldest = 1,
};

const char *
track_state_name(enum track_state s)
{
	return (unsigned)s < TRACK_STATES ? states[s] : "unknown";
}

const char *
track_end_name(enum track_end e)
{
	return (unsigned)e < TRACK_ENDS ? ends[e] : "unknown";
}

bool
track_end_parse(struct slice name, enum track_end *e_r)
{
	for (int i = 0; i < TRACK_ENDS; i++) {
		if (slice_eq(name, slice_of(ends[i]))) {
			*e_r = (enum track_end)i;
			return true;
		}
	}
	return false;
}

bool
track_end_final(enum track_end e)
{
	return e != TRACK_END_NONE && e != TRACK_END_QUEUED &&
	    e != TRACK_END_DEFERRED && e != TRACK_END_HELD;
}

struct slice
track_key(struct arena *a, struct slice address)
{
	struct slice local, domain;
	size_t at = slice_find_last(address, '@');
	char *key = arena_alloc(a, address.len + 1);
	size_t n = 0;

	local = slice_sub(address, 0, at);
	domain = slice_after(address, at + 1);
	for (size_t i = 0; i < domain.len; i++)
		key[n++] = ascii_lower(domain.ptr[i]);
	if (n > 0 && key[n - 1] == '.')
		n--;
	key[n++] = '@';
	for (size_t i = 0; i < local.len; i++)
		key[n++] = ascii_lower(local.ptr[i]);
	return slice_make(key, n);
}

enum rc
track_db_open(const char *state, enum db_mode mode, struct db **db_r,
    struct arena *a, struct slice *why_r)
{
	const char *path = arena_printf(a, "%s/track/track.db", state).ptr;
	enum rc rc;
	int fd;

	if (mode == DB_WRITE) {
		/* The other files of the database take their mode from it. */
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
		if (fd >= 0) {
			if (fchmod(fd, 0640) != 0)
				unlink(path);
			close(fd);
		}
	}
	rc = db_open(path, &schema, mode, db_r, a, why_r);
	if (rc == RC_OK && mode == DB_WRITE)
		rc = db_run(db_query(*db_r, "PRAGMA synchronous=NORMAL"));
	return rc;
}
