#include "detect/prints.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* A text's words one after the other. The hash of PRINTS_WORDS words is a
 * polynomial of theirs, so that a word more is two multiplications; mixed, for
 * the low bits of a polynomial are poor. */
struct winnow {
	uint64_t words[PRINTS_WORDS], hashes[PRINTS_WINDOW];
	uint64_t sum;
	size_t nwords, nhashes;
	size_t best, taken;		/* hashes, by number; taken: 1 + it */
	void (*take)(uint64_t hash, void *arg);
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

/* The smallest of the window, of equal ones the last; each is taken once. */
static void
window(struct winnow *w)
{
	size_t n = w->nhashes < PRINTS_WINDOW ? w->nhashes : PRINTS_WINDOW;
	size_t last = w->nhashes - 1, first = w->nhashes - n;

	if (w->best < first || w->nhashes <= PRINTS_WINDOW) {
		w->best = first;
		for (size_t i = first; i <= last; i++)
			if (w->hashes[i % PRINTS_WINDOW] <=
			    w->hashes[w->best % PRINTS_WINDOW])
				w->best = i;
	} else if (w->hashes[last % PRINTS_WINDOW] <=
	    w->hashes[w->best % PRINTS_WINDOW]) {
		w->best = last;
	}
	if (w->taken == w->best + 1)
		return;
	w->taken = w->best + 1;
	w->take(w->hashes[w->best % PRINTS_WINDOW], w->arg);
}

static void
add_word(struct winnow *w, uint64_t word)
{
	uint64_t *place = &w->words[w->nwords % PRINTS_WORDS];

	w->sum = w->sum * BASE + word - *place * BASE_5;
	*place = word;
	if (++w->nwords < PRINTS_WORDS)
		return;
	w->hashes[w->nhashes++ % PRINTS_WINDOW] = mixed(w->sum);
	if (w->nhashes >= PRINTS_WINDOW)
		window(w);
}

/* A byte in each of eight. */
#define EACH(c)	(UINT64_C(0x0101010101010101) * (c))

/* Eight bytes as a number, whose lowest one is the first; 0 behind the end. */
static uint64_t
eight_at(struct slice text, size_t at)
{
	unsigned char bytes[8] = { 0 };
	uint64_t eight;

	if (text.len - at >= sizeof eight) {
		memcpy(&eight, text.ptr + at, sizeof eight);
	} else {
		memcpy(bytes, text.ptr + at, text.len - at);
		memcpy(&eight, bytes, sizeof eight);
	}
	return le64toh(eight);
}

/* A bit for each of eight bytes: letter, digit, or beyond ASCII. Carries of the
 * additions stay within a byte, for the top bits are masked out first. */
static uint64_t
in_words(uint64_t eight)
{
	uint64_t low = eight & EACH(0x7f), small = low | EACH(0x20);
	uint64_t letter = (small + EACH(0x80 - 'a')) &
	    ~(small + EACH(0x7f - 'z'));
	uint64_t digit = (low + EACH(0x80 - '0')) &
	    ~(low + EACH(0x7f - '9'));
	uint64_t is = (letter | digit | eight) & EACH(0x80);

	return (is >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

/* The same for the 64 bytes from `at`: words are found by the bit, and not by
 * asking of each byte whether it ends one. */
static uint64_t
block_at(struct slice text, size_t at)
{
	uint64_t block = 0;

	for (unsigned i = 0; i < 64 && at + i < text.len; i += 8)
		block |= in_words(eight_at(text, at + i)) << i;
	return block;
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
word_hash(struct slice text, size_t from, size_t to)
{
	uint64_t h = to - from, eight;

	for (size_t i = from; i < to; i += sizeof eight) {
		eight = eight_at(text, i);
		/* What stands behind the word is none of it. */
		if (to - i < sizeof eight)
			eight &= (UINT64_C(1) << (to - i) * 8) - 1;
		h = mixed(h * BASE + (eight | EACH(0x20)));
	}
	return h;
}

/* The words of a block; the one that goes on behind it is left open. */
static void
add_block(struct winnow *w, struct slice text, size_t at, size_t *open)
{
	uint64_t block = block_at(text, at);
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
prints_each(struct slice text, void (*take)(uint64_t hash, void *arg),
    void *arg)
{
	struct winnow w = { .take = take, .arg = arg };
	size_t open = SIZE_MAX;

	for (size_t at = 0; at < text.len; at += 64)
		add_block(&w, text, at, &open);
	if (open != SIZE_MAX)
		add_word(&w, word_hash(text, open, text.len));
	/* A text shorter than a window has one all the same. */
	if (w.nhashes > 0 && w.nhashes < PRINTS_WINDOW)
		window(&w);
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
look(uint64_t hash, void *arg)
{
	const struct looking *l = arg;
	const struct print *all = l->set->all;
	size_t low = 0, high = l->set->head.prints;
	uint64_t top = hash >> l->set->shift;

	if ((l->set->filter[top / 64] & UINT64_C(1) << top % 64) == 0)
		return;
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
take(uint64_t hash, void *arg)
{
	struct growing *g = arg;

	put(g, (struct print){ hash, g->document, 0 });
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
