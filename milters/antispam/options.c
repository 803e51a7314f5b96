#include "options.h"

#define AT(field)	offsetof(struct antispam_conf, field)

static const char *const actions[] = { "tag", "quarantine", "reject",
    "tempfail", "discard", NULL };

const struct conf_option antispam_options[] = {
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },

	{ "model", CONF_PATH, AT(model), "", 0, 0,
	  "What was learned, made by \"gatehouse spam train\". Empty: "
	  "antispam/model in state_directory where it is, else the one that "
	  "comes with the package.", NULL },
	{ "tag_at", CONF_COUNT | CONF_SCOPED | CONF_FORM, AT(tag_at), "50", 1,
	  SPAM_NEVER,
	  "Inbound mail whose probability of being spam is at least so many "
	  "percent is delivered with a mark in its subject. 101: none.",
	  NULL },
	{ "act_at", CONF_COUNT | CONF_SCOPED, AT(act_at), "80", 1, SPAM_NEVER,
	  "Inbound mail of at least so many percent gets the action. 101: "
	  "none.", NULL },
	{ "action", CONF_ENUM | CONF_SCOPED, AT(action), "quarantine", 0, 0,
	  "What is done with it. discard needs a store, where a record of it "
	  "is kept.", actions },
	{ "phishing_at", CONF_COUNT | CONF_SCOPED, AT(phishing_at), "60", 1,
	  SPAM_NEVER,
	  "Inbound mail that is phishing with at least so many percent gets "
	  "phishing_action. This comes before the thresholds for spam.",
	  NULL },
	{ "phishing_action", CONF_ENUM | CONF_SCOPED, AT(phishing_action),
	  "quarantine", 0, 0, "What is done with it.", actions },
	{ "fraud_at", CONF_COUNT | CONF_SCOPED, AT(fraud_at), "60", 1,
	  SPAM_NEVER,
	  "The same for mail in which somebody passes himself off as one of "
	  "yours or as a partner.", NULL },
	{ "fraud_action", CONF_ENUM | CONF_SCOPED, AT(fraud_action),
	  "quarantine", 0, 0, "What is done with it.", actions },
	{ "graymail_at", CONF_COUNT | CONF_SCOPED | CONF_FORM,
	  AT(graymail_at), "101", 1, SPAM_NEVER,
	  "The same for newsletters, lists and notifications that are no "
	  "spam. 101: they are delivered as they are.", NULL },
	{ "graymail_action", CONF_ENUM | CONF_SCOPED | CONF_FORM,
	  AT(graymail_action), "tag", 0, 0, "What is done with them.",
	  actions },
	{ "outbound_at", CONF_COUNT | CONF_SCOPED, AT(out_at), "60", 1,
	  SPAM_NEVER,
	  "The same for outbound mail. Whose settings count is the sender who "
	  "has authenticated.", NULL },
	{ "outbound_action", CONF_ENUM | CONF_SCOPED, AT(out_action),
	  "quarantine", 0, 0,
	  "What is done with outbound mail of at least outbound_at percent.",
	  actions },
	{ "blocked", CONF_ENUM | CONF_SCOPED, AT(blocked), "quarantine", 0, 0,
	  "What is done with inbound mail whose sender is on the recipient's "
	  "block list (gatehouse-policy(1), policy.lists), whatever its "
	  "probability. Whom an allow list names is never taken for spam.",
	  actions },
	{ "subject_tag", CONF_STRING | CONF_SCOPED | CONF_FORM,
	  AT(subject_tag), "[SPAM]", 0, 60,
	  "The mark in the subject. Empty: none.", NULL },
	{ "phishing_tag", CONF_STRING | CONF_SCOPED | CONF_FORM,
	  AT(phishing_tag), "[PHISHING]", 0, 60,
	  "The same where phishing_action is tag.", NULL },
	{ "fraud_tag", CONF_STRING | CONF_SCOPED | CONF_FORM, AT(fraud_tag),
	  "[FRAUD?]", 0, 60, "The same where fraud_action is tag.", NULL },
	{ "graymail_tag", CONF_STRING | CONF_SCOPED | CONF_FORM,
	  AT(graymail_tag), "[BULK]", 0, 60,
	  "The same where graymail_action is tag.", NULL },
	{ "header", CONF_BOOL, AT(header), "true", 0, 0,
	  "Inbound mail gets a field X-Gatehouse-Spam with the probability "
	  "and the reasons. Fields of that name that it brings are removed "
	  "in any case.", NULL },
	{ 0 }
};

enum rc
antispam_check(const struct antispam_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r)
{
	bool discards = conf->action == SPAM_DISCARD ||
	    conf->phishing_action == SPAM_DISCARD ||
	    conf->fraud_action == SPAM_DISCARD ||
	    conf->graymail_action == SPAM_DISCARD ||
	    conf->out_action == SPAM_DISCARD || conf->blocked == SPAM_DISCARD;

	if (discards && !house_stores(house)) {
		*why_r = SLICE("discard needs a store for a record of the "
		    "message; set store_key in gatehouse.conf, or use "
		    "quarantine");
		return RC_BAD;
	}
	if (conf->act_at < conf->tag_at && conf->tag_at != SPAM_NEVER) {
		*why_r = arena_printf(a, "act_at (%u) is below tag_at (%u), so "
		    "nothing would ever be marked; make it higher, or set "
		    "tag_at to 101", conf->act_at, conf->tag_at);
		return RC_BAD;
	}
	return RC_OK;
}
