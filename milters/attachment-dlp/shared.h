/*
 * shared - what all messages of an attachment-dlp share: filter.c opens it once
 * a load
 */
#ifndef ATTACHMENT_SHARED_H
#define ATTACHMENT_SHARED_H

#include <stdatomic.h>

#include "cell/cell.h"
#include "dlp_rules.h"
#include "milter/seal.h"

struct attachment_shared {
	struct cell *unpack;
	struct dlp_rules *dlp;
	struct seal_key key;		/* of links; len 0: there is none */
	_Atomic uint64_t memory;	/* of messages under way */
};

#endif
