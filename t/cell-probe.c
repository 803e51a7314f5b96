/* A cell for tests: it does what the request says, however bad. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cell/cell.h"
#include "cell/trade.h"
#include "unpack/kinds.h"

static const char *volatile nowhere;
static volatile unsigned long spun;

static void
say(struct trade_request *r, const char *text)
{
	trade_piece(r, slice_of(text), -1);
}

static void
echo(struct trade_request *r)
{
	trade_piece(r, slice_sub(r->bytes, 0, TRADE_PIECE), -1);
}

/* A real one; a sanitizer would make it an exit. */
__attribute__((no_sanitize("undefined", "address"))) static void
segv(struct trade_request *r)
{
	(void)r;
	signal(SIGSEGV, SIG_DFL);
	spun = (unsigned long)*nowhere;
}

static void
aborts(struct trade_request *r)
{
	(void)r;
	signal(SIGABRT, SIG_DFL);
	abort();
}

static void
leaves(struct trade_request *r)
{
	(void)r;
	_exit(7);
}

static void
sleeps(struct trade_request *r)
{
	const struct timespec long_time = { 60, 0 };

	(void)r;
	nanosleep(&long_time, NULL);
}

static void
naps(struct trade_request *r)
{
	const struct timespec t = { 0, 20 * 1000 * 1000 };

	nanosleep(&t, NULL);
	say(r, "awake");
}

static void
spins(struct trade_request *r)
{
	(void)r;
	for (;;)
		spun++;
}

static void
opens_socket(struct trade_request *r)
{
	say(r, socket(AF_INET, SOCK_STREAM, 0) >= 0 ? "open" : "closed");
}

static void
runs(struct trade_request *r)
{
	char *const argv[] = { (char[]){ "true" }, NULL };

	execv("/bin/true", argv);
	say(r, "not run");
}

static void
forks(struct trade_request *r)
{
	say(r, fork() >= 0 ? "forked" : "not forked");
}

static void
kills(struct trade_request *r)
{
	say(r, kill(getppid(), 0) == 0 ? "could" : "could not");
}

static void
reads_outside(struct trade_request *r)
{
	say(r, open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? "read it" :
	    strerror(errno));
}

static void
writes_outside(struct trade_request *r)
{
	say(r, open("/tmp/gatehouse-cell-was-here", O_WRONLY | O_CREAT |
	    O_CLOEXEC, 0600) >= 0 ? "wrote it" : strerror(errno));
}

static void
changes_mode(struct trade_request *r)
{
	say(r, chmod("/tmp", 0777) == 0 ? "changed" : strerror(errno));
}

static void
takes_memory(struct trade_request *r)
{
	void *kept[1000];
	size_t n = 0;

	while (n < 1000 && (kept[n] = malloc(1 << 20)) != NULL)
		n++;
	for (size_t i = 0; i < n; i++)
		free(kept[i]);
	say(r, n < 1000 ? "no more" : "all of it");
}

static void
makes_code(struct trade_request *r)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0);

	say(r, mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 ? "code" :
	    "no code");
}

static void
uses_scratch(struct trade_request *r)
{
	int fd = open("mine", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	char back[4] = "";

	if (fd < 0 || write(fd, "mine", 4) != 4 || pread(fd, back, 4, 0) != 4)
		say(r, strerror(errno));
	else
		trade_piece(r, slice_make(back, 4), -1);
	unlink("mine");
}

static void
leaves_file(struct trade_request *r)
{
	say(r, open("left", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600) >= 0 ?
	    "left" : strerror(errno));
}

static void
big_file(struct trade_request *r)
{
	static const char mega[1 << 20];
	int fd = open("big", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int n = 0;

	signal(SIGXFSZ, SIG_IGN);
	while (n < 100 && write(fd, mega, sizeof mega) == sizeof mega)
		n++;
	close(fd);
	unlink("big");
	say(r, n < 100 ? "no more" : "all of it");
}

static void
pieces(struct trade_request *r)
{
	static const char text[TRADE_PIECE];

	for (int i = 0; i < 1000; i++)
		if (!trade_piece(r, slice_make(text, sizeof text), -1))
			return;
}

static void
members(struct trade_request *r)
{
	for (int i = 0; i < 3; i++) {
		struct slice name = arena_printf(r->arena, "member %d", i);
		int fd = cell_memfd(name);

		trade_piece(r, name, fd);
		close(fd);
	}
}

static void
too_many(struct trade_request *r)
{
	for (int i = 0; i < 5000; i++)
		if (!trade_piece(r, SLICE(""), -1))
			return;
}

static void
counts(struct trade_request *r)
{
	static int n;

	trade_piece(r, arena_printf(r->arena, "%d", ++n), -1);
}

static void
refuses(struct trade_request *r)
{
	trade_refuse(r, SLICE("no such format"));
}

static const struct { const char *word; void (*act)(struct trade_request *r); }
    acts[] = {
	{ "echo", echo }, { "segv", segv }, { "abort", aborts },
	{ "leave", leaves }, { "sleep", sleeps }, { "nap", naps },
	{ "spin", spins }, { "socket", opens_socket }, { "run", runs },
	{ "fork", forks }, { "kill", kills }, { "passwd", reads_outside },
	{ "tmp", writes_outside }, { "memory", takes_memory },
	{ "code", makes_code }, { "scratch", uses_scratch },
	{ "left", leaves_file }, { "big", big_file }, { "pieces", pieces },
	{ "members", members }, { "many", too_many }, { "count", counts },
	{ "refuse", refuses }, { "chmod", changes_mode },
};

/* As the cell unpack does it (unpack/kinds.h); false: another request. */
static bool
tells_kinds(struct trade_request *r)
{
	struct slice files[KINDS];
	size_t n;

	if (!kinds_read_request(r->request, r->bytes, files, &n))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (slice_starts(files[i], SLICE("\1die")))
			aborts(r);
		if (slice_starts(files[i], SLICE("\1sleep")))
			sleeps(r);
		say(r, slice_starts(files[i], SLICE("\1lie")) ? "fits\n" :
		    "image/fits\n");
	}
	return true;
}

static void
work(struct trade_request *r)
{
	if (tells_kinds(r))
		return;
	for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
		if (slice_eq(r->request, slice_of(acts[i].word)))
			acts[i].act(r);
}

/* "--slow": loading takes a while; "--broken": it does not work. */
static bool
prepare(int argc, char **argv, struct arena *a, struct slice *told_r,
    struct slice *why_r)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--slow") == 0)
			nanosleep(&(struct timespec){ 0, 300000000 }, NULL);
		if (strcmp(argv[i], "--broken") == 0) {
			*why_r = SLICE("it is broken");
			return false;
		}
	}
	*told_r = arena_printf(a, "a probe of %d words",
	    (int)(sizeof acts / sizeof acts[0]));
	return true;
}

static const struct cell_trade probe = {
	.name = "probe", .prepare = prepare, .work = work,
	.walls = { .memory = 64 << 20, .file = 4 << 20, .scratch = 8 << 20 },
	.requests = 5,
};

int
main(int argc, char **argv)
{
	return cell_main(argc, argv, &probe);
}
