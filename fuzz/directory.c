/*
 * Any bytes as a directory file: what is read is written again as the same
 * bytes, and each address is as scope_address has it.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/scope.h"
#include "policy/directory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
look(struct arena *a, const struct directory_record *r)
{
	struct scope_match match = { false, '\0' };

	if (r->kind == DIRECTORY_USER || r->kind == DIRECTORY_ALIAS)
		must(slice_eq(scope_address(a, r->key, match), r->key));
	for (size_t i = 0; i < r->nmembers; i++)
		must(slice_eq(scope_address(a, r->members[i], match),
		    r->members[i]));
}

static void
same(int fd, struct slice bytes)
{
	char *back = mem_alloc(bytes.len + 1);

	must(pread(fd, back, bytes.len + 1, 0) == (ssize_t)bytes.len);
	must(memcmp(back, bytes.ptr, bytes.len) == 0);
	free(back);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct slice bytes = slice_make(data, size), why = SLICE_NONE;
	struct arena *a = arena_new();
	struct directory_reader *d = directory_memory(bytes, "fuzz");
	struct directory_writer *w;
	struct directory_record r;
	bool more = true;
	enum rc rc;

	if (fd < 0)
		fd = memfd_create("directory", MFD_CLOEXEC);
	must(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	w = directory_create(fd, "memory");
	while ((rc = directory_next(d, &r, &more, &why)) == RC_OK && more) {
		look(a, &r);
		must(directory_put(w, &r, &why) == RC_OK);
	}
	if (rc == RC_OK) {
		must(directory_end(w, &why) == RC_OK);
		same(fd, bytes);
	} else {
		must(rc == RC_BAD && why.len > 0);
	}
	directory_drop(w);
	directory_close(d);
	arena_free(a);
	return 0;
}
