#include "conf/tenant.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/map.h"

#define AT(field)	offsetof(struct tenant, field)

const struct conf_option tenant_options[] = {
	{ "domains", CONF_DOMAINS, AT(domains), "", 0, 1000,
	  "Its domains. They are added to domains of gatehouse.conf.", NULL },
	{ "relay_hosts", CONF_LIST, AT(relay_hosts), "", 0, 10,
	  "Its mail servers, where inbound mail goes, as "
	  "\"[mail.example.org]:25\"; the first that answers is taken.", NULL },
	{ "networks", CONF_NETWORKS, AT(networks), "", 0, 1000,
	  "Its clients, whose mail is outbound. They are added to networks of "
	  "gatehouse.conf.", NULL },
	{ "contact", CONF_STRING, AT(contact), "", 0, 500,
	  "Whom to ask there.", NULL },
	{ "dkim_selector", CONF_STRING, AT(dkim_selector), "", 0, 63,
	  "The selector under which its key stands in DNS (RFC 6376, 3.1).",
	  NULL },
	{ "dkim_key", CONF_PATH, AT(dkim_key), "", 0, 0,
	  "File with the private key that its mail is signed by.", NULL },
	{ "leaving", CONF_STRING, AT(leaving), "", 0, 10,
	  "The day on which it goes, as \"2027-01-31\": notice was given. "
	  "Empty: it stays.", NULL },
	{ 0 }
};

bool
tenant_name(struct slice name)
{
	if (name.len == 0 || name.len > TENANT_NAME_MAX ||
	    !ascii_all_of(name, "-_") || !ascii_alnum(name.ptr[0]))
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] != ascii_lower(name.ptr[i]))
			return false;
	return true;
}

static bool
port(struct slice text)
{
	uint64_t n;

	return text.ptr == NULL || (slice_number(text, 65535, &n) && n > 0);
}

bool
tenant_host(struct slice host)
{
	struct slice rest;

	if (host.len > 0 && host.ptr[0] == '[') {
		host = slice_cut(slice_after(host, 1), ']', &rest);
		if (rest.ptr == NULL || (rest.len > 0 && rest.ptr[0] != ':'))
			return false;
		rest = rest.len > 0 ? slice_after(rest, 1) : SLICE_NONE;
		return host.len > 0 && host.len <= 253 &&
		    ascii_all_of(host, "-.:_") && port(rest);
	}
	host = slice_cut(host, ':', &rest);
	return host.len > 0 && host.len <= 253 && ascii_all_of(host, "-._") &&
	    port(rest);
}

int64_t
tenant_day(const char *text)
{
	struct tm tm = { 0 }, again;
	char tail;
	time_t t;

	if (strlen(text) != 10 || sscanf(text, "%4d-%2d-%2d%c", &tm.tm_year,
	    &tm.tm_mon, &tm.tm_mday, &tail) != 3)
		return -1;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	again = tm;
	t = timegm(&again);
	/* It makes March of a 30th of February. */
	if (t < 0 || again.tm_year != tm.tm_year ||
	    again.tm_mon != tm.tm_mon || again.tm_mday != tm.tm_mday)
		return -1;
	return t / 86400;
}

struct slice
tenant_transport(struct arena *a, const struct tenant *t)
{
	struct buf b = buf_in(a);

	if (t->relay_hosts.count == 0)
		return SLICE_NONE;
	buf_adds(&b, "relay:");
	for (size_t i = 0; i < t->relay_hosts.count; i++) {
		if (i > 0)
			buf_addc(&b, ',');
		buf_add(&b, t->relay_hosts.items[i]);
	}
	return buf_slice(&b);
}

enum rc
tenant_check(struct arena *a, const struct tenant *t, struct slice *why_r)
{
	if (t->domains.count == 0) {
		*why_r = arena_printf(a, "%s: it has no domains; name one, or "
		    "remove the file", t->file);
		return RC_BAD;
	}
	for (size_t i = 0; i < t->relay_hosts.count; i++)
		if (!tenant_host(t->relay_hosts.items[i])) {
			*why_r = arena_printf(a, "%s: relay_hosts has "
			    "\"%.*s\"; it wants \"[mail.example.org]:25\"",
			    t->file,
			    SLICE_ARG(t->relay_hosts.items[i]));
			return RC_BAD;
		}
	if (tenant_transport(a, t).len > 320) {
		*why_r = arena_printf(a, "%s: relay_hosts are too long "
		    "together; name one by a name that has them all",
		    t->file);
		return RC_BAD;
	}
	if (t->leaving[0] != '\0' && tenant_day(t->leaving) < 0) {
		*why_r = arena_printf(a, "%s: leaving is \"%s\"; it wants a "
		    "day, as \"2027-01-31\"", t->file, t->leaving);
		return RC_BAD;
	}
	if ((t->dkim_selector[0] == '\0') != (t->dkim_key[0] == '\0') ||
	    !ascii_all_of(slice_of(t->dkim_selector), "-.")) {
		*why_r = arena_printf(a, "%s: dkim_selector and dkim_key "
		    "belong together, and a selector is letters, digits, '-' "
		    "and '.'",
		    t->file);
		return RC_BAD;
	}
	return RC_OK;
}

static int
wanted(const struct dirent *e)
{
	return e->d_name[0] != '.' && slice_ends(slice_of(e->d_name),
	    SLICE(".conf"));
}

static enum rc
load_one(struct arena *a, const char *folder, const char *entry,
    struct tenant *t, struct slice *why_r)
{
	const struct conf_section sections[] = {
	    { tenant_options, t }, { NULL, NULL } };
	struct slice name = slice_of(entry);
	const char *file = arena_printf(a, "%s/%s", folder, entry).ptr;
	enum rc rc;

	name.len -= 5;
	if (!tenant_name(name)) {
		*why_r = arena_printf(a, "%s: a tenant's name is 1 to %d of "
		    "a-z, 0-9, '-' and '_', a letter or digit first", file,
		    TENANT_NAME_MAX);
		return RC_BAD;
	}
	rc = conf_load_trusted(a, file, sections, why_r);
	t->name = arena_str(a, name);
	t->file = file;
	return rc != RC_OK ? rc : tenant_check(a, t, why_r);
}

/* A domain has one owner. */
static enum rc
no_doubles(struct arena *a, const struct tenant *list, size_t n,
    struct slice *why_r)
{
	struct map *owners = map_new();
	const struct tenant *other = NULL;

	for (size_t i = 0; i < n && other == NULL; i++)
		for (size_t k = 0; k < list[i].domains.count && other == NULL;
		    k++) {
			struct slice domain = list[i].domains.items[k];

			other = map_put(owners, domain,
			    (void *)(uintptr_t)&list[i]);
			if (other != NULL)
				*why_r = arena_printf(a, "%s: %.*s is a domain "
				    "of %s already; take it out of one of the "
				    "two", list[i].file, SLICE_ARG(domain),
				    other->file);
		}
	map_free(owners);
	return other == NULL ? RC_OK : RC_BAD;
}

enum rc
tenants_load(struct arena *a, const char *folder, struct tenants *tenants_r,
    struct slice *why_r)
{
	struct dirent **entries = NULL;
	int n = scandir(folder, &entries, wanted, alphasort);
	struct tenant *list;
	enum rc rc = n >= 0 && n <= TENANTS_MAX ? RC_OK : RC_BAD;

	*tenants_r = (struct tenants){ NULL, 0 };
	if (n < 0)
		*why_r = arena_printf(a, "tenants is \"%s\": %s; it wants a "
		    "folder with a file for each tenant", folder,
		    strerror(errno));
	else if (rc != RC_OK)
		*why_r = arena_printf(a, "%s: over %d tenants", folder,
		    TENANTS_MAX);
	list = arena_array(a, n > 0 ? (size_t)n : 1, sizeof *list);
	for (int i = 0; i < n && rc == RC_OK; i++)
		rc = load_one(a, folder, entries[i]->d_name, &list[i], why_r);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	if (rc == RC_OK)
		rc = no_doubles(a, list, (size_t)n, why_r);
	if (rc == RC_OK)
		*tenants_r = (struct tenants){ list, (size_t)n };
	return rc;
}

const struct tenant *
tenant_of(const struct tenants *tenants, struct slice domain)
{
	for (size_t i = 0; tenants != NULL && i < tenants->count; i++)
		if (conf_list_has(&tenants->items[i].domains, domain))
			return &tenants->items[i];
	return NULL;
}
