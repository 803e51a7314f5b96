#include "senders.h"

#include "mime/message.h"
#include "text/address.h"

enum {
	NAMED = 3,			/* of what is registered, in a reply */
	FROMS = 100,			/* mailboxes in From that are looked at */
};

enum rc
senders_check(const char *option, const struct conf_list *items,
    struct arena *a, struct slice *why_r)
{
	for (size_t i = 0; i < items->count; i++) {
		struct slice item = items->items[i], domain = item, ascii;
		size_t at = slice_find_last(item, '@');

		if (at < item.len)
			domain = slice_after(item, at + 1);
		else if (slice_starts(item, SLICE(".")))
			domain = slice_after(item, 1);
		if (at > 0 && domain_ascii(a, domain, &ascii))
			continue;
		*why_r = arena_printf(a, "%s has \"%.*s\"; it wants an address "
		    "\"a@example.org\", a domain \"example.org\", or "
		    "\".example.org\" for all below it", option,
		    SLICE_ARG(item));
		return RC_BAD;
	}
	return RC_OK;
}

/* An address as it is compared. */
struct name {
	struct slice whole;		/* normalised; SLICE_NONE: none */
	struct slice domain;
};

static struct name
name_of(struct arena *a, const struct house_conf *house, struct slice address)
{
	struct name n = { scope_address(a, address, house_match(house)),
	    SLICE_NONE };

	if (n.whole.ptr != NULL)
		n.domain = slice_after(n.whole,
		    slice_find_last(n.whole, '@') + 1);
	return n;
}

static bool
matches(struct arena *a, const struct house_conf *house, struct slice item,
    const struct name *n)
{
	struct slice ascii;

	if (slice_has(item, '@')) {
		struct name other = name_of(a, house, item);

		return other.whole.ptr != NULL &&
		    slice_eq(other.whole, n->whole);
	}
	if (slice_starts(item, SLICE("."))) {
		return domain_ascii(a, slice_after(item, 1), &ascii) &&
		    n->domain.len > ascii.len + 1 &&
		    slice_ends(n->domain, ascii) &&
		    n->domain.ptr[n->domain.len - ascii.len - 1] == '.';
	}
	return domain_ascii(a, item, &ascii) && slice_eq(ascii, n->domain);
}

static bool
listed(struct arena *a, const struct senders_query *q,
    const struct conf_list *items, const struct name *n)
{
	for (size_t i = 0; i < items->count; i++)
		if (matches(a, q->house, items->items[i], n))
			return true;
	return false;
}

static bool
own(struct arena *a, const struct senders_query *q, const struct name *n)
{
	struct name login;

	if (!q->conf->sender_own || q->sender->address.ptr == NULL)
		return false;
	login = name_of(a, q->house, q->sender->address);
	return (login.whole.ptr != NULL &&
	    slice_eq(login.whole, n->whole)) ||
	    (q->alias != NULL && q->alias(q->arg, n->whole));
}

/* The list that counts: what is set, or where nobody is known our domains. */
static const struct conf_list *
list_of(const struct senders_query *q, bool from)
{
	const struct outbound_conf *c = q->conf;

	if (from && c->from_addresses.count > 0)
		return &c->from_addresses;
	if (c->sender_addresses.count > 0 || q->sender->login.len > 0)
		return &c->sender_addresses;
	return &q->house->domains;
}

static bool
registered(struct arena *a, const struct senders_query *q, bool from,
    struct slice address)
{
	struct name n = name_of(a, q->house, address);

	return n.whole.ptr != NULL && (own(a, q, &n) ||
	    listed(a, q, list_of(q, from), &n));
}

/* What would be right, as far as a reply holds it. */
static void
refuse(struct senders_verdict *v, struct arena *a,
    const struct senders_query *q, bool from, struct slice what)
{
	const struct conf_list *items = list_of(q, from);
	struct buf right = buf_in(a);
	size_t n = 0;

	if (q->conf->sender_own && q->sender->address.ptr != NULL) {
		buf_add(&right, q->sender->address);
		n++;
	}
	for (size_t i = 0; i < items->count && n < NAMED; i++, n++)
		buf_addf(&right, "%s%s%.*s", n > 0 ? ", " : "",
		    slice_has(items->items[i], '@') ? "" : "@",
		    SLICE_ARG(items->items[i]));
	if (items->count > n || n == NAMED)
		buf_adds(&right, ", ...");
	v->rule = from ? "from-not-registered" : "sender-not-registered";
	v->reason = arena_printf(a, "%s %.*s is not registered for %.*s",
	    from ? "From" : "MAIL FROM", SLICE_ARG(what),
	    SLICE_ARG(q->sender->key));
	v->reply = arena_printf(a, "5.7.1 %.*s; %s", SLICE_ARG(v->reason),
	    n > 0 ? "what is: " : "nothing is");
	v->reply = arena_printf(a, "%.*s%.*s", SLICE_ARG(v->reply),
	    SLICE_ARG(buf_slice(&right)));
}

/* A mailbox that can be read in two ways is nobody's. */
static bool
from_registered(struct arena *a, const struct senders_query *q,
    const struct address *address, struct slice *what_r)
{
	*what_r = address->local.len > 0 && address->domain.len > 0 ?
	    address_print(a, address->local, address->domain) :
	    slice_trim(address->raw);
	return (address->flags & ADDRESS_MALFORMED) == 0 &&
	    registered(a, q, true, *what_r);
}

static bool
judge_from(const struct senders_query *q, struct arena *a,
    struct senders_verdict *v)
{
	size_t n = 0;

	for (size_t i = 0; i < q->msg->nfields; i++) {
		const struct field *f = &q->msg->fields[i];
		struct address_list list;
		struct address address;
		struct slice what;

		if (!slice_eq_nocase(f->name, SLICE("From")))
			continue;
		address_open(&list, a, f->body);
		while (address_next(&list, &address)) {
			if (n++ < FROMS &&
			    from_registered(a, q, &address, &what))
				continue;
			refuse(v, a, q, true, n <= FROMS ? what :
			    SLICE("with so many mailboxes"));
			return false;
		}
	}
	if (n == 0)
		refuse(v, a, q, true, SLICE("without a mailbox"));
	return n > 0;
}

void
senders_judge(const struct senders_query *q, struct arena *a,
    struct senders_verdict *v)
{
	*v = (struct senders_verdict){ .rule = NULL };
	if (q->path.len > 0 && !registered(a, q, false, q->path)) {
		refuse(v, a, q, false, q->path);
		return;
	}
	judge_from(q, a, v);
}
