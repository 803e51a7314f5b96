/*
 * all - every filter of the house, in the order of the inbound chain
 *
 * For programs that may host any of them: gatehouse-chain and gatehouse(1).
 */
#ifndef MILTERS_ALL_H
#define MILTERS_ALL_H

#include "milter/filter.h"

extern const struct filter *const all_filters[];	/* NULL at the end */

#endif
