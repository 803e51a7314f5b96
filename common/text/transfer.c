#include "text/transfer.h"

#include <endian.h>
#include <string.h>

static const struct {
	const char *name;
	enum transfer kind;
} names[] = {
	{ "7bit", TRANSFER_7BIT },
	{ "8bit", TRANSFER_8BIT },
	{ "binary", TRANSFER_BINARY },
	{ "quoted-printable", TRANSFER_QP },
	{ "base64", TRANSFER_BASE64 },
	{ "x-uuencode", TRANSFER_UUENCODE },
	{ "uuencode", TRANSFER_UUENCODE },
	{ "x-uue", TRANSFER_UUENCODE },
	{ "uue", TRANSFER_UUENCODE },
};

/* One more than the value; 0 for what is not in the alphabet. */
static const unsigned char base64_value[256] = {
	['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6,
	['G'] = 7, ['H'] = 8, ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12,
	['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16, ['Q'] = 17,
	['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22,
	['W'] = 23, ['X'] = 24, ['Y'] = 25, ['Z'] = 26, ['a'] = 27,
	['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
	['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37,
	['l'] = 38, ['m'] = 39, ['n'] = 40, ['o'] = 41, ['p'] = 42,
	['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47,
	['v'] = 48, ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52,
	['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56, ['4'] = 57,
	['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62,
	['+'] = 63, ['/'] = 64,
};

static const char base64_digit[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

enum { LINE_MAX_ENCODED = 76 };

/* Over blanks and comments in front; a comment may hold comments. */
static struct slice
skip_comments(struct slice s)
{
	size_t depth = 0, i = 0;

	for (; i < s.len; i++) {
		if (s.ptr[i] == '(')
			depth++;
		else if (s.ptr[i] == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !ascii_space(s.ptr[i]))
			break;
	}
	return slice_after(s, i);
}

enum transfer
transfer_parse(struct slice body)
{
	struct slice s = skip_comments(body);
	size_t len = 0;

	/* Some senders put the token in quotes, some add a semicolon. */
	if (s.len > 0 && s.ptr[0] == '"')
		s = slice_after(s, 1);
	while (len < s.len && !ascii_space(s.ptr[len]) &&
	    memchr("(;,\"", s.ptr[len], 4) == NULL)
		len++;
	s = slice_sub(s, 0, len);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (slice_eq_nocase(s, slice_of(names[i].name)))
			return names[i].kind;
	return s.len == 0 ? TRANSFER_7BIT : TRANSFER_UNKNOWN;
}

const char *
transfer_name(enum transfer kind)
{
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].kind == kind)
			return names[i].name;
	return "unknown";
}

/* base64 */

static void
base64_finish(struct base64_unit *u, uint32_t bits, unsigned digits)
{
	bits <<= 6 * (4 - digits);
	u->count = digits > 1 ? digits - 1 : 0;
	u->bytes[0] = (char)(bits >> 16);
	u->bytes[1] = (char)(bits >> 8);
	u->bytes[2] = (char)bits;
}

/* Over the rest of the padding, blanks between. */
static size_t
skip_padding(struct slice in, size_t at)
{
	size_t end = at;

	for (; at < in.len; at++) {
		if (in.ptr[at] == '=')
			end = at + 1;
		else if (!ascii_space(in.ptr[at]))
			break;
	}
	return end;
}

static struct base64_unit
base64_unit(struct slice in, size_t at, bool unpadded)
{
	struct base64_unit u = { .start = in.len, .end = in.len };
	unsigned digits = 0;
	uint32_t bits = 0;

	for (; at < in.len && digits < 4; at++) {
		unsigned value = base64_value[(unsigned char)in.ptr[at]];

		if (value > 0) {
			if (digits++ == 0)
				u.start = at;
			bits = bits << 6 | (value - 1);
			u.end = at + 1;
		} else if (in.ptr[at] == '=' && !unpadded) {
			if (digits == 0)
				u.start = at;
			if (digits < 2)
				u.flags |= TRANSFER_JUNK;
			u.padded = true;
			u.end = skip_padding(in, at);
			break;
		} else if (!ascii_space(in.ptr[at])) {
			u.flags |= TRANSFER_JUNK;
		}
	}
	if (digits > 0 && digits < 4 && !u.padded)
		u.flags |= TRANSFER_SHORT;
	base64_finish(&u, bits, digits);
	return u;
}

struct base64_unit
base64_next(struct slice in, size_t at)
{
	return base64_unit(in, at, false);
}

/* Quanta of four digits side by side, nearly all there is. A byte more than
 * the three may be written where there is room. */
static size_t
base64_run(struct slice in, size_t at, char *out, size_t room, size_t *len_r)
{
	const unsigned char *p = (const unsigned char *)in.ptr;
	size_t len = *len_r;

	while (in.len - at >= 4 && room - len >= 4) {
		uint32_t a = base64_value[p[at]] - UINT32_C(1);
		uint32_t b = base64_value[p[at + 1]] - UINT32_C(1);
		uint32_t c = base64_value[p[at + 2]] - UINT32_C(1);
		uint32_t d = base64_value[p[at + 3]] - UINT32_C(1);
		uint32_t bits;

		if (((a | b | c | d) & UINT32_C(0x80000000)) != 0)
			break;
		bits = htobe32(a << 26 | b << 20 | c << 14 | d << 8);
		memcpy(out + len, &bits, sizeof bits);
		len += 3;
		at += 4;
	}
	*len_r = len;
	return at;
}

static size_t
base64_decode(struct slice in, char *out, size_t room, bool unpadded,
    unsigned *flags)
{
	size_t len = 0, at = 0, before;
	bool padded = false;

	while (at < in.len) {
		struct base64_unit u;

		before = len;
		at = base64_run(in, at, out, room, &len);
		if (padded && len > before)
			*flags |= TRANSFER_AFTER_PAD;
		if (at >= in.len)
			break;
		if (in.ptr[at] == '\r' || in.ptr[at] == '\n') {
			at++;
			continue;
		}
		u = base64_unit(in, at, unpadded);
		at = u.end;
		*flags |= u.flags;
		if (padded && u.count > 0)
			*flags |= TRANSFER_AFTER_PAD;
		padded = padded || u.padded;
		if (u.count > room - len) {
			*flags |= TRANSFER_CUT;
			u.count = (unsigned)(room - len);
			at = in.len;
		}
		memcpy(out + len, u.bytes, u.count);
		len += u.count;
	}
	return len;
}

void
encode_base64(struct buf *out, struct slice in)
{
	const unsigned char *p = (const unsigned char *)in.ptr;
	size_t column = 0;

	for (size_t i = 0; i < in.len; i += 3) {
		size_t n = in.len - i < 3 ? in.len - i : 3;
		uint32_t bits = (uint32_t)p[i] << 16 |
		    (n > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
		    (n > 2 ? (uint32_t)p[i + 2] : 0);
		char four[4] = {
			base64_digit[bits >> 18], base64_digit[bits >> 12 & 63],
			n > 1 ? base64_digit[bits >> 6 & 63] : '=',
			n > 2 ? base64_digit[bits & 63] : '=',
		};

		if (column == LINE_MAX_ENCODED) {
			buf_add(out, SLICE("\r\n"));
			column = 0;
		}
		buf_add(out, slice_make(four, 4));
		column += 4;
	}
}

/* Quoted-printable */

/* Length of the line end at `at`; 0 when there is none. */
static size_t
line_end(struct slice in, size_t at)
{
	if (at < in.len && in.ptr[at] == '\n')
		return 1;
	if (in.len - at >= 2 && in.ptr[at] == '\r' && in.ptr[at + 1] == '\n')
		return 2;
	return 0;
}

static size_t
skip_blanks(struct slice in, size_t at)
{
	while (at < in.len && ascii_blank(in.ptr[at]))
		at++;
	return at;
}

static struct qp_unit
qp_equals(struct slice in, size_t at)
{
	struct qp_unit u = { QP_JUNK, 1, '=' };
	size_t end;

	if (in.len - at >= 3) {
		int high = ascii_hex(in.ptr[at + 1]);
		int low = ascii_hex(in.ptr[at + 2]);

		if (high >= 0 && low >= 0)
			return (struct qp_unit){ QP_ESCAPE, 3,
			    (char)(high << 4 | low) };
	}
	end = skip_blanks(in, at + 1);
	if (end == in.len || line_end(in, end) > 0) {
		u.kind = QP_SOFT;
		u.len = end - at + line_end(in, end);
	}
	return u;
}

struct qp_unit
qp_next(struct slice in, size_t at)
{
	size_t end = at;

	if (in.ptr[at] == '=')
		return qp_equals(in, at);
	while (end < in.len && in.ptr[end] != '=') {
		size_t blanks = end;

		if (!ascii_blank(in.ptr[end])) {
			end++;
			continue;
		}
		end = skip_blanks(in, end);
		if (end < in.len && line_end(in, end) == 0)
			continue;
		/* Those at a line's end are a unit of their own; so a run is
		 * looked through twice at most. */
		if (blanks == at)
			return (struct qp_unit){ QP_TRAILING, end - at, 0 };
		end = blanks;
		break;
	}
	return (struct qp_unit){ QP_LITERAL, end - at, 0 };
}

static size_t
qp_decode(struct slice in, char *out, size_t room, unsigned *flags)
{
	size_t len = 0, n;

	for (size_t at = 0; at < in.len; ) {
		struct qp_unit u = qp_next(in, at);

		n = 0;
		if (u.kind == QP_LITERAL)
			n = u.len;
		else if (u.kind == QP_ESCAPE || u.kind == QP_JUNK)
			n = 1;
		if (u.kind == QP_JUNK)
			*flags |= TRANSFER_JUNK;
		if (n > room - len) {
			*flags |= TRANSFER_CUT;
			n = room - len;
		}
		if (n > 0)
			memcpy(out + len,
			    u.kind == QP_LITERAL ? in.ptr + at : &u.byte, n);
		len += n;
		if ((*flags & TRANSFER_CUT) != 0)
			break;
		at += u.len;
	}
	return len;
}

static void
qp_escape(struct buf *out, char c)
{
	static const char hex[] = "0123456789ABCDEF";
	char three[3] = { '=', hex[(unsigned char)c >> 4],
	    hex[(unsigned char)c & 15] };

	buf_add(out, slice_make(three, 3));
}

void
encode_qp(struct buf *out, struct slice in)
{
	size_t column = 0;

	for (size_t i = 0; i < in.len; i++) {
		char c = in.ptr[i];
		bool plain = c > ' ' && c <= '~' && c != '=';

		if (line_end(in, i) == 2) {
			buf_add(out, SLICE("\r\n"));
			column = 0;
			i++;
			continue;
		}
		if (ascii_blank(c))
			plain = i + 1 < in.len && line_end(in, i + 1) == 0;
		if (column + (plain ? 1 : 3) > LINE_MAX_ENCODED - 1) {
			buf_add(out, SLICE("=\r\n"));
			column = 0;
		}
		if (plain)
			buf_addc(out, c);
		else
			qp_escape(out, c);
		column += plain ? 1 : 3;
	}
}

/* uuencode */

static unsigned
uu_value(struct slice line, size_t at, unsigned *flags)
{
	if (at >= line.len)
		return 0;
	if (line.ptr[at] < ' ' || line.ptr[at] > '`')
		*flags |= TRANSFER_JUNK;
	return (unsigned)(line.ptr[at] - ' ') & 63;
}

/* One line, at most 63 bytes. */
static void
uu_line(struct buf *out, struct slice line, unsigned *flags)
{
	size_t want = uu_value(line, 0, flags), len = 0;
	char bytes[66];

	if (line.len < 1 + (want + 2) / 3 * 4)
		*flags |= TRANSFER_SHORT;
	for (size_t at = 1; len < want; at += 4) {
		uint32_t bits = uu_value(line, at, flags) << 18 |
		    uu_value(line, at + 1, flags) << 12 |
		    uu_value(line, at + 2, flags) << 6 |
		    uu_value(line, at + 3, flags);

		bytes[len++] = (char)(bits >> 16);
		bytes[len++] = (char)(bits >> 8);
		bytes[len++] = (char)bits;
	}
	buf_add(out, slice_make(bytes, want));
}

/* Behind the "begin" line; without one, all of it. */
static struct slice
uu_data(struct slice in, unsigned *flags)
{
	struct slice rest = in, line;

	while (slice_line(&rest, &line))
		if (slice_starts(line, SLICE("begin ")))
			return rest.ptr != NULL ? rest : slice_sub(in, 0, 0);
	*flags |= TRANSFER_JUNK;
	return in;
}

static struct slice
uu_decode(struct arena *a, struct slice in, size_t limit, unsigned *flags)
{
	struct slice rest = uu_data(in, flags), line;
	struct buf out = buf_in(a);

	while (out.len <= limit) {
		if (!slice_line(&rest, &line)) {
			*flags |= TRANSFER_SHORT;
			break;
		}
		if (slice_eq(slice_trim(line), SLICE("end")))
			break;
		if (line.len > 0)
			uu_line(&out, line, flags);
	}
	if (out.len > limit)
		*flags |= TRANSFER_CUT;
	return slice_sub(buf_slice(&out), 0, limit);
}

static struct slice
decode(struct arena *a, enum transfer kind, struct slice in, size_t limit,
    bool unpadded, unsigned *flags)
{
	size_t room = kind == TRANSFER_QP ? in.len : in.len / 4 * 3 + 3, len;
	char *out;

	if (kind == TRANSFER_UUENCODE)
		return uu_decode(a, in, limit, flags);
	if (room > limit)
		room = limit;
	out = arena_bytes(a, room + 1);
	if (kind == TRANSFER_BASE64)
		len = base64_decode(in, out, room, unpadded, flags);
	else
		len = qp_decode(in, out, room, flags);
	out[len] = '\0';
	return slice_make(out, len);
}

struct slice
transfer_decode(struct arena *a, enum transfer kind, struct slice in,
    size_t limit, unsigned *flags_r)
{
	unsigned flags = 0;
	struct slice out;

	if (!transfer_identity(kind)) {
		out = decode(a, kind, in, limit, false, &flags);
	} else {
		out = slice_sub(in, 0, limit);
		flags = in.len > limit ? TRANSFER_CUT : 0;
	}
	if (flags_r != NULL)
		*flags_r = flags;
	return out;
}

struct slice
transfer_decode_unpadded(struct arena *a, struct slice in, size_t limit,
    unsigned *flags_r)
{
	unsigned flags = 0;
	struct slice out;

	out = decode(a, TRANSFER_BASE64, in, limit, true, &flags);
	if (flags_r != NULL)
		*flags_r = flags;
	return out;
}
