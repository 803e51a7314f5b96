#include <stdio.h>
#include <string.h>

#include "detect/plain.h"
#include "gather.h"
#include "text/address.h"
#include "text/encoded.h"

/* Bytes and words of a value that are read. */
enum { VALUE = 150, RECEIVED_WORDS = 20, VALUE_WORDS = 12, NAME_WORDS = 10,
    LOCAL_WORDS = 5, NAME = 50, FIELDS = 200 };

static struct slice
lower(struct arena *a, struct slice s)
{
	char *out = arena_alloc(a, s.len + 1);

	for (size_t i = 0; i < s.len; i++)
		out[i] = ascii_lower(s.ptr[i]);
	return slice_make(out, s.len);
}

static struct slice
named(struct gather *g, struct slice field, const char *what)
{
	return arena_printf(g->a, "%.*s%s", SLICE_ARG(field), what);
}

static void
add_domain(struct gather *g, struct slice field, struct slice domain)
{
	size_t dot = slice_find_last(domain, '.'), before;

	gather_add(g, named(g, field, " at host").ptr, domain);
	if (dot == domain.len)
		return;
	before = slice_find_last(slice_sub(domain, 0, dot), '.');
	gather_add(g, named(g, field, " at domain").ptr, before < dot ?
	    slice_after(domain, before + 1) : domain);
	gather_add(g, named(g, field, " at").ptr, slice_after(domain, dot));
}

/* From, Sender, Reply-To: who says that he writes. */
static void
add_sender(struct gather *g, struct slice field, struct slice value,
    struct slice *from)
{
	struct address_list list;
	struct address one;
	unsigned flags;

	address_open(&list, g->a, value);
	while (list.count < NAME_WORDS && address_next(&list, &one)) {
		struct slice domain = lower(g->a, one.domain.ptr != NULL ?
		    one.domain : SLICE(""));

		add_domain(g, field, domain);
		gather_words(g, named(g, field, "'s mailbox").ptr, one.local,
		    LOCAL_WORDS);
		if (one.name.ptr != NULL)
			gather_words(g, named(g, field, "'s name").ptr,
			    plain_text(g->a, encoded_decode(g->a, one.name,
			    &flags)), NAME_WORDS);
		else
			gather_add(g, named(g, field, "'s name").ptr,
			    SLICE("missing"));
		gather_number(g, named(g, field, "'s form").ptr, one.flags);
		if (from->ptr == NULL)
			*from = domain;
		else
			gather_number(g, named(g, field, " as From").ptr,
			    slice_eq(*from, domain));
	}
}

/* Runs of letters and digits as one sign each: the form that a program gives
 * its identifiers. */
static void
add_message_id(struct gather *g, struct slice value)
{
	size_t at = slice_find_last(value, '@'), n = 0;
	char form[40], last = '\0';

	gather_add(g, "Message-ID at", lower(g->a, slice_after(value,
	    at + 1)));
	gather_number(g, "Message-ID's length", at / 4);
	for (size_t i = 0; i < at && n < sizeof form; i++) {
		char c = value.ptr[i];

		c = ascii_digit(c) ? '0' : !ascii_alpha(c) ? c :
		    c >= 'a' ? 'a' : 'A';
		if (c != last)
			form[n++] = c;
		last = c;
	}
	gather_add(g, "Message-ID's form", slice_make(form, n));
}

static void
add_recipients(struct gather *g, struct slice field, struct slice value)
{
	size_t n = 0;

	for (size_t i = 0; i < value.len; i++)
		n += value.ptr[i] == '@';
	gather_count(g, named(g, field, "'s addresses").ptr, n);
	gather_number(g, named(g, field, " with names").ptr,
	    slice_has(value, '<'));
}

static void
add_subject(struct gather *g, struct slice value)
{
	unsigned flags, letters = 0, capitals = 0;
	struct slice text;

	text = plain_text(g->a, encoded_decode(g->a, value, &flags));
	gather_number(g, "Subject's form", flags);
	gather_count(g, "Subject's length", text.len);
	for (size_t i = 0; i < text.len; i++) {
		letters += ascii_alpha(text.ptr[i]);
		capitals += text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
	}
	if (letters > 0)
		gather_number(g, "Subject's capitals in quarters",
		    capitals * 4 / letters);
	gather_words(g, "in the subject", text, 40);
}

static bool
is(struct slice name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (slice_eq(name, slice_of(*names)))
			return true;
	return false;
}

static void
add_value(struct gather *g, struct slice name, struct slice value,
    struct slice *from)
{
	static const char *const senders[] = { "from", "sender", "reply-to",
	    NULL };
	/* Of these only that they are there: their values never come again, or
	 * say who the recipient is. */
	static const char *const unread[] = { "dkim-signature", "references",
	    "in-reply-to", "thread-index", "domainkey-signature",
	    "delivered-to", NULL };

	g->family = FAMILY_HEADER;
	if (is(name, senders) || slice_eq(name, SLICE("subject")))
		g->family = FAMILY_SENDER;
	if (is(name, senders))
		add_sender(g, name, value, from);
	else if (slice_eq(name, SLICE("subject")))
		add_subject(g, value);
	else if (slice_eq(name, SLICE("message-id")))
		add_message_id(g, value);
	else if (slice_eq(name, SLICE("received")))
		gather_words(g, "in Received", slice_sub(value, 0, VALUE),
		    RECEIVED_WORDS);
	else if (slice_eq(name, SLICE("date")))
		gather_add(g, "Date's zone", slice_sub(slice_after(value,
		    slice_find_last(value, ' ') + 1), 0, 8));
	else if (slice_eq(name, SLICE("to")) || slice_eq(name, SLICE("cc")))
		add_recipients(g, name, value);
	else if (!is(name, unread) && !slice_starts(name, SLICE("arc-")) &&
	    !slice_starts(name, SLICE("x-google-")))
		gather_words(g, named(g, name, ":").ptr, slice_sub(value, 0,
		    VALUE), VALUE_WORDS);
}

void
gather_header(struct gather *g, const struct message *msg)
{
	struct slice before = SLICE("the first"), from = SLICE_NONE;
	size_t received = 0;

	for (size_t i = 0; i < msg->nfields && i < FIELDS; i++) {
		const struct field *f = &msg->fields[i];
		struct slice name = lower(g->a, slice_sub(f->name, 0, NAME));

		g->family = FAMILY_HEADER;
		gather_add(g, "field", name);
		gather_add(g, "field written", slice_sub(f->name, 0, NAME));
		gather_add(g, "fields in a row", arena_printf(g->a,
		    "%.*s, %.*s", SLICE_ARG(before), SLICE_ARG(name)));
		before = name;
		received += slice_eq(name, SLICE("received"));
		add_value(g, name, field_value(g->a, f), &from);
	}
	g->family = FAMILY_HEADER;
	gather_number(g, "hops", received < 10 ? received : 10);
	for (unsigned bit = 0; message_flag_name(bit) != NULL; bit++)
		if ((msg->flags >> bit & 1) != 0)
			gather_add(g, "structure is",
			    slice_of(message_flag_name(bit)));
}
