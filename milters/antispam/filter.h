/*
 * filter - antispam: how likely is it spam?
 */
#ifndef ANTISPAM_FILTER_H
#define ANTISPAM_FILTER_H

#include "milter/filter.h"

extern const struct filter antispam_filter;

/* Texts of which a user has said what they are (marks.h). */
const char *antispam_marks_path(const char *state_directory,
    struct arena *a);

#endif
