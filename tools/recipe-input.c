/* What a recipe is made of, gathered from files. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "milter/settings.h"
#include "milters/all.h"
#include "services/spamcheck/options.h"
#include "services/splitter/splitter.h"
#include "tools/directory-conf.h"
#include "tools/maincf.h"
#include "tools/postfix-site.h"

static bool
knows(void *arg, const char *name)
{
	const struct postfix_site *site = arg;

	return map_get(site->known, slice_of(name)) != NULL;
}

static const char *
existing(void *arg, const char *name)
{
	const struct postfix_site *site = arg;
	struct cf_line line;
	struct slice value;

	return cf_find(site->main.own, slice_of(name), site->arena, &line,
	    &value) ? arena_str(site->arena, value) : NULL;
}

static const char *
find_ca_file(void)
{
	static const char *const files[] = {
		"/etc/ssl/certs/ca-certificates.crt",	/* Debian */
		"/etc/pki/tls/certs/ca-bundle.crt",	/* Fedora, Red Hat */
		"/etc/ssl/ca-bundle.pem",		/* SUSE */
	};

	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
		if (access(files[i], R_OK) == 0)
			return files[i];
	return NULL;
}

/* What master.cf says of the door to the world. */
static void
look_at_master(struct postfix_site *site, const char *listener,
    struct recipe_input *in)
{
	struct cf_walk w = cf_walk(site->master.own, site->arena);
	struct slice want = arena_printf(site->arena, "%s/inet", listener);
	struct cf_line line;
	bool any = false;

	/* Debian's services are chrooted, so this is what a file without any
	 * gets; a socket is found either way. */
	in->chroot = true;
	while (cf_next(&w, &line)) {
		struct cf_service s;

		if (!cf_service(&line, site->arena, &s))
			continue;
		if (slice_eq(s.command, SLICE("smtpd")) && !any) {
			in->chroot = !slice_eq(s.chroot, SLICE("n")) &&
			    !slice_eq(s.chroot, SLICE("-"));
			any = true;
		}
		if (slice_eq(s.command, SLICE("postscreen")) &&
		    recipe_same_service(want, arena_printf(site->arena,
		    "%.*s/%.*s", SLICE_ARG(s.name), SLICE_ARG(s.type))))
			in->postscreen = true;
	}
}

/* --- filters ----------------------------------------------------------- */

struct loading {
	const char *conf_dir;
	const struct house_conf *house;
	const struct postfix_conf *conf;
	struct arena *a;
	struct slice *why_r;
};

static const struct filter *
find_filter(struct slice name)
{
	for (const struct filter *const *f = all_filters; *f != NULL; f++)
		if (slice_eq(slice_of((*f)->name), name))
			return *f;
	return NULL;
}

/* As a chrooted Postfix reads it too. */
static const char *
socket_of(struct arena *a, const struct house_conf *house, const char *name,
    const char *socket)
{
	struct slice s = slice_of(socket);
	struct slice queue = slice_of(house->queue_directory);

	if (s.len == 0)
		return arena_printf(a, "unix:gatehouse/%s/sock", name).ptr;
	if (slice_has(s, ':'))
		return socket;
	if (slice_starts(s, queue) && s.len > queue.len &&
	    s.ptr[queue.len] == '/')
		s = slice_after(s, queue.len + 1);
	return arena_printf(a, "unix:%.*s", SLICE_ARG(s)).ptr;
}

enum rc
recipe_filter_load(const char *conf_dir, const struct house_conf *house,
    const char *name, struct recipe_filter *f_r, struct conf_list *hosts_r,
    struct arena *a, struct slice *why_r)
{
	const struct filter *filter = find_filter(slice_of(name));
	bool chain = strcmp(name, "chain") == 0;
	struct milter_conf milter;
	void *own = arena_alloc(a, filter == NULL ? 1 :
	    filter->conf_size + 1);
	struct conf_section sections[] = {
		{ milter_options, &milter },
		{ chain ? chain_options : filter == NULL ? NULL :
		    filter->options, chain ? (void *)&milter : own },
		{ NULL, NULL },
	};
	const char *path = conf_dir == NULL || (filter == NULL && !chain) ?
	    NULL : arena_printf(a, "%s/%s.conf", conf_dir, name).ptr;
	enum rc rc;

	if (path != NULL && access(path, F_OK) != 0 && errno == ENOENT)
		path = NULL;
	rc = conf_load_trusted(a, path, sections, why_r);
	*f_r = (struct recipe_filter){ .name = name,
	    .socket = socket_of(a, house, name, milter.socket),
	    .deadline = milter.deadline,
	    .edits = filter == NULL || (filter->needs & (EDITS_HEADERS |
	    EDITS_BODY | EDITS_ENVELOPE)) != 0 };
	if (hosts_r != NULL)
		*hosts_r = chain ? milter.filters :
		    (struct conf_list){ NULL, 0 };
	return rc;
}

static enum rc
load_one(struct loading *l, const char *name, struct recipe_filter *f_r)
{
	enum rc rc = recipe_filter_load(l->conf_dir, l->house, name, f_r,
	    NULL, l->a, l->why_r);

	f_r->content_timeout = f_r->deadline + l->conf->timeout_margin;
	return rc;
}

static enum rc
load_chain(struct loading *l, const struct conf_list *names,
    const char *option, struct recipe_chain *chain_r)
{
	struct recipe_filter *items = arena_array(l->a, names->count + 1,
	    sizeof *items);
	enum rc rc = RC_OK;

	*chain_r = (struct recipe_chain){ items, names->count };
	if (l->conf->hosted) {
		chain_r->count = names->count > 0;
		return names->count > 0 ? load_one(l, "chain", items) :
		    RC_OK;
	}
	for (size_t i = 0; rc == RC_OK && i < names->count; i++) {
		const struct filter *filter = find_filter(names->items[i]);

		if (filter == NULL) {
			*l->why_r = arena_printf(l->a, "gatehouse.conf: %s: "
			    "there is no filter \"%.*s\"", option,
			    SLICE_ARG(names->items[i]));
			return RC_BAD;
		}
		rc = load_one(l, filter->name, &items[i]);
	}
	return rc;
}

/* The file of a service; where there is none, its defaults. */
static enum rc
load_service(struct loading *l, const char *name,
    const struct conf_option *options, void *conf)
{
	const struct conf_section sections[] = { { options, conf },
	    { NULL, NULL } };
	const char *path = l->conf_dir == NULL ? NULL : arena_printf(l->a,
	    "%s/%s.conf", l->conf_dir, name).ptr;

	if (path != NULL && access(path, F_OK) != 0 && errno == ENOENT)
		path = NULL;
	return conf_load_trusted(l->a, path, sections, l->why_r);
}

static enum rc
load_services(struct loading *l, struct recipe_input *in)
{
	struct splitter_conf *split = arena_alloc(l->a, sizeof *split);
	struct spamcheck_conf *check = arena_alloc(l->a, sizeof *check);
	enum rc rc = load_service(l, "splitter", splitter_options, split);

	if (rc == RC_OK)
		rc = load_service(l, "spamcheck", spamcheck_options, check);
	if (rc != RC_OK)
		return rc;
	in->splitter = (struct recipe_splitter){ .socket = socket_of(l->a,
	    l->house, "splitter", split->socket),
	    .server = split->reinject_server, .deadline = split->deadline };
	in->spamcheck = (struct recipe_spamcheck){ .socket = socket_of(l->a,
	    l->house, "spamcheck", check->socket),
	    .deadline = check->deadline };
	/* Its reports are mail of the house too. */
	in->notices = in->notices || (l->house->spamcheck.count > 0 &&
	    check->result != RESULT_WEBHOOK);
	return RC_OK;
}

/* The maps are the sync's; a directory that nobody configured has none. */
static enum rc
look_at_directory(struct loading *l, struct recipe_input *in)
{
	struct house_conf *house = arena_alloc(l->a, sizeof *house);
	struct directory_conf *conf = arena_alloc(l->a, sizeof *conf);
	enum rc rc = directory_conf_load(l->conf_dir, house, conf, l->a,
	    l->why_r);

	if (rc == RC_OK && conf->configured && conf->maps)
		in->directory = arena_printf(l->a, "%s:%s",
		    directory_map_types[conf->map_type], directory_current(
		    house, l->a, "")).ptr;
	return rc;
}

enum rc
recipe_load(const char *conf_dir, enum recipe_role role,
    struct postfix_site *site, struct recipe_input *in, struct arena *a,
    struct slice *why_r)
{
	static const enum recipe_role roles[] = { RECIPE_INBOUND,
	    RECIPE_OUTBOUND, RECIPE_BOTH };
	struct house_conf *house = arena_alloc(a, sizeof *house);
	struct postfix_conf *conf = arena_alloc(a, sizeof *conf);
	struct loading l = { conf_dir, house, conf, a, why_r };
	enum rc rc = postfix_conf_load(conf_dir, house, conf, a, why_r);

	if (rc != RC_OK)
		return rc;
	*in = (struct recipe_input){ .role = role != 0 ? role :
	    roles[conf->role], .version = site->version,
	    .knows = site->known != NULL ? knows : NULL, .existing = existing,
	    .arg = site, .map_types = site->map_types, .house = house,
	    .conf = conf, .ca_file = find_ca_file(),
	    .notices = conf_dir != NULL && access(arena_printf(a,
	    "%s/notices.conf", conf_dir).ptr, F_OK) == 0 };
	look_at_master(site, conf->inbound_listener, in);
	rc = load_services(&l, in);
	if (rc == RC_OK)
		rc = look_at_directory(&l, in);
	if (rc == RC_OK)
		rc = load_chain(&l, &house->inbound, "inbound", &in->inbound);
	return rc != RC_OK ? rc : load_chain(&l, &house->outbound, "outbound",
	    &in->outbound);
}
