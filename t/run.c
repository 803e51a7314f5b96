/* Programs that are run without a shell. */
#include <stdlib.h>

#include "t/tap.h"
#include "tools/run.h"

static struct arena *a;

struct seen {
	size_t lines, bytes;
};

static void
see(void *arg, struct slice line)
{
	struct seen *seen = arg;

	seen->lines++;
	seen->bytes += line.len;
}

static enum rc
shell(const char *script, struct run_result *r, struct slice *why_r)
{
	const char *const argv[] = { "sh", "-c", script, NULL };

	*r = (struct run_result){ 0 };
	return run_program(a, argv, r, why_r);
}

static void
programs(void)
{
	const char *const many[] = { "sh", "-c", "yes line | head -n 300000",
	    NULL };
	const char *const none[] = { "no-such-program", NULL };
	struct slice why = SLICE("");
	struct seen seen = { 0 };
	struct run_result r;

	tap_ok(shell("echo out; echo err >&2; exit 3", &r, &why) == RC_OK &&
	    r.status == 3, "its status");
	tap_is(r.out, SLICE("out\n"), "what it says");
	tap_is(r.err, SLICE("err\n"), "what it says is wrong");
	setenv("MAIL_CONFIG", "/x", 1);
	tap_ok(shell("echo $MAIL_CONFIG; cat", &r, &why) == RC_OK, "run");
	tap_is(r.out, SLICE("\n"), "nothing of our environment, no input");
	tap_ok(shell("kill -9 $$", &r, &why) == RC_RETRY && slice_eq(why,
	    SLICE("sh was ended by signal 9")), "killed");
	tap_ok(run_program(a, none, &r, &why) == RC_RETRY && slice_eq(why,
	    SLICE("no-such-program: there is no such program")), "none");
	tap_ok(run_lines(a, many, see, &seen, &r, &why) == RC_OK &&
	    r.status == 0 && seen.lines == 300000 &&
	    seen.bytes == 4 * 300000, "any number of lines");
}

int
main(void)
{
	a = arena_new();
	programs();
	arena_free(a);
	return tap_done();
}
