/*
 * people - whose names others like to take: executives, the bookkeeper
 *
 * Made of the option `protected`: "Erika Muster <erika@example.org>
 * <erika@home.example>" names somebody and all addresses that are his; an
 * address alone is looked up in the directory: a mailbox, or an alias (a group)
 * of several, whose attributes "name" and "private" (addresses of his own,
 * separated by commas) count.
 *
 * people_check	is that item well-formed? *why_r, if not
 * people_new	of a list; policy may be NULL: then nobody can be looked up.
 *		RC_RETRY with *why_r: the policy map cannot be read. *nameless_r:
 *		the first item that led to nobody with a name, or SLICE_NONE
 * people_named	whom that name names, NULL: nobody. Letter case, accents, look-
 *		alike letters, blanks, titles, middle names and the order do not
 *		count. *how_r tells how much of it there was
 * people_of	whose address that is (of history_address), or NULL
 * people_count
 *
 * Lives in the arena. Read-only: any thread.
 */
#ifndef ANTISPAM_PEOPLE_H
#define ANTISPAM_PEOPLE_H

#include "conf/conf.h"
#include "policy/policy.h"

enum {
	PEOPLE_ADDRESSES = 20,		/* of one */
	PEOPLE_MAX = 10000,
};

struct person {
	struct slice name;		/* as it was written */
	struct slice addresses[PEOPLE_ADDRESSES];
	size_t naddresses;
};

enum named {
	NAMED_NOT,
	NAMED_INITIAL,			/* "E. Muster" */
	NAMED_FULL,
	NAMED_DISGUISED,		/* in full, by letters that only look so */
};

struct people;

enum rc people_check(struct slice item, struct arena *a, struct slice *why_r);
enum rc people_new(const struct conf_list *list, const struct policy *policy,
    struct arena *a, struct people **people_r, struct slice *nameless_r,
    struct slice *why_r);
const struct person *people_named(const struct people *people,
    struct arena *a, struct slice name, enum named *how_r);
const struct person *people_of(const struct people *people,
    struct slice address);
bool person_has(const struct person *person, struct slice address);
size_t people_count(const struct people *people);

#endif
