/*
 * gather - how features are put together
 *
 * For the files of features. add puts a feature in, unless it is there; its
 * hash is over the name and the value.
 *
 * gather_add		"name: value" of the current family
 * gather_count		a number by its size: 0, 1, 2-3, 4-7, ...
 * gather_number	the number itself
 * gather_words		words and pairs of a text, at most `most` words; alike in
 *			all texts whose name is the same
 * gather_links		of plain text, and of markup
 *
 * Values of names and domains are compared without letter case.
 */
#ifndef ANTISPAM_GATHER_H
#define ANTISPAM_GATHER_H

#include "feature.h"

enum { GATHER_SLOTS = 1 << 14 };

struct gather {
	struct arena *a;
	struct features *f;
	enum family family;
	uint32_t *slots;		/* hashes that are there; 0: empty */
	bool named;
	/* Features that are read already, and of which some are named now;
	 * NULL: they are read. */
	const struct features *from;
	const size_t *wanted;		/* places in them */
	size_t nwanted, nameless;
	struct slice *names;		/* of wanted */
	unsigned families;		/* of wanted: a bit for each */
};

/* Does anybody ask for what such families (a bit for each) are made of? */
static inline bool
gather_wants(const struct gather *g, unsigned families)
{
	return g->from == NULL || (g->nameless > 0 &&
	    (g->families & families) != 0);
}

/* The hash of "name: value". */
uint32_t gather_hash(const char *name, struct slice value);
void gather_add(struct gather *g, const char *name, struct slice value);
void gather_count(struct gather *g, const char *name, size_t value);
void gather_number(struct gather *g, const char *name, uint64_t value);
void gather_words(struct gather *g, const char *name, struct slice text,
    unsigned most);
void gather_link(struct gather *g, struct slice url);
void gather_links(struct gather *g, struct slice text);
/* Tags, attributes and links of HTML. */
void gather_markup(struct gather *g, const struct content_text *html);
void gather_header(struct gather *g, const struct message *msg);
void gather_facts(struct gather *g, const struct message *msg,
    const struct content *content);

#endif
