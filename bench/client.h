/*
 * client - SMTP sessions that send the mix, all from one loop
 *
 * Each session connects, says who it is (XCLIENT, when there are senders),
 * sends per_connection messages with MAIL, RCPT and DATA in one packet, quits
 * and connects again, until all messages are gone. The n-th connection carries
 * the n-th of such lots, so that a message has the same sender in each run. One
 * that is refused is counted, with the first reason, and not sent again.
 *
 * end_of_data	from the last byte of the final dot to the reply
 * transaction	from MAIL to that reply: what a slow MAIL costs shows here
 * heads	the header block of each message, if they were made before
 * together	no session sends its final dot before all have come that far
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include "bench/figures.h"
#include "bench/loop.h"
#include "bench/mail.h"

struct clients_conf {
	const char *server;
	const struct mix *mix;
	const struct slice *heads;		/* or NULL */
	const struct mail_sender *senders;	/* at least one */
	size_t nsenders;
	size_t sessions, messages, per_connection;
	bool xclient, together;
};

struct clients {
	const struct clients_conf *conf;
	struct loop *loop;
	struct session *sessions;
	size_t sent, connections, running, held, losses;
	size_t accepted, refused, bytes;
	char refusal[512];
	struct figures end_of_data, transaction;
	int64_t begun, ended;			/* clock_mono_us */
};

/* Who sends message number `number'. */
const struct mail_sender *clients_sender(const struct clients_conf *conf,
    size_t number);
void clients_start(struct clients *c, struct loop *l,
    const struct clients_conf *conf);
void clients_free(struct clients *c);

#endif
