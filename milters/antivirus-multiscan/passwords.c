/* Words of a letter that may open what is attached to it. */
#include "items.h"
#include "text/charset.h"

enum {
	TEXT = 64 * 1024,		/* looked at in one part */
	BEHIND = 6,			/* words behind the key word */
	LONG = 100,
};

/* "Password", as people write it around here; beginnings count. */
static const struct slice keys[] = {
	SLICE("password"), SLICE("passwort"), SLICE("passcode"),
	SLICE("passphrase"), SLICE("pwd"), SLICE("pass:"), SLICE("kennwort"),
	SLICE("mot de passe"), SLICE("mdp"), SLICE("contrase"),
	SLICE("clave"), SLICE("senha"), SLICE("wachtwoord"),
	SLICE("l\xc3\xb6senord"), SLICE("has\xc5\x82o"), SLICE("heslo"),
	SLICE("parola"), SLICE("pin:"), SLICE("code:"),
	SLICE("\xd0\xbf\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c"),
};

struct words {
	struct slice *out;
	size_t n, max;
};

static void
take(struct words *w, struct slice word)
{
	if (word.len == 0 || word.len > LONG)
		return;
	for (size_t i = 0; i < w->n; i++)
		if (slice_eq(w->out[i], word))
			return;
	if (w->n < w->max)
		w->out[w->n++] = word;
}

static bool
mark(char c)
{
	return c == '.' || c == ',' || c == ':' || c == ';' || c == '"' ||
	    c == '\'' || c == '(' || c == ')' || c == '<' || c == '>' ||
	    c == '!' || c == '?' || c == '*';
}

/* The word as it stands, and without the marks around it. */
static void
take_both(struct words *w, struct slice word)
{
	take(w, word);
	while (word.len > 0 && mark(word.ptr[0]))
		word = slice_after(word, 1);
	while (word.len > 0 && mark(word.ptr[word.len - 1]))
		word.len--;
	take(w, word);
}

static struct slice
next_word(struct slice *rest)
{
	struct slice word;
	size_t n = 0;

	while (rest->len > 0 && ascii_space(rest->ptr[0]))
		*rest = slice_after(*rest, 1);
	while (n < rest->len && !ascii_space(rest->ptr[n]))
		n++;
	word = slice_sub(*rest, 0, n);
	*rest = slice_after(*rest, n);
	return word;
}

static void
behind(struct words *w, struct slice rest)
{
	for (int i = 0; i < BEHIND && rest.len > 0; i++)
		take_both(w, next_word(&rest));
}

static void
look(struct words *w, struct slice text)
{
	bool first[256] = { false };

	for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
		first[(unsigned char)keys[k].ptr[0]] = true;
	for (size_t i = 0; i < text.len && w->n < w->max; i++) {
		struct slice here = slice_after(text, i);

		if (!first[(unsigned char)ascii_lower(text.ptr[i])])
			continue;
		for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
			if (slice_starts_nocase(here, keys[k]))
				behind(w, slice_after(here, keys[k].len));
	}
}

/* Tags go; what they enclose is what the reader sees. */
static struct slice
without_tags(struct arena *a, struct slice html)
{
	struct buf out = buf_in(a);

	while (html.len > 0) {
		size_t open = slice_find(html, '<');

		buf_add(&out, slice_sub(html, 0, open));
		html = slice_after(html, open);
		html = slice_after(html, slice_find(html, '>') + 1);
		buf_addc(&out, ' ');
	}
	return buf_slice(&out);
}

size_t
items_passwords(struct message *msg, struct arena *a, struct slice *out,
    size_t max)
{
	struct words w = { out, 0, max };
	const struct part *root = message_parts(msg);

	for (const struct part *p = root; p != NULL && w.n < max;
	    p = part_next(root, p)) {
		struct buf text = buf_in(a);
		struct slice s;

		if (p->child != NULL || !part_is(p, "text", NULL))
			continue;
		charset_utf8(p->charset, part_decoded(p, a, TEXT, NULL), TEXT,
		    &text);
		s = buf_slice(&text);
		look(&w, part_is(p, "text", "html") ? without_tags(a, s) : s);
	}
	return w.n;
}
