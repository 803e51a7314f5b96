#include "services/sandbox/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/write.h"
#include "log/log.h"
#include "text/json.h"

static void
put(struct json *w, const struct sandbox_status *s,
    const struct book_counts *c)
{
	json_begin_object(w);
	json_put_int(w, "time", clock_wall());
	json_put(w, "url", slice_of(s->url));
	json_put_bool(w, "up", s->up);
	json_put_int(w, "since", s->since);
	json_put(w, "why", slice_of(s->why));
	json_put_bool(w, "store", s->store);
	json_put_int(w, "mails", (int64_t)c->mails);
	json_put_int(w, "files", (int64_t)c->files);
	json_put_int(w, "tasks", (int64_t)c->tasks);
	for (unsigned v = 0; v < VERDICTS; v++)
		json_put_int(w, answer_verdict_name((enum answer_verdict)v),
		    (int64_t)c->verdicts[v]);
	json_end(w);
}

void
sandbox_status_write(const char *dir, const struct sandbox_status *status,
    const struct book_counts *counts)
{
	static bool told;		/* one thread writes */
	struct buf out = { 0 };
	struct json w;
	struct arena *a = arena_new();
	const char *path = arena_printf(a, "%s/status.json", dir).ptr;
	const char *tmp = arena_printf(a, "%s/status.new", dir).ptr;
	int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool good;

	json_init(&w, &out);
	put(&w, status, counts);
	buf_addc(&out, '\n');
	good = fd >= 0 && write_all(fd, buf_slice(&out));
	if (fd >= 0)
		close(fd);
	good = good && rename(tmp, path) == 0;
	if (!good && !told)
		log_warning("%s cannot be written: %s", path, strerror(errno));
	told = !good;
	buf_free(&out);
	arena_free(a);
}
