#include "net/dns-ub.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
	SOCKETS_MIN = 32, SOCKETS_MAX = 1024,
	RCODE_NXDOMAIN = 3,
	RTT_MIN = 50,			/* libunbound's own least */
};

/*
 * Names that libunbound would answer itself (RFC 6303, RFC 6761). We ask the
 * resolver that we were told to ask, and nobody else decides: a gateway in a
 * private network has its own reverse zones, and tests have .test.
 */
static const char *const not_ours[] = {
	"localhost.", "test.", "invalid.", "onion.", "home.arpa.",
	"127.in-addr.arpa.", "10.in-addr.arpa.", "168.192.in-addr.arpa.",
	"0.in-addr.arpa.", "254.169.in-addr.arpa.",
	"255.255.255.255.in-addr.arpa.", "2.0.192.in-addr.arpa.",
	"100.51.198.in-addr.arpa.", "113.0.203.in-addr.arpa.",
	"d.f.ip6.arpa.", "8.e.f.ip6.arpa.", "9.e.f.ip6.arpa.",
	"a.e.f.ip6.arpa.", "b.e.f.ip6.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa.",
	"0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
	    ".ip6.arpa.",
	"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0"
	    ".ip6.arpa.",
};

static bool
set(struct ub_ctx *ctx, const char *option, unsigned long value)
{
	char text[24];

	snprintf(text, sizeof text, "%lu", value);
	return ub_ctx_set_option(ctx, option, text) == 0;
}

/* Each question in flight takes a socket; leave the larger part to others. */
static unsigned long
sockets(void)
{
	struct rlimit limit;
	rlim_t n = SOCKETS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 4 < n)
		n = limit.rlim_cur / 4;
	return n < SOCKETS_MIN ? SOCKETS_MIN : n;
}

/*
 * How a stub has to wait. libunbound takes its forwarder for an authoritative
 * server: it learns that answers come within a millisecond (they do, from the
 * forwarder's cache), gives a question that the forwarder must look up only a
 * few tries of 50 ms, and after some silence marks the forwarder as dead for
 * a quarter of an hour, so that one sender's silent name servers would stop
 * DNS for everybody. So: the first try gets three fifths of our time-out, the
 * second twice that (it ends after our own deadline, which therefore decides),
 * and what was learned is forgotten after a second.
 */
static bool
set_waiting(struct ub_ctx *ctx, unsigned timeout_ms)
{
	unsigned long first = timeout_ms * 3UL / 5;

	if (first < RTT_MIN)
		first = RTT_MIN;
	return set(ctx, "infra-cache-min-rtt:", first) &&
	    set(ctx, "unknown-server-time-limit:", first) &&
	    set(ctx, "outbound-msg-retry:", 2) &&
	    set(ctx, "infra-host-ttl:", 1);
}

static bool
set_up(struct ub_ctx *ctx, const struct dns_conf *conf)
{
	/* It must not write to our stderr; what went wrong is in the answer. */
	ub_ctx_debugout(ctx, NULL);
	return ub_ctx_async(ctx, 1) == 0 &&
	    /* No trust anchor, no validator: it would try in vain. */
	    ub_ctx_set_option(ctx, "module-config:", "iterator") == 0 &&
	    ub_ctx_set_option(ctx, "do-not-query-localhost:", "no") == 0 &&
	    /* The cache in front is ours; a second one behind it would keep
	     * failures for five seconds and count lifetimes again. One entry
	     * is the least that it can do with. */
	    set(ctx, "msg-cache-size:", 1) && set(ctx, "msg-cache-slabs:", 1) &&
	    set(ctx, "rrset-cache-size:", 1) &&
	    set(ctx, "rrset-cache-slabs:", 1) &&
	    set(ctx, "cache-max-ttl:", conf->ttl_max) &&
	    set(ctx, "outgoing-range:", sockets()) &&
	    set(ctx, "outgoing-num-tcp:", sockets() / 8) &&
	    set(ctx, "num-queries-per-thread:", 4096) &&
	    set_waiting(ctx, conf->timeout_ms);
}

/* "192.0.2.53", "192.0.2.53:53", "::1", "[::1]:53" in libunbound's form. */
static char *
forwarder(struct slice text, struct arena *a)
{
	struct slice host = text, port = SLICE("53");
	unsigned char address[16];
	size_t colon = slice_find_last(text, ':');
	uint64_t number;
	char *name;

	if (slice_starts(text, SLICE("["))) {
		if (!slice_has(text, ']'))
			return NULL;
		host = slice_sub(text, 1, slice_find(text, ']') - 1);
		port = slice_after(text, host.len + 2);
		if (port.len == 0)
			port = SLICE(":53");
		if (!slice_starts(port, SLICE(":")))
			return NULL;
		port = slice_after(port, 1);
	} else if (colon == slice_find(text, ':') && colon < text.len) {
		host = slice_sub(text, 0, colon);
		port = slice_after(text, colon + 1);
	}
	name = arena_str(a, host);
	if ((inet_pton(AF_INET, name, address) != 1 &&
	    inet_pton(AF_INET6, name, address) != 1) ||
	    !slice_number(port, 65535, &number) || number == 0)
		return NULL;
	return arena_str(a, arena_printf(a, "%s@%u", name, (unsigned)number));
}

static bool
set_resolver(struct ub_ctx *ctx, const char *resolver, struct arena *a,
    struct slice *why_r)
{
	char *to;

	if (resolver == NULL || resolver[0] == '\0') {
		if (ub_ctx_resolvconf(ctx, NULL) == 0)
			return true;
		*why_r = SLICE("cannot read /etc/resolv.conf");
		return false;
	}
	to = forwarder(slice_of(resolver), a);
	if (to != NULL && ub_ctx_set_fwd(ctx, to) == 0)
		return true;
	*why_r = arena_printf(a, "resolver \"%s\": want ADDRESS, ADDRESS:PORT "
	    "or [ADDRESS]:PORT", resolver);
	return false;
}

struct ub_ctx *
dns_ub_open(const struct dns_conf *conf, struct arena *a, struct slice *why_r)
{
	struct ub_ctx *ctx = ub_ctx_create();

	*why_r = SLICE("libunbound cannot be set up");
	if (ctx == NULL)
		return NULL;
	if (!set_up(ctx, conf) || !set_resolver(ctx, conf->resolver, a, why_r))
		goto failed;
	/* Last: the first of them ends the time of settings. */
	for (size_t i = 0; i < sizeof not_ours / sizeof *not_ours; i++)
		if (ub_ctx_zone_remove(ctx, not_ours[i]) != 0)
			goto failed;
	return ctx;
failed:
	ub_ctx_delete(ctx);
	return NULL;
}

/* NULL when a record is malformed. */
static struct answer *
records(enum dns_type type, const struct ub_result *result)
{
	struct rdata rdata[DNS_RECORDS];
	size_t n = 0;

	for (; n < DNS_RECORDS && result->data[n] != NULL; n++) {
		rdata[n].ptr = (const unsigned char *)result->data[n];
		rdata[n].len = (size_t)result->len[n];
	}
	return answer_read(type, rdata, n);
}

/*
 * A "no" may be kept as long as its SOA says and not at all without one
 * (RFC 2308, 5); libunbound reports its upper limit then. Whether there is one
 * shows in the header's count of authority records.
 */
static unsigned
ttl_of(const struct ub_result *result)
{
	const unsigned char *packet = result->answer_packet;

	if (result->ttl < 0)
		return 0;
	if (!result->havedata && (packet == NULL || result->answer_len < 12 ||
	    (packet[8] == 0 && packet[9] == 0)))
		return 0;
	return (unsigned)result->ttl;
}

struct answer *
dns_ub_answer(enum dns_type type, int err, const struct ub_result *result)
{
	struct answer *answer = NULL;

	if (err != 0 || result == NULL || result->bogus)
		return answer_plain(DNS_SERVFAIL);
	if (result->rcode == RCODE_NXDOMAIN)
		answer = answer_plain(DNS_NXDOMAIN);
	else if (result->rcode == 0 && !result->havedata)
		answer = answer_plain(DNS_NODATA);
	else if (result->rcode == 0)
		answer = records(type, result);
	if (answer == NULL)
		return answer_plain(DNS_SERVFAIL);
	answer_set(answer, result->secure != 0, ttl_of(result));
	return answer;
}
