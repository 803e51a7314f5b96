/* A log that is rotated, compressed, truncated, copied, torn, removed: each
 * line is read once, whatever is done to the file and to the reader. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/buf.h"
#include "track/follow.h"
#include "t/tap.h"

static char dir[] = "/tmp/gatehouse-follow-XXXXXX";
static int64_t tick;			/* files get older ones first */

static const char *
in_dir(const char *file)
{
	static char room[4][300];
	static int n;
	char *path = room[n++ % 4];

	snprintf(path, 300, "%s/%s", dir, file);
	return path;
}

/* Times that differ, whatever the clock's grain. */
static void
touch(const char *file)
{
	struct timespec t[2] = { { .tv_nsec = UTIME_OMIT },
	    { .tv_sec = 1700000000 + ++tick } };

	utimensat(AT_FDCWD, in_dir(file), t, 0);
}

static void
append(const char *file, const char *text)
{
	FILE *f = fopen(in_dir(file), "a");

	fputs(text, f);
	fclose(f);
	touch(file);
}

static void
move(const char *from, const char *to)
{
	rename(in_dir(from), in_dir(to));
}

static void
copy(const char *from, const char *to, bool packed)
{
	struct slice bytes = tap_file(in_dir(from));
	gzFile gz;
	FILE *f;

	if (packed) {
		gz = gzopen(in_dir(to), "wb");
		gzwrite(gz, bytes.ptr, (unsigned)bytes.len);
		gzclose(gz);
	} else {
		f = fopen(in_dir(to), "w");
		fwrite(bytes.ptr, 1, bytes.len, f);
		fclose(f);
	}
	free((void *)(uintptr_t)bytes.ptr);
	touch(to);
}

static void
pack(const char *from, const char *to)
{
	struct timespec t[2];
	struct stat st;

	stat(in_dir(from), &st);
	copy(from, to, true);
	t[0] = st.st_atim;
	t[1] = st.st_mtim;
	utimensat(AT_FDCWD, in_dir(to), t, 0);
	unlink(in_dir(from));
}

static void
clear(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while ((e = readdir(d)) != NULL)
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

static struct buf got;

/* All there is now, lines joined by "|". */
static struct slice
read_all(struct follow *f)
{
	struct slice line;
	enum follow_got g;

	buf_clear(&got);
	while ((g = follow_next(f, &line)) == FOLLOW_LINE) {
		buf_add(&got, line);
		buf_addc(&got, '|');
	}
	if (g == FOLLOW_TROUBLE)
		buf_adds(&got, follow_why(f));
	return buf_slice(&got);
}

static struct slice
read_one(struct follow *f)
{
	struct slice line = SLICE("nothing");

	if (follow_next(f, &line) != FOLLOW_LINE)
		return SLICE("nothing");
	return line;
}

static struct follow *
begin(void)
{
	return follow_new(dir, "mail.log", 64, 0);
}

/* Another life: what the first one left is a place. */
static struct follow *
again(struct follow *f)
{
	char place[FOLLOW_PLACE];

	follow_place(f, place);
	follow_free(f);
	f = begin();
	tap_ok(follow_from(f, slice_of(place)), "a place is a place");
	return f;
}

static void
plain(void)
{
	struct follow *f = begin();

	tap_is(read_all(f), SLICE(""), "no file yet");
	append("mail.log", "a\nb\n");
	tap_is(read_all(f), SLICE("a|b|"), "it comes");
	append("mail.log", "c");
	tap_is(read_all(f), SLICE(""), "half a line is none");
	append("mail.log", "d\n\ne\n");
	tap_is(read_all(f), SLICE("cd||e|"), "until its end is there");
	f = again(f);
	append("mail.log", "f\n");
	tap_is(read_all(f), SLICE("f|"), "another life goes on");
	follow_free(f);
	clear();
}

static void
rotated(void)
{
	struct follow *f = begin();

	append("mail.log", "a\n");
	read_all(f);
	move("mail.log", "mail.log.1");
	append("mail.log.1", "late\n");
	append("mail.log", "");
	tap_is(read_all(f), SLICE("late|"), "who writes has not moved yet");
	append("mail.log.1", "later\n");
	append("mail.log", "b\n");
	tap_is(read_all(f), SLICE("later|b|"), "now he has");
	/* Three times while nobody looked. */
	f = again(f);
	move("mail.log.1", "mail.log.4");
	move("mail.log", "mail.log.3");
	append("mail.log.3", "c\n");
	append("mail.log.2", "d\n");
	append("mail.log.1", "e\n");
	append("mail.log", "f\n");
	tap_is(read_all(f), SLICE("c|d|e|f|"), "in order, whatever the names");
	tap_is_int((long long)follow_lost(f), 0, "nothing was lost");
	follow_free(f);
	f = begin();
	tap_is(read_all(f), SLICE("a|late|later|b|c|d|e|f|"),
	    "from the beginning: all that is there");
	follow_free(f);
	f = follow_new(dir, "mail.log", 64, 1700000000 + tick - 1);
	tap_is(read_all(f), SLICE("e|f|"), "or what is new enough");
	follow_free(f);
	clear();
}

static void
compressed(void)
{
	struct follow *f = begin();

	append("mail.log", "a\nb\nc\n");
	read_one(f);
	f = again(f);
	move("mail.log", "mail.log-20261125");
	pack("mail.log-20261125", "mail.log-20261125.gz");
	append("mail.log", "d\n");
	tap_is(read_all(f), SLICE("b|c|d|"), "compressed away: found");
	/* While gzip is at it both are there, and one is not whole. */
	move("mail.log", "mail.log-20261126");
	append("mail.log-20261126", "e\n");
	copy("mail.log-20261126", "mail.log-20261126.gz", true);
	append("mail.log", "f\n");
	tap_is(read_all(f), SLICE("e|f|"), "not twice while it is compressed");
	follow_free(f);
	clear();
}

static void
cut(void)
{
	if (truncate(in_dir("mail.log"), 0) != 0)
		tap_ok(false, "truncate");
}

static void
truncated(void)
{
	struct follow *f = begin();

	append("mail.log", "a\nb\nc\n");
	tap_is(read_one(f), SLICE("a"), "one is read");
	f = again(f);
	copy("mail.log", "mail.log.1", false);
	cut();
	append("mail.log", "d\n");
	tap_is(read_all(f), SLICE("b|c|d|"), "copied and truncated");
	tap_is_int((long long)follow_lost(f), 0, "nothing was lost");
	cut();
	append("mail.log", "e and more than before\n");
	tap_is(read_all(f), SLICE("e and more than before|"),
	    "truncated, and longer than before when we look");
	tap_is_int((long long)follow_lost(f), 1, "that may have lost some");
	follow_free(f);
	clear();
}

static void
removed(void)
{
	struct follow *f = begin();

	append("mail.log", "a\nb\n");
	read_one(f);
	unlink(in_dir("mail.log"));
	append("mail.log", "c\n");
	tap_is(read_all(f), SLICE("b|c|"), "removed under us: read to its end");
	f = again(f);
	unlink(in_dir("mail.log"));
	append("mail.log.1", "d\n");
	append("mail.log", "e\n");
	tap_is(read_all(f), SLICE("d|e|"), "removed before: what came later");
	tap_is_int((long long)follow_lost(f), 1, "and counted");
	follow_free(f);
	clear();
	mkdir(in_dir("mail.log"), 0700);
	f = begin();
	tap_is(read_all(f), SLICE(""), "a folder is no log");
	follow_free(f);
	rmdir(in_dir("mail.log"));
	f = follow_new("/nonexistent", "x", 64, 0);
	tap_is(read_all(f), SLICE(""), "nor is what is not there");
	follow_free(f);
}

static void
long_lines(void)
{
	char big[200001];
	struct follow *f = begin();

	memset(big, 'x', 200000);
	big[200000] = '\0';
	append("mail.log", "a\n");
	append("mail.log", big);
	append("mail.log", "\nb\n");
	append("mail.log", "0123456789012345678901234567890123456789012345678"
	    "901234567890123\n");
	append("mail.log", "0123456789012345678901234567890123456789012345678"
	    "9012345678901234\nc\n");
	tap_is(read_all(f), SLICE("a|b|01234567890123456789012345678901234567"
	    "89012345678901234567890123|c|"), "lines that are too long");
	tap_is_int((long long)follow_long(f), 2, "and how many");
	follow_free(f);
	clear();
}

static void
places(void)
{
	static const char *const bad[] = { "", "1", "1 2 3", "a b c d e f",
	    "1 2 3 257 5 6", "-", "1 2 3 4 5" };
	struct follow *f = begin();

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		tap_ok(!follow_from(f, slice_of(bad[i])), "no place: \"%s\"",
		    bad[i]);
	follow_free(f);
}

/* A new life after each line, and a rotation somewhere. */
static void
each_place(void)
{
	bool good = true;

	for (int stop = 0; stop < 40; stop++) {
		struct follow *f = begin();
		struct buf all = { 0 };
		char text[32];

		for (int i = 0; i < 40; i++) {
			char place[FOLLOW_PLACE];

			if (i == stop)
				move("mail.log", "mail.log.1");
			snprintf(text, sizeof text, "line %d\n", i);
			append("mail.log", text);
			if (i % 3 != 0)
				continue;
			buf_add(&all, read_all(f));
			follow_place(f, place);
			follow_free(f);
			f = begin();
			follow_from(f, slice_of(place));
		}
		for (int i = 0, at = 0; i < 40 && good; i++) {
			int len = snprintf(text, sizeof text, "line %d|", i);

			good = all.len >= (size_t)(at + len) &&
			    memcmp(all.ptr + at, text, (size_t)len) == 0;
			at += len;
		}
		buf_free(&all);
		follow_free(f);
		clear();
	}
	tap_ok(good, "a new life after each third line: each line once");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	plain();
	rotated();
	compressed();
	truncated();
	removed();
	long_lines();
	places();
	each_place();
	rmdir(dir);
	buf_free(&got);
	return tap_done();
}
