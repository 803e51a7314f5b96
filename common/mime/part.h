/*
 * part - one node of a message's MIME tree (RFC 2045-2049)
 *
 * Made by message_parts(); a part borrows from the message and its arena and
 * lives as long as they. All slices point into the message's own bytes, except
 * below a multipart or message/rfc822 that is itself encoded: RFC 2045, 6.4
 * forbids that, some clients decode it, so its decoded copy is read too and
 * its parts have `copy` set.
 *
 * The tree holds the union of plausible readings. What a strict reader sees
 * are the parts without `lax`. What only a lax client would see stands beside
 * it with `lax` set: as a child of the part that can be read in another way
 * (two boundaries, two Content-Type or Content-Transfer-Encoding fields, a
 * guessed boundary, a header block that some end earlier), as a late sibling
 * (parts behind the closing boundary), or as a uuencoded file in a text. So
 * whoever scans each part of the walk has scanned all of them.
 *
 * part_next	document order (parent, then its children); begin with
 *		part = root, NULL at the end. The tree is walked by its links,
 *		without recursion
 * part_is	type and subtype compared; NULL subtype: any
 * part_multipart	has a body of parts: multipart and not a leaf by a limit
 * part_offset	where the undecoded body begins in msg->body; false for a copy
 * part_decoded	the content without its transfer encoding, at most `limit`
 *		bytes; in the arena, or borrowed where nothing is encoded.
 *		*flags_r (may be NULL) gets TRANSFER_* flags. The charset is
 *		not touched
 * part_reading	the n-th plausible decoded content: 0 is part_decoded(), more
 *		exist only where base64 goes on behind its padding; false when
 *		there are no more
 */
#ifndef MIME_PART_H
#define MIME_PART_H

#include "text/field.h"
#include "text/param.h"
#include "text/transfer.h"

struct message;

/* Flags of messages and parts; message_flag_name() gives the words. */
#define MSG_LIMIT_FIELDS	(UINT64_C(1) << 0)
#define MSG_LIMIT_HEADER	(UINT64_C(1) << 1)
#define MSG_LIMIT_DEPTH		(UINT64_C(1) << 2)
#define MSG_LIMIT_PARTS		(UINT64_C(1) << 3)
#define MSG_LIMIT_WORK		(UINT64_C(1) << 4)
#define MSG_LIMIT_READINGS	(UINT64_C(1) << 5)
#define MSG_LIMIT_PARAMS	(UINT64_C(1) << 6)
#define MSG_JUNK_LINE		(UINT64_C(1) << 7)	/* no field */
#define MSG_BLANK_FOLD		(UINT64_C(1) << 8)	/* of blanks only */
#define MSG_SPACE_COLON		(UINT64_C(1) << 9)	/* "Name : x" */
#define MSG_HEADER_NUL		(UINT64_C(1) << 10)
#define MSG_HEADER_CR		(UINT64_C(1) << 11)	/* a bare one */
#define MSG_HEADER_CUT		(UINT64_C(1) << 12)	/* no blank line */
#define MSG_TWO_TYPES		(UINT64_C(1) << 13)
#define MSG_TWO_TRANSFERS	(UINT64_C(1) << 14)
#define MSG_TWO_BOUNDARIES	(UINT64_C(1) << 15)
#define MSG_TWO_DISPOSITIONS	(UINT64_C(1) << 16)
#define MSG_TWO_PARAMS		(UINT64_C(1) << 17)	/* of one name */
#define MSG_BAD_TYPE		(UINT64_C(1) << 18)	/* unreadable */
#define MSG_BAD_PARAM		(UINT64_C(1) << 19)	/* PARAM_* met */
#define MSG_BAD_TRANSFER	(UINT64_C(1) << 20)	/* unknown name */
#define MSG_BAD_BOUNDARY	(UINT64_C(1) << 21)	/* empty, >70, " " */
#define MSG_NO_BOUNDARY		(UINT64_C(1) << 22)	/* no parameter */
#define MSG_NO_DELIMITER	(UINT64_C(1) << 23)	/* never in the body */
#define MSG_NOT_CLOSED		(UINT64_C(1) << 24)	/* no "--b--" */
#define MSG_DELIMITER_JUNK	(UINT64_C(1) << 25)	/* text behind it */
#define MSG_AFTER_CLOSE		(UINT64_C(1) << 26)	/* parts there */
#define MSG_ENCODED_TREE	(UINT64_C(1) << 27)	/* base64 multipart */
#define MSG_NO_VERSION		(UINT64_C(1) << 28)	/* MIME-Version */
#define MSG_UUENCODE		(UINT64_C(1) << 29)
#define MSG_PARTIAL		(UINT64_C(1) << 30)	/* message/partial */
#define MSG_BODY_NUL		(UINT64_C(1) << 31)

struct part {
	struct part *parent, *child, *last, *next;	/* last: of children */
	unsigned depth;			/* the root has 0 */
	bool lax;			/* only a lax client sees it */
	bool copy;			/* bytes of a decoded copy */
	uint64_t flags;			/* MSG_*: of this part alone */

	struct slice head;		/* header block, no blank line */
	struct field *fields;
	size_t nfields;
	struct slice body;		/* as it stands there, undecoded; the
					   line end before a boundary is not
					   part of it */

	struct slice type, subtype;	/* lower case: "text", "plain" */
	struct params params;		/* of Content-Type */
	struct slice charset;		/* lower case, SLICE_NONE: not said */
	enum transfer transfer;
	struct slice disposition;	/* lower case, SLICE_NONE: not said */
	struct params dparams;		/* of Content-Disposition */
	struct slice filename;		/* UTF-8, decoded; SLICE_NONE: none */
	struct slice filename_raw;	/* as the parameter holds it */
	struct slice filename_charset;	/* RFC 2231; SLICE_NONE: not said */

	struct slice boundary;		/* multipart: the one read by */
	struct slice preamble, epilogue;
};

struct part *part_next(const struct part *root, const struct part *part);
bool part_is(const struct part *p, const char *type, const char *subtype);
bool part_multipart(const struct part *p);
bool part_offset(const struct message *msg, const struct part *p,
    size_t *off_r);
struct slice part_decoded(const struct part *p, struct arena *a, size_t limit,
    unsigned *flags_r);
bool part_reading(const struct part *p, unsigned n, struct arena *a,
    size_t limit, struct slice *content_r, unsigned *flags_r);

#endif
