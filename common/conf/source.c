#include "conf/source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "conf/trust.h"

enum {
	FILES_MAX = 64,
	INCLUDES_MAX = 8,		/* one inside the other */
	BRACKETS_MAX = 16,
	SETTINGS_MAX = 1000,
	SHOWN_MAX = 60,			/* bytes of a token in a message */
};

/* From this line of the whole text on, lines come from there. */
struct origin {
	const struct origin *before;
	const char *path;
	unsigned whole, line;
};

/* A setting at the top level, to tell duplicates. */
struct name {
	const struct name *next;
	struct slice name, where;
};

/* What the last token was; punctuation stands for itself. */
enum { TOKEN_NONE = 0, TOKEN_WORD = 'w', TOKEN_TEXT = 't', TOKEN_NUMBER = 'n' };

struct source {
	struct arena *arena;
	struct buf whole;
	unsigned lines;			/* the line of `whole` being written */
	const struct origin *origin;
	const struct name *names;
	unsigned settings, files;
	bool trusted;
	size_t file_max;
	int last;
	unsigned depth;
	char brackets[BRACKETS_MAX];
	struct slice why;
};

/* A file being read; those that include it stand above. */
struct file {
	const struct file *above;
	const char *path;
	dev_t dev;
	ino_t ino;
	struct slice rest;
	unsigned line;
	bool begun;			/* something stands on this line */
};

static enum rc __attribute__((format(printf, 3, 4)))
fail(struct source *src, const struct file *file, const char *fmt, ...)
{
	struct slice what;
	va_list args;

	va_start(args, fmt);
	what = arena_vprintf(src->arena, fmt, args);
	va_end(args);
	src->why = arena_printf(src->arena, "%s:%u: %.*s", file->path,
	    file->line, SLICE_ARG(what));
	return RC_BAD;
}

/* A token as it may stand in a message: no control bytes, not too long. */
static const char *
shown(struct source *src, struct slice token)
{
	char *str = arena_str(src->arena, slice_sub(token, 0, SHOWN_MAX));

	for (char *p = str; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	if (token.len > SHOWN_MAX)
		memcpy(str + SHOWN_MAX - 3, "...", 3);
	return str;
}

static void
origin_is(struct source *src, const struct file *file)
{
	struct origin *o = arena_alloc(src->arena, sizeof *o);

	*o = (struct origin){ src->origin, file->path, src->lines, file->line };
	src->origin = o;
}

struct slice
source_where(const struct source *src, unsigned line)
{
	const struct origin *o = src->origin;

	while (o->before != NULL && o->whole > line)
		o = o->before;
	if (line < o->whole)
		line = o->whole;
	return arena_printf(src->arena, "%s:%u", o->path,
	    o->line + (line - o->whole));
}

/* Takes n bytes over into the whole text. */
static void
take(struct source *src, struct file *file, size_t n)
{
	struct slice s = slice_sub(file->rest, 0, n);

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\n') {
			src->lines++;
			file->line++;
			file->begun = false;
		} else if (!ascii_space(s.ptr[i])) {
			file->begun = true;
		}
	}
	buf_add(&src->whole, s);
	file->rest = slice_after(file->rest, n);
}

static size_t
span(struct slice s, size_t from, bool (*holds)(char c))
{
	while (from < s.len && holds(s.ptr[from]))
		from++;
	return from;
}

static bool
in_line(char c)
{
	return c != '\n';
}

static enum rc
comment(struct source *src, struct file *file)
{
	struct slice s = file->rest;

	if (s.ptr[0] == '#' || slice_starts(s, SLICE("//"))) {
		take(src, file, span(s, 0, in_line));
		return RC_OK;
	}
	if (!slice_starts(s, SLICE("/*")))
		return fail(src, file, "a lone / has no place here; text goes "
		    "in double quotes");
	s = slice_after(s, 2);
	if (slice_search(s, SLICE("*/")) == s.len)
		return fail(src, file, "this comment has no end; close it "
		    "with */");
	take(src, file, 2 + slice_search(s, SLICE("*/")) + 2);
	return RC_OK;
}

static bool
in_list(const struct source *src)
{
	return src->depth > 0 && src->brackets[src->depth - 1] != '{';
}

/* libconfig joins neighbours; between items of a list that is a lost comma. */
static enum rc
check_comma(struct source *src, const struct file *file, struct slice token)
{
	if (in_list(src) && (src->last == TOKEN_TEXT ||
	    src->last == TOKEN_NUMBER || src->last == TOKEN_WORD))
		return fail(src, file, "a comma is missing before %s",
		    shown(src, token));
	return RC_OK;
}

/* May a text stand behind the last token? */
static bool
text_fits(const struct source *src)
{
	if (in_list(src))
		return src->last == ',' || src->last == '[' || src->last == '(';
	return src->last == '=' || src->last == ':' || src->last == TOKEN_TEXT;
}

/* Bytes of the text with its quotes, 0 when it does not end on its line. */
static size_t
text_length(struct slice s)
{
	for (size_t i = 1; i < s.len && s.ptr[i] != '\n'; i++) {
		if (s.ptr[i] == '"')
			return i + 1;
		if (s.ptr[i] == '\\' && i + 1 < s.len && s.ptr[i + 1] != '\n')
			i++;
	}
	return 0;
}

static enum rc
text(struct source *src, struct file *file)
{
	size_t len = text_length(file->rest);
	struct slice token = slice_sub(file->rest, 0, len);

	if (len == 0)
		return fail(src, file, "this text has no end on its line; "
		    "close it with a double quote");
	/* libconfig drops the NUL without a word. */
	if (slice_search(token, SLICE("\\x00")) < token.len)
		return fail(src, file, "\\x00 has no place in a text");
	if (check_comma(src, file, token) != RC_OK)
		return RC_BAD;
	/* libconfig loses the memory of a text that it did not want. */
	if (!text_fits(src))
		return fail(src, file, "%s is no name; a setting is written "
		    "name = value;", shown(src, token));
	take(src, file, len);
	src->last = TOKEN_TEXT;
	return RC_OK;
}

static bool
in_number(char c)
{
	return ascii_alnum(c) || c == '.' || c == '+' || c == '-' || c == '_';
}

/* Hexadecimal digits to a value; false when alien or over 64 bits. */
static bool
read_hex(struct slice s, uint64_t *value_r)
{
	*value_r = 0;
	if (s.len == 0 || s.len > 16)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (ascii_hex(s.ptr[i]) < 0)
			return false;
		*value_r = *value_r << 4 | (unsigned)ascii_hex(s.ptr[i]);
	}
	return true;
}

static bool
is_float(struct slice s)
{
	bool digits = false;

	for (size_t i = 0; i < s.len; i++) {
		if (ascii_digit(s.ptr[i]))
			digits = true;
		else if (strchr(".eE+-", s.ptr[i]) == NULL)
			return false;
	}
	return digits;
}

static bool
all_digits(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_digit(s.ptr[i]))
			return false;
	return s.len > 0;
}

/* NULL, or what is wrong with a number of this spelling. */
static const char *
number_fault(struct slice s)
{
	bool wide = slice_ends(s, SLICE("L"));
	uint64_t most = wide ? INT64_MAX : INT32_MAX, value;

	if (s.ptr[0] == '-' || s.ptr[0] == '+')
		s = slice_after(s, 1);
	if (slice_ends(s, SLICE("LL")))
		s.len -= 2;
	else if (wide)
		s.len--;
	if (slice_starts_nocase(s, SLICE("0x"))) {
		if (!read_hex(slice_after(s, 2), &value))
			return "is no number";
	} else if (all_digits(s)) {
		if (!slice_number(s, UINT64_MAX, &value))
			return "does not fit in 64 bits";
	} else {
		return is_float(s) && !wide ? NULL : "is no number";
	}
	if (value <= most)
		return NULL;
	return wide ? "does not fit in 64 bits" : "does not fit in 32 bits";
}

static enum rc
number(struct source *src, struct file *file)
{
	size_t len = span(file->rest, 0, in_number);
	struct slice token = slice_sub(file->rest, 0, len);
	const char *fault = number_fault(token);

	if (fault != NULL && strstr(fault, "32") != NULL)
		return fail(src, file, "%s %s; write %sL",
		    shown(src, token), fault, shown(src, token));
	if (fault != NULL && strstr(fault, "64") != NULL)
		return fail(src, file, "%s %s", shown(src, token), fault);
	if (fault != NULL)
		return fail(src, file, "%s %s; text, sizes and times are "
		    "written in double quotes: \"%s\"", shown(src, token),
		    fault, shown(src, token));
	if (check_comma(src, file, token) != RC_OK)
		return RC_BAD;
	take(src, file, len);
	src->last = TOKEN_NUMBER;
	return RC_OK;
}

static bool
in_word(char c)
{
	return ascii_alnum(c) || c == '-' || c == '_' || c == '*';
}

/* A setting's name; only at the top do we look for a second one. */
static enum rc
setting(struct source *src, const struct file *file, struct slice token)
{
	struct name *n;

	if (src->depth > 0)
		return RC_OK;
	for (const struct name *old = src->names; old != NULL; old = old->next)
		if (slice_eq(old->name, token))
			return fail(src, file, "%s is set a second time; the "
			    "first is in %.*s", shown(src, token),
			    SLICE_ARG(old->where));
	if (++src->settings > SETTINGS_MAX)
		return fail(src, file, "more than %d settings", SETTINGS_MAX);
	n = arena_alloc(src->arena, sizeof *n);
	n->name = token;
	n->where = arena_printf(src->arena, "%s:%u", file->path, file->line);
	n->next = src->names;
	src->names = n;
	return RC_OK;
}

static enum rc
word(struct source *src, struct file *file)
{
	size_t len = span(file->rest, 0, in_word);
	struct slice token = slice_sub(file->rest, 0, len);

	if (src->last == '=' || src->last == ':' || in_list(src)) {
		if (!slice_eq_nocase(token, SLICE("true")) &&
		    !slice_eq_nocase(token, SLICE("false")))
			return fail(src, file, "%s is no value; text is "
			    "written in double quotes: \"%s\"",
			    shown(src, token), shown(src, token));
		if (check_comma(src, file, token) != RC_OK)
			return RC_BAD;
	} else if (setting(src, file, token) != RC_OK) {
		return RC_BAD;
	}
	take(src, file, len);
	src->last = TOKEN_WORD;
	return RC_OK;
}

static enum rc
open_bracket(struct source *src, const struct file *file, char c)
{
	if (src->depth == BRACKETS_MAX)
		return fail(src, file, "brackets inside brackets, more than "
		    "%d deep", BRACKETS_MAX);
	src->brackets[src->depth++] = c;
	return RC_OK;
}

static enum rc
close_bracket(struct source *src, const struct file *file, char c)
{
	char opener = c == '}' ? '{' : c == ']' ? '[' : '(';

	if (src->depth == 0 || src->brackets[src->depth - 1] != opener)
		return fail(src, file, "%c closes nothing", c);
	if (in_list(src) && src->last == ',')
		return fail(src, file, "a comma stands before %c; no item "
		    "follows it", c);
	src->depth--;
	return RC_OK;
}

static enum rc
mark(struct source *src, struct file *file)
{
	char c = file->rest.ptr[0];
	enum rc rc = RC_OK;

	if (strchr("{[(", c) != NULL)
		rc = open_bracket(src, file, c);
	else if (strchr("}])", c) != NULL)
		rc = close_bracket(src, file, c);
	else if (strchr("=:;,", c) == NULL)
		rc = fail(src, file, "byte 0x%02x has no place here; text is "
		    "written in double quotes", (unsigned char)c);
	if (rc != RC_OK)
		return rc;
	take(src, file, 1);
	src->last = c;
	return RC_OK;
}

static enum rc include(struct source *src, struct file *file);

static enum rc
token(struct source *src, struct file *file)
{
	char c = file->rest.ptr[0];

	if (ascii_space(c)) {
		take(src, file, 1);
		return RC_OK;
	}
	if (c == '#' || c == '/')
		return comment(src, file);
	if (c == '"')
		return text(src, file);
	if (c == '@')
		return include(src, file);
	if (ascii_digit(c) || c == '+' || c == '-' || c == '.')
		return number(src, file);
	if (ascii_alpha(c) || c == '*')
		return word(src, file);
	if (c == '\0')
		return fail(src, file, "the file holds a NUL byte; it is no "
		    "text");
	return mark(src, file);
}

static enum rc
scan(struct source *src, struct file *file)
{
	origin_is(src, file);
	while (file->rest.len > 0)
		if (token(src, file) != RC_OK)
			return RC_BAD;
	return RC_OK;
}

static enum rc
check_file(struct source *src, struct file *file, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0) {
		src->why = arena_printf(src->arena, "%s: %m", file->path);
		return RC_BAD;
	}
	if (!S_ISREG(st.st_mode)) {
		src->why = arena_printf(src->arena,
		    "%s: is no regular file; name one", file->path);
		return RC_BAD;
	}
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	for (const struct file *f = file->above; f != NULL; f = f->above)
		if (f->dev == file->dev && f->ino == file->ino)
			return fail(src, file->above, "%s includes itself; "
			    "remove this line", file->path);
	return src->trusted ?
	    trust_file(src->arena, fd, file->path, &src->why) : RC_OK;
}

static enum rc
read_bytes(struct source *src, struct file *file, int fd)
{
	struct buf b = buf_in(src->arena);
	ssize_t got;

	while ((got = read(fd, buf_room(&b, 16384), 16384)) > 0) {
		buf_took(&b, (size_t)got);
		if (b.len > src->file_max) {
			src->why = arena_printf(src->arena,
			    "%s: is larger than %zu MB; that is no "
			    "configuration", file->path, src->file_max >> 20);
			return RC_BAD;
		}
	}
	if (got < 0) {
		src->why = arena_printf(src->arena, "%s: cannot be read: %m",
		    file->path);
		return RC_BAD;
	}
	file->rest = buf_slice(&b);
	return RC_OK;
}

/* Not there, or not for us to open: say what would help. */
static enum rc
cannot_open(struct source *src, const struct file *file)
{
	struct slice help = errno == EACCES ?
	    arena_printf(src->arena, "let uid %u read it",
	    (unsigned)geteuid()) : SLICE("name a file that is there");
	struct slice where = file->above == NULL ? SLICE("") :
	    arena_printf(src->arena, "%s:%u: included file ",
	    file->above->path, file->above->line);

	src->why = arena_printf(src->arena, "%.*s%s: cannot be opened: %m; "
	    "%.*s", SLICE_ARG(where), file->path, SLICE_ARG(help));
	return RC_BAD;
}

static enum rc
read_file(struct source *src, struct file *file)
{
	/* O_NONBLOCK: a FIFO is to be refused, not waited for. */
	int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	enum rc rc;

	if (fd < 0)
		return cannot_open(src, file);
	rc = check_file(src, file, fd);
	if (rc == RC_OK)
		rc = read_bytes(src, file, fd);
	close(fd);
	if (rc != RC_OK)
		return rc;
	file->line = 1;
	return scan(src, file);
}

/* The included file's path, seen from the folder of the one it is in. */
static const char *
include_path(struct source *src, const struct file *file, struct slice name)
{
	struct slice here = slice_of(file->path);
	size_t slash = slice_find_last(here, '/');

	if (name.ptr[0] == '/' || slash == here.len)
		return arena_str(src->arena, name);
	return arena_printf(src->arena, "%.*s%.*s",
	    SLICE_ARG(slice_sub(here, 0, slash + 1)), SLICE_ARG(name)).ptr;
}

static enum rc
check_include(struct source *src, const struct file *file, struct slice name)
{
	unsigned deep = 0;

	for (const struct file *f = file; f != NULL; f = f->above)
		deep++;
	if (file->ino == 0)
		return fail(src, file, "@include has no place here");
	if (name.len == 0)
		return fail(src, file, "@include wants a file in double "
		    "quotes: @include \"other.conf\"");
	if (slice_has(name, '*') || slice_has(name, '?') ||
	    slice_has(name, '[') || slice_has(name, '\\'))
		return fail(src, file, "@include takes no patterns (\"%s\"); "
		    "write a line for each file", shown(src, name));
	if (slice_has(name, '\0'))
		return fail(src, file, "the file holds a NUL byte; it is no "
		    "text");
	if (deep > INCLUDES_MAX)
		return fail(src, file, "includes inside includes, more than %d "
		    "deep", INCLUDES_MAX);
	if (++src->files > FILES_MAX)
		return fail(src, file, "more than %d included files",
		    FILES_MAX);
	return RC_OK;
}

static enum rc
include(struct source *src, struct file *file)
{
	struct slice line = slice_sub(file->rest, 0,
	    span(file->rest, 0, in_line));
	struct slice name = SLICE("");
	struct file inner = { .above = file };

	if (file->begun || !slice_starts(line, SLICE("@include")))
		return fail(src, file, "only @include \"file\", on a line of "
		    "its own, begins with @");
	file->rest = slice_after(file->rest, line.len);
	line = slice_trim(slice_after(line, strlen("@include")));
	if (line.len > 2 && line.ptr[0] == '"' &&
	    slice_find(slice_after(line, 1), '"') == line.len - 2)
		name = slice_sub(line, 1, line.len - 2);
	if (check_include(src, file, name) != RC_OK)
		return RC_BAD;
	inner.path = include_path(src, file, name);
	if (read_file(src, &inner) != RC_OK)
		return RC_BAD;
	buf_addc(&src->whole, '\n');
	src->lines++;
	origin_is(src, file);
	return RC_OK;
}

static struct source *
source_new(struct arena *a)
{
	struct source *src = arena_alloc(a, sizeof *src);

	src->arena = a;
	src->whole = buf_in(a);
	src->lines = 1;
	return src;
}

/* All is read: what was opened is closed? */
static enum rc
finish(struct source *src, const struct file *file)
{
	if (src->depth == 0)
		return RC_OK;
	return fail(src, file, "%c opened before is never closed",
	    src->brackets[src->depth - 1]);
}

enum rc
source_file(struct arena *a, const char *path, bool trusted, size_t file_max,
    struct source **source_r, struct slice *why_r)
{
	struct source *src = source_new(a);
	struct file file = { .path = arena_str(a, slice_of(path)) };
	enum rc rc;

	src->trusted = trusted;
	src->file_max = file_max;
	rc = read_file(src, &file);
	if (rc == RC_OK)
		rc = finish(src, &file);
	*source_r = src;
	*why_r = src->why;
	return rc;
}

enum rc
source_memory(struct arena *a, const char *name, struct slice text,
    struct source **source_r, struct slice *why_r)
{
	struct source *src = source_new(a);
	struct file file = { .path = arena_str(a, slice_of(name)),
	    .rest = text, .line = 1 };
	enum rc rc = scan(src, &file);

	if (rc == RC_OK)
		rc = finish(src, &file);
	*source_r = src;
	*why_r = src->why;
	return rc;
}

const char *
source_text(struct source *src)
{
	return arena_str(src->arena, buf_slice(&src->whole));
}

/* What libconfig says is short; what would be right is for us to add. */
const char *
source_syntax(const char *text)
{
	if (text == NULL)
		return "cannot be read";
	if (strstr(text, "duplicate") != NULL)
		return "a setting of this group is set a second time; remove "
		    "one of them";
	if (strstr(text, "mismatched") != NULL)
		return "a list mixes text, numbers and booleans; write all of "
		    "it as text in double quotes";
	return "syntax error; a setting is written name = value; and a "
	    "list [ \"a\", \"b\" ]";
}
