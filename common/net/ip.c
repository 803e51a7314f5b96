#include "net/ip.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

static const unsigned char mapped[12] =
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

enum { MAPPED_BITS = 8 * sizeof mapped };

static unsigned
family_bits(int family)
{
	return family == AF_INET ? 32 : family == AF_INET6 ? 128 : 0;
}

/* inet_pton over a slice; NUL and overlong text are no address. */
static bool
parse_as(int family, struct slice text, struct ip *ip_r)
{
	char str[INET6_ADDRSTRLEN];

	if (text.len == 0 || text.len >= sizeof str || slice_has(text, '\0'))
		return false;
	memcpy(str, text.ptr, text.len);
	str[text.len] = '\0';
	memset(ip_r, 0, sizeof *ip_r);
	ip_r->family = family;
	return inet_pton(family, str, ip_r->bytes) == 1;
}

static bool
is_mapped(const struct ip *ip)
{
	return ip->family == AF_INET6 &&
	    memcmp(ip->bytes, mapped, sizeof mapped) == 0;
}

static void
unmap(struct ip *ip)
{
	memcpy(ip->bytes, ip->bytes + sizeof mapped, 4);
	memset(ip->bytes + 4, 0, sizeof ip->bytes - 4);
	ip->family = AF_INET;
}

/* As written: a mapped address is not yet an IPv4 one. */
static bool
parse_raw(struct slice text, struct ip *ip_r)
{
	struct slice tag = SLICE("IPv6:");

	if (slice_starts_nocase(text, tag))
		return parse_as(AF_INET6, slice_after(text, tag.len), ip_r);
	return parse_as(slice_has(text, ':') ? AF_INET6 : AF_INET, text, ip_r);
}

bool
ip_parse(struct slice text, struct ip *ip_r)
{
	if (!parse_raw(text, ip_r))
		return false;
	if (is_mapped(ip_r))
		unmap(ip_r);
	return true;
}

void
ip_of_bytes(int family, const void *bytes, struct ip *ip_r)
{
	memset(ip_r, 0, sizeof *ip_r);
	ip_r->family = family;
	memcpy(ip_r->bytes, bytes, family_bits(family) / 8);
	if (is_mapped(ip_r))
		unmap(ip_r);
}

struct slice
ip_format(struct arena *a, const struct ip *ip)
{
	char str[INET6_ADDRSTRLEN];

	if (family_bits(ip->family) == 0 ||
	    inet_ntop(ip->family, ip->bytes, str, sizeof str) == NULL)
		return SLICE("unknown");
	return arena_copy(a, slice_of(str));
}

static struct slice
reverse6(struct arena *a, const unsigned char *bytes)
{
	static const char digits[] = "0123456789abcdef";
	char nibbles[64];

	for (int i = 0; i < 16; i++) {
		nibbles[4 * i] = digits[bytes[15 - i] & 15];
		nibbles[4 * i + 1] = '.';
		nibbles[4 * i + 2] = digits[bytes[15 - i] >> 4];
		nibbles[4 * i + 3] = '.';
	}
	return arena_printf(a, "%.64sip6.arpa", nibbles);
}

struct slice
ip_reverse(struct arena *a, const struct ip *ip)
{
	const unsigned char *b = ip->bytes;

	if (ip->family == AF_INET)
		return arena_printf(a, "%u.%u.%u.%u.in-addr.arpa",
		    b[3], b[2], b[1], b[0]);
	if (ip->family == AF_INET6)
		return reverse6(a, b);
	return SLICE_NONE;
}

bool
ip_match(const struct ip *a, const struct ip *b, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (a->family != b->family || family_bits(a->family) == 0 ||
	    bits > family_bits(a->family))
		return false;
	if (memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return rest == 0 ||
	    (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

/* "24"; no sign, no leading zero (RFC 7208, 12: ip4-cidr-length). */
static bool
parse_bits(struct slice text, unsigned max, unsigned *bits_r)
{
	uint64_t n;

	if (!slice_number(text, max, &n) || (text.len > 1 && *text.ptr == '0'))
		return false;
	*bits_r = (unsigned)n;
	return true;
}

bool
net_parse_loose(struct slice text, struct network *net_r)
{
	struct slice prefix, address = slice_cut(text, '/', &prefix);
	unsigned all;

	if (!parse_raw(address, &net_r->ip))
		return false;
	all = family_bits(net_r->ip.family);
	net_r->bits = all;
	if (prefix.ptr != NULL && !parse_bits(prefix, all, &net_r->bits))
		return false;
	if (is_mapped(&net_r->ip) && net_r->bits >= MAPPED_BITS) {
		unmap(&net_r->ip);
		net_r->bits -= MAPPED_BITS;
	}
	return true;
}

void
net_mask(struct network *net)
{
	for (unsigned i = 0; i < sizeof net->ip.bytes; i++) {
		unsigned keep = net->bits > 8 * i ? net->bits - 8 * i : 0;

		if (keep < 8)
			net->ip.bytes[i] &= (unsigned char)(0xff00 >> keep);
	}
}

bool
net_parse(struct slice text, struct network *net_r)
{
	struct network clean;

	if (!net_parse_loose(text, net_r))
		return false;
	clean = *net_r;
	net_mask(&clean);
	return memcmp(clean.ip.bytes, net_r->ip.bytes,
	    sizeof clean.ip.bytes) == 0;
}

bool
net_holds(const struct network *net, const struct ip *ip)
{
	return ip_match(&net->ip, ip, net->bits);
}

struct slice
net_format(struct arena *a, const struct network *net)
{
	struct slice address = ip_format(a, &net->ip);

	if (net->bits == family_bits(net->ip.family))
		return address;
	return arena_printf(a, "%.*s/%u", SLICE_ARG(address), net->bits);
}
