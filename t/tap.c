#include "t/tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"

static unsigned tests, failures;

static void say(bool good, const char *fmt, va_list args)
    __attribute__((format(printf, 2, 0)));

static void
say(bool good, const char *fmt, va_list args)
{
	printf("%sok %u - ", good ? "" : "not ", ++tests);
	vprintf(fmt, args);
	putchar('\n');
	if (!good)
		failures++;
	fflush(stdout);
}

/* One line of comment, whatever bytes are in it. */
static void
show(const char *label, struct slice s)
{
	printf("#   %s: ", label);
	if (s.ptr == NULL)
		printf("(absent)");
	for (size_t i = 0; s.ptr != NULL && i < s.len && i < 2000; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		if (c < ' ' || c > '~' || c == '\\')
			printf("\\x%02x", c);
		else
			putchar(c);
	}
	printf("%s\n", s.len > 2000 ? " ..." : "");
	fflush(stdout);
}

bool
tap_ok(bool good, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(good, fmt, args);
	va_end(args);
	return good;
}

bool
tap_is_int(long long got, long long want, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(got == want, fmt, args);
	va_end(args);
	if (got != want)
		tap_diag("  got: %lld\n#   want: %lld", got, want);
	return got == want;
}

bool
tap_is(struct slice got, struct slice want, const char *fmt, ...)
{
	bool good = slice_eq(got, want) &&
	    (got.ptr == NULL) == (want.ptr == NULL);
	va_list args;

	va_start(args, fmt);
	say(good, fmt, args);
	va_end(args);
	if (!good) {
		show("got", got);
		show("want", want);
	}
	return good;
}

bool
tap_is_str(const char *got, const char *want, const char *fmt, ...)
{
	bool good = got == want ||
	    (got != NULL && want != NULL && strcmp(got, want) == 0);
	va_list args;

	va_start(args, fmt);
	say(good, fmt, args);
	va_end(args);
	if (!good) {
		show("got", slice_of(got));
		show("want", slice_of(want));
	}
	return good;
}

void
tap_diag(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
	fflush(stdout);
}

void
tap_skip(unsigned n, const char *why)
{
	while (n-- > 0)
		printf("ok %u # SKIP %s\n", ++tests, why);
	fprintf(stderr, "# skipped: %s\n", why);
}

int64_t
tap_worked(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int
tap_done(void)
{
	printf("1..%u\n", tests);
	return failures == 0 ? 0 : 1;
}

const char *
tap_src(void)
{
	const char *src = getenv("GATEHOUSE_SRC");

	return src != NULL ? src : ".";
}

const char *
tap_data(void)
{
	static char path[4096];
	const char *set = getenv("GATEHOUSE_DATA");

	if (set != NULL)
		snprintf(path, sizeof path, "%s", set);
	else
		snprintf(path, sizeof path, "%s/../shared/data", tap_src());
	return access(path, R_OK) == 0 ? path : NULL;
}

struct slice
tap_file(const char *path)
{
	FILE *f = fopen(path, "r");
	size_t len = 0, cap = 65536, got;
	char *ptr = mem_alloc(cap);

	if (f == NULL) {
		tap_ok(false, "can read %s", path);
		exit(tap_done());
	}
	while ((got = fread(ptr + len, 1, cap - len, f)) > 0) {
		len += got;
		if (len == cap)
			ptr = mem_grow(ptr, cap *= 2);
	}
	fclose(f);
	return slice_make(ptr, len);
}
