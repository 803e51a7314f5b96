/*
 * phish_known - names that phishing is compared with
 *
 * phish_known_open	of the lists that come with the package (popular
 *			domains, brands, shorteners, hosting) and of what is
 *			protected here: the house's domains, the options
 *			protected_domains and partners. Never fails
 * phish_popular	that registered domain, or that host, is on the list of
 *			popular ones, is protected, or is a brand's own
 * phish_shortens	anybody gets a link of that host
 * phish_hosts		anybody gets a name or a page there
 * phish_rewrites	a filter's: it leads to another link
 * phish_same_owner	two registered domains are of one brand
 * phish_likeness	what a registered domain may be taken for. Never for one
 *			that is popular itself
 * phish_branded	a label or a word of the host is a brand's name, and its
 *			registered domain is not that brand's. `shown_r` is what
 *			is pretended: "paypal", or "paypal.com" where the whole
 *			name stands within the host
 * phish_named		the brand that a text (lower case) names: one word of it,
 *			or up to three in a row; NULL: none
 * phish_owned		that registered domain is that brand's, or is protected
 *
 * Domains and hosts are A-labels in lower case. Read-only once open: any number
 * of threads.
 */
#ifndef ANTISPAM_PHISH_KNOWN_H
#define ANTISPAM_PHISH_KNOWN_H

#include "base/arena.h"
#include "conf/house.h"
#include "text/psl.h"

struct phish_brand {
	const char *name, *domains;
	bool surname;			/* counts as the first word alone */
};

/* The lists of the package. */
extern const char *const phish_popular[];
extern const struct phish_brand phish_brands[];
extern const char phish_shorteners[], phish_hosting[], phish_rewriters[];

enum likeness { LIKE_NOTHING, LIKE_SKELETON, LIKE_EDITED, LIKE_ENDING };

struct phish_known;

/* ours: lists of domains, NULL behind the last one. */
struct phish_known *phish_known_open(const struct conf_list *const *ours,
    const struct suffixes *suffixes);
void phish_known_close(struct phish_known *k);	/* NULL is allowed */

bool phish_is_popular(const struct phish_known *k, struct slice domain);
bool phish_is_ours(const struct phish_known *k, struct slice domain);
bool phish_shortens(const struct phish_known *k, struct slice host);
bool phish_hosts(const struct phish_known *k, struct slice host);
bool phish_rewrites(const struct phish_known *k, struct slice host);
bool phish_same_owner(const struct phish_known *k, struct slice one,
    struct slice other);

struct phish_like {
	enum likeness how;
	struct slice domain;		/* what it is like */
	bool ours;			/* and that is protected here */
};

struct phish_like phish_likeness(const struct phish_known *k, struct arena *a,
    struct slice domain);
bool phish_branded(const struct phish_known *k, struct slice host,
    struct slice domain, struct slice *shown_r, bool *whole_r);
const struct phish_brand *phish_named(const struct phish_known *k,
    struct slice text);
bool phish_owned(const struct phish_known *k, const struct phish_brand *brand,
    struct slice domain);

#endif
