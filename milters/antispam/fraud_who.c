/* Who does the sender say that he is? */
#include "fraud_part.h"

#include "text/address.h"

/* An address of ours that is proven is nobody's disguise. */
static bool
foreign(const struct fraud *f, const struct person *p)
{
	if (f->from.address.ptr == NULL)
		return true;
	if (person_has(p, f->from.address))
		return false;
	return !(f->from.ours && (f->from.proven || !f->from.checked));
}

/* "John Smith via Docusign" is how services write for somebody. */
static bool
by_service(const struct fraud *f)
{
	return f->from.proven && slice_search(f->from.name, SLICE(" via ")) <
	    f->from.name.len;
}

static void
name_is_taken(struct fraud *f, const struct person *p, enum named how)
{
	double weight = how == NAMED_DISGUISED ? 4.2 : how == NAMED_INITIAL ||
	    by_service(f) ? 2.0 : 3.0;
	struct slice words = arena_printf(f->a, "the name of %.*s with the "
	    "foreign address %.*s", SLICE_ARG(p->name),
	    SLICE_ARG(f->from.address));

	f->taken = p;
	f->identity = true;
	if (how == NAMED_DISGUISED)
		words = arena_printf(f->a, "the name of %.*s in letters that "
		    "only look so", SLICE_ARG(p->name));
	fraud_add(f, "fraud-name", weight, words);
	if (fraud_freemail(f->from.domain))
		fraud_add(f, "fraud-freemail", 0.2,
		    SLICE("from an address that anybody can have"));
	if (f->first)
		fraud_add(f, "fraud-first-name", 0.2,
		    SLICE("first contact with that name"));
}

/* "erika.muster1978" */
static struct slice
without_digits(struct slice s)
{
	while (s.len > 0 && ascii_digit(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

static void
names(struct fraud *f)
{
	enum named how;
	const struct person *p = people_named(f->people, f->a, f->from.name,
	    &how);

	if (p != NULL && foreign(f, p)) {
		name_is_taken(f, p, how);
		return;
	}
	if (p != NULL || f->from.local.len == 0)
		return;
	p = people_named(f->people, f->a, without_digits(f->from.local),
	    &how);
	if (p == NULL || !foreign(f, p) || how == NAMED_INITIAL)
		return;
	f->taken = p;
	f->identity = true;
	fraud_add(f, "fraud-name", 2.0, arena_printf(f->a, "%.*s is written "
	    "like %.*s", SLICE_ARG(f->from.address), SLICE_ARG(p->name)));
}

/* Our own domain, and nothing proves it. What a list has passed on looks the
 * same, and says that it was a list. */
static void
spoofed(struct fraud *f)
{
	const struct person *p = people_of(f->people, f->from.address);
	double weight = f->bulk ? 1.5 : 3.1;

	if (!f->from.ours || !f->from.checked || f->from.proven)
		return;
	f->identity = true;
	fraud_add(f, "fraud-spoof", weight, arena_printf(f->a, "%.*s is ours, "
	    "and nothing proves that the mail is", SLICE_ARG(f->from.domain)));
	if (p == NULL)
		return;
	fraud_add(f, "fraud-spoof-name", 1.2, arena_printf(f->a, "it claims "
	    "to be %.*s", SLICE_ARG(p->name)));
}

/* The address that a program shows may be the one in the name. */
static void
address_in_name(struct fraud *f)
{
	struct slice rest = f->from.name, local, domain, ascii;
	const struct person *p;
	bool ours;

	if (rest.len == 0 || !address_guess(&rest, &local, &domain) ||
	    local.len == 0 || !domain_ascii(f->a, domain, &ascii) ||
	    slice_eq(ascii, f->from.domain))
		return;
	p = people_of(f->people, history_address(f->a, local, ascii));
	ours = fraud_ours(f->shared, ascii);
	if (p == NULL && !ours && (f->bulk || f->established))
		return;
	if (ours && p == NULL && f->bulk)
		return;			/* "who@ours via the list" */
	f->identity = f->identity || p != NULL || ours;
	fraud_add(f, "fraud-address-in-name", p != NULL ? 3.4 : ours ? 2.8 :
	    1.2, arena_printf(f->a, "the name shows %.*s@%.*s, the mail is "
	    "from %.*s", SLICE_ARG(local), SLICE_ARG(ascii),
	    SLICE_ARG(f->from.domain)));
}

void
fraud_who(struct fraud *f)
{
	names(f);
	spoofed(f);
	address_in_name(f);
}

/* ---- below the letter ---- */

enum { SIGNATURE_LINES = 8, SIGNATURE_BYTES = 40 };

/* The last lines of what he wrote; one of them is a protected name alone. */
static const struct person *
signer(struct fraud *f, struct slice text)
{
	unsigned lines = 0;

	while (text.len > 0 && lines < SIGNATURE_LINES) {
		size_t at = slice_find_last(slice_trim(text), '\n');
		struct slice whole = slice_trim(text), line;
		const struct person *p;
		enum named how;

		line = slice_trim(at < whole.len ? slice_after(whole, at + 1) :
		    whole);
		text = at < whole.len ? slice_sub(whole, 0, at) : SLICE("");
		if (line.len == 0)
			continue;
		lines++;
		if (line.len > SIGNATURE_BYTES)
			continue;
		p = people_named(f->people, f->a, line, &how);
		if (p != NULL && how >= NAMED_FULL)
			return p;
	}
	return NULL;
}

void
fraud_signed(struct fraud *f)
{
	const struct person *p = NULL;

	if (f->taken != NULL || f->bulk || people_count(f->people) == 0)
		return;
	for (size_t i = 0; i < f->ntexts && p == NULL; i++)
		p = signer(f, f->texts[i]);
	if (p == NULL || !foreign(f, p) || (f->from.ours && f->from.proven))
		return;
	f->identity = true;
	fraud_add(f, "fraud-signed", f->established ? 0.8 : 2.0,
	    arena_printf(f->a, "signed with the name of %.*s, from the "
	    "foreign address %.*s", SLICE_ARG(p->name),
	    SLICE_ARG(f->from.address)));
}
