#include "options.h"

#include "cell/cell.h"
#include "judge.h"
#include "net/smtp.h"
#include "text/address.h"
#include "unpack/unpack.h"

#define AT(field)	offsetof(struct attachment_conf, field)

#define SCOPED		(CONF_SCOPED | CONF_FORM)

static const char *const dlp_unread_names[] = { "pass", "hold", "block",
    NULL };
static const char *const sealed_names[] = { "deliver", "reject", NULL };
static const char *const unremovable[] = { "quarantine", "reject", NULL };

#define LIST(name, field, value, text) \
	{ name, CONF_LIST | SCOPED, AT(field), value, 0, 200, text, NULL }
#define LISTS_OF(suffix, way, held, default_held, of, word) \
	LIST("allow" suffix, way[LIST_ALLOW], "", \
	    "Attachments " of " and no other list" word " is asked about: " \
	    "entries as \"ext:exe\", \"class:script\", \"mime:audio/*\", " \
	    "\"type:pe\", \"name:*.pdf.*\", \"larger:10M\", and conditions " \
	    "joined as in \"member+ext:js\"; gatehouse-attachment-dlp(8) has " \
	    "them all. What is in an archive is asked about apart."), \
	LIST("remove" suffix, way[LIST_REMOVE], "", \
	    "Attachments " of " and that are removed; the rest of the " \
	    "message is delivered. Of several lists the strongest counts: " \
	    "reject, discard, quarantine, remove."), \
	LIST(held, way[LIST_QUARANTINE], default_held, \
	    "The same, for which the message is held."), \
	LIST("discard" suffix, way[LIST_DISCARD], "", \
	    "The same, for which the message is deleted; a record stays in " \
	    "the store."), \
	LIST("reject" suffix, way[LIST_REJECT], "", \
	    "The same, for which the message is refused.")

const struct conf_option attachment_options[] = {
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },

	LISTS_OF("", in, "quarantine", "class:executable, class:script, "
	    "class:shortcut, class:disk-image, class:installer, "
	    "class:name-trick", "that somebody of ours gets", ""),
	LISTS_OF("_outbound", out, "quarantine_outbound", "",
	    "that somebody of ours sends to people outside", " outbound"),
	{ "unremovable", CONF_ENUM | SCOPED, AT(unremovable), "quarantine",
	  0, 0, "What is done instead of removing where that would break the "
	  "rest: in signed and encrypted mail, and where only a careless "
	  "reader finds the attachment at all. quarantine or reject.",
	  unremovable },
	{ "note", CONF_PATH | SCOPED, AT(note), "", 0, 0,
	  "A template for the text that stands in place of what was removed; "
	  "see gatehouse-attachment-dlp(8). Empty: our own, in English.",
	  NULL },
	{ "copy_to", CONF_STRING | CONF_SCOPED, AT(copy_to), "", 0, 300,
	  "A mailbox that gets the message as it was, before anything is "
	  "removed. Mail to it has nothing removed. Empty: none.", NULL },
	{ "copy_server", CONF_STRING, AT(copy_server), "127.0.0.1:10026", 1,
	  200, "Where copies, and mails of rules (notify_to), are handed in: the "
	  "listener reinject_listener of postfix.conf, or the path of a unix "
	  "socket. Where it does not take one, the mail is answered 451.",
	  NULL },

	{ "large_at", CONF_SIZE | SCOPED, AT(large_at), "0", 0, 0,
	  "The size of a message that somebody of ours gets above which its "
	  "attachments go into the store, and links stand in their place. It "
	  "wants a portal: the option portal of gatehouse.conf. 0: never.",
	  NULL },
	{ "large_at_outbound", CONF_SIZE | SCOPED, AT(large_at_outbound), "0",
	  0, 0, "The same for what somebody of ours sends to people outside.",
	  NULL },
	{ "large_part", CONF_SIZE | SCOPED, AT(large_part), "1M", 0, 0,
	  "The attachments of such a message that are larger than this go; "
	  "the others stay.", NULL },
	{ "large_sealed", CONF_ENUM | SCOPED, AT(large_sealed), "deliver", 0,
	  0, "What becomes of a large message whose attachments cannot be "
	  "taken out, since it is signed or encrypted: deliver (as it is) or "
	  "reject.", sealed_names },
	{ "large_keep", CONF_TIME | SCOPED, AT(large_keep), "14d",
	  INT64_C(3600) * 1000, INT64_C(365) * 86400 * 1000,
	  "How long such an attachment can be had.", NULL },
	{ "large_downloads", CONF_COUNT | SCOPED, AT(large_downloads), "10",
	  1, 100000, "How many times each recipient can have it.", NULL },
	{ "large_url", CONF_STRING | SCOPED, AT(large_url), "", 0, 500,
	  "What the links begin with; behind it comes the token. As "
	  "\"https://portal.example.org/file/\".", NULL },
	{ "large_note", CONF_PATH | SCOPED, AT(large_note), "", 0, 0,
	  "A template for the text with the link; see "
	  "gatehouse-attachment-dlp(8). Empty: our own, in English.", NULL },

	{ "control_mailbox", CONF_STRING | CONF_SCOPED, AT(control_mailbox), "",
	  0, 300, "Mail to people outside is refused unless this mailbox is "
	  "among its recipients. Who is asked about is who sends. Empty: none "
	  "is needed.", NULL },

	{ "depth", CONF_COUNT, AT(depth), "10", 1, 100,
	  "Containers within containers that are opened.", NULL },
	{ "members", CONF_COUNT, AT(members), "5000", 1, 100000,
	  "Members of one attachment that are looked at.", NULL },
	{ "member_bytes", CONF_SIZE, AT(member_bytes), "200M", 1024, 0,
	  "The largest attachment or member that is looked at.", NULL },
	{ "bytes", CONF_SIZE, AT(bytes), "400M", 1024, 0,
	  "Bytes that one attachment may unfold to.", NULL },
	{ "ratio", CONF_COUNT, AT(ratio), "200", 2, 100000,
	  "How many times its own size an attachment may unfold to, from 1 MB "
	  "on.", NULL },
	{ "unpack_workers", CONF_COUNT, AT(unpack_workers), "4", 1,
	  CELL_WORKERS, "Processes that open containers at once.", NULL },
	{ "passwords", CONF_LIST, AT(passwords), "", 0, UNPACK_PASSWORDS,
	  "Passwords that are tried on every encrypted archive.", NULL },
	{ "scan_memory", CONF_SIZE, AT(memory), "1G", 1 << 20, 0,
	  "Memory for decoded attachments of all messages together; above it "
	  "mail is answered 451.", NULL },
	{ "dlp_rules", CONF_PATH, AT(dlp_rules), "", 0, 0,
	  "The file of rules for what must not go out; see gatehouse-dlp(5). "
	  "Empty: there are none.", NULL },
	{ "dlp_sets", CONF_LIST | CONF_SCOPED, AT(dlp_sets), "default", 0, 100,
	  "Names of the sets of such rules that apply. Outbound, who sends has "
	  "them; inbound, who receives.", NULL },
	{ "dlp_unread", CONF_ENUM | CONF_SCOPED, AT(dlp_unread), "pass", 0, 0,
	  "What becomes of mail with an attachment that can hold text and "
	  "cannot be read (encrypted, damaged, too large, of a format without "
	  "a reader), where a rule in mode enforce would look at it.",
	  dlp_unread_names },
	{ 0 }
};

struct checking {
	struct arena *a;
	struct slice *why_r;
};

static enum rc
check_mailbox(const char *name, const char *value, struct arena *a,
    struct slice *why_r)
{
	struct slice local, domain;

	if (value[0] == '\0' || (address_split(slice_of(value), &local,
	    &domain) && local.len > 0 && domain.len > 0))
		return RC_OK;
	*why_r = arena_printf(a, "%s is \"%s\"; it wants an address, as "
	    "\"control@example.org\"", name, value);
	return RC_BAD;
}

static enum rc
check_one(const struct attachment_conf *conf, struct arena *a,
    struct slice *why_r)
{
	if (attachment_lists(conf, a, why_r) != RC_OK ||
	    check_mailbox("copy_to", conf->copy_to, a, why_r) != RC_OK ||
	    note_check(NOTE_REMOVED, conf->note, a, why_r) != RC_OK ||
	    note_check(NOTE_LARGE, conf->large_note, a, why_r) != RC_OK)
		return RC_BAD;
	return check_mailbox("control_mailbox", conf->control_mailbox, a,
	    why_r);
}

static enum rc
check_scope(struct slice where, const void *conf, void *arg)
{
	struct checking *c = arg;
	struct slice why = SLICE_NONE;

	if (check_one(conf, c->a, &why) == RC_OK)
		return RC_OK;
	*c->why_r = arena_printf(c->a, "%.*s: %.*s", SLICE_ARG(where),
	    SLICE_ARG(why));
	return RC_BAD;
}

enum rc
attachment_finish(const struct attachment_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r)
{
	struct checking c = { a, why_r };

	if (check_one(conf, a, why_r) != RC_OK)
		return RC_BAD;
	if (!smtp_server_valid(slice_of(conf->copy_server))) {
		*why_r = arena_printf(a, "copy_server is \"%s\"; it wants an "
		    "address and a port, as \"127.0.0.1:10026\", or the path "
		    "of a unix socket", conf->copy_server);
		return RC_BAD;
	}
	if ((conf->in[LIST_DISCARD].count > 0 ||
	    conf->out[LIST_DISCARD].count > 0) && !house_stores(house)) {
		*why_r = SLICE("discard deletes mail, and there is no store "
		    "for a record of it; set store_key in gatehouse.conf, or "
		    "use quarantine");
		return RC_BAD;
	}
	return scope_each(conf->scopes, conf, sizeof *conf, check_scope, &c);
}
