/*
 * An entry of a list, a name, a declared type and bytes, with NULs between them:
 * the entry is read, or refused in words; what it says of a file with that name
 * it says each time; and whether that is a member of another counts only where
 * it is asked, or where the declared type is, which a member has not.
 */
#include <stdlib.h>

#include "milters/attachment-dlp/term.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
ask(const struct term *term, struct slice name, struct slice mime,
    struct slice bytes, struct arena *a)
{
	struct item item = { .name = name, .path = name, .bytes = bytes,
	    .format = SLICE("") }, member, again;
	bool conditional = false;

	identify_file(a, name, mime, bytes, &item.identity);
	member = item;
	member.container = &item;
	again = item;
	if (term_holds(term, &item) != term_holds(term, &again))
		abort();
	for (size_t i = 0; i < term->n; i++)
		conditional = conditional ||
		    term->conditions[i].kind == TERM_MEMBER ||
		    term->conditions[i].kind == TERM_MIME ||
		    term->conditions[i].kind == TERM_ATTACHMENT;
	if (!conditional && term_holds(term, &item) !=
	    term_holds(term, &member))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = slice_make(data, size), text, name, mime;
	struct slice why = SLICE("");
	struct arena *a = arena_new();
	struct term term;

	text = slice_cut(rest, '\0', &rest);
	name = slice_cut(rest, '\0', &rest);
	mime = slice_cut(rest, '\0', &rest);
	if (name.ptr == NULL)
		name = SLICE("");
	if (mime.ptr == NULL)
		mime = SLICE("");
	if (rest.ptr == NULL)
		rest = SLICE("");
	if (term_parse(text, &term, a, &why) != RC_OK) {
		if (why.len == 0)
			abort();	/* refused without a word */
	} else if (term.n == 0 || term.n > TERM_CONDITIONS) {
		abort();
	} else {
		ask(&term, name, mime, rest, a);
	}
	arena_free(a);
	return 0;
}
