/*
 * rules_find - which rules could match at all? (the prefilter)
 *
 * Of what a rule's conditions ask, one thing that must be there is chosen: an
 * address or a domain, a field's name, a text within a subject or a field.
 * Rules are filed under it. A message looks up what it has, by hash and by one
 * walk over its texts (literals.h), and gets a set of rules; all others cannot
 * match, and cost nothing. A rule that has no such thing is always in the set.
 *
 * find_new	of loaded rules; in their arena
 * find_message	the set for what is the same for all recipients
 * find_recipient	adds those that ask for that recipient
 *
 * A set has a bit for each rule, by its id, in 64-bit words; find_words of
 * them, zeroed by the caller.
 */
#ifndef PREDELIVERY_RULES_FIND_H
#define PREDELIVERY_RULES_FIND_H

#include "rules.h"

struct find *find_new(struct rules *r);
size_t find_words(const struct rules *r);
void find_message(const struct rules *r, struct facts *f, uint64_t *set);
void find_recipient(const struct rules *r, struct facts *f, size_t recipient,
    uint64_t *set);

#endif
