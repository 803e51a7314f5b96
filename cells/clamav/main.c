/*
 * gatehouse-cell-clamav: libclamav behind walls (cell/trade.h).
 *
 *	--database DIR	where freshclam keeps the signatures
 *	--yara FILE	a YARA rule file or a folder of them; any number
 *	--member N	bytes of the largest file that is looked at
 *	--bytes N	that one item may unfold to
 *	--gently	load in what time others leave: others are scanning
 *
 * A request is one word: "file", "mail" for a whole message, or "skim" for one
 * of which only the bytes are looked at, not what they hold as mail. The
 * answer's pieces are lines: "virus NAME" for each match, "cut WHY" when the engine
 * stopped at a limit of its own, "locked WHY" for what it could not open.
 * None: it looked at all of it and found nothing. What libclamav could not
 * scan is refused. It tells "clamav VERSION, signatures N, newest SECONDS".
 */
#include <clamav.h>
#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cell/trade.h"

enum { MATCHES = 100 };

static struct cl_engine *engine;

/* What one scan found, by the callback. */
struct findings {
	struct trade_request *request;
	unsigned count;
};

/* Heuristics that are no virus: the engine says where it did not look. */
static const char *
kind_of(const char *name)
{
	if (strncmp(name, "Heuristics.Limits.Exceeded", 26) == 0)
		return "cut";
	if (strncmp(name, "Heuristics.Encrypted", 20) == 0)
		return "locked";
	return "virus";
}

static void
found(int fd, const char *name, void *arg)
{
	struct findings *f = arg;

	(void)fd;
	if (f == NULL || name == NULL || f->count++ >= MATCHES)
		return;
	trade_piece(f->request, arena_printf(f->request->arena, "%s %s",
	    kind_of(name), name), -1);
}

static bool
fail(struct arena *a, struct slice *why_r, const char *what, int rc)
{
	*why_r = arena_printf(a, "%s: %s", what, cl_strerror(rc));
	return false;
}

/* What follows that word, or otherwise. */
static long long
number_after(int argc, char **argv, const char *word, long long otherwise)
{
	uint64_t n;

	for (int i = 1; i + 1 < argc; i++)
		if (strcmp(argv[i], word) == 0 &&
		    slice_number(slice_of(argv[i + 1]), INT64_MAX, &n))
			return (long long)n;
	return otherwise;
}

/* Those of sizes are the milter's own, so that a bomb is left by both; of
 * depth and number far above its: what is cut here is what only this engine
 * unpacks. */
static int
set_limits(int argc, char **argv)
{
	const struct { enum cl_engine_field field; long long value; }
	    limits[] = {
		{ CL_ENGINE_MAX_SCANSIZE, number_after(argc, argv, "--bytes",
		    1LL << 30) },
		{ CL_ENGINE_MAX_FILESIZE, number_after(argc, argv, "--member",
		    1LL << 30) },
		{ CL_ENGINE_MAX_RECURSION, 30 },
		{ CL_ENGINE_MAX_FILES, 20000 },
		{ CL_ENGINE_MAX_SCANTIME, 120000 },
		{ CL_ENGINE_PCRE_MATCH_LIMIT, 100000 },
		/* Workers are many and short-lived: a cache of each would hold
		 * little. The milter has one for all of them. */
		{ CL_ENGINE_DISABLE_CACHE, 1 },
	};
	int rc = CL_SUCCESS;

	for (size_t i = 0; i < sizeof limits / sizeof limits[0] &&
	    rc == CL_SUCCESS; i++)
		rc = cl_engine_set_num(engine, limits[i].field,
		    limits[i].value);
	/* A worker stands in a folder of its own. */
	if (rc == CL_SUCCESS)
		rc = cl_engine_set_str(engine, CL_ENGINE_TMPDIR, ".");
	return rc;
}

/* The newest file counts: freshclam writes one when it has news. */
static long long
newest_in(const char *dir)
{
	DIR *d = opendir(dir);
	long long newest = 0;
	struct dirent *e;
	struct stat st;

	while (d != NULL && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.' &&
		    fstatat(dirfd(d), e->d_name, &st, 0) == 0 &&
		    S_ISREG(st.st_mode) && st.st_mtime > newest)
			newest = st.st_mtime;
	if (d != NULL)
		closedir(d);
	return newest;
}

static bool
load(const char *path, unsigned *signatures, struct arena *a,
    struct slice *why_r)
{
	int rc = cl_load(path, engine, signatures, CL_DB_STDOPT);

	return rc == CL_SUCCESS ? true : fail(a, why_r, path, rc);
}

static bool
load_all(int argc, char **argv, unsigned *signatures, long long *newest,
    struct arena *a, struct slice *why_r)
{
	for (int i = 1; i + 1 < argc; i++) {
		bool database = strcmp(argv[i], "--database") == 0;

		if (!database && strcmp(argv[i], "--yara") != 0)
			continue;
		if (!load(argv[++i], signatures, a, why_r))
			return false;
		if (database)
			*newest = newest_in(argv[i]);
	}
	if (*signatures > 0)
		return true;
	*why_r = SLICE("no signatures; name their folder with --database");
	return false;
}

/*
 * For each file libclamav allocates tables as large as the signatures are
 * many, and gives them back. A worker keeps that memory: else the kernel would
 * take and zero it anew for each scan, a third of the time of a short one.
 */
static void
keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	mallopt(M_TRIM_THRESHOLD, 128 << 20);
	mallopt(M_TOP_PAD, 1 << 20);
}

static bool
open_engine(int argc, char **argv, struct arena *a, struct slice *told_r,
    struct slice *why_r)
{
	unsigned signatures = 0;
	long long newest = 0;
	int rc = set_limits(argc, argv);

	if (rc != CL_SUCCESS)
		return fail(a, why_r, "limits", rc);
	if (!load_all(argc, argv, &signatures, &newest, a, why_r))
		return false;
	rc = cl_engine_compile(engine);
	if (rc != CL_SUCCESS)
		return fail(a, why_r, "signatures", rc);
	cl_engine_set_clcb_virus_found(engine, found);
	keep_memory();
	*told_r = arena_printf(a, "clamav %s, signatures %u, newest %lld",
	    cl_retver(), signatures, newest);
	return true;
}

/* What opening takes and gives, for a thread. */
struct opening {
	int argc;
	char **argv;
	struct arena *a;
	struct slice *told_r, *why_r;
	bool good;
};

static void *
open_gently(void *arg)
{
	struct opening *o = arg;

	/* Of this thread alone: workers that were nice could not stop it. */
	setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 15);
	o->good = open_engine(o->argc, o->argv, o->a, o->told_r, o->why_r);
	return NULL;
}

static bool
open_as_told(int argc, char **argv, struct arena *a, struct slice *told_r,
    struct slice *why_r)
{
	struct opening o = { argc, argv, a, told_r, why_r, false };
	bool gently = false;
	pthread_t thread;

	for (int i = 1; i < argc; i++)
		gently = gently || strcmp(argv[i], "--gently") == 0;
	if (!gently)
		return open_engine(argc, argv, a, told_r, why_r);
	/* One heap for both, so that what is loaded lies beside what scans. */
	mallopt(M_ARENA_MAX, 1);
	if (pthread_create(&thread, NULL, open_gently, &o) != 0)
		return open_engine(argc, argv, a, told_r, why_r);
	pthread_join(thread, NULL);
	return o.good;
}

static bool
prepare(int argc, char **argv, struct arena *a, struct slice *told_r,
    struct slice *why_r)
{
	int rc = cl_init(CL_INIT_DEFAULT);

	if (rc != CL_SUCCESS)
		return fail(a, why_r, "libclamav", rc);
	engine = cl_engine_new();
	if (engine == NULL)
		return fail(a, why_r, "libclamav", CL_EMEM);
	if (open_as_told(argc, argv, a, told_r, why_r))
		return true;
	cl_engine_free(engine);
	return false;
}

/* f NULL: whatever it is, nobody is told. */
static int
look_at(cl_fmap_t *map, unsigned parse, struct findings *f, const char **name_r)
{
	/* All matches, so that a limit that was met first hides no virus. */
	struct cl_scan_options options = {
		.general = CL_SCAN_GENERAL_ALLMATCHES |
		    CL_SCAN_GENERAL_HEURISTICS | CL_SCAN_GENERAL_UNPRIVILEGED,
		.parse = parse,
		.heuristic = CL_SCAN_HEURISTIC_EXCEEDS_MAX |
		    CL_SCAN_HEURISTIC_ENCRYPTED_ARCHIVE |
		    CL_SCAN_HEURISTIC_ENCRYPTED_DOC |
		    CL_SCAN_HEURISTIC_PHISHING_CLOAK |
		    CL_SCAN_HEURISTIC_PHISHING_SSL_MISMATCH,
	};
	unsigned long scanned = 0;

	return cl_scanmap_callback(map, NULL, name_r, &scanned, engine,
	    &options, f);
}

static void
scan(struct trade_request *r)
{
	struct findings findings = { .request = r };
	cl_fmap_t *map = cl_fmap_open_memory(r->bytes.ptr, r->bytes.len);
	const char *name = NULL;
	int rc;

	if (map == NULL) {
		trade_refuse(r, SLICE("no memory"));
		return;
	}
	rc = look_at(map, slice_eq(r->request, SLICE("skim")) ?
	    ~(unsigned)CL_SCAN_PARSE_MAIL : ~0U, &findings, &name);
	cl_fmap_close(map);
	if (rc == CL_VIRUS && findings.count == 0)
		found(-1, name, &findings);
	if (rc != CL_VIRUS && rc != CL_SUCCESS)
		trade_refuse(r, slice_of(cl_strerror(rc)));
}

/* Its first scan takes a worker's memory from the zygote's, page by page. */
static void
settle(void)
{
	static const char letter[] = "Received: by gatehouse\r\nContent-Type: "
	    "text/html\r\n\r\n<html><p>nothing</p></html>\r\n";
	cl_fmap_t *map = cl_fmap_open_memory(letter, sizeof letter - 1);
	const char *name;

	if (map == NULL)
		return;
	look_at(map, ~0U, NULL, &name);
	cl_fmap_close(map);
}

static void
work(struct trade_request *r)
{
	/* An empty file has no virus, and libclamav no map for it. */
	if (r->bytes.len > 0)
		scan(r);
}

static const struct cell_trade clamav = {
	.name = "clamav", .prepare = prepare, .settle = settle,
	.work = work,
	.walls = { .memory = (uint64_t)2 << 30, .file = (uint64_t)1 << 30,
	    .scratch = (uint64_t)1 << 30 },
	.requests = 500,
};

int
main(int argc, char **argv)
{
	return cell_main(argc, argv, &clamav);
}
