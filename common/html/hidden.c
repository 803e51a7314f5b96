#include "html/hidden.h"

void
html_opened_init(struct html_opened *o)
{
	/* Black on white, until somebody says another thing. */
	*o = (struct html_opened){ .base = { .colour_known = true,
		.back_known = true, .back = 0xffffff } };
}

/* What holds within an element of that style. */
static struct html_style
within(const struct html_style *around, const struct html_style *own)
{
	struct html_style s = *around;

	s.hides = (uint16_t)((s.hides & ~own->shows) | own->hides);
	if (own->colour_set) {
		s.colour_known = own->colour_known;
		s.colour = own->colour;
	}
	if (own->back_set) {
		s.back_known = own->back_known;
		s.back = own->back;
	}
	s.pre = s.pre || own->pre;
	return s;
}

static const struct html_style *
around(const struct html_opened *o, unsigned place)
{
	return place == 0 ? &o->base : &o->stack[place - 1].all;
}

const struct html_style *
html_style_here(const struct html_opened *o)
{
	return around(o, o->n);
}

static bool
near(uint32_t a, uint32_t b)
{
	enum { APART = 8 };		/* of 255, in each channel */

	for (unsigned shift = 0; shift < 24; shift += 8) {
		int d = (int)(a >> shift & 0xff) - (int)(b >> shift & 0xff);

		if (d > APART || d < -APART)
			return false;
	}
	return true;
}

unsigned
html_hides(const struct html_opened *o)
{
	const struct html_style *s = html_style_here(o);
	bool same = s->colour_known && s->back_known &&
	    near(s->colour, s->back);

	return s->hides | (same ? HTML_HIDDEN_COLOUR : 0);
}

size_t
html_opened_at(const struct html_opened *o, enum html_tag tag)
{
	unsigned place = o->top[tag];

	return place == 0 || o->stack[place - 1].ended ? SIZE_MAX :
	    o->stack[place - 1].off;
}

static void
push(struct html_opened *o, const struct html_token *t)
{
	unsigned is = html_tag_is(t->tag);
	struct html_element *e;

	if (o->n == HTML_DEPTH) {
		o->over++;
		return;
	}
	e = &o->stack[o->n];
	*e = (struct html_element){ .tag = t->tag, .off = t->off,
	    .same = o->top[t->tag], .scope = o->scope,
	    .special = o->special };
	html_style_read(t, &e->own);
	e->all = within(around(o, o->n), &e->own);
	o->n++;
	o->top[t->tag] = (uint16_t)o->n;
	if ((is & HTML_TAG_SCOPE) != 0)
		o->scope = (uint16_t)o->n;
	if ((is & HTML_TAG_SPECIAL) != 0)
		o->special = (uint16_t)o->n;
}

/* All from the one at place - 1 inwards are closed. */
static void
pop_to(struct html_opened *o, unsigned place)
{
	while (o->n >= place) {
		const struct html_element *e = &o->stack[--o->n];

		o->top[e->tag] = e->same;
		o->scope = e->scope;
		o->special = e->special;
	}
	o->over = 0;
}

/*
 * </b> with a block still open in it: the block stays, b ends, and what is
 * inside the block looks as if b had never been there. Once for each element,
 * so a depth's length of work at most for each start tag.
 */
static void
end_around(struct html_opened *o, unsigned place)
{
	struct html_element *e = &o->stack[place - 1];

	e->ended = true;
	e->own = (struct html_style){ 0 };
	for (unsigned i = place - 1; i < o->n; i++)
		o->stack[i].all = within(around(o, i), &o->stack[i].own);
}

/* The open element of that tag ends, where one is within `scope`. */
static void
end(struct html_opened *o, enum html_tag tag, unsigned scope)
{
	unsigned place = o->top[tag];

	if (place == 0 || place <= scope || o->stack[place - 1].ended)
		return;
	if (place < o->special && (html_tag_is(tag) & HTML_TAG_FORMAT) != 0)
		end_around(o, place);
	else if (place >= o->special ||
	    (html_tag_is(tag) & HTML_TAG_SPECIAL) != 0)
		pop_to(o, place);
}

/* Those that a start tag ends without being told. */
static void
implied(struct html_opened *o, enum html_tag tag)
{
	unsigned table = o->top[HTML_TABLE];

	if ((html_tag_is(tag) & HTML_TAG_ENDS_P) != 0)
		end(o, HTML_P, o->scope);
	if (tag == HTML_A)
		end(o, HTML_A, o->scope);
	if (tag == HTML_LI)
		end(o, HTML_LI, o->top[HTML_UL] > o->top[HTML_OL] ?
		    o->top[HTML_UL] : o->top[HTML_OL]);
	if (tag == HTML_DD || tag == HTML_DT) {
		end(o, HTML_DD, o->top[HTML_DL]);
		end(o, HTML_DT, o->top[HTML_DL]);
	}
	if (tag == HTML_OPTION)
		end(o, HTML_OPTION, o->scope);
	if (table == 0)
		return;
	if (tag == HTML_TD || tag == HTML_TH || tag == HTML_TR ||
	    tag == HTML_TBODY || tag == HTML_THEAD || tag == HTML_TFOOT) {
		end(o, HTML_TD, table);
		end(o, HTML_TH, table);
		end(o, HTML_CAPTION, table);
	}
	if (tag == HTML_TR || tag == HTML_TBODY || tag == HTML_THEAD ||
	    tag == HTML_TFOOT)
		end(o, HTML_TR, table);
}

/* Of table parts the scope is the table, not the cell within. */
static void
end_tag(struct html_opened *o, enum html_tag tag)
{
	bool part = tag == HTML_TD || tag == HTML_TH || tag == HTML_TR ||
	    tag == HTML_TBODY || tag == HTML_THEAD || tag == HTML_TFOOT ||
	    tag == HTML_CAPTION;
	bool table = part || tag == HTML_TABLE || tag == HTML_TEMPLATE;

	if (o->over > 0) {
		o->over--;
		return;
	}
	end(o, tag, part ? o->top[HTML_TABLE] : table ? 0 :
	    o->scope == o->top[tag] && o->scope > 0 ? o->scope - 1u :
	    o->scope);
}

static void
start_tag(struct html_opened *o, const struct html_token *t)
{
	struct html_style own = { 0 };

	if (t->tag == HTML_HTML || t->tag == HTML_BODY) {
		/* A second one says nothing new. */
		if (o->n > 0 || o->body)
			return;
		o->body = t->tag == HTML_BODY;
		html_style_read(t, &own);
		o->base = within(&o->base, &own);
		return;
	}
	if (t->tag == HTML_HEAD || (html_tag_is(t->tag) & HTML_TAG_VOID) != 0)
		return;
	implied(o, t->tag);
	if (!t->foreign || !t->self_closing)
		push(o, t);
}

void
html_open_tags(struct html_opened *o, const struct html_token *t)
{
	if (t->kind == HTML_START)
		start_tag(o, t);
	else if (t->kind == HTML_END && t->tag != HTML_BODY &&
	    t->tag != HTML_HTML)
		end_tag(o, t->tag);
}
