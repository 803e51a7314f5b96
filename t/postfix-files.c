/* Files that are never seen half, and programs that are run without a shell. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t/tap.h"
#include "tools/postfix-files.h"
#include "tools/run.h"

static struct arena *a;
static char dir[] = "/tmp/gatehouse-files.XXXXXX";

static const char *
at(const char *name)
{
	return arena_printf(a, "%s/%s", dir, name).ptr;
}

static struct slice
content(const char *name)
{
	struct slice text, why;
	bool there;

	if (file_read(a, at(name), &text, &there, &why) != RC_OK)
		return SLICE("(trouble)");
	return there ? text : SLICE("(none)");
}

static enum rc
put(const char *name, const char *before, const char *after,
    struct slice *why_r)
{
	return file_replace(a, at(name), slice_of(before != NULL ? before :
	    ""), before != NULL, slice_of(after), why_r);
}

static void
files(void)
{
	struct slice why = SLICE("");
	struct stat st;

	tap_ok(put("f", NULL, "one", &why) == RC_OK, "a new file");
	tap_is(content("f"), SLICE("one"), "is there");
	tap_ok(stat(at("f"), &st) == 0 && (st.st_mode & 07777) == 0644,
	    "for all to read");
	chmod(at("f"), 0640);
	tap_ok(put("f", "one", "two", &why) == RC_OK, "replaced");
	tap_ok(stat(at("f"), &st) == 0 && (st.st_mode & 07777) == 0640,
	    "its mode is kept");
	tap_ok(put("f", "one", "three", &why) == RC_RETRY &&
	    slice_search(why, SLICE("has changed it just now")) < why.len,
	    "what is not what it was is not written over");
	tap_is(content("f"), SLICE("two"), "indeed not");
	tap_ok(put("f", NULL, "three", &why) == RC_RETRY,
	    "nor what was not there");
	tap_ok(put("g", "x", "y", &why) == RC_RETRY, "nor what has gone");
	tap_ok(access(at(".f.gatehouse-new"), F_OK) != 0 &&
	    access(at(".g.gatehouse-new"), F_OK) != 0, "nothing lies about");
	tap_ok(put("none/f", NULL, "x", &why) == RC_RETRY && errno == ENOENT,
	    "no folder");
	tap_ok(file_remove(a, at("f"), &why) == RC_OK &&
	    file_remove(a, at("f"), &why) == RC_OK, "removed, twice");
	tap_is(content("f"), SLICE("(none)"), "gone");
	tap_ok(folder_make(a, at("d"), &why) == RC_OK &&
	    folder_make(a, at("d"), &why) == RC_OK, "a folder, twice");
	tap_is(content("d"), SLICE("(trouble)"), "is no file");
	rmdir(at("d"));
}

/* What a killed run left is in nobody's way. */
static void
left_over(void)
{
	struct slice why = SLICE("");
	FILE *f = fopen(at(".f.gatehouse-new"), "w");

	fputs("half", f);
	fclose(f);
	tap_ok(put("f", NULL, "whole", &why) == RC_OK, "in spite of a rest");
	tap_is(content("f"), SLICE("whole"), "whole");
	f = fopen(at(".f.gatehouse-new"), "w");
	fclose(f);
	file_tidy(a, at("f"));
	tap_ok(access(at(".f.gatehouse-new"), F_OK) != 0, "tidied");
	file_remove(a, at("f"), &why);
}

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
	tap_ok(shell("echo $MAIL_CONFIG$LC_ALL; cat", &r, &why) == RC_OK, "run");
	tap_is(r.out, SLICE("C\n"), "nothing of our environment, no input");
	tap_ok(shell("kill -9 $$", &r, &why) == RC_RETRY && slice_eq(why,
	    SLICE("sh was ended by signal 9")), "killed");
	tap_ok(run_program(a, none, &r, &why) == RC_RETRY && slice_eq(why,
	    SLICE("no-such-program: there is no such program")), "none");
	tap_ok(shell("head -c 20000000 /dev/zero; head -c 20000000 /dev/zero "
	    ">&2", &r, &why) == RC_OK && r.out.len >= RUN_SAID &&
	    r.out.len < RUN_SAID + 100000, "too much is cut");
	tap_ok(run_lines(a, many, see, &seen, &r, &why) == RC_OK &&
	    r.status == 0 && seen.lines == 300000 &&
	    seen.bytes == 4 * 300000, "any number of lines");
}

int
main(void)
{
	a = arena_new();
	if (mkdtemp(dir) == NULL)
		return 1;
	files();
	left_over();
	programs();
	rmdir(dir);
	tap_ok(access(dir, F_OK) != 0, "nothing is left");
	arena_free(a);
	return tap_done();
}
