/*
 * links - every place where a message leads its reader, found once
 *
 * content_links	all links of the texts of `content`: of markup with the
 *			text that is shown for them, of what is seen of texts
 *			(scheme://, www., bare names that look like hosts), in
 *			the order of the message; of HTML first the links, then
 *			what its text names. A link that comes again with the
 *			same URL and the same shown text is counted, not listed
 *			again. At most `most` links, then `cut` is set
 *
 * The same in steps, for who has more texts (those in attachments):
 *
 * linker_open		begins; links go into *links_r
 * linker_read		what content_links does
 * linker_html		one text of markup. Its links are of these kinds, or all
 *			of the kind CONTENT_LINK_FILE
 * linker_text		one text without markup, UTF-8
 * linker_url		one URL, alone: a browser's way with "www.example" is
 *			known, and that of a name without a scheme
 *
 * What a link is relative to (base href) is found; //host is taken as
 * http://host. `suffixes` says which bare names end in a domain that exists;
 * NULL: libpsl's own list. For one thread; all memory is the arena's. Linear.
 */
#ifndef CONTENT_LINKS_H
#define CONTENT_LINKS_H

#include "content/content.h"
#include "text/psl.h"
#include "text/weburl.h"

enum {
	CONTENT_LINKS = 4000,		/* the usual `most` */
	CONTENT_LINK_URL = 2000, CONTENT_LINK_SHOWN = 500,	/* bytes */
};

enum content_link_kind {
	CONTENT_LINK_TEXT,		/* written as text */
	CONTENT_LINK_CLICK,		/* a, area, meta refresh */
	CONTENT_LINK_FORM,		/* where a form is sent */
	CONTENT_LINK_LOAD,		/* images, styles: fetched unasked */
	CONTENT_LINK_FILE,		/* within an attachment */
	CONTENT_LINK_CODE,		/* in a QR or bar code */
};

struct content_link {
	struct content_link *next;
	enum content_link_kind kind;
	struct slice raw;		/* as written, references undone, UTF-8 */
	struct weburl url;		/* url.host empty: leads to no host */
	bool bare;			/* written without a scheme */
	struct slice shown;		/* what the reader sees as the link;
					   SLICE_NONE: itself, or nothing */
	const struct content_text *in;	/* NULL: in an attachment */
	unsigned times;

	/* linker's own. */
	uint64_t hash;
	struct content_link *same;
};

struct content_links {
	struct content_link *first;
	unsigned count;
	bool cut;			/* there were more */
};

enum { LINKER_BUCKETS = 1024 };

struct linker {
	struct arena *arena;
	const struct suffixes *suffixes;
	unsigned most;
	unsigned bare;			/* names still looked up */
	struct content_links *links;
	struct content_link **last;
	struct content_link **buckets;
	uint64_t secret[2];
	struct slice base;		/* of the markup in hand; or none */
};

void content_links(struct arena *a, const struct content *content,
    const struct suffixes *suffixes, unsigned most,
    struct content_links *links_r);

void linker_open(struct linker *l, struct arena *a,
    const struct suffixes *suffixes, unsigned most,
    struct content_links *links_r);
void linker_read(struct linker *l, const struct content *content);
void linker_html(struct linker *l, bool file, const struct content_text *in,
    struct slice charset, struct slice markup);
void linker_text(struct linker *l, enum content_link_kind kind,
    const struct content_text *in, struct slice text);
void linker_url(struct linker *l, enum content_link_kind kind,
    const struct content_text *in, struct slice raw, struct slice shown);

/*
 * The next place in a text that names an URL or a host: *found_r is borrowed,
 * *rest moves behind it. `bare`: how many names without a scheme may still be
 * looked up; it is counted down.
 */
bool link_find(struct slice *rest, const struct suffixes *suffixes,
    unsigned *bare, struct slice *found_r);

#endif
