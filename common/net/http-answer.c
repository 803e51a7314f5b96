/* The reader of answers. */
#include "net/http.h"

#include <string.h>

void
http_answer_begin(struct http_answer *r)
{
	memset(r, 0, sizeof *r);
	r->retry_after = -1;
	r->most = HTTP_BODY;
	r->kept = HTTP_KEPT;
}

void
http_answer_free(struct http_answer *r)
{
	buf_free(&r->line);
	buf_free(&r->body);
}

/* "HTTP/1.1 200 OK" */
static enum http_got
status_line(struct http_answer *r, struct slice line)
{
	uint64_t n;

	if (line.len < 12 || !slice_starts(line, SLICE("HTTP/1.")) ||
	    (line.ptr[7] != '0' && line.ptr[7] != '1') ||
	    line.ptr[8] != ' ' ||
	    !slice_number(slice_sub(line, 9, 3), 599, &n) || n < 100 ||
	    (line.len > 12 && line.ptr[12] != ' '))
		return HTTP_BROKEN;
	r->status = (int)n;
	r->minor0 = line.ptr[7] == '0';
	r->keep = !r->minor0;
	r->at = HTTP_FIELDS;
	return HTTP_MORE;
}

static bool
has_token(struct slice list, struct slice token)
{
	while (list.ptr != NULL)
		if (slice_eq_nocase(slice_trim(slice_cut(list, ',', &list)),
		    token))
			return true;
	return false;
}

static enum http_got
field(struct http_answer *r, struct slice line)
{
	struct slice value, name = slice_cut(line, ':', &value);
	uint64_t n;

	/* Folds, blanks before the colon, no colon: RFC 9112, 5. */
	if (value.ptr == NULL || name.len == 0 || ascii_blank(line.ptr[0]) ||
	    ascii_blank(name.ptr[name.len - 1]))
		return HTTP_BROKEN;
	value = slice_trim(value);
	if (slice_eq_nocase(name, SLICE("content-length"))) {
		if (!slice_number(value, r->most, &n) ||
		    (r->length_said && n != r->left))
			return HTTP_BROKEN;
		r->length_said = true;
		r->left = n;
	} else if (slice_eq_nocase(name, SLICE("transfer-encoding"))) {
		if (!slice_eq_nocase(value, SLICE("chunked")) || r->minor0)
			return HTTP_BROKEN;
		r->chunked = true;
	} else if (slice_eq_nocase(name, SLICE("connection"))) {
		if (has_token(value, SLICE("close")))
			r->keep = false;
		else if (has_token(value, SLICE("keep-alive")))
			r->keep = true;
	} else if (slice_eq_nocase(name, SLICE("retry-after")) &&
	    slice_number(value, 86400, &n)) {
		r->retry_after = (int64_t)n;
	}
	return HTTP_MORE;
}

/* The empty line behind the fields: what comes now? */
static enum http_got
fields_end(struct http_answer *r)
{
	if (r->status < 200) {
		if (r->status == 101)
			return HTTP_BROKEN;
		r->at = HTTP_STATUS;
		r->length_said = r->chunked = false;
		return HTTP_MORE;
	}
	if (r->status == 204 || r->status == 304)
		return HTTP_WHOLE;
	if (r->chunked) {
		/* Both: somebody on the way may have read it otherwise. */
		if (r->length_said)
			return HTTP_BROKEN;
		r->at = HTTP_CHUNK_SIZE;
		return HTTP_MORE;
	}
	if (!r->length_said) {
		r->keep = false;
		r->at = HTTP_TO_END;
		return HTTP_MORE;
	}
	r->at = HTTP_LENGTH;
	return r->left == 0 ? HTTP_WHOLE : HTTP_MORE;
}

static enum http_got
chunk_size(struct http_answer *r, struct slice line)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < line.len && ascii_hex(line.ptr[i]) >= 0; i++) {
		n = n * 16 + (uint64_t)ascii_hex(line.ptr[i]);
		if (n > r->most)
			return HTTP_BROKEN;
	}
	if (i == 0 || (i < line.len && line.ptr[i] != ';' &&
	    !ascii_blank(line.ptr[i])))
		return HTTP_BROKEN;
	r->left = n;
	r->at = n == 0 ? HTTP_TRAILER : HTTP_CHUNK;
	return HTTP_MORE;
}

static enum http_got
one_line(struct http_answer *r, struct slice line)
{
	switch (r->at) {
	case HTTP_STATUS:
		return status_line(r, line);
	case HTTP_FIELDS:
		return line.len == 0 ? fields_end(r) : field(r, line);
	case HTTP_CHUNK_SIZE:
		return chunk_size(r, line);
	case HTTP_CHUNK_END:
		r->at = HTTP_CHUNK_SIZE;
		return line.len == 0 ? HTTP_MORE : HTTP_BROKEN;
	default:
		return line.len == 0 ? HTTP_WHOLE : HTTP_MORE;
	}
}

/* Takes bytes up to the end of a line, and reads it when it is whole. */
static enum http_got
take_line(struct http_answer *r, struct slice *rest)
{
	size_t end = slice_find(*rest, '\n');
	struct slice line;
	enum http_got got;

	r->head += end + 1;
	if (r->head > HTTP_HEAD)
		return HTTP_BROKEN;
	buf_add(&r->line, slice_sub(*rest, 0, end));
	if (end == rest->len) {
		*rest = SLICE("");
		return HTTP_MORE;
	}
	*rest = slice_after(*rest, end + 1);
	line = buf_slice(&r->line);
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	got = slice_has(line, '\r') || slice_has(line, '\0') ? HTTP_BROKEN :
	    one_line(r, line);
	buf_clear(&r->line);
	return got;
}

static enum http_got
take_body(struct http_answer *r, struct slice *rest)
{
	size_t n = rest->len;

	if (r->at != HTTP_TO_END && n > r->left)
		n = (size_t)r->left;
	r->got += n;
	if (r->got > r->most)
		return HTTP_BROKEN;
	if (r->body.len < r->kept)
		buf_add(&r->body, slice_sub(*rest, 0, n < r->kept -
		    r->body.len ? n : r->kept - r->body.len));
	*rest = slice_after(*rest, n);
	if (r->at == HTTP_TO_END)
		return HTTP_MORE;
	r->left -= n;
	if (r->left > 0)
		return HTTP_MORE;
	if (r->at == HTTP_LENGTH)
		return HTTP_WHOLE;
	r->at = HTTP_CHUNK_END;
	return HTTP_MORE;
}

enum http_got
http_answer_feed(struct http_answer *r, struct slice bytes, size_t *used_r)
{
	struct slice rest = bytes;
	enum http_got got = HTTP_MORE;

	while (rest.len > 0 && got == HTTP_MORE) {
		bool body = r->at == HTTP_LENGTH || r->at == HTTP_CHUNK ||
		    r->at == HTTP_TO_END;

		got = body ? take_body(r, &rest) : take_line(r, &rest);
	}
	*used_r = bytes.len - rest.len;
	return got;
}

bool
http_answer_end(const struct http_answer *r)
{
	return r->at == HTTP_TO_END;
}
