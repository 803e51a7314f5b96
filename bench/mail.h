/*
 * mail - the seeded mix that the load source sends
 *
 * Of ten messages seven are text and HTML with links (5-50 kB), two carry one
 * attachment (100 kB-1 MB) and one carries two to four. The same seed gives
 * the same bytes on any machine. Bodies are made once, in SMTP's wire form
 * (CRLF, dots doubled, no final dot), and shared by all messages that are
 * sent with them; each message gets a header of its own.
 *
 * mix_new	n bodies; text: 0 all kinds, MIX_TEXT text and HTML only of 5 to
 *		50 kB, else of about so many bytes. mix_free takes them back
 * mail_header	appends the header of message number `number` with this body,
 *		the empty line included
 * mail_hash	folds one line of a body, CRLF included, into a running hash:
 *		the sink tells by it whether the body came through unchanged
 */
#ifndef BENCH_MAIL_H
#define BENCH_MAIL_H

#include "base/buf.h"

#define MAIL_HASH_START	UINT64_C(0x9e3779b97f4a7c15)
#define MAIL_NUMBER	"X-Bench-Number: "

struct mail {
	struct slice body;
	struct slice content_type;	/* a whole header field */
	uint64_t hash;			/* of body, line by line */
};

struct mix {
	struct mail *mails;
	size_t count;
	uint64_t seed;
};

/* Who sends: what is announced by XCLIENT, EHLO and MAIL FROM. */
struct mail_sender {
	char ip[48], name[128], domain[128];
};

enum { MIX_TEXT = 1 };

struct mix mix_new(size_t n, uint64_t seed, size_t text);
void mix_free(struct mix *m);
const struct mail *mix_mail(const struct mix *m, size_t number);

void mail_header(struct buf *b, const struct mix *m, size_t number,
    const struct mail_sender *from);
uint64_t mail_hash(uint64_t hash, struct slice line);

/* The next number of a sequence (SplitMix64), and one below limit. */
uint64_t rng_next(uint64_t *state);
size_t rng_below(uint64_t *state, size_t limit);

#endif
