/* Lines of Postfix's log, one by one, as they are and as they are made ugly. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "track/postfix.h"
#include "t/tap.h"

/* 2026-11-26 12:00:00 UTC; the zone of the test is UTC. */
enum { NOW = 1795694400 };

static const struct slice names_[] = { { "postfix", 7 }, { "mx-*", 4 } };
static const struct postfix_names names = { names_, 2 };

static const char *const kinds[] = {
	[POSTFIX_ALIEN] = "alien", [POSTFIX_OTHER] = "other",
	[POSTFIX_CONNECT] = "connect", [POSTFIX_DISCONNECT] = "disconnect",
	[POSTFIX_TLS_IN] = "tls-in", [POSTFIX_TLS_OUT] = "tls-out",
	[POSTFIX_CLIENT] = "client", [POSTFIX_PICKUP] = "pickup",
	[POSTFIX_MESSAGE_ID] = "message-id", [POSTFIX_SUBJECT] = "subject",
	[POSTFIX_REJECT] = "reject", [POSTFIX_HOLD] = "hold",
	[POSTFIX_DISCARD] = "discard", [POSTFIX_QUEUED] = "queued",
	[POSTFIX_EXPIRED] = "expired", [POSTFIX_REMOVED] = "removed",
	[POSTFIX_STATUS] = "status", [POSTFIX_NOTICE] = "notice",
	[POSTFIX_PUT_ON_HOLD] = "put-on-hold",
	[POSTFIX_RELEASED] = "released", [POSTFIX_DELETED] = "deleted",
	[POSTFIX_REQUEUED] = "requeued",
};

/* All that was found, in one line. */
static struct slice
show(struct arena *a, const struct postfix_line *l)
{
	struct buf b = buf_in(a);
	const struct { const char *name; struct slice v; bool there; } f[] = {
		{ "id", l->id, l->id.len > 0 },
		{ "service", l->service, !slice_eq(l->service, l->program) },
		{ "action", l->action, l->action.len > 0 },
		{ "stage", l->stage, l->stage.len > 0 },
		{ "client", l->client, l->client.len > 0 },
		{ "ip", l->ip, l->ip.len > 0 },
		{ "helo", l->helo, l->helo.len > 0 },
		{ "user", l->user, l->user.len > 0 },
		{ "from", l->from, l->has_from },
		{ "to", l->to, l->has_to },
		{ "orig_to", l->orig_to, l->orig_to.len > 0 },
		{ "relay", l->relay, l->relay.len > 0 },
		{ "dsn", l->dsn, l->dsn.len > 0 },
		{ "status", l->status, l->status.len > 0 },
		{ "next", l->next_id, l->next_id.len > 0 },
		{ "orig", l->orig_id, l->orig_id.len > 0 },
		{ "text", l->text, l->text.len > 0 },
	};

	buf_adds(&b, kinds[l->kind]);
	for (size_t i = 0; i < sizeof f / sizeof f[0]; i++)
		if (f[i].there)
			buf_addf(&b, " %s=%.*s", f[i].name, SLICE_ARG(f[i].v));
	if (l->kind == POSTFIX_QUEUED)
		buf_addf(&b, " size=%llu nrcpt=%llu",
		    (unsigned long long)l->size, (unsigned long long)l->nrcpt);
	if (l->delay_ms >= 0 && l->kind == POSTFIX_STATUS)
		buf_addf(&b, " delay=%lld", (long long)l->delay_ms);
	return buf_slice(&b);
}

#define H "Nov 26 10:45:32 mx postfix/"

static const struct { const char *line, *want; } cases[] = {
	/* Who came. */
	{ H "smtpd[5]: connect from a.example[192.0.2.1]",
	  "connect client=a.example ip=192.0.2.1" },
	{ H "smtpd[5]: connect from unknown[unknown]", "connect" },
	{ H "smtpd[5]: disconnect from unknown[2001:db8::1] ehlo=1 quit=1 "
	  "commands=2", "disconnect ip=2001:db8::1" },
	{ H "smtpd[5]: Anonymous TLS connection established from "
	  "a.example[192.0.2.1]: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 "
	  "(256/256 bits) key-exchange X25519 server-signature RSA-PSS (2048 "
	  "bits)", "tls-in action=Anonymous client=a.example ip=192.0.2.1 "
	  "text=TLSv1.3 with cipher TLS_AES_256_GCM_SHA384" },
	{ H "smtpd[5]: Untrusted TLS connection established from "
	  "a.example[192.0.2.1] to mx.example.org: TLSv1.2 with cipher "
	  "ECDHE-RSA-AES128-SHA (128/128 bits)", "tls-in action=Untrusted "
	  "client=a.example ip=192.0.2.1 text=TLSv1.2 with cipher "
	  "ECDHE-RSA-AES128-SHA" },
	{ H "smtp[5]: Verified TLS connection established to "
	  "mx.example.net[192.0.2.9]:25: TLSv1.3 with cipher X (256/256 bits)",
	  "tls-out action=Verified relay=mx.example.net[192.0.2.9]:25 "
	  "text=TLSv1.3 with cipher X" },
	{ H "smtp[5]: Trusted TLS connection reused to b[192.0.2.9]:25: "
	  "TLSv1.3 with cipher X (256/256 bits)",
	  "tls-out action=Trusted relay=b[192.0.2.9]:25 "
	  "text=TLSv1.3 with cipher X" },
	{ H "smtpd[5]: 4Zx1Qk2hJ9z1: client=a.example[192.0.2.1]",
	  "client id=4Zx1Qk2hJ9z1 client=a.example ip=192.0.2.1" },
	{ H "submission/smtpd[5]: 3F2C1780D3: client=unknown[192.0.2.7]:4711, "
	  "sasl_method=PLAIN, sasl_username=ann@example.org, "
	  "orig_queue_id=8A1B2C3D4E, orig_client=x[192.0.2.8]",
	  "client id=3F2C1780D3 service=submission ip=192.0.2.7 "
	  "user=ann@example.org orig=8A1B2C3D4E" },
	{ H "pickup[5]: 3F2C1780D3: uid=33 from=<www-data>",
	  "pickup id=3F2C1780D3 user=33 from=www-data" },
	{ H "pickup[5]: 3F2C1780D3: uid=104 from=<a@b> orig_id=8A1B2C3D4E",
	  "pickup id=3F2C1780D3 user=104 from=a@b orig=8A1B2C3D4E" },
	/* What it was. */
	{ H "cleanup[5]: 3F2C1780D3: message-id=<1@a.example>",
	  "message-id id=3F2C1780D3 text=1@a.example" },
	{ H "cleanup[5]: 3F2C1780D3: message-id=no brackets",
	  "message-id id=3F2C1780D3 text=no brackets" },
	{ H "cleanup[5]: 3F2C1780D3: resent-message-id=<2@a>",
	  "message-id id=3F2C1780D3 text=2@a" },
	{ H "cleanup[5]: 3F2C1780D3: info: header Subject: mail from mars: > "
	  "now from a[192.0.2.1]; from=<a@b> to=<c@d> proto=ESMTP helo=<x>",
	  "subject id=3F2C1780D3 action=info stage=header client=a "
	  "ip=192.0.2.1 helo=x from=a@b to=c@d text=mail from mars: > now" },
	{ H "cleanup[5]: 3F2C1780D3: warning: header Subject: hi from "
	  "local; from=<root@a>", "subject id=3F2C1780D3 action=warning "
	  "stage=header client=local from=root@a text=hi" },
	{ H "cleanup[5]: 3F2C1780D3: info: header X-Spam: no from local; "
	  "from=<root@a>", "other action=info stage=header client=local "
	  "from=root@a" },
	{ H "qmgr[5]: 3F2C1780D3: from=<a@b.example>, size=1203, nrcpt=2 "
	  "(queue active)",
	  "queued id=3F2C1780D3 from=a@b.example size=1203 nrcpt=2" },
	{ H "qmgr[5]: 3F2C1780D3: from=<>, size=0, nrcpt=1 (queue active)",
	  "queued id=3F2C1780D3 from= size=0 nrcpt=1" },
	{ H "qmgr[5]: 3F2C1780D3: from=<\">, size=9, nrcpt=9\"@b>, size=7, "
	  "nrcpt=1 (queue active)", "queued id=3F2C1780D3 from=\">, size=9, "
	  "nrcpt=9\"@b size=7 nrcpt=1" },
	/* How it went. */
	{ H "smtp[5]: 3F2C1780D3: to=<c@d.example>, "
	  "relay=mx.d.example[192.0.2.3]:25, delay=0.14, "
	  "delays=0.01/0/0.1/0.03, dsn=2.0.0, status=sent (250 2.0.0 Ok: "
	  "queued as 7B2C1780D4)", "status id=3F2C1780D3 to=c@d.example "
	  "relay=mx.d.example[192.0.2.3]:25 dsn=2.0.0 status=sent "
	  "next=7B2C1780D4 text=250 2.0.0 Ok: queued as 7B2C1780D4 delay=140" },
	{ H "smtp[5]: 3F2C1780D3: to=<c@d>, orig_to=<list@d>, relay=none, "
	  "conn_use=3, delay=30, delays=30/0/0/0, dsn=4.4.1, status=deferred "
	  "(connect to d[192.0.2.3]:25: Connection refused)",
	  "status id=3F2C1780D3 to=c@d orig_to=list@d relay=none dsn=4.4.1 "
	  "status=deferred text=connect to d[192.0.2.3]:25: Connection refused "
	  "delay=30000" },
	{ H "lmtp[5]: 3F2C1780D3: to=<c@d>, relay=d[private/dovecot-lmtp], "
	  "delay=1.5, delays=1/0/0/0.5, dsn=2.0.0, status=sent (250 2.0.0 "
	  "<c@d> abc+Def Saved)", "status id=3F2C1780D3 to=c@d "
	  "relay=d[private/dovecot-lmtp] dsn=2.0.0 status=sent "
	  "text=250 2.0.0 <c@d> abc+Def Saved delay=1500" },
	{ H "local[5]: 3F2C1780D3: to=<root@mx>, orig_to=<root>, relay=local, "
	  "delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (forwarded as "
	  "9C2C1780D4)", "status id=3F2C1780D3 to=root@mx orig_to=root "
	  "relay=local dsn=2.0.0 status=sent next=9C2C1780D4 "
	  "text=forwarded as 9C2C1780D4 delay=0" },
	{ H "pipe[5]: 3F2C1780D3: to=<c@d>, relay=filter, delay=0, "
	  "delays=0/0/0/0, dsn=5.3.0, status=bounced (command line usage "
	  "error: (a) b)", "status id=3F2C1780D3 to=c@d relay=filter dsn=5.3.0 "
	  "status=bounced text=command line usage error: (a) b delay=0" },
	{ H "error[5]: 3F2C1780D3: to=<c@d>, relay=none, delay=2, "
	  "delays=2/0/0/0, dsn=5.1.1, status=bounced (no such user)",
	  "status id=3F2C1780D3 to=c@d relay=none dsn=5.1.1 status=bounced "
	  "text=no such user delay=2000" },
	{ H "smtp[5]: 3F2C1780D3: to=<\">, relay=evil[1.2.3.4]:25, delay=0, "
	  "dsn=2.0.0, status=sent (ok)\"@d>, relay=none, delay=1, "
	  "delays=1/0/0/0, dsn=5.1.1, status=bounced (no)",
	  "status id=3F2C1780D3 to=\">, relay=evil[1.2.3.4]:25, delay=0, "
	  "dsn=2.0.0, status=sent (ok)\"@d relay=none dsn=5.1.1 "
	  "status=bounced text=no delay=1000" },
	{ H "smtp[5]: 3F2C1780D3: to=<c@d>, relay=m[192.0.2.3]:25, delay=0, "
	  "delays=0/0/0/0, dsn=5.0.0, status=bounced (host m said: 550 to=<x>, "
	  "relay=y, delay=0, dsn=2.0.0, status=sent (250 ok) (in reply to RCPT "
	  "TO command))", "status id=3F2C1780D3 to=c@d "
	  "relay=m[192.0.2.3]:25 dsn=5.0.0 status=bounced text=host m said: "
	  "550 to=<x>, relay=y, delay=0, dsn=2.0.0, status=sent (250 ok) (in "
	  "reply to RCPT TO command) delay=0" },
	{ H "smtp[5]: 3F2C1780D3: to=<c@d>, relay=m.protection.outlook.com"
	  "[192.0.2.3]:25, delay=1, delays=0/0/0/1, dsn=2.6.0, status=sent "
	  "(250 2.6.0 <1@a> [InternalId=1, Hostname=H] 9 bytes in 0.1, 1 "
	  "KB/sec Queued mail for delivery id=ab12-cd)",
	  "status id=3F2C1780D3 to=c@d relay=m.protection.outlook.com"
	  "[192.0.2.3]:25 dsn=2.6.0 status=sent next=ab12-cd text=250 2.6.0 "
	  "<1@a> [InternalId=1, Hostname=H] 9 bytes in 0.1, 1 KB/sec Queued "
	  "mail for delivery id=ab12-cd delay=1000" },
	{ H "smtp[5]: 3F2C1780D3: to=<c@d>, relay=m[192.0.2.3]:25, delay=1, "
	  "delays=0/0/0/1, dsn=2.0.0, status=sent (250 OK id=1tFabc-0001aB-2x)",
	  "status id=3F2C1780D3 to=c@d relay=m[192.0.2.3]:25 dsn=2.0.0 "
	  "status=sent next=1tFabc-0001aB-2x text=250 OK id=1tFabc-0001aB-2x "
	  "delay=1000" },
	{ H "qmgr[5]: 3F2C1780D3: removed", "removed id=3F2C1780D3" },
	{ H "qmgr[5]: 3F2C1780D3: from=<a@b>, status=expired, returned to "
	  "sender", "expired id=3F2C1780D3 from=a@b text=expired, returned to "
	  "sender" },
	{ H "bounce[5]: 3F2C1780D3: sender non-delivery notification: "
	  "7B2C1780D4", "notice id=3F2C1780D3 next=7B2C1780D4 text=sender "
	  "non-delivery" },
	{ H "bounce[5]: 3F2C1780D3: sender delay notification: 7B2C1780D4",
	  "notice id=3F2C1780D3 next=7B2C1780D4 text=sender delay" },
	{ H "postsuper[5]: 3F2C1780D3: placed on hold",
	  "put-on-hold id=3F2C1780D3" },
	{ H "postsuper[5]: 3F2C1780D3: released from hold",
	  "released id=3F2C1780D3" },
	{ H "postsuper[5]: 3F2C1780D3: removed", "deleted id=3F2C1780D3" },
	{ H "postsuper[5]: 3F2C1780D3: requeued", "requeued id=3F2C1780D3" },
	/* What was refused. */
	{ H "smtpd[5]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 "
	  "5.7.1 <c@d>: Relay access denied; from=<a@b> to=<c@d> proto=ESMTP "
	  "helo=<h>", "reject action=reject stage=RCPT ip=192.0.2.1 helo=h "
	  "from=a@b to=c@d text=554 5.7.1 <c@d>: Relay access denied" },
	{ H "smtpd[5]: NOQUEUE: milter-reject: CONNECT from a[192.0.2.1]: 451 "
	  "4.7.1 Service unavailable - try again later; proto=SMTP",
	  "reject action=milter-reject stage=CONNECT client=a ip=192.0.2.1 "
	  "text=451 4.7.1 Service unavailable - try again later" },
	{ H "smtpd[5]: NOQUEUE: reject: MAIL from a[192.0.2.1]: 552 5.3.4 "
	  "Message size exceeds fixed limit; proto=ESMTP helo=<h>",
	  "reject action=reject stage=MAIL client=a ip=192.0.2.1 helo=h "
	  "text=552 5.3.4 Message size exceeds fixed limit" },
	{ H "smtpd[5]: 3F2C1780D3: reject: RCPT from a[192.0.2.1]: 550 5.1.1 "
	  "<c@d>: Recipient address rejected; from=<> to=<c@d> proto=ESMTP "
	  "helo=<h>", "reject id=3F2C1780D3 action=reject stage=RCPT client=a "
	  "ip=192.0.2.1 helo=h from= to=c@d text=550 5.1.1 <c@d>: Recipient "
	  "address rejected" },
	{ H "cleanup[5]: 3F2C1780D3: milter-reject: END-OF-MESSAGE from "
	  "a[192.0.2.1]: 5.7.1 no; really; from=<a@b> to=<c@d> proto=ESMTP "
	  "helo=<h>", "reject id=3F2C1780D3 action=milter-reject "
	  "stage=END-OF-MESSAGE client=a ip=192.0.2.1 helo=h from=a@b to=c@d "
	  "text=5.7.1 no; really" },
	{ H "cleanup[5]: 3F2C1780D3: milter-hold: END-OF-MESSAGE from "
	  "a[192.0.2.1]: milter triggers HOLD action; from=<a@b> to=<c@d> "
	  "proto=ESMTP helo=<h>", "hold id=3F2C1780D3 action=milter-hold "
	  "stage=END-OF-MESSAGE client=a ip=192.0.2.1 helo=h from=a@b to=c@d "
	  "text=milter triggers HOLD action" },
	{ H "cleanup[5]: 3F2C1780D3: milter-discard: END-OF-MESSAGE from "
	  "a[192.0.2.1]: milter triggers DISCARD action; from=<a@b> to=<c@d> "
	  "proto=ESMTP helo=<h>", "discard id=3F2C1780D3 action=milter-discard "
	  "stage=END-OF-MESSAGE client=a ip=192.0.2.1 helo=h from=a@b to=c@d "
	  "text=milter triggers DISCARD action" },
	{ H "cleanup[5]: 3F2C1780D3: reject: header Subject: pills from "
	  "a[192.0.2.1]; from=<a@b> to=<c@d> proto=ESMTP helo=<h>: 5.7.1 no "
	  "pills", "reject id=3F2C1780D3 action=reject stage=header client=a "
	  "ip=192.0.2.1 helo=h from=a@b to=c@d text=5.7.1 no pills" },
	{ H "postscreen[5]: NOQUEUE: reject: RCPT from [192.0.2.1]:5432: 550 "
	  "5.7.1 Service unavailable; client [192.0.2.1] blocked using zen; "
	  "from=<a@b>, to=<c@d>, proto=ESMTP, helo=<h>",
	  "reject action=reject stage=RCPT ip=192.0.2.1 helo=h from=a@b to=c@d "
	  "text=550 5.7.1 Service unavailable; client [192.0.2.1] blocked "
	  "using zen" },
	{ H "postscreen[5]: CONNECT from [192.0.2.1]:5 to [192.0.2.2]:25",
	  "other" },
	/* A sender's words in the place of Postfix's. */
	{ H "smtpd[5]: NOQUEUE: reject: RCPT from a[192.0.2.1]: 550 5.1.1 "
	  "<\"; from=<x> to=<y> proto=SMTP helo=<z\"@d>: no; from=<a@b> "
	  "to=<\"; from=<x> to=<y> proto=SMTP helo=<z\"@d> proto=ESMTP "
	  "helo=<h>", "reject action=reject stage=RCPT client=a ip=192.0.2.1 "
	  "helo=h from=a@b to=\"; from=<x> to=<y> proto=SMTP helo=<z\"@d "
	  "text=550 5.1.1 <\"; from=<x> to=<y> proto=SMTP helo=<z\"@d>: no" },
	/* Nothing of a message. */
	{ H "smtpd[5]: warning: hostname a does not resolve to address",
	  "other" },
	{ H "smtpd[5]: lost connection after DATA from a[192.0.2.1]", "other" },
	{ H "anvil[5]: statistics: max connection rate 1/60s", "other" },
	{ H "smtp[5]: 3F2C1780D3: host m[192.0.2.3] said: 450 later (in reply "
	  "to RCPT TO command)", "other" },
	{ H "smtp[5]: 3F2C1780D3: to=<c@d>", "other" },
	{ H "smtp[5]: 3F2C1780D3: to=<c@d>, relay=none, delay=1, dsn=2.0.0",
	  "other" },
	{ H "qmgr[5]: 3F2C1780D3: from=<a@b>, size=x, nrcpt=2 (queue active)",
	  "other" },
	{ H "qmgr[5]: 3F2C1780D3: from=<a@b>, size=99999999999999999999, "
	  "nrcpt=2 (queue active)", "other" },
	{ H "qmgr[5]: ../../etc: removed", "other" },
	{ H "qmgr[5]: 3F2C1780D3: removed ", "other" },
	{ H "[5]: x", "alien" },
	/* Heads of lines. */
	{ "Nov 26 10:45:32 mx sshd[1]: connect from a[1]", "alien" },
	{ "Nov 26 10:45:32 mx postfix-x/qmgr[1]: 3F2C1780D3: removed",
	  "alien" },
	{ "Nov 26 10:45:32 mx mx-in/qmgr[1]: 3F2C1780D3: removed",
	  "removed id=3F2C1780D3" },
	{ "2026-11-26T10:45:32.123456+00:00 mx postfix/qmgr[1]: 3F2C1780D3: "
	  "removed", "removed id=3F2C1780D3" },
	{ "<22>Nov 26 10:45:32 mx postfix/qmgr[1]: 3F2C1780D3: removed",
	  "removed id=3F2C1780D3" },
	{ "<22>1 2026-11-26T10:45:32.123Z mx postfix/qmgr 1 - - 3F2C1780D3: "
	  "removed", "removed id=3F2C1780D3" },
	{ "<22>1 2026-11-26T10:45:32.123Z mx postfix/qmgr 1 - - "
	  "\xef\xbb\xbf" "3F2C1780D3: removed", "removed id=3F2C1780D3" },
	{ H "qmgr[5]: message repeated 2 times: [ 3F2C1780D3: removed]",
	  "removed id=3F2C1780D3" },
	{ "postfix/qmgr[1]: 3F2C1780D3: removed", "alien" },
	{ "Nov 26 10:45:32 mx postfix/qmgr: 3F2C1780D3: removed",
	  "removed id=3F2C1780D3" },
	{ "", "alien" }, { "Nov 26 10:45:32 ", "alien" },
	{ "Nov 26 10:45:32 mx", "alien" },
	{ "Nov 26 10:45:32 mx postfix/", "alien" },
	{ "Nov 26 10:45:32 mx postfix/smtpd[5", "alien" },
	{ "Nov 26 10:45:32 mx postfix/smtpd[5]: ", "other" },
};

static void
lines(struct arena *a)
{
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct stamp st = { .now = NOW };
		struct postfix_line l;

		postfix_read(&st, &names, slice_of(cases[i].line), &l);
		tap_is(show(a, &l), slice_of(cases[i].want), "%.70s",
		    cases[i].line);
	}
}

/* Each line cut at each byte, and with each byte changed: it never reads past
 * its end (the sanitizers look), and each field lies within the line. */
static void
torn(struct arena *a)
{
	struct stamp st = { .now = NOW };
	struct postfix_line l;
	bool inside = true;
	size_t n = 0;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct slice line = slice_of(cases[i].line);

		for (size_t at = 0; at < line.len; at++, n++) {
			char *copy = mem_alloc(at + 1);

			memcpy(copy, line.ptr, at);
			postfix_read(&st, &names, slice_make(copy, at), &l);
			inside = inside && (l.text.len == 0 ||
			    (l.text.ptr >= copy &&
			    l.text.ptr + l.text.len <= copy + at));
			free(copy);
		}
	}
	tap_ok(inside, "%zu cut lines: all fields lie within", n);
	(void)a;
}

static const struct { const char *text; int64_t ms; } stamps[] = {
	{ "Nov 26 10:45:32 x", 1795689932000 },
	{ "Nov  6 00:00:00 x", 1793923200000 },
	{ "Dec 31 23:59:59 x", 1767225599000 },		/* of last year */
	{ "Nov 28 11:00:00 x", 1795863600000 },		/* two days ahead */
	{ "Nov 29 11:00:00 x", 1764414000000 },		/* three: last year */
	{ "Feb 29 00:00:00 x", 1709164800000 },		/* 2024 */
	{ "2026-11-26T10:45:32.123456+01:00 x", 1795686332123 },
	{ "2026-11-26T10:45:32-0530 x", 1795709732000 },
	{ "2026-11-26 10:45:32,5 x", 1795689932500 },
	{ "2026-11-26T10:45:32Z x", 1795689932000 },
	{ "2038-01-19T03:14:08Z x", 2147483648000 },
	{ "9999-12-31T23:59:59Z x", 253402300799000 },
	{ "Nov 32 10:45:32 x", -1 }, { "Nov 26 25:00:00 x", -1 },
	{ "Nov 26 10:61:00 x", -1 }, { "nov 26 10:45:32 x", -1 },
	{ "Nov 26 10:45:32", -1 }, { "Nov 26 10:45:3", -1 },
	{ "2026-13-26T10:45:32Z x", -1 }, { "2026-11-26T10:45:32+ x", -1 },
	{ "2026-11-26T10:45:32Zx", -1 }, { "<22 Nov 26 10:45:32 x", -1 },
	{ "<22>", -1 }, { "", -1 }, { "1969-12-31T23:59:59Z x", -1 },
};

static void
times(void)
{
	for (size_t i = 0; i < sizeof stamps / sizeof stamps[0]; i++) {
		struct slice s = slice_of(stamps[i].text);
		struct stamp st = { .now = NOW };
		int64_t ms = -1;

		if (!stamp_read(&st, &s, &ms))
			ms = -1;
		tap_is_int(ms, stamps[i].ms, "time: \"%s\"", stamps[i].text);
	}
	tap_is_int(stamp_day(-1), -1, "a day before 1970");
	tap_is_int(stamp_day(86400000), 1, "and one behind it");
}

/* The second of the line before is kept: it must not be mistaken. */
static void
memory(void)
{
	struct stamp st = { .now = NOW };
	int64_t a, b, c, d;
	struct slice s = SLICE("Nov 26 10:45:32 x");

	stamp_read(&st, &s, &a);
	s = SLICE("2026-11-26T10:45:32+02:00 x");
	stamp_read(&st, &s, &b);
	s = SLICE("2026-11-26T10:45:32+01:00 x");
	stamp_read(&st, &s, &c);
	s = SLICE("Nov 26 10:45:33 x");
	stamp_read(&st, &s, &d);
	tap_ok(d == a + 1000 && c == b + 3600000 && a == b + 7200000,
	    "zones and seconds are told apart");
}

int
main(void)
{
	struct arena *a = arena_new();

	setenv("TZ", "UTC", 1);
	tzset();
	lines(a);
	torn(a);
	times();
	memory();
	arena_free(a);
	return tap_done();
}
