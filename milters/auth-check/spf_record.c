#include "spf_record.h"

#include <arpa/inet.h>
#include <string.h>

#include "spf_macro.h"

static const struct {
	const char *name;
	enum spf_kind kind;
} mechanisms[] = {
	{ "all", SPF_TERM_ALL },
	{ "include", SPF_TERM_INCLUDE },
	{ "a", SPF_TERM_A },
	{ "mx", SPF_TERM_MX },
	{ "ptr", SPF_TERM_PTR },
	{ "ip4", SPF_TERM_IP4 },
	{ "ip6", SPF_TERM_IP6 },
	{ "exists", SPF_TERM_EXISTS },
};

bool
spf_record_is(struct slice txt)
{
	return slice_starts_nocase(txt, SLICE("v=spf1")) &&
	    (txt.len == 6 || txt.ptr[6] == ' ');
}

/*
 * Takes "/digits" off the end of *s; true when there was one. A number too
 * long to be right becomes one that is over any bound.
 */
static bool
take_length(struct slice *s, unsigned *bits_r, bool *strict_r)
{
	size_t at = s->len;
	struct slice digits;
	uint64_t n;

	while (at > 0 && ascii_digit(s->ptr[at - 1]))
		at--;
	if (at == s->len || at == 0 || s->ptr[at - 1] != '/')
		return false;
	digits = slice_after(*s, at);
	/* No leading zeros (12: ip4-cidr-length, ip6-cidr-length). */
	*strict_r = digits.len == 1 || digits.ptr[0] != '0';
	*bits_r = slice_number(digits, 128, &n) ? (unsigned)n : 999;
	s->len = at - 1;
	return true;
}

/* [ "/" ip4 length ] [ "//" ip6 length ] at the end of *s (5.6). */
static const char *
take_dual_length(struct slice *s, struct spf_term *term)
{
	unsigned bits;
	bool strict;

	term->bits4 = 32;
	term->bits6 = 128;
	if (!take_length(s, &bits, &strict))
		return NULL;
	if (s->len > 0 && s->ptr[s->len - 1] == '/') {
		term->bits6 = bits;
		if (bits > 128 || !strict)
			return "a bad IPv6 prefix length";
		s->len--;
		if (!take_length(s, &bits, &strict))
			return NULL;
	}
	term->bits4 = bits;
	return bits > 32 || !strict ? "a bad IPv4 prefix length" : NULL;
}

/* inet_pton is as strict as the RFC: four numbers, no leading zeros. */
static bool
read_address(struct slice s, int family, struct ip *ip)
{
	char text[INET6_ADDRSTRLEN];

	if (s.len >= sizeof text || memchr(s.ptr, '\0', s.len) != NULL)
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	ip->family = family;
	return inet_pton(family, text, ip->bytes) == 1;
}

/* An IPv6 network stays one even if IPv4-mapped: the client never is (5). */
static const char *
read_network(struct slice arg, struct spf_term *term)
{
	bool v4 = term->kind == SPF_TERM_IP4, strict = true;
	unsigned bits = v4 ? 32 : 128, max = bits;

	if (arg.len == 0 || arg.ptr[0] != ':')
		return "a network is missing";
	arg = slice_after(arg, 1);
	take_length(&arg, &bits, &strict);
	if (bits > max || !strict)
		return "a bad prefix length";
	if (!read_address(arg, v4 ? AF_INET : AF_INET6, &term->ip))
		return v4 ? "a bad IPv4 network" : "a bad IPv6 network";
	term->bits4 = term->bits6 = bits;
	return NULL;
}

/* ":" domain-spec, or nothing where the mechanism may stand alone. */
static const char *
read_spec(struct slice arg, bool needed, struct slice *spec_r)
{
	if (arg.len == 0)
		return needed ? "a domain is missing" : NULL;
	if (arg.ptr[0] != ':')
		return "something behind the name that does not belong there";
	*spec_r = slice_after(arg, 1);
	return spf_macro_check_name(*spec_r);
}

/* arg is what follows the name: empty, or it begins with ':' or '/'. */
static const char *
read_argument(struct slice arg, struct spf_term *term)
{
	const char *wrong;

	switch (term->kind) {
	case SPF_TERM_ALL:
		return arg.len > 0 ? "\"all\" takes nothing behind it" : NULL;
	case SPF_TERM_IP4:
	case SPF_TERM_IP6:
		return read_network(arg, term);
	case SPF_TERM_A:
	case SPF_TERM_MX:
		wrong = take_dual_length(&arg, term);
		if (wrong != NULL)
			return wrong;
		return read_spec(arg, false, &term->spec);
	case SPF_TERM_PTR:
		return read_spec(arg, false, &term->spec);
	case SPF_TERM_INCLUDE:
	case SPF_TERM_EXISTS:
		break;
	}
	return read_spec(arg, true, &term->spec);
}

static const char *
read_mechanism(struct slice text, struct spf_term *term)
{
	struct slice rest = text;
	size_t n = 0;

	term->text = text;
	term->qualifier = '+';
	if (rest.len > 0 && strchr("+-?~", rest.ptr[0]) != NULL &&
	    rest.ptr[0] != '\0') {
		term->qualifier = rest.ptr[0];
		rest = slice_after(rest, 1);
	}
	while (n < rest.len && rest.ptr[n] != ':' && rest.ptr[n] != '/')
		n++;
	for (size_t i = 0; i < sizeof mechanisms / sizeof *mechanisms; i++)
		if (slice_eq_nocase(slice_sub(rest, 0, n),
		    slice_of(mechanisms[i].name))) {
			term->kind = mechanisms[i].kind;
			return read_argument(slice_after(rest, n), term);
		}
	return "an unknown mechanism";
}

/* Length of a modifier's name with '=' right behind it; 0: no modifier. */
static size_t
modifier_name(struct slice text)
{
	size_t n = 0;

	if (text.len == 0 || !ascii_alpha(text.ptr[0]))
		return 0;
	while (n < text.len && (ascii_alnum(text.ptr[n]) ||
	    text.ptr[n] == '-' || text.ptr[n] == '_' || text.ptr[n] == '.'))
		n++;
	return n < text.len && text.ptr[n] == '=' ? n : 0;
}

static const char *
read_modifier(struct slice name, struct slice value, struct spf_record *record)
{
	struct slice *place = NULL;

	if (slice_eq_nocase(name, SLICE("redirect")))
		place = &record->redirect;
	else if (slice_eq_nocase(name, SLICE("exp")))
		place = &record->exp;
	if (place == NULL)
		return spf_macro_check(value, SPF_OTHER);
	if (place->ptr != NULL)
		return "a modifier that stands twice";
	*place = value;
	return spf_macro_check_name(value);
}

static const char *
read_term(struct arena *a, struct slice text, struct spf_record *record,
    struct spf_term ***last)
{
	size_t name = modifier_name(text);
	struct spf_term *term;

	if (name > 0)
		return read_modifier(slice_sub(text, 0, name),
		    slice_after(text, name + 1), record);
	term = arena_alloc(a, sizeof *term);
	**last = term;
	*last = &term->next;
	return read_mechanism(text, term);
}

enum rc
spf_record_parse(struct arena *a, struct slice txt,
    struct spf_record *record_r, struct slice *why_r)
{
	struct spf_term **last = &record_r->terms;
	struct slice rest, text;
	const char *wrong;

	*record_r = (struct spf_record){ .text = txt };
	if (!spf_record_is(txt)) {
		*why_r = SLICE("it does not begin with v=spf1");
		return RC_BAD;
	}
	rest = slice_after(txt, 6);
	while (rest.ptr != NULL) {
		text = slice_cut(rest, ' ', &rest);
		if (text.len == 0)
			continue;	/* terms are apart by 1*SP (4.6.1) */
		wrong = read_term(a, text, record_r, &last);
		if (wrong != NULL) {
			*why_r = arena_printf(a, "%s in \"%.*s\"", wrong,
			    SLICE_ARG(slice_sub(text, 0, 200)));
			return RC_BAD;
		}
	}
	return RC_OK;
}
