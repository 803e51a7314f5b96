#include "filetype/filename.h"

#include "base/buf.h"
#include "filetype/filetype.h"
#include "text/utf8.h"

enum { MANY_BLANKS = 5, EXTENSION = 40 };

/* What runs or leads to something when it is opened. */
enum { DANGEROUS = FILETYPE_EXECUTABLE | FILETYPE_SCRIPT |
    FILETYPE_SHORTCUT | FILETYPE_DISK };

static uint32_t
folded(uint32_t cp)
{
	if (cp >= 0xff01 && cp <= 0xff5e)
		return cp - 0xff01 + '!';
	if (cp == 0x2024 || cp == 0x3002 || cp == 0xff61 || cp == 0xfe52)
		return '.';
	if (cp == 0x2215 || cp == 0x2044 || cp == 0x29f8)
		return '/';
	return cp;
}

static unsigned
oddness(uint32_t cp)
{
	if (cp == UTF8_BAD)
		return FILENAME_INVALID;
	if (utf8_bidi(cp))
		return FILENAME_BIDI;
	if (utf8_control(cp))
		return FILENAME_CONTROL;
	return utf8_unseen(cp) ? FILENAME_UNSEEN : 0;
}

static struct slice
cleaned(struct arena *a, struct slice name, unsigned *flags)
{
	struct buf out = buf_in(a);
	uint32_t cp, plain;
	char bytes[4];

	while (utf8_next(&name, &cp)) {
		unsigned odd = oddness(cp);

		*flags |= odd;
		if (odd == FILENAME_INVALID)
			cp = 0xfffd;
		else if (odd != 0)
			continue;
		plain = folded(cp);
		if (plain != cp)
			*flags |= FILENAME_WIDE;
		buf_add(&out, slice_make(bytes, utf8_put(bytes, plain)));
	}
	return buf_slice(&out);
}

static struct slice
without_path(struct slice s, unsigned *flags)
{
	size_t slash = slice_find_last(s, '/'), back = slice_find_last(s, '\\');
	size_t at = 0;

	if (slash < s.len)
		at = slash + 1;
	if (back < s.len && back + 1 > at)
		at = back + 1;
	if (at > 0)
		*flags |= FILENAME_PATH;
	return slice_after(s, at);
}

static struct slice
without_tail(struct slice s, unsigned *flags)
{
	size_t len = s.len;

	while (s.len > 0 && (s.ptr[s.len - 1] == '.' ||
	    ascii_space(s.ptr[s.len - 1])))
		s.len--;
	if (s.len < len)
		*flags |= FILENAME_TRAILING;
	return s;
}

static struct slice
lowered(struct arena *a, struct slice s)
{
	struct buf out = buf_in(a);

	for (size_t i = 0; i < s.len; i++)
		buf_addc(&out, ascii_lower(s.ptr[i]));
	return buf_slice(&out);
}

/* Behind the last dot; *stem_r gets what stands before it. */
static struct slice
extension(struct arena *a, struct slice s, struct slice *stem_r)
{
	size_t dot = slice_find_last(s, '.');

	*stem_r = slice_sub(s, 0, dot);
	if (dot == s.len || s.len - dot > EXTENSION + 1) {
		*stem_r = s;
		return SLICE("");
	}
	return lowered(a, slice_trim(slice_after(s, dot + 1)));
}

static bool
is_clsid(struct slice ext)
{
	return ext.len == 38 && ext.ptr[0] == '{' && ext.ptr[37] == '}';
}

static void
find_double(struct filename *n)
{
	const struct filetype *last = filetype_by_ext(n->ext);
	const struct filetype *before = filetype_by_ext(n->before);

	if (last != NULL && (last->classes & DANGEROUS) != 0 &&
	    before != NULL && (before->classes & DANGEROUS) == 0)
		n->flags |= FILENAME_DOUBLE;
}

static void
find_blanks(struct filename *n, struct slice stem)
{
	size_t blanks = 0;

	while (blanks < stem.len && (ascii_space(stem.ptr[stem.len - 1 -
	    blanks]) || stem.ptr[stem.len - 1 - blanks] == '_'))
		blanks++;
	if (blanks >= MANY_BLANKS)
		n->flags |= FILENAME_BLANKS;
}

void
filename_read(struct arena *a, struct slice name, struct filename *name_r)
{
	struct filename n = { .stream = SLICE("") };
	struct slice s, stem, file, unused;

	if (name.len > FILENAME_LONG)
		n.flags |= FILENAME_TOO_LONG;
	if (name.len > FILENAME_READ)
		name = slice_after(name, name.len - FILENAME_READ);
	s = without_path(cleaned(a, name, &n.flags), &n.flags);
	n.clean = file = without_tail(s, &n.flags);
	if (slice_has(file, ':')) {
		n.flags |= FILENAME_STREAM;
		s = slice_sub(file, 0, slice_find(file, ':'));
		n.stream = extension(a, without_tail(s, &n.flags), &unused);
		file = slice_after(file, slice_find_last(file, ':') + 1);
	}
	n.ext = extension(a, file, &stem);
	find_blanks(&n, stem);
	n.before = extension(a, without_tail(stem, &(unsigned){ 0 }), &unused);
	if (is_clsid(n.ext))
		n.flags |= FILENAME_CLSID;
	find_double(&n);
	*name_r = n;
}

const char *
filename_flag_name(unsigned bit)
{
	static const char *const names[] = { "double-extension",
	    "trailing-dots", "bidi", "unseen", "control", "long", "no-utf8",
	    "blanks", "stream", "path", "disguised", "class-id" };

	for (unsigned i = 0; i < FILENAME_FLAGS; i++)
		if (bit == 1u << i)
			return names[i];
	return NULL;
}

unsigned
filename_tricks(const struct filename *name)
{
	const unsigned hides = DANGEROUS | FILETYPE_MACRO | FILETYPE_HTML;
	const struct filetype *last = filetype_by_ext(name->ext);
	const struct filetype *stream = filetype_by_ext(name->stream);
	unsigned runs = (last != NULL ? last->classes : 0) |
	    (stream != NULL ? stream->classes : 0);

	return (runs & hides) != 0 ? name->flags & ~(unsigned)(FILENAME_PATH |
	    FILENAME_INVALID) : name->flags & (FILENAME_DOUBLE |
	    FILENAME_CLSID);
}
