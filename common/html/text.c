#include "html/text.h"

#include <string.h>

#include "base/buf.h"
#include "html/ref.h"
#include "text/charset.h"
#include "text/utf8.h"

/*
 * Bytes of the text from `at` on, up to the next run, come from `off` on, one
 * for one where len is 0, else all of them from off .. off + len.
 */
struct html_run {
	uint32_t at, off, len;
};

struct out {
	struct buf text, runs;
	size_t max;
	char gap;			/* '\n', '\t', ' ' to come, or none */
	size_t gap_off, gap_len;
	bool cut;
};

struct reading {
	struct slice source;
	bool utf8;
	uint32_t high[128];		/* else what bytes over 0x7f are */
	struct out visible, hidden;
	size_t unseen;
	unsigned hides;
};

/* --- charsets --- */

/* One byte is one character, and ASCII is ASCII. */
static bool
single(const char *name)
{
	static const char *const starts[] = { "CP125", "ISO-8859", "KOI8",
	    "CP866", "CP437", "CP85", "CP874", "MAC" };

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (strncmp(name, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

static void
read_high(struct slice charset, uint32_t high[128])
{
	char all[256];
	struct buf utf8 = { 0 };
	struct slice rest;

	for (unsigned i = 0; i < 128; i++) {
		all[2 * i] = (char)(i + 128);
		all[2 * i + 1] = '\n';
	}
	charset_utf8(charset, slice_make(all, sizeof all), 1024, &utf8);
	rest = buf_slice(&utf8);
	for (unsigned i = 0; i < 128; i++) {
		struct slice one = slice_cut(rest, '\n', &rest);

		if (!utf8_next(&one, &high[i]))
			high[i] = UTF8_BAD;
	}
	buf_free(&utf8);
}

/* How the bytes are read; those that cannot be in place are copied. */
static void
prepare(struct arena *a, struct slice charset, struct slice text,
    struct reading *r, bool *copied_r)
{
	enum { GROWS = 4 };
	const char *name = charset_name(charset);
	struct buf copy = buf_in(a);

	*copied_r = false;
	r->source = text;
	if (name == NULL || strcmp(name, "US-ASCII") == 0)
		name = utf8_valid(text) ? "UTF-8" : "CP1252";
	r->utf8 = strcmp(name, "UTF-8") == 0;
	if (r->utf8)
		return;
	if (single(name)) {
		read_high(slice_of(name), r->high);
		return;
	}
	charset_utf8(charset, text, text.len * GROWS, &copy);
	r->source = buf_slice(&copy);
	r->utf8 = *copied_r = true;
}

/* --- characters --- */

static struct html_run *
last_run(struct out *o)
{
	if (o->runs.len == 0)
		return NULL;
	return (struct html_run *)(void *)(o->runs.ptr + o->runs.len) - 1;
}

/* A run for n bytes of text from [off, off + len), or the last one goes on. */
static void
note(struct out *o, size_t n, size_t off, size_t len)
{
	const struct html_run *last = last_run(o);
	struct html_run run = { (uint32_t)o->text.len, (uint32_t)off,
	    n == len ? 0 : (uint32_t)len };

	if (last != NULL && last->len == 0 && run.len == 0 &&
	    run.off - last->off == run.at - last->at)
		return;
	buf_add(&o->runs, slice_make(&run, sizeof run));
}

static void
put(struct out *o, struct slice bytes, size_t off, size_t len)
{
	if (o->cut || o->text.len + bytes.len > o->max) {
		o->cut = true;
		return;
	}
	note(o, bytes.len, off, len);
	if (bytes.len > o->text.cap - o->text.len)
		buf_room(&o->text, bytes.len);
	memcpy(o->text.ptr + o->text.len, bytes.ptr, bytes.len);
	o->text.len += bytes.len;
}

static void
put_gap(struct out *o)
{
	if (o->gap != '\0' && o->text.len > 0)
		put(o, slice_make(&o->gap, 1), o->gap_off, o->gap_len);
	o->gap = '\0';
}

/* A line end is more than a tab, which is more than a space. */
static void
gap(struct out *o, char c, size_t off, size_t len)
{
	bool more = o->gap == '\0' || c == '\n' ? o->gap != '\n' :
	    c == '\t' && o->gap == ' ';

	if (more) {
		o->gap = c;
		o->gap_off = off;
		o->gap_len = len;
	}
}

static bool
is_blank(uint32_t cp)
{
	return cp <= ' ' || cp == 0x7f || cp == 0xa0 || cp == 0x1680 ||
	    (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 ||
	    cp == 0x202f || cp == 0x205f || cp == 0x3000;
}

static void
character(struct reading *r, struct out *o, const struct html_piece *p,
    uint32_t cp, size_t off, size_t len)
{
	char bytes[4];

	if (is_blank(cp)) {
		gap(o, p->pre && cp == '\n' ? '\n' : ' ', off, len);
		return;
	}
	if (cp != UTF8_BAD && utf8_unseen(cp)) {
		r->unseen++;
		return;
	}
	put_gap(o);
	put(o, slice_make(bytes, utf8_put(bytes, cp == UTF8_BAD ? 0xfffd :
	    cp)), off, len);
}

/* The character at raw[at]; how many bytes it takes. */
static size_t
next(const struct reading *r, struct slice raw, size_t at, uint32_t *cp_r)
{
	struct slice rest = slice_after(raw, at);
	unsigned char c = (unsigned char)raw.ptr[at];

	if (c < 0x80) {
		*cp_r = c;
		return 1;
	}
	if (!r->utf8) {
		*cp_r = r->high[c - 0x80];
		return 1;
	}
	utf8_next(&rest, cp_r);
	return raw.len - at - rest.len;
}

/* Bytes from `at` on that are as they are, in any charset and any text. */
static size_t
plain_run(struct slice raw, size_t at)
{
	size_t n = 0;

	while (at + n < raw.len && raw.ptr[at + n] > ' ' &&
	    raw.ptr[at + n] != '&' && raw.ptr[at + n] != 0x7f)
		n++;
	return n;
}

static void
piece(struct reading *r, struct out *o, const struct html_piece *p)
{
	struct html_ref ref;
	uint32_t cp;

	for (size_t at = 0, n; at < p->raw.len && !o->cut; at += n) {
		size_t off = p->off + at;

		n = plain_run(p->raw, at);
		if (n > o->max - o->text.len)
			n = o->max - o->text.len;
		if (n > 0) {
			put_gap(o);
			put(o, slice_sub(p->raw, at, n), off, n);
			continue;
		}
		if (p->refs && p->raw.ptr[at] == '&' &&
		    html_ref(p->raw, at, false, &ref)) {
			n = ref.len;
			character(r, o, p, ref.cp[0], off, n);
			if (ref.cp[1] != 0)
				character(r, o, p, ref.cp[1], off, n);
		} else {
			n = next(r, p->raw, at, &cp);
			character(r, o, p, cp, off, n);
		}
	}
}

static void
finish(struct out *o, struct html_text *t)
{
	*t = (struct html_text){ .text = buf_slice(&o->text), .cut = o->cut,
	    .runs = (const void *)o->runs.ptr,
	    .nruns = o->runs.len / sizeof(struct html_run) };
}

void
html_text_read(struct arena *a, struct slice charset, struct slice text,
    size_t max, struct html_texts *out)
{
	struct reading r = { .visible = { buf_in(a), buf_in(a), max, 0, 0, 0,
	    false }, .hidden = { buf_in(a), buf_in(a), max, 0, 0, 0, false } };
	struct html_reader *reader = arena_alloc(a, sizeof *reader);
	struct html_piece p;

	prepare(a, charset, text, &r, &out->copied);
	/* Most of a text is markup; it seldom grows. */
	buf_room(&r.visible.text, 1 + (r.source.len / 2 < max ?
	    r.source.len / 2 : max));
	html_reader_open(reader, r.source);
	while (html_piece_next(reader, &p)) {
		if (p.kind == HTML_PIECE_TEXT) {
			piece(&r, p.hidden != 0 ? &r.hidden : &r.visible, &p);
			r.hides |= p.hidden;
		} else if (p.kind != HTML_PIECE_ALT) {
			char c = p.kind == HTML_PIECE_CELL ? '\t' : '\n';

			gap(&r.visible, c, p.off, 1);
			gap(&r.hidden, c, p.off, 1);
		}
	}
	out->source = r.source;
	out->unseen = r.unseen;
	out->hides = r.hides;
	finish(&r.visible, &out->visible);
	finish(&r.hidden, &out->hidden);
}

/* The run that holds byte `at`. */
static const struct html_run *
run_of(const struct html_text *t, size_t at)
{
	size_t low = 0, high = t->nruns;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (t->runs[mid].at <= at)
			low = mid;
		else
			high = mid;
	}
	return &t->runs[low];
}

void
html_text_place(const struct html_text *t, size_t at, size_t len,
    size_t *off_r, size_t *len_r)
{
	const struct html_run *run;
	size_t last = at + (len > 0 ? len - 1 : 0), end;

	*off_r = *len_r = 0;
	if (last >= t->text.len)
		return;
	run = run_of(t, at);
	*off_r = run->off + (run->len == 0 ? at - run->at : 0);
	run = run_of(t, last);
	end = run->off + (run->len == 0 ? last - run->at + 1 : run->len);
	*len_r = len == 0 ? 0 : end - *off_r;
}
