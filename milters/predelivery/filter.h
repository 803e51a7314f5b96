/*
 * predelivery_filter - what the house itself wants done with mail
 *
 * Rules (conditions and actions), and what else is done to a message of the
 * house's own accord, whoever sent it: steps of decide.h.
 */
#ifndef PREDELIVERY_FILTER_H
#define PREDELIVERY_FILTER_H

#include "milter/filter.h"

extern const struct filter predelivery_filter;

#endif
