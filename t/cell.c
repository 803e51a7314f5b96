/* Cells: whatever a worker does is an answer, and nobody else notices. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cell/cell.h"
#include "log/log.h"
#include "t/tap.h"

static struct arena *arena;
static char program[4096];
static char dir[] = "/tmp/gatehouse-cell-test-XXXXXX";

static struct cell *
start(unsigned workers, const char *argument)
{
	const char *argv[] = { program, argument, NULL };
	struct cell_conf conf = { .name = "probe", .argv = argv,
	    .workers = workers, .answer_max = 1 << 20, .pieces_max = 100 };
	struct cell *c;
	struct slice why;

	if (cell_open(&conf, &c, arena, &why) != RC_OK) {
		tap_ok(false, "cell_open: %.*s", SLICE_ARG(why));
		exit(tap_done());
	}
	return c;
}

static void
ask(struct cell *c, const char *word, int64_t ms, struct cell_answer *answer_r)
{
	cell_ask(c, slice_of(word), -1, deadline_in(ms), arena, answer_r);
}

static struct slice
first(const struct cell_answer *answer)
{
	return answer->pieces != NULL ? answer->pieces->bytes : SLICE_NONE;
}

/* What a worker may not do, and what it comes to. */
static void
test_ends(struct cell *c)
{
	static const struct { const char *word; enum cell_end end;
	    const char *said; } cases[] = {
		{ "segv", CELL_CRASHED, NULL },
		{ "abort", CELL_CRASHED, NULL },
		{ "leave", CELL_CRASHED, NULL },
		{ "socket", CELL_FORBIDDEN, NULL },
		{ "run", CELL_FORBIDDEN, NULL },
		{ "fork", CELL_FORBIDDEN, NULL },
		{ "kill", CELL_FORBIDDEN, NULL },
		{ "code", CELL_FORBIDDEN, NULL },
		{ "refuse", CELL_REFUSED, NULL },
		{ "pieces", CELL_TOO_MUCH, NULL },
		{ "many", CELL_TOO_MUCH, NULL },
		{ "scratch", CELL_ANSWERED, "mine" },
		{ "left", CELL_ANSWERED, "left" },
		{ "left", CELL_ANSWERED, "File exists" },
		{ "big", CELL_ANSWERED, "no more" },
		{ "passwd", CELL_ANSWERED, "Permission denied" },
		{ "tmp", CELL_ANSWERED, "Permission denied" },
		{ "chmod", CELL_ANSWERED, "Operation not permitted" },
		{ "no such word", CELL_ANSWERED, NULL },
	};
	struct cell_answer answer;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ask(c, cases[i].word, 20000, &answer);
		tap_is_str(cell_end_name(answer.end),
		    cell_end_name(cases[i].end), "%s (%.*s)", cases[i].word,
		    SLICE_ARG(answer.why));
		if (cases[i].said != NULL)
			tap_is(first(&answer), slice_of(cases[i].said),
			    "and says so");
	}
	ask(c, "sleep", 100, &answer);
	tap_is_int(answer.end, CELL_TIMEOUT, "sleep");
	ask(c, "spin", 100, &answer);
	tap_is_int(answer.end, CELL_TIMEOUT, "spin");
	ask(c, "left", 20000, &answer);
	tap_is(first(&answer), SLICE("left"), "another worker, an empty "
	    "folder");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	ask(c, "memory", 20000, &answer);
	tap_is(first(&answer), SLICE("no more"), "memory ends");
#endif
}

static void
test_bytes(struct cell *c)
{
	struct slice text = SLICE("bytes of\0mail");
	int fd = cell_memfd(text), n = 0;
	struct cell_answer answer;

	cell_ask(c, SLICE("echo"), fd, deadline_in(20000), arena, &answer);
	tap_is(first(&answer), text, "a descriptor goes there");
	tap_ok(write(fd, "x", 1) < 0 && ftruncate(fd, 1) < 0,
	    "and cannot be changed");
	close(fd);
	fd = cell_memfd(SLICE(""));
	cell_ask(c, SLICE("echo"), fd, deadline_in(20000), arena, &answer);
	tap_is_int((int)first(&answer).len, 0, "nothing is something");
	close(fd);
	ask(c, "members", 20000, &answer);
	for (struct cell_piece *p = answer.pieces; p != NULL; p = p->next) {
		char back[20] = "";
		ssize_t got = p->fd >= 0 ? pread(p->fd, back, sizeof back, 0) :
		    -1;

		n += got > 0 && slice_eq(slice_make(back, (size_t)got),
		    p->bytes);
	}
	tap_is_int(n, 3, "descriptors come back, each with its bytes");
	cell_ask(c, slice_make(program, CELL_REQUEST + 1), -1,
	    deadline_in(1000), arena, &answer);
	tap_is_int(answer.end, CELL_DOWN, "a request may be too long");
}

/* A worker ends after five requests; who asks does not notice. */
static void
test_recycling(void)
{
	struct cell *c = start(1, NULL);
	struct cell_answer answer;
	int wrong = 0;

	for (int i = 0; i < 23; i++) {
		char want[8];

		snprintf(want, sizeof want, "%d", i % 5 + 1);
		ask(c, "count", 20000, &answer);
		wrong += !slice_eq(first(&answer), slice_of(want));
	}
	tap_is_int(wrong, 0, "a fresh worker after each five requests");
	cell_close(c);
}

struct crowd {
	struct cell *cell;
	atomic_int right, wrong;
};

static void *
one_of_many(void *arg)
{
	struct crowd *crowd = arg;
	struct arena *a = arena_new();

	for (int i = 0; i < 10; i++) {
		bool bad = i % 3 == 2;
		struct cell_answer answer;

		cell_ask(crowd->cell, bad ? SLICE("segv") : SLICE("nap"), -1,
		    deadline_in(60000), a, &answer);
		if (answer.end == (bad ? CELL_CRASHED : CELL_ANSWERED))
			crowd->right++;
		else
			crowd->wrong++;
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

static void
test_crowd(void)
{
	struct crowd crowd = { .cell = start(4, NULL) };
	uint64_t counts[CELL_ENDS];
	pthread_t threads[12];

	for (int i = 0; i < 12; i++)
		pthread_create(&threads[i], NULL, one_of_many, &crowd);
	for (int i = 0; i < 12; i++)
		pthread_join(threads[i], NULL);
	tap_is_int(crowd.right, 120, "twelve threads, four workers, crashes "
	    "between");
	tap_is_int(crowd.wrong, 0, "and each answer is the asker's own");
	cell_counts(crowd.cell, counts);
	tap_is_int((int)counts[CELL_ANSWERED], 84, "answers are counted");
	tap_is_int((int)counts[CELL_CRASHED], 36, "and crashes");
	cell_close(crowd.cell);
}

/* How many, and one of them. */
static unsigned
children_of(pid_t parent, pid_t *one_r)
{
	char path[64];
	unsigned n = 0;
	int pid;
	FILE *f;

	*one_r = 0;
	snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)parent,
	    (int)parent);
	f = fopen(path, "re");
	for (; f != NULL && fscanf(f, "%d", &pid) == 1; n++)
		*one_r = pid;
	if (f != NULL)
		fclose(f);
	return n;
}

static pid_t
child_of(pid_t parent)
{
	pid_t pid;

	children_of(parent, &pid);
	return pid;
}

/* All workers are there before anybody asks, and are the ones that answer. */
static void
test_warm(void)
{
	struct cell *c = start(3, NULL);
	struct cell_answer answer;
	pid_t zygote = child_of(getpid()), one;

	cell_warm(c, deadline_in(20000));
	tap_is_int(children_of(zygote, &one), 3, "three workers are made");
	ask(c, "count", 20000, &answer);
	tap_is_int(children_of(zygote, &one), 3, "and one of them answers");
	cell_close(c);
}

static void
test_zygote(void)
{
	struct cell *c = start(2, "--slow");
	struct cell_answer answer;
	struct slice why;
	pid_t zygote;

	ask(c, "count", 1, &answer);
	tap_is_int(answer.end, CELL_DOWN, "not before it has loaded");
	tap_is_int(cell_ready(c, deadline_in(20000), arena, &why), RC_OK,
	    "it loads");
	tap_is(cell_told(c, arena), SLICE("a probe of 24 words"),
	    "and tells of itself");
	ask(c, "count", 20000, &answer);
	tap_is(first(&answer), SLICE("1"), "a late worker is nobody's");
	zygote = child_of(getpid());
	kill(zygote, SIGKILL);
	/* Its workers die with it: who asks meanwhile gets no answer, and
	 * after a pause a new one's. */
	do
		ask(c, "count", 50, &answer);
	while (answer.end != CELL_DOWN);
	for (int i = 0; i < 100 && answer.end != CELL_ANSWERED; i++)
		ask(c, "count", 5000, &answer);
	tap_is(first(&answer), SLICE("1"), "killed, it comes again");
	tap_ok(child_of(getpid()) != zygote, "as another one");
	cell_close(c);

	c = start(1, "--broken");
	tap_is_int(cell_ready(c, deadline_in(300), arena, &why), RC_RETRY,
	    "one that cannot load is down");
	ask(c, "count", 50, &answer);
	tap_is_int(answer.end, CELL_DOWN, "and so is each answer");
	cell_close(c);
}

static void
test_socket(void)
{
	char path[128];
	struct cell_conf conf = { .name = "probe", .socket = path,
	    .workers = 1, .answer_max = 100, .pieces_max = 1 };
	struct cell *one, *two;
	struct cell_answer answer;
	struct slice why;
	pid_t pid;

	snprintf(path, sizeof path, "%s/sock", dir);
	cell_open(&conf, &one, arena, &why);
	ask(one, "count", 50, &answer);
	tap_is_int(answer.end, CELL_DOWN, "its unit is not there yet");
	pid = fork();
	if (pid == 0) {
		execl(program, program, "--socket", path, "--peers", "nobody",
		    (char *)NULL);
		_exit(127);
	}
	tap_is_int(cell_ready(one, deadline_in(20000), arena, &why), RC_OK,
	    "a cell that runs as a unit of its own");
	cell_open(&conf, &two, arena, &why);
	ask(one, "count", 20000, &answer);
	ask(two, "count", 20000, &answer);
	tap_is(first(&answer), SLICE("1"), "two clients, two workers");
	cell_close(two);
	ask(one, "count", 20000, &answer);
	tap_is(first(&answer), SLICE("2"), "one goes, the other stays");
	cell_close(one);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void
test_conf(void)
{
	const char *argv[] = { "/no/such/program", NULL };
	struct cell_conf conf = { .name = "none", .argv = argv, .workers = 1 };
	struct slice why;
	struct cell *c;

	tap_is_int(cell_open(&conf, &c, arena, &why), RC_BAD, "no program");
	tap_is(why, SLICE("cell none (/no/such/program): its program cannot "
	    "be run"), "and which");
	conf.workers = 0;
	tap_is_int(cell_open(&conf, &c, arena, &why), RC_BAD, "no workers");
}

/* What is left of cells that are closed. */
static int
count_left(void)
{
	DIR *d = opendir(dir);
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL)
		n += strncmp(e->d_name, "gatehouse-cell-", 15) == 0;
	closedir(d);
	return n;
}

int
main(int argc, char **argv)
{
	const char *end = strrchr(argv[0], '/');
	struct cell *c;

	(void)argc;
	arena = arena_new();
	/* Away from the daemon's log. */
	if (mkdtemp(dir) == NULL || realpath(end != NULL ? arena_printf(arena,
	    "%.*s/cell-probe", (int)(end - argv[0]), argv[0]).ptr :
	    "cell-probe", program) == NULL) {
		tap_ok(false, "cell-probe: %s", strerror(errno));
		return tap_done();
	}
	setenv("TMPDIR", dir, 1);
	log_open("gatehouse-test", "/dev/null");
	test_conf();
	c = start(2, NULL);
	test_ends(c);
	test_bytes(c);
	cell_close(c);
	test_recycling();
	test_crowd();
	test_warm();
	test_zygote();
	test_socket();
	/* The zygotes that were killed could not clear up: two of them. */
	tap_is_int(count_left(), 2, "no folder is left");
	arena_free(arena);
	return tap_done();
}
