#include "tools/postfix-conf.h"

#include <errno.h>
#include <unistd.h>

#include "tools/verb.h"

#define AT(field)	offsetof(struct postfix_conf, field)

static const char *const roles[] = { "inbound", "outbound", "both", NULL };
static const char *const levels[] = { "may", "dane", "encrypt", NULL };
static const char *const locals[] = { "outbound", "closed", NULL };

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE,
    DAY = 24 * HOUR };

const struct conf_option postfix_conf_options[] = {
	{ "role", CONF_ENUM, AT(role), "inbound", 0, 0,
	  "What this Postfix is: it takes mail from the world for our domains "
	  "(inbound), it sends our mail into the world (outbound), or both.",
	  roles },
	{ "hosted", CONF_BOOL, AT(hosted), "false", 0, 0,
	  "Whether gatehouse-chain hosts the filters in one process. Otherwise "
	  "each is a milter of its own.", NULL },
	{ "connect_timeout", CONF_TIME, AT(connect_timeout), "5s", SECOND,
	  MINUTE, "How long Postfix waits for a milter to take its "
	  "connection.", NULL },
	{ "command_timeout", CONF_TIME, AT(command_timeout), "10s", SECOND,
	  2 * MINUTE, "How long Postfix waits for a milter's answer before the "
	  "message is there. It is also how long each new session stands still "
	  "when a milter hangs.", NULL },
	{ "timeout_margin", CONF_TIME, AT(timeout_margin), "5s", SECOND,
	  MINUTE, "How much longer than a milter's own deadline Postfix waits "
	  "for its answer to a message (content_timeout). The sum over a chain "
	  "has to stay below 10 minutes: clients give up then, and send the "
	  "message again.", NULL },
	{ "inbound_listener", CONF_STRING, AT(inbound_listener), "smtp", 1, 100,
	  "Where mail from the world comes in: a port, or address:port, as in "
	  "master.cf.", NULL },
	{ "postscreen", CONF_BOOL, AT(postscreen), "false", 0, 0,
	  "Whether postscreen(8) stands before the inbound listener and keeps "
	  "zombies away from it. Where master.cf has it already, it stays.",
	  NULL },
	{ "postscreen_dnsbl", CONF_LIST, AT(postscreen_dnsbl), "", 0, 50,
	  "Blocklists that postscreen asks, as \"zen.spamhaus.org*2\". Read "
	  "their terms of use first.", NULL },
	{ "postscreen_threshold", CONF_COUNT, AT(postscreen_threshold), "3", 1,
	  1000, "The score of blocklists from which on a client is refused.",
	  NULL },
	{ "inbound_relay", CONF_BOOL, AT(inbound_relay), "false", 0, 0,
	  "Whether clients in mynetworks may send to the world through the "
	  "inbound listener. Their mail then passes the inbound filters.",
	  NULL },
	{ "submission_listener", CONF_STRING, AT(submission_listener),
	  "submission", 0, 100,
	  "Where users hand in mail, with STARTTLS and a login (port 587). "
	  "Empty: nowhere.", NULL },
	{ "submissions_listener", CONF_STRING, AT(submissions_listener), "465",
	  0, 100,
	  "The same with TLS from the first byte (RFC 8314). Empty: nowhere.",
	  NULL },
	{ "relay_listener", CONF_STRING, AT(relay_listener), "10025", 0, 100,
	  "Where inner servers hand in mail that goes out, without a login: "
	  "only those of allow_clients may. Empty: nowhere.", NULL },
	{ "reinject_listener", CONF_STRING, AT(reinject_listener),
	  "127.0.0.1:10027", 0, 100,
	  "Where the house itself hands in mail again: what was released from "
	  "quarantine (release_server of store.conf). It passes the inbound "
	  "filters, and nobody but this machine may connect, so it must be an "
	  "address of loopback. Empty: nowhere.", NULL },
	{ "notice_listener", CONF_STRING, AT(notice_listener),
	  "127.0.0.1:10026", 0, 100,
	  "Where the house hands in mail of its own, notices and digests "
	  "(server of notices.conf; without that file there is none). It "
	  "passes no filter, and must be an address of loopback too. Empty: "
	  "nowhere.", NULL },
	{ "split_listener", CONF_STRING, AT(split_listener),
	  "127.0.0.1:10038", 0, 100,
	  "Where mail that was split comes in for its second pass "
	  "(reinject_server of splitter.conf; without splitter = true in "
	  "gatehouse.conf there is none). An address of loopback too.", NULL },
	{ "allow_clients", CONF_NETWORKS, AT(allow_clients), "", 0, 10000,
	  "The clients that may use relay_listener. Empty: networks of "
	  "gatehouse.conf.", NULL },
	{ "inner_server", CONF_STRING, AT(inner_server), "", 0, 300,
	  "Where mail for our domains goes when transport_maps says nothing, "
	  "as \"[mail.inner.example.org]:25\". Empty: to their MX.", NULL },
	{ "smart_host", CONF_STRING, AT(smart_host), "", 0, 300,
	  "Where all mail for the world goes, as "
	  "\"[relay.example.net]:587\". Empty: to the MX of each domain.",
	  NULL },
	{ "recipient_maps", CONF_LIST, AT(recipient_maps), "", 0, 50,
	  "Maps of the addresses that exist in our domains; mail to any other "
	  "is refused at RCPT. As \"lmdb:/etc/gatehouse/recipients\"; without "
	  "a type, the best that this Postfix has is taken. Empty: Postfix "
	  "cannot know who exists.", NULL },
	{ "transport_maps", CONF_LIST, AT(transport_maps), "", 0, 50,
	  "Maps that send single users, or domains, to servers of their own, "
	  "as \"user@example.org smtp:[b.inner.example.org]\". Types are as in "
	  "recipient_maps.", NULL },
	{ "local_mail", CONF_ENUM, AT(local_mail), "outbound", 0, 0,
	  "What becomes of mail from programs on this machine, by sendmail(1): "
	  "it passes the outbound filters, or nobody may send but root and "
	  "gatehouse dmarc-report (closed).", locals },
	{ "tls_cert", CONF_PATH, AT(tls_cert), "", 0, 0,
	  "Certificate of this machine with its chain, in PEM. Empty: what "
	  "main.cf says.", NULL },
	{ "tls_key", CONF_PATH, AT(tls_key), "", 0, 0,
	  "Its private key. Empty: it stands in tls_cert.", NULL },
	{ "tls_out", CONF_ENUM, AT(tls_out), "may", 0, 0,
	  "How mail that leaves is encrypted: where the other side can (may), "
	  "checked by DANE where the domain has it (dane; wants a resolver "
	  "that validates DNSSEC), or always (encrypt).", levels },
	{ "relay_tls", CONF_BOOL, AT(relay_tls), "false", 0, 0,
	  "Whether inner servers have to use TLS at relay_listener.", NULL },
	{ "tls_policy", CONF_LIST, AT(tls_policy), "", 0, 10000,
	  "Other levels for single destinations, by domain or by what "
	  "smart_host and transport_maps call the next hop, as "
	  "\"example.net encrypt\", \".example.com verify\", "
	  "\"example.org secure match=mx.example.org\", \"bank.example dane-only\". What cannot be "
	  "encrypted so waits, and is returned when its time is over.", NULL },
	{ "tls_senders", CONF_DOMAINS, AT(tls_senders), "", 0, 1000,
	  "Sender domains whose mail leaves encrypted or not at all.", NULL },
	{ "sasl_type", CONF_STRING, AT(sasl_type), "dovecot", 1, 20,
	  "Who checks logins: dovecot or cyrus.", NULL },
	{ "sasl_path", CONF_STRING, AT(sasl_path), "private/auth", 1, 200,
	  "The socket of dovecot, below the queue directory, or the name of "
	  "cyrus' configuration.", NULL },
	{ "pools", CONF_LIST, AT(pools), "", 0, 100,
	  "Addresses that mail leaves from, as \"bulk 192.0.2.10 "
	  "2001:db8::10\": a name, an address of IPv4, of IPv6, or one of "
	  "each.", NULL },
	{ "pool_senders", CONF_LIST, AT(pool_senders), "", 0, 1000,
	  "Which sender domain leaves from which pool, as \"news.example.org "
	  "bulk\". All others leave as Postfix does by itself.", NULL },
	{ "hide_inner", CONF_BOOL, AT(hide_inner), "true", 0, 0,
	  "Whether outbound mail shows nothing of the servers that it comes "
	  "from: their Received fields are written anew without names, so that "
	  "loops are still seen, and hide_fields are removed.", NULL },
	{ "hide_fields", CONF_LIST, AT(hide_fields),
	  "User-Agent, X-Mailer, X-MimeOLE, X-Originating-IP, "
	  "X-Originating-Client, X-PHP-Originating-Script, X-Source-Host, "
	  "X-Sender-IP, X-MS-Exchange-Organization-AuthSource, "
	  "X-OriginatorOrg", 0, 200,
	  "Header fields that are removed from outbound mail.", NULL },
	{ "hide_hosts", CONF_LIST, AT(hide_hosts), "", 0, 1000,
	  "Only Received fields that name one of these are written anew: "
	  "\"inner.example.org\" is that host and all below it, \"10.1.\" all "
	  "addresses that begin so. Empty: all Received fields of outbound "
	  "mail.", NULL },
	{ "queue_lifetime", CONF_TIME, AT(queue_lifetime), "96h", HOUR,
	  30LL * DAY, "How long mail is tried again before it is returned, "
	  "bounces as well.", NULL },
	{ "minimal_backoff", CONF_TIME, AT(minimal_backoff), "5m", 10 * SECOND,
	  DAY, "The shortest time between two tries of one message.", NULL },
	{ "maximal_backoff", CONF_TIME, AT(maximal_backoff), "15m",
	  10 * SECOND, DAY, "The longest. Mail is returned up to this much "
	  "later than queue_lifetime.", NULL },
	{ "queue_run", CONF_TIME, AT(queue_run), "5m", 10 * SECOND, HOUR,
	  "How often Postfix looks for mail whose time has come.", NULL },
	{ "delay_warning", CONF_TIME, AT(delay_warning), "4h", 0, 30LL * DAY,
	  "After this the sender is told that his mail still waits. 0s: "
	  "never.", NULL },
	{ "notify", CONF_LIST, AT(notify), "resource, software", 0, 10,
	  "What postmaster is told, as notify_classes of Postfix: bounce, "
	  "2bounce, delay, policy, protocol, resource, software, data.", NULL },
	{ "site_concurrency", CONF_COUNT, AT(site_concurrency), "10", 1, 1000,
	  "Deliveries at the same time to one inner server.", NULL },
	{ "site_start", CONF_COUNT, AT(site_start), "2", 1, 1000,
	  "How many to begin with when it is back; Postfix raises it with each "
	  "success, up to site_concurrency.", NULL },
	{ "size", CONF_SIZE, AT(size), "250M", 1 << 16, INT64_MAX / 1000,
	  "The largest message that anybody may send or receive.", NULL },
	{ "growth", CONF_COUNT, AT(growth), "140", 100, 1000,
	  "What encryption and encoding may make of it, in percent. Then it "
	  "must still pass Postfix, or it is refused for good.", NULL },
	{ "client_connections", CONF_COUNT, AT(client_connections), "20", 0,
	  100000, "Connections of one client to the inbound listener at the "
	  "same time. 0: any number.", NULL },
	{ "client_rate", CONF_COUNT, AT(client_rate), "120", 0, 1000000,
	  "New ones in a minute. 0: any number.", NULL },
	{ "client_recipients", CONF_COUNT, AT(client_recipients), "2000", 0,
	  1000000, "Recipients that one client may name there in a minute. "
	  "0: any number.", NULL },
	{ "recipient_limit", CONF_COUNT, AT(recipient_limit), "10000", 100,
	  1000000, "Recipients of one outbound message that Postfix takes. "
	  "Beyond it clients send the rest as another message, so a milter "
	  "that limits them must see more than its limit.", NULL },
	{ "soft_errors", CONF_COUNT, AT(soft_errors), "3", 1, 1000,
	  "Errors in a session, as recipients that do not exist, after which "
	  "each answer comes late.", NULL },
	{ "hard_errors", CONF_COUNT, AT(hard_errors), "8", 1, 1000,
	  "And after which the client is hung up on.", NULL },
	{ "error_sleep", CONF_TIME, AT(error_sleep), "5s", 0, MINUTE,
	  "How late such an answer comes.", NULL },
	{ "bare_newline_clients", CONF_NETWORKS, AT(bare_newline_clients), "",
	  0, 1000, "Clients that may end lines wrongly, though that lets them "
	  "smuggle messages.", NULL },
	{ 0 }
};

static enum rc
load_own(const char *dir, struct postfix_conf *conf, struct arena *a,
    struct slice *why_r)
{
	const struct conf_section sections[] = {
	    { postfix_conf_options, conf }, { NULL, NULL } };
	const char *path = NULL;

	if (dir != NULL)
		path = arena_printf(a, "%s/postfix.conf", dir).ptr;
	if (path != NULL && access(path, F_OK) != 0 && errno == ENOENT)
		path = NULL;
	return conf_load_trusted(a, path, sections, why_r);
}

enum rc
postfix_conf_load(const char *dir, struct house_conf *house,
    struct postfix_conf *conf, struct arena *a, struct slice *why_r)
{
	const struct conf_section sections[] = {
	    { house_options, house }, { NULL, NULL } };
	enum rc rc = conf_load_trusted(a, verb_house_file(dir, a), sections,
	    why_r);

	if (rc == RC_OK)
		rc = house_finish(house, a, why_r);
	return rc != RC_OK ? rc : load_own(dir, conf, a, why_r);
}
