/*
 * literals - which of many texts stand in this one? (Aho and Corasick, 1975)
 *
 * literals_new	none yet; in the arena
 * literals_add	one more, of lower-case ASCII and any other bytes; `tag` comes
 *		back where it is found. The same one may be added often
 * literals_ready	call it when all are there
 * literals_find	calls found(arg, tag) for each that stands in the text,
 *		letter case of ASCII aside; the same tag may come again. One
 *		step a byte, whatever the number of literals, and one for each
 *		that is found
 *
 * Read-only when it is ready: any thread.
 */
#ifndef PREDELIVERY_LITERALS_H
#define PREDELIVERY_LITERALS_H

#include "base/arena.h"

struct literals;

struct literals *literals_new(struct arena *a);
void literals_add(struct literals *l, struct slice text, unsigned tag);
void literals_ready(struct literals *l);
void literals_find(const struct literals *l, struct slice text,
    void (*found)(void *arg, unsigned tag), void *arg);

#endif
