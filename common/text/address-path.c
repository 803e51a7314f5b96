/* Addresses without a grammar: paths, guesses, printing, domains. */
#include <idn2.h>

#include "base/buf.h"
#include "text/address.h"
#include "text/utf8.h"

/* Where a route ends: behind the colon of "@a,@b:c@d"; else 0. */
static size_t
route_len(struct slice s)
{
	size_t colon;

	if (s.len == 0 || s.ptr[0] != '@')
		return 0;
	colon = slice_find(s, ':');
	/* A colon may also stand in quotes, and then it ends no route. */
	return colon < slice_find(s, '"') && colon < s.len ? colon + 1 : 0;
}

bool
address_split(struct slice path, struct slice *local_r, struct slice *domain_r)
{
	bool quoted = false, found = false;
	size_t at = 0;

	path = slice_trim(path);
	if (slice_starts(path, SLICE("<")) && slice_ends(path, SLICE(">")))
		path = slice_sub(path, 1, path.len - 2);
	path = slice_after(path, route_len(path));
	for (size_t i = 0; i < path.len; i++) {
		if (path.ptr[i] == '\\') {
			i++;
		} else if (path.ptr[i] == '"') {
			quoted = !quoted;
		} else if (path.ptr[i] == '@' && !quoted) {
			found = true;
			at = i;
		}
	}
	*local_r = found ? slice_sub(path, 0, at) : path;
	*domain_r = found ? slice_after(path, at + 1) : SLICE_NONE;
	return found;
}

struct slice
address_unquote(struct arena *a, struct slice local)
{
	char *text = arena_alloc(a, local.len + 1);
	bool quoted = false;
	size_t n = 0;

	for (size_t i = 0; i < local.len; i++) {
		if (local.ptr[i] == '"') {
			quoted = !quoted;
			continue;
		}
		if (quoted && local.ptr[i] == '\\' && i + 1 < local.len)
			i++;
		text[n++] = local.ptr[i];
	}
	return slice_make(text, n);
}

static bool
atext(char c)
{
	return ascii_alnum(c) || (unsigned char)c >= 0x80 ||
	    slice_has(SLICE("!#$%&'*+-/=?^_`{|}~"), c);
}

/* RFC 5321: dot-string; all else is to be quoted. */
static bool
dot_string(struct slice s)
{
	bool dot = true;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '.' ? dot : !atext(s.ptr[i]))
			return false;
		dot = s.ptr[i] == '.';
	}
	return !dot;
}

static char
tame(char c)
{
	return ((unsigned char)c < ' ' && c != '\t') || c == 0x7f ? '?' : c;
}

struct slice
address_print(struct arena *a, struct slice local, struct slice domain)
{
	bool quote = !dot_string(local);
	struct buf b = buf_in(a);

	if (quote)
		buf_addc(&b, '"');
	for (size_t i = 0; i < local.len; i++) {
		if (quote && (local.ptr[i] == '"' || local.ptr[i] == '\\'))
			buf_addc(&b, '\\');
		buf_addc(&b, tame(local.ptr[i]));
	}
	if (quote)
		buf_addc(&b, '"');
	if (domain.len > 0)
		buf_addc(&b, '@');
	for (size_t i = 0; i < domain.len; i++)
		buf_addc(&b, tame(domain.ptr[i]));
	return buf_slice(&b);
}

/* What a client that looks for something like an address stops at. */
static bool
stops(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f ||
	    slice_has(SLICE("<>()[],;:\"\\@"), c);
}

/* The domain that begins at s, after blanks; a literal with its brackets. */
static struct slice
guess_domain(struct slice s)
{
	size_t n = 0;

	while (s.len > 0 && ascii_space(s.ptr[0]))
		s = slice_after(s, 1);
	if (s.len > 0 && s.ptr[0] == '[') {
		struct slice in = slice_sub(s, 0, 100);

		n = slice_find(in, ']');
		return n < in.len ? slice_sub(s, 0, n + 1) : slice_sub(s, 0, 0);
	}
	while (n < s.len && (ascii_alnum(s.ptr[n]) || s.ptr[n] == '.' ||
	    s.ptr[n] == '-' || s.ptr[n] == '_' ||
	    (unsigned char)s.ptr[n] >= 0x80))
		n++;
	while (n > 0 && s.ptr[n - 1] == '.')
		n--;
	return slice_sub(s, 0, n);
}

static struct slice
guess_local(struct slice before)
{
	size_t end = before.len, from;

	while (end > 0 && ascii_space(before.ptr[end - 1]))
		end--;
	if (end > 1 && before.ptr[end - 1] == '"') {
		from = slice_find_last(slice_sub(before, 0, end - 1), '"');
		if (from < end - 1)
			return slice_sub(before, from, end - from);
	}
	for (from = end; from > 0 && !stops(before.ptr[from - 1]); from--)
		;
	return slice_sub(before, from, end - from);
}

bool
address_guess(struct slice *rest, struct slice *local_r,
    struct slice *domain_r)
{
	while (slice_has(*rest, '@')) {
		struct slice before = slice_cut(*rest, '@', rest);

		*domain_r = guess_domain(*rest);
		*local_r = guess_local(before);
		if (domain_r->len > 0)
			return true;
	}
	return false;
}

const char *
address_flag_name(unsigned bit)
{
	static const char *const names[] = {
		"comment", "quoted", "group", "route", "literal", "utf8",
		"empty", NULL, "null", "no-local", "no-domain", "two-ats",
		"dots", "spaced", "unclosed", "stray", "trailing", "name-at",
		"control", "8bit", "encoded", "too-many",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bit == 1u << i)
			return names[i];
	return NULL;
}

enum { DOMAIN_MAX = 253, LABEL_MAX = 63, UTF8_MAX = 1000 };

/* Lower-cases in place; false where it is no name for DNS. */
static bool
check_ascii(char *name, size_t len)
{
	size_t label = 0;

	if (len == 0 || len > DOMAIN_MAX)
		return false;
	for (size_t i = 0; i < len; i++) {
		name[i] = ascii_lower(name[i]);
		if (name[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (!ascii_alnum(name[i]) && name[i] != '-' &&
		    name[i] != '_') {
			return false;
		} else if (++label > LABEL_MAX) {
			return false;
		}
	}
	return label > 0;
}

static bool
is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
	return true;
}

bool
domain_ascii(struct arena *a, struct slice domain, struct slice *ascii_r)
{
	struct slice ascii;
	char *name;

	if (domain.len == 0 || domain.len > UTF8_MAX || slice_has(domain, '\0'))
		return false;
	name = arena_str(a, domain);
	if (!is_ascii(domain)) {
		uint8_t *mapped = NULL;
		int rc = !utf8_valid(domain) ? IDN2_ENCODING_ERROR :
		    idn2_lookup_u8((const uint8_t *)name, &mapped,
		    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

		if (rc == IDN2_OK)
			name = arena_str(a, slice_of((const char *)mapped));
		idn2_free(mapped);
		if (rc != IDN2_OK)
			return false;
	}
	ascii = slice_of(name);
	if (slice_ends(ascii, SLICE(".")))
		ascii.len--;
	if (!check_ascii(name, ascii.len))
		return false;
	*ascii_r = ascii;
	return true;
}

bool
address_plain(struct slice address)
{
	size_t at = slice_find_last(address, '@');
	struct slice local = slice_sub(address, 0, at);
	struct slice domain = slice_after(address, at + 1);

	return local.len > 0 && local.len <= 64 && domain.len > 0 &&
	    domain.len <= 253 &&
	    ascii_all_of(local, "!#$%&'*+-/=?^_`{|}~.") &&
	    ascii_all_of(domain, "-._");
}
