/*
 * options - what store.conf holds
 */
#ifndef STORE_OPTIONS_H
#define STORE_OPTIONS_H

#include "conf/house.h"
#include "milter/seal.h"
#include "notice/options.h"
#include "verdict/plan.h"

struct store_conf {
	struct scopes *scopes;
	const char *key;		/* private key file */
	const char *release_server;
	int64_t release_timeout, release_retry, release_give_up;
	unsigned connections;
	int64_t retention[CAUSES];	/* ms, by enum cause */
	int64_t records;		/* ms */
	int64_t scan;			/* ms */
	unsigned expire_cap;
	int64_t clock_guard;		/* ms */
	uint64_t quota, reserve;	/* bytes; quota 0: none */
	struct conf_list users, admins;
	const char *notices_file;
	struct seal_key seal;		/* filled by store_check */
	struct notices *notices;	/* the same; NULL: there are none */
};

extern const struct conf_option store_options[];

enum rc store_check(void *conf, const struct house_conf *house,
    struct arena *a, struct slice *why_r);

#endif
