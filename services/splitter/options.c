#include "services/splitter/options.h"

#include "net/smtp.h"

#define PLACE(field)	offsetof(struct splitter_conf, field)

const struct conf_option splitter_options[] = {
	{ "socket", CONF_PATH, PLACE(socket), "gatehouse/splitter/sock", 1,
	  100, "Socket that Postfix's lmtp(8) connects to. A relative path is "
	  "taken below queue_directory, so that it reads the same for a "
	  "chrooted Postfix process.", NULL },
	{ "reinject_server", CONF_SERVER, PLACE(reinject_server),
	  "127.0.0.1:10038", 1, 0, "Postfix's listener for the second pass, by "
	  "address and port; split_listener of postfix.conf names the same.",
	  NULL },
	{ "connections", CONF_COUNT, PLACE(connections), "100", 1, 1000,
	  "Connections of lmtp(8) at the same time; each brings one message "
	  "after the other.", NULL },
	{ "workers", CONF_COUNT, PLACE(workers), "20", 1, 500,
	  "Copies that are given back to Postfix at the same time. Counts from "
	  "the next start on.", NULL },
	{ "deadline", CONF_TIME, PLACE(deadline), "9m", 100, 3600000,
	  "Time for all copies of one message, those before it in the queue of "
	  "the workers included. When it is over Postfix is told 451 for whom "
	  "is left, and tries them again. Keep it below "
	  "lmtp_data_done_timeout.", NULL },
	{ "idle", CONF_TIME, PLACE(idle), "5m", 100, 3600000,
	  "How long Postfix may be silent before its connection is closed.",
	  NULL },
	{ "drain", CONF_TIME, PLACE(drain), "20s", 0, 600000,
	  "How long a stop waits for copies that are being given back.", NULL },
	{ "spool", CONF_SIZE, PLACE(spool), "4G", 1 << 20, INT64_MAX,
	  "Disk space for large messages while they are under way. A message "
	  "that does not fit is answered 451.", NULL },
	{ .name = NULL }
};

enum rc
splitter_check(void *arg, const struct house_conf *house, struct arena *a,
    struct slice *why_r)
{
	struct splitter_conf *conf = arg;

	if (!smtp_server_valid(slice_of(conf->reinject_server))) {
		*why_r = arena_printf(a, "reinject_server is \"%s\"; it wants "
		    "an address and a port, as \"127.0.0.1:10038\"",
		    conf->reinject_server);
		return RC_BAD;
	}
	/* Installed, and not in use. */
	if (house->seal_key[0] == '\0' && !house->splitter)
		return RC_OK;
	if (house->seal_key[0] == '\0') {
		*why_r = SLICE("gatehouse.conf: seal_key is empty; what is "
		    "split is known by a mark that needs it. Make one with: "
		    "openssl rand -hex 32 > FILE");
		return RC_BAD;
	}
	return seal_key_load(house->seal_key, &conf->seal, a, why_r);
}
