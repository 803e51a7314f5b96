/*
 * dmarc-conf - what an administrator may set (dmarc-report.conf)
 */
#ifndef TOOLS_DMARC_CONF_H
#define TOOLS_DMARC_CONF_H

#include "conf/conf.h"
#include "conf/house.h"

/* Which standard a report is written by. */
enum dmarc_schema { DMARC_XML_RFC9990, DMARC_XML_RFC7489 };

struct dmarc_report_conf {
	const char *org_name;		/* default: submitter */
	const char *submitter;		/* default: hostname of the house */
	const char *email;		/* From, and contact; default:
					   postmaster@submitter */
	const char *contact;
	const char *sender;		/* reverse-path; empty: null */
	int schema;			/* enum dmarc_schema */
	int64_t interval;		/* ms; divides a day */
	bool own_domains;
	struct conf_list skip_domains;
	struct conf_list report_mailboxes;
	unsigned max_rows;		/* of one report */
	uint64_t max_memory;		/* of all rows together */
	unsigned max_destinations;	/* of one report */
	unsigned rate;			/* mails a minute */
	const char *sendmail;

	bool has_email;			/* was one set? */
};

extern const struct conf_option dmarc_report_options[];

/* DIR/gatehouse.conf and DIR/dmarc-report.conf; what is not there, or a NULL
 * dir, means defaults. */
enum rc dmarc_report_load(const char *dir, struct house_conf *house,
    struct dmarc_report_conf *conf, struct arena *a, struct slice *why_r);

/* Fills what has no constant default and checks what the table cannot. RC_BAD
 * with *why_r. */
enum rc dmarc_report_finish(struct dmarc_report_conf *conf,
    const struct house_conf *house, struct arena *a, struct slice *why_r);

/* An address that needs no quoting anywhere: dot-atom@domain, ASCII. */

#endif
