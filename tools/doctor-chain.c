#include "tools/doctor-chain.h"

#include <string.h>

#include "tools/postfix-site.h"

enum rc
chain_host(struct doctor_report *r, const char *filter, bool hosted,
    struct recipe_filter *host_r, struct slice *why_r)
{
	return recipe_filter_load(r->doctor->conf_dir, r->doctor->house,
	    hosted ? "chain" : filter, host_r, NULL, r->arena, why_r);
}

static struct conf_list
one_name(struct doctor_report *r, struct slice name)
{
	struct slice *item = arena_alloc(r->arena, sizeof *item);

	*item = arena_copy(r->arena, name);
	return (struct conf_list){ item, 1 };
}

/* A relative socket, and the same with the queue directory before it. */
static bool
same_socket(const struct doctor_report *r, struct slice a, struct slice b)
{
	struct slice queue = slice_of(r->doctor->house->queue_directory);

	a = slice_after(a, 5);
	b = slice_after(b, 5);
	if (slice_starts(a, queue) && a.len > queue.len)
		a = slice_after(a, queue.len + 1);
	if (slice_starts(b, queue) && b.len > queue.len)
		b = slice_after(b, queue.len + 1);
	return slice_eq(a, b);
}

struct conf_list
chain_names(struct doctor_report *r, struct slice endpoint)
{
	const struct house_conf *house = r->doctor->house;
	const struct conf_list *lists[] = { &house->inbound,
	    &house->outbound };
	struct recipe_filter host;
	struct conf_list hosts;
	struct slice why;

	if (!slice_starts(endpoint, SLICE("unix:")))
		return (struct conf_list){ NULL, 0 };
	for (int l = 0; l < 2; l++)
		for (size_t i = 0; i < lists[l]->count; i++)
			if (chain_host(r, lists[l]->items[i].ptr, false, &host,
			    &why) == RC_OK && same_socket(r, endpoint,
			    slice_of(host.socket)))
				return one_name(r, lists[l]->items[i]);
	if (recipe_filter_load(r->doctor->conf_dir, house, "chain", &host,
	    &hosts, r->arena, &why) == RC_OK &&
	    same_socket(r, endpoint, slice_of(host.socket)))
		return hosts;
	/* Of ours by its name, but in neither list. */
	endpoint = slice_after(endpoint, slice_search(endpoint,
	    SLICE("gatehouse/")) + 10);
	if (endpoint.len > 0)
		return one_name(r, slice_sub(endpoint, 0, slice_find(endpoint,
		    '/')));
	return (struct conf_list){ NULL, 0 };
}

/* Does a listener name the socket of gatehouse-chain? */
static bool
names_chain(struct doctor_report *r, struct slice socket)
{
	const struct postconf *pc = r->doctor->postfix;
	struct postconf_milter milters[POSTCONF_MILTERS];

	for (size_t i = 0; i < pc->nservices; i++) {
		const struct postconf_service *s = &pc->services[i];
		size_t n = !slice_eq(s->command, SLICE("smtpd")) ? 0 :
		    postconf_milters(pc, s, "smtpd_milters", r->arena,
		    milters);

		while (n > 0)
			if (same_socket(r, milters[--n].endpoint, socket))
				return true;
	}
	return false;
}

bool
chain_hosted(struct doctor_report *r)
{
	struct house_conf *house = arena_alloc(r->arena, sizeof *house);
	struct postfix_conf *conf = arena_alloc(r->arena, sizeof *conf);
	struct recipe_filter host;
	struct slice why;

	if (postfix_conf_load(r->doctor->conf_dir, house, conf, r->arena,
	    &why) == RC_OK && conf->hosted)
		return true;
	return r->doctor->postfix != NULL && chain_host(r, "chain", true,
	    &host, &why) == RC_OK && names_chain(r, slice_of(host.socket));
}

bool
chain_outbound(const struct doctor_report *r,
    const struct postconf_service *s)
{
	return conf_list_has(&r->doctor->house->outbound_daemons,
	    postconf_value(r->doctor->postfix, s, "milter_macro_daemon_name",
	    r->arena));
}

/* --- the recipe ---------------------------------------------------------- */

/* The files as they are; and as if there were none, where our marks in them
 * are broken: the recipe can be compared with what postconf says all the
 * same. */
static enum rc
read_site(struct doctor_report *r, struct postfix_site *site,
    struct slice *edited_r)
{
	const struct postconf *pc = r->doctor->postfix;
	const char *dir = arena_str(r->arena, postconf_value(pc, NULL,
	    "config_directory", r->arena));
	enum rc rc = postfix_site_read(site, dir, r->arena, edited_r);

	if (rc != RC_BAD)
		return rc;
	postfix_site_assumed(site, arena_str(r->arena, postconf_main(pc,
	    "mail_version")), r->arena);
	site->map_types = (struct conf_list){ pc->types, pc->ntypes };
	return RC_OK;
}

enum rc
chain_recipe(struct doctor_report *r, struct recipe *recipe_r,
    struct slice *edited_r, struct slice *why_r)
{
	struct postfix_site *site = arena_alloc(r->arena, sizeof *site);
	struct recipe_input *in = arena_alloc(r->arena, sizeof *in);
	enum rc rc;

	*edited_r = SLICE("");
	rc = read_site(r, site, edited_r);
	if (rc != RC_OK) {
		*why_r = *edited_r;
		return rc;
	}
	rc = recipe_load(r->doctor->conf_dir, 0, site, in, r->arena, why_r);
	return rc != RC_OK ? rc : recipe_build(in, recipe_r, r->arena, why_r);
}

const char *
chain_mend(struct doctor_report *r, const char *command)
{
	const struct doctor *d = r->doctor;

	if (!d->applied)
		return command;
	return doctor_type(r, "gatehouse postfix-config --apply%s%s%s%s && "
	    "postfix%s reload", d->conf_given ? " --config " : "",
	    d->conf_given ? doctor_shell(r, slice_of(d->conf_dir)) : "",
	    d->postfix_dir != NULL ? " --postfix " : "", d->postfix_dir !=
	    NULL ? doctor_shell(r, slice_of(d->postfix_dir)) : "",
	    doctor_instance(r));
}

/* The recipe's own list; and behind it what is not ours. */
static struct slice
right_value(struct doctor_report *r, const struct postconf_service *service,
    const char *parameter, bool outbound)
{
	const char *name = outbound ? "$gatehouse_outbound" :
	    "$gatehouse_inbound";
	struct buf out = buf_in(r->arena);
	struct slice rest = postconf_value(r->doctor->postfix, service,
	    parameter, r->arena), word, endpoint, inner;
	bool braced;

	buf_adds(&out, name);
	while (postconf_word(&rest, &word, &braced)) {
		inner = word;
		if (!braced || !postconf_word(&inner, &endpoint, NULL))
			endpoint = word;
		if (chain_names(r, endpoint).count > 0)
			continue;
		buf_adds(&out, braced ? ", {" : ", ");
		buf_add(&out, word);
		buf_adds(&out, braced ? "}" : "");
	}
	return buf_slice(&out);
}

/* gatehouse_inbound or gatehouse_outbound as the recipe has it. */
static const char *
recipe_list(struct doctor_report *r, bool outbound)
{
	const char *name = outbound ? "gatehouse_outbound" :
	    "gatehouse_inbound";
	struct recipe recipe;
	struct slice why, edited;

	if (chain_recipe(r, &recipe, &edited, &why) != RC_OK)
		return NULL;
	for (size_t i = 0; i < recipe.nentries; i++)
		if (recipe.entries[i].file == RECIPE_MAIN &&
		    strcmp(recipe.entries[i].name, name) == 0)
			return arena_printf(r->arena, "%s=%s", name,
			    recipe.entries[i].value).ptr;
	return NULL;
}

const char *
chain_mend_list(struct doctor_report *r,
    const struct postconf_service *service, const char *parameter,
    bool outbound)
{
	const char *list = recipe_list(r, outbound);
	const char *dir = doctor_instance(r);
	struct slice value = right_value(r, service, parameter, outbound);
	struct slice name = slice_of(parameter);
	bool own = postconf_own(r->doctor->postfix, service, name);

	if (list == NULL)
		return "# correct gatehouse.conf, postfix.conf and the files "
		    "of the milters first: gatehouse check-config";
	return chain_mend(r, doctor_type(r, "postconf%s -e %s && postconf%s "
	    "%s %s && postfix%s reload", dir, doctor_shell(r, slice_of(list)),
	    dir, own ? "-P" : "-e", doctor_shell(r, own ?
	    arena_printf(r->arena, "%.*s/%.*s/%s=%.*s",
	    SLICE_ARG(service->name), SLICE_ARG(service->type), parameter,
	    SLICE_ARG(postconf_packed(value, r->arena))) :
	    arena_printf(r->arena, "%s=%.*s", parameter,
	    SLICE_ARG(value))), dir));
}
