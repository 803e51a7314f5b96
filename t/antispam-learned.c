/* The examples that a site has given (milters/antispam/learned). */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milters/antispam/learned.h"
#include "t/tap.h"

static char path[200];

/* n features that only this number has. */
static struct features
features_of(struct arena *a, unsigned number, size_t n)
{
	struct features f = { .n = n, .hash = arena_array(a, n + 1,
	    sizeof *f.hash), .family = arena_alloc(a, n + 1) };

	for (size_t i = 0; i < n; i++) {
		f.hash[i] = number * 1000 + (uint32_t)i;
		f.family[i] = (unsigned char)(i % FAMILIES);
	}
	return f;
}

static enum rc
add(struct arena *a, unsigned number, int64_t given, bool spam)
{
	struct learned_record r = { .given = given, .group = number,
	    .spam = spam };
	struct features f = features_of(a, number, 10 + number);
	struct slice why;

	memcpy(r.id, &number, sizeof number);
	return learned_add(path, &r, &f, a, &why);
}

/* "number+ number-" with + for spam, in order. */
static struct slice
shown(struct arena *a)
{
	struct buf out = buf_in(a);
	struct learned l;
	struct slice why;

	if (learned_read(path, &l, a, &why) != RC_OK)
		return SLICE("cannot be read");
	for (size_t i = 0; i < l.n; i++) {
		unsigned number;

		memcpy(&number, l.records[i].id, sizeof number);
		if (l.examples[i].n != 10 + number ||
		    l.examples[i].hash[9] != number * 1000 + 9 ||
		    l.examples[i].group != number)
			buf_adds(&out, "wrong ");
		buf_addf(&out, "%u%c ", number, l.examples[i].spam ? '+' : '-');
	}
	if (l.damaged > 0)
		buf_addf(&out, "damaged %zu", l.damaged);
	return slice_trim(buf_slice(&out));
}

static void
test_order(struct arena *a)
{
	struct slice why;
	unsigned three = 3;
	unsigned char id[LEARNED_ID] = { 0 };

	tap_is(shown(a), SLICE(""), "none at first");
	for (unsigned i = 1; i <= 4; i++)
		tap_is_int(add(a, i, 100 * i, i % 2 == 0), RC_OK, "one more");
	tap_is(shown(a), SLICE("1- 2+ 3- 4+"), "in the order given");
	add(a, 1, 500, true);
	tap_is(shown(a), SLICE("2+ 3- 4+ 1+"), "a correction counts");
	memcpy(id, &three, sizeof three);
	tap_is_int(learned_forget(path, id, a, &why), RC_OK, "forgotten");
	tap_is(shown(a), SLICE("2+ 4+ 1+"), "and it is gone");
	tap_is_int(learned_trim(path, 600, 1000, 2, a, &why), RC_OK, "trim");
	tap_is(shown(a), SLICE("4+ 1+"), "the newest of each label stay");
	tap_is_int(learned_trim(path, 600, 150, 9, a, &why), RC_OK, "trim");
	tap_is(shown(a), SLICE("1+"), "what is too old goes");
}

/* Cut anywhere, it holds what was whole, and goes on. */
static void
test_torn(struct arena *a)
{
	struct stat st;
	unsigned wrong = 0, tries = 0;

	unlink(path);
	add(a, 1, 1, true);
	stat(path, &st);
	for (off_t cut = 1; cut < st.st_size; cut += 7, tries++) {
		unlink(path);
		add(a, 2, 1, true);
		add(a, 1, 1, true);
		stat(path, &st);
		if (truncate(path, st.st_size - cut) != 0)
			break;
		add(a, 3, 1, false);
		wrong += !slice_eq(shown(a), SLICE("2+ 3-"));
		stat(path, &st);
		arena_reset(a);
		st.st_size = 112;	/* about one record */
	}
	tap_ok(tries > 10 && wrong == 0, "torn at any of %u places, the next "
	    "writer mends it", tries);
}

static void
test_damage(struct arena *a)
{
	int fd;

	unlink(path);
	add(a, 1, 1, true);
	add(a, 2, 1, false);
	fd = open(path, O_WRONLY);
	tap_ok(fd >= 0 && pwrite(fd, "xxxx", 4, 70) == 4, "bytes change");
	close(fd);
	tap_is(shown(a), SLICE("2- damaged 1"), "a changed record is left out");
}

int
main(void)
{
	struct arena *a = arena_new();
	char dir[] = "/tmp/learned-XXXXXX";

	if (mkdtemp(dir) == NULL)
		return 1;
	snprintf(path, sizeof path, "%s/learned", dir);
	test_order(a);
	test_torn(a);
	test_damage(a);
	unlink(path);
	rmdir(dir);
	arena_free(a);
	return tap_done();
}
