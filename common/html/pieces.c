#include "html/text.h"

void
html_reader_open(struct html_reader *r, struct slice text)
{
	html_open(&r->h, text);
	html_opened_init(&r->open);
}

static void
text_piece(const struct html_reader *r, struct html_piece *p)
{
	const struct html_token *t = &r->t;

	p->kind = HTML_PIECE_TEXT;
	p->raw = t->text;
	p->off = (size_t)(t->text.ptr - t->source.ptr);
	p->refs = t->refs;
	p->pre = html_style_here(&r->open)->pre;
	p->hidden = html_hides(&r->open);
	p->link = html_opened_at(&r->open, HTML_A);
	if (t->kind == HTML_COMMENT) {
		p->refs = false;
		p->hidden |= HTML_HIDDEN_COMMENT;
	}
}

/* Does a line or a cell begin with that tag? */
static bool
tag_piece(const struct html_token *t, struct html_piece *p)
{
	unsigned is = html_tag_is(t->tag);

	if ((is & HTML_TAG_CELL) != 0 && t->kind == HTML_START)
		p->kind = HTML_PIECE_CELL;
	else if ((is & HTML_TAG_BLOCK) != 0 || t->tag == HTML_BR)
		p->kind = HTML_PIECE_BREAK;
	else
		return false;
	p->off = t->off;
	return true;
}

static bool
alt_piece(struct html_reader *r, struct html_piece *p)
{
	struct html_attr attr;

	if (!html_attr_find(&r->t, SLICE("alt"), &attr) || attr.value.len == 0)
		return false;
	p->kind = HTML_PIECE_ALT;
	p->raw = attr.value;
	p->off = attr.value_off;
	p->refs = true;
	p->hidden = html_hides(&r->open);
	p->link = html_opened_at(&r->open, HTML_A);
	return true;
}

bool
html_piece_next(struct html_reader *r, struct html_piece *p)
{
	*p = (struct html_piece){ .link = SIZE_MAX };
	while (html_next(&r->h, &r->t)) {
		const struct html_token *t = &r->t;

		if (t->kind == HTML_START || t->kind == HTML_END) {
			html_open_tags(&r->open, t);
			if (tag_piece(t, p) || (t->tag == HTML_IMG &&
			    t->kind == HTML_START && alt_piece(r, p)))
				return true;
		} else if ((t->kind == HTML_TEXT || (t->kind == HTML_COMMENT &&
		    !t->bogus)) && t->text.len > 0 &&
		    t->tag != HTML_SCRIPT && t->tag != HTML_STYLE) {
			text_piece(r, p);
			return true;
		}
	}
	return false;
}

const char *
html_hidden_name(unsigned bit)
{
	static const char *const names[] = { "display", "visibility", "size",
	    "colour", "place", "box", "opacity", "attribute", "comment",
	    "element" };

	return bit < sizeof names / sizeof *names ? names[bit] : NULL;
}
