/* The log: its grammar, what it keeps out, and a syslog that comes and goes. */
#include <pthread.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/log.h"
#include "t/tap.h"

static char dir[] = "/tmp/gatehouse-log-XXXXXX";
static char path[100];

static const struct {
	const char *name;
	struct slice in;
	size_t max;
	const char *want;
} safes[] = {
	{ "plain", { "<a@example.org>", 15 }, 99, "<a@example.org>" },
	{ "empty", { "", 0 }, 99, "" },
	{ "absent", { NULL, 0 }, 99, "" },
	{ "quote and backslash", { "\"\\", 2 }, 99, "\\x22\\x5c" },
	{ "CR LF", { "a\r\nb", 4 }, 99, "a\\x0d\\x0ab" },
	{ "NUL", { "a\0b", 3 }, 99, "a\\x00b" },
	{ "ESC", { "\x1b[2J", 4 }, 99, "\\x1b[2J" },
	{ "DEL", { "\x7f", 1 }, 99, "\\x7f" },
	{ "UTF-8", { "\xc3\xbc", 2 }, 99, "\\xc3\\xbc" },
	{ "C1 and a stray byte", { "\xc2\x9b\xff", 3 }, 99,
	  "\\xc2\\x9b\\xff" },
	{ "already escaped text is escaped again", { "\\x0a", 4 }, 99,
	  "\\x5cx0a" },
	{ "just fits", { "abc", 3 }, 3, "abc" },
	{ "one over", { "abcd", 4 }, 3, "abc..." },
	{ "an escape is never cut", { "ab\n", 3 }, 5, "ab..." },
	{ "no room at all", { "a", 1 }, 0, "..." },
	{ "shell", { "`id`$(id)", 9 }, 99, "`id`$(id)" },
};

static void
safe(void)
{
	struct arena *a = arena_new();
	struct slice big;

	for (size_t i = 0; i < sizeof safes / sizeof *safes; i++)
		tap_is(log_safe(a, safes[i].in, safes[i].max),
		    slice_of(safes[i].want), "safe: %s", safes[i].name);
	big = slice_make(memset(arena_alloc(a, 65536), '\n', 65536), 65536);
	tap_is_int((long long)log_safe(a, big, 1000).len, 1003, "64 kB cut");
	tap_is_int((long long)log_safe(a, big, SIZE_MAX - 8).len, 4 * 65536,
	    "or not, as asked");
	arena_free(a);
}

static void
grammar(void)
{
	struct arena *a = arena_new();
	struct log_line line;

	log_begin(&line, a, SLICE("4Zx1Qk2hJ9z"));
	log_pair(&line, "verdict", SLICE("reject"));
	log_pair(&line, "from", SLICE("<a@example.org>"));
	log_pairf(&line, "ms", "%d", 12);
	tap_is(buf_slice(&line.buf), SLICE("4Zx1Qk2hJ9z: verdict=reject, "
	    "from=<a@example.org>, ms=12"), "pairs");
	log_pair(&line, "empty", SLICE(""));
	log_pair(&line, "absent", SLICE_NONE);
	log_pair(&line, "space", SLICE("a b"));
	log_pair(&line, "comma", SLICE("a,b=c"));
	log_pair(&line, "paren", SLICE("x)"));
	log_pair(&line, "quote", SLICE("\", verdict=\"accept"));
	tap_is(slice_after(buf_slice(&line.buf), 56), SLICE(", empty=\"\", "
	    "absent=\"\", space=\"a b\", comma=\"a,b=c\", paren=\"x)\", "
	    "quote=\"\\x22, verdict=\\x22accept\""), "values in quotes");
	log_begin(&line, a, SLICE_NONE);
	tap_is(buf_slice(&line.buf), SLICE("NOQUEUE: "), "no id yet");
	log_begin(&line, a, SLICE("A\nB"));
	tap_is(buf_slice(&line.buf), SLICE("A\\x0aB: "),
	    "an id is not trusted");
	arena_free(a);
}

/* A syslog daemon that reads nothing until it is asked to. */
static int
serve(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0) {
		tap_ok(false, "cannot listen on %s", path);
		exit(tap_done());
	}
	return fd;
}

static struct slice
receive(int fd)
{
	static char line[65536];
	ssize_t n = recv(fd, line, sizeof line - 1, 0);

	if (n < 0)
		return SLICE_NONE;
	line[n] = '\0';
	return slice_make(line, (size_t)n);
}

static void
like(struct slice got, const char *pattern, const char *what)
{
	regex_t re;
	bool good;

	regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB);
	good = got.ptr != NULL && strlen(got.ptr) == got.len &&
	    regexec(&re, got.ptr, 0, NULL, 0) == 0;
	regfree(&re);
	if (!tap_ok(good, "%s", what))
		tap_diag("got: %s", got.ptr != NULL ? got.ptr : "(nothing)");
}

#define STAMP	"[A-Z][a-z]{2} [ 123][0-9] [0-9]{2}:[0-9]{2}:[0-9]{2} "

static void
syslog_lines(void)
{
	struct arena *a = arena_new();
	struct log_line line;
	int fd = serve();

	log_open("gatehouse-auth-check", path);
	log_begin(&line, a, SLICE("4Zx1Qk2hJ9z"));
	log_pair(&line, "verdict", SLICE("accept"));
	log_end(&line, SLICE("all well"));
	like(receive(fd), "^<22>" STAMP "gatehouse-auth-check\\[[0-9]+\\]: "
	    "4Zx1Qk2hJ9z: verdict=accept \\(all well\\)$", "a message line");
	log_begin(&line, a, SLICE("4Zx1Qk2hJ9z"));
	log_end(&line, SLICE_NONE);
	like(receive(fd), "\\]: 4Zx1Qk2hJ9z: $", "nothing to say");
	log_warning("w %d", 1);
	like(receive(fd), "^<20>.*\\]: warning: w 1$", "warning");
	log_error("e");
	like(receive(fd), "^<19>.*\\]: error: e$", "error");
	log_fatal("f");
	like(receive(fd), "^<18>.*\\]: fatal: f$", "fatal");
	log_panic("p");
	like(receive(fd), "^<18>.*\\]: panic: p$", "panic");
	log_debug("hidden");
	tap_ok(receive(fd).ptr == NULL, "no debug unless asked for");
	log_verbose(true);
	log_debug("shown");
	log_verbose(false);
	like(receive(fd), "^<23>.*\\]: shown$", "debug");
	close(fd);
	arena_free(a);
}

/* T40: what a forgotten log_safe would let through is stopped at the door. */
static void
injection(void)
{
	struct slice got;
	char *big = mem_alloc(65537);
	bool clean = true;
	int fd = serve();

	log_open("gate house\n", path);
	log_info("%s", "x\r\nNov  1 00:00:00 h postfix/smtpd[1]: "
	    "\x1b[2J\xc2\x9b");
	got = receive(fd);
	like(got, "gate_house_\\[[0-9]+\\]: x\\\\x0d\\\\x0aNov  1 00:00:00 h "
	    "postfix/smtpd\\[1\\]: \\\\x1b\\[2J\\\\xc2\\\\x9b$", "one line");
	memset(big, '\xff', 65536);
	log_info("%s", big);
	got = receive(fd);
	for (size_t i = 0; i < got.len; i++)
		clean = clean && got.ptr[i] >= ' ' && got.ptr[i] <= '~';
	tap_ok(clean && got.len <= LOG_LINE && got.len > LOG_LINE - 10 &&
	    slice_ends(got, SLICE("\\xff...")), "64 kB, cut and clean");
	memset(big, 'a', 65536);
	log_info("%s", big);
	got = receive(fd);
	tap_ok(got.len <= LOG_LINE && slice_ends(got, SLICE("a...")),
	    "64 kB of text");
	close(fd);
	free(big);
}

static void
comes_and_goes(void)
{
	uint64_t lost = log_lost();
	int fd = serve(), n = 0;

	log_open("p", path);
	log_info("one");
	like(receive(fd), "one$", "there");
	close(fd);
	log_info("two");
	log_info("three");
	tap_is_int((long long)(log_lost() - lost), 2, "stopped: two lost");
	fd = serve();
	log_info("four");
	like(receive(fd), "warning: log lines lost: 2$", "back, and told");
	like(receive(fd), "four$", "and goes on");
	close(fd);
	fd = serve();
	log_info("five");
	like(receive(fd), "five$", "restarted between two lines: none lost");
	lost = log_lost();
	while (log_lost() == lost && n++ < 100000)
		log_info("fill");
	tap_ok(log_lost() == lost + 1, "full: lost after %d, nobody waits", n);
	while (receive(fd).ptr != NULL)
		;
	log_info("six");
	like(receive(fd), "warning: log lines lost: 1$", "told");
	like(receive(fd), "six$", "and goes on");
	close(fd);
	unlink(path);
	log_open("p", "/dev/gatehouse-no-such-log");
	log_info("lost");
	tap_ok(log_lost() == lost + 2 &&
	    access("/dev/gatehouse-no-such-log", F_OK) != 0,
	    "no file is made under /dev");
}

/* What is in the file; the arena has it. */
static struct slice
read_file(struct arena *a, const char *name)
{
	struct slice text = tap_file(name), copy = arena_copy(a, text);

	free((char *)(uintptr_t)text.ptr);
	return copy;
}

static void
files(void)
{
	struct arena *a = arena_new();
	uint64_t lost;
	char old[300];

	snprintf(old, sizeof old, "%s.1", path);
	log_open("p", path);
	log_info("tells what was lost before");
	unlink(path);
	log_info("one");
	log_info("two");
	like(read_file(a, path), "^" STAMP
	    "[^ .]+ p\\[[0-9]+\\]: one\n" STAMP "[^ .]+ p\\[[0-9]+\\]: two\n$",
	    "a file, in the shape of Postfix's");
	rename(path, old);
	log_info("three");
	like(read_file(a, path), "^[^\n]*\\]: three\n$",
	    "rotated away: a new one is begun");
	tap_ok(slice_ends(read_file(a, old), SLICE("]: two\n")),
	    "the old one is kept");
	unlink(old);
	unlink(path);
	mkdir(path, 0700);
	lost = log_lost();
	log_info("four");
	tap_ok(log_lost() == lost + 1, "a folder is no log");
	rmdir(path);
	arena_free(a);
}

/* A file that may not grow: the torn line is closed by the next. */
static void
full_file(void)
{
	struct arena *a = arena_new();
	struct rlimit was, few;
	struct slice text;
	uint64_t lost;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	few = was;
	few.rlim_cur = 100;
	log_open("p", path);
	lost = log_lost();
	setrlimit(RLIMIT_FSIZE, &few);
	for (int i = 0; i < 5; i++)
		log_info("line %d, long enough to fill the file", i);
	setrlimit(RLIMIT_FSIZE, &was);
	tap_ok(log_lost() > lost, "full: lost");
	log_info("after");
	text = read_file(a, path);
	tap_ok(slice_search(text, SLICE("]: warning: log lines lost: ")) <
	    text.len && slice_ends(text, SLICE("]: after\n")),
	    "room again: told");
	tap_is_int(text.ptr[100], '\n', "on a line of its own");
	unlink(path);
	arena_free(a);
}

enum { THREADS = 8, LINES = 2000 };

static void *
many(void *arg)
{
	struct arena *a = arena_new();
	struct log_line line;

	for (int i = 0; i < LINES; i++) {
		log_begin(&line, a, SLICE("4Zx"));
		log_pairf(&line, "n", "%d.%d", *(int *)arg, i);
		log_end(&line, SLICE("done"));
		if (i % 64 == 0)
			log_verbose(i % 128 == 0);
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

static void
threads(void)
{
	pthread_t ids[THREADS];
	int numbers[THREADS];
	struct slice rest, text, line;
	size_t whole = 0, lines = 0;

	log_open("p", path);
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		pthread_create(&ids[i], NULL, many, &numbers[i]);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(ids[i], NULL);
	log_verbose(false);
	rest = text = tap_file(path);
	for (; slice_line(&rest, &line); lines++)
		whole += slice_search(line, SLICE("]: 4Zx: n=")) < line.len &&
		    slice_ends(line, SLICE(" (done)"));
	tap_ok(lines == THREADS * LINES && whole == lines,
	    "%d threads: every line whole", THREADS);
	unlink(path);
	free((char *)(uintptr_t)text.ptr);
}

static void
rate(void)
{
	struct arena *a = arena_new();
	struct slice in = SLICE("<someone.with-a-name@mail.example.org>");
	int64_t start = clock_mono_us();
	enum { N = 200000 };

	for (int i = 0; i < N; i++) {
		log_safe(a, in, 1000);
		if (i % 100 == 0)
			arena_reset(a);
	}
	tap_diag("log_safe: %.1f million values of %zu bytes a second",
	    N / (double)(clock_mono_us() - start), in.len);
	log_open("p", path);
	start = clock_mono_us();
	for (int i = 0; i < N / 10; i++)
		log_info("4Zx1Qk2hJ9z: verdict=accept, n=%d", i);
	tap_diag("file: %.0f thousand lines a second",
	    N / 10 * 1000.0 / (double)(clock_mono_us() - start));
	unlink(path);
	arena_free(a);
}

int
main(void)
{
	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/log", dir);
	safe();
	grammar();
	syslog_lines();
	injection();
	comes_and_goes();
	files();
	full_file();
	threads();
	rate();
	rmdir(dir);
	return tap_done();
}
