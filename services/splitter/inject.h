/*
 * inject - gives parcels back to Postfix, in threads
 *
 * An SMTP client waits (net/smtp.h), and the loop must not: a fixed number of
 * threads take parcels in the order in which they came. What was taken is in
 * the list (served.h) before anybody is told.
 *
 * inject_start	the threads; false when there can be none
 * inject	one delivery: all parcels of a letter, each on its own. `done`
 *		is called by inject_finished, when all of one parcel is known
 * inject_finished	in the loop's thread, when inject_fd can be read: calls
 *		done for each parcel that has ended since
 * inject_stop	no new parcels are begun; those under way end by their deadline,
 *		and are waited for so long. False: some were not waited for
 * inject_busy	does a thread still run?
 */
#ifndef SPLITTER_INJECT_H
#define SPLITTER_INJECT_H

#include "base/clock.h"
#include "net/smtp.h"
#include "services/splitter/served.h"
#include "services/splitter/parcel.h"

struct injector;

struct delivery {
	struct lmtp_mail *letter;
	struct parcels parcels;
	const char *server, *helo;	/* in the letter's arena */
	deadline_t deadline;
	struct smtp_outcome *outcomes;	/* of each recipient */
	void (*done)(struct delivery *d, struct parcel *p);
	void *arg;
	size_t left;			/* parcels that are not done */
};

struct injector *inject_start(unsigned threads, struct served *served,
    struct arena *a, struct slice *why_r);
int inject_fd(const struct injector *in);
void inject(struct injector *in, struct delivery *d);
void inject_finished(struct injector *in);
bool inject_stop(struct injector *in, deadline_t until);
bool inject_busy(struct injector *in);

#endif
