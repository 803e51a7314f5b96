#include "outbound.h"

#include "envelope.h"
#include "lint.h"
#include "sender.h"
#include "senders.h"
#include "text/address.h"

enum rc
outbound_finish(const struct outbound_conf *conf, struct arena *a,
    struct slice *why_r)
{
	struct slice ascii;

	if (conf->login_domain[0] != '\0' &&
	    !domain_ascii(a, slice_of(conf->login_domain), &ascii)) {
		*why_r = arena_printf(a, "login_domain is \"%s\"; it wants a "
		    "domain, as \"example.org\"", conf->login_domain);
		return RC_BAD;
	}
	if (sender_networks(&conf->client_networks, a, why_r) != RC_OK ||
	    senders_check("sender_addresses", &conf->sender_addresses, a,
	    why_r) != RC_OK ||
	    senders_check("from_addresses", &conf->from_addresses, a,
	    why_r) != RC_OK ||
	    envelope_check(conf->bounce_address, conf->bounce_keyed, a,
	    why_r) != RC_OK)
		return RC_BAD;
	return lint_check(conf, a, why_r);
}
