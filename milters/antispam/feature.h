/*
 * feature - what of a message the classifier goes by
 *
 * A feature is a fact about the message ("the subject has these two words two
 * apart", "a link leads to this domain", "there are three images"), known by a
 * hash of 32 bits. Each belongs to a family; the families are weighed against
 * each other (model.h), so that a long text does not drown what the header
 * says. A message has each feature once, whatever the number of times.
 *
 * Words are read as orthogonal sparse bigrams (Siefkes and others, "Combining
 * Winnow and Orthogonal Sparse Bigrams", 2004): each word alone, and with each
 * of the four before it and their distance.
 *
 * features_read	of a message and its texts. At most FEATURES_MAX; of a long
 *			text the beginning and the end are read. With `named`
 *			each feature is described for people, which costs memory
 * features_name	what some of them (`wanted`: their places) are for
 *		people; of the same message and texts. Those of features_add have no
 *		name here
 * features_hash_of	the hash of what features_add adds by that name
 * features_family	name of a family, for people
 *
 * features_add	one more, by a name and words for people, unless it is full
 *
 * Reads nothing but its arguments; results in the message's arena.
 */
#ifndef ANTISPAM_FEATURE_H
#define ANTISPAM_FEATURE_H

#include "content/content.h"

/* New ones at the end: models name them by number. */
enum family { FAMILY_HEADER, FAMILY_SENDER, FAMILY_MARKUP, FAMILY_WORDS,
    FAMILY_PAIRS, FAMILY_LINKS, FAMILY_FACTS, FAMILY_LETTERS, FAMILY_RULES,
    FAMILIES };

/* Room is kept for those that are added later. */
enum { FEATURES_MAX = 6000, FEATURES_ADDED = 100 };

struct features {
	uint32_t *hash;
	unsigned char *family;		/* enum family */
	struct slice *name;		/* of each; NULL: not named */
	size_t n;
	size_t count[FAMILIES];
	bool full;			/* more than FEATURES_MAX */
};

void features_read(struct message *msg, const struct content *content,
    bool named, struct features *f_r);
void features_add(struct features *f, struct arena *a, enum family family,
    const char *name, struct slice words);
void features_name(struct message *msg, const struct content *content,
    const struct features *f, const size_t *wanted, size_t n,
    struct slice *names_r);
uint32_t features_hash_of(const char *name);
const char *features_family(enum family family);

#endif
