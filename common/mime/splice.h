/*
 * splice - edits of an encoded part, as byte ranges of what is encoded
 *
 * For patch.c. `edits` are edits of the decoded content, by offset, within its
 * length and without overlap; splices of `in`, the undecoded body, are appended
 * to list, by offset, `base` added to each. The text lives in the arena.
 *
 * qp_length and base64_length give the length of the decoded content.
 */
#ifndef MIME_SPLICE_H
#define MIME_SPLICE_H

#include "mime/patch.h"

struct splice {
	size_t off, len;
	struct slice text;
};

struct splices {
	struct splice *list;
	size_t n, cap;
};

void splice_add(struct splices *s, struct arena *a, size_t off, size_t len,
    struct slice text);

size_t qp_length(struct slice in);
void qp_splices(struct splices *s, struct arena *a, struct slice in,
    size_t base, const struct patch *edits);

size_t base64_length(struct slice in);
void base64_splices(struct splices *s, struct arena *a, struct slice in,
    size_t base, const struct patch *edits);

/* Takes edits that touch as one. The first of *edits; false: no more. */
struct edit {
	size_t off, len;
	struct slice text;
};

bool splice_next_edit(const struct patch **edits, struct arena *a,
    struct edit *e);

#endif
