/*
 * scan - what scanning a message for viruses costs, without Postfix
 *
 *	bench/scan DATABASE [OPTION VALUE]...
 *
 * The seeded mix through the filter antivirus-multiscan, one message after the
 * other: ask and decide, nothing before and nothing behind. Options: messages,
 * distinct (bodies), cache (verdicts), workers, threads, seed, text.
 *
 * Prints ms a message (p50, p99) and processor time a message, of this process
 * and of its cells. The first `distinct' messages are not counted: what comes
 * for the first time is what `cache 0' measures.
 */
#include <dirent.h>
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
#include "verdict/plan.h"

static struct run {
	size_t messages, distinct, cache, workers, threads, seed, text;
} run = { 200, 20, 20000, 4, 4, 1, 0 };

static bool
read_options(int argc, char **argv)
{
	const struct { const char *name; size_t *at; } table[] = {
		{ "messages", &run.messages }, { "distinct", &run.distinct },
		{ "cache", &run.cache }, { "workers", &run.workers },
		{ "threads", &run.threads }, { "seed", &run.seed },
		{ "text", &run.text },
	};
	int known = 2;

	for (int i = 2; i + 1 < argc; i += 2)
		for (size_t n = 0; n < sizeof table / sizeof *table; n++)
			if (strcmp(argv[i], table[n].name) == 0) {
				*table[n].at = strtoul(argv[i + 1], NULL, 10);
				known += 2;
			}
	return argc >= 2 && known == argc && run.distinct > 0;
}

/* ---- processor time ---- */

/* ms of that process; *parent_r is who began it. */
static double
spent_by(const char *pid, long *parent_r)
{
	unsigned long user, kernel;
	char path[300], line[1000];
	const char *after;
	double ms = 0;
	FILE *f;

	snprintf(path, sizeof path, "/proc/%s/stat", pid);
	f = fopen(path, "r");
	*parent_r = 0;
	if (f == NULL)
		return 0;
	if (fgets(line, sizeof line, f) != NULL &&
	    (after = strrchr(line, ')')) != NULL && sscanf(after,
	    ") %*c %ld %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", parent_r,
	    &user, &kernel) == 3)
		ms = 1000.0 * (double)(user + kernel) /
		    (double)sysconf(_SC_CLK_TCK);
	fclose(f);
	return ms;
}

struct family {
	long zygotes[8];
	size_t n;
};

/* Of all processes whose parent is one of those. */
static double
spent_by_children(const struct family *of, struct family *children_r)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	double ms = 0;
	long parent;

	while (d != NULL && (e = readdir(d)) != NULL) {
		double own = spent_by(e->d_name, &parent);
		long pid = strtol(e->d_name, NULL, 10);

		for (size_t i = 0; i < of->n; i++) {
			if (parent == 0 || parent != of->zygotes[i])
				continue;
			ms += own;
			if (children_r != NULL && children_r->n < 8)
				children_r->zygotes[children_r->n++] = pid;
		}
	}
	if (d != NULL)
		closedir(d);
	return ms;
}

/* Zygotes and workers. */
static double
spent_by_cells(void)
{
	const struct family self = { { getpid() }, 1 };
	struct family zygotes = { { 0 }, 0 };
	double ms = spent_by_children(&self, &zygotes);

	return ms + spent_by_children(&zygotes, NULL);
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
	    .deadline = deadline_in(60000), .direction = DIRECTION_IN };
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

static int
measure(struct house *h)
{
	struct figures f = { .count = 0 };
	double cells, own = 0, per = (double)run.messages;
	clock_t began;
	int64_t us;

	h->mix = mix_new(run.distinct, run.seed, run.text != 0);
	for (size_t n = 0; n < run.distinct; n++)
		if (!scan_one(h, n, &us))
			return 1;
	cells = spent_by_cells();
	began = clock();
	for (size_t n = 0; n < run.messages; n++) {
		if (!scan_one(h, run.distinct + n, &us))
			return 1;
		figures_add(&f, us);
	}
	own = 1000.0 * (double)(clock() - began) / CLOCKS_PER_SEC;
	cells = spent_by_cells() - cells;
	printf("p50 %.2f ms, p99 %.2f ms; CPU ms a message: %.2f here, %.2f "
	    "in cells, %.2f together\n", figures_at(&f, 0.5),
	    figures_at(&f, 0.99), own / per, cells / per, (own + cells) / per);
	free(f.us);
	mix_free(&h->mix);
	return 0;
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
	h.conf.cache = (unsigned)run.cache;
	h.conf.clamav_workers = (unsigned)run.workers;
	h.conf.threads = (unsigned)run.threads;
	if (antivirus_filter.open(&h.conf, &h.house, NULL, &h.shared, a,
	    &why) == RC_OK)
		status = measure(&h);
	if (status != 0)
		fprintf(stderr, "scan: %.*s\n", SLICE_ARG(why));
	if (h.shared != NULL)
		antivirus_filter.close(h.shared);
	arena_free(a);
	return status;
}
