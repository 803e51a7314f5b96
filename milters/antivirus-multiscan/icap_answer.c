#include "icap_answer.h"

#include "clamd_answer.h"

enum { CHUNK_LINE = 100 };		/* that says how long a chunk is */

/* ---- the head ---- */

/* "ICAP/1.0 204 No modifications needed" */
static bool
status_line(struct slice line, struct slice protocol, unsigned *status_r)
{
	uint64_t n;

	if (!slice_starts(line, protocol) || !slice_number(slice_sub(line,
	    protocol.len, 3), 999, &n) || n < 100 || (line.len >
	    protocol.len + 3 && line.ptr[protocol.len + 3] != ' '))
		return false;
	*status_r = (unsigned)n;
	return true;
}

/* "Type=0; Resolution=2; Threat=Eicar;" Type 2 is a container that could not
 * be looked through. */
static void
infection(struct icap_answer *r, struct slice value)
{
	while (value.ptr != NULL) {
		struct slice text, key = slice_cut(slice_trim(slice_cut(value,
		    ';', &value)), '=', &text);

		if (text.ptr == NULL)
			continue;
		if (slice_eq_nocase(key, SLICE("Threat")))
			r->threat = slice_trim(text);
		if (slice_eq_nocase(key, SLICE("Type")))
			r->limit = slice_eq(slice_trim(text), SLICE("2"));
	}
	if (r->threat.ptr == NULL)
		r->threat = SLICE("unnamed");
}

/* "2" and for each four lines: file, threat, number, resolution. */
static void
violations(struct icap_answer *r, struct slice value)
{
	struct slice line, file;
	uint64_t n;

	if (!slice_line(&value, &line) ||
	    !slice_number(slice_trim(line), 1000, &n) || n == 0)
		return;
	if (r->threat.ptr != NULL)
		return;
	r->threat = SLICE("unnamed");
	if (slice_line(&value, &file) && slice_line(&value, &line) &&
	    slice_trim(line).len > 0)
		r->threat = slice_trim(line);
}

static void
field(struct icap_answer *r, struct slice name, struct slice value)
{
	struct slice text = slice_trim(value);

	if (slice_eq_nocase(name, SLICE("ISTag")))
		r->istag = text;
	else if (slice_eq_nocase(name, SLICE("Service")))
		r->service = text;
	else if (slice_eq_nocase(name, SLICE("Methods")))
		r->methods = text;
	else if (slice_eq_nocase(name, SLICE("Encapsulated")))
		r->encapsulated = text;
	else if (slice_eq_nocase(name, SLICE("X-Infection-Found")))
		infection(r, text);
	else if (slice_eq_nocase(name, SLICE("X-Violations-Found")))
		violations(r, text);
	else if ((slice_eq_nocase(name, SLICE("X-Virus-ID")) ||
	    slice_eq_nocase(name, SLICE("X-Virus-Name"))) &&
	    r->threat.ptr == NULL)
		r->threat = text.len > 0 ? text : SLICE("unnamed");
}

/* A field with its folded lines. */
static bool
next_field(struct slice *rest, struct slice *name_r, struct slice *value_r)
{
	struct slice line, all;
	size_t end;

	if (!slice_line(rest, &line) || line.len == 0)
		return false;
	all = line;
	while (rest->len > 0 && ascii_blank(rest->ptr[0]) &&
	    slice_line(rest, &line))
		all.len = (size_t)(line.ptr + line.len - all.ptr);
	end = slice_find(all, ':');
	*name_r = slice_sub(all, 0, end);
	*value_r = slice_after(all, end + 1);
	return true;
}

/* ---- what is inside ---- */

/* Where in "res-hdr=0, res-body=120" the part begins whose name ends so. */
static bool
offset_of(struct slice list, struct slice ending, size_t *at_r)
{
	uint64_t n;

	while (list.ptr != NULL) {
		struct slice text, key = slice_cut(slice_trim(slice_cut(list,
		    ',', &list)), '=', &text);

		if (text.ptr != NULL && slice_ends_nocase(key, ending) &&
		    slice_number(slice_trim(text), ICAP_HEAD, &n)) {
			*at_r = (size_t)n;
			return true;
		}
	}
	return false;
}

static bool
chunk_size(struct slice line, size_t *size_r)
{
	size_t i, n = 0;

	for (i = 0; i < line.len && ascii_hex(line.ptr[i]) >= 0; i++) {
		if (n > SIZE_MAX >> 8)
			return false;
		n = n * 16 + (size_t)ascii_hex(line.ptr[i]);
	}
	*size_r = n;
	return i > 0 && (i == line.len || line.ptr[i] == ';' ||
	    ascii_space(line.ptr[i]));
}

/* The chunks, beside what was sent. */
static enum icap_got
compare(struct slice rest, struct slice sent, bool *same_r)
{
	struct slice line;
	size_t size;

	*same_r = true;
	for (;;) {
		if (!slice_has(slice_sub(rest, 0, CHUNK_LINE), '\n'))
			return rest.len >= CHUNK_LINE ? ICAP_BROKEN :
			    ICAP_MORE;
		slice_line(&rest, &line);
		if (!chunk_size(line, &size))
			return ICAP_BROKEN;
		if (size == 0)
			break;
		if (size > sent.len || (rest.len >= size &&
		    !slice_eq(slice_sub(rest, 0, size),
		    slice_sub(sent, 0, size)))) {
			*same_r = false;
			return ICAP_WHOLE;
		}
		if (rest.len < size + 2)
			return ICAP_MORE;
		sent = slice_after(sent, size);
		rest = slice_after(rest, size);
		if (!slice_line(&rest, &line) || line.len > 0)
			return ICAP_BROKEN;
	}
	*same_r = sent.len == 0;
	return ICAP_WHOLE;
}

static enum icap_got
ends(struct icap_answer *r, enum scan_end end, struct slice text)
{
	r->scan = (struct scan){ .end = end, .text = text };
	return ICAP_WHOLE;
}

/* 200 without a name: what did it make of the item? */
static enum icap_got
inside(struct icap_answer *r, struct slice bytes, struct slice sent)
{
	struct slice line, head;
	unsigned status = 200;
	size_t hdr, body;
	enum icap_got got;
	bool same;

	if (!offset_of(r->encapsulated, SLICE("-hdr"), &hdr))
		return ends(r, SCAN_DOWN, SLICE("it encapsulates nothing"));
	head = slice_after(bytes, hdr);
	if (!slice_has(head, '\n'))
		return ICAP_MORE;
	slice_line(&head, &line);
	if ((status_line(line, SLICE("HTTP/1.1 "), &status) ||
	    status_line(line, SLICE("HTTP/1.0 "), &status)) && status >= 400)
		return ends(r, SCAN_INFECTED, SLICE("unnamed, refused"));
	if (offset_of(r->encapsulated, SLICE("null-body"), &body))
		return ends(r, SCAN_INFECTED, SLICE("unnamed, removed"));
	if (!offset_of(r->encapsulated, SLICE("-body"), &body))
		return ends(r, SCAN_DOWN, SLICE("it encapsulates no body"));
	if (bytes.len < body)
		return ICAP_MORE;
	got = compare(slice_after(bytes, body), sent, &same);
	if (got != ICAP_WHOLE)
		return got;
	return same ? ends(r, SCAN_CLEAN, SLICE("")) :
	    ends(r, SCAN_INFECTED, SLICE("unnamed, changed"));
}

static enum icap_got
judge(struct icap_answer *r, struct slice bytes, struct slice sent)
{
	if (r->threat.ptr != NULL)
		return ends(r, r->limit ? SCAN_CUT :
		    clamd_name_end(r->threat), r->threat);
	if (r->status == 204)
		return ends(r, SCAN_CLEAN, SLICE(""));
	if (r->status == 200 && r->methods.ptr == NULL)
		return inside(r, bytes, sent);
	return ends(r, SCAN_DOWN, r->status == 404 ?
	    SLICE("it has no such service") : r->status == 503 ?
	    SLICE("it is overloaded") : SLICE("it cannot scan that"));
}

enum icap_got
icap_answer_read(struct slice bytes, struct slice sent,
    struct icap_answer *r)
{
	struct slice rest = bytes, line, name, value;
	size_t end = slice_search(bytes, SLICE("\r\n\r\n"));

	*r = (struct icap_answer){ .threat = SLICE_NONE };
	ends(r, SCAN_DOWN, SLICE("its answer is none"));
	if (end == bytes.len)
		return bytes.len >= ICAP_HEAD + 4 || (bytes.len >= 5 &&
		    !slice_starts(bytes, SLICE("ICAP/"))) ? ICAP_BROKEN :
		    ICAP_MORE;
	if (end > ICAP_HEAD)
		return ICAP_BROKEN;
	rest = slice_sub(bytes, 0, end + 2);
	if (!slice_line(&rest, &line) ||
	    !status_line(line, SLICE("ICAP/1.0 "), &r->status))
		return ICAP_BROKEN;
	while (next_field(&rest, &name, &value))
		field(r, name, value);
	/* 100 and its like are asked for by a preview, and there is none. */
	if (r->status < 200)
		return ICAP_BROKEN;
	return judge(r, slice_after(bytes, end + 4), sent);
}
