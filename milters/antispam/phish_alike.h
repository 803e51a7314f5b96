/*
 * phish_alike - names that are made to be taken for others
 *
 * alike_skeleton	what a label (A-label or ASCII, lower case) looks like:
 *			two labels with one skeleton are taken for each other.
 *			Latin look-alikes of other scripts, marks, digits (0, 1,
 *			3, 4, 5), "rn" for m, "vv" for w, i for l
 * alike_edited		one letter more, less or another, or two exchanged
 * alike_mixed		an A-label with letters of Latin and of a script that
 *			has look-alikes of them, or of two such
 * alike_letters	a text (UTF-8, lower case) in the Latin letters that it shows,
 *			those of mathematics too; what has no such look stays
 * alike_words		a word of the text mixes scripts, as alike_mixed
 * alike_shown		a host in letters, as a browser may show it
 *
 * Pure; linear.
 */
#ifndef ANTISPAM_PHISH_ALIKE_H
#define ANTISPAM_PHISH_ALIKE_H

#include "base/buf.h"

struct slice alike_skeleton(struct arena *a, struct slice label);
bool alike_edited(struct slice a, struct slice b);
bool alike_mixed(struct arena *a, struct slice label);
struct slice alike_letters(struct arena *a, struct slice text);
bool alike_words(struct slice text);
struct slice alike_shown(struct arena *a, struct slice host);

#endif
