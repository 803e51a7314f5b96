/*
 * dmarc-mail - a report on its way (RFC 9990, 3.5)
 *
 * dmarc_report_id	letters and digits that name this report: the same ones
 *			whenever it is made again, for submitter, domain and
 *			period are all that goes in. Report-ID, and unique-id in
 *			the file's name
 * dmarc_file_name	receiver!policy-domain!begin!end!unique-id.xml.gz
 * dmarc_gzip		the same bytes for the same text
 * dmarc_message	the mail to one address: a single part, application/gzip
 *			in base64; lines end with LF, as sendmail(1) wants them
 * dmarc_sendmail	runs it (execve, no shell, next to no environment) with
 *			the message as its standard input, and waits. Blocks for
 *			at most SENDMAIL_MS
 */
#ifndef TOOLS_DMARC_MAIL_H
#define TOOLS_DMARC_MAIL_H

#include "tools/dmarc-events.h"

enum { SENDMAIL_MS = 120000 };

struct slice dmarc_report_id(struct arena *a, const char *submitter,
    const struct dmarc_report *report);
struct slice dmarc_file_name(struct arena *a, const char *submitter,
    const struct dmarc_report *report);
void dmarc_gzip(struct buf *out, struct slice text);
void dmarc_message(struct buf *out, struct arena *a,
    const struct dmarc_report_conf *conf, const struct dmarc_report *report,
    struct slice to, struct slice gzip, int64_t now);

enum dmarc_handed {
	HANDED,				/* Postfix has it */
	NOT_HANDED,			/* and surely has not got it */
	HANDED_PERHAPS,			/* killed, or no answer in time */
};

enum dmarc_handed dmarc_sendmail(struct arena *a, const char *program,
    const char *sender, struct slice to, struct slice message,
    struct slice *why_r);

#endif
