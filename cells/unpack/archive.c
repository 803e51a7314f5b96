/*
 * Archives, by libarchive: only formats that carry files, so that no text is
 * taken for an archive by chance.
 */
#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "cells/unpack/walk.h"

static void
take_formats(struct archive *ar, bool raw)
{
	archive_read_support_filter_gzip(ar);
	archive_read_support_filter_bzip2(ar);
	archive_read_support_filter_xz(ar);
	archive_read_support_filter_lzma(ar);
	archive_read_support_filter_zstd(ar);
	archive_read_support_filter_lz4(ar);
	archive_read_support_filter_lzip(ar);
	archive_read_support_filter_compress(ar);
	if (raw) {
		archive_read_support_format_raw(ar);
		return;
	}
	archive_read_support_format_zip(ar);
	archive_read_support_format_7zip(ar);
	archive_read_support_format_rar(ar);
	archive_read_support_format_rar5(ar);
	archive_read_support_format_tar(ar);
	archive_read_support_format_gnutar(ar);
	archive_read_support_format_cpio(ar);
	archive_read_support_format_ar(ar);
	archive_read_support_format_cab(ar);
	archive_read_support_format_iso9660(ar);
	archive_read_support_format_lha(ar);
	archive_read_support_format_xar(ar);
}

/* libarchive has no codes for these: they are in its texts. */
static enum unpack_why
why_of(struct archive *ar, bool locked)
{
	const char *text = archive_error_string(ar);

	if (text == NULL)
		text = "";
	if (locked || strcasestr(text, "passphrase") != NULL ||
	    strcasestr(text, "crypt") != NULL)
		return UNPACK_ENCRYPTED;
	return strcasestr(text, "unsupported") != NULL ||
	    strcasestr(text, "unknown") != NULL ? UNPACK_UNKNOWN :
	    UNPACK_DAMAGED;
}

/* The bytes of one member; false: the archive cannot be read any further. */
static bool
copy_member(struct walk *w, struct archive *ar, struct walk_entry *member,
    bool locked)
{
	const void *block;
	size_t len;
	la_int64_t offset;

	for (;;) {
		int rc = archive_read_data_block(ar, &block, &len, &offset);

		if (rc == ARCHIVE_EOF)
			return true;
		if (rc != ARCHIVE_OK && rc != ARCHIVE_WARN) {
			walk_why(member, why_of(ar, locked));
			return rc == ARCHIVE_FAILED;
		}
		/* A hole is what nobody wrote: not worth a bomb. */
		if (!walk_add(w, member, slice_make(block, len)))
			return true;
	}
}

static bool
read_one(struct walk *w, struct archive *ar, struct archive_entry *e,
    struct walk_entry *container)
{
	const char *path = archive_entry_pathname(e);
	bool locked = archive_entry_is_data_encrypted(e) > 0;
	struct walk_entry *member;
	bool more;

	if (archive_entry_filetype(e) == AE_IFDIR)
		return true;
	member = walk_begin(w, container, path != NULL ? slice_of(path) :
	    SLICE(""));
	if (member == NULL)
		return false;
	more = copy_member(w, ar, member, locked);
	if (member->record.why == UNPACK_ENCRYPTED)
		walk_why(container, UNPACK_ENCRYPTED);
	walk_end(w, member);
	return more;
}

/* Members until the end or until it cannot go on. */
static void
read_all(struct walk *w, struct archive *ar, struct walk_entry *container)
{
	struct archive_entry *e;
	int rc;

	while ((rc = archive_read_next_header(ar, &e)) == ARCHIVE_OK ||
	    rc == ARCHIVE_WARN)
		if (!read_one(w, ar, e, container)) {
			walk_why(container, UNPACK_DAMAGED);
			return;
		}
	if (rc != ARCHIVE_EOF)
		walk_why(container, why_of(ar,
		    archive_read_has_encrypted_entries(ar) > 0));
}

static bool
read_as(struct walk *w, struct walk_entry *container, struct slice bytes,
    bool raw)
{
	struct archive *ar = archive_read_new();
	bool open;

	if (ar == NULL)
		return false;
	take_formats(ar, raw);
	for (size_t i = 0; i < w->request.npasswords; i++)
		archive_read_add_passphrase(ar, arena_str(w->arena,
		    w->request.passwords[i]));
	open = archive_read_open_memory(ar, bytes.ptr, bytes.len) ==
	    ARCHIVE_OK;
	/* A stream that holds no archive is one file, compressed. */
	if (open && raw && archive_filter_count(ar) < 2)
		open = false;
	if (open)
		read_all(w, ar, container);
	archive_read_free(ar);
	return open;
}

void
archive_read_members(struct walk *w, struct walk_entry *container,
    struct slice bytes)
{
	size_t before = w->count;
	bool open = read_as(w, container, bytes, false);

	if (w->count > before || (open &&
	    container->record.why != UNPACK_DAMAGED &&
	    container->record.why != UNPACK_UNKNOWN))
		return;
	/* No archive inside: perhaps one file in a compressed stream. */
	container->record.why = UNPACK_WHOLE;
	if (!read_as(w, container, bytes, true))
		walk_why(container, UNPACK_DAMAGED);
}
