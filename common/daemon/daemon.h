/*
 * daemon - what all our milters' main functions do
 *
 * daemon_main	one filter: `return daemon_main(argc, argv, &the_filter);`
 * chain_main	gatehouse-chain: hosts those of `filters` (NULL at the end) that
 *		its file names
 *
 * Exit status: 0 stopped as asked, or the configuration is right
 * (--check-config); 64 wrong command line; 78 wrong configuration; 75 trouble
 * of ours, worth another try (sysexits.h).
 *
 * SIGTERM and SIGINT stop it, after the messages under way. SIGUSR1 reloads:
 * a configuration that is wrong is logged and the old one stays. (libmilter
 * takes SIGHUP as stop.)
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include "milter/filter.h"

int daemon_main(int argc, char **argv, const struct filter *filter);
int chain_main(int argc, char **argv, const struct filter *const *filters);

#endif
