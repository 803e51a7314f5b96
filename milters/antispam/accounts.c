#include "accounts.h"

#include <stdlib.h>
#include <string.h>

#include "base/keyed_table.h"

enum { LAYOUT = 1 };

struct accounts {
	struct keyed_table *all, *partners;
	unsigned entries;
};

static const struct keyed_shape all_shape = { "GHaccts", LAYOUT,
    sizeof(struct account), 0 };
static const struct keyed_shape partners_shape = { "GHpartn", LAYOUT,
    sizeof(uint64_t), 0 };

enum rc
accounts_open(const char *dir, unsigned entries, struct accounts *before,
    struct accounts **t_r, const char **anew_r, struct arena *a,
    struct slice *why_r)
{
	struct keyed_shape all = all_shape, partners = partners_shape;
	struct accounts *t = mem_alloc(sizeof *t);
	const char *anew = NULL;
	enum rc rc = RC_OK;

	*t = (struct accounts){ .entries = before != NULL ? before->entries :
	    entries };
	*anew_r = NULL;
	all.entries = entries;
	partners.entries = entries * ACCOUNTS_PARTNERS;
	if (before != NULL) {
		t->all = keyed_hold(before->all);
		t->partners = keyed_hold(before->partners);
	} else {
		rc = keyed_open(arena_printf(a, "%s/accounts", dir).ptr, &all,
		    &t->all, anew_r, a, why_r);
		if (rc == RC_OK)
			rc = keyed_open(arena_printf(a, "%s/partners",
			    dir).ptr, &partners, &t->partners, &anew, a,
			    why_r);
	}
	if (rc != RC_OK) {
		accounts_drop(t);
		t = NULL;
	}
	*t_r = t;
	return rc;
}

void
accounts_drop(struct accounts *t)
{
	if (t == NULL)
		return;
	keyed_drop(t->all);
	keyed_drop(t->partners);
	free(t);
}

unsigned
accounts_entries(const struct accounts *t)
{
	return t->entries;
}

static struct slice
folded(struct arena *a, struct slice s)
{
	struct buf b = buf_in(a);

	for (size_t i = 0; i < s.len; i++)
		buf_addc(&b, ascii_lower(s.ptr[i]));
	return buf_slice(&b);
}

static uint64_t
key_of(const struct keyed_table *t, struct slice account,
    struct slice recipient)
{
	const struct slice parts[] = { account, recipient };

	return keyed_hash(t, parts, 2);
}

/* ---- a message ---- */

struct noting {
	struct accounts *t;
	struct arena *a;
	struct slice account;		/* folded */
	struct account_mail mail;
};

static uint64_t
bit_of(const struct accounts *t, struct slice recipient)
{
	struct slice domain = slice_after(recipient,
	    slice_find_last(recipient, '@'));
	uint64_t key = key_of(t->partners, SLICE("domain"), domain);

	return UINT64_C(1) << (key >> 58);
}

/* Whom it writes to for the first time; known from now on. */
static void
count_recipients(struct noting *n, const struct accounts_mail *m)
{
	struct accounts *t = n->t;

	n->mail.recipients = (unsigned)m->n;
	keyed_lock(t->partners);
	for (size_t i = 0; i < m->n; i++) {
		struct slice to = folded(n->a, m->recipients[i]);
		bool fresh;

		keyed_touch(t->partners, key_of(t->partners, n->account, to),
		    m->now, &fresh);
		n->mail.strangers += fresh;
		n->mail.domains |= bit_of(t, to);
	}
	keyed_unlock(t->partners);
}

static void
name_it(struct account *e, struct slice name)
{
	size_t n = name.len < sizeof e->name ? name.len : sizeof e->name - 1;

	memcpy(e->name, name.ptr, n);
}

static void
tell(struct noting *n, const struct account *e, struct accounts_seen *seen_r)
{
	struct buf words = buf_in(n->a);

	buf_addf(&words, "account %.*s: ", SLICE_ARG(n->account));
	account_words(e, e->signs, &words);
	seen_r->blocked = true;
	seen_r->since = e->blocked;
	seen_r->words = buf_slice(&words);
}

static bool
held(struct noting *n, uint64_t key, struct accounts_seen *seen_r)
{
	struct account *e;
	bool is;

	keyed_lock(n->t->all);
	e = keyed_find(n->t->all, key);
	is = e != NULL && account_blocked(e);
	if (is) {
		e->held += 1;
		keyed_touch(n->t->all, key, n->mail.now, NULL);
		tell(n, e, seen_r);
	}
	keyed_unlock(n->t->all);
	return is;
}

void
accounts_mail(struct accounts *t, const struct accounts_mail *m,
    struct arena *a, struct accounts_seen *seen_r)
{
	struct noting n = { .t = t, .a = a, .account = folded(a, m->account),
	    .mail = { .now = m->now, .chance = m->chance, .text = m->text } };
	uint64_t key = key_of(t->all, n.account, SLICE(""));
	struct account *e;
	unsigned signs;

	*seen_r = (struct accounts_seen){ .blocked = false };
	if (m->n == 0 || held(&n, key, seen_r))
		return;
	count_recipients(&n, m);
	keyed_lock(t->all);
	e = keyed_touch(t->all, key, m->now, NULL);
	if (e->name[0] == '\0')
		name_it(e, n.account);
	account_note(e, &n.mail);
	signs = account_sudden(e, &m->limits, m->now);
	/* Another thread may have been faster. */
	seen_r->begins = signs != 0 && !account_blocked(e);
	if (seen_r->begins)
		account_block(e, signs, m->now);
	if (account_blocked(e)) {
		e->held += 1;
		tell(&n, e, seen_r);
	}
	keyed_unlock(t->all);
}

/* ---- for commands ---- */

struct accounts *
accounts_map(const char *dir, unsigned entries, bool write, struct arena *a,
    struct slice *why_r)
{
	struct keyed_shape all = all_shape;
	struct accounts *t = mem_alloc(sizeof *t);

	*t = (struct accounts){ .entries = entries };
	all.entries = entries;
	t->all = keyed_map(arena_printf(a, "%s/accounts", dir).ptr, &all,
	    write, a, why_r);
	if (t->all == NULL) {
		free(t);
		return NULL;
	}
	return t;
}

struct each {
	void (*visit)(const struct account *account, void *arg);
	void *arg;
};

static void
visit_entry(uint64_t key, const void *payload, void *arg)
{
	const struct each *each = arg;
	struct account copy;

	(void)key;
	memcpy(&copy, payload, sizeof copy);
	copy.name[sizeof copy.name - 1] = '\0';
	each->visit(&copy, each->arg);
}

void
accounts_each(struct accounts *t,
    void (*visit)(const struct account *account, void *arg), void *arg)
{
	struct each each = { visit, arg };

	keyed_lock(t->all);
	keyed_each(t->all, visit_entry, &each);
	keyed_unlock(t->all);
}

/* The daemon may put another account in this place at the same moment; then
 * that one is released, which nobody has blocked yet. */
bool
accounts_release(struct accounts *t, struct slice name, int64_t now,
    struct arena *a)
{
	struct account *e;
	bool blocked;

	keyed_lock(t->all);
	e = keyed_find(t->all, key_of(t->all, folded(a, name), SLICE("")));
	blocked = e != NULL && e->blocked != 0 && e->released < e->blocked;
	if (blocked)
		account_release(e, now > e->blocked ? now : e->blocked);
	keyed_unlock(t->all);
	return blocked;
}

bool
accounts_forget(struct accounts *t, struct slice name, struct arena *a)
{
	bool was;

	keyed_lock(t->all);
	was = keyed_remove(t->all, key_of(t->all, folded(a, name),
	    SLICE("")));
	keyed_unlock(t->all);
	return was;
}
