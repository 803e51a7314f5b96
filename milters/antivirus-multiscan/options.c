#include "options.h"

#include "conf/scope.h"
#include "engines.h"
#include "ledger.h"
#include "wait.h"

static const char *const found[] = { "accept", "tag", "quarantine",
    "discard", "tempfail", "reject", NULL };
/* Our own trouble is nobody's fault: no mail is refused for good. */
static const char *const troubled[] = { "accept", "tag", "quarantine",
    "discard", "tempfail", NULL };

static const char *const found_outbound[] = { "accept", "tag", "quarantine",
    "discard", "tempfail", "reject", "same", NULL };
static const char *const troubled_outbound[] = { "accept", "tag",
    "quarantine", "discard", "tempfail", "same", NULL };

#define AT(field)	offsetof(struct antivirus_conf, field)

enum { ACTION = CONF_ENUM | CONF_SCOPED };

const struct conf_option antivirus_options[] = {
	{ "engines", CONF_LIST, AT(engines), "clamav", 1, LEDGER_ENGINES,
	  "The engines that look at each item, all at once. \"clamav\": "
	  "libclamav in a cell of its own, no daemon needed. \"clamd\", "
	  "\"clamd:/path\", \"clamd:host:3310\": ClamAV's daemon, which gets "
	  "descriptors over a path; \"clamd-stream:/path\" sends the bytes "
	  "there too. \"icap:host:1344/service\", \"icaps:...\" with TLS: a "
	  "scanner that speaks ICAP. \"command:/path\": a program. Several of "
	  "a kind need names: \"second=clamd:/path\".", NULL },
	{ "min_engines", CONF_COUNT | CONF_SCOPED, AT(min_engines), "1", 1,
	  LEDGER_ENGINES,
	  "So many of them have to see an item before it counts as scanned.",
	  NULL },
	{ "min_engines_outbound", CONF_COUNT | CONF_SCOPED,
	  AT(min_engines_outbound), "0", 0, LEDGER_ENGINES,
	  "The same for outbound mail. 0: min_engines counts there too.",
	  NULL },
	{ "max_signature_age", CONF_TIME | CONF_SCOPED, AT(max_age), "7d", 0, 0,
	  "An engine whose signatures are older than this has not looked. 0s: "
	  "any age will do.", NULL },

	{ "infected", ACTION, AT(infected), "quarantine", 0, 0,
	  "What is done with inbound mail in which an engine found a virus. "
	  "What is held for a virus can be let go by an administrator only. "
	  "discard deletes it and leaves a record; reject tells the client, "
	  "who may be a relay that bounces it to somebody else.", found },
	{ "infected_outbound", ACTION, AT(infected_outbound), "reject", 0, 0,
	  "The same for outbound mail.", found },
	{ "engine_trouble", ACTION, AT(lack[LACK_ENGINE]), "tempfail", 0, 0,
	  "What is done with mail that too few engines could look at, because "
	  "one is down or its signatures are too old. tempfail has it come "
	  "again; nothing that was not scanned passes as clean.", troubled },
	{ "crash", ACTION, AT(lack[LACK_CRASH]), "quarantine", 0, 0,
	  "The same when the mail ended a reader or an engine. A cell takes "
	  "that without harm; whether it was meant, nobody knows. tempfail: "
	  "what does so more than three times is held.", found },
	{ "limit", ACTION, AT(lack[LACK_LIMIT]), "quarantine", 0, 0,
	  "The same when something in it is nested too deep, too large, too "
	  "many, took too long, or unfolds as a bomb does.", found },
	{ "encrypted", ACTION, AT(lack[LACK_ENCRYPTED]), "tag", 0, 0,
	  "The same when something in it is encrypted and no password of the "
	  "letter's text opens it.", found },
	{ "ambiguous", ACTION, AT(lack[LACK_AMBIGUOUS]), "quarantine", 0, 0,
	  "The same when its structure can be read in several ways, as with "
	  "two boundaries. All of them were scanned; a reader may know one "
	  "more.", found },
	{ "unreadable", ACTION, AT(lack[LACK_UNREADABLE]), "tag", 0, 0,
	  "The same when something in it is damaged, or an archive of a kind "
	  "that nobody here can open.", found },

	{ "engine_trouble_outbound", ACTION,
	  AT(lack_outbound[LACK_ENGINE]), "same", 0, 0,
	  "The same as engine_trouble, for outbound mail. same: as inbound.",
	  troubled_outbound },
	{ "crash_outbound", ACTION,
	  AT(lack_outbound[LACK_CRASH]), "same", 0, 0,
	  "The same as crash, for outbound mail. same: as inbound.",
	  found_outbound },
	{ "limit_outbound", ACTION,
	  AT(lack_outbound[LACK_LIMIT]), "same", 0, 0,
	  "The same as limit, for outbound mail. same: as inbound.",
	  found_outbound },
	{ "encrypted_outbound", ACTION,
	  AT(lack_outbound[LACK_ENCRYPTED]), "same", 0, 0,
	  "The same as encrypted, for outbound mail. same: as inbound.",
	  found_outbound },
	{ "ambiguous_outbound", ACTION,
	  AT(lack_outbound[LACK_AMBIGUOUS]), "same", 0, 0,
	  "The same as ambiguous, for outbound mail. same: as inbound.",
	  found_outbound },
	{ "unreadable_outbound", ACTION,
	  AT(lack_outbound[LACK_UNREADABLE]), "same", 0, 0,
	  "The same as unreadable, for outbound mail. same: as inbound.",
	  found_outbound },
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT " Inbound "
	  "that is the recipient, outbound who logged in, else the sender.",
	  NULL },
	{ "defer", CONF_LIST | CONF_SCOPED, AT(defer), "", 0, WAIT_CLASSES,
	  "Attachments whose mail waits in the quarantine, to be scanned again "
	  "with newer signatures (deferred_after in store.conf), though no "
	  "engine found anything: by extension (\"ext:exe\"), by the type "
	  "that the mail says (\"mime:application/zip\", \"mime:image/*\"), "
	  "or by the true one (\"type:pe\", \"type:elf\", or a container as "
	  "\"type:zip\", \"type:ole2\", \"type:pdf\"). \"any\": all. "
	  "Members of archives count as well. Mail without an attachment never "
	  "waits, and none waits twice. For inbound mail. Empty: none.", NULL },
	{ "defer_outbound", CONF_LIST | CONF_SCOPED, AT(defer_out), "", 0,
	  WAIT_CLASSES, "The same for outbound mail.", NULL },
	{ "sandbox", CONF_LIST | CONF_SCOPED, AT(sandbox), "", 0,
	  WAIT_CLASSES, "Attachments that gatehouse-sandbox has looked at "
	  "before their mail is delivered, in the same words. It is scanned "
	  "again then, so defer does not count for mail that this holds.",
	  NULL },
	{ "sandbox_outbound", CONF_LIST | CONF_SCOPED, AT(sandbox_out), "", 0,
	  WAIT_CLASSES, "The same for outbound mail.", NULL },

	{ "clamav_database", CONF_PATH, AT(clamav_database),
	  "/var/lib/clamav", 0, 0,
	  "Where freshclam keeps the signatures of the engine clamav. New ones "
	  "are loaded beside the old ones and take over when they are ready.",
	  NULL },
	{ "clamav_yara", CONF_PATH, AT(clamav_yara), "", 0, 0,
	  "A file of YARA rules, or a folder of them, for the engine clamav. "
	  "Empty: none.", NULL },
	{ "clamav_workers", CONF_COUNT, AT(clamav_workers), "4", 1,
	  CELL_WORKERS,
	  "Processes that scan at once; they share one copy of the "
	  "signatures.", NULL },
	{ "clamav_look", CONF_TIME, AT(clamav_look), "10s", 100, 86400000,
	  "How often clamav_database is looked at for new signatures.", NULL },
	{ "start", CONF_TIME, AT(start), "5m", 1000, 3600000,
	  "How long loading the first signatures may take.", NULL },

	{ "engine_timeout", CONF_TIME, AT(engine_timeout), "60s", 100, 600000,
	  "How long clamd, ICAP and commands may take for one item; never "
	  "beyond the deadline of the message.", NULL },
	{ "engine_cache", CONF_TIME, AT(engine_cache), "10m", 0, 86400000,
	  "How long verdicts of these are kept for an item that comes again: "
	  "they do not say for sure when their signatures change. 0s: not at "
	  "all.", NULL },
	{ "self_test", CONF_TIME, AT(self_test), "5m", 0, 86400000,
	  "How often the EICAR test file goes through each engine; one that "
	  "does not find it is down until it does. 0s: never.", NULL },
	{ "clamd_limit", CONF_SIZE, AT(clamd_limit), "25M", 0, 0,
	  "Larger items are not given to clamd and count as cut. Not above its "
	  "MaxFileSize and StreamMaxLength: it says OK to what it did not look "
	  "at.", NULL },
	{ "icap_limit", CONF_SIZE, AT(icap_limit), "5M", 0, 0,
	  "The same for ICAP (c-icap: virus_scan.MaxObjectSize).", NULL },
	{ "icap_ca", CONF_PATH, AT(icap_ca), "", 0, 0,
	  "A file of certificates to trust for icaps. Empty: the system's.",
	  NULL },
	{ "command_limit", CONF_SIZE, AT(command_limit), "200M", 0, 0,
	  "The same for commands.", NULL },
	{ "command_workers", CONF_COUNT, AT(command_workers), "4", 1, 256,
	  "So many processes of one command at once.", NULL },

	{ "depth", CONF_COUNT, AT(depth), "10", 1, 100,
	  "Containers within containers that are opened.", NULL },
	{ "members", CONF_COUNT, AT(members), "5000", 1, 100000,
	  "Members of one attachment that are looked at.", NULL },
	{ "member_bytes", CONF_SIZE, AT(member_bytes), "200M", 1024, 0,
	  "The largest member that is looked at.", NULL },
	{ "bytes", CONF_SIZE, AT(bytes), "400M", 1024, 0,
	  "Bytes that one attachment may unfold to.", NULL },
	{ "ratio", CONF_COUNT, AT(ratio), "200", 2, 100000,
	  "How many times its own size an attachment may unfold to, from 1 MB "
	  "on.", NULL },
	{ "unpack_workers", CONF_COUNT, AT(unpack_workers), "4", 1,
	  CELL_WORKERS, "Processes that open containers at once.", NULL },
	{ "passwords", CONF_LIST, AT(passwords), "infected, virus", 0,
	  UNPACK_PASSWORDS / 2,
	  "Passwords that are tried on every encrypted archive, besides the "
	  "words of the letter that look like one.", NULL },

	{ "threads", CONF_COUNT, AT(threads), "4", 1, 256,
	  "Threads that wait for engines, besides those of the sessions.",
	  NULL },
	{ "cache", CONF_COUNT, AT(cache), "20000", 0, 10000000,
	  "Verdicts on items that are kept, by engine and signatures; an item "
	  "that comes again is not scanned again. 0: none.", NULL },
	{ "scan_memory", CONF_SIZE, AT(memory), "1G", 1 << 20, 0,
	  "Memory for decoded attachments of all messages together; above it "
	  "mail is answered 451.", NULL },
	{ "header", CONF_STRING, AT(header), "X-Gatehouse-Antivirus", 1, 60,
	  "The header field that says what was not scanned and why. Fields of "
	  "that name that come from outside are removed.", NULL },
	{ "header_always", CONF_BOOL, AT(header_always), "false", 0, 0,
	  "Write it into clean mail too.", NULL },
	{ 0 }
};

bool
antivirus_outbound(const struct antivirus_conf *conf, enum lack lack)
{
	int same = lack == LACK_ENGINE ? ANTIVIRUS_TEMPFAIL + 1 :
	    ANTIVIRUS_REJECT + 1;

	return lack != LACK_NONE && conf->lack_outbound[lack] < same;
}

enum antivirus_action
antivirus_action(const struct antivirus_conf *conf, enum lack lack,
    bool outbound)
{
	if (lack == LACK_NONE)
		return ANTIVIRUS_ACCEPT;
	return (enum antivirus_action)(outbound &&
	    antivirus_outbound(conf, lack) ? conf->lack_outbound[lack] :
	    conf->lack[lack]);
}

struct finish {
	struct arena *arena;
	struct slice *why_r;
};

/* Of what stands outside of all scopes (where is empty), or in one. */
static enum rc
demands(struct slice where, const void *arg, void *finish)
{
	const struct antivirus_conf *conf = arg;
	const struct finish *f = finish;
	bool out = conf->min_engines <= conf->engines.count;

	if (out && conf->min_engines_outbound <= conf->engines.count)
		return RC_OK;
	*f->why_r = arena_printf(f->arena, "%.*s%s%s is %u, and engines names "
	    "%zu; no mail would ever be scanned", SLICE_ARG(where),
	    where.len > 0 ? ": " : "", out ? "min_engines_outbound" :
	    "min_engines", out ? conf->min_engines_outbound :
	    conf->min_engines, conf->engines.count);
	return RC_BAD;
}

enum rc
antivirus_finish(const struct antivirus_conf *conf, struct arena *a,
    struct slice *why_r)
{
	struct finish f = { a, why_r };

	if (engines_check(conf, a, why_r) != RC_OK)
		return RC_BAD;
	if (demands(SLICE(""), conf, &f) != RC_OK || scope_each(conf->scopes,
	    conf, sizeof *conf, demands, &f) != RC_OK)
		return RC_BAD;
	if (wait_check(conf, a, why_r) != RC_OK)
		return RC_BAD;
	for (const char *p = conf->header; *p != '\0'; p++) {
		if (ascii_alnum(*p) || *p == '-')
			continue;
		*why_r = arena_printf(a, "header is \"%s\"; it wants letters, "
		    "digits and hyphens, as \"X-Antivirus\"", conf->header);
		return RC_BAD;
	}
	return RC_OK;
}
