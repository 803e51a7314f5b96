#include "text/address.h"

#include "base/buf.h"
#include "text/utf8.h"

enum kind { END, ATOM, QUOTED, LITERAL, SPECIAL };

struct token {
	enum kind kind;
	struct slice raw;
};

/* What may become local@domain: words, dots and @ in the order they came. */
struct spec {
	struct buf text;
	const char *first, *last;	/* in the value; NULL: nothing yet */
	size_t at, ats;			/* where in text the last @ is; count */
	bool word;			/* the last token was a word */
	bool quoted;
};

void
address_open(struct address_list *l, struct arena *a, struct slice value)
{
	*l = (struct address_list){ .arena = a, .value = value };
}

static bool
special(char c)
{
	return slice_has(SLICE("()<>[]:;@\\,.\""), c);
}

static char
look(const struct address_list *l, size_t ahead)
{
	size_t at = l->at + ahead;

	return at < l->value.len ? l->value.ptr[at] : '\0';
}

static struct slice
between(const struct address_list *l, size_t from, size_t to)
{
	return slice_sub(l->value, from, to - from);
}

/* A CR or LF that is no fold shows some clients an end of line. */
static bool
fold(char c, char following)
{
	return c == '\r' ? following == '\n' : ascii_blank(following);
}

/* Flags what is unusual about bytes wherever they stand. */
static void
weigh(struct address_list *l, struct slice s)
{
	uint32_t cp;

	while (utf8_next(&s, &cp)) {
		if (cp == UTF8_BAD)
			l->item |= ADDRESS_8BIT;
		else if (cp >= 0x80)
			l->item |= ADDRESS_UTF8;
		if (cp == UTF8_BAD || cp == '\t' || !utf8_control(cp))
			continue;
		if ((cp != '\r' && cp != '\n') || s.len == 0 ||
		    !fold((char)cp, s.ptr[0]))
			l->item |= ADDRESS_CONTROL;
	}
}

/* Up to behind the quote that closes; backslashes take what follows along. */
static void
skip_quoted(struct address_list *l)
{
	for (l->at++; l->at < l->value.len; l->at++) {
		if (l->value.ptr[l->at] == '\\') {
			if (l->at + 1 < l->value.len)
				l->at++;
		} else if (l->value.ptr[l->at] == '"') {
			l->at++;
			return;
		}
	}
	l->item |= ADDRESS_UNCLOSED;
}

/* Comments nest; a counter does, where recursion could be made to run out. */
static void
skip_comment(struct address_list *l)
{
	size_t from = l->at + 1, depth = 0;

	for (; l->at < l->value.len; l->at++) {
		char c = l->value.ptr[l->at];

		if (c == '\\' && l->at + 1 < l->value.len)
			l->at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			break;
	}
	l->comment = between(l, from, l->at);
	weigh(l, l->comment);
	if (l->at < l->value.len)
		l->at++;
	else
		l->item |= ADDRESS_UNCLOSED;
}

static void
skip_blanks(struct address_list *l)
{
	while (l->at < l->value.len) {
		if (look(l, 0) == '(') {
			l->item |= ADDRESS_COMMENT;
			skip_comment(l);
		} else if (ascii_space(look(l, 0))) {
			if (!ascii_blank(look(l, 0)) &&
			    l->at + 1 < l->value.len &&
			    !fold(look(l, 0), look(l, 1)))
				l->item |= ADDRESS_CONTROL;
			l->at++;
		} else {
			return;
		}
	}
}

/* [...]; false where it does not close, and nothing is taken then. */
static bool
skip_literal(struct address_list *l)
{
	size_t at = l->at + 1;

	while (at < l->value.len &&
	    !slice_has(SLICE("[]<>()@,;\"\\"), l->value.ptr[at]))
		at++;
	if (at >= l->value.len || l->value.ptr[at] != ']')
		return false;
	l->at = at + 1;
	return true;
}

static struct token
next(struct address_list *l)
{
	struct token t = { .kind = END };
	size_t from;

	skip_blanks(l);
	from = l->at;
	if (from >= l->value.len)
		return t;
	if (look(l, 0) == '"') {
		t.kind = QUOTED;
		skip_quoted(l);
	} else if (look(l, 0) == '[' && skip_literal(l)) {
		t.kind = LITERAL;
	} else if (special(look(l, 0))) {
		t.kind = SPECIAL;
		l->at++;
	} else {
		t.kind = ATOM;
		while (l->at < l->value.len && !special(look(l, 0)) &&
		    !ascii_space(look(l, 0)))
			l->at++;
	}
	t.raw = between(l, from, l->at);
	weigh(l, t.raw);
	return t;
}

static bool
is(struct token t, char c)
{
	return t.kind == SPECIAL && t.raw.ptr[0] == c;
}

/* Folds go (RFC 5322, 3.2.4); other line ends stay, and are flagged. */
static void
put_unquoted(struct address_list *l, struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char following = i + 1 < s.len ? s.ptr[i + 1] : '\0';
		char c = s.ptr[i];

		if (c == '"' ||
		    ((c == '\r' || c == '\n') && fold(c, following)))
			continue;
		if (c == '\\' && i + 1 < s.len) {
			c = following;
			i++;
			if (c == '\r' || c == '\n')
				l->item |= ADDRESS_CONTROL;
		}
		buf_addc(b, c);
	}
}

/* A literal on one line (RFC 5322, 2.2.3). */
static void
put_unfolded(struct buf *b, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if ((c != '\r' && c != '\n') ||
		    !fold(c, i + 1 < s.len ? s.ptr[i + 1] : '\0'))
			buf_addc(b, c);
	}
}

static void
spec_add(struct address_list *l, struct spec *s, struct token t)
{
	bool word = t.kind != SPECIAL;

	if (s->first == NULL)
		s->first = t.raw.ptr;
	s->last = t.raw.ptr + t.raw.len;
	if (word && s->word) {
		buf_addc(&s->text, ' ');
		l->item |= ADDRESS_SPACED;
	}
	s->word = word;
	if (is(t, '@')) {
		s->at = s->text.len;
		s->ats++;
	} else if (t.kind == SPECIAL && !is(t, '.')) {
		l->item |= ADDRESS_STRAY;
	}
	if (t.kind == QUOTED && s->ats > 0)
		l->item |= ADDRESS_STRAY;
	if (t.kind == QUOTED) {
		s->quoted = true;
		put_unquoted(l, &s->text, t.raw);
	} else if (t.kind == LITERAL) {
		put_unfolded(&s->text, t.raw);
	} else {
		buf_add(&s->text, t.raw);
	}
}

static bool
odd_dots(struct slice s)
{
	return slice_starts(s, SLICE(".")) || slice_ends(s, SLICE(".")) ||
	    slice_search(s, SLICE("..")) < s.len;
}

static bool
holds_encoded(struct slice s)
{
	return slice_search(s, SLICE("=?")) < s.len;
}

static bool
is_literal(struct slice s)
{
	return s.len >= 2 && s.ptr[0] == '[' && s.ptr[s.len - 1] == ']';
}

/* Cuts at the last @, as address_split does, and says what is odd. */
static void
spec_end(struct address_list *l, const struct spec *s, struct address *a)
{
	struct slice text = buf_slice(&s->text);

	a->local = text;
	if (s->ats == 0) {
		l->item |= ADDRESS_NO_DOMAIN;
	} else {
		a->local = slice_sub(text, 0, s->at);
		a->domain = slice_after(text, s->at + 1);
	}
	if (s->ats > 1)
		l->item |= ADDRESS_ATS;
	if (s->ats > 0 && a->domain.len == 0)
		l->item |= ADDRESS_NO_DOMAIN;
	if (s->quoted)
		l->item |= ADDRESS_QUOTED;
	else if (a->local.len == 0)
		l->item |= ADDRESS_NO_LOCAL;
	else if (odd_dots(a->local))
		l->item |= ADDRESS_DOTS;
	if (is_literal(a->domain))
		l->item |= ADDRESS_LITERAL;
	else if (slice_has(a->domain, '[') ||
	    (slice_has(a->local, '[') && !s->quoted))
		l->item |= ADDRESS_STRAY;
	else if (odd_dots(a->domain))
		l->item |= ADDRESS_DOTS;
	if (holds_encoded(a->local) || holds_encoded(a->domain))
		l->item |= ADDRESS_ENCODED;
}

static void
spec_clear(struct address_list *l, struct spec *s)
{
	*s = (struct spec){ .text = buf_in(l->arena) };
}

/* Is it "@a,@b", which a colon makes a route? */
static bool
in_route(const struct spec *s)
{
	return s->first != NULL && s->first[0] == '@';
}

/* What follows '<', up to behind '>'. */
static void
angle(struct address_list *l, struct address *a)
{
	struct spec s;

	spec_clear(l, &s);
	for (;;) {
		size_t before = l->at;
		struct token t = next(l);

		if (is(t, '>'))
			break;
		if (t.kind == END || (is(t, ',') && !in_route(&s))) {
			l->item |= ADDRESS_UNCLOSED;
			l->at = before;
			break;
		}
		if (is(t, ':') && in_route(&s)) {
			l->item |= ADDRESS_ROUTE;
			spec_clear(l, &s);
		} else if (is(t, ',')) {
			buf_addc(&s.text, ',');
			s.word = false;
		} else if (is(t, '<')) {
			l->item |= ADDRESS_STRAY;
		} else {
			spec_add(l, &s, t);
		}
	}
	if (s.first == NULL) {
		l->item |= ADDRESS_NULL;
		a->local = a->domain = SLICE("");
	} else {
		spec_end(l, &s, a);
	}
}

static struct slice
as_written(const struct spec *s)
{
	if (s->first == NULL)
		return SLICE_NONE;
	return slice_make(s->first, (size_t)(s->last - s->first));
}

/* Words may stand apart in a name, and dots and brackets are often in one. */
static void
take_name(struct address_list *l, struct spec *s, struct address *a)
{
	a->name = as_written(s);
	l->item &= ~(unsigned)ADDRESS_SPACED;
	if (s->ats > 0)
		l->item |= ADDRESS_NAME_AT;
	spec_clear(l, s);
}

static void
begin_group(struct address_list *l, struct spec *s)
{
	l->group = as_written(s);
	if (l->group.ptr == NULL)
		l->group = SLICE("");
	l->item &= ~(unsigned)ADDRESS_SPACED;
	l->flags |= ADDRESS_GROUP;
	spec_clear(l, s);
}

/* True when this token ends the entry; it is taken unless it begins another. */
static bool
ends_entry(struct address_list *l, struct token t, bool angled)
{
	if (t.kind == END || is(t, ','))
		return true;
	if (is(t, ';')) {
		if (l->group.ptr == NULL)
			l->item |= ADDRESS_STRAY;
		return true;
	}
	if (is(t, '<') && angled) {
		l->item |= ADDRESS_TRAILING;
		l->at--;
		return true;
	}
	return false;
}

/* One entry up to its comma. False when no mailbox is in it. */
static bool
entry(struct address_list *l, struct address *a, struct token *t)
{
	bool angled = false;
	struct spec s;

	spec_clear(l, &s);
	for (; !ends_entry(l, *t, angled); *t = next(l)) {
		if (angled) {
			l->item |= ADDRESS_TRAILING;
		} else if (is(*t, '<')) {
			take_name(l, &s, a);
			angle(l, a);
			angled = true;
		} else if (is(*t, ':') && s.ats == 0 && l->group.ptr == NULL) {
			begin_group(l, &s);
		} else {
			spec_add(l, &s, *t);
		}
	}
	if (!angled && s.first == NULL)
		return false;
	if (!angled)
		spec_end(l, &s, a);
	return true;
}

bool
address_next(struct address_list *l, struct address *a)
{
	while (l->count < ADDRESS_MAX) {
		struct token t;
		size_t from;
		bool found;

		*a = (struct address){ .raw = SLICE_NONE };
		l->item = 0;
		l->comment = SLICE_NONE;
		t = next(l);
		from = t.kind == END ? l->at :
		    (size_t)(t.raw.ptr - l->value.ptr);
		if (t.kind == END) {
			l->flags |= l->item;
			return false;
		}
		found = entry(l, a, &t);
		a->group = l->group;
		if (is(t, ';'))
			l->group = SLICE_NONE;
		if (t.kind == END && l->group.ptr != NULL)
			l->item |= ADDRESS_UNCLOSED;
		if (!found && !is(t, ';') && t.kind != END)
			l->item |= ADDRESS_EMPTY;
		l->flags |= l->item;
		if (!found)
			continue;
		a->raw = slice_trim(between(l, from,
		    is(t, ',') || is(t, ';') ? l->at - 1 : l->at));
		a->comment = l->comment;
		a->flags = l->item | (a->group.ptr != NULL ? ADDRESS_GROUP : 0);
		l->count++;
		return true;
	}
	if (l->at < l->value.len)
		l->flags |= ADDRESS_TOO_MANY;
	return false;
}
