/*
 * address - who a header or a path names (RFC 5322, 3.4 and 4.4; RFC 6532)
 *
 * Reads To, Cc, From and their like: mailboxes, groups, comments, quoted local
 * parts, obsolete routes. It never fails: what no RFC allows is read as well
 * as can be, and flagged, so that policy decides. What a careless client might
 * see in the same bytes is read by address_guess; a caller for whom a forged
 * sender matters looks at the union of both (Composition Kills, Mailsploit).
 *
 * address_open		begins a list; folds, NULs, any bytes are allowed
 * address_next		the next mailbox; false at the end or after ADDRESS_MAX.
 *			Groups and empty entries only leave their flag in the
 *			list. Slices are borrowed from the value or in the arena
 * address_guess	takes from *rest the next run of bytes that looks like
 *			an address, wherever it stands: in a comment, in quotes,
 *			behind a NUL. The local part may be empty. Borrowed
 * address_split	a path of the envelope ("<a@b>", "a@b", "<@r:a@b>"):
 *			cut at the last @ outside quotes, brackets and route
 *			left out, letters as they are. False where no domain is:
 *			then *domain_r is SLICE_NONE. "<>" has an empty local
 *			part. Borrowed
 * address_unquote	a local part without quotes and backslashes
 * address_print	local@domain, the local part quoted where it must be;
 *			controls but tabs become '?'
 * domain_ascii		the domain as DNS knows it: A-labels, lower case, no
 *			final dot (RFC 5890). False, *ascii_r not set, for what
 *			is no host name: empty, a literal, labels over 63 bytes,
 *			names over 253, bytes that are no letter, digit, '-' or
 *			'_', no UTF-8, nothing that IDNA allows
 *
 * address_plain	local@domain in ASCII that needs no quotes anywhere: what
 *			an option for an address of ours takes
 *
 * Local parts are compared as they are, domains after domain_ascii.
 */
#ifndef TEXT_ADDRESS_H
#define TEXT_ADDRESS_H

#include "base/arena.h"

enum { ADDRESS_MAX = 10000 };

enum address_flag {
	/* Allowed, and seldom. */
	ADDRESS_COMMENT = 1 << 0,	/* anywhere in it */
	ADDRESS_QUOTED = 1 << 1,	/* a quoted local part */
	ADDRESS_GROUP = 1 << 2,
	ADDRESS_ROUTE = 1 << 3,		/* <@a,@b:c@d> */
	ADDRESS_LITERAL = 1 << 4,	/* a@[192.0.2.1] */
	ADDRESS_UTF8 = 1 << 5,		/* bytes over 0x7f, well-formed */
	ADDRESS_EMPTY = 1 << 6,		/* ",," */
	/* Malformed. */
	ADDRESS_NULL = 1 << 8,		/* <>: a path, but no mailbox */
	ADDRESS_NO_LOCAL = 1 << 9,
	ADDRESS_NO_DOMAIN = 1 << 10,
	ADDRESS_ATS = 1 << 11,		/* more than one @ */
	ADDRESS_DOTS = 1 << 12,		/* first, last or two in a row */
	ADDRESS_SPACED = 1 << 13,	/* blanks within: a b@c */
	ADDRESS_UNCLOSED = 1 << 14,	/* quote, comment or bracket */
	ADDRESS_STRAY = 1 << 15,	/* a special where none may be */
	ADDRESS_TRAILING = 1 << 16,	/* something behind <a@b> */
	ADDRESS_NAME_AT = 1 << 17,	/* an @ in an unquoted display name */
	ADDRESS_CONTROL = 1 << 18,	/* NUL, bare CR or LF, other controls */
	ADDRESS_8BIT = 1 << 19,		/* bytes over 0x7f, no UTF-8 */
	ADDRESS_ENCODED = 1 << 20,	/* =?...?= in local part or domain */
	ADDRESS_TOO_MANY = 1 << 21,	/* of the list: the rest was not read */
};
#define ADDRESS_MALFORMED	0xffffff00u

struct address {
	struct slice raw;		/* all of it */
	struct slice name;		/* display name as written; or none */
	struct slice comment;		/* inside of its last one; or none */
	struct slice local;		/* without quotes and backslashes */
	struct slice domain;		/* without blanks and comments */
	struct slice group;		/* name of the group; or none */
	unsigned flags;			/* ADDRESS_* */
};

struct address_list {
	struct arena *arena;
	struct slice value;
	size_t at;
	size_t count;			/* mailboxes given so far */
	struct slice group;
	unsigned flags;			/* of all that was read so far */
	unsigned item;			/* of what is being read */
	struct slice comment;
};

void address_open(struct address_list *list, struct arena *a,
    struct slice value);
bool address_next(struct address_list *list, struct address *address);
bool address_guess(struct slice *rest, struct slice *local_r,
    struct slice *domain_r);

bool address_split(struct slice path, struct slice *local_r,
    struct slice *domain_r);
struct slice address_unquote(struct arena *a, struct slice local);
struct slice address_print(struct arena *a, struct slice local,
    struct slice domain);
/* Plain word for a flag ("two-ats"); NULL for a bit that is none. */
const char *address_flag_name(unsigned bit);

bool address_plain(struct slice address);
bool domain_ascii(struct arena *a, struct slice domain, struct slice *ascii_r);

#endif
