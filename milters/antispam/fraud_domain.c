/* Domains that look like others, and answers that go elsewhere. */
#include "fraud_part.h"

#include "base/map.h"
#include "text/lookalike.h"

static const struct fraud_kin *
known(const struct fraud *f, struct slice domain)
{
	return map_get(f->shared->domains, domain);
}

/* Of those with a name like that one; most are passed over at a glance. */
static enum look
nearest(struct fraud *f, struct slice org, const struct fraud_kin **kin_r)
{
	struct slice suffix, name = slice_cut(org, '.', &suffix);
	enum look best = LOOK_NOT;

	for (size_t i = 0; i < f->shared->nkin; i++) {
		const struct fraud_kin *k = &f->shared->kin[i];
		size_t more = name.len > k->name.len ? name.len - k->name.len :
		    k->name.len - name.len;
		enum look look;

		if (more > 1 && (name.len < k->name.len ||
		    slice_search(name, k->name) == name.len))
			continue;
		look = look_domain(f->a, org, suffix, k->domain, k->suffix);
		if (look != LOOK_NOT && (best == LOOK_NOT || look < best)) {
			best = look;
			*kin_r = k;
		}
	}
	return best;
}

/* For ours and for a partner's. */
static double
weight_of(enum look look, bool ours)
{
	switch (look) {
	case LOOK_CONFUSABLE: return ours ? 3.6 : 3.2;
	case LOOK_TYPO: return ours ? 3.0 : 2.6;
	case LOOK_PART: return ours ? 1.8 : 1.2;
	case LOOK_ENDING: return ours ? 1.8 : 1.5;
	case LOOK_NOT: case LOOK_SAME: break;
	}
	return 0;
}

const char *
fraud_resembles(struct fraud *f, struct slice org, double *weight_r,
    struct slice *like_r)
{
	const struct fraud_kin *kin = map_get(f->shared->looks,
	    look_host(f->a, org));
	enum look look = kin != NULL ? LOOK_CONFUSABLE : LOOK_NOT;
	struct slice rest;

	if (org.len == 0 || known(f, org) != NULL)
		return NULL;
	if (kin == NULL)
		look = nearest(f, org, &kin);
	if (look != LOOK_NOT) {
		*weight_r = weight_of(look, kin->ours);
		*like_r = kin->domain;
		return kin->ours ? "ours" : "a partner's";
	}
	slice_cut(org, '.', &rest);
	if (f->history == NULL || rest.ptr == NULL || fraud_freemail(org) ||
	    !history_like(f->history, f->a, org, true))
		return NULL;
	*weight_r = history_like(f->history, f->a, org, false) ? 3.2 : 2.2;
	*like_r = SLICE_NONE;
	return "one that we know";
}

void
fraud_domains(struct fraud *f)
{
	double weight;
	struct slice like;
	const char *whose;

	if (f->from.ours || f->established)
		return;
	whose = fraud_resembles(f, f->from.org, &weight, &like);
	if (whose == NULL)
		return;
	f->identity = true;
	fraud_add(f, "fraud-look-alike", weight, like.ptr != NULL ?
	    arena_printf(f->a, "%.*s looks like %.*s, which is %s",
	    SLICE_ARG(f->from.org), SLICE_ARG(like), whose) :
	    arena_printf(f->a, "%.*s looks like %s", SLICE_ARG(f->from.org),
	    whose));
}

/* ---- answers ---- */

static double
drift(struct fraud *f, const struct fraud_from *to, struct slice *how_r)
{
	struct slice suffix, of_suffix, like;
	double weight;

	slice_cut(to->org, '.', &suffix);
	slice_cut(f->from.org, '.', &of_suffix);
	*how_r = SLICE("another domain");
	if (slice_eq(to->org, f->from.org)) {
		*how_r = SLICE("another mailbox of the same free mailer");
		return fraud_freemail(to->org) &&
		    !slice_eq(to->address, f->from.address) ? 1.0 : 0;
	}
	if (f->bulk)
		return 0.2;
	switch (look_domain(f->a, to->org, suffix, f->from.org, of_suffix)) {
	case LOOK_CONFUSABLE: case LOOK_TYPO:
		*how_r = SLICE("a domain that looks like the sender's");
		return 3.2;
	default:
		break;
	}
	if (fraud_resembles(f, to->org, &weight, &like) != NULL) {
		*how_r = SLICE("a domain that looks like one we know");
		return weight * 0.7;
	}
	if (!fraud_freemail(to->org))
		return 0.7;
	*how_r = SLICE("a free mailer");
	return fraud_freemail(f->from.org) ? 1.0 : 1.3;
}

void
fraud_reply_to(struct fraud *f)
{
	const struct field *field = message_field(f->look->msg,
	    SLICE("Reply-To"), 0);
	struct fraud_from to;
	struct slice how;
	double weight;

	if (field == NULL || f->from.org.len == 0 || !fraud_mailbox(f->a,
	    f->look->shared->suffixes, field_value(f->a, field), &to))
		return;
	/* Somebody's own addresses are his, and ours are no way out. */
	if (known(f, to.org) != NULL || people_of(f->people, to.address) !=
	    NULL)
		return;
	weight = drift(f, &to, &how);
	if (weight > 0)
		fraud_add(f, "fraud-reply-to", weight, arena_printf(f->a,
		    "answers go to %.*s: %.*s", SLICE_ARG(to.address),
		    SLICE_ARG(how)));
}
