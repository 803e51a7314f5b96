/*
 * Do gatehouse.conf and Postfix mean the same: which domains are ours, which
 * clients, by which listener does mail come in, and past which milters?
 */
#include <string.h>
#include <sys/socket.h>

#include "net/ip.h"
#include "tools/child.h"
#include "tools/doctor-chain.h"

/* --- listeners ----------------------------------------------------------- */

enum { UNFILTERED, PASS_MISSING, DAEMON_NAME };

static const struct doctor_kind listener_kinds[] = {
	[UNFILTERED] = { "unfiltered", DOCTOR_CRITICAL,
	    "Whoever can reach that listener sends mail past all filters." },
	[PASS_MISSING] = { "no-smtpd", DOCTOR_CRITICAL,
	    "postscreen has nobody to hand a client on to: no mail comes in." },
	[DAEMON_NAME] = { "daemon-name", DOCTOR_WARNING,
	    "No listener has that name, so mail that should be outbound is "
	    "taken for inbound mail." },
	{ NULL, 0, NULL }
};

static bool
loopback(struct slice address)
{
	struct ip ip;

	if (address.len >= 2 && address.ptr[0] == '[')
		address = slice_sub(address, 1, address.len - 2);
	if (slice_eq_nocase(address, SLICE("localhost")))
		return true;
	if (!ip_parse(address, &ip))
		return false;
	return ip.family == AF_INET ? ip.bytes[0] == 127 :
	    slice_eq(slice_make(ip.bytes, 16), slice_make((unsigned char[16]){
	    [15] = 1 }, 16));
}

/* Its milters are named in vain then. */
static bool
no_milters(struct doctor_report *r, const struct postconf_service *s)
{
	struct slice rest = postconf_value(r->doctor->postfix, s,
	    "receive_override_options", r->arena), word;

	while (postconf_word(&rest, &word, NULL))
		if (slice_eq(word, SLICE("no_milters")))
			return true;
	return false;
}

/* Can another machine connect? "smtp" listens where inet_interfaces says. */
static bool
reachable(struct doctor_report *r, const struct postconf_service *s)
{
	size_t colon = slice_find_last(s->name, ':');
	struct slice rest, word;

	if (slice_eq(s->type, SLICE("pass")))
		return true;
	if (!slice_eq(s->type, SLICE("inet")))
		return false;
	if (colon < s->name.len)
		return !loopback(slice_sub(s->name, 0, colon));
	rest = postconf_value(r->doctor->postfix, NULL, "inet_interfaces",
	    r->arena);
	if (slice_eq(rest, SLICE("loopback-only")))
		return false;
	while (postconf_word(&rest, &word, NULL))
		if (!loopback(word))
			return true;
	return false;
}

static bool
has_ours(struct doctor_report *r, const struct postconf_service *s)
{
	struct postconf_milter milters[POSTCONF_MILTERS];
	size_t n = postconf_milters(r->doctor->postfix, s, "smtpd_milters",
	    r->arena, milters);

	for (size_t i = 0; i < n; i++)
		if (slice_search(milters[i].endpoint, SLICE("gatehouse/")) <
		    milters[i].endpoint.len)
			return true;
	return false;
}

static bool
is_daemon_name(const struct postconf *pc, struct slice name, struct arena *a)
{
	for (size_t i = 0; i < pc->nservices; i++)
		if (slice_eq(pc->services[i].command, SLICE("smtpd")) &&
		    slice_eq(postconf_value(pc, &pc->services[i],
		    "milter_macro_daemon_name", a), name))
			return true;
	return false;
}

static void
check_listener(struct doctor_report *r, const struct postconf_service *s)
{
	const struct house_conf *house = r->doctor->house;

	if (house->inbound.count + house->outbound.count == 0)
		return;
	if (has_ours(r, s) && !no_milters(r, s))
		doctor_saw(r, "%.*s/%.*s has milters of ours",
		    SLICE_ARG(s->name), SLICE_ARG(s->type));
	else if (reachable(r, s) && no_milters(r, s))
		doctor_say(r, UNFILTERED, doctor_type(r, "# take no_milters "
		    "out of receive_override_options of %.*s/%.*s",
		    SLICE_ARG(s->name), SLICE_ARG(s->type)), "the listener "
		    "%.*s/%.*s has receive_override_options = no_milters, "
		    "and other machines can reach it", SLICE_ARG(s->name),
		    SLICE_ARG(s->type));
	else if (reachable(r, s))
		doctor_say(r, UNFILTERED, chain_mend_list(r, s,
		    "smtpd_milters", chain_outbound(r, s)),
		    "the listener %.*s/%.*s has none of our milters, and "
		    "other machines can reach it", SLICE_ARG(s->name),
		    SLICE_ARG(s->type));
	else
		doctor_saw(r, "%.*s/%.*s has none, but only this machine "
		    "reaches it", SLICE_ARG(s->name), SLICE_ARG(s->type));
}

static void
check_names(struct doctor_report *r)
{
	const struct conf_list *names = &r->doctor->house->outbound_daemons;

	for (size_t i = 0; i < names->count; i++)
		if (!is_daemon_name(r->doctor->postfix, names->items[i],
		    r->arena))
			doctor_say(r, DAEMON_NAME, doctor_type(r, "# in "
			    "master.cf, give the outbound listener -o "
			    "milter_macro_daemon_name=%.*s",
			    SLICE_ARG(names->items[i])), "outbound_daemons "
			    "names %.*s, but no listener of master.cf has "
			    "that milter_macro_daemon_name",
			    SLICE_ARG(names->items[i]));
}

static void
run_listeners(struct doctor_report *r)
{
	const struct postconf *pc = r->doctor->postfix;
	bool screen = false, pass = false;

	for (size_t i = 0; i < pc->nservices; i++) {
		const struct postconf_service *s = &pc->services[i];

		screen |= slice_eq(s->command, SLICE("postscreen"));
		if (!slice_eq(s->command, SLICE("smtpd")))
			continue;
		pass |= slice_eq(s->type, SLICE("pass"));
		check_listener(r, s);
	}
	if (screen && !pass)
		doctor_say(r, PASS_MISSING, chain_mend(r, doctor_type(r,
		    "postconf%s -M 'smtpd/pass=smtpd pass - - y - - smtpd'",
		    doctor_instance(r))), "master.cf has postscreen, but no "
		    "service smtpd of type pass");
	/* Where nothing is filtered on its way out nobody needs a name. */
	if (r->doctor->house->outbound.count > 0)
		check_names(r);
}

const struct doctor_check doctor_listeners = {
	"listeners", "sees by which listeners of master.cf mail comes in, and "
	"that each has milters of ours", listener_kinds,
	DOCTOR_HOUSE | DOCTOR_POSTFIX, run_listeners,
};

/* --- domains and networks ------------------------------------------------ */

enum { NOT_TAKEN, NOT_OURS, NET_INBOUND, NET_FOREIGN, SIZE_OVER, SIZE_UNDER };

static const struct doctor_kind scope_kinds[] = {
	[NOT_TAKEN] = { "domain-not-taken", DOCTOR_WARNING,
	    "Postfix refuses mail to that domain (relay access denied)." },
	[NOT_OURS] = { "domain-not-ours", DOCTOR_WARNING,
	    "The milters take that domain for a foreign one: they neither "
	    "protect its name nor know its users." },
	[NET_INBOUND] = { "network-inbound", DOCTOR_WARNING,
	    "Postfix relays for these clients, while the milters judge their "
	    "mail as if strangers sent it." },
	[NET_FOREIGN] = { "network-foreign", DOCTOR_INFO,
	    "Mail of these clients counts as outbound; unless a listener of "
	    "its own lets them, Postfix does not relay it." },
	[SIZE_OVER] = { "size-over", DOCTOR_CRITICAL,
	    "A message that a milter made larger than Postfix takes is refused "
	    "for good (552) instead of later (451)." },
	[SIZE_UNDER] = { "size-under", DOCTOR_WARNING,
	    "A message that Postfix would take is put off again and again, "
	    "until it is returned." },
	{ NULL, 0, NULL }
};

enum { LISTED = 50 };

static const char *const domain_lists[] = { "mydestination", "relay_domains",
    "virtual_alias_domains", "virtual_mailbox_domains" };

enum { NLISTS = sizeof domain_lists / sizeof domain_lists[0] };

/* A table is asked, which finds what is said by pattern as well. */
static bool
in_table(struct doctor_report *r, struct slice table, struct slice domain)
{
	const char *dir = r->doctor->postfix_dir;
	/* Options come first. */
	const char *const argv[] = { "postmap", "-q", arena_str(r->arena,
	    domain), arena_str(r->arena, table), NULL };
	const char *const there[] = { "postmap", "-c", dir, argv[1], argv[2],
	    argv[3], NULL };
	struct child c = { .argv = dir != NULL ? there : argv };
	struct slice why;

	return child_run(&c, r->doctor->until, r->arena, &why) == RC_OK &&
	    c.status == 0 && c.out.len > 0;
}

static bool
is_table(struct slice word)
{
	return slice_has(word, ':') && word.ptr[0] != '[';
}

static bool
taken(struct doctor_report *r, struct slice domain)
{
	for (size_t i = 0; i < NLISTS; i++) {
		struct slice rest = postconf_value(r->doctor->postfix, NULL,
		    domain_lists[i], r->arena), word;

		while (postconf_word(&rest, &word, NULL))
			if (slice_eq_nocase(word, domain) ||
			    word.ptr[0] == '/' ||
			    (is_table(word) && in_table(r, word, domain)))
				return true;
	}
	return false;
}

/* Names of this machine are no domain that mail is sent to. */
static bool
host_name(struct doctor_report *r, struct slice word)
{
	return slice_starts(word, SLICE("localhost")) || slice_eq_nocase(word,
	    postconf_value(r->doctor->postfix, NULL, "myhostname",
	    r->arena)) || slice_eq_nocase(word,
	    slice_of(r->doctor->house->hostname));
}

static void
check_listed(struct doctor_report *r, const char *list)
{
	const struct house_conf *house = r->doctor->house;
	struct slice rest = postconf_value(r->doctor->postfix, NULL, list,
	    r->arena), word;

	while (postconf_word(&rest, &word, NULL)) {
		if (word.len == 0 || !ascii_alnum(word.ptr[0]) ||
		    is_table(word) || host_name(r, word) ||
		    conf_list_has_nocase(&house->domains, word))
			continue;
		doctor_say(r, NOT_OURS, doctor_type(r, "# in gatehouse.conf, "
		    "add \"%.*s\" to domains; then gatehouse check-config",
		    SLICE_ARG(word)), "%s has %.*s, domains of gatehouse.conf "
		    "does not", list, SLICE_ARG(word));
	}
}

static void
check_domains(struct doctor_report *r)
{
	const struct house_conf *house = r->doctor->house;

	for (size_t i = 0; i < house->domains.count && i < LISTED; i++)
		if (!taken(r, house->domains.items[i]))
			doctor_say(r, NOT_TAKEN, doctor_type(r, "# add it to "
			    "relay_domains in main.cf, or take it out of "
			    "domains"), "%.*s is in domains, but Postfix "
			    "takes no mail for it",
			    SLICE_ARG(house->domains.items[i]));
	for (size_t i = 0; i < NLISTS; i++)
		check_listed(r, domain_lists[i]);
	doctor_saw(r, "%zu domains", house->domains.count);
}

/* "[2001:db8::]/32", "192.0.2.0/24", as mynetworks has them. */
static bool
read_network(struct doctor_report *r, struct slice word, struct network *net_r)
{
	struct buf text = buf_in(r->arena);

	for (size_t i = 0; i < word.len; i++)
		if (!slice_has(SLICE("[]"), word.ptr[i]))
			buf_addc(&text, word.ptr[i]);
	if (!net_parse_loose(buf_slice(&text), net_r))
		return false;
	net_mask(net_r);
	return true;
}

static bool
inside(const struct network *net, const struct network *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (net->bits >= list[i].bits && net_holds(&list[i], &net->ip))
			return true;
	return false;
}

enum { NETWORKS = 1000 };

static void
check_networks(struct doctor_report *r)
{
	const struct conf_nets *ours = &r->doctor->house->networks;
	struct network *theirs = arena_array(r->arena, NETWORKS,
	    sizeof *theirs);
	struct slice rest = postconf_value(r->doctor->postfix, NULL,
	    "mynetworks", r->arena), word;
	size_t n = 0;
	bool all = true;

	while (n < NETWORKS && postconf_word(&rest, &word, NULL)) {
		if (!read_network(r, word, &theirs[n])) {
			all = false;
			continue;
		}
		if (!inside(&theirs[n], ours->items, ours->count))
			doctor_say(r, NET_INBOUND, doctor_type(r, "# in "
			    "gatehouse.conf, add \"%.*s\" to networks; then "
			    "reload the milters", SLICE_ARG(net_format(
			    r->arena, &theirs[n]))), "mynetworks has %.*s, "
			    "networks of gatehouse.conf does not",
			    SLICE_ARG(word));
		n++;
	}
	for (size_t i = 0; all && i < ours->count; i++)
		if (!inside(&ours->items[i], theirs, n))
			doctor_say(r, NET_FOREIGN, NULL, "networks of "
			    "gatehouse.conf has %.*s, mynetworks does not",
			    SLICE_ARG(net_format(r->arena, &ours->items[i])));
	doctor_saw(r, "%zu networks in mynetworks, %zu in networks", n,
	    ours->count);
}

static void
check_size(struct doctor_report *r)
{
	uint64_t ours = r->doctor->house->message_size_limit, theirs;
	struct slice text = postconf_value(r->doctor->postfix, NULL,
	    "message_size_limit", r->arena);
	/* Those of mailboxes may not be below it, or local(8) stops. */
	const char *type = chain_mend(r, doctor_type(r, "postconf%s -e "
	    "message_size_limit=%llu mailbox_size_limit=0 "
	    "virtual_mailbox_limit=0 && postfix%s reload", doctor_instance(r),
	    (unsigned long long)ours, doctor_instance(r)));

	if (!slice_number(text, INT64_MAX, &theirs) || ours == theirs)
		return;
	if (theirs != 0 && (ours == 0 || ours > theirs))
		doctor_say(r, SIZE_OVER, type, "message_size_limit is %llu in "
		    "gatehouse.conf, in Postfix %llu",
		    (unsigned long long)ours, (unsigned long long)theirs);
	else
		doctor_say(r, SIZE_UNDER, type, "message_size_limit is %llu "
		    "in gatehouse.conf, in Postfix %llu",
		    (unsigned long long)ours, (unsigned long long)theirs);
}

static void
run_scope(struct doctor_report *r)
{
	check_domains(r);
	check_networks(r);
	check_size(r);
}

const struct doctor_check doctor_scope = {
	"scope", "compares domains, networks and message_size_limit of "
	"gatehouse.conf with Postfix's", scope_kinds,
	DOCTOR_HOUSE | DOCTOR_POSTFIX, run_scope,
};
