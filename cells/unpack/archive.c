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

		/* A sum that is wrong: another password passed for the right
		 * one, and these bytes are nobody's. */
		if (rc == ARCHIVE_WARN && locked)
			walk_why(member, UNPACK_ENCRYPTED);

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

/* Bytes of the file that is read, whole and with the right sum? */
static bool
reads_well(struct walk *w, struct archive *ar)
{
	uint64_t left = w->request.limits.member_bytes;
	const void *block;
	la_int64_t offset;
	size_t len;
	int rc;

	while ((rc = archive_read_data_block(ar, &block, &len, &offset)) ==
	    ARCHIVE_OK) {
		if (len >= left)
			return true;
		left -= len;
	}
	return rc == ARCHIVE_EOF;
}

enum trial { NOTHING_LOCKED, OPENS, WRONG };

/* The first locked file of a zip, with that password alone. */
static enum trial
try_password(struct walk *w, struct slice bytes, const char *password)
{
	struct archive *ar = archive_read_new();
	enum trial trial = NOTHING_LOCKED;
	struct archive_entry *e;
	int rc;

	if (ar == NULL)
		return WRONG;
	take_formats(ar, false);
	archive_read_add_passphrase(ar, password);
	rc = archive_read_open_memory(ar, bytes.ptr, bytes.len);
	while (rc == ARCHIVE_OK && trial == NOTHING_LOCKED) {
		rc = archive_read_next_header(ar, &e);
		if (rc == ARCHIVE_WARN)
			rc = ARCHIVE_OK;
		if (rc == ARCHIVE_OK && (archive_format(ar) &
		    ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_ZIP)
			break;
		if (rc == ARCHIVE_OK && archive_entry_is_data_encrypted(e) > 0
		    && archive_entry_size(e) != 0)
			trial = reads_well(w, ar) ? OPENS : WRONG;
	}
	archive_read_free(ar);
	return trial;
}

/*
 * Old zip files let one password in 256 pass for the right one, and only at
 * the end of the file it is seen that the bytes are none. libarchive takes the
 * first that passes. So the one that reads to the end comes first.
 */
static size_t
right_password(struct walk *w, struct slice bytes)
{
	size_t n = w->request.npasswords;

	for (size_t i = 0; n > 1 && i < n; i++) {
		enum trial trial = try_password(w, bytes, arena_str(w->arena,
		    w->request.passwords[i]));

		if (trial == NOTHING_LOCKED)
			break;
		if (trial == OPENS)
			return i;
	}
	return 0;
}

static void
add_passwords(struct walk *w, struct archive *ar, size_t first)
{
	size_t n = w->request.npasswords;

	for (size_t i = 0; i < n; i++)
		archive_read_add_passphrase(ar, arena_str(w->arena,
		    w->request.passwords[(first + i) % n]));
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
	add_passwords(w, ar, raw ? 0 : right_password(w, bytes));
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
