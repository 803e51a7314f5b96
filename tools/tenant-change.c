/*
 * A tenant comes and goes. His file is the commit point: his key is made before
 * it and removed after it, so a kill leaves at most a key that nobody names,
 * which the next add takes. Add, then remove, leaves each file as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/log.h"
#include "policy/directory.h"
#include "text/address.h"
#include "tools/directory-conf.h"
#include "tools/postfix-files.h"
#include "tools/tenant-key.h"
#include "tools/tenant.h"
#include "tools/verb.h"

enum { DAY = 86400 };

static const char *
day_text(struct arena *a, int64_t day)
{
	time_t t = (time_t)(day * DAY);
	char text[16];
	struct tm tm;

	strftime(text, sizeof text, "%Y-%m-%d", gmtime_r(&t, &tm));
	return arena_str(a, slice_of(text));
}

static const char *
file_of(struct tenant_run *r)
{
	return arena_printf(r->a, "%s/%s.conf", r->house.tenants,
	    r->name).ptr;
}

/* Two at once would both look before either writes. */
static int
lock(struct tenant_run *r)
{
	int fd = open(r->house.tenants, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	verb_fails(EX_TEMPFAIL, "tenant: %s: %s", r->house.tenants,
	    fd >= 0 && errno == EWOULDBLOCK ? "another gatehouse tenant is at "
	    "work there" : strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* --- add ---------------------------------------------------------------- */

static void
add_list(struct buf *out, const char *option, const struct tenant_list *list)
{
	if (list->count == 0)
		return;
	buf_addf(out, "%s = [", option);
	for (size_t i = 0; i < list->count; i++)
		buf_addf(out, "%s \"%s\"", i > 0 ? "," : "", list->items[i]);
	buf_adds(out, " ];\n");
}

static void
add_string(struct buf *out, const char *option, const char *text)
{
	if (text[0] == '\0')
		return;
	buf_addf(out, "%s = \"", option);
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '"' || *p == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *p);
	}
	buf_adds(out, "\";\n");
}

static const char *
selector(struct tenant_run *r)
{
	time_t now = (time_t)clock_wall();
	char month[16];
	struct tm tm;

	if (r->selector != NULL)
		return r->selector;
	strftime(month, sizeof month, "gh%Y%m", gmtime_r(&now, &tm));
	return arena_str(r->a, slice_of(month));
}

static const char *
key_path(struct tenant_run *r)
{
	return arena_printf(r->a, "%s/%s.%s.pem", r->conf.dkim_directory,
	    r->name, selector(r)).ptr;
}

static struct slice
text_of(struct tenant_run *r)
{
	struct buf out = buf_in(r->a);

	buf_addf(&out, "# Tenant %s; gatehouse tenant remove takes it away.\n",
	    r->name);
	add_list(&out, "domains", &r->domains);
	add_list(&out, "relay_hosts", &r->relay_hosts);
	add_list(&out, "networks", &r->networks);
	add_string(&out, "contact", r->contact);
	if (!r->no_key) {
		add_string(&out, "dkim_selector", selector(r));
		add_string(&out, "dkim_key", key_path(r));
	}
	return buf_slice(&out);
}

/* What stands within quotes in the file: nothing that ends them. */
static bool
plain(const struct tenant_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (strpbrk(list->items[i], "\"\\\n") != NULL)
			return false;
	return true;
}

/* The text is read as the house will read it, before it is written. */
static int
check_text(struct tenant_run *r, struct slice text, struct tenant *t)
{
	const struct conf_section sections[] = {
	    { tenant_options, t }, { NULL, NULL } };
	struct slice why = SLICE("");
	enum rc rc;

	if (!plain(&r->domains) || !plain(&r->relay_hosts) ||
	    !plain(&r->networks))
		return verb_fails(EX_USAGE, "tenant: a quote or a backslash "
		    "stands in no domain, host or network");
	rc = conf_parse(r->a, "tenant add", text, sections, &why);
	t->name = r->name;
	t->file = file_of(r);
	if (rc == RC_OK)
		rc = tenant_check(r->a, t, &why);
	if (rc != RC_OK)
		return verb_fails(EX_USAGE, "%.*s", SLICE_ARG(why));
	for (size_t i = 0; i < t->domains.count; i++) {
		const struct tenant *owner = tenant_of(&r->house.tenant_list,
		    t->domains.items[i]);

		if (conf_list_has(&r->house.domains, t->domains.items[i]))
			return verb_fails(EX_USAGE, "tenant: %.*s is a domain "
			    "of %s already", SLICE_ARG(t->domains.items[i]),
			    owner != NULL ? owner->file : "gatehouse.conf");
	}
	return EX_OK;
}

static int
make_key(struct tenant_run *r, bool *made_r)
{
	const char *path = key_path(r);
	struct slice why = SLICE("");
	EVP_PKEY *key = NULL;
	enum rc rc;

	*made_r = false;
	if (r->no_key)
		return EX_OK;
	if (access(path, F_OK) == 0) {
		rc = key_load(path, r->a, &key, &why);
	} else {
		/* Nobody but root lists it. What fails is told by key_make. */
		if (mkdir(r->conf.dkim_directory, 0700) == 0)
			log_info("%s: made", r->conf.dkim_directory);
		rc = key_make(path, r->algorithm >= 0 ?
		    (enum tenant_algorithm)r->algorithm :
		    (enum tenant_algorithm)r->conf.dkim_algorithm, r->a, &key,
		    &why);
		*made_r = rc == RC_OK;
	}
	EVP_PKEY_free(key);
	return rc == RC_OK ? EX_OK : verb_fails(rc == RC_BAD ? EX_CONFIG :
	    EX_TEMPFAIL, "tenant: %.*s", SLICE_ARG(why));
}

static int
write_tenant(struct tenant_run *r, struct slice text, struct tenant *t)
{
	struct tenant_items items;
	struct slice why = SLICE("");
	bool made;
	int status = make_key(r, &made);

	if (status != EX_OK)
		return status;
	file_tidy(r->a, t->file);
	if (file_replace(r->a, t->file, SLICE(""), false, text, &why) !=
	    RC_OK) {
		if (made)
			unlink(key_path(r));
		return verb_fails(EX_TEMPFAIL, "tenant: %.*s", SLICE_ARG(why));
	}
	log_info("tenant %s: added, %zu domains", r->name, t->domains.count);
	buf_addf(&r->out, "%s: written%s\n\nTo be published in DNS (gatehouse "
	    "tenant check %s says whether it is):\n", t->file, r->no_key ? "" :
	    made ? ", with a new key" : ", with the key that was there",
	    r->name);
	tenant_wants(t, &r->conf, r->a, &items);
	tenant_publish(r, &items);
	buf_adds(&r->out, "\nTo make it count here:\n"
	    "    gatehouse check-config && systemctl reload 'gatehouse-*'\n"
	    "    gatehouse directory sync\n"
	    "    gatehouse postfix-config --apply && postfix reload\n");
	return verb_print(&r->out);
}

int
tenant_add(struct tenant_run *r)
{
	struct tenant *t = arena_alloc(r->a, sizeof *t);
	struct slice text = text_of(r);
	int fd, status;

	if (!tenant_name(slice_of(r->name)))
		return verb_fails(EX_USAGE, "tenant add: a name is 1 to %d of "
		    "a-z, 0-9, '-' and '_', a letter or digit first",
		    TENANT_NAME_MAX);
	if (r->domains.count == 0)
		return verb_fails(EX_USAGE, "tenant add: --domain is wanted");
	if (access(file_of(r), F_OK) == 0)
		return verb_fails(EX_USAGE, "tenant: %s is there already; edit "
		    "it, or remove that tenant first", file_of(r));
	status = check_text(r, text, t);
	if (status != EX_OK)
		return status;
	fd = lock(r);
	if (fd < 0)
		return EX_TEMPFAIL;
	status = write_tenant(r, text, t);
	close(fd);
	return status;
}

/* --- remove ------------------------------------------------------------- */

static enum rc
count_users(struct tenant_run *r, const struct tenant *t, size_t *users_r,
    struct slice *why_r)
{
	const char *path = directory_current(&r->house, r->a, "directory");
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct directory_reader *d;
	struct directory_record rec;
	bool more = false;
	enum rc rc;

	*users_r = 0;
	if (fd < 0 && errno == ENOENT)
		return RC_OK;
	if (fd < 0) {
		*why_r = arena_printf(r->a, "%s: %s", path, strerror(errno));
		return RC_RETRY;
	}
	d = directory_open(fd, path);
	while ((rc = directory_next(d, &rec, &more, why_r)) == RC_OK && more)
		*users_r += rec.kind >= DIRECTORY_USER && conf_list_has(
		    &t->domains, slice_after(rec.key, slice_find_last(rec.key,
		    '@') + 1));
	if (rc != RC_OK)
		*why_r = arena_copy(r->a, *why_r);
	directory_close(d);
	close(fd);
	return rc;
}

/* The line that announce() wrote, and nothing else. */
static struct slice
without_notice(struct tenant_run *r, struct slice text)
{
	struct buf out = buf_in(r->a);
	struct slice rest = text;

	while (rest.ptr != NULL && rest.len > 0) {
		size_t n = slice_find(rest, '\n');
		struct slice line = slice_sub(rest, 0, n + 1);

		if (!slice_starts(line, SLICE("leaving = \"")))
			buf_add(&out, line);
		rest = slice_after(rest, n + 1);
	}
	return buf_slice(&out);
}

static int
rewrite(struct tenant_run *r, const struct tenant *t, const char *day)
{
	struct slice text, why = SLICE(""), after;
	bool there;
	enum rc rc = file_read(r->a, t->file, &text, &there, &why);

	if (rc == RC_OK) {
		after = without_notice(r, text);
		if (day != NULL)
			after = arena_printf(r->a, "%.*s%sleaving = \"%s\";\n",
			    (int)after.len, after.ptr, after.len > 0 &&
			    after.ptr[after.len - 1] != '\n' ? "\n" : "", day);
		file_tidy(r->a, t->file);
		rc = file_replace(r->a, t->file, text, there, after, &why);
	}
	return rc == RC_OK ? EX_OK : verb_fails(EX_TEMPFAIL, "tenant: %.*s",
	    SLICE_ARG(why));
}

static int
cancel(struct tenant_run *r, const struct tenant *t)
{
	int status;

	if (t->leaving[0] == '\0')
		return verb_fails(EX_USAGE, "tenant: %s was not given notice",
		    r->name);
	status = rewrite(r, t, NULL);
	if (status != EX_OK)
		return status;
	log_info("tenant %s: stays after all", r->name);
	buf_addf(&r->out, "%s stays\n", r->name);
	return verb_print(&r->out);
}

static int
announce(struct tenant_run *r, const struct tenant *t)
{
	int64_t notice = r->conf.notice / 1000;
	const char *day = day_text(r->a, (clock_wall() + notice + DAY - 1) /
	    DAY);
	int status = rewrite(r, t, day);

	if (status != EX_OK)
		return status;
	log_info("tenant %s: leaves on %s", r->name, day);
	buf_addf(&r->out, "%s leaves on %s; tell %s. From that day on, the "
	    "same command removes it. gatehouse tenant remove %s --cancel "
	    "takes that back\n", r->name, day, t->contact[0] != '\0' ?
	    t->contact : "him", r->name);
	return verb_print(&r->out);
}

static int
take_away(struct tenant_run *r, const struct tenant *t)
{
	struct slice why = SLICE("");

	if (file_remove(r->a, t->file, &why) != RC_OK)
		return verb_fails(EX_TEMPFAIL, "tenant: %.*s", SLICE_ARG(why));
	if (t->dkim_key[0] != '\0' && !r->keep_key &&
	    file_remove(r->a, t->dkim_key, &why) != RC_OK)
		return verb_fails(EX_TEMPFAIL, "tenant: %s is removed, its key "
		    "is not: %.*s", r->name, SLICE_ARG(why));
	log_info("tenant %s: removed, %zu domains", r->name,
	    t->domains.count);
	buf_addf(&r->out, "%s: removed\n\nTo make it count here:\n"
	    "    gatehouse check-config && systemctl reload 'gatehouse-*'\n"
	    "    gatehouse directory sync\n"
	    "    gatehouse postfix-config --apply && postfix reload\n"
	    "He should no longer name us in MX and SPF, and may remove the "
	    "DKIM record.\n", t->file);
	return verb_print(&r->out);
}

static int
may_go(struct tenant_run *r, const struct tenant *t)
{
	struct slice why = SLICE("");
	size_t users;
	enum rc rc;

	if (r->with_users)
		return EX_OK;
	rc = count_users(r, t, &users, &why);
	if (rc != RC_OK)
		return verb_fails(EX_TEMPFAIL, "tenant: %.*s; --with-users "
		    "does not look at it", SLICE_ARG(why));
	if (users > 0)
		return verb_fails(EXIT_UNEXPECTED, "tenant: the directory has "
		    "%zu addresses of %s; take them out of its source and "
		    "sync, or say --with-users", users, r->name);
	return EX_OK;
}

static int
remove_locked(struct tenant_run *r, const struct tenant *t)
{
	int64_t today = clock_wall() / DAY;
	int status;

	if (r->cancel)
		return cancel(r, t);
	if (!r->now && t->leaving[0] == '\0')
		return announce(r, t);
	if (!r->now && today < tenant_day(t->leaving))
		return verb_fails(EXIT_UNEXPECTED, "tenant: %s leaves on %s; "
		    "until then only --now removes it", r->name, t->leaving);
	status = may_go(r, t);
	return status != EX_OK ? status : take_away(r, t);
}

int
tenant_remove(struct tenant_run *r)
{
	const struct tenant *t = tenant_find(r);
	int fd, status;

	if (t == NULL)
		return EX_USAGE;
	fd = lock(r);
	if (fd < 0)
		return EX_TEMPFAIL;
	status = remove_locked(r, t);
	close(fd);
	return status;
}
