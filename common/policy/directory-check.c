#include "policy/directory-check.h"

#include <string.h>

#include "conf/scope.h"
#include "text/address.h"
#include "text/utf8.h"

const char directory_letters[] = "DPUA";

static const struct slice kinds[] = {
	SLICE("domain"), SLICE("profile"), SLICE("address"), SLICE("address"),
};

void
check_begin(struct directory_check *c)
{
	*c = (struct directory_check){ .domains = map_new(),
	    .profiles = map_new() };
}

void
check_end(struct directory_check *c)
{
	map_free(c->domains);
	map_free(c->profiles);
	buf_free(&c->last);
}

static enum rc
bad(struct arena *a, struct slice *why_r, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static enum rc
bad(struct arena *a, struct slice *why_r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	*why_r = arena_vprintf(a, fmt, args);
	va_end(args);
	return RC_BAD;
}

/* UTF-8 without controls; newline and tab where lines says so. */
static bool
clean(struct slice text, bool lines)
{
	uint32_t cp;

	while (utf8_next(&text, &cp))
		if (cp == UTF8_BAD || (utf8_control(cp) &&
		    !(lines && (cp == '\n' || cp == '\t'))))
			return false;
	return true;
}

bool
directory_name(struct slice name)
{
	return name.len > 0 && name.len <= DIRECTORY_NAME_MAX &&
	    clean(name, false) && slice_trim(name).len == name.len;
}

bool
directory_attr_name(struct slice name)
{
	if (name.len == 0 || name.len > DIRECTORY_ATTR_NAME_MAX ||
	    name.ptr[0] < 'a' || name.ptr[0] > 'z')
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] != ascii_lower(name.ptr[i]))
			return false;
	return ascii_all_of(name, "-_");
}

bool
directory_transport(struct slice t)
{
	struct slice hop, name = slice_cut(t, ':', &hop);

	if (t.len > DIRECTORY_TRANSPORT_MAX || hop.ptr == NULL ||
	    name.len + hop.len == 0 || !ascii_all_of(name, "-_."))
		return false;
	for (size_t i = 0; i < hop.len; i++)
		if (hop.ptr[i] <= ' ' || hop.ptr[i] > '~')
			return false;
	return true;
}

/* A local part in normal form that nobody has to quote (RFC 5322, atext; RFC
 * 6531; and dots, as many a site has them). */
static bool
local_plain(struct slice local)
{
	for (size_t i = 0; i < local.len; i++) {
		char c = local.ptr[i];

		if (c != ascii_lower(c) || (!(c & 0x80) && !ascii_alnum(c) &&
		    (c == '\0' || strchr("!#$%&'*+-/=?^_`{|}~.", c) == NULL)))
			return false;
	}
	return local.len > 0 && clean(local, false);
}

bool
directory_address(struct slice address)
{
	size_t at = slice_find_last(address, '@');

	return at < address.len && address.len <= DIRECTORY_ADDRESS_MAX &&
	    at + 1 < address.len && local_plain(slice_sub(address, 0, at));
}

bool
directory_text(struct slice text)
{
	return text.len > 0 && text.len <= DIRECTORY_ATTR_MAX &&
	    clean(text, true);
}

static enum rc
not_normal(struct arena *a, struct slice address, struct slice *why_r)
{
	struct scope_match match = { false, '\0' };
	struct slice normal = scope_address(a, address, match);

	if (normal.ptr == NULL || slice_eq(normal, address))
		return bad(a, why_r, "\"%.*s\" is no address that can stand "
		    "here; write it as local@example.org, without quotes and "
		    "blanks, %d bytes at most", SLICE_ARG(address),
		    DIRECTORY_ADDRESS_MAX);
	return bad(a, why_r, "\"%.*s\" is not in normal form; write it as "
	    "\"%.*s\"", SLICE_ARG(address), SLICE_ARG(normal));
}

/* known_r: its domain has a D record. */
static enum rc
address_check(const struct directory_check *c, struct arena *a,
    struct slice address, bool *known_r, struct slice *why_r)
{
	size_t at = slice_find_last(address, '@');
	struct slice domain = slice_after(address, at + 1), ascii;

	*known_r = false;
	if (!directory_address(address))
		return not_normal(a, address, why_r);
	*known_r = map_get(c->domains, domain) != NULL;
	/* Those are checked; IDNA again would cost a second a million. */
	if (!*known_r && (!domain_ascii(a, domain, &ascii) ||
	    !slice_eq(ascii, domain)))
		return not_normal(a, address, why_r);
	return RC_OK;
}

static enum rc
own_address(const struct directory_check *c, struct arena *a,
    struct slice address, struct slice *why_r)
{
	bool known;
	enum rc rc = address_check(c, a, address, &known, why_r);

	if (rc == RC_OK && !known)
		return bad(a, why_r, "%.*s is of a domain without a D record; "
		    "add one before it", SLICE_ARG(address));
	return rc;
}

static enum rc
domain_check(struct arena *a, struct slice domain, struct slice *why_r)
{
	struct slice ascii;

	if (!domain_ascii(a, domain, &ascii))
		return bad(a, why_r, "\"%.*s\" is no domain; write it as "
		    "example.org", SLICE_ARG(domain));
	if (!slice_eq(ascii, domain))
		return bad(a, why_r, "domain \"%.*s\" is not in normal form; "
		    "write it as \"%.*s\"", SLICE_ARG(domain),
		    SLICE_ARG(ascii));
	return RC_OK;
}

static enum rc
name_check(struct arena *a, const char *what, struct slice name,
    struct slice *why_r)
{
	if (directory_name(name))
		return RC_OK;
	return bad(a, why_r, "the name of a %s has to be 1 to %d bytes of "
	    "UTF-8, without control characters and without a blank at an end",
	    what, DIRECTORY_NAME_MAX);
}

static enum rc
key_check(const struct directory_check *c, struct arena *a,
    const struct directory_record *r, struct slice *why_r)
{
	switch (r->kind) {
	case DIRECTORY_DOMAIN:
		return domain_check(a, r->key, why_r);
	case DIRECTORY_PROFILE:
		return name_check(a, "profile", r->key, why_r);
	default:
		return own_address(c, a, r->key, why_r);
	}
}

/* Mailboxes and aliases are one run. */
static int
run_of(enum directory_kind kind)
{
	return kind == DIRECTORY_ALIAS ? DIRECTORY_USER : (int)kind;
}

static enum rc
order_check(const struct directory_check *c, struct arena *a,
    const struct directory_record *r, struct slice *why_r)
{
	struct slice last = buf_slice(&c->last);
	int order;

	if (c->records == 0 || run_of(c->last_kind) < run_of(r->kind))
		return RC_OK;
	if (run_of(c->last_kind) > run_of(r->kind))
		return bad(a, why_r, "a %c record behind a %c; first come D, "
		    "then P, then U and A together", directory_letters[r->kind],
		    directory_letters[c->last_kind]);
	order = slice_cmp(last, r->key);
	if (order == 0)
		return bad(a, why_r, "%.*s \"%.*s\" a second time (%c and %c); "
		    "remove one of the two", SLICE_ARG(kinds[r->kind]),
		    SLICE_ARG(last), directory_letters[c->last_kind],
		    directory_letters[r->kind]);
	if (order > 0)
		return bad(a, why_r, "\"%.*s\" stands behind \"%.*s\"; records "
		    "are sorted bytewise", SLICE_ARG(r->key), SLICE_ARG(last));
	return RC_OK;
}

static enum rc
attrs_check(struct arena *a, const struct directory_record *r,
    struct slice *why_r)
{
	if (r->nattrs > DIRECTORY_ATTRS_MAX)
		return bad(a, why_r, "over %d attributes; leave some out",
		    DIRECTORY_ATTRS_MAX);
	for (size_t i = 0; i < r->nattrs; i++) {
		struct slice name = r->attrs[i].name, text = r->attrs[i].value;

		if (!directory_attr_name(name))
			return bad(a, why_r, "\"attr.%.*s\": the name of an "
			    "attribute is 1 to %d of a-z, 0-9, '-' and '_', a "
			    "letter first", SLICE_ARG(name),
			    DIRECTORY_ATTR_NAME_MAX);
		if (!directory_text(text))
			return bad(a, why_r, "the text of attr.%.*s has to be "
			    "1 to %d bytes of UTF-8 without control characters",
			    SLICE_ARG(name), DIRECTORY_ATTR_MAX);
		if (i > 0 && slice_cmp(r->attrs[i - 1].name, name) >= 0)
			return bad(a, why_r, "attr.%.*s behind attr.%.*s; sort "
			    "attributes bytewise, each once", SLICE_ARG(name),
			    SLICE_ARG(r->attrs[i - 1].name));
	}
	return RC_OK;
}

static enum rc
members_check(const struct directory_check *c, struct arena *a,
    const struct directory_record *r, struct slice *why_r)
{
	enum rc rc = RC_OK;
	bool known;

	if (r->nmembers == 0 || r->nmembers > DIRECTORY_MEMBERS_MAX)
		return bad(a, why_r, "an alias has 1 to %d members, this one "
		    "%zu", DIRECTORY_MEMBERS_MAX, r->nmembers);
	for (size_t i = 0; i < r->nmembers && rc == RC_OK; i++) {
		rc = address_check(c, a, r->members[i], &known, why_r);
		if (rc != RC_OK)
			break;
		if (slice_eq(r->members[i], r->key))
			return bad(a, why_r, "the alias %.*s leads to itself; "
			    "remove that member", SLICE_ARG(r->key));
		if (i > 0 && slice_cmp(r->members[i - 1], r->members[i]) >= 0)
			return bad(a, why_r, "member %.*s behind %.*s; sort "
			    "members bytewise, each once",
			    SLICE_ARG(r->members[i]),
			    SLICE_ARG(r->members[i - 1]));
	}
	return rc;
}

static enum rc
fields_check(const struct directory_check *c, struct arena *a,
    const struct directory_record *r, struct slice *why_r)
{
	enum rc rc = RC_OK;

	if (r->client.ptr != NULL)
		rc = name_check(a, "client", r->client, why_r);
	if (rc == RC_OK && r->profile.ptr != NULL &&
	    map_get(c->profiles, r->profile) == NULL)
		return bad(a, why_r, "profile \"%.*s\" has no P record; add "
		    "one, or leave the profile out", SLICE_ARG(r->profile));
	if (rc == RC_OK && r->transport.ptr != NULL &&
	    !directory_transport(r->transport))
		return bad(a, why_r, "\"%.*s\" is no transport; write it as in "
		    "transport(5): smtp:[host.example.org]:25",
		    SLICE_ARG(r->transport));
	if (rc == RC_OK)
		rc = attrs_check(a, r, why_r);
	if (rc == RC_OK && r->kind == DIRECTORY_ALIAS)
		rc = members_check(c, a, r, why_r);
	return rc;
}

static enum rc
room(const struct directory_check *c, struct arena *a,
    const struct directory_record *r, struct slice *why_r)
{
	if (c->records >= DIRECTORY_RECORDS_MAX)
		return bad(a, why_r, "over %d records", DIRECTORY_RECORDS_MAX);
	if (r->kind == DIRECTORY_DOMAIN &&
	    map_count(c->domains) >= DIRECTORY_DOMAINS_MAX)
		return bad(a, why_r, "over %d domains", DIRECTORY_DOMAINS_MAX);
	if (r->kind == DIRECTORY_PROFILE &&
	    map_count(c->profiles) >= DIRECTORY_DOMAINS_MAX)
		return bad(a, why_r, "over %d profiles",
		    DIRECTORY_DOMAINS_MAX);
	return RC_OK;
}

enum rc
check_record(struct directory_check *c, struct arena *a,
    const struct directory_record *r, struct slice *why_r)
{
	enum rc rc = room(c, a, r, why_r);

	if (rc == RC_OK)
		rc = key_check(c, a, r, why_r);
	if (rc == RC_OK)
		rc = order_check(c, a, r, why_r);
	if (rc == RC_OK)
		rc = fields_check(c, a, r, why_r);
	if (rc != RC_OK)
		return rc;
	if (r->kind == DIRECTORY_DOMAIN)
		map_put(c->domains, r->key, c);
	if (r->kind == DIRECTORY_PROFILE)
		map_put(c->profiles, r->key, c);
	buf_clear(&c->last);
	buf_add(&c->last, r->key);
	c->last_kind = r->kind;
	c->records++;
	return RC_OK;
}
