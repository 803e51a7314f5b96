/*
 * Any bytes as a settings file, as allow and block lists, and as the value of
 * one record of a map: what is taken has the form that is promised, what is not
 * is refused with file and line. The first byte says which.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/file.h"
#include "policy/lists.h"
#include "policy/sheet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
sheet(struct arena *a, struct slice text)
{
	struct sheet_line l;
	struct sheet s;
	unsigned line = 0;

	sheet_open(&s, a, "fuzz", text);
	while (sheet_next(&s, &l)) {
		must(l.line > line && l.name.len > 0 && l.name.len <= 320);
		must(l.level > SCOPE_DEFAULT && l.level < SCOPE_LEVELS);
		must(l.file.len > 0 && l.option.len > 0);
		must(l.raw.ptr != NULL ? l.raw.len > 0 : l.final);
		line = l.line;
	}
	must(s.why.len == 0 || slice_starts(s.why, SLICE("fuzz:")));
}

static void
lists(struct arena *a, struct slice text)
{
	struct lists_entry e;
	struct lists l;

	lists_open(&l, a, "fuzz", text);
	while (lists_next(&l, &e)) {
		must(e.verdict == LISTED_ALLOW || e.verdict == LISTED_BLOCK);
		must((e.level == SCOPE_DEFAULT) == (e.name.len == 0));
		must(e.sender.len > 0 && strchr("adsn", e.kind) != NULL);
		must(e.kind != 'n' || e.level != SCOPE_USER);
		must(e.kind != 'a' || (slice_has(e.sender, '@') &&
		    e.sender.ptr[e.sender.len - 1] != '@'));
	}
	must(l.why.len == 0 || slice_starts(l.why, SLICE("fuzz:")));
}

/* A record that is read is written as the same bytes. */
static void
record(struct arena *a, struct slice value)
{
	struct buf out = buf_in(a);
	struct file_record r;
	struct file_meta *meta = arena_alloc(a, sizeof *meta);

	if (file_unpack_record(value, &r)) {
		file_pack_record(&out, &r);
		must(slice_eq(buf_slice(&out), value));
	}
	buf_clear(&out);
	if (file_unpack_meta(a, value, meta)) {
		file_pack_meta(&out, meta);
		must(out.len == value.len);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice rest = slice_make(data, size);

	if (size > 0) {
		rest = slice_after(rest, 1);
		if (data[0] == 's')
			sheet(a, rest);
		else if (data[0] == 'l')
			lists(a, rest);
		else
			record(a, rest);
	}
	arena_free(a);
	return 0;
}
