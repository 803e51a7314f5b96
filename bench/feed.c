/*
 * What a lookup in a feed of phishing links costs: bench/feed [ENTRIES [FILE]]
 *
 * A set (milters/antispam/phish_set.h) of a million URLs, asked a million
 * times, half of it for what is in it: nanoseconds of processor time with making
 * of the hash, and bytes. Beside it the same questions to an LMDB file with the URLs as keys,
 * and to the house's hash map.
 */
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/map.h"
#include "milters/antispam/phish_set.h"

enum { ASKED = 1000000, KEY = 80 };

static unsigned entries = 1000000;
static const char *file = "/tmp/bench-feed";
static char (*asked)[KEY];
static unsigned long found;

static _Noreturn void
die(const char *what, const char *why)
{
	fprintf(stderr, "bench/feed: %s: %s\n", what, why);
	exit(1);
}

/* Microseconds that this thread has had: others use the machine too. */
static int64_t
worked(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static struct slice
url(char out[KEY], unsigned n)
{
	return slice_make(out, (size_t)snprintf(out, KEY,
	    "uhost%u.example%u.test:0/login/%x/index.php?id=%u", n / 3,
	    n % 97, n * 2654435761u, n));
}

static void
make_asked(void)
{
	unsigned seed = 1;

	asked = mem_alloc(ASKED * sizeof *asked);
	for (unsigned i = 0; i < ASKED; i++) {
		seed = seed * 1103515245 + 12345;
		url(asked[i], (seed >> 4) % (2 * entries));
	}
}

static double
report(const char *what, int64_t us, double bytes)
{
	double ns = (double)us * 1000 / ASKED;

	printf("%-12s %7.0f ns a lookup, %6.1f MB, %lu of %d found\n", what,
	    ns, bytes / 1e6, found, ASKED);
	found = 0;
	return ns;
}

static double
ask_set(struct arena *a)
{
	struct phish_set_new *n = phish_set_begin();
	struct phish_set *set;
	struct slice why;
	char key[KEY];
	double ns;
	int64_t t;

	for (unsigned i = 0; i < entries; i++)
		phish_set_add(n, url(key, i));
	if (phish_set_write(n, file, SLICE("bench"), 1, a, &why) != RC_OK ||
	    phish_set_open(file, &set, a, &why) != RC_OK)
		die("set", arena_str(a, why));
	phish_set_free(n);
	t = worked();
	for (unsigned i = 0; i < ASKED; i++)
		found += phish_set_has(set, slice_of(asked[i]));
	ns = report("set", worked() - t, (double)set->size);
	phish_set_close(set);
	unlink(file);
	return ns;
}

static void
check(int rc)
{
	if (rc != 0)
		die("lmdb", mdb_strerror(rc));
}

static double
ask_lmdb(void)
{
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi db;
	MDB_val key, value;
	struct stat st;
	char text[KEY], lock[500];
	double ns;
	int64_t t;

	snprintf(lock, sizeof lock, "%s-lock", file);
	check(mdb_env_create(&env));
	check(mdb_env_set_mapsize(env, (size_t)4 << 30));
	check(mdb_env_open(env, file, MDB_NOSUBDIR | MDB_NOSYNC, 0600));
	check(mdb_txn_begin(env, NULL, 0, &txn));
	check(mdb_dbi_open(txn, NULL, 0, &db));
	for (unsigned i = 0; i < entries; i++) {
		struct slice s = url(text, i);

		key = (MDB_val){ s.len, text };
		value = (MDB_val){ 0, text };
		check(mdb_put(txn, db, &key, &value, 0));
	}
	check(mdb_txn_commit(txn));
	check(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn));
	t = worked();
	for (unsigned i = 0; i < ASKED; i++) {
		key = (MDB_val){ strlen(asked[i]), asked[i] };
		found += mdb_get(txn, db, &key, &value) == 0;
	}
	t = worked() - t;
	mdb_txn_abort(txn);
	mdb_env_close(env);
	ns = report("LMDB", t, stat(file, &st) == 0 ?
	    (double)st.st_blocks * 512 : 0);
	unlink(file);
	unlink(lock);
	return ns;
}

static double
ask_map(void)
{
	struct map *m = map_new();
	char text[KEY];
	double ns, bytes = 0;
	int64_t t;

	for (unsigned i = 0; i < entries; i++) {
		struct slice s = url(text, i);

		map_put(m, s, m);
		bytes += (double)s.len + 32;
	}
	t = worked();
	for (unsigned i = 0; i < ASKED; i++)
		found += map_get(m, slice_of(asked[i])) != NULL;
	ns = report("hash map", worked() - t, bytes);
	map_free(m);
	return ns;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	double set, lmdb, map;

	if (argc > 1)
		entries = (unsigned)strtoul(argv[1], NULL, 10);
	if (argc > 2)
		file = argv[2];
	make_asked();
	set = ask_set(a);
	lmdb = ask_lmdb();
	map = ask_map();
	printf("a lookup costs %.2f of LMDB's and %.2f of the map's\n",
	    set / lmdb, set / map);
	free(asked);
	arena_free(a);
	return 0;
}
