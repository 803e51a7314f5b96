#include "watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "log/log.h"

/* Which file it is: a new model is a new file under the old name. */
struct stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec changed;
};

/* One that is in use; the last who drops it closes it. */
struct held {
	struct held *next;
	struct model *model;
	unsigned users;
};

struct model_watch {
	pthread_mutex_t lock;
	struct arena *arena;
	const char *option, *state;
	struct held *now, *all;
	struct stamp stamp;
	int64_t every;			/* ms */
	deadline_t look;
};

const char *
watch_path(const char *option, const char *state, struct arena *a)
{
	const char *own = arena_printf(a, "%s/antispam/model", state).ptr;

	if (option[0] != '\0')
		return option;
	/* One that we may not look at is not passed over in silence. */
	return access(own, F_OK) == 0 || (errno != ENOENT &&
	    errno != ENOTDIR) ? own : PKGDATADIR "/antispam.model";
}

static struct stamp
stamp_of(const char *path)
{
	struct stamp s = { .size = -1 };
	struct stat st;

	if (stat(path, &st) == 0)
		s = (struct stamp){ st.st_dev, st.st_ino, st.st_size,
		    st.st_ctim };
	return s;
}

static bool
same(const struct stamp *a, const struct stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	    a->changed.tv_sec == b->changed.tv_sec &&
	    a->changed.tv_nsec == b->changed.tv_nsec;
}

static void
use(struct model_watch *w, struct model *m)
{
	struct held *h = mem_alloc(sizeof *h);

	*h = (struct held){ w->all, m, 1 };	/* the watch's own use */
	w->all = h;
	w->now = h;
}

/* Closes what nobody uses. */
static void
unuse(struct model_watch *w, struct held *h)
{
	struct held **at = &w->all;

	if (--h->users > 0)
		return;
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	model_close(h->model);
	free(h);
}

enum rc
watch_open(const char *option, const char *state, int64_t every,
    struct model_watch **watch_r, struct arena *a, struct slice *why_r)
{
	const char *path = watch_path(option, state, a);
	struct stamp stamp = stamp_of(path);
	struct model_watch *w;
	struct model *m;
	enum rc rc = model_open(path, &m, a, why_r);

	*watch_r = NULL;
	if (rc != RC_OK)
		return rc;
	w = mem_alloc(sizeof *w);
	*w = (struct model_watch){ .arena = arena_new(), .stamp = stamp,
	    .every = every, .look = deadline_in(every) };
	w->option = arena_printf(w->arena, "%s", option).ptr;
	w->state = arena_printf(w->arena, "%s", state).ptr;
	pthread_mutex_init(&w->lock, NULL);
	use(w, m);
	*watch_r = w;
	return RC_OK;
}

/* Under the lock: others wait for a model of a megabyte, once in a while. */
static void
look(struct model_watch *w)
{
	struct arena *a = arena_new();
	const char *path = watch_path(w->option, w->state, a);
	struct stamp stamp = stamp_of(path);
	struct held *old = w->now;
	struct slice why;
	struct model *m;

	w->look = deadline_in(w->every);
	if (!same(&stamp, &w->stamp)) {
		w->stamp = stamp;
		if (model_open(path, &m, a, &why) == RC_OK) {
			use(w, m);
			unuse(w, old);
			log_info("new model taken up: %s, of %u spam and %u "
			    "ham", path, m->head.spam, m->head.ham);
		} else {
			log_error("model not taken up, the old one stays: %.*s",
			    SLICE_ARG(log_safe(a, why, 300)));
		}
	}
	arena_free(a);
}

struct model *
watch_take(struct model_watch *w)
{
	struct model *m;

	pthread_mutex_lock(&w->lock);
	if (deadline_left(w->look) <= 0)
		look(w);
	w->now->users++;
	m = w->now->model;
	pthread_mutex_unlock(&w->lock);
	return m;
}

void
watch_drop(struct model_watch *w, struct model *m)
{
	pthread_mutex_lock(&w->lock);
	for (struct held *h = w->all; h != NULL; h = h->next)
		if (h->model == m) {
			unuse(w, h);
			break;
		}
	pthread_mutex_unlock(&w->lock);
}

void
watch_close(struct model_watch *w)
{
	if (w == NULL)
		return;
	unuse(w, w->now);
	pthread_mutex_destroy(&w->lock);
	arena_free(w->arena);
	free(w);
}
