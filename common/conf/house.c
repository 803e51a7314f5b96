#include "conf/house.h"

#include <limits.h>
#include <unistd.h>

#include "text/address.h"

#define AT(field)	offsetof(struct house_conf, field)

static const char *const mixed_rejects[] = {
	[MIXED_QUARANTINE] = "quarantine", [MIXED_REJECT_ALL] = "reject-all",
	NULL
};

static const char *const split_rejects[] = {
	[SPLIT_QUARANTINE] = "quarantine", [SPLIT_DISCARD] = "discard", NULL
};

const struct conf_option house_options[] = {
	{ "hostname", CONF_STRING, AT(hostname), "", 0, 253,
	  "This machine's name as other mail servers know it; Postfix calls it "
	  "myhostname. Empty: what hostname(1) says.", NULL },
	{ "authserv_id", CONF_STRING, AT(authserv_id), "", 0, 253,
	  "The name under which results are written into "
	  "Authentication-Results (RFC 8601). Header fields that come from "
	  "outside under this name are forged and are removed, so all gateways "
	  "of a site share one name. Empty: the hostname.", NULL },
	{ "domains", CONF_DOMAINS, AT(domains), "", 0, 100000,
	  "The domains that this site receives mail for. Names outside ASCII "
	  "may be written as they are read.", NULL },
	{ "networks", CONF_NETWORKS, AT(networks), "127.0.0.0/8, ::1", 0, 10000,
	  "Clients whose mail is outbound. Postfix calls them mynetworks.",
	  NULL },
	{ "tenants", CONF_PATH, AT(tenants), "", 0, 0,
	  "Folder with a file for each tenant, as gatehouse tenant writes "
	  "them: /etc/gatehouse/tenants.d. Their domains and networks are "
	  "added to those here. Empty: there are no tenants.", NULL },
	{ "outbound_daemons", CONF_LIST, AT(outbound_daemons),
	  "ORIGINATING", 0, 100,
	  "Listeners whose mail is outbound whoever the client is, by the name "
	  "that milter_macro_daemon_name gives them in master.cf.", NULL },
	{ "inbound", CONF_LIST, AT(inbound), "auth-check", 0, 100,
	  "The filters that inbound mail passes, in the order of "
	  "smtpd_milters. The first adds what the last must remove, so each has to know "
	  "them.", NULL },
	{ "outbound", CONF_LIST, AT(outbound), "", 0, 100,
	  "The filters that outbound mail passes, in the order of "
	  "smtpd_milters.", NULL },
	{ "seal_key", CONF_PATH, AT(seal_key), "", 0, 0,
	  "File with the key under which a daemon hands its findings to the "
	  "next one; the package gatehouse-common makes one in "
	  "/etc/gatehouse/seal.key. Needed as soon as mail passes more than "
	  "one daemon. Empty: none.", NULL },
	{ "store_key", CONF_PATH, AT(store_key), "", 0, 0,
	  "File with the public key that quarantined mail is encrypted to, "
	  "/etc/gatehouse/store.pub; gatehouse store keygen makes it and the "
	  "private one, which only the service gatehouse-store reads. With a "
	  "key, mail is held for single recipients, in store/incoming below "
	  "state_directory, and the others get theirs; a message that cannot "
	  "be stored is answered tempfail. Empty: the whole message goes on "
	  "hold in Postfix.", NULL },
	{ "mixed_reject", CONF_ENUM, AT(mixed_reject), "quarantine", 0, 0,
	  "A message may be refused for one recipient and not for another, but "
	  "has one answer. quarantine: it is held for the one (with the "
	  "cause policy, unless a virus or the like was found), and never "
	  "bounced; reject-all: it is refused for all. "
	  "Counts with a store_key.", mixed_rejects },
	{ "splitter", CONF_BOOL, AT(splitter), "false", 0, 0,
	  "Inbound mail whose recipients need different forms (other "
	  "disclaimers, links, subject tags) is split, so that each gets his; "
	  "gatehouse-splitter(8) says what that takes: the service, a compiled "
	  "policy, and gatehouse postfix-config --apply. When it is false, all "
	  "recipients of a message get what was set for the first of them.",
	  NULL },
	{ "split_reject", CONF_ENUM, AT(split_reject), "quarantine", 0, 0,
	  "Mail that was split for recipients who need different forms "
	  "(gatehouse-splitter(8)) has been accepted when a filter edits it. "
	  "What a filter would refuse then is held or deleted: a bounce could go "
	  "to a forged sender.", split_rejects },
	{ "spamcheck_addresses", CONF_LIST, AT(spamcheck), NULL, 0, 100,
	  "Addresses that users of ours send drafts to, to hear what a filter "
	  "for spam would say, as \"spamcheck@example.org\". "
	  "gatehouse-spamcheck(8) answers, and postfix-config brings it their "
	  "mail; antispam lets a message pass that is for these alone. Empty: "
	  "there is no such service.", NULL },
	{ "resolver", CONF_SERVER, AT(resolver), "", 0, 0,
	  "The DNS server to ask, by address and port. Empty: those of "
	  "/etc/resolv.conf.", NULL },
	{ "resolver_timeout", CONF_TIME, AT(resolver_timeout), "2s", 10, 60000,
	  "How long one DNS question may stay without an answer.", NULL },
	{ "dns_questions", CONF_COUNT, AT(dns_questions), "100", 1, 10000,
	  "DNS questions that one message may cause; answers from the cache "
	  "are not counted.", NULL },
	{ "dns_budget", CONF_TIME, AT(dns_budget), "8s", 10, 60000,
	  "How long all DNS questions of one message may take together, "
	  "counted from MAIL FROM. What has no answer by then has timed out.",
	  NULL },
	{ "dns_cache", CONF_COUNT, AT(dns_cache), "10000", 0, 10000000,
	  "DNS answers kept in memory, in each daemon. 0: none.", NULL },
	{ "syslog", CONF_PATH, AT(syslog), "/dev/log", 0, 0,
	  "Where log lines go: the socket of syslog, a file that is appended "
	  "to, or - for standard error.", NULL },
	{ "queue_directory", CONF_PATH, AT(queue_directory),
	  "/var/spool/postfix", 0, 0,
	  "The queue directory of Postfix. Sockets live below it, so that "
	  "Postfix finds them chrooted or not.", NULL },
	{ "state_directory", CONF_PATH, AT(state_directory),
	  "/var/lib/gatehouse", 0, 0,
	  "Journals and other state, a folder for each daemon.", NULL },
	{ "portal", CONF_PATH, AT(portal), "", 0, 0,
	  "The socket of what serves people by HTTP: with a file from the "
	  "store when they follow a link in a mail. It asks gatehouse-store, "
	  "whose option users has to name its user. Gatehouse has no portal of "
	  "its own yet, so options that want one are refused while this is "
	  "empty, or where no socket is.", NULL },
	{ "peers", CONF_LIST, AT(peers), "postfix, root", 1, 100,
	  "The users who may speak to the sockets; anybody else is hung up "
	  "on.", NULL },
	{ "message_size_limit", CONF_SIZE, AT(message_size_limit), "350M",
	  0, 0,
	  "The same as message_size_limit of Postfix: what users may send, and "
	  "what encryption may make of it. A message that a changed "
	  "body would make larger is answered tempfail, for Postfix would "
	  "refuse it for good. 0: no limit.", NULL },
	{ "journal_size", CONF_SIZE, AT(journal_size), "64M", 1 << 16, 0,
	  "A journal file of this size is closed and the next one begun.",
	  NULL },
	{ "journal_keep", CONF_COUNT, AT(journal_keep), "14", 0, 10000,
	  "Closed journal files kept in each daemon's folder; the oldest goes "
	  "first.", NULL },
	{ "journal_age", CONF_TIME, AT(journal_age), "180d",
	  (int64_t)8 * 86400000, (int64_t)183 * 86400000,
	  "No event is kept in a journal for longer, however small its files "
	  "are: a file is also closed after an eighth of this, and removed when "
	  "its first event is so old, one file a day. Events are personal data: "
	  "half a year is the longest.", NULL },
	{ "journal_subjects", CONF_BOOL, AT(journal_subjects), "false", 0, 0,
	  "Whether events in journals hold the subject of the message, so that "
	  "it can be searched for. It is what people wrote: ask those whose "
	  "mail it is.", NULL },
	{ "recipient_delimiter", CONF_STRING, AT(recipient_delimiter), "+", 0,
	  1, "What comes behind this in a local part is an extension, and the "
	  "mailbox is what stands before it, as in Postfix. Empty: there are no "
	  "extensions.", NULL },
	{ "local_part_case", CONF_BOOL, AT(local_part_case), "false", 0, 0,
	  "Whether A@example.org and a@example.org are two mailboxes.", NULL },
	{ 0 }
};

bool
house_stores(const struct house_conf *house)
{
	return house->tried || house->store_key[0] != '\0';
}

struct scope_match
house_match(const struct house_conf *house)
{
	return (struct scope_match){ .case_sensitive = house->local_part_case,
	    .delimiter = house->recipient_delimiter != NULL ?
	    house->recipient_delimiter[0] : '\0' };
}

static enum rc
own_name(struct house_conf *house, struct arena *a, struct slice *why_r)
{
	char name[HOST_NAME_MAX + 1];

	if (house->hostname[0] != '\0')
		return RC_OK;
	if (gethostname(name, sizeof name) != 0 || name[0] == '\0') {
		*why_r = SLICE("hostname is empty and the system has none; set "
		    "hostname = \"mail.example.org\"");
		return RC_BAD;
	}
	name[HOST_NAME_MAX] = '\0';
	house->hostname = arena_str(a, slice_of(name));
	return RC_OK;
}

/* It stands in header fields and log lines: no blank, no semicolon. */
static enum rc
check_name(const char *option, const char *name, struct arena *a,
    struct slice *why_r)
{
	for (const char *p = name; *p != '\0'; p++) {
		if (ascii_alnum(*p) || *p == '.' || *p == '-' || *p == '_')
			continue;
		*why_r = arena_printf(a, "%s is \"%s\"; it wants a name of "
		    "letters, digits, dots and hyphens, as "
		    "\"mail.example.org\"", option, name);
		return RC_BAD;
	}
	return RC_OK;
}

static enum rc
check_absolute(const char *option, const char *path, struct arena *a,
    struct slice *why_r)
{
	if (path[0] == '/')
		return RC_OK;
	*why_r = arena_printf(a, "%s is \"%s\"; it wants a path that begins "
	    "with a slash", option, path);
	return RC_BAD;
}

/* Names of filters, each once. */
static enum rc
check_chain(const char *option, const struct conf_list *chain,
    struct arena *a, struct slice *why_r)
{
	for (size_t i = 0; i < chain->count; i++) {
		const struct conf_list before = { chain->items, i };

		if (check_name(option, chain->items[i].ptr, a, why_r) != RC_OK)
			return RC_BAD;
		if (conf_list_has(&before, chain->items[i])) {
			*why_r = arena_printf(a, "%s names %s twice; remove "
			    "one", option, chain->items[i].ptr);
			return RC_BAD;
		}
	}
	return RC_OK;
}

static enum rc
check_dns(const struct house_conf *house, struct arena *a, struct slice *why_r)
{
	if (house->dns_budget >= house->resolver_timeout)
		return RC_OK;
	*why_r = arena_printf(a, "dns_budget (%lldms) is less than "
	    "resolver_timeout (%lldms); no question could wait that long",
	    (long long)house->dns_budget, (long long)house->resolver_timeout);
	return RC_BAD;
}

static enum rc
check_places(const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	bool to_stderr = slice_eq(slice_of(house->syslog), SLICE("-"));

	if (!to_stderr &&
	    check_absolute("syslog", house->syslog, a, why_r) != RC_OK)
		return RC_BAD;
	if (check_absolute("queue_directory", house->queue_directory, a,
	    why_r) != RC_OK)
		return RC_BAD;
	if (house->portal[0] != '\0' &&
	    check_absolute("portal", house->portal, a, why_r) != RC_OK)
		return RC_BAD;
	return check_absolute("state_directory", house->state_directory, a,
	    why_r);
}

static enum rc
add_domains(struct house_conf *house, const struct tenant *t,
    struct slice *items, size_t own, struct arena *a, struct slice *why_r)
{
	const struct conf_list before = { items, own };

	for (size_t i = 0; i < t->domains.count; i++) {
		if (conf_list_has(&before, t->domains.items[i])) {
			*why_r = arena_printf(a, "%s: %.*s stands in domains "
			    "of gatehouse.conf too; take it out of one of "
			    "the two",
			    t->file, SLICE_ARG(t->domains.items[i]));
			return RC_BAD;
		}
		items[house->domains.count++] = t->domains.items[i];
	}
	return RC_OK;
}

/* The lists are made anew, long enough for all. */
static enum rc
add_tenants(struct house_conf *house, struct arena *a, struct slice *why_r)
{
	size_t domains = house->domains.count, networks = house->networks.count;
	const size_t own = domains;
	const struct tenants *all = &house->tenant_list;
	struct slice *names;
	struct network *nets;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < all->count; i++) {
		domains += all->items[i].domains.count;
		networks += all->items[i].networks.count;
	}
	names = arena_array(a, domains + 1, sizeof *names);
	nets = arena_array(a, networks + 1, sizeof *nets);
	for (size_t i = 0; i < own; i++)
		names[i] = house->domains.items[i];
	for (size_t i = 0; i < house->networks.count; i++)
		nets[i] = house->networks.items[i];
	for (size_t i = 0; i < all->count && rc == RC_OK; i++) {
		rc = add_domains(house, &all->items[i], names, own, a, why_r);
		for (size_t k = 0; k < all->items[i].networks.count; k++)
			nets[house->networks.count++] =
			    all->items[i].networks.items[k];
	}
	house->domains.items = names;
	house->networks.items = nets;
	return rc;
}

static enum rc
finish_tenants(struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	enum rc rc;

	house->tenant_list = (struct tenants){ NULL, 0 };
	if (house->tenants[0] == '\0')
		return RC_OK;
	rc = check_absolute("tenants", house->tenants, a, why_r);
	if (rc == RC_OK)
		rc = tenants_load(a, house->tenants, &house->tenant_list,
		    why_r);
	return rc == RC_OK ? add_tenants(house, a, why_r) : rc;
}

static enum rc
check_spamcheck(const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	for (size_t i = 0; i < house->spamcheck.count; i++)
		if (!address_plain(house->spamcheck.items[i])) {
			*why_r = arena_printf(a, "spamcheck_addresses has "
			    "\"%.*s\"; it wants a plain address, as "
			    "\"spamcheck@example.org\"",
			    SLICE_ARG(house->spamcheck.items[i]));
			return RC_BAD;
		}
	return RC_OK;
}

enum rc
house_finish(struct house_conf *house, struct arena *a, struct slice *why_r)
{
	if (own_name(house, a, why_r) != RC_OK ||
	    check_name("hostname", house->hostname, a, why_r) != RC_OK)
		return RC_BAD;
	if (house->authserv_id[0] == '\0')
		house->authserv_id = house->hostname;
	if (check_name("authserv_id", house->authserv_id, a, why_r) != RC_OK ||
	    check_chain("inbound", &house->inbound, a, why_r) != RC_OK ||
	    check_chain("outbound", &house->outbound, a, why_r) != RC_OK ||
	    check_dns(house, a, why_r) != RC_OK ||
	    check_spamcheck(house, a, why_r) != RC_OK)
		return RC_BAD;
	if (check_places(house, a, why_r) != RC_OK)
		return RC_BAD;
	return finish_tenants(house, a, why_r);
}
