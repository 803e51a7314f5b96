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

static void
finish(struct arena *a, struct identity *id, struct slice bytes)
{
	unsigned classes;

	id->is = filetype_of(bytes, &classes);
	id->classes |= classes;
	id->why = SLICE("");
	for (size_t i = 0; i < id->nnames; i++)
		if (!filetype_agree(filetype_by_ext(id->names[i].ext), id->is))
			disagree(a, id, "the name", id->names[i].ext);
	id->declared = filetype_by_mime(id->mime);
	if (id->declared != NULL && !declared_fits(id->declared, id->is))
		disagree(a, id, "Content-Type", id->mime);
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
