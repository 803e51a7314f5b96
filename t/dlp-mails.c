/*
 * dlp-mails CELL RULES: what the rules for data loss find in many messages
 *
 * Reads paths of messages from standard input, a line each. For each hit a line
 * "PATH: RULE KIND VALUE in WHERE", the value masked; at the end "N messages, N
 * bytes of text, N not read". One process for all of them, where `gatehouse dlp
 * test` would be one for each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log/log.h"
#include "milters/attachment-dlp/dlp_look.h"
#include "t/tap.h"

enum { PATH = 8192, WAIT_MS = 60000 };

struct counts {
	unsigned messages, unread;
	uint64_t bytes;
};

static void
look(const char *path, struct cell *cell, const struct dlp_rules *rules,
    struct counts *c)
{
	const struct conf_list none = { NULL, 0 };
	const struct items_conf how = { .unpack = cell,
	    .limits = unpack_default_limits, .passwords = &none };
	struct arena *a = arena_new();
	struct slice file = tap_file(path), head, body;
	struct dlp_texts texts;
	struct dlp_found found;
	struct message msg;
	struct items items;

	message_split(a, file, &head, &body);
	message_read(&msg, a, head, body, &message_limits_default);
	items_of_message(&msg, &how, deadline_in(WAIT_MS), &items);
	dlp_texts_read(&msg, &items, &texts);
	dlp_look(rules, &texts, a, deadline_in(WAIT_MS), &found);
	for (unsigned i = 0; i < found.n; i++)
		for (const struct dlp_hit *h = found.of[i].hits; h != NULL;
		    h = h->next)
			printf("%s: %.*s %s %.*s in %.*s\n", path,
			    SLICE_ARG(found.of[i].rule->name), h->name,
			    SLICE_ARG(h->masked), SLICE_ARG(h->where));
	c->messages++;
	c->bytes += texts.bytes;
	c->unread += texts.nunread > 0 || items.late || found.late;
	arena_free(a);
	free((void *)(uintptr_t)file.ptr);
}

int
main(int argc, char **argv)
{
	const char *cell_argv[] = { argc > 1 ? argv[1] : "", NULL };
	const struct cell_conf conf = { .name = "unpack", .argv = cell_argv,
	    .workers = 1, .answer_max = 64 << 20, .pieces_max = CELL_PIECES };
	struct arena *a = arena_new();
	struct counts c = { 0, 0, 0 };
	struct dlp_rules *rules;
	struct slice why = SLICE("");
	struct cell *cell;
	char path[PATH];

	log_open("dlp-mails", "/dev/null");
	if (argc != 3 || dlp_load(argv[2], true, &rules, a, &why) != RC_OK ||
	    cell_open(&conf, &cell, a, &why) != RC_OK) {
		fprintf(stderr, "dlp-mails: %.*s\n", SLICE_ARG(why));
		return 2;
	}
	while (fgets(path, sizeof path, stdin) != NULL) {
		path[strcspn(path, "\n")] = '\0';
		look(path, cell, rules, &c);
	}
	printf("%u messages, %llu bytes of text, %u not read\n", c.messages,
	    (unsigned long long)c.bytes, c.unread);
	cell_close(cell);
	dlp_free(rules);
	arena_free(a);
	return 0;
}
