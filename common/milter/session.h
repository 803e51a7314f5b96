/*
 * session - one SMTP session: gather, ask, decide, commit, apply
 *
 * The engine tells it what happens; it answers at end of message. Several
 * filters may be hosted: the message is gathered once, each filter decides on
 * it as the ones before left it, and one burst of edits goes back.
 *
 * Invariants:
 * 1. Every way out of session_eom that is not a filter's own verdict goes
 *    through plan_for_trouble() and is tempfail.
 * 2. No edit is sent before all filters have decided, the size is known to
 *    fit, all that is held is durable (hold.h), and the deadline has not
 *    passed. After the first edit comes nothing slow. An edit that does not
 *    arrive makes the answer tempfail.
 * 3. The content hash stands in the in-flight table while anything of the
 *    message is parsed. It covers what the filters read: of a body that none
 *    of them wants it knows nothing, and no parser sees a byte of that.
 * 4. session_reset (RSET, abort, next MAIL, close) leaves nothing of a message
 *    behind but client and HELO.
 *
 * 5. No message is taken from Postfix (held, discarded) and no recipient
 *    removed before the object that stands for them is durable.
 *
 * One session is used by one thread at a time.
 */
#ifndef MILTER_SESSION_H
#define MILTER_SESSION_H

#include <pthread.h>

#include "milter/early.h"
#include "milter/engine.h"
#include "milter/gather.h"
#include "milter/inflight.h"
#include "milter/settings.h"

struct journal;
struct report;

/* What all sessions of a process share. */
struct host {
	pthread_mutex_t lock;		/* guards current */
	atomic_bool stuck;		/* a filter never came back: we end */
	struct settings *current;
	struct gather_budget budget;
	struct early_gate gate;
	struct inflight *inflight;	/* NULL: none (offline) */
	struct journal *journal;	/* NULL: none (offline) */
	bool chain;			/* log lines name the filter */
	bool dry;			/* no object is written (gatehouse test) */
	/* gatehouse test: is told instead of log and journal. */
	void (*witness)(void *arg, const struct report *report);
	void *witness_arg;
	const enum direction *direction;	/* forced, or NULL */
};

/* The current set, with a reference; and the swap of a reload. */
void host_init(struct host *host, struct settings *first);
struct settings *host_settings(struct host *host);
void host_swap(struct host *host, struct settings *next);
void host_end(struct host *host);

struct session;

/* needs: what the engine will bring (NEED_BODY) and carry back (EDITS_*). A
 * reload that asks for more is served from the next session on; until then
 * the answer is tempfail. */
struct session *session_new(struct host *host, const struct engine_ops *ops,
    void *ctx, unsigned needs);
/* connect, mail and rcpt: ANSWER_CONTINUE, or what a filter answers early
 * (early.h), its reply set; only at steps that are among needs. */
enum answer session_connect(struct session *s, struct slice name,
    const struct ip *ip);
void session_helo(struct session *s, struct slice name);
/* argv as libmilter gives it: the path, then ESMTP parameters. */
enum answer session_mail(struct session *s, const char *const *argv);
enum answer session_rcpt(struct session *s, const char *const *argv);
void session_field(struct session *s, struct slice name, struct slice value);
/* One piece of the body. False: no filter wants it, this and the rest may be
 * left out; what comes all the same is not kept. */
bool session_body(struct session *s, struct slice chunk);
/* What session_new was told. */
unsigned session_needs(const struct session *s);
enum answer session_eom(struct session *s);
void session_reset(struct session *s);
/* Is a message under way? */
bool session_busy(const struct session *s);
void session_free(struct session *s);

#endif
