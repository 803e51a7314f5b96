/* Mail for recipients who need different forms: to the splitter, and back. */
#include <string.h>

#include "milter/split.h"
#include "net/lmtp.h"
#include "tools/recipe-build.h"

#define TRANSPORT	"gatehouse-split"
#define CLEANUP		"gatehouse-split-cleanup"
#define CHECKS		"milter_header_checks"

enum { MARGIN_MS = 60 * 1000 };

/* The entry that the rest of the recipe has for it, or NULL. */
static struct recipe_entry *
checks_entry(struct builder *b)
{
	struct recipe_entry *e = (struct recipe_entry *)(void *)b->entries.ptr;

	for (size_t i = 0; i < b->entries.len / sizeof *e; i++)
		if (e[i].file == RECIPE_MAIN && strcmp(e[i].name, CHECKS) == 0)
			return &e[i];
	return NULL;
}

/* What else looks at fields that milters add: also in the second pass, for
 * that is where they add them. */
static const char *
other_checks(struct builder *b)
{
	const struct recipe_entry *e = checks_entry(b);

	return e != NULL ? e->value : b_existing(b, CHECKS);
}

/* After the queue a marked message goes another way. */
static void
hand_over(struct builder *b)
{
	static const char table[] = "regexp:" RECIPE_DIR "/split";
	struct recipe_entry *e = checks_entry(b);

	b_map(b, "split", b_printf(b, "/^" SPLIT_FIELD ":/ FILTER " TRANSPORT
	    ":%s\n", b->in->splitter.socket),
	    "mail that the filters have marked goes to the splitter");
	if (e != NULL)
		e->value = b_printf(b, "%s, %s", table, e->value);
	else
		b_main(b, (struct want){ RECIPE_MUST, RECIPE_FIRST, NULL },
		    CHECKS, b_first(b, CHECKS, table),
		    "it counts only on fields that a milter has added");
	b_main(b, SHOULD, TRANSPORT "_destination_recipient_limit",
	    b_printf(b, "%d", LMTP_RECIPIENTS),
	    "it gets all recipients at once, so that nobody's copy is made "
	    "twice");
}

void
b_lmtp_options(struct builder *b, int64_t deadline)
{
	static const char *const empty[] = { "lmtp_mime_header_checks",
	    "lmtp_nested_header_checks", "lmtp_body_checks",
	    "lmtp_generic_maps", "lmtp_discard_lhlo_keywords",
	    "lmtp_discard_lhlo_keyword_address_maps", "lmtp_reply_filter" };

	b_option(b, SHOULD, "lmtp_line_length_limit", "0",
	    "no line is broken, or signatures are");
	b_option(b, SHOULD, "disable_mime_output_conversion", "yes",
	    "nor anything converted");
	for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
		b_option(b, SHOULD, empty[i], "",
		    "what main.cf says is for the way out");
	b_option(b, SHOULD, "lmtp_tls_security_level", "none",
	    "it does not leave the machine");
	b_option(b, SHOULD, "lmtp_sasl_auth_enable", "no",
	    "nobody logs in there");
	b_option(b, SHOULD, "lmtp_connect_timeout", "5s",
	    "a socket answers at once or not at all");
	b_option(b, SHOULD, "lmtp_data_done_timeout", recipe_time(
	    deadline + MARGIN_MS, b->arena),
	    "longer than the service's own deadline");
}

static void
transport(struct builder *b)
{
	b_own_service(b, TRANSPORT "/unix", b_columns(b, "unix", "-", "-",
	    "lmtp"), "the way to the splitter");
	b_option(b, MAY, "syslog_name", "postfix/split",
	    "the log says which way it went");
	b_option(b, MUST, "lmtp_send_xforward_command", "yes",
	    "the splitter has to know the queue id, and the log who it was");
	b_option(b, MUST, "lmtp_header_checks", "",
	    "the mark must arrive");
	b_option(b, MUST, "lmtp_fallback_relay", "",
	    "while the splitter is down mail waits, and never goes another "
	    "way unedited");
	b_lmtp_options(b, b->in->splitter.deadline);
}

/* Without these the first would be the second again, for ever. */
static void
cleanup(struct builder *b, const char *checks)
{
	b_own_service(b, CLEANUP "/unix", b_columns(b, "unix", "n", "0",
	    "cleanup"), "cleanup(8) for the second pass");
	b_option(b, MAY, "syslog_name", "postfix/split-in",
	    "the log says which pass it was");
	b_option(b, MUST, CHECKS, checks,
	    "what was split is not split again");
	b_option(b, MUST, "always_bcc", "",
	    "the archive's address got its copy in the first pass");
	b_option(b, SHOULD, "message_size_limit", "0",
	    "it may have grown by the first pass");
}

static void
listener_options(struct builder *b)
{
	static const struct { const char *name, *reason; } empty[] = {
		{ "smtpd_milter_maps", "nothing keeps the filters from it" },
		{ "smtpd_proxy_filter", "it has been there" },
		{ "smtpd_discard_ehlo_keywords", "8-bit mail, UTF-8 addresses "
		    "and DSN go through as they came" },
		{ "smtpd_discard_ehlo_keyword_address_maps", "the same" },
		{ "local_header_rewrite_clients", "nothing of it is "
		    "rewritten" },
		{ "smtpd_data_restrictions", "it was accepted, and is not "
		    "refused now" },
		{ "smtpd_end_of_data_restrictions", "the same" },
	};

	b_option(b, MUST, "smtpd_milters", "$gatehouse_inbound",
	    "in the second pass the filters edit; others have had it");
	b_option(b, MUST, "milter_macro_daemon_name", SPLIT_DAEMON,
	    "by this name the filters know that it is the second");
	b_option(b, MUST, "cleanup_service_name", CLEANUP,
	    "one that splits nothing");
	b_option(b, MUST, "receive_override_options", "no_address_mappings, "
	    "no_header_body_checks, no_unknown_recipient_checks",
	    "its recipients were chosen in the first pass");
	for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++)
		b_option(b, i < 4 ? MUST : SHOULD, empty[i].name, "",
		    empty[i].reason);
	b_option(b, SHOULD, "smtpd_authorized_xforward_hosts",
	    "127.0.0.0/8 [::1]/128", "the log says who it was from");
	b_option(b, SHOULD, "smtpd_recipient_limit", b_printf(b, "%d",
	    LMTP_RECIPIENTS), "as many as the splitter may bring");
	b_option(b, SHOULD, "smtpd_reject_unlisted_sender", "no",
	    "it was accepted");
	b_option(b, SHOULD, "smtpd_hard_error_limit", "1000",
	    "it is not a stranger");
	b_option(b, SHOULD, "message_size_limit", "0",
	    "it may have grown by the first pass");
}

static void
listener(struct builder *b)
{
	const char *where = b->conf->split_listener;

	b_own_service(b, b_printf(b, "%s/inet", where), b_columns(b, "inet",
	    "n", "-", "smtpd"), "here the splitter gives back each copy");
	b_option(b, MAY, "syslog_name", "postfix/split-in",
	    "the log says which pass it was");
	listener_options(b);
	b_loopback_only(b, "split_listener", where,
	    "permit_mynetworks, reject", "it was accepted for them");
}

void
recipe_split(struct builder *b)
{
	const char *checks = other_checks(b);

	if (!b->in->house->splitter || !(b->in->role & RECIPE_INBOUND))
		return;
	b->role = RECIPE_INBOUND;
	if (b->conf->split_listener[0] == '\0')
		b_fails(b, "split_listener is empty, and gatehouse.conf says "
		    "splitter = true; it wants an address of loopback, as "
		    "\"127.0.0.1:10038\"");
	else if (strcmp(b->in->splitter.server, b->conf->split_listener) != 0)
		b_fails(b, "split_listener is \"%s\", and splitter.conf says "
		    "reinject_server = \"%s\"; they have to be the same",
		    b->conf->split_listener, b->in->splitter.server);
	if (b->in->house->seal_key[0] == '\0')
		b_fails(b, "gatehouse.conf says splitter = true, and has no "
		    "seal_key; without one there is no mark");
	if (b_existing(b, "content_filter")[0] != '\0')
		b_note(b, RECIPE_MAY, "content_filter", "mail that is split "
		    "goes to the splitter first, and to content_filter from "
		    "the second pass");
	hand_over(b);
	transport(b);
	cleanup(b, checks);
	listener(b);
	b->role = b->in->role;
}
