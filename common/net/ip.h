/*
 * ip - addresses and networks
 *
 * ip_parse	"192.0.2.1", "2001:db8::1", and Postfix's "IPv6:2001:db8::1";
 *		false for anything else. An IPv4-mapped IPv6 address becomes the
 *		IPv4 address (RFC 7208, 5; RFC 4291, 2.5.5.2)
 * ip_of_bytes	from 4 or 16 bytes in network order; mapped as ip_parse does
 * ip_format	its text form (RFC 5952), in the arena; "unknown" when its
 *		family is 0
 * ip_reverse	the in-addr.arpa / ip6.arpa name (RFC 1035, 3.5; RFC 3596,
 *		2.5); SLICE_NONE when its family is 0
 * ip_match	are the first `bits` bits the same? False across families,
 *		for family 0, and for more bits than there are
 * net_parse	"192.0.2.0/24", "2001:db8::/32", or an address alone; false
 *		when malformed or when bits behind the prefix are set. A
 *		network of IPv4-mapped addresses becomes the IPv4 network
 * net_format	the address, and "/bits" unless all bits count
 * net_mask	sets the bits behind the prefix to zero
 *
 * Pure functions; what a call fills in on failure is undefined.
 */
#ifndef NET_IP_H
#define NET_IP_H

#include "base/arena.h"

struct ip {
	int family;			/* AF_INET, AF_INET6; 0: unknown */
	unsigned char bytes[16];
};

struct network {
	struct ip ip;
	unsigned bits;
};

bool ip_parse(struct slice text, struct ip *ip_r);
void ip_of_bytes(int family, const void *bytes, struct ip *ip_r);
struct slice ip_format(struct arena *a, const struct ip *ip);
struct slice ip_reverse(struct arena *a, const struct ip *ip);
bool ip_match(const struct ip *a, const struct ip *b, unsigned bits);
bool net_parse(struct slice text, struct network *net_r);
/* The same, but bits behind the prefix may be set. */
bool net_parse_loose(struct slice text, struct network *net_r);
void net_mask(struct network *net);
bool net_holds(const struct network *net, const struct ip *ip);
struct slice net_format(struct arena *a, const struct network *net);

#endif
