/*
 * Facts that no word says: who signed, where links lead and which mailer wrote
 * it, each against who the sender says he is. They hold for mail of any age and
 * language.
 */
#include <stdio.h>
#include <string.h>

#include "detect/plain.h"
#include "gather.h"
#include "html/links.h"
#include "text/address.h"
#include "text/date.h"
#include "text/encoded.h"

enum { SIGNATURES = 5, LINKS = CONTENT_HREFS, ORGS = 20, URL = 300, FORM = 40,
    TEXT = 8000, WORDS = 6, GRAM = 5, GRAMS = 120, TEXTS = 20,
    HOST = 260 };

struct facts {
	struct gather *g;
	const struct message *msg;
	const struct content *content;
	struct slice from;		/* organisation's domain; or none */
};

/* ---- domains ---- */

/* The registered domain by form: a short label under a country's is taken for
 * one under which anybody registers (co.uk, com.br). */
static struct slice
org_of(struct slice host)
{
	size_t last = slice_find_last(host, '.'), second, third;
	struct slice rest;

	if (last == host.len)
		return host;
	rest = slice_sub(host, 0, last);
	second = slice_find_last(rest, '.');
	if (second == rest.len)
		return host;
	if (host.len - last - 1 == 2 && last - second - 1 <= 3) {
		third = slice_find_last(slice_sub(rest, 0, second), '.');
		return third == second ? host : slice_after(host, third + 1);
	}
	return slice_after(host, second + 1);
}

static struct slice
domain_in(struct facts *f, struct slice value)
{
	struct slice rest = value, local, domain;

	if (!address_guess(&rest, &local, &domain))
		return SLICE_NONE;
	return org_of(domain_ascii(f->g->a, domain, &domain) ? domain :
	    SLICE(""));
}

/* How it stands to the sender's. */
static const char *
relation(const struct facts *f, struct slice org)
{
	if (org.ptr == NULL || org.len == 0)
		return "none";
	if (f->from.ptr == NULL)
		return "nobody";
	return slice_eq_nocase(org, f->from) ? "same" : "other";
}

static struct slice
value_of(struct facts *f, const char *name)
{
	const struct field *field = message_field(f->msg, slice_of(name), 0);

	return field == NULL ? SLICE_NONE : field_value(f->g->a, field);
}

/* ---- forms ---- */

/* Runs of letters, digits and signs, as their kinds. */
static struct slice
form_of(struct arena *a, struct slice value)
{
	char *form = arena_alloc(a, FORM), last = '\0';
	size_t n = 0;

	for (size_t i = 0; i < value.len && n < FORM; i++) {
		char c = value.ptr[i];

		c = ascii_digit(c) ? '0' : !ascii_alpha(c) ? c :
		    c >= 'a' ? 'a' : 'A';
		if (c != last)
			form[n++] = c;
		last = c;
	}
	return slice_make(form, n);
}

static void
add_domain_form(struct facts *f)
{
	size_t digits = 0, hyphens = 0, row = 0, most = 0;

	for (size_t i = 0; i < f->from.len; i++) {
		char c = f->from.ptr[i];

		digits += ascii_digit(c);
		hyphens += c == '-';
		row = ascii_alpha(c) && strchr("aeiouy", c) == NULL ? row + 1 :
		    0;
		most = row > most ? row : most;
	}
	gather_count(f->g, "digits in From's domain", digits);
	gather_count(f->g, "hyphens in From's domain", hyphens);
	gather_number(f->g, "consonants in a row in From's domain", most);
	gather_number(f->g, "length of From's domain", f->from.len / 3);
}

/* ---- who signed ---- */

static struct slice
one_tag(struct slice value, const char *tag)
{
	while (value.ptr != NULL) {
		struct slice item = slice_cut(value, ';', &value), what;
		struct slice name = slice_trim(slice_cut(item, '=', &what));

		if (slice_eq(name, slice_of(tag)) && what.ptr != NULL)
			return slice_trim(what);
	}
	return SLICE_NONE;
}

static void
add_signature(struct facts *f, struct slice value, bool *own)
{
	struct gather *g = f->g;
	struct slice rest = value, d = one_tag(value, "d"), org;
	struct buf tags = buf_in(g->a);

	while (rest.ptr != NULL && tags.len < 40) {
		struct slice item = slice_cut(rest, ';', &rest), what;

		buf_add(&tags, slice_sub(slice_trim(slice_cut(item, '=',
		    &what)), 0, 3));
		buf_addc(&tags, ' ');
	}
	org = org_of(d.ptr != NULL && domain_ascii(g->a, d, &d) ? d :
	    SLICE(""));
	*own = *own || strcmp(relation(f, org), "same") == 0;
	gather_add(g, "signature's tags", buf_slice(&tags));
	gather_add(g, "signature of domain", org);
	gather_add(g, "signature's canon", one_tag(value, "c"));
	gather_add(g, "signature's hash", one_tag(value, "a"));
	gather_add(g, "signature's selector", form_of(g->a, one_tag(value,
	    "s")));
	gather_add(g, "signature's fields", slice_sub(one_tag(value, "h"), 0,
	    60));
}

static bool
add_signatures(struct facts *f)
{
	unsigned n = 0;
	bool own = false;

	for (size_t i = 0; i < f->msg->nfields && n < SIGNATURES; i++) {
		const struct field *field = &f->msg->fields[i];

		if (!slice_eq_nocase(field->name, SLICE("DKIM-Signature")))
			continue;
		add_signature(f, field_value(f->g->a, field), &own);
		n++;
	}
	gather_number(f->g, "signatures", n);
	gather_add(f->g, "signed by the sender's domain", n == 0 ?
	    SLICE("none") : own ? SLICE("yes") : SLICE("no"));
	return own;
}

/* ---- fields against the sender ---- */

static void
add_relations(struct facts *f)
{
	static const char *const fields[] = { "Reply-To", "Sender",
	    "Message-ID", "List-Unsubscribe", "Return-Path", "Errors-To",
	    "To", NULL };

	for (const char *const *name = fields; *name != NULL; name++) {
		struct slice value = value_of(f, *name);

		gather_add(f->g, arena_printf(f->g->a, "%s against From",
		    *name).ptr, value.ptr == NULL ? SLICE("missing") :
		    slice_of(relation(f, domain_in(f, value))));
	}
}

/* When it was written and when it came: the newest Received. */
static void
add_times(struct facts *f)
{
	struct slice date = value_of(f, "Date"), got = value_of(f, "Received");
	int64_t wrote, came, apart;

	if (!date_read(date, &wrote)) {
		gather_add(f->g, "Date", date.ptr == NULL ? SLICE("missing") :
		    SLICE("ill-formed"));
		return;
	}
	got = slice_trim(slice_after(got, slice_find_last(got, ';') + 1));
	if (got.ptr == NULL || !date_read(got, &came))
		return;
	apart = came - wrote;
	gather_count(f->g, apart < 0 ? "seconds from after" :
	    "seconds on the way", (size_t)(apart < 0 ? -apart : apart) / 16);
}

static void
add_mailer(struct facts *f)
{
	struct slice mailer = value_of(f, "X-Mailer"), id;
	const struct part *root = f->msg->root;

	if (mailer.ptr == NULL)
		mailer = value_of(f, "User-Agent");
	mailer = slice_sub(mailer, 0, slice_find(slice_sub(mailer, 0, 30),
	    ' '));
	id = value_of(f, "Message-ID");
	id = form_of(f->g->a, slice_sub(id, 0, slice_find_last(id, '@')));
	gather_add(f->g, "mailer and Message-ID", arena_printf(f->g->a,
	    "%.*s %.*s", SLICE_ARG(mailer), SLICE_ARG(id)));
	if (root != NULL && root->boundary.ptr != NULL) {
		struct slice form = form_of(f->g->a, root->boundary);

		gather_add(f->g, "boundary", form);
		gather_add(f->g, "mailer and boundary", arena_printf(f->g->a,
		    "%.*s %.*s", SLICE_ARG(mailer), SLICE_ARG(form)));
	}
}

/* ---- links ---- */

struct orgs {
	struct slice org[ORGS];
	unsigned norgs, own, all;
};

static void
count_link(struct facts *f, struct orgs *o, struct slice url)
{
	size_t at = slice_search(url, SLICE("://"));
	struct slice host, org;

	if (at == url.len)
		return;
	host = slice_after(url, at + 3);
	at = 0;
	while (at < host.len && at < HOST && strchr("/?#: \r\n\t<>\"')",
	    host.ptr[at]) == NULL)
		at++;
	host = slice_sub(host, 0, at);
	org = org_of(domain_ascii(f->g->a, host, &host) ? host : SLICE(""));
	if (org.len == 0)
		return;
	o->all++;
	o->own += f->from.ptr != NULL && slice_eq(org, f->from);
	for (unsigned i = 0; i < o->norgs; i++)
		if (slice_eq(o->org[i], org))
			return;
	if (o->norgs < ORGS)
		o->org[o->norgs++] = org;
}

static const char *
share_of(const struct orgs *o)
{
	return o->all == 0 ? "no links" : o->own == 0 ? "none" :
	    o->own == o->all ? "all" : o->own * 2 >= o->all ? "most" : "some";
}

static void
count_links(struct facts *f, const struct content_text *t,
    struct orgs *click, struct orgs *load)
{
	struct buf url = buf_in(f->g->a);
	unsigned n;
	const struct html_link *links = content_hrefs(f->g->a, t, &n);

	for (unsigned i = 0; i < n; i++) {
		buf_clear(&url);
		html_link_url(t->charset, &links[i], URL, &url);
		count_link(f, links[i].kind == HTML_LINK_LOAD ? load : click,
		    buf_slice(&url));
	}
}

static void
count_plain(struct facts *f, struct slice text, struct orgs *click)
{
	for (unsigned n = 0; n < LINKS; n++) {
		size_t at = slice_search(text, SLICE("://"));

		if (at == text.len)
			return;
		count_link(f, click, slice_sub(text, at, URL));
		text = slice_after(text, at + 3);
	}
}

static void
add_links(struct facts *f, bool own)
{
	struct orgs click = { .all = 0 }, load = { .all = 0 };
	struct gather *g = f->g;
	unsigned texts = 0;

	for (const struct content_text *t = f->content->first; t != NULL &&
	    texts++ < TEXTS; t = t->next) {
		if (t->kind == CONTENT_HTML)
			count_links(f, t, &click, &load);
		if (t->kind == CONTENT_PLAIN)
			count_plain(f, slice_sub(t->text, 0, TEXT), &click);
	}
	gather_add(g, "links to the sender's domain", slice_of(
	    share_of(&click)));
	gather_add(g, "images of the sender's domain", slice_of(
	    share_of(&load)));
	gather_count(g, "domains linked", click.norgs);
	gather_count(g, "domains loaded from", load.norgs);
	gather_add(g, "signed, links", arena_printf(g->a, "%d %s", own,
	    share_of(&click)));
}

/* ---- names ---- */

/* A word of the name, four letters or more, stands in the text. */
static bool
name_stands_in(struct arena *a, struct slice name, struct slice text)
{
	char *low = arena_bytes(a, text.len + 1);
	size_t n = 0, i = 0;

	for (size_t k = 0; k < text.len; k++)
		low[k] = ascii_lower(text.ptr[k]);
	for (unsigned words = 0; words < WORDS && i < name.len; words++) {
		char word[24];

		while (i < name.len && !ascii_alnum(name.ptr[i]))
			i++;
		for (n = 0; i < name.len && ascii_alnum(name.ptr[i]); i++)
			if (n < sizeof word)
				word[n++] = ascii_lower(name.ptr[i]);
		if (n >= 4 && slice_search(slice_make(low, text.len),
		    slice_make(word, n)) < text.len)
			return true;
	}
	return false;
}

static bool
first_address(struct facts *f, const char *field, struct address *one)
{
	struct address_list list;
	unsigned flags;

	address_open(&list, f->g->a, value_of(f, field));
	if (!address_next(&list, one))
		return false;
	if (one->name.ptr != NULL)
		one->name = plain_text(f->g->a, encoded_decode(f->g->a,
		    one->name, &flags));
	return true;
}

static struct slice
first_text(const struct facts *f)
{
	for (const struct content_text *t = f->content->first; t != NULL;
	    t = t->next)
		if (t->kind == CONTENT_PLAIN || t->kind == CONTENT_HTML)
			return slice_sub(t->text, 0, TEXT);
	return SLICE("");
}

static void
add_names(struct facts *f)
{
	struct gather *g = f->g;
	struct slice text = first_text(f);
	struct address from, to;

	if (first_address(f, "From", &from)) {
		gather_add(g, "From's name and domain", from.name.ptr == NULL ?
		    SLICE("no name") : name_stands_in(g->a, from.name,
		    from.domain) ? SLICE("agree") : SLICE("differ"));
		gather_add(g, "From's name and mailbox", from.name.ptr ==
		    NULL ? SLICE("no name") : name_stands_in(g->a, from.name,
		    from.local) ? SLICE("agree") : SLICE("differ"));
		gather_number(g, "From's name in the text", from.name.ptr !=
		    NULL && name_stands_in(g->a, from.name, text));
		gather_number(g, "From's domain in the text",
		    slice_search(text, f->from) < text.len);
		gather_number(g, "an address in From's name", from.name.ptr !=
		    NULL && slice_has(from.name, '@'));
	}
	if (first_address(f, "To", &to)) {
		gather_add(g, "To's name in the text", to.name.ptr == NULL ?
		    SLICE("no name") : name_stands_in(g->a, to.name, text) ?
		    SLICE("yes") : SLICE("no"));
		gather_number(g, "To's mailbox in the subject",
		    slice_search(value_of(f, "Subject"), to.local) <
		    value_of(f, "Subject").len);
		gather_number(g, "To's mailbox in the text",
		    slice_search(text, to.local) < text.len);
	}
}

static void
add_letters(struct facts *f, const char *name, struct slice text)
{
	char gram[GRAM];

	for (size_t i = 0; i + GRAM <= text.len && i < GRAMS; i++) {
		for (size_t k = 0; k < GRAM; k++)
			gram[k] = ascii_digit(text.ptr[i + k]) ? '0' :
			    ascii_lower(text.ptr[i + k]);
		gather_add(f->g, name, slice_make(gram, GRAM));
	}
}

void
gather_facts(struct gather *g, const struct message *msg,
    const struct content *content)
{
	struct facts f = { g, msg, content, SLICE_NONE };
	struct address from;
	unsigned flags;

	g->family = FAMILY_FACTS;
	f.from = domain_in(&f, value_of(&f, "From"));
	add_domain_form(&f);
	add_relations(&f);
	add_links(&f, add_signatures(&f));
	add_times(&f);
	add_mailer(&f);
	add_names(&f);
	g->family = FAMILY_LETTERS;
	add_letters(&f, "of the subject", plain_text(g->a, encoded_decode(g->a,
	    value_of(&f, "Subject"), &flags)));
	if (first_address(&f, "From", &from)) {
		add_letters(&f, "of From's name", from.name);
		add_letters(&f, "of From", from.raw);
	}
}
