/*
 * splitter - the service's parts, and what they share
 */
#ifndef SPLITTER_SPLITTER_H
#define SPLITTER_SPLITTER_H

#include "daemon/lmtpd.h"
#include "daemon/service.h"
#include "journal/journal.h"
#include "services/splitter/inject.h"
#include "services/splitter/options.h"

struct splitter {
	struct service_run *run;
	struct served *served;
	struct injector *injector;
	struct journal *journal;
	struct policy *policy;		/* the loop's thread alone */
	struct spool_budget budget;
	struct lmtpd lmtp;
	deadline_t complained;		/* once a minute: of the policy */
};

extern const struct service splitter_service;

/* deliver.c: a letter that has come, and its answers; lmtpd's deliver and
 * release. */
struct lmtpd_due *deliver(void *splitter, struct lmtp_mail *letter);
void deliver_release(void *splitter, struct lmtpd_due *due);

#endif
