#include "history.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/keyed_table.h"
#include "text/lookalike.h"

enum {
	VERSION_OF_FILES = 1,
	DAY = 86400,
	MESSAGES_SHARE = 8,		/* one place for so many senders */
	MESSAGES_LEAST = 4096,
	ESTABLISHED = 3,		/* days */
	WHOLE = 20,			/* messages of a domain */
	SHORTEST = 6,			/* name of which a typo is looked for */
	LONGEST = 40,
	PROBATION = 7 * DAY,		/* of another account */
	LOOK_MAX = 300,			/* bytes of one */
};

/* Of a sender; each number stands for itself, so a kill between two of them
 * leaves a count that is one too low. */
struct known {
	int64_t first, sent_last;
	uint64_t to;			/* a bit for each 64th of recipients;
					   of a look: the domain's key */
	uint32_t messages, spam, sent;
	uint16_t days, day;		/* the last one's number, low bits */
	uint16_t accounts;
	uint16_t sure;			/* of an account: it counts at once */
	uint16_t account_days, account_day;	/* with an account that was new */
};

/* Of a message. */
struct judged {
	uint32_t how;			/* JUDGED_* */
	uint32_t rest;
};

enum { JUDGED_HAM = 1, JUDGED_SPAM };

struct history {
	_Atomic unsigned references;
	struct keyed_table *senders, *messages;	/* messages NULL: beside */
};

static const struct keyed_shape senders_shape = { "GHsender",
    VERSION_OF_FILES, sizeof (struct known), 0 };
static const struct keyed_shape messages_shape = { "GHjudged",
    VERSION_OF_FILES, sizeof (struct judged), 0 };

/* ---- the files ---- */

static uint64_t
key_begun(const struct history *h)
{
	const struct slice parts[1] = { SLICE("begun") };

	return keyed_hash(h->senders, parts, 1);
}

/* It is touched with each message, so that it stays. */
static void
begin(struct history *h, int64_t now)
{
	struct known *k;
	bool made;

	k = keyed_touch(h->senders, key_begun(h), now, &made);
	if (made)
		k->first = now;
}

static struct history *
history_new(void)
{
	struct history *h = mem_alloc(sizeof *h);

	memset(h, 0, sizeof *h);
	h->references = 1;
	return h;
}

enum rc
history_open(const char *dir, unsigned entries, struct history **h_r,
    const char **anew_r, struct arena *a, struct slice *why_r)
{
	struct keyed_shape senders = senders_shape, messages = messages_shape;
	struct history *h = history_new();
	const char *anew;
	enum rc rc;

	senders.entries = entries;
	messages.entries = entries / MESSAGES_SHARE > MESSAGES_LEAST ?
	    entries / MESSAGES_SHARE : MESSAGES_LEAST;
	rc = keyed_open(arena_printf(a, "%s/history", dir).ptr, &senders,
	    &h->senders, anew_r, a, why_r);
	if (rc == RC_OK)
		rc = keyed_open(arena_printf(a, "%s/history.seen", dir).ptr,
		    &messages, &h->messages, &anew, a, why_r);
	if (rc != RC_OK) {
		history_drop(h);
		return rc;
	}
	keyed_lock(h->senders);
	begin(h, clock_wall());
	keyed_unlock(h->senders);
	*h_r = h;
	return RC_OK;
}

struct history *
history_hold(struct history *h)
{
	if (h != NULL)
		atomic_fetch_add(&h->references, 1);
	return h;
}

void
history_drop(struct history *h)
{
	if (h == NULL || atomic_fetch_sub(&h->references, 1) != 1)
		return;
	keyed_drop(h->senders);
	keyed_drop(h->messages);
	free(h);
}

struct history *
history_map(const char *dir, bool write, struct arena *a, struct slice *why_r)
{
	struct keyed_table *senders = keyed_map(arena_printf(a, "%s/history",
	    dir).ptr, &senders_shape, write, a, why_r);
	struct history *h;

	if (senders == NULL)
		return NULL;
	h = history_new();
	h->senders = senders;
	return h;
}

unsigned
history_entries(const struct history *h)
{
	return keyed_entries(h->senders);
}

int64_t
history_begun(struct history *h)
{
	const struct known *k;
	int64_t when;

	keyed_lock(h->senders);
	k = keyed_find(h->senders, key_begun(h));
	when = k != NULL ? k->first : 0;
	keyed_unlock(h->senders);
	return when;
}

/* ---- names ---- */

struct slice
history_address(struct arena *a, struct slice local, struct slice domain)
{
	struct buf out = buf_in(a);

	for (size_t i = 0; i < local.len; i++)
		buf_addc(&out, ascii_lower(local.ptr[i]));
	buf_addc(&out, '@');
	buf_add(&out, domain);
	return buf_slice(&out);
}

static uint64_t
key_of(const struct history *h, const char *kind, struct slice name)
{
	const struct slice parts[2] = { slice_of(kind), name };

	return name.ptr != NULL ? keyed_hash(h->senders, parts, 2) : 0;
}

static uint64_t
key_of_account(const struct history *h, const char *kind, struct slice domain,
    struct slice what)
{
	const struct slice parts[3] = { slice_of(kind), domain, what };

	return keyed_hash(h->senders, parts, 3);
}

/* ---- what is known ---- */

static unsigned
bits_of(uint64_t set)
{
	return (unsigned)__builtin_popcountll(set);
}

static void
view_of(struct history *h, uint64_t key, struct history_view *v_r)
{
	const struct known *k = keyed_find(h->senders, key);

	*v_r = (struct history_view){ .known = false };
	if (k == NULL)
		return;
	*v_r = (struct history_view){ .known = true, .first = k->first,
	    .last = keyed_touched(k), .messages = k->messages,
	    .spam = k->spam, .days = k->days, .recipients = bits_of(k->to),
	    .sent = k->sent, .sent_last = k->sent_last,
	    .accounts = k->accounts, .account_days = k->account_days };
}

void
history_look(struct history *h, const struct history_who *who,
    struct history_view *address_r, struct history_view *domain_r)
{
	uint64_t address = key_of(h, "address", who->address);
	uint64_t domain = key_of(h, "domain", who->domain);

	keyed_lock(h->senders);
	view_of(h, address, address_r);
	view_of(h, domain, domain_r);
	keyed_unlock(h->senders);
}

/* ---- counting ---- */

/* True: this message was not judged before. *how_r: how it was. */
static bool
first_time(struct history *h, const struct history_who *who, struct slice id,
    bool spam, int64_t now, uint32_t *how_r)
{
	const struct slice parts[2] = { who->address, id };
	struct judged *j;
	bool made;

	if (h->messages == NULL)
		return false;
	keyed_lock(h->messages);
	j = keyed_touch(h->messages, keyed_hash(h->messages, parts, 2), now,
	    &made);
	*how_r = j->how;
	j->how = spam ? JUDGED_SPAM : JUDGED_HAM;
	keyed_unlock(h->messages);
	return made;
}

static struct known *
touch(struct history *h, uint64_t key, int64_t now)
{
	bool made;
	struct known *k = keyed_touch(h->senders, key, now, &made);

	if (made)
		k->first = now;
	return k;
}

/* A domain that is one of ours to know can be found by its look. */
static void
note_look(struct history *h, struct slice look, uint64_t domain, int64_t now)
{
	touch(h, key_of(h, "look", look), now)->to = domain;
}

/* True: from today on it is one of those who come again. */
static bool
count_one(struct history *h, uint64_t key, const struct history_message *m,
    uint64_t to, int64_t now)
{
	struct known *k = touch(h, key, now);
	uint16_t day = (uint16_t)(now / DAY);

	if (k->messages < UINT32_MAX)
		k->messages++;
	if (m->spam && k->spam < k->messages)
		k->spam++;
	k->to |= to;
	if (m->spam || (k->days > 0 && k->day == day) ||
	    k->days == UINT16_MAX)
		return false;
	k->day = day;
	return ++k->days == ESTABLISHED;
}

static uint64_t
recipients_of(const struct history *h, const struct history_message *m)
{
	uint64_t to = 0;

	for (size_t i = 0; i < m->nrecipients && i < HISTORY_RECIPIENTS; i++)
		to |= UINT64_C(1) << (key_of(h, "to", m->recipients[i]) & 63);
	return to;
}

/* One that sends little but spam is known as a whole: else it could push out
 * others with addresses that it makes up. */
static bool
worth_noting(struct history *h, uint64_t address, uint64_t domain, bool spam)
{
	const struct known *k = keyed_find(h->senders, domain);

	return !spam || k == NULL || k->messages < WHOLE || k->spam * 2 <=
	    k->messages || keyed_find(h->senders, address) != NULL;
}

bool
history_count(struct history *h, const struct history_who *who,
    const struct history_message *m, struct arena *a, int64_t now)
{
	uint64_t address = key_of(h, "address", who->address);
	uint64_t domain = key_of(h, "domain", who->domain);
	struct slice look = domain != 0 ? look_host(a, who->domain) :
	    SLICE_NONE;
	uint64_t to = recipients_of(h, m);
	uint32_t how;

	if (address == 0 || !first_time(h, who, m->id, m->spam, now, &how))
		return false;
	keyed_lock(h->senders);
	begin(h, now);
	if (worth_noting(h, address, domain, m->spam))
		count_one(h, address, m, to, now);
	if (domain != 0 && count_one(h, domain, m, to, now))
		note_look(h, look, domain, now);
	keyed_unlock(h->senders);
	return true;
}

static void
correct_one(struct history *h, uint64_t key, bool spam)
{
	struct known *k = keyed_find(h->senders, key);

	if (k == NULL)
		return;
	if (spam && k->spam < k->messages)
		k->spam++;
	if (!spam && k->spam > 0)
		k->spam--;
}

void
history_correct(struct history *h, const struct history_who *who,
    struct slice id, bool spam, int64_t now)
{
	uint64_t address = key_of(h, "address", who->address);
	uint64_t domain = key_of(h, "domain", who->domain);
	uint32_t how = 0;

	if (address == 0)
		return;
	first_time(h, who, id, spam, now, &how);
	if (how == (spam ? JUDGED_SPAM : JUDGED_HAM))
		return;
	keyed_lock(h->senders);
	correct_one(h, address, spam);
	correct_one(h, domain, spam);
	keyed_unlock(h->senders);
}

/* ---- looks ---- */

static struct slice
name_of(struct slice look)
{
	return slice_sub(look, 0, slice_find(look, '.'));
}

bool
history_wrote(struct history *h, const struct history_who *to,
    struct slice id, struct arena *a, int64_t now)
{
	uint64_t keys[2] = { key_of(h, "address", to->address),
	    key_of(h, "domain", to->domain) };
	struct slice look = to->domain.ptr != NULL ?
	    look_host(a, to->domain) : SLICE_NONE;
	uint32_t how;

	if (!first_time(h, to, arena_printf(a, "to %.*s", SLICE_ARG(id)),
	    false, now, &how))
		return false;
	keyed_lock(h->senders);
	begin(h, now);
	for (int i = 0; i < 2; i++) {
		struct known *k = keys[i] != 0 ? touch(h, keys[i], now) : NULL;

		if (k == NULL)
			continue;
		if (k->sent < UINT32_MAX)
			k->sent++;
		k->sent_last = now;
	}
	if (look.ptr != NULL)
		note_look(h, look, keys[1], now);
	keyed_unlock(h->senders);
	return true;
}

/* Is there a known domain of that look, other than this one? */
static bool
looks(struct history *h, struct slice look, uint64_t domain)
{
	const struct known *k = keyed_find(h->senders, key_of(h, "look", look));
	const struct known *other = k != NULL && k->to != domain ?
	    keyed_find(h->senders, k->to) : NULL;

	return other != NULL && (other->sent > 0 || other->days >= ESTABLISHED);
}

/* The look with `cut` letters at `at` taken out and `put` put there: is that
 * the look of a known domain? */
static bool
looks_edited(struct history *h, struct slice look, size_t at, size_t cut,
    struct slice put, uint64_t domain)
{
	char text[LOOK_MAX + 2];
	struct slice tail = slice_after(look, at + cut);

	memcpy(text, look.ptr, at);
	memcpy(text + at, put.ptr, put.len);
	memcpy(text + at + put.len, tail.ptr, tail.len);
	return looks(h, slice_make(text, at + put.len + tail.len), domain);
}

/* All that are one letter away: one changed or put in, for each place and
 * letter, one left out, two neighbours exchanged. Some thousand lookups, for
 * domains that nobody has heard of. */
static bool
looks_nearly(struct history *h, struct slice look, uint64_t domain)
{
	/* Those that look_host leaves. */
	static const char letters[] = "abcdefghjklmnopqrstuvwxyz2346789-";
	size_t n = name_of(look).len;

	if (n < SHORTEST || n > LONGEST || look.len > LOOK_MAX)
		return false;
	for (size_t at = 0; at <= n; at++) {
		char two[2] = { at + 1 < n ? look.ptr[at + 1] : '\0',
		    look.ptr[at] };

		if (at < n && looks_edited(h, look, at, 1, SLICE(""), domain))
			return true;
		if (at + 1 < n && looks_edited(h, look, at, 2,
		    slice_make(two, 2), domain))
			return true;
		for (const char *c = letters; *c != '\0'; c++)
			if (looks_edited(h, look, at, 0, slice_make(c, 1),
			    domain) || (at < n && looks_edited(h, look, at, 1,
			    slice_make(c, 1), domain)))
				return true;
	}
	return false;
}

bool
history_like(struct history *h, struct arena *a, struct slice domain,
    bool typos)
{
	struct slice look = look_host(a, domain);
	uint64_t key = key_of(h, "domain", domain);
	bool like;

	keyed_lock(h->senders);
	like = looks(h, look, key) || (typos && looks_nearly(h, look, key));
	keyed_unlock(h->senders);
	return like;
}

/* ---- accounts ---- */

static bool
trusted(struct history *h, uint64_t key, int64_t now)
{
	const struct known *k = keyed_find(h->senders, key);

	return k != NULL && (k->sure != 0 || now - k->first >= PROBATION);
}

enum history_account
history_account(struct history *h, struct slice domain, struct slice iban,
    int64_t now)
{
	uint64_t own = key_of_account(h, "account", domain, iban);
	uint64_t land = key_of_account(h, "country", domain,
	    slice_sub(iban, 0, 2));
	enum history_account is = ACCOUNT_OTHER;
	const struct known *k;

	keyed_lock(h->senders);
	k = keyed_find(h->senders, key_of(h, "domain", domain));
	if (trusted(h, own, now))
		is = ACCOUNT_KNOWN;
	else if (k == NULL || k->accounts == 0)
		is = ACCOUNT_FIRST;
	else if (!trusted(h, land, now))
		is = ACCOUNT_ABROAD;
	keyed_unlock(h->senders);
	return is;
}

void
history_account_add(struct history *h, struct slice domain,
    struct slice iban, bool sure, int64_t now)
{
	uint64_t own = key_of_account(h, "account", domain, iban);
	uint64_t land = key_of_account(h, "country", domain,
	    slice_sub(iban, 0, 2));
	uint64_t whose = key_of(h, "domain", domain);
	uint16_t day = (uint16_t)(now / DAY);
	struct known *k;
	bool made;

	keyed_lock(h->senders);
	k = keyed_find(h->senders, whose);
	sure = sure || k == NULL || k->accounts == 0;
	k = keyed_touch(h->senders, own, now, &made);
	if (made)
		k->first = now;
	if (sure) {
		k->sure = 1;
		touch(h, land, now)->sure = 1;
	} else {
		touch(h, land, now);
	}
	k = keyed_find(h->senders, whose);
	if (made && k != NULL && k->accounts < UINT16_MAX)
		k->accounts++;
	if (made && k != NULL && k->account_days < UINT16_MAX &&
	    (k->account_days == 0 || k->account_day != day)) {
		k->account_days++;
		k->account_day = day;
	}
	keyed_unlock(h->senders);
}

unsigned
history_forget(struct history *h, const struct history_who *who, bool domain)
{
	unsigned n;

	keyed_lock(h->senders);
	n = keyed_remove(h->senders, key_of(h, "address", who->address));
	if (domain)
		n += keyed_remove(h->senders, key_of(h, "domain",
		    who->domain));
	keyed_unlock(h->senders);
	return n;
}
