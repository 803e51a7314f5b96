/* gatehouse check-config: all files of the house, each with its tables. */
#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#include "milter/settings.h"
#include "milters/all.h"
#include "text/json.h"
#include "tools/dmarc-conf.h"
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

struct check {
	struct arena *a;
	const char *dir;
	struct buf out;
	struct json w;
	bool json;
	int status;
};

static void
tell(struct check *c, const char *name, enum rc rc, struct slice why)
{
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

static void
check(struct check *c, const char *name, const struct filter *const *filters,
    bool chain)
{
	struct settings_source source = {
		.conf_dir = c->dir, .name = name, .filters = filters,
		.chain = chain, .trusted = true, .optional = true,
		.only_check = true,
		.house_file = verb_house_file(c->dir, c->a),
	};
	struct settings *set;
	struct slice why = SLICE("");
	enum rc rc = settings_load(&source, NULL, &set, c->a, &why);

	if (rc == RC_OK)
		settings_drop(set);
	tell(c, name, rc, why);
}

static void
check_dmarc_report(struct check *c)
{
	struct house_conf house;
	struct dmarc_report_conf conf;
	struct slice why = SLICE("");

	tell(c, "dmarc-report", dmarc_report_load(c->dir, &house, &conf, c->a,
	    &why), why);
}

static void
check_all(struct check *c)
{
	for (const struct filter *const *f = all_filters; *f != NULL; f++) {
		const struct filter *one[] = { *f, NULL };

		check(c, (*f)->name, one, false);
	}
	if (c->dir != NULL && access(arena_printf(c->a, "%s/chain.conf",
	    c->dir).ptr, F_OK) == 0)
		check(c, "chain", all_filters, true);
	check_dmarc_report(c);
}

int
verb_check_config(int argc, char **argv, struct arena *a)
{
	struct check c = { .a = a, .out = buf_in(a) };
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
	c.dir = verb_conf_dir(dir);
	if (c.dir == NULL || access(c.dir, R_OK | X_OK) != 0)
		return verb_fails(EX_NOINPUT, "%s: no such folder, or not "
		    "ours to read", c.dir != NULL ? c.dir :
		    SYSCONFDIR "/gatehouse");
	json_init(&c.w, &c.out);
	if (c.json) {
		json_pretty(&c.w);
		json_begin_array(&c.w);
	}
	check_all(&c);
	if (c.json) {
		json_end(&c.w);
		buf_addc(&c.out, '\n');
	}
	o = verb_print(&c.out);
	return o != EX_OK ? o : c.status;
}
