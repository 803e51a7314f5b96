/*
 * Any bytes as a MAP file, and what is read of it into a book of two domains:
 * a whole file without an end mark there is not, and what the book takes is a
 * directory file.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/directory.h"
#include "tools/directory-source.h"
#include "tools/map-read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct directory_source source = { .kind = DIRECTORY_MAP,
    .path = "fuzz" };

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
whole(struct book *b)
{
	struct slice why = SLICE_NONE;
	int fd = memfd_create("book", MFD_CLOEXEC);
	struct directory_reader *d;
	struct directory_record r;
	bool more = true;
	enum rc rc;

	if (book_finish(b, &why) == RC_OK) {
		must(book_write(b, fd, "book", &why) == RC_OK);
		lseek(fd, 0, SEEK_SET);
		d = directory_open(fd, "book");
		do
			rc = directory_next(d, &r, &more, &why);
		while (rc == RC_OK && more);
		must(rc == RC_OK);
		directory_close(d);
	} else {
		must(why.len > 0);
	}
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct book *b = directory_book_new();
	struct slice why = SLICE_NONE;
	enum rc rc;

	book_domain(b, SLICE("a.test"), SLICE_NONE, SLICE_NONE);
	book_domain(b, SLICE("b.test"), SLICE("client"), SLICE_NONE);
	must(book_source(b, "fuzz", true, NULL, &why) == RC_OK);
	rc = source_map_bytes(&source, b, slice_make(data, size), &why);
	if (rc == RC_OK) {
		must(slice_search(slice_make(data, size), SLICE("++++")) <
		    size);
		whole(b);
	} else {
		must(rc == RC_BAD && why.len > 0);
	}
	directory_book_free(b);
	return 0;
}
