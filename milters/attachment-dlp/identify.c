#include "identify.h"

#include "base/buf.h"
#include "text/encoded.h"

/* What decides by the name alone which program gets the file. */
static const unsigned runs = FILETYPE_EXECUTABLE | FILETYPE_SCRIPT |
    FILETYPE_SHORTCUT | FILETYPE_DISK | FILETYPE_INSTALLER;

static void
add_name(struct arena *a, struct identity *id, struct slice name)
{
	struct filename *n = &id->names[id->nnames];
	const struct filetype *t;

	if (name.ptr == NULL || name.len == 0 ||
	    id->nnames == IDENTIFY_NAMES)
		return;
	filename_read(a, name, n);
	for (size_t i = 0; i < id->nnames; i++)
		if (slice_eq(id->names[i].clean, n->clean))
			return;
	id->nnames++;
	id->tricks |= filename_tricks(n);
	for (size_t i = 0; i < 2; i++) {
		t = filetype_by_ext(i == 0 ? n->ext : n->stream);
		if (t == NULL)
			continue;
		id->classes |= t->classes & runs;
		if (id->named == NULL)
			id->named = t;
	}
}

/* As one reader finds them, and as another does. */
static void
add_params(struct arena *a, struct identity *id, const struct params *params,
    struct slice name)
{
	unsigned flags;

	for (const struct param *p = params_find(params, name); p != NULL;
	    p = params_next(p)) {
		add_name(a, id, encoded_decode(a, p->value, &flags));
		if (p->other.ptr != NULL)
			add_name(a, id, encoded_decode(a, p->other, &flags));
	}
}

static void
disagree(struct arena *a, struct identity *id, const char *who,
    struct slice said)
{
	id->classes |= FILETYPE_DISAGREES;
	if (id->why.len == 0)
		id->why = arena_printf(a, "%s says %.*s, and its bytes are %s",
		    who, SLICE_ARG(said), id->is->name);
}

/* A declared type is often a guess from the extension, or from the family. */
static bool
declared_fits(const struct filetype *said, const struct filetype *is)
{
	return filetype_agree(said, is) || (said->base != NULL &&
	    slice_eq(slice_of(said->base), slice_of(is->name))) ||
	    (is->base != NULL && slice_eq(slice_of(is->base),
	    slice_of(said->name))) ||
	    ((said->classes | is->classes) & (FILETYPE_OFFICE |
	    FILETYPE_TEXT)) == (FILETYPE_OFFICE | FILETYPE_TEXT);
}

static bool
confirms(const struct filetype *told, const struct filetype *claim)
{
	return told != NULL && claim != NULL && !(claim->classes & runs) &&
	    (told == claim || (told->family != NULL && claim->family != NULL &&
	    slice_eq(slice_of(told->family), slice_of(claim->family))));
}

/* told: what libmagic says, or NULL. */
static void
compare(struct arena *a, struct identity *id, const struct filetype *told)
{
	id->classes &= ~(unsigned)FILETYPE_DISAGREES;
	id->why = SLICE("");
	for (size_t i = 0; i < id->nnames; i++) {
		const struct filetype *claim =
		    filetype_by_ext(id->names[i].ext);

		if (!filetype_agree(claim, id->is) && !confirms(told, claim))
			disagree(a, id, "the name", id->names[i].ext);
	}
	if (id->declared != NULL && !declared_fits(id->declared, id->is) &&
	    !confirms(told, id->declared))
		disagree(a, id, "Content-Type", id->mime);
}

static void
finish(struct arena *a, struct identity *id, struct slice bytes)
{
	unsigned classes;

	id->is = filetype_of(bytes, &classes);
	id->classes |= classes;
	id->declared = filetype_by_mime(id->mime);
	id->magic = id->magic_mime = SLICE("");
	compare(a, id, NULL);
	if (id->declared != NULL && (id->nnames == 0 ||
	    id->names[0].ext.len == 0))
		id->classes |= id->declared->classes & runs;
	if (id->named != NULL)
		id->classes &= ~(unsigned)FILETYPE_UNKNOWN;
	if (id->tricks != 0)
		id->classes |= FILETYPE_NAME_TRICK;
}

void
identify_part(struct arena *a, const struct part *p, struct slice bytes,
    struct identity *id_r)
{
	*id_r = (struct identity){ .mime = p->type.len > 0 ? arena_printf(a,
	    "%.*s/%.*s", SLICE_ARG(p->type), SLICE_ARG(p->subtype)) :
	    SLICE("") };
	add_name(a, id_r, p->filename);
	add_params(a, id_r, &p->dparams, SLICE("filename"));
	add_params(a, id_r, &p->params, SLICE("name"));
	finish(a, id_r, bytes);
}

void
identify_file(struct arena *a, struct slice name, struct slice mime,
    struct slice bytes, struct identity *id_r)
{
	*id_r = (struct identity){ .mime = mime };
	add_name(a, id_r, name);
	finish(a, id_r, bytes);
}

static bool
is_named(const struct identity *id, const char *type)
{
	return slice_eq(slice_of(id->is->name), slice_of(type));
}

bool
identify_unsure(const struct identity *id)
{
	return is_named(id, "data") || (is_named(id, "text") &&
	    id->named == NULL);
}

/* Its words for "not known", and other people's. */
static bool
says_nothing(struct slice mime)
{
	return mime.len == 0 ||
	    slice_eq_nocase(mime, SLICE("application/octet-stream")) ||
	    slice_eq_nocase(mime, SLICE("text/plain"));
}

/*
 * Two bytes are enough for libmagic to see a program for DOS: one in a hundred
 * of random files. A type whose files all have a signature counts only where
 * somebody else says so too: the table would have seen the signature.
 */
static bool
guessed(const struct identity *id, const struct filetype *told)
{
	bool seconded = confirms(told, id->declared);

	for (size_t i = 0; i < id->nnames; i++)
		seconded = seconded || confirms(told,
		    filetype_by_ext(id->names[i].ext));
	return told != NULL && told->sure && !seconded;
}

/* A script that is declared as text is shown as text. */
static bool
declared_may_be(const struct identity *id, const struct filetype *told,
    struct slice kind)
{
	return says_nothing(id->mime) || slice_eq_nocase(id->mime, kind) ||
	    (is_named(id, "text") &&
	    slice_starts_nocase(id->mime, SLICE("text/"))) ||
	    (id->declared != NULL && declared_fits(id->declared, told));
}

void
identify_magic(struct arena *a, struct identity *id, struct slice kind)
{
	const struct filetype *told = filetype_by_mime(kind);

	id->magic = kind;
	if (!identify_unsure(id) || says_nothing(kind) || guessed(id, told))
		return;
	id->magic_mime = kind;
	id->magic_is = told;
	compare(a, id, told);
	if (told == NULL || !(told->classes & (FILETYPE_EXECUTABLE |
	    FILETYPE_SCRIPT)) || declared_may_be(id, told, kind))
		return;
	id->classes |= FILETYPE_DISAGREES;
	if (id->why.len == 0)
		id->why = arena_printf(a, "Content-Type says %.*s, and libmagic "
		    "says %.*s", SLICE_ARG(id->mime), SLICE_ARG(kind));
}

struct slice
identify_classes(struct arena *a, unsigned classes)
{
	struct buf out = buf_in(a);

	for (unsigned i = 0; i < FILETYPE_CLASSES; i++)
		if (classes & 1u << i)
			buf_addf(&out, "%s%s", out.len > 0 ? "," : "",
			    filetype_class_name(1u << i));
	return buf_slice(&out);
}

struct slice
identify_tricks(struct arena *a, unsigned tricks)
{
	struct buf out = buf_in(a);

	for (unsigned i = 0; i < FILENAME_FLAGS; i++)
		if (tricks & 1u << i)
			buf_addf(&out, "%s%s", out.len > 0 ? "," : "",
			    filename_flag_name(1u << i));
	return buf_slice(&out);
}
