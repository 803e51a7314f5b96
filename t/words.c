/* Many words looked for at once (common/detect/words). */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "detect/block.h"
#include "detect/plain.h"
#include "detect/words.h"
#include "t/tap.h"

/* Words are separated by bars; hits are told as number@place+length. */
static struct slice
scan(struct arena *a, const char *words, const char *text)
{
	struct words *w = words_new();
	struct slice rest = slice_of(words);
	struct buf out = buf_in(a);
	struct words_scan s;
	struct words_hit hit;
	unsigned n = 0;

	while (rest.ptr != NULL)
		words_add(w, slice_cut(rest, '|', &rest), n++);
	words_ready(w);
	words_begin(&s, w, plain_text(a, slice_of(text)));
	while (words_next(&s, &hit))
		buf_addf(&out, "%s%u@%zu+%zu", out.len > 0 ? " " : "",
		    hit.number, hit.at, hit.len);
	words_free(w);
	return buf_slice(&out);
}

static const struct { const char *name, *words, *text, *want; } cases[] = {
	{ "one word", "secret", "a secret thing", "0@2+6" },
	{ "whatever its case", "Secret", "SECRET", "0@0+6" },
	{ "not inside another", "secret", "secretary insecret", "" },
	{ "beside signs", "secret", "(secret).", "0@1+6" },
	{ "one inside another", "top secret|secret", "top secret!",
	    "0@0+10 1@4+6" },
	{ "an end that is a word", "she said|said", "he said", "1@3+4" },
	{ "the same twice", "x|x", "x", "1@0+1 0@0+1" },
	{ "blanks and lines between", "top secret", "top \r\n  secret",
	    "0@0+14" },
	{ "umlauts", "Gesch\xc3\xa4" "ftsgeheimnis",
	    "GESCH\xc3\x84" "FTSGEHEIMNIS", "0@0+19" },
	{ "Greek", "\xce\xb1\xcf\x80", "\xce\x91\xce\xa0", "0@0+4" },
	{ "Cyrillic", "\xd1\x82\xd0\xb0\xd0\xb9\xd0\xbd\xd0\xb0",
	    "\xd0\xa2\xd0\x90\xd0\x99\xd0\x9d\xd0\x90", "0@0+10" },
	{ "zero width inside", "secret", "sec\xe2\x80\x8bret", "0@0+6" },
	{ "letters of full width", "secret", "\xef\xbc\xb3" "ecret", "0@0+6" },
	{ "signs at its ends", "#1|c++", "x#1 c++ c+++", "0@1+2 1@4+3 1@8+3" },
	{ "overlapping", "a b|b c", "a b c", "0@0+3 1@2+3" },
	{ "nothing to look for", "", "text", "" },
	{ "nothing to look in", "a", "", "" },
};

/* What a simple search tells, as often, for words of two letters. */
static void
test_random(struct arena *a)
{
	unsigned wrong = 0, hits = 0;
	uint64_t seed = 7;

	for (unsigned round = 0; round < 300; round++) {
		char words[40], text[200];
		size_t want = 0, got = 0;
		struct slice list, rest, found;

		for (size_t i = 0; i < sizeof words - 1; i++)
			words[i] = "ab|"[(seed = seed * 6364136223846793005u +
			    1442695040888963407u) >> 40 & 1 ? 0 : seed >> 50 &
			    1 ? 1 : 2];
		words[sizeof words - 1] = '\0';
		for (size_t i = 0; i < sizeof text - 1; i++)
			text[i] = "ab "[(seed = seed * 6364136223846793005u +
			    1442695040888963407u) >> 40 & 1 ? 0 : seed >> 50 &
			    1 ? 1 : 2];
		text[sizeof text - 1] = '\0';
		for (rest = slice_of(text); rest.ptr != NULL;) {
			struct slice one = slice_cut(rest, ' ', &rest);

			for (list = slice_of(words); list.ptr != NULL;) {
				struct slice word = slice_cut(list, '|', &list);

				want += word.len > 0 && slice_eq(word, one);
			}
		}
		found = scan(a, words, text);
		for (size_t i = 0; i < found.len; i++)
			got += found.ptr[i] == '@';
		wrong += got != want;
		hits += got > 0;
		arena_reset(a);
	}
	tap_is_int(wrong, 0, "300 random sets find what a plain search finds");
	tap_ok(hits > 100, "and most find something");
}

static void
test_limit(void)
{
	struct words *w = words_new();
	char word[1000];
	unsigned n = 0;

	memset(word, 'x', sizeof word);
	while (n < 100 && words_add(w, slice_make(word, sizeof word), n))
		n++;
	tap_is_int(n, WORDS_BYTES / 1000, "bytes of words are bounded");
	tap_ok(!words_add(w, SLICE(" \t"), 0), "blanks are no word");
	words_ready(w);
	words_free(w);
}

/* Bits of a block are what is asked of each byte, whoever makes them and
 * wherever the text ends. */
static void
test_blocks(void)
{
	char bytes[3 * BLOCK];
	uint32_t seed = 7;
	unsigned good = 0;

	for (unsigned n = 0; n < 2000; n++) {
		struct slice text = slice_make(bytes, n % sizeof bytes + 1);
		size_t at = n * 7 % text.len / BLOCK * BLOCK;
		uint64_t words = 0, marks = 0;

		for (size_t i = 0; i < sizeof bytes; i++) {
			seed = seed * 1103515245 + 12345;
			bytes[i] = (char)(n < 1000 ? i * 4 + n : seed >> 16);
		}
		for (size_t i = at; i < text.len && i < at + BLOCK; i++) {
			char c = bytes[i];
			uint64_t bit = UINT64_C(1) << (i - at);

			if (ascii_alnum(c) || (unsigned char)c >= 0x80)
				words |= bit;
			if (ascii_digit(c) || (c != '\0' &&
			    strchr("@bBwW", c) != NULL))
				marks |= bit;
		}
		good += block_words(text, at) == words &&
		    block_words_swar(text, at) == words &&
		    block_marks(text, at, BLOCK_ALL) == marks &&
		    block_marks_swar(text, at, BLOCK_ALL) == marks;
	}
	tap_is_int(good, 2000, "blocks of text as bits");
}

int
main(void)
{
	struct arena *a = arena_new();

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		tap_is(scan(a, cases[i].words, cases[i].text),
		    slice_of(cases[i].want), "%s", cases[i].name);
		arena_reset(a);
	}
	test_random(a);
	test_limit();
	test_blocks();
	arena_free(a);
	return tap_done();
}
