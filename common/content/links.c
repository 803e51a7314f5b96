#include "content/links.h"

#include "base/buf.h"
#include "base/sip.h"
#include "detect/plain.h"
#include "html/links.h"
#include "html/text.h"

enum { BARE = 20000, LOOSE = 8 << 20 };

void
linker_open(struct linker *l, struct arena *a, const struct suffixes *suffixes,
    unsigned most, struct content_links *links_r)
{
	*links_r = (struct content_links){ .first = NULL };
	*l = (struct linker){ .arena = a, .suffixes = suffixes, .most = most,
	    .bare = BARE, .links = links_r, .last = &links_r->first };
	l->buckets = arena_array(a, LINKER_BUCKETS, sizeof *l->buckets);
	sip_secret(l->secret);
}

/* ---- one link ---- */

static bool
same(const struct content_link *link, enum content_link_kind kind,
    struct slice raw, struct slice shown)
{
	return link->kind == kind && slice_eq(link->raw, raw) &&
	    slice_eq(link->shown, shown);
}

/* The link that is there already; else *bucket_r is where it belongs. */
static struct content_link *
find(struct linker *l, enum content_link_kind kind, struct slice raw,
    struct slice shown, uint64_t *hash_r)
{
	struct content_link *link;

	*hash_r = sip_hash(l->secret, raw) ^ sip_hash(l->secret, shown) * 3;
	for (link = l->buckets[*hash_r % LINKER_BUCKETS]; link != NULL;
	    link = link->same)
		if (link->hash == *hash_r && same(link, kind, raw, shown))
			break;
	return link;
}

/* How a client reads what has no scheme. */
static bool
read_relative(struct linker *l, struct slice raw, struct weburl *url_r,
    bool *bare_r)
{
	struct slice rest = raw, found;
	unsigned one = 1;

	if (slice_starts(raw, SLICE("//")) || slice_starts(raw, SLICE("\\\\")))
		return weburl_read(l->arena, arena_printf(l->arena,
		    "http:%.*s", SLICE_ARG(raw)), url_r);
	if (l->base.ptr != NULL && raw.len > 0 && raw.ptr[0] != '#')
		return weburl_read(l->arena, arena_printf(l->arena, "%.*s%.*s",
		    SLICE_ARG(l->base), SLICE_ARG(raw)), url_r);
	*bare_r = link_find(&rest, l->suffixes, &one, &found) &&
	    found.ptr == raw.ptr;
	return *bare_r && weburl_read(l->arena, arena_printf(l->arena,
	    "http://%.*s", SLICE_ARG(raw)), url_r);
}

/* Names written without a scheme may have a port: "a.example:80/b". */
static bool
has_scheme(struct slice raw)
{
	size_t colon = slice_find(raw, ':');

	if (colon == raw.len || !ascii_alpha(raw.ptr[0]))
		return false;
	return !slice_has(slice_sub(raw, 0, colon), '.') ||
	    slice_starts(slice_after(raw, colon + 1), SLICE("//"));
}

static void
read_url(struct linker *l, struct content_link *link)
{
	struct slice raw = link->raw;

	while (raw.len > 0 && (unsigned char)raw.ptr[0] <= ' ')
		raw = slice_after(raw, 1);
	if (has_scheme(raw) && weburl_read(l->arena, raw, &link->url))
		return;
	link->url = (struct weburl){ .host = SLICE("") };
	if (!has_scheme(raw) && !read_relative(l, raw, &link->url,
	    &link->bare))
		link->url = (struct weburl){ .host = SLICE("") };
}

void
linker_url(struct linker *l, enum content_link_kind kind,
    const struct content_text *in, struct slice raw, struct slice shown)
{
	struct content_link *link;
	uint64_t hash;

	raw = slice_sub(raw, 0, CONTENT_LINK_URL);
	shown = slice_sub(shown, 0, CONTENT_LINK_SHOWN);
	link = find(l, kind, raw, shown, &hash);
	if (link != NULL) {
		link->times++;
		return;
	}
	if (l->links->count >= l->most) {
		l->links->cut = true;
		return;
	}
	link = arena_alloc(l->arena, sizeof *link);
	*link = (struct content_link){ .kind = kind, .in = in, .times = 1,
	    .hash = hash, .raw = arena_copy(l->arena, raw),
	    .same = l->buckets[hash % LINKER_BUCKETS] };
	if (shown.len > 0)
		link->shown = arena_copy(l->arena, shown);
	read_url(l, link);
	l->buckets[hash % LINKER_BUCKETS] = link;
	*l->last = link;
	l->last = &link->next;
	l->links->count++;
}

void
linker_text(struct linker *l, enum content_link_kind kind,
    const struct content_text *in, struct slice text)
{
	struct slice found;

	while (!l->links->cut && link_find(&text, l->suffixes, &l->bare,
	    &found))
		linker_url(l, kind, in, found, SLICE_NONE);
}

/* ---- markup ---- */

/* What is shown of each a element, and the text outside of them. */
struct shown {
	size_t token;
	size_t from, len;		/* in `text` of the anchors */
};

struct anchors {
	struct linker *l;
	struct slice charset;
	struct shown *all;
	size_t n, room, at;
	struct buf text, loose;
	bool blank, gap;		/* a line, a cell or a link came between:
					   in the link, beside links */
};

static void
add_shown(struct anchors *s, const struct html_piece *piece)
{
	struct shown *now = s->n > 0 ? &s->all[s->n - 1] : NULL;

	if (now == NULL || now->token != piece->link) {
		if (s->n > 2 * s->l->most)
			return;
		s->all = arena_more(s->l->arena, s->all, s->n, &s->room,
		    sizeof *s->all);
		now = &s->all[s->n++];
		*now = (struct shown){ piece->link, s->text.len, 0 };
	} else if (s->blank) {
		buf_addc(&s->text, ' ');
	}
	if (s->text.len - now->from < CONTENT_LINK_SHOWN)
		html_unref(s->charset, piece->raw, false, CONTENT_LINK_SHOWN,
		    &s->text);
	now->len = s->text.len - now->from;
}

static void
add_loose(struct anchors *s, const struct html_piece *piece)
{
	if (s->gap)
		buf_addc(&s->loose, '\n');
	s->gap = false;
	if (s->loose.len < LOOSE && piece->kind == HTML_PIECE_TEXT)
		html_unref(s->charset, piece->raw, false, LOOSE - s->loose.len,
		    &s->loose);
}

static void
read_anchors(struct anchors *s, struct slice markup)
{
	struct html_reader *reader = arena_alloc(s->l->arena, sizeof *reader);
	struct html_piece piece;

	html_reader_open(reader, markup);
	while (html_piece_next(reader, &piece)) {
		if (piece.kind == HTML_PIECE_BREAK ||
		    piece.kind == HTML_PIECE_CELL) {
			s->blank = s->gap = true;
		} else if (piece.hidden == 0 && piece.link != SIZE_MAX) {
			add_shown(s, &piece);
			s->blank = false;
			s->gap = true;
		} else if (piece.hidden == 0) {
			add_loose(s, &piece);
		}
	}
}

/* Tokens come in their order in both readings. */
static struct slice
shown_of(struct anchors *s, size_t token)
{
	while (s->at < s->n && s->all[s->at].token < token)
		s->at++;
	if (s->at == s->n || s->all[s->at].token != token)
		return SLICE_NONE;
	return slice_trim(plain_text(s->l->arena, slice_sub(
	    buf_slice(&s->text), s->all[s->at].from, s->all[s->at].len)));
}

/* All that stands before a relative URL: up to the last slash. */
static void
set_base(struct linker *l, struct slice text)
{
	struct weburl url;
	struct slice print;

	if (l->base.ptr != NULL || !weburl_read(l->arena, text, &url) ||
	    !weburl_web(&url))
		return;
	url.query = SLICE_NONE;
	print = weburl_print(l->arena, &url);
	l->base = slice_sub(print, 0, slice_find_last(print, '/') + 1);
}

static bool
kind_of(const struct html_link *link, bool file, enum content_link_kind *kind_r)
{
	if (link->kind == HTML_LINK_NAME || link->kind == HTML_LINK_BASE)
		return false;
	*kind_r = link->kind == HTML_LINK_LOAD ? CONTENT_LINK_LOAD :
	    slice_eq_nocase(link->attr, SLICE("action")) ||
	    slice_eq_nocase(link->attr, SLICE("formaction")) ?
	    CONTENT_LINK_FORM : CONTENT_LINK_CLICK;
	if (file && *kind_r != CONTENT_LINK_LOAD)
		*kind_r = CONTENT_LINK_FILE;
	return true;
}

void
linker_html(struct linker *l, bool file, const struct content_text *in,
    struct slice charset, struct slice markup)
{
	struct anchors s = { .l = l, .charset = charset,
	    .text = buf_in(l->arena), .loose = buf_in(l->arena) };
	struct buf url = buf_in(l->arena);
	enum content_link_kind kind;
	struct html_links links;
	struct html_link link;

	l->base = SLICE_NONE;
	read_anchors(&s, markup);
	html_links_open(&links, markup);
	while (!l->links->cut && html_link_next(&links, &link)) {
		buf_clear(&url);
		html_link_url(charset, &link, CONTENT_LINK_URL, &url);
		if (link.kind == HTML_LINK_BASE)
			set_base(l, buf_slice(&url));
		if (!kind_of(&link, file, &kind) || url.len == 0 ||
		    url.ptr[0] == '#')
			continue;
		linker_url(l, kind, in, buf_slice(&url), link.tag == HTML_A &&
		    !link.conditional ? shown_of(&s, link.token) : SLICE_NONE);
	}
	l->base = SLICE_NONE;
	linker_text(l, file ? CONTENT_LINK_FILE : CONTENT_LINK_TEXT, in,
	    plain_text(l->arena, buf_slice(&s.loose)));
}

void
linker_read(struct linker *l, const struct content *content)
{
	for (const struct content_text *t = content->first; t != NULL &&
	    !l->links->cut; t = t->next) {
		if (t->kind == CONTENT_HTML)
			linker_html(l, false, t, t->charset, t->markup);
		else if (t->kind == CONTENT_PLAIN ||
		    t->kind == CONTENT_SUBJECT)
			linker_text(l, CONTENT_LINK_TEXT, t, t->text);
	}
}

void
content_links(struct arena *a, const struct content *content,
    const struct suffixes *suffixes, unsigned most,
    struct content_links *links_r)
{
	struct linker l;

	linker_open(&l, a, suffixes, most, links_r);
	linker_read(&l, content);
}
