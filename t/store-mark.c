/* The release mark: written, read, and everything that is none. */
#include <string.h>

#include "store/mark.h"
#include "t/tap.h"
#include "verdict/tagged.h"

enum { NOW = 1795000000 };

static const struct slice key = { "0123456789abcdef", 16 };

static struct mark
example(void)
{
	static struct slice to[] = { { "us@gatehouse.test", 17 },
	    { "o d;d%\r\n\xff@gatehouse.test", 23 } };
	struct mark m = { .cause = CAUSE_SPAM, .recipients = to,
	    .nrecipients = 2, .expires = NOW + 3600, .outbound = true,
	    .waited = true, .client_name = SLICE("mx.b.test"),
	    .helo = SLICE("[192.0.2.1]; m="),
	    .user = SLICE("joe"), .tls = SLICE("TLSv1.3") };

	memset(m.object, '0', 32);
	memset(m.head_sha256, 'a', 64);
	memset(m.body_sha256, 'b', 64);
	ip_parse(SLICE("2001:db8::1"), &m.client_ip);
	return m;
}

static void
round_trip(struct arena *a)
{
	struct mark m = example(), r;
	struct slice body, rest, line;
	size_t longest = 0;

	tap_is_int(mark_write(&m, key, a, &body), RC_OK, "written");
	rest = body;
	while (slice_line(&rest, &line))
		longest = line.len > longest ? line.len : longest;
	tap_ok(longest <= 120, "in lines of mail (longest %zu)", longest);
	tap_is_int(mark_read(body, key, NOW, a, &r), RC_OK, "and read");
	tap_is_str(r.object, m.object, "object");
	tap_is_int(r.cause, m.cause, "cause");
	tap_is_int((long long)r.nrecipients, 2, "recipients");
	tap_is(r.recipients[1], m.recipients[1], "of any bytes");
	tap_is_int(r.expires, m.expires, "expiry");
	tap_is_str(r.head_sha256, m.head_sha256, "digest of the head");
	tap_is_str(r.body_sha256, m.body_sha256, "of the body");
	tap_ok(r.outbound, "direction");
	tap_ok(r.waited && !r.last, "that it has waited");
	tap_is(ip_format(a, &r.client_ip), SLICE("2001:db8::1"), "client");
	tap_is(r.helo, m.helo, "HELO");
	tap_is(r.user, m.user, "login");
	tap_is(r.tls, m.tls, "TLS");
	tap_is(r.client_name, m.client_name, "name");
	tap_ok(mark_has(&r, SLICE("US@gatehouse.test")), "whatever the case");
	tap_ok(!mark_has(&r, SLICE("u@gatehouse.test")), "not for others");
}

static void
times(struct arena *a)
{
	static const struct { int64_t now; enum rc want; } cases[] = {
		{ NOW, RC_OK }, { NOW + 3599, RC_OK }, { NOW + 3600, RC_BAD },
		{ NOW + 99999, RC_BAD }, { NOW + 3600 - MARK_LIFE, RC_OK },
		{ NOW + 3599 - MARK_LIFE, RC_BAD }, { 0, RC_BAD },
	};
	struct mark m = example(), r;
	struct slice body;

	mark_write(&m, key, a, &body);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		tap_is_int(mark_read(body, key, cases[i].now, a, &r),
		    cases[i].want, "%lld s from the expiry",
		    (long long)(m.expires - cases[i].now));
}

static void
forgeries(struct arena *a)
{
	struct mark m = example(), r;
	struct slice body, seal;
	struct tagged t;
	unsigned believed = 0;

	mark_write(&m, key, a, &body);
	for (size_t i = 0; i < body.len; i++) {
		char *spoilt = arena_str(a, body);

		spoilt[i] ^= 4;
		if (mark_read(slice_make(spoilt, body.len), key, NOW, a, &r)
		    == RC_OK && !ascii_space(spoilt[i]))
			believed++;
	}
	tap_is_int(believed, 0, "no byte can be changed");
	tap_is_int(mark_read(body, SLICE("0123456789abcdeF"), NOW, a, &r),
	    RC_BAD, "another key");
	tap_is_int(mark_read(body, SLICE(""), NOW, a, &r), RC_BAD, "no key");
	tap_is_int(mark_write(&m, SLICE(""), a, &seal), RC_BAD,
	    "none is written without a key");
	tap_is_int(mark_read(SLICE(""), key, NOW, a, &r), RC_BAD, "nothing");
	/* The same text under the name of another field of ours. */
	tagged_begin(&t, "X-Gatehouse-Seal", a);
	tagged_put(&t, "v", SLICE("1"));
	tagged_put(&t, "r", SLICE("us@gatehouse.test"));
	tap_ok(tagged_end(&t, key, &seal), "a field of another kind");
	tap_ok(tagged_open(seal, "X-Gatehouse-Seal", key, a, &body), "is good");
	tap_ok(!tagged_open(seal, MARK_FIELD, key, a, &body), "but no mark");
}

/* A mark of ours that lacks something, or has what nobody knows. */
static void
incomplete(struct arena *a)
{
	struct slice body;
	struct mark m, r;

	m = example();
	m.nrecipients = 0;
	mark_write(&m, key, a, &body);
	tap_is_int(mark_read(body, key, NOW, a, &r), RC_BAD, "for nobody");
	m = example();
	m.cause = CAUSE_NONE;
	mark_write(&m, key, a, &body);
	tap_is_int(mark_read(body, key, NOW, a, &r), RC_BAD, "of no cause");
	m = example();
	m.body_sha256[0] = '\0';
	mark_write(&m, key, a, &body);
	tap_is_int(mark_read(body, key, NOW, a, &r), RC_BAD, "of no bytes");
	m = example();
	m.nrecipients = 3000;
	m.recipients = arena_array(a, 3000, sizeof *m.recipients);
	for (int i = 0; i < 3000; i++)
		m.recipients[i] = SLICE("somebody@gatehouse.test");
	tap_is_int(mark_write(&m, key, a, &body), RC_BAD, "for too many");
}

int
main(void)
{
	struct arena *a = arena_new();

	round_trip(a);
	times(a);
	forgeries(a);
	incomplete(a);
	arena_free(a);
	return tap_done();
}
