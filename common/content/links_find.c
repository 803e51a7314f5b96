/* URLs and names of hosts in a text, as mail clients make links of them. */
#include <string.h>

#include "content/links.h"
#include "text/utf8.h"

enum { SCHEME = 20, HOST = 253 };

/* Quotes and brackets beyond ASCII: an URL ends there. */
static bool
ends_wide(uint32_t cp)
{
	return cp == UTF8_BAD || cp == 0xa0 || cp == 0xab || cp == 0xbb ||
	    (cp >= 0x2018 && cp <= 0x201f) || cp == 0x2026 || cp == 0x3000 ||
	    cp == 0x3001 || (cp >= 0x3008 && cp <= 0x301f) ||
	    utf8_control(cp);
}

static bool
ends_url(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f ||
	    strchr("<>\"`|{}^", c) != NULL;
}

static size_t
url_len(struct slice s)
{
	struct slice rest = slice_sub(s, 0, CONTENT_LINK_URL);
	size_t n = 0;
	uint32_t cp;

	while (rest.len > 0 && !ends_url(rest.ptr[0])) {
		if ((unsigned char)rest.ptr[0] < 0x80)
			rest = slice_after(rest, 1);
		else if (!utf8_next(&rest, &cp) || ends_wide(cp))
			break;
		n = (size_t)(rest.ptr - s.ptr);
	}
	return n;
}

/* What ends a sentence is none of it, nor a bracket that was not opened. */
static size_t
trim(struct slice s)
{
	int depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		depth += s.ptr[i] == '(' || s.ptr[i] == '[';
		depth -= s.ptr[i] == ')' || s.ptr[i] == ']';
	}
	while (s.len > 0) {
		char c = s.ptr[s.len - 1];

		if ((c == ')' || c == ']') && depth < 0)
			depth++;
		else if (strchr(".,;:!?'*", c) == NULL)
			break;
		s.len--;
	}
	return s.len;
}

/* Length of the scheme that ends before `at`; 0: there is none. */
static size_t
scheme_before(struct slice s, size_t from, size_t at)
{
	size_t n = 0;

	while (n < SCHEME && at - n > from && (ascii_alnum(s.ptr[at - n - 1]) ||
	    strchr("+-.", s.ptr[at - n - 1]) != NULL))
		n++;
	while (n > 0 && !ascii_alpha(s.ptr[at - n]))
		n--;
	return n;
}

static bool
host_char(char c)
{
	return ascii_alnum(c) || c == '-' || c == '_' ||
	    (unsigned char)c >= 0x80;
}

/* Ends that files have and domains too: such a name alone is no link. */
static bool
file_end(struct slice end)
{
	static const char *const ends[] = { "zip", "mov", "md", "py", "sh",
	    "pl", "rs", "ps", "so", "ai", "app", "cc", "mm", "pm", "tf",
	    "mk", NULL };

	for (const char *const *e = ends; *e != NULL; e++)
		if (slice_eq_nocase(end, slice_of(*e)))
			return true;
	return false;
}

/* A run of labels around the dot at `at`; false: no host is written there. */
static bool
bare_host(struct slice s, size_t from, size_t at, size_t *host_r,
    size_t *end_r)
{
	size_t host = at, end = at + 1, dots = 1, last = at;

	while (host > from && at - host < HOST && (host_char(s.ptr[host - 1]) ||
	    (s.ptr[host - 1] == '.' && s.ptr[host] != '.')))
		host--;
	while (end < s.len && end - at < HOST && (host_char(s.ptr[end]) ||
	    (s.ptr[end] == '.' && s.ptr[end - 1] != '.'))) {
		if (s.ptr[end] == '.')
			dots++;
		end++;
	}
	if (s.ptr[end - 1] == '.') {
		end--;
		dots--;
	}
	for (size_t i = at; i < end; i++)
		if (s.ptr[i] == '.')
			last = i;
	*host_r = host;
	*end_r = end;
	if (host == at || s.ptr[host] == '.' || dots == 0 || end <= last + 2)
		return false;
	/* An address of mail leads to no page. */
	if ((host > 0 && (s.ptr[host - 1] == '@' || s.ptr[host - 1] == '/' ||
	    s.ptr[host - 1] == '\\' || s.ptr[host - 1] == '=' ||
	    s.ptr[host - 1] == '&')) || (end < s.len && s.ptr[end] == '@'))
		return false;
	return dots > 1 || host + 2 <= last ||
	    (end < s.len && s.ptr[end] == '/');
}

static bool
bare_known(struct slice s, size_t host, size_t end,
    const struct suffixes *suffixes, unsigned *bare)
{
	struct slice name = slice_sub(s, host, end - host);
	struct slice last = slice_after(name, slice_find_last(name, '.') + 1);
	bool path = end < s.len && s.ptr[end] == '/';
	bool one = slice_find(name, '.') == slice_find_last(name, '.');
	char lower[HOST + 1];

	if (slice_starts_nocase(name, SLICE("www.")))
		return true;
	if (*bare == 0 || last.len == 0 || last.len > 20)
		return false;
	--*bare;
	for (size_t i = 0; i < last.len; i++) {
		if (!ascii_alpha(last.ptr[i]))
			return false;
		lower[i] = ascii_lower(last.ptr[i]);
	}
	if (!path && one && file_end(last))
		return false;
	/* "end.Then": two words of a text in one. */
	if (!path && last.ptr[0] != lower[0] && last.len > 1 &&
	    last.ptr[1] == lower[1])
		return false;
	return suffixes_known(suffixes, slice_make(lower, last.len));
}

static bool
take(struct slice *rest, size_t from, struct slice *found_r)
{
	struct slice s = slice_after(*rest, from);

	s.len = url_len(s);
	*rest = slice_after(*rest, from + s.len);
	s.len = trim(s);
	*found_r = s;
	return s.len > 3;
}

/* The name around the dot at `at`. *behind_r: where to look on. */
static bool
find_bare(struct slice *rest, size_t *from, size_t at,
    const struct suffixes *suffixes, unsigned *bare, struct slice *found_r)
{
	size_t host, end;
	bool good = bare_host(*rest, *from, at, &host, &end) &&
	    bare_known(*rest, host, end, suffixes, bare);

	if (good && take(rest, host, found_r))
		return true;
	*from = good ? 0 : end;
	return false;
}

bool
link_find(struct slice *rest, const struct suffixes *suffixes,
    unsigned *bare, struct slice *found_r)
{
	size_t from = 0;

	for (size_t at = 0; at < rest->len; at++) {
		const char *s = rest->ptr;
		size_t scheme;

		if (s[at] == ':' && at + 3 < rest->len &&
		    strchr("/\\", s[at + 1]) != NULL && s[at + 1] != '\0' &&
		    (s[at + 2] == '/' || s[at + 2] == '\\') &&
		    (scheme = scheme_before(*rest, from, at)) > 0) {
			if (take(rest, at - scheme, found_r))
				return true;
			at = 0;
			from = 0;
		} else if (s[at] == '.' && at >= from && at > 0 &&
		    at + 2 < rest->len && host_char(s[at - 1]) &&
		    host_char(s[at + 1])) {
			size_t before = rest->len;

			if (find_bare(rest, &from, at, suffixes, bare,
			    found_r))
				return true;
			at = rest->len != before ? 0 : from - 1;
		}
	}
	*rest = slice_after(*rest, rest->len);
	return false;
}
