/*
 * options - spamcheck.conf
 */
#ifndef SPAMCHECK_OPTIONS_H
#define SPAMCHECK_OPTIONS_H

#include "conf/house.h"
#include "net/stream.h"
#include "net/url.h"
#include "notice/options.h"
#include "services/spamcheck/judge.h"

enum spamcheck_result { RESULT_MAIL, RESULT_WEBHOOK, RESULT_BOTH };

struct spamcheck_conf {
	const char *socket;
	int result;			/* enum spamcheck_result */
	const char *webhook, *webhook_token, *webhook_ca;
	const char *antispam_file, *notices_file;
	unsigned rate;			/* of a sender in an hour; 0: any */
	uint64_t size, memory;		/* bytes */
	unsigned connections, workers;
	int64_t deadline, idle, drain;	/* ms */

	/* Filled by spamcheck_check. */
	struct judge *judge;
	struct notices *notices;
	struct url url;
	const char *host, *path;	/* of the webhook */
	struct stream_tls *tls;		/* NULL: none */
};

extern const struct conf_option spamcheck_options[];

enum rc spamcheck_check(void *conf, const struct house_conf *house,
    struct arena *a, struct slice *why_r);

#endif
