/* gatehouse tenant: clients of the house come, are looked after, and go. */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "log/log.h"
#include "text/json.h"
#include "tools/tenant.h"
#include "tools/verb.h"

enum { OPT_KEY = 256, OPT_NO_KEY, OPT_KEEP_KEY, OPT_NOW, OPT_CANCEL,
    OPT_USERS, OPT_SAMPLE, OPT_MANUAL, OPT_TENANT_MANUAL };

static const struct option longs[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "domain", required_argument, NULL, 'd' },
	{ "relay-host", required_argument, NULL, 'r' },
	{ "network", required_argument, NULL, 'n' },
	{ "contact", required_argument, NULL, 'k' },
	{ "selector", required_argument, NULL, 's' },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "no-key", no_argument, NULL, OPT_NO_KEY },
	{ "keep-key", no_argument, NULL, OPT_KEEP_KEY },
	{ "now", no_argument, NULL, OPT_NOW },
	{ "cancel", no_argument, NULL, OPT_CANCEL },
	{ "with-users", no_argument, NULL, OPT_USERS },
	{ "resolver", required_argument, NULL, 'R' },
	{ "json", no_argument, NULL, 'j' },
	{ "sample", no_argument, NULL, OPT_SAMPLE },
	{ "manual", no_argument, NULL, OPT_MANUAL },
	{ "tenant-manual", no_argument, NULL, OPT_TENANT_MANUAL },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
help(void)
{
	puts("usage: gatehouse tenant add NAME --domain D... [OPTION]...\n"
	    "       gatehouse tenant remove NAME [--now] [--cancel] "
	    "[OPTION]...\n"
	    "       gatehouse tenant check [NAME] [--resolver H:P] [--json]\n"
	    "       gatehouse tenant list [--json]\n"
	    "\n"
	    "A tenant is a client with domains of his own, a file each in the "
	    "folder that\n"
	    "tenants of gatehouse.conf names. add makes it, and a key, and "
	    "says what he is to\n"
	    "publish in DNS; check says whether he did. remove gives notice, "
	    "and takes all of\n"
	    "it away when that is over.\n"
	    "\n"
	    "  --domain D         one of his domains; may be given several "
	    "times\n"
	    "  --relay-host H     where his inbound mail goes, as "
	    "[mail.example.org]:25; the same\n"
	    "  --network N        whose mail is his outbound, as 192.0.2.0/24; "
	    "the same\n"
	    "  --contact TEXT     whom to ask there\n"
	    "  --selector S       of the key in DNS; else gh and the month\n"
	    "  --key rsa|ed25519, --no-key\n"
	    "                     instead of dkim_algorithm of tenants.conf\n"
	    "  --now              remove: without notice\n"
	    "  --cancel           remove: he stays after all\n"
	    "  --with-users       remove: although the directory has users of "
	    "his\n"
	    "  --keep-key         remove: the key stays\n"
	    "  --config DIR       instead of " SYSCONFDIR "/gatehouse\n"
	    "  --sample           print a commented tenants.conf\n"
	    "\n"
	    "Exit status 1: check, something is missing; remove, it is not "
	    "time yet, or there\n"
	    "are users; 75: DNS, or the disk, has trouble; 78: wrong "
	    "configuration.");
	return EX_OK;
}

const struct tenant *
tenant_find(const struct tenant_run *r)
{
	const struct tenants *all = &r->house.tenant_list;

	for (size_t i = 0; i < all->count; i++)
		if (strcmp(all->items[i].name, r->name) == 0)
			return &all->items[i];
	verb_fails(EX_USAGE, "tenant: there is no tenant %s; gatehouse tenant "
	    "list says which there are", r->name);
	return NULL;
}

/* --- list --------------------------------------------------------------- */

static void
json_list(struct json *w, const char *key, const struct conf_list *list)
{
	json_key(w, key);
	json_begin_array(w);
	for (size_t i = 0; i < list->count; i++)
		json_text(w, list->items[i]);
	json_end(w);
}

static void
json_tenant(struct tenant_run *r, struct json *w, const struct tenant *t)
{
	json_begin_object(w);
	json_put(w, "name", slice_of(t->name));
	json_list(w, "domains", &t->domains);
	json_list(w, "relay_hosts", &t->relay_hosts);
	json_key(w, "networks");
	json_begin_array(w);
	for (size_t i = 0; i < t->networks.count; i++)
		json_text(w, net_format(r->a, &t->networks.items[i]));
	json_end(w);
	if (t->contact[0] != '\0')
		json_put(w, "contact", slice_of(t->contact));
	if (t->dkim_selector[0] != '\0')
		json_put(w, "dkim_selector", slice_of(t->dkim_selector));
	if (t->leaving[0] != '\0')
		json_put(w, "leaving", slice_of(t->leaving));
	json_end(w);
}

static void
text_tenant(struct tenant_run *r, const struct tenant *t)
{
	buf_addf(&r->out, "%s:", t->name);
	for (size_t i = 0; i < t->domains.count; i++)
		buf_addf(&r->out, " %.*s", SLICE_ARG(t->domains.items[i]));
	if (t->leaving[0] != '\0')
		buf_addf(&r->out, " (leaves on %s)", t->leaving);
	buf_addc(&r->out, '\n');
}

static int
list(struct tenant_run *r)
{
	const struct tenants *all = &r->house.tenant_list;
	struct json w;

	json_init(&w, &r->out);
	if (r->json) {
		json_pretty(&w);
		json_begin_array(&w);
	}
	for (size_t i = 0; i < all->count; i++)
		if (r->json)
			json_tenant(r, &w, &all->items[i]);
		else
			text_tenant(r, &all->items[i]);
	if (r->json) {
		json_end(&w);
		buf_addc(&r->out, '\n');
	}
	return verb_print(&r->out);
}

/* --- check -------------------------------------------------------------- */

static const char *const states[] = { "right", "wrong", "unknown" };

static void
json_items(struct json *w, const struct tenant *t,
    const struct tenant_items *items)
{
	for (size_t i = 0; i < items->count; i++) {
		const struct tenant_item *it = &items->items[i];

		json_begin_object(w);
		json_put(w, "tenant", slice_of(t->name));
		json_put(w, "domain", it->domain);
		json_put(w, "about", slice_of(it->about));
		json_put(w, "state", slice_of(states[it->state]));
		json_put(w, "found", it->found);
		if (it->state != TENANT_RIGHT && it->publish.ptr != NULL)
			json_put(w, "publish", it->publish);
		json_end(w);
	}
}

/* A record may have several lines. */
static void
add_lines(struct tenant_run *r, struct slice text)
{
	while (text.ptr != NULL) {
		struct slice line = slice_cut(text, '\n', &text);

		buf_adds(&r->out, "    ");
		buf_add(&r->out, verb_safe(r->a, line));
		buf_addc(&r->out, '\n');
	}
}

static void
text_items(struct tenant_run *r, const struct tenant_items *items)
{
	for (size_t i = 0; i < items->count; i++) {
		const struct tenant_item *it = &items->items[i];

		buf_addf(&r->out, "%.*s: %s: %s: ", SLICE_ARG(it->domain),
		    it->about, states[it->state]);
		buf_add(&r->out, verb_safe(r->a, it->found));
		buf_addc(&r->out, '\n');
		if (it->state == TENANT_WRONG && it->publish.ptr != NULL)
			add_lines(r, it->publish);
	}
}

void
tenant_publish(struct tenant_run *r, const struct tenant_items *items)
{
	for (size_t i = 0; i < items->count; i++)
		if (items->items[i].publish.ptr != NULL)
			add_lines(r, items->items[i].publish);
}

static int
check_all(struct tenant_run *r, struct dns *dns, const struct tenant *only)
{
	const struct tenants *all = &r->house.tenant_list;
	size_t wrong = 0, down = 0;
	struct json w;
	int status;

	json_init(&w, &r->out);
	if (r->json) {
		json_pretty(&w);
		json_begin_array(&w);
	}
	for (size_t i = 0; i < all->count; i++) {
		struct tenant_items items;

		if (only != NULL && only != &all->items[i])
			continue;
		tenant_dns(dns, &all->items[i], &r->conf, r->a, &items);
		if (r->json)
			json_items(&w, &all->items[i], &items);
		else
			text_items(r, &items);
		wrong += items.wrong;
		down += items.down;
	}
	if (r->json) {
		json_end(&w);
		buf_addc(&r->out, '\n');
	}
	status = verb_print(&r->out);
	return status != EX_OK ? status : wrong > 0 ? EXIT_UNEXPECTED :
	    down > 0 ? EX_TEMPFAIL : EX_OK;
}

static int
check(struct tenant_run *r)
{
	struct dns_conf conf = {
		.resolver = r->resolver != NULL ? r->resolver :
		    r->house.resolver,
		.timeout_ms = (unsigned)r->house.resolver_timeout,
		.cache_entries = 10000, .ttl_max = 60,
	};
	const struct tenant *only = NULL;
	struct slice why = SLICE("");
	struct dns *dns;
	int status;

	if (r->name != NULL && (only = tenant_find(r)) == NULL)
		return EX_USAGE;
	dns = dns_open(&conf, r->a, &why);
	if (dns == NULL)
		return verb_fails(EX_TEMPFAIL, "%.*s", SLICE_ARG(why));
	status = check_all(r, dns, only);
	dns_close(dns);
	return status;
}

/* --- the words ---------------------------------------------------------- */

static int
add_word(struct tenant_list *to, const char *option, const char *text)
{
	if (to->count == TENANT_WORDS)
		return verb_fails(EX_USAGE, "tenant: %s: %d at most", option,
		    TENANT_WORDS);
	to->items[to->count++] = text;
	return EX_OK;
}

static int
set_key(struct tenant_run *r, const char *text)
{
	for (int i = 0; tenant_algorithms[i] != NULL; i++)
		if (strcmp(text, tenant_algorithms[i]) == 0) {
			r->algorithm = i;
			return EX_OK;
		}
	return verb_fails(EX_USAGE, "--key %s: rsa or ed25519", text);
}

static int
print_table(int which)
{
	const struct conf_section own[] = { { tenant_conf_options, NULL },
	    { NULL, NULL } }, file[] = { { tenant_options, NULL },
	    { NULL, NULL } };

	return verb_options("gatehouse tenant", which == OPT_TENANT_MANUAL ?
	    file : own, which != OPT_SAMPLE);
}

static int
take_option(struct tenant_run *r, int c)
{
	switch (c) {
	case 'c': r->config = optarg; break;
	case 'd': return add_word(&r->domains, "--domain", optarg);
	case 'r': return add_word(&r->relay_hosts, "--relay-host", optarg);
	case 'n': return add_word(&r->networks, "--network", optarg);
	case 'k': r->contact = optarg; break;
	case 's': r->selector = optarg; break;
	case 'R': r->resolver = optarg; break;
	case 'j': r->json = true; break;
	case OPT_KEY: return set_key(r, optarg);
	case OPT_NO_KEY: r->no_key = true; break;
	case OPT_KEEP_KEY: r->keep_key = true; break;
	case OPT_NOW: r->now = true; break;
	case OPT_CANCEL: r->cancel = true; break;
	case OPT_USERS: r->with_users = true; break;
	default: return EX_USAGE;
	}
	return EX_OK;
}

static const struct word {
	const char *name;
	bool wants_name;
	int (*run)(struct tenant_run *r);
} words[] = {
	{ "add", true, tenant_add },
	{ "remove", true, tenant_remove },
	{ "check", false, check },
	{ "list", false, list },
};

static int
run(struct tenant_run *r, const struct word *word)
{
	struct slice why = SLICE("");
	enum rc rc = tenant_conf_load(verb_conf_dir(r->config), &r->house,
	    &r->conf, r->a, &why);

	if (rc != RC_OK)
		return verb_fails(verb_status(rc), "tenant: %.*s",
		    SLICE_ARG(why));
	if (r->house.tenants[0] == '\0')
		return verb_fails(EX_CONFIG, "tenant: gatehouse.conf names no "
		    "folder for tenants; add this line to it: tenants = "
		    "\"" SYSCONFDIR "/gatehouse/tenants.d\";");
	log_open("gatehouse-tenant", r->house.syslog);
	return word->run(r);
}

static int
find_word(struct tenant_run *r, int argc, char **argv)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (optind == argc || strcmp(argv[optind], words[i].name) != 0)
			continue;
		r->name = optind + 1 < argc ? argv[optind + 1] : NULL;
		if (argc - optind > 2 || (words[i].run == list &&
		    r->name != NULL))
			return verb_fails(EX_USAGE, "tenant: no such argument: "
			    "%s", argv[argc - 1]);
		if (words[i].wants_name && r->name == NULL)
			return verb_fails(EX_USAGE, "tenant %s: a name is "
			    "wanted", words[i].name);
		return run(r, &words[i]);
	}
	return verb_fails(EX_USAGE, "tenant: add, remove, check or list is "
	    "wanted; gatehouse tenant --help says more");
}

int
verb_tenant(int argc, char **argv, struct arena *a)
{
	struct tenant_run *r = arena_alloc(a, sizeof *r);
	int c, status = EX_OK;

	r->a = a;
	r->algorithm = -1;
	r->contact = "";
	r->out = buf_in(a);
	optind = 1;
	while (status == EX_OK &&
	    (c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'h')
			return help();
		if (c == OPT_SAMPLE || c == OPT_MANUAL ||
		    c == OPT_TENANT_MANUAL)
			return print_table(c);
		status = take_option(r, c);
	}
	return status != EX_OK ? status : find_word(r, argc, argv);
}
