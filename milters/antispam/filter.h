/*
 * filter - antispam: how likely is it spam?
 */
#ifndef ANTISPAM_FILTER_H
#define ANTISPAM_FILTER_H

#include "milter/filter.h"

extern const struct filter antispam_filter;

#endif
