#include "feature.h"

#include "gather.h"

/* Of one text: so many bytes and words at its beginning, and at its end. */
enum { HEAD = 40000, TAIL = 4000, WORDS = 1500, TAIL_WORDS = 150, TEXTS = 20 };

/* What kind of writing it is, beside its words. */
static void
add_form(struct gather *g, struct slice text)
{
	size_t letters = 0, capitals = 0, high = 0, quoted = 0;

	text = slice_sub(text, 0, HEAD);
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		letters += ascii_alpha(c);
		capitals += c >= 'A' && c <= 'Z';
		high += (unsigned char)c >= 0x80;
		quoted += c == '>' && i > 0 && text.ptr[i - 1] == '\n';
	}
	g->family = FAMILY_HEADER;
	if (letters > 0)
		gather_number(g, "capitals in tenths",
		    capitals * 10 / letters);
	if (text.len > 0)
		gather_number(g, "beyond ASCII in eighths",
		    high * 8 / text.len);
	gather_count(g, "bytes of text", text.len);
	gather_count(g, "lines quoted", quoted);
}

enum { OF_WORDS = 1 << FAMILY_WORDS | 1 << FAMILY_PAIRS,
    OF_MARKUP = 1 << FAMILY_MARKUP | 1 << FAMILY_LINKS };

static void
add_words(struct gather *g, struct slice text)
{
	g->family = FAMILY_WORDS;
	if (!gather_wants(g, OF_WORDS))
		return;
	gather_words(g, "", slice_sub(text, 0, HEAD), WORDS);
	if (text.len > HEAD + TAIL)
		gather_words(g, "", slice_after(text, text.len - TAIL),
		    TAIL_WORDS);
}

static void
add_text(struct gather *g, const struct content_text *t)
{
	struct slice text = t->text;

	switch (t->kind) {
	case CONTENT_SUBJECT:
		g->family = FAMILY_WORDS;
		if (gather_wants(g, OF_WORDS))
			gather_words(g, "", text, WORDS);
		return;
	case CONTENT_NAME:
		g->family = FAMILY_HEADER;
		gather_add(g, "file", slice_after(text,
		    slice_find_last(text, '.')));
		return;
	case CONTENT_HIDDEN:
		g->family = FAMILY_MARKUP;
		gather_count(g, "hidden text", text.len);
		return;
	case CONTENT_PLAIN:
		g->family = FAMILY_LINKS;
		if (gather_wants(g, 1 << FAMILY_LINKS))
			gather_links(g, slice_sub(text, 0, HEAD));
		break;
	case CONTENT_HTML:
		if (gather_wants(g, OF_MARKUP))
			gather_markup(g, t);
		break;
	}
	add_words(g, text);
	if (gather_wants(g, 1 << FAMILY_HEADER))
		add_form(g, text);
}

static void
add_parts(struct gather *g, struct message *msg)
{
	const struct part *root = message_parts(msg);
	size_t parts = 0;

	g->family = FAMILY_HEADER;
	for (const struct part *p = root; p != NULL; p = part_next(root, p)) {
		struct slice type = arena_printf(g->a, "%.*s/%.*s",
		    SLICE_ARG(p->type), SLICE_ARG(p->subtype));

		parts++;
		gather_add(g, "part", type);
		if (p->depth < 3)
			gather_add(g, "part in depth", arena_printf(g->a,
			    "%u, %.*s", p->depth, SLICE_ARG(type)));
		gather_add(g, "charset", p->charset.ptr != NULL ? p->charset :
		    SLICE("missing"));
		gather_number(g, "transfer encoding", p->transfer);
	}
	gather_count(g, "parts", parts);
	if (message_field(msg, SLICE("In-Reply-To"), 0) != NULL ||
	    message_field(msg, SLICE("References"), 0) != NULL)
		gather_add(g, "is an", SLICE("answer"));
}

static void
read_all(struct gather *g, struct message *msg, const struct content *content)
{
	unsigned n = 0;

	if (gather_wants(g, 1 << FAMILY_HEADER | 1 << FAMILY_SENDER))
		gather_header(g, msg);
	if (gather_wants(g, 1 << FAMILY_HEADER))
		add_parts(g, msg);
	if (gather_wants(g, 1 << FAMILY_FACTS | 1 << FAMILY_LETTERS))
		gather_facts(g, msg, content);
	for (const struct content_text *t = content->first; t != NULL && n <
	    TEXTS; t = t->next, n++)
		add_text(g, t);
	g->family = FAMILY_HEADER;
	gather_count(g, "bytes of all texts", content->bytes);
}

void
features_read(struct message *msg, const struct content *content, bool named,
    struct features *f_r)
{
	struct gather g = { .a = msg->arena, .f = f_r, .named = named };

	*f_r = (struct features){
		.hash = arena_array(g.a, FEATURES_MAX, sizeof *f_r->hash),
		.family = arena_array(g.a, FEATURES_MAX, 1),
	};
	if (named)
		f_r->name = arena_array(g.a, FEATURES_MAX,
		    sizeof *f_r->name);
	g.slots = arena_array(g.a, GATHER_SLOTS, sizeof *g.slots);
	read_all(&g, msg, content);
}

/* Only what families of theirs are made of is read again. */
void
features_name(struct message *msg, const struct content *content,
    const struct features *f, const size_t *wanted, size_t n,
    struct slice *names_r)
{
	struct gather g = { .a = msg->arena, .from = f, .wanted = wanted,
	    .nwanted = n, .nameless = n, .names = names_r };

	for (size_t i = 0; i < n; i++) {
		names_r[i] = SLICE_NONE;
		g.families |= 1U << f->family[wanted[i]];
	}
	read_all(&g, msg, content);
}

uint32_t
features_hash_of(const char *name)
{
	return gather_hash("rule", slice_of(name));
}

void
features_add(struct features *f, struct arena *a, enum family family,
    const char *name, struct slice words)
{
	if (f->n == FEATURES_MAX) {
		f->full = true;
		return;
	}
	f->hash[f->n] = features_hash_of(name);
	f->family[f->n] = (unsigned char)family;
	if (f->name != NULL)
		f->name[f->n] = arena_printf(a, "%.*s", SLICE_ARG(words));
	f->n++;
	f->count[family]++;
}

const char *
features_family(enum family family)
{
	static const char *const names[] = { "header", "sender", "markup",
	    "words", "pairs", "links", "facts", "letters", "rules" };

	return family < FAMILIES ? names[family] : "";
}
