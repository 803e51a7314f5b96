/* What users say of their mail, when it is learned; and a model that changes
 * while it is in use. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milters/antispam/votes.h"
#include "milters/antispam/watch.h"
#include "t/tap.h"

enum { NOW = 1795000000, DAY = 86400 };

static const char *dir;

static struct features
some(struct arena *a, uint32_t seed)
{
	struct features f = { .hash = arena_array(a, 20, sizeof *f.hash),
	    .family = arena_alloc(a, 20), .n = 20 };

	for (uint32_t i = 0; i < 20; i++)
		f.hash[i] = seed * 1000 + i;
	return f;
}

/* A vote of that user on message n of that campaign. */
static enum vote_result
cast(struct arena *a, const char *by, unsigned n, uint64_t group, bool spam,
    int64_t given)
{
	struct features f = some(a, n);
	struct vote v = { .by = slice_of(by), .record = { .group = group,
	    .spam = spam, .given = given }, .admin = strcmp(by, "root") ==
	    0 };
	enum vote_result result = VOTE_NOTED;
	struct slice why = SLICE("");

	memcpy(v.record.id, &n, sizeof n);
	v.key = slice_make(v.record.id, LEARNED_ID);
	if (votes_cast(dir, &v, &f, &result, a, &why) != RC_OK)
		tap_diag("%.*s", SLICE_ARG(why));
	return result;
}

static size_t
learned(struct arena *a)
{
	struct learned l;
	struct slice why;

	return learned_read(arena_printf(a, "%s/learned", dir).ptr, &l, a,
	    &why) == RC_OK ? l.n : 0;
}

static void
test_agree(struct arena *a)
{
	tap_is_int(cast(a, "a@x", 1, 1, false, NOW), VOTE_NOTED,
	    "one user: noted");
	tap_is_int(cast(a, "a@x", 1, 1, false, NOW), VOTE_KNOWN,
	    "twice is once");
	tap_is_int(cast(a, "a@x", 2, 1, false, NOW), VOTE_NOTED,
	    "he does not agree with himself");
	tap_is_int((long long)learned(a), 0, "nothing is learned");
	tap_is_int(cast(a, "b@x", 3, 1, true, NOW), VOTE_NOTED,
	    "another says the opposite");
	tap_is_int(cast(a, "c@x", 3, 1, false, NOW), VOTE_LEARNED,
	    "two agree on a campaign");
	tap_is_int(cast(a, "d@x", 4, 1, false, NOW), VOTE_LEARNED,
	    "and each further message of it");
	tap_is_int((long long)learned(a), 2, "is an example");
	tap_is_int(cast(a, "root", 5, 2, true, NOW), VOTE_LEARNED,
	    "an administrator's word counts alone");
	tap_is_int(cast(a, "e@x", 6, 3, true, NOW - 40 * DAY), VOTE_NOTED,
	    "long ago");
	tap_is_int(cast(a, "f@x", 7, 3, true, NOW), VOTE_NOTED,
	    "is no agreement today");
	cast(a, "g@x", 8, 4, true, NOW);
	cast(a, "g@x", 9, 4, false, NOW);
	tap_is_int(cast(a, "h@x", 10, 4, true, NOW), VOTE_NOTED,
	    "who has changed his mind does not agree");
}

static void
test_poison(struct arena *a)
{
	size_t before = learned(a);
	unsigned many = 0, taught = 0;

	for (unsigned i = 0; i < 100; i++) {
		enum vote_result r = cast(a, "evil@x", 1000 + i, 100 + i,
		    false, NOW);

		many += r == VOTE_TOO_MANY;
		taught += r == VOTE_LEARNED;
	}
	tap_is_int(taught, 0, "one user alone teaches nothing");
	tap_is_int(many, 100 - VOTES_A_DAY, "and has his share of a day");
	for (unsigned i = 0; i < 100; i++)
		taught += cast(a, "evil2@x", 2000 + i, 100 + i, false, NOW) ==
		    VOTE_LEARNED;
	tap_is_int(taught, VOTES_A_DAY, "two of them teach a day's share");
	tap_is_int((long long)(learned(a) - before), VOTES_A_DAY,
	    "and no more");
	tap_is_int(cast(a, "evil@x", 3000, 500, false, NOW + DAY + 1),
	    VOTE_NOTED, "the next day is another");
}

static void
test_trouble(struct arena *a)
{
	const char *path = arena_printf(a, "%s/votes", dir).ptr;
	struct features f = some(a, 1);
	struct vote v = { .by = SLICE("full@x"), .key = SLICE("k"),
	    .record = { .group = 900, .given = NOW } };
	struct rlimit limit, was;
	enum vote_result result;
	struct slice why;
	FILE *file = fopen(path, "a");

	if (file != NULL) {
		fputs("no vote at all\n\n7 9 1 1 1\n17950", file);
		fclose(file);
	}
	tap_is_int(cast(a, "torn@x", 4000, 600, true, NOW), VOTE_NOTED,
	    "lines that are none are passed over");
	tap_is_int(cast(a, "torn2@x", 4001, 600, true, NOW), VOTE_LEARNED,
	    "and behind a torn one goes on");
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &was);
	limit = was;
	limit.rlim_cur = 1;
	setrlimit(RLIMIT_FSIZE, &limit);
	tap_ok(votes_cast(dir, &v, &f, &result, a, &why) == RC_RETRY &&
	    why.len > 0, "a full disk is said");
	setrlimit(RLIMIT_FSIZE, &was);
	tap_is_int(votes_cast(dir, &v, &f, &result, a, &why) == RC_OK &&
	    result == VOTE_NOTED, 1, "and later it is noted");
}

/* What root makes in somebody's folder is his. */
static void
test_owner(struct arena *a)
{
	const char *was = dir;
	struct stat st;

	if (geteuid() != 0) {
		tap_skip(3, "only root makes files for others");
		return;
	}
	dir = arena_printf(a, "%s/his", was).ptr;
	tap_ok(mkdir(dir, 0700) == 0 && chown(dir, 12345, 12346) == 0,
	    "a folder of somebody");
	cast(a, "root", 1, 1, true, NOW);
	tap_ok(stat(arena_printf(a, "%s/learned", dir).ptr, &st) == 0 &&
	    st.st_uid == 12345 && st.st_gid == 12346, "his examples");
	tap_ok(stat(arena_printf(a, "%s/votes", dir).ptr, &st) == 0 &&
	    st.st_uid == 12345, "his votes");
	unlink(arena_printf(a, "%s/votes", dir).ptr);
	unlink(arena_printf(a, "%s/learned", dir).ptr);
	rmdir(dir);
	dir = was;
}

/* ---- watch ---- */

static bool
write_one(struct arena *a, const char *path, uint32_t spam)
{
	static int8_t weights[1 << MODEL_BITS_MIN];
	struct model_head head = { .bits = MODEL_BITS_MIN, .step = 0.1f,
	    .slope = 1, .spam = spam };
	struct slice why;

	return model_write(path, &head, weights, a, &why) == RC_OK;
}

static uint32_t
later(struct model_watch *w)
{
	struct model *m = watch_take(w);
	uint32_t spam = m->head.spam;

	watch_drop(w, m);
	return spam;
}

static void
test_watch(struct arena *a)
{
	const char *path = arena_printf(a, "%s/model", dir).ptr;
	struct model_watch *w;
	struct model *old;
	struct slice why;
	FILE *f;

	tap_is_int(watch_open(path, "/nonexistent", 0, &w, a, &why), RC_BAD,
	    "no model");
	write_one(a, path, 1);
	if (!tap_ok(watch_open(path, "/nonexistent", 0, &w, a, &why) == RC_OK,
	    "a model"))
		return;
	old = watch_take(w);
	write_one(a, path, 2);
	tap_is_int(later(w), 2, "a new one is taken up");
	tap_ok(old->head.spam == 1 && old->weights[5] == 0,
	    "who has the old one keeps it");
	watch_drop(w, old);
	f = fopen(path, "w");
	if (f != NULL) {
		fputs("no model", f);
		fclose(f);
	}
	tap_is_int(later(w), 2, "of a broken one nothing is taken");
	unlink(path);
	tap_is_int(later(w), 2, "nor of none");
	write_one(a, path, 3);
	tap_is_int(later(w), 3, "and then the next good one");
	watch_close(w);
	unlink(path);
}

int
main(void)
{
	struct arena *a = arena_new();
	char folder[] = "/tmp/votes-XXXXXX";

	dir = mkdtemp(folder);
	if (dir == NULL)
		return 1;
	test_agree(a);
	test_poison(a);
	test_trouble(a);
	test_owner(a);
	test_watch(a);
	unlink(arena_printf(a, "%s/votes", dir).ptr);
	unlink(arena_printf(a, "%s/learned", dir).ptr);
	rmdir(dir);
	arena_free(a);
	return tap_done();
}
