/*
 * options - track.conf
 */
#ifndef TRACK_OPTIONS_H
#define TRACK_OPTIONS_H

#include "daemon/service.h"
#include "track/postfix.h"

enum track_class { CLASS_AV_IN = 1 << 0, CLASS_AV_OUT = 1 << 1,
    CLASS_QUARANTINE = 1 << 2, CLASS_POLICY = 1 << 3, CLASS_INBOUND = 1 << 4,
    CLASS_OUTBOUND = 1 << 5, CLASS_FATE = 1 << 6, CLASS_OTHER = 1 << 7 };

enum siem_format { SIEM_ECS = 0, SIEM_CEF };

struct track_conf {
	struct conf_list maillogs;
	bool journald;
	const char *journalctl;
	struct conf_list syslog_names;
	bool subjects;
	int64_t keep;			/* ms */
	struct conf_list siem_events;
	int format;			/* enum siem_format */
	const char *siem_file;
	const char *siem_syslog;
	const char *siem_http;
	const char *siem_token;		/* file */
	const char *siem_ca;		/* file; empty: the system's */
	int64_t siem_timeout;		/* ms */
	uint64_t siem_spool;		/* bytes */

	struct postfix_names names;	/* of syslog_names */
	unsigned classes;		/* of siem_events: enum track_class */
};

extern const struct conf_option track_options[];

enum rc track_check(void *conf, const struct house_conf *house,
    struct arena *a, struct slice *why_r);
/* For service_load: reads and checks, and cannot be started. */
extern const struct service track_settings;
/* "av-in"; NULL for what is none. */
const char *track_class_name(unsigned class);

#endif
