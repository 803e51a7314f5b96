/*
 * load - the templates and time zones that settings name; only for this room
 *
 * load_begin	an empty store of them
 * load_named	what conf names, unless it is there already
 * load_mixed	each language in each set: one level may name the set, another
 *		the language
 */
#ifndef NOTICE_LOAD_H
#define NOTICE_LOAD_H

#include "notice/options.h"

void load_begin(struct notices *n, struct arena *a);
enum rc load_named(struct notices *n, const struct notices_conf *conf,
    struct arena *a, struct slice *why_r);
enum rc load_mixed(struct notices *n, struct arena *a, struct slice *why_r);

#endif
