#include "phish_files.h"

#include <unistd.h>

#include "content/office.h"
#include "html/html.h"
#include "html/ref.h"
#include "text/charset.h"
#include "unpack/format.h"
#include "unpack/unpack.h"

enum { MEMBERS = 500, TEXT = 4 << 20, TEXTS = 32 << 20, URIS = 10000,
    ANSWER = 64 << 20 };

struct files {
	struct spam_look *look;
	struct linker *l;
	struct arena *a;
	const struct phish_cells *cells;
	deadline_t until;
	unsigned files, pictures;
	size_t left;			/* bytes of text still read */
	bool no_unpack, no_code;	/* a cell did not answer */
};

static enum rc
open_cell(const char *name, unsigned workers, unsigned pieces,
    struct cell **cell_r, struct arena *a, struct slice *why_r)
{
	const char *argv[] = { cell_program(a, name), NULL };
	const struct cell_conf cell = { .name = name, .argv = argv,
	    .workers = workers, .answer_max = ANSWER, .pieces_max = pieces };

	return cell_open(&cell, cell_r, a, why_r);
}

enum rc
phish_files_open(const struct antispam_conf *conf, struct phish_cells *cells_r,
    struct arena *a, struct slice *why_r)
{
	enum rc rc;

	*cells_r = (struct phish_cells){ NULL, NULL };
	if (conf->phishing_files == FILES_UNREAD)
		return RC_OK;
	rc = open_cell("unpack", conf->phishing_workers, CELL_PIECES,
	    &cells_r->unpack, a, why_r);
	return rc != RC_OK ? rc : open_cell("code", conf->phishing_workers,
	    100, &cells_r->code, a, why_r);
}

void
phish_files_close(struct phish_cells *cells)
{
	if (cells->unpack != NULL)
		cell_close(cells->unpack);
	if (cells->code != NULL)
		cell_close(cells->code);
}

/* ---- PDF ---- */

/* What stands in (...), escapes undone; *len_r: its bytes in the file. */
static void
literal(struct slice s, struct buf *out)
{
	unsigned depth = 1;

	for (size_t i = 1; i < s.len && out->len < CONTENT_LINK_URL; i++) {
		char c = s.ptr[i];

		depth += c == '(';
		depth -= c == ')';
		if (depth == 0)
			return;
		if (c != '\\' || i + 1 == s.len) {
			buf_addc(out, c);
			continue;
		}
		c = s.ptr[++i];
		if (c >= '0' && c <= '7') {
			unsigned value = 0, n = 0;

			for (; n < 3 && i < s.len && s.ptr[i] >= '0' &&
			    s.ptr[i] <= '7'; n++, i++)
				value = value * 8 + (unsigned)(s.ptr[i] - '0');
			buf_addc(out, (char)value);
			i--;
		} else if (c != '\n' && c != '\r') {
			buf_addc(out, c);
		}
	}
}

/* What stands in <...>, in hexadecimal. */
static void
hexadecimal(struct slice s, struct buf *out)
{
	int high = -1;

	for (size_t i = 1; i < s.len && s.ptr[i] != '>' &&
	    out->len < CONTENT_LINK_URL; i++) {
		int d = ascii_hex(s.ptr[i]);

		if (d >= 0 && high >= 0) {
			buf_addc(out, (char)(high * 16 + d));
			high = -1;
		} else if (d >= 0) {
			high = d;
		}
	}
}

void
phish_pdf_links(struct linker *l, struct slice bytes)
{
	struct buf url = buf_in(l->arena);
	size_t at = 0, next;

	/* Each may be as long as a link can be, and all may overlap. */
	for (unsigned n = 0; n < URIS && !l->links->cut; n++, at = next) {
		struct slice s = slice_after(bytes, at);

		next = slice_search(s, SLICE("/URI"));
		if (next == s.len)
			break;
		s = slice_after(s, next + 4);
		next += at + 4;
		while (s.len > 0 && (ascii_space(s.ptr[0]) ||
		    s.ptr[0] == '\0'))
			s = slice_after(s, 1);
		buf_clear(&url);
		if (slice_starts(s, SLICE("(")))
			literal(s, &url);
		else if (slice_starts(s, SLICE("<")) &&
		    !slice_starts(s, SLICE("<<")))
			hexadecimal(s, &url);
		if (url.len > 0)
			linker_url(l, CONTENT_LINK_FILE, NULL,
			    buf_slice(&url), SLICE_NONE);
	}
}

/* ---- one file ---- */

/* As much of a text as may still be read. */
static struct slice
some(struct files *f, struct slice bytes)
{
	bytes = slice_sub(bytes, 0, TEXT < f->left ? TEXT : f->left);
	f->left -= bytes.len;
	return bytes;
}

static bool
ends_with(struct slice name, const char *const *ends)
{
	for (; *ends != NULL; ends++)
		if (slice_ends_nocase(name, slice_of(*ends)))
			return true;
	return false;
}

/* Relationships of an office file: Target="..." TargetMode="External". */
static void
add_relations(struct files *f, struct slice xml)
{
	struct html_token t;
	struct html_attr mode, target;
	struct html h;

	html_open(&h, some(f, xml));
	while (!f->l->links->cut && html_next(&h, &t)) {
		struct buf url = buf_in(f->a);

		if (t.kind != HTML_START || !html_attr_find(&t,
		    SLICE("TargetMode"), &mode) || !slice_eq_nocase(mode.value,
		    SLICE("External")) || !html_attr_find(&t, SLICE("Target"),
		    &target))
			continue;
		html_unref(SLICE("utf-8"), target.value, true,
		    CONTENT_LINK_URL, &url);
		linker_url(f->l, CONTENT_LINK_FILE, NULL, buf_slice(&url),
		    SLICE_NONE);
	}
}

static struct slice
as_utf8(struct files *f, struct slice bytes)
{
	struct buf out = buf_in(f->a);
	const char *charset = slice_starts(bytes, SLICE("\xff\xfe")) ?
	    "utf-16le" : slice_starts(bytes, SLICE("\xfe\xff")) ? "utf-16be" :
	    NULL;

	bytes = some(f, bytes);
	if (charset == NULL)
		return bytes;
	charset_utf8(slice_of(charset), slice_after(bytes, 2), TEXT, &out);
	return buf_slice(&out);
}

static void
add_picture(struct files *f, struct slice bytes)
{
	struct cell_answer answer;
	int fd;

	if (f->cells->code == NULL || f->pictures++ >= PHISH_PICTURES)
		return;
	fd = cell_memfd(bytes);
	if (fd < 0) {
		f->no_code = true;
		return;
	}
	cell_ask(f->cells->code, SLICE(""), fd, f->until, f->a, &answer);
	close(fd);
	f->no_code |= answer.end == CELL_DOWN || answer.end == CELL_TIMEOUT;
	for (const struct cell_piece *p = answer.pieces; p != NULL &&
	    answer.end == CELL_ANSWERED; p = p->next)
		linker_text(f->l, CONTENT_LINK_CODE, NULL, p->bytes);
}

/* Too small for a code: spacers and signs of mail. */
enum { PICTURE_LEAST = 150 };

static bool
picture(struct slice bytes)
{
	return bytes.len >= PICTURE_LEAST &&
	    (slice_starts(bytes, SLICE("\x89PNG")) ||
	    slice_starts(bytes, SLICE("\xff\xd8\xff")) ||
	    slice_starts(bytes, SLICE("GIF8")));
}

/* By name, and by what stands in it: what needs no cell. */
static void
add_plain(struct files *f, struct slice name, struct slice bytes)
{
	static const char *const pages[] = { ".html", ".htm", ".shtml",
	    ".xhtml", ".xht", ".svg", ".mht", ".mhtml", NULL };
	static const char *const texts[] = { ".ics", ".ifb", ".vcs", ".vcf",
	    ".txt", ".url", ".eml", ".csv", ".md", NULL };

	if (picture(bytes))
		add_picture(f, bytes);
	else if (ends_with(name, pages))
		linker_html(f->l, true, NULL, SLICE("utf-8"),
		    as_utf8(f, bytes));
	else if (ends_with(name, texts))
		linker_text(f->l, CONTENT_LINK_FILE, NULL, as_utf8(f, bytes));
}

static void
add_member(struct files *f, const struct unpack_entry *e, bool of_pdf)
{
	bool cut;

	if (of_pdf && slice_starts(e->path, SLICE("text")))
		linker_text(f->l, CONTENT_LINK_FILE, NULL, some(f, e->bytes));
	else if (of_pdf)
		phish_pdf_links(f->l, some(f, e->bytes));
	else if (slice_ends_nocase(e->path, SLICE(".rels")))
		add_relations(f, e->bytes);
	else if (office_xml(e->bytes))
		linker_text(f->l, CONTENT_LINK_FILE, NULL,
		    office_text(f->a, some(f, e->bytes), TEXT, &cut));
	else
		add_plain(f, e->path, e->bytes);
	if (slice_eq(e->format, SLICE("pdf")))
		phish_pdf_links(f->l, some(f, e->bytes));
}

/* JPEG stands in a PDF as it is. */
static void
add_pdf_pictures(struct files *f, struct slice bytes)
{
	struct slice mark = SLICE("\xff\xd8\xff");
	size_t at;

	while (f->pictures < PHISH_PICTURES &&
	    (at = slice_search(bytes, mark)) < bytes.len) {
		bytes = slice_after(bytes, at);
		add_picture(f, slice_sub(bytes, 0, slice_search(bytes,
		    SLICE("endstream"))));
		bytes = slice_after(bytes, mark.len);
	}
}

static void
add_container(struct files *f, struct slice name, struct slice bytes)
{
	struct unpack_result result;
	int fd;

	if (unpack_format_of(bytes)->by == UNPACK_BY_PDF) {
		phish_pdf_links(f->l, bytes);
		add_pdf_pictures(f, bytes);
	}
	if (f->cells->unpack == NULL)
		return;
	fd = cell_memfd(bytes);
	if (fd < 0) {
		f->no_unpack = true;
		return;
	}
	unpack_ask(f->cells->unpack, fd, name, &unpack_default_limits, NULL, 0,
	    f->until, f->a, &result);
	close(fd);
	f->no_unpack |= result.end == CELL_DOWN || result.end == CELL_TIMEOUT;
	for (size_t i = 1; i < result.nentries && i < MEMBERS &&
	    result.end == CELL_ANSWERED; i++)
		add_member(f, &result.entries[i], slice_eq(result.entries[
		    result.entries[i].parent].format, SLICE("pdf")));
}

static void
add_part(struct files *f, const struct part *p)
{
	struct slice name = p->filename.ptr != NULL ? p->filename :
	    part_is(p, "image", "svg+xml") ? SLICE("a.svg") : SLICE(""), bytes;
	unsigned flags;

	bytes = part_decoded(p, f->a, PHISH_FILE_BYTES, &flags);
	if (unpack_format_of(bytes) != NULL)
		add_container(f, name, bytes);
	else
		add_plain(f, name, bytes);
}

/* Texts are read already, whatever they are called; so are the parts of a
 * message within. */
static bool
of_interest(const struct part *p)
{
	return !part_multipart(p) && p->child == NULL &&
	    !part_is(p, "text", NULL) && !part_is(p, "message", NULL) &&
	    !part_is(p, "audio", NULL) && !part_is(p, "video", NULL);
}

static enum rc
missed(struct files *f, struct slice *why_r)
{
	if (!f->no_unpack && !f->no_code)
		return RC_OK;
	if (f->look->conf->phishing_files == FILES_MUST) {
		*why_r = SLICE("the cell that reads attachments is down or "
		    "late");
		return RC_RETRY;
	}
	if (f->no_unpack)
		look_missed(f->look, SLICE("attachments"));
	if (f->no_code)
		look_missed(f->look, SLICE("codes in pictures"));
	return RC_OK;
}

enum rc
phish_files_read(struct spam_look *look, const struct phish_cells *cells,
    struct linker *l, struct slice *why_r)
{
	struct files f = { .look = look, .l = l, .a = look->msg->arena,
	    .cells = cells, .left = TEXTS,
	    .until = deadline_in(look->conf->phishing_timeout) };
	const struct part *root = message_parts(look->msg);

	if (look->conf->phishing_files == FILES_UNREAD)
		return RC_OK;
	if (look->job != NULL)
		f.until = deadline_earlier(f.until, look->job->deadline);
	for (const struct part *p = root; p != NULL && f.files < PHISH_FILES &&
	    !l->links->cut; p = part_next(root, p))
		if (of_interest(p)) {
			f.files++;
			add_part(&f, p);
		}
	return missed(&f, why_r);
}
