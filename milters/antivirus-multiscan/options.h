/*
 * options - what an administrator may set (antivirus-multiscan.conf)
 */
#ifndef ANTIVIRUS_OPTIONS_H
#define ANTIVIRUS_OPTIONS_H

#include "conf/conf.h"
#include "conf/house.h"
#include "ledger.h"

/* In the order of strength: of several, the strongest is done. */
enum antivirus_action { ANTIVIRUS_ACCEPT, ANTIVIRUS_TAG,
    ANTIVIRUS_QUARANTINE, ANTIVIRUS_DISCARD, ANTIVIRUS_TEMPFAIL,
    ANTIVIRUS_REJECT };

struct antivirus_conf {
	struct conf_list engines;
	const char *clamav_database, *clamav_yara;
	unsigned clamav_workers;
	int64_t clamav_look;		/* ms */
	int64_t start;			/* ms that loading may take */
	int64_t engine_timeout, engine_cache, self_test;	/* ms */
	uint64_t clamd_limit, icap_limit, command_limit;
	const char *icap_ca;
	unsigned command_workers;

	/* What stands in a scope may differ by recipient, or by who sends. */
	unsigned min_engines;
	unsigned min_engines_outbound;	/* 0: the same */
	int64_t max_age;		/* ms, of signatures; 0: any */
	int infected, infected_outbound;	/* enum antivirus_action */
	int lack[LACKS];		/* the same; LACK_NONE is not used */
	int lack_outbound[LACKS];	/* beyond those of lack: the same */
	struct scopes *scopes;

	struct conf_list defer, defer_out, sandbox, sandbox_out; /* wait.h */

	unsigned depth, members, ratio;
	uint64_t member_bytes, bytes;
	unsigned unpack_workers;
	struct conf_list passwords;

	unsigned threads;
	unsigned cache;
	uint64_t memory;		/* decoded content of all messages */
	const char *header;
	bool header_always;
};

extern const struct conf_option antivirus_options[];

/* "same" stands behind the others, in a list that ends before REJECT too. */
/* Is there an action for that lack of its own for outbound mail? */
bool antivirus_outbound(const struct antivirus_conf *conf, enum lack lack);
enum antivirus_action antivirus_action(const struct antivirus_conf *conf,
    enum lack lack, bool outbound);

/* What the table cannot say. RC_BAD with *why_r. */
enum rc antivirus_finish(const struct antivirus_conf *conf, struct arena *a,
    struct slice *why_r);

#endif
