/*
 * What the policy map costs: bench/policy [USERS [FOLDER]]
 *
 * A directory made from a seed (one million users of 200 domains, 20 profiles
 * and 10 clients, each with a name and a phone; one alias for ten users), a
 * settings file with a line for one user of ten, and lists with one entry for
 * one of twenty. It is compiled with the table of auth-check; then random
 * addresses are asked for, as a filter does, by a process that has nothing but
 * the map. Beside it the same number of plain gets from an LMDB file with one
 * value of 100 bytes for each address.
 */
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "milters/auth-check/options.h"
#include "policy/compile.h"
#include "policy/directory.h"

enum { DOMAINS = 200, PROFILES = 20, CLIENTS = 10, ASKED = 1000000 };

static unsigned users = 1000000;
static const char *folder;
static struct arena *arena;
static struct house_conf house;

static _Noreturn void
die(const char *what, struct slice why)
{
	fprintf(stderr, "bench/policy: %s: %.*s\n", what, SLICE_ARG(why));
	exit(1);
}

static const char *
below(const char *name)
{
	return arena_printf(arena, "%s/%s", folder, name).ptr;
}

/* ---- the sources ---- */

static struct slice
address(struct arena *a, unsigned n)
{
	return arena_printf(a, "user%07u@domain%03u.example", n, n % DOMAINS);
}

static void
put(struct directory_writer *w, const struct directory_record *r)
{
	struct slice why;

	if (directory_put(w, r, &why) != RC_OK)
		die("directory", why);
}

static void
put_heads(struct directory_writer *w)
{
	for (unsigned i = 0; i < DOMAINS; i++)
		put(w, &(struct directory_record){ .kind = DIRECTORY_DOMAIN,
		    .key = arena_printf(arena, "domain%03u.example", i),
		    .client = arena_printf(arena, "client %u", i % CLIENTS) });
	for (unsigned i = 0; i < PROFILES; i++)
		put(w, &(struct directory_record){ .kind = DIRECTORY_PROFILE,
		    .key = arena_printf(arena, "profile %02u", i) });
}

static void
put_aliases(struct directory_writer *w, struct arena *a)
{
	for (unsigned i = 0; i < users / 10; i++) {
		struct slice to = address(a, i * 10);

		put(w, &(struct directory_record){ .kind = DIRECTORY_ALIAS,
		    .key = arena_printf(a, "alias%07u@domain%03u.example", i,
		    i % DOMAINS), .members = &to, .nmembers = 1 });
		arena_reset(a);
	}
}

static void
make_directory(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct directory_writer *w = directory_create(fd, path);
	struct arena *a = arena_new();
	struct slice why;

	put_heads(w);
	put_aliases(w, a);
	for (unsigned i = 0; i < users; i++) {
		const struct directory_attr attrs[] = {
		    { SLICE("name"), arena_printf(a, "User Number %u", i) },
		    { SLICE("phone"), arena_printf(a, "+41 %09u", i) } };

		put(w, &(struct directory_record){ .kind = DIRECTORY_USER,
		    .key = address(a, i), .profile = arena_printf(a,
		    "profile %02u", i % PROFILES), .client = SLICE_NONE,
		    .transport = SLICE_NONE, .attrs = attrs, .nattrs = 2 });
		arena_reset(a);
	}
	if (directory_end(w, &why) != RC_OK)
		die("directory", why);
	directory_drop(w);
	close(fd);
	arena_free(a);
}

static struct slice
make_sheet(void)
{
	static const char *const values[] = { "accept", "tag", "quarantine",
	    "reject" };
	struct buf b = buf_in(arena);

	for (unsigned i = 0; i < CLIENTS; i++)
		buf_addf(&b, "client \"client %u\" auth-check.dkim_fail = "
		    "\"tag\"\n", i);
	for (unsigned i = 0; i < DOMAINS; i++)
		buf_addf(&b, "domain domain%03u.example auth-check.dmarc_policy"
		    " = \"%s\"\n", i, i % 2 == 0 ? "follow" : "soften");
	for (unsigned i = 0; i < PROFILES; i++)
		buf_addf(&b, "profile \"profile %02u\" auth-check.spf_softfail"
		    " = \"%s\"\n", i, values[i % 4]);
	for (unsigned i = 0; i < users; i += 10)
		buf_addf(&b, "user %.*s auth-check.spf_fail = \"%s\"\n",
		    SLICE_ARG(address(arena, i)), values[i / 10 % 4]);
	return buf_slice(&b);
}

static struct slice
make_lists(void)
{
	struct buf b = buf_in(arena);

	for (unsigned i = 0; i < users; i += 20)
		buf_addf(&b, "%s user %.*s shop%u.example # by bench\n",
		    i % 40 == 0 ? "allow" : "block",
		    SLICE_ARG(address(arena, i)), i % 1000);
	buf_adds(&b, "block all 198.51.100.0/24\n");
	return buf_slice(&b);
}

/* ---- compile ---- */

static struct auth_check_conf auth;

static void
load_auth(struct arena *a)
{
	const struct conf_section sections[] = {
	    { auth_check_options, &auth }, { NULL, NULL } };
	struct slice why;

	if (conf_parse(a, "auth-check.conf", SLICE(""), sections, &why) !=
	    RC_OK)
		die("options", why);
}

static void
compile(const char *directory, const char *map)
{
	struct slice sheet = make_sheet(), lists = make_lists(), why;
	int64_t began = clock_mono_us();
	struct compile *c = compile_new(&house);
	int fd = open(directory, O_RDONLY | O_CLOEXEC);
	struct compile_count n;
	struct stat st;

	if (compile_table(c, "auth-check", auth_check_options, auth.scopes,
	    &why) != RC_OK ||
	    compile_sheet(c, "policy.settings", sheet, &why) != RC_OK ||
	    compile_lists(c, "policy.lists", lists, &why) != RC_OK ||
	    compile_directory(c, fd, directory, &why) != RC_OK ||
	    compile_resolve(c, &why) != RC_OK ||
	    compile_write(c, map, &why) != RC_OK)
		die("compile", why);
	close(fd);
	n = compile_counted(c);
	compile_free(c);
	stat(map, &st);
	printf("compile %9.2f s    %zu addresses, %zu sets, %zu list entries; "
	    "map %.0f MB\n", (double)(clock_mono_us() - began) / 1e6,
	    n.addresses, n.sets, n.listed, (double)st.st_size / 1e6);
}

/* ---- read ---- */

static uint64_t
next(uint64_t *state)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return *state >> 33;
}

/* kB that are nobody else's: not the file's pages. */
static long
private_kb(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	char line[200];
	long sum = 0, kb;

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "Private_Dirty: %ld", &kb) == 1)
			sum += kb;
	if (f != NULL)
		fclose(f);
	return sum;
}

/* As a filter does, for a recipient. */
static void
ask(struct policy *p, struct arena *a, struct slice whom)
{
	struct auth_check_conf own = auth;
	struct policy_who who;
	struct slice why;

	if (policy_find(p, a, whom, &who) != RC_OK || !who.known ||
	    policy_settings(p, &who, "auth-check", auth_check_options,
	    own.scopes, &own, &why) != RC_OK)
		die("lookup", whom);
}

/* Processor time: other work of the machine does not count. */
static int64_t
worked(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

enum { BATCH = 1000 };

/* Random addresses, made before the clock starts. */
static void
draw(struct arena *a, uint64_t *state, struct slice whom[BATCH])
{
	arena_reset(a);
	for (unsigned i = 0; i < BATCH; i++)
		whom[i] = address(a, (unsigned)(next(state) % users));
}

static void
tell(const char *what, int64_t ns, const char *text)
{
	printf("%-7s %9.2f us   %s\n", what, (double)ns / 1e3 / ASKED, text);
}

static void
time_policy(struct policy *p, struct slice *warm)
{
	struct arena *names = arena_new(), *a = arena_new();
	struct slice whom[BATCH];
	uint64_t state = 1;
	int64_t began = worked(), spent = 0;

	for (unsigned i = 0; i < ASKED; i++) {
		ask(p, a, warm[next(&state) % 1000]);
		arena_reset(a);
	}
	tell("warm", worked() - began, "find and settings, 1000 addresses");
	for (unsigned i = 0; i < ASKED; i += BATCH) {
		draw(names, &state, whom);
		began = worked();
		for (unsigned k = 0; k < BATCH; k++) {
			ask(p, a, whom[k]);
			arena_reset(a);
		}
		spent += worked() - began;
	}
	tell("random", spent, "find and settings, all addresses");
	arena_free(names);
	arena_free(a);
}

static void
listed(struct policy *p, struct arena *a, struct slice whom,
    const struct policy_sender *from)
{
	struct policy_who who;
	enum listed said;
	struct slice entry;

	if (policy_find(p, a, whom, &who) != RC_OK ||
	    policy_listed(p, &who, from, &said, &entry) != RC_OK)
		die("lists", whom);
}

static void
time_lists(struct policy *p)
{
	struct arena *names = arena_new(), *a = arena_new();
	struct policy_sender from = { .address =
	    SLICE("news@mail.shop40.example"), .aligned = true };
	struct slice whom[BATCH];
	uint64_t state = 2;
	int64_t began, spent = 0;

	ip_parse(SLICE("203.0.113.5"), &from.ip);
	for (unsigned i = 0; i < ASKED; i += BATCH) {
		draw(names, &state, whom);
		began = worked();
		for (unsigned k = 0; k < BATCH; k++) {
			listed(p, a, whom[k], &from);
			arena_reset(a);
		}
		spent += worked() - began;
	}
	tell("lists", spent, "find and listed, all addresses");
	arena_free(names);
	arena_free(a);
}

static int
read_map(const char *map)
{
	struct slice whom[1000], why = SLICE("");
	long before = private_kb();
	struct policy *p;
	int64_t began = clock_mono_us();

	if (policy_open(map, &house, &p, arena, &why) != RC_OK)
		die("open", why);
	printf("open    %9.2f s    with its check sum\n",
	    (double)(clock_mono_us() - began) / 1e6);
	for (unsigned i = 0; i < 1000; i++)
		whom[i] = address(arena, i * 7 % users);
	time_policy(p, whom);
	time_lists(p);
	printf("memory  %9.2f MB   private, of a reader\n",
	    (double)(private_kb() - before) / 1024);
	policy_drop(p);
	return 0;
}

/* ---- the peer ---- */

static MDB_env *
plain_env(const char *path, unsigned flags)
{
	MDB_env *env;

	if (mdb_env_create(&env) != 0 ||
	    mdb_env_set_mapsize(env, (size_t)4 << 30) != 0 ||
	    mdb_env_open(env, path, MDB_NOSUBDIR | MDB_NOLOCK | flags,
	    0600) != 0)
		die(path, SLICE("cannot be opened"));
	return env;
}

static void
plain_fill(const char *path)
{
	MDB_env *env = plain_env(path, MDB_NOSYNC);
	struct arena *a = arena_new();
	char hundred[100] = "";
	MDB_txn *txn = NULL;
	MDB_dbi dbi;

	for (unsigned i = 0; i < users; i++) {
		struct slice key = address(a, i);
		MDB_val k = { key.len, (void *)(uintptr_t)key.ptr };
		MDB_val v = { sizeof hundred, hundred };

		if (i % 100000 == 0 && ((txn != NULL &&
		    mdb_txn_commit(txn) != 0) ||
		    mdb_txn_begin(env, NULL, 0, &txn) != 0 ||
		    mdb_dbi_open(txn, NULL, 0, &dbi) != 0))
			die(path, SLICE("begin"));
		if (mdb_put(txn, dbi, &k, &v, MDB_APPEND) != 0)
			die(path, SLICE("put"));
		arena_reset(a);
	}
	if (mdb_txn_commit(txn) != 0)
		die(path, SLICE("commit"));
	mdb_env_close(env);
	arena_free(a);
}

static void
plain_get(MDB_env *env, MDB_dbi dbi, struct slice key)
{
	MDB_val k = { key.len, (void *)(uintptr_t)key.ptr }, v;
	MDB_txn *txn;

	if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0 ||
	    mdb_get(txn, dbi, &k, &v) != 0)
		die("peer", SLICE("get"));
	mdb_txn_abort(txn);
}

static void
time_plain(const char *path)
{
	MDB_env *env = plain_env(path, MDB_RDONLY | MDB_NOTLS);
	struct arena *names = arena_new();
	struct slice whom[BATCH];
	uint64_t state = 1;
	int64_t began, spent = 0;
	MDB_txn *txn;
	MDB_dbi dbi;

	if (mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) != 0 ||
	    mdb_dbi_open(txn, NULL, 0, &dbi) != 0)
		die(path, SLICE("begin"));
	mdb_txn_abort(txn);
	for (unsigned i = 0; i < ASKED; i += BATCH) {
		draw(names, &state, whom);
		began = worked();
		for (unsigned k = 0; k < BATCH; k++)
			plain_get(env, dbi, whom[k]);
		spent += worked() - began;
	}
	mdb_env_close(env);
	arena_free(names);
	tell("peer", spent, "a plain get from LMDB, all addresses");
}

int
main(int argc, char **argv)
{
	const struct conf_section sections[] = { { house_options, &house },
	    { NULL, NULL } };
	struct slice why;

	setlinebuf(stdout);
	arena = arena_new();
	if (conf_parse(arena, "gatehouse.conf", SLICE(""), sections, &why) !=
	    RC_OK)
		die("house", why);
	load_auth(arena);
	if (argc == 4 && strcmp(argv[1], "--read") == 0) {
		users = (unsigned)strtoul(argv[2], NULL, 10);
		return read_map(argv[3]);
	}
	if (argc > 1)
		users = (unsigned)strtoul(argv[1], NULL, 10);
	folder = argc > 2 ? argv[2] : ".";
	if (users < 1000)
		die("USERS", SLICE("1000 at least"));
	make_directory(below("bench-directory"));
	compile(below("bench-directory"), below("bench-map"));
	if (fork() == 0)
		execl("/proc/self/exe", argv[0], "--read", arena_printf(arena,
		    "%u", users).ptr, below("bench-map"), NULL);
	wait(NULL);
	unlink(below("bench-plain"));
	plain_fill(below("bench-plain"));
	time_plain(below("bench-plain"));
	unlink(below("bench-directory"));
	unlink(below("bench-map"));
	unlink(below("bench-plain"));
	return 0;
}
