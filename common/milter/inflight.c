#include "milter/inflight.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	TABLE_VERSION = 1,
	BLAMED = 1024,
	FORGET = 24 * 3600,		/* seconds */
};

struct blame {
	unsigned char hash[INFLIGHT_HASH];
	int64_t when;
	uint32_t crashes;		/* 0: free */
	uint32_t spare;
};

struct table {
	char magic[8];
	uint32_t version, spare;
	struct blame blamed[BLAMED];
	struct {
		unsigned char hash[INFLIGHT_HASH];
		_Atomic uint32_t used;	/* set last, cleared first */
		uint32_t spare;
	} slots[INFLIGHT_SLOTS];
};

struct inflight {
	int fd;
	struct table *table;		/* mapped, shared with the file */
	pthread_mutex_t lock;
	pthread_cond_t turn;
	bool suspect;			/* one is being read */
	int next;			/* where to look for a free slot */
	deadline_t until[INFLIGHT_SLOTS];	/* when each is to be done */
	char names[INFLIGHT_SLOTS][INFLIGHT_NAME];	/* queue ids */
	unsigned blamed;		/* nearly always none: no search */
};

static struct blame *
find_blame(struct table *t, const unsigned char hash[INFLIGHT_HASH])
{
	for (int i = 0; i < BLAMED; i++)
		if (t->blamed[i].crashes > 0 &&
		    memcmp(t->blamed[i].hash, hash, INFLIGHT_HASH) == 0)
			return &t->blamed[i];
	return NULL;
}

/* A free place, else the one that has been quiet longest. */
static struct blame *
place_for_blame(struct table *t)
{
	struct blame *oldest = &t->blamed[0];

	for (int i = 0; i < BLAMED; i++) {
		if (t->blamed[i].crashes == 0)
			return &t->blamed[i];
		if (t->blamed[i].when < oldest->when)
			oldest = &t->blamed[i];
	}
	return oldest;
}

static void
blame(struct table *t, const unsigned char hash[INFLIGHT_HASH], int64_t now)
{
	struct blame *b = find_blame(t, hash);

	if (b == NULL) {
		b = place_for_blame(t);
		memcpy(b->hash, hash, INFLIGHT_HASH);
		b->crashes = 0;
	}
	b->crashes++;
	b->when = now;
}

/* The same bytes may stand in several sessions: one crash, one blame. */
static bool
seen_before(const struct table *t, int slot)
{
	for (int i = 0; i < slot; i++)
		if (t->slots[i].used && memcmp(t->slots[i].hash,
		    t->slots[slot].hash, INFLIGHT_HASH) == 0)
			return true;
	return false;
}

/* What a dead process left behind. */
static void
settle(struct table *t)
{
	int64_t now = clock_wall();

	for (int i = 0; i < BLAMED; i++)
		if (t->blamed[i].crashes > 0 &&
		    (now - t->blamed[i].when > FORGET ||
		    t->blamed[i].when > now + FORGET))
			t->blamed[i].crashes = 0;
	for (int i = 0; i < INFLIGHT_SLOTS; i++)
		if (t->slots[i].used && !seen_before(t, i))
			blame(t, t->slots[i].hash, now);
	for (int i = 0; i < INFLIGHT_SLOTS; i++)
		t->slots[i].used = 0;
}

static struct table *
map_table(int fd)
{
	struct table *t;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return NULL;
	if (st.st_size != sizeof *t && (ftruncate(fd, 0) != 0 ||
	    posix_fallocate(fd, 0, sizeof *t) != 0))
		return NULL;
	t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (t == MAP_FAILED)
		return NULL;
	if (memcmp(t->magic, "GHflight", 8) != 0 || t->version != TABLE_VERSION) {
		memset(t, 0, sizeof *t);
		memcpy(t->magic, "GHflight", 8);
		t->version = TABLE_VERSION;
	}
	return t;
}

static unsigned
count_blamed(const struct table *t)
{
	unsigned n = 0;

	for (int i = 0; i < BLAMED; i++)
		n += t->blamed[i].crashes > 0;
	return n;
}

enum rc
inflight_open(const char *path, struct inflight **table_r, struct arena *a,
    struct slice *why_r)
{
	struct inflight *t;
	struct table *table;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	enum rc rc = RC_RETRY;

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		*why_r = arena_printf(a, "%s: another process of this milter "
		    "runs; stop it first", path);
		rc = errno == EWOULDBLOCK ? RC_BAD : RC_RETRY;
		close(fd);
		return rc;
	}
	if (fd < 0 || (table = map_table(fd)) == NULL) {
		*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return rc;
	}
	settle(table);
	t = mem_alloc(sizeof *t);
	t->fd = fd;
	t->table = table;
	t->blamed = count_blamed(table);
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->turn, NULL);
	*table_r = t;
	return RC_OK;
}

static bool
wait_for_turn(struct inflight *t, deadline_t until)
{
	while (t->suspect) {
		int64_t left = deadline_left(until);
		struct timespec at;

		if (left == 0)
			return false;
		clock_gettime(CLOCK_REALTIME, &at);
		at.tv_sec += left / 1000 + 1;
		pthread_cond_timedwait(&t->turn, &t->lock, &at);
	}
	t->suspect = true;
	return true;
}

/* Also looks whether the hash is blamed; the lock is held. */
static enum inflight_state
judge(struct inflight *t, const unsigned char *hash, deadline_t until)
{
	const struct blame *b;

	if (t->blamed == 0 || (b = find_blame(t->table, hash)) == NULL)
		return INFLIGHT_CLEAN;
	if (b->crashes >= INFLIGHT_POISON)
		return INFLIGHT_IS_POISON;
	return wait_for_turn(t, until) ? INFLIGHT_SUSPECT : INFLIGHT_BUSY;
}

static bool
take_slot(struct inflight *t, const unsigned char *hash, struct slice name,
    deadline_t until, int *slot_r)
{
	for (int i = 0; i < INFLIGHT_SLOTS; i++) {
		int at = (t->next + i) % INFLIGHT_SLOTS;

		if (t->table->slots[at].used)
			continue;
		memcpy(t->table->slots[at].hash, hash, INFLIGHT_HASH);
		t->table->slots[at].used = 1;
		t->until[at] = until;
		snprintf(t->names[at], INFLIGHT_NAME, "%.*s", SLICE_ARG(name));
		t->next = at + 1;
		*slot_r = at;
		return true;
	}
	return false;
}

enum inflight_state
inflight_enter(struct inflight *t, const unsigned char hash[INFLIGHT_HASH],
    struct slice name, deadline_t until, int *slot_r)
{
	enum inflight_state state;

	*slot_r = -1;
	if (t == NULL)
		return INFLIGHT_CLEAN;
	pthread_mutex_lock(&t->lock);
	state = judge(t, hash, until);
	if ((state == INFLIGHT_CLEAN || state == INFLIGHT_SUSPECT) &&
	    !take_slot(t, hash, name, until, slot_r)) {
		if (state == INFLIGHT_SUSPECT)
			t->suspect = false;
		state = INFLIGHT_BUSY;
	}
	pthread_mutex_unlock(&t->lock);
	return state;
}

void
inflight_leave(struct inflight *t, const unsigned char hash[INFLIGHT_HASH],
    enum inflight_state state, int slot, bool overran)
{
	struct blame *b;

	if (t == NULL || slot < 0)
		return;
	pthread_mutex_lock(&t->lock);
	t->table->slots[slot].used = 0;
	b = state == INFLIGHT_SUSPECT && !overran ?
	    find_blame(t->table, hash) : NULL;
	if (b != NULL)
		b->crashes = 0;
	if (overran)
		blame(t->table, hash, clock_wall());
	if (b != NULL || overran)
		t->blamed = count_blamed(t->table);
	if (state == INFLIGHT_SUSPECT) {
		t->suspect = false;
		pthread_cond_broadcast(&t->turn);
	}
	pthread_mutex_unlock(&t->lock);
}

void
inflight_forgive(struct inflight *t)
{
	if (t == NULL)
		return;
	pthread_mutex_lock(&t->lock);
	for (int i = 0; i < INFLIGHT_SLOTS; i++)
		if (t->table->slots[i].used && deadline_left(t->until[i]) > 0)
			t->table->slots[i].used = 0;
	pthread_mutex_unlock(&t->lock);
}

void
inflight_decided(struct inflight *t, int slot)
{
	if (t == NULL || slot < 0)
		return;
	pthread_mutex_lock(&t->lock);
	t->until[slot] = DEADLINE_NEVER;
	pthread_mutex_unlock(&t->lock);
}

unsigned
inflight_overdue(struct inflight *t, int64_t grace,
    char name_r[INFLIGHT_NAME])
{
	int64_t now = clock_mono();
	unsigned n = 0;

	if (t == NULL)
		return 0;
	pthread_mutex_lock(&t->lock);
	for (int i = 0; i < INFLIGHT_SLOTS; i++) {
		if (!t->table->slots[i].used || now < t->until[i] ||
		    now - t->until[i] < grace)
			continue;
		if (name_r != NULL)
			memcpy(name_r, t->names[i], INFLIGHT_NAME);
		n++;
	}
	pthread_mutex_unlock(&t->lock);
	return n;
}

unsigned
inflight_blamed(const struct inflight *t)
{
	return t != NULL ? t->blamed : 0;
}

void
inflight_close(struct inflight *t)
{
	if (t == NULL)
		return;
	munmap(t->table, sizeof *t->table);
	close(t->fd);
	pthread_mutex_destroy(&t->lock);
	pthread_cond_destroy(&t->turn);
	free(t);
}
