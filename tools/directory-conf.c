#include "tools/directory-conf.h"

#include <errno.h>
#include <unistd.h>

#include "policy/directory.h"
#include "text/address.h"
#include "tools/verb.h"

#define AT(field)	offsetof(struct directory_conf, field)

enum { SECOND = 1000, MINUTE = 60 * SECOND, DAY = 86400 * SECOND };

const char *const directory_map_types[] = { "hash", "btree", "cdb", "lmdb",
    NULL };
const char *const directory_map_suffixes[] = { ".db", ".db", ".cdb", ".lmdb",
    NULL };
static const char *const kinds[] = { "csv", "map", "ldap", NULL };
static const char *const tls_words[] = { "starttls", "none", NULL };
static const char *const foreigns[] = { "refuse", "skip", NULL };

const struct conf_option directory_options[] = {
	{ "sources", CONF_LIST, AT(sources), "", 0, DIRECTORY_SOURCES_MAX,
	  "Where users come from: names of files in the folder directory.d "
	  "beside this one, without \".conf\". Where two contradict each "
	  "other, the one named first holds, and that is told. Empty: there "
	  "is no directory, and nothing is written.", NULL },
	{ "open_domains", CONF_DOMAINS, AT(open_domains), "", 0, 100000,
	  "Domains of gatehouse.conf whose users no source knows, or not all "
	  "of them: mail for any address there is taken. A domain that is "
	  "neither here nor has a single user stops a sync, since all mail to "
	  "it would be refused.",
	  NULL },
	{ "shrink_percent", CONF_COUNT, AT(shrink_percent), "10", 0, 100,
	  "A sync that would remove more than this part of the addresses there "
	  "are is refused: a source that is half there looks like that. "
	  "0: any number may go. --force-shrink lets it happen once.", NULL },
	{ "shrink_count", CONF_COUNT, AT(shrink_count), "1000", 0, 10000000,
	  "And one that would remove more than so many addresses, whatever "
	  "part that is. 0: any number may go.", NULL },
	{ "max_age", CONF_TIME, AT(max_age), "2d", MINUTE, 365LL * DAY,
	  "gatehouse doctor warns when the last sync that went well is longer "
	  "ago.", NULL },
	{ "maps", CONF_BOOL, AT(maps), "true", 0, 0,
	  "Whether a sync makes Postfix's maps too: who exists, where single "
	  "users go, what aliases lead to. postfix-config then names them in "
	  "main.cf.", NULL },
	{ "map_type", CONF_ENUM, AT(map_type), "hash", 0, 0,
	  "Their type. hash and btree are part of Debian's Postfix, cdb and "
	  "lmdb want the packages postfix-cdb and postfix-lmdb.",
	  directory_map_types },
	{ "postfix_directory", CONF_PATH, AT(postfix_directory), "/etc/postfix",
	  0, 0, "The configuration of the Postfix whose postmap(1) makes "
	  "them.", NULL },
	{ 0 }
};
#undef AT
#define AT(field)	offsetof(struct directory_source, field)

const struct conf_option directory_source_options[] = {
	{ "kind", CONF_ENUM, AT(kind), "csv", 0, 0,
	  "What this source is: a CSV file (csv), a MAP file as other systems "
	  "hand it over (map; see gatehouse-directory(5)), or an LDAP server "
	  "(ldap).", kinds },
	{ "path", CONF_PATH, AT(path), "", 0, 0,
	  "The file, of csv and map.", NULL },
	{ "fields", CONF_LIST, AT(fields),
	  "address=address, aliases=aliases, profile=profile, "
	  "transport=transport", 1, 200,
	  "What is read, as \"Mail=address\": the name of a column or of an "
	  "LDAP attribute, and what it is: address (one has to be), aliases, "
	  "proxy (as proxyAddresses of Active Directory: SMTP: is the address, "
	  "smtp: an alias), profile, transport, or attr.NAME, which is kept "
	  "for placeholders. A column that csv lacks is an error, but for "
	  "those of the default.", NULL },
	{ "separator", CONF_STRING, AT(separator), ",", 1, 1,
	  "What stands between the cells of csv.", NULL },
	{ "end_mark", CONF_STRING, AT(end_mark), "", 0, 100,
	  "The first cell of the last row of csv, so that a file that was cut "
	  "off is noticed. Empty: there is no such row.", NULL },
	{ "list_separators", CONF_STRING, AT(list_separators), ";, ", 1, 10,
	  "What stands between two aliases in one cell.", NULL },
	{ "foreign", CONF_ENUM, AT(foreign), "refuse", 0, 0,
	  "What an address does that is of none of our domains: it stops the "
	  "sync (refuse), or is passed over and told (skip).", foreigns },
	{ "transports", CONF_LIST, AT(transports), "smtp, relay", 0, 100,
	  "The transports of Postfix that this source may send users to.",
	  NULL },
	{ "uri", CONF_STRING, AT(uri), "", 0, 1000,
	  "The LDAP server, as \"ldaps://ldap.example.org\" or "
	  "\"ldap://ldap.example.org\".", NULL },
	{ "tls", CONF_ENUM, AT(tls), "starttls", 0, 0,
	  "How ldap:// is encrypted: by STARTTLS, or not at all (none). "
	  "ldaps:// always is.", tls_words },
	{ "ca_file", CONF_PATH, AT(ca_file), "", 0, 0,
	  "Who may have signed the server's certificate, in PEM. Empty: "
	  "whom this machine trusts. It is always checked.", NULL },
	{ "base", CONF_STRING, AT(base), "", 0, 1000,
	  "Where in the tree users are looked for, and below.", NULL },
	{ "filter", CONF_STRING, AT(filter), "(mail=*)", 1, 4000,
	  "Which entries are users (RFC 4515).", NULL },
	{ "bind_dn", CONF_STRING, AT(bind_dn), "", 0, 1000,
	  "As whom to ask. Empty: as nobody.", NULL },
	{ "password_file", CONF_PATH, AT(password_file), "", 0, 0,
	  "File whose first line is the password of bind_dn; nobody but its "
	  "owner and his group may read it.", NULL },
	{ "timeout", CONF_TIME, AT(timeout), "30s", SECOND, 600 * SECOND,
	  "How long the LDAP server may take to connect, and for each page.",
	  NULL },
	{ "page", CONF_COUNT, AT(page), "500", 1, 10000,
	  "Entries of one page (RFC 2696).", NULL },
	{ "max_entries", CONF_COUNT, AT(max_entries), "1000000", 1, 10000000,
	  "More entries than these stop the sync: the filter is wrong then.",
	  NULL },
	{ 0 }
};

static enum rc
wrong(const char *file, struct arena *a, struct slice *why_r,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static enum rc
wrong(const char *file, struct arena *a, struct slice *why_r,
    const char *fmt, ...)
{
	struct slice what;
	va_list args;

	va_start(args, fmt);
	what = arena_vprintf(a, fmt, args);
	va_end(args);
	*why_r = arena_printf(a, "%s: %.*s", file, SLICE_ARG(what));
	return RC_BAD;
}

static bool
target(struct slice to)
{
	static const char *const names[] = { "address", "aliases", "proxy",
	    "profile", "transport" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (slice_eq(to, slice_of(names[i])))
			return true;
	return slice_starts(to, SLICE("attr.")) &&
	    directory_attr_name(slice_after(to, 5));
}

static enum rc
check_fields(const struct directory_source *s, const char *file,
    struct arena *a, struct slice *why_r)
{
	bool address = false;

	for (size_t i = 0; i < s->fields.count; i++) {
		struct slice item = s->fields.items[i];
		size_t at = slice_find_last(item, '=');
		struct slice to = slice_after(item, at + 1);

		if (at == 0 || at == item.len || !target(to))
			return wrong(file, a, why_r, "fields has \"%.*s\"; it "
			    "wants NAME=what, as \"Mail=address\", where what "
			    "is address, aliases, proxy, profile, transport or "
			    "attr.NAME (a-z, 0-9, '-', '_')", SLICE_ARG(item));
		if (slice_eq(to, SLICE("address")) && address)
			return wrong(file, a, why_r, "fields has address "
			    "twice; a user has one, the others are aliases");
		address = address || slice_eq(to, SLICE("address")) ||
		    slice_eq(to, SLICE("proxy"));
	}
	return address ? RC_OK : wrong(file, a, why_r, "fields names no "
	    "address; add one, as \"Mail=address\"");
}

static enum rc
check_ldap(const struct directory_source *s, const char *file,
    struct arena *a, struct slice *why_r)
{
	struct slice uri = slice_of(s->uri);

	if (!slice_starts(uri, SLICE("ldap://")) &&
	    !slice_starts(uri, SLICE("ldaps://")) &&
	    !slice_starts(uri, SLICE("ldapi://")))
		return wrong(file, a, why_r, "uri is \"%s\"; it wants "
		    "\"ldaps://ldap.example.org\" or the like", s->uri);
	if ((s->bind_dn[0] == '\0') != (s->password_file[0] == '\0'))
		return wrong(file, a, why_r, "bind_dn and password_file belong "
		    "together; set both or none");
	/* A password in the clear is everybody's. */
	if (s->bind_dn[0] != '\0' && s->tls == DIRECTORY_TLS_NONE &&
	    slice_starts(uri, SLICE("ldap://")) &&
	    !slice_starts(uri, SLICE("ldap://127.")) &&
	    !slice_starts(uri, SLICE("ldap://[::1]")))
		return wrong(file, a, why_r, "with tls = \"none\" the password "
		    "of bind_dn would be sent in the clear; use starttls, or "
		    "an ldaps:// server");
	return RC_OK;
}

static enum rc
check_source(const struct directory_source *s, const char *file,
    struct arena *a, struct slice *why_r)
{
	enum rc rc = s->kind == DIRECTORY_MAP ? RC_OK :
	    check_fields(s, file, a, why_r);

	if (rc != RC_OK)
		return rc;
	if (s->kind == DIRECTORY_LDAP)
		return check_ldap(s, file, a, why_r);
	if (s->path[0] != '/')
		return wrong(file, a, why_r, "path is \"%s\"; it wants the "
		    "file to read, with a slash first", s->path);
	if (s->separator[0] == '"' || s->separator[0] == '\n' ||
	    (s->separator[0] & 0x80) != 0)
		return wrong(file, a, why_r, "separator cannot be that; it "
		    "wants \",\", \";\" or a tab");
	return RC_OK;
}

static enum rc
load_source(const char *dir, struct slice name, struct directory_source *s,
    struct arena *a, struct slice *why_r)
{
	const struct conf_section sections[] = {
	    { directory_source_options, s }, { NULL, NULL } };
	const char *file = arena_printf(a, "%s/directory.d/%.*s.conf", dir,
	    SLICE_ARG(name)).ptr;
	enum rc rc;

	if (!ascii_all_of(name, "-_") || name.len == 0)
		return wrong(arena_printf(a, "%s/directory.conf", dir).ptr, a,
		    why_r, "sources has \"%.*s\"; a name is letters, digits, "
		    "'-' and '_'", SLICE_ARG(name));
	rc = conf_load_trusted(a, file, sections, why_r);
	s->name = arena_str(a, name);
	return rc != RC_OK ? rc : check_source(s, file, a, why_r);
}

static enum rc
load_own(const char *dir, struct directory_conf *conf, struct arena *a,
    struct slice *why_r)
{
	const struct conf_section sections[] = {
	    { directory_options, conf }, { NULL, NULL } };
	const char *path = dir == NULL ? NULL : arena_printf(a,
	    "%s/directory.conf", dir).ptr;
	bool there = path != NULL && (access(path, F_OK) == 0 ||
	    errno != ENOENT);
	enum rc rc = conf_load_trusted(a, there ? path : NULL, sections,
	    why_r);

	conf->list = arena_array(a, conf->sources.count + 1,
	    sizeof *conf->list);
	for (size_t i = 0; i < conf->sources.count && rc == RC_OK; i++) {
		const struct conf_list before = { conf->sources.items, i };

		if (conf_list_has(&before, conf->sources.items[i]))
			return wrong(path, a, why_r, "sources names %.*s "
			    "twice; remove one",
			    SLICE_ARG(conf->sources.items[i]));
		rc = load_source(dir, conf->sources.items[i], &conf->list[i],
		    a, why_r);
	}
	conf->configured = there && conf->sources.count > 0;
	return rc;
}

enum rc
directory_conf_load(const char *dir, struct house_conf *house,
    struct directory_conf *conf, struct arena *a, struct slice *why_r)
{
	const struct conf_section sections[] = {
	    { house_options, house }, { NULL, NULL } };
	enum rc rc = conf_load_trusted(a, verb_house_file(dir, a), sections,
	    why_r);

	if (rc == RC_OK)
		rc = house_finish(house, a, why_r);
	return rc != RC_OK ? rc : load_own(dir, conf, a, why_r);
}

const char *
directory_current(const struct house_conf *house, struct arena *a,
    const char *file)
{
	return arena_printf(a, "%s/directory/current%s%s",
	    house->state_directory, file[0] != '\0' ? "/" : "", file).ptr;
}
