/*
 * history - what is known of a sender: how long, how much, how good (R48)
 *
 * Of each address, and of each registered domain, that a message was proven to
 * come from: since when, how often, on how many days, how much of it was spam,
 * to about how many recipients; and whether we have written to it. Of a domain
 * also which accounts (IBAN) it has named, and which names look like it. All
 * by keyed hashes in mapped files (base/keyed_table.h): they say nothing to who
 * does not know the name to ask for. Who was not heard of longest gives way.
 *
 * history_open	at start: the files are made in dir when they are not there.
 *		*anew_r says why one was begun anew (NULL: taken over). RC_BAD:
 *		another process has them; RC_RETRY: cannot be made; *why_r. One
 *		reference
 * history_hold, history_drop
 *		count references; NULL is allowed. A reload hands it on
 * history_map	for a command beside the daemon: the senders' file of that
 *		folder. NULL with *why_r. `write`: for history_forget
 * history_entries	as it was opened
 * history_begun	when it was; 0: unknown
 *
 * history_look	what is known of address and domain; either may be SLICE_NONE
 * history_count	a message of that sender, and how it was judged. One that
 *		was counted before, by its id, is not counted again: false. The
 *		day's first message of a sender counts as a day. New addresses
 *		of a domain that sends spam are not noted apart
 * history_correct	a message was not what it was judged to be
 * history_wrote	we have sent the message of that id to that address; once, as
 *		above
 * history_account	has that domain named that account? One of its country?
 *		Its first one counts at once, another one when it is a week old,
 *		so that who has taken over a mailbox cannot name his twice
 * history_account_add	it has; `sure`: somebody has looked, it counts at once
 * history_like	does a domain that we know look like that one, and is not it?
 *		With `typos` also one that is a letter away. Only domains that
 *		we wrote to, or that came on several days
 * history_forget	the address and, when `domain`, the domain; how many
 *		entries went
 *
 * Addresses in the form of history_address(): the domain's A-labels, small
 * letters. Thread-safe. What is written outlives the process however it ends.
 */
#ifndef ANTISPAM_HISTORY_H
#define ANTISPAM_HISTORY_H

#include "base/arena.h"
#include "base/rc.h"

enum { HISTORY_RECIPIENTS = 100 };	/* of a message; more are not noted */

struct history;

struct history_who {
	struct slice address;		/* proven; SLICE_NONE: nobody is */
	struct slice domain;		/* its registered domain */
};

struct history_view {
	bool known;
	int64_t first, last;		/* seconds since 1970 */
	unsigned messages, spam, days;
	unsigned recipients;		/* about; 64: very many */
	unsigned sent;			/* from us to it */
	int64_t sent_last;
	unsigned accounts;		/* of a domain */
	unsigned account_days;		/* on which it named a new one */
};

struct history_message {
	struct slice id;
	const struct slice *recipients;
	size_t nrecipients;
	bool spam;
};

enum history_account { ACCOUNT_FIRST, ACCOUNT_KNOWN, ACCOUNT_OTHER,
    ACCOUNT_ABROAD };

enum rc history_open(const char *dir, unsigned entries,
    struct history **h_r, const char **anew_r, struct arena *a,
    struct slice *why_r);
struct history *history_hold(struct history *h);
void history_drop(struct history *h);
struct history *history_map(const char *dir, bool write, struct arena *a,
    struct slice *why_r);
unsigned history_entries(const struct history *h);
int64_t history_begun(struct history *h);

struct slice history_address(struct arena *a, struct slice local,
    struct slice domain);
void history_look(struct history *h, const struct history_who *who,
    struct history_view *address_r, struct history_view *domain_r);
bool history_count(struct history *h, const struct history_who *who,
    const struct history_message *m, struct arena *a, int64_t now);
void history_correct(struct history *h, const struct history_who *who,
    struct slice id, bool spam, int64_t now);
bool history_wrote(struct history *h, const struct history_who *to,
    struct slice id, struct arena *a, int64_t now);
enum history_account history_account(struct history *h, struct slice domain,
    struct slice iban, int64_t now);
void history_account_add(struct history *h, struct slice domain,
    struct slice iban, bool sure, int64_t now);
bool history_like(struct history *h, struct arena *a, struct slice domain,
    bool typos);
unsigned history_forget(struct history *h, const struct history_who *who,
    bool domain);

#endif
