/*
 * scan - what scanning a message for viruses costs, without Postfix
 *
 *	bench/scan DATABASE [OPTION VALUE]...
 *
 * The seeded mix through the filter antivirus-multiscan: ask and decide,
 * nothing before and nothing behind. Options: messages, distinct (bodies),
 * cache (verdicts), workers, threads, seed, text, sessions (messages at once),
 * half (1: after each message a pause as long as it took), crash, reload.
 *
 * Prints ms a message (p50, p99, the slowest), processor time a message, of
 * this process and of its cells, and the memory (PSS) of all. The first
 * `distinct' messages are not counted: what comes for the first time is what
 * `cache 0' measures.
 *
 * With `crash N' all is done a second time, while every N ms a worker that
 * scans is made to crash. Whose worker crashed is told apart by its verdict;
 * what is printed then is what that cost the others. With `reload 1' it is done
 * a second time while new signatures are loaded all the time: a file that is
 * made anew in DATABASE, and goes at the end.
 */
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "bench/figures.h"
#include "bench/mail.h"
#include "milters/antivirus-multiscan/filter.h"
#include "milters/antivirus-multiscan/options.h"
#include "policy/policy.h"
#include "verdict/plan.h"

static struct run {
	size_t messages, distinct, cache, workers, threads, seed, text,
	    sessions, half, crash, reload;
} run = { 200, 20, 20000, 4, 4, 1, 0, 1, 0, 0, 0 };

enum { SESSIONS = 64, FAMILY = 64, RENEW_MS = 2000 };

static bool
read_options(int argc, char **argv)
{
	const struct { const char *name; size_t *at; } table[] = {
		{ "messages", &run.messages }, { "distinct", &run.distinct },
		{ "cache", &run.cache }, { "workers", &run.workers },
		{ "threads", &run.threads }, { "seed", &run.seed },
		{ "text", &run.text }, { "sessions", &run.sessions },
		{ "half", &run.half }, { "crash", &run.crash },
		{ "reload", &run.reload },
	};
	int known = 2;

	for (int i = 2; i + 1 < argc; i += 2)
		for (size_t n = 0; n < sizeof table / sizeof *table; n++)
			if (strcmp(argv[i], table[n].name) == 0) {
				*table[n].at = strtoul(argv[i + 1], NULL, 10);
				known += 2;
			}
	return argc >= 2 && known == argc && run.distinct > 0 &&
	    run.sessions > 0 && run.sessions <= SESSIONS;
}

/* ---- processes ---- */

struct process {
	long pid, parent;
	double cpu;			/* ms */
	char state;
};

static bool
look_at(const char *pid, struct process *p_r)
{
	unsigned long user, kernel;
	long gone, gone_kernel;		/* of children that ended */
	char path[300], line[1000];
	const char *after;
	bool good = false;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%s/stat", pid);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	if (fgets(line, sizeof line, f) != NULL &&
	    (after = strrchr(line, ')')) != NULL)
		good = sscanf(after, ") %c %ld %*d %*d %*d %*d %*u %*u %*u "
		    "%*u %*u %lu %lu %ld %ld", &p_r->state, &p_r->parent,
		    &user, &kernel, &gone, &gone_kernel) == 6;
	fclose(f);
	if (!good)
		return false;
	p_r->pid = strtol(pid, NULL, 10);
	p_r->cpu = 1000.0 * ((double)(user + kernel) +
	    (double)(gone + gone_kernel)) / (double)sysconf(_SC_CLK_TCK);
	return true;
}

/* Children of those who are in it already, until there are no more. */
static size_t
family(struct process all[FAMILY])
{
	size_t n = 1, before = 0;

	all[0] = (struct process){ .pid = getpid() };
	while (n != before) {
		DIR *d = opendir("/proc");
		struct dirent *e;
		struct process p;

		before = n;
		while (d != NULL && (e = readdir(d)) != NULL) {
			bool ours = false;

			if (e->d_name[0] < '0' || e->d_name[0] > '9' ||
			    !look_at(e->d_name, &p))
				continue;
			for (size_t i = 0; i < n; i++) {
				ours |= all[i].pid == p.parent;
				if (all[i].pid == p.pid)
					p.parent = 0;
			}
			if (ours && p.parent != 0 && n < FAMILY)
				all[n++] = p;
		}
		if (d != NULL)
			closedir(d);
	}
	return n;
}

/* Zygotes and workers. */
static double
spent_by_cells(void)
{
	struct process all[FAMILY];
	size_t n = family(all);
	double ms = 0;

	for (size_t i = 1; i < n; i++)
		ms += all[i].cpu;
	return ms;
}

/* Proportional: what several share counts once. MB. */
static double
memory_of_all(void)
{
	struct process all[FAMILY];
	size_t n = family(all);
	long kb, sum = 0;

	for (size_t i = 0; i < n; i++) {
		char path[100], line[200];
		FILE *f;

		snprintf(path, sizeof path, "/proc/%ld/smaps_rollup",
		    all[i].pid);
		f = fopen(path, "r");
		while (f != NULL && fgets(line, sizeof line, f) != NULL)
			if (sscanf(line, "Pss: %ld", &kb) == 1)
				sum += kb;
		if (f != NULL)
			fclose(f);
	}
	return (double)sum / 1024;
}

/* A grandchild that runs: a worker with something to do. */
static bool
crash_one(void)
{
	struct process all[FAMILY];
	size_t n = family(all);

	for (size_t i = 1; i < n; i++)
		if (all[i].parent != getpid() && all[i].state == 'R')
			return kill((pid_t)all[i].pid, SIGSEGV) == 0;
	return false;
}

/* ---- messages ---- */

static void
undot(struct buf *out, struct slice body)
{
	while (body.len > 0) {
		size_t end = slice_find(body, '\n') + 1;
		struct slice line = slice_sub(body, 0, end);

		buf_add(out, slice_starts(line, SLICE("..")) ?
		    slice_after(line, 1) : line);
		body = slice_after(body, end);
	}
}

struct house {
	struct antivirus_conf conf;
	struct house_conf house;
	void *shared;
	struct policy *policy;
	struct mix mix;
};

static bool
scan_one(struct house *h, size_t number, int64_t *us_r)
{
	const struct mail_sender from = { "192.0.2.1", "mail.example.org",
	    "example.org" };
	struct arena *a = arena_new();
	struct buf head = buf_in(a), body = buf_in(a);
	struct slice why = SLICE(""), block;
	struct message msg;
	struct job job = { .arena = a, .house = &h->house, .conf = &h->conf,
	    .msg = &msg, .shared = h->shared, .now = clock_wall() / 1000,
	    .deadline = deadline_in(60000), .direction = DIRECTION_IN,
	    .policy = h->policy };
	bool good;

	mail_header(&head, &h->mix, number, &from);
	undot(&body, mix_mail(&h->mix, number)->body);
	block = buf_slice(&head);
	*us_r = clock_mono_us();
	message_read(&msg, a, slice_sub(block, 0, block.len - 2),
	    buf_slice(&body), NULL);
	good = antivirus_filter.ask(&job, &why) == RC_OK &&
	    antivirus_filter.decide(&job)->all.action == ACCEPT;
	*us_r = clock_mono_us() - *us_r;
	arena_free(a);
	return good;
}

/* ---- a run ---- */

struct session {
	struct house *house;
	struct figures figures;		/* of those that were accepted */
	size_t first, count, others;
	pthread_t thread;
};

static void *
run_session(void *arg)
{
	struct session *s = arg;
	int64_t us;

	for (size_t i = 0; i < s->count; i++)
		if (scan_one(s->house, s->first + i, &us)) {
			figures_add(&s->figures, us);
			if (run.half != 0)
				usleep((useconds_t)us);
		} else {
			s->others++;
		}
	return NULL;
}

/* What is done to it meanwhile, until it stops. */
static struct trouble {
	atomic_bool stop;
	size_t count;			/* crashes, or loads */
} trouble;

static void *
crash_now_and_then(void *arg)
{
	(void)arg;
	while (!trouble.stop) {
		poll(NULL, 0, (int)run.crash);
		trouble.count += crash_one();
	}
	return NULL;
}

/* A signature more each time, of nothing that is in the mix. */
static void *
renew_now_and_then(void *arg)
{
	const char *dir = arg;
	char path[2][1000];
	FILE *f;

	snprintf(path[0], sizeof path[0], "%s/.scan.ndb", dir);
	snprintf(path[1], sizeof path[1], "%s/scan.ndb", dir);
	while (!trouble.stop) {
		f = fopen(path[0], "w");
		if (f == NULL)
			break;
		fprintf(f, "Bench.Scan:0:*:%032zx\n", ++trouble.count);
		fclose(f);
		rename(path[0], path[1]);
		for (int ms = 0; ms < RENEW_MS && !trouble.stop; ms += 100)
			poll(NULL, 0, 100);
	}
	unlink(path[1]);
	return NULL;
}

static void
print(const char *name, struct figures *f, double own, double cells)
{
	double per = (double)run.messages;

	printf("%s: p50 %.2f ms, p99 %.2f ms, slowest %.2f ms\n", name,
	    figures_at(f, 0.5), figures_at(f, 0.99), figures_at(f, 1));
	printf("CPU ms a message: %.2f here, %.2f in cells, %.2f together\n",
	    own / per, cells / per, (own + cells) / per);
}

/* How many were not accepted. */
static size_t
run_all(struct house *h, const char *name)
{
	static struct session sessions[SESSIONS];
	struct figures all = { .count = 0 };
	double cells = spent_by_cells();
	clock_t began = clock();
	size_t others = 0;

	for (size_t i = 0; i < run.sessions; i++) {
		size_t share = run.messages / run.sessions;

		sessions[i] = (struct session){ .house = h, .count = share,
		    .first = run.distinct + i * share };
		pthread_create(&sessions[i].thread, NULL, run_session,
		    &sessions[i]);
	}
	for (size_t i = 0; i < run.sessions; i++) {
		struct figures *f = &sessions[i].figures;

		pthread_join(sessions[i].thread, NULL);
		for (size_t n = 0; n < f->count; n++)
			figures_add(&all, f->us[n]);
		others += sessions[i].others;
		free(f->us);
	}
	print(name, &all, 1000.0 * (double)(clock() - began) / CLOCKS_PER_SEC,
	    spent_by_cells() - cells);
	free(all.us);
	return others;
}

static size_t
run_troubled(struct house *h, const char *name, void *(*make)(void *),
    void *arg)
{
	pthread_t thread;
	size_t others;

	trouble.stop = false;
	trouble.count = 0;
	pthread_create(&thread, NULL, make, arg);
	others = run_all(h, name);
	trouble.stop = true;
	pthread_join(thread, NULL);
	return others;
}

static int
measure(struct house *h)
{
	size_t others = 0, lost;
	int64_t us;

	h->mix = mix_new(run.distinct, run.seed, run.text);
	for (size_t n = 0; n < run.distinct; n++)
		others += !scan_one(h, n, &us);
	others += run_all(h, "all");
	printf("memory (PSS) of all processes: %.0f MB\n", memory_of_all());
	if (run.crash > 0) {
		lost = run_troubled(h, "while workers crash",
		    crash_now_and_then, NULL);
		others += lost > trouble.count || lost == 0;
		printf("%zu crashes, %zu messages not scanned for it\n",
		    trouble.count, lost);
	}
	if (run.reload > 0) {
		others += run_troubled(h, "while signatures are loaded",
		    renew_now_and_then, (void *)(uintptr_t)
		    h->conf.clamav_database);
		printf("new signatures %zu times\n", trouble.count);
		printf("memory (PSS) of all processes: %.0f MB\n",
		    memory_of_all());
	}
	mix_free(&h->mix);
	return others > 0;
}

int
main(int argc, char **argv)
{
	static struct house h;
	const struct conf_section sections[] = { { antivirus_options, &h.conf },
	    { house_options, &h.house }, { NULL, NULL } };
	struct arena *a = arena_new();
	struct slice why = SLICE("");
	int status = 1;

	if (!read_options(argc, argv) ||
	    conf_load(a, NULL, sections, &why) != RC_OK) {
		fputs("usage: bench/scan DATABASE [OPTION VALUE]...\n", stderr);
		return 64;
	}
	h.conf.clamav_database = argv[1];
	h.conf.max_age = 0;
	h.conf.clamav_look = 200;
	h.conf.cache = (unsigned)run.cache;
	h.conf.clamav_workers = (unsigned)run.workers;
	h.conf.threads = (unsigned)run.threads;
	if (policy_open(NULL, &h.house, &h.policy, a, &why) == RC_OK &&
	    antivirus_filter.open(&h.conf, &h.house, NULL, &h.shared, a,
	    &why) == RC_OK)
		status = measure(&h);
	if (status != 0)
		fprintf(stderr, "scan: %.*s\n", SLICE_ARG(why));
	if (h.shared != NULL)
		antivirus_filter.close(h.shared);
	policy_drop(h.policy);
	arena_free(a);
	return status;
}
