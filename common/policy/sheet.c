#include "policy/sheet.h"

#include "policy/lists.h"

static bool __attribute__((format(printf, 2, 3)))
bad(struct sheet *s, const char *fmt, ...)
{
	struct slice what;
	va_list args;

	va_start(args, fmt);
	what = arena_vprintf(s->arena, fmt, args);
	va_end(args);
	s->why = arena_printf(s->arena, "%s:%u: %.*s", s->name, s->line,
	    SLICE_ARG(what));
	s->rest = SLICE_NONE;
	return false;
}

/* FILE.OPTION, and what stands behind it. */
static bool
read_option(struct sheet *s, struct slice rest, struct sheet_line *l)
{
	size_t end = 0, dot;
	struct slice word;

	rest = slice_trim(rest);
	while (end < rest.len && !ascii_blank(rest.ptr[end]) &&
	    rest.ptr[end] != '=')
		end++;
	word = slice_sub(rest, 0, end);
	dot = slice_find(word, '.');
	l->file = slice_sub(word, 0, dot);
	l->option = slice_after(word, dot + 1);
	if (l->file.len == 0 || l->option.len == 0 ||
	    !ascii_all_of(l->file, "-_") || !ascii_all_of(l->option, "-_"))
		return bad(s, "\"%.*s\" is no FILE.OPTION; write it as "
		    "auth-check.spf_fail", SLICE_ARG(slice_sub(word, 0, 60)));
	rest = slice_trim(slice_after(rest, end));
	if (rest.len == 0 && l->final)
		return true;
	if (rest.len == 0 || rest.ptr[0] != '=')
		return bad(s, "no value; write it as %.*s = VALUE",
		    SLICE_ARG(word));
	l->raw = slice_trim(slice_after(rest, 1));
	return l->raw.len > 0 || bad(s, "no value behind =");
}

static bool
read_line(struct sheet *s, struct slice line, struct sheet_line *l)
{
	struct slice word = SLICE("");

	lists_word(s->arena, &line, &word);
	if (slice_eq(word, SLICE("final"))) {
		l->final = true;
		lists_word(s->arena, &line, &word);
	}
	if (!lists_level(word, &l->level) || l->level == SCOPE_DEFAULT)
		return bad(s, "the line begins with \"%.*s\"; it wants user, "
		    "profile, domain or client, or final and one of these",
		    SLICE_ARG(slice_sub(word, 0, 60)));
	if (!lists_word(s->arena, &line, &l->name) || l->name.len == 0 ||
	    l->name.len > 320)
		return bad(s, "%s wants a name of 1 to 320 bytes behind it",
		    scope_level_name(l->level));
	return read_option(s, line, l);
}

void
sheet_open(struct sheet *s, struct arena *a, const char *name,
    struct slice text)
{
	*s = (struct sheet){ .arena = a, .name = name, .rest = text,
	    .why = SLICE("") };
}

bool
sheet_next(struct sheet *s, struct sheet_line *line_r)
{
	struct slice line;

	while (s->rest.ptr != NULL && slice_line(&s->rest, &line)) {
		s->line++;
		if (line.len > SHEET_LINE_MAX)
			return bad(s, "a line of more than %d bytes",
			    SHEET_LINE_MAX);
		if (lists_fault(line) != NULL)
			return bad(s, "the line %s", lists_fault(line));
		line = slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		*line_r = (struct sheet_line){ .raw = SLICE_NONE,
		    .line = s->line };
		return read_line(s, line, line_r);
	}
	return false;
}
