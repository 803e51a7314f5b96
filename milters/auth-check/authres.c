#include "authres.h"

#include <string.h>

#include "spf_name.h"

#define FIELD	"Authentication-Results:"

enum { LINE_MAX_BYTES = 78, VALUE_MAX = 300, REASON_MAX = 400 };

/* One word, on this line or the next (RFC 5322, 2.1.1, 2.2.3). The first one
 * stands behind the name, whatever its length. */
static void
add_word(struct authres *w, struct slice word)
{
	if (w->column + 1 + word.len > LINE_MAX_BYTES && w->column > 8 &&
	    w->out.len > 0) {
		buf_adds(&w->out, "\r\n\t");
		w->column = 8;
	} else {
		buf_addc(&w->out, ' ');
		w->column++;
	}
	buf_add(&w->out, word);
	w->column += word.len;
}

static void
add_words(struct authres *w, struct slice words)
{
	struct slice word;

	while (words.ptr != NULL) {
		word = slice_cut(words, ' ', &words);
		if (word.len > 0)
			add_word(w, word);
	}
}

/* token (RFC 2045, 5.1): no blanks, no tspecials. */
static bool
is_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] <= ' ' || s.ptr[i] > '~' ||
		    strchr("()<>@,;:\\\"/[]?=", s.ptr[i]) != NULL)
			return false;
	return s.len > 0;
}

static bool
is_hostname(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_alnum(s.ptr[i]) && s.ptr[i] != '-' &&
		    s.ptr[i] != '.' && s.ptr[i] != '_')
			return false;
	return s.len > 0 && s.ptr[0] != '.';
}

/* Dot-atom of RFC 5321's Local-part. */
static bool
is_dot_atom(struct slice s)
{
	bool dot = true;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '.' && dot)
			return false;
		dot = c == '.';
		if (!dot && !ascii_alnum(c) && (c == '\0' ||
		    strchr("!#$%&'*+-/=?^_`{|}~", c) == NULL))
			return false;
	}
	return s.len > 0 && !dot;
}

static bool
is_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] < ' ' || s.ptr[i] > '~')
			return false;
	return true;
}

static void
add_quoted(struct buf *out, struct slice s)
{
	buf_addc(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (c == '"' || c == '\\')
			buf_addc(out, '\\');
		buf_addc(out, c >= ' ' && c <= '~' ? c : '?');
	}
	buf_addc(out, '"');
}

void
authres_begin(struct authres *w, struct arena *a, struct slice authserv_id)
{
	struct buf id = buf_in(a);

	*w = (struct authres){ .out = buf_in(a),
	    .column = sizeof FIELD - 1 };
	if (is_token(authserv_id))
		buf_add(&id, authserv_id);
	else
		add_quoted(&id, slice_sub(authserv_id, 0, VALUE_MAX));
	add_words(w, buf_slice(&id));
}

void
authres_result(struct authres *w, const char *method, const char *result)
{
	buf_addc(&w->out, ';');
	w->column = LINE_MAX_BYTES;	/* each method begins a line */
	w->results = true;
	add_word(w, arena_printf(w->out.arena, "%s=%s", method, result));
}

/* Folds may stand where blanks are, in a quoted string too (RFC 5322,
 * 3.2.4): they are no part of it. */
void
authres_reason(struct authres *w, struct slice text)
{
	struct buf quoted = buf_in(w->out.arena);

	buf_adds(&quoted, "reason=");
	add_quoted(&quoted, slice_sub(text, 0, REASON_MAX));
	add_words(w, buf_slice(&quoted));
}

static void
add_property(struct authres *w, const char *name, struct slice value)
{
	add_words(w, arena_printf(w->out.arena, "%s=%.*s", name,
	    SLICE_ARG(value)));
}

void
authres_value(struct authres *w, const char *name, struct slice value)
{
	struct buf quoted = buf_in(w->out.arena);

	value = slice_sub(value, 0, VALUE_MAX);
	if (!is_token(value) && !is_hostname(value)) {
		add_quoted(&quoted, value);
		value = buf_slice(&quoted);
	}
	add_property(w, name, value);
}

void
authres_address(struct authres *w, const char *name, struct slice local,
    struct slice domain)
{
	struct buf value = buf_in(w->out.arena);

	if (!is_hostname(domain) || domain.len > VALUE_MAX ||
	    !is_printable(local) || local.len > VALUE_MAX || local.len == 0) {
		authres_value(w, name, domain);
		return;
	}
	if (is_dot_atom(local))
		buf_add(&value, local);
	else
		add_quoted(&value, local);
	buf_addc(&value, '@');
	buf_add(&value, domain);
	add_property(w, name, buf_slice(&value));
}

struct slice
authres_end(struct authres *w)
{
	if (!w->results)
		buf_adds(&w->out, "; none");
	return buf_slice(&w->out);
}

struct slice
authres_fold(struct arena *a, const char *field, struct slice words)
{
	struct authres w = { .out = buf_in(a),
	    .column = strlen(field) + 1 };

	add_words(&w, spf_printable(a, words, REASON_MAX + VALUE_MAX));
	return buf_slice(&w.out);
}

/* ---- reading ---- */

static bool
is_control(char c)
{
	return (c >= 0 && c < ' ') || c == 0x7f;
}

/* Behind the comment that *s begins with (RFC 5322, 3.2.2); false when it
 * does not end. */
static bool
skip_comment(struct slice *s)
{
	size_t depth = 0, i = 0;

	for (; i < s->len; i++) {
		if (s->ptr[i] == '\\')
			i++;
		else if (s->ptr[i] == '(')
			depth++;
		else if (s->ptr[i] == ')' && --depth == 0)
			break;
	}
	*s = slice_after(*s, i < s->len ? i + 1 : s->len);
	return depth == 0;
}

static bool
skip_cfws(struct slice *s)
{
	while (s->len > 0) {
		if (s->ptr[0] == '(') {
			if (!skip_comment(s))
				return false;
		} else if (ascii_space(s->ptr[0])) {
			*s = slice_after(*s, 1);
		} else {
			break;
		}
	}
	return true;
}

/* The value *s begins with: a token or a quoted string; false: neither. */
static bool
take_value(struct arena *a, struct slice *s, struct slice *value_r)
{
	struct buf out = buf_in(a);
	size_t i = 0;

	if (s->len > 0 && s->ptr[0] == '"') {
		for (i = 1; i < s->len && s->ptr[i] != '"'; i++) {
			if (s->ptr[i] == '\\' && i + 1 < s->len)
				i++;
			if (is_control(s->ptr[i]))
				return false;
			buf_addc(&out, s->ptr[i]);
		}
		if (i == s->len)
			return false;
		i++;
	} else {
		/* Bytes over 127 are of an internationalized name. */
		for (; i < s->len && !is_control(s->ptr[i]) &&
		    strchr(" ()<>@,;:\\\"/[]?=", s->ptr[i]) == NULL; i++)
			buf_addc(&out, s->ptr[i]);
	}
	*s = slice_after(*s, i);
	*value_r = buf_slice(&out);
	return out.len > 0;
}

/* [CFWS] authserv-id [CFWS version] [CFWS] ( ";" / end ), RFC 8601, 2.2. */
static bool
read_id(struct arena *a, struct slice body, struct slice *id_r)
{
	uint64_t version;
	size_t n = 0;

	if (!skip_cfws(&body) || !take_value(a, &body, id_r) ||
	    !skip_cfws(&body))
		return false;
	while (n < body.len && ascii_digit(body.ptr[n]))
		n++;
	if (n > 0 && !slice_number(slice_sub(body, 0, n), UINT32_MAX,
	    &version))
		return false;
	body = slice_after(body, n);
	return skip_cfws(&body) && (body.len == 0 || body.ptr[0] == ';');
}

/* What some reader may make of the body: comments and control bytes gone, or
 * a blank in their place; quotes and backslashes gone. */
static struct slice
plain(struct arena *a, struct slice body, bool blank_comments,
    bool blank_controls)
{
	struct buf out = buf_in(a);

	body = slice_sub(body, 0, 4096);
	while (body.len > 0) {
		char c = body.ptr[0];

		if (c == '(') {
			skip_comment(&body);
			if (blank_comments)
				buf_addc(&out, ' ');
			continue;
		}
		if (is_control(c) || c == ' ') {
			if (blank_controls || c == ' ')
				buf_addc(&out, ' ');
		} else if (c != '"' && c != '\\') {
			buf_addc(&out, c);
		}
		body = slice_after(body, 1);
	}
	return buf_slice(&out);
}

static bool
host_byte(struct slice s, size_t i)
{
	return i < s.len && (ascii_alnum(s.ptr[i]) || s.ptr[i] == '-' ||
	    s.ptr[i] == '_' || (unsigned char)s.ptr[i] >= 0x80);
}

/* Does the text begin with the name, and no longer one? */
static bool
begins_with(struct slice text, struct slice id)
{
	size_t end = id.len;

	while (text.len > 0 && !host_byte(text, 0))
		text = slice_after(text, 1);
	if (!slice_starts_nocase(text, id) || host_byte(text, end))
		return false;
	while (end < text.len && text.ptr[end] == '.')
		end++;
	return !host_byte(text, end);
}

/* As a person would say it: A-labels, no final dot. */
static struct slice
canonical(struct arena *a, struct slice id)
{
	struct slice domain;

	if (spf_domain(a, id, &domain))
		return domain;
	while (id.len > 0 && id.ptr[id.len - 1] == '.')
		id.len--;
	return id;
}

/* Up to the first byte that could not be part of a name. */
static struct slice
first_name(struct slice text)
{
	size_t n = 0;

	while (text.len > 0 && !host_byte(text, 0))
		text = slice_after(text, 1);
	while (host_byte(text, n) || (n < text.len && text.ptr[n] == '.'))
		n++;
	return slice_sub(text, 0, n);
}

static bool
could_be(struct arena *a, struct slice body, struct slice id)
{
	struct slice ours = canonical(a, id);

	for (unsigned i = 0; i < 4; i++) {
		struct slice text = plain(a, body, i & 1, i & 2);

		if (begins_with(text, id) || begins_with(text, ours) ||
		    slice_eq_nocase(canonical(a, first_name(text)), ours))
			return true;
	}
	return false;
}

enum authres_claim
authres_claim(struct arena *a, struct slice body, const struct slice *ids,
    size_t nids)
{
	struct slice id;

	for (size_t i = 0; i < nids; i++)
		if (ids[i].len > 0 && could_be(a, body, ids[i]))
			return AUTHRES_OURS;
	return read_id(a, body, &id) ? AUTHRES_OTHER : AUTHRES_BROKEN;
}

static bool
joins(char c)
{
	return c == '=' || c == '/';
}

/*
 * The body as words: comments are blanks, quotes are gone (what could be taken
 * for syntax in them becomes '?'), no blank stands around '=' and '/'.
 */
static struct slice
words_of(struct arena *a, struct slice body)
{
	struct buf out = buf_in(a);
	bool quoted = false, blank = false;

	while (body.len > 0) {
		char c = body.ptr[0];

		if (c == '(' && !quoted) {
			skip_comment(&body);
			blank = true;
			continue;
		}
		body = slice_after(body, 1);
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && !ascii_alnum(c) && c != '.' && c != '-' &&
		    c != '@' && c != '_') {
			buf_addc(&out, '?');
			continue;
		}
		if (is_control(c) || c == ' ') {
			blank = true;
			continue;
		}
		if (blank && !joins(c) && out.len > 0 &&
		    !joins(out.ptr[out.len - 1]))
			buf_addc(&out, ' ');
		blank = false;
		buf_addc(&out, c);
	}
	return buf_slice(&out);
}

/* Is it "method=result", or "method/1=result"? */
static bool
is_method(struct slice word, struct slice method, struct slice *result_r)
{
	struct slice name = slice_cut(word, '=', result_r), version;

	name = slice_cut(name, '/', &version);
	return result_r->ptr != NULL && slice_eq_nocase(name, method);
}

static bool
has_property(struct arena *a, struct slice info, struct slice property,
    struct slice domain)
{
	while (info.ptr != NULL) {
		struct slice word = slice_cut(info, ' ', &info), value;
		struct slice name = slice_cut(word, '=', &value);

		if (value.ptr != NULL && slice_eq_nocase(name, property) &&
		    slice_eq_nocase(canonical(a, value), domain))
			return true;
	}
	return false;
}

bool
authres_says(struct arena *a, struct slice body, struct slice method,
    struct slice result, struct slice property, struct slice domain)
{
	struct slice rest = words_of(a, body), got;
	unsigned results = 0;
	bool says = false;

	slice_cut(rest, ';', &rest);	/* the authserv-id */
	while (rest.ptr != NULL) {
		struct slice info = slice_trim(slice_cut(rest, ';', &rest));
		struct slice first = slice_cut(info, ' ', &info);

		if (!is_method(first, method, &got))
			continue;
		results++;
		says = slice_eq_nocase(got, result) &&
		    has_property(a, info, property, domain);
	}
	return says && results == 1;
}
