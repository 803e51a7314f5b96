/*
 * shared - what all messages of a predelivery share: filter.c opens it once a
 * load; read-only from then on
 */
#ifndef PREDELIVERY_SHARED_H
#define PREDELIVERY_SHARED_H

#include "disclaimer.h"
#include "outbound_run.h"
#include "rules.h"

struct predelivery_shared {
	struct outbound_shared outbound;
	struct rules *rules;
	struct disclaimers *disclaimers;
	struct arena *arena;		/* of these */
	struct country *countries;	/* NULL: no rule asks for one */
	struct slice trace_key;
	unsigned char key[64];
};

#endif
