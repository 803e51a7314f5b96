/*
 * plain - text as a reader takes it, for those who look for numbers and words
 *
 * plain_text	UTF-8 in which nothing hides a number from its reader: decimal
 *		digits of every script and letters of full width become ASCII,
 *		blanks of every width a space, dashes of every length '-', and
 *		what takes no room (zero width, soft hyphen, marks of direction)
 *		goes away. Letters beyond ASCII lose their case (Latin, Greek,
 *		Cyrillic). Ill-formed bytes become spaces. Text that is ASCII is
 *		returned as it is; else the copy is in the arena and is never
 *		longer than the text
 *
 * Pure; thread-safe. Linear.
 */
#ifndef DETECT_PLAIN_H
#define DETECT_PLAIN_H

#include "base/arena.h"

struct slice plain_text(struct arena *a, struct slice text);

#endif
