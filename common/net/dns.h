/*
 * dns - asynchronous questions, one resolver for the process
 *
 * Built on libunbound (thread mode) with a cache of our own, so that a warm
 * answer costs no thread switch, and with in-flight questions merged: the
 * same question asked twice goes out once.
 *
 * An answer tells apart what SPF, DKIM and DMARC must tell apart:
 *   DNS_OK		there are records
 *   DNS_NODATA		the name exists, records of this type do not
 *   DNS_NXDOMAIN	the name does not exist
 *   DNS_SERVFAIL	a server said that it cannot (also REFUSED, a CNAME
 *			loop, a malformed answer)
 *   DNS_TIMEOUT	nobody said anything in time
 *   DNS_BUDGET		not asked: the message's budget was spent
 *   DNS_CANCELLED	dns_budget_cancel() came first
 *
 * A budget belongs to one message: how many questions it may ask, until when.
 * dns_budget_cancel() makes all its open questions end as DNS_CANCELLED (it
 * calls them back itself), and returns when no callback of it runs or will
 * run. Called from inside a callback it does all but wait for the callbacks
 * of other threads, since two that wait for each other would wait for ever.
 * What is asked after it is answered DNS_CANCELLED on the spot.
 *
 * dns_ask() never blocks. The callback runs either inside dns_ask (warm
 * answer: it returns true) or later on the resolver's thread; it must not
 * wait. It may ask again. The answer is valid during the callback; copy what
 * is to stay (dns_answer_copy). All calls are safe from any thread.
 *
 * Names in answers: lower case, and a byte that is no letter, digit, - or _
 * as \DDD (RFC 1035, 5.1); the root (the MX of RFC 7505) is empty. An answer
 * with one malformed record is malformed.
 *
 * What is kept: answers for their TTL, "no" for that of its SOA and not at all
 * without one, a failure for a second (libunbound may believe the last one for
 * five), a time-out never. Every question in flight takes a socket, a quarter
 * of RLIMIT_NOFILE and 1024 at most: the daemon sets that limit before
 * dns_open(). Two threads are started, with all signals blocked: open it after
 * the last fork.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "base/arena.h"
#include "base/clock.h"
#include "base/rc.h"

enum dns_type { DNS_A = 1, DNS_CNAME = 5, DNS_PTR = 12, DNS_MX = 15,
    DNS_TXT = 16, DNS_AAAA = 28, DNS_TLSA = 52 };

enum dns_status { DNS_OK = 0, DNS_NODATA, DNS_NXDOMAIN, DNS_SERVFAIL,
    DNS_TIMEOUT, DNS_BUDGET, DNS_CANCELLED };

struct dns_record {
	/* A, AAAA: 4 or 16 bytes. TXT: its strings joined (RFC 7208, 3.3).
	 * PTR, CNAME, MX: the name, lower case, dots, none at the end. */
	struct slice data;
	unsigned preference;		/* MX */
};

struct dns_answer {
	enum dns_status status;
	const struct dns_record *records;
	size_t count;			/* at most DNS_RECORDS */
	bool secure;			/* DNSSEC said so: never, as long as
					   no trust anchor can be set */
	unsigned ttl;			/* seconds */
};

enum {
	DNS_RECORDS = 200,		/* of one answer; the rest is cut */
	DNS_NAME_MAX = 253,		/* text form, no dot at the end */
};

struct dns_conf {
	const char *resolver;		/* "192.0.2.53:53", "[2001:db8::53]:53"
					   or no port; NULL or "": what
					   /etc/resolv.conf says */
	unsigned timeout_ms;		/* of one question */
	unsigned cache_entries;		/* 0: no cache */
	unsigned ttl_max;		/* seconds an answer is kept at most;
					   0: none is */
};

struct dns;
struct dns_budget;

typedef void dns_callback(const struct dns_answer *answer, void *arg);

/* NULL, with the reason in *why_r (static text or in the arena), on failure. */
struct dns *dns_open(const struct dns_conf *conf, struct arena *a,
    struct slice *why_r);
/*
 * Ends all questions as cancelled and joins its threads; not from inside a
 * callback. Budgets may outlive it: what they ask is cancelled then.
 */
void dns_close(struct dns *dns);

struct dns_budget *dns_budget_new(struct dns *dns, unsigned questions,
    deadline_t until);
void dns_budget_cancel(struct dns_budget *b);
/* Cancels, then frees. */
void dns_budget_free(struct dns_budget *b);
/* Questions that went out (cache hits are not counted; one that was merged
 * with another's is). */
unsigned dns_budget_asked(const struct dns_budget *b);

/* name: text form with dots, no dot at the end; one over 253 bytes, with an
 * empty label or a label over 63 is answered DNS_NXDOMAIN without asking. */
bool dns_ask(struct dns_budget *b, struct slice name, enum dns_type type,
    dns_callback *done, void *arg);

/* Blocking form for tools; waits no longer than the budget. */
void dns_wait(struct dns_budget *b, struct slice name, enum dns_type type,
    struct arena *a, struct dns_answer *answer_r);

void dns_answer_copy(struct arena *a, const struct dns_answer *from,
    struct dns_answer *to);
const char *dns_status_name(enum dns_status status);

#endif
