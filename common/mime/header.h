/*
 * header - header blocks as the MIME reader sees them
 *
 * For the files of this room. header_fields lists the fields of a block, up to
 * the limits, and returns MSG_* flags. header_find gives the first field of
 * that name from index `from` on.
 *
 * header_entity fills in what the fields of a part say about its content:
 * type, parameters, transfer encoding, disposition, file name; `type` and
 * `transfer` choose which of several Content-Type and
 * Content-Transfer-Encoding fields count (0: the first). Without a usable
 * Content-Type the part is text/plain, or message/rfc822 in a digest.
 */
#ifndef MIME_HEADER_H
#define MIME_HEADER_H

#include "mime/message.h"

uint64_t header_fields(struct arena *a, struct slice head,
    const struct message_limits *limits, struct field **fields_r,
    size_t *nfields_r);
const struct field *header_find(const struct field *fields, size_t nfields,
    struct slice name, size_t from);
const struct field *header_nth(const struct part *p, struct slice name,
    size_t n);
void header_entity(struct arena *a, struct part *p, bool digest, size_t type,
    size_t transfer);

#endif
