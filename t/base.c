/* The base room: slices, arenas, buffers, maps, clocks. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/map.h"
#include "base/write.h"
#include "t/tap.h"

static void
slices(void)
{
	struct slice s = SLICE("a=b=c"), rest, line;
	uint64_t n = 7;

	tap_is(slice_cut(s, '=', &rest), SLICE("a"), "cut gives the first");
	tap_is(rest, SLICE("b=c"), "and the rest");
	tap_is(slice_cut(SLICE("a="), '=', &rest), SLICE("a"), "empty rest");
	tap_ok(ascii_all_of(SLICE("aZ09-_"), "-_"), "all of a set");
	tap_ok(!ascii_all_of(SLICE("a.b"), "-_"), "not all");
	tap_ok(!ascii_all_of(SLICE("a\0b"), "-_"), "a NUL is in no set");
	tap_ok(rest.ptr != NULL && rest.len == 0, "is empty, not absent");
	slice_cut(SLICE("a"), '=', &rest);
	tap_ok(rest.ptr == NULL, "no separator: the rest is absent");
	tap_ok(slice_eq_nocase(SLICE("FooBAR"), SLICE("fOObar")), "case folded");
	tap_ok(!slice_eq_nocase(SLICE("\xc4"), SLICE("\xe4")), "ASCII only");
	tap_ok(!slice_eq(SLICE("a\0b"), SLICE("a\0c")), "NUL does not end it");
	tap_ok(slice_ends_nocase(SLICE("x.EXE"), SLICE(".exe")), "ends");
	tap_ok(!slice_ends(SLICE("exe"), SLICE(".exe")), "end longer than all");
	tap_is(slice_sub(s, 2, 100), SLICE("b=c"), "sub clips its length");
	tap_is(slice_sub(s, 9, 1), SLICE(""), "sub clips its start");
	tap_is_int((long long)slice_search(s, SLICE("=c")), 3, "search");
	tap_is_int((long long)slice_search(s, SLICE("x")), 5, "search in vain");
	tap_is(slice_trim(SLICE(" \r\n\t x y \t")), SLICE("x y"), "trim");
	tap_ok(slice_cmp(SLICE("a"), SLICE("ab")) < 0, "shorter is less");

	rest = SLICE("one\r\ntwo\n\nlast");
	tap_ok(slice_line(&rest, &line) && slice_eq(line, SLICE("one")) &&
	    slice_line(&rest, &line) && slice_eq(line, SLICE("two")) &&
	    slice_line(&rest, &line) && line.len == 0 &&
	    slice_line(&rest, &line) && slice_eq(line, SLICE("last")) &&
	    !slice_line(&rest, &line), "lines, with CRLF, LF and no end");

	tap_ok(slice_number(SLICE("255"), 255, &n) && n == 255, "number at max");
	tap_ok(!slice_number(SLICE("256"), 255, &n), "over max");
	tap_ok(!slice_number(SLICE("9"), 5, &n), "single digit over max");
	tap_ok(!slice_number(SLICE(""), 255, &n), "nothing is no number");
	tap_ok(!slice_number(SLICE("+1"), 255, &n), "no sign");
	tap_ok(slice_number(SLICE("18446744073709551615"), UINT64_MAX, &n) &&
	    n == UINT64_MAX, "largest of all");
	tap_ok(!slice_number(SLICE("18446744073709551616"), UINT64_MAX, &n),
	    "one more");
}

static void
hex(void)
{
	char text[9] = "-", bytes[4] = "abc";

	hex_write(text, "\x00\xff\x7f\xa0", 4);
	tap_is_str(text, "00ff7fa0", "bytes as digits");
	tap_ok(hex_read(bytes, 4, SLICE("00FF7fa0")) &&
	    slice_eq(slice_make(bytes, 4), SLICE("\x00\xff\x7f\xa0")),
	    "and back, of either case");
	tap_ok(!hex_read(bytes, 4, SLICE("00ff7fa")) &&
	    !hex_read(bytes, 4, SLICE("00ff7fa00")) &&
	    !hex_read(bytes, 4, SLICE("00ff7fag")) &&
	    !hex_read(bytes, 4, SLICE("")), "not what is no such number");
	tap_ok(hex_copy(text, 4, SLICE("12aF")) &&
	    slice_eq(slice_of(text), SLICE("12aF")), "digits are copied");
	tap_ok(!hex_copy(text, 4, SLICE("12ag")) &&
	    !hex_copy(text, 4, SLICE("12a")), "and nothing else");
}

static char order[8];
static size_t norder;

static void
note(void *arg)
{
	order[norder++] = *(const char *)arg;
}

static void
arenas(void)
{
	struct arena *a = arena_new();
	int *numbers = NULL;
	size_t room = 0;
	static char first = '1', second = '2';
	char *big;
	bool zero = true;

	for (int round = 0; round < 3; round++) {
		for (size_t size = 1; size < 40000; size = size * 3 + 1) {
			unsigned char *p = arena_alloc(a, size);

			for (size_t i = 0; i < size; i++)
				zero = zero && p[i] == 0;
			for (size_t i = 0; i < size; i++)
				p[i] = 0xff;
			if ((uintptr_t)p % _Alignof(max_align_t) != 0)
				zero = false;
		}
		arena_reset(a);
	}
	tap_ok(zero, "zeroed and aligned, also after a reset");
	tap_is_int((long long)arena_used(a), 0, "reset counts from nothing");
	big = arena_alloc(a, 1 << 20);
	big[(1 << 20) - 1] = 'x';
	tap_ok(arena_used(a) >= 1 << 20, "used counts");
	tap_is(arena_copy(a, SLICE("a\0b")), SLICE("a\0b"), "copy keeps NUL");
	tap_ok(arena_copy(a, SLICE_NONE).ptr == NULL, "absent stays absent");
	tap_is(arena_printf(a, "%d-%s", 12, "x"), SLICE("12-x"), "printf");
	for (size_t i = 0; i < 100; i++) {
		numbers = arena_more(a, numbers, i, &room, sizeof *numbers);
		numbers[i] = (int)i;
	}
	tap_ok(numbers[0] == 0 && numbers[99] == 99 && room == 128,
	    "an array grows, and keeps what it has");
	arena_defer(a, note, &first);
	arena_defer(a, note, &second);
	arena_reset(a);
	order[norder] = '\0';
	tap_is_str(order, "21", "deferred, last one first");
	arena_free(a);
	arena_free(NULL);
}

static void
bufs(void)
{
	struct buf b = { 0 };
	struct arena *a = arena_new();
	struct buf c = buf_in(a);

	for (int i = 0; i < 1000; i++) {
		buf_addf(&b, "%d,", i % 10);
		buf_addc(&c, 'x');
	}
	tap_is_int((long long)b.len, 2000, "a heap buffer grows");
	tap_is_int((long long)c.len, 1000, "so does one in an arena");
	tap_is(slice_sub(buf_slice(&b), 0, 4), SLICE("0,1,"), "in order");
	buf_clear(&b);
	tap_ok(buf_slice(&b).ptr != NULL && b.len == 0, "cleared is empty");
	buf_free(&b);
	buf_free(&c);
	b = (struct buf){ 0 };
	buf_room(&b, 0);		/* nothing to point at, and no harm */
	buf_took(&b, 0);
	tap_is(buf_slice(&b), SLICE(""), "no room in an empty one");
	arena_free(a);
}

static bool
keep_odd(struct slice key, void *value, void *arg)
{
	(void)key;
	++*(int *)arg;
	return (uintptr_t)value % 2 == 1;
}

static void
maps(void)
{
	struct map *m = map_new();
	char key[32];
	bool good = true;
	int seen = 0;

	for (uintptr_t i = 1; i <= 1000; i++) {
		int len = snprintf(key, sizeof key, "key%d", (int)i);

		good = good && map_put(m, slice_make(key, (size_t)len),
		    (void *)i) == NULL;
	}
	for (uintptr_t i = 1; i <= 1000; i++) {
		int len = snprintf(key, sizeof key, "key%d", (int)i);

		good = good && map_get(m, slice_make(key, (size_t)len)) ==
		    (void *)i;
	}
	tap_ok(good, "a thousand keys found again");
	tap_ok(map_put(m, SLICE("key7"), (void *)9) == (void *)7, "replaced");
	tap_ok(map_get(m, SLICE("key0")) == NULL, "absent");
	map_each(m, keep_odd, &seen);
	tap_is_int(seen, 1000, "each is visited");
	tap_is_int((long long)map_count(m), 500, "half of them removed");
	tap_ok(map_remove(m, SLICE("key9")) == (void *)9, "removed");
	tap_ok(map_remove(m, SLICE("key9")) == NULL, "once");
	map_put(m, SLICE("a\0b"), m);
	tap_ok(map_get(m, SLICE("a\0c")) == NULL, "NUL does not end a key");
	map_free(m);
	map_free(NULL);
}

static void
clocks(void)
{
	deadline_t d = deadline_in(100000);

	tap_ok(deadline_left(d) > 99000, "most of it is left");
	tap_is_int(deadline_left(clock_mono() - 5), 0, "none of a past one");
	tap_ok(deadline_in(INT64_MAX) == DEADLINE_NEVER, "never overflows");
	tap_ok(deadline_left(DEADLINE_NEVER) > 1000000, "never is far");
	tap_ok(deadline_earlier(d, DEADLINE_NEVER) == d, "the earlier one");
	tap_is_int(deadline_timespec(7999).tv_sec, 7, "seconds of it");
	tap_is_int(deadline_timespec(7999).tv_nsec, 999000000, "and the rest");
	clock_pin(1000);
	tap_is_int(clock_wall(), 1000, "pinned");
}

/* Behind a pipe that holds less than is written; then behind its end. */
static void
writes(void)
{
	static const char bytes[200000];
	struct buf got = { 0 };
	int fds[2], status = -1;
	ssize_t n;
	pid_t pid;

	signal(SIGPIPE, SIG_IGN);
	if (pipe(fds) != 0)
		perror("pipe");
	pid = fork();
	if (pid == 0)
		_exit(write_all(fds[1], slice_make(bytes, sizeof bytes)) ? 0 :
		    1);
	close(fds[1]);
	while ((n = read(fds[0], buf_room(&got, 1000), 1000)) > 0)
		buf_took(&got, (size_t)n);
	waitpid(pid, &status, 0);
	tap_is_int((long long)got.len, sizeof bytes, "all of it came");
	tap_is_int(status, 0, "and the writer knows");
	buf_free(&got);
	close(fds[0]);
	if (pipe(fds) != 0)
		perror("pipe");
	close(fds[0]);
	tap_ok(!write_all(fds[1], SLICE("x")) && errno == EPIPE,
	    "nobody reads: it fails and says why");
	tap_ok(write_all(fds[1], SLICE("")), "nothing is written at once");
	close(fds[1]);
}

/* Against memmem, in texts of few kinds of bytes, where the first byte of what
 * is looked for is everywhere, and in those where it is nowhere. */
static void
searches(void)
{
	unsigned seed = 7, wrong = 0, found = 0;
	char text[300], what[6];

	for (unsigned i = 0; i < 3000; i++) {
		size_t n = i % sizeof text, m = 1 + i % sizeof what;
		struct slice s = slice_make(text, n), w = slice_make(what, m);
		unsigned kinds = i % 3 == 0 ? 2 : i % 3 == 1 ? 4 : 60;
		const char *at;
		size_t got;

		for (size_t k = 0; k < n + m; k++) {
			seed = seed * 1103515245 + 12345;
			*(k < n ? &text[k] : &what[k - n]) =
			    (char)('a' + (seed >> 16) % kinds);
		}
		if (i % 2 == 0 && n > 2 * m)
			memcpy(text + n - m, what, m);
		at = memmem(text, n, what, m);
		got = slice_search(s, w);
		found += at != NULL;
		wrong += got != (at != NULL ? (size_t)(at - text) : n);
	}
	tap_ok(wrong == 0 && found > 1000, "slice_search finds what memmem "
	    "does");
}

int
main(void)
{
	writes();
	slices();
	hex();
	arenas();
	bufs();
	maps();
	clocks();
	searches();
	return tap_done();
}
