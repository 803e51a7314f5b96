#include "milters/all.h"

#include "milters/antispam/filter.h"
#include "milters/antivirus-multiscan/filter.h"
#include "milters/auth-check/filter.h"
#include "milters/predelivery/filter.h"

const struct filter *const all_filters[] = { &auth_check_filter,
    &antivirus_filter, &antispam_filter,
    &predelivery_filter, NULL };
