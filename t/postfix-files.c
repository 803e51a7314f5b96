/* Files that are never seen half. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t/tap.h"
#include "tools/postfix-files.h"

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
	tap_ok(file_remove(a, at("f"), &why) == RC_OK, "removed");
	tap_ok(file_remove(a, at("f"), &why) == RC_OK, "twice");
	tap_is(content("f"), SLICE("(none)"), "gone");
	tap_ok(folder_make(a, at("d"), &why) == RC_OK, "a folder");
	tap_ok(folder_make(a, at("d"), &why) == RC_OK, "twice");
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

int
main(void)
{
	a = arena_new();
	if (mkdtemp(dir) == NULL)
		return 1;
	files();
	left_over();
	rmdir(dir);
	tap_ok(access(dir, F_OK) != 0, "nothing is left");
	arena_free(a);
	return tap_done();
}
