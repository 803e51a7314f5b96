#include "fraud_part.h"
#include "history_note.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "text/lookalike.h"

/* ---- once a load ---- */

static void
free_map(void *arg)
{
	map_free(arg);
}

/* A name that may be imitated. Ours come first, so they keep their place. */
static void
add_kin(struct fraud_shared *s, const struct suffixes *suffixes,
    struct slice domain, bool ours)
{
	struct slice org = suffixes_org(suffixes, domain), look;
	struct fraud_kin *k;

	if (org.ptr == NULL)
		org = domain;
	if (map_get(s->domains, org) != NULL)
		return;
	k = s->nkin < FRAUD_KIN ? &s->kin[s->nkin++] :
	    arena_alloc(s->arena, sizeof *k);
	k->domain = arena_copy(s->arena, org);
	k->name = slice_cut(k->domain, '.', &k->suffix);
	k->ours = ours;
	map_put(s->domains, k->domain, k);
	look = look_host(s->arena, org);
	if (map_get(s->looks, look) == NULL)
		map_put(s->looks, look, k);
}

enum rc
fraud_open(const struct antispam_conf *conf, const struct house_conf *house,
    const struct suffixes *suffixes, struct fraud_shared **shared_r,
    struct arena *a, struct slice *why_r)
{
	struct arena *own = arena_new();
	struct fraud_shared *s = arena_alloc(own, sizeof *s);
	struct slice nameless;

	*shared_r = s;
	s->arena = own;
	s->domains = map_new();
	arena_defer(own, free_map, s->domains);
	s->ours = map_new();
	arena_defer(own, free_map, s->ours);
	s->looks = map_new();
	arena_defer(own, free_map, s->looks);
	s->kin = arena_array(own, FRAUD_KIN, sizeof *s->kin);
	for (size_t i = 0; i < house->domains.count; i++) {
		map_put(s->ours, house->domains.items[i], s);
		add_kin(s, suffixes, house->domains.items[i], true);
	}
	for (size_t i = 0; i < conf->partners.count; i++)
		add_kin(s, suffixes, conf->partners.items[i], false);
	if (people_new(&conf->protected_people, NULL, own, &s->people,
	    &nameless, why_r) != RC_OK)
		return RC_RETRY;
	return fraud_words_open(conf->fraud_words[0] != '\0' ?
	    conf->fraud_words : NULL, &s->words, a, why_r);
}

void
fraud_close(struct fraud_shared *shared)
{
	if (shared == NULL)
		return;
	fraud_words_close(shared->words);
	arena_free(shared->arena);
}

bool
fraud_ours(const struct fraud_shared *s, struct slice domain)
{
	while (domain.len > 0) {
		if (map_get(s->ours, domain) != NULL)
			return true;
		slice_cut(domain, '.', &domain);
	}
	return false;
}

/* ---- a message ---- */

void
fraud_add(struct fraud *f, const char *name, double weight,
    struct slice words)
{
	if (f->nclues == FRAUD_CLUES)
		return;
	f->clues[f->nclues++] = (struct fraud_clue){ name, weight, words };
	f->sum += weight;
}

static bool
for_many(const struct message *msg)
{
	const struct field *p = message_field(msg, SLICE("Precedence"), 0);
	struct slice value = p != NULL ? field_value(msg->arena, p) :
	    SLICE("");

	return message_field(msg, SLICE("List-Id"), 0) != NULL ||
	    message_field(msg, SLICE("List-Unsubscribe"), 0) != NULL ||
	    slice_eq_nocase(value, SLICE("bulk")) ||
	    slice_eq_nocase(value, SLICE("list"));
}

/* Not to be known says something once others have had time to become known. */
static bool
ripe(const struct fraud *f)
{
	int64_t begun = f->history != NULL ? history_begun(f->history) : 0;

	return begun > 0 && f->now - begun >=
	    f->look->conf->history_after / 1000;
}

static void
look_up(struct fraud *f)
{
	struct history_who who = { f->from.address, f->from.org };
	const struct history_view *who_counts;

	f->ripe = ripe(f);
	if (f->history != NULL && f->from.address.ptr != NULL)
		history_look(f->history, &who, &f->address, &f->domain);
	/* What is not proven may be anybody: what is known of the one whom he
	 * names does not count, but that we know nobody does. */
	if (!f->from.proven)
		f->address = f->domain = (struct history_view){ .known =
		    false };
	/* Of a free mailer the address is somebody, the domain everybody. */
	who_counts = fraud_freemail(f->from.org) ? &f->address : &f->domain;
	f->established = who_counts->sent > 0 || who_counts->days >= 3;
	f->first = f->ripe && f->from.checked && !f->from.ours &&
	    !f->address.known && who_counts->sent == 0;
}

static void
gather(struct fraud *f, struct spam_look *look)
{
	const struct job *job = look->job;

	*f = (struct fraud){ .look = look, .a = look->msg->arena,
	    .shared = look->shared->fraud, .history = history_of(look) };
	f->people = job != NULL && job->view != NULL ? job->view :
	    f->shared->people;
	f->now = job != NULL ? job->now : 0;
	f->from = *look->from;
	f->bulk = for_many(look->msg);
	look_up(f);
	fraud_texts(f);
}

static void
first_contact(struct fraud *f)
{
	if (f->first && !f->bulk)
		fraud_add(f, "fraud-first-contact", 0.5,
		    f->from.proven ? SLICE("first contact: nobody of yours "
		    "has heard from or written to the sender") :
		    SLICE("nothing proves who the sender is"));
}

enum rc
fraud_check(struct spam_look *look, struct slice *why_r)
{
	struct fraud *f;

	(void)why_r;
	if (look->shared->fraud == NULL || (look->job != NULL &&
	    look->job->direction != DIRECTION_IN))
		return RC_OK;
	f = arena_alloc(look->msg->arena, sizeof *f);
	gather(f, look);
	fraud_who(f);
	fraud_signed(f);
	fraud_domains(f);
	fraud_reply_to(f);
	fraud_accounts(f);
	first_contact(f);
	fraud_wording(f);
	if (f->sum < FRAUD_FLOOR)
		return RC_OK;
	for (size_t i = 0; i < f->nclues; i++)
		clues_add(look->clues, f->clues[i].name, f->clues[i].weight,
		    CLASS_FRAUD, f->clues[i].words);
	return RC_OK;
}
