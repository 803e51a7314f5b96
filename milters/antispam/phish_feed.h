/*
 * phish_feed - lists of phishing links, line by line
 *
 * phish_feed_line	what one line names, as a key of a set (phish_set.h):
 *				http://evil.example/a?b	an URL
 *				evil.example		a host, and all below it
 *				0.0.0.0 evil.example	the same (hosts files)
 *				||evil.example^		the same (filter lists)
 *				12,"http://evil.example/","2026-11-26"	CSV: its
 *							first URL
 *			FEED_NOTHING: a comment, a blank line, a head line of
 *			CSV; FEED_UNREAD: neither that nor a name. An URL
 *			without a path is its host. *host_r: the host
 * phish_feed_read	all lines of a feed into a set; says what was in it
 * phish_feed_trust	may it take the place of the one before, with `before`
 *			entries (0: there was none)? NULL, or why not: nothing in
 *			it, another kind of file, far fewer than before, or a
 *			list of the world's popular domains
 *
 * phish_key_url	the key of an URL: host, port, path and query as they
 *			are normalised, whatever the scheme
 * phish_key_host	the key of a host and all below it
 *
 * Keys are in the arena. Pure but for it.
 */
#ifndef ANTISPAM_PHISH_FEED_H
#define ANTISPAM_PHISH_FEED_H

#include "phish_known.h"
#include "phish_set.h"
#include "text/weburl.h"

enum { FEED_LINE = 8192 };

enum feed_line { FEED_NOTHING, FEED_URL, FEED_HOST, FEED_UNREAD };

struct phish_feed_told {
	uint64_t lines, urls, hosts, unread;
	uint64_t popular;		/* hosts that are no phishing: left out */
	uint32_t entries;		/* different ones in the set */
	bool cut;			/* the set was full */
};

struct slice phish_key_url(struct arena *a, const struct weburl *url);
struct slice phish_key_host(struct arena *a, struct slice host);

enum feed_line phish_feed_line(struct arena *a, struct slice line,
    struct slice *key_r, struct slice *host_r);
void phish_feed_read(struct slice bytes, const struct phish_known *known,
    struct phish_set_new *set, struct phish_feed_told *told_r);
const char *phish_feed_trust(const struct phish_feed_told *told,
    uint32_t before);

#endif
