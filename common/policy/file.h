/*
 * file - the compiled map: one LMDB file that never changes, and its check sum
 *
 * A compile writes a new file beside the old one and renames it over that; who
 * has the old one open goes on with it. Behind LMDB's pages stands a trailer
 * with version, length and SHA-256 of all before it, so that a file which was
 * cut, half written or damaged is known before LMDB follows a pointer in it.
 * Readers take no lock (MDB_NOLOCK), write nothing and need no slot.
 *
 * One data base; the first byte of a key says what it is:
 *
 *	m		header: version, records, tables, sources (file_meta)
 *	0		who is not known at all: set, origin
 *	a ADDRESS	record (file_record)
 *	d DOMAIN	the same for whoever else is of that domain
 *	k CLIENT	the same for mail of which nothing else is known
 *	l LOGIN		address
 *	s NUMBER	set: hash of the form, blocks of the tables that have one
 *	b NUMBER	block: table, and options with their values
 *	o NUMBER	origin: what each level said, and where
 *	w LEVEL NAME NUL (a|d|s) SENDER	allow or block, where
 *	n LEVEL NAME NUL FAMILY BITS BYTES the same of an IP range
 *	p LEVEL NAME NUL	lengths of prefixes that n has there
 *
 * Numbers in keys are big-endian, so that they stand in order.
 *
 * file_open	trusted as a daemon's file is (conf/trust.h). RC_RETRY with
 *		*why_r. The file stays open and mapped until file_close
 * file_get	the value, which lives until file_close; *found_r whether there
 *		is one. RC_RETRY: it cannot be read. Any thread
 * file_walk	all values whose key begins with that letter, in order
 * file_write	entries, in any order, become the file at path: durable and
 *		complete, or nothing has changed. RC_BAD: a key twice
 */
#ifndef POLICY_FILE_H
#define POLICY_FILE_H

#include <sys/stat.h>

#include "base/rc.h"
#include "policy/pack.h"

enum {
	MAP_VERSION = 1,
	MAP_KEY_MAX = 511,		/* LMDB's */
	MAP_TABLES_MAX = 100,
	MAP_SOURCES_MAX = 1000,
};

struct file_table {
	struct slice name;
	uint64_t rows;			/* hash of its options */
	uint64_t scopes;		/* digest of its file's scopes */
};

/* A file that it was compiled from. */
struct file_source {
	struct slice path;
	struct slice digest;		/* SHA-256; empty: was not there */
};

struct file_meta {
	uint64_t records;		/* all keys, this one too */
	uint64_t house;			/* digest of what counts there */
	uint64_t addresses, domains, sets, blocks, listed;
	uint64_t time;			/* of the compile, seconds */
	bool lists;
	size_t ntables, nsources;
	struct file_table tables[MAP_TABLES_MAX];
	struct file_source *sources;
};

enum file_kind { MAP_MAILBOX = 1, MAP_ALIAS = 2, MAP_NAMED = 4, MAP_OURS = 8 };

/* Of an address or a domain. */
struct file_record {
	unsigned kind;			/* MAP_* */
	uint32_t set, origin;
	/* Where letter case tells mailboxes apart: whose settings these are,
	 * and what all other spellings get. */
	struct slice exact;
	uint32_t other_set, other_origin;
	struct slice client, profile, transport;
	struct slice attrs;		/* packed: name, value, ... */
	struct slice members;		/* packed addresses */
};

struct policy_file;

enum rc file_open(const char *path, struct policy_file **file_r,
    struct arena *a, struct slice *why_r);
void file_close(struct policy_file *file);
const struct file_meta *file_header(const struct policy_file *file);
const struct stat *file_stat(const struct policy_file *file);
enum rc file_get(const struct policy_file *file, char letter, struct slice key,
    struct slice *value_r, bool *found_r);
enum rc file_number(const struct policy_file *file, char letter,
    uint32_t number, struct slice *value_r);
enum rc file_walk(const struct policy_file *file, char letter,
    enum rc (*visit)(struct slice key, struct slice value, void *arg),
    void *arg);

struct file_entry {
	struct slice key, value;
};

enum rc file_write(const char *path, struct file_entry *entries, size_t n,
    struct arena *a, struct slice *why_r);

void file_pack_meta(struct buf *b, const struct file_meta *meta);
bool file_unpack_meta(struct arena *a, struct slice value,
    struct file_meta *meta_r);
void file_pack_record(struct buf *b, const struct file_record *r);
bool file_unpack_record(struct slice value, struct file_record *r_r);
/* letter and a big-endian number: 5 bytes. */
void file_key_number(char key[5], char letter, uint32_t number);

#endif
