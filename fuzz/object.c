/*
 * An object file's reader. First the input is the file: nobody who does not
 * have the public key makes one, so nothing of it may be believed. Then it is
 * what stands inside, encrypted as whoever broke into a milter would: the
 * length and meta block are read, and the message to its end.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/crypt-keys.h"
#include "store/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct crypt_keys *
keys(void)
{
	static struct crypt_keys all;
	static const unsigned char pub[CRYPT_KEY] =
	    "\x07\xa3\x7c\xbc\x14\x20\x93\xc8\xb7\x55\xdc\x1b\x10\xe8\x6c\xb4"
	    "\x26\x37\x4a\xd1\x6a\xa8\x53\xed\x0b\xdf\xc0\xb2\xb8\x6d\x1c";

	if (all.count == 0) {
		all.count = 1;
		for (int i = 0; i < CRYPT_KEY; i++)
			all.keys[0].secret[i] = (unsigned char)(i + 1);
		memcpy(all.keys[0].pub.key, pub, CRYPT_KEY - 1);
		all.keys[0].pub.key[CRYPT_KEY - 1] = 0x7c;
		memcpy(all.keys[0].pub.id, "fuzzfuzz", CRYPT_ID);
	}
	return &all;
}

static int
plain_file(struct slice bytes)
{
	int fd = memfd_create("object", MFD_CLOEXEC);

	if (fd < 0 || write(fd, bytes.ptr, bytes.len) != (ssize_t)bytes.len ||
	    lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

static int
sealed_file(struct slice bytes)
{
	int fd = memfd_create("object", MFD_CLOEXEC);
	struct crypt_writer *w = crypt_write_begin(&keys()->keys[0].pub, fd);

	if (w == NULL || !crypt_write(w, bytes) || !crypt_write_end(w) ||
	    lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

static void
read_whole(struct object *o)
{
	const struct object_meta *m = object_meta(o);
	uint64_t n = 0;
	struct slice piece;
	enum rc rc;

	if (!object_name_valid(slice_of(m->id)) || m->nrecipients == 0 ||
	    m->cause == CAUSE_NONE || m->cause >= CAUSES)
		abort();
	while ((rc = object_next(o, &piece)) == RC_OK && piece.len > 0)
		n += piece.len;
	if (rc == RC_OK && n != (m->kind == OBJECT_DELETED ? 0 : m->size))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new();
	struct slice bytes = slice_make(data, size), why;
	struct object *o;

	if (object_open(plain_file(bytes), keys(), a, &o, &why) == RC_OK)
		abort();
	if (object_open(sealed_file(bytes), keys(), a, &o, &why) == RC_OK) {
		read_whole(o);
		object_close(o);
	}
	arena_free(a);
	return 0;
}
