/* The options that all milters share: defaults, and what is wrong together. */
#include <string.h>
#include <unistd.h>

#include "conf/house.h"
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
	{ "syslog = \"\";",
	  "F:1: syslog is \"\"; it wants a path in double quotes" },
	{ "peers = [ ];",
	  "F:1: peers has 0 items; it wants a list as [ \"a\", \"b\" ], 1 to "
	  "100 items" },
	{ "resolvr = \"127.0.0.1:53\";",
	  "F:1: unknown option resolvr; did you mean resolver?" },
};

int
main(void)
{
	a = arena_new();
	defaults();
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		tap_is(finish(cases[i].text), slice_of(cases[i].why), "%s",
		    cases[i].text);
	arena_free(a);
	return tap_done();
}
