#include "tools/maincf.h"

#include <string.h>

struct cf_walk
cf_walk(struct slice file, struct arena *a)
{
	return (struct cf_walk){ .file = file, .number = 1, .arena = a };
}

/* As isspace(3) in the C locale: form feed and vertical tab count too. */
static bool
is_space(char c)
{
	return ascii_space(c) || c == '\f' || c == '\v';
}

static struct slice
trim(struct slice s)
{
	while (s.len > 0 && is_space(s.ptr[0]))
		s = slice_after(s, 1);
	while (s.len > 0 && is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

/* The line that begins at `at`, without its end; *next_r is behind that. */
static struct slice
line_at(struct slice file, size_t at, size_t *next_r)
{
	struct slice rest = slice_after(file, at);
	size_t n = slice_find(rest, '\n');

	*next_r = at + n + (n < rest.len);
	return slice_sub(rest, 0, n);
}

/* Empty, or a comment; that may be indented. */
static bool
is_nothing(struct slice line)
{
	struct slice s = trim(line);

	return s.len == 0 || s.ptr[0] == '#';
}

static bool
goes_on(struct slice file, size_t at)
{
	return at < file.len && (file.ptr[at] == '#' ||
	    is_space(file.ptr[at]));
}

bool
cf_next(struct cf_walk *w, struct cf_line *line_r)
{
	struct buf text = buf_in(w->arena);
	unsigned number = w->number;
	size_t at = w->at, next;
	bool found = false;

	for (; at < w->file.len; at = next, number++) {
		struct slice line;

		if (found && !goes_on(w->file, at))
			break;
		line = line_at(w->file, at, &next);
		if (is_nothing(line))
			continue;
		if (!found) {
			line_r->from = at;
			line_r->number = number;
		}
		found = true;
		buf_add(&text, line);
		line_r->to = next;
		w->at = next;
		w->number = number + 1;
	}
	line_r->text = buf_slice(&text);
	return found;
}

bool
cf_param(const struct cf_line *line, struct slice *name_r,
    struct slice *value_r)
{
	struct slice s = trim(line->text);
	size_t n = 0;

	while (n < s.len && s.ptr[n] != '=' && !is_space(s.ptr[n]))
		n++;
	*name_r = slice_sub(s, 0, n);
	s = trim(slice_after(s, n));
	if (n == 0 || s.len == 0 || s.ptr[0] != '=')
		return false;
	*value_r = trim(slice_after(s, 1));
	return true;
}

bool
cf_find(struct slice file, struct slice name, struct arena *a,
    struct cf_line *line_r, struct slice *value_r)
{
	struct cf_walk w = cf_walk(file, a);
	struct cf_line line;
	bool found = false;

	while (cf_next(&w, &line)) {
		struct slice n, v;

		if (cf_param(&line, &n, &v) && slice_eq(n, name)) {
			*line_r = line;
			*value_r = v;
			found = true;
		}
	}
	return found;
}

/* --- master.cf --------------------------------------------------------- */

/* The next word; what stands in braces is one. A brace that nobody closes
 * reaches to the end. */
static struct slice
word(struct slice *rest)
{
	struct slice s = *rest;
	size_t n = 0, depth = 0;

	while (s.len > 0 && is_space(s.ptr[0]))
		s = slice_after(s, 1);
	for (; n < s.len && (depth > 0 || !is_space(s.ptr[n])); n++) {
		if (s.ptr[n] == '{' && (depth > 0 || n == 0))
			depth++;
		else if (s.ptr[n] == '}' && depth > 0)
			depth--;
	}
	*rest = slice_after(s, n);
	return slice_sub(s, 0, n);
}

static void
set_option(struct cf_arg *arg, struct slice text)
{
	size_t n;

	if (text.len >= 2 && text.ptr[0] == '{' &&
	    text.ptr[text.len - 1] == '}')
		text = trim(slice_sub(text, 1, text.len - 2));
	n = slice_find(text, '=');
	if (n == text.len)
		return;
	arg->name = trim(slice_sub(text, 0, n));
	arg->value = trim(slice_after(text, n + 1));
}

static bool
read_arg(struct slice *rest, struct cf_arg *arg_r)
{
	struct slice w = word(rest), option;

	*arg_r = (struct cf_arg){ .raw = w };
	if (w.len == 0)
		return false;
	if (slice_eq(w, SLICE("-o"))) {
		option = word(rest);
		if (option.len == 0)
			return true;
		arg_r->raw.len = (size_t)(option.ptr + option.len - w.ptr);
		set_option(arg_r, option);
	} else if (slice_starts(w, SLICE("-o"))) {
		set_option(arg_r, slice_after(w, 2));
	}
	return true;
}

bool
cf_service(const struct cf_line *line, struct arena *a,
    struct cf_service *s)
{
	struct slice rest = line->text, columns[8];
	size_t most = rest.len / 2 < CF_ARGS_MAX ? rest.len / 2 : CF_ARGS_MAX;
	struct cf_arg arg;

	*s = (struct cf_service){ .args = arena_array(a, most + 1,
	    sizeof *s->args) };
	for (int i = 0; i < 8; i++) {
		columns[i] = word(&rest);
		if (columns[i].len == 0)
			return false;
	}
	s->name = columns[0];
	s->type = columns[1];
	s->chroot = columns[4];
	s->command = columns[7];
	s->columns = trim(slice_sub(line->text, 0, line->text.len -
	    rest.len));
	while (s->nargs < most && read_arg(&rest, &arg))
		s->args[s->nargs++] = arg;
	return trim(rest).len == 0;
}

const char *
cf_newline(struct slice file)
{
	size_t n = slice_find(file, '\n');

	return n > 0 && n < file.len && file.ptr[n - 1] == '\r' ? "\r\n" :
	    "\n";
}
