/* gatehouse check-config: all files of the house, each with its tables. */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "milter/settings.h"
#include "milters/all.h"
#include "notice/options.h"
#include "services/spamcheck/spamcheck.h"
#include "services/splitter/splitter.h"
#include "services/store/store.h"
#include "services/track/options.h"
#include "text/json.h"
#include "tools/check-config.h"
#include "tools/directory-conf.h"
#include "tools/dmarc-conf.h"
#include "tools/postfix-conf.h"
#include "tools/tenant-conf.h"
#include "tools/verb.h"

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "json", no_argument, NULL, 'j' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse check-config [--config DIR] [--json]\n"
	    "\n"
	    "Reads DIR/gatehouse.conf and the file of each milter as the "
	    "daemons would, and\n"
	    "says file, line, what is wrong and what would be right. Exit "
	    "status 0: all is\n"
	    "right; 78: something is wrong.\n"
	    "\n"
	    "  --config DIR   instead of " SYSCONFDIR "/gatehouse\n"
	    "  --json         one JSON object");
	return EX_OK;
}

struct files {
	const char *dir;
	struct arena *arena;
	check_config_told *told;
	void *arg;
};

static void
check(const struct files *f, const char *name,
    const struct filter *const *filters, bool chain)
{
	struct settings_source source = {
		.conf_dir = f->dir, .name = name, .filters = filters,
		.chain = chain, .trusted = true, .optional = true,
		.only_check = true,
		.house_file = verb_house_file(f->dir, f->arena),
	};
	struct settings *set;
	struct slice why = SLICE("");
	enum rc rc = settings_load(&source, NULL, &set, f->arena, &why);

	if (rc == RC_OK)
		settings_drop(set);
	f->told(f->arg, name, rc, why);
}

static void
check_dmarc_report(const struct files *f)
{
	struct house_conf house;
	struct dmarc_report_conf conf;
	struct slice why = SLICE("");

	f->told(f->arg, "dmarc-report", dmarc_report_load(f->dir, &house,
	    &conf, f->arena, &why), why);
}

static void
check_postfix(const struct files *f)
{
	struct house_conf house;
	struct postfix_conf conf;
	struct slice why = SLICE("");

	f->told(f->arg, "postfix-config", postfix_conf_load(f->dir, &house,
	    &conf, f->arena, &why), why);
}

static void
check_directory(const struct files *f)
{
	struct house_conf house = { 0 };
	struct directory_conf conf = { 0 };
	struct slice why = SLICE("");

	f->told(f->arg, "directory", directory_conf_load(f->dir, &house, &conf,
	    f->arena, &why), why);
}

static void
check_tenants(const struct files *f)
{
	struct house_conf house = { 0 };
	struct tenant_conf conf = { 0 };
	struct slice why = SLICE("");

	f->told(f->arg, "tenant", tenant_conf_load(f->dir, &house, &conf,
	    f->arena, &why), why);
}

/* A daemon that is no milter, where its file is. */
static void
check_service(const struct files *f, const struct service *service)
{
	struct service_set *set;
	struct slice why = SLICE("");
	const char *path;
	enum rc rc;

	if (f->dir == NULL)
		return;
	path = arena_printf(f->arena, "%s/%s.conf", f->dir,
	    service->name).ptr;
	if (access(path, F_OK) != 0)
		return;
	rc = service_load(service, verb_house_file(f->dir, f->arena), path,
	    true, &set, f->arena, &why);
	if (rc == RC_OK)
		service_set_drop(set);
	f->told(f->arg, service->name, rc, why);
}

/* Its templates too. Without the file there are no notices. */
static void
check_notices(const struct files *f)
{
	const struct conf_section sections[2] = { { house_options,
	    arena_alloc(f->arena, sizeof(struct house_conf)) },
	    { NULL, NULL } };
	struct house_conf *house = sections[0].base;
	struct slice why = SLICE("");
	struct notices *notices;
	const char *path;
	enum rc rc;

	if (f->dir == NULL)
		return;
	path = arena_printf(f->arena, "%s/notices.conf", f->dir).ptr;
	if (access(path, F_OK) != 0)
		return;
	rc = conf_load_trusted(f->arena, verb_house_file(f->dir, f->arena),
	    sections, &why);
	if (rc == RC_OK)
		rc = house_finish(house, f->arena, &why);
	if (rc == RC_OK)
		rc = notices_load(f->arena, path, true, house, &notices,
		    &why);
	f->told(f->arg, "notices", rc, why);
}

void
check_config_each(const char *dir, struct arena *a, check_config_told *told,
    void *arg)
{
	const struct files files = { dir, a, told, arg };

	for (const struct filter *const *f = all_filters; *f != NULL; f++) {
		const struct filter *one[] = { *f, NULL };

		check(&files, (*f)->name, one, false);
	}
	if (dir != NULL && access(arena_printf(a, "%s/chain.conf", dir).ptr,
	    F_OK) == 0)
		check(&files, "chain", all_filters, true);
	check_dmarc_report(&files);
	check_directory(&files);
	check_tenants(&files);
	check_notices(&files);
	check_postfix(&files);
	check_service(&files, &spamcheck_service);
	check_service(&files, &splitter_service);
	check_service(&files, &store_service);
	check_service(&files, &track_settings);
}

struct check {
	struct buf out;
	struct json w;
	bool json;
	int status;
};

static void
tell(void *arg, const char *name, enum rc rc, struct slice why)
{
	struct check *c = arg;

	if (rc != RC_OK)
		c->status = verb_status(rc);
	if (!c->json) {
		buf_addf(&c->out, "%s: ", name);
		buf_add(&c->out, rc == RC_OK ? SLICE("right") : why);
		buf_addc(&c->out, '\n');
		return;
	}
	json_begin_object(&c->w);
	json_put(&c->w, "program", slice_of(name));
	json_put_bool(&c->w, "ok", rc == RC_OK);
	if (rc != RC_OK)
		json_put(&c->w, "error", why);
	json_end(&c->w);
}

int
verb_check_config(int argc, char **argv, struct arena *a)
{
	struct check c = { .out = buf_in(a) };
	const char *dir = NULL;
	int o;

	optind = 1;
	while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (o) {
		case 'c': dir = optarg; break;
		case 'j': c.json = true; break;
		case 'h': return help();
		default: return EX_USAGE;
		}
	}
	if (optind < argc)
		return verb_fails(EX_USAGE, "check-config: no such argument: "
		    "%s", argv[optind]);
	dir = verb_conf_dir(dir);
	if (dir == NULL || access(dir, R_OK | X_OK) != 0)
		return verb_fails(EX_NOINPUT, "%s: no such folder, or not "
		    "ours to read", dir != NULL ? dir :
		    SYSCONFDIR "/gatehouse");
	json_init(&c.w, &c.out);
	if (c.json) {
		json_pretty(&c.w);
		json_begin_array(&c.w);
	}
	check_config_each(dir, a, tell, &c);
	if (c.json) {
		json_end(&c.w);
		buf_addc(&c.out, '\n');
	}
	o = verb_print(&c.out);
	return o != EX_OK ? o : c.status;
}
