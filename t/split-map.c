/*
 * split-map - a policy map for tests of whole paths, with filters of tests
 *
 *	split-map HOUSE DIRECTORY FILTER=FILE...
 *
 * Compiles the directory file and the scopes of each FILTER's FILE to where
 * the house has its map.
 *
 *	split-map --mark HOUSE QUEUE_ID PASS
 *
 * Prints a mark for that queue id and pass (milter/split.h), as a field.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "milter/settings.h"
#include "milter/split.h"
#include "milters/all.h"
#include "policy/compile.h"
#include "t/probe/probe.h"

static struct arena *a;
static struct slice why;

static void
must(enum rc rc)
{
	if (rc == RC_OK)
		return;
	fprintf(stderr, "split-map: %.*s\n", SLICE_ARG(why));
	exit(1);
}

static const struct filter *
find(const char *name)
{
	static const struct filter *const own[] = { &probe_filter,
	    &probe_head_filter };

	for (size_t i = 0; i < 2; i++)
		if (strcmp(own[i]->name, name) == 0)
			return own[i];
	for (size_t i = 0; all_filters[i] != NULL; i++)
		if (strcmp(all_filters[i]->name, name) == 0)
			return all_filters[i];
	fprintf(stderr, "split-map: no filter %s\n", name);
	exit(1);
}

static struct scopes *
scopes_of(const struct filter *filter, const char *conf)
{
	for (const struct conf_option *o = filter->options; o->name != NULL;
	    o++)
		if (conf_kind_of(o) == CONF_SCOPES)
			return *(struct scopes *const *)(const void *)(conf +
			    o->offset);
	return NULL;
}

static void
table(struct compile *c, char *arg)
{
	char *file = strchr(arg, '=');
	const struct filter *filter;
	struct milter_conf *milter = arena_alloc(a, sizeof *milter);
	char *conf;

	*file++ = '\0';
	filter = find(arg);
	conf = arena_alloc(a, filter->conf_size + 1);
	const struct conf_section sections[] = { { milter_options, milter },
	    { filter->options, conf }, { NULL, NULL } };

	must(conf_load(a, file, sections, &why));
	must(compile_table(c, filter->name, filter->options,
	    scopes_of(filter, conf), &why));
}

static void
house(const char *file, struct house_conf *conf)
{
	const struct conf_section sections[] = { { house_options, conf },
	    { NULL, NULL } };

	must(conf_load(a, file, sections, &why));
	must(house_finish(conf, a, &why));
}

static void
print_mark(char **argv)
{
	struct house_conf conf = { .hostname = NULL };
	struct seal_key key;
	struct seal seal = { .identity = "0123456789abcdef0123456789abcdef",
	    .queue_id = slice_of(argv[1]), .time = clock_wall(),
	    .pass = (unsigned)atoi(argv[2]), .split = true,
	    .sender = SLICE_NONE };
	struct slice body;

	house(argv[0], &conf);
	must(seal_key_load(conf.seal_key, &key, a, &why));
	must(split_write(&seal, &key, a, &body));
	printf(SPLIT_FIELD ":%.*s\r\n", SLICE_ARG(body));
}

int
main(int argc, char **argv)
{
	struct house_conf conf = { .hostname = NULL };
	struct compile *c;
	const char *path;
	int fd;

	a = arena_new();
	if (argc == 5 && strcmp(argv[1], "--mark") == 0) {
		print_mark(argv + 2);
		arena_free(a);
		return 0;
	}
	if (argc < 4)
		return 64;
	house(argv[1], &conf);
	c = compile_new(&conf);
	for (int i = 3; i < argc; i++)
		table(c, argv[i]);
	fd = open(argv[2], O_RDONLY | O_CLOEXEC);
	must(compile_directory(c, fd, argv[2], &why));
	close(fd);
	must(compile_resolve(c, &why));
	path = policy_path(&conf, a);
	mkdir(arena_printf(a, "%s/policy", conf.state_directory).ptr, 0755);
	must(compile_write(c, path, &why));
	compile_free(c);
	arena_free(a);
	return 0;
}
