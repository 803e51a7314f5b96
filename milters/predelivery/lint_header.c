/* Rules about the header block and the envelope. */
#include "lint_part.h"

#include "text/date.h"
#include "text/encoded.h"

enum { WEEK = 7 * 86400, DAY = 86400 };

/* "no Subject", "2 Subject fields"; SLICE_NONE where there is one. */
static struct slice
one_field(const struct lint_read *r, const char *name, struct slice *value_r)
{
	size_t n = lint_fields(r, name, value_r);

	if (n == 0)
		return arena_printf(r->m->arena, "there is no %s", name);
	if (n > 1)
		return arena_printf(r->m->arena, "there are %zu %s fields", n,
		    name);
	return SLICE_NONE;
}

struct slice
lint_role_sender(struct lint_read *r, enum lint_state *state_r)
{
	struct arena *a = r->m->arena;

	(void)state_r;
	if (lint_is_role(r, r->m->sender))
		return arena_printf(a, "MAIL FROM is %.*s",
		    SLICE_ARG(r->m->sender));
	for (size_t i = 0; i < r->nfrom && i < LINT_FROMS; i++)
		if (conf_list_has_nocase(&r->m->conf->role_names,
		    r->from[i].local))
			return arena_printf(a, "From is %.*s@%.*s",
			    SLICE_ARG(r->from[i].local),
			    SLICE_ARG(r->from[i].domain));
	return SLICE_NONE;
}

struct slice
lint_from(struct lint_read *r, enum lint_state *state_r)
{
	struct slice value, wrong = one_field(r, "From", &value);

	(void)state_r;
	if (wrong.ptr != NULL)
		return wrong;
	if (r->nfrom != 1)
		return arena_printf(r->m->arena, "From has %zu mailboxes",
		    r->nfrom);
	for (unsigned bit = 0; bit < 32; bit++)
		if (r->from[0].flags & ADDRESS_MALFORMED & 1u << bit)
			return arena_printf(r->m->arena, "From cannot be read "
			    "without doubt (%s)",
			    address_flag_name(1u << bit));
	return SLICE_NONE;
}

struct slice
lint_visible_sender(struct lint_read *r, enum lint_state *state_r)
{
	struct arena *a = r->m->arena;
	const struct address *from = &r->from[0];
	struct slice name, rest, local, domain;
	unsigned flags;

	(void)state_r;
	if (r->nfrom == 0)
		return SLICE("there is no sender to be seen");
	name = from->name.ptr != NULL ? slice_trim(encoded_decode(a,
	    from->name, &flags)) : SLICE("");
	rest = name;
	while (address_guess(&rest, &local, &domain))
		if (!slice_eq_nocase(local, from->local) ||
		    !slice_eq_nocase(domain, from->domain))
			return SLICE("the name in From shows another address");
	if (r->bulk.len > 0 && name.len == 0)
		return SLICE("From has no name beside the address");
	return SLICE_NONE;
}

struct slice
lint_subject(struct lint_read *r, enum lint_state *state_r)
{
	struct slice value, wrong = one_field(r, "Subject", &value);
	unsigned flags;

	(void)state_r;
	if (wrong.ptr != NULL)
		return wrong;
	if (slice_trim(encoded_decode(r->m->arena, value, &flags)).len == 0)
		return SLICE("Subject is empty");
	return SLICE_NONE;
}

struct slice
lint_date(struct lint_read *r, enum lint_state *state_r)
{
	struct slice value, wrong = one_field(r, "Date", &value);
	int64_t date;

	(void)state_r;
	if (wrong.ptr != NULL)
		return wrong;
	if (!date_read(value, &date))
		return SLICE("Date is none that RFC 5322 allows");
	if (date > r->m->now + DAY)
		return SLICE("Date is more than a day in the future");
	if (date < r->m->now - WEEK)
		return SLICE("Date is more than a week old");
	return SLICE_NONE;
}

struct slice
lint_message_id(struct lint_read *r, enum lint_state *state_r)
{
	static const char also[] = "!#$%&'*+-/=?^_`{|}~.";
	struct slice value, wrong = one_field(r, "Message-ID", &value);
	struct slice left, right;

	(void)state_r;
	if (wrong.ptr != NULL)
		return wrong;
	value = slice_trim(value);
	if (value.len < 2 || value.ptr[0] != '<' ||
	    value.ptr[value.len - 1] != '>')
		return SLICE("Message-ID has no angle brackets");
	left = slice_cut(slice_sub(value, 1, value.len - 2), '@', &right);
	/* A literal may stand on the right, quotes no more (RFC 5322, 3.6.4). */
	if (right.len > 2 && right.ptr[0] == '[' &&
	    right.ptr[right.len - 1] == ']')
		right = slice_sub(right, 1, right.len - 2);
	if (left.len == 0 || right.len == 0 || !ascii_all_of(left, also) ||
	    !ascii_all_of(right, "!#$%&'*+-/=?^_`{|}~.:"))
		return SLICE("Message-ID is not <left@right>");
	return SLICE_NONE;
}

/* One field at most, whose first word is one of these. */
static struct slice
known_word(struct lint_read *r, const char *name, const char *const *words)
{
	struct slice value, rest;
	size_t n = lint_fields(r, name, &value);

	if (n == 0)
		return SLICE_NONE;
	if (n > 1)
		return arena_printf(r->m->arena, "there are %zu %s fields", n,
		    name);
	value = slice_trim(slice_cut(value, ';', &rest));
	for (; *words != NULL; words++)
		if (slice_eq_nocase(value, slice_of(*words)))
			return SLICE_NONE;
	return arena_printf(r->m->arena, "%s says nothing that is known",
	    name);
}

struct slice
lint_precedence(struct lint_read *r, enum lint_state *state_r)
{
	/* RFC 3834, 5; draft-moore-email-headers, and what is in use. */
	static const char *const precedence[] = { "bulk", "list", "junk",
	    "first-class", "special-delivery", "normal", NULL };
	static const char *const automatic[] = { "no", "auto-generated",
	    "auto-replied", "auto-notified", NULL };
	struct slice wrong = known_word(r, "Precedence", precedence);

	(void)state_r;
	return wrong.ptr != NULL ? wrong :
	    known_word(r, "Auto-Submitted", automatic);
}

struct slice
lint_role_recipients(struct lint_read *r, enum lint_state *state_r)
{
	(void)state_r;
	for (size_t i = 0; i < r->m->nrecipients; i++)
		if (lint_is_role(r, r->m->recipients[i].address))
			return arena_printf(r->m->arena, "%.*s is among the "
			    "recipients",
			    SLICE_ARG(r->m->recipients[i].address));
	return SLICE_NONE;
}

struct slice
lint_abuse_address(struct lint_read *r, enum lint_state *state_r)
{
	(void)state_r;
	if (r->m->conf->abuse_address[0] == '\0')
		return SLICE("no abuse_address is set for this sender");
	return SLICE_NONE;
}
