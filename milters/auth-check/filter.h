/*
 * auth_check_filter - who sent this mail, and may he?
 *
 * SPF of MAIL FROM and HELO, asked for at MAIL FROM; DKIM, ARC and DMARC, asked
 * for as the header fields come in; iprev. Results in an Authentication-Results
 * field on top, forged ones removed.
 */
#ifndef AUTH_CHECK_FILTER_H
#define AUTH_CHECK_FILTER_H

#include "milter/filter.h"

extern const struct filter auth_check_filter;

#endif
