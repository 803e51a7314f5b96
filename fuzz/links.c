/* Links of any text and any markup: in bounds, each with an URL that holds. */
#include <stdlib.h>

#include "content/links.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
look(const struct content_links *links, unsigned most)
{
	unsigned n = 0;

	for (const struct content_link *l = links->first; l != NULL;
	    l = l->next, n++) {
		must(l->raw.len <= CONTENT_LINK_URL);
		must(l->shown.len <= CONTENT_LINK_SHOWN && l->times > 0);
		must(l->url.host.ptr != NULL);
	}
	must(n == links->count && n <= most);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice in = slice_make(data, size);
	struct content_links links;
	struct linker l;

	linker_open(&l, a, NULL, 20, &links);
	linker_text(&l, CONTENT_LINK_TEXT, NULL, in);
	look(&links, 20);
	linker_open(&l, a, NULL, 20, &links);
	linker_html(&l, size % 2 == 0, NULL, SLICE("utf-8"), in);
	look(&links, 20);
	arena_free(a);
	return 0;
}
