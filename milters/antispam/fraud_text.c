/* What does the letter want? */
#include "fraud_part.h"

#include "detect/find.h"

enum { TEXTS = sizeof ((struct fraud *)0)->texts / sizeof (struct slice) };

/* Where an older letter begins that is only quoted. */
static bool
older(struct slice line)
{
	static const char *const marks[] = { "-----Original", "-----Urspr",
	    "-----Messag", "________________", "From: ", "Von: ", "De : ",
	    "De: ", "Da: ", "Van: ", "Od: ", "Gesendet: ", "Sent: ", NULL };

	for (const char *const *m = marks; *m != NULL; m++)
		if (slice_starts_nocase(line, slice_of(*m)))
			return true;
	return false;
}

/* Borrowed when nothing in it is quoted. */
static struct slice
own_words(struct arena *a, struct slice text)
{
	struct slice rest = text, line;
	struct buf out = buf_in(a);

	while (slice_line(&rest, &line)) {
		struct slice seen = slice_trim(line);

		if (older(seen) && out.len > 0)
			break;
		if (seen.len > 0 && seen.ptr[0] == '>')
			continue;
		buf_add(&out, line);
		buf_addc(&out, '\n');
	}
	return buf_slice(&out);
}

void
fraud_texts(struct fraud *f)
{
	size_t read = 0;

	for (const struct content_text *t = f->look->content->first;
	    t != NULL && f->ntexts < TEXTS && read < FRAUD_TEXT; t = t->next) {
		struct slice own;

		if (t->kind != CONTENT_SUBJECT && t->kind != CONTENT_PLAIN &&
		    t->kind != CONTENT_HTML)
			continue;
		own = own_words(f->a, slice_sub(t->text, 0, FRAUD_TEXT -
		    read));
		read += own.len;
		f->texts[f->ntexts++] = own;
		if (own.len > f->length)
			f->length = own.len;
	}
}

/* Who wants money by deceit writes a few lines. In a long letter, and in one
 * for many, such phrases stand by themselves. */
static double
share(const struct fraud *f)
{
	double share = f->length <= 2000 ? 1 : f->length <= 6000 ? 0.6 : 0.3;

	return f->bulk && !f->identity ? share * 0.3 : share;
}

void
fraud_wording(struct fraud *f)
{
	struct fraud_found found = { .kinds = 0 };
	struct buf words = buf_in(f->a);
	double sum = 0;

	for (size_t i = 0; i < f->ntexts; i++)
		fraud_words_find(f->shared->words, f->a, f->texts[i], &found);
	for (size_t i = 0; i < FRAUD_KINDS; i++) {
		if (found.phrase[i].ptr == NULL)
			continue;
		buf_addf(&words, "%s\"%.*s\" (%.*s)", words.len > 0 ? ", " : "",
		    SLICE_ARG(found.phrase[i]),
		    SLICE_ARG(fraud_words_kind(f->shared->words, i)));
		sum += fraud_words_weight(f->shared->words, i);
	}
	if (sum > 3)
		sum = 3;
	if (sum > 0)
		fraud_add(f, "fraud-wording", sum * share(f),
		    arena_printf(f->a, "wording of payment pressure: %.*s",
		    SLICE_ARG(buf_slice(&words))));
}

/* ---- accounts ---- */

/* On so many days a bank, or a bookkeeper, has named new ones. */
enum { MANY_ACCOUNTS = 5 };

struct accounts {
	struct find_hit hits[FRAUD_IBANS];
	size_t n;
};

static void
add_account(struct accounts *all, const struct find_hit *hit)
{
	for (size_t i = 0; i < all->n; i++)
		if (slice_eq(slice_make(all->hits[i].value,
		    all->hits[i].nvalue), slice_make(hit->value, hit->nvalue)))
			return;
	if (all->n < FRAUD_IBANS)
		all->hits[all->n++] = *hit;
}

static void
accounts_in(struct slice text, struct accounts *all)
{
	struct finder finder;
	struct find_hit hit;

	find_begin(&finder, text, FIND_IBAN);
	while (all->n < FRAUD_IBANS && find_next(&finder, &hit))
		add_account(all, &hit);
}

static void
judge_account(struct fraud *f, const struct find_hit *hit)
{
	struct slice iban = slice_make(hit->value, hit->nvalue);
	enum history_account is = history_account(f->history, f->from.org,
	    iban, f->now);
	char shown[FIND_VALUE];
	struct slice mask = find_mask(hit, shown);

	if (is != ACCOUNT_OTHER && is != ACCOUNT_ABROAD)
		return;
	if (f->domain.account_days >= MANY_ACCOUNTS) {
		fraud_add(f, "fraud-account", 0.6, arena_printf(f->a,
		    "another account, as %.*s often names",
		    SLICE_ARG(f->from.org)));
		return;
	}
	fraud_add(f, "fraud-account", 3.2, arena_printf(f->a, "%.*s never "
	    "named the account %.*s before", SLICE_ARG(f->from.org),
	    SLICE_ARG(mask)));
	if (is == ACCOUNT_ABROAD)
		fraud_add(f, "fraud-account-abroad", 1.2, arena_printf(f->a,
		    "an account in %.2s, where %.*s had none", iban.ptr,
		    SLICE_ARG(f->from.org)));
}

/* A partner is who is proven and has named an account before: what others
 * name is a first invoice like any other. One new account is enough to ask. */
void
fraud_accounts(struct fraud *f)
{
	struct accounts all = { .n = 0 };
	size_t before = f->nclues;

	if (f->history == NULL || !f->from.proven || f->from.ours ||
	    f->domain.accounts == 0 || fraud_freemail(f->from.org))
		return;
	for (size_t i = 0; i < f->ntexts; i++)
		accounts_in(f->texts[i], &all);
	for (size_t i = 0; i < all.n && f->nclues == before; i++)
		judge_account(f, &all.hits[i]);
}

void
fraud_learn_accounts(struct history *h, struct slice org,
    struct message *msg, const struct content *content, bool sure,
    int64_t now)
{
	struct accounts all = { .n = 0 };

	if (fraud_freemail(org))
		return;
	for (const struct content_text *t = content->first; t != NULL;
	    t = t->next)
		if (t->kind == CONTENT_PLAIN || t->kind == CONTENT_HTML)
			accounts_in(own_words(msg->arena, slice_sub(t->text,
			    0, FRAUD_TEXT)), &all);
	for (size_t i = 0; i < all.n; i++)
		history_account_add(h, org, slice_make(all.hits[i].value,
		    all.hits[i].nvalue), sure, now);
}
