#include "tools/maincf-edit.h"

#include <stdlib.h>
#include <string.h>

enum { WIDTH = 78 };

static void
note(struct cf_changes *changes, const char *old,
    const struct recipe_entry *entry)
{
	struct cf_change c = { "main.cf", entry->name, old, entry->value,
	    entry->reason };

	buf_add(&changes->items, slice_make(&c, sizeof c));
}

/* --- writing ----------------------------------------------------------- */

void
cf_write_comment(struct buf *out, const char *text, const char *newline)
{
	struct slice rest = slice_of(text);
	size_t column = 0;

	while (rest.ptr != NULL) {
		struct slice w = slice_cut(rest, ' ', &rest);

		if (column > 0 && column + 1 + w.len > WIDTH) {
			buf_adds(out, newline);
			column = 0;
		}
		buf_adds(out, column == 0 ? "# " : " ");
		buf_add(out, w);
		column += 1 + w.len + (column == 0);
	}
	buf_adds(out, newline);
}

/* A chain of milters has a line for each. */
void
cf_write_param(struct buf *out, const struct recipe_entry *entry,
    const char *newline)
{
	struct slice rest = slice_of(entry->value);
	size_t n;

	cf_write_comment(out, entry->reason, newline);
	buf_addf(out, "%s =%s", entry->name, rest.len > 0 ? " " : "");
	while ((n = slice_search(rest, SLICE("}, {"))) < rest.len) {
		buf_add(out, slice_sub(rest, 0, n + 2));
		buf_adds(out, newline);
		buf_adds(out, "    ");
		rest = slice_after(rest, n + 3);
	}
	buf_add(out, rest);
	buf_adds(out, newline);
}

void
cf_write_option(struct buf *out, const struct recipe_entry *entry,
    const char *newline)
{
	cf_write_comment(out, entry->reason, newline);
	if (strpbrk(entry->value, " \t") != NULL)
		buf_addf(out, "  -o { %s = %s }", entry->name, entry->value);
	else
		buf_addf(out, "  -o %s=%s", entry->name, entry->value);
	buf_adds(out, newline);
}

/* --- main.cf ----------------------------------------------------------- */

/* Equal but for the amount of white space. */
static bool
same_value(struct slice a, struct slice b)
{
	size_t i = 0, j = 0;

	for (;;) {
		bool gap = false;

		while (i < a.len && ascii_space(a.ptr[i])) {
			gap = true;
			i++;
		}
		if (gap && (j >= b.len || !ascii_space(b.ptr[j])))
			return false;
		if (!gap && j < b.len && ascii_space(b.ptr[j]))
			return false;
		while (j < b.len && ascii_space(b.ptr[j]))
			j++;
		if (i >= a.len || j >= b.len)
			return i >= a.len && j >= b.len;
		if (a.ptr[i++] != b.ptr[j++])
			return false;
	}
}

struct patch {
	size_t from, to;
	struct slice text;
};

static int
by_place(const void *x, const void *y)
{
	const struct patch *a = x, *b = y;

	return (a->from > b->from) - (a->from < b->from);
}

static struct slice
patched(struct arena *a, struct slice own, struct patch *patches, size_t n)
{
	struct buf out = buf_in(a);
	size_t at = 0;

	if (n > 0)
		qsort(patches, n, sizeof *patches, by_place);
	for (size_t i = 0; i < n; i++) {
		buf_add(&out, slice_sub(own, at, patches[i].from - at));
		buf_add(&out, patches[i].text);
		at = patches[i].to;
	}
	buf_add(&out, slice_after(own, at));
	return buf_slice(&out);
}

/* The block at the end. */
static struct slice
appended(struct arena *a, struct slice file, struct slice block,
    const char *newline)
{
	struct buf out = buf_in(a), text = buf_in(a);
	bool open = file.len > 0 && file.ptr[file.len - 1] != '\n';

	if (block.len == 0)
		return file;
	cf_write_comment(&text, "Written by \"gatehouse postfix-config "
	    "--apply\". What you change here is in the way of the next one; "
	    "\"--revert\" takes it all out again.", newline);
	buf_add(&text, block);
	buf_add(&out, file);
	if (open)
		buf_adds(&out, newline);
	buf_add(&out, cf_mark(a, SLICE("end-of-file"), SLICE(""),
	    buf_slice(&text), newline, open));
	return buf_slice(&out);
}

static struct slice
in_place(struct arena *a, struct slice own, const struct cf_line *line,
    const struct recipe_entry *e, const char *newline)
{
	struct buf text = buf_in(a);

	cf_write_param(&text, e, newline);
	return cf_mark(a, slice_of(e->name), slice_sub(own, line->from,
	    line->to - line->from), buf_slice(&text), newline, false);
}

struct slice
cf_edit_main(struct arena *a, struct slice own, const struct recipe *r,
    struct cf_changes *changes)
{
	struct patch *patches = arena_array(a, r->nentries + 1,
	    sizeof *patches);
	const char *newline = cf_newline(own);
	struct buf block = buf_in(a);
	size_t n = 0;

	for (size_t i = 0; i < r->nentries; i++) {
		const struct recipe_entry *e = &r->entries[i];
		struct cf_line line;
		struct slice value;

		if (e->file != RECIPE_MAIN)
			continue;
		if (!cf_find(own, slice_of(e->name), a, &line, &value)) {
			cf_write_param(&block, e, newline);
			note(changes, NULL, e);
		} else if (e->mode != RECIPE_DEFAULT && !same_value(value,
		    slice_of(e->value))) {
			patches[n++] = (struct patch){ line.from, line.to,
			    in_place(a, own, &line, e, newline) };
			note(changes, arena_str(a, value), e);
		}
	}
	return appended(a, patched(a, own, patches, n), buf_slice(&block),
	    newline);
}

/* --- maps -------------------------------------------------------------- */

#define MAP	CF_MARK "map "

struct slice
cf_map_text(struct arena *a, const struct recipe_entry *e)
{
	struct buf body = buf_in(a), out = buf_in(a);

	cf_write_comment(&body, e->reason, "\n");
	cf_write_comment(&body, "Written by \"gatehouse postfix-config "
	    "--apply\" from gatehouse.conf and postfix.conf.", "\n");
	buf_adds(&body, e->value);
	buf_addf(&out, MAP "%s %.*s\n", e->service, SLICE_ARG(cf_hash(a,
	    buf_slice(&body))));
	buf_add(&out, buf_slice(&body));
	return buf_slice(&out);
}

bool
cf_map_good(struct arena *a, struct slice text)
{
	struct slice first = slice_sub(text, 0, slice_find(text, '\n'));
	size_t space = slice_find_last(first, ' ');

	return slice_starts(text, SLICE(MAP)) &&
	    slice_eq(slice_after(first, space + 1),
	    cf_hash(a, slice_after(text, first.len + 1)));
}
