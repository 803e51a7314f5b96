/*
 * directory-book - what all sources say of a directory, joined in memory
 *
 * Sources come in the order of their priority. What one source says twice and
 * not the same is RC_BAD: which of the two holds, nobody knows. Where a later
 * source contradicts an earlier one, the earlier one holds, and the
 * contradiction is noted (book->notes). What only one of them says is taken.
 * An alias belongs to one source as a whole: the first that has it.
 *
 * directory_book_new
 *		domains that may have users, each with client and transport or
 *		SLICE_NONE, come from the configuration: book_domain. Another
 *		domain is alien
 * book_source	what comes now is of this source; *number is its place in
 *		messages
 * book_user	the mailbox of that address, made when it is new; NULL with rc
 *		RC_OK: it is passed over (alien, and the source skips those, or
 *		an earlier source has an alias of that name)
 * book_set	a field of a user: "profile", "transport", "attr.NAME"
 * book_alias	alias leads to member too; the same as its own name is nothing
 * book_route	a domain's transport
 * book_has_users	an address of that domain of ours
 * book_finish	looks for loops of aliases and for members of our domains that
 *		do not exist, and sorts
 * book_write	all of it as a directory file into fd
 * directory_book_free
 *		NULL is allowed
 *
 * where: "file:line" for messages, kept as a number: a source has one name,
 * and a line. All text is copied. About 400 bytes a user and what stands in
 * his fields.
 */
#ifndef TOOLS_DIRECTORY_BOOK_H
#define TOOLS_DIRECTORY_BOOK_H

#include "base/map.h"
#include "conf/conf.h"
#include "policy/directory.h"

enum { BOOK_NOTES = 1000, BOOK_SOURCES = 50 };

struct book_attr {
	struct book_attr *next;
	struct slice name, value;
	unsigned short source;
};

struct book_member {
	struct book_member *next;
	struct slice address;
};

struct book_entry {
	enum directory_kind kind;
	unsigned short source;
	unsigned short profile_source, transport_source;
	unsigned short nattrs, nmembers;
	unsigned char mark;		/* of the search for loops; of a domain:
					   it has an address */
	unsigned line;			/* where it came from first */
	unsigned total;			/* of an alias, expanded */
	struct slice key, client, profile, transport;
	struct book_attr *attrs;	/* sorted */
	struct book_member *members;	/* sorted */
};

struct book_source {
	const char *name;		/* in messages: a file, a server */
	bool skip_alien;
	const struct conf_list *transports; /* that it may use; NULL: all */
	size_t users, aliases, skipped;	/* it was the first to name */
	size_t seen;			/* addresses of ours that it named */
};

struct book {
	struct arena *arena;
	struct map *domains, *profiles, *addresses;
	struct book_entry **sorted;	/* after book_finish */
	size_t nsorted;
	struct book_source sources[BOOK_SOURCES];
	unsigned nsources;
	struct slice notes[BOOK_NOTES];	/* contradictions, what was skipped */
	size_t nnotes, more_notes;
	size_t contradictions;
};

struct book *directory_book_new(void);
void directory_book_free(struct book *b);
void book_domain(struct book *b, struct slice domain, struct slice client,
    struct slice transport);
enum rc book_source(struct book *b, const char *name, bool skip_alien,
    const struct conf_list *transports, struct slice *why_r);
enum rc book_user(struct book *b, struct slice address, unsigned line,
    struct book_entry **user_r, struct slice *why_r);
enum rc book_set(struct book *b, struct book_entry *user, struct slice field,
    struct slice value, unsigned line, struct slice *why_r);
enum rc book_alias(struct book *b, struct slice alias, struct slice member,
    unsigned line, struct slice *why_r);
enum rc book_route(struct book *b, struct slice domain,
    struct slice transport, unsigned line, struct slice *why_r);
bool book_has_users(const struct book *b, struct slice domain);
enum rc book_finish(struct book *b, struct slice *why_r);
enum rc book_write(struct book *b, int fd, const char *name,
    struct slice *why_r);

#endif
