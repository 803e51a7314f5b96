/*
 * forms - do recipients need different forms of a message?
 *
 * The form class of a mailbox is a number made of all his settings that change
 * bytes: equal numbers, equal bytes. Where one message has several, it is
 * split (split.h).
 *
 * forms_of	as that policy has them, which has to stay as long as they are
 *		used. Without a map all have the same
 * forms_same	have these addresses themselves, no alias expanded, one class?
 * forms_differ	do the mailboxes behind these addresses, aliases expanded, have
 *		more than one class? True as well when there are more than
 *		FORMS_MAX of them: to split is always safe. RC_RETRY: cannot be
 *		told now
 *
 * Thread-safe as far as its functions are.
 */
#ifndef MILTER_FORMS_H
#define MILTER_FORMS_H

#include "policy/policy.h"

enum { FORMS_MAX = 10000 };		/* mailboxes looked at */

struct forms {
	/* The mailboxes behind an address; itself where it is no alias.
	 * RC_BAD: very many. */
	enum rc (*members)(const void *arg, struct arena *a,
	    struct slice address, struct slice **members_r, size_t *n_r);
	enum rc (*form)(const void *arg, struct arena *a, struct slice mailbox,
	    uint64_t *form_r);
	const void *arg;
};

enum rc forms_same(const struct forms *forms, struct arena *a,
    const struct slice *addresses, size_t n, bool *same_r);
struct forms forms_of(const struct policy *p);
enum rc forms_differ(const struct forms *forms, struct arena *a,
    const struct slice *addresses, size_t n, bool *differ_r);

#endif
