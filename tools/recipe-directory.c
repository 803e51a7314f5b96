/* The maps that gatehouse directory sync makes, where they go. */
#include "tools/recipe-build.h"

const char *
b_directory(struct builder *b, const char *map, const struct conf_list *more,
    const char *option)
{
	bool ours = b->in->directory != NULL &&
	    (b->in->role & RECIPE_INBOUND) != 0;

	if (!ours)
		return more->count > 0 ? b_maps(b, more, option) : NULL;
	return b_printf(b, "%s/%s%s%s", b->in->directory, map,
	    more->count > 0 ? ", " : "", b_maps(b, more, option));
}

/* Where mail of tenants goes, also of those whom no directory has. */
static const char *
tenants(struct builder *b)
{
	const struct tenants *all = &b->in->house->tenant_list;
	struct buf text = buf_in(b->arena);

	for (size_t i = 0; i < all->count; i++) {
		const struct tenant *t = &all->items[i];
		struct slice to = tenant_transport(b->arena, t);

		for (size_t k = 0; to.ptr != NULL && k < t->domains.count; k++)
			buf_addf(&text, "%.*s %.*s\n",
			    SLICE_ARG(t->domains.items[k]), SLICE_ARG(to));
	}
	if (text.len == 0 || !(b->in->role & RECIPE_INBOUND))
		return NULL;
	b_map(b, "tenants", arena_str(b->arena, buf_slice(&text)),
	    "inbound mail of tenants goes to their relay hosts");
	return "texthash:" RECIPE_DIR "/tenants";
}

const char *
b_transports(struct builder *b)
{
	const char *users = b_directory(b, "transports",
	    &b->conf->transport_maps, "transport_maps");
	const char *all[] = { b_spamcheck_map(b), users, tenants(b) };
	struct buf out = buf_in(b->arena);

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		if (all[i] != NULL)
			buf_addf(&out, "%s%s", out.len > 0 ? ", " : "",
			    all[i]);
	return out.len > 0 ? arena_str(b->arena, buf_slice(&out)) : NULL;
}

void
recipe_aliases(struct builder *b)
{
	const char *ours;

	if (b->in->directory == NULL)
		return;
	ours = b_printf(b, "%s/aliases", b->in->directory);
	b_main(b, (struct want){ RECIPE_MUST, RECIPE_FIRST, NULL },
	    "virtual_alias_maps", b_first(b, "virtual_alias_maps", ours),
	    "an alias of the directory is the mailboxes that it leads to");
}

/* What comes back from quarantine was for the alias, since filters see
 * recipients before they are expanded; all else was done when it came. */
void
recipe_reinject_cleanup(struct builder *b)
{
	static const char *const off[] = { "canonical_maps",
	    "sender_canonical_maps", "recipient_canonical_maps",
	    "masquerade_domains", "always_bcc", "sender_bcc_maps",
	    "recipient_bcc_maps" };

	if (b->in->directory == NULL) {
		b_option(b, MUST, "receive_override_options",
		    "no_address_mappings", "nor its recipients, who were "
		    "chosen when it came");
		return;
	}
	b_option(b, MUST, "cleanup_service_name", "gatehouse-reinject",
	    "an alias that it was held for is still expanded");
	b_own_service(b, "gatehouse-reinject/unix", b_columns(b, "unix", "n",
	    "0", "cleanup"), "cleanup(8) for what comes back from quarantine");
	b_option(b, MAY, "syslog_name", "postfix/reinject",
	    "the log says which one it was");
	for (size_t i = 0; i < sizeof off / sizeof off[0]; i++)
		b_option(b, MUST, off[i], "", "that was done when it came");
	b_option(b, MUST, "virtual_alias_maps", b_printf(b, "%s/aliases",
	    b->in->directory), "aliases of the directory and no others");
}
