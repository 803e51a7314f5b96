#include "sender.h"

static bool
read_network(struct slice item, struct network *net_r, struct slice *name_r)
{
	struct slice net = slice_trim(slice_cut(item, '=', name_r));

	*name_r = slice_trim(*name_r);
	return name_r->len > 0 && net_parse(net, net_r);
}

enum rc
sender_networks(const struct conf_list *items, struct arena *a,
    struct slice *why_r)
{
	for (size_t i = 0; i < items->count; i++) {
		struct network net;
		struct slice name;

		if (read_network(items->items[i], &net, &name))
			continue;
		*why_r = arena_printf(a, "client_networks has \"%.*s\"; it "
		    "wants a network and a client, as \"192.0.2.0/24=acme\"",
		    SLICE_ARG(items->items[i]));
		return RC_BAD;
	}
	return RC_OK;
}

/* Of the narrowest network that holds it. */
static struct slice
client_of(const struct conf_list *items, const struct ip *ip)
{
	struct slice found = SLICE_NONE;
	unsigned bits = 0;

	for (size_t i = 0; i < items->count && ip->family != 0; i++) {
		struct network net;
		struct slice name;

		if (!read_network(items->items[i], &net, &name) ||
		    net.ip.family != ip->family ||
		    !ip_match(&net.ip, ip, net.bits) ||
		    (found.ptr != NULL && net.bits < bits))
			continue;
		found = name;
		bits = net.bits;
	}
	return found;
}

void
sender_of(struct arena *a, const struct policy *policy,
    const struct outbound_conf *conf, const struct client *client,
    struct sender *sender_r)
{
	struct slice login = client->user;

	*sender_r = (struct sender){ .login = login, .address = SLICE_NONE,
	    .client = SLICE_NONE };
	if (login.len > 0) {
		sender_r->address = policy_login(policy, a, login);
		if (sender_r->address.ptr == NULL &&
		    conf->login_domain[0] != '\0' && !slice_has(login, '@'))
			sender_r->address = arena_printf(a, "%.*s@%s",
			    SLICE_ARG(login), conf->login_domain);
		sender_r->key = login;
		return;
	}
	sender_r->client = client_of(&conf->client_networks, &client->ip);
	sender_r->key = sender_r->client.ptr != NULL ? sender_r->client :
	    client->ip.family != 0 ? ip_format(a, &client->ip) :
	    SLICE("local");
}
