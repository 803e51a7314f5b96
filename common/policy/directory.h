/*
 * directory - the directory file: who has a mailbox, and what is known of him
 *
 * `gatehouse directory sync` writes it, `gatehouse policy compile` reads it.
 * UTF-8, fields separated by one tab, one record a line, LF at its end:
 *
 *	gatehouse-directory 1
 *	D <domain>   [client=NAME] [transport=T]
 *	P <profile>  [client=NAME]
 *	U <address>  [profile=NAME] [transport=T] [attr.NAME=TEXT ...]
 *	A <address>  <address>[,<address>...]
 *	++++ <number of records>
 *
 * The same directory is always the same bytes; a reader may rely on it:
 *
 *   1. first all D, then all P, then U and A together; each of the three is
 *	sorted by its key, bytewise, and no key comes twice (so an address is a
 *	mailbox or an alias, not both);
 *   2. a domain is as domain_ascii gives it, an address as scope_address does
 *	without delimiter: letters of ASCII in lower case, A-labels. Its local
 *	part needs no quotes; dots may stand anywhere, letters beyond ASCII
 *	are taken as they are;
 *   3. the domain of each U and A has a D before it, a profile of a U its P;
 *   4. fields stand in the order above, attributes and the members of an alias
 *	sorted bytewise, none twice, none empty;
 *   5. in the text of an attribute, tab, newline and backslash are written \t,
 *	\n and \\; other controls stand nowhere;
 *   6. nothing follows the end mark. Without it the file was cut off.
 *
 * Members may be addresses of other domains; loops among aliases are looked
 * for by who writes the file, not here.
 *
 * directory_open	the file is read from fd as it is asked for, in at most
 *			DIRECTORY_LINE_MAX bytes at a time; fd stays open and
 *			the caller's. name is for messages
 * directory_memory	the same, of bytes that outlive the reader
 * directory_next	the next record; *more_r is false when there is none
 *			and the end mark was right: only then was the file
 *			whole. RC_BAD: "name:line: what is wrong; what to do",
 *			RC_RETRY: it cannot be read. Then it is over
 * directory_close	gives all back, with what the last record borrowed
 *
 * directory_create	writes such a file to fd, through a buffer
 * directory_put	the next record, in the order of (1) and in normal form;
 *			RC_BAD for what directory_next would refuse, and nothing
 *			was written for it; RC_RETRY: the disk
 * directory_end	end mark, and all of it is on the disk (fsync). Without
 *			it no reader takes the file
 * directory_drop	gives the writer back; NULL is allowed
 *
 * directory_quote	text as it stands in an attribute; into out
 * directory_line	a record as a line, with its LF; into out
 *
 * One thread each. A record's slices live until the next call with the same
 * reader. Memory: one line, and the names of all domains and profiles.
 */
#ifndef POLICY_DIRECTORY_H
#define POLICY_DIRECTORY_H

#include "base/buf.h"
#include "base/rc.h"

enum {
	DIRECTORY_LINE_MAX = 131072,	/* bytes of a line with its LF */
	DIRECTORY_RECORDS_MAX = 16000000,
	DIRECTORY_DOMAINS_MAX = 200000,	/* the same for profiles */
	DIRECTORY_NAME_MAX = 512,	/* bytes, as in conf/scope.h */
	DIRECTORY_ADDRESS_MAX = 320,
	DIRECTORY_TRANSPORT_MAX = 320,
	DIRECTORY_ATTRS_MAX = 64,	/* of one user */
	DIRECTORY_ATTR_NAME_MAX = 32,
	DIRECTORY_ATTR_MAX = 1024,	/* bytes, before they are escaped */
	DIRECTORY_MEMBERS_MAX = 1000,
};

enum directory_kind { DIRECTORY_DOMAIN, DIRECTORY_PROFILE, DIRECTORY_USER,
    DIRECTORY_ALIAS };

struct directory_attr {
	struct slice name, value;	/* without "attr.", not escaped */
};

struct directory_record {
	enum directory_kind kind;
	struct slice key;		/* domain, profile or address */
	struct slice client;		/* SLICE_NONE, as the next two: none */
	struct slice profile;
	struct slice transport;		/* as in transport(5): smtp:[host]:25 */
	const struct directory_attr *attrs;
	size_t nattrs;
	const struct slice *members;
	size_t nmembers;
};

struct directory_reader;
struct directory_writer;

struct directory_reader *directory_open(int fd, const char *name);
struct directory_reader *directory_memory(struct slice bytes,
    const char *name);
enum rc directory_next(struct directory_reader *d,
    struct directory_record *record_r, bool *more_r, struct slice *why_r);
void directory_close(struct directory_reader *d);

struct directory_writer *directory_create(int fd, const char *name);
enum rc directory_put(struct directory_writer *w,
    const struct directory_record *record, struct slice *why_r);
enum rc directory_end(struct directory_writer *w, struct slice *why_r);
void directory_drop(struct directory_writer *w);

void directory_quote(struct buf *out, struct slice text);
void directory_line(struct buf *out, const struct directory_record *record);
/* As rule 2 wants its local part, and has a domain (which is not looked at). */
bool directory_address(struct slice address);
/* As the text of an attribute has to be. */
bool directory_text(struct slice text);
/* name:nexthop, either may be empty but not both; printable ASCII. */
bool directory_transport(struct slice transport);
/* What attr. may be followed by: a-z, 0-9, '-', '_', a letter first. */
bool directory_attr_name(struct slice name);
/* A client's or a profile's: UTF-8 without controls, no blank at an end. */
bool directory_name(struct slice name);

#endif
