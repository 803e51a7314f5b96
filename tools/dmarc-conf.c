#include "tools/dmarc-conf.h"

#include <errno.h>
#include <unistd.h>

#include "text/address.h"
#include "tools/verb.h"

#define AT(field)	offsetof(struct dmarc_report_conf, field)

enum { DAY = 86400 * 1000 };

static const char *const schemas[] = { "rfc9990", "rfc7489", NULL };

const struct conf_option dmarc_report_options[] = {
	{ "org_name", CONF_STRING, AT(org_name), "", 0, 200,
	  "Who reports, in words. Empty: the same as submitter.", NULL },
	{ "submitter", CONF_STRING, AT(submitter), "", 0, 253,
	  "The domain that reports come from; it stands in the subject and in "
	  "the name of the attached file. Empty: hostname of gatehouse.conf.",
	  NULL },
	{ "email", CONF_STRING, AT(email), "", 0, 320,
	  "The address in From of the mails and the contact in the reports, as "
	  "\"dmarc-reports@example.org\". Its domain must pass DMARC, or "
	  "reports are thrown away. It must be set before anything is sent.",
	  NULL },
	{ "contact", CONF_STRING, AT(contact), "", 0, 250,
	  "Where else somebody may turn to, as a web page. Empty: nothing is "
	  "said.", NULL },
	{ "sender", CONF_STRING, AT(sender), "", 0, 320,
	  "The reverse-path of the mails. Empty: the null reverse-path, so "
	  "that what cannot be delivered is not answered.", NULL },
	{ "schema", CONF_ENUM, AT(schema), "rfc9990", 0, 0,
	  "How reports are written: by RFC 9990, or by RFC 7489 for readers "
	  "that know nothing newer.", schemas },
	{ "interval", CONF_TIME, AT(interval), "24h", 3600 * 1000, DAY,
	  "What one report is about: a day, or a part of it that goes into a "
	  "day without rest.", NULL },
	{ "own_domains", CONF_BOOL, AT(own_domains), "false", 0, 0,
	  "Whether there are reports about the domains of gatehouse.conf, and "
	  "reports to addresses there.", NULL },
	{ "skip_domains", CONF_DOMAINS, AT(skip_domains), "", 0, 10000,
	  "No report about these domains and what is below them.", NULL },
	{ "report_mailboxes", CONF_LIST, AT(report_mailboxes), "", 0, 1000,
	  "Addresses of ours that take reports of others. Mail to them alone "
	  "is not reported on, or two reporters would answer each other for "
	  "ever. Those of email and sender are always among them.", NULL },
	{ "max_rows", CONF_COUNT, AT(max_rows), "10000", 1, 1000000,
	  "Rows of one report. What would be one more is left out, counted, "
	  "and said in the report.", NULL },
	{ "max_memory", CONF_SIZE, AT(max_memory), "256M", 1 << 20, 0,
	  "Memory for the rows of all reports of a run. What does not fit is "
	  "left out, counted and said.", NULL },
	{ "max_destinations", CONF_COUNT, AT(max_destinations), "5", 1, 20,
	  "Addresses that one report is sent to; what a domain names beyond "
	  "them is not used.", NULL },
	{ "rate", CONF_COUNT, AT(rate), "60", 1, 60000,
	  "Mails a minute handed to Postfix.", NULL },
	{ "sendmail", CONF_PATH, AT(sendmail), "/usr/sbin/sendmail", 0, 0,
	  "The sendmail(1) of Postfix. It is run without a shell.", NULL },
	{ 0 }
};

static enum rc
check_address(const char *option, const char *address, struct arena *a,
    struct slice *why_r)
{
	if (address[0] == '\0' || address_plain(slice_of(address)))
		return RC_OK;
	*why_r = arena_printf(a, "%s is \"%s\"; it wants an address, as "
	    "\"dmarc-reports@example.org\"", option, address);
	return RC_BAD;
}

enum rc
dmarc_report_finish(struct dmarc_report_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r)
{
	struct slice name;

	conf->has_email = conf->email[0] != '\0';
	if (conf->submitter[0] == '\0')
		conf->submitter = house->hostname;
	if (!domain_ascii(a, slice_of(conf->submitter), &name)) {
		*why_r = arena_printf(a, "submitter is \"%s\"; it wants a "
		    "domain, as \"example.org\"", conf->submitter);
		return RC_BAD;
	}
	conf->submitter = arena_str(a, name);
	if (conf->org_name[0] == '\0')
		conf->org_name = conf->submitter;
	if (check_address("email", conf->email, a, why_r) != RC_OK ||
	    check_address("sender", conf->sender, a, why_r) != RC_OK)
		return RC_BAD;
	if (!conf->has_email)
		conf->email = arena_printf(a, "postmaster@%s",
		    conf->submitter).ptr;
	if (DAY % conf->interval != 0 || conf->interval % 1000 != 0) {
		*why_r = SLICE("interval does not go into a day without rest; "
		    "\"1h\", \"6h\" and \"24h\" do");
		return RC_BAD;
	}
	if (conf->sendmail[0] != '/') {
		*why_r = arena_printf(a, "sendmail is \"%s\"; it wants a path "
		    "that begins with a slash", conf->sendmail);
		return RC_BAD;
	}
	return RC_OK;
}

enum rc
dmarc_report_load(const char *dir, struct house_conf *house,
    struct dmarc_report_conf *conf, struct arena *a, struct slice *why_r)
{
	const struct conf_section house_sections[] = {
	    { house_options, house }, { NULL, NULL } };
	const struct conf_section own_sections[] = {
	    { dmarc_report_options, conf }, { NULL, NULL } };
	const char *path = NULL;
	enum rc rc;

	if (dir != NULL)
		path = arena_printf(a, "%s/dmarc-report.conf", dir).ptr;
	if (path != NULL && access(path, F_OK) != 0 && errno == ENOENT)
		path = NULL;
	rc = conf_load_trusted(a, verb_house_file(dir, a), house_sections,
	    why_r);
	if (rc == RC_OK)
		rc = house_finish(house, a, why_r);
	if (rc == RC_OK)
		rc = conf_load_trusted(a, path, own_sections, why_r);
	return rc != RC_OK ? rc : dmarc_report_finish(conf, house, a, why_r);
}
