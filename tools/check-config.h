/*
 * check-config - all files of the house, each with its tables
 *
 * check_config_each	reads them as the daemons would, below dir (NULL: all
 *			defaults), and tells for each program whether it would
 *			start. May start threads (what filters open)
 */
#ifndef TOOLS_CHECK_CONFIG_H
#define TOOLS_CHECK_CONFIG_H

#include "base/arena.h"
#include "base/rc.h"

typedef void check_config_told(void *arg, const char *program, enum rc rc,
    struct slice why);

void check_config_each(const char *dir, struct arena *a,
    check_config_told *told, void *arg);

#endif
