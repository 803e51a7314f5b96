/*
 * message - one mail as Postfix shows it, read by offsets
 *
 * The bytes are kept once, as two slices: the header block (each field with
 * its CRLF, without the blank line that ends the block) and the body. Nothing
 * is ever re-serialised; fields and parts point into these bytes. What is
 * ambiguous, broken or over a limit is recorded as a flag, of the message and
 * of the part, so that policy can use it; it is never an error here.
 *
 * message_read		reads the header block: fields, flags. Cheap; always done
 * message_parts	reads the MIME tree on first call (RFC 2045-2049),
 *			strict and lax: what only a lax client would see stands
 *			in the tree as a part with `lax` set
 * message_field	the first field of that name from index `from` on, or
 *			NULL; names are compared without case
 * message_count	how many fields have that name
 *
 * A message borrows head, body and arena from its caller. It is for one
 * thread; message_parts changes it.
 */
#ifndef MIME_MESSAGE_H
#define MIME_MESSAGE_H

#include "base/arena.h"
#include "mime/part.h"
#include "text/field.h"

/* All limits are far above what mail in the wild needs, and are flagged. */
struct message_limits {
	unsigned fields;		/* header fields of one block (2000) */
	size_t header_bytes;		/* of one block (1 MB) */
	unsigned depth;			/* nesting of parts (50) */
	unsigned parts;			/* in one message (1000) */
};

extern const struct message_limits message_limits_default;

struct message {
	struct arena *arena;
	struct slice head;		/* header block, final CRLF included */
	struct slice body;		/* what follows the blank line */
	struct field *fields;
	size_t nfields;
	struct part *root;		/* NULL until message_parts() */
	uint64_t flags;			/* MSG_*: of the block and all parts */
	struct message_limits limits;
};

void message_read(struct message *msg, struct arena *a, struct slice head,
    struct slice body, const struct message_limits *limits);
const struct part *message_parts(struct message *msg);
const struct field *message_field(const struct message *msg,
    struct slice name, size_t from);
size_t message_count(const struct message *msg, struct slice name);

/* Bytes on the wire: head, blank line, body. */
size_t message_size(const struct message *msg);

/*
 * Splits a file of mail at its first blank line into head and body, LF or
 * CRLF, and gives CRLF bytes in the arena, the last line with its CRLF as
 * SMTP would bring it. A file without a blank line is all header block. For
 * tools and tests: Postfix gives us the two apart.
 */
void message_split(struct arena *a, struct slice file, struct slice *head_r,
    struct slice *body_r);

/* Plain word for one flag bit ("duplicate-content-type"); NULL at the end. */
const char *message_flag_name(unsigned bit);

#endif
