#include "options.h"

#define AT(field)	offsetof(struct predelivery_conf, field)
#define IN(field)	offsetof(struct predelivery_conf, outbound.field)

static const char *const limit_actions[] = { "refuse", "tempfail", "drop",
    NULL };
static const char *const severities[] = { "off", "warn", "refuse", NULL };
static const char *const lint_modes[] = { "off", "bulk", "all", NULL };

static const char *const mixed[] = { "quarantine", "all", NULL };

const struct conf_option predelivery_options[] = {
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },

	{ "rules", CONF_PATH, AT(rules), "", 0, 0,
	  "The file of rules; see gatehouse-rules(5). Empty: there are none.",
	  NULL },
	{ "rule_sets", CONF_LIST | CONF_SCOPED | CONF_FORM, AT(rule_sets), "default", 0,
	  20,
	  "Names of the sets of rules that apply, in this order. Inbound, who "
	  "is asked about is the recipient; outbound, who logged in, or else "
	  "the envelope's sender.", NULL },
	{ "rules_mixed", CONF_ENUM, AT(rules_mixed), "quarantine", 0, 0,
	  "Rules route a message, or give it another sender, for some of its "
	  "recipients only; it has one sender and one way. quarantine: it is "
	  "held for those. all: the first that a rule names counts for all.",
	  mixed },
	{ "country_db", CONF_PATH, AT(country_db), "", 0, 0,
	  "A database of countries in MaxMind's format, for the condition "
	  "country. It is looked at again at a reload; a new file takes the "
	  "old one's place by a rename.", NULL },

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
