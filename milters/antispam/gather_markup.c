#include <stdio.h>

#include "gather.h"
#include "html/links.h"
#include "html/text.h"

/* Attributes whose values tell what kind of mail it is. */
enum { VALUE = 60, STYLE_WORDS = 10, LINKS = 60, URL = 500, TAGS = 4000 };

static void
add_attr(struct gather *g, enum html_tag tag, const struct html_attr *attr)
{
	static const char *const told[] = { "color", "bgcolor", "width",
	    "class", "face", "size", NULL };
	struct slice value = attr->value.ptr != NULL ? attr->value : SLICE("");
	char name[40];
	int n = snprintf(name, sizeof name, "%s %.*s", html_tag_name(tag),
	    attr->name.len < 20 ? (int)attr->name.len : 20, attr->name.ptr);

	for (int i = 0; i < n && i < (int)sizeof name - 1; i++)
		name[i] = ascii_lower(name[i]);
	gather_add(g, "attribute", slice_of(name));
	value = slice_sub(value, 0, VALUE);
	if (slice_eq_nocase(attr->name, SLICE("style"))) {
		gather_words(g, "in style", value, STYLE_WORDS);
		return;
	}
	for (const char *const *t = told; *t != NULL; t++)
		if (slice_eq_nocase(attr->name, slice_of(*t)))
			gather_add(g, name, value);
}

static void
add_tags(struct gather *g, struct slice markup)
{
	size_t seen[HTML_TAGS] = { 0 }, n = 0, comments = 0;
	struct html_token t;
	struct html_attr attr;
	struct html h;
	char name[40];

	html_open(&h, markup);
	while (n < TAGS && html_next(&h, &t)) {
		if (t.kind == HTML_COMMENT)
			comments += t.text.len;
		if (t.kind != HTML_START)
			continue;
		n++;
		seen[t.tag]++;
		for (size_t at = 0; html_attr(&t, &at, &attr);)
			add_attr(g, t.tag, &attr);
	}
	gather_count(g, "comments", comments);
	for (int tag = 0; tag < HTML_TAGS; tag++) {
		if (seen[tag] == 0)
			continue;
		snprintf(name, sizeof name, "tags of %s",
		    html_tag_name((enum html_tag)tag));
		gather_count(g, name, seen[tag]);
	}
}

static void
add_links(struct gather *g, const struct content_text *html)
{
	struct buf url = buf_in(g->a);
	unsigned n;
	const struct html_link *links = content_hrefs(g->a, html, &n);

	n = n < LINKS ? n : LINKS;
	g->family = FAMILY_LINKS;
	for (unsigned i = 0; i < n; i++) {
		gather_number(g, "kind of link", links[i].kind);
		buf_clear(&url);
		html_link_url(html->charset, &links[i], URL, &url);
		gather_link(g, buf_slice(&url));
	}
	g->family = FAMILY_MARKUP;
	gather_count(g, "links in markup", n);
}

void
gather_markup(struct gather *g, const struct content_text *html)
{
	g->family = FAMILY_MARKUP;
	add_tags(g, html->markup);
	gather_count(g, "text in markup", html->text.len);
	gather_count(g, "markup for each byte of text",
	    html->markup.len / (html->text.len + 1));
	for (unsigned bit = 0; bit < 32; bit++)
		if ((html->hides >> bit & 1) != 0)
			gather_number(g, "hidden by", bit);
	add_links(g, html);
}
