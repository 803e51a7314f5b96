/*
 * machine - who is not answered, for it may be a machine
 *
 * notice_stop_reason	why nobody who may be a machine is told about this
 *		message: NULL, or a word for the log. sender: its reverse-path;
 *		message: its header at least, or empty: not at hand. Loops are
 *		made impossible, not unlikely: our mails have a null
 *		reverse-path, say that they are automatic, and are known by
 *		their Message-ID
 *
 * Pure.
 */
#ifndef NOTICE_MACHINE_H
#define NOTICE_MACHINE_H

#include "base/arena.h"

const char *notice_stop_reason(struct arena *a, struct slice sender,
    struct slice message);

#endif
