/* Drafts that users of ours want to be judged: to gatehouse-spamcheck. */
#include "tools/recipe-build.h"

#define TRANSPORT	"gatehouse-spamcheck"

/* One line for each address. */
static const char *
lines(struct builder *b, const char *value)
{
	const struct conf_list *all = &b->in->house->spamcheck;
	struct buf out = buf_in(b->arena);

	for (size_t i = 0; i < all->count; i++)
		buf_addf(&out, "%.*s %s\n", SLICE_ARG(all->items[i]), value);
	return arena_str(b->arena, buf_slice(&out));
}

const char *
b_spamcheck_map(struct builder *b)
{
	return b->in->house->spamcheck.count == 0 ? NULL :
	    "texthash:" RECIPE_DIR "/spamcheck";
}

/* What the service refuses has been accepted, and becomes a bounce; a stranger
 * may have forged the sender. */
static void
strangers(struct builder *b)
{
	static const char name[] = "smtpd_recipient_restrictions";
	static const char ours[] = "check_recipient_access texthash:"
	    RECIPE_DIR "/spamcheck-access";

	b->role = RECIPE_INBOUND;
	b_map(b, "spamcheck-access", lines(b, "permit_mynetworks, reject"),
	    "nobody outside asks what our filter says");
	b_main(b, (struct want){ RECIPE_MUST, RECIPE_FIRST, NULL }, name,
	    b_first(b, name, ours), "drafts come from users of ours only");
	b->role = b->in->role;
}

void
recipe_spamcheck(struct builder *b)
{
	if (b->in->house->spamcheck.count == 0)
		return;
	b_map(b, "spamcheck", lines(b, b_printf(b, TRANSPORT ":%s",
	    b->in->spamcheck.socket)), "drafts go to the spam check");
	b_own_service(b, TRANSPORT "/unix", b_columns(b, "unix", "-", "-",
	    "lmtp"), "the way to the spam check");
	b_option(b, MAY, "syslog_name", "postfix/spamcheck",
	    "the log says which way it went");
	b_option(b, MUST, "lmtp_send_xforward_command", "yes",
	    "it has to know the client, and the queue id");
	b_option(b, MUST, "lmtp_header_checks", "",
	    "what is judged is what the sender wrote");
	b_option(b, MUST, "lmtp_fallback_relay", "",
	    "while it is down a draft waits, and goes nowhere else");
	b_lmtp_options(b, b->in->spamcheck.deadline);
	if (b->in->role & RECIPE_INBOUND)
		strangers(b);
}
