/*
 * For each file of mail named on standard input: its name, and the clues of
 * the checks beside the classifier. bench/phishing counts them by source.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "milters/antispam/decide.h"
#include "milters/antispam/filter.h"
#include "t/tap.h"

static void
survey(const char *path, const struct antispam_conf *conf, void *shared)
{
	struct antispam_answers seen = { .nreasons = 0 };
	struct arena *a = arena_new();
	struct message *msg = arena_alloc(a, sizeof *msg);
	struct spam_look look = { .msg = msg, .shared = shared,
	    .conf = conf };
	struct slice head, body, why, file = tap_file(path);

	message_split(a, file, &head, &body);
	message_read(msg, a, head, body, &message_limits_default);
	if (antispam_judge(&look, &seen, &why) != RC_OK)
		tap_ok(false, "%s: %.*s", path, SLICE_ARG(why));
	printf("%s\t%u\t%u", path, seen.percent[CLASS_SPAM],
	    seen.percent[CLASS_PHISHING]);
	for (const struct clue *c = seen.clues.first; c != NULL; c = c->next)
		printf("\t%s: %.*s", c->name, SLICE_ARG(c->words));
	putchar('\n');
	free((char *)(uintptr_t)file.ptr);
	arena_free(a);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new();
	struct house_conf house;
	struct antispam_conf conf;
	struct conf_section own[] = { { antispam_options, &conf },
	    { NULL, NULL } };
	struct conf_section all[] = { { house_options, &house },
	    { NULL, NULL } };
	char line[4096];
	struct slice why;
	void *shared;

	if (argc != 3 || conf_load(a, argv[2], own, &why) != RC_OK ||
	    conf_load(a, NULL, all, &why) != RC_OK)
		return 1;
	conf.model = argv[1];
	if (antispam_filter.open(&conf, &house, NULL, &shared, a, &why) !=
	    RC_OK)
		return 1;
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		survey(line, &conf, shared);
	}
	antispam_filter.close(shared);
	arena_free(a);
	return 0;
}
