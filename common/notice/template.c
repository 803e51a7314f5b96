#include "notice/template.h"

#include <string.h>

#include "conf/near.h"
#include "notice/template-html.h"
#include "text/percent.h"
#include "text/utf8.h"

enum node_kind { NODE_TEXT, NODE_VALUE, NODE_LIST, NODE_EMPTY, NODE_END };

struct node {
	enum node_kind kind;
	struct slice text;		/* of NODE_TEXT; else the name */
	enum place place;
	size_t end;			/* of a section: its NODE_END */
};

struct template {
	struct node *nodes;
	size_t count;
};

/* An open section while a template is read. */
struct level {
	const struct template_names *names;
	struct html_place place;
	size_t node;
	unsigned line;
};

struct parse {
	struct arena *a;
	const char *file;
	enum template_kind kind;
	struct slice rest;
	unsigned line;
	struct node *nodes;
	size_t count, room;
	const struct template_parts *parts;
	unsigned nested;
	struct level levels[TEMPLATE_LEVELS];
	size_t depth;
	struct html_place place;
	struct slice why;
};

static enum rc __attribute__((format(printf, 2, 3)))
bad(struct parse *p, const char *fmt, ...)
{
	struct slice what;
	va_list args;

	va_start(args, fmt);
	what = arena_vprintf(p->a, fmt, args);
	va_end(args);
	p->why = arena_printf(p->a, "%s:%u: %.*s", p->file, p->line,
	    SLICE_ARG(what));
	return RC_BAD;
}

/* A name as it may stand in a message. */
static const char *
shown(struct parse *p, struct slice name)
{
	return arena_str(p->a, slice_sub(template_plain(p->a, name), 0, 60));
}

static const struct template_names *
name_in(const struct template_names *names, struct slice name)
{
	for (; names != NULL && names->name != NULL; names++)
		if (slice_eq(name, slice_of(names->name)))
			return names;
	return NULL;
}

/* The innermost list that has it first. */
static const struct template_names *
find_name(const struct parse *p, struct slice name)
{
	const struct template_names *found = NULL;

	for (size_t i = p->depth; i-- > 0 && found == NULL;)
		found = name_in(p->levels[i].names, name);
	return found;
}

static enum rc
unknown_name(struct parse *p, struct slice name)
{
	struct near near = near_to(name);

	for (size_t i = 0; i < p->depth; i++)
		for (const struct template_names *n = p->levels[i].names;
		    n != NULL && n->name != NULL; n++)
			near_try(&near, n->name);
	if (near.best != NULL)
		return bad(p, "there is no {{%s}} here; did you mean {{%s}}?",
		    shown(p, name), near.best);
	return bad(p, "there is no {{%s}} here; the manual lists what there is",
	    shown(p, name));
}

static enum rc
add(struct parse *p, struct node node)
{
	if (p->count == TEMPLATE_NODES)
		return bad(p, "over %d places in one template", TEMPLATE_NODES);
	p->nodes = arena_more(p->a, p->nodes, p->count, &p->room,
	    sizeof *p->nodes);
	p->nodes[p->count++] = node;
	return RC_OK;
}

static enum rc
add_text(struct parse *p, struct slice text)
{
	if (text.len == 0)
		return RC_OK;
	if (p->kind == TEMPLATE_HTML)
		html_place_walk(&p->place, text);
	return add(p, (struct node){ NODE_TEXT, text, PLACE_NONE, 0 });
}

static enum rc
add_value(struct parse *p, struct slice name)
{
	const struct template_names *known = find_name(p, name);
	enum place place = PLACE_PLAIN;
	const char *why;

	if (known == NULL)
		return unknown_name(p, name);
	if (known->rows != NULL)
		return bad(p, "%s is a list; write {{#%s}} ... {{/%s}}",
		    known->name, known->name, known->name);
	if (p->kind == TEMPLATE_HTML) {
		place = html_place_of(&p->place, &why);
		if (place == PLACE_NONE)
			return bad(p, "{{%s}} has no place %s; values stand in "
			    "text or in a quoted attribute", known->name, why);
		/* What follows a value is no beginning any more. */
		if (p->place.state == HTML_VALUE)
			p->place.first = false;
	}
	return add(p, (struct node){ NODE_VALUE, name, place, 0 });
}

static enum rc
open_section(struct parse *p, struct slice name, bool empty)
{
	const struct template_names *known = find_name(p, name);
	const struct template_names *rows;

	if (known == NULL)
		return unknown_name(p, name);
	if (p->depth == TEMPLATE_LEVELS)
		return bad(p, "sections inside sections, more than %d deep",
		    TEMPLATE_LEVELS - 1);
	rows = empty ? NULL : known->rows;
	p->levels[p->depth++] = (struct level){ rows, p->place, p->count,
	    p->line };
	return add(p, (struct node){ empty ? NODE_EMPTY : NODE_LIST, name,
	    PLACE_NONE, 0 });
}

static enum rc
close_section(struct parse *p, struct slice name)
{
	struct level *level = &p->levels[p->depth - 1];
	struct slice open;

	if (p->depth == 1)
		return bad(p, "{{/%s}} closes nothing", shown(p, name));
	open = p->nodes[level->node].text;
	if (!slice_eq(open, name))
		return bad(p, "{{/%s}} closes {{%s}} of line %u; close that "
		    "first", shown(p, name), shown(p, open), level->line);
	if (p->kind == TEMPLATE_HTML &&
	    !html_place_same(&level->place, &p->place))
		return bad(p, "the section {{%s}} of line %u begins and ends "
		    "in different places of the HTML; close what it opens",
		    shown(p, open), level->line);
	p->nodes[level->node].end = p->count;
	p->depth--;
	return add(p, (struct node){ NODE_END, name, PLACE_NONE,
	    level->node });
}

static bool
is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!ascii_alnum(name.ptr[i]) && name.ptr[i] != '_')
			return false;
	return name.len > 0;
}

static enum rc read_all(struct parse *p);

/* Another file is read here, then this one goes on. */
static enum rc
include(struct parse *p, struct slice name)
{
	const struct parse outer = *p;
	struct slice why = SLICE("");
	enum rc rc;

	if (p->nested == TEMPLATE_PARTS)
		return bad(p, "parts within parts, more than %d deep; does %s "
		    "contain itself?", TEMPLATE_PARTS, shown(p, name));
	if (p->parts == NULL || p->parts->find(p->parts->arg, name, &p->file,
	    &p->rest, &why) != RC_OK) {
		p->file = outer.file;
		return bad(p, "there is no part {{> %s}}; %.*s", shown(p,
		    name), SLICE_ARG(why));
	}
	p->nested++;
	p->line = 1;
	if (slice_ends(p->rest, SLICE("\n")))
		p->rest.len--;
	rc = read_all(p);
	if (rc == RC_OK && p->depth != outer.depth)
		rc = bad(p, "a section is opened or closed in this part alone");
	if (rc != RC_OK)
		return rc;
	p->file = outer.file;
	p->line = outer.line;
	p->rest = outer.rest;
	p->nested = outer.nested;
	return RC_OK;
}

static enum rc
mark(struct parse *p, struct slice inside)
{
	char c = inside.len > 0 ? inside.ptr[0] : '\0';
	bool sign = c == '#' || c == '^' || c == '/' || c == '>';
	struct slice name = slice_trim(slice_after(inside, sign ? 1 : 0));

	if (c == '!')
		return RC_OK;
	if (!is_name(name))
		return bad(p, "{{%s}} is no name; a name has letters, digits "
		    "and _", shown(p, inside));
	switch (c) {
	case '#':
	case '^':
		return open_section(p, name, c == '^');
	case '/':
		return close_section(p, name);
	case '>':
		return include(p, name);
	default:
		return add_value(p, name);
	}
}

static void
count_lines(struct parse *p, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		p->line += s.ptr[i] == '\n';
}

/* The blanks before the mark go when it is alone on its line. */
static struct slice
without_blanks(struct slice text, bool at_start, bool *alone_r)
{
	size_t len = text.len;

	while (len > 0 && ascii_blank(text.ptr[len - 1]))
		len--;
	*alone_r = len > 0 ? text.ptr[len - 1] == '\n' : at_start;
	return slice_sub(text, 0, len);
}

static size_t
blank_line(struct slice s)
{
	size_t i = 0;

	while (i < s.len && ascii_blank(s.ptr[i]))
		i++;
	if (i < s.len && s.ptr[i] == '\r')
		i++;
	return i < s.len && s.ptr[i] == '\n' ? i + 1 : 0;
}

static enum rc
next(struct parse *p, bool *at_start)
{
	size_t at = slice_search(p->rest, SLICE("{{")), end, skip;
	struct slice text = slice_sub(p->rest, 0, at), inside, bare;
	bool alone;

	if (at == p->rest.len) {
		p->rest = SLICE("");
		return add_text(p, text);
	}
	inside = slice_after(p->rest, at + 2);
	end = slice_search(inside, SLICE("}}"));
	count_lines(p, text);
	if (end == inside.len)
		return bad(p, "{{ has no end; close it with }}");
	p->rest = slice_after(inside, end + 2);
	inside = slice_sub(inside, 0, end);
	bare = without_blanks(text, *at_start, &alone);
	skip = blank_line(p->rest);
	*at_start = false;
	if (alone && skip > 0 && inside.len > 0 &&
	    strchr("#^/!", inside.ptr[0]) != NULL) {
		text = bare;
		p->rest = slice_after(p->rest, skip);
		*at_start = true;
	} else {
		skip = 0;
	}
	if (add_text(p, text) != RC_OK || mark(p, inside) != RC_OK)
		return RC_BAD;
	count_lines(p, inside);
	p->line += skip > 0;
	return RC_OK;
}

/* To the end of this file. */
static enum rc
read_all(struct parse *p)
{
	bool at_start = true;

	if (p->rest.len > TEMPLATE_FILE)
		return bad(p, "over %d bytes", TEMPLATE_FILE);
	if (!utf8_valid(p->rest))
		return bad(p, "the file is not UTF-8; save it as UTF-8");
	while (p->rest.len > 0)
		if (next(p, &at_start) != RC_OK)
			return RC_BAD;
	return RC_OK;
}

static enum rc
parse_all(struct parse *p)
{
	if (read_all(p) != RC_OK)
		return RC_BAD;
	if (p->depth == 1)
		return RC_OK;
	p->line = p->levels[p->depth - 1].line;
	return bad(p, "{{%s}} is never closed; close it with {{/%s}}",
	    shown(p, p->nodes[p->levels[p->depth - 1].node].text),
	    shown(p, p->nodes[p->levels[p->depth - 1].node].text));
}

enum rc
template_parse(struct arena *a, const char *file, unsigned line,
    struct slice text, enum template_kind kind,
    const struct template_names *names, const struct template_parts *parts,
    struct template **template_r, struct slice *why_r)
{
	struct parse p = { .a = a, .file = file, .kind = kind, .rest = text,
	    .line = line, .parts = parts };
	struct template *t = arena_alloc(a, sizeof *t);
	enum rc rc;

	p.levels[p.depth++] = (struct level){ .names = names };
	rc = parse_all(&p);
	*t = (struct template){ p.nodes, p.count };
	*template_r = rc == RC_OK ? t : NULL;
	*why_r = p.why;
	return rc;
}

/* --- filling in ---------------------------------------------------------- */

struct render {
	const struct template *t;
	struct buf *out;
	size_t limit;
	const struct template_data *levels[TEMPLATE_LEVELS + 1];
	size_t depth;
};

static const struct template_data *
find(const struct render *r, struct slice name)
{
	for (size_t i = r->depth; i-- > 0;)
		for (const struct template_data *d = r->levels[i]; d != NULL;
		    d = d->next)
			if (slice_eq(name, slice_of(d->name)))
				return d;
	return NULL;
}

static void
add_cp(struct buf *out, uint32_t cp)
{
	char bytes[4];

	buf_add(out, slice_make(bytes, utf8_put(bytes, cp)));
}

static const char *
entity(uint32_t cp)
{
	switch (cp) {
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '&':
		return "&amp;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

/* Value as text; in HTML with entities. */
static void
add_escaped(struct buf *out, struct slice value, bool html)
{
	uint32_t cp;

	while (utf8_next(&value, &cp)) {
		const char *name = html ? entity(cp) : NULL;

		if (cp == UTF8_BAD)
			add_cp(out, 0xfffd);
		else if (utf8_control(cp))
			buf_addc(out, ' ');
		else if (utf8_bidi(cp) || utf8_unseen(cp))
			continue;
		else if (name != NULL)
			buf_adds(out, name);
		else
			add_cp(out, cp);
	}
}

struct slice
template_plain(struct arena *a, struct slice value)
{
	struct buf b = buf_in(a);

	add_escaped(&b, slice_sub(value, 0, TEMPLATE_VALUE), false);
	return buf_slice(&b);
}

/* A URL of ours is ASCII without blanks; anything else is none. */
static bool
whole_url(struct slice url)
{
	if (!slice_starts(url, SLICE("https://")) &&
	    !slice_starts(url, SLICE("http://")) &&
	    !slice_starts(url, SLICE("mailto:")))
		return false;
	for (size_t i = 0; i < url.len; i++)
		if (url.ptr[i] <= ' ' || url.ptr[i] > '~' ||
		    url.ptr[i] == '\\')
			return false;
	return true;
}

/* At most TEMPLATE_VALUE bytes, not within a character. */
static struct slice
cut(struct slice value, bool *cut_r)
{
	size_t len = TEMPLATE_VALUE;

	*cut_r = value.len > len;
	while (*cut_r && len > 0 && (value.ptr[len] & 0xc0) == 0x80)
		len--;
	return slice_sub(value, 0, *cut_r ? len : value.len);
}

static void
add_placed(struct buf *out, struct slice whole, enum place place)
{
	bool is_cut;
	struct slice value = cut(whole, &is_cut);

	switch (place) {
	case PLACE_URL:
		if (is_cut || !whole_url(value))
			value = SLICE("#");
		add_escaped(out, value, true);
		return;
	case PLACE_URL_PART:
		percent_encode(out, value, "");
		return;
	default:
		add_escaped(out, value, place != PLACE_PLAIN);
		if (is_cut)
			buf_adds(out, "...");
		return;
	}
}

static bool
is_empty(const struct template_data *d)
{
	return d == NULL || (d->rows == NULL && d->value.len == 0);
}

static enum rc render(struct render *r, size_t from, size_t to);

static enum rc
section(struct render *r, const struct node *n, size_t at)
{
	const struct template_data *d = find(r, n->text);
	enum rc rc = RC_OK;

	if (n->kind == NODE_EMPTY)
		return is_empty(d) ? render(r, at + 1, n->end) : RC_OK;
	if (is_empty(d))
		return RC_OK;
	if (d->rows == NULL)
		return render(r, at + 1, n->end);
	for (const struct template_row *row = d->rows;
	    row != NULL && rc == RC_OK; row = row->next) {
		r->levels[r->depth++] = row->data;
		rc = render(r, at + 1, n->end);
		r->depth--;
	}
	return rc;
}

/* As deep as sections are, which is at most TEMPLATE_LEVELS. */
static enum rc
render(struct render *r, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		const struct node *n = &r->t->nodes[i];
		const struct template_data *d;

		if (r->out->len > r->limit)
			return RC_BAD;
		switch (n->kind) {
		case NODE_TEXT:
			buf_add(r->out, n->text);
			break;
		case NODE_VALUE:
			d = find(r, n->text);
			add_placed(r->out, d != NULL ? d->value : SLICE(""),
			    n->place);
			break;
		case NODE_END:
			break;
		default:
			if (section(r, n, i) != RC_OK)
				return RC_BAD;
			i = n->end;
		}
	}
	return RC_OK;
}

enum rc
template_render(const struct template *t, const struct template_data *data,
    struct buf *out)
{
	struct render r = { .t = t, .out = out,
	    .limit = out->len + TEMPLATE_OUT, .levels = { data }, .depth = 1 };

	if (render(&r, 0, t->count) != RC_OK || out->len > r.limit)
		return RC_BAD;
	return RC_OK;
}

struct template_data *
template_put(struct arena *a, struct template_data **data, const char *name,
    struct slice value)
{
	struct template_data *d = arena_alloc(a, sizeof *d);

	*d = (struct template_data){ *data, name, value, NULL, &d->rows };
	*data = d;
	return d;
}

struct template_row *
template_row(struct arena *a, struct template_data *list)
{
	struct template_row *row = arena_alloc(a, sizeof *row);

	*list->last = row;
	list->last = &row->next;
	return row;
}
