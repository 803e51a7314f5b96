#include "fraud_words.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "detect/words.h"
#include "text/lookalike.h"
#include "text/utf8.h"

enum { FILE_MAX = 1 << 20 };

struct fraud_words {
	struct arena *arena;
	struct words *words;
	struct slice kinds[FRAUD_KINDS];
	double weights[FRAUD_KINDS];
	size_t nkinds;
};

void
fraud_words_close(struct fraud_words *w)
{
	if (w == NULL)
		return;
	words_free(w->words);
	arena_free(w->arena);
}

/* "0.8", "12.25"; no more than two places. */
static bool
read_weight(struct slice text, double *weight_r)
{
	struct slice part, whole = slice_cut(text, '.', &part);
	uint64_t a = 0, b = 0;

	if (!slice_number(whole, FRAUD_WEIGHT - 1, &a) ||
	    (part.ptr != NULL && (part.len > 2 || !slice_number(part, 99,
	    &b))))
		return false;
	*weight_r = (double)a + (double)b / (part.len == 2 ? 100 : 10);
	return true;
}

/* "[payment 0.8]". NULL, or what is wrong. */
static const char *
begin_kind(struct fraud_words *w, struct slice line)
{
	struct slice weight, name;

	if (line.len < 2 || line.ptr[line.len - 1] != ']')
		return "the bracket is not closed; it wants \"[kind weight]\"";
	name = slice_cut(slice_sub(line, 1, line.len - 2), ' ', &weight);
	if (name.len == 0 || !ascii_all_of(name, "-"))
		return "a kind has letters and dashes; it wants \"[kind "
		    "weight]\"";
	if (w->nkinds == FRAUD_KINDS)
		return "there are more than 16 kinds";
	if (!read_weight(slice_trim(weight), &w->weights[w->nkinds]))
		return "the weight is a number from 0 to 4.99, as \"0.8\"";
	w->kinds[w->nkinds++] = arena_copy(w->arena, name);
	return NULL;
}

static const char *
read_one(struct fraud_words *w, struct slice line, unsigned *phrases)
{
	if (line.len == 0 || line.ptr[0] == '#')
		return NULL;
	if (!utf8_valid(line))
		return "this is no UTF-8";
	if (line.ptr[0] == '[')
		return begin_kind(w, line);
	if (w->nkinds == 0)
		return "a phrase before the first kind; \"[kind weight]\" is "
		    "to stand above it";
	if (++*phrases > FRAUD_PHRASES || !words_add(w->words,
	    look_skeleton(w->arena, line), (unsigned)w->nkinds - 1))
		return "there are too many phrases, or this one has no letter";
	return NULL;
}

enum rc
fraud_words_read(const char *name, struct slice text,
    struct fraud_words **w_r, struct arena *a, struct slice *why_r)
{
	struct arena *own = arena_new();
	struct fraud_words *w = arena_alloc(own, sizeof *w);
	unsigned number = 0, phrases = 0;
	struct slice line;

	*w_r = NULL;
	w->arena = own;
	w->words = words_new();
	while (slice_line(&text, &line)) {
		const char *wrong = read_one(w, slice_trim(line), &phrases);

		number++;
		if (wrong != NULL) {
			*why_r = arena_printf(a, "%s:%u: %s", name, number,
			    wrong);
			fraud_words_close(w);
			return RC_BAD;
		}
	}
	words_ready(w->words);
	*w_r = w;
	return RC_OK;
}

static enum rc
built_in(struct fraud_words **w_r, struct arena *a, struct slice *why_r)
{
	struct buf out = buf_in(a);

	for (const char *const *l = fraud_words_lines; *l != NULL; l++)
		buf_addf(&out, "%s\n", *l);
	return fraud_words_read("fraud.words", buf_slice(&out), w_r, a, why_r);
}

enum rc
fraud_words_open(const char *path, struct fraud_words **w_r, struct arena *a,
    struct slice *why_r)
{
	int fd = -1;
	struct stat st = { .st_size = 0 };
	struct slice text = SLICE("");
	char *bytes;
	ssize_t n = -1;

	*w_r = NULL;
	if (path == NULL)
		return built_in(w_r, a, why_r);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size <= FILE_MAX) {
		bytes = arena_alloc(a, (size_t)st.st_size + 1);
		n = read(fd, bytes, (size_t)st.st_size);
		text = slice_make(bytes, n > 0 ? (size_t)n : 0);
	}
	if (n < 0)
		*why_r = arena_printf(a, "%s: %s", path, fd < 0 ?
		    strerror(errno) : st.st_size > FILE_MAX ?
		    "is over a megabyte" : "cannot be read");
	if (fd >= 0)
		close(fd);
	return n < 0 ? RC_BAD : fraud_words_read(path, text, w_r, a, why_r);
}

void
fraud_words_find(const struct fraud_words *w, struct arena *a,
    struct slice text, struct fraud_found *found)
{
	struct words_scan scan;
	struct words_hit hit;
	struct slice read = look_skeleton(a, slice_sub(text, 0, FRAUD_TEXT));

	words_begin(&scan, w->words, read);
	while (found->kinds < w->nkinds && words_next(&scan, &hit)) {
		if (found->phrase[hit.number].ptr != NULL)
			continue;
		found->phrase[hit.number] = slice_sub(read, hit.at, hit.len);
		found->kinds++;
	}
}

double
fraud_words_weight(const struct fraud_words *w, size_t kind)
{
	return w->weights[kind];
}

struct slice
fraud_words_kind(const struct fraud_words *w, size_t kind)
{
	return w->kinds[kind];
}
