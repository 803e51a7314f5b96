/* The sample file and the manual's entries, from the option tables. */
#include <string.h>

#include "conf/conf.h"
#include "conf/value.h"

enum { COLUMNS = 78 };

/* Words of text under a prefix, no line wider than COLUMNS. */
static void
wrap(struct buf *out, const char *prefix, struct slice text)
{
	size_t column = 0;

	while (text.ptr != NULL) {
		struct slice word = slice_cut(text, ' ', &text);

		if (column > 0 && column + 1 + word.len > COLUMNS) {
			buf_addc(out, '\n');
			column = 0;
		}
		if (column == 0) {
			buf_adds(out, prefix);
			column = strlen(prefix);
		} else {
			buf_addc(out, ' ');
			column++;
		}
		buf_add(out, word);
		column += word.len;
	}
	buf_addc(out, '\n');
}

static const char *
may_differ(const struct conf_option *o)
{
	return (o->kind & CONF_SCOPED) != 0 ? " May stand in a scope." : "";
}

static void
sample_option(struct buf *out, const struct conf_option *o)
{
	struct arena *a = arena_new();
	struct slice written = value_written(a, o), takes = value_wants(a, o);

	buf_addc(out, '\n');
	wrap(out, "# ", slice_of(o->text));
	wrap(out, "# ", arena_printf(a, "Takes %.*s.%s", SLICE_ARG(takes),
	    may_differ(o)));
	buf_addf(out, "#%s = ", o->name);
	buf_add(out, written);
	buf_adds(out, ";\n");
	arena_free(a);
}

void
conf_sample(struct buf *out, const char *title,
    const struct conf_section *sections)
{
	buf_addf(out, "# %s\n#\n", title);
	wrap(out, "# ", SLICE("Each option stands here with its default, "
	    "commented out: remove the # to change it. Text is in double "
	    "quotes, a list in brackets, a line ends with a semicolon. "
	    "@include \"FILE\" on a line of its own reads another file."));
	for (; sections->options != NULL; sections++)
		for (const struct conf_option *o = sections->options;
		    o->name != NULL; o++)
			sample_option(out, o);
}

/* What roff would take for its own is escaped; each sentence begins a line. */
void
conf_roff(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool first = i == 0 || out->ptr[out->len - 1] == '\n';

		if (first && (c == '.' || c == '\''))
			buf_adds(out, "\\&");
		if (c == '\\')
			buf_adds(out, "\\e");
		else if (c == '-')
			buf_adds(out, "\\-");
		else if (c == '"')
			buf_adds(out, "\\(dq");
		else if (c == ' ' && i > 0 && text.ptr[i - 1] == '.')
			buf_addc(out, '\n');
		else
			buf_addc(out, c);
	}
}

static void
manual_option(struct buf *out, const struct conf_option *o)
{
	struct arena *a = arena_new();
	struct slice takes = value_wants(a, o);

	buf_addf(out, ".TP\n\\fB%s\\fR = ", o->name);
	conf_roff(out, value_written(a, o));
	buf_addc(out, '\n');
	conf_roff(out, slice_of(o->text));
	buf_addc(out, '\n');
	conf_roff(out, arena_printf(a, "Takes %.*s.%s", SLICE_ARG(takes),
	    may_differ(o)));
	buf_addc(out, '\n');
	arena_free(a);
}

void
conf_manual(struct buf *out, const struct conf_section *sections)
{
	for (; sections->options != NULL; sections++)
		for (const struct conf_option *o = sections->options;
		    o->name != NULL; o++)
			manual_option(out, o);
}
