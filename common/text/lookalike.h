/*
 * lookalike - does one text pass for another in a reader's eyes?
 *
 * look_skeleton	UTF-8 as a reader takes it in at a glance: small letters,
 *		no accents, letters of full width, of mathematics and in rings
 *		as plain ones, letters of other scripts that look Latin
 *		(Cyrillic, Greek, Armenian, Cherokee, Lisu) as Latin ones; what
 *		takes no room goes, blanks are one space. What looks like
 *		nothing Latin stays as it is
 * look_mixed	it holds letters of another script that look Latin, beside
 *		Latin ones: nobody writes so who does not mean to be misread
 * look_host	a host name: labels of "xn--" read, their skeleton, and what
 *		looks alike in ASCII made one (0 o, 1 i l, rn m, vv w, cl d,
 *		5 s): two hosts of which this is equal are hard to tell apart
 * look_distance	how many letters must be put in, left out, changed or
 *		exchanged with their neighbour to make one of the other
 *		(restricted Damerau and Levenshtein); most + 1: more than most,
 *		or longer than LOOK_DISTANCE bytes
 * look_domain	how a registered domain resembles another one, both as
 *		domain_ascii() gives them, with what of each is the public
 *		suffix ("co.uk"; may be empty)
 *
 * The results are in the arena. Pure; linear but for look_distance, which is
 * bounded; thread-safe.
 */
#ifndef TEXT_LOOKALIKE_H
#define TEXT_LOOKALIKE_H

#include "base/arena.h"

enum { LOOK_DISTANCE = 64 };

enum look {
	LOOK_NOT,
	LOOK_SAME,			/* it is that one */
	LOOK_CONFUSABLE,		/* acrne.com for acme.com */
	LOOK_TYPO,			/* one letter: exampel.com, examples.com */
	LOOK_PART,			/* acme-invoices.com, with acme.com */
	LOOK_ENDING,			/* acme.co */
};

struct slice look_skeleton(struct arena *a, struct slice text);
bool look_mixed(struct slice text);
struct slice look_host(struct arena *a, struct slice host);
unsigned look_distance(struct slice a, struct slice b, unsigned most);
enum look look_domain(struct arena *a, struct slice domain,
    struct slice suffix, struct slice of, struct slice of_suffix);

#endif
