#include "detect/words.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "detect/block.h"
#include "detect/plain.h"

/* A word that ends at a node; several that are alike are a chain. */
struct word {
	uint32_t len, number;
	uint32_t next;			/* index of the word plus 1; 0: none */
};

/* What a byte can be: the first of a word that begins with a sign, or with a
 * letter or digit; above MAY, which of the two may stand behind it. */
enum { SIGN = 1, LETTER = 2, MAY = 4 };

struct words {
	unsigned char class[256];	/* 0: in no word */
	unsigned classes;
	uint32_t *next;			/* [node * classes + class] */
	uint32_t *word;			/* of the node: index plus 1 */
	uint32_t *out;			/* nearest shorter node with a word */
	unsigned char begins[256];	/* SIGN, LETTER, MAY */
	bool signs;			/* a word begins with one */
	uint64_t pairs[65536 / 64];	/* a bit for two bytes that a word that
					   does not may begin with */
	uint64_t threes[32768 / 64];	/* five bits of each of three bytes */
	uint32_t nodes;
	struct word *all;
	uint32_t count;
	struct buf bytes;		/* the words, one behind the other */
};

struct words *
words_new(void)
{
	struct words *w = mem_alloc(sizeof *w);

	memset(w, 0, sizeof *w);
	return w;
}

void
words_free(struct words *w)
{
	if (w == NULL)
		return;
	free(w->next);
	free(w->word);
	free(w->out);
	free(w->all);
	buf_free(&w->bytes);
	free(w);
}

bool
words_add(struct words *w, struct slice word, unsigned number)
{
	struct arena *a = arena_new();
	struct slice plain = slice_trim(plain_text(a, word));
	bool good = plain.len > 0 && plain.len <= WORDS_BYTES - w->bytes.len;

	if (good) {
		buf_add(&w->bytes, plain);
		w->all = mem_grow(w->all, (w->count + 1) * sizeof w->all[0]);
		w->all[w->count++] = (struct word){ (uint32_t)plain.len,
		    number, 0 };
	}
	arena_free(a);
	return good;
}

/* Line ends and tabs are blanks; letters of ASCII have no case. */
static unsigned char
folded(char c)
{
	return (unsigned char)(ascii_space(c) ? ' ' : ascii_lower(c));
}

static void
make_classes(struct words *w)
{
	w->classes = 1;			/* node and root go on alike by none */
	for (size_t i = 0; i < w->bytes.len; i++) {
		unsigned char c = folded(w->bytes.ptr[i]);

		if (w->class[c] == 0)
			w->class[c] = (unsigned char)w->classes++;
	}
	for (unsigned c = 0; c < 256; c++)
		w->class[c] = w->class[folded((char)c)];
}

/* The trie: node 0 is the root, 0 as next means none. */
static void
make_trie(struct words *w)
{
	size_t at = 0;

	w->nodes = 1;
	for (uint32_t i = 0; i < w->count; at += w->all[i++].len) {
		uint32_t node = 0;

		for (size_t k = 0; k < w->all[i].len; k++) {
			uint32_t *to = &w->next[node * w->classes +
			    w->class[(unsigned char)w->bytes.ptr[at + k]]];

			if (*to == 0)
				*to = w->nodes++;
			node = *to;
		}
		w->all[i].next = w->word[node];
		w->word[node] = i + 1;
	}
}

/* Breadth first: where a node has no way on, it goes on as the longest proper
 * end of it that is a node does. */
static void
make_links(struct words *w)
{
	uint32_t *queue = mem_alloc(w->nodes * sizeof *queue);
	uint32_t *fail = mem_alloc(w->nodes * sizeof *fail);
	uint32_t head = 0, tail = 0;

	fail[0] = 0;
	queue[tail++] = 0;
	while (head < tail) {
		uint32_t node = queue[head++];

		for (unsigned c = 1; c < w->classes; c++) {
			uint32_t *to = &w->next[node * w->classes + c];
			uint32_t back = node == 0 ? 0 :
			    w->next[fail[node] * w->classes + c];

			if (*to == 0) {
				*to = back;
				continue;
			}
			fail[*to] = back;
			w->out[*to] = w->word[back] != 0 ? back : w->out[back];
			queue[tail++] = *to;
		}
	}
	free(fail);
	free(queue);
}

static uint32_t *
zeroed(size_t n)
{
	uint32_t *p = mem_alloc(n * sizeof *p);

	memset(p, 0, n * sizeof *p);
	return p;
}

static bool
in_word(char c)
{
	return ascii_alnum(c) || (unsigned char)c >= 0x80;
}

static void
make_begins(struct words *w)
{
	for (unsigned c = 0; c < 256; c++) {
		bool inside = in_word((char)c);
		unsigned is = inside ? LETTER : SIGN;
		unsigned may = inside ? SIGN : SIGN | LETTER;

		if (w->next[w->class[c]] == 0)
			is = 0;
		w->begins[c] = (unsigned char)(is | may << MAY);
		w->signs |= is == SIGN;
	}
}

static bool
pair(const struct words *w, unsigned char first, unsigned char second)
{
	unsigned both = (unsigned)first << 8 | second;

	return (w->pairs[both / 64] & UINT64_C(1) << both % 64) != 0;
}

/* By the trie: what goes on from the root, and from there. A word of one byte
 * goes on with any. */
static void
make_pairs(struct words *w)
{
	for (unsigned both = 0; both < 65536; both++) {
		uint32_t node = w->next[w->class[both >> 8]];

		if (node != 0 && (w->word[node] != 0 ||
		    w->next[node * w->classes + w->class[both & 255]] != 0))
			w->pairs[both / 64] |= UINT64_C(1) << both % 64;
	}
}

static unsigned
three(const char *s)
{
	return ((unsigned)s[0] & 31) << 10 | ((unsigned)s[1] & 31) << 5 |
	    ((unsigned)s[2] & 31);
}

/* A word of less than three bytes goes on with any. Both cases of a letter
 * have the same five bits. */
static void
make_threes(struct words *w)
{
	const char *word = w->bytes.ptr;

	for (uint32_t i = 0; i < w->count; word += w->all[i++].len) {
		size_t len = w->all[i].len;

		for (unsigned k = 0; k < (len > 2 ? 1 : 1024); k++) {
			char s[3] = { word[0],
			    len > 1 ? word[1] : (char)(k / 32),
			    len > 2 ? word[2] : (char)(k % 32) };

			w->threes[three(s) / 64] |= UINT64_C(1) <<
			    three(s) % 64;
		}
	}
}

/* May a word begin there? Blanks are not told apart, nor counted. */
static bool
begins(const struct words *w, struct slice text, size_t pos)
{
	const char *s = text.ptr + pos;

	return text.len - pos < 3 || ascii_space(s[1]) || ascii_space(s[2]) ||
	    (w->threes[three(s) / 64] >> three(s) % 64 & 1) != 0;
}

void
words_ready(struct words *w)
{
	size_t most = w->bytes.len + 1;

	make_classes(w);
	w->next = zeroed(most * w->classes);
	w->word = zeroed(most);
	w->out = zeroed(most);
	make_trie(w);
	make_threes(w);
	make_pairs(w);
	make_links(w);
	make_begins(w);
	buf_free(&w->bytes);
	w->bytes = (struct buf){ .ptr = NULL };
}

void
words_begin(struct words_scan *s, const struct words *w, struct slice text)
{
	*s = (struct words_scan){ .words = w, .text = text };
}

/* Blanks behind a blank are not there. */
static bool
skipped(struct slice text, size_t at)
{
	return ascii_space(text.ptr[at]) && at > 0 &&
	    ascii_space(text.ptr[at - 1]);
}

/* Where the word of that length begins that ends at pos. */
static size_t
begin_of(const struct words_scan *s, size_t len)
{
	size_t at = s->pos;

	while (len > 0)
		len -= !skipped(s->text, --at);
	return at;
}

/* No letter or digit goes on where the word ends with one. */
static bool
alone(const struct words_scan *s, size_t at)
{
	const char *text = s->text.ptr;

	return (at == 0 || !in_word(text[at]) || !in_word(text[at - 1])) &&
	    (s->pos == s->text.len || !in_word(text[s->pos - 1]) ||
	    !in_word(text[s->pos]));
}

/* What is left of the words that end at pos. */
static bool
ending(struct words_scan *s, struct words_hit *hit_r)
{
	const struct words *w = s->words;

	while (s->word != 0) {
		const struct word *word = &w->all[s->word - 1];
		size_t at = begin_of(s, word->len);

		s->word = word->next;
		if (s->word == 0) {
			s->ends = w->out[s->ends];
			s->word = w->word[s->ends];
		}
		if (!alone(s, at))
			continue;
		*hit_r = (struct words_hit){ word->number, at, s->pos - at };
		return true;
	}
	return false;
}

/* From the root: the next byte that a word may begin with, and that does not
 * stand within another, which would not be told. */
static size_t
next_begin(const struct words *w, struct slice text, size_t pos)
{
	unsigned may = pos == 0 ? SIGN | LETTER :
	    w->begins[(unsigned char)text.ptr[pos - 1]] >> MAY;

	for (; pos < text.len; pos++) {
		unsigned is = w->begins[(unsigned char)text.ptr[pos]];

		if ((is & may) != 0)
			break;
		may = is >> MAY;
	}
	return pos;
}

/* The same where all words begin with a letter or digit: from one word of the
 * text to the next, which are bits. */
static size_t
next_letter(struct words_scan *s)
{
	const struct words *w = s->words;
	struct slice text = s->text;

	for (size_t at = s->pos / BLOCK * BLOCK; at < text.len; at += BLOCK) {
		if (s->started != at + 1) {
			s->starts = block_starts(block_words(text, at),
			    at > 0 && in_word(text.ptr[at - 1]));
			s->started = at + 1;
		}
		if (s->pos > at)
			s->starts &= ~UINT64_C(0) << (s->pos - at);
		for (; s->starts != 0; s->starts &= s->starts - 1) {
			size_t pos = at + (size_t)__builtin_ctzll(s->starts);

			if (pos + 1 == text.len || (pair(w,
			    (unsigned char)text.ptr[pos],
			    (unsigned char)text.ptr[pos + 1]) &&
			    begins(w, text, pos)))
				return pos;
		}
	}
	return text.len;
}

bool
words_next(struct words_scan *s, struct words_hit *hit_r)
{
	const struct words *w = s->words;

	for (;;) {
		if (s->word != 0 && ending(s, hit_r))
			return true;
		if (s->node == 0)
			s->pos = w->signs ? next_begin(w, s->text, s->pos) :
			    next_letter(s);
		if (s->pos == s->text.len)
			return false;
		if (!skipped(s->text, s->pos)) {
			unsigned c = w->class[(unsigned char)
			    s->text.ptr[s->pos]];

			s->node = w->next[s->node * w->classes + c];
			s->ends = w->word[s->node] != 0 ? s->node :
			    w->out[s->node];
			s->word = w->word[s->ends];
		}
		s->pos++;
	}
}
