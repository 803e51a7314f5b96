#include "options.h"

#include <string.h>

#include "harvest.h"
#include "milter/early.h"
#include "spf_ask.h"
#include "text/address.h"

static const char *const actions[] = { "accept", "tag", "quarantine",
    "tempfail", "reject", NULL };
/* DNS trouble passes: it never costs a sender his mail for good. */
static const char *const temporary[] = { "accept", "tag", "quarantine",
    "tempfail", NULL };
static const char *const identities[] = { "both", "mail-from", "helo", "off",
    NULL };
static const char *const broken[] = { "remove", "keep", NULL };
static const char *const engines[] = { "own", "opendkim", NULL };
static const char *const modes[] = { "rfc9989", "rfc7489", NULL };
static const char *const ndrs[] = { "off", "tag", "quarantine", "reject",
    NULL };
static const char *const follows[] = { "follow", "soften", "ignore", NULL };

enum {
	MAX_BITS = 8192,		/* a larger key is an attack */
	SKEW = 3600,			/* s; so wrong are clocks of senders */
	/* What is done about a result: recipients may differ. A tag is a header
	 * field. */
	ACTION = CONF_ENUM | CONF_SCOPED | CONF_FORM,
};

#define AT(field)	offsetof(struct auth_check_conf, field)

const struct conf_option auth_check_options[] = {
	{ "scope", CONF_SCOPES, AT(scopes), NULL, 0, 0, SCOPE_TEXT, NULL },
	{ "spf", CONF_ENUM, AT(spf), "both", 0, 0,
	  "Whose SPF record is asked (RFC 7208): that of the MAIL FROM domain, "
	  "of the name that the client said in HELO, both at once, or none. "
	  "Mail with an empty MAIL FROM is judged by its HELO name. DMARC "
	  "takes the result of MAIL FROM: without it only DKIM counts there.",
	  identities },
	{ "spf_engine", CONF_ENUM, AT(spf_engine), "own", 0, 0,
	  "What evaluates SPF. libspf2 is there for sites that must use it: it "
	  "knows no limit of void lookups and misjudges long records.",
	  spf_engine_names },
	{ "spf_fail", ACTION, AT(spf_fail), "tag", 0, 0,
	  "What is done when the domain says that this client may not send its "
	  "mail. The default does not refuse: mail that was forwarded fails "
	  "here and may still prove itself by DKIM, which DMARC wants to see. "
	  "Sites that do not wait for it choose reject.",
	  actions },
	{ "spf_softfail", ACTION, AT(spf_softfail), "tag", 0, 0,
	  "The same when the domain says \"probably not\". RFC 7208, 8.5, "
	  "advises against refusing for this alone.", actions },
	{ "spf_neutral", ACTION, AT(spf_neutral), "accept", 0, 0,
	  "The same when the domain does not say. RFC 7208, 8.2, wants it "
	  "treated as \"none\".", actions },
	{ "spf_none", ACTION, AT(spf_none), "accept", 0, 0,
	  "The same when there is no SPF record.", actions },
	{ "spf_permerror", ACTION, AT(spf_permerror), "tag", 0, 0,
	  "The same when the record is broken or asks too much. The domain's "
	  "owner hears of it from reject only; his mail is lost until then.",
	  actions },
	{ "spf_temperror", ACTION, AT(spf_temperror), "accept", 0, 0,
	  "The same when DNS gave no answer in time. tempfail has the sender "
	  "try again later; the default delays no mail for the DNS of others "
	  "and leaves the result in the log and in Authentication-Results. "
	  "There is no reject: such trouble passes.", temporary },
	{ "spf_helo_fail", ACTION, AT(spf_helo_fail), "tag", 0, 0,
	  "What is done when the domain of the HELO name says that this client "
	  "does not speak for it. Forwarding does not cause this, so reject is "
	  "safe against all but misconfigured senders.", actions },
	{ "spf_void_lookups", CONF_COUNT, AT(spf_void_lookups), "2", 0, 10,
	  "Terms of a record that may lead to nothing before it is called "
	  "broken (RFC 7208, 4.6.4).", NULL },
	{ "spf_timeout", CONF_TIME, AT(spf_timeout), "20s", 100, 60000,
	  "How long after MAIL FROM answers may come; what is open then is a "
	  "temperror. RFC 7208, 4.6.4, advises 20 seconds. The time for all "
	  "DNS of a message (dns_budget) bounds it too.", NULL },
	{ "spf_explanation", CONF_BOOL, AT(spf_explanation), "true", 0, 0,
	  "Ask for the text that the domain wants a refused client to read "
	  "(exp=), and put it into our reply. It is only asked for where "
	  "spf_fail refuses, be it in one scope.", NULL },
	{ "spf_look_ahead", CONF_BOOL, AT(spf_look_ahead), "true", 0, 0,
	  "Ask for what stands behind in a record while the answers before it "
	  "are still under way. Quicker, for some questions in vain.", NULL },
	{ "received_spf", CONF_BOOL, AT(received_spf), "false", 0, 0,
	  "Write a Received-SPF field too (RFC 7208, 9.1), for readers that do "
	  "not know Authentication-Results.", NULL },

	{ "dkim", CONF_BOOL, AT(dkim), "true", 0, 0,
	  "Verify DKIM signatures (RFC 6376, 8301, 8463). Their keys are asked "
	  "for as soon as their header fields are there.", NULL },
	{ "dkim_engine", CONF_ENUM, AT(dkim_engine), "own", 0, 0,
	  "What verifies them: our own verifier, or libopendkim behind guards "
	  "of ours. Both come to the same results; our own keeps parsed keys "
	  "and is quicker.", engines },
	{ "dkim_min_bits", CONF_COUNT, AT(dkim_min_bits), "1024", 1024, 4096,
	  "RSA keys with fewer bits prove nothing: the result is policy. RFC "
	  "8301, 3.2, draws the line at 1024.", NULL },
	{ "dkim_signatures", CONF_COUNT, AT(dkim_signatures), "10", 1, 100,
	  "Signatures of one message that are verified; the result of further "
	  "ones is policy.", NULL },
	{ "dkim_allow_partial", CONF_BOOL, AT(dkim_allow_partial), "false", 0,
	  0, "Let a signature pass that leaves the end of the body unsigned "
	  "(l=). What stands there is anybody's: the default does not.",
	  NULL },
	{ "dkim_none", ACTION, AT(dkim_none), "accept", 0, 0,
	  "What is done with mail that no signature of which passes, by the "
	  "result of its signatures; of several, the strongest is done. Here: "
	  "it has none. RFC 6376, 6.1, wants mail with a bad signature "
	  "treated as mail without one: what a domain wants done it says by "
	  "DMARC.", actions },
	{ "dkim_fail", ACTION, AT(dkim_fail), "accept", 0, 0,
	  "The same when one does not verify: mail or signature were changed.",
	  actions },
	{ "dkim_policy", ACTION, AT(dkim_policy), "accept", 0, 0,
	  "The same when one verifies and is not good enough: rsa-sha1, a "
	  "short key, part of the body unsigned.", actions },
	{ "dkim_neutral", ACTION, AT(dkim_neutral), "accept", 0, 0,
	  "The same when one cannot be judged.", actions },
	{ "dkim_permerror", ACTION, AT(dkim_permerror), "accept", 0, 0,
	  "The same when signature or key are malformed, or there is no key.",
	  actions },
	{ "dkim_temperror", ACTION, AT(dkim_temperror), "accept", 0, 0,
	  "The same when DNS did not say in time what its key is.",
	  temporary },

	{ "dmarc", CONF_BOOL, AT(dmarc), "true", 0, 0,
	  "Check that SPF or DKIM vouch for the domain in the From field, and "
	  "do what its owner asks for where they do not (DMARC).", NULL },
	{ "dmarc_mode", CONF_ENUM, AT(dmarc_mode), "rfc9989", 0, 0,
	  "Which DMARC: RFC 9989, which finds organizational domains by a walk "
	  "up the DNS tree and knows np, psd and t; or its predecessor RFC "
	  "7489, which takes the public suffix list and knows pct.", modes },
	{ "psl_file", CONF_PATH, AT(psl_file), "", 0, 0,
	  "The public suffix list for dmarc_mode = \"rfc7489\": the text of "
	  "publicsuffix.org or its compiled form. Empty: the newer of Debian's "
	  "and the one that libpsl brings along.", NULL },
	{ "dmarc_policy", ACTION, AT(dmarc_policy), "follow", 0, 0,
	  "What becomes of the policy that an owner asks for. follow: it is "
	  "done; soften: one step less, reject becomes quarantine and "
	  "quarantine none; ignore: none for all. The policy that is left "
	  "leads to dmarc_reject, dmarc_quarantine or dmarc_none.", follows },
	{ "dmarc_overrides", CONF_LIST | CONF_SCOPED | CONF_FORM,
	  AT(dmarc_overrides), "",
	  0, 1000,
	  "Policies of our own for mail that fails, by author domain: "
	  "\"example.com=none\" is for that domain, \".example.com=reject\" "
	  "for it and all below it; none, quarantine or reject, whatever the owner "
	  "asks for. The first that fits counts.", NULL },
	{ "dmarc_forwarders", CONF_NETWORKS | CONF_SCOPED | CONF_FORM,
	  AT(dmarc_forwarders), "", 0, 0,
	  "Clients that forward mail for our users and are trusted to have "
	  "checked it: a policy is not applied to what fails (reported as "
	  "trusted_forwarder).", NULL },
	{ "dmarc_lists", CONF_DOMAINS | CONF_SCOPED | CONF_FORM,
	  AT(dmarc_lists), "", 0,
	  1000,
	  "Domains of mailing lists: a policy is not applied to mail that "
	  "fails when one of these signed it, or SPF passed for it (reported "
	  "as mailing_list).", NULL },
	{ "dmarc_reject", ACTION, AT(dmarc_reject), "reject", 0, 0,
	  "What is done with mail that fails DMARC under the policy reject.",
	  actions },
	{ "dmarc_quarantine", ACTION, AT(dmarc_quarantine), "quarantine", 0,
	  0, "The same under the policy quarantine. quarantine holds the mail, "
	  "where store_key says; tag delivers it with tag_header, for "
	  "sites that sort it into a folder.", actions },
	{ "dmarc_none", ACTION, AT(dmarc_none), "accept", 0, 0,
	  "The same under the policy none: the owner only wants to hear of "
	  "it.", actions },
	{ "dmarc_missing", ACTION, AT(dmarc_missing), "accept", 0, 0,
	  "What is done with mail of an author domain that publishes no "
	  "policy. Most of the world's domains are of that kind.", actions },
	{ "dmarc_temperror", ACTION, AT(dmarc_temperror), "tempfail", 0, 0,
	  "What is done when a domain asks for quarantine or reject and DNS "
	  "does not say whether the mail passes, because a key or an SPF "
	  "record gave no answer. Who forges mail can bring that about: "
	  "accept would let him through.", temporary },
	{ "dmarc_temperror_unknown", ACTION, AT(dmarc_temperror_unknown),
	  "accept", 0, 0,
	  "The same when DNS does not say whether there is a policy at all. "
	  "That lies in the domain's own servers.", temporary },
	{ "dmarc_permerror", ACTION, AT(dmarc_permerror), "tag", 0, 0,
	  "What is done when DMARC cannot be applied: there is no single "
	  "author domain (no From field, two of them, readers who may see "
	  "different ones), or its record is broken. A domain in such a From "
	  "field whose policy fails counts all the same.", actions },

	{ "arc", CONF_BOOL, AT(arc), "true", 0, 0,
	  "Validate the chain of those who passed the message on (ARC, RFC "
	  "8617).", NULL },
	{ "arc_trusted", CONF_DOMAINS | CONF_SCOPED | CONF_FORM,
	  AT(arc_trusted), "", 0,
	  1000,
	  "Domains of sealers whose word is taken: when the newest seals of a "
	  "chain that passes are theirs, and one of these says that DMARC "
	  "passed for the author domain, no policy is applied to a fail "
	  "(reported as local_policy). Anybody may write a chain: without "
	  "this list it never helps a message.", NULL },
	{ "arc_fail", ACTION, AT(arc_fail), "accept", 0, 0,
	  "What is done with mail whose chain does not validate. RFC 8617, "
	  "5.2, wants it treated as mail without one.", actions },
	{ "arc_temperror", ACTION, AT(arc_temperror), "accept", 0, 0,
	  "The same when DNS did not say in time what a key of the chain is.",
	  temporary },

	{ "iprev", CONF_BOOL, AT(iprev), "true", 0, 0,
	  "Check that the client's address has a name and the name that "
	  "address (RFC 8601, 3).", NULL },
	{ "iprev_fail", ACTION, AT(iprev_fail), "accept", 0, 0,
	  "What is done when it has none, or one that is not its own.",
	  actions },
	{ "iprev_temperror", ACTION, AT(iprev_temperror), "accept", 0, 0,
	  "The same when DNS did not say in time.", temporary },

	{ "harvest", CONF_BOOL, AT(harvest), "true", 0, 0,
	  "Clients that ask for recipients that do not exist are slowed down, "
	  "then refused for a while, across their SMTP sessions. Postfix must "
	  "know who exists (relay_recipient_maps, or local recipients); only "
	  "what it refuses with 5.1.1 counts. Clients of networks and "
	  "trusted_networks, and users who have logged in, are never touched.",
	  NULL },
	{ "harvest_slow", CONF_COUNT, AT(harvest_slow), "10", 1, 1000000,
	  "From so many refused recipients on a source's replies to further "
	  "ones are slowed. They are counted for the client's address, and for "
	  "its /24, or its /64 and /48, around it; for a /24 and a /48 four "
	  "times as many are wanted.", NULL },
	{ "harvest_refuse", CONF_COUNT, AT(harvest_refuse), "30", 1, 1000000,
	  "From so many on it is answered 421 at its next message and "
	  "connection, until its count has halved. Not below harvest_slow.",
	  NULL },
	{ "harvest_share", CONF_COUNT, AT(harvest_share), "30", 1, 100,
	  "Nothing is done to a source while less than this part of its "
	  "recipients was refused, in per cent: a provider whose users now and "
	  "then mistype an address is never slowed or refused.", NULL },
	{ "harvest_half_life", CONF_TIME, AT(harvest_half_life), "4h", 1000,
	  2592000000, "The time in which counts fall to half.", NULL },
	{ "harvest_delay", CONF_TIME, AT(harvest_delay), "5s", 0,
	  EARLY_DELAY, "How long a reply to a refused recipient is held back "
	  "at most. Keep it below Postfix's milter_command_timeout.", NULL },
	{ "harvest_exempt", CONF_NETWORKS, AT(harvest_exempt), "", 0, 1000,
	  "Clients that are never slowed or refused for it, beside networks "
	  "and trusted_networks: backup MX hosts, forwarders.", NULL },
	{ "harvest_domains", CONF_DOMAINS, AT(harvest_domains), "", 0, 10000,
	  "Only refused recipients of these domains count. Empty: of all.",
	  NULL },
	{ "harvest_entries", CONF_COUNT, AT(harvest_entries), "65536", 1024,
	  HARVEST_ENTRIES, "Sources remembered, 64 bytes each, in the file "
	  "harvest of the state folder; rounded up to a power of two. A change "
	  "counts from the next start, and begins the table anew.", NULL },
	{ "backscatter", ACTION, AT(backscatter), "quarantine", 0, 0,
	  "What is done with a bounce (RFC 3464 or any other form) that shows "
	  "neither the X-Gatehouse-Proof field nor a Message-ID and recipient "
	  "of mail that went out through here in the last 7 days: somebody has "
	  "forged our users as senders. Outgoing mail must pass this filter, "
	  "which adds that field to it. Auto-replies, receipts, calendar "
	  "answers and challenges are no bounces. Outgoing mail is noted, "
	  "unless it is off here and in all scopes.", ndrs },
	{ "backscatter_learn", CONF_TIME, AT(backscatter_learn), "5d", 0,
	  2592000000, "Mail must have gone out through here for so long before "
	  "anything is done: bounces of older mail prove nothing.", NULL },
	{ "backscatter_pairs", CONF_COUNT, AT(backscatter_pairs), "100000",
	  1000, 100000000, "Recipients of outgoing mail in a day that the file "
	  "sent in the state folder is made for; it takes about 42 bytes each. "
	  "More of them, and forged bounces begin to pass. A change counts from "
	  "the next start on, and begins the file anew.", NULL },
	{ "backscatter_key", CONF_PATH, AT(backscatter_key), "", 0, 1000,
	  "File with the secret of X-Gatehouse-Proof, the same for all daemons "
	  "and gateways of a site that mail comes in or goes out by; make one "
	  "with: openssl rand -hex 32 > FILE. Then backscatter_learn counts from "
	  "the first start, since mail may go out elsewhere. Empty: one is made "
	  "in the state folder (proof.key), for this daemon alone.", NULL },
	{ "trusted_networks", CONF_NETWORKS, AT(trusted_networks), "", 0, 0,
	  "Clients whose mail is not checked: relays and forwarders of ours "
	  "that pass on the mail of others, which would fail.", NULL },
	{ "authres_trusted", CONF_NETWORKS, AT(authres_trusted), "", 0, 0,
	  "Clients whose Authentication-Results fields in our name are kept: "
	  "gateways of ours that remove forged ones themselves. From all "
	  "others they are removed (RFC 8601, 5).", NULL },
	{ "authres_names", CONF_LIST, AT(authres_names), "", 0, 100,
	  "More names under which results of ours may stand, besides "
	  "authserv_id: fields that claim them are removed.", NULL },
	{ "authres_broken", CONF_ENUM, AT(authres_broken), "remove", 0, 0,
	  "What becomes of Authentication-Results fields that name nobody, or "
	  "not in a form that can be read: some readers take them as ours.",
	  broken },
	{ "tag_header", CONF_STRING, AT(tag_header), "X-Gatehouse-Tag", 3, 60,
	  "Name of the field that marks tagged mail, for filters of mailboxes. "
	  "Begins with X-. Such fields in incoming mail are removed.", NULL },
	{ 0 }
};

static bool
policy_parse(struct slice word, enum dmarc_policy *policy_r)
{
	static const enum dmarc_policy all[] = { DMARC_NO_POLICY,
	    DMARC_QUARANTINE, DMARC_REJECT };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		*policy_r = all[i];
		if (slice_eq_nocase(word, slice_of(dmarc_policy_name(all[i]))))
			return true;
	}
	return false;
}

/* "example.com=none" */
static bool
override_parse(struct slice item, struct slice *domain_r,
    enum dmarc_policy *policy_r)
{
	struct slice word;

	*domain_r = slice_trim(slice_cut(item, '=', &word));
	return word.ptr != NULL && domain_r->len > 1 &&
	    policy_parse(slice_trim(word), policy_r);
}

bool
auth_check_override(const struct auth_check_conf *conf, struct slice domain,
    enum dmarc_policy *policy_r)
{
	for (size_t i = 0; i < conf->dmarc_overrides.count; i++) {
		struct slice name;

		if (!override_parse(conf->dmarc_overrides.items[i], &name,
		    policy_r))
			continue;
		if (slice_eq_nocase(domain, name) || (name.ptr[0] == '.' &&
		    (slice_ends_nocase(domain, name) ||
		    slice_eq_nocase(domain, slice_after(name, 1)))))
			return true;
	}
	return false;
}

/* As it stands in DNS: a name in other letters would never fit. */
static bool
is_host(struct arena *a, struct slice name)
{
	struct slice ascii;

	if (name.ptr[0] == '.')
		name = slice_after(name, 1);
	return domain_ascii(a, name, &ascii) && slice_eq_nocase(name, ascii);
}

static enum rc
check_overrides(const struct auth_check_conf *conf, struct arena *a,
    struct slice *why_r)
{
	for (size_t i = 0; i < conf->dmarc_overrides.count; i++) {
		struct slice item = conf->dmarc_overrides.items[i], domain;
		enum dmarc_policy policy;

		if (override_parse(item, &domain, &policy) &&
		    is_host(a, domain))
			continue;
		*why_r = arena_printf(a, "dmarc_overrides: \"%.*s\"; it wants "
		    "a domain and none, quarantine or reject, as "
		    "\"example.com=none\"", SLICE_ARG(item));
		return RC_BAD;
	}
	return RC_OK;
}

static enum rc
check_whole(const struct auth_check_conf *conf, struct arena *a,
    struct slice *why_r)
{
	struct slice name = slice_of(conf->tag_header);
	bool good = slice_starts_nocase(name, SLICE("X-")) && name.len > 2;

	for (size_t i = 0; i < name.len; i++)
		good = good && (ascii_alnum(name.ptr[i]) ||
		    name.ptr[i] == '-' || name.ptr[i] == '_');
	if (conf->harvest_refuse < conf->harvest_slow) {
		*why_r = arena_printf(a, "harvest_refuse = %u is below "
		    "harvest_slow = %u; a source is slowed before it is "
		    "refused", conf->harvest_refuse, conf->harvest_slow);
		return RC_BAD;
	}
	if (good)
		return check_overrides(conf, a, why_r);
	*why_r = arena_printf(a, "tag_header = \"%s\" is no field name of "
	    "X-, letters, digits and dashes", conf->tag_header);
	return RC_BAD;
}

struct checking {
	struct arena *a;
	struct slice *why_r;
};

static enum rc
check_scope(struct slice where, const void *conf, void *arg)
{
	const struct checking *c = arg;
	struct slice why = SLICE("");

	if (check_overrides(conf, c->a, &why) == RC_OK)
		return RC_OK;
	*c->why_r = arena_printf(c->a, "%.*s: %.*s", SLICE_ARG(where),
	    SLICE_ARG(why));
	return RC_BAD;
}

enum rc
auth_check_finish(const struct auth_check_conf *conf, struct arena *a,
    struct slice *why_r)
{
	struct checking c = { a, why_r };
	enum rc rc = check_whole(conf, a, why_r);

	return rc == RC_OK ? scope_each(conf->scopes, conf, sizeof *conf,
	    check_scope, &c) : rc;
}

static bool
refuses(int action)
{
	return action == AUTH_REJECT || action == AUTH_TEMPFAIL;
}

static enum rc
add_needs(struct slice where, const void *arg, void *needs_r)
{
	const struct auth_check_conf *conf = arg;
	struct auth_check_needs *needs = needs_r;

	(void)where;
	needs->bounces = needs->bounces || conf->backscatter != AUTH_NDR_OFF;
	needs->explain_mail = needs->explain_mail || refuses(conf->spf_fail);
	needs->explain_helo = needs->explain_helo ||
	    refuses(conf->spf_helo_fail);
	return RC_OK;
}

enum rc
auth_check_needs(const struct auth_check_conf *conf,
    const struct policy *policy, struct auth_check_needs *needs_r,
    struct slice *why_r)
{
	*needs_r = (struct auth_check_needs){ .bounces = false };
	return policy_each(policy, "auth-check", auth_check_options,
	    conf->scopes, conf, sizeof *conf, add_needs, needs_r, why_r);
}

enum auth_action
auth_check_action(const struct auth_check_conf *conf, enum spf_result result)
{
	switch (result) {
	case SPF_NONE:
		return (enum auth_action)conf->spf_none;
	case SPF_NEUTRAL:
		return (enum auth_action)conf->spf_neutral;
	case SPF_SOFTFAIL:
		return (enum auth_action)conf->spf_softfail;
	case SPF_FAIL:
		return (enum auth_action)conf->spf_fail;
	case SPF_PERMERROR:
		return (enum auth_action)conf->spf_permerror;
	case SPF_PASS:
		return AUTH_ACCEPT;
	case SPF_TEMPERROR:
	case SPF_PENDING:
		break;
	}
	return (enum auth_action)conf->spf_temperror;
}

enum auth_action
auth_check_dkim_action(const struct auth_check_conf *conf,
    enum dkim_result result)
{
	switch (result) {
	case DKIM_NONE:
		return (enum auth_action)conf->dkim_none;
	case DKIM_PASS:
		return AUTH_ACCEPT;
	case DKIM_FAIL:
		return (enum auth_action)conf->dkim_fail;
	case DKIM_POLICY:
		return (enum auth_action)conf->dkim_policy;
	case DKIM_NEUTRAL:
		return (enum auth_action)conf->dkim_neutral;
	case DKIM_PERMERROR:
		return (enum auth_action)conf->dkim_permerror;
	case DKIM_TEMPERROR:
		break;
	}
	return (enum auth_action)conf->dkim_temperror;
}

struct dkim_limits
auth_check_limits(const struct auth_check_conf *conf, int64_t now)
{
	return (struct dkim_limits){ .signatures = conf->dkim_signatures,
	    .min_rsa_bits = conf->dkim_min_bits, .max_rsa_bits = MAX_BITS,
	    .allow_partial = conf->dkim_allow_partial, .now = now,
	    .skew = SKEW };
}
