/*
 * options - splitter.conf
 */
#ifndef SPLITTER_OPTIONS_H
#define SPLITTER_OPTIONS_H

#include "conf/house.h"
#include "milter/seal.h"

struct splitter_conf {
	const char *socket;
	const char *reinject_server;
	unsigned connections, workers;
	int64_t deadline, idle, drain;	/* ms */
	uint64_t spool;			/* bytes */
	struct seal_key seal;		/* filled by splitter_check */
};

extern const struct conf_option splitter_options[];

enum rc splitter_check(void *conf, const struct house_conf *house,
    struct arena *a, struct slice *why_r);

#endif
