/*
 * Lines and events become messages: each story is told once in one batch and
 * once with a batch for each line, and both must leave the same in the file.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "journal/event.h"
#include "track/book.h"
#include "track/fate.h"
#include "t/tap.h"

static char dir[] = "/tmp/gatehouse-book-XXXXXX";
static struct arena *arena;

enum { NOW = 1795694400 };		/* 2026-11-26 12:00:00 UTC */

static void
clear(void)
{
	static const char *const files[] = { "track.db", "track.db-wal",
	    "track.db-shm" };
	char path[300];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/track/%s", dir, files[i]);
		unlink(path);
	}
}

static struct db *
open_db(enum db_mode mode)
{
	struct slice why = SLICE("");
	struct db *db;

	if (track_db_open(dir, mode, &db, arena, &why) != RC_OK) {
		tap_ok(false, "track_db_open: %.*s", SLICE_ARG(why));
		exit(tap_done());
	}
	return db;
}

/* "T" at the head of a line stands for the common beginning of all. */
static void
feed(struct track_book *b, struct slice line)
{
	static const struct slice items[] = { { "postfix*", 8 } };
	static const struct postfix_names names = { items, 1 };
	struct stamp st = { .now = NOW };
	struct postfix_line l;

	if (line.len > 0 && line.ptr[0] == '{') {
		json_t *event = event_read(line);
		struct slice when = arena_printf(arena, "%.*s ",
		    SLICE_ARG(event_text(event, "@timestamp")));
		int64_t ms = 0;

		if (event == NULL || !stamp_read(&st, &when, &ms))
			tap_ok(false, "no event: %.*s", SLICE_ARG(line));
		book_event(b, event, line, ms);
		json_decref(event);
		return;
	}
	if (postfix_read(&st, &names, line, &l) == POSTFIX_ALIEN)
		tap_ok(false, "no line: %.*s", SLICE_ARG(line));
	book_line(b, &l);
}

static void
add(struct buf *out, const char *name, struct slice v)
{
	if (v.ptr != NULL)
		buf_addf(out, " %s=%.*s", name, SLICE_ARG(v));
}

static void
rows(struct db *db, struct buf *out, const char *sql, int64_t mid,
    const char *word, int columns, const char *const *names)
{
	struct db_query *q = db_query(db, sql);

	db_int(q, 1, mid);
	while (db_next(q) == DB_ROW) {
		buf_addf(out, " / %s", word);
		for (int i = 0; i < columns; i++)
			if (!db_column_null(q, i))
				add(out, names[i], db_column(q, i, arena));
	}
}

static void
message(struct db *db, struct buf *out, int64_t mid)
{
	static const char *const m[] = { "", "id", "gid", "parent", "as",
	    "from", "msgid", "subject", "client", "ip", "helo", "user", "tls",
	    "size", "n", "dir", "service" };
	static const char *const r[] = { "to", "orig", "fate", "tries", "dsn",
	    "relay", "reply", "tls", "next" };
	static const char *const f[] = { "by", "verdict", "rule", "cause" };
	static const char *const s[] = { "", "to", "text" };

	rows(db, out, "SELECT CASE state WHEN 0 THEN 'open' WHEN 1 THEN"
	    " 'queued' WHEN 2 THEN 'held' WHEN 3 THEN 'done' WHEN 4 THEN"
	    " 'refused' ELSE 'abandoned' END, qid, gid, parent, relation,"
	    " sender, msgid, subject, client, ip, helo, user, tls, size, nrcpt,"
	    " direction, service FROM message WHERE mid = ?1", mid, "message",
	    17, m);
	rows(db, out, "SELECT rcpt, orig, CASE fate WHEN 0 THEN 'none' WHEN 1"
	    " THEN 'queued' WHEN 2 THEN 'sent' WHEN 3 THEN 'deferred' WHEN 4"
	    " THEN 'held' WHEN 5 THEN 'bounced' WHEN 6 THEN 'expired' WHEN 7"
	    " THEN 'rejected' WHEN 8 THEN 'tempfailed' WHEN 9 THEN 'discarded'"
	    " WHEN 10 THEN 'quarantined' WHEN 11 THEN 'deleted' WHEN 13 THEN"
	    " 'expanded' WHEN 15 THEN 'unknown' ELSE fate END, tries, dsn,"
	    " relay, reply, tls, next FROM recipient WHERE mid = ?1"
	    " ORDER BY rcpt", mid, "rcpt", 9, r);
	rows(db, out, "SELECT module, verdict, rule, cause FROM finding"
	    " WHERE mid = ?1 ORDER BY fid", mid, "found", 4, f);
	rows(db, out, "SELECT what, rcpt, text FROM step WHERE mid = ?1"
	    " ORDER BY sid", mid, "step", 3, s);
}

static struct slice
dump(void)
{
	struct buf out = buf_in(arena);
	struct db *db = open_db(DB_READ);
	struct db_query *q = db_query(db, "SELECT mid FROM message ORDER BY"
	    " mid");
	int64_t mids[50];
	int n = 0;

	while (db_next(q) == DB_ROW && n < 50)
		mids[n++] = db_column_int(q, 0);
	for (int i = 0; i < n; i++)
		message(db, &out, mids[i]);
	q = db_query(db, "SELECT group_concat(qid, ' ') FROM pending");
	if (db_next(q) == DB_ROW)
		add(&out, "/ pending", db_column(q, 0, arena));
	db_done(q);
	db_close(db);
	return slice_trim(slice_after(buf_slice(&out), 3));
}

static struct slice
tell(const char *story, bool one_by_one)
{
	struct slice rest = slice_of(story), line;
	struct db *db;
	struct track_book *b;
	enum rc rc = RC_OK;

	clear();
	db = open_db(DB_WRITE);
	b = book_new(db, true, NULL, NULL);
	db_begin(db);
	while (slice_line(&rest, &line)) {
		feed(b, line);
		if (!one_by_one)
			continue;
		rc = book_flush(b) == RC_OK && rc == RC_OK ? RC_OK : RC_BAD;
		db_commit(db);
		db_begin(db);
	}
	if (book_flush(b) != RC_OK || db_commit(db) != RC_OK || rc != RC_OK)
		tap_ok(false, "flush failed");
	book_free(b);
	db_close(db);
	return dump();
}

#define S "Nov 26 10:00:00 mx postfix/"
#define LATER "Nov 26 10:00:09 mx postfix/"
#define E "{\"@timestamp\":\"2026-11-26T10:00:00.500Z\"," \
	"\"event.action\":\"message\",\"event.module\":\"auth-check\"," \
	"\"gatehouse.id\":\"G1\",\"gatehouse.queue_id\":\"A1B2C3\"," \
	"\"network.direction\":\"inbound\",\"source.ip\":\"192.0.2.1\"," \
	"\"source.domain\":\"a.example\",\"email.sender.address\":\"a@b\"," \
	"\"gatehouse.helo\":\"h\",\"email.message_id\":\"<1@a>\","

static const struct { const char *name, *story, *want; } cases[] = {
	{ "delivered over TLS, after a milter looked",
	  S "smtpd[5]: connect from a.example[192.0.2.1]\n"
	  S "smtpd[5]: Anonymous TLS connection established from "
	    "a.example[192.0.2.1]: TLSv1.3 with cipher C (256/256 bits)\n"
	  S "smtpd[5]: A1B2C3: client=a.example[192.0.2.1], "
	    "sasl_username=ann\n"
	  S "cleanup[6]: A1B2C3: message-id=<1@a>\n"
	  E "\"email.to.address\":[\"c@d\"],\"gatehouse.verdict\":\"accept\","
	    "\"gatehouse.rule\":\"ok\"}\n"
	  S "qmgr[7]: A1B2C3: from=<a@b>, size=10, nrcpt=1 (queue active)\n"
	  S "smtpd[5]: disconnect from a.example[192.0.2.1]\n"
	  S "smtp[8]: Trusted TLS connection established to m[192.0.2.9]:25: "
	    "TLSv1.2 with cipher D (256/256 bits)\n"
	  S "smtp[8]: A1B2C3: to=<c@d>, relay=m[192.0.2.9]:25, delay=1, "
	    "delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok: queued as "
	    "F00D42)\n"
	  S "qmgr[7]: A1B2C3: removed\n",
	  "message =done id=A1B2C3 gid=G1 from=a@b msgid=1@a client=a.example "
	  "ip=192.0.2.1 helo=h user=ann tls=Anonymous TLSv1.3 with cipher C "
	  "size=10 n=1 dir=inbound service=smtpd / rcpt to=c@d fate=sent "
	  "tries=1 dsn=2.0.0 relay=m[192.0.2.9]:25 reply=250 ok: queued as "
	  "F00D42 tls=Trusted TLSv1.2 with cipher D next=F00D42 / found "
	  "by=auth-check verdict=accept rule=ok" },
	{ "the journal comes late", S "smtpd[5]: A1B2C3: client=a[192.0.2.1]\n"
	  S "qmgr[7]: A1B2C3: from=<a@b>, size=10, nrcpt=1 (queue active)\n"
	  S "smtp[8]: A1B2C3: to=<c@d>, relay=none, delay=1, dsn=5.1.1, "
	    "status=bounced (no)\n"
	  S "qmgr[7]: A1B2C3: removed\n"
	  E "\"email.to.address\":[\"c@d\"],\"gatehouse.verdict\":\"accept\"}",
	  "message =done id=A1B2C3 gid=G1 from=a@b msgid=1@a client=a "
	  "ip=192.0.2.1 helo=h size=10 n=1 dir=inbound service=smtpd / rcpt "
	  "to=c@d fate=bounced tries=1 dsn=5.1.1 relay=none reply=no / found "
	  "by=auth-check verdict=accept" },
	{ "the journal comes first",
	  E "\"email.to.address\":[\"c@d\"],\"gatehouse.verdict\":\"accept\"}\n"
	  S "smtpd[5]: A1B2C3: client=a[192.0.2.1]\n"
	  S "qmgr[7]: A1B2C3: from=<a@b>, size=10, nrcpt=1 (queue active)\n",
	  "message =queued id=A1B2C3 gid=G1 from=a@b msgid=1@a "
	  "client=a.example ip=192.0.2.1 helo=h size=10 n=1 dir=inbound "
	  "service=smtpd / rcpt to=c@d fate=none tries=0 / found by=auth-check "
	  "verdict=accept / pending=A1B2C3" },
	{ "a short id comes again", S "smtpd[5]: A1B2C3: client=a[192.0.2.1]\n"
	  S "qmgr[7]: A1B2C3: from=<a@b>, size=10, nrcpt=1 (queue active)\n"
	  S "qmgr[7]: A1B2C3: removed\n"
	  LATER "smtpd[5]: A1B2C3: client=z[192.0.2.2]\n"
	  LATER "cleanup[5]: A1B2C3: message-id=<2@z>\n"
	  LATER "qmgr[7]: A1B2C3: from=<z@b>, size=11, nrcpt=1 (queue "
	    "active)\n",
	  "message =done id=A1B2C3 from=a@b client=a ip=192.0.2.1 size=10 n=1 "
	  "service=smtpd / message =queued id=A1B2C3 from=z@b msgid=2@z "
	  "client=z ip=192.0.2.2 size=11 n=1 service=smtpd / pending=A1B2C3" },
	{ "and its end was never seen", S "smtpd[5]: A1B2C3: "
	    "client=a[192.0.2.1]\n"
	  LATER "smtpd[5]: A1B2C3: client=z[192.0.2.2]\n",
	  "message =abandoned id=A1B2C3 client=a ip=192.0.2.1 service=smtpd / "
	  "message =open id=A1B2C3 client=z ip=192.0.2.2 service=smtpd / "
	  "pending=A1B2C3" },
	{ "refused without an id", S "smtpd[5]: NOQUEUE: reject: RCPT from "
	    "a[192.0.2.1]: 554 5.7.1 <c@d>: no; from=<a@b> to=<c@d> "
	    "proto=ESMTP helo=<h>\n"
	  S "smtpd[5]: NOQUEUE: reject: RCPT from a[192.0.2.1]: 450 4.7.1 "
	    "<c@d>: later; from=<> to=<c@d> proto=ESMTP helo=<h>\n",
	  "message =refused from=a@b client=a ip=192.0.2.1 helo=h "
	  "service=smtpd / rcpt to=c@d fate=rejected tries=1 reply=554 5.7.1 "
	  "<c@d>: no / step =reject RCPT to=c@d text=554 5.7.1 <c@d>: no / "
	  "message =refused from= client=a ip=192.0.2.1 helo=h service=smtpd "
	  "/ rcpt to=c@d fate=tempfailed tries=1 reply=450 4.7.1 <c@d>: later "
	  "/ step =reject RCPT to=c@d text=450 4.7.1 <c@d>: later" },
	{ "refused by a milter at the end, for all",
	  S "smtpd[5]: A1B2C3: client=a[192.0.2.1]\n"
	  E "\"email.to.address\":[\"c@d\",\"e@f\"],"
	    "\"gatehouse.verdict\":\"reject\",\"gatehouse.rule\":\"spf\"}\n"
	  S "cleanup[6]: A1B2C3: milter-reject: END-OF-MESSAGE from "
	    "a[192.0.2.1]: 5.7.1 no; from=<a@b> to=<e@f> proto=ESMTP "
	    "helo=<h>\n",
	  "message =refused id=A1B2C3 gid=G1 from=a@b msgid=1@a client=a "
	  "ip=192.0.2.1 helo=h dir=inbound service=smtpd / rcpt to=c@d "
	  "fate=rejected tries=0 reply=5.7.1 no / rcpt to=e@f fate=rejected "
	  "tries=1 reply=5.7.1 no / found by=auth-check verdict=reject "
	  "rule=spf / step =milter-reject END-OF-MESSAGE to=e@f text=5.7.1 "
	  "no" },
	{ "one recipient refused, the other goes on",
	  S "smtpd[5]: A1B2C3: client=a[192.0.2.1]\n"
	  S "smtpd[5]: A1B2C3: reject: RCPT from a[192.0.2.1]: 550 5.1.1 "
	    "<c@d>: no; from=<a@b> to=<c@d> proto=ESMTP helo=<h>\n"
	  S "qmgr[7]: A1B2C3: from=<a@b>, size=10, nrcpt=1 (queue active)\n"
	  S "smtp[8]: A1B2C3: to=<e@f>, relay=none, delay=1, dsn=4.4.1, "
	    "status=deferred (later)\n"
	  LATER "smtp[8]: A1B2C3: to=<e@f>, relay=m[192.0.2.9]:25, delay=9, "
	    "dsn=2.0.0, status=sent (ok)\n"
	  LATER "qmgr[7]: A1B2C3: removed\n",
	  "message =done id=A1B2C3 from=a@b client=a ip=192.0.2.1 helo=h "
	  "size=10 n=1 service=smtpd / rcpt to=c@d fate=rejected tries=1 "
	  "reply=550 5.1.1 <c@d>: no / rcpt to=e@f fate=sent tries=2 dsn=2.0.0 "
	  "relay=m[192.0.2.9]:25 reply=ok / step =reject RCPT to=c@d text=550 "
	  "5.1.1 <c@d>: no / step =deferred to=e@f text=later" },
	{ "held, released, sent", S "smtpd[5]: A1B2C3: client=a[192.0.2.1]\n"
	  E "\"email.to.address\":[\"c@d\"],"
	    "\"gatehouse.verdict\":\"quarantine\",\"gatehouse.cause\":"
	    "\"spam\"}\n"
	  S "cleanup[6]: A1B2C3: milter-hold: END-OF-MESSAGE from "
	    "a[192.0.2.1]: milter triggers HOLD action; from=<a@b> to=<c@d> "
	    "proto=ESMTP helo=<h>\n"
	  LATER "postsuper[9]: A1B2C3: released from hold\n"
	  LATER "qmgr[7]: A1B2C3: from=<a@b>, size=10, nrcpt=1 (queue active)\n"
	  LATER "smtp[8]: A1B2C3: to=<c@d>, relay=m[192.0.2.9]:25, delay=9, "
	    "dsn=2.0.0, status=sent (ok)\n"
	  LATER "qmgr[7]: A1B2C3: removed\n",
	  "message =done id=A1B2C3 gid=G1 from=a@b msgid=1@a client=a "
	  "ip=192.0.2.1 helo=h size=10 n=1 dir=inbound service=smtpd / rcpt "
	  "to=c@d fate=sent tries=1 dsn=2.0.0 relay=m[192.0.2.9]:25 reply=ok / "
	  "found by=auth-check verdict=quarantine cause=spam / step =held "
	  "text=milter triggers HOLD action / step =released from hold" },
	{ "one of two quarantined, the rest is sent",
	  S "smtpd[5]: A1B2C3: client=a[192.0.2.1]\n"
	  E "\"email.to.address\":[\"c@d\",\"e@f\"],"
	    "\"gatehouse.verdict\":\"accept\",\"gatehouse.recipients\":["
	    "{\"address\":\"c@d\",\"verdict\":\"quarantine\"},"
	    "{\"address\":\"e@f\",\"verdict\":\"accept\"}]}\n"
	  S "qmgr[7]: A1B2C3: from=<a@b>, size=10, nrcpt=1 (queue active)\n"
	  S "smtp[8]: A1B2C3: to=<e@f>, relay=m[192.0.2.9]:25, delay=9, "
	    "dsn=2.0.0, status=sent (ok)\n"
	  S "qmgr[7]: A1B2C3: removed\n",
	  "message =done id=A1B2C3 gid=G1 from=a@b msgid=1@a client=a "
	  "ip=192.0.2.1 helo=h size=10 n=1 dir=inbound service=smtpd / rcpt "
	  "to=c@d fate=quarantined tries=0 / rcpt to=e@f fate=sent tries=1 "
	  "dsn=2.0.0 relay=m[192.0.2.9]:25 reply=ok / found by=auth-check "
	  "verdict=accept" },
	{ "all quarantined: Postfix throws it away",
	  S "smtpd[5]: A1B2C3: client=a[192.0.2.1]\n"
	  E "\"email.to.address\":[\"c@d\"],"
	    "\"gatehouse.verdict\":\"quarantine\"}\n"
	  S "cleanup[6]: A1B2C3: milter-discard: END-OF-MESSAGE from "
	    "a[192.0.2.1]: milter triggers DISCARD action; from=<a@b> "
	    "to=<c@d> proto=ESMTP helo=<h>\n",
	  "message =done id=A1B2C3 gid=G1 from=a@b msgid=1@a client=a "
	  "ip=192.0.2.1 helo=h dir=inbound service=smtpd / rcpt to=c@d "
	  "fate=quarantined tries=0 / found by=auth-check verdict=quarantine / "
	  "step =discarded text=milter triggers DISCARD action" },
	{ "held in the store, released hours later", S "smtpd[5]: A1B2C3: "
	    "client=a[192.0.2.1]\n"
	  E "\"email.to.address\":[\"c@d\"],\"gatehouse.verdict\":"
	    "\"quarantine\",\"gatehouse.objects\":[{\"id\":\"00ff\","
	    "\"cause\":\"spam\"}]}\n"
	  S "cleanup[6]: A1B2C3: milter-discard: END-OF-MESSAGE from "
	    "a[192.0.2.1]: milter triggers DISCARD action; from=<a@b> "
	    "to=<c@d> proto=ESMTP helo=<h>\n"
	  "{\"@timestamp\":\"2026-11-26T11:30:00Z\",\"event.action\":"
	    "\"quarantine\",\"event.module\":\"store\","
	    "\"gatehouse.queue_id\":\"A1B2C3\",\"gatehouse.object\":"
	    "\"00ff\",\"gatehouse.state\":"
	    "\"released\",\"email.to.address\":\"c@d\","
	    "\"gatehouse.reason\":\"releasing -> released: 250 2.0.0 Ok: "
	    "queued as F00D42\"}\n",
	  "message =done id=A1B2C3 gid=G1 from=a@b msgid=1@a client=a "
	  "ip=192.0.2.1 helo=h dir=inbound service=smtpd / rcpt to=c@d "
	  "fate=quarantined tries=0 next=F00D42 / found by=auth-check "
	  "verdict=quarantine cause=spam / found by=store / step =discarded "
	  "text=milter triggers DISCARD action / step =quarantine: released "
	  "to=c@d text=releasing -> released: 250 2.0.0 Ok: queued as "
	  "F00D42" },
	{ "a client is refused before it sends anything",
	  "{\"@timestamp\":\"2026-11-26T10:00:00Z\",\"event.action\":"
	    "\"harvest\",\"event.module\":\"auth-check\",\"source.ip\":"
	    "\"192.0.2.7\",\"gatehouse.rule\":\"harvest-slow\","
	    "\"gatehouse.verdict\":\"accept\"}\n",
	  "message =done ip=192.0.2.7 / found by=auth-check verdict=accept "
	  "rule=harvest-slow" },
	{ "bounced, and the bounce", S "pickup[5]: A1B2C3: uid=33 from=<www>\n"
	  S "cleanup[6]: A1B2C3: message-id=<1@a>\n"
	  S "qmgr[7]: A1B2C3: from=<www@a>, size=10, nrcpt=1 (queue active)\n"
	  S "error[8]: A1B2C3: to=<c@d>, relay=none, delay=1, dsn=5.1.1, "
	    "status=bounced (no)\n"
	  S "cleanup[6]: D4E5F6: message-id=<2@mx>\n"
	  S "qmgr[7]: D4E5F6: from=<>, size=12, nrcpt=1 (queue active)\n"
	  S "bounce[9]: A1B2C3: sender non-delivery notification: D4E5F6\n"
	  S "qmgr[7]: A1B2C3: removed\n",
	  "message =done id=A1B2C3 from=www@a msgid=1@a user=uid 33 size=10 "
	  "n=1 service=pickup / rcpt to=c@d fate=bounced tries=1 dsn=5.1.1 "
	  "relay=none reply=no / step =sender non-delivery notification "
	  "text=D4E5F6 / message =queued id=D4E5F6 parent=A1B2C3 as=sender "
	  "non-delivery from= msgid=2@mx size=12 n=1 / pending=D4E5F6" },
	{ "an alias", S "pickup[5]: A1B2C3: uid=0 from=<root>\n"
	  E "\"email.to.address\":[\"all@d\"],\"gatehouse.verdict\":"
	    "\"accept\"}\n"
	  S "local[8]: A1B2C3: to=<c@d>, orig_to=<all@d>, relay=local, "
	    "delay=1, dsn=2.0.0, status=sent (delivered to mailbox)\n"
	  S "qmgr[7]: A1B2C3: removed\n",
	  "message =done id=A1B2C3 gid=G1 from=root msgid=1@a "
	  "client=a.example ip=192.0.2.1 helo=h user=uid 0 dir=inbound "
	  "service=pickup / rcpt to=all@d fate=expanded tries=0 / rcpt to=c@d "
	  "orig=all@d fate=sent tries=1 dsn=2.0.0 relay=local reply=delivered "
	  "to mailbox / found by=auth-check verdict=accept" },
	{ "tried for too long", S "qmgr[7]: A1B2C3: from=<a@b>, size=10, "
	    "nrcpt=1 (queue active)\n"
	  S "smtp[8]: A1B2C3: to=<e@f>, relay=none, delay=1, dsn=4.4.1, "
	    "status=deferred (no route)\n"
	  S "qmgr[7]: A1B2C3: from=<a@b>, status=expired, returned to sender\n"
	  S "qmgr[7]: A1B2C3: removed\n",
	  "message =done id=A1B2C3 from=a@b size=10 n=1 / rcpt to=e@f "
	  "fate=expired tries=1 dsn=4.4.1 relay=none reply=no route / step "
	  "=deferred to=e@f text=no route / step =expired text=expired, "
	  "returned to sender" },
	{ "deleted by hand", S "qmgr[7]: A1B2C3: from=<a@b>, size=10, nrcpt=1 "
	    "(queue active)\n"
	  S "smtp[8]: A1B2C3: to=<e@f>, relay=none, delay=1, dsn=4.4.1, "
	    "status=deferred (no route)\n"
	  S "postsuper[9]: A1B2C3: removed\n",
	  "message =done id=A1B2C3 from=a@b size=10 n=1 / rcpt to=e@f "
	  "fate=deleted tries=1 dsn=4.4.1 relay=none reply=no route / step "
	  "=deferred to=e@f text=no route / step =deleted by postsuper" },
	{ "two Postfixes, one id", S "smtpd[5]: A1B2C3: client=a[192.0.2.1]\n"
	  "Nov 26 10:00:00 mx postfix-out/smtpd[5]: A1B2C3: "
	    "client=b[192.0.2.2], orig_queue_id=E5F6A7, orig_client=a[1]\n"
	  S "qmgr[7]: A1B2C3: from=<a@b>, size=1, nrcpt=1 (queue active)\n"
	  "Nov 26 10:00:00 mx postfix-out/qmgr[7]: A1B2C3: removed\n",
	  "message =queued id=A1B2C3 from=a@b client=a ip=192.0.2.1 size=1 "
	  "n=1 service=smtpd / message =done id=A1B2C3 parent=E5F6A7 as=came "
	  "through client=b ip=192.0.2.2 service=smtpd / pending=A1B2C3" },
	{ "what stands in quotes is data", E "\"email.to.address\":["
	    "\"c'); DROP TABLE message;--@d\"],\"gatehouse.rule\":"
	    "\"\\u0000\\u001b[2J\",\"gatehouse.verdict\":\"accept\"}\n",
	  "message =open id=A1B2C3 gid=G1 from=a@b msgid=1@a "
	  "client=a.example ip=192.0.2.1 helo=h dir=inbound / rcpt "
	  "to=c'); DROP TABLE message;--@d fate=none tries=0 / found "
	  "by=auth-check verdict=accept rule= / pending=A1B2C3" },
};

static void
stories(void)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct slice want = slice_of(cases[i].want);

		tap_is(tell(cases[i].story, false), want, "%s",
		    cases[i].name);
		tap_is(tell(cases[i].story, true), want,
		    "%s: a batch each line", cases[i].name);
		arena_reset(arena);
	}
}

/* A batch that is thrown away leaves nothing. */
static void
forgotten(void)
{
	struct slice before, line = SLICE(S "smtpd[5]: B1B2C3: client=a[1]");
	struct db *db;
	struct track_book *b;

	before = arena_copy(arena, tell(cases[0].story, false));
	db = open_db(DB_WRITE);
	b = book_new(db, true, NULL, NULL);
	db_begin(db);
	feed(b, line);
	book_flush(b);
	feed(b, SLICE(S "smtpd[5]: B1B2C4: client=a[1]"));
	db_rollback(db);
	book_forget(b);
	book_free(b);
	db_close(db);
	tap_is(dump(), before, "a batch that failed leaves nothing");
}

static void
swept(void)
{
	struct db *db;
	struct track_book *b;
	struct track_fates *f = track_fates_open(dir);
	const int64_t t = NOW - 7200;	/* 10:00:00 */

	tell(S "smtpd[5]: A1B2C3: client=a[192.0.2.1]\n"
	    S "smtpd[5]: A1B2C4: client=a[192.0.2.1]\n"
	    S "qmgr[7]: A1B2C4: from=<a@b>, size=1, nrcpt=1 (queue active)\n"
	    S "cleanup[6]: A1B2C5: milter-reject: END-OF-MESSAGE from a[1]: "
	    "4.7.1 no; from=<a@b> to=<e@f> proto=ESMTP helo=<h>\n", false);
	tap_is_int(track_fate(f, SLICE("A1B2C3"), t), TRACK_FATE_UNKNOWN,
	    "fate: being received");
	tap_is_int(track_fate(f, SLICE("A1B2C4"), t), TRACK_FATE_ACCEPTED,
	    "fate: queued");
	tap_is_int(track_fate(f, SLICE("A1B2C5"), t), TRACK_FATE_REFUSED,
	    "fate: refused");
	tap_is_int(track_fate(f, SLICE("A1B2C4"), t + 86400),
	    TRACK_FATE_UNKNOWN, "fate: the same id, another day");
	tap_is_int(track_fate(f, SLICE("A1B2C9"), t), TRACK_FATE_UNKNOWN,
	    "fate: never heard of");
	tap_is_int(track_fate(f, SLICE(""), t), TRACK_FATE_UNKNOWN,
	    "fate: no id");
	db = open_db(DB_WRITE);
	b = book_new(db, true, NULL, NULL);
	db_begin(db);
	tap_is_int(book_sweep(b, 10), RC_OK, "nothing was read: no sweep");
	feed(b, SLICE("Nov 26 11:59:00 mx postfix/smtpd[1]: x"));
	book_sweep(b, 10);
	book_flush(b);
	tap_is_int(track_fate(f, SLICE("A1B2C3"), t), TRACK_FATE_UNKNOWN,
	    "not yet given up");
	feed(b, SLICE("Nov 26 12:01:00 mx postfix/smtpd[1]: x"));
	book_sweep(b, 10);
	book_flush(b);
	db_commit(db);
	tap_is_int(track_fate(f, SLICE("A1B2C3"), t), TRACK_FATE_REFUSED,
	    "fate: the client went away");
	tap_is_int(track_fate(f, SLICE("A1B2C4"), t), TRACK_FATE_ACCEPTED,
	    "what is queued stays");
	book_free(b);
	db_close(db);
	track_fates_close(f);
	f = track_fates_open("/nonexistent");
	tap_is_int(track_fate(f, SLICE("A1B2C3"), t), TRACK_FATE_UNKNOWN,
	    "fate: no database");
	track_fates_close(f);
}

static void
keys(void)
{
	tap_is(track_key(arena, SLICE("Ann@Example.ORG")),
	    SLICE("example.org@ann"), "a key");
	tap_is(track_key(arena, SLICE("\"a@b\"@c.")), SLICE("c@\"a@b\""),
	    "the last @ counts");
	tap_is(track_key(arena, SLICE("root")), SLICE("@root"), "no domain");
	tap_is(track_key(arena, SLICE("")), SLICE("@"), "nothing");
}

int
main(void)
{
	char path[300];

	setenv("TZ", "UTC", 1);
	tzset();
	arena = arena_new();
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/track", dir);
	mkdir(path, 0700);
	stories();
	forgotten();
	swept();
	keys();
	clear();
	rmdir(path);
	rmdir(dir);
	arena_free(arena);
	return tap_done();
}
