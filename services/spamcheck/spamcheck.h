/*
 * spamcheck - the service's parts, and what they share
 *
 * check_deliver, check_release	lmtpd's: one message that has come (check.c)
 */
#ifndef SPAMCHECK_SPAMCHECK_H
#define SPAMCHECK_SPAMCHECK_H

#include "daemon/lmtpd.h"
#include "daemon/service.h"
#include "daemon/workers.h"
#include "services/spamcheck/options.h"
#include "services/spamcheck/rate.h"

struct spamcheck {
	struct service_run *run;
	struct lmtpd lmtp;
	struct spool_budget budget;	/* without a folder: in memory */
	struct workers *workers;
	struct rate rate;
};

extern const struct service spamcheck_service;

struct lmtpd_due *check_deliver(void *spamcheck, struct lmtp_mail *mail);
void check_release(void *spamcheck, struct lmtpd_due *due);

#endif
