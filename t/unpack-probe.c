/* unpack-probe CELL FILE [PASSWORD]...: what the cell finds in a file.
 *
 * A line for each entry: "DEPTH WHY FORMAT LENGTH SHA256 PATH"; the first line
 * is the end. With UNPACK_LIMITS="DEPTH MEMBERS MEMBER_BYTES BYTES RATIO". With
 * UNPACK_SHOW=PATH: nothing but the bytes of the members of that path. */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "log/log.h"
#include "t/tap.h"
#include "unpack/unpack.h"

static struct unpack_limits
limits(void)
{
	struct unpack_limits l = unpack_default_limits;
	const char *text = getenv("UNPACK_LIMITS");
	unsigned long long member, all;

	if (text != NULL && sscanf(text, "%u %u %llu %llu %u", &l.depth,
	    &l.members, &member, &all, &l.ratio) == 5) {
		l.member_bytes = member;
		l.bytes = all;
	}
	return l;
}

static void
print(struct arena *a, const struct unpack_entry *e)
{
	unsigned char hash[SHA256_DIGEST_LENGTH] = { 0 };

	if (e->bytes.ptr != NULL)
		SHA256((const unsigned char *)e->bytes.ptr, e->bytes.len,
		    hash);
	printf("%u %s %.*s %zu ", e->depth, unpack_why_name(e->why),
	    SLICE_ARG(e->format.len > 0 ? e->format : SLICE("-")),
	    e->bytes.len);
	for (size_t i = 0; i < 8; i++)
		printf("%02x", hash[i]);
	printf(" %.*s\n", SLICE_ARG(log_safe(a, e->path, 500)));
}

static void
show(const struct unpack_result *result, const char *path)
{
	for (size_t i = 1; i < result->nentries; i++)
		if (slice_eq(result->entries[i].path, slice_of(path)))
			fwrite(result->entries[i].bytes.ptr, 1,
			    result->entries[i].bytes.len, stdout);
}

int
main(int argc, char **argv)
{
	struct unpack_limits max = limits();
	struct unpack_result result;
	struct slice passwords[UNPACK_PASSWORDS], why, file;
	const char *cell_argv[2] = { argc > 2 ? argv[1] : "", NULL };
	struct cell_conf conf = { .name = "unpack", .argv = cell_argv,
	    .workers = 1, .answer_max = 16 << 20, .pieces_max = 1000 };
	const char *wanted = getenv("UNPACK_SHOW");
	struct arena *a = arena_new();
	struct cell *cell;
	size_t n = 0;
	int fd;

	log_open("unpack-probe", "/dev/null");
	if (argc < 3 || cell_open(&conf, &cell, a, &why) != RC_OK)
		return 2;
	while (n < UNPACK_PASSWORDS && (int)n + 3 < argc) {
		passwords[n] = slice_of(argv[n + 3]);
		n++;
	}
	file = tap_file(argv[2]);
	fd = cell_memfd(file);
	unpack_ask(cell, fd, SLICE("file"), &max, passwords, n,
	    deadline_in(60000), a, &result);
	if (wanted != NULL) {
		show(&result, wanted);
	} else {
		printf("%s %.*s\n", cell_end_name(result.end),
		    SLICE_ARG(result.why));
		for (size_t i = 0; i < result.nentries; i++)
			print(a, &result.entries[i]);
	}
	close(fd);
	free((void *)(uintptr_t)file.ptr);
	cell_close(cell);
	arena_free(a);
	return 0;
}
