#include "content/content.h"

#include "detect/plain.h"
#include "html/text.h"
#include "text/charset.h"
#include "text/encoded.h"

const struct content_limits content_limits_default = {
	.part_bytes = 8 << 20,
	.bytes = 32 << 20,
	.texts = 2000,
};

struct content_found {
	struct html_link *hrefs;	/* NULL: not read yet */
	unsigned n;
};

struct reading {
	struct message *msg;
	const struct content_limits *limits;
	struct content *content;
	struct content_text **last;
};

/* One more text; an empty one is none. NULL: a limit is met, or empty. */
static struct content_text *
add(struct reading *r, enum content_kind kind, const struct part *part,
    struct slice utf8)
{
	struct content *content = r->content;
	size_t room = r->limits->bytes - content->bytes;
	struct content_text *text;

	if (utf8.len == 0)
		return NULL;
	if (content->count == r->limits->texts || room == 0) {
		content->cut = true;
		return NULL;
	}
	if (utf8.len > room) {
		utf8.len = room;
		content->cut = true;
	}
	text = arena_alloc(r->msg->arena, sizeof *text);
	text->kind = kind;
	text->part = part;
	text->text = plain_text(r->msg->arena, utf8);
	content->count++;
	content->bytes += text->text.len;
	*r->last = text;
	r->last = &text->next;
	return text;
}

static void
add_html(struct reading *r, const struct part *part, struct slice decoded)
{
	struct slice charset = part->charset.ptr != NULL ? part->charset :
	    SLICE("utf-8");
	struct content_text *seen;
	struct html_texts texts;

	html_text_read(r->msg->arena, charset, decoded, r->limits->part_bytes,
	    &texts);
	seen = add(r, CONTENT_HTML, part, texts.visible.text.len > 0 ?
	    texts.visible.text : SLICE(" "));
	if (seen != NULL) {
		seen->markup = texts.source;
		seen->charset = texts.copied ? SLICE("utf-8") : charset;
		seen->hides = texts.hides;
		seen->found = arena_alloc(r->msg->arena, sizeof *seen->found);
	}
	add(r, CONTENT_HIDDEN, part, texts.hidden.text);
	r->content->cut |= texts.visible.cut || texts.hidden.cut;
}

static void
add_plain(struct reading *r, const struct part *part, struct slice decoded)
{
	struct buf utf8 = buf_in(r->msg->arena);
	unsigned odd;

	odd = charset_utf8(part->charset.ptr != NULL ? part->charset :
	    SLICE("utf-8"), decoded, r->limits->part_bytes, &utf8);
	r->content->cut |= (odd & CHARSET_CUT) != 0;
	add(r, CONTENT_PLAIN, part, buf_slice(&utf8));
}

static void
add_part(struct reading *r, const struct part *part)
{
	unsigned flags;

	if (part->filename.ptr != NULL)
		add(r, CONTENT_NAME, part, part->filename);
	if (part_multipart(part) || !slice_eq(part->type, SLICE("text")) ||
	    r->content->count == r->limits->texts)
		return;
	for (unsigned n = 0;; n++) {
		struct slice decoded;

		if (!part_reading(part, n, r->msg->arena,
		    r->limits->part_bytes, &decoded, &flags))
			break;
		r->content->cut |= (flags & TRANSFER_CUT) != 0;
		if (part_is(part, "text", "html"))
			add_html(r, part, decoded);
		else
			add_plain(r, part, decoded);
	}
}

void
content_read(struct message *msg, const struct content_limits *limits,
    struct content *content_r)
{
	struct reading r = { .msg = msg, .limits = limits,
	    .content = content_r, .last = &content_r->first };
	const struct field *subject = message_field(msg, SLICE("Subject"), 0);
	const struct part *root = message_parts(msg);
	unsigned flags;

	*content_r = (struct content){ .first = NULL };
	if (subject != NULL)
		add(&r, CONTENT_SUBJECT, NULL, encoded_decode(msg->arena,
		    field_value(msg->arena, subject), &flags));
	for (const struct part *p = root; p != NULL; p = part_next(root, p))
		add_part(&r, p);
}

const struct html_link *
content_hrefs(struct arena *a, const struct content_text *html, unsigned *n_r)
{
	struct content_found *found = html->found;
	struct html_links links;

	if (found->hrefs == NULL) {
		found->hrefs = arena_array(a, CONTENT_HREFS,
		    sizeof *found->hrefs);
		html_links_open(&links, html->markup);
		while (found->n < CONTENT_HREFS && html_link_next(&links,
		    &found->hrefs[found->n]))
			found->n++;
	}
	*n_r = found->n;
	return found->hrefs;
}
