/*
 * search - which messages, and what became of them
 *
 * search_run	calls visit for each (message, recipient) that fits, newest
 *		first; a message without a known recipient comes once. visit
 *		returns false to stop. At most query->limit; `before` and
 *		`before_rcpt` of the last row given make the next page. RC_OK,
 *		or as db with *why_r
 * search_messages
 *		the mids of the messages that are called so: queue id, identity,
 *		Message-ID (without brackets), object. How many
 * search_related
 *		adds those that they came from or became: bounces, second
 *		passes, other instances. How many there are now, oldest first
 * search_message
 *		one message; false: it is not there
 * search_recipients, search_findings, search_steps
 *		what belongs to it, in order
 *
 * Text that is absent does not count. Addresses are compared without case; one
 * that begins with @ stands for a domain. sender "<>" is the empty one. What
 * has an index: time, sender, recipient, queue id, Message-ID, identity, IP,
 * rule, cause, virus, verdict, and fates other than sent; the rest is looked
 * at in what these leave. An index is used day by day, so a page costs what
 * its days cost, not what there is.
 *
 * Slices live in the arena. Reads only.
 */
#ifndef TRACK_SEARCH_H
#define TRACK_SEARCH_H

#include "track/book.h"
#include "track/db.h"

enum { SEARCH_MOST = 10000, SEARCH_RELATED = 50 };

struct track_query {
	struct slice sender, recipient, queue_id, message_id, identity, ip,
	    rule, virus, cause, verdict, module, direction, subject, text,
	    user;
	int fate;			/* enum track_end; -1: any */
	int64_t since, until;		/* ms; until 0: now and later */
	unsigned limit;
	int64_t before;			/* mid; 0: from the newest */
	struct slice before_rcpt;
};

struct track_recipient {
	struct slice rcpt, orig, dsn, relay, reply, tls, next;
	enum track_end fate;
	int64_t t, delay, tries;	/* delay -1: not known */
};

struct track_finding {
	int64_t t;
	struct slice module, action, verdict, rule, cause, virus, object, raw;
};

struct track_step {
	int64_t t;
	struct slice what, rcpt, text;
};

struct track_found {
	struct track_message m;
	bool has_rcpt;
	struct track_recipient r;
	struct track_finding decided;	/* the strongest; module empty: none */
};

enum rc search_run(struct db *db, const struct track_query *query,
    bool (*visit)(void *arg, const struct track_found *found), void *arg,
    struct arena *a, struct slice *why_r);

size_t search_messages(struct db *db, struct slice name,
    int64_t mids[SEARCH_RELATED]);
size_t search_related(struct db *db, int64_t mids[SEARCH_RELATED],
    size_t count);
bool search_message(struct db *db, int64_t mid, struct track_message *m_r,
    struct arena *a);
void search_recipients(struct db *db, int64_t mid,
    void (*visit)(void *arg, const struct track_recipient *r), void *arg,
    struct arena *a);
void search_findings(struct db *db, int64_t mid,
    void (*visit)(void *arg, const struct track_finding *f), void *arg,
    struct arena *a);
void search_steps(struct db *db, int64_t mid,
    void (*visit)(void *arg, const struct track_step *s), void *arg,
    struct arena *a);

#endif
