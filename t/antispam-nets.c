/* Entries of dns_lists and backends, what answers mean, and what other filters
 * say; without any network. */
#include <math.h>
#include <string.h>
#include <sys/socket.h>

#include "milters/antispam/backend.h"
#include "milters/antispam/dnslist.h"
#include "milters/antispam/number.h"
#include "t/tap.h"

static struct arena *a;

/* ---- numbers ---- */

static void
numbers(void)
{
	static const struct { const char *text; bool good; double value; }
	    cases[] = {
		{ "12", true, 12 }, { "-2.5", true, -2.5 }, { "+1", true, 1 },
		{ "1e3", true, 1000 }, { "1.5E-2", true, 0.015 },
		{ "0.0", true, 0 }, { "5.560000", true, 5.56 },
		{ "", false, 0 }, { "-", false, 0 }, { ".5", false, 0 },
		{ "5.", false, 0 }, { "nan", false, 0 }, { "inf", false, 0 },
		{ "NaN", false, 0 }, { "-Infinity", false, 0 },
		{ "1e999", false, 0 }, { "1e9999", false, 0 },
		{ "0x10", false, 0 }, { "1,5", false, 0 }, { "1 ", false, 0 },
		{ "10001", false, 0 }, { "-10001", false, 0 },
		{ "1e", false, 0 }, { "0e999", false, 0 },
		{ "11111111111111111111111111111111111111111", false, 0 },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		double value = 0;
		bool good = number_read(slice_of(cases[i].text), -10000, 10000,
		    &value);

		tap_ok(good == cases[i].good && (!good ||
		    fabs(value - cases[i].value) < 1e-9), "number \"%s\"",
		    cases[i].text);
	}
}

/* ---- lists ---- */

static const struct { const char *entry, *why; } bad[] = {
	{ "", "the zone is no domain" },
	{ "zen ip 2", "the zone is no domain" },
	{ "zen.example.org", "a kind is" },
	{ "zen.example.org uri 2", "a kind is" },
	{ "zen.example.org ip", "a weight is" },
	{ "zen.example.org ip nan", "a weight is" },
	{ "zen.example.org ip 11", "a weight is" },
	{ "zen.example.org ip 0", "a weight of 0" },
	{ "zen.example.org=127.0.0 ip 2", "the answers are none" },
	{ "zen.example.org=127.0.0.256 ip 2", "the answers are none" },
	{ "zen.example.org=127.0.0.[2..1] ip 2", "the answers are none" },
	{ "zen.example.org=127.0.0.[2..11 ip 2", "the answers are none" },
	{ "zen.example.org=127.0.0.[] ip 2", "the answers are none" },
	{ "zen.example.org=127.0.0.2.5 ip 2", "the answers are none" },
	{ "zen.example.org&0 ip 2", "bits are" },
	{ "zen.example.org&x ip 2", "bits are" },
	{ "zen.example.org ip 2 all", "behind the weight" },
	{ "zen.example.org url 2 hops", "hops is for" },
	{ "zen.example.org ip -2 hops", "an allow list knows" },
	{ "zen.example.org url -2", "an allow list is of" },
	{ "zen.example.org ip -2 phishing", "an allow list lists" },
};

static void
entries(void)
{
	struct dnslist l;
	struct slice why;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		why = SLICE("");
		tap_ok(dnslist_read(slice_of(bad[i].entry), &l, a, &why) ==
		    RC_BAD && slice_search(why, slice_of(bad[i].why)) <
		    why.len, "refused: \"%s\"", bad[i].entry);
	}
	tap_ok(dnslist_read(SLICE("ZEN.Example.org=127.0.0.[2..11;14] ip 2.5 "
	    "hops text : spam sources"), &l, a, &why) == RC_OK, "an entry");
	tap_ok(slice_eq(l.zone, SLICE("zen.example.org")), "its zone");
	tap_ok(l.kind == DNSLIST_IP && l.hops && l.text && !l.phishing &&
	    fabs(l.weight - 2.5) < 1e-9, "kind, flags, weight");
	tap_ok(slice_eq(l.words, SLICE("spam sources")), "and words");
}

static struct dns_answer
answer(const char *addresses)
{
	struct dns_answer r = { .status = DNS_OK };
	struct dns_record *records = arena_array(a, 4, sizeof *records);
	struct slice item, rest = slice_of(addresses);

	while (rest.ptr != NULL) {
		struct ip ip;

		item = slice_cut(rest, ' ', &rest);
		if (ip_parse(item, &ip))
			records[r.count++].data = arena_copy(a,
			    slice_make(ip.bytes, 4));
	}
	r.records = records;
	return r;
}

static const struct { const char *list, *answers; enum dnslist_says says; }
    answers[] = {
	{ "z.example ip 1", "127.0.0.2", DNSLIST_HIT },
	{ "z.example ip 1", "127.1.2.3", DNSLIST_HIT },
	{ "z.example ip 1", "127.0.0.1", DNSLIST_REFUSED },
	{ "z.example ip 1", "127.0.0.255", DNSLIST_REFUSED },
	{ "z.example=127.0.0.[0..255] ip 1", "127.0.0.1", DNSLIST_HIT },
	{ "z.example ip 1", "127.255.255.254", DNSLIST_REFUSED },
	{ "z.example=127.255.255.254 ip 1", "127.255.255.254",
	    DNSLIST_REFUSED },
	{ "z.example ip 1", "127.0.0.2 127.255.255.252", DNSLIST_REFUSED },
	{ "z.example ip 1", "192.0.2.1", DNSLIST_STRANGE },
	{ "z.example ip 1", "127.0.0.2 192.0.2.1", DNSLIST_STRANGE },
	{ "z.example=127.0.0.[2..4;9] ip 1", "127.0.0.4", DNSLIST_HIT },
	{ "z.example=127.0.0.[2..4;9] ip 1", "127.0.0.9", DNSLIST_HIT },
	{ "z.example=127.0.0.[2..4;9] ip 1", "127.0.0.5", DNSLIST_NO },
	{ "z.example=127.0.0.[2..4;9] ip 1", "127.0.0.5 127.0.0.2",
	    DNSLIST_HIT },
	{ "z.example=127.0.[0..255].3 ip -1", "127.0.17.3", DNSLIST_HIT },
	{ "z.example=127.0.[0..255].3 ip -1", "127.0.17.2", DNSLIST_NO },
	{ "z.example&8 url 1", "127.0.0.10", DNSLIST_HIT },
	{ "z.example&8 url 1", "127.0.0.6", DNSLIST_NO },
	{ "z.example&12 url 1", "127.0.0.4", DNSLIST_HIT },
};

static void
meanings(void)
{
	struct dnslist l;
	struct slice why;
	struct dns_answer r = { .status = DNS_NXDOMAIN };

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		r = answer(answers[i].answers);
		tap_ok(dnslist_read(slice_of(answers[i].list), &l, a, &why) ==
		    RC_OK && dnslist_answer(&l, &r) == answers[i].says,
		    "%s: %s", answers[i].list, answers[i].answers);
	}
	for (int status = DNS_NODATA; status <= DNS_CANCELLED; status++) {
		r = (struct dns_answer){ .status = (enum dns_status)status };
		tap_ok(dnslist_answer(&l, &r) == (status <= DNS_NXDOMAIN ?
		    DNSLIST_NO : DNSLIST_SILENT), "%s is %s",
		    dns_status_name(r.status), status <= DNS_NXDOMAIN ?
		    "no" : "no answer");
	}
}

static void
names(void)
{
	static const struct { const char *ip, *name; bool outside; } cases[] = {
		{ "192.0.2.99", "99.2.0.192.z.example", true },
		{ "2001:db8:1:2:3:4:567:89ab", "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0."
		    "0.2.0.0.0.1.0.0.0.8.b.d.0.1.0.0.2.z.example", true },
		{ "::ffff:192.0.2.1", "1.2.0.192.z.example", true },
		{ "127.0.0.1", NULL, false }, { "10.9.8.7", NULL, false },
		{ "172.31.255.1", NULL, false }, { "172.32.0.1", NULL, true },
		{ "192.168.1.1", NULL, false }, { "169.254.1.1", NULL, false },
		{ "100.64.0.1", NULL, false }, { "100.128.0.1", NULL, true },
		{ "0.0.0.0", NULL, false }, { "255.255.255.255", NULL, false },
		{ "::1", NULL, false }, { "::", NULL, false },
		{ "fe80::1", NULL, false }, { "fd12::1", NULL, false },
		{ "ff02::1", NULL, false }, { "2a00::1", NULL, true },
	};
	struct ip none = { .family = 0 };
	struct dnslist l;
	struct slice why;
	char long_name[400];

	dnslist_read(SLICE("z.example ip 1"), &l, a, &why);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ip ip;

		ip_parse(slice_of(cases[i].ip), &ip);
		tap_ok(dnslist_public(&ip) == cases[i].outside, "%s is %s",
		    cases[i].ip, cases[i].outside ? "public" : "nobody's");
		if (cases[i].name != NULL)
			tap_is(dnslist_name(a, &l, &ip),
			    slice_of(cases[i].name), "%s", cases[i].ip);
	}
	tap_ok(!dnslist_public(&none) && dnslist_name(a, &l, &none).ptr == NULL,
	    "no address, no question");
	tap_is(dnslist_under(a, &l, SLICE("a.b.example")),
	    SLICE("a.b.example.z.example"), "a domain");
	memset(long_name, 'a', sizeof long_name);
	tap_ok(dnslist_under(a, &l, slice_make(long_name, 250)).ptr == NULL,
	    "one that is too long is not asked about");
}

/* ---- back ends ---- */

static const struct { const char *entry, *why; } bad_backends[] = {
	{ "", "there are rspamd and spamd" },
	{ "rspam:/x", "there are rspamd and spamd" },
	{ "rspamd", "behind the colon" },
	{ "rspamd:", "behind the colon" },
	{ "rspamd:localhost", "behind the colon" },
	{ "rspamd:localhost:", "behind the colon" },
	{ "rspamd:localhost:0", "behind the colon" },
	{ "rspamd:localhost:70000", "behind the colon" },
	{ "rspamd:[::1]", "behind the colon" },
	{ "rspamd:host:11333/x", "behind the colon" },
	{ "=rspamd:/x", "there are rspamd and spamd" },
	{ "rspamd:/x slope=-1", "behind the place" },
	{ "rspamd:/x slope=nan", "behind the place" },
	{ "rspamd:/x speed=1", "behind the place" },
};

static void
backends(void)
{
	struct backend_spec s;
	struct slice why;

	for (size_t i = 0; i < sizeof bad_backends / sizeof bad_backends[0];
	    i++) {
		why = SLICE("");
		tap_ok(backend_read(slice_of(bad_backends[i].entry), &s, a,
		    &why) == RC_BAD && slice_search(why,
		    slice_of(bad_backends[i].why)) < why.len,
		    "refused: \"%s\"", bad_backends[i].entry);
	}
	tap_ok(backend_read(SLICE("rspamd:[::1]:11333"), &s, a, &why) ==
	    RC_OK && strcmp(s.host, "::1") == 0 && s.port == 11333 &&
	    s.kind == BACKEND_RSPAMD && slice_eq(s.name, SLICE("rspamd")),
	    "host and port");
	tap_ok(backend_read(SLICE("second=spamd:/run/spamd/sock offset=-3 "
	    "slope=0.5"), &s, a, &why) == RC_OK &&
	    strcmp(s.host, "/run/spamd/sock") == 0 &&
	    s.kind == BACKEND_SPAMD && slice_eq(s.name, SLICE("second")),
	    "a path, a name");
	tap_ok(fabs(backend_chance(&s, 8) - 1) < 1e-9, "offset and slope");
	tap_ok(backend_chance(&s, 1e4) <= BACKEND_SURE &&
	    backend_chance(&s, -1e4) >= -BACKEND_SURE, "nobody is sure");
}

static const struct { const char *name, *text; bool good; double score;
    const char *symbols; } rspamd[] = {
	{ "an answer", "{\"score\":5.5,\"action\":\"greylist\",\"symbols\":"
	    "{\"A\":{\"score\":1.0},\"B\":{\"score\":-9,\"options\":[\"}\"]},"
	    "\"C\":{\"name\":\"C\",\"score\":4}},\"urls\":[]}", true, 5.5,
	    "C, A" },
	{ "ham", "{\"symbols\":{\"A\":{\"score\":-1.5},\"B\":{\"score\":1}},"
	    "\"score\":-0.5}", true, -0.5, "A" },
	{ "the three heaviest", "{\"score\":9,\"symbols\":{\"A\":{\"score\":1}"
	    ",\"B\":{\"score\":2},\"C\":{\"score\":3},\"D\":{\"score\":4},"
	    "\"E\":{\"score\":0.5}}}", true, 9, "D, C, B" },
	{ "no symbols", " {\"score\" : 3} ", true, 3, "" },
	{ "symbols of another kind", "{\"score\":3,\"symbols\":[1,2]}", true,
	    3, "" },
	{ "a name for no log", "{\"score\":3,\"symbols\":{\"A\\u000aB\":"
	    "{\"score\":3}}}", true, 3, "" },
	{ "a score inside is not the score", "{\"symbols\":{\"A\":{\"score\":"
	    "3}},\"x\":{\"score\":4}}", false, 0, "" },
	{ "NaN", "{\"score\":NaN}", false, 0, "" },
	{ "null", "{\"score\":null}", false, 0, "" },
	{ "a text", "{\"score\":\"5\"}", false, 0, "" },
	{ "beyond bounds", "{\"score\":1e300}", false, 0, "" },
	{ "an error", "{\"error\":\"cannot\"}", false, 0, "" },
	{ "cut", "{\"score\":5.5,\"sym", false, 0, "" },
	{ "no object", "[5]", false, 0, "" },
	{ "nothing", "", false, 0, "" },
	{ "HTML", "<html>", false, 0, "" },
}, spamd[] = {
	{ "an answer", "SPAMD/1.1 0 EX_OK\r\nContent-length: 9\r\n"
	    "Spam: True ; 15.3 / 5.0\r\n\r\n pts rule\n---- ----- ---\n"
	    " 1.4 MISSING_DATE  Missing\n-0.1 ALL_TRUSTED  x\n"
	    "                   of two lines\n 12 GTUBE  y\n", true, 15.3,
	    "GTUBE, MISSING_DATE" },
	{ "ham", "SPAMD/1.1 0 EX_OK\r\nSpam: False ; -1.0 / 5.0\r\n\r\n",
	    true, -1, "" },
	{ "another report", "SPAMD/1.1 0 EX_OK\r\nSpam: True ; 6 / 5\r\n\r\n"
	    "5 REASONS here\r\n", true, 6, "" },
	{ "in the report it counts not", "SPAMD/1.1 0 EX_OK\r\n\r\n"
	    "Spam: True ; 6 / 5\r\n", false, 0, "" },
	{ "an error", "SPAMD/1.0 76 Bad header line: x\r\n", false, 0, "" },
	{ "a time-out", "SPAMD/1.1 79 Timeout: 5 second\r\n", false, 0, "" },
	{ "nan", "SPAMD/1.1 0 EX_OK\r\nSpam: True ; nan / 5.0\r\n\r\n", false,
	    0, "" },
	{ "cut", "SPAMD/1.1 0 EX_OK\r\nSpam: True", false, 0, "" },
	{ "HTTP", "HTTP/1.1 200 OK\r\n\r\n", false, 0, "" },
	{ "nothing", "", false, 0, "" },
};

static void
said(void)
{
	for (size_t i = 0; i < 2 * sizeof rspamd / sizeof rspamd[0]; i++) {
		bool first = i < sizeof rspamd / sizeof rspamd[0];
		size_t at = first ? i : i - sizeof rspamd / sizeof rspamd[0];
		struct backend_answer r = { .score = 0 };
		struct slice why = SLICE_NONE, text;
		bool good;

		if (!first && at >= sizeof spamd / sizeof spamd[0])
			break;
		text = slice_of(first ? rspamd[at].text : spamd[at].text);
		good = first ? backend_rspamd(a, text, &r, &why) :
		    backend_spamd(a, text, &r, &why);
		tap_ok(good == (first ? rspamd[at].good : spamd[at].good) &&
		    (good || why.len > 0), "%s: %s", first ? "rspamd" :
		    "spamd", first ? rspamd[at].name : spamd[at].name);
		if (!good)
			continue;
		tap_ok(fabs(r.score - (first ? rspamd[at].score :
		    spamd[at].score)) < 1e-9, "its score");
		tap_is(r.symbols, slice_of(first ? rspamd[at].symbols :
		    spamd[at].symbols), "its symbols");
	}
}

/* ---- what is sent ---- */

static bool
has(struct slice text, const char *what)
{
	return slice_search(text, slice_of(what)) < text.len;
}

static void
requests(void)
{
	struct message msg;
	struct recipient to[2] = { { .address = SLICE("a@us.example") },
	    { .address = SLICE("b\r\nX: y@us.example") } };
	struct envelope e = { .sender = SLICE("x\r\nUser: root@far.example"),
	    .recipients = to, .nrecipients = 2 };
	struct client c = { .name = SLICE("unknown"),
	    .helo = SLICE("evil) by us.example (Postfix); x") };
	struct house_conf house = { .hostname = "mx.us.example" };
	struct job job = { .client = &c, .envelope = &e, .msg = &msg,
	    .house = &house, .now = 0 };
	struct backend_spec s = { .kind = BACKEND_RSPAMD };
	struct backend_request q;

	ip_parse(SLICE("2001:db8::7"), &c.ip);
	message_read(&msg, a, SLICE("Subject: x\r\n"), SLICE("body\r\n"),
	    &message_limits_default);
	backend_request(&s, &job, a, &q);
	tap_ok(has(q.fields, "IP: 2001:db8::7\r\n") && has(q.fields,
	    "Rcpt: a@us.example\r\n"), "rspamd: who and to whom");
	tap_ok(!has(q.fields, "\nUser:") && !has(q.fields, "\nX:"),
	    "nobody writes fields into it");
	tap_ok(!has(q.fields, "Hostname") && !has(q.fields, "Deliver-To"),
	    "what is not known is not said");
	tap_is(q.message, SLICE("Subject: x\r\n\r\nbody\r\n"), "the bytes");
	s.kind = BACKEND_SPAMD;
	backend_request(&s, &job, a, &q);
	tap_ok(has(q.message, "(unknown [IPv6:2001:db8::7])\r\n\tby "
	    "mx.us.example (Postfix) with ESMTP id NOQUEUE;\r\n\tThu, "
	    "1 Jan 1970 00:00:00 +0000\r\nSubject: x\r\n"),
	    "spamd: a Received field");
	tap_ok(has(q.message, "from evil__by_us.example__Postfix___x ("),
	    "no HELO ends it");
	tap_ok(!has(q.message, "\nUser:"), "and no sender");
	tap_ok(has(q.fields, arena_printf(a, "Content-length: %zu\r\n",
	    q.message.len).ptr), "the length is that of all");
}

int
main(void)
{
	a = arena_new();
	numbers();
	entries();
	meanings();
	names();
	backends();
	said();
	requests();
	arena_free(a);
	return tap_done();
}
