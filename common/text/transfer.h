/*
 * transfer - content transfer encodings (RFC 2045, 6) as mail clients read them
 *
 * transfer_parse	which encoding a Content-Transfer-Encoding body names
 * transfer_decode	all of `in`, in the arena; borrowed where the encoding
 *			is identity. Stops at `limit` bytes of output and says
 *			so with TRANSFER_CUT
 *
 * Decoding never fails. It does what most clients do and says what it met:
 *
 * base64	bytes outside the alphabet are skipped (RFC 2045, 6.8); padding
 *		ends a quantum and decoding goes on behind it.
 *		transfer_decode_unpadded() skips '=' like any other junk: the
 *		second plausible reading where TRANSFER_AFTER_PAD is met
 * QP		a '=' that begins no escape stands for itself; blanks before a
 *		line end go; lines may be of any length
 * uuencode	begins behind a "begin" line, ends at "end"; lines that are
 *		too short are read as if filled with blanks
 *
 * encode_base64	appends base64 in lines of 76 without a final line end
 * encode_qp		appends quoted-printable: CRLF stays a line end, all
 *			else outside printable ASCII is escaped, lines of at most 76
 *
 * qp_next and base64_next give the smallest unit of encoded bytes at `at`
 * (which is below in.len), for those who edit within a part. The decoders
 * are built on them, so offsets always agree.
 */
#ifndef TEXT_TRANSFER_H
#define TEXT_TRANSFER_H

#include "base/buf.h"

enum transfer { TRANSFER_7BIT = 0, TRANSFER_8BIT, TRANSFER_BINARY,
    TRANSFER_QP, TRANSFER_BASE64, TRANSFER_UUENCODE, TRANSFER_UNKNOWN };

enum {
	TRANSFER_JUNK = 1,		/* bytes that have no business there */
	TRANSFER_AFTER_PAD = 2,		/* base64 data behind padding */
	TRANSFER_SHORT = 4,		/* the last quantum or line is cut off,
					   or "end" is missing */
	TRANSFER_CUT = 8		/* the limit was reached */
};

enum transfer transfer_parse(struct slice body);
const char *transfer_name(enum transfer kind);

static inline bool
transfer_identity(enum transfer kind)
{
	return kind <= TRANSFER_BINARY || kind == TRANSFER_UNKNOWN;
}

struct slice transfer_decode(struct arena *a, enum transfer kind,
    struct slice in, size_t limit, unsigned *flags_r);
struct slice transfer_decode_unpadded(struct arena *a, struct slice in,
    size_t limit, unsigned *flags_r);

void encode_base64(struct buf *out, struct slice in);
void encode_qp(struct buf *out, struct slice in);

enum qp_kind {
	QP_LITERAL,			/* bytes that stand for themselves */
	QP_ESCAPE,			/* =XX: one byte, in `byte` */
	QP_JUNK,			/* a '=' that stands for itself */
	QP_SOFT,			/* a soft line break: nothing */
	QP_TRAILING			/* blanks before a line end: nothing */
};

struct qp_unit {
	enum qp_kind kind;
	size_t len;
	char byte;
};

struct qp_unit qp_next(struct slice in, size_t at);

/* One quantum with what stands before it: up to 3 bytes. */
struct base64_unit {
	size_t start;			/* of its first alphabet character; of
					   the end of `in` where none is left */
	size_t end;			/* behind its last one, padding too */
	unsigned count;			/* bytes it stands for */
	char bytes[3];
	bool padded;
	unsigned flags;			/* TRANSFER_JUNK, TRANSFER_SHORT */
};

struct base64_unit base64_next(struct slice in, size_t at);

#endif
