/*
 * antivirus_filter - is there a virus in it, and who has looked?
 *
 * All engines look at all items at once (scan.h); what they said and what
 * nobody could look at stands in a ledger (ledger.h), from which is decided
 * (decide.h).
 */
#ifndef ANTIVIRUS_FILTER_H
#define ANTIVIRUS_FILTER_H

#include "milter/filter.h"

extern const struct filter antivirus_filter;

#endif
