/*
 * postfix-conf - what an administrator may set about Postfix (postfix.conf)
 *
 * postfix_conf_load	DIR/gatehouse.conf and DIR/postfix.conf; what is not
 *			there, or a NULL dir, means defaults. RC_BAD with *why_r
 */
#ifndef TOOLS_POSTFIX_CONF_H
#define TOOLS_POSTFIX_CONF_H

#include "conf/conf.h"
#include "conf/house.h"

/* How mail that leaves is encrypted when nothing else is said. */
enum postfix_tls { POSTFIX_TLS_MAY, POSTFIX_TLS_DANE, POSTFIX_TLS_ENCRYPT };
/* What becomes of mail that sendmail(1) brings. */
enum postfix_local { POSTFIX_LOCAL_OUTBOUND, POSTFIX_LOCAL_CLOSED };

struct postfix_conf {
	int role;			/* index: inbound, outbound, both */
	bool hosted;			/* gatehouse-chain, not one each */
	int64_t connect_timeout, command_timeout;	/* ms */
	int64_t timeout_margin;		/* content_timeout over the deadline */

	/* listeners */
	const char *inbound_listener;
	const char *submission_listener, *submissions_listener;
	const char *relay_listener, *reinject_listener;
	const char *notice_listener, *split_listener;
	bool postscreen;
	struct conf_list postscreen_dnsbl;
	unsigned postscreen_threshold;
	bool inbound_relay;

	/* who and where */
	struct conf_nets allow_clients;
	const char *inner_server, *smart_host;
	struct conf_list recipient_maps, transport_maps;
	int local_mail;			/* enum postfix_local */

	/* TLS and SASL */
	const char *tls_cert, *tls_key;
	int tls_out;			/* enum postfix_tls */
	bool relay_tls;
	struct conf_list tls_policy;
	struct conf_list tls_senders;
	const char *sasl_type, *sasl_path;

	/* addresses that mail leaves from */
	struct conf_list pools, pool_senders;

	/* what outbound mail does not show */
	bool hide_inner;
	struct conf_list hide_fields, hide_hosts;

	/* time in the queue */
	int64_t queue_lifetime, minimal_backoff, maximal_backoff;
	int64_t queue_run, delay_warning;
	struct conf_list notify;
	unsigned site_concurrency, site_start;

	/* limits */
	uint64_t size;			/* what users may send, bytes */
	unsigned growth;		/* percent */
	unsigned client_connections, client_rate, client_recipients;
	unsigned recipient_limit, soft_errors, hard_errors;
	int64_t error_sleep;
	struct conf_nets bare_newline_clients;
};

extern const struct conf_option postfix_conf_options[];

enum rc postfix_conf_load(const char *dir, struct house_conf *house,
    struct postfix_conf *conf, struct arena *a, struct slice *why_r);

#endif
