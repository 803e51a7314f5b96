#include "services/splitter/parcel.h"

#include <stdio.h>
#include <string.h>

#include "milter/split.h"
#include "text/field.h"

static bool
ours(struct slice name)
{
	return slice_eq_nocase(name, SLICE(SPLIT_FIELD)) ||
	    slice_eq_nocase(name, SLICE(SEAL_FIELD)) ||
	    slice_eq_nocase(name, SLICE(MARK_FIELD));
}

static bool
empty_line(struct slice raw)
{
	return slice_eq(raw, SLICE("\r\n")) || slice_eq(raw, SLICE("\n"));
}

/* The header block without fields of ours, and the first mark of the first
 * pass that is right. */
static enum rc
read_head(struct lmtp_mail *letter, const struct seal_key *key,
    struct slice whole, struct parcels *p, struct seal *seal_r,
    struct slice *why_r)
{
	struct buf head = buf_in(letter->arena);
	struct slice rest = whole;
	struct field f = { .raw = SLICE("") };
	bool found = false;

	while (field_next(&rest, &f) && !empty_line(f.raw)) {
		if ((size_t)(rest.ptr - whole.ptr) > PARCEL_HEAD) {
			*why_r = SLICE("its header block is too large");
			return RC_RETRY;
		}
		if (!ours(f.name))
			buf_add(&head, f.raw);
		else if (!found && slice_eq_nocase(f.name,
		    SLICE(SPLIT_FIELD)))
			found = split_read(f.body, 1, letter->queue_id, key,
			    letter->arena, seal_r) == RC_OK;
		f.raw = SLICE("");
	}
	p->head = buf_slice(&head);
	/* From the empty line on. */
	p->body = slice_after(whole, whole.len - rest.len - f.raw.len);
	if (!found)
		*why_r = SLICE("it has no valid mark of the first pass "
		    "(was seal_key changed?)");
	return found ? RC_OK : RC_RETRY;
}

static struct parcel *
parcel_for(struct lmtp_mail *letter, struct parcels *p, uint64_t form)
{
	struct parcel *item;

	for (size_t i = 0; i < p->count; i++)
		if (p->items[i].form == form)
			return &p->items[i];
	item = &p->items[p->count++];
	item->form = form;
	item->which = arena_array(letter->arena, letter->nrecipients,
	    sizeof *item->which);
	return item;
}

static enum rc
sort(struct lmtp_mail *letter, const struct forms *forms,
    bool (*done)(void *arg, const char *identity,
    const struct lmtp_recipient *r), void *arg, struct parcels *p,
    struct slice *why_r)
{
	for (size_t i = 0; i < letter->nrecipients; i++) {
		const struct lmtp_recipient *r = &letter->recipients[i];
		struct parcel *item;
		uint64_t form = 0;

		if (done(arg, p->identity, r))
			continue;
		if (forms->form(forms->arg, letter->arena, r->address,
		    &form) != RC_OK) {
			*why_r = SLICE("the recipients' settings cannot be "
			    "read");
			return RC_RETRY;
		}
		item = parcel_for(letter, p, form);
		item->which[item->n++] = i;
	}
	return RC_OK;
}

static enum rc
mark(struct lmtp_mail *letter, const struct seal_key *key,
    const struct seal *first, struct parcels *p, struct slice *why_r)
{
	struct seal seal = *first;

	seal.pass = 2;
	seal.sender = SLICE_NONE;
	seal.addresses = NULL;
	for (size_t i = 0; i < p->count; i++) {
		struct slice body;

		snprintf(seal.form, sizeof seal.form, "%016llx",
		    (unsigned long long)p->items[i].form);
		if (split_write(&seal, key, letter->arena, &body) != RC_OK) {
			*why_r = SLICE("its mark cannot be made");
			return RC_RETRY;
		}
		p->items[i].mark = arena_printf(letter->arena,
		    SPLIT_FIELD ":%.*s\r\n", (int)body.len, body.ptr);
	}
	return RC_OK;
}

enum rc
parcels_make(struct lmtp_mail *letter, const struct seal_key *key,
    const struct forms *forms,
    bool (*done)(void *arg, const char *identity,
    const struct lmtp_recipient *r), void *arg, struct parcels *p_r,
    struct slice *why_r)
{
	struct slice whole = spool_end(&letter->spool);
	struct seal seal;
	enum rc rc;

	*p_r = (struct parcels){ .items = arena_array(letter->arena,
	    letter->nrecipients, sizeof *p_r->items) };
	if (whole.ptr == NULL) {
		*why_r = SLICE("there is no room for it (spool)");
		return RC_RETRY;
	}
	if (letter->queue_id.len == 0) {
		*why_r = SLICE("Postfix does not say its queue id "
		    "(lmtp_send_xforward_command of the transport)");
		return RC_RETRY;
	}
	rc = read_head(letter, key, whole, p_r, &seal, why_r);
	if (rc != RC_OK)
		return rc;
	memcpy(p_r->identity, seal.identity, sizeof p_r->identity);
	rc = sort(letter, forms, done, arg, p_r, why_r);
	return rc == RC_OK ? mark(letter, key, &seal, p_r, why_r) : rc;
}
