#include "options.h"

#include <string.h>

#include "spf_ask.h"

static const char *const actions[] = { "accept", "tag", "quarantine",
    "tempfail", "reject", NULL };
/* DNS trouble passes: it never costs a sender his mail for good. */
static const char *const temporary[] = { "accept", "tag", "quarantine",
    "tempfail", NULL };
static const char *const identities[] = { "both", "mail-from", "helo", "off",
    NULL };
static const char *const broken[] = { "remove", "keep", NULL };

#define AT(field)	offsetof(struct auth_check_conf, field)

const struct conf_option auth_check_options[] = {
	{ "spf", CONF_ENUM, AT(spf), "both", 0, 0,
	  "Whose SPF record is asked (RFC 7208): that of the MAIL FROM domain, "
	  "of the name that the client said in HELO, both at once, or none. "
	  "Mail with an empty MAIL FROM is judged by its HELO name.",
	  identities },
	{ "spf_engine", CONF_ENUM, AT(spf_engine), "own", 0, 0,
	  "What evaluates SPF. libspf2 is there for sites that must use it: it "
	  "knows no limit of void lookups and misjudges long records.",
	  spf_engine_names },
	{ "spf_fail", CONF_ENUM, AT(spf_fail), "tag", 0, 0,
	  "What is done when the domain says that this client may not send its "
	  "mail. The default does not refuse: mail that was forwarded fails "
	  "here and may still prove itself by DKIM, which DMARC (RFC 7489, "
	  "10.1) wants to see. Sites that do not wait for it choose reject.",
	  actions },
	{ "spf_softfail", CONF_ENUM, AT(spf_softfail), "tag", 0, 0,
	  "The same when the domain says \"probably not\". RFC 7208, 8.5, "
	  "advises against refusing for this alone.", actions },
	{ "spf_neutral", CONF_ENUM, AT(spf_neutral), "accept", 0, 0,
	  "The same when the domain does not say. RFC 7208, 8.2, wants it "
	  "treated as \"none\".", actions },
	{ "spf_none", CONF_ENUM, AT(spf_none), "accept", 0, 0,
	  "The same when there is no SPF record.", actions },
	{ "spf_permerror", CONF_ENUM, AT(spf_permerror), "tag", 0, 0,
	  "The same when the record is broken or asks too much. The domain's "
	  "owner hears of it from reject only; his mail is lost until then.",
	  actions },
	{ "spf_temperror", CONF_ENUM, AT(spf_temperror), "accept", 0, 0,
	  "The same when DNS gave no answer in time. tempfail has the sender "
	  "try again later; the default delays no mail for the DNS of others "
	  "and leaves the result in the log and in Authentication-Results. "
	  "There is no reject: such trouble passes.", temporary },
	{ "spf_helo_fail", CONF_ENUM, AT(spf_helo_fail), "tag", 0, 0,
	  "What is done when the domain of the HELO name says that this client "
	  "does not speak for it. Forwarding does not cause this, so reject is "
	  "safe against all but misconfigured senders.", actions },
	{ "spf_void_lookups", CONF_COUNT, AT(spf_void_lookups), "2", 0, 10,
	  "Terms of a record that may lead to nothing before it is called "
	  "broken (RFC 7208, 4.6.4).", NULL },
	{ "spf_timeout", CONF_TIME, AT(spf_timeout), "20s", 100, 60000,
	  "How long after MAIL FROM answers may come; what is open then is a "
	  "temperror. RFC 7208, 4.6.4, advises 20 seconds. The time for all "
	  "DNS of a message (dns_budget) bounds it too.", NULL },
	{ "spf_explanation", CONF_BOOL, AT(spf_explanation), "true", 0, 0,
	  "Ask for the text that the domain wants a refused client to read "
	  "(exp=), and put it into our reply. It is only asked for where "
	  "spf_fail refuses.", NULL },
	{ "spf_look_ahead", CONF_BOOL, AT(spf_look_ahead), "true", 0, 0,
	  "Ask for what stands behind in a record while the answers before it "
	  "are still under way. Quicker, for some questions in vain.", NULL },
	{ "trusted_networks", CONF_NETWORKS, AT(trusted_networks), "", 0, 0,
	  "Clients whose mail is not checked: relays and forwarders of ours "
	  "that pass on the mail of others, which would fail.", NULL },
	{ "authres_trusted", CONF_NETWORKS, AT(authres_trusted), "", 0, 0,
	  "Clients whose Authentication-Results fields in our name are kept: "
	  "gateways of ours that remove forged ones themselves. From all "
	  "others they are removed (RFC 8601, 5).", NULL },
	{ "authres_names", CONF_LIST, AT(authres_names), "", 0, 100,
	  "More names under which results of ours may stand, besides "
	  "authserv_id: fields that claim them are removed.", NULL },
	{ "authres_broken", CONF_ENUM, AT(authres_broken), "remove", 0, 0,
	  "What becomes of Authentication-Results fields that name nobody, or "
	  "not in a form that can be read: some readers take them as ours.",
	  broken },
	{ "tag_header", CONF_STRING, AT(tag_header), "X-Gatehouse-Tag", 3, 60,
	  "Name of the field that marks tagged mail, for filters of mailboxes. "
	  "Begins with X-. Such fields in incoming mail are removed.", NULL },
	{ 0 }
};

enum rc
auth_check_finish(const struct auth_check_conf *conf, struct arena *a,
    struct slice *why_r)
{
	struct slice name = slice_of(conf->tag_header);
	bool good = slice_starts_nocase(name, SLICE("X-")) && name.len > 2;

	for (size_t i = 0; i < name.len; i++)
		good = good && (ascii_alnum(name.ptr[i]) ||
		    name.ptr[i] == '-' || name.ptr[i] == '_');
	if (good)
		return RC_OK;
	*why_r = arena_printf(a, "tag_header = \"%s\" is no field name of "
	    "X-, letters, digits and dashes", conf->tag_header);
	return RC_BAD;
}

enum auth_action
auth_check_action(const struct auth_check_conf *conf, enum spf_result result)
{
	switch (result) {
	case SPF_NONE:
		return (enum auth_action)conf->spf_none;
	case SPF_NEUTRAL:
		return (enum auth_action)conf->spf_neutral;
	case SPF_SOFTFAIL:
		return (enum auth_action)conf->spf_softfail;
	case SPF_FAIL:
		return (enum auth_action)conf->spf_fail;
	case SPF_PERMERROR:
		return (enum auth_action)conf->spf_permerror;
	case SPF_PASS:
		return AUTH_ACCEPT;
	case SPF_TEMPERROR:
	case SPF_PENDING:
		break;
	}
	return (enum auth_action)conf->spf_temperror;
}
