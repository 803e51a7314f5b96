#include "options.h"

#include "accounts.h"
#include "campaign.h"
#include "cell/cell.h"
#include "net/url.h"
#include "people.h"
#include "text/address.h"
#include "nets.h"

#define AT(field)	offsetof(struct antispam_conf, field)

static const char *const actions[] = { "tag", "quarantine", "reject",
    "tempfail", "discard", NULL };

static const char *const burst_actions[] = { "none", "quarantine",
    "tempfail", "reject", NULL };
static const char *const files[] = { "read", "must", "unread", NULL };

const struct conf_option antispam_options[] = {
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },

	{ "model", CONF_PATH, AT(model), "", 0, 0,
	  "What was learned, made by \"gatehouse spam train\". Empty: "
	  "antispam/model in state_directory where it is, else the one that "
	  "comes with the package.", NULL },
	{ "rules", CONF_PATH, AT(rules), "", 0, 0,
	  "File with rules of the site, beside those that come with the "
	  "package (gatehouse-spam-rules(5)). Empty: none.", NULL },
	{ "tag_at", CONF_COUNT | CONF_SCOPED | CONF_FORM, AT(tag_at), "50", 1,
	  SPAM_NEVER,
	  "Inbound mail whose probability of being spam is at least so many "
	  "percent is delivered with a mark in its subject. 101: none.",
	  NULL },
	{ "act_at", CONF_COUNT | CONF_SCOPED, AT(act_at), "92", 1, SPAM_NEVER,
	  "Inbound mail of at least so many percent gets the action. Of mail "
	  "that it had not seen the shipped filter found 95 in 100 spam "
	  "there, and one in 300 that was wanted; at 80 it is 98 and one in "
	  "150. 101: none.", NULL },
	{ "action", CONF_ENUM | CONF_SCOPED, AT(action), "quarantine", 0, 0,
	  "What is done with it. discard needs a store, where a record of it "
	  "is kept.", actions },
	{ "phishing_at", CONF_COUNT | CONF_SCOPED, AT(phishing_at), "60", 1,
	  SPAM_NEVER,
	  "Inbound mail that is phishing with at least so many percent gets "
	  "phishing_action. This comes before the thresholds for spam.",
	  NULL },
	{ "phishing_action", CONF_ENUM | CONF_SCOPED, AT(phishing_action),
	  "quarantine", 0, 0, "What is done with it.", actions },
	{ "fraud_at", CONF_COUNT | CONF_SCOPED, AT(fraud_at), "60", 1,
	  SPAM_NEVER,
	  "The same for mail in which somebody passes himself off as one of "
	  "yours or as a partner.", NULL },
	{ "fraud_action", CONF_ENUM | CONF_SCOPED, AT(fraud_action),
	  "quarantine", 0, 0, "What is done with it.", actions },
	{ "graymail_at", CONF_COUNT | CONF_SCOPED | CONF_FORM,
	  AT(graymail_at), "101", 1, SPAM_NEVER,
	  "The same for newsletters, lists and notifications that are no "
	  "spam. 101: they are delivered as they are.", NULL },
	{ "graymail_action", CONF_ENUM | CONF_SCOPED | CONF_FORM,
	  AT(graymail_action), "tag", 0, 0, "What is done with them.",
	  actions },
	{ "outbound_at", CONF_COUNT | CONF_SCOPED, AT(out_at), "60", 1,
	  SPAM_NEVER,
	  "The same for outbound mail. Whose settings count is the sender who "
	  "has authenticated.", NULL },
	{ "outbound_action", CONF_ENUM | CONF_SCOPED, AT(out_action),
	  "quarantine", 0, 0,
	  "What is done with outbound mail of at least outbound_at percent.",
	  actions },
	{ "blocked", CONF_ENUM | CONF_SCOPED, AT(blocked), "quarantine", 0, 0,
	  "What is done with inbound mail whose sender is on the recipient's "
	  "block list (gatehouse-policy(1), policy.lists), whatever its "
	  "probability. Whom an allow list names is never taken for spam.",
	  actions },
	{ "subject_tag", CONF_STRING | CONF_SCOPED | CONF_FORM,
	  AT(subject_tag), "[SPAM]", 0, 60,
	  "The mark in the subject. Empty: none.", NULL },
	{ "phishing_tag", CONF_STRING | CONF_SCOPED | CONF_FORM,
	  AT(phishing_tag), "[PHISHING]", 0, 60,
	  "The same where phishing_action is tag.", NULL },
	{ "fraud_tag", CONF_STRING | CONF_SCOPED | CONF_FORM, AT(fraud_tag),
	  "[FRAUD?]", 0, 60, "The same where fraud_action is tag.", NULL },
	{ "graymail_tag", CONF_STRING | CONF_SCOPED | CONF_FORM,
	  AT(graymail_tag), "[BULK]", 0, 60,
	  "The same where graymail_action is tag.", NULL },
	{ "outbound_burst", CONF_COUNT | CONF_SCOPED, AT(burst_least), "100",
	  2, 1000000,
	  "So many recipients outside within half an hour or so are never too "
	  "many for an account (who has authenticated). More are, where they "
	  "are outbound_burst_factor times what is usual for it, and most of "
	  "them are new to it, or the mail is one text, likely spam, or goes "
	  "to many domains. Then all of its mail is held until somebody "
	  "releases the account (gatehouse-spam(1)).", NULL },
	{ "outbound_burst_factor", CONF_COUNT | CONF_SCOPED, AT(burst_factor),
	  "8", 2, 1000, "How many times what is usual.", NULL },
	{ "outbound_burst_action", CONF_ENUM | CONF_SCOPED, AT(burst_action),
	  "quarantine", 0, 0,
	  "What is done with the mail of such an account. none: it is not "
	  "even counted.", burst_actions },
	{ "outbound_newsletters", CONF_LIST | CONF_SCOPED, AT(newsletters),
	  "", 0, 1000,
	  "List-Ids (what stands between < and >) of newsletters that may go "
	  "out in any number: their mail is not counted.", NULL },
	{ "accounts", CONF_COUNT, AT(accounts), "8192", 0, ACCOUNTS_MAX,
	  "How many accounts are known. Each takes about 1 kB. 0: none are "
	  "counted.", NULL },
	{ "campaign_entries", CONF_COUNT, AT(campaign_entries), "16384", 0,
	  CAMPAIGN_ENTRIES_MAX,
	  "How many texts are remembered, to see that one comes again and "
	  "again from clients that have nothing to do with each other. Each "
	  "takes about 0.8 kB. 0: none.", NULL },
	{ "header", CONF_BOOL, AT(header), "true", 0, 0,
	  "Inbound mail gets a field X-Gatehouse-Spam with the probability "
	  "and the reasons. Fields of that name that it brings are removed "
	  "in any case.", NULL },
	/* phishing */
	{ "protected_domains", CONF_DOMAINS, AT(protected_domains), "", 0, 0,
	  "Domains whose look-alikes are told, beside the house's own "
	  "(option domains in gatehouse.conf), partners and the well-known "
	  "ones: banks, brands of yours.", NULL },
	{ "phishing_feed", CONF_LIST, AT(phishing_feed), "", 0, 0,
	  "Lists of phishing links and domains: files (an absolute path) or "
	  "http:// and https:// URLs, one link or domain a line, or CSV. "
	  "\"gatehouse spam feeds\" fetches them and makes of each a set in "
	  "antispam below state_directory, which the daemon takes while it "
	  "runs; run it by a timer. A list that is missing is told in each "
	  "message's log line.", NULL },
	{ "phishing_files", CONF_ENUM, AT(phishing_files), "read", 0, 0,
	  "Links in attachments (PDF, office files, archives, pages, "
	  "calendars, QR codes in pictures) are looked at as those of the "
	  "text are. read: where the cell that opens them does not answer the "
	  "log says so, and the message is judged without; must: it is "
	  "answered 4xx then; unread: they are not looked at.", files },
	{ "phishing_timeout", CONF_TIME, AT(phishing_timeout), "5s", 10, 60000,
	  "How long a message waits for all its attachments to be opened.",
	  NULL },
	{ "phishing_workers", CONF_COUNT, AT(phishing_workers), "2", 1,
	  CELL_WORKERS,
	  "How many attachments are opened at once, and how many pictures.",
	  NULL },

	{ "protected", CONF_LIST, AT(protected_people), "", 0, 1000,
	  "Whose names others may like to take: \"Erika Muster "
	  "<erika@example.org> <erika@home.example>\" with all addresses "
	  "that are hers, or an address of the directory: a mailbox, or an "
	  "alias of several, whose attributes name and private count.",
	  NULL },
	{ "partners", CONF_DOMAINS, AT(partners), "", 0, 10000,
	  "Domains of others for which a look-alike is a danger, beside those "
	  "in gatehouse.conf and those that the history knows.", NULL },
	{ "fraud_allow", CONF_LIST | CONF_SCOPED, AT(fraud_allow), "", 0,
	  10000,
	  "Addresses and domains (\"example.org\", and what lies below) whose "
	  "mail is never taken for fraud. They count only where the message "
	  "passes DMARC for them (auth-check).", NULL },
	{ "reply_to_test", CONF_BOOL | CONF_SCOPED, AT(reply_to_test), "true",
	  0, 0,
	  "Answers that go to another domain than the sender's are a clue "
	  "of fraud.", NULL },
	{ "fraud_words", CONF_PATH, AT(fraud_words), "", 0, 0,
	  "Phrases of payment pressure. Empty: ours, in eight languages, of "
	  "which fraud.words in the package's data folder is a copy.", NULL },
	{ "history", CONF_COUNT, AT(history), "200000", 0, 1 << 26,
	  "So many senders and domains are remembered, 64 bytes each, in "
	  "the daemon's folder below state_directory; nothing but hashes. "
	  "Who was not heard of longest gives way. Another number begins "
	  "anew. 0: none.", NULL },
	{ "history_after", CONF_TIME, AT(history_after), "14d", 0, 0,
	  "The history must be so old before it says something that a sender "
	  "is not in it.", NULL },
	{ "dns_lists", CONF_LIST, AT(dns_lists), "", 0, 40,
	  "Lists of clients and domains that are asked by DNS, all at once and "
	  "from the first command of a message on. None unless named. \"ZONE "
	  "KIND WEIGHT\", as \"zen.example.org ip 2.5\". KIND: ip (the "
	  "client), helo, sender (the domain of MAIL FROM), from (that of "
	  "From), url (domains and addresses of links). WEIGHT: how much a hit "
	  "says, in log-odds, -10 to 10: 0.7 doubles the odds that it is spam, "
	  "2.3 makes ten of one. Below 0 it is an allow list, of kind ip or "
	  "from; the latter counts only for mail that passes DMARC. Behind the "
	  "zone the answers that count, as in Postfix: "
	  "\"=127.0.0.[2..11;14]\", or bits of the last number, \"&8\"; "
	  "without them any but a refusal. Behind the weight: hops (addresses "
	  "in Received fields are asked about, too), text (the list's own "
	  "words for a hit), phishing (a hit means that), and then \": WORDS\" "
	  "for the reason. Of several lists of one kind that have the same "
	  "message the heaviest counts in full and each other half. Mail of "
	  "who has authenticated, outbound mail and addresses of private "
	  "networks are never asked about.", NULL },
	{ "dns_list_exempt", CONF_NETWORKS, AT(dns_list_exempt), "", 0, 10000,
	  "Clients about which no list is asked: relays of yours.", NULL },
	{ "dns_list_known", CONF_DOMAINS, AT(dns_list_known),
	  "amazon.com, apple.com, facebook.com, github.com, google.com, "
	  "googleapis.com, gstatic.com, instagram.com, linkedin.com, "
	  "microsoft.com, mozilla.org, outlook.com, paypal.com, schema.org, "
	  "twitter.com, w3.org, wikipedia.org, windows.net, x.com, "
	  "youtube.com", 0, 10000,
	  "Domains about which no list is asked, with all below them, beside "
	  "domains in gatehouse.conf: each message names some of these, and "
	  "each question costs.", NULL },
	{ "dns_list_questions", CONF_COUNT, AT(dns_list_questions), "60", 1,
	  1000, "Questions about one message at most; those of before its "
	  "body count for dns_questions in gatehouse.conf too. Links to 20 "
	  "domains are asked about.", NULL },
	{ "dns_list_timeout", CONF_TIME, AT(dns_list_timeout), "4s", 10, 60000,
	  "So long after MAIL FROM, and for links after the end of the "
	  "message, nobody waits for a list any more. Who has not answered is "
	  "named in the log, and mail goes on.", NULL },

	{ "backends", CONF_LIST, AT(backends), "", 0, 8,
	  "Other filters whose judgement counts beside ours, asked while ours "
	  "is made. \"rspamd:/PATH\" or \"rspamd:HOST:PORT\": a normal "
	  "worker of Rspamd. \"spamd:/PATH\", \"spamd:HOST:PORT\": "
	  "SpamAssassin's. Several of a kind need names: "
	  "\"second=spamd:/PATH\". Their score means log-odds of offset + "
	  "slope * score; behind the place others than the shipped ones may "
	  "stand: \"spamd:/PATH offset=-1.5 slope=0.4\".", NULL },
	{ "backend_weight", CONF_COUNT, AT(backend_weight), "50", 0, 100,
	  "How much of it counts, in percent. They look at the same message "
	  "as we do, so not all that they say is news.", NULL },
	{ "backend_timeout", CONF_TIME, AT(backend_timeout), "5s", 10, 300000,
	  "So long an answer is waited for.", NULL },
	{ "backend_size", CONF_SIZE, AT(backend_size), "512k", 1000,
	  256 * 1024 * 1024,
	  "Back ends are not asked about longer messages.", NULL },
	{ "backend_connections", CONF_COUNT, AT(backend_connections), "10", 1,
	  200, "Messages at most that one of them is given at once; each takes "
	  "a thread of ours. More wait for their turn.", NULL },
	{ "backend_required", CONF_BOOL, AT(backend_required), "false", 0, 0,
	  "When a back end does not answer the message is deferred (451). "
	  "Else it is judged without, and the log names who was missed.",
	  NULL },
	{ 0 }
};

/* A file, or what net/http.h can ask. */
static bool
phish_feed_source(struct slice source)
{
	struct url url;

	return slice_starts(source, SLICE("/")) ||
	    (url_parse(source, &url) && slice_starts(url.scheme,
	    SLICE("http")));
}

/* As From will have it. */
static enum rc
check_allowed(struct slice item, struct arena *a, struct slice *why_r)
{
	struct slice local, domain = item, ascii;
	bool good = !slice_has(item, '@') || (address_split(item, &local,
	    &domain) && local.len > 0);

	if (good && domain_ascii(a, domain, &ascii) &&
	    slice_eq_nocase(domain, ascii))
		return RC_OK;
	*why_r = arena_printf(a, "fraud_allow has \"%.*s\"; it wants an "
	    "address or a domain, in A-labels: \"example.org\"",
	    SLICE_ARG(item));
	return RC_BAD;
}

enum rc
antispam_check(const struct antispam_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r)
{
	bool discards = conf->action == SPAM_DISCARD ||
	    conf->phishing_action == SPAM_DISCARD ||
	    conf->fraud_action == SPAM_DISCARD ||
	    conf->graymail_action == SPAM_DISCARD ||
	    conf->out_action == SPAM_DISCARD || conf->blocked == SPAM_DISCARD;

	if (discards && !house_stores(house)) {
		*why_r = SLICE("discard needs a store for a record of the "
		    "message; set store_key in gatehouse.conf, or use "
		    "quarantine");
		return RC_BAD;
	}
	for (size_t i = 0; i < conf->phishing_feed.count; i++)
		if (!phish_feed_source(conf->phishing_feed.items[i])) {
			*why_r = arena_printf(a, "phishing_feed: \"%.*s\" is "
			    "no absolute path and no URL as "
			    "https://feed.example/list.txt", SLICE_ARG(
			    conf->phishing_feed.items[i]));
			return RC_BAD;
		}
	for (size_t i = 0; i < conf->fraud_allow.count; i++)
		if (check_allowed(conf->fraud_allow.items[i], a, why_r) !=
		    RC_OK)
			return RC_BAD;
	for (size_t i = 0; i < conf->protected_people.count; i++)
		if (people_check(conf->protected_people.items[i], a, why_r) !=
		    RC_OK)
			return RC_BAD;
	if (conf->act_at < conf->tag_at && conf->tag_at != SPAM_NEVER) {
		*why_r = arena_printf(a, "act_at (%u) is below tag_at (%u), so "
		    "nothing would ever be marked; make it higher, or set "
		    "tag_at to 101", conf->act_at, conf->tag_at);
		return RC_BAD;
	}
	return nets_check(conf, a, why_r);
}
