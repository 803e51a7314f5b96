#include "disclaimer.h"

#include <string.h>

#include "disclaimer_html.h"
#include "disclaimer_load.h"
#include "disclaimer_parts.h"
#include "disclaimer_text.h"
#include "html/text.h"
#include "text/charset.h"

/* One part, and what goes into it. */
struct target {
	const struct part *part;
	bool html;
	struct slice raw;		/* decoded, in its charset */
	struct slice plain;		/* the same length, ASCII is ASCII */
	size_t at;
	bool lf, signature;		/* text only */
	struct slice utf8;		/* what goes in */
};

/*
 * ISO-2022-JP, with the bytes of its other sets out of ASCII's way: offsets
 * stay. Escapes themselves stay too; they hold no markup.
 */
static struct slice
masked(struct arena *a, struct slice raw)
{
	struct slice copy = arena_copy(a, raw);
	char *bytes = (char *)(uintptr_t)copy.ptr;
	bool wide = false;

	for (size_t i = 0; i < raw.len; i++) {
		if (raw.ptr[i] == '\x1b' && i + 2 < raw.len) {
			wide = raw.ptr[i + 1] != '(' ||
			    (raw.ptr[i + 2] != 'B' && raw.ptr[i + 2] != 'J');
			i += 2;
		} else if (wide) {
			bytes[i] = (char)((unsigned char)bytes[i] | 0x80);
		}
	}
	return copy;
}

static struct slice
charset_of(const struct part *p)
{
	return p->charset.ptr != NULL ? p->charset : SLICE("");
}

/* --- is it there already? --- */

static struct slice
compared(const struct target *t, struct arena *a)
{
	struct buf utf8 = buf_in(a), out = buf_in(a);
	struct html_texts texts;

	if (t->html) {
		html_text_read(a, charset_of(t->part), t->raw,
		    DISCLAIMER_PART, &texts);
		disclaimer_print(texts.visible.text, &out);
	} else {
		charset_utf8(charset_of(t->part), t->raw, DISCLAIMER_PART * 2,
		    &utf8);
		disclaimer_print(buf_slice(&utf8), &out);
	}
	return buf_slice(&out);
}

static bool
is_there(const struct target *t, const struct disclaimer *d)
{
	struct arena *a = arena_new();
	struct slice text = compared(t, a);
	bool found = false;

	for (unsigned i = 0; i < 2; i++)
		found = found || (d->prints[i].len > 0 &&
		    slice_search(text, d->prints[i]) < text.len);
	arena_free(a);
	return found;
}

/* With these values it is what the text begins with. */
static bool
is_first(const struct target *t, const struct disclaimer *d,
    const struct disclaimer_values *values)
{
	struct arena *a = arena_new();
	struct slice print = disclaimer_printed(a, d, t->html, values);
	bool found = print.len > 0 && slice_starts(compared(t, a), print);

	arena_free(a);
	return found;
}

/* --- what goes in --- */

static void
add_eol(struct buf *out, bool lf)
{
	buf_adds(out, lf ? "\n" : "\r\n");
}

/* A line, broken at blanks where it would be too long for a mail. */
static void
add_line(struct buf *out, struct slice line, bool lf)
{
	while (line.len > DISCLAIMER_LINE) {
		size_t n = slice_find_last(slice_sub(line, 0, DISCLAIMER_LINE),
		    ' ');

		if (n == 0 || n >= DISCLAIMER_LINE)
			break;
		buf_add(out, slice_sub(line, 0, n));
		add_eol(out, lf);
		line = slice_after(line, n + 1);
	}
	buf_add(out, line);
}

static bool
flowed(const struct part *p)
{
	const struct param *format = params_find(&p->params, SLICE("format"));

	return format != NULL && slice_eq_nocase(format->value,
	    SLICE("flowed"));
}

/* RFC 3676, 4.4: a line that begins so would be read as another thing. */
static bool
stuffed(struct slice line)
{
	return line.len > 0 && (line.ptr[0] == ' ' || line.ptr[0] == '>' ||
	    slice_starts(line, SLICE("From ")));
}

static struct slice
text_lines(struct arena *a, const struct target *t, struct slice text)
{
	struct buf out = buf_in(a);
	struct slice line;
	bool flow = flowed(t->part), first = true;
	bool last = t->at == t->plain.len;

	if (t->at > 0 && t->plain.ptr[t->at - 1] != '\n')
		add_eol(&out, t->lf);
	if (t->at > 0)
		add_eol(&out, t->lf);
	while (slice_line(&text, &line)) {
		bool separator = slice_eq(line, SLICE("-- ")) ||
		    slice_eq(line, SLICE("--"));

		/* One signature is enough: ours goes on with his. */
		if (first && separator && t->signature) {
			first = false;
			continue;
		}
		first = false;
		while (!separator && line.len > 0 &&
		    ascii_blank(line.ptr[line.len - 1]))
			line.len--;
		if (flow && stuffed(line))
			buf_addc(&out, ' ');
		add_line(&out, separator ? SLICE("-- ") : line, t->lf);
		if (text.len > 0 || !last || t->at == 0 ||
		    t->plain.ptr[t->at - 1] == '\n')
			add_eol(&out, t->lf);
	}
	/* A blank line between it and what follows. */
	if (!last && !slice_starts(slice_after(t->plain, t->at),
	    t->lf ? SLICE("\n") : SLICE("\r\n")))
		add_eol(&out, t->lf);
	return buf_slice(&out);
}

static struct slice
html_lines(struct arena *a, const struct target *t, struct slice html)
{
	struct buf out = buf_in(a);
	struct slice line;

	add_eol(&out, t->lf);
	while (slice_line(&html, &line)) {
		add_line(&out, line, t->lf);
		add_eol(&out, t->lf);
	}
	return buf_slice(&out);
}

/* --- parts --- */

/* The part is read, and where it goes is found. */
static enum disclaimer_done
aim(struct arena *a, const struct part *p, enum disclaimer_place place,
    struct target *t)
{
	unsigned flags = 0;
	size_t first;

	*t = (struct target){ .part = p, .html = part_is(p, "text", "html") };
	t->raw = part_decoded(p, a, DISCLAIMER_PART, &flags);
	if ((flags & TRANSFER_CUT) != 0)
		return DISCLAIMER_REFUSED;
	t->plain = charset_keeps_state(charset_of(p)) ? masked(a, t->raw) :
	    t->raw;
	if (t->html) {
		first = slice_find(t->plain, '\n');
		t->lf = first < t->plain.len && (first == 0 ||
		    t->plain.ptr[first - 1] != '\r');
		return disclaimer_html_spot(a, t->plain, place, &t->at) ?
		    DISCLAIMER_ADDED : DISCLAIMER_REFUSED;
	}
	if (disclaimer_pgp(t->plain) != DISCLAIMER_ADDED)
		return disclaimer_pgp(t->plain);
	{
		struct text_spot spot = disclaimer_text_spot(t->plain, place);

		t->at = spot.at;
		t->lf = spot.lf;
		t->signature = spot.signature;
	}
	return DISCLAIMER_ADDED;
}

/*
 * A line "--boundary--x" is none of the message's delimiters; a line end before
 * the x would make it one.
 */
static bool
splits_boundary(const struct target *t)
{
	struct slice line = slice_sub(t->plain, 0, t->at);

	line = slice_after(line, slice_has(line, '\n') ?
	    slice_find_last(line, '\n') + 1 : 0);
	if (!slice_starts(line, SLICE("--")))
		return false;
	line = slice_after(line, 2);
	for (const struct part *q = t->part->parent; q != NULL; q = q->parent)
		if (q->boundary.ptr != NULL && slice_starts(line, q->boundary))
			return true;
	return false;
}

/* In the part's charset, or, where its encoding takes no more, in ASCII. */
static bool
insert(struct patches *edits, const struct target *t)
{
	const char *const charsets[] = { NULL, "us-ascii" };

	if (splits_boundary(t))
		return false;
	if (t->at > 0 && t->at == t->plain.len && t->plain.ptr != t->raw.ptr &&
	    (unsigned char)t->plain.ptr[t->at - 1] >= 0x80)
		return false;		/* it ends within another set */
	for (unsigned i = 0; i < 2; i++) {
		struct buf out = buf_in(edits->arena);
		struct slice charset = charsets[i] != NULL ?
		    slice_of(charsets[i]) : charset_of(t->part);

		if (!charset_encode(charset, t->utf8, t->html ?
		    CHARSET_REFERENCE : CHARSET_ASCII, &out))
			return false;
		if (patch_part(edits, t->part, t->at, 0, buf_slice(&out)))
			return true;
	}
	return false;
}

static enum disclaimer_done
read_all(struct arena *a, struct message *msg, enum disclaimer_place place,
    struct target *targets, size_t *n_r)
{
	struct disclaimer_parts parts;
	enum disclaimer_done done = disclaimer_parts(msg, &parts);

	*n_r = parts.n;
	for (size_t i = 0; done == DISCLAIMER_ADDED && i < parts.n; i++)
		done = aim(a, parts.list[i], place, &targets[i]);
	return done;
}

enum disclaimer_done
disclaimer_add(struct patches *edits, struct message *msg,
    const struct disclaimer *d, enum disclaimer_place place, bool once,
    const struct disclaimer_values *values)
{
	struct arena *a = edits->arena;
	struct target targets[DISCLAIMER_PARTS];
	struct patches trial;
	size_t n;
	enum disclaimer_done done = read_all(a, msg, place, targets, &n);

	for (size_t i = 0; once && done == DISCLAIMER_ADDED && i < n; i++)
		if (place == DISCLAIMER_TOP ? is_first(&targets[i], d, values) :
		    is_there(&targets[i], d))
			return DISCLAIMER_THERE;
	if (done != DISCLAIMER_ADDED)
		return done;
	/* All of them or none: of several, first on a list that nobody uses. */
	patches_init(&trial, a, msg);
	for (size_t i = 0; i < n; i++) {
		struct target *t = &targets[i];
		struct slice text = disclaimer_rendered(a, d, t->html, values);

		if (text.len == 0)
			return DISCLAIMER_EMPTY;
		t->utf8 = t->html ? html_lines(a, t, text) :
		    text_lines(a, t, text);
		if (n > 1 && !insert(&trial, t))
			return DISCLAIMER_REFUSED;
	}
	done = DISCLAIMER_REFUSED;
	for (size_t i = 0; i < n; i++)
		if (insert(edits, &targets[i]))
			done = DISCLAIMER_ADDED;
	return done;
}

const char *
disclaimer_done_name(enum disclaimer_done done)
{
	static const char *const names[] = {
		[DISCLAIMER_ADDED] = "added",
		[DISCLAIMER_THERE] = "there",
		[DISCLAIMER_SIGNED] = "signed",
		[DISCLAIMER_ENCRYPTED] = "encrypted",
		[DISCLAIMER_NO_TEXT] = "no-text",
		[DISCLAIMER_REFUSED] = "refused",
		[DISCLAIMER_EMPTY] = "empty",
	};

	return names[done];
}
