/*
 * dnslist - one list that is asked by DNS: an entry of dns_lists (RFC 5782)
 *
 *	ZONE[=ANSWERS|&BITS] KIND WEIGHT [hops] [text] [phishing] [: WORDS]
 *
 * ANSWERS is what Postfix calls a filter: four numbers with dots, each perhaps
 * several in brackets, "127.0.0.[2..11;14]". BITS: any of these of the last
 * number. Without either any answer in 127/8 counts that is no refusal.
 *
 * dnslist_read		RC_BAD, *why_r: no entry, and what would be one. Slices
 *			are in the arena
 * dnslist_name		what is asked about an address: its numbers or nibbles
 *			in reverse (RFC 5782, 2.1, 2.4), and the zone.
 *			SLICE_NONE for what no list knows: family 0
 * dnslist_under	the same for a domain; SLICE_NONE when it is too long
 * dnslist_public	is it an address of the Internet? Not of a private
 *			network, of loopback, of a link, or of no host
 * dnslist_answer	what an answer to an A question means. 127.255.255.x,
 *			127.0.0.1 and 127.0.0.255 say that the list does not
 *			want to be asked (the last two not where the entry names
 *			them), which is no hit; so does nobody who answers with
 *			an address of somewhere else: that domain has been sold
 *
 * Pure functions.
 */
#ifndef ANTISPAM_DNSLIST_H
#define ANTISPAM_DNSLIST_H

#include "base/rc.h"
#include "net/dns.h"
#include "net/ip.h"

enum dnslist_kind { DNSLIST_IP, DNSLIST_HELO, DNSLIST_SENDER, DNSLIST_FROM,
    DNSLIST_URL, DNSLIST_KINDS };

enum dnslist_says { DNSLIST_NO, DNSLIST_HIT, DNSLIST_REFUSED,
    DNSLIST_STRANGE, DNSLIST_SILENT };

enum { DNSLIST_WORDS = 60 };

struct dnslist {
	struct slice zone;		/* lower case, no dot at the end */
	enum dnslist_kind kind;
	double weight;			/* log-odds; below 0: an allow list */
	bool hops, text, phishing;
	bool chosen;			/* ANSWERS were given */
	unsigned bits;			/* or these */
	uint64_t answers[4][4];		/* a bit for each value of each */
	struct slice words;		/* what it lists; or empty */
};

enum rc dnslist_read(struct slice entry, struct dnslist *list_r,
    struct arena *a, struct slice *why_r);
struct slice dnslist_name(struct arena *a, const struct dnslist *list,
    const struct ip *ip);
struct slice dnslist_under(struct arena *a, const struct dnslist *list,
    struct slice domain);
bool dnslist_public(const struct ip *ip);
enum dnslist_says dnslist_answer(const struct dnslist *list,
    const struct dns_answer *answer);
const char *dnslist_kind_name(enum dnslist_kind kind);

#endif
