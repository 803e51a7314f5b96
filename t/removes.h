/*
 * removes - a part is taken out of a message, and all else is looked at
 *
 * removes	takes p out, with a note in its place; compares each other part
 *		of what is left with what it was, byte for byte; and undoes it.
 *		NULL, or what is wrong. The note's first line must stand in
 *		what is there now
 */
#ifndef T_REMOVES_H
#define T_REMOVES_H

#include "milters/attachment-dlp/remove.h"

const char *removes(struct message *msg, const struct part *p,
    struct slice note);

#endif
