#include "detect/prints.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detect/block.h"

static const char magic[20] = "gatehouse prints 1\n";

struct head {
	char magic[20];
	uint32_t documents, prints;
	uint32_t zero;
};

struct document {
	char name[PRINTS_NAME];
	uint32_t count, zero;
};

struct print {
	uint64_t hash;
	uint32_t document, zero;
};

struct prints {
	struct head head;
	const struct document *documents;
	const struct print *all;
	void *map;
	size_t size;
	uint64_t *filter;		/* a bit for the top of each hash */
	unsigned shift;
};

/* ---- of a text ---- */

/* A text's words, some hundred at a time, and what each of them makes in turn:
 * a step for all of these is a short loop without a branch that depends on the
 * text, and that is three times as fast as all steps for each word. The hash of
 * PRINTS_WORDS words is a polynomial of theirs, so that a word more is two
 * multiplications; mixed, for the low bits of a polynomial are poor. */
enum { BATCH = 256, CARRY = PRINTS_WORDS, BEFORE = PRINTS_WINDOW - 1 };

struct winnow {
	uint64_t words[CARRY + BATCH];	/* the last ones of the batch before */
	uint64_t hashes[BEFORE + BATCH];	/* likewise */
	size_t nwords;			/* of this batch */
	size_t all;			/* words before it */
	uint64_t sum;
	uint64_t taken;			/* the last that was */
	bool some;			/* there was one */
	void (*take)(const uint64_t *hashes, size_t n, void *arg);
	void *arg;
};

enum { SMALL = 32 };

#define BASE	UINT64_C(0x9e3779b97f4a7c15)
#define BASE_5	(BASE * BASE * BASE * BASE * BASE)

static uint64_t
mixed(uint64_t h)
{
	h ^= h >> SMALL;
	h *= UINT64_C(0xff51afd7ed558ccd);
	return h ^ (h >> SMALL);
}

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* The smallest of each window of n + BEFORE hashes, at the window's first: of
 * two, of four, of eight in a row. */
static void
windows(uint64_t *h, size_t n)
{
	for (size_t i = 0; i < n + BEFORE - 1; i++)
		h[i] = smaller(h[i], h[i + 1]);
	for (size_t i = 0; i < n + BEFORE - 3; i++)
		h[i] = smaller(h[i], h[i + 2]);
	for (size_t i = 0; i < n; i++)
		h[i] = smaller(h[i], h[i + 4]);
}

static void
take_each(struct winnow *w, const uint64_t *least, size_t n)
{
	uint64_t distinct[BEFORE + BATCH], last = w->taken;
	size_t count = 0;

	if (n == 0)
		return;
	for (size_t i = 0; i < n; i++) {
		distinct[count] = least[i];
		count += least[i] != last;
		last = least[i];
	}
	/* No hash before the first: any value may be it. */
	if (!w->some && least[0] == w->taken)
		w->take(least, 1, w->arg);
	w->some = true;
	w->taken = last;
	w->take(distinct, count, w->arg);
}

/* How many of the hashes that end in n words, behind `before` of them. */
static size_t
ending(size_t before, size_t n, size_t length)
{
	size_t full = before + n;

	return full < length ? 0 : full - length + 1 < n ? full - length + 1 :
	    n;
}

/* All that the words of the batch complete. */
static void
flush(struct winnow *w)
{
	size_t n = w->nwords, hashes = ending(w->all, n, PRINTS_WORDS);
	size_t before = w->all >= PRINTS_WORDS - 1 ?
	    w->all - (PRINTS_WORDS - 1) : 0;
	size_t full = ending(before, hashes, PRINTS_WINDOW);
	uint64_t least[BEFORE + BATCH];

	for (size_t i = 0; i < n; i++) {
		w->sum = w->sum * BASE + w->words[CARRY + i] -
		    w->words[i] * BASE_5;
		/* The first of a text end no hash, and are written over. */
		w->hashes[BEFORE + i - (n - hashes > i ? i : n - hashes)] =
		    mixed(w->sum);
	}
	memcpy(least, w->hashes, (BEFORE + hashes) * sizeof *least);
	windows(least, hashes);
	take_each(w, least + hashes - full, full);
	memmove(w->words, w->words + n, CARRY * sizeof *w->words);
	memmove(w->hashes, w->hashes + hashes, BEFORE * sizeof *w->hashes);
	w->all += n;
	w->nwords = 0;
}

static void
add_word(struct winnow *w, uint64_t word)
{
	w->words[CARRY + w->nwords] = word;
	if (++w->nwords == BATCH)
		flush(w);
}

/* A text shorter than a window has one print all the same. */
static void
finish(struct winnow *w)
{
	size_t n;
	uint64_t least = UINT64_MAX;

	flush(w);
	n = w->all >= PRINTS_WORDS ? w->all - PRINTS_WORDS + 1 : 0;
	if (n == 0 || n >= PRINTS_WINDOW)
		return;
	for (size_t i = 0; i < n; i++)
		least = smaller(least, w->hashes[BEFORE - 1 - i]);
	take_each(w, &least, 1);
}

/* How many bits are set from the lowest one on. */
static unsigned
ones(uint64_t bits)
{
	return ~bits == 0 ? 64 : (unsigned)__builtin_ctzll(~bits);
}

/* Eight bytes at a time. The bit that tells capitals apart is set in all, which
 * leaves digits as they are. */
static uint64_t
long_hash(struct slice text, size_t from, size_t to)
{
	uint64_t h = to - from, eight;

	for (size_t i = from; i < to; i += sizeof eight) {
		eight = block_eight(text, i);
		/* What stands behind the word is none of it. */
		if (to - i < sizeof eight)
			eight &= (UINT64_C(1) << (to - i) * 8) - 1;
		h = mixed(h * BASE + (eight | BLOCK_EACH(0x20)));
	}
	return h;
}

/* The same for nearly all words, which have 16 bytes at most: whether it is one
 * step or two is no branch, for nobody could foretell it. */
static uint64_t
word_hash(struct slice text, size_t from, size_t to)
{
	size_t len = to - from, first = len < 8 ? len : 8;
	uint64_t one, two, h;

	if (len > 16 || text.len - from < 16)
		return long_hash(text, from, to);
	memcpy(&one, text.ptr + from, sizeof one);
	memcpy(&two, text.ptr + from + 8, sizeof two);
	/* A shift by 64 is none, so it is done in two steps. */
	one = le64toh(one) & ~(~UINT64_C(0) << first * 4 << first * 4);
	two = le64toh(two) & ~(~UINT64_C(0) << (len - first) * 4 <<
	    (len - first) * 4);
	h = mixed(len * BASE + (one | BLOCK_EACH(0x20)));
	two = mixed(h * BASE + (two | BLOCK_EACH(0x20)));
	return len > 8 ? two : h;
}

/* The words of a block; the one that goes on behind it is left open. */
static void
add_block(struct winnow *w, struct slice text, size_t at, size_t *open)
{
	uint64_t block = block_words(text, at);
	unsigned from = 0, n;

	if (*open != SIZE_MAX) {
		n = ones(block);
		if (n == 64)
			return;
		add_word(w, word_hash(text, *open, at + n));
		*open = SIZE_MAX;
		block &= ~UINT64_C(0) << n;
	}
	while (block != 0) {
		from = (unsigned)__builtin_ctzll(block);
		n = ones(block >> from);
		if (from + n >= 64) {
			*open = at + from;
			return;
		}
		add_word(w, word_hash(text, at + from, at + from + n));
		block &= ~UINT64_C(0) << (from + n);
	}
}

void
prints_each(struct slice text, void (*take)(const uint64_t *hashes, size_t n,
    void *arg), void *arg)
{
	struct winnow w = { .take = take, .arg = arg };
	size_t open = SIZE_MAX;

	for (size_t at = 0; at < text.len; at += BLOCK)
		add_block(&w, text, at, &open);
	if (open != SIZE_MAX)
		add_word(&w, word_hash(text, open, text.len));
	finish(&w);
}

/* ---- a set ---- */

static void
unmap(void *arg)
{
	const struct prints *set = arg;

	munmap(set->map, set->size);
}

static bool
sound(const struct prints *set)
{
	for (uint32_t i = 0; i < set->head.documents; i++)
		if (memchr(set->documents[i].name, '\0', PRINTS_NAME) == NULL ||
		    set->documents[i].count == 0)
			return false;
	for (uint32_t i = 0; i < set->head.prints; i++) {
		const struct print *p = &set->all[i];

		if (p->document >= set->head.documents ||
		    (i > 0 && (p[-1].hash > p->hash ||
		    (p[-1].hash == p->hash && p[-1].document >= p->document))))
			return false;
	}
	return true;
}

static bool
laid_out(struct prints *set)
{
	const char *bytes = set->map;

	if (set->size < sizeof set->head)
		return false;
	memcpy(&set->head, bytes, sizeof set->head);
	if (memcmp(set->head.magic, magic, sizeof magic) != 0 ||
	    set->head.documents > PRINTS_DOCUMENTS ||
	    set->head.prints > PRINTS_MAX ||
	    set->size != sizeof set->head + set->head.documents *
	    sizeof (struct document) + set->head.prints *
	    sizeof (struct print))
		return false;
	set->documents = (const void *)(bytes + sizeof set->head);
	set->all = (const void *)(set->documents + set->head.documents);
	return sound(set);
}

/* Nearly all text is in no set: sixteen bits for each print say so at once. */
static void
make_filter(struct prints *set, struct arena *a)
{
	unsigned bits = 12;

	while (bits < 32 && UINT64_C(1) << bits < set->head.prints * 16ull)
		bits++;
	set->shift = 64 - bits;
	set->filter = arena_alloc(a, (size_t)1 << (bits - 3));
	for (size_t i = 0; i < set->head.prints; i++) {
		uint64_t top = set->all[i].hash >> set->shift;

		set->filter[top / 64] |= UINT64_C(1) << top % 64;
	}
}

static enum rc
map_file(int fd, const char *path, struct prints *set, struct arena *a,
    struct slice *why_r)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size <= 0) {
		*why_r = arena_printf(a, "%s is no set of fingerprints; "
		    "gatehouse dlp learn makes one", path);
		return RC_BAD;
	}
	set->size = (size_t)st.st_size;
	set->map = mmap(NULL, set->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (set->map == MAP_FAILED) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
		return RC_RETRY;
	}
	arena_defer(a, unmap, set);
	if (laid_out(set)) {
		make_filter(set, a);
		return RC_OK;
	}
	*why_r = arena_printf(a, "%s is no set of fingerprints, or a damaged "
	    "one; make it anew with gatehouse dlp learn", path);
	return RC_BAD;
}

enum rc
prints_open(const char *path, const struct prints **set_r, struct arena *a,
    struct slice *why_r)
{
	struct prints *set = arena_alloc(a, sizeof *set);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum rc rc;

	if (fd < 0) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
		return errno == ENOENT ? RC_BAD : RC_RETRY;
	}
	rc = map_file(fd, path, set, a, why_r);
	close(fd);
	*set_r = set;
	return rc;
}

size_t
prints_documents(const struct prints *set)
{
	return set->head.documents;
}

struct slice
prints_name(const struct prints *set, size_t i)
{
	return i < set->head.documents ? slice_of(set->documents[i].name) :
	    SLICE_NONE;
}

/* ---- what of it is there ---- */

struct looking {
	const struct prints *set;
	unsigned char *seen;
};

static void
see(const struct looking *l, uint64_t hash)
{
	const struct print *all = l->set->all;
	size_t low = 0, high = l->set->head.prints;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (all[mid].hash < hash)
			low = mid + 1;
		else
			high = mid;
	}
	/* Who has it already has all of it. */
	if (low < l->set->head.prints && all[low].hash == hash &&
	    (l->seen[low / 8] & 1u << low % 8) != 0)
		return;
	for (; low < l->set->head.prints && all[low].hash == hash; low++)
		l->seen[low / 8] |= (unsigned char)(1u << low % 8);
}

/* The bitmap is larger than what is near to the core, so all its answers are
 * asked for at once. */
static void
look(const uint64_t *hashes, size_t n, void *arg)
{
	const struct looking *l = arg;
	uint64_t maybe[BEFORE + BATCH] = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t top = hashes[i] >> l->set->shift;

		maybe[count] = hashes[i];
		count += l->set->filter[top / 64] >> top % 64 & 1;
	}
	for (size_t i = 0; i < count; i++)
		see(l, maybe[i]);
}

size_t
prints_bytes(const struct prints *set)
{
	return set->head.prints / 8 + 1;
}

void
prints_seen(const struct prints *set, struct slice text, unsigned char *seen)
{
	struct looking l = { set, seen };

	prints_each(text, look, &l);
}

void
prints_share(const struct prints *set, const unsigned char *seen,
    unsigned char *share_r)
{
	size_t n = set->head.documents;
	uint32_t *found = mem_alloc((n + 1) * sizeof *found);

	memset(found, 0, (n + 1) * sizeof *found);
	for (size_t i = 0; i < set->head.prints; i++)
		if ((seen[i / 8] & 1u << i % 8) != 0)
			found[set->all[i].document]++;
	for (size_t i = 0; i < n; i++) {
		uint64_t share = found[i] * UINT64_C(100) /
		    set->documents[i].count;

		share_r[i] = (unsigned char)(share < 100 ? share : 100);
	}
	free(found);
}

/* ---- one more ---- */

struct growing {
	struct print *all;
	size_t n, cap;
	uint32_t document;
	bool full;
};

static void
put(struct growing *g, struct print p)
{
	if (g->n >= PRINTS_MAX) {
		g->full = true;
		return;
	}
	if (g->n == g->cap) {
		g->cap = g->cap * 2 + 1024;
		g->all = mem_grow(g->all, g->cap * sizeof *g->all);
	}
	g->all[g->n++] = p;
}

static void
take(const uint64_t *hashes, size_t n, void *arg)
{
	struct growing *g = arg;

	for (size_t i = 0; i < n; i++)
		put(g, (struct print){ hashes[i], g->document, 0 });
}

static int
in_order(const void *a, const void *b)
{
	const struct print *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return x->document < y->document ? -1 : x->document > y->document;
}

static void
without_twins(struct growing *g)
{
	size_t n = 0;

	if (g->n > 0)
		qsort(g->all, g->n, sizeof *g->all, in_order);
	for (size_t i = 0; i < g->n; i++)
		if (n == 0 || in_order(&g->all[n - 1], &g->all[i]) != 0)
			g->all[n++] = g->all[i];
	g->n = n;
}

/* Its number: that of the name, or behind all others. */
static uint32_t
number_of(const struct prints *to, struct slice name)
{
	uint32_t i = 0, n = to != NULL ? to->head.documents : 0;

	while (i < n && !slice_eq(prints_name(to, i), name))
		i++;
	return i;
}

static void
write_set(const struct prints *to, const struct growing *g,
    struct slice name, struct buf *out)
{
	struct head head = { .prints = (uint32_t)g->n };
	uint32_t n = to != NULL ? to->head.documents : 0;
	struct document *documents;

	head.documents = g->document < n ? n : n + 1;
	memcpy(head.magic, magic, sizeof magic);
	documents = mem_alloc(head.documents * sizeof *documents);
	memset(documents, 0, head.documents * sizeof *documents);
	for (uint32_t i = 0; i < n; i++)
		memcpy(documents[i].name, to->documents[i].name, PRINTS_NAME);
	if (g->document == n)
		memcpy(documents[n].name, name.ptr, name.len);
	for (size_t i = 0; i < g->n; i++)
		documents[g->all[i].document].count++;
	buf_add(out, slice_make(&head, sizeof head));
	buf_add(out, slice_make(documents,
	    head.documents * sizeof *documents));
	buf_add(out, slice_make(g->all, g->n * sizeof *g->all));
	free(documents);
}

bool
prints_add(const struct prints *to, struct slice name, struct slice text,
    struct buf *out, struct arena *a, struct slice *why_r)
{
	struct growing g = { .document = number_of(to, name) };
	size_t before;
	bool good = false;

	if (name.len == 0 || name.len >= PRINTS_NAME || slice_has(name, '\0')) {
		*why_r = arena_printf(a, "a name of %zu bytes; it wants 1 to "
		    "%d", name.len, PRINTS_NAME - 1);
		return false;
	}
	for (size_t i = 0; to != NULL && i < to->head.prints; i++)
		if (to->all[i].document != g.document)
			put(&g, to->all[i]);
	before = g.n;
	prints_each(text, take, &g);
	if (g.n == before)
		*why_r = arena_printf(a, "%.*s has fewer than %d words that "
		    "can be read", SLICE_ARG(name), PRINTS_WORDS);
	else if (g.full || g.document >= PRINTS_DOCUMENTS)
		*why_r = arena_printf(a, "the set would be too large; begin "
		    "another one");
	else
		good = true;
	if (good) {
		without_twins(&g);
		write_set(to, &g, name, out);
	}
	free(g.all);
	return good;
}
