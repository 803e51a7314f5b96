#include "milters/all.h"

#include "milters/auth-check/filter.h"

const struct filter *const all_filters[] = { &auth_check_filter, NULL };
