/* Addresses and networks: what they read, refuse, print and hold. */
#include <sys/socket.h>

#include "net/ip.h"
#include "t/tap.h"

static struct arena *a;

/* want NULL: refused. */
static const struct {
	const char *text, *want, *reverse;
} addresses[] = {
	{ "192.0.2.1", "192.0.2.1", "1.2.0.192.in-addr.arpa" },
	{ "0.0.0.0", "0.0.0.0", "0.0.0.0.in-addr.arpa" },
	{ "255.255.255.255", "255.255.255.255",
	  "255.255.255.255.in-addr.arpa" },
	{ "2001:db8::1", "2001:db8::1",
	  "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
	  "8.b.d.0.1.0.0.2.ip6.arpa" },
	{ "IPv6:2001:db8::1", "2001:db8::1", NULL },
	{ "ipv6:2001:DB8:0:0:0:0:0:A", "2001:db8::a", NULL },
	{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", NULL },
	{ "2001:0:0:1:0:0:0:1", "2001:0:0:1::1", NULL },
	{ "::", "::", NULL },
	{ "::ffff:192.0.2.1", "192.0.2.1", "1.2.0.192.in-addr.arpa" },
	{ "IPv6:::ffff:c000:201", "192.0.2.1", NULL },
	{ "::fffe:192.0.2.1", "::fffe:c000:201", NULL },
	{ "", NULL, NULL },
	{ "unknown", NULL, NULL },
	{ "192.0.2", NULL, NULL },
	{ "192.0.2.1.", NULL, NULL },
	{ "192.0.2.256", NULL, NULL },
	{ "192.0.2.01", NULL, NULL },
	{ "192.0.2.-1", NULL, NULL },
	{ " 192.0.2.1", NULL, NULL },
	{ "192.0.2.1 ", NULL, NULL },
	{ "0x7f.1", NULL, NULL },
	{ "3232235777", NULL, NULL },
	{ "IPv6:192.0.2.1", NULL, NULL },
	{ "IPv6:", NULL, NULL },
	{ "fe80::1%eth0", NULL, NULL },
	{ "[2001:db8::1]", NULL, NULL },
	{ "2001:db8:::1", NULL, NULL },
	{ "1:2:3:4:5:6:7:8:9", NULL, NULL },
	{ "0000000000000000000000000000000000000000000000000000::1", NULL,
	  NULL },
};

static void
parses(void)
{
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		struct slice text = slice_of(addresses[i].text);
		struct slice want = slice_of(addresses[i].want);
		struct ip ip, again;

		if (want.ptr == NULL) {
			tap_ok(!ip_parse(text, &ip), "\"%s\" is refused",
			    addresses[i].text);
			continue;
		}
		tap_ok(ip_parse(text, &ip), "\"%s\"", addresses[i].text);
		tap_is(ip_format(a, &ip), want, "is %s", addresses[i].want);
		tap_ok(ip_parse(ip_format(a, &ip), &again) &&
		    ip_match(&ip, &again, ip.family == AF_INET ? 32 : 128),
		    "and reads back");
		if (addresses[i].reverse != NULL)
			tap_is(ip_reverse(a, &ip),
			    slice_of(addresses[i].reverse), "reversed");
	}
}

static void
edges(void)
{
	struct ip ip, none = { 0 };

	tap_ok(!ip_parse(SLICE("192.0.2.1\0"), &ip), "a NUL behind is refused");
	tap_ok(!ip_parse(SLICE_NONE, &ip), "absent is refused");
	tap_is(ip_format(a, &none), SLICE("unknown"), "no family: unknown");
	tap_ok(ip_reverse(a, &none).ptr == NULL, "and no name");
	tap_ok(!ip_match(&none, &none, 0), "and no match, even of no bits");
}

static const struct {
	const char *net, *ip;
	bool want;
} holds[] = {
	{ "192.0.2.0/24", "192.0.2.255", true },
	{ "192.0.2.0/24", "192.0.3.0", false },
	{ "192.0.2.0/23", "192.0.3.255", true },
	{ "192.0.2.0/31", "192.0.2.1", true },
	{ "192.0.2.0/31", "192.0.2.2", false },
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1/32", "192.0.2.0", false },
	{ "0.0.0.0/0", "203.0.113.9", true },
	{ "0.0.0.0/0", "2001:db8::1", false },
	{ "::/0", "192.0.2.1", false },
	{ "::/0", "2001:db8::1", true },
	{ "2001:db8::/32", "2001:db8:ffff::1", true },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "2001:db8::1", "2001:db8::1", true },
	{ "2001:db8::1/128", "2001:db8::2", false },
	{ "::ffff:192.0.2.0/120", "192.0.2.7", true },
	{ "::ffff:0:0/96", "192.0.2.7", true },
	{ "192.0.2.0/24", "::ffff:192.0.2.7", true },
};

static void
networks(void)
{
	for (size_t i = 0; i < sizeof holds / sizeof *holds; i++) {
		struct network net;
		struct ip ip;

		tap_ok(net_parse(slice_of(holds[i].net), &net) &&
		    ip_parse(slice_of(holds[i].ip), &ip) &&
		    net_holds(&net, &ip) == holds[i].want, "%s %s %s",
		    holds[i].net, holds[i].want ? "holds" : "does not hold",
		    holds[i].ip);
	}
}

static void
bad_networks(void)
{
	static const char *const bad[] = { "", "/", "/24", "192.0.2.0/",
	    "192.0.2.0/33", "192.0.2.0/024", "192.0.2.0/+8", "192.0.2.0/ 8",
	    "192.0.2.0/24/24", "192.0.2.1/24", "192.0.2.0/4294967296",
	    "2001:db8::/129", "2001:db8::1/64", "::ffff:192.0.2.0/64",
	    "192.0.2.0/255.255.255.0", "example.org" };
	struct network net;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		tap_ok(!net_parse(slice_of(bad[i]), &net),
		    "\"%s\" is no network", bad[i]);
	tap_ok(net_parse_loose(SLICE("192.0.2.77/26"), &net), "read loosely");
	net_mask(&net);
	tap_is(net_format(a, &net), SLICE("192.0.2.64/26"), "and masked");
	net_parse(SLICE("2001:db8::5"), &net);
	tap_is(net_format(a, &net), SLICE("2001:db8::5"), "one address");
	net_parse(SLICE("::ffff:0:0/96"), &net);
	tap_is(net_format(a, &net), SLICE("0.0.0.0/0"), "mapped is IPv4");
}

int
main(void)
{
	a = arena_new();
	parses();
	edges();
	networks();
	bad_networks();
	arena_free(a);
	return tap_done();
}
