/*
 * object - one held or deleted message, or a large attachment, in one encrypted
 * file
 *
 * The file is the commit point of a quarantine: who has the private key can
 * rebuild from it all that an index knows. Inside the encryption (crypt.h):
 *
 *	4 bytes		length of the meta block, big-endian
 *	meta		JSON, one object (keys: object.c, object-read.c)
 *	message		of a file (OBJECT_FILE) its decoded bytes; else header block, blank line, body: the bytes as the filter
 *			that held them found them, its own edits and fields of
 *			our names (seal, release mark) left out. Absent in a
 *			record (OBJECT_DELETED)
 *
 * Its name is its id: 32 hex digits, the first half of the SHA-256 over kind,
 * content hash, reverse-path, sorted recipients and cause. A message that is
 * sent again gives the same name; that it is there already is success.
 *
 * object_write: dir is the folder of new objects. A name that begins with a dot
 * is being written: nobody else looks at it. Then, in this order: write,
 * fsync(file), rename that replaces nothing (link, where the file system has no
 * such rename), fsync(dir). RC_OK only then, and also when an object of that id
 * is there (*merged_r, may be NULL). RC_RETRY with *why_r: nothing of it is
 * left but what a kill leaves. RC_BAD: no such meta can be written (a block
 * over OBJECT_META). So in the folder there may be, after any kill:
 *	.ID.XXXX	half written, or whole and without a name: remove it when
 *			it is older than OBJECT_TMP_AGE seconds; its message was
 *			answered 4xx, and its sender comes again
 *	.ID.XXXX and ID	two names of one file (link): remove the first, the same
 *	ID		whole and synced. The answer may not have been given: the
 *			fate of queue_id (Postfix's log) tells, and when the
 *			sender comes again he gets the same id
 * Files are 0440 and belong to the writer and the folder's group.
 *
 * object_id		sets meta->id from the rest
 * object_digests	head_sha256, body_sha256 and sha256 of a message
 * object_describe	subject, from ... of a message, as people read them
 *
 * object_open	takes fd over, reads and checks the meta block only: RC_BAD:
 *		it is no such object (*why_r); RC_RETRY: reading failed or the
 *		key is not here. Slices of meta live in the arena
 * object_next	the message's next bytes, valid until the next call; empty at
 *		the end, where length and digest have been compared with the
 *		meta block. Only then may the bytes before be believed whole;
 *		each piece is authentic by itself
 * object_close	gives all back but the arena
 *
 * An object file comes from whoever may write into the folder: all of it is
 * bounded and nothing in it is believed beyond its text.
 */
#ifndef STORE_OBJECT_H
#define STORE_OBJECT_H

#include "mime/message.h"
#include "net/ip.h"
#include "store/crypt.h"
#include "verdict/plan.h"

enum {
	OBJECT_META = 8 << 20,		/* bytes of a meta block */
	OBJECT_NAME = 32,		/* digits of an id */
	OBJECT_TMP_AGE = 3600,
};

enum object_kind { OBJECT_HELD = 1, OBJECT_DELETED, OBJECT_FILE };

struct object_finding {
	struct slice filter, key, value;
};

/* Of an OBJECT_FILE: an attachment that its recipients get by a link. */
struct object_file {
	struct slice name, type;	/* as it was declared; type "a/b" */
	char token[65];			/* token_hash() of the link's token */
	int64_t expires;		/* seconds since 1970 */
	unsigned uses;			/* downloads of each recipient */
};

/* Text is UTF-8 as people read it; addresses, client and helo are the exact
 * bytes. Empty: not known. */
struct object_meta {
	char id[OBJECT_NAME + 1];
	enum object_kind kind;
	/* What it is counted by: SHA-256 in hex of the message as the first
	 * filter of the house saw it. Of a file its token. */
	char content[65];

	/* The envelope as the filter found it. */
	struct slice sender;		/* empty: <> */
	struct slice *recipients;	/* whom this object was made for */
	size_t nrecipients;
	bool smtputf8, body8;		/* SMTPUTF8, BODY=8BITMIME */

	char identity[33];		/* of the message in log and journal */
	struct slice queue_id;		/* Postfix's */
	int64_t time;			/* seconds since 1970 */
	bool outbound;
	struct ip client_ip;		/* family 0: none */
	struct slice client_name, helo, user, tls;

	struct slice filter, rule, reason, coverage;
	enum cause cause;
	struct object_finding *findings;	/* of all filters so far */
	size_t nfindings;

	struct object_file file;	/* OBJECT_FILE only */

	/* From the header, decoded; each cut at OBJECT_TEXT bytes. */
	struct slice subject, from, to, date, message_id;

	/* The message's bytes; a record tells them too. Of a file its own,
	 * which are the body, with an empty head. */
	uint64_t size;
	char head_sha256[65];		/* of the header block */
	char body_sha256[65];		/* of what follows the blank line */
	char sha256[65];		/* of head CRLF body; a file: of body */
};

enum { OBJECT_TEXT = 1000 };

enum rc object_id(struct object_meta *meta);
enum rc object_digests(struct object_meta *meta, struct slice head,
    struct slice body);
void object_describe(struct object_meta *meta, const struct message *msg,
    struct arena *a);

/* head and body are not written for OBJECT_DELETED. */
enum rc object_write(const char *dir, const struct crypt_public *key,
    const struct object_meta *meta, struct slice head, struct slice body,
    bool *merged_r, struct arena *a, struct slice *why_r);

/* Is this the name of a whole object? */
bool object_name_valid(struct slice name);

struct object;

enum rc object_open(int fd, const struct crypt_keys *keys, struct arena *a,
    struct object **object_r, struct slice *why_r);
const struct object_meta *object_meta(const struct object *o);
enum rc object_next(struct object *o, struct slice *piece_r);
void object_close(struct object *o);

/* "held", "deleted", "file". */
const char *object_kind_name(enum object_kind kind);

#endif
