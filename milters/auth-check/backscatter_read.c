#include "backscatter_read.h"

#include <string.h>

#include "backscatter_words.h"
#include "base/buf.h"
#include "text/address.h"
#include "text/encoded.h"

enum {
	PHRASES = 16 * 1024,		/* bytes in which phrases are looked for */
	ENOUGH = 4,			/* points that make a bounce */
};

struct reader {
	struct arena *a;
	struct message *msg;
	struct bounce *b;
	struct slice subject;		/* lower case */
	struct buf words;		/* texts: lower case, single blanks */
	bool status, receipt, calendar, returned;
};

/* ---- what is found ---- */

static void
found(struct bounce_found *f, struct slice item)
{
	for (size_t i = 0; i < f->count; i++)
		if (slice_eq(f->items[i], item))
			return;
	if (f->count < BOUNCE_FOUND && item.len > 0)
		f->items[f->count++] = item;
}

static void
found_addresses(struct reader *r, struct slice text)
{
	struct slice local, domain;

	while (r->b->recipients.count < BOUNCE_FOUND && slice_has(text, '@') &&
	    address_guess(&text, &local, &domain)) {
		/* 'a@b', as people quote it. */
		if (slice_starts(local, SLICE("'")))
			local = slice_after(local, 1);
		if (local.len > 0 && domain.len > 0)
			found(&r->b->recipients, arena_printf(r->a,
			    "%.*s@%.*s", SLICE_ARG(local), SLICE_ARG(domain)));
	}
}

/* <a@b> of a text; what follows it in *rest. */
static bool
take_id(struct slice *rest, struct slice *id_r)
{
	size_t from = slice_find(*rest, '<'), len;

	if (from == rest->len)
		return false;
	*rest = slice_after(*rest, from);
	len = slice_find(*rest, '>');
	if (len == rest->len)
		return false;
	*id_r = slice_sub(*rest, 0, len + 1);
	*rest = slice_after(*rest, len + 1);
	return true;
}

static void
found_ids(struct reader *r, struct slice text)
{
	struct slice id;

	while (take_id(&text, &id))
		found(&r->b->ids, id);
}

/* A line without the marks that quoting puts before it. */
static struct slice
unquoted(struct slice line)
{
	while (line.len > 0 && (ascii_blank(line.ptr[0]) ||
	    line.ptr[0] == '>' || line.ptr[0] == '|' || line.ptr[0] == ':' ||
	    line.ptr[0] == '#' || line.ptr[0] == '*'))
		line = slice_after(line, 1);
	return slice_trim(line);
}

/* A field's value is on its line, or folded onto the next. */
static struct slice
value_of(struct slice line, size_t name, struct slice rest)
{
	struct slice value = slice_trim(slice_after(line, name)), next;

	if (value.len == 0 && slice_line(&rest, &next))
		value = unquoted(next);
	return value;
}

/* Header fields that stand in a text, quoted or not; and all addresses. */
static void
scan_text(struct reader *r, struct slice text)
{
	struct slice id = SLICE("Message-ID:"), proof = SLICE(PROOF_FIELD ":");
	struct slice rest = text, line;

	while (slice_line(&rest, &line)) {
		line = unquoted(line);
		if (slice_starts_nocase(line, id)) {
			found_ids(r, value_of(line, id.len, rest));
		} else if (slice_starts_nocase(line, proof)) {
			found(&r->b->proofs, value_of(line, proof.len, rest));
		} else {
			found_addresses(r, line);
		}
	}
}

/* What stands for < and > in HTML; tags stay, they hold no field. */
static struct slice
without_entities(struct arena *a, struct slice html)
{
	static const struct { struct slice name; char c; } entities[] = {
		{ { "&lt;", 4 }, '<' }, { { "&gt;", 4 }, '>' },
		{ { "&amp;", 5 }, '&' }, { { "&#64;", 5 }, '@' },
		{ { "&nbsp;", 6 }, ' ' }, { { "<br>", 4 }, '\n' },
		{ { "<br/>", 5 }, '\n' }, { { "<br />", 6 }, '\n' },
		{ { "<pre>", 5 }, '\n' }, { { "<p>", 3 }, '\n' },
	};
	struct buf out = buf_in(a);

	while (html.len > 0) {
		char c = html.ptr[0];
		size_t n = 1;

		for (size_t i = 0; (c == '&' || c == '<') && n == 1 &&
		    i < sizeof entities / sizeof *entities; i++) {
			if (slice_starts_nocase(html, entities[i].name)) {
				c = entities[i].c;
				n = entities[i].name.len;
			}
		}
		buf_addc(&out, c);
		html = slice_after(html, n);
	}
	return buf_slice(&out);
}

static void
add_words(struct reader *r, struct slice text)
{
	bool blank = true;

	for (size_t i = 0; i < text.len && r->words.len < PHRASES; i++) {
		char c = ascii_lower(text.ptr[i]);

		if (!ascii_space(c))
			buf_addc(&r->words, c);
		else if (!blank)
			buf_addc(&r->words, ' ');
		blank = ascii_space(c);
	}
	buf_addc(&r->words, ' ');
}

/* ---- the parts ---- */

static bool
embedded(const struct part *p)
{
	for (p = p->parent; p != NULL; p = p->parent)
		if (slice_eq(p->type, SLICE("message")))
			return true;
	return false;
}

static void
read_text(struct reader *r, const struct part *p)
{
	struct slice text = part_decoded(p, r->a, BOUNCE_TEXT, NULL);

	if (part_is(p, "text", "html"))
		text = without_entities(r->a, text);
	scan_text(r, text);
	if (!embedded(p))
		add_words(r, text);
}

static bool
headers_part(const struct part *p)
{
	return part_is(p, "text", "rfc822-headers") ||
	    part_is(p, "message", "rfc822-headers") ||
	    part_is(p, "message", "global-headers");
}

static void
read_part(struct reader *r, const struct part *p)
{
	bool inside = embedded(p);

	/* The header block of what was returned. */
	if (p->parent != NULL && slice_eq(p->parent->type, SLICE("message")))
		scan_text(r, p->head);
	if (headers_part(p)) {
		r->returned = true;
		scan_text(r, part_decoded(p, r->a, BOUNCE_TEXT, NULL));
	} else if (part_is(p, "message", "delivery-status") ||
	    part_is(p, "message", "global-delivery-status")) {
		r->status = r->status || !inside;
		scan_text(r, part_decoded(p, r->a, BOUNCE_TEXT, NULL));
	} else if (part_is(p, "message", "disposition-notification")) {
		r->receipt = r->receipt || !inside;
	} else if (part_is(p, "text", "calendar")) {
		r->calendar = r->calendar || !inside;
	} else if (part_is(p, "message", "rfc822") ||
	    part_is(p, "message", "global")) {
		r->returned = true;
	} else if (part_is(p, "text", NULL) && !inside) {
		read_text(r, p);
	}
}

static void
read_parts(struct reader *r)
{
	const struct part *root = message_parts(r->msg);
	const struct part *p = root;

	for (unsigned n = 0; p != NULL && n < BOUNCE_PARTS;
	    p = part_next(root, p), n++)
		read_part(r, p);
}

/* ---- what it is ---- */

static bool
daemon_name(struct slice local)
{
	static const char *const names[] = { "mailer-daemon", "mailerdaemon",
	    "mail-daemon", "mdaemon", "postmaster", "mail.daemon", NULL };

	for (int i = 0; names[i] != NULL; i++)
		if (slice_eq_nocase(local, slice_of(names[i])))
			return true;
	return false;
}

static const struct field *
field(const struct reader *r, const char *name)
{
	return message_field(r->msg, slice_of(name), 0);
}

static bool
any_field(const struct reader *r, const char *const *names)
{
	for (; *names != NULL; names++)
		if (field(r, *names) != NULL)
			return true;
	return false;
}

static bool
holds_any(struct slice text, const char *const *phrases)
{
	for (; *phrases != NULL; phrases++)
		if (slice_search(text, slice_of(*phrases)) < text.len)
			return true;
	return false;
}

static bool
starts_any(struct slice text, const char *const *words)
{
	for (; *words != NULL; words++)
		if (slice_starts(text, slice_of(*words)))
			return true;
	return false;
}

/* "Re: " and the like do not begin a subject. */
static void
read_subject(struct reader *r)
{
	const struct field *f = field(r, "Subject");
	unsigned flags;
	struct slice text = f != NULL ? encoded_decode(r->a, f->body, &flags) :
	    SLICE("");
	char *lower = arena_str(r->a, slice_trim(text));

	for (char *c = lower; *c != '\0'; c++)
		*c = ascii_lower(*c);
	r->subject = slice_of(lower);
	while (slice_starts(r->subject, SLICE("re: ")) ||
	    slice_starts(r->subject, SLICE("aw: ")))
		r->subject = slice_after(r->subject, 4);
}

static bool
from_daemon(struct reader *r)
{
	const struct field *f = field(r, "From");
	struct address_list list;
	struct address address;

	if (f == NULL)
		return false;
	address_open(&list, r->a, f->body);
	return address_next(&list, &address) && daemon_name(address.local);
}

/* A note of a person or a program that got the message. */
static bool
is_reply(const struct reader *r)
{
	const struct field *f = field(r, "Precedence");

	return any_field(r, reply_fields) ||
	    starts_any(r->subject, reply_subjects) || (f != NULL &&
	    slice_eq_nocase(slice_trim(f->body), SLICE("auto_reply")));
}

static bool
is_challenge(const struct reader *r)
{
	return any_field(r, challenge_fields) ||
	    holds_any(buf_slice(&r->words), challenge_phrases);
}

/* In words: several signs together, one of them in what it says or returns. */
static bool
is_plain_bounce(struct reader *r)
{
	struct slice words = buf_slice(&r->words);
	bool failed = field(r, "X-Failed-Recipients") != NULL;
	int inside = 3 * failed + 3 * holds_any(words, strong_phrases) +
	    holds_any(words, weak_phrases) +
	    2 * (r->returned || r->b->ids.count + r->b->proofs.count > 0);
	int outside = 2 * holds_any(r->subject, bounce_subjects) +
	    2 * from_daemon(r);

	return inside > 0 && inside + outside >= ENOUGH;
}

static void
is(struct bounce *b, enum bounce_kind kind, const char *sign)
{
	b->kind = kind;
	b->sign = sign;
}

static void
judge(struct reader *r)
{
	const struct part *root = r->msg->root;
	const struct param *type = part_is(root, "multipart", "report") ?
	    params_find(&root->params, SLICE("report-type")) : NULL;
	struct slice report = type != NULL ? type->value : SLICE("");

	if (r->receipt || slice_eq_nocase(report,
	    SLICE("disposition-notification")))
		is(r->b, BOUNCE_RECEIPT, "disposition-notification");
	else if (r->status || slice_eq_nocase(report,
	    SLICE("delivery-status")))
		is(r->b, BOUNCE_DSN, "delivery-status");
	else if (r->calendar)
		is(r->b, BOUNCE_CALENDAR, "text/calendar");
	else if (is_reply(r))
		is(r->b, BOUNCE_REPLY, "auto-reply");
	else if (is_challenge(r))
		is(r->b, BOUNCE_CHALLENGE, "challenge");
	else if (is_plain_bounce(r))
		is(r->b, BOUNCE_DSN, "words");
	else if (field(r, "Auto-Submitted") != NULL)
		is(r->b, BOUNCE_REPLY, "auto-submitted");
	else
		is(r->b, BOUNCE_OTHER, "no sign");
}

static void
read_fields(struct reader *r)
{
	static const char *const names[] = { "In-Reply-To", "References",
	    NULL };
	const struct field *f = field(r, "X-Failed-Recipients");

	if (f != NULL)
		found_addresses(r, f->body);
	for (int i = 0; names[i] != NULL; i++)
		if ((f = field(r, names[i])) != NULL)
			found_ids(r, f->body);
}

bool
bounce_possible(struct slice sender)
{
	struct slice local, domain;

	return sender.len == 0 || (address_split(sender, &local, &domain) &&
	    daemon_name(local));
}

void
bounce_read(struct message *msg, struct slice sender, struct arena *a,
    struct bounce *b_r)
{
	struct reader r = { .a = a, .msg = msg, .b = b_r,
	    .words = buf_in(a) };

	memset(b_r, 0, sizeof *b_r);
	b_r->sign = "reverse-path";
	if (!bounce_possible(sender))
		return;
	read_subject(&r);
	read_parts(&r);
	judge(&r);
	if (b_r->kind == BOUNCE_DSN)
		read_fields(&r);
	/* Ordinary mail of a postmaster. */
	if (b_r->kind == BOUNCE_OTHER && sender.len > 0)
		is(b_r, BOUNCE_NONE, "no sign");
}

const char *
bounce_kind_name(enum bounce_kind kind)
{
	static const char *const names[] = { "none", "dsn", "receipt",
	    "calendar", "reply", "challenge", "other" };

	return names[kind];
}
