/* Conditions of rules, looked at for one recipient of one message. */
#include "country.h"
#include "language.h"
#include "rules.h"

void
notes_init(struct notes *n, const struct rules *r, struct facts *f)
{
	*n = (struct notes){ .rules = r, .facts = f };
	n->of = arena_array(f->arena, r->nleaves, sizeof *n->of);
	n->stamp = 1;			/* of what is the same for all */
}

void
notes_recipient(struct notes *n, size_t index, unsigned direction)
{
	n->stamp++;
	n->recipient = index;
	n->direction = direction;
}

/* ---- leaves ---- */

/* Of a text; a condition without patterns asks only whether there is one. */
static enum truth
of_text(struct notes *n, const struct match *m, struct slice text)
{
	return m->n == 0 ? TRUTH_YES :
	    match_text(m, text, SLICE_NONE, &n->facts->matcher);
}

static enum truth
of_values(struct notes *n, const struct leaf *l)
{
	const struct values *v = facts_values(n->facts, l->name);
	enum truth truth = TRUTH_NO;

	for (size_t i = 0; i < v->n && truth != TRUTH_YES; i++)
		truth = truth_or(truth, of_text(n, &l->match, v->items[i]));
	return truth;
}

static enum truth
of_mailbox(struct notes *n, const struct match *m, const struct mailbox *box)
{
	enum truth truth = match_text(m, box->text, box->domain,
	    &n->facts->matcher);

	if (truth == TRUTH_YES || slice_eq(box->text, box->plain))
		return truth;
	return truth_or(truth, match_text(m, box->plain, box->domain,
	    &n->facts->matcher));
}

static enum truth
of_from(struct notes *n, const struct match *m)
{
	const struct mailboxes *from = facts_from(n->facts);
	enum truth truth = TRUTH_NO;

	for (size_t i = 0; i < from->n && truth != TRUTH_YES; i++)
		truth = truth_or(truth, of_mailbox(n, m, &from->items[i]));
	return from->incomplete ? truth_or(truth, TRUTH_UNDECIDED) : truth;
}

static enum truth
of_words(const struct conf_list *words, struct slice word)
{
	return conf_list_has(words, word) ? TRUTH_YES : TRUTH_NO;
}

static enum truth
of_size(const struct notes *n, const struct leaf *l)
{
	uint64_t size = message_size(n->facts->job->msg);

	return size > l->over && (l->under == 0 || size < l->under);
}

static enum truth
of_attachment(struct notes *n, const struct leaf *l, const struct attachment *a)
{
	enum truth name = l->match.n == 0 ? TRUTH_YES : a->name.ptr == NULL ?
	    TRUTH_NO : of_text(n, &l->match, a->name);
	enum truth type = of_text(n, &l->type, a->type);

	if (name == TRUTH_NO || type == TRUTH_NO)
		return TRUTH_NO;
	return name == TRUTH_UNDECIDED ? name : type;
}

static enum truth
of_attachments(struct notes *n, const struct leaf *l)
{
	const struct attachments *all = facts_attachments(n->facts);
	enum truth truth = TRUTH_NO;

	for (size_t i = 0; i < all->n && truth != TRUTH_YES; i++)
		truth = truth_or(truth, of_attachment(n, l, &all->items[i]));
	return all->incomplete ? truth_or(truth, TRUTH_UNDECIDED) : truth;
}

static enum truth
of_crypto(struct notes *n, const struct leaf *l)
{
	unsigned found = facts_crypto(n->facts);

	if (found & l->bits)
		return TRUTH_YES;
	return found & CRYPTO_INCOMPLETE ? TRUTH_UNDECIDED : TRUTH_NO;
}

static enum truth
of_findings(struct notes *n, const struct leaf *l)
{
	const struct job *job = n->facts->job;
	enum truth truth = TRUTH_NO;

	for (size_t i = 0; i < job->nfindings && truth != TRUTH_YES; i++) {
		const struct finding *f = &job->findings[i];

		if (slice_eq(f->filter, l->name) && slice_eq(f->key, l->key))
			truth = truth_or(truth, of_text(n, &l->match,
			    f->value));
	}
	return truth;
}

static enum truth
look(struct notes *n, const struct leaf *l)
{
	const struct job *job = n->facts->job;

	switch (l->kind) {
	case LEAF_DIRECTION:
		return (l->bits & n->direction) != 0;
	case LEAF_RECIPIENT:
		return of_mailbox(n, &l->match, facts_recipient(n->facts,
		    n->recipient));
	case LEAF_HEADER:
	case LEAF_SUBJECT:
		return of_values(n, l);
	case LEAF_ENVELOPE_SENDER:
		return of_mailbox(n, &l->match, facts_sender(n->facts));
	case LEAF_FROM:
		return of_from(n, &l->match);
	case LEAF_NETWORK:
		return conf_nets_hold(&l->networks, &job->client->ip);
	case LEAF_COUNTRY:
		return of_words(&l->words, facts_country(n->facts));
	case LEAF_SIZE:
		return of_size(n, l);
	case LEAF_ATTACHMENT:
		return of_attachments(n, l);
	case LEAF_CRYPTO:
		return of_crypto(n, l);
	case LEAF_LANGUAGE:
		return of_words(&l->words, facts_language(n->facts));
	case LEAF_FINDING:
		return of_findings(n, l);
	case LEAF_SCHEDULE:
		return schedule_holds(&l->schedule, job->now);
	}
	return TRUTH_UNDECIDED;
}

enum truth
rules_truth(struct notes *n, const struct leaf *leaf)
{
	struct note *note = &n->of[leaf->id];
	unsigned stamp = leaf->kind >= LEAF_OF_MESSAGE ? 1 : n->stamp;

	if (note->stamp != stamp) {
		note->truth = look(n, leaf);
		note->stamp = stamp;
	}
	return note->truth;
}

/* ---- trees ---- */

static enum truth of_node(struct notes *n, const struct node *node);

/* No is no, whatever else could not be decided; and yes in an `any`. */
static enum truth
of_children(struct notes *n, const struct node *node, enum truth ends)
{
	enum truth truth = ends == TRUTH_NO ? TRUTH_YES : TRUTH_NO;

	for (const struct node *c = node->first; c != NULL; c = c->next) {
		enum truth one = of_node(n, c);

		if (one == ends)
			return ends;
		if (one == TRUTH_UNDECIDED)
			truth = one;
	}
	return truth;
}

static enum truth
of_node(struct notes *n, const struct node *node)
{
	enum truth truth;

	switch (node->kind) {
	case NODE_ALL:
		return of_children(n, node, TRUTH_NO);
	case NODE_ANY:
		return of_children(n, node, TRUTH_YES);
	case NODE_NOT:
		truth = of_node(n, node->first);
		return truth == TRUTH_UNDECIDED ? truth :
		    truth == TRUTH_YES ? TRUTH_NO : TRUTH_YES;
	case NODE_LEAF:
		return rules_truth(n, node->leaf);
	}
	return TRUTH_UNDECIDED;
}

enum truth
rules_when(struct notes *n, const struct rule *rule)
{
	return rule->when == NULL ? TRUTH_YES : of_node(n, rule->when);
}
