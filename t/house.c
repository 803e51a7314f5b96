/* The options that all milters share: defaults, and what is wrong together. */
#include <string.h>
#include <unistd.h>

#include "conf/house.h"
#include "conf/tenant.h"
#include "t/tap.h"

static struct arena *a;
static struct house_conf house;
static const struct conf_section sections[] = {
    { house_options, &house }, { NULL, NULL } };

static struct slice
finish(const char *text)
{
	struct slice why = SLICE("");

	arena_reset(a);
	if (conf_parse(a, "F", slice_of(text), sections, &why) != RC_OK ||
	    house_finish(&house, a, &why) != RC_OK)
		return why;
	return SLICE("ok");
}

static void
defaults(void)
{
	char name[256] = "";

	gethostname(name, sizeof name - 1);
	tap_is(finish(""), SLICE("ok"), "the defaults pass their own check");
	tap_is_str(house.hostname, name, "hostname is the system's");
	tap_is_str(house.authserv_id, name, "authserv_id is the hostname");
	tap_is_str(house.state_directory, "/var/lib/gatehouse", "state");
	tap_is_str(house.queue_directory, "/var/spool/postfix", "queue");
	tap_is_str(house.syslog, "/dev/log", "syslog");
	tap_ok(house.resolver[0] == '\0' && house.seal_key[0] == '\0' &&
	    house.resolver_timeout == 2000 && house.dns_budget == 8000 &&
	    house.message_size_limit == 350 << 20, "numbers");
	tap_ok(house.peers.count == 2 &&
	    conf_list_has(&house.peers, SLICE("postfix")) &&
	    conf_list_has(&house.peers, SLICE("root")), "peers");
	tap_ok(house.domains.count == 0 && house.networks.count == 2 &&
	    house.inbound.count == 1 && house.outbound.count == 0, "lists");
	tap_is(finish("hostname = \"mx.example.org\";"), SLICE("ok"), "a name");
	tap_is_str(house.authserv_id, "mx.example.org", "goes for both");
}

static const struct {
	const char *text, *why;
} cases[] = {
	{ "hostname = \"mx example\";",
	  "hostname is \"mx example\"; it wants a name of letters, digits, "
	  "dots and hyphens, as \"mail.example.org\"" },
	{ "authserv_id = \"a;b\";",
	  "authserv_id is \"a;b\"; it wants a name of letters, digits, dots "
	  "and hyphens, as \"mail.example.org\"" },
	{ "inbound = [ \"auth-check\", \"antispam\" ]; seal_key = \"/k\";",
	  "ok" },
	{ "outbound = [ \"a\", \"a\" ];",
	  "outbound names a twice; remove one" },
	{ "inbound = [ \"../x\" ];",
	  "inbound is \"../x\"; it wants a name of letters, digits, dots and "
	  "hyphens, as \"mail.example.org\"" },
	{ "dns_budget = \"1s\";",
	  "dns_budget (1000ms) is less than resolver_timeout (2000ms); no "
	  "question could wait that long" },
	{ "queue_directory = \"spool\";",
	  "queue_directory is \"spool\"; it wants a path that begins with a "
	  "slash" },
	{ "state_directory = \"spool\";",
	  "state_directory is \"spool\"; it wants a path that begins with a "
	  "slash" },
	{ "syslog = \"log\";",
	  "syslog is \"log\"; it wants a path that begins with a slash" },
	{ "syslog = \"-\";", "ok" },
	{ "tenants = \"tenants.d\";",
	  "tenants is \"tenants.d\"; it wants a path that begins with a "
	  "slash" },
	{ "tenants = \"/nonexistent/tenants.d\";",
	  "tenants is \"/nonexistent/tenants.d\": No such file or directory; "
	  "it wants a folder with a file for each tenant" },
	{ "syslog = \"\";",
	  "F:1: syslog is \"\"; it wants a path in double quotes" },
	{ "peers = [ ];",
	  "F:1: peers has 0 items; it wants a list as [ \"a\", \"b\" ], 1 to "
	  "100 items" },
	{ "resolvr = \"127.0.0.1:53\";",
	  "F:1: unknown option resolvr; did you mean resolver?" },
};

static const struct {
	const char *text;
	bool good;
} hosts[] = {
	{ "[mail.example.org]:25", true }, { "[mail.example.org]", true },
	{ "mail.example.org", true }, { "mail.example.org:2525", true },
	{ "[192.0.2.1]", true }, { "[ipv6:2001:db8::1]:25", true },
	{ "", false }, { "[]", false }, { "[mail", false },
	{ "[mail]x", false }, { "[mail]:", false }, { "[mail]:0", false },
	{ "[mail]:65536", false }, { "mail:smtp", false }, { "a b", false },
	{ "a,b", false }, { "a\nb", false }, { "[a,b]", false },
};

static const struct {
	const char *text;
	int64_t day;
} days[] = {
	{ "1970-01-01", 0 }, { "2024-02-29", 19782 }, { "2027-01-31", 20849 },
	{ "2027-02-29", -1 }, { "2027-13-01", -1 }, { "2027-1-1", -1 },
	{ "2027-01-01x", -1 }, { "", -1 }, { "yesterday.", -1 },
	{ "1969-12-31", -1 },
};

static const struct {
	const char *text;
	bool good;
} names[] = {
	{ "acme", true }, { "a-b_c9", true }, { "9", true }, { "", false },
	{ "Acme", false }, { "-a", false }, { "a.b", false }, { "a/b", false },
	{ "..", false },
};

static void
tenants(void)
{
	for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
		tap_is_int(tenant_host(slice_of(hosts[i].text)), hosts[i].good,
		    "host \"%s\"", hosts[i].text);
	for (size_t i = 0; i < sizeof days / sizeof *days; i++)
		tap_is_int(tenant_day(days[i].text), days[i].day,
		    "day \"%s\"", days[i].text);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		tap_is_int(tenant_name(slice_of(names[i].text)), names[i].good,
		    "name \"%s\"", names[i].text);
}

int
main(void)
{
	a = arena_new();
	tenants();
	defaults();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		tap_is(finish(cases[i].text), slice_of(cases[i].why), "%s",
		    cases[i].text);
	arena_free(a);
	return tap_done();
}
