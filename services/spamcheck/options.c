#include "services/spamcheck/options.h"

#include <errno.h>
#include <unistd.h>

#include "net/http.h"

#define PLACE(field)	offsetof(struct spamcheck_conf, field)

static const char *const results[] = { "mail", "webhook", "both", NULL };

const struct conf_option spamcheck_options[] = {
	{ "socket", CONF_PATH, PLACE(socket), "gatehouse/spamcheck/sock", 1,
	  100, "Socket that Postfix's lmtp(8) connects to. A relative path is "
	  "taken below queue_directory, so that it reads the same for a "
	  "chrooted Postfix process.", NULL },
	{ "result", CONF_ENUM, PLACE(result), "mail", 0, 0,
	  "How the result is told: to the sender by mail, to a program by "
	  "HTTP (webhook), or both, first to the program.", results },
	{ "webhook", CONF_STRING, PLACE(webhook), "", 0, 300,
	  "Where the result is posted to as JSON: "
	  "https://desk.example.org/spamcheck. It counts as told when the "
	  "answer is 2xx.", NULL },
	{ "webhook_token", CONF_PATH, PLACE(webhook_token), "", 0, 0,
	  "File with the bearer token for webhook, on one line. Empty: none.",
	  NULL },
	{ "webhook_ca", CONF_PATH, PLACE(webhook_ca), "", 0, 0,
	  "File with the certificates that webhook's server may be signed by, "
	  "for https. Empty: those that the system trusts.", NULL },
	{ "antispam", CONF_PATH, PLACE(antispam_file),
	  "/etc/gatehouse/antispam.conf", 1, 0,
	  "The file of antispam's options: model and checks are those of the "
	  "filter. Where it is not there its defaults count.", NULL },
	{ "notices", CONF_PATH, PLACE(notices_file),
	  "/etc/gatehouse/notices.conf", 1, 0,
	  "The file gatehouse-notices.conf(5): from whom a report comes, its "
	  "language and template, and the server that takes it. Where it is "
	  "not there its defaults count.", NULL },
	{ "rate", CONF_COUNT, PLACE(rate), "60", 0, 1000000,
	  "Messages of one sender in an hour. What is more waits in Postfix's "
	  "queue. 0: any number.", NULL },
	{ "size", CONF_SIZE, PLACE(size), "25M", 1024, 1 << 30,
	  "The largest message that is checked. A larger one is refused.",
	  NULL },
	{ "memory", CONF_SIZE, PLACE(memory), "200M", 1024, INT64_MAX,
	  "Memory for all messages that are under way; they are never written "
	  "to a disk. A message that does not fit is answered 452.", NULL },
	{ "connections", CONF_COUNT, PLACE(connections), "20", 1, 1000,
	  "Connections of lmtp(8) at the same time; each brings one message "
	  "after the other.", NULL },
	{ "workers", CONF_COUNT, PLACE(workers), "4", 1, 100,
	  "Messages that are checked, or whose result is being told, at the "
	  "same time. Counts from the next start on.", NULL },
	{ "deadline", CONF_TIME, PLACE(deadline), "2m", 100, 3600000,
	  "Time for one message, from its last byte until its result has been "
	  "told. When it is over Postfix is told 451. Keep it below "
	  "lmtp_data_done_timeout.", NULL },
	{ "idle", CONF_TIME, PLACE(idle), "5m", 100, 3600000,
	  "How long Postfix may be silent before its connection is closed.",
	  NULL },
	{ "drain", CONF_TIME, PLACE(drain), "20s", 0, 600000,
	  "How long a stop waits for messages that are under way.", NULL },
	{ .name = NULL }
};

static void
tls_drop(void *tls)
{
	stream_tls_free(tls);
}

static enum rc
check_webhook(struct spamcheck_conf *conf, struct arena *a,
    struct slice *why_r)
{
	struct buf token = buf_in(a);

	if (conf->webhook[0] == '\0' && conf->result == RESULT_MAIL)
		return RC_OK;
	if (!url_parse(slice_of(conf->webhook), &conf->url)) {
		*why_r = arena_printf(a, "webhook is \"%s\"; it wants an "
		    "address as \"https://desk.example.org/spamcheck\"",
		    conf->webhook);
		return RC_BAD;
	}
	conf->host = arena_str(a, conf->url.host);
	conf->path = arena_str(a, conf->url.path);
	if (conf->webhook_token[0] != '\0' && !http_token(conf->webhook_token,
	    "Bearer", &token, a, why_r)) {
		*why_r = arena_printf(a, "webhook_token: %.*s",
		    SLICE_ARG(*why_r));
		return RC_BAD;
	}
	if (!slice_eq(conf->url.scheme, SLICE("https")))
		return RC_OK;
	conf->tls = stream_tls_new(conf->webhook_ca, a, why_r);
	if (conf->tls == NULL)
		return RC_BAD;
	arena_defer(a, tls_drop, conf->tls);
	return RC_OK;
}

/* NULL where there is none: defaults. */
static const char *
there(const char *path)
{
	return access(path, F_OK) != 0 && errno == ENOENT ? NULL : path;
}

enum rc
spamcheck_check(void *arg, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	struct spamcheck_conf *conf = arg;
	enum rc rc = check_webhook(conf, a, why_r);

	if (rc == RC_OK && conf->size > conf->memory) {
		*why_r = SLICE("size is more than memory; such a message "
		    "would never be checked");
		rc = RC_BAD;
	}
	if (rc == RC_OK)
		rc = notices_load(a, there(conf->notices_file), true, house,
		    &conf->notices, why_r);
	if (rc == RC_OK)
		rc = judge_open(there(conf->antispam_file), house,
		    &conf->judge, a, why_r);
	return rc;
}
