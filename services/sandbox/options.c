#include "services/sandbox/options.h"

#include "net/url.h"

#define AT(field)	offsetof(struct sandbox_conf, field)

static const char *const apis[] = { "generic", "cape", NULL };

const struct conf_option sandbox_options[] = {
	{ "url", CONF_STRING, AT(url), "http://127.0.0.1:8000/apiv2", 1, 300,
	  "Where the sandbox is asked: http or https, host, port, and the path "
	  "before what its interface defines. For CAPEv2 it ends in /apiv2.",
	  NULL },
	{ "api", CONF_ENUM, AT(api), "cape", 0, 0,
	  "How it is spoken to: \"cape\" (CAPEv2), or \"generic\", which "
	  "gatehouse-sandbox(8) defines.", apis },
	{ "token", CONF_PATH, AT(token), "", 0, 0,
	  "File with the token that it wants, on one line. Empty: none.",
	  NULL },
	{ "ca", CONF_PATH, AT(ca), "", 0, 0,
	  "File with the certificates that its own may be signed by, for "
	  "https. Empty: those that the system trusts.", NULL },
	{ "poll", CONF_TIME, AT(poll), "2s", 100, 60000,
	  "How often the quarantine is asked for mail that waits, and the "
	  "sandbox for what it was given: each file a little less often the "
	  "longer it takes, up to a minute.", NULL },
	{ "timeout", CONF_TIME, AT(timeout), "30s", 100, 300000,
	  "How long one question to the sandbox may take, with its answer.",
	  NULL },
	{ "retry", CONF_TIME, AT(retry), "5s", 100, 300000,
	  "The pause before a sandbox that could not be reached is asked "
	  "again; it doubles up to five minutes.", NULL },
	{ "cache", CONF_TIME, AT(cache), "30d", 0, (int64_t)90 * 86400000,
	  "How long a verdict on a file counts for the same file (by its "
	  "SHA-256) in other mail. 0s: for mail that waits now only.", NULL },
	{ "malicious", CONF_COUNT, AT(malicious), "70", 1, 100,
	  "From this score, of 100, a file is malicious. CAPE's score of 0 to "
	  "10 counts ten times.", NULL },
	{ "suspicious", CONF_COUNT, AT(suspicious), "40", 1, 100,
	  "From this score it is suspicious.", NULL },
	{ "tries", CONF_COUNT, AT(tries), "3", 1, 100,
	  "How often a file is given to the sandbox when its work on it fails "
	  "or its answers make no sense; then it has no answer for it.", NULL },
	{ "file_limit", CONF_SIZE, AT(file_limit), "50M", 1, 1 << 30,
	  "Larger files are not given to the sandbox: there is no answer for "
	  "them.", NULL },
	{ "report_limit", CONF_SIZE, AT(report_limit), "32M", 1024, 1 << 28,
	  "The longest answer of the sandbox that is read.", NULL },
	{ .name = NULL }
};

enum rc
sandbox_check(void *arg, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	const struct sandbox_conf *conf = arg;
	struct url url;

	(void)house;
	if (!url_parse(slice_of(conf->url), &url)) {
		*why_r = arena_printf(a, "url is \"%s\"; it wants an address "
		    "as \"https://cape.example.org/apiv2\"", conf->url);
		return RC_BAD;
	}
	if (conf->suspicious > conf->malicious) {
		*why_r = arena_printf(a, "suspicious is %u, and malicious %u; "
		    "nothing would ever be suspicious", conf->suspicious,
		    conf->malicious);
		return RC_BAD;
	}
	return RC_OK;
}
