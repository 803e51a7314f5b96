/* Who may connect where: the listeners of master.cf. */
#include <string.h>
#include <sys/socket.h>

#include "net/ip.h"
#include "tools/recipe-build.h"

#define CLIENTS		"cidr:" RECIPE_DIR "/clients"

static const char *
inet(struct builder *b, const char *listener)
{
	return b_printf(b, "%s/inet", listener);
}

static const char *
count(struct builder *b, unsigned n)
{
	return b_printf(b, "%u", n);
}

/* Milters of the administrator's stay, behind ours. */
static const char *
chain(struct builder *b, const char *ours)
{
	const char *is = b_existing(b, "smtpd_milters");

	return is[0] == '\0' ? ours : b_printf(b, "%s, %s", ours, is);
}

static void
common(struct builder *b, const char *milters, const char *name)
{
	b_option(b, MUST, "smtpd_milters", chain(b, milters),
	    "what comes in here passes these");
	b_option(b, MUST, "milter_macro_daemon_name", name,
	    "by this name the filters know the listener");
}

static void
size(struct builder *b)
{
	b_option(b, SHOULD, "message_size_limit", b_printf(b, "%llu",
	    (unsigned long long)b->conf->size),
	    "what may be sent; the queue takes more, so that it may grow");
}

/* --- inbound ----------------------------------------------------------- */

static void
limits(struct builder *b)
{
	const struct postfix_conf *c = b->conf;

	b_option(b, SHOULD, "smtpd_soft_error_limit", count(b,
	    c->soft_errors), "who guesses addresses is slowed down");
	b_option(b, SHOULD, "smtpd_hard_error_limit", b_printf(b,
	    "${stress?{1}:{%u}}", c->hard_errors),
	    "and hung up on, at once when all sessions are taken");
	b_option(b, SHOULD, "smtpd_error_sleep_time",
	    recipe_time(c->error_sleep, b->arena), "so slow");
	b_option(b, SHOULD, "smtpd_client_connection_count_limit", count(b,
	    c->client_connections), "one client leaves room for others");
	b_option(b, SHOULD, "smtpd_client_connection_rate_limit", count(b,
	    c->client_rate), "and does not come in a flood");
	b_option(b, SHOULD, "smtpd_client_recipient_rate_limit", count(b,
	    c->client_recipients), "nor with a whole directory");
}

static void
inbound_options(struct builder *b)
{
	common(b, "$gatehouse_inbound", "INBOUND");
	size(b);
	if (!b->conf->inbound_relay)
		b_option(b, MUST, "smtpd_relay_restrictions",
		    "reject_unauth_destination",
		    "mail for our domains only; what goes out has listeners "
		    "of its own, with filters of its own");
	b_option(b, SHOULD, "smtpd_sasl_auth_enable", "no",
	    "passwords are not guessed here");
	if (!b_knows(b, "smtpd_forbid_bare_newline", BARE_NEWLINE)) {
		b_option(b, MUST, "smtpd_data_restrictions",
		    "reject_unauth_pipelining", "the best that this Postfix "
		    "can do against smuggled messages: what follows a false "
		    "end at once is refused");
		b_option(b, MUST, "smtpd_discard_ehlo_keywords",
		    "chunking, silent-discard", "and BDAT, which would get "
		    "around that, is not offered");
	}
	limits(b);
}

static void
postscreen_main(struct builder *b)
{
	const struct postfix_conf *c = b->conf;
	struct buf sites = buf_in(b->arena);

	b_main(b, SHOULD, "postscreen_greet_action", "enforce",
	    "who speaks before the greeting is a zombie");
	b_main(b, SHOULD, "postscreen_client_connection_count_limit",
	    count(b, c->client_connections),
	    "one client leaves room for others");
	for (size_t i = 0; i < c->postscreen_dnsbl.count; i++) {
		if (i > 0)
			buf_adds(&sites, ", ");
		buf_add(&sites, c->postscreen_dnsbl.items[i]);
	}
	if (sites.len == 0)
		return;
	b_main(b, SHOULD, "postscreen_dnsbl_sites", arena_str(b->arena,
	    buf_slice(&sites)), "clients that others know as bad");
	b_main(b, SHOULD, "postscreen_dnsbl_threshold", count(b,
	    c->postscreen_threshold), "how bad they must be");
	b_main(b, SHOULD, "postscreen_dnsbl_action", "enforce",
	    "they are refused, with sender and recipient in the log");
}

static void
inbound_listener(struct builder *b)
{
	const char *listener = inet(b, b->conf->inbound_listener);

	if (!b->conf->postscreen && !b->in->postscreen) {
		b_service(b, listener, b_columns(b, "inet", "n", "-", "smtpd"),
		    "mail from the world");
		inbound_options(b);
		return;
	}
	postscreen_main(b);
	b_service(b, listener, b_columns(b, "inet", "n", "1", "postscreen"),
	    "postscreen looks at clients first");
	b_service(b, "smtpd/pass", b_columns(b, "pass", "-", "-", "smtpd"),
	    "and hands mail servers over to this");
	inbound_options(b);
	b_service(b, "dnsblog/unix", b_columns(b, "unix", "-", "0",
	    "dnsblog"), "asks blocklists for postscreen");
	b_service(b, "tlsproxy/unix", b_columns(b, "unix", "-", "0",
	    "tlsproxy"), "speaks TLS for postscreen");
}

/* In two lists is a warning of Postfix, and the wrong one may win. */
static bool
listed(struct builder *b, const char *parameter, struct slice domain)
{
	struct slice rest = slice_of(b_existing(b, parameter));
	size_t at;

	while ((at = slice_search(rest, domain)) < rest.len) {
		char end = at + domain.len < rest.len ?
		    rest.ptr[at + domain.len] : ' ';
		char begin = at > 0 ? rest.ptr[at - 1] : ' ';

		if ((ascii_space(end) || end == ',') &&
		    (ascii_space(begin) || begin == ','))
			return true;
		rest = slice_after(rest, at + 1);
	}
	return false;
}

static bool
ours_elsewhere(struct builder *b, struct slice domain)
{
	return listed(b, "mydestination", domain) ||
	    listed(b, "virtual_mailbox_domains", domain) ||
	    listed(b, "virtual_alias_domains", domain);
}

/* What main.cf says stays; is there a domain that it does not take? */
static void
check_domains(struct builder *b)
{
	const struct conf_list *domains = &b->in->house->domains;
	const char *is = b_existing(b, "relay_domains");

	if (is[0] == '\0' || strpbrk(is, "$:/") != NULL)
		return;			/* in a table that we cannot read */
	for (size_t i = 0; i < domains->count; i++)
		if (!listed(b, "relay_domains", domains->items[i]) &&
		    !ours_elsewhere(b, domains->items[i]))
			b_note(b, RECIPE_SHOULD, "relay_domains", "main.cf "
			    "names domains of its own, and they stay; %.*s of "
			    "gatehouse.conf is not among them",
			    SLICE_ARG(domains->items[i]));
}

static const char *
relay_domains(struct builder *b)
{
	const struct conf_list *domains = &b->in->house->domains;
	struct buf out = buf_in(b->arena);
	enum { INLINE = 50 };
	bool file;

	for (size_t i = 0; i < domains->count; i++) {
		struct slice d = domains->items[i];

		if (ours_elsewhere(b, d))
			continue;
		buf_add(&out, d);
		buf_adds(&out, domains->count > INLINE ? " OK\n" : " ");
	}
	file = domains->count > INLINE;
	if (!file)
		return arena_str(b->arena, slice_trim(buf_slice(&out)));
	b_map(b, "relay-domains", arena_str(b->arena, buf_slice(&out)),
	    "the domains of gatehouse.conf");
	return "texthash:" RECIPE_DIR "/relay-domains";
}

static void
recipients(struct builder *b)
{
	const struct postfix_conf *c = b->conf;
	const struct want keep = { RECIPE_SHOULD, RECIPE_DEFAULT, NULL };
	const char *recipients, *spamcheck = b_spamcheck_map(b);

	if (b->in->house->domains.count > 0)
		b_main(b, keep, "relay_domains", relay_domains(b),
		    "the domains that we take mail for");
	else
		b_note(b, RECIPE_SHOULD, "domains", "gatehouse.conf names no "
		    "domains: relay_domains is left as it is");
	check_domains(b);
	b_main(b, SHOULD, "smtpd_reject_unlisted_recipient", "yes",
	    "who does not exist is refused at RCPT, not bounced later");
	recipients = b_directory(b, "recipients", &c->recipient_maps,
	    "recipient_maps");
	recipe_aliases(b);
	if (recipients != NULL)
		b_main(b, SHOULD, "relay_recipient_maps", spamcheck == NULL ?
		    recipients : b_printf(b, "%s, %s", recipients, spamcheck),
		    "who exists in our domains");
	else if (b_existing(b, "relay_recipient_maps")[0] == '\0')
		b_note(b, RECIPE_SHOULD, "recipient_maps", "postfix.conf names "
		    "no recipient_maps: Postfix takes mail for anybody in "
		    "relay_domains, and the inner server has to bounce it");
	b_main(b, SHOULD, "unknown_relay_recipient_reject_code", "550",
	    "for good: 450 would have the sender come back");
}

void
recipe_inbound(struct builder *b)
{
	b->role = RECIPE_INBOUND;
	recipients(b);
	inbound_listener(b);
}

/* --- from the house itself --------------------------------------------- */

static bool
is_loopback(const char *listener)
{
	struct slice s = slice_of(listener);
	size_t colon = slice_find_last(s, ':');
	struct slice host = slice_sub(s, 0, colon);
	struct network loopback;
	struct ip ip;

	if (colon == s.len)
		return false;
	if (slice_eq(host, SLICE("localhost")))
		return true;
	if (host.len > 2 && host.ptr[0] == '[')
		host = slice_sub(host, 1, host.len - 2);
	if (!ip_parse(host, &ip))
		return false;
	net_parse(ip.family == AF_INET ? SLICE("127.0.0.0/8") : SLICE("::1"),
	    &loopback);
	return net_holds(&loopback, &ip);
}

/* Nobody is asked more than whether he is this machine: the mail has been let
 * in once, or is our own. */
void
b_loopback_only(struct builder *b, const char *option, const char *listener,
    const char *recipients, const char *reason)
{
	if (!is_loopback(listener))
		b_fails(b, "%s is \"%s\"; whoever reaches it may send "
		    "anywhere, so it wants an address of loopback, as "
		    "\"127.0.0.1:10026\"", option, listener);
	b_option(b, SHOULD, "smtpd_delay_reject", "yes",
	    "a refusal names sender and recipient");
	b_option(b, MUST, "mynetworks", "127.0.0.0/8 [::1]/128",
	    "this machine and nobody else");
	b_option(b, MUST, "smtpd_client_restrictions",
	    "permit_mynetworks, reject", "whatever address it listens on");
	b_option(b, MUST, "smtpd_authorized_xclient_hosts", "",
	    "and nobody says that he is somebody else");
	b_option(b, SHOULD, "smtpd_helo_restrictions", "",
	    "those of main.cf are meant for strangers");
	b_option(b, SHOULD, "smtpd_sender_restrictions", "", "the same");
	b_option(b, SHOULD, "smtpd_recipient_restrictions", recipients,
	    reason);
	b_option(b, MUST, "smtpd_relay_restrictions",
	    "permit_mynetworks, reject", "and to anywhere");
	b_option(b, SHOULD, "smtpd_sasl_auth_enable", "no",
	    "nobody logs in here");
	b_option(b, SHOULD, "smtpd_tls_security_level", "none",
	    "it does not leave the machine");
	b_option(b, SHOULD, "smtpd_error_sleep_time", "0",
	    "nobody guesses here");
	b_option(b, SHOULD, "smtpd_client_connection_count_limit", "0",
	    "nor floods");
	b_option(b, SHOULD, "smtpd_client_connection_rate_limit", "0",
	    "the same");
}

static void
house_only(struct builder *b, const char *option, const char *listener)
{
	b_loopback_only(b, option, listener, "reject_unlisted_recipient, "
	    "permit_mynetworks, reject", "but nobody writes to those who are "
	    "gone");
}

static void
reinject(struct builder *b)
{
	b_own_service(b, inet(b, b->conf->reinject_listener), b_columns(b,
	    "inet", "n", "-", "smtpd"),
	    "here the house itself hands in mail again");
	common(b, "$gatehouse_inbound", "REINJECT");
	b_option(b, MUST, "local_header_rewrite_clients", "",
	    "nothing of it is rewritten");
	house_only(b, "reinject_listener", b->conf->reinject_listener);
	recipe_reinject_cleanup(b);
}

static void
notices(struct builder *b)
{
	b_own_service(b, inet(b, b->conf->notice_listener), b_columns(b,
	    "inet", "n", "-", "smtpd"), "here it hands in mail of its own");
	b_option(b, MUST, "smtpd_milters", "",
	    "a notice about held mail is not held");
	house_only(b, "notice_listener", b->conf->notice_listener);
}

void
recipe_own(struct builder *b)
{
	if (b->in->role & RECIPE_INBOUND &&
	    b->conf->reinject_listener[0] != '\0')
		reinject(b);
	if (b->in->notices && b->conf->notice_listener[0] != '\0')
		notices(b);
}

/* --- outbound ---------------------------------------------------------- */

/* What all doors into the world have in common: who may pass is said once,
 * and none of main.cf's restrictions, which are meant for strangers. */
static void
outbound_options(struct builder *b, const char *who, const char *senders)
{
	common(b, "$gatehouse_outbound", "ORIGINATING");
	size(b);
	b_option(b, MUST, "smtpd_delay_reject", "yes",
	    "who it is shows after the greeting");
	b_option(b, MUST, "smtpd_client_restrictions", who,
	    "who may send here");
	b_option(b, SHOULD, "smtpd_helo_restrictions", "",
	    "those of main.cf are meant for strangers");
	b_option(b, SHOULD, "smtpd_sender_restrictions", senders,
	    senders[0] != '\0' ? "nobody sends under another user's address" :
	    "the same");
	b_option(b, MUST, "smtpd_relay_restrictions", who,
	    "and to anywhere");
	b_option(b, SHOULD, "smtpd_recipient_restrictions",
	    "reject_unlisted_recipient, permit", "but not to users of ours "
	    "who do not exist");
	b_option(b, SHOULD, "smtpd_recipient_limit", count(b,
	    b->conf->recipient_limit), "a milter that limits recipients has "
	    "to see them all in one message");
	if (b->conf->hide_inner)
		b_option(b, SHOULD, "cleanup_service_name",
		    "gatehouse-cleanup", "it hides inner servers");
}

static void
login_options(struct builder *b)
{
	outbound_options(b, "permit_sasl_authenticated, reject",
	    b_existing(b, "smtpd_sender_login_maps")[0] != '\0' ?
	    "reject_sender_login_mismatch" : "");
	b_option(b, MUST, "smtpd_tls_security_level", "encrypt",
	    "no password goes in the clear");
	b_option(b, MUST, "smtpd_tls_auth_only", "yes", "the same");
	b_option(b, MUST, "smtpd_sasl_auth_enable", "yes",
	    "users log in here");
	b_option(b, SHOULD, "smtpd_sasl_type", b->conf->sasl_type,
	    "who knows their passwords");
	b_option(b, SHOULD, "smtpd_sasl_path", b->conf->sasl_path,
	    "and where to ask him");
	b_option(b, SHOULD, "smtpd_sasl_security_options", "noanonymous",
	    "everybody has a name");
}

static const char *
client_table(struct builder *b)
{
	const struct conf_nets *nets = b->conf->allow_clients.count > 0 ?
	    &b->conf->allow_clients : &b->in->house->networks;
	struct buf out = buf_in(b->arena);

	for (size_t i = 0; i < nets->count; i++) {
		buf_add(&out, net_format(b->arena, &nets->items[i]));
		buf_adds(&out, " OK\n");
	}
	return arena_str(b->arena, buf_slice(&out));
}

static void
certificate(struct builder *b)
{
	const struct postfix_conf *c = b->conf;

	if (c->tls_cert[0] != '\0') {
		b_main(b, MUST, "smtpd_tls_chain_files", c->tls_key[0] != '\0' ?
		    b_printf(b, "%s, %s", c->tls_key, c->tls_cert) :
		    c->tls_cert, "our key and certificate");
		return;
	}
	if (b_existing(b, "smtpd_tls_chain_files")[0] == '\0' &&
	    b_existing(b, "smtpd_tls_cert_file")[0] == '\0' &&
	    b_existing(b, "smtpd_tls_eccert_file")[0] == '\0')
		b_note(b, RECIPE_MUST, "tls_cert", "neither postfix.conf nor "
		    "main.cf names a certificate: users cannot log in");
}

static void
submission(struct builder *b)
{
	const struct postfix_conf *c = b->conf;

	if (c->submission_listener[0] != '\0') {
		b_service(b, inet(b, c->submission_listener), b_columns(b,
		    "inet", "n", "-", "smtpd"), "mail of users, STARTTLS");
		b_option(b, MAY, "syslog_name", "postfix/submission",
		    "the log says where it came in");
		login_options(b);
	}
	if (c->submissions_listener[0] != '\0') {
		b_service(b, inet(b, c->submissions_listener), b_columns(b,
		    "inet", "n", "-", "smtpd"), "mail of users, TLS at once");
		b_option(b, MAY, "syslog_name", "postfix/submissions",
		    "the log says where it came in");
		b_option(b, MUST, "smtpd_tls_wrappermode", "yes",
		    "TLS from the first byte");
		login_options(b);
	}
	if (c->submission_listener[0] != '\0' ||
	    c->submissions_listener[0] != '\0')
		certificate(b);
}

static void
relay(struct builder *b)
{
	b_map(b, "clients", client_table(b),
	    "the inner servers that may send into the world");
	b_own_service(b, inet(b, b->conf->relay_listener), b_columns(b, "inet",
	    "n", "-", "smtpd"), "mail of inner servers");
	b_option(b, MAY, "syslog_name", "postfix/relay-in",
	    "the log says where it came in");
	outbound_options(b, "check_client_access " CLIENTS ", reject", "");
	b_option(b, MUST, "smtpd_sasl_auth_enable", "no",
	    "nobody logs in here");
	if (b->conf->relay_tls)
		b_option(b, MUST, "smtpd_tls_security_level", "encrypt",
		    "from the inner server too it comes encrypted");
	b_option(b, SHOULD, "smtpd_client_connection_count_limit", "0",
	    "an inner server may send as much as it has");
	b_option(b, SHOULD, "smtpd_client_connection_rate_limit", "0",
	    "the same");
}

void
recipe_outbound(struct builder *b)
{
	const struct conf_list *names = &b->in->house->outbound_daemons;

	b->role = RECIPE_OUTBOUND;
	submission(b);
	if (b->conf->relay_listener[0] != '\0')
		relay(b);
	if (b->conf->hide_inner)
		recipe_scrub(b);
	if (!conf_list_has(names, SLICE("ORIGINATING")))
		b_note(b, RECIPE_MUST, "outbound_daemons", "gatehouse.conf has "
		    "to say outbound_daemons = [ \"ORIGINATING\" ]; or the "
		    "filters take mail of these listeners for inbound mail");
}
