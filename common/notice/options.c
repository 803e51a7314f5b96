#include "notice/options.h"

#include <string.h>

#include "net/smtp.h"
#include "text/address.h"
#include "verdict/plan.h"
#include "conf/near.h"
#include "notice/load.h"

#define AT(field)	offsetof(struct notices_conf, field)
#define HOUR		(3600 * 1000LL)
#define DAY		(24 * HOUR)
#define CAUSES_TEXT \
	"Causes are virus, spam, phishing, graymail, fraud, attachment, dlp, " \
	"policy, spam-ndr, poison, unscannable, deferred, sandbox and account."

const struct conf_option notices_options[] = {
	{ "from", CONF_STRING, AT(from), "", 0, 320,
	  "The address in From of all our mails. Empty: postmaster at hostname "
	  "of gatehouse.conf. The reverse-path is always the null one.", NULL },
	{ "from_name", CONF_STRING, AT(from_name), "Mail security", 0, 100,
	  "The name before that address.", NULL },
	{ "server", CONF_STRING, AT(server), "127.0.0.1:10026", 1, 200,
	  "Where Postfix takes our mails: an address and a port of this "
	  "machine, or the path of a socket. The listener asks no milter.",
	  NULL },
	{ "portal_url", CONF_STRING, AT(portal_url), "", 0, 200,
	  "Where the portal is reached, as \"https://quarantine.example.org\". "
	  "Links in digests lead there. Empty: there is none, and a link "
	  "writes a mail to release_address.", NULL },
	{ "release_address", CONF_STRING, AT(release_address), "", 0, 320,
	  "The address that takes release mails; Postfix gives its mail to "
	  "gatehouse digest --intake. Empty, and no portal: digests have no "
	  "links.", NULL },
	{ "request_address", CONF_STRING, AT(request_address), "", 0, 320,
	  "Who writes to this address from a mailbox of ours gets his digest "
	  "sent there. May be the same as release_address. Empty: nobody.",
	  NULL },
	{ "template_directory", CONF_PATH, AT(template_directory),
	  "/etc/gatehouse/templates", 0, 0,
	  "Templates of your own: LANGUAGE/NAME.txt and NAME.html, and the "
	  "same in a folder for each set. What is not there comes from the "
	  "package.", NULL },
	{ "packaged_templates", CONF_PATH, AT(packaged_templates),
	  "/usr/share/gatehouse/templates", 0, 0, "Templates of the package.",
	  NULL },
	{ "total_rate", CONF_COUNT, AT(total_rate), "1000", 1, 1000000,
	  "Notices in an hour to all addresses together; beyond that each "
	  "address gets a summary.", NULL },
	{ "attach_limit", CONF_SIZE, AT(attach_limit), "10M", 0, 100 << 20,
	  "Officers get the message attached up to this size; of a larger one "
	  "they are told where it is held.", NULL },
	{ "request_interval", CONF_TIME, AT(request_interval), "15m", 1000,
	  DAY, "How often one mailbox may ask for a digest by mail.", NULL },
	{ "retry_for", CONF_TIME, AT(retry_for), "4d", 60000, 30 * DAY,
	  "How long a mail that Postfix does not take is tried again.", NULL },
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },
	{ "language", CONF_STRING | CONF_SCOPED, AT(language), "en", 2, 20,
	  "Language of mails: en, fr, de, or a folder of your own templates.",
	  NULL },
	{ "templates", CONF_STRING | CONF_SCOPED, AT(templates), "", 0, 60,
	  "A set of templates: a folder in template_directory that holds "
	  "folders of languages. Empty: none.", NULL },
	{ "timezone", CONF_STRING | CONF_SCOPED, AT(timezone), "UTC", 1, 63,
	  "Whose clocks count, as \"Europe/Berlin\".", NULL },
	{ "digest", CONF_BOOL | CONF_SCOPED, AT(digest), "false", 0, 0,
	  "Whether there are digests: mails at set times, or on request, that "
	  "list what was held or deleted.", NULL },
	{ "digest_to", CONF_STRING | CONF_SCOPED, AT(digest_to), "", 0, 320,
	  "Who gets the digest instead of the recipients, all of them in one: "
	  "for a domain or a client. Empty: each recipient gets his own.",
	  NULL },
	{ "digest_times", CONF_LIST | CONF_SCOPED, AT(digest_times), "08:00",
	  0, DUE_TIMES, "When digests go out on weekdays, as \"08:00\".",
	  NULL },
	{ "digest_weekend_times", CONF_LIST | CONF_SCOPED,
	  AT(digest_weekend_times), "", 0, DUE_TIMES,
	  "When digests go out on Saturdays and Sundays.", NULL },
	{ "digest_causes", CONF_LIST | CONF_SCOPED, AT(digest_causes),
	  "virus, spam, phishing, graymail, fraud, attachment, dlp, policy, "
	  "spam-ndr, poison, unscannable, deferred, sandbox, account", 0, 20,
	  "What is listed. " CAUSES_TEXT, NULL },
	{ "digest_deleted", CONF_BOOL | CONF_SCOPED, AT(digest_deleted), "true",
	  0, 0, "Whether deleted mail is listed too.", NULL },
	{ "digest_all", CONF_BOOL | CONF_SCOPED, AT(digest_all), "false", 0, 0,
	  "Whether all that is held is listed each time, and not only what is "
	  "new since the last digest.", NULL },
	{ "digest_empty", CONF_BOOL | CONF_SCOPED, AT(digest_empty), "false", 0,
	  0, "Whether a digest goes out when there is nothing to list, to "
	  "those who have had one before.", NULL },
	{ "digest_links", CONF_BOOL | CONF_SCOPED, AT(digest_links), "true", 0,
	  0, "Whether each message that its recipient may release has a link "
	  "that does it. Mail with a virus never has one.", NULL },
	{ "link_lifetime", CONF_TIME | CONF_SCOPED, AT(link_lifetime), "2d",
	  HOUR, 30 * DAY, "How long a link is good for; never longer than the "
	  "message is held.", NULL },
	{ "notify_recipients", CONF_LIST | CONF_SCOPED, AT(notify_recipients),
	  "", 0, 20, "Causes for which a recipient is told at once. "
	  CAUSES_TEXT, NULL },
	{ "notify_admins", CONF_LIST | CONF_SCOPED, AT(notify_admins),
	  "account", 0, 20, "Causes for which the admins are told at once. "
	  "Of an account that is held (account) they are told once a day. "
	  CAUSES_TEXT, NULL },
	{ "notify_officers", CONF_LIST | CONF_SCOPED, AT(notify_officers),
	  "dlp", 0, 20, "Causes for which the officers are told at once, with "
	  "the message attached. " CAUSES_TEXT, NULL },
	{ "notify_senders", CONF_LIST | CONF_SCOPED, AT(notify_senders), "", 0,
	  20, "Causes for which the sender is told at once, when he is one of "
	  "ours and the mail was going out. Senders elsewhere are never told: "
	  "their addresses are forged. " CAUSES_TEXT, NULL },
	{ "admins", CONF_LIST | CONF_SCOPED, AT(admins), "", 0, 20,
	  "Addresses of those who look after mail.", NULL },
	{ "officers", CONF_LIST | CONF_SCOPED, AT(officers), "", 0, 20,
	  "Addresses of those who look after data protection.", NULL },
	{ "rate", CONF_COUNT | CONF_SCOPED, AT(rate), "20", 1, 10000,
	  "Notices in an hour to one address; what comes beyond that is "
	  "counted, and told in one summary.", NULL },
	{ 0 }
};

static enum rc __attribute__((format(printf, 3, 4)))
bad(struct arena *a, struct slice *why_r, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	*why_r = arena_vprintf(a, fmt, args);
	va_end(args);
	return RC_BAD;
}

static enum rc
check_address(const char *option, struct slice address, struct arena *a,
    struct slice *why_r)
{
	if (address_plain(address))
		return RC_OK;
	return bad(a, why_r, "%s is \"%.*s\"; it wants an address, as "
	    "\"quarantine@example.org\"", option, SLICE_ARG(address));
}

static enum rc
check_addresses(const char *option, const struct conf_list *list,
    struct arena *a, struct slice *why_r)
{
	for (size_t i = 0; i < list->count; i++)
		if (check_address(option, list->items[i], a, why_r) != RC_OK)
			return RC_BAD;
	return RC_OK;
}

static enum rc
check_causes(const char *option, const struct conf_list *list,
    struct arena *a, struct slice *why_r)
{
	for (size_t i = 0; i < list->count; i++) {
		struct near near = near_to(list->items[i]);
		bool known = false;

		for (int c = CAUSE_NONE + 1; c < CAUSES; c++) {
			known = known || slice_eq(list->items[i],
			    slice_of(cause_name((enum cause)c)));
			near_try(&near, cause_name((enum cause)c));
		}
		if (!known && near.best != NULL)
			return bad(a, why_r, "%s holds \"%s\"; did you mean "
			    "\"%s\"?", option, list->items[i].ptr, near.best);
		if (!known)
			return bad(a, why_r, "%s holds \"%s\", which is no "
			    "cause. " CAUSES_TEXT, option, list->items[i].ptr);
	}
	return RC_OK;
}

static enum rc
check_times(const char *option, const struct conf_list *list,
    struct arena *a, struct slice *why_r)
{
	unsigned minutes;

	for (size_t i = 0; i < list->count; i++)
		if (!due_parse(list->items[i], &minutes))
			return bad(a, why_r, "%s holds \"%s\"; it wants times "
			    "of the day from \"00:00\" to \"23:59\"", option,
			    list->items[i].ptr);
	return RC_OK;
}

static enum rc
check_folder_name(const char *option, const char *name, struct arena *a,
    struct slice *why_r)
{
	if (ascii_all_of(slice_of(name), "-_"))
		return RC_OK;
	return bad(a, why_r, "%s is \"%s\"; it wants the name of a folder: "
	    "letters, digits, - and _", option, name);
}

/* What may differ by scope: the default level and each scope pass here. */
static enum rc
check_scoped(const struct notices_conf *c, struct arena *a,
    struct slice *why_r)
{
	if (c->digest_to[0] != '\0' && check_address("digest_to",
	    slice_of(c->digest_to), a, why_r) != RC_OK)
		return RC_BAD;
	if (check_times("digest_times", &c->digest_times, a, why_r) != RC_OK ||
	    check_times("digest_weekend_times", &c->digest_weekend_times, a,
	    why_r) != RC_OK ||
	    check_causes("digest_causes", &c->digest_causes, a, why_r) !=
	    RC_OK || check_causes("notify_recipients", &c->notify_recipients,
	    a, why_r) != RC_OK || check_causes("notify_admins",
	    &c->notify_admins, a, why_r) != RC_OK ||
	    check_causes("notify_officers", &c->notify_officers, a, why_r) !=
	    RC_OK || check_causes("notify_senders", &c->notify_senders, a,
	    why_r) != RC_OK)
		return RC_BAD;
	if (check_addresses("admins", &c->admins, a, why_r) != RC_OK ||
	    check_addresses("officers", &c->officers, a, why_r) != RC_OK)
		return RC_BAD;
	if (check_folder_name("language", c->language, a, why_r) != RC_OK)
		return RC_BAD;
	return check_folder_name("templates", c->templates, a, why_r);
}

static void
note_causes(struct notices *n, const struct conf_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		enum cause cause;

		if (cause_parse(list->items[i], &cause))
			n->causes |= 1u << cause;
	}
}

bool
notices_tells(const struct notices *n, struct slice name)
{
	enum cause cause;

	return cause_parse(name, &cause) && (n->causes >> cause & 1) != 0;
}

struct checking {
	struct notices *n;
	struct arena *a;
	struct slice why;
};

/* One level: right in itself, and all it names is there. */
static enum rc
check_level(struct slice where, const void *conf, void *arg)
{
	const struct notices_conf *level = conf;
	struct checking *c = arg;
	enum rc rc = check_scoped(level, c->a, &c->why);

	note_causes(c->n, &level->notify_recipients);
	note_causes(c->n, &level->notify_admins);
	note_causes(c->n, &level->notify_officers);
	note_causes(c->n, &level->notify_senders);
	if (rc == RC_OK)
		rc = load_named(c->n, conf, c->a, &c->why);
	if (rc == RC_OK || where.len == 0)
		return rc;
	c->why = arena_printf(c->a, "%.*s: %.*s", SLICE_ARG(where),
	    SLICE_ARG(c->why));
	return rc;
}

static enum rc
check_url(const char *url, struct arena *a, struct slice *why_r)
{
	struct slice s = slice_of(url);

	if (s.len == 0)
		return RC_OK;
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' ||
		    strchr("\"'<>\\?#", s.ptr[i]) != NULL)
			s.len = 0;
	if (slice_starts(s, SLICE("https://")) && s.len > 8 &&
	    !slice_ends(s, SLICE("/")))
		return RC_OK;
	return bad(a, why_r, "portal_url is \"%s\"; it wants a URL as "
	    "\"https://quarantine.example.org\", without a slash at its end",
	    url);
}

static enum rc
check_common(struct notices_conf *c, const struct house_conf *house,
    struct arena *a, struct slice *why_r)
{
	if (c->from[0] == '\0')
		c->from = arena_printf(a, "postmaster@%s",
		    house->hostname).ptr;
	if (check_address("from", slice_of(c->from), a, why_r) != RC_OK ||
	    check_url(c->portal_url, a, why_r) != RC_OK)
		return RC_BAD;
	if (c->release_address[0] != '\0' && check_address("release_address",
	    slice_of(c->release_address), a, why_r) != RC_OK)
		return RC_BAD;
	if (c->request_address[0] != '\0' && check_address("request_address",
	    slice_of(c->request_address), a, why_r) != RC_OK)
		return RC_BAD;
	if (!smtp_server_valid(slice_of(c->server)))
		return bad(a, why_r, "server is \"%s\"; it wants an address "
		    "and a port as \"127.0.0.1:10026\", or the path of a "
		    "socket", c->server);
	return RC_OK;
}

static enum rc
check_all(struct notices *n, struct arena *a, struct slice *why_r)
{
	struct checking c = { n, a, SLICE("") };
	enum rc rc = check_common(&n->conf, n->house, a, &c.why);

	if (rc == RC_OK)
		rc = check_level(SLICE(""), &n->conf, &c);
	if (rc == RC_OK)
		rc = scope_each(n->conf.scopes, &n->conf, sizeof n->conf,
		    check_level, &c);
	if (rc == RC_OK)
		rc = load_mixed(n, a, &c.why);
	*why_r = c.why;
	return rc;
}

enum rc
notices_load(struct arena *a, const char *path, bool trusted,
    const struct house_conf *house, struct notices **notices_r,
    struct slice *why_r)
{
	struct notices *n = arena_alloc(a, sizeof *n);
	const struct conf_section sections[] = {
	    { notices_options, &n->conf }, { NULL, NULL } };
	struct slice why;
	enum rc rc = (trusted ? conf_load_trusted : conf_load)(a, path,
	    sections, why_r);

	*notices_r = n;
	if (rc != RC_OK)
		return rc;
	n->house = house;
	n->match = house_match(house);
	load_begin(n, a);
	rc = check_all(n, a, &why);
	if (rc != RC_OK)
		*why_r = path == NULL || slice_starts(why, slice_of(path)) ?
		    why : arena_printf(a, "%s: %.*s", path, SLICE_ARG(why));
	return rc;
}

void
notices_for(const struct notices *n, struct arena *a, struct slice address,
    struct notices_conf *conf_r)
{
	struct scope_subject who;

	*conf_r = n->conf;
	scope_subject(a, address, n->match, &who);
	scope_resolve(n->conf.scopes, &who, conf_r);
}

void
notices_due(const struct notices *n, const struct notices_conf *conf,
    struct due_times *due_r)
{
	const struct conf_list *days = &conf->digest_times;
	const struct conf_list *ends = &conf->digest_weekend_times;

	*due_r = (struct due_times){ .zone = notices_zone(n, conf) };
	for (size_t i = 0; i < days->count && i < DUE_TIMES; i++)
		due_parse(days->items[i], &due_r->weekday[due_r->nweekday++]);
	for (size_t i = 0; i < ends->count && i < DUE_TIMES; i++)
		due_parse(ends->items[i], &due_r->weekend[due_r->nweekend++]);
}

bool
notices_ours(const struct notices *n, struct arena *a, struct slice address)
{
	struct slice local, domain, ascii;

	return address_split(address, &local, &domain) && local.len > 0 &&
	    domain_ascii(a, domain, &ascii) &&
	    conf_list_has(&n->house->domains, ascii);
}
