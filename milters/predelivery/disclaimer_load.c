#include "disclaimer_load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/trust.h"
#include "html/text.h"
#include "text/charset.h"
#include "text/utf8.h"

enum { PRINT_MIN = 12 };

/* Private use: stands for a value where only the rest is looked at. */
static const char mark[] = "\xee\x80\x80";

/* --- what is compared --- */

static void
print_ascii(struct buf *out, const char *ascii)
{
	for (; *ascii != '\0'; ascii++)
		if (ascii_alnum(*ascii))
			buf_addc(out, ascii_lower(*ascii));
}

static void
print_code(struct buf *out, uint32_t cp)
{
	const char *ascii = charset_ascii(cp);
	char bytes[4];

	if (ascii != NULL)
		print_ascii(out, ascii);
	else if (cp != UTF8_BAD && !utf8_control(cp) && !utf8_unseen(cp) &&
	    !(cp >= 0x2000 && cp < 0x2070) && !(cp >= 0x3000 && cp < 0x3020))
		buf_add(out, slice_make(bytes, utf8_put(bytes, cp)));
}

void
disclaimer_print(struct slice utf8, struct buf *out)
{
	char *to = buf_room(out, utf8.len + 1);
	size_t n = 0, at = 0;

	/* ASCII first and fast: mostly that is all. */
	for (; at < utf8.len && (unsigned char)utf8.ptr[at] < 0x80; at++)
		if (ascii_alnum(utf8.ptr[at]))
			to[n++] = ascii_lower(utf8.ptr[at]);
	buf_took(out, n);
	utf8 = slice_after(utf8, at);
	while (utf8.len > 0) {
		uint32_t cp;

		if ((unsigned char)utf8.ptr[0] < 0x80) {
			if (ascii_alnum(utf8.ptr[0]))
				buf_addc(out, ascii_lower(utf8.ptr[0]));
			utf8 = slice_after(utf8, 1);
		} else if (utf8_next(&utf8, &cp)) {
			print_code(out, cp);
		}
	}
}

/* The longest piece between marks that stands in `without` as well. */
static struct slice
longest(struct slice with, struct slice without)
{
	struct slice best = SLICE("");

	while (with.len > 0) {
		size_t n = slice_search(with, slice_of(mark));
		struct slice piece = slice_sub(with, 0, n);

		if (piece.len > best.len &&
		    slice_search(without, piece) < without.len)
			best = piece;
		with = slice_after(with, n + sizeof mark - 1);
	}
	return best.len < PRINT_MIN ? SLICE("") : best;
}

static struct slice
all_marks(const void *who, const char *name)
{
	(void)who;
	(void)name;
	return slice_of(mark);
}

static struct slice
all_absent(const void *who, const char *name)
{
	(void)who;
	(void)name;
	return SLICE_NONE;
}

static struct slice
seen(struct arena *a, const struct disclaimer *d, bool html,
    const struct disclaimer_values *values)
{
	struct slice text = disclaimer_rendered(a, d, html, values);
	struct html_texts texts;

	if (!html)
		return text;
	html_text_read(a, SLICE("utf-8"), text, text.len + 1, &texts);
	return texts.visible.text;
}

struct slice
disclaimer_printed(struct arena *a, const struct disclaimer *d, bool html,
    const struct disclaimer_values *values)
{
	struct buf out = buf_in(a);

	disclaimer_print(seen(a, d, html, values), &out);
	return buf_slice(&out);
}

/* The same, a mark between its lines: who lacks a value lacks a line. */
static struct slice
pieces(struct arena *a, const struct disclaimer *d, bool html,
    const struct disclaimer_values *values)
{
	struct slice line, text = seen(a, d, html, values);
	struct buf out = buf_in(a);

	while (slice_line(&text, &line)) {
		disclaimer_print(line, &out);
		buf_adds(&out, mark);
	}
	return buf_slice(&out);
}

static void
fingerprint(struct arena *a, struct disclaimer *d)
{
	static const struct disclaimer_values marks = { all_marks, NULL };
	static const struct disclaimer_values absent = { all_absent, NULL };

	for (unsigned html = 0; html < 2; html++)
		d->prints[html] = longest(pieces(a, d, html, &marks),
		    pieces(a, d, html, &absent));
}

/* --- with values --- */

struct slice
disclaimer_rendered(struct arena *a, const struct disclaimer *d, bool html,
    const struct disclaimer_values *values)
{
	struct template_data *data = NULL;
	struct buf out = buf_in(a), made = buf_in(a);
	struct slice rest, line;

	for (const struct template_names *n = d->names; n->name != NULL; n++) {
		struct slice v = values->value(values->who, n->name);

		template_put(a, &data, n->name, v.ptr != NULL ? v : SLICE(""));
	}
	if (template_render(html && d->html != NULL ? d->html : d->text, data,
	    &out) != RC_OK)
		return SLICE("");
	while (out.len > 0 && ascii_space(out.ptr[out.len - 1]))
		out.len--;
	if (!html || d->html != NULL)
		return buf_slice(&out);
	buf_adds(&made, "<div>");
	rest = buf_slice(&out);
	for (size_t n = 0; slice_line(&rest, &line); n++) {
		buf_adds(&made, n > 0 ? "<br>\n" : "");
		for (size_t i = 0; i < line.len; i++) {
			char c = line.ptr[i];

			if (c == '<' || c == '>' || c == '&' || c == '"')
				buf_addf(&made, "&#%d;", c);
			else
				buf_addc(&made, c);
		}
	}
	buf_adds(&made, "</div>");
	return buf_slice(&made);
}

/* --- the folder --- */

/* The names that stand in the text after "{{", each once. */
static enum rc
collect(struct arena *a, struct slice text, struct disclaimer *d, size_t *n,
    struct slice *why_r)
{
	size_t at = 0;

	while ((at += slice_search(slice_after(text, at), SLICE("{{"))) <
	    text.len) {
		struct slice name, rest = slice_after(text, at + 2);
		size_t len = 0, i = 0;

		at += 2;
		if (rest.len > 0 && slice_has(SLICE("#^/"), rest.ptr[0]))
			rest = slice_after(rest, 1);
		rest = slice_sub(rest, 0, slice_search(rest, SLICE("}}")));
		name = slice_trim(rest);
		while (len < name.len && (ascii_alnum(name.ptr[len]) ||
		    slice_has(SLICE("_-."), name.ptr[len])))
			len++;
		if (len == 0 || len != name.len)
			continue;	/* the parser says what is wrong */
		while (i < *n && !slice_eq(slice_of(d->names[i].name), name))
			i++;
		if (i < *n)
			continue;
		if (*n == DISCLAIMER_NAMES) {
			*why_r = arena_printf(a, "more than %d values",
			    DISCLAIMER_NAMES);
			return RC_BAD;
		}
		d->names[(*n)++].name = arena_str(a, name);
	}
	return RC_OK;
}

/* RC_BAD: there is none (*why_r absent), or it cannot be read. */
static enum rc
read_file(struct arena *a, const char *path, bool trusted,
    struct slice *text_r, struct slice *why_r)
{
	FILE *f = fopen(path, "re");
	char *bytes;
	size_t n;
	bool whole;

	*why_r = SLICE_NONE;
	if (f == NULL) {
		if (errno != ENOENT)
			*why_r = arena_printf(a, "%s: %s", path,
			    strerror(errno));
		return RC_BAD;
	}
	if (trusted && trust_file(a, fileno(f), path, why_r) != RC_OK) {
		fclose(f);
		return RC_BAD;
	}
	bytes = mem_alloc(TEMPLATE_FILE + 1);
	n = fread(bytes, 1, TEMPLATE_FILE + 1, f);
	whole = ferror(f) == 0;
	fclose(f);
	*text_r = arena_copy(a, slice_make(bytes, n));
	free(bytes);
	if (!whole)
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	else if (n > TEMPLATE_FILE)
		*why_r = arena_printf(a, "%s: more than %d kB; a disclaimer "
		    "is a few lines", path, TEMPLATE_FILE >> 10);
	else if (!utf8_valid(*text_r))
		*why_r = arena_printf(a, "%s: not UTF-8; write it as UTF-8",
		    path);
	else if (slice_trim(*text_r).len == 0)
		*why_r = arena_printf(a, "%s: empty; write the text, or remove "
		    "the file", path);
	return why_r->ptr == NULL ? RC_OK : RC_BAD;
}

/* What is between <body> and </body>, where a whole document was written. */
static struct slice
body_of(struct slice html)
{
	struct html h;
	struct html_token t;
	size_t from = 0, end = html.len;

	html_open(&h, html);
	while (html_next(&h, &t)) {
		if (t.kind == HTML_START && t.tag == HTML_BODY)
			from = t.off + t.len;
		else if (t.kind == HTML_END && t.tag == HTML_BODY)
			end = t.off;
	}
	return slice_sub(html, from, end > from ? end - from : 0);
}

/* What must not go into other people's HTML. */
static enum rc
check_html(struct arena *a, const char *path, struct slice html,
    struct slice *why_r)
{
	struct html h;
	struct html_token t = { .kind = HTML_TEXT };

	html_open(&h, html);
	while (html_next(&h, &t)) {
		if (t.tag == HTML_SCRIPT || (t.kind == HTML_START &&
		    (html_tag_is(t.tag) & HTML_TAG_RAW) != 0 &&
		    t.tag != HTML_STYLE)) {
			*why_r = arena_printf(a, "%s: <%s> has no place in a "
			    "disclaimer; write it without", path,
			    html_tag_name(t.tag));
			return RC_BAD;
		}
	}
	if (t.kind == HTML_JUNK || h.raw != HTML_OTHER ||
	    ((t.kind == HTML_COMMENT) && !slice_ends(html, SLICE(">")))) {
		*why_r = arena_printf(a, "%s: its last tag, comment or style "
		    "is not closed; close it", path);
		return RC_BAD;
	}
	return RC_OK;
}

static enum rc
load_one(struct arena *a, const char *folder, bool trusted,
    struct slice name, struct disclaimer *d, struct slice *why_r)
{
	const char *txt = arena_printf(a, "%s/%.*s.txt", folder,
	    SLICE_ARG(name)).ptr;
	const char *htm = arena_printf(a, "%s/%.*s.html", folder,
	    SLICE_ARG(name)).ptr;
	struct slice text, html = SLICE_NONE, why;
	size_t n = 0;

	d->name = name;
	d->names = arena_array(a, DISCLAIMER_NAMES + 1, sizeof *d->names);
	if (read_file(a, txt, trusted, &text, why_r) != RC_OK)
		return RC_BAD;
	if (read_file(a, htm, trusted, &html, &why) == RC_OK)
		html = body_of(html);
	else if (why.ptr != NULL) {
		*why_r = why;
		return RC_BAD;
	}
	if (collect(a, text, d, &n, &why) != RC_OK ||
	    collect(a, html, d, &n, &why) != RC_OK) {
		*why_r = arena_printf(a, "%s: %.*s; use fewer", txt,
		    SLICE_ARG(why));
		return RC_BAD;
	}
	if (template_parse(a, txt, 1, text, TEMPLATE_TEXT, d->names, NULL,
	    &d->text, why_r) != RC_OK)
		return RC_BAD;
	if (html.ptr != NULL && (check_html(a, htm, html, why_r) != RC_OK ||
	    template_parse(a, htm, 1, html, TEMPLATE_HTML, d->names, NULL,
	    &d->html, why_r) != RC_OK))
		return RC_BAD;
	fingerprint(a, d);
	return RC_OK;
}

static int
by_name(const void *a, const void *b)
{
	return slice_cmp(((const struct disclaimer *)a)->name,
	    ((const struct disclaimer *)b)->name);
}

enum rc
disclaimers_load(struct arena *a, const char *folder, bool trusted,
    struct disclaimers **list_r, struct slice *why_r)
{
	struct disclaimers *all = arena_alloc(a, sizeof *all);
	DIR *dir = opendir(folder);
	const struct dirent *e;
	enum rc rc = RC_OK;

	*list_r = all;
	/* Who has none has no folder. */
	if (dir == NULL && errno == ENOENT)
		return RC_OK;
	if (dir == NULL) {
		*why_r = arena_printf(a, "%s: %s", folder, strerror(errno));
		return RC_BAD;
	}
	all->list = arena_array(a, DISCLAIMERS_MAX, sizeof *all->list);
	while (rc == RC_OK && (e = readdir(dir)) != NULL) {
		struct slice name = slice_of(e->d_name);

		if (!slice_ends(name, SLICE(".txt")) || name.ptr[0] == '.')
			continue;
		if (all->n == DISCLAIMERS_MAX) {
			*why_r = arena_printf(a, "%s: more than %d disclaimers",
			    folder, DISCLAIMERS_MAX);
			rc = RC_BAD;
			break;
		}
		name = arena_copy(a, slice_sub(name, 0, name.len - 4));
		rc = load_one(a, folder, trusted, name,
		    &all->list[all->n++], why_r);
	}
	closedir(dir);
	if (rc == RC_OK && all->n > 1)
		qsort(all->list, all->n, sizeof *all->list, by_name);
	return rc;
}

const struct disclaimer *
disclaimers_find(const struct disclaimers *list, struct slice name)
{
	struct disclaimer key = { .name = name };

	return list == NULL || list->n == 0 ? NULL :
	    bsearch(&key, list->list, list->n, sizeof key, by_name);
}
