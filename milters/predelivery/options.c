#include "options.h"

#define AT(field)	offsetof(struct predelivery_conf, field)
#define IN(field)	offsetof(struct predelivery_conf, outbound.field)

static const char *const limit_actions[] = { "refuse", "tempfail", "drop",
    NULL };
static const char *const severities[] = { "off", "warn", "refuse", NULL };
static const char *const lint_modes[] = { "off", "bulk", "all", NULL };

static const char *const mixed[] = { "quarantine", "all", NULL };
static const char *const places[] = { "reply", "end", "top", NULL };
static const char *const whose[] = { "ours", "all", NULL };

const struct conf_option predelivery_options[] = {
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },

	{ "rules", CONF_PATH, AT(rules), "", 0, 0,
	  "The file of rules; see gatehouse-rules(5). Empty: there are none.",
	  NULL },
	{ "rule_sets", CONF_LIST | CONF_SCOPED | CONF_FORM, AT(rule_sets),
	  "default", 0, 20,
	  "Names of the sets of rules that apply, in this order. Inbound, who "
	  "is asked about is the recipient; outbound, who logged in, or else "
	  "the envelope's sender.", NULL },
	{ "rules_mixed", CONF_ENUM, AT(rules_mixed), "quarantine", 0, 0,
	  "Rules route a message, or give it another sender, for some of its "
	  "recipients only; it has one sender and one way. quarantine: it is "
	  "held for those. all: the first that a rule names counts for all. "
	  "With splitter = true in gatehouse.conf inbound mail goes each "
	  "way.",
	  mixed },
	{ "country_db", CONF_PATH, AT(country_db), "", 0, 0,
	  "A database of countries in MaxMind's format, for the condition "
	  "country. It is looked at again at a reload; a new file takes the "
	  "old one's place by a rename.", NULL },

	{ "disclaimer_folder", CONF_PATH, AT(disclaimer_folder),
	  "/etc/gatehouse/disclaimers", 0, 0,
	  "Where disclaimers are: NAME.txt, and NAME.html where the HTML form "
	  "is a text of its own; gatehouse-predelivery(8) says how they are "
	  "written.", NULL },
	{ "disclaimers", CONF_LIST | CONF_SCOPED | CONF_FORM, AT(disclaimers),
	  "", 0, 10,
	  "Names of disclaimers and signatures that go into outbound mail, in "
	  "this order. Who is asked about is who logged in, or else the "
	  "envelope's sender.", NULL },
	{ "disclaimer_place", CONF_ENUM | CONF_SCOPED | CONF_FORM,
	  AT(disclaimer_place), "reply", 0, 0,
	  "reply: before the message that is quoted below, else at the end. "
	  "end: always at the end. top: before all else.", places },
	{ "disclaimer_once", CONF_BOOL | CONF_SCOPED | CONF_FORM,
	  AT(disclaimer_once), "true", 0, 0,
	  "Not again where the text of the disclaimer is in the message "
	  "already, as in what is quoted.", NULL },
	{ "disclaimer_internal", CONF_BOOL | CONF_SCOPED | CONF_FORM,
	  AT(disclaimer_internal), "false", 0, 0,
	  "Also where all recipients are in domains of ours.", NULL },

	{ "external_for", CONF_ENUM | CONF_SCOPED | CONF_FORM,
	  AT(external_for), "ours", 0, 0,
	  "Which inbound mail the next options are for. ours: where the field "
	  "From has a domain of ours (or one below it), in an address or in a "
	  "name. all: all that comes from outside.", whose },
	{ "external_mark", CONF_STRING | CONF_SCOPED | CONF_FORM,
	  AT(external_mark), "", 0, 20,
	  "A mark that is put in front of each display name in From. It "
	  "breaks the sender's DKIM signature for whoever verifies it behind "
	  "us. Empty: none.", NULL },
	{ "external_banner", CONF_STRING | CONF_SCOPED | CONF_FORM,
	  AT(external_banner), "", 0, 100,
	  "Name of a disclaimer that is put above the text. Empty: none.",
	  NULL },
	{ "external_subject", CONF_STRING | CONF_SCOPED | CONF_FORM,
	  AT(external_subject), "", 0, 40,
	  "A tag that is put in front of the subject, as [external]. Empty: "
	  "none.", NULL },

#include "outbound_rows.h"
	{ 0 }
};

struct checking {
	struct arena *a;
	struct slice *why_r;
};

static enum rc
check_scope(struct slice where, const void *arg, void *checking)
{
	const struct predelivery_conf *conf = arg;
	struct checking *c = checking;
	struct slice why = SLICE_NONE;

	if (outbound_finish(&conf->outbound, c->a, &why) == RC_OK)
		return RC_OK;
	*c->why_r = arena_printf(c->a, "%.*s: %.*s", SLICE_ARG(where),
	    SLICE_ARG(why));
	return RC_BAD;
}

enum rc
predelivery_finish(const struct predelivery_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r)
{
	struct checking c = { a, why_r };

	(void)house;
	if (outbound_finish(&conf->outbound, a, why_r) != RC_OK)
		return RC_BAD;
	return scope_each(conf->scopes, conf, sizeof *conf, check_scope, &c);
}
