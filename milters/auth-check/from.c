#include "from.h"

#include <string.h>

#include "base/buf.h"
#include "text/address.h"
#include "text/encoded.h"
#include "text/field.h"

#include "spf_name.h"

/* More is no list of authors, and is not read to its end. */
enum { MAILBOXES = 100, GUESSES = 1000 };

struct reading {
	struct arena *arena;
	struct from *out;
	struct slice authors[MAILBOXES];	/* by the grammar */
	size_t nauthors;
	const char *rule;		/* the first doubt; NULL: none */
	struct slice detail;
	size_t mailboxes;
	bool literal;			/* a@[192.0.2.1] */
};

const char *
from_state_name(enum from_state state)
{
	static const char *const names[] = { "one", "none", "several",
	    "ambiguous" };

	return names[state];
}

static void
doubt(struct reading *r, const char *rule, struct slice detail)
{
	r->out->flags |= FROM_MALFORMED;
	if (r->rule != NULL)
		return;
	r->rule = rule;
	r->detail = spf_printable(r->arena, detail, 100);
}

static bool
listed(const struct slice *list, size_t n, struct slice domain)
{
	for (size_t i = 0; i < n; i++)
		if (slice_eq_nocase(list[i], domain))
			return true;
	return false;
}

static void
keep(struct from *f, struct slice domain)
{
	if (listed(f->domains, f->ndomains, domain))
		return;
	if (f->ndomains == FROM_DOMAINS)
		f->more = true;
	else
		f->domains[f->ndomains++] = domain;
}

/* A mailbox as the grammar reads it. */
static void
take_author(struct reading *r, const struct address *m)
{
	struct slice domain;

	if (m->domain.len == 0)
		return;
	r->mailboxes++;
	if ((m->flags & ADDRESS_LITERAL) != 0) {
		r->literal = true;
		doubt(r, "literal", m->domain);
		return;
	}
	if (!domain_ascii(r->arena, m->domain, &domain)) {
		doubt(r, "bad-domain", m->domain);
		return;
	}
	if (slice_starts(domain, SLICE("xn--")) ||
	    slice_search(domain, SLICE(".xn--")) < domain.len)
		r->out->flags |= FROM_IDN;
	keep(r->out, domain);
	if (!listed(r->authors, r->nauthors, domain) &&
	    r->nauthors < MAILBOXES)
		r->authors[r->nauthors++] = domain;
}

/* Something that mail could come from: "5 @ 10.30" is a time. */
static bool
plausible(struct arena *a, struct slice text, struct slice *domain_r)
{
	size_t dot;

	if (!domain_ascii(a, text, domain_r))
		return false;
	dot = slice_find_last(*domain_r, '.');
	return dot + 1 < domain_r->len && ascii_alpha(domain_r->ptr[dot + 1]);
}

/* The first address in the text whose domain is none of the authors'. */
static bool
stranger(struct reading *r, struct slice text, struct slice *domain_r)
{
	struct slice local, domain, last = SLICE_NONE;
	size_t n = 0;

	while (address_guess(&text, &local, &domain)) {
		if (listed(r->authors, r->nauthors, domain) ||
		    (last.ptr != NULL && slice_eq(last, domain)))
			continue;
		last = domain;
		if (++n > GUESSES) {
			doubt(r, "too-many", domain);
			return false;
		}
		if (plausible(r->arena, domain, domain_r) &&
		    !listed(r->authors, r->nauthors, *domain_r))
			return true;
	}
	return false;
}

/* Other characters that look like an @. */
static struct slice
plain_ats(struct arena *a, struct slice s)
{
	struct buf b = buf_in(a);

	for (size_t i = 0; i < s.len; i++) {
		struct slice c = slice_sub(s, i, 3);

		if (slice_eq(c, SLICE("\xef\xbc\xa0")) ||
		    slice_eq(c, SLICE("\xef\xb9\xab"))) {
			buf_addc(&b, '@');
			i += 2;
		} else {
			buf_addc(&b, s.ptr[i]);
		}
	}
	return buf_slice(&b);
}

/* Bytes that make a client see something else than what stands there. */
static bool
breaks(struct slice s, bool decoded)
{
	for (size_t i = 0; i < s.len; i++) {
		char following = i + 1 < s.len ? s.ptr[i + 1] : '\0';
		char c = s.ptr[i];

		if (c == '\0' || (c == '\r' && following != '\n') ||
		    (c == '\n' && (decoded || !ascii_blank(following))))
			return true;
	}
	return false;
}

/* Words and quoted strings, in which nothing is that could be read as syntax
 * by those who do not know about quotes. */
static bool
plain_name(struct slice name)
{
	bool quoted = false;

	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '"')
			quoted = !quoted;
		else if (slice_has(SLICE("<>\\"), name.ptr[i]) ||
		    (!quoted && slice_has(SLICE("@,;:()"), name.ptr[i])))
			return false;
	}
	return !quoted;
}

/* The name of a mailbox, as it is shown. True when it is nothing but that: no
 * encoded word begins in it that ends elsewhere. */
static bool
take_name(struct reading *r, struct slice name)
{
	struct slice shown, domain;
	unsigned flags;
	bool plain;

	shown = encoded_decode(r->arena, name, &flags);
	plain = plain_name(name) && (flags & ENCODED_BROKEN) == 0;
	if ((flags & ENCODED_WORDS) != 0 && breaks(shown, true))
		doubt(r, "encoded-break", shown);
	if (!stranger(r, plain_ats(r->arena, shown), &domain))
		return plain;
	r->out->flags |= FROM_NAME;
	if ((flags & ENCODED_WORDS) != 0 &&
	    (slice_has(shown, '<') || slice_has(shown, '>'))) {
		keep(r->out, domain);
		doubt(r, "encoded-address", shown);
	}
	return plain;
}

/* All strangers in what is left, as it stands and as words are decoded. */
static void
take_guesses(struct reading *r, struct slice text)
{
	struct slice domain, shown;
	unsigned flags;

	if (stranger(r, text, &domain)) {
		keep(r->out, domain);
		doubt(r, "other-address", domain);
	}
	shown = encoded_decode(r->arena, text, &flags);
	if ((flags & ENCODED_WORDS) == 0)
		return;
	if (breaks(shown, true))
		doubt(r, "encoded-break", shown);
	if (stranger(r, shown, &domain)) {
		keep(r->out, domain);
		doubt(r, "encoded-address", domain);
	}
}

static const struct {
	unsigned flag;
	const char *rule;
} doubtful[] = {
	{ ADDRESS_GROUP, "group" },
	{ ADDRESS_ATS, "two-ats" },
	{ ADDRESS_UNCLOSED, "unclosed" },
	{ ADDRESS_ENCODED, "encoded-address" },
	{ ADDRESS_ROUTE, "route" },
	{ ADDRESS_TOO_MANY, "too-many" },
};

static void
take_flags(struct reading *r, unsigned flags, struct slice body)
{
	if ((flags & ADDRESS_MALFORMED) != 0)
		r->out->flags |= FROM_MALFORMED;
	for (size_t i = 0; i < sizeof doubtful / sizeof *doubtful; i++)
		if ((flags & doubtful[i].flag) != 0)
			doubt(r, doubtful[i].rule, slice_trim(body));
}

/* One From field: by the grammar, then whatever else could be seen in it. */
static void
take_field(struct reading *r, struct slice body)
{
	char *rest = arena_alloc(r->arena, body.len + 1);
	struct address_list list;
	struct address *mailboxes, *m;
	size_t n = 0;

	if (body.len > 0)
		memcpy(rest, body.ptr, body.len);
	if (breaks(body, false))
		doubt(r, "control", slice_trim(body));
	mailboxes = arena_array(r->arena, MAILBOXES, sizeof *mailboxes);
	address_open(&list, r->arena, body);
	while (n < MAILBOXES && address_next(&list, &mailboxes[n]))
		take_author(r, &mailboxes[n++]);
	if (n == MAILBOXES)
		doubt(r, "too-many", SLICE(""));
	take_flags(r, list.flags, body);
	for (m = mailboxes; m < mailboxes + n; m++)
		if (m->name.ptr != NULL && take_name(r, m->name))
			memset(rest + (m->name.ptr - body.ptr), ' ',
			    m->name.len);
	take_guesses(r, slice_make(rest, body.len));
}

/* A line that is no field, but that some client may take for a From: bytes
 * before, within or behind the name that are not shown. */
static bool
like_from(struct slice line)
{
	static const char want[] = "from:";
	size_t n = 0;

	for (size_t i = 0; i < line.len && n < 5; i++) {
		if (line.ptr[i] <= ' ' || line.ptr[i] > '~')
			continue;
		if (ascii_lower(line.ptr[i]) != want[n])
			return false;
		n++;
	}
	return n == 5;
}

static void
read_fields(struct reading *r, struct slice head)
{
	struct field f;

	while (field_next(&head, &f)) {
		if (f.name.len == 0 && like_from(f.raw)) {
			r->out->fields++;
			doubt(r, "odd-from", slice_trim(f.raw));
			take_field(r, slice_after(f.raw,
			    slice_find(f.raw, ':') + 1));
		} else if (slice_eq_nocase(f.name, SLICE("From"))) {
			r->out->fields++;
			/* Enough to know that there are too many. */
			if (r->out->fields <= FROM_DOMAINS)
				take_field(r, f.body);
		}
	}
	if (r->out->fields > 1)
		doubt(r, "two-from", SLICE(""));
}

static const char *
words(const char *rule)
{
	static const struct { const char *rule, *words; } table[] = {
		{ "no-from", "there is no From field" },
		{ "no-author", "the From field names no address" },
		{ "authors", "the From field names authors in several "
		    "domains" },
		{ "two-from", "there is more than one From field" },
		{ "odd-from", "a line may be taken for a From field" },
		{ "control", "there is a NUL or a line end within the From "
		    "field" },
		{ "literal", "the author is at an address literal" },
		{ "bad-domain", "the author's domain is no domain" },
		{ "group", "the From field has group syntax" },
		{ "two-ats", "an address in From has two @" },
		{ "unclosed", "something in From is not closed" },
		{ "encoded-address", "encoded words in From hold an address" },
		{ "encoded-break", "encoded words in From hold a NUL or a line "
		    "end" },
		{ "route", "the address in From has a route" },
		{ "too-many", "From holds too many addresses" },
		{ "other-address", "some readers see another address in From" },
		{ NULL, NULL },
	};
	size_t i = 0;

	while (table[i].rule != NULL && strcmp(table[i].rule, rule) != 0)
		i++;
	return table[i].words;
}

static void
conclude(struct from *f, struct reading *r, enum from_state state,
    const char *rule)
{
	f->state = state;
	f->rule = rule;
	if (state == FROM_ONE)
		f->domain = r->authors[0];
	if (rule == NULL)
		f->reason = arena_printf(r->arena, "the author is at %.*s",
		    SLICE_ARG(f->domain));
	else if (r->detail.len > 0)
		f->reason = arena_printf(r->arena, "%s: %.*s", words(rule),
		    SLICE_ARG(r->detail));
	else
		f->reason = slice_of(words(rule));
}

void
from_read(struct arena *a, struct slice head, struct from *f)
{
	struct reading r = { .arena = a, .out = f };

	*f = (struct from){ .state = FROM_NONE };
	read_fields(&r, head);
	if (r.mailboxes > 1)
		f->flags |= FROM_AUTHORS;
	if (f->fields == 0)
		conclude(f, &r, FROM_NONE, "no-from");
	else if (f->ndomains == 0 && f->fields == 1)
		conclude(f, &r, FROM_NONE, r.rule != NULL ? r.rule :
		    "no-author");
	else if (r.rule != NULL)
		conclude(f, &r, FROM_AMBIGUOUS, r.rule);
	else if (r.nauthors > 1)
		conclude(f, &r, FROM_SEVERAL, "authors");
	else if (r.nauthors == 0)
		conclude(f, &r, FROM_NONE, "no-author");
	else
		conclude(f, &r, FROM_ONE, NULL);
}
