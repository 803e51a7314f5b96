/* The journal: rotation, torn lines, kills, full disks, many writers. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "journal/age.h"
#include "journal/journal.h"
#include "log/log.h"
#include "text/json.h"
#include "t/tap.h"

static char dir[] = "/tmp/gatehouse-journal-XXXXXX";
static struct arena *arena;
static int64_t age_limit;		/* s, of what start() opens */

static void
clear(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while ((e = readdir(d)) != NULL)
		unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
}

static struct journal *
start(uint64_t rotate, unsigned keep)
{
	struct slice why;
	struct journal *j = journal_open(dir, "events",
	    &(struct journal_limits){ rotate, keep, age_limit }, arena, &why);

	if (j == NULL) {
		tap_ok(false, "journal_open: %.*s", SLICE_ARG(why));
		exit(tap_done());
	}
	return j;
}

static const char *
in_dir(const char *file)
{
	static char path[300];

	snprintf(path, sizeof path, "%s/%s", dir, file);
	return path;
}

static void
put_file(const char *file, const char *text)
{
	FILE *f = fopen(in_dir(file), "w");

	fputs(text, f);
	fclose(f);
}

/* {"writer":w,"n":n} and some more to give it a length. */
static enum rc
put(struct journal *j, int writer, int n)
{
	char text[200];
	int len = snprintf(text, sizeof text,
	    "{\"writer\":%d,\"n\":%d,\"event.action\":\"spf-checked\","
	    "\"source.ip\":\"192.0.2.1\"}", writer, n);

	return journal_write(j, slice_make(text, (size_t)len));
}

enum { WRITERS = 64 };

struct seen {
	size_t lines;
	int next[WRITERS];		/* the n that is to come */
	size_t alien, missing, disorder;
	unsigned long long lost;	/* as the journal itself says */
	size_t stop_at;
	struct buf text;
};

static bool
see(struct slice line, void *arg)
{
	struct seen *s = arg;
	unsigned long long lost;
	int w, n;

	if (sscanf(arena_str(arena, line), "{\"@timestamp\":\"%*[-0-9T:.]Z\","
	    "\"event.action\":\"journal-lost\",\"gatehouse.lost\":%llu}",
	    &lost) == 1) {
		s->lost += lost;
		return true;
	}
	s->lines++;
	buf_add(&s->text, line);
	buf_addc(&s->text, '|');
	if (sscanf(arena_str(arena, line), "{\"writer\":%d,\"n\":%d", &w, &n)
	    != 2 || w < 0 || w >= WRITERS) {
		s->alien++;
	} else {
		s->missing += n > s->next[w];
		s->disorder += n < s->next[w];
		s->next[w] = n + 1;
	}
	return s->lines != s->stop_at;
}

static size_t
look(struct seen *s)
{
	struct slice why = SLICE_NONE;
	size_t torn = 0;

	buf_free(&s->text);
	*s = (struct seen){ .stop_at = s->stop_at };
	if (journal_each(dir, "events", arena, see, s, &torn, &why) != RC_OK)
		tap_ok(false, "journal_each: %.*s", SLICE_ARG(why));
	return torn;
}

static void
plain(void)
{
	struct seen s = { 0 };
	struct journal *j;
	struct stat st;

	look(&s);
	tap_is_int((long long)s.lines, 0, "no file: an empty journal");
	j = start(0, 0);
	for (int i = 0; i < 3; i++)
		put(j, 0, i);
	tap_ok(look(&s) == 0 && s.lines == 3 && s.missing + s.disorder == 0,
	    "written and read");
	stat(in_dir("events.json"), &st);
	tap_is_int((long long)st.st_size, (long long)s.text.len,
	    "a newline each, and no more");
	tap_is_int(st.st_mode & 0007, 0, "not for everybody");
	s.stop_at = 2;
	look(&s);
	tap_is_int((long long)s.lines, 2, "visit may stop it");
	tap_is_int(journal_write(j, SLICE("{\"a\":\n1}")), RC_BAD,
	    "an event of two lines is refused");
	tap_is_int(journal_write(j, SLICE("")), RC_BAD, "so is an empty one");
	tap_is_int((long long)journal_lost(j), 2, "and both are counted");
	journal_close(j);
	buf_free(&s.text);
	clear();
}

static void
refused(void)
{
	const struct journal_limits none = { 0 };
	struct slice why = SLICE_NONE;
	struct seen s = { 0 };
	size_t torn;

	tap_ok(journal_open("/nonexistent/x", "events", &none, arena, &why) ==
	    NULL && why.len > 0, "no folder: %.*s", SLICE_ARG(why));
	tap_ok(journal_open(dir, "../events", &none, arena, &why) == NULL,
	    "a name with a slash");
	tap_ok(journal_open(dir, "", &none, arena, &why) == NULL, "no name");
	if (symlink("/etc/passwd", in_dir("events.json")) == 0)
		tap_ok(journal_open(dir, "events", &none, arena, &why) == NULL,
		    "a symbolic link: %.*s", SLICE_ARG(why));
	clear();
	mkfifo(in_dir("events.json"), 0600);
	tap_ok(journal_open(dir, "events", &none, arena, &why) == NULL,
	    "a pipe: %.*s", SLICE_ARG(why));
	clear();
	tap_is_int(journal_each("/nonexistent/x", "events", arena, see, &s,
	    &torn, &why), RC_RETRY, "nothing to read: %.*s", SLICE_ARG(why));
}

/* What a reader makes of what a kill or a power cut leaves. */
static const struct {
	const char *name, *text;
	const char *want;
	size_t torn;
} left[] = {
	{ "whole", "{\"a\":1}\n{\"b\":2}\n", "{\"a\":1}|{\"b\":2}|", 0 },
	{ "torn last line", "{\"a\":1}\n{\"b\":", "{\"a\":1}|", 1 },
	{ "only the newline is missing", "{\"a\":1}\n{\"b\":2}",
	  "{\"a\":1}|{\"b\":2}|", 0 },
	{ "torn, and gone on", "{\"a\"\n{\"b\":2}\n", "{\"b\":2}|", 1 },
	{ "torn where a brace closes", "{\"a\":{\"b\":1}\n{\"c\":3}\n",
	  "{\"c\":3}|", 1 },
	{ "merged", "{\"a\":{\"b\":2}\n{\"c\":3}\n", "{\"c\":3}|", 1 },
	{ "empty lines", "\n\n{\"a\":1}\n\n", "{\"a\":1}|", 0 },
	{ "no object", "[1]\n12\nnull\n{\"a\":1}\n", "{\"a\":1}|", 3 },
	{ "not UTF-8", "{\"a\":\"\xff\"}\n{\"b\":2}\n", "{\"b\":2}|", 1 },
};

static void
torn(void)
{
	struct seen s = { 0 };

	for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
		put_file("events.json", left[i].text);
		tap_is_int((long long)look(&s), (long long)left[i].torn,
		    "torn lines: %s", left[i].name);
		tap_is(buf_slice(&s.text), slice_of(left[i].want),
		    "whole lines: %s", left[i].name);
	}
	buf_free(&s.text);
	clear();
}

/* Cut at each byte of the last line; then opened and written again. */
static void
truncated(void)
{
	struct seen s = { 0 };
	bool good = true;

	for (int cut = 0; cut < 60; cut++) {
		struct journal *j = start(0, 0);
		struct stat st;

		put(j, 0, 0);
		put(j, 0, 1);
		journal_close(j);
		stat(in_dir("events.json"), &st);
		if (truncate(in_dir("events.json"), st.st_size - cut) != 0)
			good = false;
		j = start(0, 0);
		put(j, 1, 0);
		journal_close(j);
		look(&s);
		good = good && s.next[0] == (cut <= 1 ? 2 : 1) &&
		    s.next[1] == 1 && s.missing == 0;
		clear();
	}
	tap_ok(good, "a torn last line is closed, and costs nothing else");
	buf_free(&s.text);
}

static void
rotation(void)
{
	struct seen s = { 0 };
	struct journal *j = start(250, 3);	/* three lines a file */
	struct stat st;

	for (int i = 0; i < 11; i++)
		put(j, 0, i);
	tap_ok(look(&s) == 0 && s.lines == 11 && s.missing + s.disorder == 0,
	    "rotated files first, in order");
	put(j, 0, 11);
	put(j, 0, 12);
	look(&s);
	tap_is_int((long long)s.lines, 10, "the oldest goes");
	tap_ok(stat(in_dir("events.json.3"), &st) == 0 &&
	    stat(in_dir("events.json.4"), &st) != 0, "as many as asked for");
	unlink(in_dir("events.json.2"));
	for (int i = 13; i < 16; i++)
		put(j, 0, i);
	look(&s);
	tap_is_int((long long)s.lines, 10, "a gap is filled before any goes");
	unlink(in_dir("events.json"));
	tap_is_int(put(j, 0, 16), RC_OK, "removed under us: begun anew");
	tap_ok(stat(in_dir("events.json"), &st) == 0, "it is there");
	rename(in_dir("events.json"), in_dir("elsewhere"));
	tap_is_int(put(j, 0, 17), RC_OK, "moved away: begun anew");
	look(&s);
	tap_is_int(s.next[0], 18, "and read");
	journal_close(j);
	clear();
	j = start(250, 0);
	for (int i = 0; i < 20; i++)
		put(j, 0, i);
	tap_ok(look(&s) == 0 && s.lines <= 3 && s.next[0] == 20,
	    "none kept: only the newest lines");
	journal_close(j);
	buf_free(&s.text);
	clear();
}

/* A stopped process that holds the lock delays rotation, never a write. */
static void
lock_held(void)
{
	struct journal *j = start(250, 3);
	struct seen s = { 0 };
	int64_t before = clock_mono();
	struct stat st;
	int fd;

	put(j, 0, 0);
	fd = open(in_dir("events.json"), O_RDONLY);
	flock(fd, LOCK_EX);
	for (int i = 1; i < 10; i++)
		put(j, 0, i);
	tap_ok(look(&s) == 0 && s.lines == 10 && s.missing == 0 &&
	    clock_mono() - before < 5000, "written without the lock");
	tap_ok(stat(in_dir("events.json.1"), &st) != 0, "not rotated");
	close(fd);
	put(j, 0, 10);
	tap_ok(stat(in_dir("events.json.1"), &st) == 0, "rotated later");
	journal_close(j);
	buf_free(&s.text);
	clear();
}

/* Writes long events, which a kill can tear, until it comes. */
static _Noreturn void
write_until_killed(struct journal *j, int writer)
{
	enum { PAD = 60000 };
	char *text = mem_alloc(PAD + 100);

	for (int i = 0;; i++) {
		int len = snprintf(text, 100,
		    "{\"writer\":%d,\"n\":%d,\"pad\":\"", writer, i);

		memset(text + len, 'x', PAD);
		memcpy(text + len + PAD, "\"}", 2);
		journal_write(j, slice_make(text, (size_t)len + PAD + 2));
	}
}

/*
 * kill -9 in a loop: two writers at once, one of which is shot. Both rotate.
 * What each has been told is written stands there, in order.
 */
static void
killed(void)
{
	enum { ROUNDS = 30, LINES = 300 };
	struct seen s = { 0 };
	size_t torn_lines;
	bool good = true;

	for (int round = 0; round < ROUNDS; round++) {
		struct journal *j = start(1 << 20, JOURNAL_KEEP);
		pid_t child = fork();

		/* Its own journal: two processes that share one open file
		 * share its lock too. */
		if (child == 0)
			write_until_killed(start(1 << 20, JOURNAL_KEEP),
			    1 + round);
		for (int i = 0; i < LINES; i++) {
			good = good && put(j, 0, round * LINES + i) == RC_OK;
			if (i == LINES * (1 + round % 5) / 6)
				kill(child, SIGKILL);
		}
		waitpid(child, NULL, 0);
		journal_close(j);
	}
	torn_lines = look(&s);
	tap_ok(good, "the one that lives writes on");
	tap_is_int(s.next[0], ROUNDS * LINES, "all of its lines are there");
	tap_is_int((long long)(s.missing + s.disorder + s.alien), 0,
	    "those of the killed up to the kill, in order");
	tap_ok(torn_lines <= ROUNDS, "%zu torn by %d kills", torn_lines,
	    ROUNDS);
	buf_free(&s.text);
	clear();
}

static void
full_disk(void)
{
	struct rlimit was, few;
	struct seen s = { 0 };
	struct journal *j = start(0, 0);
	int good = 0;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	few = was;
	few.rlim_cur = 250;
	setrlimit(RLIMIT_FSIZE, &few);
	for (int i = 0; i < 10; i++)
		good += put(j, 0, i) == RC_OK;
	setrlimit(RLIMIT_FSIZE, &was);
	tap_ok(good < 10 && journal_lost(j) == (uint64_t)(10 - good),
	    "file size limit: %d written, the others counted", good);
	tap_is_int(put(j, 1, 0), RC_OK, "room again: goes on");
	look(&s);
	tap_ok((int)s.lines == good + 1 && s.next[1] == 1,
	    "what was said to be written is there");
	tap_is_int((long long)s.lost, 10 - good,
	    "and how many were not");
	journal_close(j);
	buf_free(&s.text);
	clear();
}

static void
full_tmpfs(void)
{
	struct seen s = { 0 };
	struct journal *j;
	int good = 0, after = 0;

	/* In a mount namespace of our own: nothing stays behind. */
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", dir, "tmpfs", 0, "size=64k") != 0) {
		tap_skip(3, "a full disk needs root, to mount a small tmpfs");
		return;
	}
	j = start(0, 0);
	for (int i = 0; i < 2000; i++)
		good += put(j, 0, i) == RC_OK;
	tap_ok(good > 0 && journal_lost(j) == (uint64_t)(2000 - good),
	    "full disk: %d written, %llu lost and counted", good,
	    (unsigned long long)journal_lost(j));
	mount("tmpfs", dir, "tmpfs", MS_REMOUNT, "size=256k");
	for (int i = 0; i < 10; i++)
		after += put(j, 1, i) == RC_OK;
	look(&s);
	tap_ok((int)s.lines == good + 10 && after == 10, "room again: goes on");
	/* While the disk is full a short line may fit where a long one does
	 * not, so it may have been said in parts. */
	tap_is_int((long long)s.lost, 2000 - good,
	    "and the journal says how many are missing");
	journal_close(j);
	buf_free(&s.text);
	if (umount(dir) != 0)
		tap_ok(false, "umount %s", dir);
}

struct share {
	struct journal *j;
	int writer, lines;
};

static void *
write_many(void *arg)
{
	struct share *share = arg;

	for (int i = 0; i < share->lines; i++)
		put(share->j, share->writer, i);
	return NULL;
}

/* Threads of one process share a journal; processes have their own. */
static void
write_in_threads(int first, int lines)
{
	enum { THREADS = 4 };
	struct journal *j = start(50000, JOURNAL_KEEP);
	pthread_t ids[THREADS];
	struct share shares[THREADS];

	for (int i = 0; i < THREADS; i++) {
		shares[i] = (struct share){ j, first + i, lines };
		pthread_create(&ids[i], NULL, write_many, &shares[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	if (journal_lost(j) != 0)
		tap_ok(false, "lost %llu", (unsigned long long)journal_lost(j));
	journal_close(j);
}

static void
many_writers(void)
{
	enum { PROCESSES = 4, LINES = 1500 };
	struct seen s = { 0 };
	pid_t pids[PROCESSES];
	size_t torn_lines;
	bool good = true;

	for (int p = 0; p < PROCESSES; p++) {
		pids[p] = fork();
		if (pids[p] == 0) {
			write_in_threads(p * 4, LINES);
			_exit(0);
		}
	}
	for (int p = 0; p < PROCESSES; p++)
		waitpid(pids[p], NULL, 0);
	torn_lines = look(&s);
	for (int w = 0; w < PROCESSES * 4; w++)
		good = good && s.next[w] == LINES;
	tap_ok(good && torn_lines == 0 && s.missing + s.alien == 0 &&
	    s.lines == PROCESSES * 4 * LINES,
	    "four processes of four threads, rotating: every line once");
	buf_free(&s.text);
	clear();
}

/* --- age: 16 days at most, so two days a file ----------------------------- */

enum { DAY = 86400, LIMIT = 16, FIRST = 1800000000 };

/* One event of that day, by a daemon that was started that day. */
static void
live(int day)
{
	struct timespec times[2] = { { .tv_sec = FIRST + (time_t)day * DAY },
	    { .tv_sec = FIRST + (time_t)day * DAY } };
	struct journal *j;
	struct tm tm;
	char text[100];
	size_t n;

	clock_pin(times[0].tv_sec);
	j = start(0, 14);
	gmtime_r(&times[0].tv_sec, &tm);
	n = strftime(text, sizeof text, "{\"@timestamp\":\"%Y-%m-%dT%H:%M:%S"
	    ".000Z\",\"day\":", &tm);
	n += (size_t)snprintf(text + n, sizeof text - n, "%d}", day);
	journal_write(j, slice_make(text, n));
	utimensat(AT_FDCWD, in_dir("events.json"), times, 0);
	journal_close(j);
}

struct days {
	int first, count;
};

static bool
see_day(struct slice line, void *arg)
{
	struct days *d = arg;
	int day = -1;

	sscanf(arena_str(arena, line), "{\"@timestamp\":\"%*[^\"]\","
	    "\"day\":%d", &day);
	if (d->count++ == 0)
		d->first = day;
	return true;
}

static struct days
days(void)
{
	struct days d = { 0 };
	struct slice why;
	size_t torn;

	journal_each(dir, "events", arena, see_day, &d, &torn, &why);
	return d;
}

static void
grow_old(void)
{
	int oldest = 0, youngest = LIMIT * 2, worst = 0;

	for (int day = 0; day < 60; day++) {
		int age;

		live(day);
		age = day - days().first;
		oldest = age > oldest ? age : oldest;
		if (day > 40)
			youngest = age < youngest ? age : youngest;
		worst = days().count != age + 1 ? worst + 1 : worst;
	}
	tap_ok(oldest >= LIMIT && oldest <= LIMIT + 1,
	    "after %d days a file goes", oldest);
	tap_ok(youngest >= LIMIT - 3, "none before %d", youngest);
	tap_is_int(worst, 0, "and nothing from between");
}

/* The last life was that of day 59. */
static void
jump(void)
{
	int was = days().count;

	live(4000);
	live(4000);
	tap_is_int(days().count, was + 2, "ten years ahead: nothing goes");
	live(60);
	live(60);
	tap_is_int(days().count, was + 4, "nor when the clock is back");
	live(61);
	tap_ok(days().count >= was + 5 - 3 && days().first > 60 - LIMIT - 3,
	    "a day later one file may go, no more (%d events, %d)",
	    days().count, was);
	was = days().count;
	live(4000);
	live(4001);
	live(4001);
	tap_ok(days().count >= was + 3 - 5, "a clock that stays wrong: one "
	    "file a day");
	was = days().count;
	put_file("events.json.age", "4001 garbage");
	live(4002);
	tap_is_int(days().count, was + 1, "no mark: nothing goes");
	put_file("events.json.age", "");
	live(4003);
	tap_is_int(days().count, was + 2, "nor with an empty one");
}

/* Its own two clocks; a mark alone would let it pass. */
static void
jump_alive(void)
{
	struct journal *j;
	struct age age;
	struct stat st;
	int at, fd;

	clear();
	live(0);
	put_file("events.json.age", "1800000000 0 0\n");
	at = open(dir, O_RDONLY | O_DIRECTORY);
	fd = open(in_dir("events.json"), O_RDWR);
	age_init(&age, (int64_t)LIMIT * DAY, 14);
	clock_pin(FIRST + 10);
	tap_ok(!age_look(&age, at, "events.json", fd), "it is young");
	clock_pin(FIRST + 3 * DAY);
	tap_ok(!age_look(&age, at, "events.json", fd),
	    "three days in no time: the clock has jumped");
	put_file("events.json.age", "1800259200 0 0\n");
	tap_ok(age_look(&age, at, "events.json", fd), "else it is closed");
	tap_ok(!age_look(&age, at, "events.json", fd), "once a day");
	close(at);
	close(fd);
	put_file("events.json.age", "1800259200 0 0\n");
	j = start(0, 14);
	tap_ok(stat(in_dir("events.json.1"), &st) == 0 &&
	    stat(in_dir("events.json"), &st) == 0 && st.st_size == 0,
	    "closed without an event, and a new one begun");
	journal_tick(j);
	journal_close(j);
}

/* Who start together remove one file together. */
static void
shared_age(void)
{
	enum { FILES = 5, PROCESSES = 8 };
	struct timespec times[2] = { { .tv_sec = FIRST }, { .tv_sec = FIRST } };
	struct stat st;
	char file[40];
	int stay = 0;

	clear();
	for (int i = 1; i <= FILES; i++) {
		snprintf(file, sizeof file, "events.json.%d", i);
		put_file(file, "{\"no\":\"time\"}\n");
		utimensat(AT_FDCWD, in_dir(file), times, 0);
	}
	clock_pin(FIRST + 100 * DAY);
	put_file("events.json.age", "1808640000 0 0\n");
	for (int p = 0; p < PROCESSES; p++)
		if (fork() == 0) {
			journal_close(start(0, 14));
			_exit(0);
		}
	for (int p = 0; p < PROCESSES; p++)
		wait(NULL);
	for (int i = 1; i <= FILES; i++) {
		snprintf(file, sizeof file, "events.json.%d", i);
		stay += stat(in_dir(file), &st) == 0;
	}
	tap_is_int(stay, FILES - 1, "eight at once: one file");
	tap_ok(stat(in_dir("events.json.5"), &st) != 0, "the oldest");
}

static void
ages(void)
{
	age_limit = (int64_t)LIMIT * DAY;
	grow_old();
	jump();
	jump_alive();
	shared_age();
	age_limit = 0;
	clock_pin(-1);
	clear();
}

static void
rate(void)
{
	enum { N = 50000 };
	struct journal *j = start(4 << 20, 3);
	struct seen s = { .stop_at = 0 };
	int64_t begun = clock_mono_us();

	for (int i = 0; i < N; i++)
		put(j, 0, i);
	tap_diag("journal_write: %.0f thousand events a second",
	    N * 1000.0 / (double)(clock_mono_us() - begun));
	begun = clock_mono_us();
	look(&s);
	tap_diag("journal_each: %.0f thousand events a second",
	    (double)s.lines * 1000.0 / (double)(clock_mono_us() - begun));
	journal_close(j);
	buf_free(&s.text);
	clear();
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	arena = arena_new();
	log_open("journal-test", "/dev/null");
	plain();
	refused();
	torn();
	truncated();
	rotation();
	lock_held();
	killed();
	full_disk();
	full_tmpfs();
	many_writers();
	ages();
	rate();
	rmdir(dir);
	arena_free(arena);
	return tap_done();
}
