/*
 * national - numbers that states give to people
 *
 * One row a kind: how it is written (a pattern of its characters without
 * separators), how it is grouped, its check, and whether a word beside it is
 * needed before it is believed: a nine-digit number with one check digit is
 * right by accident in one of ten, a name like "BSN" near it is not.
 *
 * national_next	the next kind after `last` (NULL: the first) that n
 *			characters are, letters in capitals; NULL: none further.
 *			groups are their lengths, as they were written: one, or
 *			how that kind is written by those who write it well,
 *			else it is none of it
 * national_bare	a number in such groups is believed without a word
 * national_words	words that stand beside it, lower case, ended by NULL
 *
 * The rules are those that each state publishes; dates inside are looked at
 * where there are any. Pure; thread-safe.
 */
#ifndef DETECT_NATIONAL_H
#define DETECT_NATIONAL_H

#include "base/slice.h"

enum { NATIONAL_MIN = 8, NATIONAL_MAX = 18 };

struct national;

const struct national *national_next(const struct national *last,
    const char *chars, size_t n, const unsigned char *groups, size_t ngroups);
bool national_bare(const struct national *kind, const unsigned char *groups,
    size_t ngroups);
const char *const *national_words(const struct national *kind);
/* "de-steuer-id", and for people "tax number (Germany)". Static. */
const char *national_name(const struct national *kind);
const char *national_title(const struct national *kind);
/* The i-th kind, for lists; NULL at the end. */
const struct national *national_at(size_t i);

#endif
