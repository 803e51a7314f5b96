#include "options.h"

#include "cell/cell.h"
#include "unpack/unpack.h"

#define AT(field)	offsetof(struct attachment_conf, field)

static const char *const dlp_unread_names[] = { "pass", "hold", "block",
    NULL };

const struct conf_option attachment_options[] = {
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },

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

enum rc
attachment_finish(const struct attachment_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r)
{
	(void)conf;
	(void)house;
	(void)a;
	(void)why_r;
	return RC_OK;
}
