#include "term.h"

enum { GLOB_STEPS = 100000 };

static const struct { const char *word; enum term_kind kind; } words[] = {
	{ "ext", TERM_EXT }, { "mime", TERM_MIME }, { "type", TERM_TYPE },
	{ "class", TERM_CLASS }, { "name", TERM_NAME },
	{ "larger", TERM_LARGER }, { "member", TERM_MEMBER },
	{ "attachment", TERM_ATTACHMENT },
};

/* ---- reading ---- */

static enum rc
bad(struct arena *a, struct slice *why_r, const char *what,
    struct slice text, const char *right)
{
	*why_r = arena_printf(a, "\"%.*s\" %s; %s", SLICE_ARG(text), what,
	    right);
	return RC_BAD;
}

static bool
read_size(struct slice s, uint64_t *bytes_r)
{
	static const char units[] = "kMG";
	uint64_t unit = 1;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < 3; i++)
		if (s.ptr[s.len - 1] == units[i]) {
			unit = UINT64_C(1) << (10 * (i + 1));
			s.len--;
			break;
		}
	if (!slice_number(s, UINT64_MAX >> 30, bytes_r))
		return false;
	*bytes_r *= unit;
	return true;
}

static enum rc
read_class(struct term_condition *c, struct arena *a, struct slice *why_r)
{
	if (slice_eq(c->text, SLICE("incomplete"))) {
		c->incomplete = true;
		return RC_OK;
	}
	c->classes = slice_eq(c->text, SLICE("archive-encrypted")) ?
	    (unsigned)(FILETYPE_ARCHIVE | FILETYPE_ENCRYPTED) :
	    filetype_class_parse(c->text);
	return c->classes != 0 ? RC_OK : bad(a, why_r, "is no class",
	    c->text, "gatehouse-attachment-dlp(8) lists them, as "
	    "\"class:executable\"");
}

static enum rc
read_value(struct term_condition *c, struct arena *a, struct slice *why_r)
{
	switch (c->kind) {
	case TERM_TYPE:
		c->type = filetype_by_name(c->text);
		return c->type != NULL ? RC_OK : bad(a, why_r, "is no type",
		    c->text, "gatehouse attachment identify shows what a file "
		    "is, as \"type:pe\"");
	case TERM_CLASS:
		return read_class(c, a, why_r);
	case TERM_LARGER:
		return read_size(c->text, &c->bytes) ? RC_OK : bad(a, why_r,
		    "is no size", c->text, "write \"larger:10M\"");
	case TERM_EXT:
		return !slice_has(c->text, '.') ? RC_OK : bad(a, why_r,
		    "holds a dot", c->text, "write \"ext:exe\"");
	default:
		return RC_OK;
	}
}

static enum rc
read_condition(struct slice text, struct term_condition *c, struct arena *a,
    struct slice *why_r)
{
	struct slice value, word = slice_cut(text, ':', &value);
	bool alone;

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (!slice_eq(word, slice_of(words[i].word)))
			continue;
		*c = (struct term_condition){ .kind = words[i].kind,
		    .text = value };
		alone = c->kind >= TERM_MEMBER;
		if (alone ? value.ptr != NULL : value.len == 0)
			return bad(a, why_r, alone ? "has no value" :
			    "wants a value", text, "write \"ext:exe\", "
			    "\"class:script\", \"member+ext:js\"");
		return read_value(c, a, why_r);
	}
	return bad(a, why_r, "is no condition", text, "there are ext:, mime:, "
	    "type:, class:, name:, larger:, member and attachment, joined by "
	    "+");
}

enum rc
term_parse(struct slice text, struct term *term_r, struct arena *a,
    struct slice *why_r)
{
	struct slice rest = text;

	*term_r = (struct term){ .text = text };
	while (rest.ptr != NULL) {
		struct slice one = slice_trim(slice_cut(rest, '+', &rest));

		if (term_r->n == TERM_CONDITIONS)
			return bad(a, why_r, "has more than 8 conditions", text,
			    "make several entries of it");
		if (read_condition(one, &term_r->conditions[term_r->n++], a,
		    why_r) != RC_OK)
			return RC_BAD;
	}
	return RC_OK;
}

/* ---- asking ---- */

/* The usual way: at a mismatch the last star takes one byte more. */
static bool
glob(struct slice pattern, struct slice s)
{
	size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;

	for (unsigned steps = 0; i < s.len && steps < GLOB_STEPS; steps++) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			mark = i;
		} else if (p < pattern.len && (pattern.ptr[p] == '?' ||
		    ascii_lower(pattern.ptr[p]) == ascii_lower(s.ptr[i]))) {
			p++;
			i++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return i == s.len && p == pattern.len;
}

static bool
named(const struct term_condition *c, const struct identity *id)
{
	for (size_t i = 0; i < id->nnames; i++) {
		const struct filename *n = &id->names[i];

		if (c->kind == TERM_NAME ? glob(c->text, n->clean) ||
		    glob(c->text, slice_sub(n->clean, 0,
		    slice_find(n->clean, ':'))) :
		    slice_eq_nocase(c->text, n->ext) ||
		    (n->stream.len > 0 && slice_eq_nocase(c->text, n->stream)))
			return true;
	}
	return false;
}

static bool
is_mime(const struct term_condition *c, struct slice mime)
{
	return slice_ends(c->text, SLICE("/")) ?
	    slice_starts_nocase(mime, c->text) : glob(c->text, mime);
}

static bool
condition_holds(const struct term_condition *c, const struct item *item,
    bool magic)
{
	const struct identity *id = &item->identity;

	switch (c->kind) {
	case TERM_EXT:
	case TERM_NAME:
		return named(c, id);
	case TERM_MIME:
		return (item->container == NULL && is_mime(c, id->mime)) ||
		    (magic && id->magic_mime.len > 0 &&
		    is_mime(c, id->magic_mime));
	case TERM_TYPE:
		return id->is == c->type || (magic && id->magic_is == c->type);
	case TERM_CLASS:
		return c->incomplete ? item->why != UNPACK_WHOLE &&
		    item->why != UNPACK_ENCRYPTED :
		    (id->classes & c->classes) == c->classes;
	case TERM_LARGER:
		return item->bytes.len > c->bytes;
	case TERM_MEMBER:
		return item->container != NULL;
	case TERM_ATTACHMENT:
		return item->container == NULL;
	}
	return false;
}

bool
term_holds(const struct term *term, const struct item *item)
{
	for (size_t i = 0; i < term->n; i++)
		if (!condition_holds(&term->conditions[i], item,
		    !term->ours_only))
			return false;
	return true;
}
