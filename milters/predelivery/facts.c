#include "facts.h"

#include "country.h"
#include "crypto.h"
#include "language.h"
#include "text/address.h"
#include "text/charset.h"
#include "text/encoded.h"

static void
drop_map(void *map)
{
	map_free(map);
}

void
facts_init(struct facts *f, const struct job *job,
    const struct country *countries, deadline_t deadline)
{
	*f = (struct facts){ .job = job, .arena = job->arena,
	    .countries = countries };
	matcher_init(&f->matcher, job->arena, deadline);
	f->values = map_new();
	arena_defer(job->arena, drop_map, f->values);
	f->recipients = arena_array(f->arena, job->envelope->nrecipients + 1,
	    sizeof *f->recipients);
}

static struct values *
read_values(struct facts *f, struct slice name)
{
	const struct message *m = f->job->msg;
	struct values *v = arena_alloc(f->arena, sizeof *v);
	size_t count = message_count(m, name);
	unsigned flags;

	v->items = arena_array(f->arena, count + 1, sizeof *v->items);
	for (size_t i = 0; i < m->nfields && v->n < count; i++) {
		if (!slice_eq_nocase(m->fields[i].name, name))
			continue;
		v->items[v->n++] = encoded_decode(f->arena,
		    field_value(f->arena, &m->fields[i]), &flags);
	}
	return v;
}

const struct values *
facts_values(struct facts *f, struct slice name)
{
	struct values *v = map_get(f->values, name);

	if (v == NULL) {
		v = read_values(f, name);
		map_put(f->values, name, v);
	}
	return v;
}

/* ---- addresses ---- */

static struct mailbox
mailbox_of(struct facts *f, struct slice address)
{
	struct scope_subject who;
	struct mailbox m = { .text = address, .plain = address };

	scope_subject(f->arena, address, house_match(f->job->house), &who);
	if (who.address.ptr != NULL) {
		m.text = who.address;
		m.plain = who.plain.ptr != NULL ? who.plain : who.address;
		m.domain = who.domain;
	}
	return m;
}

static void
add_mailbox(struct facts *f, struct mailboxes *all, struct slice local,
    struct slice domain)
{
	struct mailbox m = mailbox_of(f, address_print(f->arena, local,
	    domain));

	for (size_t i = 0; i < all->n; i++)
		if (slice_eq(all->items[i].text, m.text))
			return;
	if (all->n == FACTS_MAILBOXES)
		all->incomplete = true;
	else
		all->items[all->n++] = m;
}

static void
read_from(struct facts *f, struct mailboxes *all, struct slice body)
{
	struct address_list list;
	struct address address;
	struct slice rest = body, local, domain;

	address_open(&list, f->arena, body);
	while (!all->incomplete && address_next(&list, &address))
		if (address.domain.len > 0 || address.local.len > 0)
			add_mailbox(f, all, address.local, address.domain);
	while (!all->incomplete && address_guess(&rest, &local, &domain))
		add_mailbox(f, all, local, domain);
}

const struct mailboxes *
facts_from(struct facts *f)
{
	const struct message *m = f->job->msg;

	if (f->from != NULL)
		return f->from;
	f->from = arena_alloc(f->arena, sizeof *f->from);
	f->from->items = arena_array(f->arena, FACTS_MAILBOXES,
	    sizeof *f->from->items);
	for (size_t i = 0; i < m->nfields; i++)
		if (slice_eq_nocase(m->fields[i].name, SLICE("From")))
			read_from(f, f->from, m->fields[i].body);
	return f->from;
}

const struct mailbox *
facts_sender(struct facts *f)
{
	if (f->sender == NULL) {
		f->sender = arena_alloc(f->arena, sizeof *f->sender);
		*f->sender = mailbox_of(f, f->job->envelope->sender);
	}
	return f->sender;
}

const struct mailbox *
facts_recipient(struct facts *f, size_t index)
{
	struct mailbox *m = &f->recipients[index];

	if (m->text.ptr == NULL)
		*m = mailbox_of(f,
		    f->job->envelope->recipients[index].address);
	return m;
}

/* ---- parts ---- */

enum { UNREAD = MSG_LIMIT_DEPTH | MSG_LIMIT_PARTS | MSG_LIMIT_WORK |
    MSG_LIMIT_READINGS };

static bool
is_attachment(const struct part *p)
{
	if (p->filename.ptr != NULL ||
	    slice_eq(p->disposition, SLICE("attachment")))
		return true;
	return !part_multipart(p) && !part_is(p, "multipart", NULL) &&
	    !part_is(p, "text", NULL);
}

static void
read_attachments(struct facts *f)
{
	const struct part *root = message_parts(f->job->msg);
	struct attachments *all = f->attachments;
	size_t n = 0;

	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		n++;
	all->items = arena_array(f->arena, n, sizeof *all->items);
	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		if (is_attachment(p))
			all->items[all->n++] = (struct attachment){
			    p->filename, arena_printf(f->arena, "%.*s/%.*s",
			    SLICE_ARG(p->type), SLICE_ARG(p->subtype)) };
	all->incomplete = (f->job->msg->flags & UNREAD) != 0;
}

const struct attachments *
facts_attachments(struct facts *f)
{
	if (f->attachments == NULL) {
		f->attachments = arena_alloc(f->arena,
		    sizeof *f->attachments);
		read_attachments(f);
	}
	return f->attachments;
}

unsigned
facts_crypto(struct facts *f)
{
	if (!f->have_crypto) {
		f->crypto = crypto_look(f->job->msg, f->arena);
		if (f->job->msg->flags & UNREAD)
			f->crypto |= CRYPTO_INCOMPLETE;
		f->have_crypto = true;
	}
	return f->crypto;
}

/* ---- where from, and in which language ---- */

struct slice
facts_country(struct facts *f)
{
	if (f->country.ptr == NULL)
		f->country = country_of(f->countries, &f->job->client->ip,
		    f->arena);
	return f->country;
}

/* The first text that a reader sees; of HTML what stands between its tags. */
static struct slice
body_text(struct facts *f)
{
	const struct part *root = message_parts(f->job->msg);
	const struct part *text = NULL;
	struct buf out = buf_in(f->arena);

	for (const struct part *p = root; p != NULL; p = part_next(root, p)) {
		if (p->lax || slice_eq(p->disposition, SLICE("attachment")))
			continue;
		if (part_is(p, "text", "plain")) {
			text = p;
			break;
		}
		if (text == NULL && part_is(p, "text", "html"))
			text = p;
	}
	if (text == NULL)
		return SLICE("");
	charset_utf8(text->charset, part_decoded(text, f->arena, FACTS_TEXT,
	    NULL), FACTS_TEXT, &out);
	return part_is(text, "text", "html") ?
	    language_visible(f->arena, buf_slice(&out)) : buf_slice(&out);
}

struct slice
facts_language(struct facts *f)
{
	if (f->language.ptr == NULL)
		f->language = slice_of(language_of(body_text(f)));
	return f->language;
}
