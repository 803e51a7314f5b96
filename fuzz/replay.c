/*
 * The main of a fuzz target when there is no libFuzzer: each file named, or
 * each file in each folder named, is given to the target once, and once more
 * cut short at every power of two. A crash or a sanitizer report ends it.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned replayed;

/* A copy of just its size, so that a read past the end is seen. */
static void
give(const char *bytes, size_t len)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void
replay_file(const char *path)
{
	FILE *f = fopen(path, "r");
	char *bytes = mem_alloc(1 << 20);
	size_t len;

	if (f == NULL) {
		perror(path);
		exit(1);
	}
	len = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	give(bytes, len);
	for (size_t cut = 1; cut < len; cut *= 2)
		give(bytes, cut);
	free(bytes);
	replayed++;
}

static void
replay(const char *path)
{
	struct stat st;
	struct dirent **names;
	int n;

	if (stat(path, &st) != 0) {
		perror(path);
		exit(1);
	}
	if (!S_ISDIR(st.st_mode)) {
		replay_file(path);
		return;
	}
	n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char file[4096];

		if (names[i]->d_name[0] != '.') {
			snprintf(file, sizeof file, "%s/%s", path,
			    names[i]->d_name);
			replay_file(file);
		}
		free(names[i]);
	}
	free(names);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%u seeds replayed\n", replayed);
	return replayed > 0 ? 0 : 1;
}
