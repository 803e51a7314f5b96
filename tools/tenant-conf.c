#include "tools/tenant-conf.h"

#include <errno.h>
#include <unistd.h>

#include "net/ip.h"
#include "text/address.h"
#include "tools/verb.h"

#define AT(field)	offsetof(struct tenant_conf, field)

enum { DAY = 86400 * 1000 };

const char *const tenant_algorithms[] = { "rsa", "ed25519", NULL };

const struct conf_option tenant_conf_options[] = {
	{ "mx", CONF_LIST, AT(mx), "", 0, 20,
	  "The names of our machines that take mail, as tenants are to name "
	  "them in their MX records. Empty: hostname of gatehouse.conf.",
	  NULL },
	{ "spf_include", CONF_STRING, AT(spf_include), "", 0, 253,
	  "The domain that tenants are to include in their SPF record, as "
	  "\"spf.example.net\". Empty: they are to name our addresses "
	  "otherwise.", NULL },
	{ "outbound", CONF_LIST, AT(outbound), "", 0, 100,
	  "The addresses that mail leaves from. A tenant's SPF has to pass for "
	  "each of them. Empty: that is not checked.", NULL },
	{ "dkim_directory", CONF_PATH, AT(dkim_directory),
	  "/etc/gatehouse/dkim", 0, 0,
	  "Where keys are made, NAME.SELECTOR.pem; nobody but root reads "
	  "them.", NULL },
	{ "dkim_algorithm", CONF_ENUM, AT(dkim_algorithm), "rsa", 0, 0,
	  "What keys are made: RSA of 2048 bits, which all understand, or "
	  "Ed25519 (RFC 8463).", tenant_algorithms },
	{ "notice", CONF_TIME, AT(notice), "30d", 0, (int64_t)3650 * DAY,
	  "How long before it goes a tenant is told so.", NULL },
	{ 0 }
};

static enum rc
check(struct tenant_conf *conf, const struct house_conf *house,
    const char *path, struct arena *a, struct slice *why_r)
{
	struct slice *mx, name;
	struct ip ip;

	if (conf->mx.count == 0) {
		mx = arena_alloc(a, sizeof *mx);
		*mx = slice_of(house->hostname);
		conf->mx = (struct conf_list){ mx, 1 };
	}
	if (conf->spf_include[0] != '\0' &&
	    !domain_ascii(a, slice_of(conf->spf_include), &name)) {
		*why_r = arena_printf(a, "%s: spf_include is \"%s\"; it wants "
		    "a domain, as \"spf.example.net\"", path,
		    conf->spf_include);
		return RC_BAD;
	}
	for (size_t i = 0; i < conf->outbound.count; i++)
		if (!ip_parse(conf->outbound.items[i], &ip)) {
			*why_r = arena_printf(a, "%s: outbound has \"%.*s\"; "
			    "it wants addresses, as \"192.0.2.1\"", path,
			    SLICE_ARG(conf->outbound.items[i]));
			return RC_BAD;
		}
	return RC_OK;
}

enum rc
tenant_conf_load(const char *dir, struct house_conf *house,
    struct tenant_conf *conf, struct arena *a, struct slice *why_r)
{
	const struct conf_section house_sections[] = {
	    { house_options, house }, { NULL, NULL } };
	const struct conf_section own[] = {
	    { tenant_conf_options, conf }, { NULL, NULL } };
	const char *path = dir == NULL ? "tenants.conf" :
	    arena_printf(a, "%s/tenants.conf", dir).ptr;
	bool there = dir != NULL && (access(path, F_OK) == 0 ||
	    errno != ENOENT);
	enum rc rc = conf_load_trusted(a, verb_house_file(dir, a),
	    house_sections, why_r);

	if (rc == RC_OK)
		rc = house_finish(house, a, why_r);
	if (rc == RC_OK)
		rc = conf_load_trusted(a, there ? path : NULL, own, why_r);
	return rc == RC_OK ? check(conf, house, path, a, why_r) : rc;
}
