#include "services/splitter/served.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

struct entry {
	struct served_key key;
	int64_t time;			/* 0: free */
};

struct table {
	char kind[64];
	struct entry entries[SERVED_SLOTS];
};

static const char kind[64] = "gatehouse-splitter served 1";

struct served {
	pthread_mutex_t lock;
	int fd;
	struct table *table;
};

/* With all its blocks: a full disk is to be seen here, and not as SIGBUS. */
static bool
begin(int fd)
{
	if (ftruncate(fd, 0) != 0)
		return false;
	errno = posix_fallocate(fd, 0, (off_t)sizeof (struct table));
	return errno == 0 &&
	    pwrite(fd, kind, sizeof kind, 0) == (ssize_t)sizeof kind;
}

static bool
is_one(int fd)
{
	char is[sizeof kind];
	struct stat st;

	return fstat(fd, &st) == 0 &&
	    st.st_size == (off_t)sizeof (struct table) &&
	    pread(fd, is, sizeof is, 0) == (ssize_t)sizeof is &&
	    memcmp(is, kind, sizeof kind) == 0;
}

struct served *
served_open(const char *path, struct arena *a, struct slice *why_r)
{
	struct served *l = mem_alloc(sizeof *l);

	*l = (struct served){ .lock = PTHREAD_MUTEX_INITIALIZER,
	    .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) };
	if (l->fd >= 0 && (is_one(l->fd) || begin(l->fd)))
		l->table = mmap(NULL, sizeof *l->table,
		    PROT_READ | PROT_WRITE, MAP_SHARED, l->fd, 0);
	if (l->table != NULL && l->table != MAP_FAILED)
		return l;
	*why_r = arena_printf(a, "%s: %s", path, strerror(errno));
	if (l->fd >= 0)
		close(l->fd);
	free(l);
	return NULL;
}

/* No two triples give the same bytes: lengths go before. */
static bool
hash_piece(EVP_MD_CTX *md, struct slice s)
{
	uint64_t n = s.len;

	return EVP_DigestUpdate(md, &n, sizeof n) == 1 &&
	    (s.len == 0 || EVP_DigestUpdate(md, s.ptr, s.len) == 1);
}

bool
served_key(const char *identity, struct slice recipient, struct slice dsn,
    struct served_key *key_r)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	unsigned char sum[EVP_MAX_MD_SIZE];
	bool good = md != NULL &&
	    EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
	    hash_piece(md, slice_of(identity)) &&
	    hash_piece(md, recipient) && hash_piece(md, dsn) &&
	    EVP_DigestFinal_ex(md, sum, NULL) == 1;

	EVP_MD_CTX_free(md);
	if (good)
		memcpy(key_r->bytes, sum, sizeof key_r->bytes);
	return good;
}

static struct entry *
place(struct served *l, const struct served_key *key, unsigned i)
{
	uint32_t at;

	memcpy(&at, key->bytes, sizeof at);
	return &l->table->entries[(at + i) % SERVED_SLOTS];
}

bool
served_has(struct served *l, const struct served_key *key)
{
	int64_t since = clock_wall() - SERVED_AGE;
	bool found = false;

	pthread_mutex_lock(&l->lock);
	for (unsigned i = 0; i < SERVED_PROBE && !found; i++) {
		const struct entry *e = place(l, key, i);

		found = e->time >= since && e->time > 0 &&
		    memcmp(&e->key, key, sizeof *key) == 0;
	}
	pthread_mutex_unlock(&l->lock);
	return found;
}

/* Should we be killed in between, a half-written key is nobody's. */
void
served_add(struct served *l, const struct served_key *key)
{
	struct entry *best;

	pthread_mutex_lock(&l->lock);
	best = place(l, key, 0);
	for (unsigned i = 1; i < SERVED_PROBE; i++) {
		struct entry *e = place(l, key, i);

		if (e->time < best->time)
			best = e;
	}
	best->key = *key;
	best->time = clock_wall();
	pthread_mutex_unlock(&l->lock);
}

void
served_close(struct served *l)
{
	if (l == NULL)
		return;
	munmap(l->table, sizeof *l->table);
	close(l->fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
