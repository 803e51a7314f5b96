/*
 * url - addresses of servers, as an administrator writes them
 *
 * url_parse	http://HOST[:PORT][/PATH] and https; no user, no fragment
 * syslog_parse	unix:/PATH, udp:HOST:PORT, tcp:HOST:PORT
 *
 * HOST may be a name, an IPv4 address or an IPv6 address in brackets. Slices
 * borrow from the text.
 */
#ifndef NET_URL_H
#define NET_URL_H

#include "base/slice.h"

struct url {
	struct slice scheme;		/* http, https, unix, udp, tcp */
	struct slice host;		/* without brackets */
	unsigned port;
	struct slice path;		/* "/" when there is none */
};

bool url_parse(struct slice text, struct url *url_r);
bool syslog_parse(struct slice text, struct url *url_r);

#endif
