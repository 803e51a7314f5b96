#include "services/track/options.h"

#include <string.h>

#include "net/url.h"

#define AT(field)	offsetof(struct track_conf, field)

static const char *const formats[] = { "ecs", "cef", NULL };

const struct conf_option track_options[] = {
	{ "maillogs", CONF_LIST, AT(maillogs), "/var/log/mail.log", 0, 20,
	  "Files that Postfix's log lines are written to, by syslog or by "
	  "Postfix itself (maillog_file). Rotated files beside them, .gz too, "
	  "are read where they were not read before. Empty: none.", NULL },
	{ "journald", CONF_BOOL, AT(journald), "false", 0, 0,
	  "Read Postfix's log from the journal of systemd as well. Where "
	  "rsyslog writes a file of the same lines, one of both is enough: "
	  "with both, each delivery is counted twice.", NULL },
	{ "journalctl", CONF_PATH, AT(journalctl), "/usr/bin/journalctl", 0, 0,
	  "The program that gives the journal of systemd.", NULL },
	{ "syslog_names", CONF_LIST, AT(syslog_names), "postfix*", 1, 50,
	  "Postfix instances that are followed, by their syslog_name. A name "
	  "that ends with * stands for all that begin so.", NULL },
	{ "subjects", CONF_BOOL, AT(subjects), "false", 0, 0,
	  "Keep subjects, so that they can be searched for. Only those come "
	  "that Postfix logs (a header_checks rule with INFO) or that a "
	  "journal holds.", NULL },
	{ "keep", CONF_TIME, AT(keep), "45d", 86400000,
	  (int64_t)183 * 86400000,
	  "How long messages can be searched. They are personal data: half a "
	  "year is the longest.", NULL },
	{ "siem_events", CONF_LIST, AT(siem_events),
	  "av-in, av-out, quarantine, policy, fate", 0, 8,
	  "What goes to the sinks below: av-in and av-out (virus found), "
	  "quarantine (held or deleted, for whatever cause), policy (refused, "
	  "deferred), inbound and outbound (each decision of a milter), fate "
	  "(what became of each recipient), other (all other events of "
	  "journals).", NULL },
	{ "siem_format", CONF_ENUM, AT(format), "ecs", 0, 0,
	  "ecs: JSON with the names of the Elastic Common Schema. cef: "
	  "ArcSight's Common Event Format.", formats },
	{ "siem_file", CONF_PATH, AT(siem_file), "", 0, 0,
	  "A file that events are appended to, one a line. When it was moved "
	  "away it is begun anew. Empty: none.", NULL },
	{ "siem_syslog", CONF_STRING, AT(siem_syslog), "", 0, 300,
	  "A syslog server for events (RFC 5424): unix:/dev/log, "
	  "udp:192.0.2.1:514, tcp:[2001:db8::1]:601 (RFC 6587, octet "
	  "counting). Empty: none.", NULL },
	{ "siem_http", CONF_STRING, AT(siem_http), "", 0, 1000,
	  "An address that events are posted to, some lines at once "
	  "(application/x-ndjson): https://siem.example.org/events. Empty: "
	  "none.", NULL },
	{ "siem_token", CONF_PATH, AT(siem_token), "", 0, 0,
	  "File with the bearer token for siem_http. Empty: none.", NULL },
	{ "siem_ca", CONF_PATH, AT(siem_ca), "", 0, 0,
	  "File with the certificates that siem_http's server may be signed "
	  "by. Empty: those that the system trusts.", NULL },
	{ "siem_timeout", CONF_TIME, AT(siem_timeout), "10s", 100, 120000,
	  "How long a server may take to receive a bundle of events and "
	  "answer.", NULL },
	{ "siem_spool", CONF_SIZE, AT(siem_spool), "256M", 1 << 16, 0,
	  "Events that wait for a sink, in track.db. When there are more the "
	  "oldest are dropped, counted and warned of.", NULL },
	{ 0 }
};

static const char *const classes[] = { "av-in", "av-out", "quarantine",
	"policy", "inbound", "outbound", "fate", "other" };

enum { CLASSES = sizeof classes / sizeof classes[0] };

const char *
track_class_name(unsigned class)
{
	for (int i = 0; i < CLASSES; i++)
		if (class == 1u << i)
			return classes[i];
	return NULL;
}

static enum rc
check_classes(struct track_conf *c, struct arena *a, struct slice *why_r)
{
	c->classes = 0;
	for (size_t i = 0; i < c->siem_events.count; i++) {
		int n = 0;

		while (n < CLASSES && !slice_eq(c->siem_events.items[i],
		    slice_of(classes[n])))
			n++;
		if (n == CLASSES) {
			*why_r = arena_printf(a, "siem_events: there is no "
			    "\"%.*s\"; av-in, av-out, quarantine, policy, "
			    "inbound, outbound, fate and other are known",
			    SLICE_ARG(c->siem_events.items[i]));
			return RC_BAD;
		}
		c->classes |= 1u << n;
	}
	return RC_OK;
}

static enum rc
check_paths(const struct track_conf *c, struct arena *a, struct slice *why_r)
{
	for (size_t i = 0; i < c->maillogs.count; i++) {
		struct slice path = c->maillogs.items[i];

		if (path.len > 1 && path.ptr[0] == '/' &&
		    path.ptr[path.len - 1] != '/')
			continue;
		*why_r = arena_printf(a, "maillogs: \"%.*s\"; it wants the "
		    "path of a file that begins with a slash, as "
		    "\"/var/log/mail.log\"", SLICE_ARG(path));
		return RC_BAD;
	}
	return RC_OK;
}

static enum rc
check_sinks(const struct track_conf *c, struct arena *a, struct slice *why_r)
{
	struct url url;

	if (c->siem_http[0] != '\0' &&
	    !url_parse(slice_of(c->siem_http), &url)) {
		*why_r = arena_printf(a, "siem_http is \"%s\"; it wants an "
		    "address as \"https://siem.example.org/events\"",
		    c->siem_http);
		return RC_BAD;
	}
	if (c->siem_syslog[0] != '\0' &&
	    !syslog_parse(slice_of(c->siem_syslog), &url)) {
		*why_r = arena_printf(a, "siem_syslog is \"%s\"; it wants "
		    "unix:/dev/log, udp:HOST:PORT or tcp:HOST:PORT",
		    c->siem_syslog);
		return RC_BAD;
	}
	return RC_OK;
}

enum rc
track_check(void *conf, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	struct track_conf *c = conf;
	enum rc rc = check_classes(c, a, why_r);

	(void)house;
	c->names = (struct postfix_names){ c->syslog_names.items,
	    c->syslog_names.count };
	if (rc == RC_OK)
		rc = check_paths(c, a, why_r);
	return rc == RC_OK ? check_sinks(c, a, why_r) : rc;
}

const struct service track_settings = {
	.name = "track",
	.options = track_options,
	.conf_size = sizeof(struct track_conf),
	.check = track_check,
};
