/*
 * date - the date of a message (RFC 5322, 3.3 and 4.3)
 *
 * date_read	seconds since 1970 (UTC) of a Date field's value; false for what
 *		the RFC does not allow, obsolete forms included: years of two
 *		digits, zone names, comments and folds between the words are.
 *		The name of the day is read and not compared, for it says
 *		nothing. A military zone is read as -0000 (4.3)
 *
 * Pure and linear.
 */
#ifndef TEXT_DATE_H
#define TEXT_DATE_H

#include "base/slice.h"

bool date_read(struct slice value, int64_t *seconds_r);

#endif
