/*
 * tags - a tag list (RFC 6376, 3.2), as signatures and key records hold it
 *
 * tags_read	reads all of it; NULL when it is well-formed, or else what is
 *		wrong, in plain words. A name that comes twice, an empty
 *		tag-spec anywhere but at the end, a byte that no tag may hold
 *		and more than TAGS_MAX tags make the whole list invalid
 * tags_find	the value of a tag without the white space around it, SLICE_NONE
 *		when it is absent. Names are compared with their case
 * tags_span	all bytes between the '=' of a tag and its ';': what is cut out
 *		of a signature before it is hashed (3.7)
 * tags_cut	the next word of a list in a value: before sep, white space
 *		around it gone; *rest_r is SLICE_NONE behind the last one
 * tags_squeeze	the value without any white space, borrowed where it has none
 * tags_base64	decodes a value with white space anywhere in it; SLICE_NONE
 *		when it is empty or is no base64
 *
 * Folding white space is any run of blanks, CR and LF; UTF-8 is taken
 * (RFC 8616), and whoever uses a value says what may stand in it. Values
 * borrow from the text. No call changes anything; safe from any thread.
 */
#ifndef DKIM_TAGS_H
#define DKIM_TAGS_H

#include "base/arena.h"

enum { TAGS_MAX = 64 };

struct tag {
	struct slice name, value, span;
};

struct tags {
	size_t count;
	struct tag list[TAGS_MAX];
};

const char *tags_read(struct slice text, struct tags *tags_r);
struct slice tags_find(const struct tags *tags, struct slice name);
struct slice tags_span(const struct tags *tags, struct slice name);
struct slice tags_cut(struct slice list, char sep, struct slice *rest_r);
struct slice tags_squeeze(struct arena *a, struct slice value);
struct slice tags_base64(struct arena *a, struct slice value);

#endif
