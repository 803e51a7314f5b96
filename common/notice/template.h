/*
 * template - text with places that are filled in, safely
 *
 *	{{name}}		a value
 *	{{#name}}...{{/name}}	once for each row of a list; of a value: once,
 *				when it is not empty
 *	{{^name}}...{{/name}}	once, when the list or value is empty
 *	{{! remark }}		nothing
 *	{{> name}}		another file in this place, without its last
 *				line end
 * A line with nothing but such a mark (not a value) leaves no line behind.
 * Within a list, names of its rows stand before those around it.
 *
 * Values are hostile: subjects and names of other people. There is no way to
 * write one without escaping. Where a value stands decides how it is written,
 * and that is known when the template is read:
 *
 *	plain text	control characters become blanks; marks that turn the
 *			direction and characters without width are dropped
 *	HTML text	the same, and < > & " ' as entities
 *	HTML attribute	the same; only within quotes
 *	URL (href, src)	at its beginning: a whole http, https or mailto URL, or
 *			else "#"; further on: percent-encoded, a component
 *	elsewhere	(a tag, a comment, style, script, an event, an attribute
 *			without quotes) the template is refused
 * The branches of a section must end in the context that they began in.
 *
 * A template is checked against the names that there are for it: others are an
 * error with "did you mean". A value is cut at TEMPLATE_VALUE bytes, a result
 * over TEMPLATE_OUT is an error.
 *
 * template_parse	RC_BAD, *why_r "file:line: what is wrong; what would be
 *			right". file, and line (the number of the first one),
 *			are only for that. parts gives the other files; NULL:
 *			there are none. The template borrows from all texts and
 *			lives in the arena; read-only, any thread
 * template_render	appends to out; RC_BAD: it would be over TEMPLATE_OUT
 *			(what was appended then is of no use)
 * template_plain	a value as plain text has it: for headers and logs
 */
#ifndef NOTICE_TEMPLATE_H
#define NOTICE_TEMPLATE_H

#include "base/buf.h"
#include "base/rc.h"

enum template_kind { TEMPLATE_TEXT, TEMPLATE_HTML };

enum {
	TEMPLATE_FILE = 256 << 10,	/* bytes of a template */
	TEMPLATE_NODES = 10000,
	TEMPLATE_LEVELS = 8,
	TEMPLATE_PARTS = 4,		/* one within the other */
	TEMPLATE_VALUE = 2000,
	TEMPLATE_OUT = 4 << 20,
};

/* Names of a template; an array ends with name NULL. */
struct template_names {
	const char *name;
	const struct template_names *rows; /* not NULL: a list of these */
};

/* What they are filled with: a list of named values and named lists. */
struct template_data {
	struct template_data *next;
	const char *name;
	struct slice value;
	struct template_row *rows, **last; /* of a list */
};

struct template_row {
	struct template_row *next;
	struct template_data *data;
};

struct template;

/* RC_OK with file and text of a part; RC_BAD: there is none. */
struct template_parts {
	enum rc (*find)(void *arg, struct slice name, const char **file_r,
	    struct slice *text_r, struct slice *why_r);
	void *arg;
};

enum rc template_parse(struct arena *a, const char *file, unsigned line,
    struct slice text, enum template_kind kind,
    const struct template_names *names, const struct template_parts *parts,
    struct template **template_r, struct slice *why_r);
enum rc template_render(const struct template *t,
    const struct template_data *data, struct buf *out);
struct slice template_plain(struct arena *a, struct slice value);

/* Puts a value, or an empty list, in front of *data. */
struct template_data *template_put(struct arena *a,
    struct template_data **data, const char *name, struct slice value);
/* A new last row of a list. */
struct template_row *template_row(struct arena *a,
    struct template_data *list);

#endif
