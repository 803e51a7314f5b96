/*
 * splitter - the service's parts, and what they share
 *
 * server_open	listens; connections live in the loop
 * server_close	no new connections; those that wait for a copy get what is known
 *		and are closed, the others are closed at once
 */
#ifndef SPLITTER_SPLITTER_H
#define SPLITTER_SPLITTER_H

#include <sys/types.h>

#include "daemon/service.h"
#include "journal/journal.h"
#include "services/splitter/inject.h"
#include "services/splitter/options.h"

struct connection;

struct splitter {
	struct service_run *run;
	struct served *served;
	struct injector *injector;
	struct journal *journal;
	struct policy *policy;		/* the loop's thread alone */
	struct spool_budget budget;
	int listener;
	const char *socket;		/* its path */
	uid_t *peers;			/* who may connect */
	size_t npeers;
	const char *hostname;		/* that connections are greeted by */
	struct connection *connections;	/* the list of them */
	unsigned nconnections;
	deadline_t warned, complained;	/* once a minute: of too many, of the
					   policy */
};

extern const struct service splitter_service;

enum rc server_open(struct splitter *s, const char *path, struct slice *why_r);
void server_close(struct splitter *s);

/* deliver.c: a letter that has come, with all that is needed to answer it. */
struct answers {
	struct service_set *set;
	struct delivery delivery;
	struct splitter *splitter;
	struct slice *replies;		/* of each recipient; absent: not yet */
	size_t given;			/* of them */
	int64_t began;			/* clock_mono */
	struct connection *connection;	/* NULL: it is gone */
};

/* Begins; `tell` is called whenever there is more to say, and then nobody
 * else uses it until it comes back. */
struct answers *deliver(struct splitter *s, struct letter *letter,
    struct connection *c);
/* All are known and, as far as anybody listened, given. */
bool answers_whole(const struct answers *a);
void answers_free(struct answers *a);
/* server.c */
void server_told(struct answers *a);

#endif
