/*
 * ip - addresses and networks
 *
 * ip_parse	"192.0.2.1", "2001:db8::1", and Postfix's "IPv6:2001:db8::1";
 *		false for anything else. An IPv4-mapped IPv6 address becomes the
 *		IPv4 address (RFC 7208, 5; RFC 4291, 2.5.5.2)
 * ip_of_bytes	from 4 or 16 bytes in network order; mapped as ip_parse does
 * ip_format	its text form (RFC 5952), in the arena
 * ip_reverse	the in-addr.arpa / ip6.arpa name
 * ip_match	are the first `bits` bits the same? False across families
 * net_parse	"192.0.2.0/24", "2001:db8::/32", or an address alone; false
 *		when malformed or when bits behind the prefix are set
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
bool net_holds(const struct network *net, const struct ip *ip);

#endif
