/* Our changes: marked, and undone. */
#include <openssl/evp.h>

#include "tools/diff.h"
#include "tools/maincf.h"

#define BEGIN		CF_MARK "begin "
#define WAS		CF_MARK "was:"
#define END		CF_MARK "end"

struct slice
cf_hash(struct arena *a, struct slice bytes)
{
	static const char hex[] = "0123456789abcdef";
	unsigned char hash[EVP_MAX_MD_SIZE];
	struct buf out = buf_in(a);

	if (EVP_Digest(bytes.ptr, bytes.len, hash, NULL, EVP_sha256(),
	    NULL) != 1)
		return SLICE("");	/* equals no hash that we wrote */
	for (int i = 0; i < 8; i++) {
		buf_addc(&out, hex[hash[i] >> 4]);
		buf_addc(&out, hex[hash[i] & 15]);
	}
	return buf_slice(&out);
}

/* A line with its end. */
static struct slice
whole_line(struct slice *rest)
{
	size_t n = slice_find(*rest, '\n');
	struct slice line = slice_sub(*rest, 0, n + 1);

	*rest = slice_after(*rest, line.len);
	return line;
}

static struct slice
without_end(struct slice line)
{
	while (line.len > 0 && (line.ptr[line.len - 1] == '\n' ||
	    line.ptr[line.len - 1] == '\r'))
		line.len--;
	return line;
}

bool
cf_marked(struct slice file)
{
	while (file.len > 0)
		if (slice_starts(whole_line(&file), SLICE(BEGIN)))
			return true;
	return false;
}

/* "open" behind the hash: the last line of `was`, or the line above where
 * nothing stood, had no end, and has one now, since a mark needs a line of
 * its own. */
struct slice
cf_mark(struct arena *a, struct slice name, struct slice was,
    struct slice text, const char *newline, bool open)
{
	struct buf body = buf_in(a), out = buf_in(a);
	bool cut = was.len > 0 && was.ptr[was.len - 1] != '\n';

	while (was.len > 0) {
		buf_adds(&body, WAS);
		buf_add(&body, whole_line(&was));
	}
	if (cut)
		buf_adds(&body, newline);
	buf_add(&body, text);
	buf_addf(&out, BEGIN "%.*s %.*s%s%s", SLICE_ARG(name),
	    SLICE_ARG(cf_hash(a, buf_slice(&body))), open || cut ? " open" : "",
	    newline);
	buf_add(&out, buf_slice(&body));
	buf_adds(&out, END);
	buf_adds(&out, newline);
	return buf_slice(&out);
}

/* --- undo -------------------------------------------------------------- */

struct region {
	struct slice begin;		/* its first line, without its end */
	struct slice name, hash, body;
	bool open, closed;
	size_t newline;			/* bytes of the line's end */
};

/* begin has been read; takes all up to the end. */
static struct region
read_region(struct slice begin, struct slice *rest)
{
	struct region r = { .begin = without_end(begin) };
	struct slice words = slice_after(r.begin, sizeof BEGIN - 1);

	r.newline = begin.len - r.begin.len;
	r.name = slice_cut(words, ' ', &words);
	r.hash = slice_cut(slice_make(words.ptr, words.len), ' ', &words);
	r.open = slice_eq(words, SLICE("open"));
	r.body = *rest;
	r.body.len = 0;
	while (rest->len > 0) {
		struct slice line = whole_line(rest);

		if (slice_eq(without_end(line), SLICE(END))) {
			r.closed = true;
			break;
		}
		if (slice_starts(line, SLICE(BEGIN)))
			break;
		r.body.len += line.len;
	}
	return r;
}

/* The region of the same first line in the file as we left it. */
static bool
find_region(struct slice applied, struct slice begin, struct region *r_r)
{
	while (applied.len > 0) {
		struct slice line = whole_line(&applied);

		if (!slice_eq(without_end(line), begin))
			continue;
		*r_r = read_region(line, &applied);
		return r_r->closed;
	}
	return false;
}

/* Are all lines that we wrote still there, in order? Then what is between
 * them is somebody else's, and *extra_r gets it. An edit of a logical line of
 * ours would be a line that goes on: that is no addition. */
static bool
only_added(struct slice wrote, struct slice is, struct buf *extra)
{
	while (is.len > 0) {
		struct slice line = whole_line(&is), rest = wrote;

		if (wrote.len > 0 && slice_eq(line, whole_line(&rest))) {
			wrote = rest;
			continue;
		}
		if ((ascii_space(line.ptr[0]) && slice_trim(line).len > 0) ||
		    slice_starts(line, SLICE(CF_MARK)))
			return false;
		buf_add(extra, line);
	}
	return wrote.len == 0;
}

/* Nothing is put behind a line without an end: it was the last one once, and
 * is not any more. */
static void
add_lines(struct buf *out, struct slice lines)
{
	if (lines.len > 0 && out->len > 0 && out->ptr[out->len - 1] != '\n')
		buf_addc(out, '\n');
	buf_add(out, lines);
}

static void
add_was(struct buf *out, const struct region *r)
{
	struct slice body = r->body;

	while (slice_starts(body, SLICE(WAS)))
		add_lines(out, slice_after(whole_line(&body), sizeof WAS - 1));
	if (r->open && out->len >= r->newline)
		out->len -= r->newline;
}

static struct slice
edited(struct arena *a, const char *path, const struct region *r,
    struct slice applied)
{
	struct region wrote;
	struct buf out = buf_in(a);

	buf_addf(&out, "%s: what Gatehouse wrote for %.*s was changed by "
	    "somebody else", path, SLICE_ARG(r->name));
	if (!find_region(applied, r->begin, &wrote)) {
		buf_adds(&out, "; what it was is not known any more");
	} else {
		buf_adds(&out, ":\n");
		diff_lines(&out, a, wrote.body, r->body);
	}
	return buf_slice(&out);
}

/* One region; what stood there before goes to out. */
static enum rc
undo(struct arena *a, const char *path, const struct region *r,
    struct slice applied, struct buf *out, struct slice *why_r)
{
	struct buf extra = buf_in(a);
	struct region wrote;

	if (!r->closed) {
		*why_r = arena_printf(a, "%s: the line \"%.*s\" has no \"" END
		    "\" behind it", path, SLICE_ARG(r->begin));
		return RC_BAD;
	}
	if (!slice_eq(cf_hash(a, r->body), r->hash) &&
	    !(find_region(applied, r->begin, &wrote) &&
	    only_added(wrote.body, r->body, &extra))) {
		*why_r = edited(a, path, r, applied);
		return RC_BAD;
	}
	add_was(out, r);
	add_lines(out, buf_slice(&extra));
	return RC_OK;
}

enum rc
cf_undo(struct arena *a, const char *path, struct slice file,
    struct slice applied, struct slice *own_r, struct slice *why_r)
{
	struct buf out = buf_in(a);
	struct slice rest = file;

	while (rest.len > 0) {
		struct slice line = whole_line(&rest);
		struct region r;

		if (slice_eq(without_end(line), SLICE(END)) ||
		    slice_starts(line, SLICE(WAS))) {
			*why_r = arena_printf(a, "%s: the line \"%.*s\" has no "
			    "\"" BEGIN "\" before it", path,
			    SLICE_ARG(without_end(line)));
			return RC_BAD;
		}
		if (!slice_starts(line, SLICE(BEGIN))) {
			add_lines(&out, line);
			continue;
		}
		r = read_region(line, &rest);
		if (undo(a, path, &r, applied, &out, why_r) != RC_OK)
			return RC_BAD;
	}
	*own_r = buf_slice(&out);
	return RC_OK;
}
