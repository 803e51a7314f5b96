#include "tools/diff.h"

#include <string.h>

#include "tools/verb.h"

enum {
	CONTEXT = 3,			/* unchanged lines shown around changes */
	EFFORT = 2000,			/* edits looked for before giving up */
};

struct lines {
	struct slice *items;
	size_t count;
};

struct diff {
	struct buf *out;
	struct arena *a;
	struct lines before, after;
};

static struct lines
split(struct arena *a, struct slice text)
{
	struct lines l = { NULL, 0 };
	struct slice rest = text, line;

	while (slice_line(&rest, &line))
		l.count++;
	l.items = arena_array(a, l.count + 1, sizeof *l.items);
	l.count = 0;
	rest = text;
	while (slice_line(&rest, &line))
		l.items[l.count++] = line;
	return l;
}

static void
show(struct diff *d, char mark, struct slice line)
{
	buf_addc(d->out, mark);
	buf_add(d->out, verb_safe(d->a, line));
	buf_addc(d->out, '\n');
}

/* Keeps each round's furthest points, so that the way back can be walked. */
static long
search(struct diff *d, size_t from, long n, long m, long **trace)
{
	long max = n + m < EFFORT ? n + m : EFFORT;
	long *v = arena_array(d->a, (size_t)(2 * max + 3), sizeof *v);

	for (long e = 0; e <= max; e++) {
		trace[e] = arena_array(d->a, (size_t)(2 * e + 3), sizeof *v);
		for (long k = -e; k <= e; k += 2) {
			bool down = k == -e || (k != e &&
			    v[max + k] < v[max + k + 2]);
			long x = down ? v[max + k + 2] : v[max + k] + 1;

			while (x < n && x - k < m && slice_eq(
			    d->before.items[from + (size_t)x],
			    d->after.items[from + (size_t)(x - k)]))
				x++;
			v[max + k + 1] = x;
			if (x >= n && x - k >= m)
				return e;
		}
		memcpy(trace[e], v + max - e, (size_t)(2 * e + 3) *
		    sizeof *v);
	}
	return -1;
}

/* From the end to the start; ops_r is filled backwards: '-', '+' or ' '. */
static char *
walk_back(struct diff *d, long e, long n, long m, long *const *trace,
    size_t *count_r)
{
	size_t at = (size_t)(n + m);
	char *ops = arena_alloc(d->a, at + 1);
	long x = n, y = m;

	for (; e > 0; e--) {
		const long *v = trace[e - 1];	/* v[k + e]: diagonal k */
		long k = x - y;
		bool down = k == -e || (k != e && v[k - 1 + e] < v[k + 1 + e]);
		long px = down ? v[k + 1 + e] : v[k - 1 + e];
		long py = px - (down ? k + 1 : k - 1);

		while (x > px + !down && y > py + down) {
			ops[--at] = ' ';
			x--;
			y--;
		}
		ops[--at] = down ? '+' : '-';
		x = px;
		y = py;
	}
	for (; x > 0; x--)
		ops[--at] = ' ';
	*count_r = (size_t)(n + m) - at;
	return ops + at;
}

static void
show_ops(struct diff *d, size_t from, const char *ops, size_t count)
{
	size_t x = from, y = from;

	for (size_t i = 0; i < count; i++) {
		if (ops[i] == '+') {
			show(d, '+', d->after.items[y++]);
			continue;
		}
		show(d, ops[i], d->before.items[x++]);
		y += ops[i] == ' ';
	}
}

static void
show_middle(struct diff *d, size_t from, size_t n, size_t m)
{
	size_t max = n + m < EFFORT ? n + m : EFFORT, count;
	long **trace = arena_array(d->a, max + 1, sizeof *trace);
	long e = search(d, from, (long)n, (long)m, trace);
	char *ops;

	if (e >= 0) {
		ops = walk_back(d, e, (long)n, (long)m, trace, &count);
		show_ops(d, from, ops, count);
		return;
	}
	for (size_t i = 0; i < n; i++)
		show(d, '-', d->before.items[from + i]);
	for (size_t i = 0; i < m; i++)
		show(d, '+', d->after.items[from + i]);
}

void
diff_lines(struct buf *out, struct arena *a, struct slice before,
    struct slice after)
{
	struct diff d = { out, a, split(a, before), split(a, after) };
	size_t n = d.before.count, m = d.after.count, from = 0, end = 0;
	size_t first, last;

	while (from < n && from < m &&
	    slice_eq(d.before.items[from], d.after.items[from]))
		from++;
	while (end < n - from && end < m - from &&
	    slice_eq(d.before.items[n - 1 - end], d.after.items[m - 1 - end]))
		end++;
	if (n - from - end == 0 && m - from - end == 0)
		return;
	first = from > CONTEXT ? from - CONTEXT : 0;
	last = end > CONTEXT ? CONTEXT : end;
	buf_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", first + 1,
	    n - end - first + last, first + 1, m - end - first + last);
	for (size_t i = first; i < from; i++)
		show(&d, ' ', d.before.items[i]);
	show_middle(&d, from, n - from - end, m - from - end);
	for (size_t i = 0; i < last; i++)
		show(&d, ' ', d.before.items[n - end + i]);
}
