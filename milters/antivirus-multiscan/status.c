#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/thread.h"
#include "log/log.h"
#include "text/json.h"

enum { EVERY_MS = 1000 };

struct status {
	struct status_source source;
	struct arena *arena;
	const char *path, *tmp;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool stopping, told, running;
	pthread_t thread;
};

/* ---- what it says ---- */

static void
write_engine(struct json *w, struct engine *e)
{
	struct arena *a = arena_new();
	struct engine_status status;
	struct engine_health health;

	engine_status(e, a, &status);
	engine_health(e, &health);
	json_begin_object(w);
	json_put(w, "name", slice_of(e->name));
	json_put_bool(w, "up", status.up && !health.down);
	json_put(w, "version", status.version);
	json_put_int(w, "signatures", (int64_t)status.signatures);
	json_put_int(w, "newest", status.newest);
	json_put_int(w, "tested", health.tested);
	json_put_bool(w, "passed", health.passed);
	json_put(w, "trouble", slice_of(health.why));
	json_put_int(w, "ms", (int64_t)(health.us / 1000));
	json_key(w, "scans");
	json_begin_object(w);
	for (int i = 0; i < SCAN_ENDS; i++)
		json_put_int(w, scan_end_name((enum scan_end)i),
		    (int64_t)health.ends[i]);
	json_end(w);
	json_end(w);
	arena_free(a);
}

static void
write_cell(struct json *w, struct cell *cell)
{
	uint64_t counts[CELL_ENDS];

	cell_counts(cell, counts);
	json_key(w, "unpack");
	json_begin_object(w);
	for (int i = 0; i < CELL_ENDS; i++)
		json_put_int(w, cell_end_name((enum cell_end)i),
		    (int64_t)counts[i]);
	json_end(w);
}

void
status_write(const struct status_source *source, struct buf *out)
{
	struct scan_counts counts;
	struct json w;

	scan_pool_counts(source->pool, &counts);
	json_init(&w, out);
	json_begin_object(&w);
	json_put_int(&w, "time", clock_wall());
	json_put_int(&w, "pid", getpid());
	json_put_int(&w, "min_engines", source->min_engines);
	json_put_int(&w, "max_signature_age", source->max_age);
	json_put_int(&w, "messages", (int64_t)counts.messages);
	json_put_int(&w, "under_way", counts.under_way);
	json_put_int(&w, "waiting", (int64_t)counts.waiting);
	json_put_int(&w, "scans", (int64_t)counts.scans);
	json_put_int(&w, "cache_hits", (int64_t)counts.hits);
	json_key(&w, "engines");
	json_begin_array(&w);
	for (size_t i = 0; i < source->nengines; i++)
		write_engine(&w, source->engines[i]);
	json_end(&w);
	write_cell(&w, source->unpack);
	json_end(&w);
	buf_addc(out, '\n');
}

/* ---- the file ---- */

static bool
write_all(int fd, struct slice text)
{
	while (text.len > 0) {
		ssize_t n = write(fd, text.ptr, text.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		text = slice_after(text, (size_t)n);
	}
	return true;
}

/* Not synced: after a power cut nobody asks how it was. */
static void
replace(struct status *s)
{
	struct arena *a = arena_new();
	struct buf out = buf_in(a);
	int fd = open(s->tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC |
	    O_NOFOLLOW, 0640);
	bool good = fd >= 0;

	status_write(&s->source, &out);
	good = good && write_all(fd, buf_slice(&out));
	if (fd >= 0)
		close(fd);
	good = good && rename(s->tmp, s->path) == 0;
	if (!good && !s->told)
		log_warning("%s: %s", s->path, strerror(errno));
	s->told = !good;
	arena_free(a);
}

static void *
run(void *arg)
{
	struct status *s = arg;

	pthread_mutex_lock(&s->lock);
	while (!s->stopping) {
		int64_t until = clock_mono() + EVERY_MS;
		struct timespec t = { .tv_sec = (time_t)(until / 1000),
		    .tv_nsec = (long)(until % 1000) * 1000000 };

		pthread_mutex_unlock(&s->lock);
		replace(s);
		pthread_mutex_lock(&s->lock);
		while (!s->stopping && pthread_cond_clockwait(&s->stop,
		    &s->lock, CLOCK_MONOTONIC, &t) != ETIMEDOUT)
			;
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

struct status *
status_start(const char *folder, const struct status_source *source)
{
	struct status *s = mem_alloc(sizeof *s);

	s->source = *source;
	s->arena = arena_new();
	s->path = arena_printf(s->arena, "%s/" STATUS_FILE, folder).ptr;
	/* At a reload the one that ends and the one that begins both write. */
	s->tmp = arena_printf(s->arena, "%s.%p", s->path, (void *)s).ptr;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->stop, NULL);
	s->running = thread_start(&s->thread, run, s);
	if (!s->running)
		log_warning("%s: no thread to write it", s->path);
	return s;
}

void
status_stop(struct status *s)
{
	if (s == NULL)
		return;
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_signal(&s->stop);
	pthread_mutex_unlock(&s->lock);
	if (s->running)
		pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->stop);
	pthread_mutex_destroy(&s->lock);
	arena_free(s->arena);
	free(s);
}
