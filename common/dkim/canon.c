#include "dkim/canon.h"

#include <pthread.h>
#include <string.h>

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *sha256;

static void
fetch(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

const EVP_MD *
dkim_sha256(void)
{
	pthread_once(&fetched, fetch);
	return sha256;
}

/* The body */

enum { WINDOW = 16384, BLOCK = 64 };

/* Where canonical bytes go: counted all, hashed up to the limit. */
struct sink {
	EVP_MD_CTX *md;
	uint64_t length, limit;
	bool good;
	size_t held;			/* in the window, not hashed yet */
	char window[WINDOW];
};

static void
sink_hash(struct sink *s, const char *ptr, size_t len)
{
	if (len > s->limit)
		len = (size_t)s->limit;
	s->limit -= len;
	if (len > 0 && EVP_DigestUpdate(s->md, ptr, len) != 1)
		s->good = false;
}

static void
sink_flush(struct sink *s)
{
	sink_hash(s, s->window, s->held);
	s->held = 0;
}

static void
sink_add(struct sink *s, const char *ptr, size_t len)
{
	s->length += len;
	if (len > WINDOW - s->held) {
		sink_flush(s);
		if (len > WINDOW) {
			sink_hash(s, ptr, len);
			return;
		}
	}
	memcpy(s->window + s->held, ptr, len);
	s->held += len;
}

static size_t
without_end_lines(struct slice body)
{
	size_t len = body.len;

	while (len >= 2 && body.ptr[len - 2] == '\r' &&
	    body.ptr[len - 1] == '\n')
		len -= 2;
	return len;
}

/* 3.4.3: an empty body is one CRLF. */
static void
body_simple(struct sink *s, struct slice body)
{
	size_t len = without_end_lines(body);

	s->length += len;
	sink_hash(s, body.ptr, len);
	sink_add(s, "\r\n", 2);
}

/* Up to where nothing but blanks and line ends follow. */
static size_t
without_end_blanks(struct slice body)
{
	size_t len = body.len, before;

	do {
		before = len;
		len = without_end_lines(slice_sub(body, 0, len));
		while (len > 0 && ascii_blank(body.ptr[len - 1]))
			len--;
	} while (len != before);
	return len;
}

/*
 * Whether relaxed may change something in these BLOCK bytes (it looks at one
 * byte more). Written so that a compiler makes a few vector instructions of
 * it: most blocks of most mail are left as they are.
 */
static bool
block_touched(const char *p)
{
	unsigned char touched = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		unsigned char tab = p[i] == '\t';
		unsigned char blank = p[i] == ' ';
		unsigned char low = (unsigned char)p[i + 1] <= ' ';

		touched |= (unsigned char)(tab | (blank & low));
	}
	return touched != 0;
}

/* From a byte at `at` to behind the next run of blanks or `stop`, whichever
 * comes later; the run becomes one space, or nothing at a line's end. */
static size_t
relaxed_run(struct sink *s, struct slice body, size_t at, size_t stop)
{
	size_t start = at;

	while (at < stop) {
		size_t end = at;

		while (end < body.len && ascii_blank(body.ptr[end]))
			end++;
		if (end == at) {
			at++;
			continue;
		}
		sink_add(s, body.ptr + start, at - start);
		if (body.len - end < 2 || body.ptr[end] != '\r' ||
		    body.ptr[end + 1] != '\n')
			sink_add(s, " ", 1);
		start = at = end;
	}
	sink_add(s, body.ptr + start, at - start);
	return at;
}

/*
 * 3.4.4. What is left of the body ends in neither blank nor line end, so that
 * a run of blanks is always followed by something.
 */
static void
body_relaxed(struct sink *s, struct slice body)
{
	size_t at = 0, start;

	body.len = without_end_blanks(body);
	if (body.len == 0)
		return;
	while (body.len - at > BLOCK) {
		for (start = at; body.len - at > BLOCK &&
		    !block_touched(body.ptr + at); at += BLOCK)
			continue;
		if (at > start)
			sink_add(s, body.ptr + start, at - start);
		if (body.len - at > BLOCK)
			at = relaxed_run(s, body, at, at + BLOCK);
	}
	relaxed_run(s, body, at, body.len);
	sink_add(s, "\r\n", 2);
}

bool
canon_body(enum dkim_canon canon, struct slice body, uint64_t limit,
    unsigned char hash_r[DKIM_HASH], uint64_t *length_r)
{
	struct sink s;

	s.md = EVP_MD_CTX_new();
	s.length = s.held = 0;
	s.limit = limit;
	s.good = s.md != NULL &&
	    EVP_DigestInit_ex2(s.md, dkim_sha256(), NULL) == 1;
	if (s.good) {
		if (canon == DKIM_SIMPLE)
			body_simple(&s, body);
		else
			body_relaxed(&s, body);
		sink_flush(&s);
		s.good = s.good && EVP_DigestFinal_ex(s.md, hash_r, NULL) == 1;
	}
	EVP_MD_CTX_free(s.md);
	*length_r = s.length;
	return s.good;
}

/* Header fields */

/* A value in relaxed form, given piece by piece. */
struct relaxed {
	struct buf *out;
	bool begun, blank;
};

static void
value_relaxed(struct relaxed *r, struct slice s)
{
	size_t start;

	for (size_t i = 0; i < s.len; ) {
		char c = s.ptr[i];

		if (c == '\n' || (c == '\r' && i + 1 < s.len &&
		    s.ptr[i + 1] == '\n')) {
			i++;			/* a fold: its blank stays */
			continue;
		}
		if (ascii_blank(c)) {
			r->blank = true;
			i++;
			continue;
		}
		if (r->blank && r->begun)
			buf_addc(r->out, ' ');
		r->blank = false;
		r->begun = true;
		for (start = i++; i < s.len && !ascii_space(s.ptr[i]); i++)
			continue;
		buf_add(r->out, slice_make(s.ptr + start, i - start));
	}
}

static void
name_relaxed(struct buf *out, struct slice name)
{
	char *ptr = buf_room(out, name.len);

	for (size_t i = 0; i < name.len; i++)
		ptr[i] = ascii_lower(name.ptr[i]);
	buf_took(out, name.len);
	buf_addc(out, ':');
}

/* The field up to its body: name and colon as they were written. */
static struct slice
before_body(const struct field *f)
{
	return slice_sub(f->raw, 0, (size_t)(f->body.ptr - f->raw.ptr));
}

/* The two pieces of the body around the span. */
static void
body_pieces(const struct field *f, struct slice span, struct slice pieces_r[2])
{
	size_t from = f->body.len, to = f->body.len;

	if (span.ptr != NULL) {
		from = (size_t)(span.ptr - f->body.ptr);
		to = from + span.len;
	}
	pieces_r[0] = slice_sub(f->body, 0, from);
	pieces_r[1] = slice_after(f->body, to);
}

void
canon_signature(struct buf *out, enum dkim_canon canon, const struct field *f,
    struct slice span)
{
	struct relaxed r = { .out = out };
	struct slice pieces[2];

	body_pieces(f, span, pieces);
	if (canon == DKIM_SIMPLE)
		buf_add(out, before_body(f));
	else
		name_relaxed(out, f->name);
	for (size_t i = 0; i < 2; i++) {
		if (canon == DKIM_SIMPLE)
			buf_add(out, pieces[i]);
		else
			value_relaxed(&r, pieces[i]);
	}
}

void
canon_field(struct buf *out, enum dkim_canon canon, const struct field *f)
{
	canon_signature(out, canon, f, SLICE_NONE);
	buf_add(out, SLICE("\r\n"));
}
