/*
 * failing-malloc - allocations that fail, for a test (LD_PRELOAD)
 *
 *	FAIL_IN=program		in that program only
 *	FAIL_NTH=n		the n-th fails, once the file FAIL_ARMED is there
 *	FAIL_RANGE=n		in what it forks: one of each n, more or less,
 *	FAIL_AFTER=n		behind the first n
 *
 * A cell's worker may open no file and look at none; all that it has is its
 * process id, so that decides which.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char *program_invocation_short_name;
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *ptr, size_t size);

static struct {
	int known, here;
	long nth, range, after, left;
	const char *armed;
	pid_t first, now;
} fail;

static long
number(const char *name)
{
	const char *text = getenv(name);

	return text != NULL ? atol(text) : 0;
}

static void
begin(void)
{
	const char *in = getenv("FAIL_IN");

	fail.known = 1;
	if (in == NULL || program_invocation_short_name == NULL)
		return;
	fail.here = strcmp(in, program_invocation_short_name) == 0;
	fail.nth = number("FAIL_NTH");
	fail.range = number("FAIL_RANGE");
	fail.after = number("FAIL_AFTER");
	fail.armed = getenv("FAIL_ARMED");
	fail.first = fail.now = getpid();
}

static int
fails(void)
{
	if (!fail.known)
		begin();
	if (!fail.here)
		return 0;
	if (fail.range > 0) {
		pid_t pid = getpid();

		if (pid == fail.first)
			return 0;
		if (pid != fail.now)
			fail.left = fail.after + pid * 7919L % fail.range + 1;
		fail.now = pid;
		if (__atomic_sub_fetch(&fail.left, 1, __ATOMIC_RELAXED) != 0)
			return 0;
		fail.left = fail.range;
		errno = ENOMEM;
		return 1;
	}
	if (fail.armed == NULL || access(fail.armed, F_OK) != 0 ||
	    __atomic_sub_fetch(&fail.nth, 1, __ATOMIC_RELAXED) != 0)
		return 0;
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *ptr, size_t size)
{
	return fails() ? NULL : __libc_realloc(ptr, size);
}
