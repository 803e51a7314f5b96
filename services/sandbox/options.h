/*
 * options - what sandbox.conf holds
 */
#ifndef SANDBOX_OPTIONS_H
#define SANDBOX_OPTIONS_H

#include "conf/house.h"

enum sandbox_api { SANDBOX_GENERIC, SANDBOX_CAPE };

struct sandbox_conf {
	const char *url, *token, *ca;
	int api;			/* enum sandbox_api */
	int64_t poll, timeout, retry;	/* ms */
	int64_t cache;			/* ms */
	unsigned malicious, suspicious;	/* of 100 */
	unsigned tries;
	uint64_t file_limit, report_limit;
};

extern const struct conf_option sandbox_options[];

enum rc sandbox_check(void *conf, const struct house_conf *house,
    struct arena *a, struct slice *why_r);

#endif
