/* Rules about the fields of mailing lists (RFC 2369, RFC 8058). */
#include "lint_part.h"

#include "dkim/tags.h"

static size_t
count(const struct list_uri *uris, size_t n, enum list_scheme scheme)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += uris[i].scheme == scheme && uris[i].good;
	return found;
}

struct slice
lint_list_unsubscribe(struct lint_read *r, enum lint_state *state_r)
{
	struct slice value;
	size_t n = lint_fields(r, "List-Unsubscribe", &value), web;

	(void)state_r;
	if (n == 0)
		return SLICE("there is no List-Unsubscribe");
	if (n > 1)
		return SLICE("there is more than one List-Unsubscribe");
	web = count(r->unsubscribe, r->nunsubscribe, LIST_HTTPS);
	if (web != 1)
		return web == 0 ? SLICE("List-Unsubscribe has no https "
		    "address") : SLICE("List-Unsubscribe has more than one "
		    "https address");
	if (lint_fields(r, "List-Unsubscribe-Post", &value) != 1)
		return SLICE("there is not one List-Unsubscribe-Post");
	/* RFC 8058, 3.1: the value is a constant, and so is its case. */
	if (!slice_eq(slice_trim(value),
	    SLICE("List-Unsubscribe=One-Click")))
		return SLICE("List-Unsubscribe-Post is not "
		    "\"List-Unsubscribe=One-Click\"");
	return SLICE_NONE;
}

static bool
covers(struct slice signature, struct slice name)
{
	struct tags tags;
	struct slice rest, word;

	if (tags_read(signature, &tags) != NULL)
		return false;
	rest = tags_find(&tags, SLICE("h"));
	while (rest.ptr != NULL) {
		word = tags_cut(rest, ':', &rest);
		if (slice_eq_nocase(word, name))
			return true;
	}
	return false;
}

struct slice
lint_unsubscribe_signed(struct lint_read *r, enum lint_state *state_r)
{
	const struct message *msg = r->m->msg;
	size_t signatures = 0;

	if (message_field(msg, SLICE("List-Unsubscribe"), 0) == NULL) {
		*state_r = LINT_NONE;
		return SLICE("there is no List-Unsubscribe");
	}
	for (size_t i = 0; i < msg->nfields &&
	    signatures < LINT_SIGNATURES; i++) {
		const struct field *f = &msg->fields[i];

		if (!slice_eq_nocase(f->name, SLICE("DKIM-Signature")))
			continue;
		signatures++;
		if (covers(f->body, SLICE("List-Unsubscribe")) &&
		    covers(f->body, SLICE("List-Unsubscribe-Post")))
			return SLICE_NONE;
	}
	if (signatures > 0)
		return SLICE("no DKIM signature covers List-Unsubscribe and "
		    "List-Unsubscribe-Post");
	*state_r = LINT_NONE;
	return SLICE("it is not signed yet; who signs it has to cover "
	    "List-Unsubscribe and List-Unsubscribe-Post");
}

struct slice
lint_list_help(struct lint_read *r, enum lint_state *state_r)
{
	struct list_uri uris[LIST_URIS];
	struct slice value;
	size_t n;

	if (r->nunsubscribe > 0) {
		*state_r = LINT_NONE;
		return SLICE("there is List-Unsubscribe");
	}
	if (lint_fields(r, "List-Help", &value) == 0)
		return SLICE("there is neither List-Unsubscribe nor "
		    "List-Help");
	n = list_uris(r->m->arena, value, uris);
	if (count(uris, n, LIST_HTTPS) + count(uris, n, LIST_MAILTO) == 0)
		return SLICE("List-Help has no mailto or https address");
	return SLICE_NONE;
}
