/*
 * shared - what all messages of an attachment-dlp share: filter.c opens it once
 * a load
 */
#ifndef ATTACHMENT_SHARED_H
#define ATTACHMENT_SHARED_H

#include <stdatomic.h>

#include "cell/cell.h"
#include "dlp_rules.h"

struct attachment_shared {
	struct cell *unpack;
	struct dlp_rules *dlp;
	_Atomic uint64_t memory;	/* of messages under way */
};

#endif
