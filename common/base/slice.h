/*
 * slice - a borrowed run of bytes
 *
 * Mail holds NULs and lines of any length; a slice carries its length, so
 * nothing is cut short in silence. A slice owns nothing and has no NUL at its
 * end: whoever made the bytes says how long they live. SLICE_NONE (ptr NULL)
 * means "absent", which is not the same as empty.
 *
 * Letter case is folded for ASCII only, whatever the locale: that is what
 * RFC 5322 and RFC 1035 compare by.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slice {
	const char *ptr;
	size_t len;
};

#define SLICE(lit)	((struct slice){ "" lit, sizeof (lit) - 1 })
#define SLICE_NONE	((struct slice){ NULL, 0 })

/* For printf: printf("%.*s", SLICE_ARG(s)). Stops at a NUL, as printf does. */
#define SLICE_ARG(s)	((int)((s).len > 4096 ? 4096 : (s).len)), \
			((s).ptr != NULL ? (s).ptr : "")

/* The bytes of a C string; NULL gives SLICE_NONE. */
struct slice slice_of(const char *str);
struct slice slice_make(const void *ptr, size_t len);

bool slice_eq(struct slice a, struct slice b);
bool slice_eq_nocase(struct slice a, struct slice b);
int slice_cmp(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice with);
bool slice_starts_nocase(struct slice s, struct slice with);
bool slice_ends(struct slice s, struct slice with);
bool slice_ends_nocase(struct slice s, struct slice with);

/* Bytes [from, from + len), clipped to what is there. */
struct slice slice_sub(struct slice s, size_t from, size_t len);
/* What follows the first n bytes, clipped. */
struct slice slice_after(struct slice s, size_t n);

/* Index of the first c (or of needle); s.len when there is none. */
size_t slice_find(struct slice s, char c);
size_t slice_find_last(struct slice s, char c);
size_t slice_search(struct slice s, struct slice needle);
bool slice_has(struct slice s, char c);

/* Without leading and trailing space, tab, CR, LF. */
struct slice slice_trim(struct slice s);

/*
 * What stands before the first sep; *rest_r gets what follows it. Without a
 * sep: all of s, and *rest_r is SLICE_NONE. So a list is read by
 *	while (rest.ptr != NULL) { item = slice_cut(rest, ',', &rest); ... }
 */
struct slice slice_cut(struct slice s, char sep, struct slice *rest_r);

/* The next line without its LF or CRLF; false at the end. */
bool slice_line(struct slice *rest, struct slice *line_r);

/* Digits only, no sign, no blanks; false when empty, alien or over max. */
bool slice_number(struct slice s, uint64_t max, uint64_t *value_r);

/* ASCII only, whatever the locale. */
static inline bool
ascii_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_alnum(char c)
{
	return ascii_alpha(c) || ascii_digit(c);
}

/* Letters, digits and `also`, nothing else. */
bool ascii_all_of(struct slice s, const char *also);

static inline bool
ascii_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline bool
ascii_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* 0..15, or -1. */
static inline int
ascii_hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
