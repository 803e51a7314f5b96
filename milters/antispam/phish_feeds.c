#include "phish_feeds.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/sip.h"

/* What a file was when it was mapped. */
struct mark {
	ino_t inode;
	struct timespec changed;
	off_t size;
};

struct phish_sets {
	unsigned users;			/* under the feeds' lock */
	size_t count;
	struct phish_set **sets;	/* NULL: not there */
	struct mark *marks;
	const struct conf_list *sources;
};

struct phish_feeds {
	pthread_mutex_t lock;
	struct arena *arena;
	const struct conf_list *sources;
	const char **paths;
	struct phish_sets *now;
	int64_t looked;			/* clock_mono() */
};

const char *
phish_feeds_path(struct arena *a, const char *folder, struct slice source)
{
	static const uint64_t fixed[2] = { 1, 2 };

	return arena_printf(a, "%s/feed-%016llx", folder,
	    (unsigned long long)sip_hash(fixed, source)).ptr;
}

static void
sets_free(struct phish_sets *s)
{
	for (size_t i = 0; i < s->count; i++)
		phish_set_close(s->sets[i]);
	free(s->sets);
	free(s->marks);
	free(s);
}

static struct mark
mark_of(const char *path)
{
	struct mark m = { .size = 0 };
	struct stat st;

	if (stat(path, &st) == 0) {
		m.inode = st.st_ino;
		m.changed = st.st_mtim;
		m.size = st.st_size;
	}
	return m;
}

static bool
same_mark(const struct mark *a, const struct mark *b)
{
	return a->inode == b->inode && a->size == b->size &&
	    a->changed.tv_sec == b->changed.tv_sec &&
	    a->changed.tv_nsec == b->changed.tv_nsec;
}

static struct phish_sets *
load(const struct phish_feeds *f)
{
	size_t n = f->sources->count;
	struct phish_sets *s = mem_alloc(sizeof *s);
	struct arena *a = arena_new();
	struct slice why;

	*s = (struct phish_sets){ .users = 1, .count = n,
	    .sources = f->sources,
	    .sets = mem_alloc((n + 1) * sizeof (struct phish_set *)),
	    .marks = mem_alloc((n + 1) * sizeof *s->marks) };
	for (size_t i = 0; i < n; i++) {
		s->marks[i] = mark_of(f->paths[i]);
		if (phish_set_open(f->paths[i], &s->sets[i], a, &why) != RC_OK)
			s->sets[i] = NULL;
	}
	arena_free(a);
	return s;
}

struct phish_feeds *
phish_feeds_open(const char *folder, const struct conf_list *sources)
{
	struct phish_feeds *f = mem_alloc(sizeof *f);

	*f = (struct phish_feeds){ .arena = arena_new(), .sources = sources,
	    .looked = clock_mono() };
	pthread_mutex_init(&f->lock, NULL);
	f->paths = arena_array(f->arena, sources->count + 1,
	    sizeof (char *));
	for (size_t i = 0; i < sources->count; i++)
		f->paths[i] = phish_feeds_path(f->arena, folder,
		    sources->items[i]);
	f->now = load(f);
	return f;
}

void
phish_feeds_close(struct phish_feeds *f)
{
	if (f == NULL)
		return;
	sets_free(f->now);
	pthread_mutex_destroy(&f->lock);
	arena_free(f->arena);
	free(f);
}

static void
drop(struct phish_sets *s)
{
	if (--s->users == 0)
		sets_free(s);
}

static bool
changed(const struct phish_feeds *f)
{
	for (size_t i = 0; i < f->now->count; i++) {
		struct mark m = mark_of(f->paths[i]);

		if (!same_mark(&m, &f->now->marks[i]))
			return true;
	}
	return false;
}

struct phish_sets *
phish_feeds_get(struct phish_feeds *f)
{
	struct phish_sets *s;

	pthread_mutex_lock(&f->lock);
	if (clock_mono() - f->looked >= FEEDS_LOOK * 1000) {
		f->looked = clock_mono();
		if (changed(f)) {
			drop(f->now);
			f->now = load(f);
		}
	}
	s = f->now;
	s->users++;
	pthread_mutex_unlock(&f->lock);
	return s;
}

void
phish_feeds_give(struct phish_feeds *f, struct phish_sets *sets)
{
	pthread_mutex_lock(&f->lock);
	drop(sets);
	pthread_mutex_unlock(&f->lock);
}

struct slice
phish_feeds_lacks(const struct phish_sets *sets, struct arena *a)
{
	size_t lacks = 0;

	for (size_t i = 0; i < sets->count; i++)
		lacks += sets->sets[i] == NULL;
	if (lacks == 0)
		return SLICE_NONE;
	return lacks == 1 ? SLICE("a phishing feed") :
	    arena_printf(a, "%zu phishing feeds", lacks);
}

static bool
listed(const struct phish_sets *s, struct slice key, struct slice *source_r)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->sets[i] != NULL && phish_set_has(s->sets[i], key)) {
			*source_r = s->sources->items[i];
			return true;
		}
	return false;
}

/* Under a domain that everybody uses only names that anybody may have count,
 * and not the domain. */
static bool
host_counts(const struct phish_known *known, struct slice host,
    struct slice org)
{
	if (phish_is_popular(known, host))
		return false;
	return !phish_is_popular(known, org) || (phish_hosts(known, host) &&
	    !slice_eq(host, org));
}

enum { LEVELS = 10 };

enum feed_line
phish_feeds_find(const struct phish_sets *sets, const struct phish_known *known,
    const struct suffixes *suffixes, struct arena *a, const struct weburl *url,
    struct slice *entry_r, struct slice *source_r)
{
	struct slice host = url->host, org;

	if (sets->count == 0)
		return FEED_NOTHING;
	if (url->path.len > 1 || url->query.len > 0 || url->port != 0) {
		*entry_r = weburl_print(a, url);
		if (listed(sets, phish_key_url(a, url), source_r))
			return FEED_URL;
	}
	org = url->numeric ? host : suffixes_org(suffixes, host);
	if (org.ptr == NULL)
		return FEED_NOTHING;
	for (unsigned n = 0; n < LEVELS && host.len >= org.len; n++) {
		*entry_r = host;
		if (host_counts(known, host, org) &&
		    listed(sets, phish_key_host(a, host), source_r))
			return FEED_HOST;
		if (url->numeric || !slice_has(host, '.'))
			break;
		host = slice_after(host, slice_find(host, '.') + 1);
	}
	return FEED_NOTHING;
}
