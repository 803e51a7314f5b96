#include "html/tag.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#define V HTML_TAG_VOID
#define B HTML_TAG_BLOCK
#define S HTML_TAG_SPECIAL
#define F HTML_TAG_FORMAT
#define P HTML_TAG_ENDS_P
#define O HTML_TAG_SCOPE
#define L HTML_TAG_LEAVES
#define C HTML_TAG_CELL
#define R HTML_TAG_RAW
#define T HTML_TAG_REFS

enum { NAME_SIZE = 16 };

/* In the order of enum html_tag, which is that of the alphabet. */
static const struct {
	char name[NAME_SIZE];
	unsigned is;
} tags[] = {
	{ "", 0 },
	{ "a", F }, { "abbr", 0 }, { "address", B | S | P },
	{ "applet", S | O }, { "area", V | S }, { "article", B | S | P },
	{ "aside", B | S | P }, { "audio", 0 }, { "b", F | L },
	{ "base", V | S }, { "basefont", V | S }, { "bdi", 0 }, { "bdo", 0 },
	{ "bgsound", V | S }, { "big", F | L },
	{ "blockquote", B | S | P | L }, { "body", B | S | L },
	{ "br", V | S | L }, { "button", S | O }, { "canvas", 0 },
	{ "caption", B | S | O }, { "center", B | S | P | L }, { "cite", 0 },
	{ "code", F | L }, { "col", V | S }, { "colgroup", S }, { "data", 0 },
	{ "dd", B | S | P | L }, { "del", 0 }, { "desc", 0 },
	{ "details", B | S | P }, { "dfn", 0 }, { "dialog", B | P },
	{ "dir", B | S | P }, { "div", B | S | P | L },
	{ "dl", B | S | P | L }, { "dt", B | S | P | L }, { "em", F | L },
	{ "embed", V | S | L }, { "fieldset", B | S | P },
	{ "figcaption", B | S | P }, { "figure", B | S | P }, { "font", F },
	{ "footer", B | S | P }, { "foreignobject", 0 },
	{ "form", B | S | P }, { "frame", V | S }, { "frameset", B | S },
	{ "h1", B | S | P | L }, { "h2", B | S | P | L },
	{ "h3", B | S | P | L }, { "h4", B | S | P | L },
	{ "h5", B | S | P | L }, { "h6", B | S | P | L },
	{ "head", B | S | L }, { "header", B | S | P },
	{ "hgroup", B | S | P }, { "hr", V | B | S | P | L },
	{ "html", B | S | O }, { "i", F | L }, { "iframe", S | R },
	{ "image", 0 }, { "img", V | S | L }, { "input", V | S },
	{ "ins", 0 }, { "kbd", 0 }, { "keygen", V | S }, { "label", 0 },
	{ "legend", B }, { "li", B | S | P | L }, { "link", V | S },
	{ "listing", B | S | P | L }, { "main", B | S | P }, { "map", 0 },
	{ "mark", 0 }, { "marquee", S | O }, { "math", 0 },
	{ "menu", B | S | P | L }, { "meta", V | S | L }, { "meter", 0 },
	{ "nav", B | S | P }, { "nobr", F | L }, { "noembed", S | R },
	{ "noframes", S | R }, { "noscript", S }, { "object", S | O },
	{ "ol", B | S | P | L }, { "optgroup", B }, { "option", B },
	{ "output", 0 }, { "p", B | S | P | L }, { "param", V | S },
	{ "picture", 0 }, { "plaintext", B | S | P | R },
	{ "pre", B | S | P | L }, { "progress", 0 }, { "q", 0 }, { "rb", 0 },
	{ "rp", 0 }, { "rt", 0 }, { "ruby", L }, { "s", F | L },
	{ "samp", 0 }, { "script", S | R }, { "search", B | S | P },
	{ "section", B | S | P }, { "select", B | S }, { "slot", 0 },
	{ "small", F | L }, { "source", V | S }, { "span", L },
	{ "strike", F | L }, { "strong", F | L }, { "style", S | R },
	{ "sub", L }, { "summary", B | S | P }, { "sup", L }, { "svg", 0 },
	{ "table", B | S | P | O | L }, { "tbody", B | S },
	{ "td", S | O | C }, { "template", S | O }, { "textarea", B | S | T },
	{ "tfoot", B | S }, { "th", S | O | C }, { "thead", B | S },
	{ "time", 0 }, { "title", B | S | T }, { "tr", B | S },
	{ "track", V | S }, { "tt", F | L }, { "u", F | L },
	{ "ul", B | S | P | L }, { "var", L }, { "video", 0 },
	{ "wbr", V | S }, { "xmp", B | S | P | R },
};

_Static_assert(sizeof tags / sizeof *tags == HTML_TAGS, "a row for each tag");

/* Eight bytes of a name as a number that has its order. */
static uint64_t
eight(const char *name)
{
	uint64_t bytes;

	memcpy(&bytes, name, sizeof bytes);
	return be64toh(bytes);
}

enum html_tag
html_tag_of(struct slice name)
{
	char key[NAME_SIZE] = { 0 };
	uint64_t first, second;
	size_t low = 1, high = HTML_TAGS;

	if (name.len >= NAME_SIZE)
		return HTML_OTHER;
	for (size_t i = 0; i < name.len; i++)
		key[i] = ascii_lower(name.ptr[i]);
	first = eight(key);
	second = eight(key + 8);
	while (low < high) {
		size_t mid = low + (high - low) / 2;
		uint64_t one = eight(tags[mid].name);
		uint64_t two = eight(tags[mid].name + 8);

		if (one == first && two == second)
			return (enum html_tag)mid;
		if (one < first || (one == first && two < second))
			low = mid + 1;
		else
			high = mid;
	}
	return HTML_OTHER;
}

const char *
html_tag_name(enum html_tag tag)
{
	return tags[tag].name;
}

unsigned
html_tag_is(enum html_tag tag)
{
	return tags[tag].is;
}
