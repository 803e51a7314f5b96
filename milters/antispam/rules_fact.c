/* Facts that no regex sees. */
#include <string.h>

#include "detect/plain.h"
#include "html/hidden.h"
#include "html/html.h"
#include "rules.h"
#include "text/address.h"
#include "text/date.h"
#include "text/encoded.h"

enum { HIDDEN = 40, LOOK = 16384, DAY = 86400, ZERO_WIDTHS = 3, TEXTS = 20,
    LITTLE = 40 };

static struct slice
value(struct message *msg, const char *name)
{
	const struct field *f = message_field(msg, slice_of(name), 0);

	return f == NULL ? SLICE_NONE : field_value(msg->arena, f);
}

static bool
hidden(const struct content *content, unsigned why)
{
	bool much = false, so = false;

	for (const struct content_text *t = content->first; t != NULL;
	    t = t->next) {
		much = much || (t->kind == CONTENT_HIDDEN && t->text.len >=
		    HIDDEN);
		so = so || (t->kind == CONTENT_HTML && (t->hides & why) != 0);
	}
	return much && so;
}

static bool
hidden_text(struct message *msg, const struct content *content)
{
	(void)msg;
	return hidden(content, HTML_HIDDEN_SIZE | HTML_HIDDEN_COLOUR |
	    HTML_HIDDEN_BOX | HTML_HIDDEN_OPACITY);
}

static bool
off_screen(struct message *msg, const struct content *content)
{
	(void)msg;
	return hidden(content, HTML_HIDDEN_PLACE);
}

static size_t
without_width(struct slice text)
{
	static const struct slice signs[] = { SLICE("\xe2\x80\x8b"),
	    SLICE("\xe2\x80\x8c"), SLICE("\xe2\x80\x8d"),
	    SLICE("\xe2\x81\xa0"), SLICE("\xc2\xad"), SLICE("&zwnj;"),
	    SLICE("&#8203;"), SLICE("&#8204;"), SLICE("&shy;") };

	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
		if (slice_starts(text, signs[i]))
			return signs[i].len;
	return 0;
}

/* A letter, a sign without width, a letter: it breaks a word for programs. */
static bool
zero_width(struct message *msg, const struct content *content)
{
	unsigned n = 0;

	(void)msg;
	for (const struct content_text *t = content->first; t != NULL;
	    t = t->next) {
		struct slice text = slice_sub(t->markup, 0, LOOK);

		for (size_t at = 1; t->kind == CONTENT_HTML && at < text.len;
		    at++) {
			char c = text.ptr[at];
			size_t len;

			if ((c != '&' && c != '\xe2' && c != '\xc2') ||
			    !ascii_alpha(text.ptr[at - 1]))
				continue;
			len = without_width(slice_after(text, at));
			n += len > 0 && at + len < text.len &&
			    ascii_alpha(text.ptr[at + len]);
		}
	}
	return n >= ZERO_WIDTHS;
}

/* Latin letters and those of Greek or Cyrillic in one word. */
static bool
mixes(struct slice text)
{
	bool latin = false, other = false, any = false;

	/* Hardly a text has a byte of those. */
	for (size_t i = 0; i < text.len; i++)
		any |= (unsigned char)text.ptr[i] >= 0xcd &&
		    (unsigned char)text.ptr[i] <= 0xd3;
	if (!any)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (ascii_alpha(text.ptr[i]))
			latin = true;
		else if (c >= 0xcd && c <= 0xd3)
			other = true;
		else if (c < 0x80)
			latin = other = false;
		if (latin && other)
			return true;
	}
	return false;
}

static bool
mixed_scripts(struct message *msg, const struct content *content)
{
	unsigned flags, n = 0;

	if (mixes(plain_text(msg->arena, encoded_decode(msg->arena,
	    value(msg, "From"), &flags))))
		return true;
	for (const struct content_text *t = content->first; t != NULL && n++ <
	    TEXTS; t = t->next)
		if (t->kind != CONTENT_NAME && mixes(slice_sub(t->text, 0,
		    LOOK)))
			return true;
	return false;
}

/* What the newest Received says, against Date; our own clock is not asked, so
 * that old mail is judged as it was then. */
static bool
apart(struct message *msg, int64_t *apart_r)
{
	struct slice got = value(msg, "Received");
	int64_t wrote, came;

	got = slice_after(got, slice_find_last(got, ';') + 1);
	if (got.ptr == NULL || !date_read(value(msg, "Date"), &wrote) ||
	    !date_read(slice_trim(got), &came))
		return false;
	*apart_r = came - wrote;
	return true;
}

static bool
date_future(struct message *msg, const struct content *content)
{
	int64_t by;

	(void)content;
	return apart(msg, &by) && by < -DAY / 4;
}

static bool
date_old(struct message *msg, const struct content *content)
{
	int64_t by;

	(void)content;
	return apart(msg, &by) && by > 3 * DAY;
}

static bool
date_wrong(struct message *msg, const struct content *content)
{
	int64_t seconds;

	(void)content;
	return !date_read(value(msg, "Date"), &seconds);
}

static bool
no_message_id(struct message *msg, const struct content *content)
{
	struct slice id = value(msg, "Message-ID");

	(void)content;
	return !slice_has(id, '@') || !slice_has(id, '<');
}

/* Outlook and Outlook Express write these together, or neither. */
static bool
forged_outlook(struct message *msg, const struct content *content)
{
	struct slice mailer = value(msg, "X-Mailer");
	bool express = slice_starts(mailer, SLICE("Microsoft Outlook Express"));
	struct slice id = value(msg, "Message-ID");

	(void)content;
	return express && (value(msg, "X-MimeOLE").ptr == NULL ||
	    slice_find(id, '$') == id.len);
}

/* An address for a name, and another one behind it. */
static bool
name_is_address(struct message *msg, const struct content *content)
{
	struct address_list list;
	struct address one;
	struct slice rest, local, domain;
	unsigned flags;

	(void)content;
	address_open(&list, msg->arena, value(msg, "From"));
	if (!address_next(&list, &one) || one.name.ptr == NULL)
		return false;
	rest = encoded_decode(msg->arena, one.name, &flags);
	return address_guess(&rest, &local, &domain) && domain.len > 3 &&
	    !slice_ends_nocase(one.domain, domain) &&
	    !slice_ends_nocase(domain, one.domain);
}

static bool
has_image(const struct content_text *html)
{
	struct html_token token;
	unsigned n = 0;
	struct html h;

	html_open(&h, slice_sub(html->markup, 0, LOOK));
	while (n++ < 500 && html_next(&h, &token))
		if (token.kind == HTML_START && token.tag == HTML_IMG)
			return true;
	return false;
}

static bool
only_image(struct message *msg, const struct content *content)
{
	size_t letters = 0;

	(void)msg;
	for (const struct content_text *t = content->first; t != NULL;
	    t = t->next)
		if (t->kind == CONTENT_PLAIN || t->kind == CONTENT_HTML)
			letters += slice_trim(t->text).len;
	for (const struct content_text *t = content->first; t != NULL &&
	    letters < LITTLE; t = t->next)
		if (t->kind == CONTENT_HTML && has_image(t))
			return true;
	return false;
}

/* Somewhere in it stands "<form" and the like: a token may begin there. */
static bool
may_act(struct slice markup)
{
	size_t at = slice_find(markup, '<');

	for (; at < markup.len; at += slice_find(slice_after(markup, at),
	    '<')) {
		markup = slice_after(markup, at + 1);
		at = 0;
		if (slice_starts_nocase(markup, SLICE("form")) ||
		    slice_starts_nocase(markup, SLICE("script")) ||
		    slice_starts_nocase(markup, SLICE("iframe")))
			return true;
	}
	return false;
}

static bool
script_or_form(struct message *msg, const struct content *content)
{
	(void)msg;
	for (const struct content_text *t = content->first; t != NULL;
	    t = t->next) {
		struct slice markup = slice_sub(t->markup, 0, LOOK);
		struct html_token token;
		unsigned n = 0;
		struct html h;

		if (t->kind != CONTENT_HTML || !may_act(markup))
			continue;
		html_open(&h, markup);
		while (n++ < 2000 && html_next(&h, &token))
			if (token.kind == HTML_START && (token.tag ==
			    HTML_FORM || token.tag == HTML_SCRIPT ||
			    token.tag == HTML_IFRAME))
				return true;
	}
	return false;
}

static bool
broken_structure(struct message *msg, const struct content *content)
{
	(void)content;
	return msg->flags != 0;
}

static const struct {
	const char *name;
	bool (*holds)(struct message *msg, const struct content *content);
} facts[] = {
	{ "hidden-text", hidden_text },
	{ "off-screen", off_screen },
	{ "zero-width", zero_width },
	{ "mixed-scripts", mixed_scripts },
	{ "date-future", date_future },
	{ "date-old", date_old },
	{ "date-wrong", date_wrong },
	{ "no-message-id", no_message_id },
	{ "forged-outlook", forged_outlook },
	{ "name-is-address", name_is_address },
	{ "only-image", only_image },
	{ "script-or-form", script_or_form },
	{ "broken-structure", broken_structure },
};

enum { FACTS = sizeof facts / sizeof *facts };

int
rule_fact_find(struct slice name)
{
	for (int i = 0; i < FACTS; i++)
		if (slice_eq(name, slice_of(facts[i].name)))
			return i;
	return -1;
}

const char *
rule_fact_name(unsigned fact)
{
	return fact < FACTS ? facts[fact].name : NULL;
}

bool
rule_fact(unsigned fact, struct message *msg, const struct content *content)
{
	return fact < FACTS && facts[fact].holds(msg, content);
}
