#include "tools/doctor-chain.h"

#include <string.h>
#include <unistd.h>

#include "milter/settings.h"
#include "milters/all.h"

static const char *
file_of(struct doctor_report *r, const char *name)
{
	const char *dir = r->doctor->conf_dir, *path;

	if (dir == NULL)
		return NULL;
	path = arena_printf(r->arena, "%s/%s.conf", dir, name).ptr;
	return access(path, F_OK) == 0 ? path : NULL;
}

static enum rc
load_chain(struct doctor_report *r, struct milter_conf *conf,
    struct slice *why_r)
{
	const struct conf_section sections[] = { { milter_options, conf },
	    { chain_options, conf }, { NULL, NULL } };

	return conf_load_trusted(r->arena, file_of(r, "chain"), sections,
	    why_r);
}

/* A filter that this program does not know has no table to read its file by:
 * then the defaults are all that is known. */
static enum rc
load_single(struct doctor_report *r, const char *name,
    struct milter_conf *conf, struct slice *why_r)
{
	const struct filter *const *f = all_filters;

	while (*f != NULL && strcmp((*f)->name, name) != 0)
		f++;
	const struct conf_section sections[] = { { milter_options, conf },
	    { *f != NULL ? (*f)->options : NULL, *f != NULL ?
	    arena_alloc(r->arena, (*f)->conf_size + 1) : NULL },
	    { NULL, NULL } };

	return conf_load_trusted(r->arena, *f != NULL ? file_of(r, name) :
	    NULL, sections, why_r);
}

enum rc
chain_host(struct doctor_report *r, const char *filter, bool hosted,
    struct recipe_filter *host_r, struct slice *why_r)
{
	struct milter_conf conf = { .socket = NULL };
	enum rc rc = hosted ? load_chain(r, &conf, why_r) :
	    load_single(r, filter, &conf, why_r);

	*host_r = (struct recipe_filter){
		.name = hosted ? "chain" : filter,
		.deadline = conf.deadline,
		.socket = conf.socket != NULL && conf.socket[0] != '\0' ?
		    arena_printf(r->arena, "unix:%s", conf.socket).ptr :
		    arena_printf(r->arena, "unix:gatehouse/%s/sock",
		    hosted ? "chain" : filter).ptr,
	};
	return rc;
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
	struct milter_conf chain = { .socket = NULL };
	struct recipe_filter host;
	struct slice why;

	if (!slice_starts(endpoint, SLICE("unix:")))
		return (struct conf_list){ NULL, 0 };
	for (int l = 0; l < 2; l++)
		for (size_t i = 0; i < lists[l]->count; i++)
			if (chain_host(r, lists[l]->items[i].ptr, false, &host,
			    &why) == RC_OK && same_socket(r, endpoint,
			    slice_of(host.socket)))
				return one_name(r, lists[l]->items[i]);
	if (chain_host(r, "chain", true, &host, &why) == RC_OK &&
	    same_socket(r, endpoint, slice_of(host.socket)) &&
	    load_chain(r, &chain, &why) == RC_OK)
		return chain.filters;
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

static bool
knows(void *arg, const char *name)
{
	return postconf_main(arg, name).ptr != NULL;
}

/* The administrator's certificate stays his. All else of main.cf is left out:
 * what a recipe puts first in a list is then all that it wants there. */
static const char *
existing(void *arg, const char *name)
{
	if (strncmp(name, "smtpd_tls_", 10) != 0)
		return NULL;
	return postconf_main(arg, name).ptr;
}

static enum rc
build_chain(struct doctor_report *r, const struct conf_list *names,
    const struct postfix_conf *conf, struct recipe_chain *chain_r,
    struct slice *why_r)
{
	struct recipe_filter *items = arena_array(r->arena, names->count + 1,
	    sizeof *items);
	size_t count = conf->hosted && names->count > 0 ? 1 : names->count;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < count; i++) {
		rc = chain_host(r, names->items[i].ptr, conf->hosted,
		    &items[i], why_r);
		items[i].content_timeout = items[i].deadline +
		    conf->timeout_margin;
	}
	*chain_r = (struct recipe_chain){ items, count };
	return rc;
}

static struct conf_list
type_list(struct doctor_report *r)
{
	const struct postconf *pc = r->doctor->postfix;

	return (struct conf_list){ pc->types, pc->ntypes };
}

static void
look_at_services(const struct postconf *pc, struct recipe_input *in)
{
	for (size_t i = 0; i < pc->nservices; i++) {
		const struct postconf_service *s = &pc->services[i];

		in->postscreen |= slice_eq(s->command, SLICE("postscreen"));
		in->chroot |= slice_eq(s->command, SLICE("cleanup")) &&
		    s->chroot;
	}
}

enum rc
chain_recipe(struct doctor_report *r, struct recipe *recipe_r,
    struct slice *why_r)
{
	const struct postconf *pc = r->doctor->postfix;
	struct house_conf *house = arena_alloc(r->arena, sizeof *house);
	struct postfix_conf *conf = arena_alloc(r->arena, sizeof *conf);
	struct recipe_input in = { .knows = knows, .existing = existing,
	    .arg = (void *)(uintptr_t)pc, .map_types = type_list(r),
	    .house = house, .conf = conf };
	enum rc rc = postfix_conf_load(r->doctor->conf_dir, house, conf,
	    r->arena, why_r);

	if (rc != RC_OK)
		return rc;
	in.role = (enum recipe_role)(conf->role + 1);
	postfix_version_read(arena_str(r->arena, postconf_main(pc,
	    "mail_version")), &in.version);
	look_at_services(pc, &in);
	rc = build_chain(r, &house->inbound, conf, &in.inbound, why_r);
	if (rc == RC_OK)
		rc = build_chain(r, &house->outbound, conf, &in.outbound,
		    why_r);
	return rc != RC_OK ? rc : recipe_build(&in, recipe_r, r->arena, why_r);
}
