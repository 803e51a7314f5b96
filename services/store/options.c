#include "services/store/options.h"

#include <errno.h>
#include <unistd.h>

#include "net/smtp.h"
#include "services/store/files.h"

#define PLACE(field)	offsetof(struct store_conf, field)

enum { HOUR_MS = 3600 * 1000 };
#define DAYS(n)	((int64_t)(n) * 24 * HOUR_MS)

#define RETENTION(name, cause, what) \
	{ "retention_" name, CONF_TIME | CONF_SCOPED, \
	  PLACE(retention[cause]), "30d", HOUR_MS, DAYS(30), "How long " what " is kept.", NULL }

/* In the order of enum waiting_fallback and of enum waiting_catch. */
static const char *const fallbacks[] = { "hold", "deliver", NULL };
static const char *const catches[] = { "hold", "delete", NULL };
static const char *const suspicions[] = { "hold", "delete", "deliver", NULL };

const struct conf_option store_options[] = {
	{ "scope", CONF_SCOPES, PLACE(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },
	{ "key", CONF_PATH, PLACE(key), "/etc/gatehouse/store.key", 1, 0,
	  "File with the private keys of the quarantine; gatehouse store "
	  "keygen makes it. A systemd credential store.key goes before it. Keep a copy "
	  "in a safe place: without it nothing that is held can be read again.",
	  NULL },
	{ "release_server", CONF_SERVER, PLACE(release_server),
	  "127.0.0.1:10027", 1, 0,
	  "Postfix's listener for released mail, by address and port. It must "
	  "rewrite nothing; gatehouse-store(8) shows it.", NULL },
	{ "release_timeout", CONF_TIME, PLACE(release_timeout), "5m", 1000,
	  1800000,
	  "How long giving one message back to Postfix may take.", NULL },
	{ "release_retry", CONF_TIME, PLACE(release_retry), "1m", 100,
	  HOUR_MS,
	  "When a release that Postfix answered 4xx, or not at all, is tried "
	  "again for the first time; the pause doubles from time to time, up "
	  "to an hour.", NULL },
	{ "release_give_up", CONF_TIME, PLACE(release_give_up), "5d", 1000,
	  DAYS(30),
	  "How long a release is tried again; then the message is held as "
	  "before, with the last answer beside it.", NULL },
	{ "connections", CONF_COUNT, PLACE(connections), "64", 1, 1000,
	  "Connections to the control socket at the same time.", NULL },
	RETENTION("virus", CAUSE_VIRUS, "mail with a virus"),
	RETENTION("spam", CAUSE_SPAM, "spam"),
	RETENTION("phishing", CAUSE_PHISHING, "phishing"),
	RETENTION("graymail", CAUSE_GRAYMAIL, "graymail"),
	RETENTION("fraud", CAUSE_FRAUD, "mail of an impostor"),
	RETENTION("attachment", CAUSE_ATTACHMENT,
	    "mail with a forbidden attachment"),
	RETENTION("dlp", CAUSE_DLP, "mail that would have leaked data"),
	RETENTION("policy", CAUSE_POLICY, "what a rule of the site held"),
	RETENTION("spam_ndr", CAUSE_SPAM_NDR,
	    "a bounce of mail that was never sent"),
	RETENTION("poison", CAUSE_POISON, "mail that broke a filter"),
	RETENTION("unscannable", CAUSE_UNSCANNABLE,
	    "mail that could not be looked into"),
	RETENTION("deferred", CAUSE_DEFERRED,
	    "mail that was to be scanned again and could not be delivered"),
	RETENTION("sandbox", CAUSE_SANDBOX,
	    "mail that a sandbox caught, or did not judge"),
	RETENTION("account", CAUSE_ACCOUNT,
	    "mail of an account that sent too much at once"),
	{ "deferred_after", CONF_TIME | CONF_SCOPED, PLACE(deferred_after),
	  "15m", 0, DAYS(7),
	  "How long after it came in mail that antivirus-multiscan deferred "
	  "(its option defer) is given back to Postfix, to be scanned again "
	  "with newer signatures.", NULL },
	{ "deferred_deadline", CONF_TIME | CONF_SCOPED,
	  PLACE(deferred_deadline), "4h", 1000, DAYS(14),
	  "When the second scan must have been at the latest, from when the "
	  "mail came in; then deferred_fallback counts. An engine that is down "
	  "makes it late.", NULL },
	{ "deferred_fallback", CONF_ENUM | CONF_SCOPED,
	  PLACE(deferred_fallback), "hold", 0, 0,
	  "What becomes of it then: hold (an administrator decides), or "
	  "deliver: the first scan was clean. A virus that the second one "
	  "finds counts in any case.", fallbacks },
	{ "sandbox_deadline", CONF_TIME | CONF_SCOPED,
	  PLACE(sandbox_deadline), "30m", 1000, DAYS(7),
	  "When the sandbox must have said what mail that waits for it is, "
	  "from when it came in; then sandbox_fallback counts, also for a "
	  "sandbox that says that it cannot tell.", NULL },
	{ "sandbox_fallback", CONF_ENUM | CONF_SCOPED, PLACE(sandbox_fallback),
	  "hold", 0, 0, "What becomes of it then: hold (an administrator "
	  "decides), or deliver, after another scan by the engines.",
	  fallbacks },
	{ "sandbox_malicious", CONF_ENUM | CONF_SCOPED,
	  PLACE(sandbox_malicious), "hold", 0, 0,
	  "What becomes of mail that the sandbox calls malicious: hold (only "
	  "an administrator may release it) or delete (a record stays).",
	  catches },
	{ "sandbox_suspicious", CONF_ENUM | CONF_SCOPED,
	  PLACE(sandbox_suspicious), "hold", 0, 0,
	  "The same for what it calls suspicious; deliver treats it as clean.",
	  suspicions },
	{ "sandbox_users", CONF_LIST, PLACE(sandbox_users),
	  "gatehouse-sandbox", 0, 10,
	  "System users who may ask the control socket as gatehouse-sandbox "
	  "does: they get mail that waits for the sandbox, may say what it is, "
	  "and nothing else.", NULL },
	{ "records", CONF_TIME, PLACE(records), "45d", HOUR_MS, DAYS(180),
	  "How long it is remembered that a message was deleted, or expired, "
	  "after the message itself has gone.", NULL },
	{ "scan", CONF_TIME, PLACE(scan), "10s", 100, HOUR_MS,
	  "How often the folder of new objects is looked at, besides when the "
	  "kernel tells of one.", NULL },
	{ "expire_cap", CONF_COUNT, PLACE(expire_cap), "1000", 1, 10000000,
	  "Rows that may expire in one run; there is a run a minute. When more "
	  "are due it is said in the log.", NULL },
	{ "clock_guard", CONF_TIME, PLACE(clock_guard), "1d", 1000, DAYS(30),
	  "When the clock jumps, nothing expires for so long.", NULL },
	{ "quota", CONF_SIZE, PLACE(quota), "0", 0, INT64_MAX,
	  "Bytes that the quarantine may take. At 80 % there is a warning; at "
	  "the limit nothing is thrown away, but filters get no more in and "
	  "answer 451 to what they would have to hold. 0: what the disk holds, "
	  "but for a twentieth of it.", NULL },
	{ "reserve", CONF_SIZE, PLACE(reserve), "64M", 0, INT64_MAX,
	  "Bytes that are kept free in a file, so that mail can still be "
	  "released and deleted when the disk is full. 0: none.", NULL },
	{ "notices", CONF_PATH, PLACE(notices_file),
	  "/etc/gatehouse/notices.conf", 1, 0,
	  "The file about digests and notices, gatehouse-notices.conf(5). "
	  "Without it there are none.", NULL },
	{ "download_scanners", CONF_LIST, PLACE(download_scanners), "", 0, 10,
	  "The virus scanners that look at a large file before it is given to "
	  "who has a link: paths of clamd's socket, as "
	  "\"/run/clamav/clamd.ctl\", or \"host:port\". All of them have to "
	  "answer, else it is not given out. Where there is a portal there "
	  "has to be one.", NULL },
	{ "download_scan_limit", CONF_SIZE, PLACE(download_scan_limit), "100M",
	  1024, 0, "A file that is larger is never given out. Not above "
	  "MaxFileSize, MaxScanSize and StreamMaxLength of clamd, which says "
	  "OK to what it did not look at.", NULL },
	{ "download_scan_timeout", CONF_TIME, PLACE(download_scan_timeout),
	  "2m", 1000, HOUR_MS, "How long one of them may take.", NULL },
	{ "download_memory", CONF_SIZE, PLACE(download_memory), "512M",
	  1 << 20, 0, "Memory for files that are being looked at; whoever "
	  "comes when it is used up waits half a minute, and is then told to "
	  "come again. A single file may be larger.", NULL },
	{ "users", CONF_LIST, PLACE(users), "", 0, 100,
	  "System users who may speak to the control socket for mail users: "
	  "they may look at and release the mail of one recipient at a time, "
	  "and no virus.", NULL },
	{ "admins", CONF_LIST, PLACE(admins), "", 0, 100,
	  "System users who may ask the control socket for everything; root "
	  "may.", NULL },
	{ .name = NULL }
};

/* "Never given unscanned" is said when it is configured, not at a download. */
static enum rc
check_scanners(const struct store_conf *conf, const struct house_conf *house,
    struct arena *a, struct slice *why_r)
{
	for (size_t i = 0; i < conf->download_scanners.count; i++)
		if (files_scanner_check(conf->download_scanners.items[i], a,
		    why_r) != RC_OK)
			return RC_BAD;
	if (house->portal[0] == '\0' || conf->download_scanners.count > 0)
		return RC_OK;
	*why_r = SLICE("download_scanners is empty, and gatehouse.conf has a "
	    "portal, so files could not be given out; it wants a scanner, as "
	    "[ \"/run/clamav/clamd.ctl\" ]");
	return RC_BAD;
}

enum rc
store_check(void *arg, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	struct store_conf *conf = arg;

	conf->retention[CAUSE_NONE] = conf->retention[CAUSE_POLICY];
	if (!smtp_server_valid(slice_of(conf->release_server))) {
		*why_r = arena_printf(a, "release_server is \"%s\"; it wants "
		    "an address and a port, as \"127.0.0.1:10027\"",
		    conf->release_server);
		return RC_BAD;
	}
	if (check_scanners(conf, house, a, why_r) != RC_OK)
		return RC_BAD;
	/* Without one nothing can be released, but all can be kept. */
	if (house->seal_key[0] != '\0' && seal_key_load(house->seal_key,
	    &conf->seal, a, why_r) != RC_OK)
		return RC_BAD;
	if (access(conf->notices_file, F_OK) != 0 && errno == ENOENT)
		return RC_OK;
	return notices_load(a, conf->notices_file, true, house,
	    &conf->notices, why_r);
}
