#include "content/office.h"

#include <string.h>

#include "base/buf.h"
#include "text/charset.h"
#include "text/utf8.h"

enum { FIGURE = 40, EXPONENT = 40, DECLARATION = 200, REFERENCE = 10 };

struct reader {
	struct slice in;
	size_t at, max;
	struct buf seen, unseen;
	unsigned hidden;		/* depth of what is not seen */
	bool figure;			/* in a cell's value */
	bool index;			/* that counts the shared strings */
	bool cut;
};

/* ---- what is XML, and in which charset ---- */

static struct slice
past_mark(struct slice s)
{
	return slice_starts(s, SLICE("\xef\xbb\xbf")) ? slice_after(s, 3) : s;
}

static const char *
wide(struct slice s)
{
	if (slice_starts(s, SLICE("\xff\xfe")) ||
	    slice_starts(s, SLICE("<\0")))
		return "utf-16le";
	if (slice_starts(s, SLICE("\xfe\xff")) ||
	    slice_starts(s, SLICE("\0<")))
		return "utf-16be";
	return NULL;
}

bool
office_xml(struct slice bytes)
{
	struct slice s = slice_trim(past_mark(slice_sub(bytes, 0,
	    DECLARATION)));

	if (wide(bytes) != NULL)
		return slice_search(slice_sub(bytes, 0, DECLARATION),
		    SLICE("?\0x\0m\0l")) < DECLARATION &&
		    bytes.len > 10;
	return slice_starts_nocase(s, SLICE("<?xml"));
}

/* The value of encoding="..." in the declaration. */
static struct slice
declared(struct slice s)
{
	struct slice d = slice_sub(s, 0, DECLARATION), name;
	char quote;

	d = slice_sub(d, 0, slice_search(d, SLICE("?>")));
	d = slice_after(d, slice_search(d, SLICE("encoding")));
	d = slice_after(d, 8);
	while (d.len > 0 && (ascii_space(d.ptr[0]) || d.ptr[0] == '='))
		d = slice_after(d, 1);
	if (d.len < 2 || (d.ptr[0] != '"' && d.ptr[0] != '\''))
		return SLICE("utf-8");
	quote = d.ptr[0];
	name = slice_cut(slice_after(d, 1), quote, &d);
	return name.len > 0 ? name : SLICE("utf-8");
}

static struct slice
as_utf8(struct arena *a, struct slice bytes, size_t max, bool *cut_r)
{
	const char *name = wide(bytes);
	struct slice charset = name != NULL ? slice_of(name) :
	    declared(past_mark(bytes));
	struct buf out = buf_in(a);

	if (slice_eq_nocase(charset, SLICE("utf-8")))
		return past_mark(bytes);
	*cut_r |= (charset_utf8(charset, bytes, max, &out) & CHARSET_CUT) != 0;
	return past_mark(buf_slice(&out));
}

/* ---- text ---- */

static void
put(struct reader *r, struct buf *to, struct slice s)
{
	size_t used = r->seen.len + r->unseen.len;

	if (s.len > r->max - used) {
		s.len = r->max - used;
		r->cut = true;
	}
	buf_add(to, s);
}

static void
put_text(struct reader *r, struct slice s)
{
	put(r, r->hidden > 0 ? &r->unseen : &r->seen, s);
}

static bool
number(struct slice s, uint32_t *cp_r)
{
	bool hex = s.len > 1 && (s.ptr[0] == 'x' || s.ptr[0] == 'X');
	uint32_t cp = 0;

	if (hex)
		s = slice_after(s, 1);
	if (s.len == 0 || s.len > 8)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int digit = ascii_hex(s.ptr[i]);

		if (digit < 0 || (!hex && digit > 9))
			return false;
		cp = cp * (hex ? 16 : 10) + (uint32_t)digit;
	}
	*cp_r = cp;
	return true;
}

/* At a '&'; bytes that were read, 0: it stands for itself. */
static size_t
reference(struct slice s, struct reader *r)
{
	static const struct { struct slice name; char c; } names[] = {
		{ { "amp", 3 }, '&' }, { { "lt", 2 }, '<' },
		{ { "gt", 2 }, '>' }, { { "quot", 4 }, '"' },
		{ { "apos", 4 }, '\'' } };
	struct slice body = slice_sub(s, 1, REFERENCE);
	size_t end = slice_find(body, ';');
	uint32_t cp;
	char out[4];

	if (end == body.len)
		return 0;
	body.len = end;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_eq(body, names[i].name)) {
			put_text(r, slice_make(&names[i].c, 1));
			return end + 2;
		}
	if (body.len < 2 || body.ptr[0] != '#' ||
	    !number(slice_after(body, 1), &cp))
		return 0;
	put_text(r, slice_make(out, utf8_put(out, cp)));
	return end + 2;
}

/* 4.1111111E15 as its digits, where it is a whole number; else as it is. */
static struct slice
written_out(struct slice s, char out[FIGURE + EXPONENT])
{
	size_t e = slice_find(s, 'E') < s.len ? slice_find(s, 'E') :
	    slice_find(s, 'e');
	struct slice mantissa = slice_sub(s, 0, e), power, fraction;
	struct slice whole = slice_cut(mantissa, '.', &fraction);
	uint64_t n;

	power = slice_after(s, e + 1);
	if (slice_starts(power, SLICE("+")))
		power = slice_after(power, 1);
	if (s.len > FIGURE || e == s.len || whole.len != 1 ||
	    !ascii_digit(whole.ptr[0]) ||
	    !slice_number(power, EXPONENT - 2, &n) || fraction.len > n)
		return s;
	out[0] = whole.ptr[0];
	for (size_t i = 0; i < n; i++)
		out[i + 1] = i < fraction.len ? fraction.ptr[i] : '0';
	return slice_make(out, n + 1);
}

static void
text(struct reader *r, struct slice s)
{
	char out[FIGURE + EXPONENT];
	size_t amp;

	if (r->figure && r->index)
		return;
	if (r->figure) {
		put_text(r, written_out(slice_trim(s), out));
		return;
	}
	while (s.len > 0) {
		size_t n;

		amp = slice_find(s, '&');
		put_text(r, slice_sub(s, 0, amp));
		s = slice_after(s, amp);
		n = s.len > 0 ? reference(s, r) : 0;
		if (n == 0 && s.len > 0) {
			put_text(r, SLICE("&"));
			n = 1;
		}
		s = slice_after(s, n);
	}
}

/* ---- elements ---- */

static bool
one_of(struct slice name, const char *const *names)
{
	for (; *names != NULL; names++)
		if (slice_eq(name, slice_of(*names)))
			return true;
	return false;
}

/* Inside a line; all others end one. */
static bool
inline_element(struct slice name)
{
	static const char *const names[] = { "r", "t", "span", "a", "rPr",
	    "rFonts", "b", "i", "u", "bCs", "iCs", "sz", "szCs", "lang",
	    "color", "hyperlink", "smartTag", "ins", "del", "moveTo", "fld",
	    "moveFrom", "proofErr", "bookmarkStart", "bookmarkEnd", "noProof",
	    "fldSimple", "sdt", "sdtContent", "sdtPr", "highlight", "strike",
	    "rStyle", "vertAlign", "lastRenderedPageBreak", "softHyphen",
	    "permStart", "permEnd", "commentRangeStart", "commentRangeEnd",
	    "delText", "instrText", "fldChar", "bookmark", "bookmark-start",
	    "bookmark-end", "soft-page-break", "text-input", "phoneticPr",
	    "solidFill", "latin", "ea", "cs", "srgbClr", "schemeClr", "kern",
	    "spacing", "position", "w", "shd", "bdr", "caps", "smallCaps",
	    "vanish", "webHidden", "effect", "em", "rtl", "ruby", "rubyBase",
	    "noBreakHyphen", "charset", "family", "scheme", "rFont", "outline",
	    "shadow", "note", "meta", "change", "change-start", "change-end",
	    NULL };

	return one_of(name, names);
}

static bool
unseen_element(struct slice name)
{
	static const char *const names[] = { "delText", "instrText", "rPh",
	    "delInstrText", "tracked-changes", "f", NULL };

	return one_of(name, names);
}

/* The value of an attribute by its local name, with its references. */
static struct slice
attribute(struct slice tag, struct slice name)
{
	for (size_t i = 1; i + name.len + 2 < tag.len; i++) {
		struct slice rest = slice_after(tag, i), quoted;
		char quote;

		if ((tag.ptr[i - 1] != ':' && !ascii_space(tag.ptr[i - 1])) ||
		    !slice_starts(rest, name) || rest.ptr[name.len] != '=')
			continue;
		quote = rest.ptr[name.len + 1];
		if (quote != '"' && quote != '\'')
			continue;
		quoted = slice_after(rest, name.len + 2);
		return slice_sub(quoted, 0, slice_find(quoted, quote));
	}
	return SLICE_NONE;
}

/* What stands in an attribute goes behind all that is seen. */
static void
attributes(struct reader *r, struct slice tag, struct slice name)
{
	static const char *const names[] = { "string-value", "value", "title",
	    "descr", "name", "tooltip", NULL };
	char out[FIGURE + EXPONENT];
	unsigned was = r->hidden;

	if (!slice_eq(name, SLICE("table-cell")) &&
	    !slice_eq(name, SLICE("property")) &&
	    !slice_eq(name, SLICE("docPr")) &&
	    !slice_eq(name, SLICE("label")) &&
	    !slice_eq(name, SLICE("cNvPr")) &&
	    !slice_eq(name, SLICE("user-defined")))
		return;
	r->hidden = 1;
	for (const char *const *n = names; *n != NULL; n++) {
		struct slice value = attribute(tag, slice_of(*n));

		if (value.len == 0)
			continue;
		text(r, written_out(value, out));
		put_text(r, SLICE("\n"));
	}
	r->hidden = was;
}

static void
blanks(struct reader *r, struct slice tag)
{
	struct slice count = attribute(tag, SLICE("c"));
	uint64_t n = 1;

	if (count.ptr != NULL && !slice_number(count, 20, &n))
		n = 20;
	for (uint64_t i = 0; i < n; i++)
		put_text(r, SLICE(" "));
}

static void
between(struct reader *r, struct slice name)
{
	static const char *const cells[] = { "c", "tc", "tab", "table-cell",
	    "v", "f", "is", NULL };
	const struct buf *b = r->hidden > 0 ? &r->unseen : &r->seen;

	if (b->len > 0 && !ascii_space(b->ptr[b->len - 1]))
		put_text(r, one_of(name, cells) ? SLICE("\t") : SLICE("\n"));
}

/* A tag without its < and >. */
static void
tag(struct reader *r, struct slice tag)
{
	bool closes = slice_starts(tag, SLICE("/"));
	bool empty = slice_ends(tag, SLICE("/"));
	struct slice name = closes ? slice_after(tag, 1) : tag;
	size_t n = 0;

	while (n < name.len && !ascii_space(name.ptr[n]) && name.ptr[n] != '/')
		n++;
	name.len = n;
	if (slice_find(name, ':') < name.len)
		name = slice_after(name, slice_find(name, ':') + 1);
	if (slice_eq(name, SLICE("s")) && !closes &&
	    slice_find(tag, ':') < tag.len)
		blanks(r, tag);
	else if (slice_eq(name, SLICE("noBreakHyphen")) && !closes)
		put_text(r, SLICE("-"));
	else if (unseen_element(name)) {
		if (closes)
			put(r, &r->unseen, SLICE(" "));
		if (closes && r->hidden > 0)
			r->hidden--;
		else if (!closes && !empty)
			r->hidden++;
	} else if (!inline_element(name))
		between(r, name);
	if (slice_eq(name, SLICE("c")) && !closes)
		r->index = slice_eq(attribute(tag, SLICE("t")), SLICE("s"));
	r->figure = slice_eq(name, SLICE("v")) && !closes && !empty;
	if (!closes)
		attributes(r, tag, name);
}

/* Behind a '<': what ends it, and what is to be done about it. */
static void
markup(struct reader *r)
{
	struct slice rest = slice_after(r->in, r->at);
	static const struct { struct slice begins, ends; } kinds[] = {
		{ { "!--", 3 }, { "-->", 3 } },
		{ { "![CDATA[", 8 }, { "]]>", 3 } },
		{ { "?", 1 }, { "?>", 2 } }, { { "!", 1 }, { ">", 1 } } };
	size_t end;

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (!slice_starts(rest, kinds[i].begins))
			continue;
		rest = slice_after(rest, kinds[i].begins.len);
		end = slice_search(rest, kinds[i].ends);
		if (i == 1)
			put_text(r, slice_sub(rest, 0, end));
		r->at += kinds[i].begins.len + end + kinds[i].ends.len;
		return;
	}
	end = slice_find(rest, '>');
	tag(r, slice_sub(rest, 0, end));
	r->at += end + 1;
}

struct slice
office_text(struct arena *a, struct slice bytes, size_t max, bool *cut_r)
{
	struct reader r = { .max = max, .seen = buf_in(a),
	    .unseen = buf_in(a) };

	*cut_r = false;
	r.in = as_utf8(a, bytes, max * 4, cut_r);
	while (r.at < r.in.len && !r.cut) {
		struct slice rest = slice_after(r.in, r.at);
		size_t lt = slice_find(rest, '<');

		text(&r, slice_sub(rest, 0, lt));
		r.at += lt + 1;
		if (lt < rest.len)
			markup(&r);
	}
	if (r.unseen.len > 0) {
		put(&r, &r.seen, SLICE("\n"));
		buf_add(&r.seen, buf_slice(&r.unseen));
	}
	*cut_r |= r.cut;
	return buf_slice(&r.seen);
}
