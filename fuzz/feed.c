/* Feeds of any bytes become a set that opens, and in which is what was put in
 * it; and the URIs of any PDF. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "milters/antispam/phish_feeds.h"
#include "milters/antispam/phish_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static const struct phish_known *
known(void)
{
	static const struct conf_list *const none[] = { NULL };
	static struct phish_known *k;

	if (k == NULL)
		k = phish_known_open(none, NULL);
	return k;
}

static void
keep(struct arena *a, struct slice in, struct phish_set_new *set)
{
	struct slice line, key, host, why;
	const char *path = arena_printf(a, "/tmp/fuzz-feed.%d",
	    (int)getpid()).ptr;
	struct phish_set *open;

	must(phish_set_write(set, path, in, 1, a, &why) == RC_OK);
	must(phish_set_open(path, &open, a, &why) == RC_OK);
	while (slice_line(&in, &line)) {
		enum feed_line is = phish_feed_line(a, line, &key, &host);

		must(is == FEED_NOTHING || is == FEED_UNREAD ||
		    phish_is_popular(known(), host) ||
		    phish_set_has(open, key));
	}
	phish_set_close(open);
	unlink(path);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice in = slice_make(data, size);
	struct phish_set_new *set = phish_set_begin();
	struct phish_feed_told told;
	struct content_links links;
	struct linker l;

	phish_feed_read(in, known(), set, &told);
	must(told.entries <= told.urls + told.hosts);
	phish_feed_trust(&told, 1000);
	keep(a, in, set);
	phish_set_free(set);
	linker_open(&l, a, NULL, 20, &links);
	phish_pdf_links(&l, in);
	must(links.count <= 20);
	arena_free(a);
	return 0;
}
