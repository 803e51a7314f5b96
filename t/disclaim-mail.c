/*
 * disclaim-mail FOLDER FILE...: the disclaimer "test" of FOLDER into each
 * mail. For t/disclaim-mail.t, which finds and unpacks the mail.
 * Prints a line for each that does not hold, how many had which end, and a last
 * line with the counts. Each HTML text that was edited goes to a file of $HTML,
 * a folder, for another parser.
 */
#include <stdio.h>
#include <stdlib.h>

#include "html/text.h"
#include "milters/predelivery/disclaimer_load.h"
#include "milters/predelivery/disclaimer_parts.h"
#include "t/edit.h"
#include "t/tap.h"
#include "text/charset.h"

static size_t counts[DISCLAIMER_EMPTY + 1];
static struct slice needle;

static struct slice
nothing(const void *who, const char *name)
{
	(void)who;
	(void)name;
	return SLICE_NONE;
}

static bool
seen(struct arena *a, const struct part *p)
{
	struct slice text = part_decoded(p, a, DISCLAIMER_PART, NULL);
	struct slice charset = p->charset.ptr != NULL ? p->charset : SLICE("");
	struct buf out = buf_in(a), print = buf_in(a);
	struct html_texts t;

	if (part_is(p, "text", "html")) {
		html_text_read(a, charset, text, DISCLAIMER_PART, &t);
		disclaimer_print(t.visible.text, &print);
	} else {
		charset_utf8(charset, text, DISCLAIMER_PART, &out);
		disclaimer_print(buf_slice(&out), &print);
	}
	return slice_search(buf_slice(&print), needle) < print.len;
}

static const struct part *
next(const struct part *root, const struct part *p)
{
	do
		p = part_next(root, p);
	while (p != NULL && p->lax);
	return p;
}

/* For another parser. */
static void
hand_out(struct arena *a, const struct part *p)
{
	static unsigned number;
	const char *folder = getenv("HTML");
	struct slice text;
	FILE *f;

	if (folder == NULL || !part_is(p, "text", "html"))
		return;
	text = part_decoded(p, a, DISCLAIMER_PART, NULL);
	f = fopen(arena_printf(a, "%s/%u.html", folder, number++).ptr, "w");
	if (f == NULL || fwrite(text.ptr, 1, text.len, f) != text.len ||
	    fclose(f) != 0)
		abort();
}

/* The same tree, and all parts but those that were edited as they were. */
static const char *
compare(struct arena *a, struct message *before, struct message *after)
{
	struct disclaimer_parts texts, edited;
	const struct part *p = message_parts(before);
	const struct part *q = message_parts(after), *r1 = p, *r2 = q;

	disclaimer_parts(before, &texts);
	disclaimer_parts(after, &edited);
	if (texts.n != edited.n)
		return "other texts";
	/* What only a lax reader sees overlaps with what others see. */
	for (; p != NULL && q != NULL;
	    p = next(r1, p), q = next(r2, q)) {
		bool text = part_multipart(p) || p->child != NULL;

		for (size_t i = 0; i < texts.n; i++) {
			text = text || texts.list[i] == p;
			if (texts.list[i] == p && edited.list[i] != q)
				return "another part";
			if (texts.list[i] == p && !seen(a, q))
				return "it is not seen";
			if (texts.list[i] == p)
				hand_out(a, q);
		}
		if (!slice_eq(p->type, q->type) || !slice_eq(p->head, q->head))
			return "another tree";
		if (!text && !slice_eq(p->body, q->body))
			return "another part was changed";
	}
	return p != NULL || q != NULL ? "parts came or went" : NULL;
}

static const char *
disclaim(struct arena *a, struct slice file, const struct disclaimer *d,
    enum disclaimer_place place)
{
	static const struct disclaimer_values values = { nothing, NULL };
	struct slice head, body, new_head, new_body;
	struct message msg, edited;
	struct patches edits;
	enum disclaimer_done done;

	message_split(a, file, &head, &body);
	message_read(&msg, a, head, body, NULL);
	patches_init(&edits, a, &msg);
	done = disclaimer_add(&edits, &msg, d, place, false, &values);
	counts[done]++;
	if (!edit_undone(&edits))
		return "it is not undone";
	patches_apply(&edits, a, &new_head, &new_body);
	if (done != DISCLAIMER_ADDED)
		return edits.count > 0 ? "edited all the same" : NULL;
	if (!slice_eq(head, new_head))
		return "the header changed";
	message_read(&edited, a, new_head, new_body, NULL);
	return compare(a, &msg, &edited);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new(), *b = arena_new();
	struct disclaimers *list;
	struct slice why;
	const struct disclaimer *d;
	size_t bad = 0;

	if (argc < 2 || disclaimers_load(a, argv[1], false, &list,
	    &why) != RC_OK)
		return 2;
	d = disclaimers_find(list, SLICE("test"));
	if (d == NULL)
		return 2;
	needle = d->prints[0];
	for (int i = 2; i < argc; i++) {
		struct slice file = tap_file(argv[i]);
		const char *wrong = disclaim(b, file, d,
		    (enum disclaimer_place)(i % 3));

		if (wrong != NULL)
			printf("%s: %s\n", argv[i], wrong);
		bad += wrong != NULL;
		free((void *)(uintptr_t)file.ptr);
		arena_reset(b);
	}
	for (int i = 0; i <= DISCLAIMER_EMPTY; i++)
		printf("%s: %zu\n", disclaimer_done_name(
		    (enum disclaimer_done)i), counts[i]);
	printf("%d mails, %zu bad\n", argc - 2, bad);
	arena_free(b);
	arena_free(a);
	return bad > 0;
}
