/*
 * early - answers before there is a message: at CONNECT, MAIL and RCPT
 *
 * A filter that answers early names hooks in its table (filter.h: connect,
 * mail, rcpt) and says with EARLY_* in `wants` which of them the
 * configuration needs; only then Postfix is asked to wait for our replies
 * there. With EARLY_RCPT Postfix also shows the recipients that it refuses
 * itself (their mailer is "error", and host holds the enhanced code); they
 * are told to the hook and are no recipients of the message.
 *
 * A hook fills in early->answer. Of several hosted filters each is asked; the
 * first refusal counts, and the longest delay. It must not wait: early_answer
 * does that, holding no lock, at most EARLY_DELAY (below Postfix's
 * milter_command_timeout, which the recipe sets to 10 s), until a stop, and
 * for no more than `slow_sessions` sessions at once; early->full says that
 * there is no room left, so that a hook can refuse instead.
 *
 * What Postfix makes of it: a 421 at CONNECT or MAIL ends the session; at RCPT
 * its reply to a recipient that it refuses itself stands, whatever we say, but
 * a slow reply slows the client down (PITFALLS.md, L19).
 *
 * early_answer	asks the hooks of that step, waits, logs and writes the journal
 *		(once, where the hook says that it is news); the reply is set
 *		for a refusal. set: the settings that the session has now
 * early_stop	at a stop: nobody waits any more, nor begins to
 */
#ifndef MILTER_EARLY_H
#define MILTER_EARLY_H

#include <pthread.h>

#include "milter/engine.h"
#include "milter/settings.h"

enum { EARLY_DELAY = 8000 };		/* ms */

struct early_gate {
	pthread_mutex_t lock;
	pthread_cond_t stop;
	unsigned slowed;
	bool stopping;
};

struct journal;

void early_init(struct early_gate *gate);
void early_end(struct early_gate *gate);
void early_stop(struct early_gate *gate);

/* One step of a session; only what is known by then is filled in. */
struct early_step {
	unsigned when;			/* EARLY_CONNECT, _MAIL or _RCPT */
	const struct client *client;
	enum direction direction;
	struct slice sender;
	uint64_t size;			/* SIZE=; 0: none */
	const struct recipient *recipient;
};

enum answer early_answer(struct early_gate *gate,
    const struct settings *set, const struct early_step *step,
    struct journal *journal, const struct engine_ops *ops, void *ctx);

#endif
