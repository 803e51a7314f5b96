/* What name and declared type stand for; whether two witnesses agree. */
#include <string.h>

#include "filetype/table.h"

static const char *const classes[FILETYPE_CLASSES] = { "executable", "script",
    "shortcut", "office", "office-macro", "office-embeds", "pdf",
    "pdf-active", "html", "html-active", "archive", "disk-image",
    "encrypted", "mail", "image", "audio", "video", "font", "text",
    "installer", "polyglot", "unknown", "disagreement", "name-trick" };

static bool
listed(const char *list, struct slice item)
{
	struct slice rest = slice_of(list);

	while (rest.ptr != NULL)
		if (slice_eq_nocase(slice_cut(rest, ',', &rest), item))
			return true;
	return false;
}

const struct filetype *
filetype_by_name(struct slice name)
{
	for (const struct filetype *t = filetype_table; t->name != NULL; t++)
		if (slice_eq(slice_of(t->name), name))
			return t;
	return NULL;
}

const struct filetype *
filetype_by_ext(struct slice ext)
{
	if (ext.len == 0)
		return NULL;
	if (ext.len == 38 && ext.ptr[0] == '{' && ext.ptr[37] == '}')
		return filetype_by_name(SLICE("clsid"));
	for (const struct filetype *t = filetype_table; t->name != NULL; t++)
		if (listed(t->ext, ext))
			return t;
	return NULL;
}

const struct filetype *
filetype_by_mime(struct slice mime)
{
	if (mime.len == 0)
		return NULL;
	for (const struct filetype *t = filetype_table; t->name != NULL; t++)
		if (listed(t->mime, mime))
			return t;
	return NULL;
}

static bool
same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

/* Not sure: text of a grammar that has no signature, or bytes that nobody
 * knows, may be what is claimed. */
bool
filetype_agree(const struct filetype *claim, const struct filetype *is)
{
	if (claim == NULL || claim == is || same(is->name, "empty") ||
	    same(claim->family, is->family))
		return true;
	if (same(is->name, "data"))
		return !claim->sure && !same(claim->base, "text") &&
		    !same(claim->name, "text");
	if (same(claim->base, is->name) && !claim->sure)
		return true;
	/* A letter, or its source, shows much; what runs is another thing. */
	return (claim->classes & is->classes & FILETYPE_TEXT) != 0 &&
	    ((is->classes & (FILETYPE_SCRIPT | FILETYPE_HTML |
	    FILETYPE_SHORTCUT)) == 0 || (claim->classes & (FILETYPE_MAIL |
	    FILETYPE_SCRIPT | FILETYPE_HTML)) != 0);
}

const char *
filetype_class_name(unsigned bit)
{
	for (unsigned i = 0; i < FILETYPE_CLASSES; i++)
		if (bit == 1u << i)
			return classes[i];
	return NULL;
}

unsigned
filetype_class_parse(struct slice name)
{
	for (unsigned i = 0; i < FILETYPE_CLASSES; i++)
		if (slice_eq(slice_of(classes[i]), name))
			return 1u << i;
	return 0;
}
