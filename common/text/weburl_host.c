/* Hosts of URLs (WHATWG URL, 3.5): names, and numbers in all their forms. */
#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>

#include "base/buf.h"
#include "text/punycode.h"
#include "text/utf8.h"
#include "text/weburl.h"

enum { NAME = 1024 };

static struct slice
undo_percent(struct arena *a, struct slice s)
{
	char *out = arena_alloc(a, s.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		int high = -1, low = -1;

		if (s.ptr[i] == '%' && i + 2 < s.len) {
			high = ascii_hex(s.ptr[i + 1]);
			low = ascii_hex(s.ptr[i + 2]);
		}
		if (high < 0 || low < 0) {
			out[n++] = s.ptr[i];
			continue;
		}
		out[n++] = (char)(high * 16 + low);
		i += 2;
	}
	return slice_make(out, n);
}

static bool
is_ascii(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] >= 0x80)
			return false;
	return true;
}

static struct slice
lower(struct arena *a, struct slice s)
{
	char *out = arena_alloc(a, s.len + 1);

	for (size_t i = 0; i < s.len; i++)
		out[i] = ascii_lower(s.ptr[i]);
	return slice_make(out, s.len);
}

/* A text by libidn2; SLICE_NONE: it does not take it. */
static struct slice
by_idna(struct arena *a, struct slice text)
{
	uint8_t *mapped = NULL;
	struct slice out = SLICE_NONE;

	if (idn2_lookup_u8((const uint8_t *)arena_str(a, text), &mapped,
	    IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) == IDN2_OK)
		out = arena_copy(a, slice_of((const char *)mapped));
	idn2_free(mapped);
	return out;
}

/* What has a form of its own in a name; 0: takes no room. */
static uint32_t
bare(uint32_t cp)
{
	if (cp == 0x3002 || cp == 0xff0e || cp == 0xff61)
		return '.';
	if (cp >= 0xff01 && cp <= 0xff5e)
		cp -= 0xfee0;
	if (cp >= 0xfe00 && cp <= 0xfe0f)
		return 0;
	return cp < 0x80 ? (unsigned char)ascii_lower((char)cp) :
	    utf8_unseen(cp) ? 0 : cp;
}

/* A label that IDNA2008 refuses and browsers may take all the same. */
static bool
by_force(struct arena *a, struct slice label, struct buf *out)
{
	struct buf plain = buf_in(a);
	char bytes[4];
	uint32_t cp;

	while (utf8_next(&label, &cp)) {
		if (cp == UTF8_BAD || utf8_control(cp) || cp == 0xfffd ||
		    (cp & 0xfffe) == 0xfffe)
			return false;
		if ((cp = bare(cp)) != 0)
			buf_add(&plain, slice_make(bytes,
			    utf8_put(bytes, cp)));
	}
	return punycode_encode(buf_slice(&plain), out);
}

/* Dots of any script become '.', so that labels can be cut. */
static struct slice
plain_dots(struct arena *a, struct slice name)
{
	struct buf out = buf_in(a);
	char bytes[4];
	uint32_t cp;

	while (utf8_next(&name, &cp))
		buf_add(&out, slice_make(bytes, utf8_put(bytes,
		    bare(cp) == '.' ? '.' : cp)));
	return buf_slice(&out);
}

static struct slice
name_to_ascii(struct arena *a, struct slice name)
{
	struct buf out = buf_in(a);
	struct slice whole;

	if (is_ascii(name))
		return lower(a, name);
	if (!utf8_valid(name) || slice_has(name, '\0'))
		return SLICE_NONE;
	whole = by_idna(a, name);
	if (whole.ptr != NULL)
		return whole;
	for (struct slice rest = plain_dots(a, name); rest.ptr != NULL;) {
		struct slice label = slice_cut(rest, '.', &rest);
		struct slice good = is_ascii(label) ? lower(a, label) :
		    by_idna(a, label);

		if (good.ptr != NULL)
			buf_add(&out, good);
		else if (!by_force(a, label, &out))
			return SLICE_NONE;
		if (rest.ptr != NULL)
			buf_addc(&out, '.');
	}
	return buf_slice(&out);
}

/* "Forbidden domain code points". */
static bool
forbidden(struct slice host)
{
	static const char never[] = " #/:<>?@[\\]^|%";

	for (size_t i = 0; i < host.len; i++) {
		unsigned char c = (unsigned char)host.ptr[i];

		if (c < 0x20 || c >= 0x7f || strchr(never, c) != NULL)
			return true;
	}
	return false;
}

/* Decimal, 0x hexadecimal, or octal behind a 0; what is no number is false. */
static bool
number(struct slice s, uint64_t *value_r, bool *odd)
{
	unsigned base = 10;

	if (s.len == 0)
		return false;
	if (s.len > 1 && s.ptr[0] == '0') {
		base = ascii_lower(s.ptr[1]) == 'x' ? 16 : 8;
		s = slice_after(s, base == 16 ? 2 : 1);
		*odd = true;
	}
	*value_r = 0;
	for (size_t i = 0; i < s.len; i++) {
		int d = ascii_hex(s.ptr[i]);

		if (d < 0 || (unsigned)d >= base)
			return false;
		/* Far too large stays so. */
		if (*value_r < (uint64_t)1 << 40)
			*value_r = *value_r * base + (unsigned)d;
	}
	return true;
}

static bool
digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_digit(s.ptr[i]))
			return false;
	return s.len > 0;
}

static bool
ends_in_number(struct slice host)
{
	size_t dot;
	uint64_t value;
	bool odd;

	if (slice_ends(host, SLICE(".")))
		host.len--;
	dot = slice_find_last(host, '.');
	if (dot < host.len)
		host = slice_after(host, dot + 1);
	return digits(host) || number(host, &value, &odd);
}

/* "The IPv4 parser": one to four numbers, the last one fills the rest. */
static bool
read_ipv4(struct arena *a, struct slice host, struct weburl *url_r)
{
	uint64_t part[4] = { 0 }, ip = 0;
	struct slice rest = host;
	unsigned n = 0;

	if (slice_ends(rest, SLICE("."))) {
		rest.len--;
		url_r->odd_numeric = true;
	}
	while (rest.ptr != NULL)
		if (n == 4 || !number(slice_cut(rest, '.', &rest), &part[n++],
		    &url_r->odd_numeric))
			return false;
	if (n == 0)
		return false;
	url_r->odd_numeric |= n != 4;
	for (unsigned i = 0; i + 1 < n; i++) {
		if (part[i] > 255)
			return false;
		ip |= part[i] << (24 - 8 * i);
	}
	if (part[n - 1] >= (uint64_t)1 << (8 * (5 - n)))
		return false;
	ip |= part[n - 1];
	url_r->host = arena_printf(a, "%u.%u.%u.%u", (unsigned)(ip >> 24),
	    (unsigned)(ip >> 16 & 255), (unsigned)(ip >> 8 & 255),
	    (unsigned)(ip & 255));
	url_r->numeric = true;
	return true;
}

static bool
read_ipv6(struct arena *a, struct slice inside, struct weburl *url_r)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr ip;

	if (inside.len >= sizeof text || slice_has(inside, '\0'))
		return false;
	if (inet_pton(AF_INET6, arena_str(a, inside), &ip) != 1 ||
	    inet_ntop(AF_INET6, &ip, text, sizeof text) == NULL)
		return false;
	url_r->host = arena_copy(a, slice_of(text));
	url_r->numeric = true;
	return true;
}

bool
weburl_host(struct arena *a, struct slice written, struct weburl *url_r)
{
	struct slice name;

	if (slice_starts(written, SLICE("[")))
		return slice_ends(written, SLICE("]")) &&
		    read_ipv6(a, slice_sub(written, 1, written.len - 2),
		    url_r);
	if (written.len > NAME)
		return false;
	name = undo_percent(a, written);
	name = name_to_ascii(a, name);
	if (name.len == 0 || name.len > NAME || forbidden(name))
		return false;
	if (ends_in_number(name)) {
		url_r->odd_numeric = !slice_eq(name, written);
		return read_ipv4(a, name, url_r);
	}
	if (slice_ends(name, SLICE(".")))
		name.len--;
	url_r->host = name;
	/* An empty label leads nowhere. */
	return name.len > 0 && name.ptr[0] != '.' &&
	    slice_search(name, SLICE("..")) == name.len &&
	    !slice_ends(name, SLICE("."));
}
