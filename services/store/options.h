/*
 * options - what store.conf holds
 */
#ifndef STORE_OPTIONS_H
#define STORE_OPTIONS_H

#include "conf/house.h"
#include "milter/seal.h"
#include "notice/options.h"
#include "verdict/plan.h"

/* What becomes of mail that nobody could look at again in time. */
enum waiting_fallback { FALLBACK_HOLD, FALLBACK_DELIVER };
/* What becomes of mail that a sandbox caught. */
enum waiting_catch { CATCH_HOLD, CATCH_DELETE, CATCH_DELIVER };

struct store_conf {
	struct scopes *scopes;
	const char *key;		/* private key file */
	const char *release_server;
	int64_t release_timeout, release_retry, release_give_up;
	unsigned connections;
	int64_t retention[CAUSES];	/* ms, by enum cause */
	int64_t records;		/* ms */
	/* What waits for a second look; waiting.h. Times in ms. */
	int64_t deferred_after, deferred_deadline, sandbox_deadline;
	/* enum waiting_fallback, and enum waiting_catch */
	int deferred_fallback, sandbox_fallback;
	int sandbox_malicious, sandbox_suspicious;
	int64_t scan;			/* ms */
	unsigned expire_cap;
	int64_t clock_guard;		/* ms */
	uint64_t quota, reserve;	/* bytes; quota 0: none */
	struct conf_list users, admins, sandbox_users;
	/* Before a large file is given out; files.h. */
	struct conf_list download_scanners;
	uint64_t download_scan_limit, download_memory;	/* bytes */
	int64_t download_scan_timeout;	/* ms */
	const char *notices_file;
	struct seal_key seal;		/* filled by store_check */
	struct notices *notices;	/* the same; NULL: there are none */
};

extern const struct conf_option store_options[];

enum rc store_check(void *conf, const struct house_conf *house,
    struct arena *a, struct slice *why_r);

#endif
