/*
 * html-tokens: for t/html-tokens.t, what our tokenizer makes of a text.
 *
 *	html-tokens cases < CASES
 *		a line a case, "STATE TAG HEX": the state that it begins in
 *		(data, rcdata, rawtext, script, plaintext, cdata), the tag
 *		that was open or -, the text; a line of tokens comes back
 *	html-tokens mail FOLDER FILE...
 *		the HTML parts of mails, each written to FOLDER/N.html with
 *		all bytes over 0x7f as 'x' and LF only, its tags to
 *		FOLDER/N.tokens, and to FOLDER/N.letters how often each ASCII
 *		letter and digit stands in its text, seen or not, without
 *		comments, titles and their like
 *
 * Tokens are separated by blanks, and all text is in hex with references
 * decoded: T:text, C:comment, D:name, E:name, S:name[/][,name=value ...].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "html/chars.h"
#include "html/text.h"
#include "mime/message.h"
#include "t/tap.h"

static void
put_hex(FILE *f, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		fprintf(f, "%02x", (unsigned char)s.ptr[i]);
}

static void
put_value(FILE *f, struct slice raw, bool attribute)
{
	struct buf out = { 0 };

	html_unref(SLICE("utf-8"), raw, attribute, raw.len * 3 + 8, &out);
	put_hex(f, buf_slice(&out));
	buf_free(&out);
}

static void
put_tag(FILE *f, const struct html_token *t)
{
	struct html_attr attr;

	fprintf(f, "%s:", t->kind == HTML_START ? "S" : "E");
	put_hex(f, t->name);
	if (t->kind == HTML_END)
		return;
	if (t->self_closing)
		fputc('/', f);
	for (size_t at = 0; html_attr(t, &at, &attr);) {
		fputc(',', f);
		put_hex(f, attr.name);
		fputc('=', f);
		put_value(f, attr.value, true);
	}
}

static void
put_token(FILE *f, const struct html_token *t)
{
	switch (t->kind) {
	case HTML_TEXT:
		fputs("T:", f);
		if (t->refs)
			put_value(f, t->text, false);
		else
			put_hex(f, t->text);
		break;
	case HTML_COMMENT:
		fputs("C:", f);
		put_hex(f, t->text);
		break;
	case HTML_DOCTYPE:
		fputs("D:", f);
		put_hex(f, t->name);
		break;
	case HTML_START:
	case HTML_END:
		put_tag(f, t);
		break;
	case HTML_JUNK:
		return;
	}
	fputc(' ', f);
}

static void
put_tokens(FILE *f, struct html *h, bool tags)
{
	struct html_token t;

	while (html_next(h, &t))
		if (!tags || t.kind == HTML_START || t.kind == HTML_END)
			put_token(f, &t);
	fputc('\n', f);
}

static void
begin(struct html *h, struct slice state, struct slice tag, struct slice text)
{
	static const struct {
		const char *state;
		enum html_tag raw;
	} states[] = { { "rcdata", HTML_TITLE }, { "rawtext", HTML_STYLE },
	    { "script", HTML_SCRIPT }, { "plaintext", HTML_PLAINTEXT } };

	html_open(h, text);
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (slice_eq(state, slice_of(states[i].state)))
			h->raw = states[i].raw;
	h->raw_name = tag;
	h->foreign = slice_eq(state, SLICE("cdata"));
}

static void
cases(void)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	while ((n = getline(&line, &cap, stdin)) > 0) {
		struct slice rest = slice_trim(slice_make(line, (size_t)n));
		struct slice state = slice_cut(rest, ' ', &rest);
		struct slice tag = slice_cut(rest, ' ', &rest);
		char *bytes = mem_alloc(rest.len / 2 + 1);
		struct html h;

		for (size_t i = 0; i + 1 < rest.len; i += 2)
			bytes[i / 2] = (char)(ascii_hex(rest.ptr[i]) << 4 |
			    ascii_hex(rest.ptr[i + 1]));
		begin(&h, state, tag, slice_make(bytes, rest.len / 2));
		put_tokens(stdout, &h, false);
		free(bytes);
	}
	free(line);
}

static FILE *
out(const char *folder, size_t number, const char *what)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof path, "%s/%zu.%s", folder, number, what);
	f = fopen(path, "w");
	if (f == NULL) {
		perror(path);
		exit(1);
	}
	return f;
}

static void
put_letters(FILE *f, struct slice text)
{
	struct html_reader *r = mem_alloc(sizeof *r);
	struct html_piece p;
	unsigned counts[128] = { 0 };

	html_reader_open(r, text);
	while (html_piece_next(r, &p)) {
		struct html_chars c;
		struct html_char ch;

		if (p.kind != HTML_PIECE_TEXT || (p.hidden &
		    (HTML_HIDDEN_COMMENT | HTML_HIDDEN_ELEMENT)) != 0)
			continue;
		html_chars_open(&c, p.raw, false);
		c.refs = p.refs;
		while (html_char(&c, &ch))
			if (ch.c < 128 && ascii_alnum((char)ch.c))
				counts[ch.c]++;
	}
	for (unsigned i = 0; i < 128; i++)
		if (counts[i] > 0)
			fprintf(f, "%c%u ", (char)i, counts[i]);
	fputc('\n', f);
	free(r);
}

static void
part(struct arena *a, const struct part *p, const char *folder, size_t number)
{
	struct slice text = arena_copy(a, part_decoded(p, a, 1 << 20, NULL));
	char *bytes = (char *)(uintptr_t)text.ptr;
	FILE *f = out(folder, number, "html");
	struct html h;
	size_t n = 0;

	/* Line ends as WHATWG has them before the tokenizer. */
	for (size_t i = 0; i < text.len; i++) {
		char c = bytes[i];

		if (c == '\r' && i + 1 < text.len && bytes[i + 1] == '\n')
			continue;
		bytes[n++] = (unsigned char)c >= 0x80 ? 'x' :
		    c == '\r' ? '\n' : c;
	}
	text.len = n;
	fwrite(bytes, 1, text.len, f);
	fclose(f);
	f = out(folder, number, "tokens");
	html_open(&h, text);
	put_tokens(f, &h, true);
	fclose(f);
	f = out(folder, number, "letters");
	put_letters(f, text);
	fclose(f);
}

static void
mail(const char *folder, const char *path, size_t *number)
{
	struct arena *a = arena_new();
	struct slice file = tap_file(path), head, body;
	struct message msg;

	message_split(a, file, &head, &body);
	message_read(&msg, a, head, body, NULL);
	for (const struct part *p = message_parts(&msg), *root = p; p != NULL;
	    p = part_next(root, p))
		if (part_is(p, "text", "html") && html_readable(p->charset))
			part(a, p, folder, (*number)++);
	free((void *)(uintptr_t)file.ptr);
	arena_free(a);
}

int
main(int argc, char **argv)
{
	size_t number = 0;

	if (argc == 2 && strcmp(argv[1], "cases") == 0)
		cases();
	else if (argc > 3 && strcmp(argv[1], "mail") == 0)
		for (int i = 3; i < argc; i++)
			mail(argv[2], argv[i], &number);
	else
		return 2;
	return 0;
}
