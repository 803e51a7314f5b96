/* What gatehouse test shows of a changed body. */
#include <stdio.h>
#include <stdlib.h>

#include "t/tap.h"
#include "tools/diff.h"

static const struct {
	const char *name, *before, *after, *diff;
} cases[] = {
	{ "the same", "a\nb\n", "a\nb\n", "" },
	{ "both empty", "", "", "" },
	{ "all new", "", "a\n", "@@ -1,0 +1,1 @@\n+a\n" },
	{ "all gone", "a\nb\n", "", "@@ -1,2 +1,0 @@\n-a\n-b\n" },
	{ "one of many", "1\n2\n3\n4\n5\nx\n6\n7\n8\n9\n",
	  "1\n2\n3\n4\n5\ny\n6\n7\n8\n9\n",
	  "@@ -3,7 +3,7 @@\n 3\n 4\n 5\n-x\n+y\n 6\n 7\n 8\n" },
	{ "put in between", "a\nb\n", "a\nx\nb\n",
	  "@@ -1,2 +1,3 @@\n a\n+x\n b\n" },
	{ "two places", "a\nb\nc\nd\n", "A\nb\nc\nD\n",
	  "@@ -1,4 +1,4 @@\n-a\n+A\n b\n c\n-d\n+D\n" },
	{ "moved", "a\nb\nc\n", "b\nc\na\n",
	  "@@ -1,3 +1,3 @@\n-a\n b\n c\n+a\n" },
	{ "CRLF is no change of a line", "a\r\n", "a\n", "" },
	{ "no text", "a\n", "\x1b[31m\xff\n", "@@ -1,1 +1,1 @@\n-a\n"
	  "+\\x1B[31m\\xFF\n" },
};

/* Applies it to before; the hunk covers one stretch. */
static bool
leads_to(struct arena *a, struct slice before, struct slice after,
    struct slice diff)
{
	struct buf old = buf_in(a), new = buf_in(a);
	struct slice line;

	slice_line(&diff, &line);
	while (slice_line(&diff, &line)) {
		struct buf *to[] = { &old, &new };

		for (int i = 0; i < 2; i++) {
			if (line.ptr[0] == (i == 0 ? '+' : '-'))
				continue;
			buf_add(to[i], slice_after(line, 1));
			buf_addc(to[i], '\n');
		}
	}
	return slice_search(before, buf_slice(&old)) < before.len + 1 &&
	    slice_search(after, buf_slice(&new)) < after.len + 1 &&
	    (old.len == 0 || slice_has(before, '\n'));
}

static struct slice
random_text(struct arena *a)
{
	struct buf out = buf_in(a);
	long lines = random() % 12;

	while (lines-- > 0)
		buf_addf(&out, "%c\n", (int)('a' + random() % 4));
	return buf_slice(&out);
}

int
main(void)
{
	struct arena *a = arena_new();
	unsigned bad = 0;
	struct buf big = { 0 }, other = { 0 }, out = { 0 };

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct buf diff = buf_in(a);

		diff_lines(&diff, a, slice_of(cases[i].before),
		    slice_of(cases[i].after));
		tap_is(buf_slice(&diff), slice_of(cases[i].diff), "%s",
		    cases[i].name);
	}
	srandom(1);
	for (int i = 0; i < 20000; i++) {
		struct slice before = random_text(a), after = random_text(a);
		struct buf diff = buf_in(a);

		diff_lines(&diff, a, before, after);
		if (!slice_eq(before, after))
			bad += !leads_to(a, before, after, buf_slice(&diff));
		arena_reset(a);
	}
	tap_is_int(bad, 0, "20000 random ones lead from one to the other");
	for (int i = 0; i < 20000; i++) {
		buf_addf(&big, "%d\n", i);
		buf_addf(&other, "%d\n", -i - 1);
	}
	diff_lines(&out, a, buf_slice(&big), buf_slice(&other));
	tap_ok(out.len > big.len + other.len, "too different: all replaced");
	buf_free(&big);
	buf_free(&other);
	buf_free(&out);
	arena_free(a);
	return tap_done();
}
