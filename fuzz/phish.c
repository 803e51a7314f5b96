/* Signs of phishing in any message: each once, with words. */
#include <stdlib.h>

#include "milters/antispam/decide.h"
#include "milters/antispam/phish.h"
#include "milters/antispam/phish_alike.h"
#include "milters/antispam/phish_feeds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static const struct antispam_shared *
shared(void)
{
	static const struct slice ours[] = { { "sparbank.example", 16 } };
	static const struct conf_list house = { ours, 1 }, none = { NULL, 0 };
	static const struct conf_list *const lists[] = { &house, NULL };
	static struct antispam_shared s;

	if (s.known == NULL) {
		s.known = phish_known_open(lists, NULL);
		s.feeds = phish_feeds_open("/nonexistent", &none);
	}
	return &s;
}

static void
names(struct arena *a, struct slice in)
{
	struct slice label = slice_sub(in, 0, 63);

	alike_skeleton(a, label);
	alike_mixed(a, label);
	alike_letters(a, in);
	alike_words(in);
	must(!alike_edited(label, label));
	phish_likeness(shared()->known, a, slice_sub(in, 0, 253));
	phish_named(shared()->known, in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct antispam_conf conf = { .model = "",
	    .phishing_files = FILES_READ, .phishing_timeout = 10 };
	struct arena *a = arena_new();
	struct message msg;
	struct content content;
	struct content_links links;
	struct clues clues;
	struct spam_look look = { .msg = &msg, .shared = shared(),
	    .conf = &conf, .content = &content, .links = &links,
	    .clues = &clues, .missed = buf_in(a) };
	struct slice head, body, why;
	struct linker l;

	message_split(a, slice_make(data, size), &head, &body);
	message_read(&msg, a, head, body, &message_limits_default);
	content_read(&msg, &content_limits_default, &content);
	clues_open(&clues, a);
	linker_open(&l, a, NULL, 200, &links);
	linker_read(&l, &content);
	must(phish_files_read(&look, &shared()->cells, &l, &why) == RC_OK);
	must(phish_check_links(&look, &why) == RC_OK &&
	    phish_check_feeds(&look, &why) == RC_OK &&
	    phish_check_sender(&look, &why) == RC_OK &&
	    phish_check_markup(&look, &why) == RC_OK);
	must(clues.count <= PHISH_SIGNS);
	for (const struct clue *c = clues.first; c != NULL; c = c->next) {
		must(c->words.len > 0);
		for (const struct clue *o = c->next; o != NULL; o = o->next)
			must(o->name != c->name);
	}
	names(a, slice_make(data, size));
	arena_free(a);
	return 0;
}
