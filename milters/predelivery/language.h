/*
 * language - in which language is a text written?
 *
 * Goes by trigrams of letters, as they are in texts of each language that
 * were written for this (languages/, language-train). Known are Czech, Danish,
 * Dutch, English, Finnish, French, German, Greek, Hungarian, Italian,
 * Luxembourgish, Norwegian, Polish, Portuguese, Romanian, Spanish, Swedish.
 *
 * language_of	"de" (ISO 639-1); "unknown" when the text is short, when too
 *		little of it is like any language, or when two languages are
 *		about as likely. Static
 * language_visible	of HTML what stands between its tags: for this purpose,
 *		and for no other. In the arena
 * language_known	is there such a language, or is it "unknown"?
 *
 * The text is UTF-8, or taken so. Linear; the first LANGUAGE_LETTERS count.
 */
#ifndef PREDELIVERY_LANGUAGE_H
#define PREDELIVERY_LANGUAGE_H

#include "base/arena.h"

enum { LANGUAGE_LETTERS = 8000 };

const char *language_of(struct slice text);
struct slice language_visible(struct arena *a, struct slice html);
bool language_known(struct slice name);

#endif
