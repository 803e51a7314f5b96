/* A brand that writes from a domain of somebody else, and leads there. */
#include "decide.h"
#include "detect/plain.h"
#include "phish.h"
#include "phish_alike.h"
#include "text/address.h"
#include "text/encoded.h"

struct sender {
	struct slice name, subject;	/* lower case */
	struct slice org;		/* registered domain of From */
};

static struct slice
lower(struct arena *a, struct slice s)
{
	struct slice plain = plain_text(a, s);
	char *out = arena_alloc(a, plain.len + 1);

	for (size_t i = 0; i < plain.len; i++)
		out[i] = ascii_lower(plain.ptr[i]);
	return slice_make(out, plain.len);
}

static struct slice
decoded(const struct spam_look *look, const char *field)
{
	struct arena *a = look->msg->arena;
	const struct field *f = message_field(look->msg, slice_of(field), 0);
	unsigned flags;

	return f == NULL ? SLICE("") : encoded_decode(a, slice_sub(
	    field_value(a, f), 0, 500), &flags);
}

static bool
read_sender(const struct spam_look *look, struct sender *s)
{
	struct arena *a = look->msg->arena;
	const struct field *from = message_field(look->msg, SLICE("From"), 0);
	struct address_list list;
	struct address one;
	struct slice domain;
	unsigned flags;

	if (from == NULL)
		return false;
	address_open(&list, a, field_value(a, from));
	if (!address_next(&list, &one) || one.domain.ptr == NULL ||
	    !domain_ascii(a, one.domain, &domain))
		return false;
	s->org = suffixes_org(look->shared->suffixes, domain);
	if (s->org.ptr == NULL)
		s->org = domain;
	s->name = one.name.ptr == NULL ? SLICE("") : lower(a, encoded_decode(a,
	    slice_sub(one.name, 0, 200), &flags));
	s->subject = lower(a, decoded(look, "Subject"));
	return true;
}

/* Where the links that are clicked go: to the brand, or to others. */
static void
count_links(const struct spam_look *look, const struct phish_brand *brand,
    unsigned *own_r, struct slice *other_r)
{
	const struct antispam_shared *shared = look->shared;

	*own_r = 0;
	*other_r = SLICE_NONE;
	for (const struct content_link *l = look->links->first; l != NULL;
	    l = l->next) {
		struct slice org;

		if (!weburl_web(&l->url) || l->kind == CONTENT_LINK_LOAD)
			continue;
		org = l->url.numeric ? l->url.host :
		    suffixes_org(shared->suffixes, l->url.host);
		if (org.ptr == NULL)
			org = l->url.host;
		if (phish_owned(shared->known, brand, org))
			++*own_r;
		else if (other_r->ptr == NULL)
			*other_r = l->url.host;
	}
}

static void
look_words(struct phish_seen *seen, const struct sender *s)
{
	if (alike_words(s->name))
		phish_say(seen, SIGN_MIXED_NAME, "the sender's name mixes two "
		    "scripts in a word: %.*s", SLICE_ARG(s->name));
	if (alike_words(s->subject))
		phish_say(seen, SIGN_MIXED_SUBJECT, "the subject mixes two "
		    "scripts in a word: %.*s", SLICE_ARG(s->subject));
}

/* Look-alikes of ours are told by who looks for fraud. */
static void
look_domain(struct phish_seen *seen, const struct phish_known *known,
    const struct sender *s)
{
	struct phish_like like = phish_likeness(known, seen->a, s->org);

	if (like.how == LIKE_SKELETON && !like.ours)
		phish_say(seen, SIGN_SENDER_ALIKE, "the sender's domain %.*s "
		    "looks like %.*s", SLICE_ARG(alike_shown(seen->a, s->org)),
		    SLICE_ARG(like.domain));
}

enum rc
phish_check_sender(struct spam_look *look, struct slice *why_r)
{
	const struct phish_known *known = look->shared->known;
	struct phish_seen seen = { .look = look, .a = look->msg->arena };
	const struct phish_brand *by_name, *by_subject;
	struct slice other;
	struct sender s;
	unsigned own;

	(void)why_r;
	if (known == NULL || !read_sender(look, &s))
		return RC_OK;
	look_words(&seen, &s);
	look_domain(&seen, known, &s);
	/* "Anna (Google)" is at work there. */
	s.name = alike_letters(seen.a, slice_sub(s.name, 0,
	    slice_find(s.name, '(')));
	by_name = phish_named(known, s.name);
	if (by_name != NULL && !phish_owned(known, by_name, s.org)) {
		count_links(look, by_name, &own, &other);
		phish_say(&seen, other.ptr != NULL && own == 0 ?
		    SIGN_BRAND_LEADS : SIGN_BRAND_SENDER, "the sender calls "
		    "himself %s and writes from %.*s", by_name->name,
		    SLICE_ARG(s.org));
		return RC_OK;
	}
	by_subject = phish_named(known, alike_letters(seen.a, s.subject));
	if (by_subject == NULL || phish_owned(known, by_subject, s.org))
		return RC_OK;
	count_links(look, by_subject, &own, &other);
	if (other.ptr != NULL && own == 0)
		phish_say(&seen, SIGN_BRAND_SUBJECT, "the subject is about %s, "
		    "a link goes to %.*s", by_subject->name,
		    SLICE_ARG(other));
	return RC_OK;
}
